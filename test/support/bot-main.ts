/**
 * The bot as `src/main.ts` starts it, with leases that a test can wait for: what a killed process held is free after
 * `BOT_LEASE_MS` instead of 15 s. And no message is poison: those who kill processes at random hit some again and again.
 */
import { createApp } from '../../src/app.ts';
import { environment, readConfig } from '../../src/config.ts';
import { PATIENT } from './photos.ts';

const { BOT_LEASE_MS = '4000' } = process.env;
const leaseMs = Number(BOT_LEASE_MS);

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
