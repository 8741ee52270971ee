import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { createTier } from './tier.ts';
import { languageTexts, words } from './words.ts';

/** The sandbox's tiers. A real programme writes its own here. */
const tiers = [
  { name: { vi: 'Đồng', en: 'Bronze' }, points: 0 },
  { name: { vi: 'Bạc', en: 'Silver' }, points: 1000 },
  { name: { vi: 'Vàng', en: 'Gold' }, points: 5000 },
];
/** Each first of a month, by the clock of Vietnam. */
const isCounting = (nowMs: number) => new Date(nowMs + 7 * 3_600_000).getUTCDate() === 1;
const tier = createTier(tiers, isCounting);

const read = readConfig({ PORT: process.env.PORT, LOG_LEVEL: 'warn' });
if (!read.ok) throw new Error(read.faults.join('\n'));
const app = await createApp(read.config, { flows: [...flows, tier], words, languageTexts });
const at = await app.listen();
await app.start();
console.log(app.channels.greeting(at).join('\n'));

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void app.stop());
