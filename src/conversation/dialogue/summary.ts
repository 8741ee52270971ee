import { type Decision, say } from '../decision.ts';
import type { Flow, Scope } from '../flow.ts';
import type { Understood, Utterance } from '../language/understand.ts';
import { again, question } from '../prompts/questions.ts';
import type { ConversationState, Step } from '../state.ts';
import { isCutOff, openCall } from './calls.ts';
import { begin } from './confirmation.ts';
import { edit, editable, fill } from './form.ts';
import { answersTo, bringsValue } from './values.ts';

/*
 * What a text means where a summary waits to be confirmed.
 */

type Confirming = Extract<Step, { at: 'confirming' }>;

export function atSummary(
  state: ConversationState,
  step: Confirming,
  flow: Flow,
  utterance: Utterance,
  scope: Scope,
): Decision | undefined {
  const { understood } = utterance;
  switch (isThankfulYes(utterance, scope) ? 'confirm' : understood.intent) {
    case 'edit':
      return flow.said(state, utterance, scope) ?? editNamed(state, flow, utterance, scope);
    case 'decline':
    case 'skip':
      // "No, 0912345678" corrects: what was wrong must not stay for the next yes.
      if (isAnswer(understood)) return flow.said(state, utterance, scope);
      return understood.names === undefined
        ? again(state, scope, { key: 'confirm.edit' })
        : editNamed(state, flow, utterance, scope);
    case 'confirm':
      if (isAnswer(understood) || understood.names) return flow.said(state, utterance, scope);
      return scope.language.isYes(utterance.text) && flow.confirmation?.byWord
        ? confirmedByWord(state, step, flow, scope)
        : pointAt(state, flow, scope);
    case 'retry':
      return isAnswer(understood) ? flow.said(state, utterance, scope) : again(state, scope);
    case 'nevermind':
      // "Ok thôi" may say either.
      return scope.language.isYes(utterance.text)
        ? pointAt(state, flow, scope)
        : flow.said(state, utterance, scope);
    default:
      return flow.said(state, utterance, scope);
  }
}

/** "Ok, cảm ơn" is a yes, too. */
export function isThankfulYes({ text, understood }: Utterance, { language }: Scope): boolean {
  return understood.intent === 'thanks' && language.isYes(text);
}

/** "Ok, 0912345678" is an answer. */
function isAnswer(understood: Understood): boolean {
  return bringsValue(understood) || understood.noEmail !== undefined;
}

/**
 * Typed words spend nothing: that takes the button, which carries the operation's one-time id. They add points where they
 * can be about nothing but this summary, or come again after a crash that cut the calls off: then something was called.
 */
function confirmedByWord(state: ConversationState, step: Confirming, flow: Flow, scope: Scope): Decision {
  const isAbout = step.shown === true && scope.current;
  if (isAbout || isCutOff(state)) return begin(state, scope);
  const next = step.shown === true ? openCall(state, scope) : undefined;
  return next
    ? { state, replies: [], effect: { kind: 'recall', operation: next.operation, after: 'crash' } }
    : pointAt(state, flow, scope);
}

/** Says which button it takes: with the whole summary only where another word will do then. */
export function pointAt(state: ConversationState, flow: Flow, scope: Scope): Decision {
  if (flow.confirmation?.byWord) return again(state, scope, { key: 'confirm.press', context: flow.name });
  const { choices = [], asks, view } = question(state, scope);
  return say(state, {
    key: 'confirm.press',
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
  if (Object.keys(slots).length > 0) return fill(state, flow, slots, scope);
  const [only, ...others] = fields;
  const field = names ?? (others.length === 0 ? only : undefined);
  return field !== undefined && fields.includes(field)
    ? edit(state, flow, field, scope)
    : again(state, scope, { key: 'confirm.edit' });
}
