import { setTimeout as sleep } from 'node:timers/promises';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';

type WatchOptions = {
  readonly channel: string;
  /** Looks at the platform and resolves to its faults (`Channel.faults`). Must not reject. */
  readonly check: () => Promise<readonly string[]>;
  readonly observe: Observe;
  /** The pause between two checks, ms. */
  readonly everyMs?: number | undefined;
};

/** Short enough that a fault shows within a minute, with the deadlines of a check's calls. */
const CHECK_EVERY_MS = 25_000;
const ALARM_EVERY_MS = 60_000;
/** A start waits this long, so that the greeting can say what was found. */
const FIRST_MS = 2_000;

/** Looks at a platform in the background. A fault raises an alarm and sets the metric. */
export class Watch {
  readonly #options: WatchOptions;
  readonly #stopping = new AbortController();
  readonly #alarm: () => void;
  #faults: readonly string[] = [];

  constructor(options: WatchOptions) {
    const { channel, observe } = options;
    this.#options = options;
    this.#alarm = atMostEvery(ALARM_EVERY_MS, () =>
      observe.alarm('channel_out_of_order', { channel, faults: this.#faults.join('; ') }),
    );
  }

  /** The faults that the last check found; empty before the first. */
  readonly faults = (): readonly string[] => this.#faults;

  /** Resolves after the first check, or after `FIRST_MS`. Never rejects. */
  async start(): Promise<void> {
    const first = this.#check();
    void this.#keepChecking(first);
    await Promise.race([first, pause(FIRST_MS, this.#stopping.signal)]);
  }

  /** No later check counts. */
  stop(): void {
    this.#stopping.abort();
  }

  async #keepChecking(first: Promise<void>): Promise<void> {
    const { everyMs = CHECK_EVERY_MS } = this.#options;
    const { signal } = this.#stopping;
    for (await first; !signal.aborted; await this.#check()) await pause(everyMs, signal);
  }

  async #check(): Promise<void> {
    const { channel, check, observe } = this.#options;
    const faults = await check();
    if (this.#stopping.signal.aborted) return;
    const isMended = this.#faults.length > 0 && faults.length === 0;
    if (isMended) observe.log.info({ channel }, 'the channel is in order again');
    this.#faults = faults;
    observe.channel(channel, faults.length === 0);
    if (faults.length > 0) this.#alarm();
  }
}

/** Waits for 24 days at most, or until `signal` is aborted. Keeps no process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(Math.min(ms, 2 ** 31 - 1), undefined, { signal, ref: false }).catch(() => {});
}
