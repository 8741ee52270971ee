/** The bot as `src/main.ts` starts it, with leases that a test can wait for, and without poison. */
import { createApp } from '../../src/app.ts';
import { environment, readConfig } from '../../src/config.ts';
import { PATIENT } from './photos.ts';

const leaseMs = 4000;

const read = readConfig(environment());
if (!read.ok) throw new Error(read.faults.join('\n'));
const { config } = read;
const app = await createApp(config, {
  limits: { leaseMs, renewMs: leaseMs / 3, sweepMs: 100, attempts: 1000 },
  photos: PATIENT,
});
process.once('SIGTERM', () => void app.stop());
await app.listen();
await app.start();
