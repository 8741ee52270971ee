import type { Context } from '../conversation/context.ts';
import { LeaseLost, TurnInterrupted } from '../conversation/effect.ts';
import type { Reply } from '../conversation/reply.ts';
import {
  localeOf,
  NewerVersion,
  openTicket,
  type State,
  spokenOver,
  type Ticket,
} from '../conversation/state.ts';
import type { Input } from '../conversation/step.ts';
import type { Fields, Log } from '../observability/log.ts';
import { StoreUnavailable } from '../store/port.ts';
import { type Asker, Calls, type createEffects } from './effects.ts';
import { NO_ROOM } from './limits.ts';
import { GivenBack, givenBackForRoom, type Lease, type Tools } from './mailbox.ts';
import {
  type OutboxItem,
  type Outgoing,
  originOf,
  readMessage,
  readStored,
  type Stored,
  writeState,
  written,
} from './messages.ts';
import type { Numbered } from './outbox.ts';
import type { Commit, Work } from './record.ts';
import { type Beginning, type Conversation, leave, runSteps, type TurnResult } from './steps.ts';
import { isLateIn, listedOf, openedIn } from './tickets.ts';
import type { Traces } from './trace.ts';
import type { World } from './world.ts';

/*
 * A turn: a message or a wake-up is read, the conversation steps, its effects are performed, and what was decided is
 * committed with the removal of the message.
 */

/**
 * Why something became a dead letter, for operators: the turn threw, its attempts failed too often, the message or the
 * state could not be read. The body is the message, or the state where there was none.
 */
type DeadReason = 'threw' | 'attempts' | 'unreadable' | 'state';
type Dead = { readonly reason: DeadReason; readonly body: unknown };

/** What is to be answered, from what, and where it is noted how that went. */
export type Turn = {
  readonly lease: Lease;
  readonly next: Work;
  readonly before: Stored;
  /** Null where it is not known whom to answer. */
  readonly asker: Asker | null;
  readonly unreadable: boolean;
  readonly dead: readonly Dead[];
  readonly notes: TurnNotes;
};

export type TurnTools = Tools & {
  readonly conversation: Conversation;
  readonly perform: ReturnType<typeof createEffects>;
  ids(): Context['ids'];
  /** How the store knows a customer: a keyed hash. */
  customerName(customer: string): string;
  readonly traces?: Traces | undefined;
  /** What goes wrong and is tried again. */
  onError(error: unknown): void;
  /** A person was asked for, in that conversation of the store. Must not throw. */
  readonly onTicket?: ((ticket: Ticket, channel: string, conversation: string) => void) | undefined;
};

/**
 * A turn of what is to be answered. What cannot be read is reported, and becomes a dead letter. Throws only `GivenBack`,
 * where another process may be able to read it.
 */
export function turnOf(lease: Lease, next: Work, tools: TurnTools): Turn {
  const { before, dead, unknownFlow } = readState(next, tools);
  const { asker, unreadable } = readHead(lease, next, before);
  const incoming = asker?.incoming ?? null;
  // What staff filed waits for nobody.
  const sinceMs = next.head === null ? next.wakeMs : (incoming?.acceptedMs ?? 0);
  if (unknownFlow && next.nowMs - sinceMs < LEAVE_MS) throw new GivenBack(LEFT_AGAIN_MS);
  const seconds = secondsSince(incoming?.acceptedMs, tools.world);
  const about = {
    conversation: lease.conversation,
    channel: channelOf({ asker, before }),
    input: inputOf({ next, asker }),
    waitMs: seconds === null ? undefined : seconds * 1000,
  };
  return { lease, next, before, asker, unreadable, dead, notes: createNotes(about, tools.world) };
}

export const channelOf = ({ asker, before }: Pick<Turn, 'asker' | 'before'>): string =>
  (asker ?? before).origin?.channel ?? 'unknown';

/** What a turn answers, for spans and the log. */
export const inputOf = ({ next, asker }: Pick<Turn, 'next' | 'asker'>): string =>
  next.head === null ? 'wake' : (asker?.incoming?.message.kind ?? 'unreadable');

function readHead({ known }: Lease, { head }: Work, { origin }: Stored): Pick<Turn, 'asker' | 'unreadable'> {
  const bystander = origin === null ? null : { origin, sender: origin.sender, incoming: null };
  if (head === null) return { asker: bystander, unreadable: false };
  try {
    const incoming = known?.mark === head.mark ? known.incoming : readMessage(head.body);
    return { asker: { origin: originOf(incoming), sender: incoming.sender, incoming }, unreadable: false };
  } catch (error) {
    leaveIfNewer(error);
    return { asker: bystander, unreadable: true };
  }
}

function readState(
  { state: text, stored }: Work,
  { conversation }: Pick<TurnTools, 'conversation'>,
): Pick<Turn, 'before' | 'dead'> & { readonly unknownFlow?: true } {
  if (stored !== undefined) return { before: stored, dead: [] };
  const fresh = { state: conversation.newState(), origin: null };
  if (text === null) return { before: fresh, dead: [] };
  try {
    const { unknownFlow, ...before } = readStored(text, conversation.readState);
    return { before, dead: [], ...(unknownFlow && { unknownFlow }) };
  } catch (error) {
    leaveIfNewer(error);
    return { before: fresh, dead: [{ reason: 'state', body: text }] };
  }
}

/** How soon a conversation that was left to other processes may be taken again. */
const LEFT_AGAIN_MS = 2000;
/** For so long other processes have their chance to go on with a flow that this one does not have. */
const LEAVE_MS = 60_000;

/** What a newer process stored is for newer processes: throws `GivenBack`. */
export function leaveIfNewer(error: unknown): void {
  if (error instanceof NewerVersion) throw new GivenBack(LEFT_AGAIN_MS);
}

/**
 * Answers the message or the wake-up: steps, effects, one commit. Resolves to what the commit left to be done.
 * Throws `LeaseLost` or `GivenBack` (nothing was changed); after any other error the lease is left to expire, and the turn
 * is repeated.
 */
export function answer(turn: Turn, tools: TurnTools): Promise<Numbered[]> {
  const work = () => measured(turn, tools, () => carryOut(turn, tools));
  if (tools.traces === undefined) return work();
  const { lease, before, asker } = turn;
  const { message = null, sender } = asker?.incoming ?? {};
  const after = () => lease.stored?.state ?? before.state;
  const seen = { channel: channelOf(turn), message, sender, before: before.state, after };
  return tools.traces.around(seen, work);
}

/** How a turn ended, and what its commits left to be done. */
type Answered = { readonly result: 'done' | 'dead'; readonly items: Numbered[] };

/** Does the turn's work, and notes how it ended and how long it took. */
export async function measured(
  turn: Turn,
  { observe, spans, world }: Pick<TurnTools, 'observe' | 'spans' | 'world'>,
  work: () => Promise<Answered>,
): Promise<Numbered[]> {
  const channel = channelOf(turn);
  const waitedS = secondsSince(turn.asker?.incoming?.acceptedMs, world);
  const startMs = world.monotonicMs();
  const ended = (result: 'done' | 'stale' | 'failed' | 'dead') => {
    turn.notes.ended(result);
    spans.note({ result });
    observe.turn(channel, result, (world.monotonicMs() - startMs) / 1000);
  };
  try {
    const { result, items } = await work();
    ended(result);
    if (waitedS !== null) observe.waited(channel, waitedS);
    return items;
  } catch (error) {
    if (!(error instanceof GivenBack)) ended(error instanceof LeaseLost ? 'stale' : 'failed');
    throw error;
  }
}

/**
 * By the clocks of two machines, the accepting one and this one: it is only for people who look at times. Null where nobody
 * wrote.
 */
function secondsSince(acceptedMs: number | undefined, { nowMs }: Pick<World, 'nowMs'>): number | null {
  return acceptedMs === undefined ? null : Math.max(0, nowMs() - acceptedMs) / 1000;
}

async function carryOut(turn: Turn, tools: TurnTools): Promise<Answered> {
  const { lease, next, dead, notes } = turn;
  const calls = new Calls(next.journal);
  lease.outcomes = calls.take;
  const result = await attempt(turn, calls, tools);
  notes.passed('stepsMs');
  if (typeof result !== 'string') {
    return { result: 'done', items: await commitTurn(turn, { decided: result, dead }, tools) };
  }
  const letter = { reason: result, body: next.head?.body ?? next.state };
  const decided = await giveUp(turn, calls, tools);
  return { result: 'dead', items: await commitTurn(turn, { decided, dead: [...dead, letter] }, tools) };
}

/** When a poisoned wake-up is tried again; each time is an alarm. */
const WAKE_AGAIN_MS = 10 * 60 * 1000;

const FAILED: Reply = { key: 'turn.failed' };

/** What the turn decides, or why it never will. */
async function attempt(turn: Turn, calls: Calls, tools: TurnTools): Promise<TurnResult | DeadReason> {
  const { lease, next, before, asker, unreadable, notes } = turn;
  if (unreadable) return 'unreadable';
  if (next.attempts > tools.limits.attempts) return 'attempts';
  // A wake-up whose state could not be read: nobody knows whose it was.
  if (asker === null) return leave(before.state, null);

  const { incoming } = asker;
  const input: Input = incoming === null ? { kind: 'wake' } : { kind: 'message', message: incoming.message };
  try {
    const known = await identified(asker, tools);
    notes.passed('identifyMs');
    return await steps(lease, next, { state: before.state, input, asker: known, calls }, tools);
  } catch (err) {
    if (err instanceof StoreUnavailable && !lease.pastIntent) {
      tools.onError(err);
      throw givenBackForStore(turn) ?? err;
    }
    if (isOurs(err)) throw err;
    if (err instanceof TurnInterrupted || (tools.stopping() && !lease.pastIntent)) throw new GivenBack();
    tools.observe.log.error({ err, conversation: lease.conversation }, 'a turn threw');
    return 'threw';
  }
}

/** Of the engine and its store: the message is not to blame. */
const isOurs = (error: unknown): boolean =>
  error instanceof GivenBack || error instanceof StoreUnavailable || error instanceof LeaseLost;

/** A turn that the store kept from its lock or intent comes again after half its age, and a wake-up after the longest wait. */
const MIN_AGAIN_MS = 1000;
const MAX_AGAIN_MS = 60_000;
/** A message that waits longer than this for a store is given up like one whose process dies each time. */
const PATIENCE_MS = 10 * 60_000;

/** Part of the store does not take what the turn needs: the message is not to blame. Null: it was for too long. */
function givenBackForStore({ next, asker }: Turn): GivenBack | null {
  const acceptedMs = asker?.incoming?.acceptedMs;
  if (acceptedMs === undefined) return new GivenBack(MAX_AGAIN_MS);
  const ageMs = next.nowMs - acceptedMs;
  if (ageMs > PATIENCE_MS) return null;
  return new GivenBack(Math.min(Math.max(ageMs / 2, MIN_AGAIN_MS), MAX_AGAIN_MS));
}

type Starting = Pick<Beginning, 'state' | 'input'> & { readonly asker: Asker; readonly calls: Calls };

/** Steps from there on. Time passes meanwhile, by the store's clock. */
function steps(
  lease: Lease,
  { nowMs, current }: Work,
  { state, input, asker, calls }: Starting,
  { conversation, ids, perform, world }: TurnTools,
): Promise<TurnResult> {
  const { sender, incoming } = asker;
  const startMs = world.monotonicMs();
  const now = () => nowMs + Math.round(world.monotonicMs() - startMs);
  // A wake-up has nothing to do with what a message confirmed.
  const earlier = input.kind === 'wake' ? undefined : calls.all();
  const at = { lease, asker, calls, nowMs: now };
  return runSteps(
    { state, input, sender, current, heardMs: incoming?.acceptedMs, journal: earlier },
    { conversation, ids, now, perform: (effect) => perform(effect, at), lookupOf: calls.lookupOf },
  );
}

/**
 * Some platforms must be asked who wrote, which is too slow to do before `accept`. Throws `GivenBack` where too many turns
 * wait for such an answer already.
 */
async function identified(
  asker: Asker,
  { platform, bulkhead, spans, world }: Pick<TurnTools, 'platform' | 'bulkhead' | 'spans' | 'world'>,
): Promise<Asker> {
  const { incoming } = asker;
  const channel = incoming === null ? undefined : platform(incoming.channel);
  if (incoming === null || channel?.identify === undefined) return asker;
  const identify = channel.identify.bind(channel, incoming);
  const sender = await bulkhead(incoming.channel)(() => spans.around('identify', {}, identify));
  if (sender === NO_ROOM) throw givenBackForRoom(world);
  return { ...asker, sender };
}

/**
 * What is left of a message that will never be answered. The conversation decides, because it alone knows what may have
 * been called for the message. Where it throws too, nothing changes, and the customer gets an apology. A wake-up is put
 * off, not given up: an operation may wait for it, and with the operation the customer's next redemption. Where it is not
 * known whose the state is, nothing waits.
 */
async function giveUp(
  { lease, next, before, asker }: Turn,
  calls: Calls,
  tools: TurnTools,
): Promise<TurnResult> {
  const { state } = before;
  if (next.head === null) return leave(state, asker === null ? null : next.nowMs + WAKE_AGAIN_MS);
  const asItWas = leave(spokenOver(state), next.wakeMs || null, [FAILED]);
  if (asker === null) return asItWas;
  try {
    return await steps(lease, next, { state, input: { kind: 'failed' }, asker, calls }, tools);
  } catch (err) {
    if (isOurs(err)) throw err;
    tools.observe.log.error({ err, conversation: lease.conversation }, 'a turn threw while it was given up');
    return asItWas;
  }
}

const FLOOD: Reply = { key: 'abuse.flood' };
/** The customer is told of a flood once a minute, however many turns it lasts. */
const FLOOD_EVERY_MS = 60_000;

/** What a turn came to. */
type Decided = { readonly decided: TurnResult; readonly dead: readonly Dead[] };

/** What a commit is to write, and what follows from it once it is written. */
export type Change = {
  readonly commit: Commit;
  readonly stored: Stored;
  readonly items: readonly OutboxItem[];
};

/** What was decided, as the record takes it. */
export function changeOf(
  { next, before, asker }: Turn,
  made: Decided,
  tools: Pick<TurnTools, 'conversation' | 'customerName' | 'spans' | 'world'>,
): Change {
  const flooded = next.dropped > 0 && next.nowMs - (before.floodedMs ?? 0) > FLOOD_EVERY_MS;
  const decided = flooded ? { ...made.decided, replies: [FLOOD, ...made.decided.replies] } : made.decided;
  const { state, wakeAtMs, settled, forget } = decided;
  const asks = asksAfter(before, decided);
  const traceparent = tools.spans.traceparent();
  const items = asker === null ? [] : outboxOf(decided, asker, { before, asks, next, traceparent }, tools);
  const stored: Stored = {
    state,
    origin: asker?.origin ?? before.origin,
    asks,
    floodedMs: flooded ? next.nowMs : before.floodedMs,
    // A wake-up belongs to the trace of the turn that asked for it, not to that of a turn that only leaves it armed.
    traceparent: wakeAtMs === null ? undefined : wakeAtMs === next.wakeMs ? before.traceparent : traceparent,
  };
  return {
    stored,
    items,
    commit: {
      state: writeState(stored),
      stored,
      replies: items.map((item) => ({
        body: written(item),
        ...(item.kind === 'reply' && item.outgoing.reply.view !== undefined && { asks: true as const }),
      })),
      consumed: next.head !== null,
      wakeMs: wakeAtMs,
      settled,
      forget,
      // A wake-up that fails again and again has one letter.
      dead: made.dead.map((letter) => ({ ...letter, id: next.wake ? 'wake' : tools.world.id() })),
      dropped: next.dropped,
      listed: listedOf(state),
    },
  };
}

/** Notes in the lease what a commit wrote, tells operators what it brought, and numbers what is left to be done. */
export function noteChange(
  turn: Turn,
  { change, made, firstSeq }: { readonly change: Change; readonly made: Decided; readonly firstSeq: number },
  { observe, onTicket }: Pick<TurnTools, 'observe' | 'onTicket'>,
): Numbered[] {
  const { lease, before, notes } = turn;
  const { conversation } = lease;
  const { decided, dead } = made;
  lease.pastIntent = false;
  lease.stored = change.stored;
  for (const { reason } of dead) observe.alarm('dead_letter', { conversation, reason });
  for (const operation of decided.escalated)
    observe.alarm('operation_escalated', { conversation, operation });
  tellResolved(before.state, decided.state, conversation, observe.log);
  for (const question of decided.questions) observe.question(question);
  if ((decided.state.misses ?? 0) > (before.state.misses ?? 0)) observe.misunderstood();
  const opened = openedIn(before.state, decided.state);
  if (isLateIn(before.state, decided.state)) observe.alarm('person_waits', { conversation });
  if (opened) onTicket?.(opened, channelOf(turn), conversation);
  notes.passed('commitMs');
  return change.items.map((item, at) => ({ seq: firstSeq + at, item }));
}

/**
 * Saves what was decided: the state, the outbox, and that the message is answered. Resolves to the items of the outbox; the
 * lease is then at the new state. Throws `LeaseLost` where another process has taken over.
 */
async function commitTurn(turn: Turn, made: Decided, tools: TurnTools): Promise<Numbered[]> {
  const change = changeOf(turn, made, tools);
  const committed = await tools.mailbox.commit(turn.lease, change.commit);
  if (committed === null) throw new LeaseLost();
  return noteChange(turn, { change, made, firstSeq: committed.firstSeq }, tools);
}

/** What the live question asks for after a turn. A turn that asks nothing new leaves a live question as it is. */
function asksAfter(before: Stored, result: Pick<TurnResult, 'state' | 'replies'>): string | undefined {
  const asked = result.replies.findLast((reply) => reply.asks !== undefined);
  if (asked !== undefined) return asked.asks;
  return result.state.view === before.state.view ? before.asks : undefined;
}

/** The items of a turn: its replies in order, then the locks to give back. */
function outboxOf(
  result: TurnResult,
  asker: Asker,
  turn: {
    readonly before: Stored;
    readonly asks: string | undefined;
    readonly next: Work;
    readonly traceparent: string | undefined;
  },
  { conversation, customerName }: Pick<TurnTools, 'conversation' | 'customerName'>,
): OutboxItem[] {
  const { state, replies } = result;
  const { origin, sender, incoming } = asker;
  const shared = {
    channel: origin.channel,
    conversation: origin.conversation,
    address: origin.address,
    press: incoming?.press,
    locale: localeOf(state, sender, conversation.settings.defaultLocale),
    turn: incoming?.id,
    state: { flow: flowOf(state), asks: turn.asks, ...(openTicket(state) && { person: true as const }) },
    asked: turn.before.asks,
    ...(result.forget && { forget: true as const }),
    atMs: turn.next.nowMs,
    acceptedMs: incoming?.acceptedMs,
    traceparent: turn.traceparent,
  };
  const outgoing = (reply: Reply, at: number): Outgoing => ({
    ...shared,
    reply,
    first: at === 0,
    last: at === replies.length - 1,
  });
  return [
    ...replies.map((reply, at): OutboxItem => ({ kind: 'reply', outgoing: outgoing(reply, at) })),
    ...result.unlock.map(
      ({ customer, operation, record, awaited }): OutboxItem => ({
        kind: 'unlock',
        customer: customerName(customer),
        operation,
        record,
        awaited,
      }),
    ),
  ];
}

function flowOf({ step }: State): string | undefined {
  switch (step.at) {
    case 'asking':
    case 'confirming':
    case 'browsing':
      return step.flow;
    case 'idle':
    case 'consenting':
      return undefined;
  }
}

type TurnNotes = ReturnType<typeof createNotes>;

/** To a tenth of a millisecond: the quick phases take about one tenth. */
const rounded = (ms: number): number => Math.round(ms * 10) / 10;

/** What the log says of one turn, in a line: what it was about, how it ended and where its time went. */
function createNotes(about: Fields, world: Pick<World, 'monotonicMs'>) {
  const startMs = world.monotonicMs();
  const phases = { identifyMs: 0, stepsMs: 0, commitMs: 0, deliverMs: 0 };
  let sinceMs = startMs;
  let result = 'given-back';
  return {
    ended(how: 'done' | 'stale' | 'failed' | 'dead'): void {
      result = how;
    },
    /** The time since the phase before was this one's. */
    passed(phase: keyof typeof phases): void {
      const nowMs = world.monotonicMs();
      phases[phase] = rounded(phases[phase] + nowMs - sinceMs);
      sinceMs = nowMs;
    },
    tell(log: Pick<Log, 'debug'>): void {
      const ms = rounded(world.monotonicMs() - startMs);
      log.debug({ ...about, result, ...phases, ms }, 'a turn ended');
    },
  };
}

const UNDECIDED: readonly string[] = ['checking', 'watching', 'escalated'];

/** Logs how each operation stands now whose outcome was unknown before the turn, where that changed. */
export function tellResolved(
  before: Pick<State, 'operations'>,
  after: Pick<State, 'operations'>,
  conversation: string,
  log: Pick<Log, 'info'>,
): void {
  for (const { id, status } of before.operations) {
    if (!UNDECIDED.includes(status)) continue;
    const now = after.operations.find((operation) => operation.id === id);
    if (now === undefined || now.status === status) continue;
    log.info(
      { conversation, operation: id, was: status, outcome: now.status },
      now.status === 'escalated' ? 'an unknown outcome is with staff' : 'an unknown outcome was resolved',
    );
  }
}
