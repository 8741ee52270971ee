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
      const isDown = reports.some(({ needed, status }) => needed && status === 'down');
      const isWell = reports.every(({ status }) => status === 'ok');
      const shown = reports.map(({ name, status, faults }) => {
        return [name, { status, ...(isInsider && faults.length > 0 && { faults }) }];
      });
      return reply
        .code(isDown ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({
          status: isDown ? 'down' : isWell ? 'ok' : 'degraded',
          dependencies: Object.fromEntries(shown),
        });
    });
  };
}

async function report({ name, needed, check }: Dependency) {
  try {
    const faults = await check();
    return { name, needed, status: faults.length > 0 ? 'degraded' : 'ok', faults };
  } catch (error) {
    // Only this error's message is written for operators. Other messages may contain secrets.
    const faults = error instanceof StoreUnavailable ? error.message.split('\n') : [];
    return { name, needed, status: 'down', faults };
  }
}
