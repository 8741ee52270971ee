import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { CircuitBreaker, type Permit } from '../resilience/circuit-breaker.ts';
import type { Runtime } from '../runtime.ts';
import type { Delivery } from './messages.ts';

/** How many of the last sends count, and how many there must be to judge by. */
const WINDOW = 20;
const MIN_RESULTS = 3;

/** While most sends fail, one goes out each time this has passed, as a probe. */
const PROBE_MS = 5000;
const ALARM_EVERY_MS = 60_000;

/**
 * A circuit breaker for one channel's platform, judged by the sends of this process. While most sends fail
 * (`delivery_failing`), only probes go out, so that a long outage does not use up the tries of replies. A
 * probe that succeeds closes the breaker. Times are epoch ms by the store's clock.
 */
export class Outage {
  /** When this process last delivered anything to anybody. */
  lastDeliveredMs = -1;
  readonly #breaker: CircuitBreaker;
  #nextProbeMs = 0;

  constructor(
    channel: string,
    observe: Pick<Observe, 'alarm' | 'failing' | 'log'>,
    runtime: Pick<Runtime, 'monotonicMs'>,
  ) {
    const alarmFailing = (): void => observe.alarm('delivery_failing', { channel });
    const alarm = atMostEvery(ALARM_EVERY_MS, alarmFailing, runtime.monotonicMs);
    this.#breaker = new CircuitBreaker({
      window: WINDOW,
      minResults: MIN_RESULTS,
      onState(state) {
        if (state === 'half-open') return;
        if (state === 'open') alarm();
        else observe.log.info({ channel }, 'replies are delivered again');
        observe.failing(channel, state === 'open');
      },
    });
    observe.failing(channel, false);
  }

  /** Null: the next probe is not due. After a permit, `note` must follow. */
  admit(nowMs: number): Permit | null {
    const permit = this.#breaker.admit();
    if (permit !== null || nowMs < this.#nextProbeMs) return permit;
    const probe = this.#breaker.admitProbe();
    if (probe !== null) this.#nextProbeMs = nowMs + PROBE_MS;
    return probe;
  }

  note(permit: Permit, { kind }: Delivery, nowMs: number): void {
    const isProbe = this.#breaker.state === 'half-open';
    if (kind === 'delivered') this.lastDeliveredMs = Math.max(this.lastDeliveredMs, nowMs);
    // A platform that throttles works. A refused token has another alarm.
    if (!isProbe && (kind === 'throttled' || kind === 'unauthorized')) return;
    const isFailure = kind === 'undelivered' || kind === 'uncertain' || kind === 'unauthorized';
    this.#breaker.note(permit, isFailure);
  }
}
