import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Bot, type Environment, startBot } from '../support/processes.ts';
import { createLoad, type Load } from './load.ts';
import type { Telegram } from './telegram.ts';

/** A bot under measurement. */
export type Subject = {
  readonly load: Load;
  readonly bot: Bot;
  stop(): Promise<void>;
};

/** Metrics are asked for with it. */
const STAFF_TOKEN = 'staff-token-of-the-bench';

/** It logs as it does in production: tests want to read more. */
export const startMeasured = (env: Environment, main?: string): Promise<Bot> =>
  startBot({ LOG_LEVEL: 'info', STAFF_TOKEN, ...env }, main);

/** What a process has used of the machine. */
export type Usage = { readonly cpuMs: number; readonly rssMb: number };

/** With a key, as in production: everything stored is sealed. */
export async function startSubject(telegram: Telegram, env: Environment, main?: string): Promise<Subject> {
  const key = randomBytes(32).toString('base64');
  const bot = await startMeasured({ STATE_KEY: key, HASH_KEY: key, ...telegram.env, ...env }, main);
  const line = telegram.connect(bot.url);
  return {
    load: createLoad(line),
    bot,
    async stop() {
      await line.close();
      await bot.stop();
    },
  };
}

/** As the bot itself tells it; the answer's own cost is in the next one. */
export async function usageOf({ url }: Bot): Promise<Usage> {
  const value = await readMetrics(url);
  return {
    cpuMs: value('process_cpu_seconds_total') * 1000,
    rssMb: value('process_resident_memory_bytes') / 2 ** 20,
  };
}

/** The bot's metrics as they are now, each by its whole name: `name{label="value"}`. */
export async function readMetrics(botUrl: string): Promise<(name: string) => number> {
  const response = await fetch(`${botUrl}/metrics`, {
    headers: { authorization: `Bearer ${STAFF_TOKEN}` },
  });
  const lines = (await response.text()).split('\n');
  return (name) => {
    const line = lines.find((one) => one.startsWith(`${name} `));
    if (line === undefined) throw new Error(`the bot has no metric ${name}`);
    return Number(line.slice(name.length));
  };
}

export type Idle = { readonly cpuPercent: number; readonly rssMb: number };

/** What a bot takes that nobody talks to, once it has settled. */
export async function watchIdle(bot: Bot, seconds: number): Promise<Idle> {
  await delay(2000);
  const before = await usageOf(bot);
  await delay(seconds * 1000);
  const { cpuMs, rssMb } = await usageOf(bot);
  return { cpuPercent: (cpuMs - before.cpuMs) / (seconds * 10), rssMb };
}
