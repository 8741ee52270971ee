import { readFileSync } from 'node:fs';
import { Cluster, Command, type DNSLookupFunction, Redis } from 'ioredis';
import type { Log } from '../../observability/log.ts';
import type { Observe } from '../../observability/metrics.ts';
import { StoreRefused, StoreUnavailable } from '../port.ts';
import { placesOf, type RedisAddress } from './address.ts';
import { follow, leaveNoMaster, leaveSwitched } from './master.ts';

/** The connections of one process to a Redis: alone, behind sentinels, or in a cluster. */
export type RedisConnection = {
  /** For everything that is answered at once. */
  readonly commands: Redis | Cluster;
  /** Runs a script over them. Its answer's strings come as buffers. */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  /**
   * Runs a script that always writes, and waits until replicas have it: how many acknowledged. On a connection to the
   * node of `keys` that serves nothing else, because `WAIT` stalls the connection it waits on.
   */
  runDurably(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    wait: { readonly replicas: number; readonly waitMs: number },
  ): Promise<{ readonly answer: unknown; readonly acknowledged: number }>;
  /** A connection to one node for subscriptions. It does not reconnect: open another when it has ended. */
  subscriber(): Redis;
  /** Why `commands` has no connection now, in one line; null while it has one. */
  lost(): string | null;
  /** Why nothing may be asked of the store: it is not known what it is, or not ours. Null: all may. */
  closed(): StoreUnavailable | null;
  /** Looks once more what the store is. Never rejects. */
  reopen(): Promise<void>;
  close(): Promise<void>;
};

export type Argument = string | Buffer | number;

const SWAP = lua('swap');
const SCRIPTS = {
  /** A swap that expects what no record is. */
  read: { lua: SWAP },
  swap: { lua: SWAP },
  list: { lua: lua('list') },
  publish: { lua: lua('publish') },
} as const;
export type Script = keyof typeof SCRIPTS;

declare module 'ioredis' {
  interface Redis extends ScriptCommands {}
  interface Cluster extends ScriptCommands {}
}
type ScriptCommands = {
  readonly [Name in `${Script}Buffer`]: (...args: Argument[]) => Promise<unknown>;
};

function lua(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

/** A login or a database that Redis does not have. It then goes on with another one, or not at all. */
const REFUSES =
  /^(WRONGPASS|NOAUTH|ERR invalid password|ERR DB index is out of range|ERR SELECT is not allowed)/;
/** How long the start waits for Redis. After that the bot starts without it, and recovers once Redis is there. */
const START_MS = 3000;
/** A connection that waits for replicas is given up after so many attempts: its node may be gone for good. */
const WAITER_ATTEMPTS = 3;

/** Soon at first, then rarely, and not all processes at once. */
export const backOff = (attempt: number): number =>
  Math.min(2000, 50 * 2 ** attempt) * (0.5 + Math.random() / 2);

const COMMON = {
  connectTimeout: 2000,
  // A connection without any answer for this long is dead, even if the network still looks alive.
  socketTimeout: 4000,
  // How often a node that loads its data is asked whether it has.
  maxLoadingRetryTime: 500,
  // A command that lost its answer is sent once more after a quick reconnect (every script bears that), then fails.
  maxRetriesPerRequest: 1,
} as const;
/** The connections to the sentinels themselves. */
const WATCHES = { connectTimeout: COMMON.connectTimeout, retryStrategy: backOff };
/** A connection for subscriptions: its listener must know when it has ended. */
const LISTENS = { retryStrategy: () => null, enableOfflineQueue: true, lazyConnect: false };
/** A connection whose commands wait until it is there. */
const WAITS = {
  retryStrategy: (attempt: number) => (attempt < WAITER_ATTEMPTS ? backOff(attempt) : null),
  enableOfflineQueue: true,
};

/**
 * Waits until Redis is ready, but not for ever; commands fail at once while it is not. Rejects with `StoreRefused` where the
 * store is not for this process, as `word` tells.
 */
export async function connectRedis(
  address: RedisAddress,
  log: Log,
  { word, onCommand = () => {} }: { readonly word: Word; readonly onCommand?: Observe['command'] },
): Promise<RedisConnection> {
  const changes = logChanges(address, log);
  const { commands, waiterOf, ...rest } =
    address.kind === 'cluster' ? cluster(address) : single(address, changes.left);
  changes.watch(commands);
  const refusal = await ready(commands);
  if (refusal !== undefined) {
    await rest.close();
    throw new StoreRefused(
      `REDIS_URL: got a user, password or database that ${placesOf(address)} refuses (${refusal}), wants those it has`,
    );
  }
  const opening = createOpening(commands, word, log);
  await opening.open().catch(async (error: unknown) => {
    await rest.close();
    throw error;
  });
  const gather = gathering(commands);
  /** Those that wait for replicas, by the node they lead to. */
  const waiters = new Map<string, Redis>();

  function waiter(key: string): Redis {
    const { node, open } = waiterOf(key);
    const known = waiters.get(node);
    if (known !== undefined) return known;
    const opened = quiet(open()).once('end', () => waiters.delete(node));
    waiters.set(node, opened);
    return opened;
  }

  const run: RedisConnection['run'] = (script, keys, args) => {
    const closed = opening.closed();
    if (closed !== null) return Promise.reject(closed);
    const startMs = performance.now();
    gather();
    const answer = commands[`${script}Buffer`](keys.length, ...keys, ...args);
    return confirmed(answer, () => onCommand(script, (performance.now() - startMs) / 1000));
  };

  return {
    commands,
    run,
    async runDurably(script, keys, args, { replicas, waitMs }) {
      const closed = opening.closed();
      if (closed !== null) throw closed;
      // As source: a script that Redis does not know would be sent again behind the WAIT.
      const pipeline = waiter(keys[0] ?? '').pipeline();
      pipeline.callBuffer('EVAL', SCRIPTS[script].lua, keys.length, ...keys, ...args).wait(replicas, waitMs);
      const results = await confirmed(pipeline.exec());
      const [[failed, answer] = [], [, acknowledged] = []] = results ?? [];
      if (failed || answer === undefined) {
        // Its slot has moved: who has it now is learnt by the main connection, which follows.
        if (/^(MOVED|ASK) /.test(reason(failed))) commands.exists(...keys).catch(() => {});
        throw new StoreUnavailable(`redis: ${reason(failed)}`);
      }
      return { answer, acknowledged: Number(acknowledged ?? 0) };
    },
    lost: changes.lost,
    closed: opening.closed,
    reopen: opening.again,
    ...rest,
    async close() {
      for (const one of waiters.values()) one.disconnect();
      await rest.close();
    },
  };
}

/** The connections alone; logging why there is none is the same for all kinds. */
type Connections = Pick<RedisConnection, 'commands' | 'subscriber' | 'close'> & {
  /** Which node has the key now, and how a connection of its own to it is opened. */
  waiterOf(key: string): { readonly node: string; open(): Redis };
};

/** One master at a time: where the address leads, or the one that the sentinels name. */
function single(
  address: Exclude<RedisAddress, { kind: 'cluster' }>,
  onLeave: (why: string) => void,
): Connections {
  const options = {
    ...(address.kind === 'server'
      ? { ...address.server, ...tlsOptions(address.tls) }
      : sentinelOptions(address)),
    ...address.login,
    ...COMMON,
    db: address.db,
    retryStrategy: backOff,
    enableOfflineQueue: false,
    scripts: SCRIPTS,
  };
  const commands = new Redis({ ...options, reconnectOnError: leaveNoMaster(onLeave) });
  const watch = address.kind === 'sentinel' ? leaveSwitched(commands, address, WATCHES) : null;
  const another = (over: typeof LISTENS | typeof WAITS): Redis => {
    const connection = quiet(new Redis({ ...options, reconnectOnError: leaveNoMaster(), ...over }));
    follow(commands, connection);
    return connection;
  };
  return {
    commands,
    waiterOf: () => ({ node: '', open: () => another(WAITS) }),
    subscriber: () => another(LISTENS),
    async close() {
      watch?.close();
      commands.disconnect();
    },
  };
}

/** The master's login is for the master alone; TLS is with all or none. */
function sentinelOptions(address: Extract<RedisAddress, { kind: 'sentinel' }>) {
  const { sentinels, master, sentinelLogin, tls } = address;
  return {
    sentinels: [...sentinels],
    name: master,
    sentinelRetryStrategy: backOff,
    // A sentinel that hangs must not hold up the way to the next.
    sentinelCommandTimeout: COMMAND_MS,
    ...(sentinelLogin.username ? { sentinelUsername: sentinelLogin.username } : {}),
    ...(sentinelLogin.password ? { sentinelPassword: sentinelLogin.password } : {}),
    ...(tls ? { ...tlsOptions(tls), sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  };
}

function cluster({ nodes, login, db, tls }: Extract<RedisAddress, { kind: 'cluster' }>): Connections {
  const redisOptions = { ...login, db, ...tlsOptions(tls), ...COMMON, reconnectOnError: leaveNoMaster() };
  const commands = new Cluster(
    nodes.map(({ host, port }) => ({ host, port })),
    {
      redisOptions: { ...redisOptions, commandTimeout: COMMAND_MS },
      clusterRetryStrategy: backOff,
      enableOfflineQueue: false,
      // Enough for a slot that moves and for a failover. With more, commands of a dead master would go round the living ones.
      maxRedirections: 4,
      scripts: SCRIPTS,
      ...(tls ? { dnsLookup: keepName } : {}),
    },
  );
  return {
    commands,
    waiterOf(key) {
      const node = ownerOf(key, commands);
      if (node === null) throw new StoreUnavailable('redis: nobody has this slot');
      const { host, port } = hostAndPort(node);
      return { node, open: () => new Redis({ ...redisOptions, ...WAITS, host, port }) };
    },
    subscriber() {
      const masters = commands.nodes('master');
      const { host = nodes[0].host, port = nodes[0].port } =
        masters[Math.floor(Math.random() * masters.length)]?.options ?? {};
      return quiet(new Redis({ ...redisOptions, ...LISTENS, host, port }));
    },
    close: async () => commands.disconnect(),
  };
}

/** Empty: the system's certificates decide. */
const tlsOptions = (tls: boolean) => (tls ? { tls: {} } : {});

/** Certificates are for names: with TLS, names are not resolved to addresses beforehand. */
const keepName: DNSLookupFunction = (host, found) => found(null, host);

/** The commands of this connection fail by themselves; the main connection logs why. */
const quiet = (connection: Redis): Redis => connection.on('error', () => {});

/** Waits for Redis, but not for ever. Why Redis does not let this process in, where it says so. */
const ready = (commands: Redis | Cluster): Promise<string | undefined> =>
  new Promise((resolve) => {
    commands.once('ready', () => resolve(undefined));
    setTimeout(resolve, START_MS, undefined).unref();
    commands.on('error', (error) => {
      // Of a cluster, the error of its last node says why.
      const why = REFUSES.exec(reason('lastNodeError' in error ? error.lastNodeError : error));
      if (why !== null) resolve(why[0]);
    });
  });

/**
 * Has the commands of one iteration of the event loop leave in one write. ioredis' auto-pipelining does that, too, but sends
 * no batch before the previous one was answered: one slow command holds up all.
 */
function gathering(commands: Redis | Cluster): () => void {
  let corked = false;
  return () => {
    if (corked) return;
    corked = true;
    const nodes = commands instanceof Cluster ? commands.nodes('master') : [commands];
    // A node that no command has asked for yet has no stream.
    const streams = nodes.map(({ stream }) => stream);
    for (const stream of streams) stream?.cork();
    setImmediate(() => {
      corked = false;
      for (const stream of streams) stream?.uncork();
    });
  };
}

/** A node that holds data, and one of the keys that it would hold. */
export type DataNode = {
  /** For operators: `host:port`, or the name that the sentinels know the master by. */
  readonly name: string;
  readonly key: string;
  /** Its connection, where there is one now. */
  readonly redis: Redis | undefined;
};

/** The nodes that share these keys, as far as known; of a cluster that was not seen yet: none. */
export function dataNodes(commands: Redis | Cluster, keys: readonly string[]): DataNode[] {
  if (!(commands instanceof Cluster)) {
    return [{ name: nodeName(commands), key: keys[0] ?? '', redis: commands }];
  }
  if (commands.slots.length === 0) return [];
  const connections = new Map(commands.nodes('master').map((redis) => [nodeName(redis), redis]));
  const found = new Map(keys.map((key) => [ownerOf(key, commands) ?? 'that nobody is', key]));
  return [...found].map(([name, key]) => ({ name, key, redis: connections.get(name) }));
}

const nodeName = ({ options: { host, port, name } }: Redis): string => name ?? `${host}:${port}`;

/** As `CLUSTER SLOTS` last said. ioredis knows how slots are computed, and tells the slot of a command's keys. */
function ownerOf(key: string, { slots }: Cluster): string | null {
  return slots[new Command('exists', [key]).getSlot() ?? 0]?.[0] ?? null;
}

function hostAndPort(node: string): { readonly host: string; readonly port: number } {
  const colon = node.lastIndexOf(':');
  return { host: node.slice(0, colon), port: Number(node.slice(colon + 1)) };
}

/** Logs when the main connection is lost and when it is back: one line each, not one for each attempt. */
function logChanges(address: RedisAddress, log: Log) {
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

/** How long a node of a cluster may take to answer one command. */
const COMMAND_MS = 1000;
/** How long anything may take, whatever the client tries in between (redirections, a reconnect). */
const CONFIRM_MS = 1800;

/**
 * The command's answer; `StoreUnavailable` for whatever else happens: no connection, no answer in time, a cluster
 * without this slot, a full memory. The reason is one line and holds neither arguments nor credentials, which the
 * client's own errors carry along.
 */
export function confirmed<T>(command: Promise<T>, onEnd: () => void = () => {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => fail(`no answer within ${CONFIRM_MS} ms`);
    let timer: NodeJS.Timeout | undefined = setTimeout(late, CONFIRM_MS);
    const end = (): void => {
      if (timer === undefined) return;
      clearTimeout(timer);
      timer = undefined;
      onEnd();
    };
    const fail = (why: string): void => {
      end();
      reject(new StoreUnavailable(`redis: ${why}`));
    };
    command.then(
      (answer) => {
        end();
        resolve(answer);
      },
      (error) => fail(reason(error)),
    );
  });
}

/** An error's first line, cut. */
export function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]?.slice(0, 200) ?? '';
}

/**
 * What a store says of itself, which every process looks at before it touches anything else: `make` is what an empty store
 * gets. `verify` throws `StoreRefused` where the process is not for this store; it answers what the store is to say from now
 * on, where that is something else.
 */
export type Word = { make(): string; verify(stored: string): string | null };

/**
 * Where it says so. These names never change: every version of the bot looks here. There are two, in slots that no master of
 * a cluster has both of: with one alone, a dead master would keep processes from starting.
 */
export const PLACES = ['{e8a}layout', '{bn}layout'] as const;

/** What is known of what the store says; while that is nothing, it is looked at in the background. */
function createOpening(commands: Redis | Cluster, word: Word, log: Log) {
  let closed: StoreUnavailable | null = new StoreUnavailable('redis: not reached yet');
  let looking: Promise<void> | undefined;

  /** What was known before still holds where the store does not answer. */
  async function look(): Promise<void> {
    try {
      await agree();
      closed = null;
    } catch (error) {
      if (error instanceof StoreRefused) closed = new StoreUnavailable(error.message, { cause: error });
      else if (!(error instanceof StoreUnavailable)) throw error;
      else if (closed !== null && closed.cause === undefined) closed = error;
    }
  }

  /** Verifies what the store says, and has it say so in both places. */
  async function agree(): Promise<void> {
    const asked = PLACES.map((place) => confirmed(commands.get(place)).catch(() => undefined));
    const values = await Promise.all(asked);
    const stored = [...new Set(values.filter((value) => typeof value === 'string'))];
    if (stored.length === 0) {
      // That one place says nothing proves nothing.
      if (values.includes(undefined)) throw new StoreUnavailable('redis: what the store is cannot be read');
      // Processes that start together agree: the first one's word is what all of them read.
      await confirmed(commands.set(PLACES[0], word.make(), 'NX'));
      return agree();
    }
    const wanted = verified(stored, word);
    await Promise.allSettled(
      PLACES.map((place, at) => {
        const value = values[at];
        if (value === undefined || value === wanted) return null;
        return confirmed(value === null ? commands.set(place, wanted, 'NX') : commands.set(place, wanted));
      }),
    );
  }

  function again(): Promise<void> {
    const before = closed?.message;
    looking ??= look().finally(() => {
      looking = undefined;
      if (closed?.cause && closed.message !== before) log.error({}, closed.message);
    });
    return looking;
  }

  return {
    /** Resolves, too, where the store cannot be reached; rejects with `StoreRefused`. */
    async open() {
      await look();
      if (closed?.cause) throw closed.cause;
    },
    closed(): StoreUnavailable | null {
      if (closed !== null) void again();
      return closed;
    },
    again,
  };
}

/** What the store is to say. It says two things where a process died while it replaced them: one that holds is enough. */
function verified(stored: readonly string[], { verify }: Word): string {
  let refused: unknown;
  for (const value of stored) {
    try {
      return verify(value) ?? value;
    } catch (error) {
      refused ??= error;
    }
  }
  throw refused;
}
