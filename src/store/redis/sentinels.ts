import { Redis } from 'ioredis';
import type { RedisAddress } from './address.ts';

type Sentinels = Extract<RedisAddress, { kind: 'sentinel' }>;

/** What a sentinel publishes when it knows of a new master: '<name> <old host> <old port> <new host> <new port>'. */
const SWITCHED = '+switch-master';

/**
 * Listens to each sentinel for a new master, and leaves the old one then. After a failover that an operator asked for,
 * the old master goes on accepting writes for ten seconds and more, and all of them are lost. (ioredis' own
 * `failoverDetector` prints each error of a sentinel to the console, tries a lost one once a minute, and leaves for any
 * other master of the sentinels, too.)
 */
export function leaveSwitched(
  commands: Redis,
  { sentinels, master, sentinelLogin, tls }: Sentinels,
  options: { readonly connectTimeout: number; readonly retryStrategy: (attempt: number) => number },
): { close(): void } {
  const leave = (): void => {
    // A connection on its way may have the address from a sentinel that did not know yet.
    if (commands.status === 'connecting') commands.once('ready', leave);
    else if (commands.status === 'ready' || commands.status === 'connect') commands.disconnect(true);
  };
  const listeners = sentinels.map((sentinel) => {
    const listener = new Redis({
      ...sentinel,
      ...sentinelLogin,
      ...options,
      ...(tls ? { tls: {} } : {}),
      autoResubscribe: false,
    });
    // A sentinel that cannot be reached is named where the master is asked for.
    listener.on('error', () => {});
    listener.on('message', (_channel, news: string) => {
      if (news.startsWith(`${master} `)) leave();
    });
    listener.on('ready', () => listener.subscribe(SWITCHED).catch(() => listener.disconnect(true)));
    return listener;
  });
  return {
    close() {
      for (const listener of listeners) listener.disconnect();
    },
  };
}
