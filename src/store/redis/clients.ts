import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ClientContext, Cluster, Command, Redis, type Result } from 'ioredis';
import { StoreUnavailable } from '../port.ts';
import type { RedisAddress } from './address.ts';

/** Each command of ioredis has a twin whose answer is in buffers. The types of ioredis 6.0.0 lack two. */
declare module 'ioredis' {
  interface RedisCommander<
    Context extends ClientContext = {
      type: 'default';
    },
  > {
    evalBuffer(...args: ScriptArguments): Result<unknown, Context>;
    evalshaBuffer(...args: ScriptArguments): Result<unknown, Context>;
  }
}
type ScriptArguments = [script: string, keyCount: number, ...keysAndArgs: (string | Buffer | number)[]];

const readScript = (name: string) => {
  const lua = readFileSync(new URL(`${name}.lua`, import.meta.url), 'utf8');
  return { lua, sha: hash('sha1', lua) };
};
/** `read` is a swap that expects a version that no record has. */
export const SCRIPTS = {
  read: readScript('swap'),
  swap: readScript('swap'),
  list: readScript('list'),
  publish: readScript('publish'),
};
export type ScriptInvocation = {
  readonly script: keyof typeof SCRIPTS;
  readonly keys: readonly string[];
  readonly args: readonly (string | Buffer | number)[];
};

export type ClientOptions = {
  /** Whether commands wait until there is a connection. */
  readonly enableOfflineQueue: boolean;
  /** How long a command may take at one node of a cluster, ms. */
  readonly nodeMs?: number;
};

/**
 * Creates an ioredis client for one server, a master behind sentinels, or a cluster. `retryStrategy` answers
 * how long to wait before the next attempt to connect, ms.
 */
export function createClient(
  address: RedisAddress,
  retryStrategy: (attempt: number) => number,
  { enableOfflineQueue, nodeMs = COMMON.commandTimeout }: ClientOptions,
): Redis | Cluster {
  const { login, db, tls } = address;
  // Without options for TLS, the system's certificates decide.
  const node = { ...COMMON, ...login, db, ...(tls && { tls: {} }) };
  if (address.kind !== 'cluster') {
    const master = address.kind === 'server' ? address.server : sentinelOptions(address, retryStrategy);
    return new Redis({ ...node, ...master, enableOfflineQueue, retryStrategy });
  }
  return new Cluster([...address.nodes], {
    enableOfflineQueue,
    redisOptions: { ...node, commandTimeout: nodeMs },
    clusterRetryStrategy: retryStrategy,
    // Enough for a moved slot and a failover. More would send commands round the living masters.
    maxRedirections: 4,
    // A certificate is for a name, so with TLS names are not replaced by addresses.
    ...(tls && { dnsLookup: (host, found) => found(null, host) }),
  });
}

/** The address's login is only for the master. TLS is for master and sentinels, or for none of them. */
function sentinelOptions(
  { sentinels, master, sentinelLogin, tls }: RedisAddress & { kind: 'sentinel' },
  sentinelRetryStrategy: (attempt: number) => number,
) {
  return {
    sentinels: [...sentinels],
    name: master,
    sentinelUsername: sentinelLogin.username,
    sentinelPassword: sentinelLogin.password,
    sentinelRetryStrategy,
    // After a failover by hand, the old master goes on accepting writes for ten seconds and more.
    failoverDetector: true,
    // A sentinel that hangs must not delay the question to the next one.
    sentinelCommandTimeout: NODE_MS,
    ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
  };
}

const COMMON = {
  connectTimeout: 2000,
  // With all retries of the client.
  commandTimeout: 1800,
  // A connection without any answer for this long is dead.
  socketTimeout: 4000,
  // How often a node that loads its data is asked whether it is ready.
  maxLoadingRetryTime: 500,
  // A command that lost its answer is sent once more after a reconnect. Every script is idempotent.
  maxRetriesPerRequest: 1,
  // Behind one address a master can become a replica while our connections to it stay; it then refuses every
  // write. A new connection goes to the present master. The refused command is rejected, not sent again.
  reconnectOnError: ({ message }: Error): boolean => NO_MASTER.test(message),
};
/** In a cluster a command may go to several nodes, one after another: none may take longer. */
export const NODE_MS = 1000;

/** Answers of a node that is no master, or not up yet. Redis 6 puts the script's name before them. */
const NO_MASTER = /^(?:ERR [^-]*-)?(?:READONLY|MASTERDOWN|LOADING|UNBLOCKED)\b/;

/** The connections to masters that are open or known. */
export const mastersOf = (client: Redis | Cluster): readonly Redis[] =>
  client instanceof Cluster ? client.nodes('master') : [client];

/** A node that holds data: its name for operators, a key that it holds, its connection if there is one. */
export type DataNode = { readonly name: string; readonly key: string; readonly redis: Redis | undefined };

/** The nodes that share these keys; none if the cluster has not been reached yet. */
export function dataNodes(client: Redis | Cluster, keys: readonly string[]): DataNode[] {
  if (!(client instanceof Cluster)) return [{ name: nameOf(client), key: keys[0] ?? '', redis: client }];
  if (client.slots.length === 0) return [];
  const connections = new Map(mastersOf(client).map((redis) => [nameOf(redis), redis]));
  const nodes = new Map(keys.map((key) => [ownerOf(key, client) ?? 'without a master', key]));
  return [...nodes].map(([name, key]) => ({ name, key, redis: connections.get(name) }));
}

/** `host:port`, or the name that the sentinels know the master by. */
const nameOf = ({ options: { host, port, name } }: Redis): string => name ?? `${host}:${port}`;

/** The master of a key's slot, `host:port`; null if it has none. */
const ownerOf = (key: string, { slots }: Cluster): string | null =>
  slots[new Command('exists', [key]).getSlot() ?? 0]?.[0] ?? null;

/** For failures that the main client logs. */
export const ignore = (): void => {};

/**
 * The command's answer. Rejects with `StoreUnavailable` for whatever else happens: no connection, no answer
 * in time, a full memory. ioredis' errors hold arguments and credentials; the reason holds neither.
 */
export const confirm = <Answer>(command: Promise<Answer>): Promise<Answer> =>
  command.catch((error: unknown) => {
    throw unavailable(error);
  });

export const unavailable = (error: unknown): StoreUnavailable =>
  new StoreUnavailable(`redis: ${reasonOf(error)}`);

/** The first line of an error's message, at most 200 characters. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]?.slice(0, 200) ?? '';
}
