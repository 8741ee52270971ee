import { moveStoreClock, withClocks } from '../../support/faults-clocks.ts';
import { ENV, ownRedis, type Row, type Stage } from '../../support/faults-rows.ts';
import type { FaultsWorld } from '../../support/faults-world.ts';

/** Clocks that are minutes off. */

const TEN_MINUTES_MS = 10 * 60_000;
const WAYS = [
  [TEN_MINUTES_MS, 'ten minutes ahead'],
  [-TEN_MINUTES_MS, 'ten minutes behind'],
] as const;

/** Answers get lost, so that records are looked up by their times. */
const losingAnswers = ({ antcrm }: FaultsWorld): Pick<Stage, 'begin' | 'end'> => ({
  async begin() {
    antcrm.trouble = (_, post) => (post === null ? null : { kind: 'lose-answer' });
  },
  async end() {
    antcrm.trouble = () => null;
  },
});

const store: readonly Row[] = WAYS.map(([aheadMs, how]) => ({
  name: `the clock of the store is ${how}`,
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await ownRedis(finish);
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
    const redis = await ownRedis(finish);
    const { clock } = world.antcrm;
    clock.aheadMs = aheadMs;
    return {
      bots: async () => [await world.bot(redis.url, ENV)],
      ...losingAnswers(world),
      stores: () => [redis.url],
    };
  },
}));

const bot: Row = {
  name: 'the clocks of two bots are ten minutes ahead and behind',
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await ownRedis(finish);
    return {
      bots: () =>
        Promise.all(WAYS.map(([aheadMs]) => world.bot(redis.url, { ...ENV, ...withClocks(aheadMs) }))),
      ...losingAnswers(world),
      stores: () => [redis.url],
    };
  },
};

export const clocks: readonly Row[] = [...store, ...antcrm, bot];
