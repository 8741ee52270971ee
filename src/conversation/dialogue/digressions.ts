import type { Command, CommandOf, ValueFault } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { isForShop } from '../language/table.ts';
import { LOCALES } from '../message.ts';
import { findGift, pickUpLines } from '../prompts/gifts.ts';
import { isProofAsked, isStaff, isTypingProof, pickProved, pickVariant } from '../prompts/identity.ts';
import { codeLine, giftCodeLines, receiptLines, toShownStatus } from '../prompts/receipts.ts';
import { CANCEL, type Choice, changeLast, choice, type Decision, type Line, type Reply } from '../reply.ts';
import { type AnswerKeys, MOST_CODES, SLOTS, toExamplePeriod } from '../slots.ts';
import { findTakenTicket, forgetLast, localeOf, type State } from '../state.ts';
import { retry } from './advance.ts';
import { findDoubtedSlot } from './doubts.ts';
import { describeSeveral, describeWait, findFollowUp } from './follow-ups.ts';
import { answerGiftTopic } from './gift-topics.ts';
import { personChoice, personLines, supportLines, supportReply } from './handover.ts';
import { findOperations, sayTooManyAttempts, toConfirmationId } from './operations.ts';
import { describePrivacy } from './privacy.ts';
import { CONSENT_CHOICES, goHome, pointAtButton } from './questions.ts';
import {
  type Digression,
  digress,
  findFlow,
  offerPerson,
  type Reduction,
  type Round,
  setSlots,
} from './round.ts';

/*
 * Replies that leave the flow as it is: the current question comes again, and no value is lost.
 */

type Shown = CommandOf<'show'>['what'];

export function showPart(round: Round, what: Shown): Reduction {
  const { state, scope } = round;
  switch (what) {
    case 'welcome':
      return welcome(state, scope);
    case 'menu':
      return goHome(state, scope, { key: 'menu' });
    case 'help':
      return digress(round, help(state, scope));
    case 'person':
      return { ...round, person: true };
    case 'offer':
    case 'complaint': {
      const context = what === 'offer' ? 'mentioned' : what;
      const several = what === 'complaint' ? describeSeveral(scope.before, scope) : [];
      const offer = { key: 'person.offer', context, lines: [...several, ...supportLines(scope)] };
      const reply = scope.settings.handover ? offer : supportReply(scope);
      return offerPerson(round, reply, what === 'offer' ? 'asked' : what);
    }
    case 'privacy':
    case 'erasing':
      return digress(round, describePrivacy(state, scope));
    case 'languages':
      return digress(round, { key: 'language.ask', choices: LANGUAGES });
  }
}

const LANGUAGES = LOCALES.map((locale) => choice(`language:${locale}`));

export function answerTalk(round: Round, about: CommandOf<'talk'>['about']): Reduction {
  const { state, scope } = round;
  switch (about) {
    case 'greeting':
      return state.step.at === 'idle' ? welcome(state, scope) : digress(round, { key: 'greet' });
    case 'bye':
      return goHome(state, scope, { key: 'bye' });
    case 'upset':
      return offerPerson(round, { key: 'upset', lines: supportLines(scope) }, 'complaint');
    case 'remark':
      return tellChecking(round) ?? round;
    case 'unsure':
      return helpDecide(round);
    case 'later':
      return cancel(state, scope, { key: 'later' });
    case 'wait':
      return tellChecking(round) ?? digress(round, { key: about });
    case 'thanks':
    case 'listen':
    case 'glad':
    case 'chat':
    case 'sorry':
      return digress(round, { key: about });
  }
}

/** Helps a customer who cannot decide: shows the gifts again, or explains any other question. */
function helpDecide(round: Round): Reduction {
  const { step } = round.state;
  if (step.at !== 'asking') return digress(round, { key: 'wait' });
  return step.slot === 'gift' ? digress(round, { key: 'gift.unsure' }) : explainStep(round);
}

function welcome(state: State, scope: Scope): Decision {
  const contact = scope.settings.supportContact;
  const who: Line =
    contact && !scope.settings.handover
      ? { key: 'welcome.assistant', params: { contact } }
      : { key: 'welcome.assistant', context: 'none' };
  const welcomed = goHome(state, scope, { key: 'welcome', lines: [who] });
  const { choices = [] } = welcomed.replies.at(-1) ?? {};
  return changeLast(welcomed, { choices: [...choices, ...personChoice(scope)] });
}

function help(state: State, scope: Scope): Reply {
  if (findTakenTicket(state)) return { key: 'help', context: 'person' };
  const flows = scope.flows.all.map(({ name }) => ({ key: `help.${name}` }));
  return { key: 'help', lines: [...flows, { key: 'help.more' }, ...supportLines(scope)] };
}

/**
 * Ends the flow. A proved identifier stays for the next one, unless the customer declined to be remembered.
 */
export function cancel(state: State, scope: Scope, reply: Reply = { key: 'cancel.done' }): Decision {
  if (state.step.at === 'idle') return goHome(state, scope, { key: 'cancel.nothing' });
  const isOver = state.consent?.given === false || isStaff(scope);
  if (isOver) return goHome(state, scope, reply);
  const idle: State = { ...state, step: { at: 'idle' }, draft: pickProved(state.draft, scope) };
  return goHome(idle, scope, reply);
}

/** Right after a code was refused, vague words are about that. Undefined: none was, or it was explained. */
function explainRefusal(round: Round): Round | undefined {
  const { state, scope } = round;
  const isAsked = state.step.at === 'asking' && state.step.slot === 'codes' && !state.step.offer;
  if (!isAsked || scope.before.lastEvent !== 'codeRefused' || (scope.before.misses ?? 0) > 0)
    return undefined;
  return offerPerson(round, answer(state, { key: 'answer.code.wrong' }, scope));
}

/** While the result of a call is unknown, it is what vague words are about. Undefined: nothing is unknown. */
function tellChecking(round: Round): Round | undefined {
  const { step, operations } = round.state;
  const isOpen = step.at === 'asking' || step.at === 'confirming';
  if (isOpen || operations.at(-1)?.status !== 'checking') return undefined;
  const text = { key: 'last.checking' };
  return digress(round, { key: 'answer', params: { text }, choices: [...personChoice(round.scope)] });
}

/** Answers of ours that only the shop can complete, like those to its own questions (`isForShop`). */
const COMPLETED_BY_SHOP = [
  'account.who',
  'ads',
  'code.lost',
  'code.receipt',
  'code.used',
  'code.where',
  'code.wrong',
  'gift.bring',
  'gift.refused',
  'gift.return',
  'gift.where',
  'history.failed',
  'hours',
  'points.fair',
  'points.missing',
  'proof.button',
  'safe',
  'undo',
];

type AnswerRequest = { readonly key: string; readonly gift?: string | undefined };

/** The answer with this key, in the operator's words or ours. */
export function answer(state: State, request: AnswerRequest, scope: Scope): Digression {
  const { key } = request;
  const id = key.slice('answer.'.length);
  const written = scope.answers.get(id);
  const topic = written ? undefined : answerGiftTopic(request, state, scope);
  if (topic) return { key: 'answer', ...topic, question: { answer: id } };
  const computed = written ? undefined : computeAnswer(state, key, scope);
  const text = (key === 'answer.gift.where' && pickUpLine(state, scope)) || (written ?? computed ?? { key });
  const isOurs = 'key' in text && text.key === key;
  const reply = { key: 'answer', params: { text }, question: { answer: id } };
  if (isOurs && isForShop(id)) return { ...reply, ...askPerson(state, key, scope), question: {} };
  if (isOurs && COMPLETED_BY_SHOP.includes(id)) return { ...reply, ...askPerson(state, key, scope) };
  const isOfConsent = id === 'consent.what' && state.consentQuestion?.open !== undefined;
  return isOfConsent ? { ...reply, choices: CONSENT_CHOICES } : reply;
}

/** The way to a person, with what the bot knows itself: the pick-up place. */
function askPerson(state: State, key: string, scope: Scope): Required<Pick<Digression, 'lines' | 'choices'>> {
  const known = key === 'answer.gift.delivery' ? pickUpLine(state, scope) : undefined;
  return { lines: [...(known ? [known] : []), ...personLines(scope)], choices: [...personChoice(scope)] };
}

function computeAnswer(state: State, key: string, scope: Scope): Line | undefined {
  const last = state.operations.at(-1);
  switch (key) {
    case 'answer.undo':
      return last && { key, context: 'reference', params: { reference: toConfirmationId(last.id) } };
    case 'answer.gift.bring':
      return last?.gift === undefined
        ? undefined
        : { key, context: 'reference', params: { reference: toConfirmationId(last.id) } };
    case 'answer.code.many':
      return { key, params: { most: MOST_CODES } };
    case 'answer.code.where':
      return isCodeAsked(state) ? { key: 'answer.proof.missing' } : undefined;
    case 'answer.proof.why':
      return { key, context: pickVariant(scope) };
    case 'answer.shop.phone': {
      const { supportContact: contact } = scope.settings;
      return contact ? { key, params: { contact } } : { key, context: 'none' };
    }
    case 'answer.wait.when':
      return sayTooManyAttempts(state, scope) ?? { key, context: state.guesses ? undefined : 'none' };
    default:
      return undefined;
  }
}

/** "Where is the code?" is about the one-time code while that is asked for. */
const isCodeAsked = ({ step }: State): boolean => step.at === 'asking' && step.slot === 'proof';

function pickUpLine({ draft, operations }: State, scope: Scope): Line | undefined {
  const redeemed = operations.findLast(({ status, gift }) => status === 'done' && gift !== undefined);
  const gift = findGift(draft.gift, scope) ?? findGift(redeemed?.gift, scope);
  return gift && pickUpLines(gift)[0];
}

/** Explains the current question, though the customer asked nothing. */
export const explainStep = (round: Round): Round =>
  digress(round, { ...explain(round.state, round.scope), question: undefined });

/** Explains the current question, or else what the bot can do. */
function explain(state: State, scope: Scope): Digression {
  const about = describeQuestion(state, scope);
  if (!about) return help(state, scope);
  return answer(state, { key: about.what }, scope);
}

export function answerQuestion(round: Round, command: CommandOf<'ask'>): Reduction {
  const { state, scope } = round;
  const followUp = answerFollowUp(round, command);
  if (followUp) return followUp;
  switch (command.about) {
    case 'what':
      return digress(round, explain(state, scope));
    case 'wrong':
      return digress(round, answer(state, { key: explainWrong(state, scope) }, scope));
    case 'unknown':
      return offerMeanings(round, { do: 'unclear', question: true });
    case 'answer': {
      if (!scope.questionTexts.has(command.id))
        return offerMeanings(round, { do: 'unclear', question: true });
      const key = `answer.${command.id}`;
      const isProof = key === SLOTS.phone.about.what && describeQuestion(state, scope) === PROOF;
      return digress(
        round,
        isProof ? explain(state, scope) : answer(state, { key, gift: command.gift }, scope),
      );
    }
  }
}

/** Answers a question about what happened last; undefined: it is about something else. */
export function answerFollowUp(round: Round, command: CommandOf<'ask' | 'status'>): Round | undefined {
  const { state, scope } = round;
  const reply = findFollowUp(command, scope.before, scope);
  if (!reply) return undefined;
  if (reply.key.startsWith('answer.')) return digress(round, answer(state, { key: reply.key }, scope));
  const { key, params, ...rest } = reply;
  const question = command.do === 'ask' && command.about === 'answer' ? { answer: command.id } : undefined;
  return digress(round, { ...rest, key: 'answer', params: { text: { key, params } }, question });
}

function explainWrong(state: State, scope: Scope): string {
  const { what, wrong = what } = describeQuestion(state, scope) ?? { what: 'answer.code.wrong' };
  return wrong;
}

const PROOF: AnswerKeys = { what: 'answer.proof.why' };

function describeQuestion(state: State, scope: Scope): AnswerKeys | undefined {
  const { step, consentQuestion } = state;
  if (step.at === 'confirming') return { what: 'answer.confirm.what' };
  if (step.at === 'idle' && consentQuestion?.open?.isLast) return { what: 'answer.consent.what' };
  if (step.at !== 'asking') return undefined;
  if (step.offer) return SLOTS[findDoubtedSlot(step.offer)].about;
  const isProof = scope.flows.get(step.flow)?.identity === 'proved' && isProofAsked(scope);
  return step.slot === 'phone' && isProof ? PROOF : SLOTS[step.slot].about;
}

/** How the operation of a reference stands. */
export function showStatus(state: State, named: string | undefined, scope: Scope): Reply {
  const all = findOperations(state, named);
  const [operation] = all;
  if (!operation) return { key: 'operation.none' };
  const { id, kind, status, atMs: at } = operation;
  const isOne = all.length === 1;
  const wait = all.some((operation) => operation.status === 'checking') ? [describeWait(state, scope)] : [];
  const reference = isOne ? id : toConfirmationId(id);
  return {
    key: 'operation.status',
    context: isOne ? toShownStatus(status) : 'several',
    params: { reference, what: { key: `operation.kind.${kind}` }, at },
    lines: [
      ...(isOne ? receiptLines(operation, scope) : all.map(codeLine)),
      ...wait,
      ...(isOne ? giftCodeLines(operation, scope) : []),
    ],
  };
}

/** Two messages in a row were not understood: the reply must differ. */
const isStuck = ({ misses = 0 }: State): boolean => misses > 0 && misses % 2 === 0;

/** The command has no meaning here. */
export const sayNotUnderstood = (round: Round): Round =>
  isAnswered(round) ? round : offerMeanings(round, { do: 'unclear' });

const isAnswered = ({ flow, digression }: Round): boolean => (flow ?? digression) !== undefined;

type Unclear = CommandOf<'unclear'>;

/** Answers a text that was not understood. */
export function answerUnclear(round: Round, command: Unclear): Reduction {
  const { state, scope } = round;
  const { at } = state.step;
  const { wrong, script, likely = [] } = command;
  if (script) return digress(round, { key: 'language.unknown' });
  if (wrong) return sayFault(round, wrong);
  if (isAnswered(round)) return round;
  const isYes = likely.some((meaning) => meaning.do === 'yes');
  if (isYes && at === 'confirming') return pointAtButton(forgetLast(state), scope);
  return presumeAnswer(round, command) ?? offerMeanings(round, command);
}

/** Answers the question that is likeliest, and says which one. Its first buttons are the other meanings. */
function presumeAnswer(round: Round, { likely = [], presumed }: Unclear): Reduction | undefined {
  const { state, scope } = round;
  const [likeliest, ...others] = likely;
  if (!presumed || likeliest?.do !== 'ask' || likeliest.about !== 'answer') return undefined;
  const question = scope.questionTexts.get(likeliest.id);
  const answered = answerQuestion(round, likeliest);
  const digression = 'replies' in answered ? undefined : answered.digression;
  const { text } = (digression?.key === 'answer' && digression.params) || {};
  if ('replies' in answered || !digression || question === undefined || text === undefined) return answered;
  const { choices: own = [] } = digression;
  const first = withPerson(meaningChoices(others, state, scope), scope).slice(0, MAX_MEANINGS);
  const ids = new Set(first.map(({ id }) => id));
  const presumedAnswer: Digression = {
    ...digression,
    key: 'unsure',
    context: 'presumed',
    params: { question, text },
    choices: [...first, ...own.filter(({ id }) => !ids.has(id))],
  };
  return { ...answered, digression: presumedAnswer };
}

/** Buttons of a text that was not understood: the likeliest meanings, a person if there is room. */
const MAX_MEANINGS = 3;

/** What a text may have meant, as buttons, or else the way to a person. */
function offerMeanings(round: Round, { likely = [], question: isQuestion }: Unclear): Round {
  const { state, scope } = round;
  const lines = supportLines(scope);
  const question = isQuestion && {};
  const choices = meaningChoices(likely, state, scope);
  const answered = tellChecking(round) ?? explainRefusal(round);
  if (answered) return answered;
  if (isStuck(state)) {
    const stuck = scope.settings.handover ? { key: 'person.offer' } : { key: 'unsure', context: 'again' };
    return offerPerson(round, { ...stuck, lines, choices, question });
  }
  const context = choices.length > 0 ? 'maybe' : isQuestion ? 'question' : undefined;
  if (!context && state.step.at === 'confirming') return digress(round, { key: 'unsure.confirm' });
  const offered = withPerson(choices, scope).slice(0, MAX_MEANINGS);
  const helpLines = choices.length > 0 ? [] : isQuestion ? personLines(scope) : lines;
  const isAsked = !context && state.step.at === 'asking';
  return digress(round, {
    key: 'unsure',
    context: isAsked ? 'asking' : context,
    lines: helpLines,
    choices: offered,
    question,
  });
}

/** The buttons of meanings, each once. */
function meaningChoices(likely: readonly Command[], state: State, scope: Scope): Choice[] {
  const buttons = new Map(
    likely.flatMap((meaning) => {
      const button = buttonFor(meaning, state, scope);
      return button ? [[button.id, button]] : [];
    }),
  );
  return [...buttons.values()].slice(0, MAX_MEANINGS);
}

function withPerson(choices: Choice[], scope: Scope): Choice[] {
  return choices.some(({ id }) => id === 'person') ? choices : [...choices, ...personChoice(scope)];
}

/** Who may mean one of these is offered a person. */
const PERSONAL: ReadonlySet<CommandOf<'show'>['what']> = new Set(['person', 'offer', 'complaint']);

/** The button that says the same as a meaning; undefined: none is ever offered for it. */
function buttonFor(meaning: Command, state: State, scope: Scope): Choice | undefined {
  const { step } = state;
  const { sender, settings } = scope;
  switch (meaning.do) {
    case 'start':
      return choice(meaning.flow);
    case 'speak':
      // The bot speaks that language already.
      if (localeOf(state, sender, settings.defaultLocale) === meaning.locale) return undefined;
      return choice(`language:${meaning.locale}`);
    case 'show':
      if (meaning.what === 'privacy') return choice(meaning.what);
      return PERSONAL.has(meaning.what) ? personChoice(scope)[0] : undefined;
    case 'cancel':
      return step.at === 'idle' ? undefined : CANCEL;
    case 'ask': {
      if (meaning.about !== 'answer') return undefined;
      const question = scope.questionTexts.get(meaning.id);
      return question && choice(`answer:${meaning.id}`, { key: 'choice.answer', params: { question } });
    }
    default:
      return undefined;
  }
}

/** Says why a value was refused, and asks again. */
export function sayFault(round: Round, { kind, reason }: ValueFault): Reduction {
  const { state, scope } = round;
  const { step } = state;
  const flow = findFlow(round);
  const reply: Reply = { key: reason, params: kind === 'period' ? toExamplePeriod(scope) : undefined };
  const isNew = round.flow !== undefined && scope.before.step !== step;
  if (step.at === 'asking' && flow && !isNew && step.slot === kind) {
    // If only sharing proves the phone, a typed value is neither right nor wrong.
    const isProof = step.slot === 'phone' && flow.identity === 'proved' && !isTypingProof(scope);
    return retry(state, scope, isProof ? undefined : reply);
  }
  const warned = { ...round, remarks: [...round.remarks, reply] };
  if (kind === 'period' && flow?.slots.includes('period')) return setSlots(warned, { period: null });
  return flow ? { ...warned, flow } : digress(round, reply);
}
