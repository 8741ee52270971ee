import { LRUCache } from 'lru-cache';
import type { Observe } from '../observability/metrics.ts';
import { type Runtime, systemRuntime } from '../runtime.ts';

/** A message to be sent. `madeAtMs`: when the reply was made, epoch ms. */
export type SendRequest = {
  readonly chat: string;
  readonly isGroup: boolean;
  readonly isReceipt: boolean;
  readonly madeAtMs: number;
};

export type RateLimiterOptions = {
  /** The limits of this process: messages a second, and to one chat in a second. */
  readonly perSecond: number;
  readonly chatBurst: number;
  readonly channel: string;
  readonly observe: Pick<Observe, 'paced'>;
  readonly runtime?: Pick<Runtime, 'nowMs' | 'monotonicMs'> | undefined;
};

/** Of the limit, when many wait. The rest is for receipts. */
const REPLY_SHARE = 0.8;
/** So old a slot may still be used. */
const BURST_MS = 200;
/** Telegram's limit (core.telegram.org/bots/faq). */
const GROUP_PER_MINUTE = 20;
const MAX_CHATS = 20_000;
/** No reply waits for longer. */
const MAX_PAUSE_MS = 24 * 60 * 60_000;
/** The chats refused within a second that show a limit of the whole bot, not of single people. */
const botRefusals = (perSecond: number): number => Math.max(3, perSecond / 5);

/**
 * Limits the messages of this process, and those to one chat. Each takes a time slot. A reply waits for its
 * slot, so that none overtakes it; a receipt does not wait.
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #runtime: Pick<Runtime, 'nowMs' | 'monotonicMs'>;
  /** How many more messages a chat may get until `endsMs`. All times are monotonic. */
  readonly #windows = new LRUCache<string, { readonly endsMs: number; left: number }>({ max: MAX_CHATS });
  /** When the reply of a chat may be sent. A chat waits with one at a time. */
  readonly #slots = new LRUCache<string, number>({ max: MAX_CHATS });
  /** The next free slot. */
  #freeMs = Number.NEGATIVE_INFINITY;
  /** Nothing is sent until then. */
  #pausedMs = 0;
  /** The chats refused within the last second, and the first time. */
  readonly #refused = new Set<string>();
  #refusedMs = 0;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#runtime = options.runtime ?? systemRuntime;
  }

  /** How long to wait before asking again, ms; 0: it may be sent now. */
  take({ chat, isGroup, isReceipt, madeAtMs }: SendRequest): number {
    const { perSecond, chatBurst, channel, observe } = this.#options;
    const nowMs = this.#runtime.monotonicMs();
    let window = this.#windows.get(chat);
    if (!window || window.endsMs <= nowMs) {
      window = isGroup
        ? { endsMs: nowMs + 60_000, left: GROUP_PER_MINUTE }
        : { endsMs: nowMs + 1000, left: chatBurst };
      this.#windows.set(chat, window);
    }
    const blockedMs = Math.max(this.#pausedMs, window.left > 0 ? 0 : window.endsMs);
    if (blockedMs > nowMs) return Math.ceil(blockedMs - nowMs);
    const booked = this.#slots.get(chat);
    const slotMs = booked ?? Math.max(nowMs - BURST_MS, this.#freeMs);
    if (booked === undefined) this.#freeMs = slotMs + 1000 / (REPLY_SHARE * perSecond);
    if (slotMs > nowMs && !isReceipt) {
      this.#slots.set(chat, slotMs);
      return Math.ceil(slotMs - nowMs);
    }
    this.#slots.delete(chat);
    window.left -= 1;
    observe.paced(booked === undefined ? 0 : (this.#runtime.nowMs() - madeAtMs) / 1000, channel);
    return 0;
  }

  /** The platform refused a message: the chat pauses, or all if many are refused. */
  refused(chat: string, afterMs: number): void {
    if (afterMs >= MAX_PAUSE_MS) return;
    const nowMs = this.#runtime.monotonicMs();
    this.#windows.set(chat, { endsMs: nowMs + afterMs, left: 0 });
    if (nowMs - this.#refusedMs > 1000) {
      this.#refused.clear();
      this.#refusedMs = nowMs;
    }
    this.#refused.add(chat);
    if (this.#refused.size < botRefusals(this.#options.perSecond)) return;
    this.#pausedMs = nowMs + afterMs;
    // All who wait get new slots after the pause.
    this.#slots.clear();
    this.#freeMs = Math.max(this.#freeMs, this.#pausedMs);
  }
}
