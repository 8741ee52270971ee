import type { Context, Settings } from '../conversation/context.ts';
import type { Effect } from '../conversation/effect.ts';
import type { PhotoEffect, Sender } from '../conversation/message.ts';
import { type Outline, outlineOf } from '../conversation/outline.ts';
import type { Decision, Reply, Unlock } from '../conversation/reply.ts';
import { localeOf, NewerVersion, type ReadState, type State } from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import type { Lease } from './conversations.ts';
import { GivenBack } from './given-back.ts';
import {
  type Incoming,
  type Origin,
  type OutboxItem,
  originOf,
  readMessage,
  readStored,
  type StoredState,
  writeState,
  written,
} from './messages.ts';
import type { Commit } from './transitions.ts';

/*
 * One turn: a message or a wake-up is read, the conversation decides, and what it decided becomes one commit. Everything here
 * is synchronous and has no effect but its result, so a turn may be decided again wherever its swap is tried again: where
 * the message is filed (`decideAtOnce`) as well as by the worker (`worker.ts`), which performs effects in between.
 */

/** The pure conversation, as turns use it. */
export type Conversation = {
  step(state: State, input: Input, context: Context): Decision;
  /** Reads what `version` stored. */
  readState: ReadState;
  newState(lastMessageMs?: number): State;
  readonly settings: Settings;
  /** Whether AntCRM is in reach, as far as is known; cheap, asked at every step. Absent: always. */
  serviceUp?(): boolean;
};

/** What a turn decides with. */
export type TurnTools = {
  readonly conversation: Conversation;
  /** Fresh ids for one step. */
  ids(): Context['ids'];
  /** The name of a customer in the store: a keyed hash. */
  customerName(customer: string): string;
  /** The id of a dead letter. */
  letterId(): string;
  /** The trace at work (W3C Trace Context); undefined where nothing is traced. */
  readonly traceparent: (() => string | undefined) | undefined;
};

/** Whom a turn answers: a message with its sender; or, at a wake-up, whoever wrote last. */
export type Asker = {
  readonly origin: Origin;
  readonly sender: Sender;
  readonly incoming: Incoming | null;
};

/** Why a dead letter was written: its attempts failed too often, the turn threw, the message or the state is unreadable. */
export type DeadReason = 'threw' | 'attempts' | 'unreadable' | 'state';
export type Letter = { readonly reason: DeadReason; readonly body: unknown };

/** What the steps of a turn decided together. */
export type TurnDecision = {
  readonly state: State;
  readonly replies: readonly Reply[];
  readonly wakeAtMs: number | null;
  readonly settled: readonly string[];
  readonly unlock: readonly Unlock[];
  readonly escalated: readonly string[];
  readonly questions: readonly string[];
  readonly forget: boolean;
};

const NOTHING: readonly never[] = [];

/** A turn that changes nothing but the wake-up, and says `replies`. */
export function leaveState(
  state: State,
  wakeAtMs: number | null,
  replies: readonly Reply[] = NOTHING,
): TurnDecision {
  return {
    ...{ state, replies, wakeAtMs, forget: false },
    ...{ settled: NOTHING, unlock: NOTHING, escalated: NOTHING, questions: NOTHING },
  };
}

/** A turn that was opened, and what it has decided so far. */
export type Turn = {
  readonly lease: Lease;
  /** The store's clock when the turn was opened. */
  readonly nowMs: number;
  readonly before: StoredState;
  /** Null: it is unknown whom to answer. */
  readonly asker: Asker | null;
  readonly isUnreadable: boolean;
  readonly letters: Letter[];
  decision: TurnDecision;
};

/** How soon a conversation that is left to other processes may be taken again. */
const LEFT_AGAIN_MS = 2000;
/** For so long other processes may go on with a flow that this process does not have. */
const FOREIGN_FLOW_MS = 60_000;

/**
 * Reads what is to be answered. What cannot be read becomes a dead letter. Throws `GivenBack` where another process may be
 * able to read it.
 */
export function openTurn(lease: Lease, tools: Pick<TurnTools, 'conversation'>): Turn {
  const letters: Letter[] = [];
  const before = readBefore(lease, letters, tools.conversation);
  const { head } = lease;
  const bystander = before.origin && { origin: before.origin, sender: before.origin.sender, incoming: null };
  const incoming = head && readHead(lease, head);
  const turn: Turn = {
    lease,
    nowMs: lease.nowMs,
    before,
    asker: incoming ? { origin: originOf(incoming), sender: incoming.sender, incoming } : bystander,
    isUnreadable: head !== null && incoming === null,
    letters,
    decision: leaveState(before.state, null),
  };
  if (before.unknownFlow) {
    // A message of staff has no time of acceptance: it waits for no other process.
    const sinceMs = head === null ? lease.record.wakeMs : (incoming?.acceptedMs ?? 0);
    if (lease.nowMs - sinceMs < FOREIGN_FLOW_MS) throw new GivenBack('flow', LEFT_AGAIN_MS);
  }
  return turn;
}

function readBefore(
  { record: { state, stored } }: Lease,
  letters: Letter[],
  { newState, readState }: Conversation,
): StoredState & { readonly unknownFlow?: true } {
  if (stored !== undefined) return stored;
  if (state !== null) {
    try {
      return readStored(state, readState);
    } catch (error) {
      giveBackIfNewer(error);
      letters.push({ reason: 'state', body: state });
    }
  }
  return { state: newState(), origin: null };
}

/** Null: it cannot be read. */
function readHead({ filed }: Lease, head: NonNullable<Lease['head']>): Incoming | null {
  if (filed?.mark === head.mark) return filed.incoming;
  try {
    return readMessage(head.body);
  } catch (error) {
    giveBackIfNewer(error);
    return null;
  }
}

/** Throws `GivenBack` for what a newer process stored: it is for newer processes. */
export function giveBackIfNewer(error: unknown): void {
  if (error instanceof NewerVersion) throw new GivenBack('newer version', LEFT_AGAIN_MS);
}

/** What a step is told beside the state and its input. */
export type StepContext = Pick<Context, 'sender' | 'heardMs' | 'journal' | 'nowMs'>;

/** Takes one step, and adds what it decides to the turn. Returns the effect that it asks for. Throws what `step` throws. */
export function takeStep(
  turn: Turn,
  input: Input,
  at: StepContext,
  { conversation, ids }: Pick<TurnTools, 'conversation' | 'ids'>,
): Effect | PhotoEffect | undefined {
  const { settings } = conversation;
  const { head, record } = turn.lease;
  const decision = conversation.step(turn.decision.state, input, {
    ...at,
    settings,
    serviceUp: conversation.serviceUp?.() ?? true,
    // The message was filed after the last question was delivered, so its writer could know the question.
    current: head !== null && head.seq > record.knew,
    ids: ids(),
  });
  turn.decision = combine(turn.decision, decision);
  return decision.effect;
}

function combine(before: TurnDecision, decision: Decision): TurnDecision {
  const { state, replies, wakeAtMs = null, settled, unlock, escalated, question, forget = false } = decision;
  return {
    state,
    replies: before.replies.length === 0 ? replies : [...before.replies, ...replies],
    wakeAtMs,
    settled: settled ? [...before.settled, ...settled] : before.settled,
    unlock: unlock ? [...before.unlock, ...unlock] : before.unlock,
    escalated: escalated ? [...before.escalated, ...escalated] : before.escalated,
    questions: question ? [...before.questions, question.answer ?? 'none'] : before.questions,
    forget: before.forget || forget,
  };
}

const FLOOD: Reply = { key: 'abuse.flood' };
/** The customer is told of a flood once in this time, however many turns it lasts. */
const FLOOD_EVERY_MS = 60_000;

/** What a turn decided, as the record takes it. `items`: what is left to be done then, without their numbers. */
export type TurnCommit = {
  readonly commit: Commit;
  readonly stored: StoredState;
  readonly items: readonly OutboxItem[];
};

/** Assembles the commit of what a turn decided. */
export function toCommit(turn: Turn, tools: TurnTools): TurnCommit {
  const { before, asker, lease, letters, nowMs } = turn;
  const { record, head } = lease;
  if (record.dropped > 0 && nowMs - (before.floodedMs ?? 0) > FLOOD_EVERY_MS) {
    turn.decision = { ...turn.decision, replies: [FLOOD, ...turn.decision.replies] };
  }
  const { state, replies, wakeAtMs, settled, forget } = turn.decision;
  const isFlood = replies[0] === FLOOD;
  const outline = outlineOf(state);
  const traceparent = tools.traceparent?.();
  const stored: StoredState = {
    state,
    origin: asker?.origin ?? before.origin,
    asks: asksAfter(before, turn.decision),
    floodedMs: isFlood ? nowMs : before.floodedMs,
    // A wake-up belongs to the trace of the turn that asked for it, not of a turn that leaves it as it is.
    traceparent:
      wakeAtMs === null ? undefined : wakeAtMs === record.wakeMs ? before.traceparent : traceparent,
  };
  const items = asker === null ? NOTHING : toItems({ turn, asker, stored, outline, traceparent }, tools);
  return {
    stored,
    items,
    commit: {
      state: writeState(stored),
      stored,
      replies: toEntries(items),
      consumed: head !== null,
      wakeMs: wakeAtMs,
      settled,
      forget,
      // A wake-up that fails again and again has one letter.
      dead: letters.map((letter) => ({ ...letter, id: lease.isWoken ? 'wake' : tools.letterId() })),
      dropped: record.dropped,
      listed: outline.listed,
    },
  };
}

/** What the live question asks for after a turn. A turn that asks nothing leaves a live question as it is. */
function asksAfter(before: StoredState, { state, replies }: TurnDecision): string | undefined {
  for (let at = replies.length - 1; at >= 0; at--) {
    const asks = replies[at]?.asks;
    if (asks !== undefined) return asks;
  }
  return state.view === before.state.view ? before.asks : undefined;
}

type Assembly = {
  readonly turn: Turn;
  readonly asker: Asker;
  readonly stored: StoredState;
  readonly outline: Outline;
  readonly traceparent: string | undefined;
};

/** What is left to be done after the commit: the replies in order, then the locks to give back. */
function toItems(assembly: Assembly, { conversation, customerName }: TurnTools): OutboxItem[] {
  const { turn, asker, stored, outline, traceparent } = assembly;
  const { decision, before, nowMs } = turn;
  const { origin, sender, incoming } = asker;
  const { state, replies, unlock, forget } = decision;
  const { flow, person } = outline;
  const shared = {
    channel: origin.channel,
    conversation: origin.conversation,
    address: origin.address,
    press: incoming?.press,
    locale: localeOf(state, sender, conversation.settings.defaultLocale),
    turn: incoming?.id,
    state: { flow, asks: stored.asks, ...(person && { person }) },
    asked: before.asks,
    ...(forget && { forget: true as const }),
    atMs: nowMs,
    acceptedMs: incoming?.acceptedMs,
    traceparent,
  };
  const items: OutboxItem[] = [];
  for (const reply of replies) {
    const isLast = items.length === replies.length - 1;
    items.push({ kind: 'reply', outgoing: { ...shared, reply, first: items.length === 0, last: isLast } });
  }
  for (const { customer, ...unlocked } of unlock) {
    items.push({ kind: 'unlock', customer: customerName(customer), ...unlocked });
  }
  return items;
}

function toEntries(items: readonly OutboxItem[]): Commit['replies'] {
  const entries: { body: unknown; asks?: true }[] = [];
  for (const item of items) {
    const asks = item.kind === 'reply' && item.outgoing.reply.view !== undefined;
    entries.push({ body: written(item), ...(asks && { asks }) });
  }
  return entries;
}
