import type { Cluster, Redis } from 'ioredis';
import type { Log } from '../../observability/log.ts';
import type { Observe } from '../../observability/metrics.ts';
import { backoffMs } from '../../resilience/retry.ts';
import { type Runtime, systemRuntime } from '../../runtime.ts';
import type { Canary } from '../encryption.ts';
import { StoreRefused, StoreUnavailable } from '../port.ts';
import { placesOf, type RedisAddress } from './address.ts';
import {
  type ClientOptions,
  confirm,
  createClient,
  ignore,
  mastersOf,
  NODE_MS,
  reasonOf,
  SCRIPTS,
  type ScriptInvocation,
  unavailable,
} from './clients.ts';
import { readRefusal } from './refusal.ts';

/** The start waits at most this long for Redis. The bot recovers later. */
const START_MS = 3000;
/** A Redis that refuses everybody says so at once. */
const ASK_MS = 500;
const RECONNECT = { baseMs: 50, maxMs: 2000 };

/** How often the check value is looked for, whether or not readiness is asked. */
const LOOK_EVERY_MS = 10_000;
/** How long readiness tells that the store was emptied. */
const EMPTIED_MS = 60 * 60 * 1000;
const EMPTIED =
  'redis: somebody emptied it, or another one answers at its address: conversations begin again, and ' +
  'nothing looks up the operations that were running. What to do: docs/operators.md, store_emptied';

/** Redis has no such login or database. Waiting does not help. */
const REFUSES_LOGIN =
  /^(WRONGPASS|NOAUTH|ERR invalid password|ERR DB index is out of range|ERR SELECT is not allowed)/;

/** The key of the store's check value. It never changes, because every version of the bot looks here. */
export const CANARY_KEY = '{e8a}layout';

export type ConnectionOptions = {
  readonly canary: Canary;
  readonly log: Log;
  readonly runtime?: Runtime | undefined;
  readonly onCommand?: Observe['command'];
  /** The check value was there, and is gone: what the store held is gone with it. */
  readonly onEmptied?: (() => void) | undefined;
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
  const refused = await connection.start();
  if (refused === undefined) return connection;
  connection.close();
  throw refused;
}

export class RedisConnection {
  /** The main client, for all commands that do not wait for replicas. */
  readonly client: Redis | Cluster;
  readonly runtime: Runtime;
  readonly #address: RedisAddress;
  readonly #options: ConnectionOptions;
  /** Why the main client has no connection, if that is known; null while it has one. Only we change it. */
  outage: string | null = null;
  /** For commands that wait for replicas; opened with the first one. */
  #durableClient: Redis | Cluster | undefined;
  /** Why no command may be sent; null once the store's check value fits our keys. */
  #closed: StoreUnavailable | null = new StoreUnavailable('redis: not reached yet');
  #verifying: Promise<StoreRefused | undefined> | undefined;
  #isStarted = false;
  /** The store had its check value. */
  #isBegun = false;
  #emptiedMs = Number.NEGATIVE_INFINITY;
  #isGathering = false;
  #isEnded = false;

  constructor(address: RedisAddress, options: ConnectionOptions) {
    this.runtime = options.runtime ?? systemRuntime;
    this.#address = address;
    this.#options = options;
    this.client = this.#connect({ enableOfflineQueue: false, nodeMs: NODE_MS });
    this.client.on('error', (error) => this.#onDown(reasonOf(error)));
    this.client.on('reconnecting', () => this.#onDown(this.outage ?? 'no connection'));
    this.client.on('ready', () => this.#onReady());
  }

  /** Waits for the first connection, and verifies the store. */
  async start(): Promise<StoreRefused | undefined> {
    const refusal = await this.#waitForRedis();
    if (refusal !== null) {
      const got = `a user, password or database that ${placesOf(this.#address)} refuses (${refusal})`;
      return new StoreRefused(`REDIS_URL: got ${got}, wants those it has`);
    }
    await this.#askWhy();
    const refused = await this.verify();
    this.#isStarted = true;
    this.#lookLater();
    return refused;
  }

  /** What was found while this process runs, a line for operators each. */
  faults(): readonly string[] {
    return this.runtime.monotonicMs() - this.#emptiedMs < EMPTIED_MS ? [EMPTIED] : [];
  }

  #lookLater(): void {
    if (this.#isEnded) return;
    this.runtime.timer(LOOK_EVERY_MS, () => {
      this.#lookLater();
      if (this.outage === null) void this.verify();
    });
  }

  /** Runs a script. Strings of its answer come as buffers. Rejects with `StoreUnavailable`. */
  async run({ script, keys, args }: ScriptInvocation): Promise<unknown> {
    this.throwIfClosed();
    const startMs = this.runtime.monotonicMs();
    const { lua, sha } = SCRIPTS[script];
    const parts = [keys.length, ...keys, ...args] as const;
    this.#gatherWrites();
    try {
      return await this.client.evalshaBuffer(sha, ...parts).catch((error: unknown) => {
        if (!reasonOf(error).startsWith('NOSCRIPT')) throw error;
        return this.client.evalBuffer(lua, ...parts);
      });
    } catch (error) {
      throw unavailable(error);
    } finally {
      this.#options.onCommand?.((this.runtime.monotonicMs() - startMs) / 1000, script);
    }
  }

  /**
   * Commands of one iteration of the event loop leave in one write: written one by one, a text costs 1.7
   * times as much. ioredis' auto-pipelining costs 6 % of a turn more, and holds a batch back until the batch
   * before it has its answers.
   */
  #gatherWrites(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    // A node that no command has asked for yet has no stream.
    const streams = mastersOf(this.client).map(({ stream }) => stream);
    for (const stream of streams) stream?.cork();
    this.runtime.defer(() => {
      this.#isGathering = false;
      for (const stream of streams) stream?.uncork();
    });
  }

  /**
   * Runs a script that always writes, then waits until replicas have it; `acknowledged` is their number. It
   * uses a separate client, because `WAIT` stalls the connection that it waits on.
   */
  async runDurably(
    { script, keys, args }: ScriptInvocation,
    { replicas, waitMs }: { readonly replicas: number; readonly waitMs: number },
  ): Promise<{ readonly answer: unknown; readonly acknowledged: number }> {
    this.throwIfClosed();
    this.#durableClient ??= this.#connect({ enableOfflineQueue: true }).on('error', ignore);
    // Sent as source: an unknown hash would be sent again behind the WAIT.
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

  /** Without a connection, a server may say why: an operator needs its own sentence. */
  async #askWhy(): Promise<void> {
    if (this.outage === null || this.#address.kind !== 'server' || this.#address.tls) return;
    const refusal = await readRefusal(this.#address.server, ASK_MS);
    if (refusal !== undefined) this.#onDown(refusal);
  }

  /** Logs an outage once, not once for each attempt. */
  #onDown(reason: string): void {
    const message = `Redis cannot be reached at ${placesOf(this.#address)}: ${reason}`;
    if (this.outage === null) this.#options.log.warn({}, message);
    this.outage = reason;
  }

  #onReady(): void {
    if (this.outage !== null) this.#options.log.info({}, 'Redis is connected again');
    this.outage = null;
  }

  #connect(options: ClientOptions): Redis | Cluster {
    const retryMs = (attempt: number) => backoffMs(attempt, RECONNECT, this.runtime.random());
    const client = createClient(this.#address, retryMs, options);
    // ioredis 6.0.0 ends a client if a sentinel announces a failover while the client asks for the master.
    return client.on('end', () => {
      const connect = () => this.#isEnded || client.connect().catch(ignore);
      if (!this.#isEnded) this.runtime.timer(retryMs(1), connect);
    });
  }

  async #verify(): Promise<StoreRefused | undefined> {
    try {
      await this.#agreeOnCanary();
      this.#closed = null;
    } catch (error) {
      // While the store does not answer, the last result stays.
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

  /** Reads the check value, and writes the value that it must have from now on. */
  async #agreeOnCanary(): Promise<void> {
    const stored = await confirm(this.client.get(CANARY_KEY));
    if (stored === null && this.#isBegun) this.#onGone();
    const wanted = this.#options.canary(stored);
    if (stored !== null) this.#isBegun = true;
    if (wanted === stored) return;
    if (stored !== null) return void (await confirm(this.client.set(CANARY_KEY, wanted)));
    // Processes that start together agree, because all of them read what the first one wrote.
    await confirm(this.client.set(CANARY_KEY, wanted, 'NX'));
    await this.#agreeOnCanary();
  }

  #onGone(): void {
    this.#isBegun = false;
    this.#emptiedMs = this.runtime.monotonicMs();
    this.#options.onEmptied?.();
  }
}
