import { REGISTERED_MS, REGISTERING_MS, type Registrations } from '../registrations.ts';
import type { RedisClient } from './client.ts';
import { confirmed } from './confirmed.ts';
import { registrationKeys } from './keys.ts';
import { runScript } from './scripts.ts';

export function createRedisRegistrations({ commands }: Pick<RedisClient, 'commands'>): Registrations {
  return {
    async take(name, holder) {
      const { lock } = registrationKeys(name);
      return (await runScript(commands, 'takeRegistration', [lock], [holder, REGISTERING_MS])) === 1;
    },
    last: (name) => confirmed(commands.get(registrationKeys(name).fingerprint)),
    async end(name, holder, fingerprint = '') {
      const { lock, fingerprint: remembered } = registrationKeys(name);
      await runScript(commands, 'endRegistration', [lock, remembered], [holder, fingerprint, REGISTERED_MS]);
    },
  };
}
