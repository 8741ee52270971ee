import { setTimeout as sleep } from 'node:timers/promises';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';

export type WatchOptions = {
  /** The channel's name. */
  readonly channel: string;
  /**
   * Looks at the platform and resolves to its faults: a line each, with what is wrong and what to do, without
   * a token or a secret. Must not reject.
   */
  readonly check: () => Promise<readonly string[]>;
  readonly observe: Observe;
  /** Time between the end of a check and the next one, ms. */
  readonly everyMs?: number | undefined;
};

/** A watch over a platform. */
export type Watch = {
  /** Begins to look repeatedly. Resolves after the first check, or after `FIRST_MS`. Never rejects. */
  start(): Promise<void>;
  /** No later check counts. */
  stop(): void;
  /** The faults that the last check found; empty before the first. */
  faults(): readonly string[];
};

/** With the deadlines of a check's calls, a fault shows within a minute. */
const CHECK_EVERY_MS = 25_000;
const ALARM_EVERY_MS = 60_000;
/** A start waits this long for the first check, so that the greeting can say what it found. */
const FIRST_MS = 2_000;

/** Looks at a platform in the background. A fault raises an alarm, sets the metric and shows in `faults`. */
export function createWatch({ channel, check, observe, everyMs = CHECK_EVERY_MS }: WatchOptions): Watch {
  const stopping = new AbortController();
  const { signal } = stopping;
  let found: readonly string[] = [];
  const alarm = atMostEvery(ALARM_EVERY_MS, () =>
    observe.alarm('channel_out_of_order', { channel, faults: found.join('; ') }),
  );

  async function look(): Promise<void> {
    const faults = await check();
    if (signal.aborted) return;
    if (found.length > 0 && faults.length === 0)
      observe.log.info({ channel }, 'the channel is in order again');
    found = faults;
    observe.channel(channel, faults.length === 0);
    if (faults.length > 0) alarm();
  }

  async function keepLooking(first: () => void): Promise<void> {
    while (!signal.aborted) {
      await look();
      first();
      await pause(everyMs, signal);
    }
  }

  return {
    async start() {
      const first = Promise.withResolvers<void>();
      void keepLooking(first.resolve);
      await Promise.race([first.promise, pause(FIRST_MS, signal)]);
    },
    stop: () => stopping.abort(),
    faults: () => found,
  };
}

/** Resolves early, and never rejects, when `signal` is aborted. Keeps no process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {});
}
