import type { Sender } from '../conversation/message.ts';
import { collectNotices, type Notice } from '../conversation/outline.ts';
import type { Reply } from '../conversation/reply.ts';
import { forgetLast } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import { NO_ROOM } from '../resilience/bulkhead.ts';
import { StoreUnavailable } from '../store/port.ts';
import { backOff } from './delivery-policy.ts';
import { Calls, type Effects, type TurnAtWork } from './effects.ts';
import {
  type Abandoned,
  type GivenBack,
  giveBack,
  giveBackForRoom,
  isAbandoned,
  LOST,
  type Lost,
  readOrGiveBack,
  STOPPING,
} from './ends.ts';
import { chooseWork, type HeldLease, type Lease, type NextWork } from './leases.ts';
import { type Incoming, readOutboxItem } from './messages.ts';
import { type DeliveryEnd, isKept, type Outbox, waitForNext } from './outbox.ts';
import type { Traces } from './trace.ts';
import { beginSending, commit, NEVER_TRIED, type Outcomes, type Release, release } from './transitions.ts';
import {
  type CommittedTurn,
  type DeadReason,
  type DecidedTurn,
  type OutboxTask,
  type StepsEnd,
  Turn,
  type TurnTools,
} from './turn.ts';

export type WorkerTools = TurnTools & {
  readonly effects: Effects;
  readonly outbox: Outbox;
  schedule(conversation: string, afterMs: number): void;
  /** Called with each notice of a committed turn. Must not throw. */
  onNotice(notice: Notice, about: { readonly conversation: string; readonly channel: string }): void;
  readonly traces?: Traces | undefined;
};

/** When a wake-up that became a dead letter is tried again. */
const WAKE_RETRY_MS = 10 * 60 * 1000;
const FAILED: Reply = { key: 'turn.failed' };
/** How soon an unconfirmed release is tried again. Each further wait is twice as long. */
const RELEASE_RETRY_MS = 250;

/**
 * How the work on a message, a wake-up or waiting replies ended. `outcomes`: how calls ended that the store
 * does not know yet. Anything else is an error: the lease runs out, and the work is repeated.
 */
type WorkEnd = DeliveryEnd | Lost | (GivenBack & { readonly outcomes?: Outcomes });
const NOTHING_DONE: DeliveryEnd = { done: new Set() };

/** Works on conversations whose lease this process has. */
export class Worker {
  readonly #tools: WorkerTools;

  constructor(tools: WorkerTools) {
    this.#tools = tools;
  }

  /**
   * Works on a conversation until nothing is left to do, or the lease is lost: delivers what an earlier lease
   * left, answers, delivers, and goes on with what `release` hands over. No reply overtakes one that waits.
   * `committed`: the turn that was decided and committed when its message was filed. After an error the lease
   * is left to expire, and the turn is repeated.
   */
  async run(held: HeldLease, committed?: CommittedTurn): Promise<void> {
    let work = chooseWork(held.lease, { isFirst: true });
    let ended = committed ? await this.#deliver(held, committed) : await this.#deliverLeft(held, work);
    ended ??= await this.#answer(held, work);
    while (ended !== LOST && (await this.#release(held, ended))) {
      work = chooseWork(held.lease, { isFirst: false });
      ended = await this.#answer(held, work);
    }
  }

  /**
   * The replies of an earlier lease are sent and removed before a step can add more. So if this process dies,
   * too, only the latest turn's replies are sent twice, and no old reply follows a newer one. Null: none is
   * left.
   */
  async #deliverLeft(held: HeldLease, { isPutOff }: NextWork): Promise<WorkEnd | null> {
    if (isPutOff || held.lease.record.outbox.length === 0) return null;
    const tasks = readOutbox(held.lease);
    if (isAbandoned(tasks)) return tasks;
    const done = new Set<number>();
    // A reply that ends each process must not keep a lock.
    await this.#tools.outbox.doSideTasks(tasks, done);
    const { lease } = held.lease.record;
    return lease?.takeover
      ? this.#deliverAlone(held, tasks, done)
      : this.#tools.outbox.deliver(held, tasks, { done });
  }

  /**
   * The lease before this one ran out, perhaps because the first reply ends each process that sends it. So it
   * is stored that its sending begins. If that ended too many leases, it is not sent any more, with an alarm.
   */
  async #deliverAlone(
    held: HeldLease,
    tasks: readonly OutboxTask[],
    done: ReadonlySet<number>,
  ): Promise<WorkEnd> {
    const { limits, observe, outbox, records } = this.#tools;
    const first = tasks.find(({ body }) => body?.kind === 'reply');
    if (first?.body?.kind !== 'reply') return outbox.deliver(held, tasks, { done });
    const { seq } = first;
    const { channel, reply } = first.body.outgoing;
    const { conversation, record: leased } = held.lease;
    const { sending } = leased;
    // The first lease that sent it did not say so.
    if (sending?.seq === seq && sending.leases + 1 >= limits.attempts) {
      observe.alarm('delivery_given_up', { channel, conversation });
      const failures = new Map([[seq, 'late' as const]]);
      const kept = new Set(isKept(reply, 'late') ? [seq] : []);
      const wait = waitForNext(tasks.filter((task) => task !== first));
      return { done: new Set([...done, seq]), wait, failures, kept };
    }
    const { answer, record, nowMs } = await records.update(
      conversation,
      beginSending({ record: leased }, seq),
    );
    if (answer === null || record === null) return LOST;
    held.advance(record, nowMs);
    return outbox.deliver(held, tasks, { done, leases: answer });
  }

  /**
   * Ends a delivery, or gives the lease back. True: the lease goes on with the next work. It tries until the
   * lease ends, because a reply that is not noted as sent would be sent again.
   */
  async #release(held: HeldLease, ended: Exclude<WorkEnd, Lost>): Promise<boolean> {
    const { records, runtime, limits, schedule } = this.#tools;
    const ending = { ...toRelease(held.lease, ended), leaseMs: limits.leaseMs };
    for (let pauseMs = RELEASE_RETRY_MS; ; pauseMs *= 2) {
      try {
        const { answer, record, nowMs } = await records.update(
          held.conversation,
          release(held.lease, ending),
        );
        if (ending.wait) schedule(held.conversation, ending.wait.afterMs);
        if (!answer || record === null) return false;
        held.advance(record, nowMs);
        return true;
      } catch (error) {
        const isOver = runtime.monotonicMs() + pauseMs >= held.aliveUntilMs;
        if (!(error instanceof StoreUnavailable) || isOver) throw error;
      }
      await runtime.sleep(pauseMs);
    }
  }

  /** Answers a message or a wake-up, and delivers what is decided. */
  async #answer(held: HeldLease, work: NextWork): Promise<WorkEnd> {
    if (this.#tools.stopping.aborted) return STOPPING;
    if (work.head === null && !work.isWoken) return work.isPutOff ? this.#doSideTasks(held) : NOTHING_DONE;
    if (!this.#tools.leases.isAlive(held)) return LOST;
    const turn = this.#begin(held, work);
    if (isAbandoned(turn)) return turn;
    const calls = new Calls(held.lease.record.journal);
    let committed: CommittedTurn | Abandoned;
    try {
      committed = await this.#decideAndCommit({ held, turn, calls });
    } catch (error) {
      turn.event.result = 'failed';
      this.#end(held, turn, error);
      throw error;
    }
    if (!isAbandoned(committed)) return this.#deliver(held, committed);
    if (committed === LOST) turn.event.result = 'stale';
    this.#end(held, turn);
    return committed === LOST ? LOST : { ...committed, outcomes: calls.take() };
  }

  /** Delivers what a committed turn has decided. */
  async #deliver(held: HeldLease, { turn, tasks }: CommittedTurn): Promise<WorkEnd> {
    this.#reportCommitted(turn);
    try {
      if (turn.work.isPutOff) return await this.#doSideTasks(held);
      return await this.#tools.outbox.deliver(held, tasks);
    } finally {
      this.#end(held, turn);
    }
  }

  /** While replies wait, others may need what stands behind them. */
  async #doSideTasks(held: HeldLease): Promise<WorkEnd> {
    const tasks = readOutbox(held.lease);
    return isAbandoned(tasks) ? tasks : this.#tools.outbox.doSideTasks(tasks);
  }

  /** Opens the turn, for those who watch it, too. */
  #begin(held: HeldLease, work: NextWork): Turn | GivenBack {
    const { spans, isTracing, traces } = this.#tools;
    const turn = Turn.open(held.lease, work, this.#tools);
    if (isAbandoned(turn)) return turn;
    const { channel, input, attempt, conversation } = turn.event;
    if (traces?.channels.includes(channel)) traces.enter(turn);
    if (!isTracing) return turn;
    const { acceptedMs, traceparent } = turn.asker?.incoming ?? { traceparent: turn.before.traceparent };
    if (traceparent !== undefined && acceptedMs !== undefined) {
      spans.mark({ name: 'wait', sinceMs: acceptedMs, parent: traceparent, channel, conversation });
    }
    held.atWork.span = spans.begin({ name: 'turn', channel, input, attempt, parent: traceparent ?? null });
    return turn;
  }

  async #decideAndCommit(current: TurnAtWork): Promise<CommittedTurn | Abandoned> {
    const { records, runtime, traces } = this.#tools;
    const { held, turn } = current;
    const attempted = await this.#attempt(current);
    if (isAbandoned(attempted)) return attempted;
    const decided = typeof attempted === 'string' ? await this.#giveUp(current, attempted) : attempted;
    if (isAbandoned(decided)) return decided;
    turn.endPhase('stepsMs');
    const sinceMs = runtime.nowMs();
    const basis = { record: held.lease.record, head: turn.work.head };
    // A failover that loses an outcome, and not what follows from it, would end the lock of an operation that
    // is looked up again.
    const durable = decided.tasks.some(({ body }) => body?.kind === 'unlock');
    const stored = await records.update(held.conversation, commit(basis, decided.change), { durable });
    if (!stored.answer || stored.record === null) return LOST;
    held.advance(stored.record, stored.nowMs);
    turn.endPhase('commitMs');
    turn.endTrip('commit', sinceMs);
    turn.event.result = typeof attempted === 'string' ? 'dead' : 'done';
    const { tasks } = decided;
    return { turn, tasks: turn.inside && traces ? traces.attach(turn, turn.inside, tasks) : tasks };
  }

  #reportCommitted({ before, letters, decision, event }: Turn): void {
    const { observe, onNotice } = this.#tools;
    const { conversation, channel } = event;
    for (const { reason } of letters) observe.alarm('dead_letter', { conversation, reason });
    for (const notice of collectNotices(before.state, decision.state, decision)) {
      onNotice(notice, { conversation, channel });
    }
  }

  /** The turn is over: one event for the log, the metrics and its span. */
  #end(held: HeldLease, turn: Turn, error?: unknown): void {
    const { observe, spans, isTracing } = this.#tools;
    turn.endPhase('deliverMs');
    if (isTracing) spans.end(held.atWork.span, { result: turn.event.result }, error);
    observe.turn(turn.event);
  }

  /** Decides the turn. A reason: it can never be decided. */
  async #attempt(current: TurnAtWork): Promise<DecidedTurn | DeadReason | Abandoned> {
    const { limits, observe, onError, stopping, runtime } = this.#tools;
    const { turn, calls, held } = current;
    const { asker } = turn;
    if (turn.work.head !== null && !asker?.incoming) return 'unreadable';
    if (turn.event.attempt > limits.attempts) return 'attempts';
    // The state of this wake-up cannot be read, so its customer is unknown.
    if (asker === null) return turn.conclude();
    let end: StepsEnd | Abandoned;
    try {
      const sender = await this.#identify(asker.incoming, asker.sender);
      if (isAbandoned(sender)) return sender;
      turn.endPhase('identifyMs');
      const message = asker.incoming?.message;
      const input: Input = message ? { kind: 'message', message } : { kind: 'wake' };
      end = await this.#takeSteps(current, input, sender);
    } catch (error) {
      end = { kind: 'threw', error };
    }
    if (isAbandoned(end)) return end;
    if (end.kind === 'decided') return end.decided;
    const { error: err } = end;
    if (err instanceof StoreUnavailable) {
      const givenBack = calls.isPastIntent ? null : giveBackForStore(turn, runtime.random);
      if (givenBack === null) throw err;
      onError(err);
      return givenBack;
    }
    if (stopping.aborted && !calls.isPastIntent) return STOPPING;
    observe.log.error({ err, conversation: held.conversation }, 'a turn threw');
    return 'threw';
  }

  /** Asks the platform who wrote, if that is too slow to be asked before the message is filed. */
  async #identify(incoming: Incoming | null, sender: Sender): Promise<Sender | GivenBack> {
    const { platform, bulkhead, spans, runtime } = this.#tools;
    const channel = incoming === null ? undefined : platform(incoming.channel);
    if (incoming === null || channel?.identify === undefined) return sender;
    const identify = channel.identify.bind(channel, incoming);
    const sinceMs = runtime.nowMs();
    const identified = await bulkhead(incoming.channel).run(identify);
    spans.mark({ name: 'identify', sinceMs });
    return identified === NO_ROOM ? giveBackForRoom(runtime.random()) : identified;
  }

  /** Takes the turn's steps, and performs the effects between them. */
  async #takeSteps(current: TurnAtWork, first: Input, sender: Sender): Promise<StepsEnd | Abandoned> {
    const { turn, calls } = current;
    const steps = turn.takeSteps(first, { sender, calls });
    let next = steps.next();
    while (!next.done) {
      const outcome = await this.#tools.effects.handle(next.value, current);
      if (isAbandoned(outcome)) return outcome;
      next = steps.next(outcome);
    }
    return next.value;
  }

  /**
   * Decides what is left of a message that will never be answered. The conversation decides it: it alone
   * knows what may have been called. If that throws as well, the state stays, and the customer gets an
   * apology. A wake-up is tried again later, because an operation may wait for it.
   */
  async #giveUp(current: TurnAtWork, reason: DeadReason): Promise<DecidedTurn | Abandoned> {
    const { held, turn } = current;
    const { before, asker } = turn;
    const { state } = before;
    const { record, conversation } = held.lease;
    const { head } = turn.work;
    turn.letters.push({ reason, body: head?.body ?? record.state });
    if (head === null) {
      // Without an asker it is unknown whose operation it is.
      turn.startOver(state, asker && turn.lease.nowMs + WAKE_RETRY_MS);
      return turn.conclude();
    }
    if (asker !== null) {
      turn.startOver(state);
      const end = await this.#askWhatFailed(current, asker.sender);
      if (isAbandoned(end)) return end;
      if (end.kind === 'decided') return end.decided;
      this.#tools.observe.log.error({ err: end.error, conversation }, 'a turn threw while it was given up');
    }
    turn.startOver(forgetLast(state), record.wakeMs || null, FAILED);
    return turn.conclude();
  }

  async #askWhatFailed(current: TurnAtWork, sender: Sender): Promise<StepsEnd | Abandoned> {
    try {
      return await this.#takeSteps(current, { kind: 'failed' }, sender);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      return { kind: 'threw', error };
    }
  }
}

function toRelease({ record }: Lease, ended: Exclude<WorkEnd, Lost>): Omit<Release, 'leaseMs'> {
  if (!isAbandoned(ended)) return ended;
  const { reason, afterMs, outcomes } = ended;
  const wait = { reason, afterMs, tried: record.retry ?? NEVER_TRIED, isGivenBack: true };
  return { ...NOTHING_DONE, wait, outcomes };
}

/** The shortest and the longest wait of a turn after a failure of the store. A wake-up waits the longest. */
const STORE_RETRY_MS = [1000, 60_000] as const;
/** If a message has waited longer for the store, each further failure counts as a failed attempt. */
const PATIENCE_MS = 10 * 60_000;

/** Null: the message has waited for too long. */
function giveBackForStore({ lease, filedMs }: Turn, random: () => number): GivenBack | null {
  const { nowMs } = lease;
  if (filedMs !== undefined && nowMs - filedMs > PATIENCE_MS) return null;
  const { afterMs } = backOff({ madeAtMs: filedMs ?? 0, nowMs, random }, 'store', STORE_RETRY_MS);
  return giveBack('store', afterMs);
}

/** A task that cannot be read is never done: `null` stands for it, and it is skipped. */
function readOutbox({ record: { outbox } }: Lease): readonly OutboxTask[] | GivenBack {
  const tasks: OutboxTask[] = [];
  for (const { seq, body } of outbox) {
    const item = readOrGiveBack(() => readOutboxItem(body));
    if (isAbandoned(item)) return item;
    tasks.push({ seq, body: item });
  }
  return tasks;
}
