import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { CircuitBreaker, type Permit } from '../resilience/circuit-breaker.ts';
import type { Runtime } from '../runtime.ts';
import type { Delivery } from './messages.ts';

/** How many of the last sends are looked at, and how many there must be to judge by. */
const WINDOW = 20;
const MIN_RESULTS = 3;

/** While most sends fail, one is let through each time this has passed, to find out whether the platform is back. */
const PROBE_MS = 5000;
const ALARM_EVERY_MS = 60_000;

type Outage = { readonly breaker: CircuitBreaker; nextProbeMs: number; deliveredMs: number };

/**
 * Whether each channel's platform works, judged by this process's sends. While most sends of a channel fail
 * (`delivery_failing`), only probes go out, so that a long outage spends no reply's tries. The first probe that succeeds
 * ends that. Times are epoch ms by the store's clock.
 *
 * @example
 * const permit = outages.admit(channel, nowMs);
 * if (permit === null) return 'held back';
 * outages.note(channel, permit, await platform.deliver(outgoing, seq), nowMs);
 */
export class Outages {
  readonly #channels = new Map<string, Outage>();
  readonly #observe: Pick<Observe, 'alarm' | 'failing' | 'log'>;
  readonly #runtime: Pick<Runtime, 'monotonicMs'>;

  constructor(observe: Pick<Observe, 'alarm' | 'failing' | 'log'>, runtime: Pick<Runtime, 'monotonicMs'>) {
    this.#observe = observe;
    this.#runtime = runtime;
  }

  /** Null: the channel fails, and it is no time for a probe. After a permit, `note` must follow. */
  admit(channel: string, nowMs: number): Permit | null {
    const outage = this.#of(channel);
    const permit = outage.breaker.admit();
    if (permit !== null || nowMs < outage.nextProbeMs) return permit;
    const probe = outage.breaker.admitProbe();
    if (probe !== null) outage.nextProbeMs = nowMs + PROBE_MS;
    return probe;
  }

  /** A send has ended. */
  note(channel: string, permit: Permit, { kind }: Delivery, nowMs: number): void {
    const outage = this.#of(channel);
    const isProbe = outage.breaker.state === 'half-open';
    if (kind === 'delivered') outage.deliveredMs = Math.max(outage.deliveredMs, nowMs);
    // A platform that throttles works; one that refuses our token has an alarm of its own.
    if (!isProbe && (kind === 'throttled' || kind === 'unauthorized')) return;
    const isFailure = kind === 'undelivered' || kind === 'uncertain' || kind === 'unauthorized';
    outage.breaker.note(permit, isFailure);
  }

  /** Whether this process delivered anything to anybody since then. */
  worksSince(channel: string, sinceMs: number): boolean {
    return this.#of(channel).deliveredMs >= sinceMs;
  }

  #of(channel: string): Outage {
    return this.#channels.get(channel) ?? this.#open(channel);
  }

  #open(channel: string): Outage {
    const observe = this.#observe;
    const tellFailing = (): void => observe.alarm('delivery_failing', { channel });
    const alarm = atMostEvery(ALARM_EVERY_MS, tellFailing, this.#runtime.monotonicMs);
    let isFailing = false;
    const breaker = new CircuitBreaker({
      ...{ window: WINDOW, minResults: MIN_RESULTS },
      onState(state) {
        if (state === 'half-open') return;
        if (state === 'open') alarm();
        else observe.log.info({ channel }, 'replies are delivered again');
        if (isFailing !== (state === 'open')) observe.failing(channel, !isFailing);
        isFailing = state === 'open';
      },
    });
    const opened = { breaker, nextProbeMs: 0, deliveredMs: -1 };
    this.#channels.set(channel, opened);
    observe.failing(channel, false);
    return opened;
  }
}
