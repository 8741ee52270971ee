import type { FastifyPluginAsync } from 'fastify';
import type { Channel } from './channels/channel.ts';
import { callerOf, isLocal } from './http/limits.ts';
import type { AntCrm } from './loyalty/antcrm.ts';
import type { ConversationStore } from './store/store.ts';
import { StoreUnavailable } from './store/unavailable.ts';

/** A part that the bot depends on: resolves to its faults, one operator's line each; rejects if it cannot be used. */
export type Dependency = {
  readonly name: string;
  readonly needed: boolean;
  check(): Promise<readonly string[]>;
};

type Watched = Pick<Channel, 'name' | 'faults'>;

/** The store, without which nothing can be accepted; AntCRM; and each channel that watches its platform. */
export function dependenciesOf(
  store: Pick<ConversationStore, 'health'>,
  antcrm: Pick<AntCrm, 'faults'>,
  channels: readonly Watched[],
): Dependency[] {
  return [
    { name: 'store', needed: true, check: () => store.health() },
    { name: 'antcrm', needed: false, check: async () => antcrm.faults() },
    ...channels.flatMap((channel) => {
      const check = async () => channel.faults?.() ?? [];
      return channel.faults ? [{ name: channel.name, needed: false, check }] : [];
    }),
  ];
}

/** The faults of the channels that have any. */
export function faultsOf(channels: readonly Watched[]): ReadonlyMap<string, readonly string[]> {
  const faults = channels.map((channel) => [channel.name, channel.faults?.() ?? []] as const);
  return new Map(faults.filter(([, lines]) => lines.length > 0));
}

type Report = { status: 'ok' | 'degraded' | 'down'; faults?: readonly string[] };

/**
 * `/health/live`: the process answers. `/health/ready`: each dependency's state; 503 only where a needed one (the store)
 * is down, for everything else the bot can still accept messages and say what it cannot do. What is wrong is told to callers
 * on this machine alone: it names hosts. Neither is limited: behind a proxy, strangers would take the probes' share.
 */
export function health(dependencies: readonly Dependency[]): FastifyPluginAsync {
  return async (scope) => {
    scope.get('/health/live', async () => ({ status: 'ok' }));

    scope.get('/health/ready', async (request, reply) => {
      const told = isLocal(callerOf(request));
      const reports = await Promise.all(
        dependencies.map(async (one) => {
          const { status, faults } = await report(one);
          return [one.name, told && faults ? { status, faults } : { status }] as const;
        }),
      );
      const down = dependencies.some(({ needed }, index) => needed && reports[index]?.[1].status === 'down');
      const well = reports.every(([, { status }]) => status === 'ok');
      const status = down ? 'down' : well ? 'ok' : 'degraded';
      return reply
        .code(down ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({ status, dependencies: Object.fromEntries(reports) });
    });
  };
}

async function report(dependency: Dependency): Promise<Report> {
  try {
    const faults = await dependency.check();
    return faults.length > 0 ? { status: 'degraded', faults } : { status: 'ok' };
  } catch (error) {
    // Its lines are for operators; what else may be thrown says anything.
    if (!(error instanceof StoreUnavailable)) return { status: 'down' };
    return { status: 'down', faults: error.message.split('\n') };
  }
}
