import { after, type Decision } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { looksLikeIdentity } from '../language/values/code.ts';
import { LOCALES } from '../message.ts';
import { answered, unanswerable } from '../prompts/answers.ts';
import { unanswered } from '../prompts/consent.ts';
import { cancel, help, language, support, supportLines, welcome } from '../prompts/help.ts';
import { proved, typed } from '../prompts/identity.ts';
import { forget, privacy } from '../prompts/privacy.ts';
import { again, home, question, stay } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { onChoice } from './choices.ts';
import { onStart } from './deep-link.ts';
import { fill, runningIn, start, take } from './form.ts';
import { answer, asSlip, atStep, type Offer, offer } from './live-question.ts';
import { operationsOf, status } from './operations.ts';
import { answersTo, identityIn, slotsFor } from './values.ts';

/** A typed message: an answer to the live question, a command, values for a flow, or something to be kindly unsure of. */
export function onText(state: ConversationState, text: string, scope: Scope): Decision {
  return (
    byNumber(state, text, scope) ??
    onUtterance(state, { text, understood: scope.language.understand(text) }, scope)
  );
}

/** A text of which more may be known than it says: what a photo carries. */
export function onUtterance(state: ConversationState, said: Utterance, scope: Scope): Decision {
  const utterance = withWish(said, scope);
  const { understood } = utterance;
  return (
    byReference(state, understood, scope) ??
    byAnswer(state, utterance, scope, 'sure') ??
    atStep(state, utterance, scope) ??
    byIntent(state, utterance, scope) ??
    byValues(state, utterance, scope) ??
    byAnswer(state, utterance, scope, 'likely') ??
    atQuestion(state, utterance, scope) ??
    unsure(unanswered(state, scope), utterance, scope)
  );
}

/** A text without an intent may ask for a flow all the same. */
function withWish(utterance: Utterance, scope: Scope): Utterance {
  const { text, understood } = utterance;
  if (understood.intent !== undefined) return utterance;
  const flow = scope.flows.all.find((one) => one.isWished(utterance, scope));
  return flow ? { text, understood: { ...understood, intent: flow.name } } : utterance;
}

/** "2" picks the second choice of the live question; never a confirmation, which takes the button's one-time id. */
function byNumber(state: ConversationState, text: string, scope: Scope): Decision | undefined {
  // A page has other buttons, and "2" might mean a page.
  if (!/^\s*\d{1,2}\s*$/.test(text) || state.step.at === 'browsing') return undefined;
  const choices = question(state, scope).choices ?? [];
  const choice = choices.length > 1 ? choices[Number(text) - 1]?.id : undefined;
  return choice === undefined || choice.startsWith('confirm:')
    ? undefined
    : onChoice(state, choice, undefined, scope);
}

/** A question about the programme; whatever value comes along is what the message is about. */
function byAnswer(
  state: ConversationState,
  { text, understood: { code, phone, email, mangled } }: Utterance,
  scope: Scope,
  want: 'sure' | 'likely',
): Decision | undefined {
  if ((code ?? phone ?? email ?? mangled) !== undefined) return undefined;
  const found = scope.language.answers.find(text);
  return found && (found.sure || want === 'likely') ? answered(state, found, scope) : undefined;
}

/** The reference of an operation that this conversation made. */
function byReference(
  state: ConversationState,
  { reference, intent }: Understood,
  scope: Scope,
): Decision | undefined {
  const known = reference !== undefined && operationsOf(state, reference).length > 0;
  return known || (intent === 'status' && reference !== undefined)
    ? status(state, scope, reference)
    : undefined;
}

function byIntent(stored: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const state = unanswered(stored, scope);
  const { intent, code } = utterance.understood;
  const flow = scope.flows.get(intent);
  if (flow) return begin(state, flow, utterance, scope);
  const locale = LOCALES.find((one) => intent === `language:${one}`);
  if (locale) return language(stored, scope, locale);
  switch (intent) {
    case 'status':
      return status(state, scope);
    case 'language':
      return language(stored, scope);
    case 'help':
      return help(stored, scope);
    case 'support':
      return support(stored, scope);
    case 'cancel':
      return cancel(state, scope);
    case 'remove':
      // The flow at hand has said already what it makes of that.
      return runningIn(state, scope) ? undefined : cancel(state, scope);
    case 'start':
      return onStart(state, code, scope);
    case 'menu':
      return home(state, scope, { key: 'menu' });
    case 'privacy':
      return privacy(state, scope);
    case 'forget':
      return forget(state, scope);
    case 'greet':
      if (state.step.at === 'browsing') return stay(state, scope, { key: 'greet' });
      return runningIn(state, scope) ? again(state, scope, { key: 'greet' }) : welcome(state, scope);
    case 'bye':
      return home(state, scope, { key: 'bye' });
    case 'thanks':
      // No answer to whether the details may be remembered: that stays open.
      return runningIn(state, scope) || stored.step.at === 'consenting'
        ? again(stored, scope, { key: 'thanks' })
        : stay(state, scope, { key: 'thanks' });
    case 'retry':
      return again(state, scope);
    default:
      return undefined;
  }
}

/** Begins a flow with the values that came along; a value that needs a question is asked about first. */
function begin(state: ConversationState, flow: Flow, utterance: Utterance, scope: Scope): Decision {
  const slots = slotsFor(flow, utterance, scope);
  const begun = doubtful(start(state, flow, slots, scope), utterance.understood, scope);
  const fault = flow.misread(utterance, slots, scope);
  return fault === undefined ? begun : after([fault], begun);
}

/** Values without a command: for the flow at hand; without one, a code begins the flow that takes it. */
function byValues(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const running = runningIn(state, scope);
  if (running) return inFlow(state, running, utterance, scope);
  const { code } = utterance.understood;
  const flow = code === undefined ? undefined : scope.flows.claiming(code, scope);
  return flow
    ? begin(unanswered(state, scope), flow, utterance, scope)
    : keep(unanswered(state, scope), utterance.understood, scope);
}

/** Only what is new counts: a gift that is picked already answers nothing. */
function inFlow(
  state: ConversationState,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { understood } = utterance;
  if (flow.identity === 'proved' && state.step.at !== 'asking') return undefined;
  if (isMistyped(state, understood)) return undefined;
  const slots = answersTo(flow, utterance, scope);
  if (Object.values(slots).some((value) => value !== undefined && value !== state.draft.code))
    return doubtful(take(state, flow, slots, scope), understood, scope);
  const isDoubt =
    flow.codeMeant?.(understood.codes, scope) !== undefined ||
    (flow.identity === 'typed' ? hasIdentity(understood) : doubt(state, understood, scope) !== undefined);
  return isDoubt ? doubtful(fill(state, flow, {}, scope), understood, scope) : undefined;
}

/** A mistyped phone or e-mail may look like a code: alone and uncalled for, it is none. Another gift is called by name. */
function isMistyped({ step, draft }: ConversationState, understood: Understood): boolean {
  const isAsked = step.at === 'asking' && (step.slot === 'phone' || step.slot === 'email');
  const { code, codes, names } = understood;
  if (!isAsked || code === undefined || names === 'code' || hasIdentity(understood)) return false;
  return draft.code !== undefined || (draft.codes !== undefined && codes.every(looksLikeIdentity));
}

function hasIdentity({ phone, email }: Understood): boolean {
  return (phone ?? email) !== undefined;
}

/** A phone or an e-mail out of the blue: kept for the flow that follows; it ends with it, or after half an hour. */
function keep(state: ConversationState, understood: Understood, scope: Scope): Decision | undefined {
  if (understood.mangled || !hasIdentity(understood)) return undefined;
  const draft = identityIn(understood, scope);
  const menu = home(state, scope, { key: 'unsure', context: 'identity' });
  // A page that is shown can still be turned, unless staff named another customer: it would be taken for theirs.
  const stays = state.step.at === 'browsing' && proved(draft) === undefined;
  return { ...menu, state: { ...menu.state, draft, ...(stays && { step: state.step }) } };
}

/** Where the next question is the slot that a doubtful value was given for, asks about that value. */
function doubtful(decision: Decision, understood: Understood, scope: Scope): Decision {
  const { step } = decision.state;
  if (understood.mangled) return after([{ key: `${understood.mangled}.vietnamese` }], decision);
  const slipped = asSlip(decision, understood.codes, scope);
  if (slipped) return slipped;
  const offered = doubt(decision.state, understood, scope);
  if (step.at !== 'asking' || offered === undefined) return decision;
  return after(decision.replies.slice(0, -1), offer(decision.state, step, offered, scope));
}

/** What to ask about at this question; where typing proves nothing, nothing is asked. */
function doubt(state: ConversationState, understood: Understood, scope: Scope): Offer | undefined {
  const { step } = state;
  if (step.at !== 'asking') return undefined;
  const isProof = step.slot === 'phone' && runningIn(state, scope)?.identity === 'proved';
  if (isProof && !typed('', scope).proved) return undefined;
  const { phone, phoneAsk, email, emailSuggestion } = understood;
  if (step.slot === 'phone' && phone !== undefined && phoneAsk) return { why: phoneAsk, value: phone };
  if ((step.slot === 'email' || isProof) && email !== undefined && emailSuggestion)
    return { why: 'typo', value: emailSuggestion, typed: email };
  return undefined;
}

/** No command and no value: the answer, right or wrong, to the live question. */
function atQuestion(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const isOurs = state.step.at === 'asking' || state.step.at === 'confirming';
  if (isOurs && scope.language.answers.isQuestion(utterance.text)) return unanswerable(state, scope);
  switch (state.step.at) {
    case 'asking':
      return answer(state, state.step, utterance, scope);
    case 'confirming':
      return again(state, scope, { key: 'unsure.confirm' });
    case 'consenting':
    case 'browsing':
    case 'idle':
      return undefined;
  }
}

function unsure(state: ConversationState, { text, understood }: Utterance, scope: Scope): Decision {
  if (understood.mangled) return home(state, scope, { key: `${understood.mangled}.vietnamese` });
  const decision = stay(state, scope, { key: 'unsure', lines: supportLines(scope) });
  return scope.language.answers.isQuestion(text) ? { ...decision, question: {} } : decision;
}
