import { LRUCache } from 'lru-cache';
import { type Runtime, systemRuntime } from '../runtime.ts';

/** Where messages go. A group has a limit of its own. */
export type Chat = { readonly chat: string; readonly isGroup: boolean };

/** A message that is to be sent. `madeAtMs`: when the reply was made, epoch ms. */
export type Wish = Chat & { readonly isReceipt: boolean; readonly madeAtMs: number };

export type RateLimiterOptions = {
  /** What the platform takes from this process: messages a second, and of those to one chat. */
  readonly perSecond: number;
  readonly chatBurst: number;
  /** A message may be sent, `seconds` after it was made or first asked for. */
  onSend(seconds: number): void;
  readonly runtime?: Pick<Runtime, 'nowMs' | 'monotonicMs' | 'timer' | 'random'> | undefined;
};

/** The bucket refills with this share of the limit and holds the rest, so that no second has more than the limit. */
const REFILLED = 0.9;
/** A message waits for at most this long within its turn, and at most so many messages wait; the rest is put off. */
const MAX_WAIT_MS = 1500;
const MAX_WAITING = 20;
/** A message that is put off asks again after this at least. */
const AGAIN_MS = 500;
/** A reply of this age was put off before: it does not go to the end of the line again. */
const OLD_MS = 2000;
/** Telegram's limit of one group (core.telegram.org/bots/faq). */
const GROUP_PER_MINUTE = 20;
const MAX_CHATS = 20_000;
/** No reply waits for longer: what comes behind the one that was refused tries for itself. */
const MAX_PAUSE_MS = 24 * 60 * 60_000;
/** So many chats refused within a second: the platform means the whole bot. */
const BOT_REFUSALS = 3;

type Waiting = Wish & { readonly askedMs: number; decide(afterMs: number): void };

/**
 * Limits the messages that this process sends to a platform: a token bucket for all, a burst for each chat, twenty a minute
 * for a group. Several processes share the platform's limit, so the operator divides it; over it, the platform answers 429
 * and the message waits. It costs nothing until the limit is near.
 *
 * @example
 * const afterMs = await limiter.take({ chat: '475', isGroup: false, isReceipt: false, madeAtMs });
 * if (afterMs > 0) return putOff(afterMs);
 * const delivery = await send();
 * if (delivery.kind === 'throttled') limiter.refused(chat, delivery.afterMs ?? 1000);
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #runtime: Pick<Runtime, 'nowMs' | 'monotonicMs' | 'timer' | 'random'>;
  /** One message fills the bucket for so long, and it holds so much (GCRA). */
  readonly #messageMs: number;
  readonly #bucketMs: number;
  /** When the bucket is empty again, monotonic. */
  #emptyMs = 0;
  /** The next place in the line of those that are put off. */
  #lineMs = 0;
  #isTimed = false;
  /** The most urgent first: receipts, then the oldest. */
  readonly #waiting: Waiting[] = [];
  readonly #chats: SlidingWindow;
  readonly #groups: SlidingWindow;
  /** Chats that were refused within the last second, and when the first of them was. */
  readonly #refused = new Set<string>();
  #refusedMs = 0;

  constructor(options: RateLimiterOptions) {
    const { perSecond, chatBurst, runtime = systemRuntime } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.#messageMs = 1000 / (REFILLED * perSecond);
    this.#bucketMs = Math.max(1000 / REFILLED - 1000, this.#messageMs);
    this.#chats = new SlidingWindow(chatBurst, 1000);
    this.#groups = new SlidingWindow(GROUP_PER_MINUTE, 60_000);
  }

  /** 0: the message may be sent now. Otherwise it is to be put off for so long (ms), and asks again then. */
  take(wish: Wish): number | Promise<number> {
    const nowMs = this.#runtime.monotonicMs();
    const { chat, isGroup } = wish;
    const chatMs = Math.max(this.#chats.waitMs(chat, nowMs), isGroup ? this.#groups.waitMs(chat, nowMs) : 0);
    if (chatMs > 0) return chatMs;
    if (this.#waiting.length === 0 && this.#bucketWaitMs(nowMs) <= 0) return this.#send(wish, nowMs, nowMs);
    return new Promise((decide) => this.#join({ ...wish, askedMs: nowMs, decide }));
  }

  /** The platform refused a message to this chat for `afterMs`: the chat pauses, or all where it refuses many chats. */
  refused({ chat }: Chat, afterMs: number): void {
    if (afterMs >= MAX_PAUSE_MS) return;
    const nowMs = this.#runtime.monotonicMs();
    this.#chats.pause(chat, nowMs + afterMs);
    if (nowMs - this.#refusedMs > 1000) {
      this.#refused.clear();
      this.#refusedMs = nowMs;
    }
    this.#refused.add(chat);
    if (this.#refused.size < BOT_REFUSALS) return;
    this.#emptyMs = Math.max(this.#emptyMs, nowMs + afterMs + this.#bucketMs);
  }

  #bucketWaitMs(nowMs: number): number {
    return this.#emptyMs - this.#bucketMs - nowMs;
  }

  #send({ chat, isGroup, madeAtMs }: Wish, askedMs: number, nowMs: number): 0 {
    this.#emptyMs = Math.max(this.#emptyMs, nowMs) + this.#messageMs;
    this.#chats.add(chat, nowMs);
    if (isGroup) this.#groups.add(chat, nowMs);
    const ageMs = this.#runtime.nowMs() - madeAtMs;
    this.#options.onSend((nowMs - askedMs + (ageMs > OLD_MS ? ageMs : 0)) / 1000);
    return 0;
  }

  #join(wish: Waiting): void {
    const behind = this.#waiting.findIndex((other) => isMoreUrgent(wish, other));
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, wish);
    const firstMs = this.#bucketWaitMs(this.#runtime.monotonicMs());
    const fitting = Math.floor((MAX_WAIT_MS - firstMs) / this.#messageMs);
    for (const late of this.#waiting.splice(Math.max(0, Math.min(fitting, MAX_WAITING))))
      this.#putOff(late, firstMs);
    this.#serveLater();
  }

  /** Receipts and old replies come back soon; all others stand in one line, so that they do not come back together. */
  #putOff({ isReceipt, madeAtMs, decide }: Waiting, firstMs: number): void {
    const nowMs = this.#runtime.monotonicMs();
    const soonMs = Math.max(0, firstMs - MAX_WAIT_MS) + AGAIN_MS * (1 + this.#runtime.random());
    if (isReceipt || this.#runtime.nowMs() - madeAtMs > OLD_MS) {
      decide(Math.round(soonMs));
      return;
    }
    this.#lineMs = Math.max(nowMs, this.#lineMs) + this.#messageMs;
    decide(Math.round(Math.max(soonMs, this.#lineMs - nowMs)));
  }

  #serveLater(): void {
    if (this.#isTimed || this.#waiting.length === 0) return;
    this.#isTimed = true;
    this.#runtime.timer(Math.max(0, Math.ceil(this.#bucketWaitMs(this.#runtime.monotonicMs()))), () =>
      this.#serve(),
    );
  }

  #serve(): void {
    this.#isTimed = false;
    const nowMs = this.#runtime.monotonicMs();
    while (this.#waiting.length > 0 && this.#bucketWaitMs(nowMs) <= 0) {
      const next = this.#waiting.shift();
      const chatMs = next ? this.#chats.waitMs(next.chat, nowMs) : 0;
      if (next) next.decide(chatMs > 0 ? chatMs : this.#send(next, next.askedMs, nowMs));
    }
    this.#serveLater();
  }
}

function isMoreUrgent(one: Wish, other: Wish): boolean {
  if (one.isReceipt !== other.isReceipt) return one.isReceipt;
  return one.madeAtMs < other.madeAtMs;
}

/** At most so many messages to a chat within any `ms`. Times are monotonic. */
class SlidingWindow {
  readonly #most: number;
  readonly #ms: number;
  /** When each of a chat's last messages is to be forgotten. */
  readonly #ends = new LRUCache<string, readonly number[]>({ max: MAX_CHATS });

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
    const ends = this.#ends.get(chat) ?? [];
    let first = Math.max(0, ends.length - this.#most + 1);
    while (first < ends.length && (ends[first] ?? 0) <= nowMs) first += 1;
    this.#ends.set(chat, [...ends.slice(first), nowMs + this.#ms]);
  }

  pause(chat: string, untilMs: number): void {
    this.#ends.set(chat, Array(this.#most).fill(untilMs));
  }
}
