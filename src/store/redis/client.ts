import { Cluster, type DNSLookupFunction, Redis } from 'ioredis';
import type { Log, Observe } from '../../observe.ts';
import type { KeyChecks } from '../key-checks.ts';
import type { RedisAddress } from './address.ts';
import { logChanges } from './changes.ts';
import { COMMAND_MS } from './confirmed.ts';
import { connectorTo, follow, leaveNoMaster, leaveUnready } from './failover.ts';
import type { Keys } from './keys.ts';
import { watchLayout } from './layout.ts';
import { GatheringRedis } from './overrides/gathering.ts';
import type { ScriptArgument } from './overrides/script-call.ts';
import { runScript, SCRIPTS, type ScriptName } from './scripts.ts';
import { leaveSwitched } from './sentinels.ts';

/** The connections of one process to a Redis, alone, behind sentinels or in a cluster. */
export type RedisClient = {
  /** For everything that is answered at once. */
  readonly commands: Redis | Cluster;
  /** Runs a script over them; `onCommand` is told how long it took. Strings come as buffers. */
  run(script: ScriptName, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown>;
  /** More connections of the same kind, for what stalls its connection (`WAIT`). The caller disconnects them. */
  dedicated(): Redis | Cluster;
  /** A connection to one node for subscriptions. It does not reconnect: open another when it has ended. */
  subscriber(): Redis;
  /** The nodes that hold data and can be reached, as far as known. */
  masters(): Redis[];
  /** What everything is called. Throws `StoreUnavailable` as long as the store could not be asked, or has other keys. */
  keys(): Keys;
  /** Verifies once more that the store has the keys of this process. */
  recheck(): Promise<void>;
  /** Why `commands` has no connection now, in one line; null while it has one. */
  lost(): string | null;
  close(): Promise<void>;
};

/** How long the start waits for Redis. After that the bot starts without it, and recovers once Redis is there. */
const START_MS = 3000;

const jittered = (ms: number): number => ms * (0.5 + Math.random() / 2);
/** Soon at first, then rarely, and not all processes at once. */
const backOff = (attempt: number): number => jittered(Math.min(2000, 50 * 2 ** attempt));

const COMMON = {
  connectTimeout: 2000,
  // A connection without any answer for this long is dead, even if the network still looks alive.
  socketTimeout: 4000,
  // How often a node that loads its data is asked whether it has.
  maxLoadingRetryTime: 500,
  // A command that lost its answer is sent once more after a quick reconnect (every script bears that), then fails.
  maxRetriesPerRequest: 1,
} as const;

type ConnectOptions = {
  readonly overrides?: boolean;
  readonly onCommand?: Observe['command'] | undefined;
  /** Unset: whoever connects needs no keys. */
  readonly checks?: KeyChecks | undefined;
};

/**
 * Waits until Redis is ready, but not forever; commands fail at once while it is not. Rejects with `LayoutRefused` where
 * another version's store is found, with `StoreRefused` where one is that has other keys than `checks` verifies. `overrides: false`: a single Redis is reached by ioredis as it is, as a cluster always
 * is (docs/decisions/ioredis-overrides.md).
 */
export async function connectRedis(
  address: RedisAddress,
  log: Log,
  { overrides = true, onCommand, checks }: ConnectOptions = {},
): Promise<RedisClient> {
  const changes = logChanges(address, log);
  const client = address.kind === 'cluster' ? cluster(address) : single(address, overrides, changes.left);
  changes.watch(client.commands);
  await ready(client.commands);
  const layout = watchLayout(client, log, checks);
  try {
    await layout.open();
  } catch (error) {
    await client.close();
    throw error;
  }
  const { commands } = client;
  const run = onCommand === undefined ? untimed(commands) : timed(commands, onCommand);
  return { ...client, run, keys: layout.keys, recheck: layout.recheck, lost: changes.lost };
}

const untimed =
  (commands: Redis | Cluster): RedisClient['run'] =>
  (...call) =>
    runScript(commands, ...call);

function timed(commands: Redis | Cluster, onCommand: Observe['command']): RedisClient['run'] {
  return (script, ...call) => {
    const startMs = performance.now();
    const answer = runScript(commands, script, ...call);
    const ended = () => onCommand(script, (performance.now() - startMs) / 1000);
    answer.then(ended, ended);
    return answer;
  };
}

/** The connections alone; logging why there is none is the same for all kinds. */
type Connections = Omit<RedisClient, 'run' | 'keys' | 'recheck' | 'lost'>;

/** One master at a time: where the address leads, or the one that the sentinels name. */
function single(
  address: Exclude<RedisAddress, { kind: 'cluster' }>,
  overrides: boolean,
  onLeave: (why: string) => void,
): Connections {
  const options = {
    ...(address.kind === 'server' ? serverOptions(address, onLeave) : sentinelOptions(address)),
    ...address.login,
    ...COMMON,
    db: address.db,
    retryStrategy: backOff,
    enableOfflineQueue: false,
    scripts: SCRIPTS,
  };
  const Commands = overrides ? GatheringRedis : Redis;
  const commands = new Commands({ ...options, reconnectOnError: leaveNoMaster(onLeave) });
  leaveUnready(commands);
  const watch = address.kind === 'sentinel' ? leaveSwitched(commands, address, WATCHES) : null;
  const another = (over: typeof LISTENS | typeof WAITS): Redis => {
    const connection = quiet(new Redis({ ...options, reconnectOnError: leaveNoMaster(), ...over }));
    leaveUnready(connection);
    follow(commands, connection);
    return connection;
  };
  return {
    commands,
    dedicated: () => another(WAITS),
    subscriber: () => another(LISTENS),
    masters: () => [commands],
    async close() {
      watch?.close();
      commands.disconnect();
    },
  };
}

/** The connections to the sentinels themselves. */
const WATCHES = { connectTimeout: COMMON.connectTimeout, retryStrategy: backOff };
/** A connection whose commands wait until it is there. */
const WAITS = { enableOfflineQueue: true };
/** A connection for subscriptions: its listener must know when it has ended. */
const LISTENS = { retryStrategy: () => null, enableOfflineQueue: true, lazyConnect: false };

function serverOptions(
  { server, tls }: Extract<RedisAddress, { kind: 'server' }>,
  onLeave: (why: string) => void,
) {
  return { ...server, ...tlsOptions(tls), Connector: connectorTo(server, tls, onLeave) };
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
  const redisOptions = { ...login, db, ...tlsOptions(tls), ...COMMON };
  const options = {
    // A batch without an answer would hold up the next ones until somebody gives up on it.
    redisOptions: { ...redisOptions, commandTimeout: COMMAND_MS, reconnectOnError: leaveNoMaster() },
    clusterRetryStrategy: backOff,
    enableOfflineQueue: false,
    // Enough for a slot that moves and for a failover. With more, commands of a dead master would go round the living ones.
    maxRedirections: 4,
    enableAutoPipelining: true,
    scripts: SCRIPTS,
    ...(tls ? { dnsLookup: keepName } : {}),
  };
  const start = nodes.map(({ host, port }) => ({ host, port }));
  const commands = new Cluster(start, options);
  return {
    commands,
    dedicated: () =>
      quiet(new Cluster(start, { ...options, enableAutoPipelining: false, enableOfflineQueue: true })),
    subscriber() {
      const masters = commands.nodes('master');
      const { host = nodes[0].host, port = nodes[0].port } =
        masters[Math.floor(Math.random() * masters.length)]?.options ?? {};
      return quiet(new Redis({ ...redisOptions, ...LISTENS, host, port }));
    },
    masters: () => commands.nodes('master'),
    close: async () => commands.disconnect(),
  };
}

/** Empty: the system's certificates decide. */
const tlsOptions = (tls: boolean) => (tls ? { tls: {} } : {});

/** Certificates are for names: with TLS, names are not resolved to addresses beforehand. */
const keepName: DNSLookupFunction = (host, found) => found(null, host);

/** The commands of this connection fail by themselves; the main connection logs why. */
function quiet<Connection extends Redis | Cluster>(connection: Connection): Connection {
  connection.on('error', () => {});
  return connection;
}

function ready(commands: Redis | Cluster): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, START_MS);
    commands.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
