import type { Runtime, Timer } from '../runtime.ts';
import type { Feed, FeedEvent } from './port.ts';

/** Where the events of a feed are kept. Methods reject with `StoreUnavailable`. */
export interface EventLog {
  /** Appends an event, as `Feed.publish` does. */
  append(conversation: string, event: FeedEvent, forget: boolean): Promise<void>;
  /** The stored events with a seq above `afterSeq`, in order. */
  read(conversation: string, afterSeq: number): Promise<readonly FeedEvent[]>;
}

type Follower = { show(): Promise<void>; stop(): void };

/** How a feed looks for events. */
export type FeedOptions = {
  readonly runtime: Pick<Runtime, 'timer'>;
  /** How often followers look for events of other processes, ms. Absent: there are no other processes. */
  readonly pollMs?: number;
};

/**
 * A feed that reads: its followers see what this process publishes at once, and what other processes publish
 * when they next look.
 */
export class PolledFeed implements Feed {
  readonly #log: EventLog;
  readonly #options: FeedOptions;
  readonly #followers = new Map<string, Set<Follower>>();

  constructor(log: EventLog, options: FeedOptions) {
    this.#log = log;
    this.#options = options;
  }

  async publish(conversation: string, event: FeedEvent, { forget } = { forget: false }): Promise<void> {
    await this.#log.append(conversation, event, forget);
    // If this read fails, the next look finds the event.
    for (const follower of this.#followers.get(conversation) ?? []) follower.show().catch(() => {});
  }

  async follow(conversation: string, afterSeq: number, onEvent: (event: FeedEvent) => void) {
    const { runtime, pollMs } = this.#options;
    const group = this.#followers.get(conversation) ?? new Set();
    let lastSeq = afterSeq;
    let timer: Timer | undefined;
    const follower: Follower = {
      // Two reads may overlap: each of them shows only what is newer than all that was shown.
      show: async () => {
        for (const event of await this.#log.read(conversation, lastSeq)) {
          if (event.seq <= lastSeq || !group.has(follower)) continue;
          lastSeq = event.seq;
          onEvent(event);
        }
      },
      stop: () => {
        timer?.cancel();
        group.delete(follower);
        if (group.size === 0) this.#followers.delete(conversation);
      },
    };
    const lookLater = (): void => {
      if (pollMs === undefined || !group.has(follower)) return;
      timer = runtime.timer(
        pollMs,
        () =>
          void follower
            .show()
            .catch(() => {})
            .then(lookLater),
      );
    };
    this.#followers.set(conversation, group.add(follower));
    try {
      await follower.show();
    } catch (error) {
      follower.stop();
      throw error;
    }
    lookLater();
    return () => follower.stop();
  }

  async close(): Promise<void> {
    for (const group of this.#followers.values()) for (const follower of group) follower.stop();
  }
}
