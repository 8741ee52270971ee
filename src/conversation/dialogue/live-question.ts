import type { Context } from '../context.ts';
import { after, type Decision } from '../decision.ts';
import { history } from '../flows/history.ts';
import type { Understood } from '../language/understand.ts';
import { again, home } from '../prompts/questions.ts';
import { cancel, consent } from '../prompts/settings.ts';
import type { ConversationState, Draft, Step } from '../state.ts';
import { advance, decide, edit, fill, take } from './form.ts';
import { answersTo, giftNamed, periodIn } from './values.ts';

/** Words that mean something only because of the question they answer. */
export function atStep(
  state: ConversationState,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const { step } = state;
  const { intent } = understood;
  switch (step.at) {
    case 'asking':
      return atAsking(state, step, text, understood, context);
    case 'confirming':
      return atSummary(state, step.flow, text, understood, context);
    case 'consenting':
      if (intent === 'confirm') return consent(state, true, context);
      return intent === 'decline' ? consent(state, false, context) : undefined;
    case 'browsing':
      if (intent === 'next') return history.turnPage(state, step, 1);
      if (intent === 'previous') return history.turnPage(state, step, -1);
      if (intent === 'retry') return history.turnPage(state, step, 0);
      if (intent === 'confirm') return again(state, context);
      return leaf(state, step, understood, context);
    case 'idle':
      if (intent !== 'confirm' && intent !== 'retry') return undefined;
      return state.view === undefined ? home(state, context, { key: 'menu' }) : again(state, context);
  }
}

type Asking = Extract<Step, { at: 'asking' }>;

function atAsking(
  state: ConversationState,
  step: Asking,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const { intent, code, phone, email, noEmail } = understood;
  // "Không, TIVI000000017" is an answer.
  const isBare = (code ?? phone ?? email ?? noEmail) === undefined;
  const isSkip = isBare && (intent === 'skip' || (intent === 'decline' && !step.offer));
  if (step.slot === 'email' && isSkip) return fill(state, step.flow, { email: null }, context);
  if (step.offer) return atOffer(state, step, step.offer.why === 'typo', understood, context);
  switch (step.slot) {
    case 'type':
    case 'period':
      return narrow(state, step.slot, text, understood, context);
    case 'code':
      if (isSkip) return leave(state, step, context);
      // A gift named by its label, as a keyboard of words would send it.
      return step.flow === 'redeem' ? pickGift(state, text, understood, context) : undefined;
    case 'phone':
      return step.flow === 'redeem' ? changeGift(state, text, understood, context) : undefined;
    default:
      return undefined;
  }
}

/** The words on the buttons of an offer, and their like. */
function atOffer(
  state: ConversationState,
  step: Asking,
  isTypo: boolean,
  { intent }: Understood,
  context: Context,
): Decision | undefined {
  switch (intent) {
    case 'confirm':
      return decide(state, step, 'use', context);
    case 'decline':
      return decide(state, step, isTypo ? 'keep' : 'other', context);
    case 'keep':
      return decide(state, step, 'keep', context);
    case 'other':
    case 'edit':
      return decide(state, step, 'other', context);
    default:
      return undefined;
  }
}

/** No code: whoever was only changing it goes back to the summary. */
function leave(state: ConversationState, { flow }: Asking, context: Context): Decision {
  return state.draft.code === undefined ? cancel(state, context) : advance(state, flow, context);
}

function atSummary(
  state: ConversationState,
  flow: 'accumulate' | 'redeem',
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  switch (understood.intent) {
    case 'edit':
      return editNamed(state, flow, text, understood, context);
    case 'decline':
      return again(state, context, { key: 'confirm.edit' });
    case 'confirm':
    case 'retry':
      // Typed words spend nothing and add nothing: the button carries the operation's one-time id.
      return again(state, context, { key: 'confirm.press' });
    case 'redeem':
      return flow === 'redeem' ? changeGift(state, text, understood, context) : undefined;
    default:
      return undefined;
  }
}

function pickGift(
  state: ConversationState,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  if (giftNamed(text, understood, context) === undefined) return undefined;
  return take(state, 'redeem', answersTo('redeem', text, understood, context), context);
}

/** Another gift than the one at hand: the one that is named or, for "đổi quà khác", the list again. */
function changeGift(
  state: ConversationState,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const { intent, code, phone, email } = understood;
  if (intent !== undefined && intent !== 'redeem') return undefined;
  const named = giftNamed(text, understood, context);
  if (named !== undefined)
    return named === state.draft.code ? undefined : pickGift(state, text, understood, context);
  const isOther = intent === 'redeem' && (code ?? phone ?? email) === undefined;
  return isOther ? edit(state, 'redeem', 'code', context) : undefined;
}

/** Which history, of which period: both may be said at either question. */
function narrow(
  state: ConversationState,
  slot: 'type' | 'period',
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const { type, period, ...known } = answersTo('history', text, understood, context);
  const said = periodIn(understood, context);
  if (slot === 'period' && said === undefined) return undefined;
  if (type === undefined && period === undefined) return undefined;
  const named: Draft = { ...(type && { type }), ...(said && { period }) };
  const filled = fill(state, 'history', { ...known, ...named }, context);
  return said === undefined || said.ok ? filled : after([{ key: said.reason }], filled);
}

/** Dates typed at a page: the same list, or the other one, of that period. */
function leaf(
  state: ConversationState,
  step: Extract<Step, { at: 'browsing' }>,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const { intent, type, code, phone, email, period } = understood;
  if ((code ?? phone ?? email) !== undefined) return undefined;
  // "quà 1/8" is no wish for a gift; "đổi quà tháng này" may be one.
  if (intent !== undefined && (intent === 'history' || type === undefined || period !== undefined))
    return undefined;
  const said = periodIn(understood, context);
  if (said?.ok)
    return history.browse(
      state,
      { ...step.page, type: type ?? step.page.type, period: said.period },
      context,
    );
  return said && said.reason !== 'period.shape' ? again(state, context, { key: said.reason }) : undefined;
}

function editNamed(
  state: ConversationState,
  flow: 'accumulate' | 'redeem',
  text: string,
  understood: Understood,
  context: Context,
): Decision {
  const slots = answersTo(flow, text, understood, context);
  if (Object.keys(slots).length > 0) return fill(state, flow, slots, context);
  // What is proved cannot be typed anew, so only the gift can be changed.
  const isGift = understood.names === undefined || understood.names === 'code';
  const slot = flow === 'accumulate' ? understood.names : isGift ? 'code' : undefined;
  return slot ? edit(state, flow, slot, context) : again(state, context, { key: 'confirm.edit' });
}
