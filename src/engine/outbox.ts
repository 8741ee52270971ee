import { writeAwaitedRecord } from '../conversation/effect.ts';
import { isReceipt, type Reply, toPlainest, Unwordable } from '../conversation/reply.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Bulkhead } from '../resilience/bulkhead.ts';
import { StoreUnavailable } from '../store/port.ts';
import { unlock } from './customer.ts';
import { afterDelivery, backOff, type DeliveryTry, type Fate, NOT_TRIED_MS } from './delivery-policy.ts';
import { LOST, type Lost } from './ends.ts';
import type { HeldLease } from './leases.ts';
import { perChannel } from './limits.ts';
import type { Delivery, Failure, OutboxItem, Outgoing, Platform } from './messages.ts';
import { Outage } from './outage.ts';
import { NEVER_TRIED, type Tries, type Wait } from './transitions.ts';
import type { OutboxTask, TurnTools } from './turn.ts';

/** What the store did not confirm is tried again after this. A reply may wait for hours; a lock must not. */
const SIDE_TASK_RETRY_MS = 5000;
const ALARM_EVERY_MS = 60_000;

/**
 * How a delivery ended. `done`: the numbers of the tasks that are done. `wait`: how long the rest has to
 * wait; absent: nothing is left. `failures`: the replies that were dropped, by their number.
 */
export type DeliveryEnd = {
  readonly done: ReadonlySet<number>;
  readonly wait?: Wait | undefined;
  /** Side tasks are left, and may be tried before the replies that wait. */
  readonly sideTasksAfterMs?: number | undefined;
  readonly failures?: ReadonlyMap<number, Failure> | undefined;
  /** Those of them that are kept as dead letters, because they tell about points. */
  readonly kept?: ReadonlySet<number> | undefined;
};

/**
 * What a delivery begins with. `done`: the numbers of tasks that are done. `leases`: how many leases, with
 * this one, begin to send the first reply, which an ended lease left; absent: none did.
 */
export type DeliveryStart = { readonly done: ReadonlySet<number>; readonly leases?: number | undefined };

type ItemOf<Kind extends OutboxItem['kind']> = Extract<OutboxItem, { kind: Kind }>;

/** Where the replies of a channel go; `to` is undefined if another process has the channel. */
type Route = {
  readonly to: Platform | undefined;
  readonly places: Bulkhead;
  readonly outage: Outage;
  alarmRejected(conversation: string): void;
};

/** A reply whose sends end leases goes out as text alone from this lease on. The first did not say so. */
const PLAIN_FROM_LEASE = 2;

/** Whether a reply that is dropped becomes a dead letter. Who blocked the bot, or is gone, gets none. */
export const isKept = (reply: Reply, why: Failure): boolean =>
  isReceipt(reply) && (why === 'late' || why === 'refused');

/** The replies behind one that is sent alone have another lease; undefined: there are none. */
export function waitForNext(tasks: readonly OutboxTask[]): Wait | undefined {
  const next = tasks.find(({ body }) => body?.kind === 'reply')?.body;
  return next?.kind === 'reply' ? { afterMs: 0, reason: 'alone', madeAtMs: next.outgoing.atMs } : undefined;
}

/**
 * Does the tasks of the outbox. It sends the replies in order. If one has to wait, the replies behind it wait
 * as well. Side tasks (locks and notes for the counter) wait for no reply and for no other side task, because
 * others may need them.
 */
export class Outbox {
  readonly #tools: TurnTools;
  readonly #routeOf: (channel: string) => Route;

  constructor(tools: TurnTools) {
    const { platform, bulkhead, observe, runtime } = tools;
    this.#tools = tools;
    this.#routeOf = perChannel((channel) => ({
      to: platform(channel),
      places: bulkhead(channel),
      outage: new Outage(channel, observe, runtime),
      alarmRejected: atMostEvery(
        ALARM_EVERY_MS,
        (conversation: string) => observe.alarm('delivery_rejected', { channel, conversation }),
        runtime.monotonicMs,
      ),
    }));
  }

  /**
   * Does the tasks that are not done. Sends nothing any more once the lease is lost. A reply that an ended
   * lease left is sent alone, so that it becomes known which reply ends processes; from the third lease on in
   * its plainest form.
   */
  async deliver(
    held: HeldLease,
    tasks: readonly OutboxTask[],
    start: DeliveryStart = { done: new Set() },
  ): Promise<DeliveryEnd | Lost> {
    const done = new Set(start.done);
    // A customer who has the receipt of a gift can show it at once.
    await this.doSideTasks(
      tasks.filter(({ body }) => body?.kind === 'gift'),
      done,
    );
    let wait: Wait | undefined;
    const failures = new Map<number, Failure>();
    const kept = new Set<number>();
    const { leases = 0 } = start;
    let tried: Tries = held.lease.record.retry ?? NEVER_TRIED;
    for (const [at, { seq, body }] of tasks.entries()) {
      if (body !== null && body.kind !== 'reply') continue;
      if (body === null) {
        // Nobody can say that it did not tell about points.
        failures.set(seq, 'refused');
        kept.add(seq);
        done.add(seq);
        continue;
      }
      const { reply, atMs } = body.outgoing;
      const isPlain = leases >= PLAIN_FROM_LEASE;
      const outgoing = isPlain ? { ...body.outgoing, reply: toPlainest(reply) } : body.outgoing;
      const fate = await this.#send(held, outgoing, { seq, tried });
      if (fate === LOST) return LOST;
      if (fate.kind === 'waits') {
        wait = { ...fate.wait, madeAtMs: atMs };
        break;
      }
      if (fate.kind === 'dropped') {
        failures.set(seq, fate.why);
        if (isKept(reply, fate.why)) kept.add(seq);
      }
      tried = NEVER_TRIED;
      done.add(seq);
      wait = leases > 0 ? waitForNext(tasks.slice(at + 1)) : undefined;
      if (wait) break;
    }
    const { sideTasksAfterMs } = await this.doSideTasks(tasks, done);
    const end = { done, failures, kept };
    if (sideTasksAfterMs === undefined || wait) return { ...end, wait, sideTasksAfterMs };
    return { ...end, wait: { afterMs: sideTasksAfterMs, reason: 'side task', leastMs: 0 } };
  }

  /**
   * Unlocks customers and writes the counter's notes, except for tasks that are in `done`. Adds to `done`
   * each task that the store confirmed. All tasks run at once, so a node that does not answer delays only its
   * own tasks.
   */
  async doSideTasks(tasks: readonly OutboxTask[], done = new Set<number>()): Promise<DeliveryEnd> {
    const left = tasks.filter(({ seq, body }) => body !== null && body.kind !== 'reply' && !done.has(seq));
    await Promise.all(left.map((task) => this.#doSideTask(task, done)));
    const isAllDone = left.every(({ seq }) => done.has(seq));
    return { done, sideTasksAfterMs: isAllDone ? undefined : SIDE_TASK_RETRY_MS };
  }

  async #doSideTask({ seq, body }: OutboxTask, done: Set<number>): Promise<void> {
    try {
      if (body?.kind === 'gift') await this.#tools.gifts?.note(body.note);
      if (body?.kind === 'unlock') await this.#unlock(body);
      done.add(seq);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#tools.onError(error);
    }
  }

  async #unlock({ customer, operation, record, awaited }: ItemOf<'unlock'>): Promise<void> {
    const { customers, runtime, spans, isTracing } = this.#tools;
    const sinceMs = runtime.nowMs();
    await customers.update(
      customer,
      unlock({ operation, record, awaited: awaited && writeAwaitedRecord(awaited) }),
    );
    if (isTracing) spans.mark({ name: 'store unlock', operation, sinceMs });
  }

  /** Sends a reply once. */
  async #send(
    held: HeldLease,
    outgoing: Outgoing,
    { seq, tried }: { readonly seq: number; readonly tried: Tries },
  ): Promise<Fate | Lost> {
    const { leases, observe, spans, isTracing, runtime } = this.#tools;
    const { channel, reply, atMs, acceptedMs, traceparent: parent = null } = outgoing;
    const { nowMs, conversation } = held.lease;
    const route = this.#routeOf(channel);
    const { to } = route;
    if (reply.quiet && !to?.hearsQuiet) return { kind: 'done' };
    const paceMs = to?.pace?.(outgoing) ?? 0;
    if (paceMs > 0) return { kind: 'waits', wait: { afterMs: paceMs, reason: 'pace', tried } };
    if (!leases.isAlive(held)) return LOST;
    const before: DeliveryTry = { madeAtMs: atMs, nowMs, tried, random: runtime.random };
    const sinceMs = runtime.nowMs();
    const delivery = await this.#try({ ...route, nowMs }, outgoing, seq);
    if (typeof delivery === 'string')
      return { kind: 'waits', wait: { ...backOff(before, delivery, NOT_TRIED_MS), tried } };
    const isAnswer = delivery.kind === 'delivered' && outgoing.last && acceptedMs !== undefined;
    observe.delivery(channel, delivery.kind, isAnswer ? runtime.nowMs() - acceptedMs : undefined);
    const fate = afterDelivery(delivery, before, route.outage.lastDeliveredMs);
    const why = fate.kind === 'dropped' ? fate.why : undefined;
    if (isTracing) {
      const about = { channel, outcome: delivery.kind, result: why ?? fate.kind };
      spans.mark({ name: 'deliver', sinceMs, parent, ...about });
    }
    if (why === 'refused') route.alarmRejected(conversation);
    if (why === 'late') observe.alarm('delivery_given_up', { channel, conversation });
    return fate;
  }

  /** The reply with its file's bytes. Null: they have expired; `held back`: the store does not answer. */
  async #withContent(outgoing: Outgoing): Promise<Outgoing | 'held back' | null> {
    const { file } = outgoing.reply;
    try {
      const content = typeof file?.at === 'string' ? await this.#tools.staffFiles?.read(file.at) : null;
      return content ? { ...outgoing, content } : null;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      this.#tools.onError(error);
      return 'held back';
    }
  }

  /** `no room`: too many sends of the channel are under way. `held back`: most of them fail. */
  async #try(
    { to, places, outage, nowMs }: Route & { readonly nowMs: number },
    outgoing: Outgoing,
    seq: number,
  ): Promise<Delivery | 'no room' | 'held back'> {
    const { observe } = this.#tools;
    const { channel } = outgoing;
    if (to === undefined) return { kind: 'undelivered' };
    const sent = outgoing.reply.file ? await this.#withContent(outgoing) : outgoing;
    if (sent === null) return { kind: 'rejected' };
    if (sent === 'held back') return sent;
    const entered = places.enter();
    if (entered !== true && !(await entered)) return 'no room';
    try {
      const permit = outage.admit(nowMs);
      if (permit === null) return 'held back';
      let delivery: Delivery;
      try {
        delivery = await to.deliver(sent, seq);
      } catch (err) {
        observe.log.error({ err, channel }, 'a channel threw while delivering');
        // A channel that throws may have sent the reply. `Unwordable`: no try can render it.
        delivery = { kind: err instanceof Unwordable ? 'rejected' : 'uncertain' };
      }
      outage.note(permit, delivery, nowMs);
      return delivery;
    } finally {
      places.leave();
    }
  }
}
