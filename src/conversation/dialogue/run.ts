import type { Command, SlotKind } from '../commands.ts';
import { after, type Decision, say, withLast } from '../decision.ts';
import { confirmsIn, type Flow, type Scope } from '../flow.ts';
import { KINDS, PROOF, slotCalled } from '../kinds.ts';
import { isOneTypo } from '../language/typo.ts';
import { carried, typed, withoutIdentity } from '../prompts/identity.ts';
import { showPhone } from '../prompts/mask.ts';
import { periodFault, periodNoted } from '../prompts/pages.ts';
import type { Choice, Reply } from '../reply.ts';
import type { ConversationState, Draft, Identity, Offer, Step } from '../state.ts';
import { advance, edit, plainly, retry, runningIn } from './advance.ts';
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
  speak,
  status,
  supportLines,
  unsure,
  welcome,
} from './beside.ts';
import { narrow, turn as turnPage } from './browse.ts';
import { isInterrupted } from './calls.ts';
import { type Change, changeOf, instead, keptLine, type ListCommand, type Slip, slipIn } from './codes.ts';
import { begin as call } from './confirmation.ts';
import { consent, unanswered, walkedAway } from './consent.ts';
import { hindered } from './guards.ts';
import { pressed } from './live.ts';
import {
  again,
  aside,
  asking,
  home,
  homeWithShortcuts,
  pointAt,
  pose,
  question,
  withMenu,
} from './questions.ts';

/*
 * The dialogue: what each command does, wherever the conversation is. Each is applied once, in order; then one question
 * stands.
 */

/** What the commands of a message came to, so far. */
type Turn = {
  readonly state: ConversationState;
  /** As the message found it. */
  readonly found: ConversationState;
  readonly commands: readonly Command[];
  /** Said before what comes next. */
  readonly said: readonly Reply[];
  /** Slots of this flow were said: it goes on. */
  readonly flow?: Flow | undefined;
  /** Slots of which it is told that they were noted. */
  readonly noted?: 'codes' | 'other' | undefined;
  /** A value to be asked about, once its slot is. */
  readonly doubt?: { readonly slot: SlotKind; readonly offer: Offer } | undefined;
  /** Another list or period of the page that is shown. */
  readonly narrowed?: Parameters<typeof narrow>[2] | undefined;
  /** Said beside the question, which stays. */
  readonly aside?: Aside | undefined;
  /** A phone or an e-mail came out of the blue. */
  readonly isKept?: true | undefined;
  /** Buttons of what it may have been. */
  readonly offered?: readonly Choice[] | undefined;
  /** The message is answered; what comes behind counts no more. */
  readonly end?: Decision | undefined;
};

/** Applies the commands of a message. `isForm`: of several fields, of which nothing is told but what is wrong. */
export function run(
  stored: ConversationState,
  commands: readonly Command[],
  scope: Scope,
  { isForm = false } = {},
): Decision {
  const counted = withMisses(stored, commands);
  const { state, said } = nextCustomer(counted, commands, scope);
  const flow = isForm ? runningIn(state, scope) : undefined;
  const begun: Turn = { state, found: state, commands, said, flow };
  const done = commands.reduce((so, command) => (so.end ? so : apply(so, command, scope)), begun);
  return close(isForm ? { ...done, noted: undefined } : done, scope);
}

/** Counts the messages in a row that were not understood. What nearly was a yes was. */
function withMisses({ misses = 0, ...state }: ConversationState, commands: readonly Command[]) {
  const isMiss = commands.some((one) =>
    one.do === 'unclear'
      ? !one.wrong && !one.script && !one.maybe?.some((other) => other.do === 'yes')
      : one.do === 'ask' && one.about === 'unknown',
  );
  return isMiss ? { ...state, misses: misses + 1 } : state;
}

/** What stands once all commands were applied. */
function close(turn: Turn, scope: Scope): Decision {
  const { state, said, flow } = turn;
  if (turn.end) return after(said, turn.end);
  const { step } = state;
  const page =
    turn.narrowed && step.at === 'browsing' ? narrow(state, step, turn.narrowed, scope) : undefined;
  if (page) return after(said, page);
  if (flow) {
    const beside = turn.aside ? [turn.aside.reply] : [];
    const decision = advance(state, flow, scope, ...said, ...beside);
    return { ...noting(turn, flow, doubted(turn, flow, decision, scope)), question: turn.aside?.question };
  }
  if (turn.isKept && !turn.aside) {
    const menu = home({ ...state, step: { at: 'idle' } }, scope, { key: 'unsure', context: 'identity' });
    // A page that is shown can still be turned, unless staff named another customer: it would be taken for theirs.
    const stays = step.at === 'browsing' && !typed('', scope).proved;
    return { ...menu, state: { ...menu.state, draft: state.draft, ...(stays && { step }) } };
  }
  if (turn.aside) {
    const decision = after(said, aside(state, scope, turn.aside.reply));
    const { offered = [] } = turn;
    const others = decision.replies.at(-1)?.choices ?? [];
    const choices = [...offered, ...others.filter(({ id }) => !offered.some((one) => one.id === id))];
    const offering = offered.length > 0 ? withLast(decision, { choices }) : decision;
    // Why sharing is needed is said once.
    const isSaid = turn.aside.reply.key === 'answer' && aboutQuestion(state, scope) === PROOF;
    return {
      ...(isSaid ? withLast(offering, { context: 'again' }) : offering),
      ...(turn.aside.question && { question: turn.aside.question }),
    };
  }
  return state.step.at === 'idle' && state.view === undefined
    ? after(said, home(state, scope, { key: 'menu' }))
    : again(state, scope, ...said);
}

/** Where the next question is the slot that a doubtful value was given for, or a summary, asks about that value. */
function doubted({ doubt }: Turn, flow: Flow, decision: Decision, scope: Scope): Decision {
  const { state, replies, effect } = decision;
  const { step } = state;
  if (!doubt || effect) return decision;
  const isAsked =
    step.at === 'asking' && !step.offer && (step.slot === doubt.slot || flow.identity === 'proved');
  if (!isAsked && step.at !== 'confirming') return decision;
  const asked = isAsked ? step : asking(flow, doubt.slot);
  return after(replies.slice(0, -1), pose(state, { ...asked, offer: doubt.offer }, scope));
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

function apply(turn: Turn, command: Command, scope: Scope): Turn {
  const { state } = turn;
  // How many of one gift says nothing of another.
  const another = state.draft.code === undefined ? {} : { wanted: undefined };
  switch (command.do) {
    case 'start':
      return start(turn, command, scope);
    case 'set':
      return command.slot === 'gift'
        ? setGift(turn, { code: command.value, among: undefined, price: undefined, ...another }, scope)
        : setIdentity(turn, command, scope);
    case 'among':
      return setGift(
        turn,
        { among: [...command.gifts], code: undefined, price: undefined, wanted: undefined },
        scope,
      );
    case 'many': {
      const wanted = command.count > 1 ? command.count : undefined;
      return running(turn, scope)?.slots.includes('gift')
        ? said(turn, { wanted }, scope)
        : misheard(turn, scope);
    }
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
      if (state.step.at === 'browsing')
        return { ...turn, end: turnPage(state, state.step, command.to, scope) };
      return command.to === 'same' ? turn : misheard(turn, scope);
    case 'pick':
      return pick(turn, command.choice, scope);
    case 'ask':
      return { ...turn, aside: asked(state, command, scope) };
    case 'show':
      return show(turn, command.what, scope);
    case 'status':
      return { ...turn, end: status(state, scope, command.reference) };
    case 'speak':
      return { ...turn, end: speak(state, command.locale, scope) };
    case 'talk':
      return talk(turn, command.about, scope);
    case 'unclear':
      return unclear(turn, command, scope);
    case 'confirm': {
      const isLive = state.step.at === 'confirming' && state.step.operation === command.operation;
      return { ...turn, end: isLive ? call(state, scope) : expired(state, scope) };
    }
    case 'consent':
      return { ...turn, end: consent(state, command.given, scope) };
    case 'forget':
      return { ...turn, end: forget(walkedAway(state, scope), scope) };
    case 'expired':
      return { ...turn, end: expired(state, scope) };
  }
}

/** The flow that this message goes on with. */
const running = ({ flow, state }: Turn, scope: Scope): Flow | undefined => flow ?? runningIn(state, scope);

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
function expired(state: ConversationState, scope: Scope): Decision {
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
function start(turn: Turn, { flow: name, asked }: Extract<Command, { do: 'start' }>, scope: Scope): Turn {
  const flow = scope.flows.get(name);
  if (!flow) return misheard(turn, scope);
  const { step } = turn.state;
  const left = runningIn(turn.state, scope);
  // A question speaks of a flow that would need a proof and drop what was typed: no code is lost for it.
  if (asked && left && left !== flow && turn.state.draft.codes !== undefined && flow.identity === 'proved') {
    const params = { flow: { key: `flow.${left.name}` } };
    return { ...turn, aside: { reply: { key: 'flow.first', params } } };
  }
  // What else is said of the list that is shown narrows it; whom a new command of staff's is about, only they know.
  const isPage = step.at === 'browsing' && step.flow === name && !typed('', scope).proved;
  if (isPage && turn.commands.some((one) => one.do === 'period' || (one.do === 'kind' && one.of !== 'both')))
    return turn;
  if (left === flow) return restart(turn, flow, scope);
  return begin(turn, flow, scope);
}

/** The flow at hand once more: of one that is for a gift, another gift. */
function restart(turn: Turn, flow: Flow, scope: Scope): Turn {
  const { state, commands } = turn;
  const wait = hindered(flow, state, scope);
  if (wait) return { ...turn, end: home(state, scope, wait) };
  const { among: _, ...draft } = state.draft;
  const next = { ...turn, state: { ...state, draft }, flow };
  const isAsked = state.step.at === 'asking' && state.step.slot === 'gift';
  const isOther = flow.slots.includes('gift') && !isAsked && commands.length === 1;
  return isOther ? { ...next, end: edit(next.state, flow, 'gift', scope) } : next;
}

function begin(turn: Turn, flow: Flow, scope: Scope): Turn {
  const state = unanswered(turn.state, scope);
  const left = runningIn(state, scope);
  const told: Reply[] = left
    ? [{ key: 'flow.switched', params: { flow: { key: `flow.${left.name}` } } }]
    : [];
  const switched = { ...turn, said: [...turn.said, ...told] };
  const wait = hindered(flow, state, scope);
  if (wait) return { ...switched, end: home(state, scope, wait) };
  const known: Draft = carried(state, scope);
  // Whoever was asked once is not asked again; staff have another customer before them each time.
  const wasAsked = state.emailAsked === true && scope.sender.proof !== 'token';
  const isSkipped = flow.slots.includes('email') && known.email === undefined && wasAsked;
  const draft = isSkipped ? { ...known, email: null } : known;
  const [slot = 'phone'] = flow.slots;
  return { ...switched, state: { ...state, step: asking(flow, slot), draft }, flow };
}

type SetIdentity = Extract<Command, { do: 'set'; slot: 'phone' | 'email' }>;

function setIdentity(turn: Turn, command: SetIdentity, scope: Scope): Turn {
  if (command.proved !== undefined && command.slot === 'phone')
    return shared(turn, command, command.proved, scope);
  const { slot, value, doubt } = command;
  const flow = running(turn, scope);
  if (!flow) return keep(turn, command, scope);
  const worth = typed(value ?? '', scope);
  const counts = flow.identity === 'typed' || worth.proved;
  if (doubt && counts) {
    // What cannot be used as it is can be taken over only.
    const isKept = doubt.why === 'typo' && value !== undefined;
    const offer: Offer = { why: doubt.why, value: doubt.meant, ...(isKept && { typed: value }) };
    return { ...turn, flow, doubt: { slot, offer } };
  }
  if (value === undefined) return turn;
  if (!counts) return unproved(turn, { [slot]: worth }, scope);
  return said(turn, slot === 'phone' ? ofOthers(turn, worth, scope) : { email: worth }, scope);
}

/** Points for somebody else's number: the customer's own e-mail stays away from it, for AntCRM might join the two. */
function ofOthers({ state, commands }: Turn, phone: NonNullable<Identity['phone']>, scope: Scope): Identity {
  const { draft, profile } = state;
  const isReplaced = profile.phone !== undefined && draft.phone?.value === profile.phone.value;
  const isOthers = isReplaced && phone.value !== profile.phone?.value;
  const isSaid = commands.some((one) => one.do === 'set' && one.slot === 'email');
  const takesEmail = runningIn(state, scope)?.slots.includes('email');
  return isOthers && takesEmail && !isSaid ? { phone, email: null } : { phone };
}

/** What is typed proves nothing here, and takes no place of what does. */
function unproved(turn: Turn, known: Identity, scope: Scope): Turn {
  const { state, flow } = turn;
  const { step, draft } = state;
  const isBetter = (known.phone && draft.phone?.proved) || (known.email && draft.email?.proved);
  if (flow) return isBetter ? turn : { ...turn, state: { ...state, draft: { ...draft, ...known } } };
  if (step.at === 'asking' && step.slot === 'gift')
    return faulty(turn, { kind: 'gift', reason: 'gift.unknown' }, scope);
  if (step.at !== 'asking' || step.slot !== 'phone')
    return turn.commands.length > 1 ? turn : misheard(turn, scope);
  return { ...turn, end: withLast(retry(state, step, scope), { context: 'typed' }) };
}

/** A phone or an e-mail out of the blue: kept for the flow that follows; it ends with it, or after half an hour. */
function keep(turn: Turn, { slot, value, doubt }: SetIdentity, scope: Scope): Turn {
  const state = unanswered(turn.state, scope);
  const known = value === undefined || doubt ? {} : { [slot]: typed(value, scope) };
  const draft: Draft = { ...(turn.isKept && state.draft), ...known };
  return { ...turn, state: { ...state, draft }, isKept: true };
}

/**
 * A shared contact. The sender's own number is proved and replaces what was known; anybody else's is worth a typed one,
 * which adds points but reads and spends nothing.
 */
function shared(turn: Turn, { value = '', doubt }: SetIdentity, own: boolean, scope: Scope): Turn {
  const state = unanswered(turn.state, scope);
  const flow = runningIn(state, scope);
  if (!own && flow?.identity !== 'typed') {
    const notOwn = { key: 'identity.notOwn' };
    return { ...turn, end: flow ? again(state, scope, notOwn) : home(state, scope, notOwn) };
  }
  if (doubt) {
    const offer: Offer = { why: doubt.why, value: doubt.meant, ...(own && { typed: value }) };
    if (flow && !slipAsked(state.step))
      return { ...turn, end: pose(state, asking(flow, 'phone', { offer }), scope) };
    const renumbered = { key: `phone.${doubt.why}.form` };
    return { ...turn, end: flow ? again(state, scope, renumbered) : home(state, scope, renumbered) };
  }
  const phone = { value, proved: own };
  const known = state.draft.phone ?? state.profile.phone;
  const isReplaced = known !== undefined && known.value !== phone.value;
  const told: Reply = {
    key: 'identity.phone',
    context: isReplaced ? 'replaced' : undefined,
    params: { phone: showPhone(phone.value) },
  };
  const profile = state.consent?.given && own ? { ...state.profile, phone } : state.profile;
  const next: ConversationState = { ...state, profile, draft: { ...state.draft, phone } };
  if (flow) {
    const before = own && isReplaced ? [told] : [];
    return { ...turn, state: next, flow, said: [...turn.said, ...before] };
  }
  const menu = home(next, scope, own ? told : { key: 'menu' });
  // Kept for the flow that follows; it ends with it, or after half an hour.
  return { ...turn, end: { ...menu, state: { ...menu.state, draft: { phone } } } };
}

/** A gift, several that may be meant: the flow that is for gifts begins by it. */
function setGift(turn: Turn, slots: Draft, scope: Scope): Turn {
  const flow = running(turn, scope);
  const taking = flow?.slots.includes('gift')
    ? flow
    : scope.flows.all.find((one) => one.slots.includes('gift'));
  if (!taking) return misheard(turn, scope);
  const at = taking === flow ? turn : begin(turn, taking, scope);
  if (at.end) return at;
  const told = said(at, slots, scope);
  return slots.among ? { ...told, noted: turn.noted } : told;
}

/** Which history, of which period: of the page that is shown, or of the flow that will show one. */
function setHistory(turn: Turn, slots: Pick<Draft, 'type' | 'period'>, scope: Scope): Turn {
  const { state } = turn;
  const { type, period } = slots;
  const flow = running(turn, scope);
  if (!flow && state.step.at === 'browsing' && type !== null && period !== null)
    return { ...turn, narrowed: { ...turn.narrowed, ...(type && { type }), ...(period && { period }) } };
  if (!flow?.slots.includes('period')) return turn.commands.length > 1 ? turn : misheard(turn, scope);
  const isAtProof = turn.found.step.at === 'asking' && turn.found.step.slot === 'phone';
  const heard = period && isAtProof && turn.commands.length === 1 ? [periodNoted(period, scope)] : [];
  return said({ ...turn, said: [...turn.said, ...heard] }, slots, scope);
}

/** The codes at hand, changed; without a flow that takes codes, the one that does begins by them. */
function changeList(turn: Turn, command: ListCommand, scope: Scope): Turn {
  const at = running(turn, scope);
  const taking = at?.slots.includes('codes') ? at : scope.flows.taking('codes');
  const isNew = command.do === 'add' || command.do === 'replace';
  // "Bỏ" where there is no list to take from.
  if (!taking || (!isNew && taking !== at))
    return at ? misheard(turn, scope) : { ...turn, end: cancel(walkedAway(turn.state, scope), scope) };
  const here = taking === at ? turn : begin(turn, taking, scope);
  if (here.end) return here;
  const { step, draft } = here.state;
  const { codes = [] } = draft;
  const offered = slipAsked(step);
  const isCorrected =
    step.at === 'asking' && step.slot === 'codes' && step.editing === true && !offered && codes.length === 1;
  const typed = offered ? undefined : retyped(turn, command, codes);
  const done = changeOf(isCorrected && command.do === 'add' ? [] : codes, command, offered);
  const [value] = done.fresh;
  const slip = typed !== undefined && value !== undefined ? { typed, value } : undefined;
  return listed(here, codes, done, scope, slip);
}

/** As long as codes are that need no announcement; a shorter one that is followed by another may have been a slip. */
const SURE_LENGTH = 6;

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
  const { step } = turn.state;
  const offered = slipAsked(step);
  const isOver = offered !== undefined && !codes.includes(offered.typed);
  const suspects = isOver ? [...fresh, ...behind(before, offered.typed)] : fresh;
  const doubt =
    slip ?? (offered && !isOver ? undefined : slipIn(codes, suspects, scope.settings.codePrefixes));
  const next = said(turn, { codes: codes.length > 0 ? [...codes] : undefined }, scope);
  const flow = next.flow;
  const decided = isOver ? undecided(next.state) : next.state;
  const asked = doubt && flow && asking(flow, 'codes', { offer: { why: 'code', ...doubt } });
  return {
    ...next,
    state: asked ? { ...decided, step: asked } : decided,
    said: [...turn.said, ...told],
    noted: codes.length > 0 ? 'codes' : 'other',
  };
}

/** The code that is asked about. */
function slipAsked(step: Step): Slip | undefined {
  const offer = step.at === 'asking' ? step.offer : undefined;
  return offer?.why === 'code' && offer.typed !== undefined
    ? { typed: offer.typed, value: offer.value }
    : undefined;
}

/** The state without what was asked about. */
function undecided(state: ConversationState): ConversationState {
  if (state.step.at !== 'asking') return state;
  const { offer: _, ...step } = state.step;
  return { ...state, step };
}

/** The codes behind one of a list: of those none was asked about yet. */
const behind = (codes: readonly string[], code: string): readonly string[] =>
  codes.slice(codes.indexOf(code) + 1);

/** Asks for a value again: at the summary, or of what was said before. */
function change(turn: Turn, { field }: Extract<Command, { do: 'change' }>, scope: Scope): Turn {
  const { state } = turn;
  const { step, draft } = state;
  const flow = running(turn, scope);
  if (!flow) return misheard(turn, scope);
  if (step.at === 'asking' && step.offer && field === undefined) return decide(turn, 'other', scope);
  const slot = field && slotCalled(flow, field);
  const isThere = slot !== undefined && draft[KINDS[slot].slot] != null;
  if (slot === 'codes' && (draft.codes ?? []).length > 1)
    return { ...turn, end: again(state, scope, { key: 'codes.which', context: 'edit' }) };
  if (step.at === 'confirming') {
    const [only, ...others] = editable(flow, draft);
    const wanted = field ?? (others.length === 0 ? only : undefined);
    const named = editable(flow, draft).find((one) => one === wanted);
    const edited = named && slotCalled(flow, named);
    return edited
      ? { ...turn, end: edit(state, flow, edited, scope) }
      : { ...turn, end: again(state, scope, { key: 'confirm.edit' }) };
  }
  if (step.at === 'asking' && (slot === undefined || slot === step.slot))
    return { ...turn, end: plainly(state, step, scope) };
  return isThere && slot ? { ...turn, end: edit(state, flow, slot, scope) } : turn;
}

/** What the summary of a flow lets customers change, as they call it. */
function editable(flow: Flow, draft: Draft) {
  const edits = confirmsIn(flow)?.edits(draft) ?? [];
  return (['code', 'phone', 'email'] as const).filter((field) =>
    edits.some(({ id }) => id === `edit:${field}`),
  );
}

/** There is none: of the field that is named, or of what is asked. */
function none(turn: Turn, field: 'code' | 'phone' | 'email' | undefined, scope: Scope): Turn {
  const { state } = turn;
  const { step, draft } = state;
  const flow = running(turn, scope);
  const takesEmail = flow?.slots.includes('email') ?? false;
  if (field === 'email' && takesEmail) return said(turn, { email: null }, scope);
  if (step.at === 'consenting') return { ...turn, end: consent(state, false, scope) };
  if (step.at === 'confirming') return { ...turn, end: again(state, scope, { key: 'confirm.edit' }) };
  if (step.at !== 'asking' || !flow) return misheard(turn, scope);
  if (step.offer && step.slot !== 'email') return decide(turn, 'other', scope);
  switch (KINDS[step.slot].no) {
    case 'none':
      return said(undoubted(turn), { email: null }, scope);
    case 'back':
      return KINDS[step.slot].isMissing(draft, flow)
        ? { ...turn, end: cancel(state, scope) }
        : { ...turn, flow };
    case 'explain':
      return { ...turn, aside: { reply: explain(state, scope).reply } };
  }
}

const undoubted = (turn: Turn): Turn => ({ ...turn, state: undecided(turn.state) });

/*
 * Answers.
 */

function yes(turn: Turn, scope: Scope): Turn {
  const { state } = turn;
  const { step } = state;
  switch (step.at) {
    case 'asking':
      return step.offer ? decide(turn, 'use', scope) : { ...turn, end: plainly(state, step, scope) };
    case 'confirming':
      return { ...turn, end: confirmedByWord(state, step, scope) };
    case 'consenting':
      // Written before the question was shown, it agrees to nothing.
      return { ...turn, end: scope.current ? consent(state, true, scope) : again(state, scope) };
    case 'browsing':
    case 'idle':
      return turn;
  }
}

/**
 * Typed words spend nothing: that takes the button, which carries the operation's one-time id. They add points where they
 * can be about nothing but this summary, or come again after a crash that cut the calls off: then something was called.
 */
function confirmedByWord(
  state: ConversationState,
  step: Extract<Step, { at: 'confirming' }>,
  scope: Scope,
): Decision {
  const flow = scope.flows.get(step.flow);
  const isAbout = step.shown === true && scope.current;
  if (!flow || !confirmsIn(flow)?.byWord) return flow ? pointAt(state, flow, scope) : again(state, scope);
  return isAbout || isInterrupted(state, scope) ? call(state, scope) : pointAt(state, flow, scope);
}

function no(turn: Turn, isWrong: boolean, scope: Scope): Turn {
  const { state } = turn;
  const { step } = state;
  switch (step.at) {
    case 'asking':
      if (step.offer) return decide(turn, isKept(step.offer) ? 'keep' : 'other', scope);
      return isWrong ? { ...turn, end: plainly(state, step, scope) } : none(turn, undefined, scope);
    case 'confirming':
      return { ...turn, end: again(state, scope, { key: 'confirm.edit' }) };
    case 'consenting':
      return { ...turn, end: consent(state, false, scope) };
    case 'browsing':
    case 'idle':
      return { ...turn, aside: { reply: { key: 'later' } } };
  }
}

/** Whether a no to what is offered keeps what was written. */
const isKept = ({ why, typed }: Offer) => typed !== undefined && (why === 'typo' || why === 'code');

/** What is asked about is taken over, kept as it was typed, or neither. */
function decide(turn: Turn, choice: 'use' | 'keep' | 'other', scope: Scope): Turn {
  const { step, draft } = turn.state;
  if (step.at !== 'asking' || !step.offer) return turn;
  const { offer, ...plain } = step;
  const { why, value, typed: written } = offer;
  const slip = slipAsked(step);
  if (slip)
    return decideCode(turn, slip, choice === 'keep' && slip.typed.includes(' ') ? 'other' : choice, scope);
  const isEmail = why === 'typo';
  const taken = choice === 'use' ? value : choice === 'keep' && isEmail ? written : undefined;
  if (taken !== undefined) {
    // What was shared is as good as proved under its new number.
    const isShared = !isEmail && written !== undefined;
    const known = isShared ? { value: taken, proved: true } : typed(taken, scope);
    return said(undoubted(turn), { [isEmail ? 'email' : 'phone']: known }, scope);
  }
  return { ...turn, end: pose({ ...turn.state, draft }, plain, scope) };
}

function decideCode(turn: Turn, slip: Slip, choice: 'use' | 'keep' | 'other', scope: Scope): Turn {
  const { codes = [] } = turn.state.draft;
  const all = codes.includes(slip.typed) ? codes : [...codes, slip.typed];
  const rest = behind(all, slip.typed);
  const decided = undoubted(turn);
  if (choice === 'use') {
    const codes = instead(all, [slip.typed], [slip.value]);
    return listed(decided, all, { codes, fresh: [slip.value, ...rest], told: [] }, scope);
  }
  if (choice === 'keep') return listed(decided, all, { codes: all, fresh: rest, told: [] }, scope);
  const left = all.filter((code) => code !== slip.typed);
  const { state, flow } = said(decided, { codes: left.length > 0 ? left : undefined }, scope);
  return flow ? { ...turn, end: pose(state, asking(flow, 'codes'), scope) } : turn;
}

const JUST_NOW_MS = 10 * 60_000;

/** Ends what is going on, or skips what may be skipped. */
function stop(turn: Turn, isMild: boolean, scope: Scope): Turn {
  const { state } = turn;
  const { step } = state;
  if (step.at === 'consenting') return { ...turn, end: consent(state, false, scope) };
  const flow = step.at === 'asking' ? scope.flows.get(step.flow) : undefined;
  if (isMild && step.at === 'asking' && flow && KINDS[step.slot].no !== 'explain')
    return none(turn, undefined, scope);
  // What was done a moment ago is what is to be undone.
  const last = state.operations.at(-1);
  const isDone = step.at === 'idle' && last?.status === 'done' && scope.nowMs - last.atMs < JUST_NOW_MS;
  return isDone
    ? { ...turn, aside: answer(state, 'answer.undo', scope) }
    : { ...turn, end: cancel(state, scope) };
}

/** A button, by its number or its words: what it says, but for what only a press does. */
function pick(turn: Turn, choice: string, scope: Scope): Turn {
  const commands = pressed(turn.state, choice, scope);
  // Written before the question whether to remember was shown, it agrees to nothing.
  const isPress = commands.some(
    (one) => one.do === 'confirm' || one.do === 'forget' || (one.do === 'consent' && !scope.current),
  );
  if (isPress) return turn;
  const picked = { ...turn, commands };
  return commands.reduce((so: Turn, command) => (so.end ? so : apply(so, command, scope)), picked);
}

/*
 * Beside it.
 */

function show(turn: Turn, what: Extract<Command, { do: 'show' }>['what'], scope: Scope): Turn {
  const { state } = turn;
  const away = () => walkedAway(state, scope);
  switch (what) {
    case 'welcome':
      return { ...turn, end: welcome(away(), scope) };
    case 'menu':
      return { ...turn, end: homeWithShortcuts(away(), scope, { key: 'menu' }) };
    case 'help':
      return { ...turn, aside: { reply: help(scope) } };
    case 'person': {
      const [contact] = supportLines(scope);
      return { ...turn, aside: { reply: contact ?? { key: 'support.none' } } };
    }
    case 'privacy':
    case 'erasing':
      return { ...turn, end: privacy(state, what === 'erasing', scope) };
    case 'languages':
      return { ...turn, end: languages(state, scope) };
  }
}

function talk(turn: Turn, about: Extract<Command, { do: 'talk' }>['about'], scope: Scope): Turn {
  const { state } = turn;
  switch (about) {
    case 'greeting':
      return state.step.at === 'idle'
        ? { ...turn, end: welcome(state, scope) }
        : { ...turn, aside: { reply: { key: 'greet' } } };
    case 'bye':
      return { ...turn, end: home(walkedAway(state, scope), scope, { key: 'bye' }) };
    case 'upset':
      return { ...turn, aside: { reply: { key: 'upset', lines: supportLines(scope) } } };
    case 'remark':
      return turn;
    case 'thanks':
    case 'wait':
      return { ...turn, aside: { reply: { key: about } } };
  }
}

const misheard = (turn: Turn, scope: Scope): Turn => unclear(turn, { do: 'unclear' }, scope);

/** Not understood; or understood as the value that is asked for, and wrong. */
function unclear(turn: Turn, command: Extract<Command, { do: 'unclear' }>, scope: Scope): Turn {
  const { state } = turn;
  const { step } = state;
  const { wrong, script, maybe = [] } = command;
  if (script) return { ...turn, aside: { reply: { key: 'language.unknown' } } };
  if (wrong) return faulty(turn, wrong, scope);
  if (turn.flow || turn.aside) return turn;
  const isYes = maybe.some((one) => one.do === 'yes');
  if (step.at === 'consenting')
    return isYes ? turn : { ...turn, aside: { reply: explain(state, scope).reply } };
  const flow = step.at === 'confirming' ? scope.flows.get(step.flow) : undefined;
  if (isYes && flow) return { ...turn, end: pointAt(state, flow, scope) };
  const { offered, ...beside } = unsure(state, command, scope);
  return { ...turn, aside: beside, offered };
}

/** Says what is wrong with a value: with an answer, and asks again; with one that came along, and goes on. */
function faulty(turn: Turn, { kind, reason }: { kind: SlotKind; reason: string }, scope: Scope): Turn {
  const { state } = turn;
  const { step } = state;
  const flow = running(turn, scope);
  const reply: Reply = kind === 'period' ? periodFault(reason, scope) : { key: reason };
  const isNew = turn.flow !== undefined && turn.found.step !== step;
  // Staff name a customer by either.
  const isEither = kind === 'email' && flow?.identity === 'proved';
  if (step.at === 'asking' && flow && !isNew && (step.slot === kind || (isEither && step.slot === 'phone'))) {
    // Where only sharing proves, nothing typed is wrong or right.
    const isProof = step.slot === 'phone' && flow.identity === 'proved' && !typed('', scope).proved;
    return { ...turn, end: retry(state, step, scope, ...(isProof ? [] : [reply])) };
  }
  if (step.at === 'browsing' && kind === 'period' && !flow)
    return { ...turn, end: say(state, { ...question(state, scope), ...reply }) };
  const told = { ...turn, said: [...turn.said, reply] };
  if (kind === 'period' && flow?.slots.includes('period'))
    return said({ ...told, noted: undefined }, { period: null }, scope);
  if (flow) return { ...told, flow };
  return { ...turn, aside: { reply } };
}

/*
 * Staff's customers.
 */

/**
 * Staff who name somebody else serve the next customer: nothing of the one before goes on. Who is another one is decided
 * here: whose phone or whose e-mail differs; what reads or spends is about the one that is named, and about nobody else.
 */
function nextCustomer(
  state: ConversationState,
  commands: readonly Command[],
  scope: Scope,
): { readonly state: ConversationState; readonly said: readonly Reply[] } {
  const { draft, step } = state;
  const isProved = runningIn(state, scope)?.identity === 'proved';
  const isOther = commands.some((one) => {
    if (one.do !== 'set' || one.slot === 'gift' || one.value === undefined) return false;
    const known = draft[one.slot];
    return known ? known.value !== one.value : isProved && (draft.phone ?? draft.email) != null;
  });
  const bringsCodes = commands.some((one) => one.do === 'add');
  const isCorrection = step.at === 'asking' && step.editing === true && !bringsCodes;
  if (scope.sender.proof !== 'token' || !isOther || isCorrection) return { state, said: [] };
  const next = withoutIdentity(state);
  const { codes, ...rest } = next.draft;
  if (!bringsCodes || !codes) return { state: next, said: [] };
  const told = { key: 'codes.removed', params: { code: codes.join(', ') } };
  return { state: { ...undecided(next), draft: rest }, said: [told] };
}
