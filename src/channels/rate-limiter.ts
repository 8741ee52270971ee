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
  readonly runtime?: Pick<Runtime, 'nowMs' | 'monotonicMs' | 'timer' | 'random'> | undefined;
};

/**
 * The bucket refills at this share of the limit and holds the rest, so no second exceeds the limit.
 */
const REFILL_SHARE = 0.9;
/** The longest wait of a message within a turn, and the most messages that wait. Others are postponed. */
const MAX_WAIT_MS = 1500;
const MAX_WAITING = 20;
/** A postponed message asks again after at least this time. */
const AGAIN_MS = 500;
/** An older reply was postponed before, so it does not go to the end of the queue again. */
const OLD_MS = 2000;
/** Telegram's limit of one group (core.telegram.org/bots/faq). */
const GROUP_PER_MINUTE = 20;
const MAX_CHATS = 20_000;
/** A longer pause is ignored: no reply waits for so long. */
const MAX_PAUSE_MS = 24 * 60 * 60_000;
/** If the platform refuses this many chats within a second, it limits the whole bot, not one chat. */
const BOT_REFUSALS = 3;

type Waiting = SendRequest & { readonly askedMs: number; decide(afterMs: number): void };

/**
 * Limits the messages that this process sends to a platform: a token bucket for all, a burst for each chat,
 * twenty a minute for a group. Several processes share the platform's limit, so the operator divides it. Over
 * the limit, the platform answers 429 and the message waits. The limiter is cheap until the limit is near.
 *
 * @example
 * const afterMs = await limiter.take({ chat: '475', isGroup: false, isReceipt: false, madeAtMs });
 * if (afterMs > 0) return putOff(afterMs);
 * const delivery = await send();
 * if (delivery.kind === 'throttled') limiter.refused('475', delivery.afterMs ?? 1000);
 */
export class RateLimiter {
  readonly #options: RateLimiterOptions;
  readonly #runtime: Pick<Runtime, 'nowMs' | 'monotonicMs' | 'timer' | 'random'>;
  /** Time that one message takes in the bucket, and the time that the bucket holds (GCRA). */
  readonly #messageMs: number;
  readonly #bucketMs: number;
  /** When the bucket is empty again, monotonic. */
  #emptyMs = 0;
  /** The next free slot for a postponed message, monotonic. */
  #nextSlotMs = 0;
  #isTimerSet = false;
  /** The most urgent first: receipts, then the oldest replies. */
  readonly #waiting: Waiting[] = [];
  readonly #chats: SlidingWindow;
  readonly #groups: SlidingWindow;
  /** The chats that were refused within the last second, and the time of the first refusal. */
  readonly #refused = new Set<string>();
  #refusedMs = 0;

  constructor(options: RateLimiterOptions) {
    const { perSecond, chatBurst, runtime = systemRuntime } = options;
    this.#options = options;
    this.#runtime = runtime;
    this.#messageMs = 1000 / (REFILL_SHARE * perSecond);
    this.#bucketMs = Math.max(1000 / REFILL_SHARE - 1000, this.#messageMs);
    this.#chats = new SlidingWindow(chatBurst, 1000);
    this.#groups = new SlidingWindow(GROUP_PER_MINUTE, 60_000);
  }

  /** Returns 0 if the message may be sent now, else how long to postpone it, ms; it asks again then. */
  take(request: SendRequest): number | Promise<number> {
    const nowMs = this.#runtime.monotonicMs();
    const { chat, isGroup } = request;
    const chatMs = Math.max(this.#chats.waitMs(chat, nowMs), isGroup ? this.#groups.waitMs(chat, nowMs) : 0);
    if (chatMs > 0) return chatMs;
    if (this.#waiting.length === 0 && this.#bucketWaitMs(nowMs) <= 0)
      return this.#send(request, nowMs, nowMs);
    return new Promise((decide) => this.#join({ ...request, askedMs: nowMs, decide }));
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
    this.#emptyMs = Math.max(this.#emptyMs, nowMs + afterMs + this.#bucketMs);
  }

  #bucketWaitMs(nowMs: number): number {
    return this.#emptyMs - this.#bucketMs - nowMs;
  }

  #send({ chat, isGroup, madeAtMs }: SendRequest, askedMs: number, nowMs: number): 0 {
    this.#emptyMs = Math.max(this.#emptyMs, nowMs) + this.#messageMs;
    this.#chats.add(chat, nowMs);
    if (isGroup) this.#groups.add(chat, nowMs);
    const ageMs = this.#runtime.nowMs() - madeAtMs;
    this.#options.onSend((nowMs - askedMs + (ageMs > OLD_MS ? ageMs : 0)) / 1000);
    return 0;
  }

  #join(request: Waiting): void {
    const behind = this.#waiting.findIndex((other) => isMoreUrgent(request, other));
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, request);
    const firstMs = this.#bucketWaitMs(this.#runtime.monotonicMs());
    const fitting = Math.floor((MAX_WAIT_MS - firstMs) / this.#messageMs);
    for (const late of this.#waiting.splice(Math.max(0, Math.min(fitting, MAX_WAITING))))
      this.#putOff(late, firstMs);
    this.#serveLater();
  }

  /** Receipts and old replies come back soon. Other replies get slots: they do not come back together. */
  #putOff({ isReceipt, madeAtMs, decide }: Waiting, firstMs: number): void {
    const nowMs = this.#runtime.monotonicMs();
    const soonMs = Math.max(0, firstMs - MAX_WAIT_MS) + AGAIN_MS * (1 + this.#runtime.random());
    if (isReceipt || this.#runtime.nowMs() - madeAtMs > OLD_MS) {
      decide(Math.round(soonMs));
      return;
    }
    this.#nextSlotMs = Math.max(nowMs, this.#nextSlotMs) + this.#messageMs;
    decide(Math.round(Math.max(soonMs, this.#nextSlotMs - nowMs)));
  }

  #serveLater(): void {
    if (this.#isTimerSet || this.#waiting.length === 0) return;
    this.#isTimerSet = true;
    this.#runtime.timer(Math.max(0, Math.ceil(this.#bucketWaitMs(this.#runtime.monotonicMs()))), () =>
      this.#serve(),
    );
  }

  #serve(): void {
    this.#isTimerSet = false;
    const nowMs = this.#runtime.monotonicMs();
    while (this.#waiting.length > 0 && this.#bucketWaitMs(nowMs) <= 0) {
      const next = this.#waiting.shift();
      const chatMs = next ? this.#chats.waitMs(next.chat, nowMs) : 0;
      if (next) next.decide(chatMs > 0 ? chatMs : this.#send(next, next.askedMs, nowMs));
    }
    this.#serveLater();
  }
}

function isMoreUrgent(one: SendRequest, other: SendRequest): boolean {
  if (one.isReceipt !== other.isReceipt) return one.isReceipt;
  return one.madeAtMs < other.madeAtMs;
}

/** Limits the messages to a chat within any `ms`. Times are monotonic. */
class SlidingWindow {
  readonly #most: number;
  readonly #ms: number;
  /** When each of a chat's last messages leaves the window. */
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
