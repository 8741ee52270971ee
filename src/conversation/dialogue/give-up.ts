import { type Decision, say } from '../decision.ts';
import type { Scope } from '../flow.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { atHand } from './calls.ts';
import { conclude } from './confirmation.ts';
import { ended } from './operations.ts';
import { noteOutcome, tellAll } from './several.ts';

/*
 * A message that will never be answered: its turn threw, or was begun too often. What it confirmed may have been called all
 * the same, which the journal tells.
 */

const FAILED: Reply = { key: 'turn.failed' };
/** Why the codes that are left were not called. */
const CUT_OFF: Reply = { key: 'turn.failed', context: 'rest' };

/** All stays as it was, but for a confirmation of which something was called. */
export function giveUp(state: ConversationState, scope: Scope): Decision {
  const confirming = atHand(state, scope);
  if (!confirming) return say(state, FAILED);
  const { calls, confirmed } = confirming;
  const made = calls.flatMap((call) => {
    const outcome = scope.journal?.[call.operation];
    return outcome === undefined ? [] : [{ call, outcome }];
  });
  const [only] = made;
  if (only === undefined) return say(state, FAILED);
  if (calls.length < 2) return conclude(state, only.outcome, scope);
  let noted = state;
  for (const { call, outcome } of made) noted = noteOutcome(noted, call, confirmed, outcome, scope);
  const known = made.filter(({ outcome }) => outcome.kind !== 'unknown');
  return {
    ...tellAll(noted, { ...confirming, why: CUT_OFF }, scope),
    settled: known.flatMap(({ call }) => ended(call.operation).settled ?? []),
  };
}
