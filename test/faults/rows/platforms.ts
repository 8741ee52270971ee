import { type AilingServer, type Ailment, startAilingServer } from '../../support/faults-http.ts';
import { ENV, type Finish, ownRedis, type Row, type Stage } from '../../support/faults-rows.ts';
import { startTeamsFolk } from '../../support/faults-teams.ts';
import type { FaultsWorld } from '../../support/faults-world.ts';
import type { Environment } from '../../support/processes.ts';

/** Those whom the bot calls, accepting connections and not doing what they should. */

const AILMENTS: readonly (readonly [Ailment, string])[] = [
  ['silent', 'accepts and never answers'],
  ['slow', 'answers byte by byte'],
  ['cut', 'closes after the headers'],
];

/** What is ill, how a bot gets there, and whose customers notice. */
type Patient = {
  readonly server: AilingServer;
  readonly env: Environment;
  readonly customer?: NonNullable<Stage['customer']>;
};

const rowsOf = (
  who: string,
  meet: (world: FaultsWorld, finish: Finish) => Promise<Patient>,
  sample?: Ailment,
): readonly Row[] =>
  AILMENTS.map(([ailment, what]) => ({
    name: `${who} ${what}`,
    ready: 'serves',
    isSample: ailment === sample,
    async arrange(world, finish) {
      const redis = await ownRedis(finish);
      const { server, env, ...more } = await meet(world, finish);
      finish(() => server.stop());
      return {
        ...more,
        bots: async () => [await world.bot(redis.url, { ...ENV, ...env })],
        begin: async () => server.fall(ailment),
        end: async () => server.recover(),
        stores: () => [redis.url],
      };
    },
  }));

const antcrm = rowsOf(
  'AntCRM',
  async (world) => {
    const server = await startAilingServer(world.antcrm.url);
    return { server, env: { ANTCRM_BASE_URL: server.url } };
  },
  'cut',
);

const telegram = rowsOf('Telegram', async (world) => {
  const server = await startAilingServer(world.double.url);
  return { server, env: { TELEGRAM_API_ROOT: server.url } };
});

const teams = rowsOf('the Bot connector', async (world, finish) => {
  const folk = await startTeamsFolk(world);
  finish(() => folk.stop());
  const server = await startAilingServer(`http://${folk.double.host}`);
  return { server, env: folk.env(server.host), customer: (where) => folk.customer(where, server.host) };
});

export const platforms: readonly Row[] = [...antcrm, ...telegram, ...teams];
