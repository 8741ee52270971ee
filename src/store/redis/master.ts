import { Redis } from 'ioredis';
import type { RedisAddress } from './address.ts';

/*
 * When a connection is left for another master. Behind one address (a managed Redis, a virtual IP, a name) the master can
 * become a replica while our connections to it stay. From then on it refuses every write, and answers reads from what it has.
 * A connection that is told so is closed: a new connection goes to where the address leads now.
 */

/** What a node answers that is no master, no longer one, or not up yet; Redis 6 puts the script's name before it. */
const NO_MASTER = /^(?:ERR [^-]*-)?(?:READONLY|MASTERDOWN|LOADING|UNBLOCKED)\b/;

/** A connection is left at once, but only once, however many commands were under way. */
const LEAVE_MS = 1000;

/**
 * ioredis' `reconnectOnError` for one connection. The refused command is rejected, not sent again: its caller knows best
 * whether it still matters, and may bear a second execution.
 */
export function leaveNoMaster(onLeave: (why: string) => void = () => {}): (error: Error) => boolean {
  let leftMs = Number.NEGATIVE_INFINITY;
  return ({ message }) => {
    const why = NO_MASTER.exec(message)?.[0];
    if (why === undefined || performance.now() - leftMs < LEAVE_MS) return false;
    leftMs = performance.now();
    onLeave(why);
    return true;
  };
}

/**
 * Ends this connection when the main one ends; it comes back where it reconnects at all: what made the main one leave
 * holds for all, and a connection that only listens, or is seldom used, would not be told.
 */
export function follow(main: Redis, connection: Redis): void {
  const leave = (): void => {
    if (connection.status === 'ready') connection.disconnect(true);
  };
  main.on('close', leave);
  connection.once('end', () => main.off('close', leave));
}

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
  { sentinels, master, sentinelLogin, tls }: Extract<RedisAddress, { kind: 'sentinel' }>,
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
