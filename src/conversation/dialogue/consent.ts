import type { Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState, Draft } from '../state.ts';
import { again, CONSENT_VERSION, hasAgreed, home, homeWithShortcuts, otherPhone } from './questions.ts';

/** Whoever passes over the question so often has answered it. */
const ASKED_AT_MOST = 2;

/** Remembers phone and e-mail of the flow just ended, or lets them go with it. */
export function consent(state: ConversationState, given: boolean, scope: Scope): Decision {
  // Whether another number is remembered from now on: what was agreed to stays agreed to.
  if (hasAgreed(state) && !given) return home(state, scope, { key: 'privacy.declined', context: 'other' });
  const { consentUnanswered: _, ...rest } = state;
  const decided: ConversationState = {
    ...rest,
    consent: { given, version: CONSENT_VERSION, atMs: scope.nowMs, channel: scope.sender.channel },
    profile: given ? profileOf(state) : {},
  };
  return homeWithShortcuts(decided, scope, { key: given ? 'privacy.remembered' : 'privacy.declined' });
}

/**
 * Ends a flow that gathered phone or e-mail: asks, until it is answered, for each version of the text whether they may be
 * remembered, or keeps what was agreed to, and asks whether another number takes the place of the remembered one. Staff
 * are not asked: what they typed is somebody else's, and the next customer is another one. `balance`: what the customer
 * has now, where that is known.
 */
export function finish(state: ConversationState, scope: Scope, reply: Reply, balance?: number): Decision {
  const { draft, consent: answered } = state;
  if (scope.sender.proof === 'token') return home(state, scope, reply);
  const isNew = answered?.version !== CONSENT_VERSION && hasMore(draft, scope);
  if (isNew || otherPhone(state) !== undefined) {
    const asking: ConversationState = {
      ...state,
      step: { at: 'consenting' },
      draft: given(draft),
      view: scope.ids.view,
    };
    return again(asking, scope, reply);
  }
  const known = answered?.given ? { ...state, profile: profileOf(state) } : state;
  return homeWithShortcuts(known, scope, reply, balance);
}

/** Whether anything is known that the channel does not tell each time anyway. */
function hasMore({ phone, email }: Draft, { sender }: Scope): boolean {
  return phone !== undefined || (email != null && email.value !== sender.email);
}

/** The customer turned to something else instead of answering: nothing is remembered, and asked once more at most. */
export function unanswered(state: ConversationState, scope: Scope): ConversationState {
  if (state.step.at !== 'consenting') return state;
  const { consentUnanswered = 0, ...rest } = state;
  const idle: ConversationState = { ...rest, step: { at: 'idle' } };
  if (hasAgreed(state)) return idle;
  if (consentUnanswered + 1 < ASKED_AT_MOST) return { ...idle, consentUnanswered: consentUnanswered + 1 };
  return {
    ...idle,
    consent: { given: false, version: CONSENT_VERSION, atMs: scope.nowMs, channel: scope.sender.channel },
  };
}

/** The same where nothing is begun instead: nothing of the flow before is kept for a next one. */
export function walkedAway(state: ConversationState, scope: Scope): ConversationState {
  return state.step.at === 'consenting' ? { ...unanswered(state, scope), draft: {} } : state;
}

/**
 * Where staff write, nothing is remembered of the last customer: versions before this one asked staff for consent, and the
 * console may have imitated a customer here.
 */
export function withoutProfile(state: ConversationState, { sender }: Scope): ConversationState {
  if (sender.proof !== 'token') return state;
  const { consent: _, consentUnanswered: __, ...rest } = state;
  const step: ConversationState['step'] = rest.step.at === 'consenting' ? { at: 'idle' } : rest.step;
  return { ...rest, step, profile: {} };
}

/** What was proved is kept: what is only typed may be somebody else's, for whom points were earned once. */
function profileOf({ draft, profile }: ConversationState): ConversationState['profile'] {
  const { phone, email } = given(draft);
  return {
    ...profile,
    ...(phone && (phone.proved || !profile.phone?.proved) && { phone }),
    ...(email && (email.proved || !profile.email?.proved) && { email }),
  };
}

export function given({ phone, email }: Draft): ConversationState['profile'] {
  return { ...(phone && { phone }), ...(email && { email }) };
}
