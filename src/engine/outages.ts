import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Delivery } from './messages.ts';
import type { World } from './world.ts';

/** How many of the last sends are looked at, and how many there must be to judge by. */
const WINDOW = 20;
const ENOUGH = 3;

/** While most sends fail, one is let through each time this has passed, to find out whether the platform is back. */
const PROBE_MS = 5000;
const ALARM_EVERY_MS = 60_000;

type Outage = {
  /** Whether the last sends failed, oldest first. */
  recent: boolean[];
  isFailing: boolean;
  isProbing: boolean;
  nextProbeMs: number;
  deliveredMs: number;
  alarm(): void;
};

/**
 * Whether each channel's platform works, judged by this process's sends. While most sends of a channel fail
 * (`delivery_failing`), only probes go out, so that a long outage spends no reply's tries. The first probe that succeeds
 * ends that. Times are epoch ms by the store's clock.
 *
 * @example
 * if (!outages.mayTry(channel, nowMs)) return 'held back';
 * outages.note(channel, await platform.deliver(outgoing, seq), nowMs);
 */
export class Outages {
  readonly #channels = new Map<string, Outage>();
  readonly #observe: Pick<Observe, 'alarm' | 'failing' | 'log'>;
  readonly #world: Pick<World, 'monotonicMs'>;

  constructor(observe: Pick<Observe, 'alarm' | 'failing' | 'log'>, world: Pick<World, 'monotonicMs'>) {
    this.#observe = observe;
    this.#world = world;
  }

  /** False: the channel fails, and it is no time for a probe. After true, `note` must follow. */
  mayTry(channel: string, nowMs: number): boolean {
    const outage = this.#of(channel);
    if (!outage.isFailing) return true;
    if (nowMs < outage.nextProbeMs || outage.isProbing) return false;
    outage.isProbing = true;
    outage.nextProbeMs = nowMs + PROBE_MS;
    return true;
  }

  /** A send has ended. */
  note(channel: string, { kind }: Delivery, nowMs: number): void {
    const outage = this.#of(channel);
    outage.isProbing = false;
    // A platform that throttles works; one that refuses our token has an alarm of its own.
    if (kind === 'throttled' || kind === 'unauthorized') return;
    const isFailed = kind === 'undelivered' || kind === 'uncertain';
    if (kind === 'delivered') outage.deliveredMs = Math.max(outage.deliveredMs, nowMs);
    if (outage.isFailing && !isFailed) {
      outage.isFailing = false;
      outage.recent = [];
      this.#observe.failing(channel, false);
      this.#observe.log.info({ channel }, 'replies are delivered again');
    }
    outage.recent.push(isFailed);
    if (outage.recent.length > WINDOW) outage.recent.shift();
    if (!isFailed || !failsMostly(outage.recent)) return;
    if (!outage.isFailing) this.#observe.failing(channel, true);
    outage.isFailing = true;
    outage.alarm();
  }

  /** Whether this process delivered anything to anybody since then. */
  worksSince(channel: string, sinceMs: number): boolean {
    return this.#of(channel).deliveredMs >= sinceMs;
  }

  #of(channel: string): Outage {
    const known = this.#channels.get(channel);
    if (known !== undefined) return known;
    const created: Outage = {
      ...{ recent: [], isFailing: false, isProbing: false, nextProbeMs: 0, deliveredMs: -1 },
      alarm: atMostEvery(
        ALARM_EVERY_MS,
        () => this.#observe.alarm('delivery_failing', { channel }),
        this.#world.monotonicMs,
      ),
    };
    this.#channels.set(channel, created);
    this.#observe.failing(channel, false);
    return created;
  }
}

const failsMostly = (recent: readonly boolean[]): boolean =>
  recent.length >= ENOUGH && 2 * recent.filter(Boolean).length > recent.length;
