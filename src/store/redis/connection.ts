import { readFileSync } from 'node:fs';
import { Cluster, Command, Redis } from 'ioredis';
import type { Log } from '../../observability/log.ts';
import type { Observe } from '../../observability/metrics.ts';
import { backoffMs } from '../../resilience/retry.ts';
import { type Runtime, systemRuntime } from '../../runtime.ts';
import type { Canary } from '../encryption.ts';
import { StoreRefused, StoreUnavailable } from '../port.ts';
import { placesOf, type RedisAddress } from './address.ts';

const readLua = (name: string) => ({ lua: readFileSync(new URL(`${name}.lua`, import.meta.url), 'utf8') });
/** `read` is a swap that expects what no record is. */
const SCRIPTS = {
  read: readLua('swap'),
  swap: readLua('swap'),
  list: readLua('list'),
  publish: readLua('publish'),
};
export type ScriptArgument = string | Buffer | number;
type ScriptCall = {
  readonly script: keyof typeof SCRIPTS;
  readonly keys: readonly string[];
  readonly args: readonly ScriptArgument[];
};
type ScriptCommands = {
  [Name in `${keyof typeof SCRIPTS}Buffer`]: (...args: ScriptArgument[]) => Promise<unknown>;
};
declare module 'ioredis' {
  interface Redis extends ScriptCommands {}
  interface Cluster extends ScriptCommands {}
}

/** The start waits at most this long for Redis. Then the bot starts without it, and recovers later. */
const START_MS = 3000;
const RECONNECT = { baseMs: 50, maxMs: 2000 };

/** Redis has no such login or database. Waiting does not help: the operator must change `REDIS_URL`. */
const REFUSES_LOGIN =
  /^(WRONGPASS|NOAUTH|ERR invalid password|ERR DB index is out of range|ERR SELECT is not allowed)/;

/**
 * The store's check value lies under both keys. Their names never change, because every version of the bot
 * looks here. They are in slots of different masters, so one dead master keeps no process from starting.
 */
export const CANARY_KEYS = ['{e8a}layout', '{bn}layout'] as const;

export type ConnectionOptions = {
  readonly canary: Canary;
  readonly log: Log;
  readonly runtime?: Runtime;
  readonly onCommand?: Observe['command'];
};

/**
 * Connects one process to a Redis: one server, a master behind sentinels, or a cluster. Waits for Redis at
 * most 3 s. Rejects with `StoreRefused` if Redis refuses the login, or if the store has other keys than ours.
 *
 * @example
 * const connection = await connectRedis(address, { canary: createCanary(keys), log });
 */
export async function connectRedis(
  address: RedisAddress,
  options: ConnectionOptions,
): Promise<RedisConnection> {
  const connection = new RedisConnection(address, options);
  try {
    await connection.start();
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

export class RedisConnection {
  /** The main client, for everything that is answered at once. */
  readonly client: Redis | Cluster;
  readonly runtime: Runtime;
  readonly #address: RedisAddress;
  readonly #options: ConnectionOptions;
  /** For commands that wait for replicas; opened with the first one. */
  #durableClient: Redis | Cluster | undefined;
  #outage: string | null = 'not connected yet';
  #isOutageLogged = false;
  /** Why nothing may be asked of the store; null once its check value fits our keys. */
  #closed: StoreUnavailable | null = new StoreUnavailable('redis: not reached yet');
  #verifying: Promise<StoreRefused | undefined> | undefined;
  #isStarted = false;
  #isCorked = false;
  #isEnded = false;

  constructor(address: RedisAddress, options: ConnectionOptions) {
    this.runtime = options.runtime ?? systemRuntime;
    this.#address = address;
    this.#options = options;
    this.client = this.#connect({ enableOfflineQueue: false, nodeMs: NODE_MS });
    this.client.on('error', (error) => this.#onDown(reasonOf(error)));
    this.client.on('reconnecting', () => this.#onDown(this.#outage ?? 'no connection'));
    this.client.on('ready', () => this.#onReady());
  }

  /** Why the main client has no connection, as far as it is known; null while it has one. */
  get outage(): string | null {
    return this.#outage;
  }

  /** Waits for the first connection, and verifies the store. Rejects with `StoreRefused`. */
  async start(): Promise<void> {
    const refusal = await this.#waitForRedis();
    if (refusal !== null) {
      const got = `a user, password or database that ${placesOf(this.#address)} refuses (${refusal})`;
      throw new StoreRefused(`REDIS_URL: got ${got}, wants those it has`);
    }
    const refused = await this.verify();
    if (refused !== undefined) throw refused;
    this.#isStarted = true;
  }

  /** Runs a script. Strings of its answer come as buffers. Rejects with `StoreUnavailable`. */
  async run({ script, keys, args }: ScriptCall): Promise<unknown> {
    if (this.#closed !== null) this.throwIfClosed();
    const startMs = this.runtime.monotonicMs();
    if (!this.#isCorked) this.#cork();
    try {
      return await this.client[`${script}Buffer`](keys.length, ...keys, ...args);
    } catch (error) {
      throw unavailable(error);
    } finally {
      this.#options.onCommand?.(script, (this.runtime.monotonicMs() - startMs) / 1000);
    }
  }

  /**
   * Runs a script that always writes, then waits until replicas have it; `acknowledged` is their number. It
   * uses a client of its own, because `WAIT` stalls the connection that it waits on.
   */
  async runDurably(
    { script, keys, args }: ScriptCall,
    { replicas, waitMs }: { readonly replicas: number; readonly waitMs: number },
  ): Promise<{ readonly answer: unknown; readonly acknowledged: number }> {
    this.throwIfClosed();
    this.#durableClient ??= this.#connect({ enableOfflineQueue: true }).on('error', ignore);
    // Sent as source, because ioredis sends an unknown script again behind the WAIT.
    const pipeline = this.#durableClient.pipeline();
    pipeline.callBuffer('EVAL', SCRIPTS[script].lua, keys.length, ...keys, ...args).wait(replicas, waitMs);
    const [[error, answer] = [], [, acknowledged] = []] = (await confirm(pipeline.exec())) ?? [];
    if (error || answer === undefined) {
      // A pipeline does not follow a slot that has moved. A single command does, and learns its new node.
      if (/^(MOVED|ASK) /.test(reasonOf(error))) this.#durableClient.exists(...keys).catch(ignore);
      throw unavailable(error);
    }
    return { answer, acknowledged: Number(acknowledged ?? 0) };
  }

  /**
   * Opens a connection to one node for subscriptions. It does not reconnect: when it ends, open another.
   * Throws `StoreUnavailable` if no node is known.
   */
  openSubscriber(): Redis {
    const masters = mastersOf(this.client);
    const master = masters[Math.floor(this.runtime.random() * masters.length)];
    if (master === undefined) throw unavailable('no node of the cluster is known');
    const own = { retryStrategy: () => null, enableOfflineQueue: true, lazyConnect: false };
    const subscriber = master.duplicate({ ...own, failoverDetector: false });
    // When the main client leaves a node that is no master any more, the subscriber must not stay.
    const leave = () => subscriber.disconnect();
    master.on('close', leave);
    return subscriber.on('error', ignore).once('end', () => master.off('close', leave));
  }

  /** How long to wait before the next attempt to connect, ms: up to 2 s. `attempt` counts from 1. */
  retryMs(attempt: number): number {
    return backoffMs(attempt, RECONNECT, this.runtime.random());
  }

  /** Throws `StoreUnavailable` while the store is not verified, or if it has other keys than ours. */
  throwIfClosed(): void {
    if (this.#closed === null) return;
    void this.verify();
    throw this.#closed;
  }

  /** Verifies that the store has our keys; resolves to the refusal if it has others. */
  verify(): Promise<StoreRefused | undefined> {
    this.#verifying ??= this.#verify();
    return this.#verifying;
  }

  close(): void {
    this.#isEnded = true;
    this.#durableClient?.disconnect();
    this.client.disconnect();
  }

  /** Resolves to null when Redis is ready or late; otherwise to the error with which it refuses the login. */
  #waitForRedis(): Promise<string | null> {
    return new Promise((resolve) => {
      this.runtime.timer(START_MS, () => resolve(null));
      this.client.once('ready', () => resolve(null));
      this.client.on('error', (error) => {
        // In a cluster, the error of the last node says why.
        const refusal = REFUSES_LOGIN.exec(reasonOf('lastNodeError' in error ? error.lastNodeError : error));
        if (refusal !== null) resolve(refusal[0]);
      });
    });
  }

  /** Logs an outage once, not once for each attempt. */
  #onDown(reason: string): void {
    this.#outage = reason;
    const message = `Redis cannot be reached at ${placesOf(this.#address)}: ${reason}`;
    if (!this.#isOutageLogged) this.#options.log.warn({}, message);
    this.#isOutageLogged = true;
  }

  #onReady(): void {
    if (this.#isOutageLogged) this.#options.log.info({}, 'Redis is connected again');
    this.#outage = null;
    this.#isOutageLogged = false;
  }

  #connect(options: ClientOptions): Redis | Cluster {
    const client = createClient(this.#address, (attempt) => this.retryMs(attempt), options);
    // ioredis 6.0.0 ends a client if a sentinel announces a failover while the client asks for the master.
    return client.on('end', () => {
      const connect = () => this.#isEnded || client.connect().catch(ignore);
      if (!this.#isEnded) this.runtime.timer(this.retryMs(1), connect);
    });
  }

  async #verify(): Promise<StoreRefused | undefined> {
    try {
      await this.#agreeOnCanary();
      this.#closed = null;
    } catch (error) {
      // The last verdict holds while the store does not answer.
      if (error instanceof StoreUnavailable) return undefined;
      if (!(error instanceof StoreRefused)) throw error;
      const isNews = this.#closed?.message !== error.message;
      if (this.#isStarted && isNews) this.#options.log.error({}, error.message);
      this.#closed = new StoreUnavailable(error.message);
      return error;
    } finally {
      this.#verifying = undefined;
    }
    return undefined;
  }

  /** Reads the check value from both keys, and writes the value that they must have from now on. */
  async #agreeOnCanary(): Promise<void> {
    const reads = CANARY_KEYS.map((key) => confirm(this.client.get(key)).catch(() => undefined));
    const values = await Promise.all(reads);
    const stored = values.filter((value) => typeof value === 'string');
    // One empty key proves nothing while the other cannot be read.
    if (stored.length === 0 && values.includes(undefined))
      throw unavailable('the check value cannot be read');
    const wanted = this.#options.canary(stored);
    if (stored.length === 0) {
      // Processes that start together agree, because all of them read what the first one wrote.
      await confirm(this.client.set(CANARY_KEYS[0], wanted, 'NX'));
      return this.#agreeOnCanary();
    }
    const stale = CANARY_KEYS.filter((_, at) => values[at] !== undefined && values[at] !== wanted);
    await Promise.allSettled(stale.map((key) => confirm(this.client.set(key, wanted))));
  }

  /**
   * Sends the commands of one iteration of the event loop in one write, which takes a quarter less processor
   * time. ioredis' auto-pipelining sends no batch before the previous one was answered.
   */
  #cork(): void {
    this.#isCorked = true;
    // A node that no command has asked for yet has no stream.
    const streams = mastersOf(this.client).map(({ stream }) => stream);
    for (const stream of streams) stream?.cork();
    this.runtime.defer(() => {
      this.#isCorked = false;
      for (const stream of streams) stream?.uncork();
    });
  }
}

/** Answers of a node that is no master, or not up yet. Redis 6 puts the script's name before them. */
const NO_MASTER = /^(?:ERR [^-]*-)?(?:READONLY|MASTERDOWN|LOADING|UNBLOCKED)\b/;

/**
 * ioredis' `reconnectOnError`: whether an answer ends the connection. Behind one address a master can become
 * a replica while our connections to it stay; it then refuses every write. A new connection goes to the
 * present master. The refused command is rejected, not sent again.
 */
export const isNoMaster = ({ message }: Error): boolean => NO_MASTER.test(message);

/** What all connections have in common. */
const COMMON = {
  connectTimeout: 2000,
  // How long a command may take, whatever the client tries in between.
  commandTimeout: 1800,
  // A connection without any answer for this long is dead, even if the network still looks alive.
  socketTimeout: 4000,
  // How often a node that loads its data is asked whether it has.
  maxLoadingRetryTime: 500,
  // A command that lost its answer is sent once more after a reconnect. Every script is idempotent.
  maxRetriesPerRequest: 1,
  reconnectOnError: isNoMaster,
};
/** In a cluster a command may go to several nodes, one after another: none may take longer. */
const NODE_MS = 1000;

type ClientOptions = {
  /** Whether commands wait until there is a connection. */
  readonly enableOfflineQueue: boolean;
  /** How long a command may take at one node of a cluster, ms. */
  readonly nodeMs?: number;
};

/** `retryStrategy` answers how long to wait before the next attempt to connect, ms. */
function createClient(
  address: RedisAddress,
  retryStrategy: (attempt: number) => number,
  { enableOfflineQueue, nodeMs = COMMON.commandTimeout }: ClientOptions,
): Redis | Cluster {
  const { login, db, tls } = address;
  // Without options for TLS, the system's certificates decide.
  const node = { ...COMMON, ...login, db, ...(tls && { tls: {} }) };
  const whole = { enableOfflineQueue, scripts: SCRIPTS };
  if (address.kind !== 'cluster') {
    const master = address.kind === 'server' ? address.server : sentinelOptions(address, retryStrategy);
    return new Redis({ ...node, ...whole, ...master, retryStrategy });
  }
  return new Cluster([...address.nodes], {
    ...whole,
    redisOptions: { ...node, commandTimeout: nodeMs },
    clusterRetryStrategy: retryStrategy,
    // Enough for a moved slot and a failover. More would send a dead master's commands round the living ones.
    maxRedirections: 4,
    // Certificates are for names: with TLS, names are not resolved to addresses beforehand.
    ...(tls && { dnsLookup: (host, found) => found(null, host) }),
  });
}

/** The address's login is for the master alone; TLS is for all or none. */
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

const mastersOf = (client: Redis | Cluster): readonly Redis[] =>
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

/** For commands on further connections: these fail by themselves, and the main client logs why. */
export const ignore = (): void => {};

/**
 * The command's answer. Rejects with `StoreUnavailable` for whatever else happens: no connection, no answer
 * in time, a full memory. ioredis' errors hold arguments and credentials; the reason holds neither.
 */
export const confirm = <Answer>(command: Promise<Answer>): Promise<Answer> =>
  command.catch((error: unknown) => {
    throw unavailable(error);
  });

const unavailable = (error: unknown): StoreUnavailable => new StoreUnavailable(`redis: ${reasonOf(error)}`);

/** The first line of an error's message, at most 200 characters. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]?.slice(0, 200) ?? '';
}
