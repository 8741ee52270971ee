import { FEED_DEFAULTS, type Feed, type FeedEvent, type FeedOptions } from '../feed.ts';

type Log = {
  readonly events: { readonly event: FeedEvent; readonly untilMs: number }[];
  lastSeq: number;
  untilMs: number;
};

/** What a Redis would keep, for the feeds of this process. */
export type FeedMemory = ReturnType<typeof createFeedMemory>;

export function createFeedMemory(now: () => number = Date.now) {
  return {
    /** In order of the last event, so that the expired are found first. */
    logs: new Map<string, Log>(),
    followers: new Map<string, Set<(event: FeedEvent) => void>>(),
    now,
  };
}

/** The embedded feed; feeds that share a `memory` behave as processes that share a Redis. */
export function createMemoryFeed(options: FeedOptions = {}, memory: FeedMemory = createFeedMemory()): Feed {
  const { feedLength, feedMs } = { ...FEED_DEFAULTS, ...options };
  const { logs, followers, now } = memory;
  const mine = new Set<() => void>();

  function expire(): void {
    for (const [conversation, log] of logs) {
      if (log.untilMs > now()) return;
      logs.delete(conversation);
    }
  }

  return {
    async publish(conversation, event) {
      expire();
      const log = logs.get(conversation) ?? { events: [], lastSeq: 0, untilMs: 0 };
      if (event.seq <= log.lastSeq) return;
      log.lastSeq = event.seq;
      log.untilMs = now() + feedMs;
      log.events.push({ event, untilMs: log.untilMs });
      if (log.events.length > feedLength) log.events.shift();
      logs.delete(conversation);
      logs.set(conversation, log);
      for (const follower of followers.get(conversation) ?? []) follower(event);
    },

    async follow(conversation, afterSeq, onEvent) {
      for (const { event, untilMs } of logs.get(conversation)?.events ?? []) {
        if (event.seq > afterSeq && untilMs > now()) onEvent(event);
      }
      const live = (event: FeedEvent): void => {
        if (event.seq > afterSeq) onEvent(event);
      };
      const those = followers.get(conversation) ?? new Set();
      followers.set(conversation, those.add(live));
      const stop = (): void => {
        mine.delete(stop);
        those.delete(live);
        if (those.size === 0 && followers.get(conversation) === those) followers.delete(conversation);
      };
      mine.add(stop);
      return stop;
    },

    async forget(conversation) {
      const log = logs.get(conversation);
      if (log) log.events.length = 0;
    },

    async close() {
      for (const stop of [...mine]) stop();
    },
  };
}
