import { LeaseLost } from '../conversation/perform.ts';
import type { Observe } from '../observe.ts';
import type { Next } from '../store/mailbox.ts';
import { type CommitTools, commit } from './commit.ts';
import { attempt, type DecideTools, giveUp } from './decide.ts';
import { secondsSince } from './elapsed.ts';
import { GivenBack } from './leases.ts';
import type { Numbered } from './outgoing.ts';
import { channelOf, latestOf, type ReadTools, type Session, type Turn } from './read.ts';
import type { Conversation, TurnResult } from './steps.ts';
import type { Traces } from './tracing.ts';

export type TurnTools = CommitTools &
  DecideTools &
  Pick<ReadTools, 'foreign'> & {
    readonly conversation: Conversation;
    readonly observe: Observe;
    readonly traces?: Traces | undefined;
  };

/** How a turn ended, and what its commits left to be done. */
type Answered = { readonly result: 'done' | 'dead'; readonly items: Numbered[] };

/**
 * Answers the head message or the wake-up of `next`: steps, effects, one commit. Resolves to what the commit left to be
 * done. Throws `LeaseLost` or `GivenBack` (nothing was changed); after any other error the lease is left to expire, and
 * the turn is repeated.
 */
export function answer(session: Session, turn: Turn, tools: TurnTools): Promise<Numbered[]> {
  const work = () => measured(turn, tools, () => carryOut(session, turn, tools));
  if (tools.traces === undefined) return work();
  const { before, asker } = turn.reading;
  const { message = null, sender } = asker?.incoming ?? {};
  const after = () => session.stored?.state ?? before.state;
  const seen = { channel: channelOf(turn), message, sender, before: before.state, after };
  return tools.traces.around(seen, work);
}

/** Does the turn's work, and notes how it ended and how long it took. */
async function measured(
  turn: Turn,
  { observe, spans }: Pick<TurnTools, 'observe' | 'spans'>,
  work: () => Promise<Answered>,
): Promise<Numbered[]> {
  const channel = channelOf(turn);
  const waitedS = secondsSince(turn.reading.asker?.incoming?.acceptedMs);
  const startMs = performance.now();
  const ended = (result: 'done' | 'stale' | 'failed' | 'dead') => {
    turn.notes.ended(result);
    spans.note({ result });
    observe.turn(channel, result, (performance.now() - startMs) / 1000);
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

async function carryOut(session: Session, turn: Turn, tools: TurnTools): Promise<Answered> {
  const { next, reading, notes } = turn;
  const saved: Numbered[] = [];
  const save = async (decided: TurnResult): Promise<void> => {
    saved.push(...(await saveBetween(session, turn, decided, tools)));
  };
  const result = await attempt(session.held, turn, save, tools);
  notes.passed('steps');
  if (typeof result !== 'string') {
    const items = await commit(session, turn, { decided: result, dead: [] }, tools);
    return { result: 'done', items: [...saved, ...items] };
  }
  const dead = [{ reason: result, body: bodyOf(session, next) }];
  const latest = { ...turn, reading: { ...reading, before: latestOf(session, reading) } };
  const decided = await giveUp(session.held, latest, tools);
  const items = await commit(session, turn, { decided, dead }, tools);
  return { result: 'dead', items: [...saved, ...items] };
}

/**
 * Commits what was decided so far. The message stays the head: after a crash it comes again, to this state. That messages
 * were dropped is said by the last commit.
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
