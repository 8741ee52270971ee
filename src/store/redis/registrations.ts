import { REGISTERED_MS, REGISTERING_MS, type Registrations } from '../registrations.ts';
import type { RedisClient } from './client.ts';
import { confirmed } from './confirmed.ts';

export function createRedisRegistrations({
  commands,
  run,
  keys,
}: Pick<RedisClient, 'commands' | 'run' | 'keys'>): Registrations {
  return {
    async take(name, holder) {
      const { lock } = keys().registration(name);
      return (await run('takeRegistration', [lock], [holder, REGISTERING_MS])) === 1;
    },
    async last(name) {
      return confirmed(commands.get(keys().registration(name).fingerprint));
    },
    async end(name, holder, fingerprint = '') {
      const { lock, fingerprint: remembered } = keys().registration(name);
      await run('endRegistration', [lock, remembered], [holder, fingerprint, REGISTERED_MS]);
    },
  };
}
