import { moveStoreClock, withClocks } from '../../support/faults-clocks.ts';
import { ENV, type Row } from '../../support/faults-rows.ts';
import { startRedis } from '../../support/redis.ts';

/** Clocks that are minutes off. */

const TEN_MINUTES_MS = 10 * 60_000;
const WAYS = [
  [TEN_MINUTES_MS, 'ten minutes ahead'],
  [-TEN_MINUTES_MS, 'ten minutes behind'],
] as const;

const store: readonly Row[] = WAYS.map(([aheadMs, how]) => ({
  name: `the clock of the store is ${how}`,
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await startRedis();
    finish(() => redis.stop());
    return {
      bots: async () => [await world.bot(redis.url, { ...ENV, ...withClocks() })],
      begin: async () => moveStoreClock(redis.url, aheadMs),
      end: () => moveStoreClock(redis.url, 0),
      stores: () => [redis.url],
    };
  },
}));

const antcrm: readonly Row[] = WAYS.map(([aheadMs, how]) => ({
  name: `the clock of AntCRM is ${how}`,
  ready: 'serves',
  isSample: aheadMs > 0,
  async arrange(world, finish) {
    const redis = await startRedis();
    finish(() => redis.stop());
    const { clock } = world.antcrm;
    clock.aheadMs = aheadMs;
    return {
      bots: async () => [await world.bot(redis.url, ENV)],
      // Answers get lost, so that records are looked up by their times.
      begin: async () => {
        world.antcrm.trouble = (_, post) => (post === null ? null : { kind: 'lose-answer' });
      },
      async end() {
        world.antcrm.trouble = () => null;
      },
      stores: () => [redis.url],
    };
  },
}));

const bot: Row = {
  name: 'the clocks of two bots are ten minutes ahead and behind',
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await startRedis();
    finish(() => redis.stop());
    return {
      bots: () =>
        Promise.all(WAYS.map(([aheadMs]) => world.bot(redis.url, { ...ENV, ...withClocks(aheadMs) }))),
      begin: async () => {
        world.antcrm.trouble = (_, post) => (post === null ? null : { kind: 'lose-answer' });
      },
      async end() {
        world.antcrm.trouble = () => null;
      },
      stores: () => [redis.url],
    };
  },
};

export const clocks: readonly Row[] = [...store, ...antcrm, bot];
