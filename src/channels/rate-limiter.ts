import { LRUCache } from 'lru-cache';
import { type Runtime, systemRuntime } from '../runtime.ts';

/** A message to be sent. `madeAtMs`: when the reply was made, epoch ms. */
export type SendRequest = {
  readonly chat: string;
  readonly isGroup: boolean;
  readonly isReceipt: boolean;
  readonly madeAtMs: number;
};

export type RateLimiterOptions = {
  /** The platform's limits for this process: messages a second, and messages a second to one chat. */
  readonly perSecond: number;
  readonly chatBurst: number;
  /** Called for each message that may be sent, with its wait. */
  onSend(seconds: number): void;
  readonly runtime?: Pick<Runtime, 'nowMs' | 'monotonicMs'> | undefined;
};

/** The share of the limit that replies use when many wait. The rest is for receipts. */
const REPLY_SHARE = 0.8;
/** Unused slots of the last moment are left for a burst. With it, replies alone never reach the limit. */
const BURST_MS = 200;
/** Telegram's limit of one group (core.telegram.org/bots/faq). */
const GROUP_PER_MINUTE = 20;
const MAX_CHATS = 20_000;
/** A longer pause is ignored: no reply waits for so long. */
const MAX_PAUSE_MS = 24 * 60 * 60_000;
/** If the platform refuses this many chats within a second, it limits the whole bot, not one chat. */
const BOT_REFUSALS = 3;

/**
 * Limits the messages that this process sends to a platform: in any second, to one chat in a second, to a
 * group in a minute. A reply over the limit gets a time slot, so that later replies do not overtake it.
 * Receipts need no slot. Several processes share the platform's limit, so the operator divides it. Over the
 * limit, the platform answers 429 and the message waits.
 *
 * @example
 * const afterMs = limiter.take({ chat: '475', isGroup: false, isReceipt: false, madeAtMs });
 * if (afterMs > 0) return putOff(afterMs);
 * const delivery = await send();
 * if (delivery.kind === 'throttled') limiter.refused('475', delivery.afterMs ?? 1000);
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #runtime: Pick<Runtime, 'nowMs' | 'monotonicMs'>;
  readonly #all: SlidingWindow;
  readonly #chats: SlidingWindow;
  readonly #groups: SlidingWindow;
  /** When the reply of a chat may be sent, monotonic. A chat has one reply on its way at a time. */
  readonly #slots = new LRUCache<string, number>({ max: MAX_CHATS });
  /** The next free slot, monotonic. */
  #freeMs = Number.NEGATIVE_INFINITY;
  /** The chats that were refused within the last second, and the time of the first refusal. */
  readonly #refused = new Set<string>();
  #refusedMs = 0;

  constructor(options: RateLimiterOptions) {
    this.#options = options;
    this.#runtime = options.runtime ?? systemRuntime;
    this.#all = new SlidingWindow(options.perSecond, 1000);
    this.#chats = new SlidingWindow(options.chatBurst, 1000);
    this.#groups = new SlidingWindow(GROUP_PER_MINUTE, 60_000);
  }

  /** Returns 0 if the message may be sent now, else how long to postpone it, ms; it asks again then. */
  take({ chat, isGroup, isReceipt, madeAtMs }: SendRequest): number {
    const nowMs = this.#runtime.monotonicMs();
    const chatMs = Math.max(this.#chats.waitMs(chat, nowMs), isGroup ? this.#groups.waitMs(chat, nowMs) : 0);
    if (chatMs > 0) return chatMs;
    const booked = this.#slots.get(chat);
    let slotMs = booked ?? nowMs;
    if (booked === undefined && !isReceipt) {
      slotMs = Math.max(nowMs - BURST_MS, this.#freeMs);
      this.#freeMs = slotMs + 1000 / (REPLY_SHARE * this.#options.perSecond);
    }
    const waitMs = Math.max(Math.ceil(slotMs - nowMs), this.#all.waitMs('', nowMs));
    if (waitMs > 0) {
      if (!isReceipt) this.#slots.set(chat, slotMs);
      return waitMs;
    }
    this.#slots.delete(chat);
    this.#all.add('', nowMs);
    this.#chats.add(chat, nowMs);
    if (isGroup) this.#groups.add(chat, nowMs);
    this.#options.onSend(booked === undefined ? 0 : (this.#runtime.nowMs() - madeAtMs) / 1000);
    return 0;
  }

  /** The platform refused a message for `afterMs`. The chat pauses; all chats pause if many are refused. */
  refused(chat: string, afterMs: number): void {
    if (afterMs >= MAX_PAUSE_MS) return;
    const nowMs = this.#runtime.monotonicMs();
    this.#chats.pause(chat, nowMs + afterMs);
    if (nowMs - this.#refusedMs > 1000) {
      this.#refused.clear();
      this.#refusedMs = nowMs;
    }
    this.#refused.add(chat);
    if (this.#refused.size < BOT_REFUSALS) return;
    this.#all.pause('', nowMs + afterMs);
    // All who wait get new slots after the pause, so that they do not come back together.
    this.#slots.clear();
    this.#freeMs = Math.max(this.#freeMs, nowMs + afterMs);
  }
}

/** Limits the messages to a chat within any `ms`. Times are monotonic. */
class SlidingWindow {
  readonly #most: number;
  readonly #ms: number;
  /** When each of a chat's last messages leaves the window. */
  readonly #ends = new LRUCache<string, number[]>({ max: MAX_CHATS });

  constructor(most: number, ms: number) {
    this.#most = most;
    this.#ms = ms;
  }

  waitMs(chat: string, nowMs: number): number {
    const ends = this.#ends.get(chat);
    if (ends === undefined || ends.length < this.#most) return 0;
    return Math.ceil(Math.max(0, (ends[0] ?? 0) - nowMs));
  }

  add(chat: string, nowMs: number): void {
    const ends = this.#ends.get(chat);
    if (ends === undefined) {
      this.#ends.set(chat, [nowMs + this.#ms]);
      return;
    }
    // In place: the window of all chats may have thousands.
    ends.push(nowMs + this.#ms);
    if (ends.length > this.#most) ends.shift();
  }

  pause(chat: string, untilMs: number): void {
    this.#ends.set(chat, Array(this.#most).fill(untilMs));
  }
}
