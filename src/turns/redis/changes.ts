import type { Cluster, Redis } from 'ioredis';
import type { Log } from '../../observe.ts';
import { placesOf, type RedisAddress } from './address.ts';
import { reason } from './confirmed.ts';

/** Tells of the main connection's losses: one line when it is lost and one when it is back, not one for each attempt. */
export function logChanges(address: RedisAddress, log: Log) {
  let up = true;
  let what = `Redis cannot be reached at ${placesOf(address)}`;
  const lost = (why: string): void => {
    if (up) log.warn({}, `${what}${why}`);
    up = false;
  };
  return {
    /** It is left on purpose: `why` is the first word of what the node answers. */
    left: (why: string): void => lost(`: the node answers ${why}`),

    watch(commands: Redis | Cluster): void {
      commands.on('error', (error) => lost(`: ${reason(error)}`));
      commands.on('reconnecting', () => lost(''));
      commands.on('ready', () => {
        if (!up) log.info({}, 'redis: connected again');
        up = true;
        what = 'redis: connection lost';
      });
    },
  };
}
