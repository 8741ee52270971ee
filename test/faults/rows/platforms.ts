import { type Ailment, startAilingServer } from '../../support/faults-http.ts';
import { ENV, type Row } from '../../support/faults-rows.ts';
import { startTeamsFolk } from '../../support/faults-teams.ts';
import { startRedis } from '../../support/redis.ts';

/** Those whom the bot calls, accepting connections and not doing what they should. */

const AILMENTS: readonly (readonly [Ailment, string])[] = [
  ['silent', 'accepts and never answers'],
  ['slow', 'answers byte by byte'],
  ['cut', 'closes after the headers'],
];

const antcrm: readonly Row[] = AILMENTS.map(([ailment, what]) => ({
  name: `AntCRM ${what}`,
  ready: 'serves',
  isSample: ailment === 'cut',
  async arrange(world, finish) {
    const redis = await startRedis();
    finish(() => redis.stop());
    const server = await startAilingServer(world.antcrm.url);
    finish(() => server.stop());
    return {
      bots: async () => [await world.bot(redis.url, { ...ENV, ANTCRM_BASE_URL: server.url })],
      begin: async () => {
        server.fall(ailment);
      },
      end: async () => server.recover(),
      stores: () => [redis.url],
    };
  },
}));

const telegram: readonly Row[] = AILMENTS.map(([ailment, what]) => ({
  name: `Telegram ${what}`,
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await startRedis();
    finish(() => redis.stop());
    const server = await startAilingServer(world.double.url);
    finish(() => server.stop());
    return {
      bots: async () => [await world.bot(redis.url, { ...ENV, TELEGRAM_API_ROOT: server.url })],
      begin: async () => {
        server.fall(ailment);
      },
      end: async () => server.recover(),
      stores: () => [redis.url],
    };
  },
}));

const teams: readonly Row[] = AILMENTS.map(([ailment, what]) => ({
  name: `the Bot connector ${what}`,
  ready: 'serves',
  async arrange(world, finish) {
    const redis = await startRedis();
    finish(() => redis.stop());
    const folk = await startTeamsFolk(world);
    finish(() => folk.stop());
    const server = await startAilingServer(`http://${folk.double.host}`);
    finish(() => server.stop());
    return {
      bots: async () => [await world.bot(redis.url, { ...ENV, ...folk.env(server.host) })],
      customer: (where) => folk.customer(where, server.host),
      begin: async () => {
        server.fall(ailment);
      },
      end: async () => server.recover(),
      stores: () => [redis.url],
    };
  },
}));

export const platforms: readonly Row[] = [...antcrm, ...telegram, ...teams];
