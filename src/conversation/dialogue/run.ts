import type { Command, FieldName, SlotKind } from '../commands.ts';
import { confirmsIn, type Flow, type Scope } from '../flow.ts';
import { KINDS, missingSlots, PROOF, slotCalled } from '../kinds.ts';
import { isStaff, leaveConsent, typed } from '../prompts.ts';
import { after, type Decision, type Reply, say, withLast } from '../reply.ts';
import { type Confirming, type Draft, type Offer, type State, spokenOver, withoutOffer } from '../state.ts';
import { advance, ask, edit, plainly, runningIn } from './advance.ts';
import { begin as call } from './calls.ts';
import { changeCodes, decideCode, keptLine } from './codes.ts';
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
import { narrowPage, turnPage } from './pages.ts';
import { answerConsent, forget } from './privacy.ts';
import { again, aside, home, pointAt, pressed, withMenu } from './questions.ts';
import { serveNext, setGift, setHistory, setIdentity, startFlow } from './slots.ts';
import {
  type Advancing,
  advanceBy,
  answerBeside,
  digress,
  flowOf,
  type Reduced,
  setSlots,
  type Turn,
  type TurnScope,
} from './turn.ts';

/*
 * The dialogue: applies the commands of a message, each once, in order; then one question stands. The switch below names the
 * reducer of each command, by its subject.
 */

/** Applies commands. `isForm`: the commands of several fields, of which nothing is told but what is wrong. */
export function run(
  stored: State,
  said: readonly Command[],
  scope: Scope,
  { isForm = false } = {},
): Decision {
  const commands = said.flatMap((command) =>
    command.do === 'pick' ? pick(stored, command.choice, scope) : command,
  );
  const { offered, ...counted } = countMisses(stored, commands);
  const { notUnderstood } = stored;
  const begun = serveNext(counted, commands, scope);
  const found = { ...begun.state, ...(offered && { offered }), ...(notUnderstood && { notUnderstood }) };
  const turnScope: TurnScope = { ...scope, found, commands };
  const flow = isForm ? runningIn(begun.state, scope) : undefined;
  const first: Turn = { ...begun, next: { go: 'again' } };
  let turn = flow ? advanceBy(first, flow) : first;
  for (const command of commands) {
    const reduced = apply(turn, command, turnScope);
    if ('replies' in reduced) return after(turn.said, reduced);
    turn = reduced;
  }
  return finish(turn, turnScope, isForm);
}

/** A button, by its number or its words: its commands, except those that only a press gives. */
function pick(state: State, choice: string, scope: Scope): readonly Command[] {
  const commands = pressed(state, choice, scope);
  // Written before the question whether to remember was shown, it agrees to nothing.
  const isPress = commands.some(
    (command) =>
      command.do === 'confirm' || command.do === 'forget' || (command.do === 'consent' && !scope.current),
  );
  return isPress ? [] : commands;
}

/** Counts the messages in a row that were not understood. A text that nearly was a yes was understood. */
function countMisses({ misses = 0, notUnderstood, ...state }: State, commands: readonly Command[]) {
  const isMiss = commands.some((command) => {
    if (command.do === 'ask') return command.about === 'unknown';
    if (command.do !== 'unclear' || command.wrong || command.script) return false;
    return !command.maybe?.some((meaning) => meaning.do === 'yes');
  });
  return isMiss ? { ...state, misses: misses + 1, ...(notUnderstood && { notUnderstood }) } : state;
}

function apply(turn: Turn, command: Command, scope: TurnScope): Reduced {
  switch (command.do) {
    case 'start':
      return startFlow(turn, command, scope);
    case 'set':
      return command.slot === 'gift'
        ? setGift(turn, { code: command.value }, scope, command.several)
        : setIdentity(turn, command, scope);
    case 'among':
      return setGift(turn, { among: [...command.gifts] }, scope);
    case 'period':
      return setHistory(turn, { period: command.period }, scope);
    case 'kind':
      return setHistory(turn, { type: command.of === 'both' ? null : command.of }, scope);
    case 'add':
    case 'remove':
    case 'keepOnly':
    case 'replace':
      return changeCodes(turn, command, scope);
    case 'change':
      return changeSlot(turn, command.field, scope);
    case 'none':
      return declineSlot(turn, command.field, scope);
    case 'yes':
      return sayYes(turn, scope);
    case 'no':
      return sayNo(turn, command.wrong ?? false, scope);
    case 'use':
    case 'keep':
    case 'other':
      return decideDoubt(turn, command.do, scope);
    case 'cancel':
      return stop(turn, command.mild ?? false, scope);
    case 'page':
      return (
        turnPage(turn.state, command.to, scope) ?? (command.to === 'same' ? turn : notUnderstood(turn, scope))
      );
    case 'pick':
      return turn;
    case 'ask':
      return answerQuestion(turn, command, scope);
    case 'show':
      return showPart(turn, command.what, scope);
    case 'status':
      return answerBeside(turn, showStatus(turn.state, scope, command.reference));
    case 'speak':
      return answerBeside(
        { ...turn, state: { ...turn.state, locale: command.locale } },
        { key: 'language.done' },
      );
    case 'talk':
      return answerTalk(turn, command.about, scope);
    case 'unclear':
      return answerUnclear(turn, command, scope);
    case 'confirm':
      return confirm(turn.state, command.operation, scope);
    case 'consent':
      return answerConsent(turn.state, command.given, scope);
    case 'forget':
      return forget(leaveConsent(turn.state, scope), scope);
    case 'expired':
      return expired(turn.state, scope);
  }
}

function confirm(state: State, operation: string, scope: Scope): Decision {
  const isLive = state.step.at === 'confirming' && state.step.operation === operation;
  return isLive ? call(state, scope) : expired(state, scope);
}

/** A press or a form of a question that is over: nothing is changed. */
function expired(state: State, scope: Scope): Decision {
  const reply: Reply = { key: 'choice.expired', notice: true };
  const isIdle = state.step.at === 'idle' && state.view !== undefined;
  return say(state, isIdle ? withMenu(state, reply, scope) : reply);
}

/** What stands once all commands were applied. */
function finish(turn: Turn, scope: TurnScope, isForm: boolean): Decision {
  const { state, said, next } = turn;
  switch (next.go) {
    case 'person': {
      const { offered: { why = 'asked', led } = {}, notUnderstood } = scope.found;
      return callPerson({ ...state, ...(notUnderstood && { notUnderstood }) }, why, scope, led);
    }
    case 'narrow':
      return after(said, narrowPage(state, next, scope) ?? again(state, scope));
    case 'advance':
      return goOn(turn, next, scope, isForm);
    case 'digress': {
      const { reply, question, offered } = next.digression;
      const decision = after(said, aside(state, scope, reply, offered));
      // Why sharing is needed is said once.
      const isSaid = reply.key === 'answer' && aboutQuestion(state, scope) === PROOF;
      return { ...(isSaid ? withLast(decision, { context: 'again' }) : decision), question };
    }
    case 'keep':
      return askWhatFor(state, scope);
    case 'again':
      return again(state, scope, ...said);
  }
}

function goOn({ state, said }: Turn, next: Advancing, scope: TurnScope, isForm: boolean): Decision {
  const { flow, doubt, digression } = next;
  // A form comes again with what is doubtful in it, as long as something is missing.
  const [lacking] = missingSlots(flow, state.draft);
  const isAsked = !isForm || lacking === undefined || lacking === doubt?.slot;
  const all = digression ? [...said, digression.reply] : said;
  const decision = advance(state, flow, scope, all, isAsked ? doubt : undefined);
  return { ...(isForm ? decision : withNoted(decision, next, scope)), question: digression?.question };
}

/** The same decision; before its question it says which codes were noted, or that it comes again. */
function withNoted(decision: Decision, { flow, noted, digression }: Advancing, scope: TurnScope): Decision {
  const { replies, effect, state } = decision;
  const { step } = state;
  if (!noted || effect || step.at !== 'asking' || step.flow !== flow.name || digression) return decision;
  const before = scope.found.step;
  const isAgain = before.at === 'asking' && before.flow === step.flow && before.slot === step.slot;
  if (step.offer && !isAgain) return decision;
  const { codes = [] } = state.draft;
  const isStart = scope.commands.some((command) => command.do === 'start');
  const isKept = noted === 'codes' && codes.length > 1;
  // Another reply before the question says more.
  if (!isKept && (!isAgain || replies.length > 1 || isStart)) return decision;
  const told = isKept ? keptLine(codes) : { key: 'noted' };
  return { ...decision, replies: [...replies.slice(0, -1), told, ...replies.slice(-1)] };
}

/** Asks what a phone or an e-mail is for that came out of the blue. */
function askWhatFor(state: State, scope: Scope): Decision {
  const { step } = state;
  const menu = home({ ...state, step: { at: 'idle' } }, scope, { key: 'unsure', context: 'identity' });
  // A page that is shown can still be turned, unless staff named another customer: it would be taken for theirs.
  const stays = step.at === 'browsing' && !isStaff(scope);
  return { ...menu, state: { ...menu.state, draft: state.draft, ...(stays && { step }) } };
}

/*
 * Answers to the live question that bring no value: yes, no, there is none, another one, an end.
 */

function sayYes(turn: Turn, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step } = state;
  // A yes that was written before the offer was shown agrees to nothing.
  if (scope.found.offered && scope.current) return { ...turn, next: { go: 'person' } };
  switch (step.at) {
    case 'asking':
      return step.offer ? decideDoubt(turn, 'use', scope) : plainly(state, step, scope);
    case 'confirming':
      return confirmByWord(state, step, scope);
    case 'consenting':
      return scope.current ? answerConsent(state, true, scope) : again(state, scope);
    case 'browsing':
    case 'idle':
      return turn;
  }
}

/**
 * Typed words spend nothing: that takes the button, which carries the operation's one-time id. They add points where they
 * answer a summary that was posed and followed by nothing, or come again after a crash that cut the calls off: then
 * something was called. Where the customer was asked whether to cancel, a yes does that.
 */
function confirmByWord(state: State, step: Confirming, scope: TurnScope): Decision {
  const flow = scope.flows.get(step.flow);
  if (!flow) return again(state, scope);
  const answers = scope.current ? step.last : undefined;
  const isMeant = answers === 'summary' || isInterrupted(state, scope);
  if (confirmsIn(flow)?.byWord && isMeant) return call(state, scope);
  if (answers === 'edit') return cancel(state, scope);
  // A yes that was written before the summary came is asked for once more.
  return pointAt(step.last === 'summary' ? state : spokenOver(state), flow, scope);
}

/** `isWrong`: the text says that something is wrong, and not what. */
function sayNo(turn: Turn, isWrong: boolean, scope: TurnScope): Reduced {
  const { step } = turn.state;
  if (step.at === 'idle' || step.at === 'browsing') return answerBeside(turn, { key: 'later' });
  if (step.at !== 'asking') return declineSlot(turn, undefined, scope);
  if (step.offer) return decideDoubt(turn, keepsTyped(step.offer) ? 'keep' : 'other', scope);
  return isWrong ? plainly(turn.state, step, scope) : declineSlot(turn, undefined, scope);
}

/** Whether a no to what is offered keeps what was written. */
const keepsTyped = ({ why, typed: written }: Offer): boolean =>
  written !== undefined && (why === 'typo' || why === 'code');

/** The value that is asked about is taken over, kept as it was typed, or asked for anew. */
function decideDoubt(turn: Turn, choice: 'use' | 'keep' | 'other', scope: TurnScope): Reduced {
  const { step } = turn.state;
  const flow = flowOf(turn, scope);
  if (step.at !== 'asking' || !step.offer || !flow) return turn;
  const { why, meant, typed: written } = step.offer;
  if (why === 'code') return decideCode(turn, flow, choice, scope);
  const decided = { ...turn, state: withoutOffer(turn.state) };
  const slot = why === 'typo' ? 'email' : 'phone';
  const taken = choice === 'use' ? meant : choice === 'keep' && slot === 'email' ? written : undefined;
  if (taken === undefined) return (step.editing ? edit : ask)(decided.state, flow, step.slot, scope);
  // A shared number is as good as proved under its new form.
  const isShared = slot === 'phone' && written !== undefined;
  const known = isShared ? { value: taken, proved: true } : typed(taken, scope);
  return setSlots(decided, { [slot]: known }, scope);
}

/** Asks for a value again: at the summary, or of what was said before. */
function changeSlot(turn: Turn, field: FieldName | undefined, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step, draft } = state;
  const flow = flowOf(turn, scope);
  if (!flow) return notUnderstood(turn, scope);
  if (step.at === 'asking' && step.offer && field === undefined) return decideDoubt(turn, 'other', scope);
  const slot = field && slotCalled(flow, field);
  if (slot === 'codes' && (draft.codes ?? []).length > 1)
    return again(state, scope, { key: 'codes.which', context: 'edit' });
  if (step.at === 'confirming') {
    const slots = editableSlots(flow, draft);
    const named = slot ? slots.find((kind) => kind === slot) : slots[0];
    return named && (slot || slots.length === 1)
      ? edit(state, flow, named, scope)
      : again(state, scope, { key: 'confirm.edit' });
  }
  if (step.at === 'asking' && (slot === undefined || slot === step.slot)) return plainly(state, step, scope);
  return slot && draft[KINDS[slot].slot] != null ? edit(state, flow, slot, scope) : turn;
}

/** The slots that the summary of a flow lets customers change. */
function editableSlots(flow: Flow, draft: Draft): readonly SlotKind[] {
  const edits = confirmsIn(flow)?.edits(draft) ?? [];
  return flow.slots.filter((slot) => edits.some(({ id }) => id === `edit:${KINDS[slot].field}`));
}

/** There is none: of the field that is named, or of what is asked. */
function declineSlot(turn: Turn, field: FieldName | undefined, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step, draft } = state;
  const flow = flowOf(turn, scope);
  if (field === 'email' && flow?.slots.includes('email')) return setSlots(turn, { email: null }, scope);
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  if (step.at === 'confirming') return again(state, scope, { key: 'confirm.edit' });
  if (step.at !== 'asking' || !flow) return notUnderstood(turn, scope);
  if (step.offer && step.slot !== 'email') return decideDoubt(turn, 'other', scope);
  switch (KINDS[step.slot].no) {
    case 'none':
      return setSlots({ ...turn, state: withoutOffer(state) }, { email: null }, scope);
    case 'back':
      return missingSlots(flow, draft).includes(step.slot) ? cancel(state, scope) : advanceBy(turn, flow);
    case 'explain':
      return answerBeside(turn, explain(state, scope).reply);
  }
}

const JUST_NOW_MS = 10 * 60_000;

/** Ends what is going on, or skips what may be skipped (`isMild`). */
function stop(turn: Turn, isMild: boolean, scope: TurnScope): Reduced {
  const { state } = turn;
  const { step } = state;
  if (step.at === 'consenting') return answerConsent(state, false, scope);
  const flow = step.at === 'asking' ? scope.flows.get(step.flow) : undefined;
  if (isMild && step.at === 'asking' && flow && KINDS[step.slot].no !== 'explain')
    return declineSlot(turn, undefined, scope);
  // "Huỷ" right after an operation means to undo it.
  const last = state.operations.at(-1);
  const isDone = step.at === 'idle' && last?.status === 'done' && scope.nowMs - last.atMs < JUST_NOW_MS;
  return isDone ? digress(turn, answer(state, 'answer.undo', scope)) : cancel(state, scope);
}
