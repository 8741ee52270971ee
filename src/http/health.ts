import type { FastifyPluginAsync } from 'fastify';
import { StoreUnavailable } from '../store/port.ts';
import { callerOf, isLocal } from './guard.ts';

/** Where the faults of the bot's dependencies come from. */
export type HealthParts = {
  /** Rejects if no message can be accepted. */
  store(): Promise<readonly string[]>;
  /** The faults of dependencies, by name, without which messages are still accepted. */
  others(): ReadonlyMap<string, readonly string[]>;
};

/**
 * `/health/live`: the process answers. `/health/ready`: the state of each part; 503 only if no message can be
 * accepted. Only callers on this machine see the faults, which name hosts. There is no rate limit, because
 * strangers could use up the limit of the probes.
 */
export function health({ store, others }: HealthParts): FastifyPluginAsync {
  return async (scope) => {
    scope.get('/health/live', async () => ({ status: 'ok' }));

    scope.get('/health/ready', async (request, reply) => {
      const isInsider = isLocal(callerOf(request));
      let isDown = false;
      const stored = await store().catch((error: unknown) => {
        isDown = true;
        // Only this error's message is written for operators. Other messages may contain secrets.
        return error instanceof StoreUnavailable ? error.message.split('\n') : [];
      });
      const parts = [['store', stored] as const, ...others()].map(([name, faults]) => {
        const isWell = faults.length === 0;
        const status = isDown && name === 'store' ? 'down' : isWell ? 'ok' : 'degraded';
        return [name, { status, ...(isInsider && !isWell && { faults }) }] as const;
      });
      const isWell = parts.every(([, { status }]) => status === 'ok');
      return reply
        .code(isDown ? 503 : 200)
        .header('cache-control', 'no-store')
        .send({
          status: isDown ? 'down' : isWell ? 'ok' : 'degraded',
          dependencies: Object.fromEntries(parts),
        });
    });
  };
}
