import type { Context } from '../context.ts';
import { type Decision, say } from '../decision.ts';
import { history } from '../flows/history.ts';
import type { NamedPeriod } from '../language/period-words.ts';
import { isNamedPeriod, namedPeriod } from '../language/values/period.ts';
import { home, withMenu } from '../prompts/questions.ts';
import { cancel, consent, forget, help, language, unanswered } from '../prompts/settings.ts';
import type { ConversationState, Period, Slot } from '../state.ts';
import { decide, edit, fill, start } from './form.ts';
import { begin } from './operations.ts';

/** A pressed button. It works only while its question is the live one; otherwise it says so and changes nothing. */
export function onChoice(
  state: ConversationState,
  choice: string,
  view: string | undefined,
  context: Context,
): Decision {
  const live = view === undefined || view === state.view;
  return (live ? answerChoice(state, choice, context) : undefined) ?? expired(state);
}

/** A press or a form of a question that is over: nothing is changed. */
export function expired(state: ConversationState): Decision {
  const reply = { key: 'choice.expired', notice: true } as const;
  return say(state, state.step.at === 'idle' && state.view !== undefined ? withMenu(state, reply) : reply);
}

/** Undefined where the choice is none of the live question's. */
function answerChoice(state: ConversationState, choice: string, context: Context): Decision | undefined {
  const colon = choice.indexOf(':');
  const name = colon < 0 ? choice : choice.slice(0, colon);
  const value = colon < 0 ? '' : choice.slice(colon + 1);
  return onStep(state, name, value, context) ?? onMenu(state, name, value, context);
}

/** Choices that only the step at hand offers. */
function onStep(
  state: ConversationState,
  name: string,
  value: string,
  context: Context,
): Decision | undefined {
  const { step } = state;
  switch (step.at) {
    case 'asking':
      return onAsking(state, step, name, value, context);
    case 'confirming':
      if (name === 'confirm') return value === step.operation ? begin(state, step, context) : undefined;
      if (name === 'edit' && isEditable(step.flow, value)) return edit(state, step.flow, value, context);
      return undefined;
    case 'browsing':
      return onPage(state, step, name, value, context);
    case 'consenting':
      return name === 'consent' && (value === 'accept' || value === 'decline')
        ? consent(state, value === 'accept', context)
        : undefined;
    case 'idle':
      return undefined;
  }
}

function onPage(
  state: ConversationState,
  step: Extract<ConversationState['step'], { at: 'browsing' }>,
  name: string,
  value: string,
  context: Context,
): Decision | undefined {
  switch (name) {
    case 'next':
      return history.turnPage(state, step, 1);
    case 'previous':
      return history.turnPage(state, step, -1);
    case 'retry':
      return history.turnPage(state, step, 0);
    case 'period':
      return isNamedPeriod(value)
        ? history.browse(state, { ...step.page, period: periodNamed(value, context) }, context)
        : undefined;
    default:
      return undefined;
  }
}

function onAsking(
  state: ConversationState,
  step: Extract<ConversationState['step'], { at: 'asking' }>,
  name: string,
  value: string,
  context: Context,
): Decision | undefined {
  switch (name) {
    case 'skip':
      return step.slot === 'email' ? fill(state, step.flow, { email: null }, context) : undefined;
    case 'use':
    case 'keep':
    case 'other':
      return decide(state, step, name, context);
    case 'gift':
      return step.flow === 'redeem' &&
        step.slot === 'code' &&
        context.settings.gifts.some(({ code }) => code === value)
        ? fill(state, 'redeem', { code: value }, context)
        : undefined;
    case 'history':
      return step.slot === 'type' && isHistoryType(value)
        ? fill(state, 'history', { type: value }, context)
        : undefined;
    case 'period':
      return step.slot === 'period' && isNamedPeriod(value)
        ? fill(state, 'history', { period: periodNamed(value, context) }, context)
        : undefined;
    default:
      return undefined;
  }
}

/** Choices that work wherever a live question offers them. */
function onMenu(
  stored: ConversationState,
  name: string,
  value: string,
  context: Context,
): Decision | undefined {
  const state = unanswered(stored, context);
  switch (name) {
    case 'accumulate':
    case 'redeem':
    case 'points':
      return start(state, name, {}, context);
    case 'history':
      if (value === '') return start(state, 'history', {}, context);
      return isHistoryType(value) ? start(state, 'history', { type: value }, context) : undefined;
    case 'language':
      if (value === '') return language(state, context);
      return value === 'vi' || value === 'en' ? language(stored, context, value) : undefined;
    case 'help':
      return help(stored, context);
    case 'cancel':
      return cancel(state, context);
    case 'forget':
      return forget(state, context);
    case 'menu':
      return home(state, context, { key: 'menu' });
    default:
      return undefined;
  }
}

function periodNamed(name: NamedPeriod, { nowMs, settings }: Context): Period {
  return namedPeriod(name, nowMs, settings.timeZone);
}

function isHistoryType(value: string): value is 'point' | 'gift' {
  return value === 'point' || value === 'gift';
}

function isEditable(flow: 'accumulate' | 'redeem', slot: string): slot is Slot {
  return flow === 'accumulate' ? slot === 'code' || slot === 'phone' || slot === 'email' : slot === 'code';
}
