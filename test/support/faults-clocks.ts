import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { Environment } from './processes.ts';

/** By how many seconds the clock of a store is ahead, for bots with `withClocks`. */
export const STORE_AHEAD = 'test:clock-ahead';

const HOOK = fileURLToPath(new URL('./faults-clocks-main.ts', import.meta.url));

/** Lets a bot's clock differ from ours, and it see the store's clock jump. */
export const withClocks = (aheadMs = 0): Environment => ({
  NODE_OPTIONS: `--import=${HOOK}`,
  CLOCK_AHEAD_MS: `${aheadMs}`,
});

export async function moveStoreClock(url: string, aheadMs: number): Promise<void> {
  const client = new Redis(url);
  await client.set(STORE_AHEAD, aheadMs / 1000);
  client.disconnect();
}
