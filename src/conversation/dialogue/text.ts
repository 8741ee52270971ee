import type { Context } from '../context.ts';
import { after, type Decision } from '../decision.ts';
import { type Understood, understand } from '../language/understand.ts';
import { proved, typed } from '../prompts/identity.ts';
import { again, home, question } from '../prompts/questions.ts';
import {
  cancel,
  forget,
  help,
  language,
  privacy,
  support,
  supportLines,
  unanswered,
  welcome,
} from '../prompts/settings.ts';
import type { ConversationState, Flow, Step } from '../state.ts';
import { onChoice } from './choices.ts';
import { onStart } from './deep-link.ts';
import { answer, fill, flowOf, type Offer, offer, start, take } from './form.ts';
import { atStep } from './live-question.ts';
import { status } from './operations.ts';
import { answersTo, giftWished, identityIn, periodIn, slotsFor } from './values.ts';

/** A typed message: an answer to the live question, a command, values for a flow, or something to be kindly unsure of. */
export function onText(state: ConversationState, text: string, context: Context): Decision {
  const understood = withWish(understand(text), text, context);
  return (
    byNumber(state, text, context) ??
    byReference(state, understood, context) ??
    atStep(state, text, understood, context) ??
    byIntent(state, text, understood, context) ??
    byValues(state, text, understood, context) ??
    atQuestion(state, text, understood, context) ??
    unsure(unanswered(state, context), understood, context)
  );
}

/** The list of gifts tells "đổi loa" from other talk. */
function withWish(understood: Understood, text: string, context: Context): Understood {
  const isWish = understood.intent === undefined && giftWished(text, understood, context) !== undefined;
  return isWish ? { ...understood, intent: 'redeem' } : understood;
}

/** "2" picks the second choice of the live question; never a confirmation, which takes the button's one-time id. */
function byNumber(state: ConversationState, text: string, context: Context): Decision | undefined {
  // A page has other buttons, and "2" might mean a page.
  if (!/^\s*\d{1,2}\s*$/.test(text) || state.step.at === 'browsing') return undefined;
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
      return help(stored, context);
    case 'support':
      return support(stored, context);
    case 'cancel':
      return cancel(state, context);
    case 'start':
      return onStart(state, understood.code, context);
    case 'menu':
      return home(state, context, { key: 'menu' });
    case 'privacy':
      return privacy(state, context);
    case 'forget':
      return forget(state, context);
    case 'greet':
      return flowOf(state.step) ? again(state, context, { key: 'greet' }) : welcome(state, context);
    case 'bye':
      return home(state, context, { key: 'bye' });
    case 'thanks':
      return flowOf(state.step)
        ? again(state, context, { key: 'thanks' })
        : home(state, context, { key: 'thanks' });
    case 'retry':
      return again(state, context);
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
  const slots = slotsFor(flow, text, understood, context);
  const begun = doubtful(start(state, flow, slots, context), understood, context);
  if (flow === 'redeem' && understood.code !== undefined && slots.code === undefined)
    return after([{ key: 'gift.unknown' }], begun);
  const period = flow === 'history' ? periodIn(understood, context) : undefined;
  return period === undefined || period.ok ? begun : after([{ key: period.reason }], begun);
}

/** Values without a command: for the flow at hand; without one, a code begins earning its points. */
function byValues(
  state: ConversationState,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  const flow = flowOf(state.step);
  if (flow !== undefined) return inFlow(state, flow, text, understood, context);
  if (understood.code === undefined) return keep(unanswered(state, context), understood, context);
  const isGift = context.settings.gifts.some(({ code }) => code === understood.code);
  return begin(unanswered(state, context), isGift ? 'redeem' : 'accumulate', text, understood, context);
}

/** Only what is new counts: a code that is there already answers nothing. */
function inFlow(
  state: ConversationState,
  flow: Flow,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  if (flow !== 'accumulate' && state.step.at !== 'asking') return undefined;
  if (isSlip(state, understood)) return undefined;
  const slots = answersTo(flow, text, understood, context);
  if (Object.values(slots).some((value) => value !== undefined && value !== state.draft.code))
    return doubtful(take(state, flow, slots, context), understood, context);
  const isDoubt =
    flow === 'accumulate' ? hasIdentity(understood) : doubt(state.step, understood, context) !== undefined;
  return isDoubt ? doubtful(fill(state, flow, {}, context), understood, context) : undefined;
}

/** A mistyped phone or e-mail may look like a code: alone and uncalled for, it takes no code's place. */
function isSlip({ step, draft }: ConversationState, understood: Understood): boolean {
  const isAsked = step.at === 'asking' && (step.slot === 'phone' || step.slot === 'email');
  return (
    isAsked &&
    draft.code !== undefined &&
    understood.code !== undefined &&
    understood.names !== 'code' &&
    !hasIdentity(understood)
  );
}

function hasIdentity({ phone, email }: Understood): boolean {
  return (phone ?? email) !== undefined;
}

/** A phone or an e-mail out of the blue: kept for the flow that follows; it ends with it, or after half an hour. */
function keep(state: ConversationState, understood: Understood, context: Context): Decision | undefined {
  if (understood.mangled || !hasIdentity(understood)) return undefined;
  const draft = identityIn(understood, context);
  const menu = home(state, context, { key: 'unsure', context: 'identity' });
  // A page that is shown can still be turned, unless staff named another customer: it would be taken for theirs.
  const stays = state.step.at === 'browsing' && proved(draft) === undefined;
  return { ...menu, state: { ...menu.state, draft, ...(stays && { step: state.step }) } };
}

/** Where the next question is the slot that a doubtful value was given for, asks about that value. */
function doubtful(decision: Decision, understood: Understood, context: Context): Decision {
  const { step } = decision.state;
  if (understood.mangled) return after([{ key: `${understood.mangled}.vietnamese` }], decision);
  const offered = doubt(step, understood, context);
  if (step.at !== 'asking' || offered === undefined) return decision;
  return after(decision.replies.slice(0, -1), offer(decision.state, step, offered, context));
}

/** What to ask about at this question; where typing proves nothing, nothing is asked. */
function doubt(step: Step, understood: Understood, context: Context): Offer | undefined {
  if (step.at !== 'asking') return undefined;
  const isProof = step.slot === 'phone' && step.flow !== 'accumulate';
  if (isProof && !typed('', context).proved) return undefined;
  const { phone, phoneAsk, email, emailSuggestion } = understood;
  if (step.slot === 'phone' && phone !== undefined && phoneAsk) return { why: phoneAsk, value: phone };
  if ((step.slot === 'email' || isProof) && email !== undefined && emailSuggestion)
    return { why: 'typo', value: emailSuggestion, typed: email };
  return undefined;
}

/** No command and no value: the answer, right or wrong, to the live question. */
function atQuestion(
  state: ConversationState,
  text: string,
  understood: Understood,
  context: Context,
): Decision | undefined {
  switch (state.step.at) {
    case 'asking':
      return answer(state, state.step, text, understood, context);
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
