import type { Context, Settings } from '../conversation/context.ts';
import type { Lookup, OperationOutcome, Outcome } from '../conversation/effect.ts';
import type { GiftNote } from '../conversation/gift-note.ts';
import type { PhotoEffect, Sender } from '../conversation/message.ts';
import { toOutline } from '../conversation/outline.ts';
import type { ProofOutcome } from '../conversation/proof.ts';
import { type Decision, type Reply, toPlainest, type Unlock } from '../conversation/reply.ts';
import { localeOf, type ReadState, type State, VERSION } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import type { EndedTurn, Observe } from '../observability/metrics.ts';
import type { Spans } from '../observability/tracing.ts';
import type { Watchdog } from '../observability/watchdog.ts';
import type { VersionedRecords } from '../records/versioned-records.ts';
import type { Bulkhead } from '../resilience/bulkhead.ts';
import type { Runtime } from '../runtime.ts';
import type { Encryption } from '../store/port.ts';
import type { CustomerRecord } from './customer.ts';
import { type GivenBack, isAbandoned, readOrGiveBack, UNKNOWN_FLOW } from './ends.ts';
import type { ConversationRecords, Lease, Leases, NextWork } from './leases.ts';
import type { EngineLimits } from './limits.ts';
import {
  attempt,
  type CallTrace,
  type Incoming,
  type Origin,
  type OutboxItem,
  type Outgoing,
  type Platform,
  readMessage,
  readOutboxItem,
  readStored,
  type StoredState,
  type Trip,
  withVersion,
} from './messages.ts';
import type { DeadLetter, OutboxEntry } from './record.ts';
import { type Commit, UNDELIVERED } from './transitions.ts';

/** The pure conversation, as turns use it. */
export type ConversationPort = {
  step(state: State, input: Input, context: Context): Decision;
  readState: ReadState;
  newState(lastMessageMs?: number): State;
  readonly settings: Settings;
  /** Whether AntCRM can be reached. Asked at every step, so it must be cheap. Absent: always. */
  serviceUp?(): boolean;
};

/** The counter's records of redeemed gifts, as turns use them (`counter/`). */
export type GiftPort = {
  /** The code that the customer of an operation shows at the counter. */
  codeOf(operation: string): string;
  /** Takes a note, which may have come before. Rejects with `StoreUnavailable`. */
  note(note: GiftNote): Promise<void>;
};

/** The files that staff send (`records/staff-files.ts`). */
export type StaffFilePort = { read(name: string): Promise<Buffer | null> };

/** What the parts of the engine share. */
export type TurnTools = {
  readonly conversation: ConversationPort;
  ids(): Context['ids'];
  readonly leases: Leases;
  readonly records: ConversationRecords;
  readonly customers: VersionedRecords<CustomerRecord>;
  /** Absent: the bot keeps no records of gifts, and drops notes about them. */
  readonly gifts?: GiftPort | undefined;
  /** Absent: staff cannot send files. */
  readonly staffFiles?: StaffFilePort | undefined;
  readonly encryption: Encryption;
  /** The channel of that name, if this process has it. */
  platform(channel: string): Platform | undefined;
  bulkhead(channel: string): Bulkhead;
  /** Aborted when the process is stopping: no call may begin. */
  readonly stopping: AbortSignal;
  /** Called with an error whose work is tried again. */
  onError(error: unknown): void;
  readonly limits: EngineLimits;
  readonly runtime: Runtime;
  readonly spans: Spans;
  readonly isTracing: boolean;
  readonly observe: Observe;
  readonly watchdog?: Watchdog | undefined;
};

/** Who gets the answer: the sender of the message or, at a wake-up, of the last message before it. */
export type Asker = {
  readonly origin: Origin;
  readonly sender: Sender;
  readonly incoming: Incoming | null;
};

/** Why a dead letter is written. `attempts`: they failed too often. `state`: the state cannot be read. */
export type DeadReason = 'threw' | 'attempts' | 'unreadable' | 'state';

/** What the steps of a turn decided together. */
export class TurnDecision {
  state: State;
  wakeAtMs: number | null;
  forget = false;
  readonly replies: Reply[] = [];
  readonly settled: string[] = [];
  readonly unlock: Unlock[] = [];
  readonly gifts: GiftNote[] = [];
  readonly escalated: string[] = [];
  readonly late: string[] = [];
  readonly questions: string[] = [];

  constructor(state: State, wakeAtMs: number | null = null) {
    this.state = state;
    this.wakeAtMs = wakeAtMs;
  }
}

/** An entry of the outbox, as it was before it was written; `body`, null: it cannot be read. */
export type OutboxTask = { readonly seq: number; readonly body: OutboxItem | null };

/** How long other processes may go on with a flow that this process does not have. */
const FOREIGN_FLOW_MS = 60_000;
/** How often at most a customer hears that messages were dropped. */
const FLOOD_EVERY_MS = 60_000;
const FLOOD: Reply = { key: 'abuse.flood' };
/** Before what could not be delivered. */
const MISSED: Reply = { key: 'delivery.missed' };
/** A turn that asks for more effects is in an endless loop. */
const MAX_EFFECTS = 16;

/** The calls that may have been made for the conversation, and how each can be looked up. */
export type KnownCalls = {
  readonly known: ReadonlyMap<string, OperationOutcome>;
  readonly lookups: ReadonlyMap<string, Lookup>;
};
export const NO_CALLS: KnownCalls = { known: new Map(), lookups: new Map() };

type StepsOptions = { readonly sender: Sender; readonly calls: KnownCalls };

/** What a turn decided: the change that stores it, and what is left to be done then, in order. */
export type DecidedTurn = { readonly change: Commit; readonly tasks: readonly OutboxTask[] };
/** A turn whose change is stored. */
export type CommittedTurn = { readonly turn: Turn; readonly tasks: readonly OutboxTask[] };
/** What a step asks for. */
export type WantedEffect = NonNullable<Decision['effect']>;

/** How the steps of a turn ended. `threw`: the conversation has a fault. */
export type StepsEnd =
  | { readonly kind: 'decided'; readonly decided: DecidedTurn }
  | { readonly kind: 'threw'; readonly error: unknown };

type TurnEvent = { -readonly [Name in keyof EndedTurn]: EndedTurn[Name] } & { readonly attempt: number };
/** What people see who look into the turn. */
export type TurnInside = { readonly calls: CallTrace[]; readonly trips: Trip[] };
type Phase = 'identifyMs' | 'stepsMs' | 'commitMs' | 'deliverMs';

/**
 * One turn: `open` reads a message or a wake-up, and `takeSteps` has the conversation decide. It takes the
 * time, and new ids, from outside; it waits for nothing and changes nothing there, so a turn may be decided
 * twice. It is decided within the swap that files its message (`filing.ts`), or by the worker, which performs
 * the effects that the steps ask for (`worker.ts`).
 */
export class Turn {
  /** The lease as it was when the turn was opened. */
  readonly lease: Lease;
  readonly work: NextWork;
  readonly before: StoredState;
  /** Null: it is unknown who gets the answer. */
  readonly asker: Asker | null;
  /**
   * When the customer's message was filed, by the store's clock. Absent at wake-ups, and for staff's
   * messages.
   */
  readonly filedMs: number | undefined;
  readonly letters: { readonly reason: DeadReason; readonly body: unknown }[] = [];
  /** What the steps decided until now. */
  decision: TurnDecision;
  /** Present if the turn is looked into. Filled as the turn goes. */
  inside: TurnInside | undefined;
  /** For the log and the metrics, filled as the turn goes. It has no personal data. */
  readonly event: TurnEvent;

  readonly #tools: TurnTools;
  readonly #beganMs: number;
  #phaseMs: number;

  /** Opens the next turn of a lease. It is given back if only another process can go on. */
  static open(lease: Lease, work: NextWork, tools: TurnTools): Turn | GivenBack {
    const { nowMs, record, filed } = lease;
    const { head } = work;
    const { newState, readState } = tools.conversation;
    const isFiled = head !== null && head.mark === filed?.mark;
    const incoming = isFiled ? filed.incoming : head && readOrGiveBack(() => readMessage(head.body));
    if (isAbandoned(incoming)) return incoming;
    const { state } = record;
    const stored =
      record.stored ?? (state === null ? null : readOrGiveBack(() => readStored(state, readState)));
    if (isAbandoned(stored)) return stored;
    const turn = new Turn(
      { lease, work, before: stored ?? { state: newState(), origin: null }, incoming },
      tools,
    );
    // A message that staff filed does not wait for another process.
    const sinceMs = head === null ? record.wakeMs : (turn.filedMs ?? 0);
    const isForeign = stored !== null && 'unknownFlow' in stored && nowMs - sinceMs < FOREIGN_FLOW_MS;
    if (isForeign) return UNKNOWN_FLOW;
    if (state !== null && stored === null) turn.letters.push({ reason: 'state', body: state });
    return turn;
  }

  private constructor({ lease, work, before, incoming }: OpenedTurn, tools: TurnTools) {
    const { record } = lease;
    const { head } = work;
    this.lease = lease;
    this.work = work;
    this.before = before;
    this.#tools = tools;
    this.decision = new TurnDecision(before.state);
    const origin = incoming === null ? before.origin : toOrigin(incoming);
    this.asker = origin && { origin, sender: incoming?.sender ?? origin.sender, incoming };
    const acceptedMs = incoming?.acceptedMs;
    this.filedMs = acceptedMs === undefined ? undefined : head?.atMs;
    const { runtime } = tools;
    this.event = {
      conversation: lease.conversation,
      channel: this.asker?.origin.channel ?? 'unknown',
      input: head === null ? 'wake' : (incoming?.message.kind ?? 'unreadable'),
      attempt: record.attempts + 1,
      // It compares the clocks of two machines, so use it only for display.
      waitMs: acceptedMs === undefined ? undefined : Math.max(0, runtime.nowMs() - acceptedMs),
      result: 'given-back',
      identifyMs: 0,
      stepsMs: 0,
      commitMs: 0,
      deliverMs: 0,
    };
    this.#beganMs = runtime.monotonicMs();
    this.#phaseMs = this.#beganMs;
  }

  /** This process's estimate of the store's clock now. */
  readonly storeMs = (): number =>
    this.lease.nowMs + Math.round(this.#tools.runtime.monotonicMs() - this.#beganMs);

  /** Adds the time since the end of the last phase to this phase. */
  endPhase(phase: Phase): void {
    const nowMs = this.#tools.runtime.monotonicMs();
    this.event[phase] += nowMs - this.#phaseMs;
    this.#phaseMs = nowMs;
  }

  /** The turn has waited for the store since `sinceMs` (epoch). */
  endTrip(name: Exclude<Trip, 'take'>, sinceMs: number, operation?: string): void {
    this.inside?.trips.push(name);
    if (this.#tools.isTracing) this.#tools.spans.mark({ name: `store ${name}`, operation, sinceMs });
  }

  /**
   * Has the conversation decide. It yields each effect that a step asks for, and goes on with its outcome. At
   * the end, calls that an earlier attempt may have made, and that no step asked for, are `unknown`.
   */
  *takeSteps(
    first: Input,
    { sender, calls }: StepsOptions,
  ): Generator<WantedEffect, StepsEnd, Outcome | PhotoEffect | ProofOutcome> {
    // A wake-up must not see the calls that a message confirmed.
    const journal = first.kind === 'wake' ? undefined : Object.fromEntries(calls.known);
    const orphans = new Set(Object.keys(journal ?? {}));
    let effects = 0;
    for (let input: Input | undefined = first; input !== undefined; ) {
      let effect: WantedEffect | undefined;
      try {
        effect = this.#takeStep(input, { sender, journal });
        if (effect !== undefined) effects += 1;
        if (effects > MAX_EFFECTS) throw new Error(`a turn asked for more than ${MAX_EFFECTS} effects`);
      } catch (error) {
        return { kind: 'threw', error };
      }
      if (effect === undefined) {
        input = this.#nextOrphan(orphans, calls);
        continue;
      }
      if ('operation' in effect) orphans.delete(effect.operation);
      input = { kind: 'outcome', outcome: yield effect };
    }
    try {
      return { kind: 'decided', decided: this.conclude() };
    } catch (error) {
      return { kind: 'threw', error };
    }
  }

  /**
   * The next call that no step has asked for. The conversation gets it as `unknown`, to tell the customer.
   */
  #nextOrphan(orphans: Set<string>, { lookups }: KnownCalls): Input | undefined {
    for (const operation of orphans) {
      orphans.delete(operation);
      const { state, settled } = this.decision;
      const isDecided = state.operations.some(({ id }) => id === operation) || settled.includes(operation);
      const lookup = lookups.get(operation);
      if (!isDecided && lookup) return { kind: 'outcome', outcome: { kind: 'unknown', operation, lookup } };
    }
    return undefined;
  }

  /** Drops what the steps decided, and begins again from this state. */
  startOver(state: State, wakeAtMs: number | null = null, reply?: Reply): void {
    this.decision = new TurnDecision(state, wakeAtMs);
    if (reply) this.decision.replies.push(reply);
  }

  /**
   * Takes one step and adds what it decides. Returns the effect that it asks for. Throws what `step` throws.
   */
  #takeStep(
    input: Input,
    { sender, journal }: Pick<Context, 'sender' | 'journal'>,
  ): WantedEffect | undefined {
    const { conversation, gifts, ids, watchdog } = this.#tools;
    const { head } = this.work;
    const context = {
      sender,
      journal,
      settings: conversation.settings,
      serviceUp: conversation.serviceUp?.() ?? true,
      nowMs: this.storeMs(),
      filedMs: this.filedMs,
      // The message was filed after the last question was delivered, so its writer could know the question.
      current: head !== null && head.seq > this.lease.record.knew,
      giftCode: gifts?.codeOf,
      ids: ids(),
    };
    const decision = this.decision;
    let step: Decision;
    watchdog?.enter(this.lease.conversation);
    try {
      step = conversation.step(decision.state, input, context);
    } finally {
      watchdog?.leave();
    }
    const { settled = [], unlock = [], gifts: notes = [], escalated = [], late = [], question } = step;
    decision.state = step.state;
    decision.wakeAtMs = step.wakeAtMs ?? null;
    decision.forget ||= step.forget === true;
    decision.replies.push(...step.replies);
    decision.settled.push(...settled);
    decision.unlock.push(...unlock);
    decision.gifts.push(...notes);
    decision.escalated.push(...escalated);
    decision.late.push(...late);
    if (question) decision.questions.push(question.answer ?? 'none');
    return step.effect;
  }

  /** Makes one change of all that was decided. */
  conclude(): DecidedTurn {
    const { before, lease, asker, work } = this;
    const { record, nowMs } = lease;
    const isFlood = record.dropped > 0 && nowMs - (before.floodedMs ?? 0) > FLOOD_EVERY_MS;
    const { state, wakeAtMs, settled, forget } = this.decision;
    const letters = this.filedMs === undefined ? [] : readKeptReplies(record.dead);
    const missed = letters.length > 0 ? [MISSED, ...letters.map(({ reply }) => reply)] : [];
    const replies = [...missed, ...(isFlood ? [FLOOD] : []), ...this.decision.replies];
    const { isTracing, spans } = this.#tools;
    const traceparent = isTracing ? spans.traceparent() : undefined;
    const stored: StoredState = {
      state,
      origin: asker?.origin ?? before.origin,
      asks: this.#liveQuestion(replies),
      floodedMs: isFlood ? nowMs : before.floodedMs,
      traceparent: this.#traceOfWakeUp(traceparent),
    };
    const outline = toOutline(state);
    const { flow, person } = outline;
    const shownState = { flow, asks: stored.asks, ...(person && { person }) };
    const tasks = asker === null ? [] : this.#toTasks(asker, { replies, state: shownState, traceparent });
    const change = {
      state: JSON.stringify(withVersion(stored)),
      stored,
      replies: tasks,
      consumed: work.head !== null,
      wakeMs: wakeAtMs,
      settled,
      forget,
      told: letters.map(({ id }) => id),
      // A wake-up that fails again and again has one letter.
      dead: this.letters.map((letter) => ({
        ...letter,
        id: work.isWoken ? 'wake' : this.#tools.runtime.id(),
      })),
      dropped: record.dropped,
      listed: outline.listed,
    };
    return { change, tasks };
  }

  /** What the customer is asked for now. A turn without a question keeps the live one. */
  #liveQuestion(replies: readonly Reply[]): string | undefined {
    const { before, decision } = this;
    const asks = replies.findLast((reply) => reply.asks !== undefined)?.asks;
    return asks ?? (decision.state.view === before.state.view ? before.asks : undefined);
  }

  /** A wake-up belongs to the trace of the turn that asked for it, not of a turn that leaves it as it is. */
  #traceOfWakeUp(traceparent: string | undefined): string | undefined {
    const { wakeAtMs } = this.decision;
    if (wakeAtMs === null) return undefined;
    return wakeAtMs === this.lease.record.wakeMs ? this.before.traceparent : traceparent;
  }

  /** The replies in order, then the customers to unlock and the notes for the counter. */
  #toTasks(
    { origin, sender, incoming }: Asker,
    { replies, state, traceparent }: Pick<Outgoing, 'state' | 'traceparent'> & Pick<Decision, 'replies'>,
  ): (OutboxTask & OutboxEntry)[] {
    const decision = this.decision;
    const { before, lease } = this;
    const { conversation, encryption } = this.#tools;
    const { unlock, gifts, forget } = decision;
    const shared = {
      channel: origin.channel,
      conversation: origin.conversation,
      address: origin.address,
      press: incoming?.press,
      locale: localeOf(decision.state, sender, conversation.settings.defaultLocale),
      turn: incoming?.id,
      state,
      asked: before.asks,
      ...(forget && { forget: true as const }),
      atMs: lease.nowMs,
      acceptedMs: incoming?.acceptedMs,
      traceparent,
    };
    let seq = lease.record.outSeq;
    const tasks: (OutboxTask & OutboxEntry)[] = [];
    for (const reply of replies) {
      const place = { first: tasks.length === 0, last: tasks.length === replies.length - 1 };
      const body = { kind: 'reply' as const, outgoing: { ...shared, reply, ...place }, version: VERSION };
      seq += 1;
      const { view, note } = reply;
      tasks.push({ seq, body, ...(view !== undefined && { asks: true as const }), ...(note && { note }) });
    }
    for (const { customer, ...unlocked } of unlock) {
      const name = encryption.name('customer', customer);
      const body = { kind: 'unlock' as const, customer: name, ...unlocked, version: VERSION };
      seq += 1;
      tasks.push({ seq, body });
    }
    for (const note of gifts) {
      seq += 1;
      const body = { kind: 'gift' as const, note, version: VERSION };
      tasks.push({ seq, body });
    }
    return tasks;
  }
}

/** The replies about points that could not be delivered, as text alone. */
function readKeptReplies(dead: readonly DeadLetter[]): { readonly id: string; readonly reply: Reply }[] {
  return dead.flatMap(({ id, reason, body }) => {
    const item = reason === UNDELIVERED ? attempt(() => readOutboxItem(body)) : null;
    return item?.kind === 'reply' ? [{ id, reply: toPlainest(item.outgoing.reply) }] : [];
  });
}

type OpenedTurn = Pick<Turn, 'lease' | 'work' | 'before'> & { readonly incoming: Incoming | null };

/** Neither name nor e-mail of the sender is kept for later turns. */
function toOrigin({ channel, conversation, address, sender }: Incoming): Origin {
  const { proof, locale } = sender;
  return { channel, conversation, address, sender: { channel: sender.channel, proof, locale } };
}
