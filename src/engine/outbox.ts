import { writeAwaited } from '../conversation/effect.ts';
import { Unwordable } from '../conversation/reply.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { StoreUnavailable } from '../store/port.ts';
import { eachChannel, NO_ROOM } from './limits.ts';
import type { Lease, Tools } from './mailbox.ts';
import type { Delivery, OutboxItem, Outgoing } from './messages.ts';
import type { Tried, Wait } from './record.ts';
import type { World } from './world.ts';

/** An item with its number in the outbox; null where it could not be read. */
export type Numbered = { readonly seq: number; readonly item: OutboxItem | null };

/** `sentSeq`: up to this number nothing is left to do. `wait`: how long the rest has to wait. */
export type Delivered = { readonly sentSeq: number; readonly wait?: Wait };

/** When a lock that could not be given back is tried again. */
const UNLOCK_AGAIN_MS = 1000;
/**
 * How long a reply waits, at least and at most, that was not tried: the channel's bulkhead is full, or its platform is
 * out of order.
 */
const NO_ROOM_MS = [1000, 5000] as const;
const HELD_BACK_MS = [5000, 60_000] as const;

/** What becomes of a reply: nothing is left to do, it waits, or it is dropped with an alarm. */
type Fate =
  | { readonly kind: 'done' }
  | { readonly kind: 'waits'; readonly wait: Wait }
  | { readonly kind: 'givenUp' | 'rejected' };

/** `onError` is called with what goes wrong and is tried again later. */
type OutboxTools = Tools & {
  unlock(customer: string, operation: string, record?: string, awaited?: string): Promise<unknown>;
  onError(error: unknown): void;
};

/**
 * Runs the items of an outbox: replies in order, each until it is delivered, dropped or has to wait; the replies behind
 * one that waits wait too. Locks are given back in any case, for another conversation may need them; one that cannot be
 * given back now is given back later. Throws `LeaseLost` before it would send without the lease.
 */
export function createOutbox(options: OutboxTools) {
  const { mailbox, unlock, platform, bulkhead, observe, spans, limits, world, onError } = options;
  const outages = createOutages(observe, world);
  const alarmRejected = eachChannel((channel) =>
    atMostEvery(
      ALARM_EVERY_MS,
      (conversation: string) => observe.alarm('delivery_rejected', { channel, conversation }),
      world.monotonicMs,
    ),
  );

  /** `tried` is of the first reply. */
  async function deliver(
    lease: Lease,
    outbox: readonly Numbered[],
    { nowMs, tried }: { readonly nowMs: number; readonly tried: Tried | null },
  ): Promise<Delivered> {
    const delivered = await sendInOrder(lease, outbox, nowMs, tried ?? NEVER_TRIED);
    const failedSeq = await unlockAll(outbox);
    if (failedSeq === null) return delivered;
    // The lock may be on another node. What was sent is noted all the same, or it would be sent again and again.
    const { sentSeq, wait } = delivered;
    const afterMs = Math.max(wait?.afterMs ?? 0, UNLOCK_AGAIN_MS);
    return { sentSeq: Math.min(sentSeq, failedSeq - 1), wait: { ...wait, afterMs } };
  }

  /** Gives the locks back, whatever has to wait beside them. The number of the first that could not be; null: all were. */
  async function unlockAll(outbox: readonly Numbered[]): Promise<number | null> {
    for (const { seq, item } of outbox) {
      if (item?.kind !== 'unlock') continue;
      try {
        const { customer, operation, record, awaited } = item;
        await unlock(customer, operation, record, awaited && writeAwaited(awaited));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        onError(error);
        return seq;
      }
    }
    return null;
  }

  async function sendInOrder(
    lease: Lease,
    outbox: readonly Numbered[],
    nowMs: number,
    tried: Tried,
  ): Promise<Delivered> {
    let triedBefore = tried;
    for (const { seq, item } of outbox) {
      if (item?.kind !== 'reply') continue;
      const { outgoing } = item;
      const attempted = { atMs: outgoing.atMs, nowMs, tried: triedBefore, random: world.random };
      const { channel, traceparent = null } = outgoing;
      const tell = async (): Promise<Fate> => {
        const fate = await send(lease, outgoing, seq, attempted);
        spans.note({ result: fate.kind });
        const { conversation } = lease;
        if (fate.kind === 'rejected') alarmRejected(channel)(conversation);
        if (fate.kind === 'givenUp') observe.alarm('delivery_given_up', { channel, conversation });
        return fate;
      };
      const fate = await spans.around('deliver', { channel }, tell, traceparent);
      if (fate.kind === 'waits') {
        return { sentSeq: seq - 1, wait: { ...fate.wait, madeAtMs: outgoing.atMs } };
      }
      triedBefore = NEVER_TRIED;
    }
    return { sentSeq: outbox.at(-1)?.seq ?? 0 };
  }

  async function send(lease: Lease, outgoing: Outgoing, seq: number, attempted: Attempted): Promise<Fate> {
    const { channel } = outgoing;
    if (outgoing.reply.quiet && !platform(channel)?.hearsQuiet) return { kind: 'done' };
    let patience = limits.patienceMs;
    for (;;) {
      const afterMs = (await platform(channel)?.pace?.(outgoing)) ?? 0;
      if (afterMs > 0) return { kind: 'waits', wait: { afterMs, tried: attempted.tried } };
      mailbox.assertHeld(lease);
      const delivery = await bulkhead(channel)(() =>
        outages.send(channel, attempted.nowMs, () => attempt(outgoing, seq)),
      );
      if (delivery === NO_ROOM) return putOff(attempted, NO_ROOM_MS);
      if (delivery === HELD_BACK) return putOff(attempted, HELD_BACK_MS);
      observe.delivery(channel, delivery.kind);
      spans.note({ outcome: delivery.kind });
      if (delivery.kind === 'delivered') noteAnswer(outgoing);
      const fate = fateOf(delivery, attempted, (sinceMs) => outages.worksSince(channel, sinceMs));
      if (delivery.kind !== 'throttled' || fate.kind !== 'waits' || fate.wait.afterMs > patience) return fate;
      patience -= fate.wait.afterMs;
      await world.sleep(fate.wait.afterMs);
    }
  }

  /** Only a reply to a message counts: what the bot says unasked answers none. */
  function noteAnswer({ channel, last, acceptedMs }: Outgoing): void {
    if (last && acceptedMs !== undefined) {
      observe.answered(channel, Math.max(0, world.nowMs() - acceptedMs) / 1000);
    }
  }

  /**
   * A channel that throws has a bug, and may have sent the reply all the same; but a reply for which there are no words will
   * never have any, and must not hold up those behind it.
   */
  async function attempt(outgoing: Outgoing, seq: number): Promise<Delivery> {
    const channel = platform(outgoing.channel);
    if (channel === undefined) return { kind: 'undelivered' };
    try {
      return await channel.deliver(outgoing, seq);
    } catch (err) {
      observe.log.error({ err, channel: outgoing.channel }, 'a channel threw while delivering');
      return { kind: err instanceof Unwordable ? 'rejected' : 'uncertain' };
    }
  }

  return { deliver, unlockAll };
}

/** The reply waits without having been tried. */
function putOff(attempted: Attempted, [minMs, maxMs]: readonly [number, number]): Fate {
  return { kind: 'waits', wait: { ...backOff(attempted, minMs, maxMs), tried: attempted.tried } };
}

/*
 * What to do after a try, and when the next one is (docs/how-it-works.md, "What a platform's answer means").
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const NEVER_TRIED: Tried = { times: 0, sinceMs: 0 };

/** A reply that could not be delivered for this long is dropped, and at once where it would have to wait for longer. */
const GIVE_UP_MS = 24 * HOUR;

/**
 * A reply that was perhaps delivered is tried again this long after its first try: a sentence said twice is cheaper than
 * silence about money, fourteen times is not.
 */
const AGAIN_MS = [10 * SECOND, MINUTE, 10 * MINUTE, HOUR];
/** The same where nothing was delivered to anybody since the first try: the platform is out of order, not the reply. */
const AGAIN_IN_OUTAGE_MS = [...AGAIN_MS, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR];

const MIN_BACKOFF_MS = SECOND;
const MAX_BACKOFF_MS = 10 * MINUTE;

/** The history of a reply. Times are epoch ms by the store's clock. */
export type Attempted = {
  /** When the reply was made. */
  readonly atMs: number;
  /** About when its lease was taken. */
  readonly nowMs: number;
  /** Before this try. */
  readonly tried: Tried;
  /** In [0, 1). */
  random(): number;
};

/** `worksSince`: whether the channel delivered anything to anybody since that time. */
function fateOf(delivery: Delivery, attempted: Attempted, worksSince: (sinceMs: number) => boolean): Fate {
  const { atMs, nowMs, tried } = attempted;
  const leftMs = GIVE_UP_MS - (nowMs - atMs);
  switch (delivery.kind) {
    case 'delivered':
    case 'unreachable':
      return { kind: 'done' };
    case 'rejected':
      return { kind: 'rejected' };
    case 'undelivered':
    case 'unauthorized':
      return leftMs < 0 ? GIVEN_UP : { kind: 'waits', wait: { ...backOff(attempted), tried } };
    case 'throttled': {
      const { afterMs } = delivery;
      const wait = afterMs === undefined ? backOff(attempted) : { afterMs, leastMs: afterMs };
      return leftMs < (afterMs ?? 0) ? GIVEN_UP : { kind: 'waits', wait: { ...wait, tried } };
    }
    case 'uncertain': {
      const next = afterUncertain(attempted, worksSince);
      const { afterMs: leastMs = 0 } = delivery;
      if (next === null || leftMs < leastMs) return GIVEN_UP;
      return { kind: 'waits', wait: { ...next, afterMs: Math.max(next.afterMs, leastMs), leastMs } };
    }
  }
}

const GIVEN_UP: Fate = { kind: 'givenUp' };

/** Null: it was tried often enough. */
function afterUncertain(
  { nowMs, tried, random }: Attempted,
  worksSince: (sinceMs: number) => boolean,
): { readonly afterMs: number; readonly tried: Tried } | null {
  const dueMs = tried.sinceMs + (AGAIN_IN_OUTAGE_MS[tried.times - 1] ?? 0);
  // A message of the customer brought this try forward: it does not count.
  if (tried.times > 0 && nowMs < dueMs) return { afterMs: dueMs - nowMs, tried };
  const sinceMs = tried.times === 0 ? nowMs : tried.sinceMs;
  const plan = worksSince(sinceMs) ? AGAIN_MS : AGAIN_IN_OUTAGE_MS;
  const nextMs = plan[tried.times];
  if (nextMs === undefined) return null;
  const afterMs = sinceMs + nextMs - nowMs;
  return {
    // Never earlier, or it would not count.
    afterMs: Math.round(Math.max(afterMs, MIN_BACKOFF_MS) * (1 + random() / 10)),
    tried: { times: tried.times + 1, sinceMs },
  };
}

/** Waits half the reply's age, so that waits grow without a count of tries. A new message brings it forward. */
function backOff(
  { atMs, nowMs, random }: Pick<Attempted, 'atMs' | 'nowMs' | 'random'>,
  minMs: number = MIN_BACKOFF_MS,
  maxMs: number = MAX_BACKOFF_MS,
): Wait & { readonly leastMs: 0 } {
  const waitMs = Math.min(Math.max((nowMs - atMs) / 2, minMs), maxMs);
  // Spread, so that many conversations do not come back at once.
  return { afterMs: Math.round(waitMs * (0.8 + 0.4 * random())), leastMs: 0 };
}

/*
 * Whether a channel's platform works, judged by its sends.
 */

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
 * While most sends of a channel fail (`delivery_failing`), only probes go out, so that a long outage spends no reply's
 * tries; the first that succeeds ends that. Each process sees for itself.
 */
export type Outages = {
  /** `nowMs`: the store's clock. */
  send(channel: string, nowMs: number, send: () => Promise<Delivery>): Promise<Delivery | typeof HELD_BACK>;
  /** Something was delivered to somebody since then, as far as this process saw. */
  worksSince(channel: string, sinceMs: number): boolean;
};

export function createOutages(
  observe: Pick<Observe, 'alarm' | 'failing' | 'log'>,
  world: Pick<World, 'monotonicMs'>,
): Outages {
  const outages = new Map<string, Outage>();

  function of(channel: string): Outage {
    const known = outages.get(channel);
    if (known !== undefined) return known;
    const alarm = atMostEvery(
      ALARM_EVERY_MS,
      () => observe.alarm('delivery_failing', { channel }),
      world.monotonicMs,
    );
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
