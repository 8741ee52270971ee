import type { FastifyPluginAsync } from 'fastify';
import { StoreUnavailable } from '../store/port.ts';
import { callerOf, isLocal } from './guard.ts';

/** A part that the bot depends on. `check` resolves to its faults; rejects if it is unusable. */
export type Dependency = {
  readonly name: string;
  /** Without it no message can be accepted. */
  readonly needed: boolean;
  check(): Promise<readonly string[]>;
};

type DependencyReport = { status: 'ok' | 'degraded' | 'down'; faults?: readonly string[] };

/**
 * `/health/live`: the process answers. `/health/ready`: the state of each dependency; 503 only if a needed
 * one is down. Only callers on this machine see the faults, which name hosts. There is no rate limit:
 * strangers could use up that of the probes.
 */
export function health(dependencies: readonly Dependency[]): FastifyPluginAsync {
  return async (scope) => {
    scope.get('/health/live', async () => ({ status: 'ok' }));

    scope.get('/health/ready', async (request, reply) => {
      const isInsider = isLocal(callerOf(request));
      const reports = await Promise.all(dependencies.map(report));
      const isDown = dependencies.some(({ needed }, index) => needed && reports[index]?.status === 'down');
      const isWell = reports.every(({ status }) => status === 'ok');
      const status = isDown ? 'down' : isWell ? 'ok' : 'degraded';
      const shown = reports.map(({ status, ...faults }) => ({ status, ...(isInsider && faults) }));
      return reply
        .code(isDown ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({
          status,
          dependencies: Object.fromEntries(dependencies.map(({ name }, index) => [name, shown[index]])),
        });
    });
  };
}

async function report(dependency: Dependency): Promise<DependencyReport> {
  try {
    const faults = await dependency.check();
    return faults.length > 0 ? { status: 'degraded', faults } : { status: 'ok' };
  } catch (error) {
    // Only this error's message is written for operators. Other messages may contain secrets.
    if (!(error instanceof StoreUnavailable)) return { status: 'down' };
    return { status: 'down', faults: error.message.split('\n') };
  }
}
