import { LeaseLost, TurnInterrupted } from '../conversation/effect.ts';
import type { Sender } from '../conversation/message.ts';
import { type Notice, noticesOf } from '../conversation/outline.ts';
import type { Reply } from '../conversation/reply.ts';
import { spokenOver } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Spans } from '../observability/tracing.ts';
import type { Runtime } from '../runtime.ts';
import { StoreUnavailable } from '../store/port.ts';
import type { Conversations, Lease } from './conversations.ts';
import { Calls, type Effects } from './effects.ts';
import { GivenBack, givenBackForRoom } from './given-back.ts';
import { type Bulkhead, type Limits, NO_ROOM } from './limits.ts';
import { type Platform, readOutboxItem } from './messages.ts';
import type { NumberedItem, Outbox } from './outbox.ts';
import type { OnTrip, Traces } from './trace.ts';
import { NEVER_TRIED, type Tried, type Wait } from './transitions.ts';
import {
  type Asker,
  type DeadReason,
  giveBackIfNewer,
  leaveState,
  openTurn,
  type Turn,
  type TurnCommit,
  type TurnTools,
  takeStep,
  toCommit,
} from './turn.ts';
import { TurnEvent } from './turn-event.ts';

export type WorkerTools = {
  readonly conversations: Conversations;
  readonly turns: TurnTools;
  readonly effects: Effects;
  readonly outbox: Outbox;
  platform(channel: string): Platform | undefined;
  bulkhead(channel: string): Bulkhead;
  /** The conversation is due again then. */
  dueAfter(conversation: string, afterMs: number): void;
  stopping(): boolean;
  /** Called with what goes wrong and is tried again. */
  onError(error: unknown): void;
  /** A turn was committed: what it brought about. Must not throw. */
  onNotice(notice: Notice, about: { readonly conversation: string; readonly channel: string }): void;
  readonly onTrip: OnTrip;
  readonly traces?: Traces | undefined;
  readonly limits: Limits;
  readonly runtime: Runtime;
  readonly spans: Spans;
  readonly observe: Observe;
};

/** A turn that was decided, and committed with the swap that filed its message. */
export type DecidedTurn = {
  readonly turn: Turn;
  readonly event: TurnEvent;
  readonly commit: TurnCommit;
  /** Number of its first reply. */
  readonly firstSeq: number;
};

/** A turn that asks for more effects than this would never end: ten codes, and what is read for them. */
const MAX_EFFECTS = 16;
/** When a wake-up that became a dead letter is tried again; each time is an alarm. */
const WAKE_AGAIN_MS = 10 * 60 * 1000;
const FAILED: Reply = { key: 'turn.failed' };

/** Works on conversations whose lease this process has. */
export class Worker {
  readonly #tools: WorkerTools;

  constructor(tools: WorkerTools) {
    this.#tools = tools;
  }

  /**
   * Works on a conversation until nothing is left to do: delivers what an earlier lease left, answers, delivers, and goes on
   * with what `release` hands over. No reply overtakes one that waits. `decided`: the turn that was decided when the lease
   * was taken. Throws `LeaseLost`; after any other error the lease is left to expire, and the turn is repeated.
   */
  async run(lease: Lease, decided?: DecidedTurn): Promise<void> {
    const { conversations, stopping } = this.#tools;
    const progress: Progress = { lease, sentSeq: 0, tried: triedBefore(lease) };
    try {
      if (decided) {
        const { event, turn } = decided;
        event.result = 'done';
        const items = this.#conclude(turn, decided.commit, decided.firstSeq);
        const isDelivered = await this.#deliver(progress, items);
        this.#end(event);
        if (!isDelivered || !(await conversations.release(lease, { sentSeq: progress.sentSeq }))) return;
      } else if (lease.record.outbox.length > 0 && !lease.isPutOff) {
        if (!(await this.#deliver(progress, readOutbox(lease)))) return;
        // What an earlier lease left is removed before a step can add to it: should this process die as well, only the
        // latest turn's replies are repeated, and none after one to a later message.
        if (!(await conversations.release(lease, { sentSeq: progress.sentSeq }))) return;
      }
      for (;;) {
        if (stopping()) throw new GivenBack('stopping');
        if (lease.head !== null || lease.isWoken) {
          conversations.assertHeld(lease);
          if (!(await this.#answer(progress))) return;
        }
        if (!(await conversations.release(lease, { sentSeq: progress.sentSeq }))) return;
      }
    } catch (error) {
      if (!(error instanceof GivenBack)) throw error;
      const { reason, afterMs } = error;
      await this.#putOff(progress, { reason, afterMs, tried: progress.tried, all: true });
    }
  }

  /** False: a reply has to wait, and the lease was given back until then. */
  async #deliver(progress: Progress, items: readonly NumberedItem[]): Promise<boolean> {
    if (items.length === 0) return true;
    const { sentSeq, wait } = await this.#tools.outbox.deliver(progress.lease, items, progress.tried);
    progress.sentSeq = sentSeq;
    progress.tried = NEVER_TRIED;
    if (wait === undefined) return true;
    await this.#putOff(progress, wait);
    return false;
  }

  async #putOff(progress: Progress, wait: Wait): Promise<void> {
    const { lease, sentSeq } = progress;
    await this.#tools.conversations.release(lease, { sentSeq, wait, outcomes: progress.calls?.take() });
    this.#tools.dueAfter(lease.conversation, wait.afterMs);
  }

  /** Answers the message or the wake-up, and delivers the answer. False as `#deliver`. */
  async #answer(progress: Progress): Promise<boolean> {
    const { turns, spans, runtime } = this.#tools;
    const turn = openTurn(progress.lease, turns);
    const event = new TurnEvent(turn, runtime);
    // As it is now: the replies' time may come while the turn is decided, and they come before this turn's.
    const { isPutOff } = progress.lease;
    const work = async (): Promise<boolean> => {
      try {
        const items = await this.#decideAndCommit(progress, turn, event);
        // Replies wait: only a wake-up ran. The locks that it gives back wait for nothing.
        if (isPutOff) await this.#tools.outbox.unlock(items);
        return isPutOff || (await this.#deliver(progress, items));
      } finally {
        this.#end(event);
      }
    };
    if (!spans.isTracing) return work();
    const { acceptedMs, traceparent } = turn.asker?.incoming ?? { traceparent: turn.before.traceparent };
    const { conversation, channel, input, attempt } = event;
    if (traceparent !== undefined && acceptedMs !== undefined) {
      spans.mark({ name: 'wait', sinceMs: acceptedMs, parent: traceparent, channel, conversation });
    }
    const start = { name: 'turn', channel, input, attempt, parent: traceparent ?? null } as const;
    return spans.around(start, work);
  }

  /** Steps, effects, one commit. Resolves to what the commit left to be done. */
  async #decideAndCommit(progress: Progress, turn: Turn, event: TurnEvent): Promise<readonly NumberedItem[]> {
    const { traces, conversations, onTrip, runtime } = this.#tools;
    const { lease, before, asker } = turn;
    const work = async (): Promise<readonly NumberedItem[]> => {
      try {
        const isDead = await this.#decide(progress, turn, event);
        const commit = toCommit(turn, this.#tools.turns);
        const sinceMs = runtime.nowMs();
        const firstSeq = await conversations.commit(lease, commit.commit);
        onTrip('commit', sinceMs, {});
        progress.calls = undefined;
        event.passed('commitMs', runtime.monotonicMs());
        event.result = isDead ? 'dead' : 'done';
        return this.#conclude(turn, commit, firstSeq);
      } catch (error) {
        if (error instanceof LeaseLost) event.result = 'stale';
        else if (!(error instanceof GivenBack)) event.result = 'failed';
        throw error;
      }
    };
    if (traces === undefined || !traces.isSeen(event.channel)) return work();
    const { message = null, sender } = asker?.incoming ?? {};
    const after = () => turn.decision.state;
    return traces.around({ message, sender, before: before.state, after }, work);
  }

  /** The turn is over: one event for the log, the metrics and its span. */
  #end(event: TurnEvent): void {
    const { observe, spans, runtime } = this.#tools;
    event.passed('deliverMs', runtime.monotonicMs());
    if (spans.isTracing) spans.note({ result: event.result });
    observe.turn(event);
  }

  /** Tells what a committed turn brought about, and numbers what is left to be done. */
  #conclude(turn: Turn, { items }: TurnCommit, firstSeq: number): readonly NumberedItem[] {
    const { observe, onNotice } = this.#tools;
    const { lease, before, asker, letters, decision } = turn;
    const { conversation } = lease;
    lease.pastIntent = false;
    for (const { reason } of letters) observe.alarm('dead_letter', { conversation, reason });
    const channel = (asker ?? before).origin?.channel ?? 'unknown';
    for (const notice of noticesOf(before.state, decision.state, decision)) {
      onNotice(notice, { conversation, channel });
    }
    const numbered: NumberedItem[] = [];
    for (const item of items) numbered.push({ seq: firstSeq + numbered.length, item });
    return numbered;
  }

  /** Decides the turn, with its effects. True: it became a dead letter. */
  async #decide(progress: Progress, turn: Turn, event: TurnEvent): Promise<boolean> {
    const { runtime } = this.#tools;
    const calls = new Calls(turn.lease.record.journal);
    progress.calls = calls;
    const reason = await this.#attempt(turn, calls, event);
    if (reason !== null) {
      const { lease } = turn;
      turn.letters.push({ reason, body: lease.head?.body ?? lease.record.state });
      turn.decision = leaveState(turn.before.state, null);
      await this.#giveUp(turn, calls);
    }
    event.passed('stepsMs', runtime.monotonicMs());
    return reason !== null;
  }

  /** Why the message or wake-up will never be answered; null: the turn is decided. */
  async #attempt(turn: Turn, calls: Calls, event: TurnEvent): Promise<DeadReason | null> {
    const { limits, observe, onError, stopping, runtime } = this.#tools;
    const { lease, asker, isUnreadable, before } = turn;
    if (isUnreadable) return 'unreadable';
    if (lease.attempt > limits.attempts) return 'attempts';
    // A wake-up whose state could not be read: nobody knows whose it was.
    if (asker === null) return null;
    try {
      const sender = await this.#identify(asker);
      event.passed('identifyMs', runtime.monotonicMs());
      const { incoming } = asker;
      const input: Input =
        incoming === null ? { kind: 'wake' } : { kind: 'message', message: incoming.message };
      await this.#takeSteps(turn, input, { asker: { ...asker, sender }, calls });
      return null;
    } catch (err) {
      if (err instanceof StoreUnavailable && !lease.pastIntent) {
        onError(err);
        throw givenBackForStore(turn) ?? err;
      }
      if (isInfrastructureError(err)) throw err;
      if (err instanceof TurnInterrupted || (stopping() && !lease.pastIntent))
        throw new GivenBack('stopping');
      observe.log.error({ err, conversation: lease.conversation }, 'a turn threw');
      turn.decision = leaveState(before.state, null);
      return 'threw';
    }
  }

  /** Asks the platform who wrote, where that is too slow to be asked before the message is filed. */
  async #identify({ incoming, sender }: Asker): Promise<Sender> {
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

  /**
   * Steps until no effect is asked for. A call that an earlier attempt perhaps made and that no step named is handed to the
   * conversation as unknown: whatever was perhaps called is told.
   */
  async #takeSteps(
    turn: Turn,
    first: Input,
    { asker, calls }: { asker: Asker; calls: Calls },
  ): Promise<void> {
    // A wake-up has nothing to do with what a message confirmed.
    const journal = first.kind === 'wake' ? undefined : calls.all();
    const unnamed = new Set(Object.keys(journal ?? {}));
    await this.#stepThrough(turn, first, { asker, calls, journal, unnamed });
    for (const operation of unnamed) {
      const { state, settled } = turn.decision;
      const isTold = state.operations.some(({ id }) => id === operation) || settled.includes(operation);
      const lookup = calls.lookupOf(operation);
      if (isTold || lookup === undefined) continue;
      const input: Input = { kind: 'outcome', outcome: { kind: 'unknown', operation, lookup } };
      await this.#stepThrough(turn, input, { asker, calls, journal, unnamed });
    }
  }

  async #stepThrough(turn: Turn, first: Input, { asker, calls, journal, unnamed }: Steps): Promise<void> {
    const { turns, effects, runtime } = this.#tools;
    const { lease } = turn;
    const startMs = runtime.monotonicMs();
    const nowMs = () => turn.nowMs + Math.round(runtime.monotonicMs() - startMs);
    const heardMs = asker.incoming?.acceptedMs;
    let input = first;
    for (let count = 0; ; count++) {
      const effect = takeStep(turn, input, { sender: asker.sender, heardMs, journal, nowMs: nowMs() }, turns);
      if (effect === undefined) return;
      if (count === MAX_EFFECTS) throw new Error(`a turn asked for more than ${MAX_EFFECTS} effects`);
      if ('operation' in effect) unnamed.delete(effect.operation);
      input = { kind: 'outcome', outcome: await effects.perform(effect, { lease, asker, calls, nowMs }) };
    }
  }

  /**
   * What is left of a message that will never be answered. The conversation decides, because it alone knows what may have
   * been called for the message. Where it throws as well, the state stays, and the customer gets an apology. A wake-up is put
   * off, not given up: an operation may wait for it, and with the operation the customer's next redemption.
   */
  async #giveUp(turn: Turn, calls: Calls): Promise<void> {
    const { lease, before, asker } = turn;
    const { state } = before;
    const { wakeMs } = lease.record;
    if (lease.head === null) {
      turn.decision = leaveState(state, asker === null ? null : turn.nowMs + WAKE_AGAIN_MS);
      return;
    }
    const asItWas = leaveState(spokenOver(state), wakeMs || null, [FAILED]);
    try {
      if (asker !== null) return await this.#takeSteps(turn, { kind: 'failed' }, { asker, calls });
    } catch (err) {
      if (isInfrastructureError(err)) throw err;
      this.#tools.observe.log.error(
        { err, conversation: lease.conversation },
        'a turn threw while it was given up',
      );
    }
    turn.decision = asItWas;
  }
}

/** How far the work under a lease is. */
type Progress = {
  readonly lease: Lease;
  /** Nothing of the outbox is left to do up to this number. */
  sentSeq: number;
  /** Earlier tries of the first reply that is left. */
  tried: Tried;
  /** Calls of the turn at work, which a commit has not concluded. */
  calls?: Calls | undefined;
};

type Steps = {
  readonly asker: Asker;
  readonly calls: Calls;
  readonly journal: ReturnType<Calls['all']> | undefined;
  /** Operations of the journal that no step has named yet. */
  readonly unnamed: Set<string>;
};

/** Errors of the engine and its store: the turn is retried, and its message is no dead letter. */
const isInfrastructureError = (error: unknown): boolean =>
  error instanceof GivenBack || error instanceof StoreUnavailable || error instanceof LeaseLost;

/** A turn whose lock or intent the store did not take comes again after half its age; a wake-up after the longest wait. */
const MIN_AGAIN_MS = 1000;
const MAX_AGAIN_MS = 60_000;
/** A message that waits for a store for longer is given up, as if its process died each time. */
const PATIENCE_MS = 10 * 60_000;

/** A part of the store does not take what the turn needs: its message is not to blame. Null: it waited for too long. */
function givenBackForStore({ nowMs, asker }: Turn): GivenBack | null {
  const acceptedMs = asker?.incoming?.acceptedMs;
  if (acceptedMs === undefined) return new GivenBack('store', MAX_AGAIN_MS);
  const ageMs = nowMs - acceptedMs;
  if (ageMs > PATIENCE_MS) return null;
  return new GivenBack('store', Math.min(Math.max(ageMs / 2, MIN_AGAIN_MS), MAX_AGAIN_MS));
}

const triedBefore = ({ record: { retry } }: Lease): Tried =>
  retry === null ? NEVER_TRIED : { tries: retry.tries, sinceMs: retry.sinceMs };

/** An item that cannot be read will never be sent: it is passed over. */
function readOutbox({ record: { outbox } }: Lease): NumberedItem[] {
  return outbox.map(({ seq, body }) => {
    try {
      return { seq, item: readOutboxItem(body) };
    } catch (error) {
      giveBackIfNewer(error);
      return { seq, item: null };
    }
  });
}
