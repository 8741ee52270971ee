import type { Runtime } from '../runtime.ts';
import type { Feed, FeedEvent } from './port.ts';

/** Where the events of a feed are kept. Methods reject with `StoreUnavailable`. */
export interface EventLog {
  /** Appends an event, as `Feed.publish` does. */
  append(conversation: string, event: FeedEvent, forget: boolean): Promise<void>;
  /** The stored events with a seq above `afterSeq`, in order. */
  read(conversation: string, afterSeq: number): Promise<readonly FeedEvent[]>;
}

type FeedOptions = {
  readonly runtime: Pick<Runtime, 'timer'>;
  /** How often followers look for events of other processes, ms. Absent: there are none. */
  readonly pollMs?: number;
};

type Follower = { readonly conversation: string; readonly show: () => Promise<void> };

/**
 * A feed that reads: its followers see what this process publishes at once, and what other processes publish
 * when they next look.
 */
export class PolledFeed implements Feed {
  readonly #log: EventLog;
  readonly #options: FeedOptions;
  readonly #followers = new Set<Follower>();

  constructor(log: EventLog, options: FeedOptions) {
    this.#log = log;
    this.#options = options;
  }

  async publish(conversation: string, event: FeedEvent, { forget } = { forget: false }): Promise<void> {
    await this.#log.append(conversation, event, forget);
    for (const follower of this.#followers) {
      // If this read fails, the next look finds the event.
      if (follower.conversation === conversation) follower.show().catch(() => {});
    }
  }

  async follow(conversation: string, afterSeq: number, onEvent: (event: FeedEvent) => void) {
    let lastSeq = afterSeq;
    // Two reads may overlap: each of them shows only what is newer than all that was shown.
    const show = async (): Promise<void> => {
      for (const event of await this.#log.read(conversation, lastSeq)) {
        if (event.seq <= lastSeq || !this.#followers.has(follower)) continue;
        lastSeq = event.seq;
        onEvent(event);
      }
    };
    const follower = { conversation, show };
    const unfollow = (): void => void this.#followers.delete(follower);
    this.#followers.add(follower);
    try {
      await show();
    } catch (error) {
      unfollow();
      throw error;
    }
    this.#showLater(follower);
    return unfollow;
  }

  async close(): Promise<void> {
    this.#followers.clear();
  }

  #showLater(follower: Follower): void {
    const { runtime, pollMs } = this.#options;
    if (pollMs === undefined || !this.#followers.has(follower)) return;
    runtime.timer(pollMs, async () => {
      await follower.show().catch(() => {});
      this.#showLater(follower);
    });
  }
}
