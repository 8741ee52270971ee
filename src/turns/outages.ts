import { atMostEvery, type Observe } from '../observe.ts';
import type { Delivery } from './delivery.ts';

/** How many of the last sends are looked at, and how many there must be to judge by. */
const WINDOW = 20;
const ENOUGH = 3;

/** While most sends fail, one is let through each time this has passed, to find out whether the platform is back. */
const PROBE_MS = 5000;
const ALARM_EVERY_MS = 60_000;

/** The channel fails, and it is not the time for a probe: the reply was not sent. */
export const HELD_BACK = Symbol('held back');

type Outage = {
  /** Whether the last sends failed, oldest first. */
  recent: boolean[];
  failing: boolean;
  probing: boolean;
  nextProbeMs: number;
  deliveredMs: number;
  readonly alarm: () => void;
};

/**
 * Judges by each channel's sends whether its platform works. While most of them fail (`delivery_failing`), only probes go
 * out, so that a long outage spends no reply's tries; the first that succeeds ends that. Each process sees for itself.
 */
export type Outages = {
  /** `nowMs`: the store's clock. */
  send(channel: string, nowMs: number, send: () => Promise<Delivery>): Promise<Delivery | typeof HELD_BACK>;
  /** Something was delivered to somebody since then, as far as this process saw. */
  worksSince(channel: string, sinceMs: number): boolean;
};

export function createOutages(observe: Pick<Observe, 'alarm' | 'failing' | 'log'>): Outages {
  const outages = new Map<string, Outage>();

  function of(channel: string): Outage {
    const known = outages.get(channel);
    if (known !== undefined) return known;
    const alarm = atMostEvery(ALARM_EVERY_MS, () => observe.alarm('delivery_failing', { channel }));
    const made = { recent: [], failing: false, probing: false, nextProbeMs: 0, deliveredMs: -1, alarm };
    outages.set(channel, made);
    observe.failing(channel, false);
    return made;
  }

  function note(channel: string, outage: Outage, { kind }: Delivery, nowMs: number): void {
    // A platform that throttles works; one that refuses our token has an alarm of its own.
    if (kind === 'throttled' || kind === 'unauthorized') return;
    const failed = kind === 'undelivered' || kind === 'uncertain';
    if (kind === 'delivered') outage.deliveredMs = Math.max(outage.deliveredMs, nowMs);
    if (outage.failing && !failed) {
      outage.failing = false;
      outage.recent = [];
      observe.failing(channel, false);
      observe.log.info({ channel }, 'replies are delivered again');
    }
    outage.recent.push(failed);
    if (outage.recent.length > WINDOW) outage.recent.shift();
    if (!isMostly(outage.recent)) return;
    if (!outage.failing) observe.failing(channel, true);
    outage.failing = true;
    outage.alarm();
  }

  return {
    async send(channel, nowMs, send) {
      const outage = of(channel);
      const isProbe = outage.failing;
      if (isProbe) {
        if (outage.probing || nowMs < outage.nextProbeMs) return HELD_BACK;
        outage.probing = true;
        outage.nextProbeMs = nowMs + PROBE_MS;
      }
      try {
        const delivery = await send();
        note(channel, outage, delivery, nowMs);
        return delivery;
      } finally {
        if (isProbe) outage.probing = false;
      }
    },
    worksSince: (channel, sinceMs) => of(channel).deliveredMs >= sinceMs,
  };
}

const isMostly = (recent: readonly boolean[]): boolean =>
  recent.length >= ENOUGH && 2 * recent.filter(Boolean).length > recent.length;
