import type { Context } from '../conversation/context.ts';
import type { Effect, Outcome } from '../conversation/effect.ts';
import { LeaseLost, TurnInterrupted } from '../conversation/perform.ts';
import type { PhotoEffect } from '../conversation/photo.ts';
import type { Reply } from '../conversation/reply.ts';
import { type ConversationState, spokenOver } from '../conversation/state.ts';
import type { Observe } from '../observe.ts';
import type { Spans } from '../spans.ts';
import type { Next } from '../store/mailbox.ts';
import type { Seal } from '../store/seal.ts';
import type { Sealing } from '../store/sealing.ts';
import type { ConversationStore } from '../store/store.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { type Bulkhead, NO_ROOM } from './bulkhead.ts';
import { secondsSince } from './elapsed.ts';
import { GivenBack, type Held } from './leases.ts';
import { type TurnNotes, tellResolved } from './notes.ts';
import { asksAfter, outboxOf, traceOfWakeUp } from './outbox.ts';
import type { Numbered } from './outgoing.ts';
import type { Outlet } from './outlet.ts';
import type { Asker } from './perform.ts';
import type { DeadReason, Reading, ReadTools, Session } from './read.ts';
import { type Conversation, leave, runSteps, type TurnResult } from './steps.ts';
import type { Traces } from './tracing.ts';

/** When a poisoned wake-up is tried again; each time is an alarm. */
const WAKE_AGAIN_MS = 10 * 60 * 1000;

/** A turn that cannot ask who wrote comes again after this, or up to three times as much. */
const NO_ROOM_MS = 2000;

const FLOOD: Reply = { key: 'abuse.flood' };
/** A flood is spoken of once, however many turns it lasts. */
const FLOOD_EVERY_MS = 60_000;
const FAILED: Reply = { key: 'turn.failed' };

export type TurnTools = {
  readonly store: Pick<ConversationStore, 'commit' | 'release'>;
  readonly seal: Seal;
  readonly sealing: Sealing;
  readonly conversation: Conversation;
  ids(): Context['ids'];
  perform(
    effect: Effect | PhotoEffect,
    held: Held,
    asker: Asker,
    nowMs: () => number,
  ): Promise<Outcome | PhotoEffect>;
  outlet(channel: string): Outlet | undefined;
  /** What a channel's platform may take up at once. */
  bulkhead(channel: string): Bulkhead;
  /** In [0, 1), for jitter. */
  random(): number;
  readonly foreign: ReadTools['foreign'];
  stopping(): boolean;
  /** As in `Limits`. */
  readonly attempts: number;
  readonly observe: Observe;
  readonly spans: Spans;
  readonly traces?: Traces | undefined;
};

/** What is to be answered, and where it is noted how that went. */
export type Turn = { readonly next: Next; readonly reading: Reading; readonly notes: TurnNotes };

/**
 * Answers the head message or the wake-up of `next`: steps, effects, one commit. Resolves to what the commit left to be
 * done. Throws `LeaseLost` or `GivenBack` (nothing was changed); after any other error the lease is left to expire, and
 * the turn is repeated.
 */
export async function answer(session: Session, turn: Turn, tools: TurnTools): Promise<Numbered[]> {
  const { before, asker } = turn.reading;
  const work = () => carryOut(session, turn, tools);
  if (tools.traces === undefined) return work();
  const after = () => session.stored?.state ?? before.state;
  const { message = null, sender } = asker?.incoming ?? {};
  return tools.traces.around(
    { channel: channelOf(turn), message, sender, before: before.state, after },
    work,
  );
}

export const channelOf = ({ reading: { asker, before } }: Pick<Turn, 'reading'>): string =>
  (asker ?? before).origin?.channel ?? 'unknown';

/** The turn itself, once it is known whose it is. */
async function carryOut(session: Session, turn: Turn, tools: TurnTools): Promise<Numbered[]> {
  const { observe } = tools;
  const { next, reading, notes } = turn;
  const waitedS = secondsSince(reading.asker?.incoming?.acceptedMs);
  const startMs = performance.now();
  const ended = (result: 'done' | 'stale' | 'failed' | 'dead') => {
    notes.ended(result);
    tools.spans.note({ result });
    const channel = channelOf(turn);
    observe.turn(channel, result, (performance.now() - startMs) / 1000);
    if (waitedS !== null && (result === 'done' || result === 'dead')) observe.waited(channel, waitedS);
  };
  try {
    const saved: Numbered[] = [];
    const save = async (decided: TurnResult): Promise<void> => {
      saved.push(...(await saveBetween(session, turn, decided, tools)));
    };
    const result = await attempt(session.held, turn, save, tools);
    const failed = typeof result === 'string';
    const decided = failed ? giveUp(next, latest(session, reading)) : result;
    const dead = failed ? [...reading.dead, { reason: result, body: bodyOf(session, next) }] : reading.dead;
    notes.passed('steps');
    const items = await commit(session, turn, { decided, dead }, tools);
    ended(failed ? 'dead' : 'done');
    return [...saved, ...items];
  } catch (error) {
    if (!(error instanceof GivenBack)) ended(error instanceof LeaseLost ? 'stale' : 'failed');
    throw error;
  }
}

/** What the turn starts from, or what it has saved since. */
function latest({ stored }: Session, reading: Reading): Reading {
  return { ...reading, before: stored ?? reading.before };
}

/**
 * Commits what was decided so far. The message stays the head: after a crash it comes again, to this state. That messages
 * were dropped is said when all is.
 */
function saveBetween(
  session: Session,
  turn: Turn,
  decided: TurnResult,
  tools: TurnTools,
): Promise<Numbered[]> {
  const between = { ...turn, next: { ...turn.next, head: null, dropped: 0 } };
  turn.notes.passed('steps');
  return commit(session, between, { decided, dead: [] }, tools);
}

/** What operators find as a dead letter: the message, or for a wake-up the state. */
const bodyOf = ({ sealed }: Session, { head }: Next): Buffer => head?.body ?? sealed ?? Buffer.alloc(0);

/** What the turn came to, or why it never will. */
async function attempt(
  held: Held,
  { next, reading: { before, asker, unreadable }, notes }: Turn,
  save: (decided: TurnResult) => Promise<void>,
  tools: TurnTools,
): Promise<TurnResult | DeadReason> {
  if (unreadable) return 'unreadable';
  if (attemptsOf(next) > tools.attempts) return 'attempts';
  // A wake-up of which nobody knows whose it was: its state could not be read.
  if (asker === null) return leave(before.state, null);

  const { conversation, ids, observe } = tools;
  const startMs = performance.now();
  const now = () => next.nowMs + Math.round(performance.now() - startMs);
  const input =
    asker.incoming === null ? WAKE : ({ kind: 'message', message: asker.incoming.message } as const);
  try {
    const known = await identified(asker, tools);
    notes.passed('identify');
    return await runSteps(
      {
        state: before.state,
        input,
        sender: known.sender,
        current: next.head?.current ?? false,
        heardMs: asker.incoming?.acceptedMs,
      },
      { conversation, ids, now, save, perform: (effect) => tools.perform(effect, held, known, now) },
    );
  } catch (err) {
    if (err instanceof GivenBack || err instanceof StoreUnavailable || err instanceof LeaseLost) throw err;
    if (held.pastIntent) throw err;
    if (err instanceof TurnInterrupted || tools.stopping()) throw new GivenBack();
    observe.log.error({ err, conversation: held.conversation }, 'a turn threw');
    return 'threw';
  }
}

/**
 * Some platforms must be asked who wrote; that is too slow for before `accept`. Throws `GivenBack` where too many ask one
 * already, and it does not answer.
 */
async function identified(
  asker: Asker,
  { outlet, bulkhead, random }: Pick<TurnTools, 'outlet' | 'bulkhead' | 'random'>,
): Promise<Asker> {
  const { incoming } = asker;
  const channel = incoming === null ? undefined : outlet(incoming.channel);
  if (incoming === null || channel?.identify === undefined) return asker;
  const identify = channel.identify.bind(channel);
  const sender = await bulkhead(incoming.channel)(() => identify(incoming));
  if (sender === NO_ROOM) throw new GivenBack(Math.round(NO_ROOM_MS * (1 + 2 * random())));
  return { ...asker, sender };
}

const WAKE = { kind: 'wake' } as const;

export const attemptsOf = ({ head, wake }: Next): number => (head ?? wake)?.attempts ?? 0;

/**
 * All stays as it was, but for the message (with an apology). A wake-up is put off, not given up: an operation may wait
 * for it, and with the operation the customer's next redemption. A state that is nobody's has nothing to wait for.
 */
function giveUp({ head, nowMs }: Next, { before, asker }: Reading): TurnResult {
  if (head !== null) return leave(spokenOver(before.state), before.wakeAtMs, [FAILED]);
  return leave(before.state, asker === null ? null : nowMs + WAKE_AGAIN_MS);
}

async function commit(
  session: Session,
  { next, reading, notes }: Turn,
  made: { decided: TurnResult; dead: Reading['dead'] },
  { store, seal, sealing, spans, conversation, observe }: TurnTools,
): Promise<Numbered[]> {
  const { held, version } = session;
  const { before, asker } = latest(session, reading);
  const flooded = next.dropped > 0 && next.nowMs - (before.floodedMs ?? 0) > FLOOD_EVERY_MS;
  const decided = flooded ? { ...made.decided, replies: [FLOOD, ...made.decided.replies] } : made.decided;
  const { state, wakeAtMs, settled } = decided;
  const asks = asksAfter(before, decided);
  const items =
    asker === null
      ? []
      : outboxOf(decided, asker, {
          before,
          asks,
          defaultLocale: conversation.settings.defaultLocale,
          nowMs: next.nowMs,
          traceparent: spans.traceparent(),
          customerName: (customer) => seal.name('customer', customer),
        });

  const floodedMs = flooded ? next.nowMs : before.floodedMs;
  const stored = {
    ...{ state, origin: asker?.origin ?? before.origin, wakeAtMs, asks, floodedMs },
    traceparent: traceOfWakeUp(before, wakeAtMs, spans.traceparent()),
  };
  const sealed = sealing.state.seal(held.conversation, stored);
  const committed = await store.commit(held, {
    version,
    state: sealed,
    outbox: items.map((item) => sealing.outbox.seal(held.conversation, item)),
    consumed: next.head?.seq ?? null,
    wakeAtMs,
    settled,
    forget: decided.forget,
    dead: made.dead,
  });
  if (!committed) throw new LeaseLost();

  held.pastIntent = false;
  session.version = version + 1;
  session.sealed = sealed;
  session.stored = stored;
  tell(held.conversation, { before: before.state, decided, dead: made.dead }, observe);
  notes.passed('commit');
  return items.map((item, at) => ({ seq: committed.firstSeq + at, item }));
}

/** What operators hear of a commit. */
function tell(
  conversation: string,
  made: { readonly before: ConversationState; readonly decided: TurnResult; readonly dead: Reading['dead'] },
  { alarm, log, question: count }: Pick<Observe, 'alarm' | 'log' | 'question'>,
): void {
  for (const { reason } of made.dead) alarm('dead_letter', { conversation, reason });
  for (const operation of made.decided.escalated) alarm('operation_escalated', { conversation, operation });
  tellResolved(made.before, made.decided.state, conversation, log);
  for (const question of made.decided.questions) count(question);
}
