import type { Sender } from '../conversation/message.ts';
import { isAbandoned } from './ends.ts';
import { chooseWork, type FiledMessage, type Lease, type NextWork } from './leases.ts';
import { withVersion } from './messages.ts';
import {
  type AcceptResult,
  accept,
  type ConversationTransition,
  commit,
  type LeaseRequest,
} from './transitions.ts';
import { type CommittedTurn, type DecidedTurn, NO_CALLS, Turn, type TurnTools } from './turn.ts';

export type FilingPlan = {
  readonly conversation: string;
  readonly filed: FiledMessage;
  /** Takes the lease as well, if it is free and nothing has to wait. */
  readonly take: LeaseRequest | undefined;
  /** Who wrote, if the turn may be decided in the same change. */
  readonly sender: Sender | undefined;
};

/**
 * What became of a message. With a lease, this process works on it; with a turn, that is decided and
 * committed already.
 */
export type FilingOutcome = {
  readonly result: AcceptResult;
  readonly lease?: Lease | undefined;
  readonly committed?: CommittedTurn | undefined;
};

/**
 * Files a message and, if nothing comes before it, decides and commits its turn: one change of the record,
 * and two swaps less than deciding afterwards. If another process was faster, it is applied again to what
 * that one wrote: then another turn is decided, with other ids, and the last answer counts alone.
 */
export function fileAndDecide(plan: FilingPlan, tools: TurnTools): ConversationTransition<FilingOutcome> {
  const { conversation, filed, take, sender } = plan;
  const { mark, incoming } = filed;
  const filing = accept({ id: incoming.id, mark, body: withVersion(incoming), take });
  return (before, nowMs) => {
    const { record, answer: result } = filing(before, nowMs);
    if (result !== 'leased' || record === null) return { record, answer: { result } };
    const lease = { conversation, record, nowMs, filed };
    const turn = sender && openNext(lease, tools);
    const decided = turn && decide(turn, sender);
    if (!decided) return { record, answer: { result, lease } };
    const { record: after } = commit({ record, head: turn.work.head }, decided.change)(record, nowMs);
    const committed = { turn, tasks: decided.tasks };
    turn.endPhase('stepsMs');
    turn.event.result = 'done';
    return { record: after, answer: { result, lease: { ...lease, record: after ?? record }, committed } };
  };
}

/** Undefined: something comes before the message, or cannot be read. */
function openNext(lease: Lease, tools: TurnTools): Turn | undefined {
  const work = chooseWork(lease, { isFirst: true });
  if (!isNext(lease, work)) return undefined;
  const turn = Turn.open(lease, work, tools);
  return isAbandoned(turn) || turn.letters.length > 0 ? undefined : turn;
}

/** Undefined: the worker has to decide it, because a step asks for an effect, or throws. */
function decide(turn: Turn, sender: Sender): DecidedTurn | undefined {
  const message = turn.asker?.incoming?.message;
  if (message === undefined) return undefined;
  const { done, value } = turn.takeSteps({ kind: 'message', message }, { sender, calls: NO_CALLS }).next();
  return done && value.kind === 'decided' ? value.decided : undefined;
}

/**
 * Whether the message that was filed is next: no reply, call, failed attempt or lost lease comes before it.
 */
function isNext({ record, filed }: Lease, { head }: NextWork): boolean {
  const { outbox, attempts, journal, lease } = record;
  const isAlone = outbox.length === 0 && attempts === 0 && Object.keys(journal).length === 0;
  return isAlone && !lease?.takeover && head?.mark === filed?.mark;
}
