import { type Decision, say } from '../decision.ts';
import { identifierSchema } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { Line, Reply } from '../reply.ts';
import { type ConversationState, isOpen, newState } from '../state.ts';
import { given } from './consent.ts';
import { supportLines } from './help.ts';
import { readBackEmail, readBackPhone } from './mask.ts';
import { again, home } from './questions.ts';

/** What is kept about the customer now, for the running flow too; nothing is changed. */
export function privacy(state: ConversationState, scope: Scope): Decision {
  const kept = { ...browsedBy(state), ...state.profile, ...given(state.draft) };
  const lines: Line[] = [];
  if (kept.phone)
    lines.push({ key: 'summary.phone', params: { phone: readBackPhone(kept.phone.value, scope) } });
  if (kept.email)
    lines.push({ key: 'summary.email', params: { email: readBackEmail(kept.email.value, scope) } });
  for (const { id } of state.operations.filter(isOpen)) {
    lines.push({ key: 'privacy.operation', params: { reference: id } });
  }
  const recent = state.operations.filter((operation) => !isOpen(operation)).length;
  if (recent > 0) lines.push({ key: 'privacy.recent', params: { recent } });
  if (lines.length === 0 && !state.consent?.given) return nothingKept(state, scope);
  if (lines.length === 0) lines.push({ key: 'privacy.nothing' });
  if (state.consent?.given) lines.push({ key: 'privacy.since', params: { at: state.consent.atMs } });
  const view = state.view ?? scope.ids.view;
  const next = { ...state, view };
  return say(next, {
    key: 'privacy.text',
    lines: [...lines, ...supportLines(scope)],
    choices: [{ id: 'forget', label: { key: 'choice.forget' } }],
    view,
  });
}

/** There is nothing to erase. */
function nothingKept(state: ConversationState, scope: Scope): Decision {
  const reply: Reply = { key: 'privacy.text', lines: [{ key: 'privacy.nothing' }, ...supportLines(scope)] };
  return state.step.at === 'idle' ? home(state, scope, reply) : again(state, scope, reply);
}

/** The phone or e-mail that the pages shown belong to. */
function browsedBy({ step }: ConversationState): ConversationState['profile'] {
  const by = step.at === 'browsing' ? identifierSchema.safeParse(step.page.by).data : undefined;
  return by ? { [by.kind]: { value: by.value, proved: true } } : {};
}

/**
 * Erases all but operations without an outcome, which stay until their result, the language, and how many codes
 * were refused: forgetting that would let anybody guess on.
 */
export function forget(state: ConversationState, scope: Scope): Decision {
  const { locale, textLocale, guesses } = state;
  const open = state.operations.filter(isOpen);
  const kept: ConversationState = {
    ...newState(scope.nowMs),
    operations: open,
    ...(locale && { locale }),
    ...(textLocale && { textLocale }),
    ...(guesses && { guesses }),
  };
  const reply: Reply = { key: 'privacy.erased', context: open.length > 0 ? 'open' : undefined };
  return { ...home(kept, scope, reply), forget: true };
}
