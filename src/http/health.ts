import type { FastifyPluginAsync } from 'fastify';
import { StoreUnavailable } from '../store/port.ts';
import { callerOf, isLocal } from './guard.ts';

/** A part that the bot depends on: resolves to its faults, a line each; rejects if it is unusable. */
export type Dependency = {
  readonly name: string;
  /** Without it nothing can be accepted. */
  readonly needed: boolean;
  check(): Promise<readonly string[]>;
};

type Report = { status: 'ok' | 'degraded' | 'down'; faults?: readonly string[] };

/**
 * `/health/live`: the process answers. `/health/ready`: each dependency's state; 503 only where a needed one
 * is down, for everything else the bot can still accept messages and say what it cannot do. What is wrong is
 * told to callers on this machine alone: it names hosts. Neither is limited: behind a proxy, strangers would
 * take the probes' share.
 */
export function health(dependencies: readonly Dependency[]): FastifyPluginAsync {
  return async (scope) => {
    scope.get('/health/live', async () => ({ status: 'ok' }));

    scope.get('/health/ready', async (request, reply) => {
      const isTold = isLocal(callerOf(request));
      const reports = await Promise.all(dependencies.map(report));
      const isDown = dependencies.some(({ needed }, at) => needed && reports[at]?.status === 'down');
      const isWell = reports.every(({ status }) => status === 'ok');
      const status = isDown ? 'down' : isWell ? 'ok' : 'degraded';
      const shown = reports.map((one) => (isTold ? one : { status: one.status }));
      return reply
        .code(isDown ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({
          status,
          dependencies: Object.fromEntries(dependencies.map(({ name }, at) => [name, shown[at]])),
        });
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
