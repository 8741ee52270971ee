import type { Command, CommandOf, SlotKind } from '../commands.ts';
import { findConfirms, type Scope } from '../flow.ts';
import { isStaff, toTypedValue } from '../prompts.ts';
import { type Decision, type Reply, say, sayFirst } from '../reply.ts';
import { findSlotByField, missingSlots, SLOTS } from '../slots.ts';
import { type Confirming, dropOffer, forgetLast, type State } from '../state.ts';
import { advance } from './advance.ts';
import { beginCalls } from './calls.ts';
import { changeCodes, decideCode, listCodes } from './codes.ts';
import {
  answer,
  answerQuestion,
  answerTalk,
  answerUnclear,
  cancel,
  explain,
  sayNotUnderstood,
  showPart,
  showStatus,
} from './digressions.ts';
import { callPerson } from './handover.ts';
import { isInterrupted } from './operations.ts';
import { turnPage } from './pages.ts';
import { answerConsent, forget } from './privacy.ts';
import {
  addMenu,
  askAgain,
  askStep,
  goHome,
  parseChoice,
  pointAtButton,
  remark,
  slotStep,
} from './questions.ts';
import {
  continueFlow,
  digress,
  findFlow,
  type Reduction,
  type Round,
  type RoundScope,
  setSlots,
} from './round.ts';
import { serveNext, setGift, setGifts, setHistory, setIdentity, startFlow } from './slots.ts';

/*
 * The dialogue: applies the commands of a message, each once, in order; then the bot asks one question.
 */

/** Applies commands. `isForm`: they come from a form, so the reply names only faults. */
export function run(
  before: State,
  given: readonly Command[],
  scope: Scope & { readonly isForm?: true | undefined },
): Decision {
  const commands = given.flatMap((command) =>
    command.do === 'pick' ? parseChoice(command.choice, before, scope) : command,
  );
  const { offered: _, ...counted } = countMisses(before, commands);
  const state = isStaff(scope) ? serveNext(counted, commands, scope) : counted;
  let round: Round = { state, said: [], next: { go: 'again' }, scope: { ...scope, before, commands } };
  for (const command of commands) {
    const reduction = reduce(round, command);
    if ('replies' in reduction) return sayFirst(round.said, reduction);
    round = reduction;
  }
  return finish(round);
}

/** Counts the messages in a row that were not understood. A text that nearly was a yes was understood. */
function countMisses({ misses = 0, notUnderstood, ...state }: State, commands: readonly Command[]): State {
  const isMiss = commands.some((command) => {
    if (command.do === 'ask') return command.about === 'unknown';
    if (command.do !== 'unclear' || command.wrong || command.script) return false;
    return !command.likely?.some((meaning) => meaning.do === 'yes');
  });
  return isMiss ? { ...state, misses: misses + 1, ...(notUnderstood && { notUnderstood }) } : state;
}

function reduce(round: Round, command: Command): Reduction {
  const { state, scope } = round;
  switch (command.do) {
    case 'start':
      return startFlow(round, command);
    case 'set':
      return command.slot === 'gift' ? setGift(round, command) : setIdentity(round, command);
    case 'among':
      return setGifts(round, command);
    case 'period':
    case 'kind':
      return setHistory(round, command);
    case 'add':
    case 'remove':
    case 'keepOnly':
    case 'replace':
      return changeCodes(round, command);
    case 'change':
      return changeSlot(round, command);
    case 'none':
      return declineSlot(round, command);
    case 'yes':
      return agree(round);
    case 'no':
      return refuse(round, command);
    case 'use':
    case 'keep':
    case 'other':
      return decideDoubt(round, command.do);
    case 'cancel':
      return stop(round, command);
    case 'page':
      return turnPage(state, command.to) ?? sayNotUnderstood(round);
    case 'pick':
      return round;
    case 'ask':
      return answerQuestion(round, command);
    case 'show':
      return showPart(round, command.what);
    case 'status':
      return digress(round, { reply: showStatus(state, command.reference, scope) });
    case 'speak':
      return digress({ ...round, state: { ...state, locale: command.locale } }, SPOKEN);
    case 'talk':
      return answerTalk(round, command.about);
    case 'unclear':
      return answerUnclear(round, command);
    case 'confirm':
      return confirm(state, command.operation, scope);
    case 'consent':
      return answerConsent(state, command.given, scope);
    case 'forget':
      return forget(state, scope);
    case 'expired':
      return sayExpired(state, scope);
  }
}

const SPOKEN = { reply: { key: 'language.done' } };

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

function finish({ state, said, next, scope }: Round): Decision {
  switch (next.go) {
    case 'person': {
      // A ticket tells what led to the offer of it, and what was not understood.
      const { offered, notUnderstood } = scope.before;
      return callPerson({ ...state, notUnderstood }, offered ?? { why: 'asked' }, scope);
    }
    case 'advance': {
      const { digression } = next;
      const decision = advance(state, next, scope);
      if (digression) {
        const { choices: _, ...reply } = digression.reply;
        return { ...sayFirst([...said, reply], decision), question: digression.question };
      }
      return tellNoted(sayFirst(said, decision), scope);
    }
    case 'digress': {
      const { reply, question } = next.digression;
      return { ...sayFirst(said, remark(state, scope, reply)), question };
    }
    case 'keep':
      return askWhatFor(state, scope);
    case 'again':
      return askAgain(state, scope, ...said);
  }
}

/** Before the question, lists the noted codes. Before a repeated question, says that a value was noted. */
function tellNoted(decision: Decision, { before, isForm }: RoundScope): Decision {
  const { replies, effect, state } = decision;
  const { step, draft } = state;
  if (effect || step.at !== 'asking' || isForm) return decision;
  const isAgain =
    before.step.at === 'asking' && before.step.flow === step.flow && before.step.slot === step.slot;
  if (step.offer && !isAgain) return decision;
  const { codes = [] } = draft;
  const isList = codes.length > 1 && codes !== before.draft.codes;
  // If another reply comes before the question, none is added.
  const isNew = JSON.stringify(draft) !== JSON.stringify(before.draft) && !draft.among;
  const asked = before.step.at === 'asking' ? before.step.offer : undefined;
  const isSame = isAgain && asked?.meant === step.offer?.meant;
  const isNoted = isSame && isNew && replies.length === 1;
  if (!isList && !isNoted) return decision;
  const told = isList ? listCodes(codes) : { key: 'noted' };
  return { ...decision, replies: [...replies.slice(0, -1), told, ...replies.slice(-1)] };
}

function askWhatFor(state: State, scope: Scope): Decision {
  const menu = goHome(state, scope, { key: 'unsure', context: 'identity' });
  return { ...menu, state: { ...menu.state, draft: state.draft } };
}

/*
 * Answers without a value: yes, no, none, another one, an end.
 */

function agree(round: Round): Reduction {
  const { state, scope } = round;
  const { step } = state;
  // A yes answers the question that stands.
  const isDoubt = step.at === 'asking' && step.offer;
  const isAsked = isDoubt || step.at === 'confirming' || step.at === 'consenting';
  // It was written after the offer.
  const isOffered = scope.before.offered && scope.current;
  if (isOffered && !isAsked) return { ...round, next: { go: 'person' } };
  switch (step.at) {
    case 'asking':
      return step.offer ? decideDoubt(round, 'use') : askAgain(state, scope);
    case 'confirming':
      return confirmByWord(state, step, scope);
    case 'consenting':
      return scope.current ? answerConsent(state, true, scope) : askAgain(state, scope);
    case 'browsing':
    case 'idle':
      return round;
  }
}

/**
 * A typed yes never spends points. It adds points after a summary that was the last reply, or after a crash
 * during the calls. It cancels if that was the last question.
 */
function confirmByWord(state: State, step: Confirming, scope: Scope): Decision {
  const flow = scope.flows.get(step.flow);
  if (!flow) return askAgain(state, scope);
  const answers = scope.current ? step.last : undefined;
  const isMeant = answers === 'summary' || isInterrupted(state, scope);
  if (findConfirms(flow)?.confirmsByText && isMeant) return beginCalls(state, scope);
  if (answers === 'edit') return cancel(state, scope);
  // A yes that was written before the summary came is asked for once more.
  return pointAtButton(step.last === 'summary' ? state : forgetLast(state), scope);
}

function refuse(round: Round, { wrong }: CommandOf<'no'>): Reduction {
  const { step } = round.state;
  if (step.at === 'idle' || step.at === 'browsing') return digress(round, { reply: { key: 'later' } });
  if (step.at === 'asking' && step.offer)
    return decideDoubt(round, step.offer.typed === undefined ? 'other' : 'keep');
  return wrong && step.at === 'asking' ? askAgain(round.state, round.scope) : declineSlot(round, {});
}

/** Takes the value in doubt as it was meant, keeps it as it was typed, or asks for another one. */
function decideDoubt(round: Round, choice: 'use' | 'keep' | 'other'): Reduction {
  const { scope, state } = round;
  const { step } = state;
  const flow = findFlow(round);
  if (step.at !== 'asking' || !step.offer || !flow) return round;
  const { why, meant, typed } = step.offer;
  if (why === 'code') return decideCode(round, flow, choice);
  const decided = { ...round, state: dropOffer(state) };
  const taken = choice === 'use' ? meant : choice === 'keep' ? typed : undefined;
  if (taken === undefined)
    return askStep(decided.state, slotStep(flow, step.slot, { editing: step.editing }), scope);
  return setSlots(decided, { [why === 'typo' ? 'email' : 'phone']: toTypedValue(taken, scope) });
}

function changeSlot(round: Round, { field }: CommandOf<'change'>): Reduction {
  const { state, scope } = round;
  const { step, draft } = state;
  const flow = findFlow(round);
  if (!flow) return sayNotUnderstood(round);
  const slot = field && findSlotByField(flow, field);
  if (slot === 'codes' && (draft.codes ?? []).length > 1)
    return askAgain(state, scope, { key: 'codes.which', context: 'edit' });
  if (step.at === 'asking' && (slot === undefined || slot === step.slot))
    return step.offer ? decideDoubt(round, 'other') : askAgain(state, scope);
  const edits = findConfirms(flow)?.edits(draft) ?? [];
  const isEditable = (kind: SlotKind) =>
    step.at === 'confirming'
      ? edits.some(({ id }) => id === `edit:${SLOTS[kind].field}`)
      : draft[SLOTS[kind].slot] != null;
  const [only, ...others] = flow.slots.filter((kind) => isEditable(kind) && (!slot || kind === slot));
  if (only && others.length === 0) return askStep(state, slotStep(flow, only, { editing: true }), scope);
  return step.at === 'confirming' ? askAgain(state, scope, { key: 'confirm.edit' }) : round;
}

function declineSlot(round: Round, { field }: Pick<CommandOf<'none'>, 'field'>): Reduction {
  const { state, scope } = round;
  const { step, draft } = state;
  const flow = findFlow(round);
  if (field === 'email' && flow?.slots.includes('email')) return setSlots(round, { email: null });
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  if (step.at === 'confirming') return askAgain(state, scope, { key: 'confirm.edit' });
  if (step.at !== 'asking' || !flow) return sayNotUnderstood(round);
  if (step.offer && step.slot !== 'email') return decideDoubt(round, 'other');
  switch (SLOTS[step.slot].no) {
    case 'none':
      return setSlots({ ...round, state: dropOffer(state) }, { email: null });
    case 'back':
      return missingSlots(flow, draft).includes(step.slot) ? cancel(state, scope) : continueFlow(round, flow);
    case 'explain':
      return digress(round, { reply: explain(state, scope).reply });
  }
}

const JUST_NOW_MS = 10 * 60_000;

function stop(round: Round, { mild }: CommandOf<'cancel'>): Reduction {
  const { state, scope } = round;
  const { step } = state;
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  const canSkip = step.at === 'asking' && SLOTS[step.slot].no !== 'explain';
  if (mild && canSkip) return declineSlot(round, {});
  // "Huỷ" right after an operation means to undo it.
  const last = state.operations.at(-1);
  if (step.at !== 'idle' || !last) return cancel(state, scope);
  const isDone = last.status === 'done' && scope.nowMs - last.atMs < JUST_NOW_MS;
  if (isDone) return digress(round, answer(state, 'answer.undo', scope));
  if (last.status !== 'checking') return cancel(state, scope);
  return digress(round, { reply: showStatus(state, undefined, scope) });
}
