import type { Context } from '../context.ts';
import { type Decision, say } from '../decision.ts';
import type { Locale } from '../message.ts';
import type { Line, Reply } from '../reply.ts';
import { type ConversationState, type Draft, isOpen, newState } from '../state.ts';
import { maskEmail, maskPhone } from './mask.ts';
import { again, askLanguage, home } from './questions.ts';

/** The version of the text that customers consent to (`privacy.consent`); raise it with every change of meaning. */
const CONSENT_VERSION = 2;
/** Whoever pays the question no heed so often has answered it. */
const ASKED_AT_MOST = 2;

export function welcome(state: ConversationState, context: Context): Decision {
  return home(state, context, { key: 'welcome' });
}

/** What I can do and who can help; then the live question again, so that asking for help loses nothing. */
export function help(state: ConversationState, context: Context): Decision {
  const reply: Reply = { key: 'help', lines: supportLines(context) };
  return state.step.at === 'idle' ? home(state, context, reply) : again(state, context, reply);
}

/** Somebody asks for a person. */
export function support(state: ConversationState, context: Context): Decision {
  const [contact] = supportLines(context);
  const reply: Reply = contact ?? { key: 'support.none' };
  return state.step.at === 'idle' ? home(state, context, reply) : again(state, context, reply);
}

export function supportLines({ settings }: Context): Line[] {
  return settings.supportContact
    ? [{ key: 'help.support', params: { contact: settings.supportContact } }]
    : [];
}

export function cancel(state: ConversationState, context: Context): Decision {
  return home(state, context, { key: state.step.at === 'idle' ? 'cancel.nothing' : 'cancel.done' });
}

export function language(state: ConversationState, context: Context, locale?: Locale): Decision {
  if (locale === undefined) {
    // The question that was live stays so: choosing a language is no answer to it.
    const asked = state.view === undefined ? { ...state, view: context.ids.view } : state;
    return say(asked, askLanguage(asked));
  }
  const chosen = { ...state, locale };
  const reply: Reply = { key: 'language.done' };
  return chosen.step.at === 'idle' ? home(chosen, context, reply) : again(chosen, context, reply);
}

/** What is kept about the customer now, for the running flow too; nothing is changed. */
export function privacy(state: ConversationState, context: Context): Decision {
  const kept = { ...browsedBy(state), ...state.profile, ...given(state.draft) };
  const lines: Line[] = [];
  if (kept.phone) lines.push({ key: 'summary.phone', params: { phone: maskPhone(kept.phone.value) } });
  if (kept.email) lines.push({ key: 'summary.email', params: { email: maskEmail(kept.email.value) } });
  for (const { id } of state.operations.filter(isOpen)) {
    lines.push({ key: 'privacy.operation', params: { reference: id } });
  }
  const recent = state.operations.filter((operation) => !isOpen(operation)).length;
  if (recent > 0) lines.push({ key: 'privacy.recent', params: { recent } });
  if (lines.length === 0 && !state.consent?.given) return nothingKept(state, context);
  if (lines.length === 0) lines.push({ key: 'privacy.nothing' });
  if (state.consent?.given) lines.push({ key: 'privacy.since', params: { at: state.consent.atMs } });
  const view = state.view ?? context.ids.view;
  const next = { ...state, view };
  return say(next, {
    key: 'privacy.text',
    lines: [...lines, ...supportLines(context)],
    choices: [{ id: 'forget', label: { key: 'choice.forget' } }],
    view,
  });
}

/** There is nothing to erase. */
function nothingKept(state: ConversationState, context: Context): Decision {
  const reply: Reply = { key: 'privacy.text', lines: [{ key: 'privacy.nothing' }, ...supportLines(context)] };
  return state.step.at === 'idle' ? home(state, context, reply) : again(state, context, reply);
}

/** The phone or e-mail that the pages shown belong to. */
function browsedBy({ step }: ConversationState): ConversationState['profile'] {
  return step.at === 'browsing' ? { [step.page.by.kind]: { value: step.page.by.value, proved: true } } : {};
}

/**
 * Erases all but operations without an outcome, which stay until their result, the chosen language, and how many codes
 * were refused: forgetting that would let anybody guess on.
 */
export function forget(state: ConversationState, context: Context): Decision {
  const { locale, guesses } = state;
  const open = state.operations.filter(isOpen);
  const kept: ConversationState = {
    ...newState(context.nowMs),
    operations: open,
    ...(locale && { locale }),
    ...(guesses && { guesses }),
  };
  const reply: Reply = { key: 'privacy.erased', context: open.length > 0 ? 'open' : undefined };
  return { ...home(kept, context, reply), forget: true };
}

/** Remembers phone and e-mail of the flow just ended, or lets them go with it. */
export function consent(state: ConversationState, given: boolean, context: Context): Decision {
  const { consentUnanswered: _, ...rest } = state;
  const decided: ConversationState = {
    ...rest,
    consent: { given, version: CONSENT_VERSION, atMs: context.nowMs, channel: context.sender.channel },
    profile: given ? profileOf(state) : {},
  };
  return home(decided, context, { key: given ? 'privacy.remembered' : 'privacy.declined' });
}

/**
 * Ends a flow that gathered phone or e-mail: asks, until it is answered, for each version of the text whether they may be
 * remembered, or keeps what was agreed to.
 */
export function finish(state: ConversationState, context: Context, reply: Reply): Decision {
  const { phone, email } = state.draft;
  if (state.consent?.version !== CONSENT_VERSION && (phone || email)) {
    const asking: ConversationState = {
      ...state,
      step: { at: 'consenting' },
      draft: given(state.draft),
      view: context.ids.view,
    };
    return again(asking, context, reply);
  }
  return home(state.consent?.given ? { ...state, profile: profileOf(state) } : state, context, reply);
}

function profileOf({ draft, profile }: ConversationState): ConversationState['profile'] {
  return { ...profile, ...given(draft) };
}

function given({ phone, email }: Draft): ConversationState['profile'] {
  return { ...(phone && { phone }), ...(email && { email }) };
}

/** The customer turned to something else instead of answering: nothing is remembered, and asked once more at most. */
export function unanswered(state: ConversationState, context: Context): ConversationState {
  if (state.step.at !== 'consenting') return state;
  const { consentUnanswered = 0, ...rest } = state;
  const idle: ConversationState = { ...rest, step: { at: 'idle' } };
  if (consentUnanswered + 1 < ASKED_AT_MOST) return { ...idle, consentUnanswered: consentUnanswered + 1 };
  return {
    ...idle,
    consent: { given: false, version: CONSENT_VERSION, atMs: context.nowMs, channel: context.sender.channel },
  };
}
