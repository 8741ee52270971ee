import type { Redis } from 'ioredis';
import { FEED_LENGTH, FEED_MS, type Feed, type FeedEvent } from '../feed.ts';
import { backOff, confirmed, type RedisConnection } from './connection.ts';
import { storedName } from './records.ts';

/** A connection that only listens must ask from time to time, to notice that it is dead. */
const PING_MS = 10_000;

type Follower = {
  readonly key: string;
  readonly onEvent: (event: FeedEvent) => void;
  lastSeq: number;
  stopped: boolean;
  /** The stored events are read; `again`: there may be more by now. */
  reading: boolean;
  again: boolean;
};

/**
 * The feed on Redis or Redis Cluster: a list per conversation and plain publish/subscribe (which a cluster carries to
 * every node, so that one subscriber connection per process suffices). News can be missed (a reconnect, a broken link
 * within the cluster); each names the event before it, so a follower sees the gap and reads the stored events.
 */
export function createRedisFeed(client: RedisConnection, feedMs = FEED_MS): Feed {
  const followers = new Map<string, Set<Follower>>();
  let closed = false;
  let attempt = 0;
  let reopening: NodeJS.Timeout | undefined;
  let subscriber = open();
  const pinging = setInterval(() => void subscriber.ping().catch(() => {}), PING_MS).unref();

  /** Throws where nothing may be asked of the store. */
  function nameOf(conversation: string): string {
    const why = client.closed();
    if (why !== null) throw why;
    return storedName(`f:${conversation}`);
  }

  /** Subscribes to all that is followed, and makes up for what was missed meanwhile. */
  function open(): Redis {
    const connection = client.subscriber();
    connection.on('messageBuffer', (channel: Buffer, news: Buffer) => tell(channel.toString(), news));
    connection.once('end', () => {
      if (closed) return;
      attempt += 1;
      reopening = setTimeout(() => {
        subscriber = open();
      }, backOff(attempt));
    });
    connection.once('ready', () => {
      attempt = 0;
      for (const [key, those] of followers) {
        connection.subscribe(key).then(
          () => those.forEach(catchUpSoon),
          () => connection.disconnect(),
        );
      }
    });
    return connection;
  }

  function tell(key: string, news: Buffer): void {
    const colon = news.indexOf(':');
    const before = Number(news.toString('latin1', 0, colon));
    const event = eventOf(news.subarray(colon + 1));
    for (const follower of followers.get(key) ?? []) {
      if (follower.reading) follower.again = true;
      else if (before > follower.lastSeq) catchUpSoon(follower);
      else show(follower, event);
    }
  }

  /** Shows the stored events from where the follower is; once more if news came while it read. */
  async function catchUp(follower: Follower): Promise<void> {
    follower.again = true;
    if (follower.reading) return;
    follower.reading = true;
    try {
      while (follower.again) {
        follower.again = false;
        const stored = await confirmed(client.commands.lrangeBuffer(follower.key, 0, -1));
        for (const event of stored.map(eventOf)) show(follower, event);
      }
    } finally {
      follower.reading = false;
    }
  }

  function catchUpSoon(follower: Follower): void {
    catchUp(follower).catch(() => {
      if (!follower.stopped) setTimeout(() => catchUpSoon(follower), backOff(3)).unref();
    });
  }

  function stop(follower: Follower): void {
    const those = followers.get(follower.key);
    follower.stopped = true;
    those?.delete(follower);
    if (those?.size !== 0) return;
    followers.delete(follower.key);
    subscriber.unsubscribe(follower.key).catch(() => {});
  }

  return {
    async publish(conversation, { seq, body }) {
      const key = nameOf(conversation);
      await client.run('publish', [key], [seq, body, key, FEED_LENGTH, feedMs]);
    },

    async follow(conversation, afterSeq, onEvent) {
      const key = nameOf(conversation);
      const follower = { key, onEvent, lastSeq: afterSeq, stopped: false, reading: false, again: false };
      const those = followers.get(key) ?? new Set();
      followers.set(key, those.add(follower));
      try {
        await confirmed(subscriber.subscribe(key));
        await catchUp(follower);
      } catch (error) {
        stop(follower);
        throw error;
      }
      return () => stop(follower);
    },

    async forget(conversation) {
      await confirmed(client.commands.del(nameOf(conversation)));
    },

    async close() {
      closed = true;
      clearTimeout(reopening);
      clearInterval(pinging);
      subscriber.disconnect();
    },
  };
}

function show(follower: Follower, event: FeedEvent): void {
  if (follower.stopped || event.seq <= follower.lastSeq) return;
  follower.lastSeq = event.seq;
  follower.onEvent(event);
}

/** Stored and told as 'seq:body' (publish.lua). */
function eventOf(stored: Buffer): FeedEvent {
  const colon = stored.indexOf(':');
  return { seq: Number(stored.toString('latin1', 0, colon)), body: stored.subarray(colon + 1) };
}
