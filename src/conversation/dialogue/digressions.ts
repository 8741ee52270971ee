import type { Command, CommandOf, ValueFault } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { type About, KINDS, PROOF, same } from '../kinds.ts';
import {
  codeLine,
  giftOf,
  isProofAsked,
  isStaff,
  isTypingProof,
  leaveConsent,
  otherPhone,
  pickUpLines,
  provedIn,
  receiptLines,
  shown,
  whose,
} from '../prompts.ts';
import { type Choice, changeLast, choice, type Decision, type Line, type Reply, say } from '../reply.ts';
import { type Operation, type State, spokenOver, takenTicket } from '../state.ts';
import { retry } from './advance.ts';
import { personChoice, supportLines, supportReply } from './handover.ts';
import { confirmationOf, operationsOf, tooManyAttempts } from './operations.ts';
import { explainPeriod } from './pages.ts';
import { showLanguages, showPrivacy } from './privacy.ts';
import {
  continueFlow,
  type Digression,
  digress,
  findFlow,
  type MessageScope,
  offerPerson,
  type Progress,
  type Reduction,
  setSlots,
} from './progress.ts';
import { goHome, parseChoice, pointAtButton, toQuestion } from './questions.ts';

/*
 * What is answered beside the work: then the live question comes again, and nothing is lost.
 */

type Shown = CommandOf<'show'>['what'];

export function showPart(progress: Progress, what: Shown, scope: MessageScope): Reduction {
  const { state } = progress;
  switch (what) {
    case 'welcome':
      return welcome(leaveConsent(state, scope), scope);
    case 'menu':
      return goHome(leaveConsent(state, scope), scope, { key: 'menu' });
    case 'help':
      return digress(progress, { reply: help(state, scope) });
    case 'person':
      return { ...progress, next: { go: 'person' } };
    case 'offer':
      return mentionPerson(progress, { context: 'mentioned' }, scope);
    case 'complaint':
      return mentionPerson(progress, { context: 'complaint', why: 'complaint' }, scope);
    case 'privacy':
    case 'erasing':
      return showPrivacy(state, what === 'erasing', scope);
    case 'languages':
      return showLanguages(state, scope);
  }
}

/** Offers a person where staff answer; tells the contact elsewhere. */
function mentionPerson(
  progress: Progress,
  { context, why }: { readonly context: string; readonly why?: 'complaint' },
  scope: MessageScope,
): Progress {
  const offer = { key: 'person.offer', context, lines: supportLines(scope) };
  const reply = scope.settings.handover ? offer : supportReply(scope);
  return offerPerson(progress, { reply, ...(why && { why }) }, scope);
}

export function answerTalk(
  progress: Progress,
  about: CommandOf<'talk'>['about'],
  scope: MessageScope,
): Reduction {
  const { state } = progress;
  switch (about) {
    case 'greeting':
      return state.step.at === 'idle'
        ? welcome(state, scope)
        : digress(progress, { reply: { key: 'greet' } });
    case 'bye':
      return goHome(leaveConsent(state, scope), scope, { key: 'bye' });
    case 'upset':
      return offerPerson(
        progress,
        { reply: { key: 'upset', lines: supportLines(scope) }, why: 'complaint' },
        scope,
      );
    case 'remark':
      return progress;
    case 'thanks':
    case 'wait':
      return digress(progress, { reply: { key: about } });
  }
}

/** That no person answers, what can be done here, and how to reach a person. */
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

/** What the bot can do and who can help; while a person answers, only what is not for the person. */
function help(state: State, scope: Scope): Reply {
  if (takenTicket(state)) return { key: 'help', context: 'person' };
  const flows = scope.flows.all.map(({ name }) => ({ key: `help.${name}` }));
  return { key: 'help', lines: [...flows, { key: 'help.more' }, ...supportLines(scope)] };
}

/** Ends what was begun. What was proved for it needs no second proof, unless its customer wants nothing remembered. */
export function cancel(state: State, scope: Scope): Decision {
  if (state.step.at === 'idle') return goHome(state, scope, { key: 'cancel.nothing' });
  const isOver = state.consent?.given === false || isStaff(scope);
  const draft = isOver ? {} : provedIn(state.draft);
  return goHome({ ...state, step: { at: 'idle' }, draft }, scope, { key: 'cancel.done' });
}

/*
 * Questions.
 */

/** Answers that only the shop could complete: whom to ask goes with them, unless the operator has written the answer. */
const WITH_CONTACT: ReadonlySet<string> = new Set([
  'answer.gift.where',
  'answer.gift.refused',
  'answer.gift.return',
  'answer.points.missing',
  'answer.undo',
  'answer.hours',
]);

/** Answers a question, by the key of its answer: in the operator's words, or those of the wording. */
export function answer(state: State, key: string, scope: Scope): Digression {
  const id = key.slice('answer.'.length);
  const written = scope.answers.get(id);
  const computed = written ? undefined : computedAnswer(state, key, scope);
  const text = (key === 'answer.gift.where' && pickUpLine(state, scope)) || (written ?? computed ?? { key });
  const isOurs = 'key' in text && WITH_CONTACT.has(String(text.key));
  return {
    reply: { key: 'answer', params: { text }, lines: isOurs ? supportLines(scope) : [] },
    question: { answer: id },
  };
}

/** Answers that depend on what the bot knows of the customer. */
function computedAnswer(state: State, key: string, scope: Scope): Line | undefined {
  const last = state.operations.at(-1);
  switch (key) {
    case 'answer.undo':
      return last && { key, context: 'reference', params: { reference: confirmationOf(last.id) } };
    case 'answer.proof.why':
      return { key, context: whose(scope) };
    case 'answer.shop.phone': {
      const { supportContact: contact } = scope.settings;
      return contact ? { key, params: { contact } } : { key, context: 'none' };
    }
    case 'answer.gift.left':
      return pointsLeft(state, key, scope);
    case 'answer.wait.when': {
      const wait = tooManyAttempts(state, scope);
      return wait ? { key: wait.key, params: wait.params } : { key };
    }
    default:
      return undefined;
  }
}

/** The points that a redemption leaves, if they are known. */
function pointsLeft({ draft, operations }: State, key: string, scope: Scope): Line {
  const gift = giftOf(draft.code, scope);
  const points = draft.balance?.points ?? undefined;
  if (gift && points !== undefined) {
    const left = Math.max(points - gift.score, 0);
    const context = isStaff(scope) ? 'knownStaff' : 'known';
    return { key, context, params: { gift: gift.name, price: gift.score, points, left } };
  }
  const balance = operations.at(-1)?.receipt?.balance;
  return balance === undefined ? { key } : { key: 'receipt.balance', params: { points: balance } };
}

/** Where to get the gift at hand, or the last one that was redeemed, if the list of gifts tells. */
function pickUpLine({ draft, operations }: State, scope: Scope): Line | undefined {
  const redeemed = operations.findLast(({ status, gift }) => status === 'done' && gift !== undefined);
  const gift = giftOf(draft.code, scope) ?? giftOf(redeemed?.gift, scope);
  return gift && pickUpLines(gift)[0];
}

/** Explains the live question or, where nothing is asked, what can be done here. */
export function explain(state: State, scope: Scope): Digression {
  const about = aboutQuestion(state, scope);
  return about ? answer(state, about.what, scope) : { reply: help(state, scope) };
}

export function answerQuestion(
  progress: Progress,
  command: CommandOf<'ask'>,
  scope: MessageScope,
): Reduction {
  const { state } = progress;
  switch (command.about) {
    case 'what':
      return digress(progress, explain(state, scope));
    case 'wrong':
      return digress(progress, answer(state, wrongAbout(state, scope), scope));
    case 'gift': {
      const gift = giftOf(command.gift, scope);
      const params = gift && { gift: gift.name, score: gift.score };
      const text: Line = params ? { key: 'answer.gift.costs', params } : { key: 'answer.gift.price' };
      return digress(progress, {
        reply: { key: 'answer', params: { text } },
        question: { answer: 'gift.price' },
      });
    }
    case 'unknown':
      return answerUnknown(progress, scope);
    case 'answer': {
      if (!scope.answered.has(command.id)) return answerUnknown(progress, scope);
      const key = `answer.${command.id}`;
      const isProof = key === KINDS.phone.about.what && aboutQuestion(state, scope) === PROOF;
      return digress(progress, isProof ? explain(state, scope) : answer(state, key, scope));
    }
  }
}

/** A question that has no answer: a person is offered at once. */
function answerUnknown(progress: Progress, scope: MessageScope): Progress {
  const unknown: Reply = { key: 'unsure', context: 'question', lines: supportLines(scope) };
  const reply = isStuck(progress.state) ? sayStuck(scope) : unknown;
  return offerPerson(progress, { reply, question: {} }, scope);
}

const REFUSED: Readonly<Record<Operation['kind'], string>> = {
  accumulate: 'answer.code.wrong',
  redeem: 'answer.gift.refused',
};

/** The answer to "what is wrong?": where no value is asked for, why the last operation was refused. */
function wrongAbout(state: State, scope: Scope): string {
  const last = state.operations.at(-1);
  const isOver = state.step.at !== 'asking' && state.step.at !== 'confirming';
  const refused = isOver && last?.status === 'refused' ? REFUSED[last.kind] : undefined;
  return refused ?? aboutQuestion(state, scope)?.wrong ?? REFUSED.accumulate;
}

/** What explains the live question; undefined where nothing is asked, or the question says all there is to say. */
export function aboutQuestion(state: State, scope: Scope): About | undefined {
  const { step } = state;
  if (step.at === 'confirming') return same('answer.confirm.what');
  if (step.at === 'consenting')
    return same(otherPhone(state) === undefined ? 'answer.consent.what' : 'answer.consent.other');
  if (step.at !== 'asking') return undefined;
  if (step.offer?.why === 'typo') return KINDS.email.about;
  const isProof = scope.flows.get(step.flow)?.identity === 'proved' && isProofAsked(scope);
  return step.slot === 'phone' && isProof ? PROOF : KINDS[step.slot].about;
}

/** How an operation stands, by its reference or the last one; of several codes, each. */
export function showStatus(state: State, reference: string | undefined, scope: Scope): Reply {
  const all = operationsOf(state, reference);
  const [operation] = all;
  if (!operation) return { key: 'operation.none' };
  if (all.length === 1) return { ...statusLine(operation), lines: receiptLines(operation, scope) };
  const { id, kind, atMs: at } = operation;
  const params = { reference: confirmationOf(id), what: { key: `operation.kind.${kind}` }, at };
  return { key: 'operation.status', context: 'several', params, lines: all.map(codeLine) };
}

function statusLine({ id, kind, status, atMs: at }: Operation): Line {
  const params = { reference: id, what: { key: `operation.kind.${kind}` }, at };
  return { key: 'operation.status', context: shown(status), params };
}

/*
 * What was not understood.
 */

/** Not understood twice in a row: never answered by the same words. */
const isStuck = ({ misses = 0 }: State): boolean => misses > 0 && misses % 2 === 0;

/** That a person may help: one is offered where staff answer. */
const sayStuck = (scope: Scope): Reply => ({
  ...(scope.settings.handover ? { key: 'person.offer' } : { key: 'unsure', context: 'again' }),
  lines: supportLines(scope),
});

/** A command that means nothing here. */
export const notUnderstood = (progress: Progress, scope: MessageScope): Progress =>
  progress.next.go === 'advance' || progress.next.go === 'digress'
    ? progress
    : offerMeanings(progress, { do: 'unclear' }, scope);

type Unclear = CommandOf<'unclear'>;

/** Not understood; or understood as the value that is asked for, and wrong. */
export function answerUnclear(progress: Progress, command: Unclear, scope: MessageScope): Reduction {
  const { state, next } = progress;
  const { step } = state;
  const { wrong, script, maybe = [] } = command;
  if (script) return digress(progress, { reply: { key: 'language.unknown' } });
  if (wrong) return sayFault(progress, wrong, scope);
  if (next.go === 'advance' || next.go === 'digress') return progress;
  const isYes = maybe.some((meaning) => meaning.do === 'yes');
  if (step.at === 'consenting')
    return isYes ? progress : digress(progress, { reply: explain(state, scope).reply });
  const flow = step.at === 'confirming' ? scope.flows.get(step.flow) : undefined;
  if (isYes && flow) return pointAtButton(spokenOver(state), flow, scope);
  return offerMeanings(progress, command, scope);
}

/** Offers what the text may have meant, or a person; the second time in a row says something else, and whom to ask. */
function offerMeanings(progress: Progress, command: Unclear, scope: MessageScope): Progress {
  const { state } = progress;
  const choices = (command.maybe ?? []).flatMap((meaning) => buttonFor(meaning, state, scope) ?? []);
  const question = command.question ? { question: {} } : {};
  if (isStuck(state))
    return offerPerson(progress, { reply: { ...sayStuck(scope), choices }, ...question }, scope);
  const isSummary = state.step.at === 'confirming' && !command.question;
  const reply: Reply =
    choices.length > 0
      ? { key: 'unsure', context: 'maybe', choices }
      : isSummary
        ? { key: 'unsure.confirm' }
        : { key: 'unsure', lines: supportLines(scope) };
  return digress(progress, { reply, ...question });
}

/** The button that says the same as a command where the conversation is; undefined: none does. */
function buttonFor(command: Command, state: State, scope: Scope): Choice | undefined {
  const id = buttonOf(command, state, scope);
  if (id === undefined || parseChoice(id, state, scope).some((one) => one.do === 'expired')) return undefined;
  const live = toQuestion(state, scope).choices?.find((one) => one.id === id);
  const asked = command.do === 'ask' && command.about === 'answer' && scope.answered.get(command.id);
  return live ?? choice(id, asked ? { key: 'choice.answer', params: { question: asked } } : {});
}

function buttonOf(command: Command, { step }: State, { flows }: Scope): string | undefined {
  switch (command.do) {
    case 'start':
      return command.flow;
    case 'kind':
      return `${flows.all.find(({ slots }) => slots.includes('list'))?.name}:${command.of}`;
    case 'change':
      return `edit:${command.field}`;
    case 'none':
      return 'skip';
    case 'page':
      return String(command.to);
    case 'speak':
      return `language:${command.locale}`;
    case 'ask':
      return command.about === 'answer' ? `answer:${command.id}` : undefined;
    case 'show':
      return command.what === 'privacy' ? 'privacy' : undefined;
    case 'cancel':
      return step.at === 'idle' ? undefined : 'cancel';
    default:
      return undefined;
  }
}

/** Says what is wrong with a value: of an answer, and asks again; of a value that came along, and goes on. */
export function sayFault(progress: Progress, { kind, reason }: ValueFault, scope: MessageScope): Reduction {
  const { state, next } = progress;
  const { step } = state;
  const flow = findFlow(progress, scope);
  const reply: Reply = kind === 'period' ? explainPeriod(reason, scope) : { key: reason };
  const isNew = next.go === 'advance' && scope.before.step !== step;
  // Staff name a customer by either.
  const isEither =
    kind === 'email' && flow?.identity === 'proved' && step.at === 'asking' && step.slot === 'phone';
  if (step.at === 'asking' && flow && !isNew && (step.slot === kind || isEither)) {
    // Where only sharing proves, nothing typed is wrong or right.
    const isProof = step.slot === 'phone' && flow.identity === 'proved' && !isTypingProof(scope);
    return retry(state, scope, isProof ? undefined : reply);
  }
  if (step.at === 'browsing' && kind === 'period' && !flow)
    return say(state, { ...toQuestion(state, scope), ...reply });
  const told = { ...progress, said: [...progress.said, reply] };
  if (kind === 'period' && flow?.slots.includes('period'))
    return continueFlow(setSlots(told, { period: null }, scope), flow, { noted: undefined });
  return flow ? continueFlow(told, flow) : digress(progress, { reply });
}
