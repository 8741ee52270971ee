import type { Redis } from 'ioredis';
import type { Timer } from '../../runtime.ts';
import { FEED_LENGTH, FEED_MS, type Feed, type FeedEvent } from '../port.ts';
import { confirm, ignore } from './clients.ts';
import type { RedisConnection } from './connection.ts';
import { storedName } from './records.ts';

/** A connection that only listens must ask from time to time, to notice that it is dead. */
const PING_MS = 10_000;
/** How long to wait before another attempt to connect, or to read the stored events: up to 0.4 s. */
const RETRY_ATTEMPT = 3;

type Follower = {
  readonly key: string;
  readonly onEvent: (event: FeedEvent) => void;
  lastSeq: number;
  isStopped: boolean;
  /** Resolves when all earlier events are shown: one read or event at a time. Never rejects. */
  shown: Promise<void>;
};

/**
 * The feed on Redis or Redis Cluster: a list per conversation, and plain publish/subscribe, which a cluster
 * carries to every node, so that one subscriber connection per process suffices. News can be missed (a
 * reconnect, a broken link within the cluster). Each names the event before it, so a follower sees the gap
 * and reads the stored events.
 */
export class RedisFeed implements Feed {
  readonly #connection: RedisConnection;
  readonly #feedMs: number;
  readonly #followers = new Map<string, Set<Follower>>();
  /** Opened with the first follower. */
  #subscriber: Redis | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(connection: RedisConnection, feedMs = FEED_MS) {
    this.#connection = connection;
    this.#feedMs = feedMs;
  }

  async publish(
    conversation: string,
    { seq, body }: FeedEvent,
    { forget } = { forget: false },
  ): Promise<void> {
    const key = storedName(`f:${conversation}`);
    const args = [seq, body, key, FEED_LENGTH, this.#feedMs, forget ? 1 : 0];
    await this.#connection.run({ script: 'publish', keys: [key], args });
  }

  async follow(conversation: string, afterSeq: number, onEvent: Follower['onEvent']): Promise<() => void> {
    this.#connection.throwIfClosed();
    const subscriber = this.#subscriber ?? this.#openSubscriber();
    const key = storedName(`f:${conversation}`);
    const follower = { key, onEvent, lastSeq: afterSeq, isStopped: false, shown: Promise.resolve() };
    this.#followers.set(key, (this.#followers.get(key) ?? new Set()).add(follower));
    try {
      await confirm(subscriber.subscribe(key));
      const shown = follower.shown.then(() => this.#showStored(follower));
      follower.shown = shown.catch(ignore);
      await shown;
    } catch (error) {
      this.#stop(follower);
      throw error;
    }
    return () => this.#stop(follower);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#subscriber?.disconnect();
  }

  /** Subscribes to everything that is followed, and catches up with the events that were missed. */
  #openSubscriber(): Redis {
    const subscriber = this.#connection.openSubscriber();
    this.#subscriber = subscriber;
    this.#ping(subscriber);
    subscriber.on('messageBuffer', (channel: Buffer, news: Buffer) => this.#onNews(channel.toString(), news));
    subscriber.once('end', () => {
      this.#subscriber = undefined;
      this.#reopen();
    });
    subscriber.once('ready', () => {
      for (const key of this.#followers.keys()) {
        subscriber.subscribe(key).then(
          () => this.#showNext(key, (follower) => this.#catchUp(follower)),
          () => subscriber.disconnect(),
        );
      }
    });
    return subscriber;
  }

  #reopen(): void {
    this.#timer?.cancel();
    this.#timer = this.#connection.runtime.timer(this.#connection.retryMs(RETRY_ATTEMPT), () => {
      if (this.#isClosed || this.#subscriber !== undefined || this.#followers.size === 0) return;
      try {
        this.#openSubscriber();
      } catch {
        this.#reopen();
      }
    });
  }

  #ping(subscriber: Redis): void {
    this.#timer = this.#connection.runtime.timer(PING_MS, () => {
      subscriber.ping().catch(ignore);
      this.#ping(subscriber);
    });
  }

  /** `news` is 'seq before:seq:body' (publish.lua). */
  #onNews(key: string, news: Buffer): void {
    const colon = news.indexOf(':');
    const before = Number(news.toString('latin1', 0, colon));
    const event = parseEvent(news.subarray(colon + 1));
    this.#showNext(key, (follower) =>
      before > follower.lastSeq ? this.#catchUp(follower) : show(follower, event),
    );
  }

  #showNext(key: string, next: (follower: Follower) => void | Promise<void>): void {
    for (const follower of this.#followers.get(key) ?? []) {
      follower.shown = follower.shown.then(() => next(follower));
    }
  }

  async #catchUp(follower: Follower): Promise<void> {
    while (!follower.isStopped) {
      try {
        return await this.#showStored(follower);
      } catch {
        await this.#connection.runtime.sleep(this.#connection.retryMs(RETRY_ATTEMPT));
      }
    }
  }

  /** Shows the stored events after the follower's last one. */
  async #showStored(follower: Follower): Promise<void> {
    const stored = await confirm(this.#connection.client.lrangeBuffer(follower.key, 0, -1));
    for (const event of stored.map(parseEvent)) show(follower, event);
  }

  #stop(follower: Follower): void {
    const group = this.#followers.get(follower.key);
    follower.isStopped = true;
    if (!group?.delete(follower) || group.size > 0) return;
    this.#followers.delete(follower.key);
    this.#subscriber?.unsubscribe(follower.key).catch(ignore);
  }
}

function show(follower: Follower, event: FeedEvent): void {
  if (follower.isStopped || event.seq <= follower.lastSeq) return;
  follower.lastSeq = event.seq;
  follower.onEvent(event);
}

/** Stored as 'seq:body' (publish.lua). */
function parseEvent(stored: Buffer): FeedEvent {
  const colon = stored.indexOf(':');
  return { seq: Number(stored.toString('latin1', 0, colon)), body: stored.subarray(colon + 1) };
}
