import type { Context, Settings } from '../conversation/context.ts';
import type { Effect } from '../conversation/effect.ts';
import type { PhotoEffect, Sender } from '../conversation/message.ts';
import { toOutline } from '../conversation/outline.ts';
import type { Decision, Reply, Unlock } from '../conversation/reply.ts';
import { localeOf, NewerVersion, type ReadState, type State, VERSION } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import type { EndedTurn, Observe } from '../observability/metrics.ts';
import type { Spans } from '../observability/tracing.ts';
import type { Watchdog } from '../observability/watchdog.ts';
import type { Bulkhead } from '../resilience/bulkhead.ts';
import type { Runtime } from '../runtime.ts';
import type { Encryption } from '../store/port.ts';
import type { CustomerRecord } from './customer.ts';
import type { ConversationRecords, Lease, Leases } from './leases.ts';
import type { EngineLimits } from './limits.ts';
import {
  type Incoming,
  type Origin,
  type OutboxItem,
  type Outgoing,
  type Platform,
  readMessage,
  readStored,
  type StoredState,
  type TracedCall,
  type Trip,
  withVersion,
} from './messages.ts';
import type { OutboxEntry } from './record.ts';
import type { Commit } from './transitions.ts';
import type { VersionedRecords } from './versioned-records.ts';

/** The pure conversation, as turns use it. */
export type ConversationPort = {
  step(state: State, input: Input, context: Context): Decision;
  readState: ReadState;
  newState(lastMessageMs?: number): State;
  readonly settings: Settings;
  /** Whether AntCRM can be reached. Asked at every step, so it must be cheap. Absent: always. */
  serviceUp?(): boolean;
};

/** What the parts of the engine share. */
export type TurnTools = {
  readonly conversation: ConversationPort;
  ids(): Context['ids'];
  readonly leases: Leases;
  readonly records: ConversationRecords;
  readonly customers: VersionedRecords<CustomerRecord>;
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

/**
 * The lease is given back and nothing was changed: this process or another one takes the turn after
 * `afterMs`. It is no failure, and does not count as an attempt.
 */
export class GivenBack extends Error {
  override readonly name = 'GivenBack';
  readonly afterMs: number;

  constructor(reason: string, afterMs = 0) {
    super(reason);
    this.afterMs = afterMs;
  }
}

/** A turn that finds no room in a bulkhead is tried again after this, or after up to three times as long. */
const NO_ROOM_MS = 2000;
/** A turn that only another process can handle is given back for this long. */
const GIVEN_BACK_MS = 2000;
/** How long other processes may go on with a flow that this process does not have. */
const FOREIGN_FLOW_MS = 60_000;
/** How often at most a customer hears that messages were dropped. */
const FLOOD_EVERY_MS = 60_000;
const FLOOD: Reply = { key: 'abuse.flood' };

/** `random` in [0, 1) spreads the retries of turns that found no room at the same time. */
export const givenBackForRoom = (random: number): GivenBack =>
  new GivenBack('no room', Math.round(NO_ROOM_MS * (1 + 2 * random)));

/** What `read` returns; null: it throws. Throws `GivenBack` for what only newer processes can read. */
export function readOrGiveBack<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof NewerVersion) throw new GivenBack('newer version', GIVEN_BACK_MS);
    return null;
  }
}

type TurnEvent = { -readonly [Name in keyof EndedTurn]: EndedTurn[Name] } & { readonly attempt: number };
/** What people see who look into the turn. */
export type TurnInside = { readonly calls: TracedCall[]; readonly trips: Trip[] };
type Phase = 'identifyMs' | 'stepsMs' | 'commitMs' | 'deliverMs';

/**
 * One turn: it reads a message or a wake-up, the conversation decides, and the decision becomes one commit.
 * Nothing here waits or changes anything outside, so a turn may be decided twice. It is decided within the
 * swap that files its message (`engine.ts`), or by the worker, which performs effects between the steps
 * (`worker.ts`).
 */
export class Turn {
  readonly lease: Lease;
  /** The store's clock when the turn was opened. */
  readonly nowMs: number;
  readonly before: StoredState;
  /** Null: it is unknown who gets the answer. */
  readonly asker: Asker | null;
  /** When the customer's message was filed, by the store's clock. Absent at wake-ups, and for staff's messages. */
  readonly filedMs: number | undefined;
  readonly letters: { readonly reason: DeadReason; readonly body: unknown }[] = [];
  decision: TurnDecision;
  /** What is left to be done after the commit: replies to send in order, then customers to unlock. */
  tasks: readonly OutboxTask[] = [];

  /** Present if the turn is looked into. Filled as the turn goes. */
  inside: TurnInside | undefined;
  /** For the log and the metrics, filled as the turn goes. It has no personal data. */
  readonly event: TurnEvent;

  readonly #tools: TurnTools;
  readonly #beganMs: number;
  #phaseMs: number;

  /** Throws `GivenBack` if only another process can read the message or the state. */
  constructor(lease: Lease, tools: TurnTools) {
    const { head, nowMs, record, filed } = lease;
    this.lease = lease;
    this.nowMs = nowMs;
    this.#tools = tools;
    const before: ReturnType<typeof readStored> = record.stored ?? this.#readState(record.state);
    const isFiled = head !== null && head.mark === filed?.deliveryId;
    const incoming = isFiled ? filed.incoming : head && readOrGiveBack(() => readMessage(head.body));
    this.before = before;
    this.decision = new TurnDecision(before.state);
    const origin = incoming === null ? before.origin : toOrigin(incoming);
    this.asker = origin && { origin, sender: incoming?.sender ?? origin.sender, incoming };
    const acceptedMs = incoming?.acceptedMs;
    this.filedMs = acceptedMs === undefined ? undefined : head?.atMs;
    // A message that staff filed does not wait for another process.
    const sinceMs = head === null ? record.wakeMs : (this.filedMs ?? 0);
    if (before.unknownFlow && nowMs - sinceMs < FOREIGN_FLOW_MS) throw new GivenBack('flow', GIVEN_BACK_MS);
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
  readonly storeMs = (): number => this.nowMs + Math.round(this.#tools.runtime.monotonicMs() - this.#beganMs);

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
   * Takes one step and adds what it decides. Returns the effect that it asks for. Throws what `step` throws.
   */
  takeStep(
    input: Input,
    { sender, journal }: Pick<Context, 'sender' | 'journal'>,
  ): Effect | PhotoEffect | undefined {
    const { conversation, ids, watchdog } = this.#tools;
    const { head, record } = this.lease;
    const context = {
      sender,
      journal,
      settings: conversation.settings,
      serviceUp: conversation.serviceUp?.() ?? true,
      nowMs: this.storeMs(),
      filedMs: this.filedMs,
      // The message was filed after the last question was delivered, so its writer could know the question.
      current: head !== null && head.seq > record.knew,
      ids: ids(),
    };
    const { decision } = this;
    let step: Decision;
    watchdog?.enter(this.lease.conversation);
    try {
      step = conversation.step(decision.state, input, context);
    } finally {
      watchdog?.leave();
    }
    const { settled = [], unlock = [], escalated = [], late = [], question } = step;
    decision.state = step.state;
    decision.wakeAtMs = step.wakeAtMs ?? null;
    decision.forget ||= step.forget === true;
    decision.replies.push(...step.replies);
    decision.settled.push(...settled);
    decision.unlock.push(...unlock);
    decision.escalated.push(...escalated);
    decision.late.push(...late);
    if (question) decision.questions.push(question.answer ?? 'none');
    return step.effect;
  }

  /** Makes the commit from the decision, and sets `tasks`. */
  toCommit(): Commit {
    const { before, lease, letters, nowMs, asker } = this;
    const { record, head } = lease;
    const isFlood = record.dropped > 0 && nowMs - (before.floodedMs ?? 0) > FLOOD_EVERY_MS;
    if (isFlood) this.decision.replies.unshift(FLOOD);
    const { state, replies, wakeAtMs, settled, forget } = this.decision;
    const asks = replies.findLast((reply) => reply.asks !== undefined)?.asks;
    const outline = toOutline(state);
    const { isTracing, spans } = this.#tools;
    const traceparent = isTracing ? spans.traceparent() : undefined;
    const stored: StoredState = {
      state,
      origin: asker?.origin ?? before.origin,
      // A turn without a question keeps the live one.
      asks: asks ?? (state.view === before.state.view ? before.asks : undefined),
      floodedMs: isFlood ? nowMs : before.floodedMs,
      // A wake-up belongs to the trace of the turn that asked for it, not of a turn that leaves it as it is.
      traceparent:
        wakeAtMs === null ? undefined : wakeAtMs === record.wakeMs ? before.traceparent : traceparent,
    };
    const { flow, person } = outline;
    const shownState = { flow, asks: stored.asks, ...(person && { person }) };
    const tasks = asker === null ? [] : this.#toTasks(asker, shownState, traceparent);
    this.tasks = tasks;
    return {
      state: JSON.stringify(withVersion(stored)),
      stored,
      replies: tasks,
      consumed: head !== null,
      wakeMs: wakeAtMs,
      settled,
      forget,
      // A wake-up that fails again and again has one letter.
      dead: letters.map((letter) => ({ ...letter, id: lease.isWoken ? 'wake' : this.#tools.runtime.id() })),
      dropped: record.dropped,
      listed: outline.listed,
    };
  }

  /** The replies in order, then the customers to unlock. */
  #toTasks(
    { origin, sender, incoming }: Asker,
    state: Outgoing['state'],
    traceparent: string | undefined,
  ): (OutboxTask & OutboxEntry)[] {
    const { decision, before, nowMs } = this;
    const { conversation, encryption } = this.#tools;
    const { replies, unlock, forget } = decision;
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
      atMs: nowMs,
      acceptedMs: incoming?.acceptedMs,
      traceparent,
    };
    let seq = this.lease.record.outSeq;
    const tasks: (OutboxTask & OutboxEntry)[] = [];
    for (const reply of replies) {
      const place = { first: tasks.length === 0, last: tasks.length === replies.length - 1 };
      const body = { kind: 'reply' as const, outgoing: { ...shared, reply, ...place }, v: VERSION };
      seq += 1;
      tasks.push({ seq, body, ...(reply.view !== undefined && { asks: true as const }) });
    }
    for (const { customer, ...unlocked } of unlock) {
      const name = encryption.name('customer', customer);
      const body = { kind: 'unlock' as const, customer: name, ...unlocked, v: VERSION };
      seq += 1;
      tasks.push({ seq, body });
    }
    return tasks;
  }

  #readState(state: string | null): ReturnType<typeof readStored> {
    const { newState, readState } = this.#tools.conversation;
    const stored = state === null ? null : readOrGiveBack(() => readStored(state, readState));
    if (state !== null && stored === null) this.letters.push({ reason: 'state', body: state });
    return stored ?? { state: newState(), origin: null };
  }
}

/** Neither name nor e-mail of the sender is kept for later turns. */
function toOrigin({ channel, conversation, address, sender }: Incoming): Origin {
  const { proof, locale } = sender;
  return { channel, conversation, address, sender: { channel: sender.channel, proof, locale } };
}
