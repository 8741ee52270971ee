import { type Decision, say } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { LOCALES } from '../message.ts';
import { consent, unanswered, walkedAway } from '../prompts/consent.ts';
import { cancel, help, language, menu } from '../prompts/help.ts';
import { forget } from '../prompts/privacy.ts';
import { withMenu } from '../prompts/questions.ts';
import type { ConversationState } from '../state.ts';
import { begin } from './confirmation.ts';
import { edit, editable, fill, start } from './form.ts';
import { decide } from './offer.ts';

/** A pressed button. It works only while its question is the live one; otherwise it says so and changes nothing. */
export function onChoice(
  state: ConversationState,
  choice: string,
  view: string | undefined,
  scope: Scope,
): Decision {
  const live = view === undefined || view === state.view;
  return (live ? chosen(state, choice, scope) : undefined) ?? expired(state, scope);
}

/** A press or a form of a question that is over: nothing is changed. */
export function expired(state: ConversationState, scope: Scope): Decision {
  const reply = { key: 'choice.expired', notice: true } as const;
  return say(
    state,
    state.step.at === 'idle' && state.view !== undefined ? withMenu(state, reply, scope) : reply,
  );
}

/** Undefined where the choice is none of the live question's. */
function chosen(state: ConversationState, choice: string, scope: Scope): Decision | undefined {
  const colon = choice.indexOf(':');
  const name = colon < 0 ? choice : choice.slice(0, colon);
  const value = colon < 0 ? '' : choice.slice(colon + 1);
  return onStep(state, name, value, scope) ?? onMenu(state, name, value, scope);
}

/** Choices that only the step at hand offers. */
function onStep(state: ConversationState, name: string, value: string, scope: Scope): Decision | undefined {
  const { step } = state;
  const flow = 'flow' in step ? scope.flows.get(step.flow) : undefined;
  switch (step.at) {
    case 'asking':
      return onAsking(state, step, name, scope) ?? flow?.pressed(state, { name, value }, scope);
    case 'confirming':
      if (name === 'confirm') return value === step.operation ? begin(state, scope) : undefined;
      return flow && name === 'edit' && editable(flow, state.draft).includes(value)
        ? edit(state, flow, value, scope)
        : flow?.pressed(state, { name, value }, scope);
    case 'browsing':
      return flow?.pressed(state, { name, value }, scope);
    case 'consenting':
      return name === 'consent' && (value === 'accept' || value === 'decline')
        ? consent(state, value === 'accept', scope)
        : undefined;
    case 'idle':
      return undefined;
  }
}

function onAsking(
  state: ConversationState,
  step: Extract<ConversationState['step'], { at: 'asking' }>,
  name: string,
  scope: Scope,
): Decision | undefined {
  const flow = scope.flows.get(step.flow);
  switch (name) {
    case 'skip':
      return flow && step.slot === 'email' ? fill(state, flow, { email: null }, scope) : undefined;
    case 'use':
    case 'keep':
    case 'other':
      return decide(state, step, name, scope);
    default:
      return undefined;
  }
}

/** Choices that work wherever a live question offers them. */
function onMenu(stored: ConversationState, name: string, value: string, scope: Scope): Decision | undefined {
  const flow = scope.flows.get(name);
  if (flow) {
    const slots = value === '' ? {} : flow.shortcut(value);
    return slots && start(unanswered(stored, scope), flow, slots, scope);
  }
  const state = walkedAway(stored, scope);
  switch (name) {
    case 'language': {
      const locale = LOCALES.find((one) => one === value);
      if (value === '') return language(state, scope);
      return locale && language(stored, scope, locale);
    }
    case 'help':
      return help(stored, scope);
    case 'cancel':
      return cancel(state, scope);
    case 'forget':
      return forget(state, scope);
    case 'menu':
      return menu(state, scope);
    default:
      return undefined;
  }
}
