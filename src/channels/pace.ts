import { setTimeout as delay } from 'node:timers/promises';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Quota } from '../store/quota.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { createLine } from './line.ts';
import { createTimes, LATE_MS } from './times.ts';

/** Where messages go. A group has a limit of its own, and says nothing about other chats. */
export type Chat = { readonly chat: string; readonly isGroup: boolean };

/** A message that wants to leave. `madeAtMs`: when the reply was made, epoch ms. */
export type Wish = Chat & { readonly isReceipt: boolean; readonly madeAtMs: number };

/**
 * The pace of a bot's messages, one over all processes, so that a platform with limits refuses few of them.
 *
 * @example
 * const chat = { chat: '475', isGroup: false };
 * const afterMs = await pace.take({ ...chat, isReceipt: false, madeAtMs: Date.now() });
 * if (afterMs > 0) return putOff(afterMs);
 * const delivery = await send();
 * if (delivery.kind === 'throttled') await pace.refused(chat, delivery.afterMs ?? 1000);
 */
export type Pace = {
  /**
   * Waits for its time to leave, a moment at most. Resolves to 0 then, or to how long the message should be put off (ms);
   * nothing is kept of it meanwhile, it asks anew. Receipts come first, then the oldest. Never rejects.
   */
  take(wish: Wish): Promise<number>;
  /**
   * The platform refused a message to this chat for `afterMs`: the chat pauses. Where it refused several private chats at
   * once, all pause, for the shorter wait, at most `MOST_PAUSE_MS`.
   */
  refused(chat: Chat, afterMs: number): Promise<void>;
};

export type PaceOptions = {
  openQuota(perSecond: number): Quota;
  /** What the platform takes: messages a second, and of those to one chat. */
  readonly perSecond: number;
  readonly chatBurst: number;
  /** A message may leave; `seconds` after it was made, or first asked. */
  onGo(seconds: number): void;
};

/** The share of the platform's limit that is used: some messages are late on their way, and come close to the next. */
const SAFE = 29 / 30;
/** A message that would wait for longer is put off, and so is one too many: at 30 a second, a third of a process's slots. */
const MOMENT_MS = 1500;
const MOST_S = 0.7;
/** A message that is put off comes back after this at least; the store may notice that it is due as much later. */
const AGAIN_MS = 500;
/** A reply of this age has been put off before. */
const OLD_MS = 2000;
/** What Telegram takes in one group. */
const GROUP_PER_MINUTE = 20;
/** A chat's wait may be its own and long; where the token is over its limit, refusals say so again after this. */
const MOST_PAUSE_MS = 10_000;
/** No reply waits for longer (`turns/retries.ts`): what comes behind the one that was refused tries for itself. */
const MOST_CHAT_MS = 24 * 60 * 60_000;
/** After a refusal, a message that would have to wait here for longer is put off at once. */
const LONG_MS = 1000;

type Waiting = Wish & { go(afterMs: number | Promise<number>): void };

export function createPace({ openQuota, perSecond, chatBurst, onGo }: PaceOptions): Pace {
  const safe = Math.max(1, Math.floor(perSecond * SAFE));
  const quota = openQuota(safe);
  const times = createTimes(quota, safe);
  const chats = new RateLimiterMemory({ points: chatBurst, duration: 1 });
  const groups = new RateLimiterMemory({ points: GROUP_PER_MINUTE, duration: 60 });
  const waiting: Waiting[] = [];
  const comesBack = createLine(quota, 1000 / safe, times.everyMs);
  /** When the last message is expected that does not stand in the line; monotonic. */
  const lastMs = { receipt: 0, again: 0 };
  let lastRefused = { chat: '', atMs: 0 };
  let isServing = false;

  /**
   * Most stand in one line over all processes. Receipts come back soon, and so do those whose place in the line came while
   * there was no room, or comes in a pause.
   */
  async function putOff({ isReceipt, madeAtMs }: Wish): Promise<number> {
    const isOld = Date.now() - madeAtMs > OLD_MS;
    let atMs = isReceipt ? soon('receipt') : isOld ? soon('again') : await comesBack();
    if (atMs < times.pausedUntilMs()) atMs = soon('again');
    return Math.round(Math.max(atMs - performance.now(), AGAIN_MS));
  }

  function soon(kind: keyof typeof lastMs): number {
    const earliestMs = Math.max(performance.now(), times.pausedUntilMs()) + AGAIN_MS;
    lastMs[kind] = Math.max(lastMs[kind] + 1000 / safe, earliestMs);
    return lastMs[kind];
  }

  function join(wish: Wish): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const behind = waiting.findIndex((other) => isBefore(wish, other));
    waiting.splice(behind < 0 ? waiting.length : behind, 0, { ...wish, go: resolve });
    shorten(Math.max(1, Math.round(Math.min(MOMENT_MS / times.everyMs(), MOST_S * safe))));
    void serve();
    return promise;
  }

  function shorten(room: number): void {
    for (const wish of waiting.splice(room)) wish.go(putOff(wish));
  }

  async function serve(): Promise<void> {
    if (isServing) return;
    isServing = true;
    while (waiting.length > 0) {
      const { atMs, isTaken } = await times.next(waiting.length);
      const waitMs = atMs - performance.now();
      if (waitMs > LONG_MS) shorten(0);
      else if (waitMs > 0) await delay(waitMs);
      if (!isTaken || performance.now() - atMs > LATE_MS) continue;
      waiting.shift()?.go(0);
    }
    isServing = false;
  }

  async function take(wish: Wish): Promise<number> {
    const nowMs = performance.now();
    const waitedMs = Math.max(0, Date.now() - wish.madeAtMs);
    for (let chatMs = await chatWait(wish); chatMs > 0; chatMs = await chatWait(wish)) {
      if (chatMs > LONG_MS) return chatMs;
      await delay(chatMs);
    }
    const afterMs = waiting.length === 0 && times.onCredit() ? 0 : await join(wish);
    if (afterMs > 0) return afterMs;
    onGo((performance.now() - nowMs + (waitedMs > OLD_MS ? waitedMs : 0)) / 1000);
    return 0;
  }

  async function chatWait({ chat, isGroup }: Chat): Promise<number> {
    try {
      await chats.consume(chat);
      if (isGroup) await groups.consume(chat);
      return 0;
    } catch (tooMany) {
      if (tooMany instanceof RateLimiterRes) return tooMany.msBeforeNext;
      throw tooMany;
    }
  }

  async function refused({ chat, isGroup }: Chat, afterMs: number): Promise<void> {
    if (afterMs < MOST_CHAT_MS) await chats.block(chat, Math.ceil(afterMs / 1000));
    const isSame = chat === lastRefused.chat && performance.now() - lastRefused.atMs < 1000;
    if (isGroup || isSame) return;
    lastRefused = { chat, atMs: performance.now() };
    const pauseMs = await pauseAfter(Math.min(afterMs, MOST_PAUSE_MS));
    if (pauseMs > 0) times.pause(pauseMs);
  }

  async function pauseAfter(afterMs: number): Promise<number> {
    try {
      return await quota.refused(afterMs);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      return afterMs;
    }
  }

  return { take, refused };
}

function isBefore(one: Wish, other: Wish): boolean {
  if (one.isReceipt !== other.isReceipt) return one.isReceipt;
  return one.madeAtMs < other.madeAtMs;
}
