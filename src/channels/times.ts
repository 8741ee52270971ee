import type { Granted, Quota } from '../store/quota.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/** When messages of this process may leave. Times are monotonic, ms. */
export type Times = {
  /**
   * The next time, perhaps past; for one caller at a time, which could use `wanted` of them. Not `isTaken`: there is none
   * now, ask again at `atMs`.
   */
  next(wanted: number): Promise<{ readonly atMs: number; readonly isTaken: boolean }>;
  /** Lets a message leave at once where there is plenty; it is counted soon, together with others. */
  onCredit(): boolean;
  /** From one message of this process to its next, by its share of the last ones. */
  everyMs(): number;
  /** Nothing leaves for this long, ms. */
  pause(ms: number): void;
  /** When the last pause ends, as far as this process knows. */
  pausedUntilMs(): number;
};

/** Messages taken at once: of a sixth of a second at most, so that other processes do not wait for longer. */
const BLOCK_S = 1 / 6;
/** How many messages leave before they are counted (one, at 30 a second), and for how long. */
const CREDIT_S = 1 / 30;
const PAY_MS = 100;
/** A message may leave this long after its time. Later it would come too close to the next, and its time is lost. */
export const LATE_MS = 20;
/** A process that got little by chance assumes at most this many others. */
const MOST_PROCESSES = 16;
/** How long a process goes by its share after the quota could not be reached. */
const ALONE_MS = 1000;

export function createTimes(quota: Quota, perSecond: number): Times {
  const everyMs = 1000 / perSecond;
  const most = Math.ceil(perSecond * BLOCK_S);
  const credit = Math.ceil(perSecond * CREDIT_S);
  let times: number[] = [];
  let owed = 0;
  let willPay = false;
  let block = 1;
  let isUsedUp = true;
  /** More is wanted than the platform takes: no process takes times that it may not need. */
  let isScarce = false;
  let pausedUntilMs = 0;
  let aloneUntilMs = 0;
  let lastMs = 0;
  /** The second that we took from last: when it ends, and the last number known to be taken. */
  let secondEndMs = 0;
  let lastTaken = 0;
  /** Recent messages of ours and of all processes, from which a process knows its share. */
  let seen = { ours: 1, all: 1 };

  const shareMs = (): number => everyMs * Math.min(seen.all / seen.ours, MOST_PROCESSES);

  /** What is owed is taken before. */
  async function take(wanted: number): Promise<Granted> {
    const paid = owed;
    owed = 0;
    const { first, count, leftMs } = await quota.take(paid + wanted);
    return { first: first + paid, count: Math.max(0, count - paid), leftMs };
  }

  async function pay(): Promise<void> {
    willPay = false;
    if (owed === 0) return;
    try {
      const { first, leftMs } = await take(0);
      isScarce = leftMs - 1000 + (first - 1) * everyMs > everyMs * credit;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      aloneUntilMs = performance.now() + ALONE_MS;
    }
  }

  async function ask(wanted: number): Promise<void> {
    block = isUsedUp ? Math.min(2 * block, most) : Math.max(1, block >> 1);
    if (isScarce) block = Math.min(block, wanted);
    isUsedUp = true;
    const { first, count, leftMs } = await take(block);
    const nowMs = performance.now();
    const beganMs = nowMs + leftMs - 1000;
    times = Array.from({ length: count }, (_, index) => beganMs + (first + index - 1) * everyMs);
    const wasScarce = isScarce;
    isScarce = (times[0] ?? Number.POSITIVE_INFINITY) > nowMs + everyMs;
    learnShare(Math.min(first + block - 1, perSecond), count, nowMs, wasScarce && isScarce);
    secondEndMs = nowMs + leftMs;
    if (leftMs > 1000) pausedUntilMs = secondEndMs;
  }

  /** Between two times with nothing left over, other processes took what we did not. */
  function learnShare(last: number, ours: number, nowMs: number, isShared: boolean): void {
    if (nowMs >= secondEndMs) {
      seen = { ours: seen.ours / 2, all: seen.all / 2 };
      lastTaken = 0;
    }
    const all = isShared ? Math.max(last - lastTaken, ours) : ours;
    seen = { ours: seen.ours + ours, all: seen.all + all };
    lastTaken = last;
  }

  /** The next time by our share. */
  function alone(): void {
    times = [Math.max(performance.now(), lastMs + shareMs())];
  }

  async function refill(wanted: number): Promise<void> {
    if (performance.now() < aloneUntilMs) return alone();
    try {
      await ask(wanted);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      aloneUntilMs = performance.now() + ALONE_MS;
      alone();
    }
  }

  return {
    async next(wanted) {
      const staleMs = performance.now() - LATE_MS;
      const fresh = times.filter((atMs) => atMs >= staleMs);
      if (fresh.length < times.length) isUsedUp = false;
      times = fresh;
      if (times.length === 0 && performance.now() >= pausedUntilMs) await refill(wanted);
      const atMs = times.shift();
      lastMs = atMs ?? Math.max(secondEndMs, pausedUntilMs);
      return { atMs: lastMs, isTaken: atMs !== undefined };
    },
    onCredit() {
      if (isScarce || owed >= credit || performance.now() < Math.max(pausedUntilMs, aloneUntilMs))
        return false;
      owed += 1;
      if (!willPay) setTimeout(pay, PAY_MS).unref();
      willPay = true;
      return true;
    },
    everyMs: shareMs,
    pausedUntilMs: () => pausedUntilMs,
    pause(ms) {
      times = [];
      pausedUntilMs = performance.now() + ms;
    },
  };
}
