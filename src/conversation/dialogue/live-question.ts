import { after, type Decision, say, withLast } from '../decision.ts';
import type { Answer, Flow, Scope } from '../flow.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { parseEmail } from '../language/values/email.ts';
import { parsePhone } from '../language/values/phone.ts';
import { consent } from '../prompts/consent.ts';
import { supportLines } from '../prompts/help.ts';
import { typed } from '../prompts/identity.ts';
import { again, home, pose, question } from '../prompts/questions.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState, Draft, Step } from '../state.ts';
import { isCutOff } from './calls.ts';
import { edit, editable, fill, runningIn } from './form.ts';
import { begin } from './operations.ts';
import { answersTo, isSkip } from './values.ts';

/*
 * What a text is worth as an answer to the live question: first what means something only because of it, and, where
 * nothing else explains the text, whatever it may be.
 */

/** After so many invalid answers in a row, help is offered. */
const TRIES = 3;

type Asking = Extract<Step, { at: 'asking' }>;
type Confirming = Extract<Step, { at: 'confirming' }>;
export type Offer = NonNullable<Asking['offer']>;

/** Words that mean something only because of the question they answer. */
export function atStep(state: ConversationState, utterance: Utterance, scope: Scope): Decision | undefined {
  const { step } = state;
  const { intent } = utterance.understood;
  const flow = 'flow' in step ? scope.flows.get(step.flow) : undefined;
  switch (step.at) {
    case 'asking':
      return flow && atAsking(state, step, flow, utterance, scope);
    case 'confirming':
      return flow && atSummary(state, step, flow, utterance, scope);
    case 'consenting':
      if (intent === 'confirm') return scope.current ? consent(state, true, scope) : again(state, scope);
      return intent === 'decline' ? consent(state, false, scope) : undefined;
    case 'browsing':
      return intent === 'confirm' ? again(state, scope) : flow?.said(state, utterance, scope);
    case 'idle':
      if (intent !== 'confirm' && intent !== 'retry') return undefined;
      return state.view === undefined ? home(state, scope, { key: 'menu' }) : again(state, scope);
  }
}

function atAsking(
  state: ConversationState,
  step: Asking,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { understood } = utterance;
  // "Không" to a number that is offered wants another one.
  const skips = isSkip(understood) && !(step.offer && understood.intent === 'decline');
  if (step.slot === 'email' && skips) return fill(state, flow, { email: null }, scope);
  return step.offer ? atOffer(state, step, flow, understood, scope) : flow.said(state, utterance, scope);
}

/** The words on the buttons of an offer, and their like. */
function atOffer(
  state: ConversationState,
  step: Asking,
  flow: Flow,
  { intent }: Understood,
  scope: Scope,
): Decision | undefined {
  const chosen = (name: 'use' | 'keep' | 'other') =>
    decide(state, step, name, scope) ?? flow.pressed(state, { name, value: '' }, scope);
  switch (intent) {
    case 'confirm':
      return chosen('use');
    case 'decline':
      return chosen(step.offer?.typed === undefined ? 'other' : 'keep');
    case 'keep':
      return chosen('keep');
    case 'other':
    case 'edit':
      return chosen('other');
    default:
      return undefined;
  }
}

function atSummary(
  state: ConversationState,
  step: Confirming,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  switch (utterance.understood.intent) {
    case 'edit':
      return editNamed(state, flow, utterance, scope);
    case 'decline':
      // "No, 0912345678" corrects: what was wrong must not stay for the next yes.
      if (hasValue(utterance.understood)) return flow.said(state, utterance, scope);
      return again(state, scope, { key: 'confirm.edit' });
    case 'confirm':
      if (hasValue(utterance.understood)) return flow.said(state, utterance, scope);
      return scope.language.isYes(utterance.text) && mayConfirm(state, step, flow, scope)
        ? begin(state, step, scope)
        : pointAt(state, flow, scope);
    case 'retry':
      return pointAt(state, flow, scope);
    default:
      return flow.said(state, utterance, scope);
  }
}

/** "Ok, 0912345678" is an answer. */
function hasValue({ codes, phone, email, names, noEmail }: Understood): boolean {
  return codes.length > 0 || (phone ?? email ?? names ?? noEmail) !== undefined;
}

/**
 * Typed words spend nothing: that takes the button, which carries the operation's one-time id. They add points where they
 * can be about nothing but this summary, or come again after a crash that cut the calls off.
 */
function mayConfirm(state: ConversationState, step: Confirming, flow: Flow, { current }: Scope): boolean {
  if (!flow.confirmation?.byWord) return false;
  return isCutOff(state) || (current && step.shown === true);
}

/** Says which button it takes: with the whole summary only where another word will do then. */
function pointAt(state: ConversationState, flow: Flow, scope: Scope): Decision {
  const press: Reply = { key: 'confirm.press' };
  if (flow.confirmation?.byWord) return again(state, scope, press);
  const { choices = [], asks, view } = question(state, scope);
  return say(state, {
    ...press,
    choices: choices.filter(({ id }) => /^(confirm:|cancel$)/.test(id)),
    asks,
    view,
  });
}

/** The slot that is named, or the only one that can be changed; another value for it, where one came along. */
function editNamed(state: ConversationState, flow: Flow, utterance: Utterance, scope: Scope): Decision {
  const { names } = utterance.understood;
  const fields = editable(flow, state.draft);
  const slots = answersTo(flow, utterance, scope);
  if (Object.keys(slots).length > 0) {
    const isOfCode = slots[flow.slotCalled('code')] !== undefined && fields.includes('code');
    // As if the button had been pressed and then answered: what is corrected takes the place of what was wrong.
    const editing = isOfCode ? edit(state, flow, 'code', scope).state : state;
    return fill(editing, flow, slots, scope);
  }
  const [only, ...others] = fields;
  const field = names ?? (others.length === 0 ? only : undefined);
  return field !== undefined && fields.includes(field)
    ? edit(state, flow, field, scope)
    : again(state, scope, { key: 'confirm.edit' });
}

/** A typed answer to the question that is live. */
export function answer(
  state: ConversationState,
  step: Asking,
  { text, understood }: Utterance,
  scope: Scope,
): Decision {
  const flow = scope.flows.get(step.flow);
  switch (step.slot) {
    case 'phone':
      return flow?.identity === 'typed'
        ? answerPhone(state, step, text, scope)
        : answerIdentity(state, step, text, understood, scope);
    case 'email':
      return answerEmail(state, step, text, scope);
    default: {
      const given: Answer<Draft> | undefined = flow?.questions[step.slot]?.answer(text, scope);
      if (given?.ok === 'email') return answerEmail(state, step, text, scope);
      if (given?.ok) return fillStep(state, step, given.slots, scope);
      return given
        ? retry(state, step, scope, { key: given.reason, params: given.params })
        : retry(state, step, scope);
    }
  }
}

/** Fills slots of the flow that the live question is of. */
function fillStep(state: ConversationState, step: Asking, filled: Draft, scope: Scope): Decision {
  const flow = scope.flows.get(step.flow);
  return flow ? fill(state, flow, filled, scope) : again(state, scope);
}

/** Where reading or spending needs proof, typing proves nothing unless staff vouch for it. */
function answerIdentity(
  state: ConversationState,
  step: Asking,
  text: string,
  understood: Understood,
  scope: Scope,
): Decision {
  if (!typed('', scope).proved) {
    const asked = retry(state, step, scope);
    return understood.phone === undefined ? asked : withLast(asked, { context: 'typed' });
  }
  if (text.includes('@')) return answerEmail(state, step, text, scope);
  const phone = parsePhone(text);
  return !phone.ok && phone.reason === 'phone.shape'
    ? invalid(state, step, 'identity.shape', scope)
    : answerPhone(state, step, text, scope);
}

function answerPhone(state: ConversationState, step: Asking, text: string, scope: Scope): Decision {
  const phone = parsePhone(text);
  if (!phone.ok) return invalid(state, step, phone.reason, scope);
  if (phone.ask) return offer(state, step, { why: phone.ask, value: phone.value }, scope);
  return fillStep(state, step, { phone: typed(phone.value, scope) }, scope);
}

function answerEmail(state: ConversationState, step: Asking, text: string, scope: Scope): Decision {
  const email = parseEmail(text);
  if (!email.ok) return invalid(state, step, email.reason, scope);
  if (email.suggestion)
    return offer(state, step, { why: 'typo', value: email.suggestion, typed: email.value }, scope);
  return fillStep(state, step, { email: typed(email.value, scope) }, scope);
}

/** Asks about a code that was probably meant otherwise; undefined where none was. */
export function asSlip(decision: Decision, codes: readonly string[], scope: Scope): Decision | undefined {
  const flow = runningIn(decision.state, scope);
  const value = flow?.codeMeant?.(codes, scope);
  if (!flow || value === undefined || decision.effect) return undefined;
  const step = { at: 'asking', flow: flow.name, slot: flow.slotCalled('code'), tries: 0 } as const;
  const asked = offer(decision.state, step, { why: 'code', value, typed: codes[0] }, scope);
  return after(decision.replies.slice(0, -1), asked);
}

/** Asks about a value instead of taking it. */
export function offer(state: ConversationState, step: Asking, offered: Offer, scope: Scope): Decision {
  return pose(state, { ...step, offer: offered }, scope);
}

/** `use`, `keep` or `other` was pressed (or said) about what is offered. */
export function decide(
  state: ConversationState,
  step: Asking,
  choice: 'use' | 'keep' | 'other',
  scope: Scope,
): Decision | undefined {
  if (!step.offer) return undefined;
  const { why, value, typed: written } = step.offer;
  // The flow that offered it knows what to do with its codes.
  if (why === 'code' && choice !== 'other') return undefined;
  if (choice === 'use') {
    if (why === 'typo') return fillStep(state, step, { email: typed(value, scope) }, scope);
    return fillStep(state, step, { phone: typed(value, scope) }, scope);
  }
  if (choice === 'keep') {
    return written === undefined ? undefined : fillStep(state, step, { email: typed(written, scope) }, scope);
  }
  const { offer: _, ...plain } = step;
  return pose(state, plain, scope);
}

/** Says what is wrong with an answer and asks again; the third time help is offered. */
export function invalid(state: ConversationState, step: Asking, reason: string, scope: Scope): Decision {
  return retry(state, step, scope, { key: reason });
}

function retry(state: ConversationState, step: Asking, scope: Scope, ...why: Reply[]): Decision {
  const tries = step.tries + 1;
  const next = { ...state, step: { ...step, tries } };
  const lost: Reply[] = tries % TRIES === 0 ? [{ key: 'repair.help', lines: supportLines(scope) }] : [];
  return again(next, scope, ...why, ...lost);
}
