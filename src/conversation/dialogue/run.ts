import type { Command, Fault, Field, SlotKind } from '../commands.ts';
import type { Known } from '../effect.ts';
import { confirmsIn, type Flow, type Scope } from '../flow.ts';
import { KINDS, missing, PROOF, slotCalled } from '../kinds.ts';
import { isOneTypo } from '../language/tokenizer.ts';
import { carried, isStaff, isTypingProof, showPhone, typed, withoutIdentity } from '../prompts/identity.ts';
import { oneAtATime } from '../prompts/receipts.ts';
import { after, CANCEL, type Decision, type Reply, removals, say, withLast } from '../reply.ts';
import { type Draft, type Identity, type Offer, type State, type Step, spokenOver } from '../state.ts';
import { SURE_LENGTH } from '../values/code.ts';
import { advance, ask, type Doubted, edit, hindered, plainly, retry, runningIn } from './advance.ts';
import {
  type Aside,
  aboutQuestion,
  answer,
  asked,
  cancel,
  explain,
  forget,
  help,
  languages,
  privacy,
  status,
  unsure,
  welcome,
} from './beside.ts';
import { narrow, periodFault, turn as turnPage } from './browse.ts';
import { begin as call } from './calls.ts';
import { type Change, changeOf, instead, keptLine, type ListCommand, type Slip, slipIn } from './codes.ts';
import { isInterrupted } from './operations.ts';
import { callPerson, offering, personChoice, supportLines, supportReply } from './person.ts';
import {
  again,
  aside,
  asking,
  consent,
  home,
  pointAt,
  pressed,
  question,
  unanswered,
  walkedAway,
  withMenu,
} from './questions.ts';

/*
 * The dialogue: what each command does, wherever the conversation is. Each is applied once, in order; then one question
 * stands.
 */

/** What the commands of a message came to, so far. */
type Turn = {
  readonly state: State;
  /** As the message found it. */
  readonly found: State;
  readonly commands: readonly Command[];
  /** Said before what comes next. */
  readonly said: readonly Reply[];
  /** Slots of this flow were said: it goes on. */
  readonly flow?: Flow | undefined;
  /** Slots of which it is told that they were noted. */
  readonly noted?: 'codes' | 'other' | undefined;
  readonly doubt?: Doubted | undefined;
  /** Another list or period of the page that is shown. */
  readonly narrowed?: Parameters<typeof narrow>[2] | undefined;
  /** Said beside the question, which stays. */
  readonly aside?: Aside | undefined;
  /** A phone or an e-mail came out of the blue. */
  readonly isKept?: true | undefined;
  /** A person is asked for; what else was said is kept. */
  readonly wantsPerson?: true | undefined;
};

/** Where a decision is made, the message is answered; what comes behind counts no more. */
type Next = Turn | Decision;

/** Applies the commands of a message. `isForm`: of several fields, of which nothing is told but what is wrong. */
export function run(
  stored: State,
  said: readonly Command[],
  scope: Scope,
  { isForm = false } = {},
): Decision {
  const commands = said.flatMap((one) => (one.do === 'pick' ? picked(stored, one.choice, scope) : one));
  const { offered, ...counted } = withMisses(stored, commands);
  const { notUnderstood } = stored;
  const begun = nextCustomer(counted, commands, scope);
  const flow = isForm ? runningIn(begun.state, scope) : undefined;
  const found = { ...begun.state, ...(offered && { offered }), ...(notUnderstood && { notUnderstood }) };
  let turn: Turn = { ...begun, found, commands, flow };
  for (const command of commands) {
    const next = apply(turn, command, scope);
    if ('replies' in next) return after(turn.said, next);
    turn = next;
  }
  return close(turn, scope, isForm);
}

/** A button, by its number or its words: what it says, but for what only a press does. */
function picked(state: State, choice: string, scope: Scope): readonly Command[] {
  const commands = pressed(state, choice, scope);
  // Written before the question whether to remember was shown, it agrees to nothing.
  const isPress = commands.some(
    (one) => one.do === 'confirm' || one.do === 'forget' || (one.do === 'consent' && !scope.current),
  );
  return isPress ? [] : commands;
}

/** Counts the messages in a row that were not understood. What nearly was a yes was. */
function withMisses({ misses = 0, notUnderstood, ...state }: State, commands: readonly Command[]) {
  const isMiss = commands.some((one) =>
    one.do === 'unclear'
      ? !one.wrong && !one.script && !one.maybe?.some((other) => other.do === 'yes')
      : one.do === 'ask' && one.about === 'unknown',
  );
  return isMiss ? { ...state, misses: misses + 1, ...(notUnderstood && { notUnderstood }) } : state;
}

/** What stands once all commands were applied. */
function close(turn: Turn, scope: Scope, isForm: boolean): Decision {
  const { state, said, flow, doubt, aside: beside } = turn;
  if (turn.wantsPerson) {
    const { offered: { why = 'asked', led } = {}, notUnderstood } = turn.found;
    return callPerson({ ...state, ...(notUnderstood && { notUnderstood }) }, why, scope, led);
  }
  const { step } = state;
  const page =
    turn.narrowed && step.at === 'browsing' ? narrow(state, step, turn.narrowed, scope) : undefined;
  if (page) return after(said, page);
  if (flow) {
    const all = beside ? [...said, beside.reply] : said;
    // A form comes again with what is doubtful in it, as long as something is missing.
    const lacking = missing(flow, state.draft);
    const isAsked = !isForm || lacking === undefined || lacking === doubt?.slot;
    const decision = advance(state, flow, scope, all, isAsked ? doubt : undefined);
    return { ...(isForm ? decision : noting(turn, flow, decision)), question: beside?.question };
  }
  if (beside) {
    const decision = after(said, aside(state, scope, beside.reply, beside.offered));
    // Why sharing is needed is said once.
    const isSaid = beside.reply.key === 'answer' && aboutQuestion(state, scope) === PROOF;
    return { ...(isSaid ? withLast(decision, { context: 'again' }) : decision), question: beside.question };
  }
  if (turn.isKept) {
    const menu = home({ ...state, step: { at: 'idle' } }, scope, { key: 'unsure', context: 'identity' });
    // A page that is shown can still be turned, unless staff named another customer: it would be taken for theirs.
    const stays = step.at === 'browsing' && !isStaff(scope);
    return { ...menu, state: { ...menu.state, draft: state.draft, ...(stays && { step }) } };
  }
  return again(state, scope, ...said);
}

/** What was noted, right before the question: the codes there are, or that the same question comes again. */
function noting({ noted, found, aside, commands }: Turn, flow: Flow, decision: Decision): Decision {
  const { replies, effect, state } = decision;
  const { step } = state;
  if (!noted || effect || step.at !== 'asking' || step.flow !== flow.name || aside) return decision;
  const before = found.step;
  const isAgain = before.at === 'asking' && before.flow === step.flow && before.slot === step.slot;
  if (step.offer && !isAgain) return decision;
  const { codes = [] } = state.draft;
  // Whatever is said before the question says more.
  const isBare = replies.length === 1;
  const told =
    noted === 'codes' && codes.length > 1
      ? keptLine(codes)
      : isAgain && isBare && !commands.some((one) => one.do === 'start')
        ? { key: 'noted' }
        : undefined;
  return told ? { ...decision, replies: [...replies.slice(0, -1), told, ...replies.slice(-1)] } : decision;
}

function apply(turn: Turn, command: Command, scope: Scope): Next {
  const { state } = turn;
  switch (command.do) {
    case 'start':
      return start(turn, command, scope);
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
      return changeList(turn, command, scope);
    case 'change':
      return change(turn, command, scope);
    case 'none':
      return none(turn, command.field, scope);
    case 'yes':
      return yes(turn, scope);
    case 'no':
      return no(turn, command.wrong ?? false, scope);
    case 'use':
    case 'keep':
    case 'other':
      return decide(turn, command.do, scope);
    case 'cancel':
      return stop(turn, command.mild ?? false, scope);
    case 'page':
      if (state.step.at === 'browsing') return turnPage(state, state.step, command.to, scope);
      return command.to === 'same' ? turn : misheard(turn, scope);
    case 'pick':
      return turn;
    case 'ask':
      return withPerson(turn, asked(state, command, scope), scope);
    case 'show':
      return show(turn, command.what, scope);
    case 'status':
      return beside(turn, status(state, scope, command.reference));
    case 'speak':
      return beside({ ...turn, state: { ...state, locale: command.locale } }, { key: 'language.done' });
    case 'talk':
      return talk(turn, command.about, scope);
    case 'unclear':
      return unclear(turn, command, scope);
    case 'confirm': {
      const isLive = state.step.at === 'confirming' && state.step.operation === command.operation;
      return isLive ? call(state, scope) : expired(state, scope);
    }
    case 'consent':
      return consent(state, command.given, scope);
    case 'forget':
      return forget(walkedAway(state, scope), scope);
    case 'expired':
      return expired(state, scope);
  }
}

/** The flow that this message goes on with. */
const running = ({ flow, state }: Turn, scope: Scope): Flow | undefined => flow ?? runningIn(state, scope);

const beside = (turn: Turn, reply: Reply): Turn => ({ ...turn, aside: { reply } });

/** Slots were said of a flow: it goes on. */
function said(turn: Turn, slots: Draft, scope: Scope): Turn {
  const draft = Object.fromEntries(
    Object.entries({ ...turn.state.draft, ...slots }).filter(([, value]) => value !== undefined),
  );
  return {
    ...turn,
    state: { ...turn.state, draft },
    flow: running(turn, scope),
    noted: turn.noted ?? 'other',
  };
}

/** A press or a form of a question that is over: nothing is changed. */
function expired(state: State, scope: Scope): Decision {
  const reply = { key: 'choice.expired', notice: true } as const;
  return say(
    state,
    state.step.at === 'idle' && state.view !== undefined ? withMenu(state, reply, scope) : reply,
  );
}

/*
 * Work.
 */

/** Begins a flow with what is known; says so if that ends another one. */
function start(turn: Turn, { flow: name, asked }: Extract<Command, { do: 'start' }>, scope: Scope): Next {
  const flow = scope.flows.get(name);
  if (!flow) return misheard(turn, scope);
  const { step } = turn.state;
  const left = runningIn(turn.state, scope);
  // A question speaks of a flow that would need a proof and drop what was typed: no code is lost for it.
  if (asked && left && left !== flow && turn.state.draft.codes !== undefined && flow.identity === 'proved')
    return beside(turn, { key: 'flow.first', params: { flow: { key: `flow.${left.name}` } } });
  // What else is said of the list that is shown narrows it; whom a new command of staff's is about, only they know.
  const isPage = step.at === 'browsing' && step.flow === name && !isTypingProof(scope);
  if (isPage && turn.commands.some((one) => one.do === 'period' || (one.do === 'kind' && one.of !== 'both')))
    return turn;
  return left === flow ? restart(turn, flow, scope) : begin(turn, flow, scope);
}

/** The flow at hand once more: of one that is for a gift, another gift. */
function restart(turn: Turn, flow: Flow, scope: Scope): Next {
  const { among: _, ...draft } = turn.state.draft;
  const state = { ...turn.state, draft };
  const { step } = state;
  const wait = hindered(flow, state, scope);
  if (wait) return home(state, scope, wait);
  const isAsked = step.at === 'asking' && step.slot === 'gift';
  const isOther = flow.slots.includes('gift') && !isAsked && turn.commands.length === 1;
  return isOther ? edit(state, flow, 'gift', scope) : { ...turn, state, flow };
}

function begin(turn: Turn, flow: Flow, scope: Scope): Next {
  const state = unanswered(turn.state, scope);
  const left = runningIn(state, scope);
  const told: Reply[] = left
    ? [{ key: 'flow.switched', params: { flow: { key: `flow.${left.name}` } } }]
    : [];
  const wait = hindered(flow, state, scope);
  if (wait) return after(told, home(state, scope, wait));
  const known: Draft = carried(state, scope);
  // Whoever was asked once is not asked again.
  const isSkipped = flow.slots.includes('email') && known.email === undefined && state.emailAsked;
  const draft = isSkipped ? { ...known, email: null } : known;
  const [slot = 'phone'] = flow.slots;
  const said = [...turn.said, ...told];
  return { ...turn, state: { ...state, step: asking(flow, slot), draft }, said, flow };
}

type SetIdentity = Extract<Command, { do: 'set'; slot: 'phone' | 'email' }>;

function setIdentity(turn: Turn, command: SetIdentity, scope: Scope): Next {
  if (command.proved !== undefined) return shared(turn, command, command.proved, scope);
  const { slot, value, doubt } = command;
  const flow = running(turn, scope);
  if (!flow) return keep(turn, command, scope);
  const worth = typed(value ?? '', scope);
  const counts = flow.identity === 'typed' || worth.proved;
  // What cannot be used as it is can be taken over only.
  if (doubt && counts)
    return doubted({ ...turn, flow }, slot, doubt, doubt.why === 'typo' ? value : undefined);
  if (value === undefined) return turn;
  if (!counts) return unproved(turn, { [slot]: worth }, scope);
  return said(turn, slot === 'phone' ? ofOthers(turn, worth, scope) : { email: worth }, scope);
}

/** A value is asked about; the first one of a message. */
function doubted(turn: Turn, slot: SlotKind, doubt: Omit<Offer, 'typed'>, typed: string | undefined): Turn {
  const offer = { ...doubt, ...(typed !== undefined && { typed }) };
  return { ...turn, doubt: turn.doubt ?? { slot, offer } };
}

/** Points for somebody else's number: the customer's own e-mail stays away from it, for AntCRM might join the two. */
function ofOthers({ state, commands }: Turn, phone: Known, scope: Scope): Identity {
  const { draft, profile } = state;
  const isReplaced = profile.phone !== undefined && draft.phone?.value === profile.phone.value;
  const isOthers = isReplaced && phone.value !== profile.phone?.value;
  const isSaid = commands.some((one) => one.do === 'set' && one.slot === 'email');
  const takesEmail = runningIn(state, scope)?.slots.includes('email');
  return isOthers && takesEmail && !isSaid ? { phone, email: null } : { phone };
}

/** What is typed proves nothing here, and takes no place of what does. */
function unproved(turn: Turn, known: Identity, scope: Scope): Next {
  const { state, flow } = turn;
  const { step, draft } = state;
  const isBetter = (known.phone && draft.phone?.proved) || (known.email && draft.email?.proved);
  if (flow) return isBetter ? turn : { ...turn, state: { ...state, draft: { ...draft, ...known } } };
  if (step.at === 'asking' && step.slot === 'gift')
    return faulty(turn, { kind: 'gift', reason: 'gift.unknown' }, scope);
  if (step.at === 'asking' && step.slot === 'phone')
    return withLast(retry(state, step, scope), { context: 'typed' });
  return turn.commands.length > 1 ? turn : misheard(turn, scope);
}

/** A phone or an e-mail out of the blue: kept for the flow that follows; it ends with it, or after half an hour. */
function keep(turn: Turn, { slot, value, doubt }: SetIdentity, scope: Scope): Turn {
  const state = unanswered(turn.state, scope);
  const known = value === undefined || doubt ? {} : { [slot]: typed(value, scope) };
  return { ...turn, state: { ...state, draft: { ...(turn.isKept && state.draft), ...known } }, isKept: true };
}

/**
 * A shared contact. The sender's own number is proved and replaces what was known; anybody else's is worth a typed one,
 * which adds points but reads and spends nothing.
 */
function shared(turn: Turn, { value = '', doubt }: SetIdentity, proved: boolean, scope: Scope): Next {
  const { state } = turn;
  const flow = runningIn(state, scope);
  if (!proved && flow?.identity !== 'typed') {
    const notOwn = { key: 'identity.notOwn' };
    return flow ? again(state, scope, notOwn) : home(state, scope, notOwn);
  }
  if (doubt && flow) return doubted({ ...turn, flow }, 'phone', doubt, proved ? value : undefined);
  if (doubt) return home(state, scope, { key: `phone.${doubt.why}.form` });
  const phone = { value, proved };
  const known = state.draft.phone ?? state.profile.phone;
  const isReplaced = known !== undefined && known.value !== value;
  const told: Reply = {
    key: 'identity.phone',
    context: isReplaced ? 'replaced' : undefined,
    params: { phone: showPhone(value) },
  };
  const profile = state.consent?.given && proved ? { ...state.profile, phone } : state.profile;
  const next: State = { ...state, profile, draft: { ...state.draft, phone } };
  if (flow)
    return { ...turn, state: next, flow, said: proved && isReplaced ? [...turn.said, told] : turn.said };
  // Kept for the flow that follows; it ends with it, or after half an hour.
  const menu = home(next, scope, proved ? told : { key: 'menu' });
  return { ...menu, state: { ...menu.state, draft: { phone } } };
}

/** A gift, or several that may be meant: the flow that is for gifts begins by it. */
function setGift(turn: Turn, gift: Pick<Draft, 'code' | 'among'>, scope: Scope, isSeveral = false): Next {
  const flow = running(turn, scope);
  const taking = flow?.slots.includes('gift')
    ? flow
    : scope.flows.all.find((one) => one.slots.includes('gift'));
  if (!taking) return misheard(turn, scope);
  const at = taking === flow ? turn : begin(turn, taking, scope);
  if ('replies' in at) return at;
  const slots = { code: undefined, among: undefined, price: undefined, ...gift };
  const next = { ...said(at, slots, scope), noted: gift.among ? turn.noted : ('other' as const) };
  return isSeveral ? { ...next, said: [...next.said, oneAtATime(gift.code, scope)] } : next;
}

/** Which history, of which period: of the page that is shown, or of the flow that will show one. */
function setHistory(turn: Turn, slots: Pick<Draft, 'type' | 'period'>, scope: Scope): Turn {
  const { type, period } = slots;
  const flow = running(turn, scope);
  if (!flow && turn.state.step.at === 'browsing' && type !== null && period !== null)
    return { ...turn, narrowed: { ...turn.narrowed, ...(type && { type }), ...(period && { period }) } };
  if (!flow?.slots.includes('period')) return turn.commands.length > 1 ? turn : misheard(turn, scope);
  return said(turn, slots, scope);
}

/** The codes at hand, changed; without a flow that takes codes, the one that does begins by them. */
function changeList(turn: Turn, command: ListCommand, scope: Scope): Next {
  const at = running(turn, scope);
  const taking = at?.slots.includes('codes') ? at : scope.flows.ofCodes;
  const isNew = command.do === 'add' || command.do === 'replace';
  // "Bỏ" where there is no list to take from.
  if (!taking || (!isNew && taking !== at))
    return at ? misheard(turn, scope) : cancel(walkedAway(turn.state, scope), scope);
  const here = taking === at ? turn : begin(turn, taking, scope);
  if ('replies' in here) return here;
  const { step, draft } = here.state;
  const { codes = [] } = draft;
  const offered = slipAsked(step);
  const isCorrected =
    step.at === 'asking' && step.slot === 'codes' && step.editing === true && !offered && codes.length === 1;
  const done = changeOf(isCorrected && command.do === 'add' ? [] : codes, command, offered);
  if (done.told.some(({ key }) => key === 'codes.which')) return whichCode(here.state, codes, scope);
  const [meant] = done.fresh;
  const typed = offered ? undefined : retyped(turn, command, codes);
  const slip = typed !== undefined && meant !== undefined ? { typed, meant } : undefined;
  return listed(here, codes, done, scope, slip);
}

/** Asks which code is to go: its button, or its name, says it. */
function whichCode(state: State, codes: readonly string[], { ids }: Scope): Decision {
  const view = state.view ?? ids.view;
  const choices = [...removals(codes), CANCEL];
  return say({ ...state, view }, { key: 'codes.which', choices, asks: 'code', view });
}

/** The code that a single other one may have been typed for once more: too short, or with a letter too many or too few. */
function retyped(
  { found, commands }: Turn,
  command: ListCommand,
  codes: readonly string[],
): string | undefined {
  const [code = '', ...more] = command.do === 'add' ? command.codes : [];
  const isBare = code !== '' && more.length === 0 && commands.length === 1 && !codes.includes(code);
  if (!isBare || found.step.at === 'idle') return undefined;
  const [short = '', ...others] = codes;
  const isShort = short !== '' && others.length === 0 && short.length < SURE_LENGTH;
  // Followed by another, it may have been a slip.
  if (isShort && found.step.at === 'asking') return short;
  return codes.find((one) => one.length !== code.length && isOneTypo(one, code));
}

/** The list is another one: the flow goes on with it, unless a code of it is to be asked about. */
function listed(
  turn: Turn,
  before: readonly string[],
  { codes, fresh, told }: Change,
  scope: Scope,
  slip?: Slip | undefined,
): Turn {
  const offered = slipAsked(turn.state.step);
  const isOver = offered !== undefined && !codes.includes(offered.typed);
  const suspects = isOver ? [...fresh, ...behind(before, offered.typed)] : fresh;
  const doubt =
    slip ?? (offered && !isOver ? undefined : slipIn(codes, suspects, scope.settings.codePrefixes));
  const next: Turn = {
    ...said(isOver ? undoubted(turn) : turn, { codes: codes.length > 0 ? [...codes] : undefined }, scope),
    said: [...turn.said, ...told],
    noted: codes.length > 0 ? 'codes' : 'other',
  };
  return doubt ? doubted(next, 'codes', { why: 'code', meant: doubt.meant }, doubt.typed) : next;
}

/** The code that is asked about. */
function slipAsked(step: Step): Slip | undefined {
  const offer = step.at === 'asking' ? step.offer : undefined;
  return offer?.why === 'code' ? { typed: offer.typed ?? '', meant: offer.meant } : undefined;
}

/** The state without what was asked about. */
function undecided(state: State): State {
  if (state.step.at !== 'asking') return state;
  const { offer: _, ...step } = state.step;
  return { ...state, step };
}

const undoubted = (turn: Turn): Turn => ({ ...turn, state: undecided(turn.state) });

/** The codes behind one of a list: of those none was asked about yet. */
const behind = (codes: readonly string[], code: string): readonly string[] =>
  codes.slice(codes.indexOf(code) + 1);

/** Asks for a value again: at the summary, or of what was said before. */
function change(turn: Turn, { field }: Extract<Command, { do: 'change' }>, scope: Scope): Next {
  const { state } = turn;
  const { step, draft } = state;
  const flow = running(turn, scope);
  if (!flow) return misheard(turn, scope);
  if (step.at === 'asking' && step.offer && field === undefined) return decide(turn, 'other', scope);
  const slot = field && slotCalled(flow, field);
  if (slot === 'codes' && (draft.codes ?? []).length > 1)
    return again(state, scope, { key: 'codes.which', context: 'edit' });
  if (step.at === 'confirming') {
    const [only, ...others] = editable(flow, draft);
    const named = slot ? editable(flow, draft).find((one) => one === slot) : only;
    return named && (slot || others.length === 0)
      ? edit(state, flow, named, scope)
      : again(state, scope, { key: 'confirm.edit' });
  }
  if (step.at === 'asking' && (slot === undefined || slot === step.slot)) return plainly(state, step, scope);
  return slot && draft[KINDS[slot].slot] != null ? edit(state, flow, slot, scope) : turn;
}

/** What the summary of a flow lets customers change. */
function editable(flow: Flow, draft: Draft): readonly SlotKind[] {
  const edits = confirmsIn(flow)?.edits(draft) ?? [];
  return flow.slots.filter((slot) => edits.some(({ id }) => id === `edit:${KINDS[slot].field}`));
}

/** There is none: of the field that is named, or of what is asked. */
function none(turn: Turn, field: Field | undefined, scope: Scope): Next {
  const { state } = turn;
  const { step, draft } = state;
  const flow = running(turn, scope);
  if (field === 'email' && flow?.slots.includes('email')) return said(turn, { email: null }, scope);
  if (step.at === 'consenting') return consent(state, false, scope);
  if (step.at === 'confirming') return again(state, scope, { key: 'confirm.edit' });
  if (step.at !== 'asking' || !flow) return misheard(turn, scope);
  if (step.offer && step.slot !== 'email') return decide(turn, 'other', scope);
  switch (KINDS[step.slot].no) {
    case 'none':
      return said(undoubted(turn), { email: null }, scope);
    case 'back':
      return KINDS[step.slot].isMissing(draft, flow) ? cancel(state, scope) : { ...turn, flow };
    case 'explain':
      return beside(turn, explain(state, scope).reply);
  }
}

/*
 * Answers.
 */

function yes(turn: Turn, scope: Scope): Next {
  const { state } = turn;
  // Written before the offer was shown, it agrees to nothing.
  if (turn.found.offered && scope.current) return { ...turn, wantsPerson: true };
  const { step } = state;
  switch (step.at) {
    case 'asking':
      return step.offer ? decide(turn, 'use', scope) : plainly(state, step, scope);
    case 'confirming':
      return confirmedByWord(state, step, scope);
    case 'consenting':
      // Written before the question was shown, it agrees to nothing.
      return scope.current ? consent(state, true, scope) : again(state, scope);
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
function confirmedByWord(state: State, step: Extract<Step, { at: 'confirming' }>, scope: Scope): Decision {
  const flow = scope.flows.get(step.flow);
  if (!flow) return again(state, scope);
  const answers = scope.current ? step.last : undefined;
  if (confirmsIn(flow)?.byWord && (answers === 'summary' || isInterrupted(state, scope)))
    return call(state, scope);
  if (answers === 'edit') return cancel(state, scope);
  // Written before the summary came, it is asked for once more.
  return pointAt(step.last === 'summary' ? state : spokenOver(state), flow, scope);
}

function no(turn: Turn, isWrong: boolean, scope: Scope): Next {
  const { state } = turn;
  const { step } = state;
  if (step.at === 'idle' || step.at === 'browsing') return beside(turn, { key: 'later' });
  if (step.at !== 'asking') return none(turn, undefined, scope);
  if (step.offer) return decide(turn, isKept(step.offer) ? 'keep' : 'other', scope);
  return isWrong ? plainly(state, step, scope) : none(turn, undefined, scope);
}

/** Whether a no to what is offered keeps what was written. */
const isKept = ({ why, typed }: Offer) => typed !== undefined && (why === 'typo' || why === 'code');

/** What is asked about is taken over, kept as it was typed, or neither: then it is asked for anew. */
function decide(turn: Turn, choice: 'use' | 'keep' | 'other', scope: Scope): Next {
  const { step } = turn.state;
  const flow = running(turn, scope);
  if (step.at !== 'asking' || !step.offer || !flow) return turn;
  const { why, meant, typed: written } = step.offer;
  if (why === 'code') return decideCode(turn, flow, { typed: written ?? '', meant }, choice, scope);
  const decided = undoubted(turn);
  const slot = why === 'typo' ? 'email' : 'phone';
  const taken = choice === 'use' ? meant : choice === 'keep' && slot === 'email' ? written : undefined;
  if (taken === undefined) return (step.editing ? edit : ask)(decided.state, flow, step.slot, scope);
  // What was shared is as good as proved under its new number.
  const isShared = slot === 'phone' && written !== undefined;
  return said(decided, { [slot]: isShared ? { value: taken, proved: true } : typed(taken, scope) }, scope);
}

function decideCode(
  turn: Turn,
  flow: Flow,
  { typed, meant }: Slip,
  choice: 'use' | 'keep' | 'other',
  scope: Scope,
): Next {
  const { codes = [] } = turn.state.draft;
  const all = codes.includes(typed) ? codes : [...codes, typed];
  const rest = behind(all, typed);
  const decided = undoubted(turn);
  if (choice === 'use') {
    const done = { codes: instead(all, [typed], [meant]), fresh: [meant, ...rest], told: [] };
    return listed(decided, all, done, scope);
  }
  if (choice === 'keep' && !typed.includes(' '))
    return listed(decided, all, { codes: all, fresh: rest, told: [] }, scope);
  const left = all.filter((code) => code !== typed);
  const { state } = said(decided, { codes: left.length > 0 ? left : undefined }, scope);
  return ask(state, flow, 'codes', scope);
}

const JUST_NOW_MS = 10 * 60_000;

/** Ends what is going on, or skips what may be skipped. */
function stop(turn: Turn, isMild: boolean, scope: Scope): Next {
  const { state } = turn;
  const { step } = state;
  if (step.at === 'consenting') return consent(state, false, scope);
  const flow = step.at === 'asking' ? scope.flows.get(step.flow) : undefined;
  if (isMild && step.at === 'asking' && flow && KINDS[step.slot].no !== 'explain')
    return none(turn, undefined, scope);
  // What was done a moment ago is what is to be undone.
  const last = state.operations.at(-1);
  const isDone = step.at === 'idle' && last?.status === 'done' && scope.nowMs - last.atMs < JUST_NOW_MS;
  return isDone ? { ...turn, aside: answer(state, 'answer.undo', scope) } : cancel(state, scope);
}

/*
 * Beside it.
 */

function show(turn: Turn, what: Extract<Command, { do: 'show' }>['what'], scope: Scope): Next {
  const { state } = turn;
  const away = () => walkedAway(state, scope);
  switch (what) {
    case 'welcome':
      return welcome(away(), scope);
    case 'menu':
      return home(away(), scope, { key: 'menu' });
    case 'help':
      return beside(turn, help(state, scope));
    case 'person':
      return { ...turn, wantsPerson: true };
    case 'offer':
    case 'complaint': {
      const context = what === 'offer' ? 'mentioned' : what;
      const offer = { key: 'person.offer', context, lines: supportLines(scope) };
      const reply = scope.settings.handover ? offer : supportReply(scope);
      return withPerson(turn, { reply }, scope);
    }
    case 'privacy':
    case 'erasing':
      return privacy(state, what === 'erasing', scope);
    case 'languages':
      return languages(state, scope);
  }
}

function talk(turn: Turn, about: Extract<Command, { do: 'talk' }>['about'], scope: Scope): Next {
  const { state } = turn;
  switch (about) {
    case 'greeting':
      return state.step.at === 'idle' ? welcome(state, scope) : beside(turn, { key: 'greet' });
    case 'bye':
      return home(walkedAway(state, scope), scope, { key: 'bye' });
    case 'upset':
      return withPerson(turn, { reply: { key: 'upset', lines: supportLines(scope) } }, scope);
    case 'remark':
      return turn;
    case 'thanks':
    case 'wait':
      return beside(turn, { key: about });
  }
}

const misheard = (turn: Turn, scope: Scope): Turn =>
  turn.flow || turn.aside ? turn : withPerson(turn, unsure(turn.state, { do: 'unclear' }, scope), scope);

/** Not understood; or understood as the value that is asked for, and wrong. */
function unclear(turn: Turn, command: Extract<Command, { do: 'unclear' }>, scope: Scope): Next {
  const { state } = turn;
  const { step } = state;
  const { wrong, script, maybe = [] } = command;
  if (script) return beside(turn, { key: 'language.unknown' });
  if (wrong) return faulty(turn, wrong, scope);
  if (turn.flow || turn.aside) return turn;
  const isYes = maybe.some((one) => one.do === 'yes');
  if (step.at === 'consenting') return isYes ? turn : beside(turn, explain(state, scope).reply);
  const flow = step.at === 'confirming' ? scope.flows.get(step.flow) : undefined;
  if (isYes && flow) return pointAt(spokenOver(state), flow, scope);
  return withPerson(turn, unsure(state, command, scope), scope);
}

/** What is said beside, with the button for a person where it offers one. */
function withPerson(turn: Turn, aside: Aside, scope: Scope): Turn {
  const { key, context } = aside.reply;
  const isComplaint = key === 'upset' || context === 'complaint';
  if (key !== 'person.offer' && !isComplaint) return { ...turn, aside };
  const offered = [...personChoice(scope), ...(aside.offered ?? [])];
  return {
    ...turn,
    state: offering(turn.state, isComplaint ? 'complaint' : 'asked', scope),
    aside: { ...aside, offered },
  };
}

/** Says what is wrong with a value: with an answer, and asks again; with one that came along, and goes on. */
function faulty(turn: Turn, { kind, reason }: Fault, scope: Scope): Next {
  const { state } = turn;
  const { step } = state;
  const flow = running(turn, scope);
  const reply: Reply = kind === 'period' ? periodFault(reason, scope) : { key: reason };
  const isNew = turn.flow !== undefined && turn.found.step !== step;
  // Staff name a customer by either.
  const isEither = kind === 'email' && flow?.identity === 'proved';
  if (step.at === 'asking' && flow && !isNew && (step.slot === kind || (isEither && step.slot === 'phone'))) {
    // Where only sharing proves, nothing typed is wrong or right.
    const isProof = step.slot === 'phone' && flow.identity === 'proved' && !isTypingProof(scope);
    return retry(state, step, scope, isProof ? undefined : reply);
  }
  if (step.at === 'browsing' && kind === 'period' && !flow)
    return say(state, { ...question(state, scope), ...reply });
  const told = { ...turn, said: [...turn.said, reply] };
  if (kind === 'period' && flow?.slots.includes('period'))
    return said({ ...told, noted: undefined }, { period: null }, scope);
  return flow ? { ...told, flow } : beside(turn, reply);
}

/*
 * Staff's customers.
 */

/**
 * Staff who name somebody else serve the next customer: nothing of the one before goes on. Who is another one is decided
 * here: whose phone or whose e-mail differs; what reads or spends is about the one that is named, and about nobody else.
 */
function nextCustomer(
  state: State,
  commands: readonly Command[],
  scope: Scope,
): { readonly state: State; readonly said: readonly Reply[] } {
  const { draft, step } = state;
  const isProved = runningIn(state, scope)?.identity === 'proved';
  const isOther = commands.some((one) => {
    if (one.do !== 'set' || one.slot === 'gift' || one.value === undefined) return false;
    const known = draft[one.slot];
    return known ? known.value !== one.value : isProved && (draft.phone ?? draft.email) != null;
  });
  const bringsCodes = commands.some((one) => one.do === 'add');
  const isCorrection = step.at === 'asking' && step.editing === true && !bringsCodes;
  if (!isStaff(scope) || !isOther || isCorrection) return { state, said: [] };
  const next = withoutIdentity(state);
  const { codes, ...rest } = next.draft;
  if (!bringsCodes || !codes) return { state: next, said: [] };
  const told = { key: 'codes.removed', params: { code: codes.join(', ') } };
  return { state: { ...undecided(next), draft: rest }, said: [told] };
}
