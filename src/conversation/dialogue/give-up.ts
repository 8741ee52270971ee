import { type Decision, say } from '../decision.ts';
import type { Lookup, Outcome } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { runningIn } from './advance.ts';
import { atHand, isCutOff, openCall } from './calls.ts';
import { conclude } from './confirmation.ts';
import { pointAt } from './questions.ts';
import { noteOutcome, tellAll } from './several.ts';

/*
 * A message that will never be answered: its turn threw, or was begun too often. What it confirmed may have been called all
 * the same, so before anything is said the intent of the next call is read.
 */

const FAILED: Reply = { key: 'turn.failed' };
/** Why the codes that are left were not called. */
const CUT_OFF: Reply = { key: 'turn.failed', context: 'rest' };

/** All stays as it was, but for a confirmation of which something was called. */
export function giveUp(state: ConversationState, scope: Scope): Decision {
  const open = openCall(state, scope);
  return open
    ? { state, replies: [], effect: { kind: 'recall', operation: open.operation, after: 'failure' } }
    : say(state, FAILED);
}

/** What the intent says. Without one the call was not made: its button still works, unless codes before it were called. */
export function recalled(
  state: ConversationState,
  { operation, after, lookup }: Extract<Outcome, { kind: 'recalled' }>,
  scope: Scope,
): Decision {
  if (after === 'crash') return repeated(state, operation, lookup, scope);
  const confirming = atHand(state, scope);
  const open = confirming?.calls.find((call) => call.operation === operation);
  if (!confirming || !open) return say(state, FAILED);
  const end = { ...confirming, why: CUT_OFF };
  if (lookup === null) return isCutOff(state) ? tellAll(state, end, scope) : say(state, FAILED);
  const unknown = { kind: 'unknown', operation, lookup } as const;
  if (confirming.calls.length < 2) return conclude(state, unknown, scope);
  return tellAll(noteOutcome(state, open, confirming.confirmed, unknown, scope), end, scope);
}

/** The same word confirmed before a crash: it goes on. Else it may have been meant for something else, and takes the button. */
function repeated(
  state: ConversationState,
  operation: string,
  lookup: Lookup | null,
  scope: Scope,
): Decision {
  if (lookup !== null) return conclude(state, { kind: 'unknown', operation, lookup }, scope);
  const flow = runningIn(state, scope);
  return flow ? pointAt(state, flow, scope) : say(state);
}
