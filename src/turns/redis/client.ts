import { Cluster, type DNSLookupFunction, Redis } from 'ioredis';
import type { Log } from '../../observe.ts';
import { COMMAND_MS, reason } from './confirmed.ts';
import { SCRIPTS } from './scripts.ts';

/** The connections of one process to a Redis or a Redis Cluster. */
export type RedisClient = {
  /** For everything that is answered at once. */
  readonly commands: Redis | Cluster;
  /** More connections of the same kind, for what stalls its connection (`WAIT`). The caller disconnects them. */
  dedicated(): Redis | Cluster;
  /** A connection to one node for subscriptions. It does not reconnect: open another when it has ended. */
  subscriber(): Redis;
  /** The nodes that hold data and can be reached, as far as known. */
  masters(): Redis[];
  close(): Promise<void>;
};

/** One part of the URL. `tls` is empty: the system's certificates decide. */
type Node = {
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: Record<string, never>;
};

/** How long the start waits for Redis; it goes on without, and recovers when Redis comes. */
const START_MS = 3000;

const jittered = (ms: number): number => ms * (0.5 + Math.random() / 2);
/** Soon at first, then rarely, and not all processes at once. */
export const backOff = (attempt: number): number => jittered(Math.min(2000, 50 * 2 ** attempt));

const COMMON = {
  connectTimeout: 2000,
  // Without any answer for this long the connection is dead, however the network pretends.
  socketTimeout: 4000,
  // A command that lost its answer is sent once more after a quick reconnect (every script bears that), then fails.
  maxRetriesPerRequest: 1,
} as const;

/**
 * Connects to `redis://` or `rediss://`; several nodes separated by commas are a Redis Cluster (scheme and credentials are
 * the first one's). Waits until Redis is ready, but not for ever; commands fail at once while it is not.
 */
export async function connectRedis(url: string, log: Log): Promise<RedisClient> {
  const [first, ...others] = parseNodes(url);
  const client = others.length > 0 ? cluster(first, others) : single(first);
  logChanges(client.commands, [first, ...others], log);
  await ready(client.commands);
  return client;
}

/**
 * Writes the commands of one go of the event loop at once. ioredis' auto-pipelining does that, too, but at the cost of a
 * pipeline for each batch, and sends no batch before the one before was answered: whatever is slow holds up all.
 */
class GatheringRedis extends Redis {
  #gathering = false;

  override sendCommand(...args: Parameters<Redis['sendCommand']>): unknown {
    if (!this.#gathering && this.stream) this.#gather(this.stream);
    return super.sendCommand(...args);
  }

  #gather(stream: Redis['stream']): void {
    this.#gathering = true;
    stream.cork();
    setImmediate(() => {
      this.#gathering = false;
      stream.uncork();
    });
  }
}

function single(node: Node): RedisClient {
  const commands = new GatheringRedis({
    ...node,
    ...COMMON,
    retryStrategy: backOff,
    enableOfflineQueue: false,
  });
  return {
    commands,
    dedicated: () => quiet(commands.duplicate({ enableOfflineQueue: true })),
    subscriber: () => subscriber(commands),
    masters: () => [commands],
    close: async () => commands.disconnect(),
  };
}

function cluster(first: Node, others: readonly Node[]): RedisClient {
  const { host: _host, port: _port, ...credentials } = first;
  const options = {
    // A batch that gets no answer would hold up the next ones for as long as nobody gives it up.
    redisOptions: { ...credentials, ...COMMON, commandTimeout: COMMAND_MS },
    clusterRetryStrategy: backOff,
    enableOfflineQueue: false,
    // Enough for a slot that moves and for a failover. More would keep commands of a dead master going round the living.
    maxRedirections: 4,
    enableAutoPipelining: true,
    scripts: SCRIPTS,
    ...(first.tls ? { dnsLookup: keepName } : {}),
  };
  const start = [first, ...others].map(({ host, port }) => ({ host, port }));
  const commands = new Cluster(start, options);
  return {
    commands,
    dedicated: () =>
      quiet(new Cluster(start, { ...options, enableAutoPipelining: false, enableOfflineQueue: true })),
    subscriber() {
      const masters = commands.nodes('master');
      const node = masters[Math.floor(Math.random() * masters.length)];
      return subscriber(node ?? new Redis({ ...first, lazyConnect: true }));
    },
    masters: () => commands.nodes('master'),
    close: async () => commands.disconnect(),
  };
}

/** Certificates are for names: with TLS, names are not resolved to addresses beforehand. */
const keepName: DNSLookupFunction = (host, found) => found(null, host);

const subscriber = (node: Redis): Redis =>
  quiet(
    node.duplicate({
      ...COMMON,
      retryStrategy: () => null,
      enableOfflineQueue: true,
      lazyConnect: false,
    }),
  );

/** Whoever uses the connection sees its commands fail; the main connection logs why. */
function quiet<Connection extends Redis | Cluster>(connection: Connection): Connection {
  connection.on('error', () => {});
  return connection;
}

/** One line when the connection is lost and one when it is back, not one for each attempt. */
function logChanges(commands: Redis | Cluster, nodes: readonly Node[], log: Log): void {
  let up = true;
  let what = `Redis cannot be reached at ${nodes.map(({ host, port }) => `${host}:${port}`).join(', ')}`;
  const down = (why: string): void => {
    if (up) log.warn({}, `${what}${why}`);
    up = false;
  };
  commands.on('error', (error) => down(`: ${reason(error)}`));
  commands.on('reconnecting', () => down(''));
  commands.on('ready', () => {
    if (!up) log.info({}, 'redis: connected again');
    up = true;
    what = 'redis: connection lost';
  });
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

/** Throws without naming the URL, which may hold a password. */
function parseNodes(text: string): [Node, ...Node[]] {
  const [head = '', ...rest] = text.split(',').map((part) => part.trim());
  const first = parseNode(head);
  const others = rest.map((part) => parseNode(part.includes('://') ? part : `redis://${part}`));
  return [first, ...others];
}

function parseNode(text: string): Node {
  const url = URL.parse(text);
  if (url === null || !/^rediss?:$/.test(url.protocol)) throw new Error('not a redis:// or rediss:// URL');
  const db = Number(url.pathname.slice(1));
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || 6379),
    ...(url.username ? { username: decodeURIComponent(url.username) } : {}),
    ...(url.password ? { password: decodeURIComponent(url.password) } : {}),
    ...(db > 0 ? { db } : {}),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
