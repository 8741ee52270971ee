import type { Expecting } from '../commands.ts';
import type { Scope } from '../flow.ts';
import type { ConversationState } from '../state.ts';
import { confirmationOf } from './calls.ts';
import { question } from './questions.ts';

/** What is live while a text is read. */
export function expecting(state: ConversationState, scope: Scope): Expecting {
  const { step, draft } = state;
  const isAsking = step.at === 'asking';
  const doubted = isAsking && step.offer?.why === 'typo' ? 'email' : undefined;
  return {
    at: AT[isAsking && step.offer ? 'doubt' : step.at],
    flow: 'flow' in step ? step.flow : undefined,
    kind: isAsking ? (doubted ?? step.slot) : undefined,
    ...(isAsking && step.editing && { editing: true }),
    ...(scope.sender.proof === 'token' && { isStaff: true }),
    buttons: (question(state, scope).choices ?? []).map(({ id }) => (id.startsWith('confirm:') ? null : id)),
    codes: draft.codes ?? [],
    gift: draft.code,
    references: state.operations.flatMap(({ id }) => [id, confirmationOf(id)]),
  };
}

const AT = {
  idle: 'nothing',
  asking: 'slot',
  doubt: 'doubt',
  confirming: 'summary',
  browsing: 'page',
  consenting: 'consent',
} as const;
