import { LeaseLost, TurnInterrupted } from '../conversation/effect.ts';
import type { Sender } from '../conversation/message.ts';
import { collectNotices, type Notice } from '../conversation/outline.ts';
import type { Reply } from '../conversation/reply.ts';
import { forgetLast } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import { NO_ROOM } from '../resilience/bulkhead.ts';
import { StoreUnavailable } from '../store/port.ts';
import { backOff } from './delivery-policy.ts';
import { Calls, type Effects } from './effects.ts';
import type { Lease } from './leases.ts';
import { type Incoming, readOutboxItem } from './messages.ts';
import type { Outbox } from './outbox.ts';
import type { Traces } from './trace.ts';
import { commit, type Outcomes, release, type Wait } from './transitions.ts';
import {
  type DeadReason,
  GivenBack,
  givenBackForRoom,
  type OutboxTask,
  readOrGiveBack,
  Turn,
  TurnDecision,
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

/** A turn that asks for more effects is in an endless loop. */
const MAX_EFFECTS = 16;
/** When a wake-up that became a dead letter is tried again. */
const WAKE_RETRY_MS = 10 * 60 * 1000;
const FAILED: Reply = { key: 'turn.failed' };
/** How soon an unconfirmed release is tried again. Each further wait is twice as long. */
const RELEASE_RETRY_MS = 250;

/** Works on conversations whose lease this process has. */
export class Worker {
  readonly #tools: WorkerTools;

  constructor(tools: WorkerTools) {
    this.#tools = tools;
  }

  /**
   * Works on a conversation until nothing is left to do: delivers what an earlier lease left, answers,
   * delivers, and goes on with what `release` hands over. No reply overtakes one that waits. `decided`: the
   * turn that was decided and committed when its message was filed. Throws `LeaseLost`; after any other error
   * the lease is left to expire, and the turn is repeated.
   */
  async run(lease: Lease, decided?: Turn): Promise<void> {
    const { leases, outbox, stopping } = this.#tools;
    try {
      let hasMore = true;
      if (decided) {
        this.#reportCommitted(decided);
        const wait = await outbox.deliver(lease, decided.tasks).finally(() => this.#end(decided));
        hasMore = await this.#release(lease, wait);
      } else if (lease.record.outbox.length > 0 && !lease.isPutOff) {
        // The replies of an earlier lease are sent and removed before a step can add more. So if this process
        // dies, too, only the latest turn's replies are sent twice, and no old reply follows a newer one.
        const tasks = readOutbox(lease);
        const wait = this.#dropStuck(lease, tasks) ?? (await outbox.deliver(lease, tasks));
        hasMore = await this.#release(lease, wait);
      }
      while (hasMore) {
        if (stopping.aborted) throw new GivenBack('stopping');
        if (lease.head === null && !lease.isWoken) hasMore = await this.#release(lease);
        else {
          leases.assertHeld(lease);
          hasMore = await this.#answer(lease);
        }
      }
    } catch (error) {
      await this.#giveBack(lease, error);
    }
  }

  /**
   * Drops the first reply, with an alarm, if sending it ended too many leases: perhaps it ends each process
   * that sends it. The replies behind it wait until that is stored.
   */
  #dropStuck(lease: Lease, [first]: readonly OutboxTask[]): Wait | undefined {
    const { limits, observe } = this.#tools;
    const { stuck } = lease.record;
    const isStuck = first?.seq === stuck?.seq && stuck !== null && stuck.leases >= limits.attempts;
    if (!isStuck || first?.body?.kind !== 'reply') return undefined;
    const { channel } = first.body.outgoing;
    observe.alarm('delivery_given_up', { channel, conversation: lease.conversation });
    lease.sentSeq = first.seq;
    return { afterMs: 0, reason: 'stuck' };
  }

  /**
   * Ends a delivery. True: the lease goes on with the next work. It tries until the lease ends, because a
   * reply that is not noted as sent would be sent again.
   */
  async #release(lease: Lease, wait?: Wait, outcomes?: Outcomes): Promise<boolean> {
    const { records, runtime, limits, schedule } = this.#tools;
    const ending = { sentSeq: lease.sentSeq, wait, outcomes, leaseMs: limits.leaseMs };
    for (let pauseMs = RELEASE_RETRY_MS; ; pauseMs *= 2) {
      try {
        const { answer, record, nowMs } = await records.update(lease.conversation, release(lease, ending));
        if (wait) schedule(lease.conversation, wait.afterMs);
        if (!answer || record === null) return false;
        lease.record = record;
        lease.nowMs = nowMs;
        lease.beginNext();
        return true;
      } catch (error) {
        const isOver = runtime.monotonicMs() + pauseMs >= lease.aliveUntilMs;
        if (!(error instanceof StoreUnavailable) || isOver) throw error;
      }
      await runtime.sleep(pauseMs);
    }
  }

  /** Throws every error but `GivenBack`. */
  async #giveBack(lease: Lease, error: unknown, calls?: Calls): Promise<boolean> {
    if (!(error instanceof GivenBack)) throw error;
    const { message: reason, afterMs } = error;
    const wait = { reason, afterMs, tried: lease.tried, holdsWakeUps: true };
    return this.#release(lease, wait, calls?.take());
  }

  async #answer(lease: Lease): Promise<boolean> {
    const { outbox } = this.#tools;
    const turn = this.#begin(lease);
    const calls = new Calls(lease.record.journal);
    let wait: Wait | undefined;
    try {
      await this.#decideAndCommit(turn, calls);
      // While replies wait, only a wake-up ran. Its customers are unlocked now.
      if (lease.isPutOff) await outbox.unlock(turn.tasks);
      else wait = await outbox.deliver(lease, turn.tasks);
    } catch (error) {
      this.#end(turn, error);
      return this.#giveBack(lease, error, calls);
    }
    this.#end(turn);
    return this.#release(lease, wait);
  }

  /** Opens the turn, for those who watch it, too. */
  #begin(lease: Lease): Turn {
    const { spans, isTracing, traces } = this.#tools;
    const turn = new Turn(lease, this.#tools);
    const { channel, input, attempt, conversation } = turn.event;
    if (traces?.channels.includes(channel)) traces.enter(turn);
    if (!isTracing) return turn;
    const { acceptedMs, traceparent } = turn.asker?.incoming ?? { traceparent: turn.before.traceparent };
    if (traceparent !== undefined && acceptedMs !== undefined) {
      spans.mark({ name: 'wait', sinceMs: acceptedMs, parent: traceparent, channel, conversation });
    }
    lease.atWork.span = spans.begin({ name: 'turn', channel, input, attempt, parent: traceparent ?? null });
    return turn;
  }

  async #decideAndCommit(turn: Turn, calls: Calls): Promise<void> {
    const { records, runtime, traces } = this.#tools;
    const { lease } = turn;
    try {
      const reason = await this.#attempt(turn, calls);
      if (reason !== null) await this.#giveUp(turn, calls, reason);
      turn.endPhase('stepsMs');
      const sinceMs = runtime.nowMs();
      const committing = commit(lease, turn.toCommit());
      const { answer, record, nowMs } = await records.update(lease.conversation, committing);
      if (!answer || record === null) throw new LeaseLost();
      lease.record = record;
      lease.nowMs = nowMs;
      turn.endPhase('commitMs');
      turn.endTrip('commit', sinceMs);
      if (turn.inside) traces?.attach(turn, turn.inside);
      turn.event.result = reason === null ? 'done' : 'dead';
      this.#reportCommitted(turn);
    } catch (error) {
      if (error instanceof LeaseLost) turn.event.result = 'stale';
      else if (!(error instanceof GivenBack)) turn.event.result = 'failed';
      throw error;
    }
  }

  #reportCommitted({ lease, before, letters, decision, event }: Turn): void {
    const { observe, onNotice } = this.#tools;
    const { conversation, channel } = event;
    lease.pastIntent = false;
    for (const { reason } of letters) observe.alarm('dead_letter', { conversation, reason });
    for (const notice of collectNotices(before.state, decision.state, decision)) {
      onNotice(notice, { conversation, channel });
    }
  }

  /** The turn is over: one event for the log, the metrics and its span. */
  #end(turn: Turn, error?: unknown): void {
    const { observe, spans, isTracing } = this.#tools;
    turn.endPhase('deliverMs');
    if (isTracing) spans.end(turn.lease.atWork.span, { result: turn.event.result }, error);
    observe.turn(turn.event);
  }

  /** Decides the turn, and returns null. Otherwise returns why it can never be decided. */
  async #attempt(turn: Turn, calls: Calls): Promise<DeadReason | null> {
    const { limits, observe, onError, stopping, runtime } = this.#tools;
    const { lease, asker } = turn;
    if (lease.head !== null && !asker?.incoming) return 'unreadable';
    if (turn.event.attempt > limits.attempts) return 'attempts';
    // The state of this wake-up cannot be read, so its customer is unknown.
    if (asker === null) return null;
    try {
      const sender = await this.#identify(asker.incoming, asker.sender);
      turn.endPhase('identifyMs');
      const message = asker.incoming?.message;
      const input: Input = message ? { kind: 'message', message } : { kind: 'wake' };
      await this.#takeSteps(turn, input, { calls, sender });
      return null;
    } catch (err) {
      if (err instanceof StoreUnavailable && !lease.pastIntent) {
        onError(err);
        throw givenBackForStore(turn, runtime.random) ?? err;
      }
      if (isInfrastructureError(err)) throw err;
      if (err instanceof TurnInterrupted || (stopping.aborted && !lease.pastIntent))
        throw new GivenBack('stopping');
      observe.log.error({ err, conversation: lease.conversation }, 'a turn threw');
      return 'threw';
    }
  }

  /** Asks the platform who wrote, if that is too slow to be asked before the message is filed. */
  async #identify(incoming: Incoming | null, sender: Sender): Promise<Sender> {
    const { platform, bulkhead, spans, runtime } = this.#tools;
    const channel = incoming === null ? undefined : platform(incoming.channel);
    if (incoming === null || channel?.identify === undefined) return sender;
    const identify = channel.identify.bind(channel, incoming);
    const sinceMs = runtime.nowMs();
    const identified = await bulkhead(incoming.channel).run(identify);
    spans.mark({ name: 'identify', sinceMs });
    if (identified === NO_ROOM) throw givenBackForRoom(runtime.random());
    return identified;
  }

  async #takeSteps(turn: Turn, first: Input, { calls, sender }: Steps): Promise<void> {
    // A wake-up must not see the calls that a message confirmed.
    const journal = first.kind === 'wake' ? undefined : Object.fromEntries(calls.known);
    const orphans = new Set(Object.keys(journal ?? {}));
    let effects = 0;
    for (let input: Input | undefined = first; input !== undefined; ) {
      const effect = turn.takeStep(input, { sender, journal });
      if (effect === undefined) {
        input = nextOrphan(orphans, turn, calls);
        continue;
      }
      effects += 1;
      if (effects > MAX_EFFECTS) throw new Error(`a turn asked for more than ${MAX_EFFECTS} effects`);
      if ('operation' in effect) orphans.delete(effect.operation);
      input = { kind: 'outcome', outcome: await this.#tools.effects.perform(effect, turn, calls) };
    }
  }

  /**
   * Decides what is left of a message that will never be answered. The conversation decides it: it alone
   * knows what may have been called. If that throws as well, the state stays, and the customer gets an
   * apology. A wake-up is tried again later, because an operation may wait for it.
   */
  async #giveUp(turn: Turn, calls: Calls, reason: DeadReason): Promise<void> {
    const { lease, before, asker, nowMs } = turn;
    const { head, record, conversation } = lease;
    turn.letters.push({ reason, body: head?.body ?? record.state });
    const { state } = before;
    if (head === null) {
      turn.decision = new TurnDecision(state, asker && nowMs + WAKE_RETRY_MS);
      return;
    }
    turn.decision = new TurnDecision(state);
    try {
      const { sender } = asker ?? {};
      if (sender) return await this.#takeSteps(turn, { kind: 'failed' }, { calls, sender });
    } catch (err) {
      if (isInfrastructureError(err)) throw err;
      this.#tools.observe.log.error({ err, conversation }, 'a turn threw while it was given up');
    }
    turn.decision = new TurnDecision(forgetLast(state), record.wakeMs || null);
    turn.decision.replies.push(FAILED);
  }
}

type Steps = { readonly calls: Calls; readonly sender: Sender };

/**
 * The next orphaned call: an earlier attempt may have made it, and no step of this attempt asked for it. The
 * conversation gets it as `unknown`, so that it tells the customer.
 */
function nextOrphan(orphans: Set<string>, { decision }: Turn, calls: Calls): Input | undefined {
  for (const operation of orphans) {
    orphans.delete(operation);
    const { state, settled } = decision;
    const isDecided = state.operations.some(({ id }) => id === operation) || settled.includes(operation);
    const lookup = calls.lookups.get(operation);
    if (!isDecided && lookup) return { kind: 'outcome', outcome: { kind: 'unknown', operation, lookup } };
  }
  return undefined;
}

/** Errors of the engine and its store: the turn is retried, and its message is not to blame. */
const isInfrastructureError = (error: unknown): boolean =>
  error instanceof GivenBack || error instanceof StoreUnavailable || error instanceof LeaseLost;

/** The shortest and the longest wait of a turn after a failure of the store. A wake-up waits the longest. */
const STORE_RETRY_MS = [1000, 60_000] as const;
/** If a message has waited longer for the store, each further failure counts as a failed attempt. */
const PATIENCE_MS = 10 * 60_000;

/** Null: the message has waited for too long. */
function givenBackForStore({ nowMs, filedMs }: Turn, random: () => number): GivenBack | null {
  if (filedMs !== undefined && nowMs - filedMs > PATIENCE_MS) return null;
  const { afterMs } = backOff({ atMs: filedMs ?? 0, nowMs, random }, 'store', STORE_RETRY_MS);
  return new GivenBack('store', afterMs);
}

/** A task that cannot be read is never done: `null` stands for it, and it is skipped. */
function readOutbox({ record: { outbox } }: Lease): OutboxTask[] {
  return outbox.map(({ seq, body }) => ({ seq, body: readOrGiveBack(() => readOutboxItem(body)) }));
}
