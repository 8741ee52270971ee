import { readFileSync } from 'node:fs';
import { Cluster, Command, Redis } from 'ioredis';
import type { Log } from '../../observability/log.ts';
import type { Observe } from '../../observability/metrics.ts';
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
export type Argument = string | Buffer | number;
type Script = keyof typeof SCRIPTS;
type Call = { script: Script; keys: readonly string[]; args: readonly Argument[] };
type ScriptCommands = { [Name in `${Script}Buffer`]: (...args: Argument[]) => Promise<unknown> };
declare module 'ioredis' {
  interface Redis extends ScriptCommands {}
  interface Cluster extends ScriptCommands {}
}

/** The start waits so long for Redis. Then the bot starts without it, and recovers once Redis is there. */
const START_MS = 3000;

/** The wait before the next attempt, ms: short at first, then up to 2 s, with jitter. */
export const backOff = (attempt: number): number =>
  Math.min(2000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2);

/** Redis does not have this login or database. It then goes on with another one, or not at all. */
const REFUSES =
  /^(WRONGPASS|NOAUTH|ERR invalid password|ERR DB index is out of range|ERR SELECT is not allowed)/;

/** Answers of a node that is no master, or not up yet. Redis 6 puts the script's name before them. */
const NO_MASTER = /^(?:ERR [^-]*-)?(?:READONLY|MASTERDOWN|LOADING|UNBLOCKED)\b/;

/**
 * ioredis' `reconnectOnError`: whether an answer ends the connection. Behind one address a master can become
 * a replica while our connections to it stay; it then refuses every write. A new connection goes to the
 * present master. The refused command is rejected, not sent again.
 */
export const isNoMaster = ({ message }: Error): boolean => NO_MASTER.test(message);

const COMMON = {
  connectTimeout: 2000,
  // How long a command may take, whatever the client tries in between.
  commandTimeout: 1800,
  // A connection without any answer for so long is dead, even if the network still looks alive.
  socketTimeout: 4000,
  // How often a node that loads its data is asked whether it has.
  maxLoadingRetryTime: 500,
  // A command that lost its answer is sent once more after a reconnect: every script bears that.
  maxRetriesPerRequest: 1,
  reconnectOnError: isNoMaster,
};
/** In a cluster a command may go to several nodes, one after another: none may take longer. */
const NODE_MS = 1000;
/** A connection for subscriptions does not reconnect: its listener must know that it has ended. */
const SUBSCRIBER = { retryStrategy: () => null, enableOfflineQueue: true };
/** A connection that waits for replicas keeps commands until it is there; its node may be gone for good. */
const WAITER = {
  retryStrategy: (attempt: number) => (attempt < 3 ? backOff(attempt) : null),
  enableOfflineQueue: true,
};

/** `open` opens another connection to the master, or to a node (`host:port`) of the cluster. */
type Links = {
  readonly commands: Redis | Cluster;
  open(over: typeof SUBSCRIBER | typeof WAITER, node?: string): Redis;
};

type SingleAddress = Exclude<RedisAddress, { kind: 'cluster' }>;
/** Connects to one master at a time: the one at the address, or the one that the sentinels name. */
function linkMaster(address: SingleAddress, reconnectOnError: typeof isNoMaster): Links {
  const commands = new Redis({
    ...(address.kind === 'server' ? address.server : sentinelOptions(address)),
    ...{ ...tlsOptions(address.tls), ...address.login, db: address.db },
    ...{ ...COMMON, retryStrategy: backOff, enableOfflineQueue: false, scripts: SCRIPTS, reconnectOnError },
  });
  const own = { failoverDetector: false, reconnectOnError: isNoMaster };
  return {
    commands,
    open(over) {
      const connection = commands.duplicate({ ...own, ...over });
      // A connection that only listens, or is seldom used, is not told that its node is no master any more.
      const leave = () => connection.status === 'ready' && connection.disconnect(true);
      commands.on('close', leave);
      return connection.once('end', () => commands.off('close', leave));
    },
  };
}

/** The master's login is for the master alone; TLS is for all or none. */
function sentinelOptions({ sentinels, master, sentinelLogin, tls }: RedisAddress & { kind: 'sentinel' }) {
  return {
    ...{ sentinels: [...sentinels], name: master, sentinelRetryStrategy: backOff },
    // After a failover by hand, the old master goes on accepting writes for ten seconds and more.
    failoverDetector: true,
    // A sentinel that hangs must not delay the question to the next one.
    sentinelCommandTimeout: NODE_MS,
    ...{ sentinelUsername: sentinelLogin.username, sentinelPassword: sentinelLogin.password },
    ...(tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  };
}

function linkCluster({ nodes, login, db, tls }: RedisAddress & { kind: 'cluster' }): Links {
  const redisOptions = { ...login, db, ...tlsOptions(tls), ...COMMON };
  const commands = new Cluster([...nodes], {
    redisOptions: { ...redisOptions, commandTimeout: NODE_MS },
    ...{ clusterRetryStrategy: backOff, enableOfflineQueue: false, scripts: SCRIPTS },
    // Enough for a moved slot and a failover. With more, commands of a dead master go round the living ones.
    maxRedirections: 4,
    // Certificates are for names: with TLS, names are not resolved to addresses beforehand.
    ...(tls ? { dnsLookup: (host, found) => found(null, host) } : {}),
  });
  return {
    commands,
    open(over, node) {
      const colon = node?.lastIndexOf(':') ?? 0;
      const place = node ? { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) } : nodes[0];
      return new Redis({ ...redisOptions, ...over, ...place });
    },
  };
}

/** Empty: the system's certificates decide. */
const tlsOptions = (tls: boolean) => (tls ? { tls: {} } : {});

type Options = { canary: Canary; log: Log; onCommand?: Observe['command'] };

/**
 * Connects one process to a Redis: alone, behind sentinels, or in a cluster. Waits until Redis is ready, but
 * at most `START_MS`. Rejects with `StoreRefused` if Redis refuses the login, or the canary our keys.
 */
export async function connectRedis(address: RedisAddress, options: Options): Promise<RedisConnection> {
  const watch = watchLink(address, options.log);
  const links =
    address.kind === 'cluster' ? linkCluster(address) : linkMaster(address, watch.reconnectOnError);
  const connection = new RedisConnection(links, { ...options, lost: watch.lost });
  try {
    const refusal = await watch.start(links.commands);
    if (refusal !== null) {
      const got = `a user, password or database that ${placesOf(address)} refuses (${refusal})`;
      throw new StoreRefused(`REDIS_URL: got ${got}, wants those it has`);
    }
    const refused = await connection.verify();
    if (refused !== undefined) throw refused;
    connection.onRefused = (why) => options.log.error({}, why);
  } catch (error) {
    connection.close();
    throw error;
  }
  return connection;
}

/** Logs when the main connection is lost and when it is back: one line each, not one for each attempt. */
function watchLink(address: RedisAddress, log: Log) {
  let why: string | null = 'not connected yet';
  let [isKnown, isLogged] = [false, false];
  const onDown = (reason: string): void => {
    const what = isKnown ? 'redis: connection lost' : `Redis cannot be reached at ${placesOf(address)}`;
    if (!isLogged) log.warn({}, reason ? `${what}: ${reason}` : what);
    isLogged = true;
    why = reason || why || 'no connection';
  };
  return {
    /** Why there is no connection, as far as known; null while there is one. */
    lost: (): string | null => why,
    reconnectOnError(error: Error): boolean {
      if (isNoMaster(error)) onDown(`the node answers ${reasonOf(error)}`);
      return isNoMaster(error);
    },
    /** Resolves with null once Redis is ready or late, or with the answer by which it does not let us in. */
    start: (commands: Redis | Cluster): Promise<string | null> =>
      new Promise((resolve) => {
        setTimeout(resolve, START_MS, null).unref();
        commands.on('error', (error) => {
          onDown(reasonOf(error));
          // In a cluster, the error of its last node says why.
          const refusal = REFUSES.exec(reasonOf('lastNodeError' in error ? error.lastNodeError : error));
          if (refusal !== null) resolve(refusal[0]);
        });
        commands.on('reconnecting', () => onDown(''));
        commands.on('ready', () => {
          if (isLogged) log.info({}, 'redis: connected again');
          [why, isKnown, isLogged] = [null, true, false];
          resolve(null);
        });
      }),
  };
}

/**
 * The canary lies in both. These names never change: every version of the bot looks here. No master of a
 * cluster has both slots: with one alone, a dead master would keep processes from starting.
 */
export const CANARY_KEYS = ['{e8a}layout', '{bn}layout'] as const;

export class RedisConnection {
  /** For everything that is answered at once. */
  readonly commands: Redis | Cluster;
  /** Why `commands` has no connection now, in one line; null while it has one. */
  readonly lost: () => string | null;
  readonly #open: Links['open'];
  readonly #options: Options;
  /** Connections that wait for replicas, by their node. */
  readonly #waiters = new Map<string, Redis>();
  #isCorked = false;
  #isEnded = false;
  #closed: StoreUnavailable | null = new StoreUnavailable('redis: not reached yet');
  #verifying: Promise<StoreRefused | undefined> | undefined;
  /** Called once if it turns out late that the store is not ours. */
  onRefused: (why: string) => void = ignore;

  constructor({ commands, open }: Links, options: Options & Pick<RedisConnection, 'lost'>) {
    this.commands = commands;
    this.lost = options.lost;
    this.#open = open;
    this.#options = options;
    // A failover that a sentinel tells while ioredis asks for the master ends the client for good (6.0.0).
    commands.on('end', () => {
      if (this.#isEnded) return;
      setTimeout(() => this.#isEnded || commands.connect().catch(ignore), backOff(1)).unref();
    });
  }

  /** Runs a script. Strings of its answer come as buffers. Rejects with `StoreUnavailable`. */
  async run({ script, keys, args }: Call): Promise<unknown> {
    this.throwIfClosed();
    const startMs = performance.now();
    this.#cork();
    try {
      return await this.commands[`${script}Buffer`](keys.length, ...keys, ...args);
    } catch (error) {
      throw unavailable(error);
    } finally {
      this.#options.onCommand?.(script, (performance.now() - startMs) / 1000);
    }
  }

  /**
   * Runs a script that always writes, then waits until replicas have it: `acknowledged` is how many. It uses
   * a connection that serves nothing else, because `WAIT` stalls the connection it waits on.
   */
  async runDurably(
    { script, keys, args }: Call,
    { replicas, waitMs }: { readonly replicas: number; readonly waitMs: number },
  ): Promise<{ readonly answer: unknown; readonly acknowledged: number }> {
    this.throwIfClosed();
    // As source: a script that Redis does not know would be sent again behind the WAIT.
    const pipeline = this.#waiter(keys[0] ?? '').pipeline();
    pipeline.callBuffer('EVAL', SCRIPTS[script].lua, keys.length, ...keys, ...args).wait(replicas, waitMs);
    const [[failed, answer] = [], [, acknowledged] = []] = (await confirm(pipeline.exec())) ?? [];
    if (failed || answer === undefined) {
      // The slot has moved: the main connection follows, and learns its new node by any command.
      if (/^(MOVED|ASK) /.test(reasonOf(failed))) this.commands.exists(...keys).catch(ignore);
      throw unavailable(failed);
    }
    return { answer, acknowledged: Number(acknowledged ?? 0) };
  }

  /** Opens a connection to one node for subscriptions. It does not reconnect: when it ends, open another. */
  openSubscriber(): Redis {
    const masters = this.commands instanceof Cluster ? this.commands.nodes('master').map(nodeName) : [];
    return this.#open(SUBSCRIBER, masters[Math.floor(Math.random() * masters.length)]).on('error', ignore);
  }

  /** Throws `StoreUnavailable` if nothing may be asked of the store: its canary is not known, or not ours. */
  throwIfClosed(): void {
    if (this.#closed === null) return;
    void this.verify();
    throw this.#closed;
  }

  /** Verifies the canary; resolves with a refusal. The last verdict holds while the store does not answer. */
  verify(): Promise<StoreRefused | undefined> {
    this.#verifying ??= this.#agree().then(
      () => this.#judge(null),
      (error: unknown) => this.#judge(error),
    );
    return this.#verifying;
  }

  close(): void {
    this.#isEnded = true;
    for (const waiter of this.#waiters.values()) waiter.disconnect();
    this.commands.disconnect();
  }

  #judge(error: unknown): StoreRefused | undefined {
    this.#verifying = undefined;
    if (error === null) this.#closed = null;
    if (error === null || error instanceof StoreUnavailable) return undefined;
    if (!(error instanceof StoreRefused)) throw error;
    if (this.#closed?.message !== error.message) this.onRefused(error.message);
    this.#closed = new StoreUnavailable(error.message);
    return error;
  }

  /** Reads the canary from both places, and writes what it must be from now on. */
  async #agree(): Promise<void> {
    const reads = CANARY_KEYS.map((key) => confirm(this.commands.get(key)).catch(() => undefined));
    const values = await Promise.all(reads);
    const stored = values.filter((value) => typeof value === 'string');
    // One empty place alone proves nothing.
    if (stored.length === 0 && values.includes(undefined))
      throw unavailable('the check value cannot be read');
    const wanted = this.#options.canary(stored);
    if (stored.length === 0) {
      // Processes that start together agree: all of them read what the first one wrote.
      await confirm(this.commands.set(CANARY_KEYS[0], wanted, 'NX'));
      return this.#agree();
    }
    const stale = CANARY_KEYS.filter((_, at) => values[at] !== undefined && values[at] !== wanted);
    await Promise.allSettled(stale.map((key) => confirm(this.commands.set(key, wanted))));
  }

  /**
   * Lets the commands of one iteration of the event loop leave in one write: a quarter less processor time.
   * ioredis' auto-pipelining does so, too, but sends no batch before the previous one was answered.
   */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const nodes = this.commands instanceof Cluster ? this.commands.nodes('master') : [this.commands];
    // A node that no command has asked for yet has no stream.
    const streams = nodes.map(({ stream }) => stream);
    for (const stream of streams) stream?.cork();
    setImmediate(() => {
      this.#isCorked = false;
      for (const stream of streams) stream?.uncork();
    });
  }

  #waiter(key: string): Redis {
    const node = this.commands instanceof Cluster ? ownerOf(key, this.commands) : '';
    if (node === null) throw unavailable('nobody has this slot');
    const present = this.#waiters.get(node);
    if (present !== undefined) return present;
    const waiter = this.#open(WAITER, node).on('error', ignore);
    waiter.once('end', () => this.#waiters.delete(node));
    this.#waiters.set(node, waiter);
    return waiter;
  }
}

/** Commands on further connections fail by themselves, and the main connection logs why. */
export const ignore = (): void => {};

/** A node that holds data: its name for operators, a key that it holds, its connection if there is one. */
export type DataNode = { readonly name: string; readonly key: string; readonly redis: Redis | undefined };

/** The nodes that share these keys, as far as known; none of a cluster that was not reached yet. */
export function dataNodes(commands: Redis | Cluster, keys: readonly string[]): DataNode[] {
  if (!(commands instanceof Cluster)) {
    return [{ name: nodeName(commands), key: keys[0] ?? '', redis: commands }];
  }
  if (commands.slots.length === 0) return [];
  const connections = new Map(commands.nodes('master').map((redis) => [nodeName(redis), redis]));
  const nodes = new Map(keys.map((key) => [ownerOf(key, commands) ?? 'that nobody is', key]));
  return [...nodes].map(([name, key]) => ({ name, key, redis: connections.get(name) }));
}

/** `host:port`, or the name that the sentinels know the master by. */
const nodeName = ({ options: { host, port, name } }: Redis): string => name ?? `${host}:${port}`;

/** `host:port`, as `CLUSTER SLOTS` last said. ioredis computes the slot of a command's keys. */
const ownerOf = (key: string, { slots }: Cluster): string | null =>
  slots[new Command('exists', [key]).getSlot() ?? 0]?.[0] ?? null;

/**
 * The command's answer. Rejects with `StoreUnavailable` for whatever else happens: no connection, no answer
 * in time, a full memory. The reason holds neither arguments nor credentials, as ioredis' errors do.
 */
export const confirm = <Answer>(command: Promise<Answer>): Promise<Answer> =>
  command.catch((error: unknown) => {
    throw unavailable(error);
  });

const unavailable = (error: unknown): StoreUnavailable => new StoreUnavailable(`redis: ${reasonOf(error)}`);

/** An error's first line, cut. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]?.slice(0, 200) ?? '';
}
