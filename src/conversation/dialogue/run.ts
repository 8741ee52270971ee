import type { Command } from '../commands.ts';
import type { Scope } from '../flow.ts';
import { missing, PROOF } from '../kinds.ts';
import { isStaff } from '../prompts/identity.ts';
import { after, type Decision, type Reply, say, withLast } from '../reply.ts';
import type { State } from '../state.ts';
import { advance, runningIn } from './advance.ts';
import { changeSlot, decideDoubt, declineSlot, sayNo, sayYes, stop } from './answers.ts';
import { begin as call } from './calls.ts';
import { keptLine } from './code-list.ts';
import { changeCodes } from './codes.ts';
import { leaveConsent } from './consent.ts';
import {
  aboutQuestion,
  answerQuestion,
  answerTalk,
  answerUnclear,
  showPart,
  showStatus,
} from './digressions.ts';
import { callPerson } from './handover.ts';
import { narrowPage, setHistory, turnPage } from './history.ts';
import { serveNext, setIdentity } from './identity.ts';
import { answerConsent, forget } from './privacy.ts';
import { again, aside, home, pressed, withMenu } from './questions.ts';
import { setGift, startFlow } from './starts.ts';
import { advanceBy, answerBeside, type Reduced, type Turn, type TurnScope } from './turn.ts';

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
      return turnPage(turn, command.to, scope);
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

type Advancing = Extract<Turn['next'], { go: 'advance' }>;

function goOn({ state, said }: Turn, next: Advancing, scope: TurnScope, isForm: boolean): Decision {
  const { flow, doubt, digression } = next;
  // A form comes again with what is doubtful in it, as long as something is missing.
  const lacking = missing(flow, state.draft);
  const isAsked = !isForm || lacking === undefined || lacking === doubt?.slot;
  const all = digression ? [...said, digression.reply] : said;
  const decision = advance(state, flow, scope, all, isAsked ? doubt : undefined);
  return { ...(isForm ? decision : withNoted(decision, next, scope)), question: digression?.question };
}

/** The same decision; right before its question it says what was noted: the codes, or that the same question comes again. */
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
