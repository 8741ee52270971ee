/**
 * The port behind server-sent events and the staff webhook's answer: the last `FEED_LENGTH` events of a conversation,
 * until an hour after the latest, and news of each. Any process can follow what any other publishes.
 *
 * @example
 * const unfollow = await feed.follow(conversation, lastSeen, ({ seq, body }) => show(seq, body));
 * await feed.publish(conversation, { seq: 7, body });
 * unfollow();
 */
export interface Feed {
  /**
   * Appends an event and tells the followers. Idempotent by `seq`: an event whose seq is not above the last one
   * published is dropped, so that a delivery repeated after a crash is shown once.
   */
  publish(conversation: string, event: FeedEvent): Promise<void>;

  /**
   * Calls `onEvent` for every stored event with a seq above `afterSeq`, then for every new one, in order and once
   * each, until the returned function is called. Resolves when new events cannot be missed any more.
   */
  follow(conversation: string, afterSeq: number, onEvent: (event: FeedEvent) => void): Promise<() => void>;

  /** Drops the stored events of a conversation. Followers stay, numbers go on. */
  forget(conversation: string): Promise<void>;

  close(): Promise<void>;
}

/** `seq` is the outbox number of the reply; `body` is opaque sealed bytes. */
export type FeedEvent = { readonly seq: number; readonly body: Buffer };

/** How many events of a conversation are kept, and for how long after the latest. */
export const FEED_LENGTH = 100;
export const FEED_MS = 60 * 60 * 1000;

/** For one process. */
export function createMemoryFeed(feedMs = FEED_MS): Feed {
  /** In order of the last event, so that the expired are found first. */
  const logs = new Map<string, { events: FeedEvent[]; lastSeq: number; untilMs: number }>();
  const followers = new Map<string, Set<(event: FeedEvent) => void>>();

  function expire(): void {
    for (const [conversation, { untilMs }] of logs) {
      if (untilMs > Date.now()) return;
      logs.delete(conversation);
    }
  }

  return {
    async publish(conversation, event) {
      expire();
      const { events = [], lastSeq = 0 } = logs.get(conversation) ?? {};
      if (event.seq <= lastSeq) return;
      logs.delete(conversation);
      const kept = [...events, event].slice(-FEED_LENGTH);
      logs.set(conversation, { events: kept, lastSeq: event.seq, untilMs: Date.now() + feedMs });
      for (const follower of followers.get(conversation) ?? []) follower(event);
    },

    async follow(conversation, afterSeq, onEvent) {
      expire();
      const show = (event: FeedEvent): void => {
        if (event.seq > afterSeq) onEvent(event);
      };
      logs.get(conversation)?.events.forEach(show);
      const those = followers.get(conversation) ?? new Set();
      followers.set(conversation, those.add(show));
      return () => {
        those.delete(show);
        if (those.size === 0 && followers.get(conversation) === those) followers.delete(conversation);
      };
    },

    async forget(conversation) {
      const log = logs.get(conversation);
      if (log) log.events = [];
    },

    close: async () => followers.clear(),
  };
}
