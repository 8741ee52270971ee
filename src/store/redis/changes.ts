import type { Cluster, Redis } from 'ioredis';
import type { Log } from '../../observe.ts';
import { placesOf, type RedisAddress } from './address.ts';
import { reason } from './confirmed.ts';

/** Logs when the main connection is lost and when it is back: one line each, not one for each attempt. */
export function logChanges(address: RedisAddress, log: Log) {
  let why: string | null = null;
  let known = false;
  let what = `Redis cannot be reached at ${placesOf(address)}`;
  const down = (because: string): void => {
    if (why === null) log.warn({}, because ? `${what}: ${because}` : what);
    why = because || why || 'no connection';
  };
  return {
    /** It is left on purpose: `answer` is the first word of what the node answers. */
    left: (answer: string): void => down(`the node answers ${answer}`),

    /** The last known reason why there is no connection; null while there is one. */
    lost: (): string | null => why ?? (known ? null : 'not connected yet'),

    watch(commands: Redis | Cluster): void {
      commands.on('error', (error) => down(reason(error)));
      commands.on('reconnecting', () => down(''));
      commands.on('ready', () => {
        if (why !== null) log.info({}, 'redis: connected again');
        [why, known] = [null, true];
        what = 'redis: connection lost';
      });
    },
  };
}
