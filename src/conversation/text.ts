import { onChoice } from './choices.ts';
import type { Context } from './context.ts';
import { after, type Decision } from './decision.ts';
import { answer, decide, edit, fill, flowOf, offer, start } from './flows/form.ts';
import { history } from './flows/history.ts';
import { status } from './flows/operations.ts';
import {
  cancel,
  consent,
  forget,
  help,
  language,
  privacy,
  supportLines,
  unanswered,
  welcome,
} from './flows/settings.ts';
import { fold } from './fold.ts';
import { typed } from './identity.ts';
import { again, home, question } from './questions.ts';
import { namedPeriod, parsePeriod } from './slots/period.ts';
import type { ConversationState, Draft, Flow } from './state.ts';
import { type Understood, understand } from './understand.ts';

/** A typed message: an answer to the live question, a command, values for a flow, or something to be kindly unsure of. */
export function onText(state: ConversationState, text: string, context: Context): Decision {
  const understood = understand(text);
  return (
    byNumber(state, text, context) ??
    byReference(state, understood, context) ??
    atStep(state, text, understood, context) ??
    byIntent(state, text, understood, context) ??
    byValues(state, understood, context) ??
    atQuestion(state, text, context) ??
    unsure(unanswered(state, context), understood, context)
  );
}

/** "2" picks the second choice of the live question; never a confirmation, which takes the button's one-time id. */
function byNumber(state: ConversationState, text: string, context: Context): Decision | undefined {
  if (!/^\s*\d{1,2}\s*$/.test(text)) return undefined;
  const choices = question(state, context).choices ?? [];
  const choice = choices.length > 1 ? choices[Number(text) - 1]?.id : undefined;
  return choice === undefined || choice.startsWith('confirm:')
    ? undefined
    : onChoice(state, choice, undefined, context);
}

/** The reference of an operation that this conversation made. */
function byReference(
  state: ConversationState,
  { reference, intent }: Understood,
  context: Context,
): Decision | undefined {
  const known = reference !== undefined && state.operations.some(({ id }) => id === reference);
  return known || (intent === 'status' && reference !== undefined)
    ? status(state, context, reference)
    : undefined;
}

/** Words that mean something only because of the question they answer. */
function atStep(
  state: ConversationState,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const { step } = state;
  const { intent } = understood;
  switch (step.at) {
    case 'asking': {
      if (step.slot === 'email' && !step.offer && (intent === 'skip' || intent === 'decline'))
        return fill(state, step.flow, { email: null }, context);
      if (step.offer && intent === 'confirm') return decide(state, step, 'use', context);
      if (step.offer && intent === 'decline')
        return decide(state, step, step.offer.why === 'typo' ? 'keep' : 'other', context);
      if (step.slot === 'type' && understood.type)
        return fill(state, 'history', slotsOf(understood, context), context);
      if (step.slot === 'period' && understood.period)
        return fill(state, 'history', slotsOf(understood, context), context);
      // A gift named by its label, as a keyboard of words would send it.
      if (step.flow === 'redeem' && step.slot === 'code') return pickGift(state, text, context);
      return undefined;
    }
    case 'confirming':
      if (intent === 'edit') return editNamed(state, step.flow, understood, context);
      if (intent !== 'confirm') return undefined;
      // Typed words spend nothing and add nothing: the button carries the operation's one-time id.
      return again(state, context, { key: 'confirm.press' });
    case 'consenting':
      if (intent === 'confirm') return consent(state, true, context);
      return intent === 'decline' ? consent(state, false, context) : undefined;
    case 'browsing':
      if (intent === 'next') return history.turnPage(state, step, 1);
      return intent === 'previous' ? history.turnPage(state, step, -1) : undefined;
    case 'idle':
      return undefined;
  }
}

function pickGift(state: ConversationState, text: string, context: Context): Decision | undefined {
  const code = giftNamed(text, context);
  return code === undefined ? undefined : fill(state, 'redeem', { code }, context);
}

/** The code of the gift that a text names, by code, name or the label of its button; marks do not matter. */
function giftNamed(text: string, context: Context): string | undefined {
  const words = ` ${fold(text)} `;
  return context.settings.gifts.find(({ code, name }) =>
    [code, ...Object.values(name)].some((one) => words.includes(` ${fold(one)} `)),
  )?.code;
}

function editNamed(
  state: ConversationState,
  flow: 'accumulate' | 'redeem',
  understood: Understood,
  context: Context,
): Decision {
  const slots = slotsOf(understood, context);
  if (Object.keys(slots).length > 0) return fill(state, flow, slots, context);
  const slot = flow === 'accumulate' ? understood.edits : 'code';
  return slot ? edit(state, flow, slot, context) : again(state, context, { key: 'confirm.edit' });
}

function byIntent(
  stored: ConversationState,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const state = unanswered(stored, context);
  switch (understood.intent) {
    case 'accumulate':
    case 'redeem':
    case 'history':
    case 'points':
      return begin(state, understood.intent, text, understood, context);
    case 'status':
      return status(state, context);
    case 'language':
      return language(stored, context);
    case 'language:vi':
      return language(stored, context, 'vi');
    case 'language:en':
      return language(stored, context, 'en');
    case 'help':
    case 'support':
      return help(stored, context);
    case 'cancel':
      return cancel(state, context);
    case 'start':
      return welcome(state, context);
    case 'menu':
      return home(state, context, { key: 'menu' });
    case 'privacy':
      return privacy(state, context);
    case 'forget':
      return forget(state, context);
    case 'greet':
      return flowOf(state.step) ? again(state, context, { key: 'greet' }) : welcome(state, context);
    case 'thanks':
      return flowOf(state.step)
        ? again(state, context, { key: 'thanks' })
        : home(state, context, { key: 'thanks' });
    default:
      return undefined;
  }
}

/** Begins a flow with the values that came along; a value that needs a question is asked about first. */
function begin(
  state: ConversationState,
  flow: Flow,
  text: string,
  understood: Understood,
  context: Context,
): Decision {
  const slots = { ...slotsOf(understood, context), ...namedIn(text, flow, understood, context) };
  return doubtful(start(state, flow, slots, context), understood, context);
}

/** What else a command may say: a gift by its name, typed dates. */
function namedIn(text: string, flow: Flow, { rest, code, period }: Understood, context: Context): Draft {
  if (flow === 'redeem' && code === undefined) {
    const gift = giftNamed(text, context);
    return gift === undefined ? {} : { code: gift };
  }
  if (flow !== 'history' || period !== undefined || rest === '') return {};
  const dates = parsePeriod(rest, context.nowMs, context.settings.timeZone);
  return dates.ok ? { period: dates.period } : {};
}

/** Values without a command: for the flow at hand; without one, a code begins earning its points. */
function byValues(state: ConversationState, understood: Understood, context: Context): Decision | undefined {
  const slots = slotsOf(understood, context);
  const flow = flowOf(state.step);
  if (flow === 'accumulate' && hasIdentity(understood, slots))
    return doubtful(fill(state, flow, slots, context), understood, context);
  if (flow !== undefined || understood.code === undefined) return undefined;
  const isGift = context.settings.gifts.some(({ code }) => code === understood.code);
  return begin(unanswered(state, context), isGift ? 'redeem' : 'accumulate', '', understood, context);
}

function hasIdentity(understood: Understood, slots: Draft): boolean {
  return Object.keys(slots).length > 0 || understood.phone !== undefined || understood.email !== undefined;
}

/** What was read from free text, as slots; what must be asked about stays out. */
function slotsOf(understood: Understood, context: Context): Draft {
  const { code, phone, phoneAsk, email, emailSuggestion, type, period } = understood;
  return {
    ...(code !== undefined && { code }),
    ...(phone !== undefined && !phoneAsk && { phone: typed(phone, context) }),
    ...(email !== undefined && !emailSuggestion && { email: typed(email, context) }),
    ...(type !== undefined && { type }),
    ...(period !== undefined && { period: namedPeriod(period, context.nowMs, context.settings.timeZone) }),
  };
}

/** Where the next question is the slot that a doubtful value was given for, asks about that value. */
function doubtful(decision: Decision, understood: Understood, context: Context): Decision {
  const { step } = decision.state;
  const before = decision.replies.slice(0, -1);
  if (understood.mangled) return after([{ key: `${understood.mangled}.vietnamese` }], decision);
  if (step.at !== 'asking' || step.flow !== 'accumulate') return decision;
  const { phone, phoneAsk, email, emailSuggestion } = understood;
  if (step.slot === 'phone' && phone !== undefined && phoneAsk)
    return after(before, offer(decision.state, step, { why: phoneAsk, value: phone }, context));
  if (step.slot === 'email' && email !== undefined && emailSuggestion)
    return after(
      before,
      offer(decision.state, step, { why: 'typo', value: emailSuggestion, typed: email }, context),
    );
  return decision;
}

/** No command and no value: the answer, right or wrong, to the live question. */
function atQuestion(state: ConversationState, text: string, context: Context): Decision | undefined {
  switch (state.step.at) {
    case 'asking':
      return answer(state, state.step, text, context);
    case 'confirming':
      return again(state, context, { key: 'unsure.confirm' });
    case 'consenting':
    case 'browsing':
    case 'idle':
      return undefined;
  }
}

function unsure(state: ConversationState, understood: Understood, context: Context): Decision {
  if (understood.mangled) return home(state, context, { key: `${understood.mangled}.vietnamese` });
  return home(state, context, { key: 'unsure', lines: supportLines(context) });
}
