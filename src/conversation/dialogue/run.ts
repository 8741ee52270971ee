import type { Command, CommandOf } from '../commands.ts';
import { confirmsIn, type Scope } from '../flow.ts';
import { KINDS, missing, PROOF, slotCalled } from '../kinds.ts';
import { isStaff, leaveConsent, typed } from '../prompts.ts';
import { changeLast, type Decision, type Reply, say, sayFirst } from '../reply.ts';
import { type Confirming, type Offer, type State, spokenOver, withoutOffer } from '../state.ts';
import { advance, askPlainly, runningFlow } from './advance.ts';
import { beginCalls } from './calls.ts';
import { changeCodes, decideCode, listCodes } from './codes.ts';
import {
  aboutQuestion,
  answer,
  answerQuestion,
  answerTalk,
  answerUnclear,
  cancel,
  explain,
  notUnderstood,
  showPart,
  showStatus,
} from './digressions.ts';
import { callPerson } from './handover.ts';
import { isInterrupted } from './operations.ts';
import { turnPage } from './pages.ts';
import { answerConsent, forget } from './privacy.ts';
import {
  type Advance,
  continueFlow,
  digress,
  findFlow,
  type MessageScope,
  type Progress,
  type Reduction,
  setSlots,
} from './progress.ts';
import {
  addMenu,
  askAgain,
  goHome,
  parseChoice,
  pointAtButton,
  pose,
  remark,
  slotStep,
} from './questions.ts';
import { serveNext, setGift, setGifts, setHistory, setIdentity, startFlow } from './slots.ts';

/*
 * The dialogue: applies the commands of a message, each once, in order; then one question stands.
 */

/** Applies commands. `isForm`: they are of several fields, of which nothing is told but what is wrong. */
export function run(
  before: State,
  given: readonly Command[],
  scope: Scope & Pick<MessageScope, 'isForm'>,
): Decision {
  const commands = given.flatMap((command) =>
    command.do === 'pick' ? pickChoice(before, command.choice, scope) : command,
  );
  const messageScope: MessageScope = { ...scope, before, commands };
  const { offered: _, ...counted } = countMisses(before, commands);
  const first: Progress = { ...serveNext(counted, commands, scope), next: { go: 'again' } };
  const flow = scope.isForm ? runningFlow(first.state, scope) : undefined;
  let progress = flow ? continueFlow(first, flow) : first;
  for (const command of commands) {
    const reduction = reduce(progress, command, messageScope);
    if ('replies' in reduction) return sayFirst(progress.said, reduction);
    progress = reduction;
  }
  return finish(progress, messageScope);
}

/** A button, by its number or its words: its commands, except those that only a press gives. */
function pickChoice(state: State, choice: string, scope: Scope): readonly Command[] {
  const commands = parseChoice(choice, state, scope);
  // A text that was written before the question whether to remember was shown agrees to nothing.
  const isPress = commands.some(
    (command) =>
      command.do === 'confirm' || command.do === 'forget' || (command.do === 'consent' && !scope.current),
  );
  return isPress ? [] : commands;
}

/** Counts the messages in a row that were not understood. A text that nearly was a yes was understood. */
function countMisses({ misses = 0, notUnderstood, ...state }: State, commands: readonly Command[]): State {
  const isMiss = commands.some((command) => {
    if (command.do === 'ask') return command.about === 'unknown';
    if (command.do !== 'unclear' || command.wrong || command.script) return false;
    return !command.maybe?.some((meaning) => meaning.do === 'yes');
  });
  return isMiss ? { ...state, misses: misses + 1, ...(notUnderstood && { notUnderstood }) } : state;
}

function reduce(progress: Progress, command: Command, scope: MessageScope): Reduction {
  switch (command.do) {
    case 'start':
      return startFlow(progress, command, scope);
    case 'set':
      return command.slot === 'gift'
        ? setGift(progress, command, scope)
        : setIdentity(progress, command, scope);
    case 'among':
      return setGifts(progress, command, scope);
    case 'period':
    case 'kind':
      return setHistory(progress, command, scope);
    case 'add':
    case 'remove':
    case 'keepOnly':
    case 'replace':
      return changeCodes(progress, command, scope);
    case 'change':
      return changeSlot(progress, command, scope);
    case 'none':
      return declineSlot(progress, command, scope);
    case 'yes':
      return agree(progress, scope);
    case 'no':
      return refuse(progress, command, scope);
    case 'use':
    case 'keep':
    case 'other':
      return decideDoubt(progress, command.do, scope);
    case 'cancel':
      return stop(progress, command, scope);
    case 'page':
      return turnPage(progress.state, command.to, scope) ?? answerNoPage(progress, command, scope);
    case 'pick':
      return progress;
    case 'ask':
      return answerQuestion(progress, command, scope);
    case 'show':
      return showPart(progress, command.what, scope);
    case 'status':
      return digress(progress, { reply: showStatus(progress.state, command.reference, scope) });
    case 'speak':
      return speak(progress, command);
    case 'talk':
      return answerTalk(progress, command.about, scope);
    case 'unclear':
      return answerUnclear(progress, command, scope);
    case 'confirm':
      return confirm(progress.state, command.operation, scope);
    case 'consent':
      return answerConsent(progress.state, command.given, scope);
    case 'forget':
      return forget(leaveConsent(progress.state, scope), scope);
    case 'expired':
      return sayExpired(progress.state, scope);
  }
}

/** No page is shown. */
const answerNoPage = (progress: Progress, { to }: CommandOf<'page'>, scope: MessageScope): Progress =>
  to === 'same' ? progress : notUnderstood(progress, scope);

const speak = (progress: Progress, { locale }: CommandOf<'speak'>): Progress =>
  digress({ ...progress, state: { ...progress.state, locale } }, { reply: { key: 'language.done' } });

function confirm(state: State, operation: string, scope: Scope): Decision {
  const isLive = state.step.at === 'confirming' && state.step.operation === operation;
  return isLive ? beginCalls(state, scope) : sayExpired(state, scope);
}

/** A press or a form of a question that is over: nothing is changed. */
function sayExpired(state: State, scope: Scope): Decision {
  const reply: Reply = { key: 'choice.expired', notice: true };
  const isIdle = state.step.at === 'idle' && state.view !== undefined;
  return say(state, isIdle ? addMenu(state, reply, scope) : reply);
}

/** What stands once all commands were applied. */
function finish({ state, said, next }: Progress, scope: MessageScope): Decision {
  switch (next.go) {
    case 'person':
      return callOffered(state, scope);
    case 'advance':
      return finishAdvance({ state, said, next }, scope);
    case 'digress': {
      const { reply, question } = next.digression;
      const decision = sayFirst(said, remark(state, scope, reply));
      // Why sharing is needed is said once.
      const isSaid = reply.key === 'answer' && aboutQuestion(state, scope) === PROOF;
      return { ...(isSaid ? changeLast(decision, { context: 'again' }) : decision), question };
    }
    case 'keep':
      return askWhatFor(state, scope);
    case 'again':
      return askAgain(state, scope, ...said);
  }
}

/** A ticket tells what led to the offer of it, and what was not understood. */
function callOffered(state: State, scope: MessageScope): Decision {
  const { offered, notUnderstood } = scope.before;
  const reason = offered?.why ?? 'asked';
  return callPerson(
    { ...state, ...(notUnderstood && { notUnderstood }) },
    { reason, led: offered?.led },
    scope,
  );
}

type Advancing = Progress & { readonly next: Advance };

function finishAdvance({ state, said, next }: Advancing, scope: MessageScope): Decision {
  const { flow, doubt, noted, digression } = next;
  const { choices: _, ...told } = digression?.reply ?? { key: '' };
  const before = digression ? [...said, told] : said;
  if (!scope.isForm) {
    const decision = sayFirst(before, advance(state, { flow, doubt }, scope));
    return {
      ...(noted && !digression ? tellNoted(decision, noted, scope) : decision),
      question: digression?.question,
    };
  }
  // A form comes again, with what is doubtful in it, as long as something is missing.
  const lacking = missing(flow, state.draft);
  const isAsked = lacking === undefined || lacking === doubt?.slot;
  return sayFirst(before, advance(state, { flow, doubt: isAsked ? doubt : undefined }, scope));
}

/** Says before the question which codes were noted, or that a value was, where the question comes again. */
function tellNoted(
  decision: Decision,
  noted: 'codes' | 'other',
  { before, commands }: MessageScope,
): Decision {
  const { replies, effect, state } = decision;
  const { step, draft } = state;
  if (effect || step.at !== 'asking') return decision;
  const isAgain =
    before.step.at === 'asking' && before.step.flow === step.flow && before.step.slot === step.slot;
  if (step.offer && !isAgain) return decision;
  const { codes = [] } = draft;
  const isList = noted === 'codes' && codes.length > 1;
  // Another reply before the question says more.
  const isPlain = isAgain && replies.length === 1 && !commands.some((command) => command.do === 'start');
  if (!isList && !isPlain) return decision;
  const told = isList ? listCodes(codes) : { key: 'noted' };
  return { ...decision, replies: [...replies.slice(0, -1), told, ...replies.slice(-1)] };
}

/** Asks what a phone or an e-mail is for that came while nothing was asked. */
function askWhatFor(state: State, scope: Scope): Decision {
  const { step } = state;
  const menu = goHome({ ...state, step: { at: 'idle' } }, scope, { key: 'unsure', context: 'identity' });
  // A page that is shown can still be turned, unless staff named another customer: it would be taken for theirs.
  const stays = step.at === 'browsing' && !isStaff(scope);
  return { ...menu, state: { ...menu.state, draft: state.draft, ...(stays && { step }) } };
}

/*
 * Answers to the live question that bring no value: yes, no, there is none, another one, an end.
 */

function agree(progress: Progress, scope: MessageScope): Reduction {
  const { state } = progress;
  const { step } = state;
  // A yes that was written before the offer of a person was shown agrees to nothing.
  if (scope.before.offered && scope.current) return { ...progress, next: { go: 'person' } };
  switch (step.at) {
    case 'asking':
      return step.offer ? decideDoubt(progress, 'use', scope) : askPlainly(state, scope);
    case 'confirming':
      return confirmByWord(state, step, scope);
    case 'consenting':
      return scope.current ? answerConsent(state, true, scope) : askAgain(state, scope);
    case 'browsing':
    case 'idle':
      return progress;
  }
}

/**
 * Typed words spend nothing: that takes the button, which carries the operation's one-time id. They add points where they
 * answer a summary that was posed and followed by nothing, or come again after a crash during the calls. They cancel where
 * the customer was asked whether to cancel.
 */
function confirmByWord(state: State, step: Confirming, scope: Scope): Decision {
  const flow = scope.flows.get(step.flow);
  if (!flow) return askAgain(state, scope);
  const answers = scope.current ? step.last : undefined;
  const isMeant = answers === 'summary' || isInterrupted(state, scope);
  if (confirmsIn(flow)?.byWord && isMeant) return beginCalls(state, scope);
  if (answers === 'edit') return cancel(state, scope);
  // A yes that was written before the summary came is asked for once more.
  return pointAtButton(step.last === 'summary' ? state : spokenOver(state), flow, scope);
}

function refuse(progress: Progress, { wrong }: CommandOf<'no'>, scope: MessageScope): Reduction {
  const { step } = progress.state;
  if (step.at === 'idle' || step.at === 'browsing') return digress(progress, { reply: { key: 'later' } });
  if (step.at === 'asking' && step.offer)
    return decideDoubt(progress, keepsTyped(step.offer) ? 'keep' : 'other', scope);
  return wrong && step.at === 'asking' ? askPlainly(progress.state, scope) : declineSlot(progress, {}, scope);
}

/** Whether a no to what is offered keeps what was written. */
const keepsTyped = ({ why, typed: written }: Offer): boolean =>
  written !== undefined && (why === 'typo' || why === 'code');

/** The value that is asked about is taken over, kept as it was typed, or asked for anew. */
function decideDoubt(progress: Progress, choice: 'use' | 'keep' | 'other', scope: MessageScope): Reduction {
  const { step } = progress.state;
  const flow = findFlow(progress, scope);
  if (step.at !== 'asking' || !step.offer || !flow) return progress;
  const { why, meant, typed: written } = step.offer;
  if (why === 'code') return decideCode(progress, choice, scope);
  const decided = { ...progress, state: withoutOffer(progress.state) };
  const slot = why === 'typo' ? 'email' : 'phone';
  const taken = choice === 'use' ? meant : choice === 'keep' && slot === 'email' ? written : undefined;
  if (taken === undefined)
    return pose(decided.state, slotStep(flow, step.slot, { editing: step.editing }), scope);
  // A shared number is as good as proved under its new form.
  const isShared = slot === 'phone' && written !== undefined;
  const value = isShared ? { value: taken, proved: true } : typed(taken, scope);
  return setSlots(decided, { [slot]: value }, scope);
}

/** Asks for a value again: at the summary, or of what was said before. */
function changeSlot(progress: Progress, { field }: CommandOf<'change'>, scope: MessageScope): Reduction {
  const { state } = progress;
  const { step, draft } = state;
  const flow = findFlow(progress, scope);
  if (!flow) return notUnderstood(progress, scope);
  if (step.at === 'asking' && step.offer && field === undefined) return decideDoubt(progress, 'other', scope);
  const slot = field && slotCalled(flow, field);
  if (slot === 'codes' && (draft.codes ?? []).length > 1)
    return askAgain(state, scope, { key: 'codes.which', context: 'edit' });
  if (step.at === 'confirming') {
    const edits = confirmsIn(flow)?.edits(draft) ?? [];
    const slots = flow.slots.filter((kind) => edits.some(({ id }) => id === `edit:${KINDS[kind].field}`));
    const [only, ...others] = slot ? slots.filter((kind) => kind === slot) : slots;
    return only && others.length === 0
      ? pose(state, slotStep(flow, only, { editing: true }), scope)
      : askAgain(state, scope, { key: 'confirm.edit' });
  }
  if (step.at === 'asking' && (slot === undefined || slot === step.slot)) return askPlainly(state, scope);
  const isSaid = slot && draft[KINDS[slot].slot] != null;
  return isSaid ? pose(state, slotStep(flow, slot, { editing: true }), scope) : progress;
}

/** There is none: of the field that is named, or of what is asked. */
function declineSlot(
  progress: Progress,
  { field }: Pick<CommandOf<'none'>, 'field'>,
  scope: MessageScope,
): Reduction {
  const { state } = progress;
  const { step, draft } = state;
  const flow = findFlow(progress, scope);
  if (field === 'email' && flow?.slots.includes('email')) return setSlots(progress, { email: null }, scope);
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  if (step.at === 'confirming') return askAgain(state, scope, { key: 'confirm.edit' });
  if (step.at !== 'asking' || !flow) return notUnderstood(progress, scope);
  if (step.offer && step.slot !== 'email') return decideDoubt(progress, 'other', scope);
  switch (KINDS[step.slot].no) {
    case 'none':
      return setSlots({ ...progress, state: withoutOffer(state) }, { email: null }, scope);
    case 'back':
      return KINDS[step.slot].isMissing(draft, flow) ? cancel(state, scope) : continueFlow(progress, flow);
    case 'explain':
      return digress(progress, { reply: explain(state, scope).reply });
  }
}

const JUST_NOW_MS = 10 * 60_000;

/** Ends what is going on, or skips what may be skipped (`mild`). */
function stop(progress: Progress, { mild }: CommandOf<'cancel'>, scope: MessageScope): Reduction {
  const { state } = progress;
  const { step } = state;
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  const canSkip = step.at === 'asking' && KINDS[step.slot].no !== 'explain';
  if (mild && canSkip) return declineSlot(progress, {}, scope);
  // "Huỷ" right after an operation means to undo it.
  const last = state.operations.at(-1);
  const isDone = step.at === 'idle' && last?.status === 'done' && scope.nowMs - last.atMs < JUST_NOW_MS;
  return isDone ? digress(progress, answer(state, 'answer.undo', scope)) : cancel(state, scope);
}
