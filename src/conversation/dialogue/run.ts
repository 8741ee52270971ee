import type { Command, CommandOf, SlotKind } from '../commands.ts';
import { findConfirms, type Scope } from '../flow.ts';
import { showPhone } from '../prompts/format.ts';
import { isStaff, toTypedValue } from '../prompts/identity.ts';
import { changeLast, type Decision, QR_PICTURE, type Reply, say, sayFirst } from '../reply.ts';
import { findSlotByField, missingSlots, SLOTS } from '../slots.ts';
import { type Confirming, type Draft, dropOffer, forgetLast, type State } from '../state.ts';
import { advance } from './advance.ts';
import { beginCalls } from './calls.ts';
import { acceptCode, askWhich, changeCodes, declineCode, listCodes } from './codes.ts';
import {
  answer,
  answerFollowUp,
  answerQuestion,
  answerTalk,
  answerUnclear,
  cancel,
  explainStep,
  sayNotUnderstood,
  showPart,
  showStatus,
} from './digressions.ts';
import { findDoubtedSlot, isButtonOnly, mayKeep } from './doubts.ts';
import { callPerson, supportLines } from './handover.ts';
import { isInterrupted } from './operations.ts';
import { turnPage } from './pages.ts';
import { answerConsent, forget, noteConsent, tellConsent } from './privacy.ts';
import { proveByCode, wantCode } from './proofs.ts';
import { askAgain, askStep, parseChoice, pointAtButton, remark, slotStep } from './questions.ts';
import {
  digress,
  findFlow,
  offerPerson,
  type Reduction,
  type Round,
  type RoundScope,
  setSlots,
} from './round.ts';
import { serveNext, setGift, setHistory, setIdentity, setSeveral, startFlow } from './slots.ts';

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
  let round: Round = { state, remarks: [], scope: { ...scope, before, commands } };
  for (const command of commands) {
    const reduction = reduce(round, command);
    if ('replies' in reduction) return sayFirst(round.remarks, reduction);
    round = reduction;
  }
  return finish(round);
}

/** Counts messages that were not understood. A text that is nearly a yes is none. */
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
      return setGift(round, command);
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
    case 'accept':
      return acceptDoubt(round, command);
    case 'several':
      return setSeveral(round, command);
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
      return answerFollowUp(round, command) ?? digress(round, showStatus(state, command.reference, scope));
    case 'speak':
      return digress({ ...round, state: { ...state, locale: command.locale } }, { key: 'language.done' });
    case 'talk':
      return answerTalk(round, command.about);
    case 'unclear':
      return answerUnclear(round, command);
    default:
      return reduceDecision(round, command);
  }
}

type DecisionCommand = CommandOf<
  'confirm' | 'sendCode' | 'prove' | 'showQr' | 'remember' | 'consent' | 'forget' | 'expired'
>;

/** What mostly a button gives. */
function reduceDecision(round: Round, command: DecisionCommand): Reduction {
  const { state, scope } = round;
  switch (command.do) {
    case 'confirm':
      return confirm(state, command.operation, scope);
    case 'sendCode':
      return wantCode(round);
    case 'prove':
      return proveByCode(round, command);
    case 'showQr': {
      const { code } = command;
      return digress(round, { key: QR_PICTURE, params: { code }, qr: code });
    }
    case 'remember': {
      const next = scope.commands.length > 1 ? noteConsent(state, command.given, scope) : undefined;
      if (!next) return answerConsent(state, command.given, scope);
      return { ...round, state: next, remarks: [...round.remarks, tellConsent(command.given)] };
    }
    case 'consent':
      return answerConsent(state, command.given, scope);
    case 'forget':
      return forget(state, scope);
    case 'expired':
      return sayExpired(state);
  }
}

function confirm(state: State, operation: string, scope: Scope): Decision {
  const isLive = state.step.at === 'confirming' && state.step.operation === operation;
  return isLive ? beginCalls(state, scope) : sayExpired(state);
}

/** A press or a form of a question that is over: nothing is changed. */
const sayExpired = (state: State): Decision => say(state, { key: 'choice.expired', notice: true });

function finish({ state, remarks, flow, digression, person, scope }: Round): Decision {
  if (person) {
    // A ticket tells what led to the offer of it, and what was not understood.
    const { offered, notUnderstood } = scope.before;
    const called = callPerson({ ...state, notUnderstood }, offered ?? { why: 'asked' }, scope);
    // A ticket has the text itself.
    return scope.settings.handover ? called : sayFirst(remarks, called);
  }
  const goal = flow && advance(state, flow, scope);
  if (!digression)
    return goal ? tellNoted(sayFirst(remarks, goal), scope) : askAgain(state, scope, ...remarks);
  const { question, ...reply } = digression;
  if (!goal) return { ...sayFirst(remarks, remark(state, scope, reply)), question };
  const { choices: offered = [], ...statement } = reply;
  const { choices = [] } = goal.replies.at(-1) ?? {};
  const others = choices.filter(({ id }) => !offered.some((choice) => choice.id === id));
  const asked = goal.effect ? goal : changeLast(goal, { choices: [...offered, ...others] });
  return { ...sayFirst([...remarks, statement], asked), question };
}

/** Before the question, lists new codes, or says that a value was noted. */
function tellNoted(decision: Decision, { before, isForm }: RoundScope): Decision {
  const { replies, effect, state } = decision;
  const { step, draft } = state;
  if (effect || step.at !== 'asking' || isForm) return decision;
  const asked = before.step.at === 'asking' ? before.step : undefined;
  const isAgain =
    asked?.flow === step.flow && asked.slot === step.slot && asked.offer?.meant === step.offer?.meant;
  const { codes = [] } = draft;
  const isList = !step.offer && codes.length > 1 && codes !== before.draft.codes;
  const isNew = writeValues(draft) !== writeValues(before.draft) && !draft.among;
  // If another reply comes before the question, none is added.
  if (!isList && !(isAgain && isNew && replies.length === 1)) return decision;
  const acknowledgement = isList ? listCodes(codes) : describeNoted(draft, before.draft);
  return { ...decision, replies: [...replies.slice(0, -1), acknowledgement, ...replies.slice(-1)] };
}

function describeNoted({ phone, email }: Draft, before: Draft): Reply {
  if (phone && phone.value !== before.phone?.value)
    return { key: 'noted', context: 'value', params: { value: showPhone(phone.value) } };
  if (email && email.value !== before.email?.value)
    return { key: 'noted', context: 'value', params: { value: email.value } };
  return { key: 'noted' };
}
/** That a one-time code is wanted is no value. */
const writeValues = ({ proof: _, ...values }: Draft): string => JSON.stringify(values);

function agree(round: Round): Reduction {
  const { state, scope } = round;
  const { step } = state;
  if (step.at === 'confirming') return confirmByWord(state, step, scope);
  if (step.at === 'asking' && step.offer) return decideDoubt(round, 'use');
  // "Ok" where a value is changed keeps it: the summary comes again.
  const flow = findFlow(round);
  const isKept =
    step.at === 'asking' && step.editing && flow && !missingSlots(flow, state.draft).includes(step.slot);
  if (isKept) return { ...round, flow };
  // A yes that was written before a person was offered agrees to nothing.
  return scope.before.offered && scope.current ? { ...round, person: true } : round;
}

/**
 * A typed yes never spends points. It adds points after a summary that was the last reply, or after a crash
 * during the calls.
 */
function confirmByWord(state: State, step: Confirming, scope: Scope): Decision {
  const flow = scope.flows.get(step.flow);
  if (!flow) return askAgain(state, scope);
  const isMeant = (scope.current && step.isLast) || isInterrupted(state, scope);
  if (findConfirms(flow)?.confirmsByText && isMeant) return beginCalls(state, scope);
  // A yes that was written before the summary came is asked for once more.
  return pointAtButton(step.isLast ? state : forgetLast(state), scope);
}

function refuse(round: Round, { wrong }: CommandOf<'no'>): Reduction {
  const { step } = round.state;
  const { misses } = round.scope.before;
  // "None of those", after something was not understood.
  if (step.at === 'idle' && misses !== undefined && misses > 0)
    return offerPerson(round, { key: 'person.offer', lines: supportLines(round.scope) });
  if (step.at === 'idle' || step.at === 'browsing') return digress(round, { key: 'later' });
  if (step.at === 'asking' && step.offer) return decideDoubt(round, mayKeep(step.offer) ? 'keep' : 'other');
  return wrong && step.at === 'asking' ? askAgain(round.state, round.scope) : declineSlot(round, {});
}

/** What a text says about a value in doubt. It takes no guess: the answer shows the button. */
function decideDoubt(round: Round, choice: 'use' | 'keep' | 'other'): Reduction {
  const { scope, state } = round;
  const { step } = state;
  const flow = findFlow(round);
  // "Not that one" at a summary wants another value.
  if (step.at === 'confirming' && choice === 'other') return changeSlot(round, { do: 'change' });
  if (step.at !== 'asking' || !step.offer || !flow) return round;
  const { offer } = step;
  if (choice === 'use' && isButtonOnly(offer)) return askAgain(state, scope, { key: 'doubt.press' });
  if (choice === 'use') return acceptDoubt(round, { do: 'accept' });
  const kept = choice === 'keep' && mayKeep(offer) ? offer.typed : undefined;
  const decided = { ...round, state: dropOffer(state) };
  const isCode = findDoubtedSlot(offer) === 'codes';
  if (isCode) return kept === undefined ? declineCode(decided, flow, offer) : { ...decided, flow };
  if (kept !== undefined) return setSlots(decided, { email: toTypedValue(kept, scope) });
  return askStep(decided.state, slotStep(flow, step.slot, { editing: step.editing }), scope);
}

/** The button of a value in doubt. */
function acceptDoubt(round: Round, { option }: CommandOf<'accept'>): Reduction {
  const { scope, state } = round;
  const { offer } = state.step.at === 'asking' ? state.step : {};
  if (!offer) return round;
  const { why, typed, meant, options } = offer;
  const taken = options ? options[(option ?? 0) - 1] : meant;
  if (taken === undefined) return sayExpired(state);
  const decided = { ...round, state: dropOffer(state) };
  switch (findDoubtedSlot(offer)) {
    case 'codes':
      return acceptCode(decided, { ...offer, meant: taken });
    case 'email':
      return setSlots(decided, { email: toTypedValue(taken, scope) });
    case 'phone': {
      const { phone: before } = state.draft;
      if (why === 'several' && before?.value === taken) return setSlots(decided, { phone: before });
      const isShared = why === 'mapped' && typed !== undefined;
      const phone = isShared ? { value: taken, proved: true } : toTypedValue(taken, scope);
      return setSlots(decided, { phone });
    }
  }
}

function changeSlot(round: Round, { field }: CommandOf<'change'>): Reduction {
  const { state, scope } = round;
  const { step, draft } = state;
  const flow = findFlow(round);
  if (!flow) return sayNotUnderstood(round);
  const slot = field && findSlotByField(flow, field);
  if (slot === 'codes' && (draft.codes ?? []).length > 1) return askWhich(state, scope, 'edit');
  if (step.at === 'asking' && (slot === undefined || slot === step.slot))
    return step.offer ? decideDoubt(round, 'other') : askAgain(state, scope);
  const edits = findConfirms(flow)?.edits(draft) ?? [];
  const isEditable = (kind: SlotKind) => edits.some(({ id }) => id === `edit:${SLOTS[kind].field}`);
  const [only, ...others] = flow.slots.filter((kind) => isEditable(kind) && (!slot || kind === slot));
  if (only && others.length === 0) return askStep(state, slotStep(flow, only, { editing: true }), scope);
  return step.at === 'confirming' ? askAgain(state, scope, { key: 'confirm.edit' }) : round;
}

function declineSlot(round: Round, { field }: Pick<CommandOf<'none'>, 'field'>): Reduction {
  const { state, scope } = round;
  const { step, draft } = state;
  const flow = findFlow(round);
  if (field === 'email' && flow?.slots.includes('email')) return setSlots(round, { email: null });
  if (step.at === 'confirming') return askAgain(state, scope, { key: 'confirm.edit' });
  if (step.at !== 'asking' || !flow) return sayNotUnderstood(round);
  if (step.offer && step.slot !== 'email') return decideDoubt(round, 'other');
  switch (SLOTS[step.slot].no) {
    case 'none':
      return setSlots({ ...round, state: dropOffer(state) }, { email: null });
    case 'back':
      return missingSlots(flow, draft).includes(step.slot) ? cancel(state, scope) : { ...round, flow };
    case 'explain':
      return explainStep(round);
  }
}

const JUST_NOW_MS = 10 * 60_000;

function stop(round: Round, { mild }: CommandOf<'cancel'>): Reduction {
  const { state, scope } = round;
  const { step } = state;
  const canSkip = step.at === 'asking' && SLOTS[step.slot].no !== 'explain';
  if (mild && canSkip) return declineSlot(round, {});
  // "Huỷ" right after an operation means to undo it; "thôi" ends the talk.
  const last = state.operations.at(-1);
  if (step.at !== 'idle' || !last || mild) return cancel(state, scope);
  const isDone = last.status === 'done' && scope.nowMs - last.atMs < JUST_NOW_MS;
  if (isDone) return digress(round, answer(state, { key: 'answer.undo' }, scope));
  if (last.status !== 'checking') return cancel(state, scope);
  const undo = answerFollowUp(round, { do: 'ask', about: 'answer', id: 'undo' });
  return undo ?? digress(round, showStatus(state, undefined, scope));
}
