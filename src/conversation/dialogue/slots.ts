import type { Command, CommandOf } from '../commands.ts';
import type { Known } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import {
  carried,
  isStaff,
  isTypingProof,
  leaveConsentOpen,
  oneAtATime,
  showPhone,
  typed,
  withoutIdentity,
} from '../prompts.ts';
import { after, type Reply, withLast } from '../reply.ts';
import { type Draft, type Identity, type State, withoutOffer } from '../state.ts';
import { edit, hindered, retry, runningIn } from './advance.ts';
import { notUnderstood, sayFault } from './digressions.ts';
import { again, asking, home } from './questions.ts';
import {
  advanceBy,
  answerBeside,
  doubt,
  flowOf,
  type Reduced,
  setSlots,
  type Turn,
  type TurnScope,
} from './turn.ts';

/*
 * How a flow begins, and what is said of its slots beside codes.
 */

/** Begins a flow with what is known; says so if that ends another one. */
export function startFlow(turn: Turn, { flow: name, asked }: CommandOf<'start'>, scope: TurnScope): Reduced {
  const { state } = turn;
  const flow = scope.flows.get(name);
  if (!flow) return notUnderstood(turn, scope);
  const left = runningIn(state, scope);
  // A question about a flow that needs a proof would drop what was typed: no code is lost for it.
  if (asked && left && left !== flow && state.draft.codes !== undefined && flow.identity === 'proved')
    return answerBeside(turn, { key: 'flow.first', params: { flow: { key: `flow.${left.name}` } } });
  // What else is said of the list that is shown narrows it. Only staff know whom their new command is about.
  const isPage = state.step.at === 'browsing' && state.step.flow === name && !isTypingProof(scope);
  if (isPage && scope.commands.some((one) => one.do === 'period' || (one.do === 'kind' && one.of !== 'both')))
    return turn;
  return left === flow ? restart(turn, flow, scope) : beginFlow(turn, flow, scope);
}

/** The flow at hand once more: of a flow for a gift, another gift. */
function restart(turn: Turn, flow: Flow, scope: TurnScope): Reduced {
  const { among: _, ...draft } = turn.state.draft;
  const state = { ...turn.state, draft };
  const { step } = state;
  const wait = hindered(flow, state, scope);
  if (wait) return home(state, scope, wait);
  const isAsked = step.at === 'asking' && step.slot === 'gift';
  const isOther = flow.slots.includes('gift') && !isAsked && scope.commands.length === 1;
  return isOther ? edit(state, flow, 'gift', scope) : advanceBy({ ...turn, state }, flow);
}

export function beginFlow(turn: Turn, flow: Flow, scope: TurnScope): Reduced {
  const state = leaveConsentOpen(turn.state, scope);
  const left = runningIn(state, scope);
  const told: Reply[] = left
    ? [{ key: 'flow.switched', params: { flow: { key: `flow.${left.name}` } } }]
    : [];
  const wait = hindered(flow, state, scope);
  if (wait) return after(told, home(state, scope, wait));
  const known: Draft = carried(state, scope);
  // A customer who was asked for an e-mail once is not asked again.
  const isSkipped = flow.slots.includes('email') && known.email === undefined && state.emailAsked;
  const draft = isSkipped ? { ...known, email: null } : known;
  const [slot = 'phone'] = flow.slots;
  const begun = { ...turn, state: { ...state, step: asking(flow, slot), draft } };
  return advanceBy({ ...begun, said: [...turn.said, ...told] }, flow);
}

/** A gift, or several that may be meant: begins the flow for it. `isSeveral`: more than one was named. */
export function setGift(
  turn: Turn,
  gift: Pick<Draft, 'code' | 'among'>,
  scope: TurnScope,
  isSeveral = false,
): Reduced {
  const running = flowOf(turn, scope);
  const taking = running?.slots.includes('gift')
    ? running
    : scope.flows.all.find((flow) => flow.slots.includes('gift'));
  if (!taking) return notUnderstood(turn, scope);
  const begun = taking === running ? turn : beginFlow(turn, taking, scope);
  if ('replies' in begun) return begun;
  const set = setSlots(begun, { code: undefined, among: undefined, price: undefined, ...gift }, scope);
  if (gift.among) {
    const noted = begun.next.go === 'advance' ? begun.next.noted : undefined;
    return advanceBy(set, taking, { noted });
  }
  return isSeveral ? { ...set, said: [...set.said, oneAtATime(gift.code, scope)] } : set;
}

/** Which history, of which period: of the page that is shown, or of the flow that will show one. */
export function setHistory(turn: Turn, slots: Pick<Draft, 'type' | 'period'>, scope: TurnScope): Turn {
  const { type, period } = slots;
  const { state, next } = turn;
  const flow = flowOf(turn, scope);
  if (!flow && state.step.at === 'browsing' && type !== null && period !== null) {
    const before = next.go === 'narrow' ? next : {};
    return { ...turn, next: { ...before, go: 'narrow', ...(type && { type }), ...(period && { period }) } };
  }
  if (!flow?.slots.includes('period')) return scope.commands.length > 1 ? turn : notUnderstood(turn, scope);
  return setSlots(turn, slots, scope);
}

type SetIdentity = Extract<Command, { do: 'set'; slot: 'phone' | 'email' }>;

export function setIdentity(turn: Turn, command: SetIdentity, scope: TurnScope): Reduced {
  if (command.proved !== undefined) return setShared(turn, command, command.proved, scope);
  const { slot, value } = command;
  const flow = flowOf(turn, scope);
  if (!flow) return keepForLater(turn, command, scope);
  const known = typed(value ?? '', scope);
  const counts = flow.identity === 'typed' || known.proved;
  if (command.doubt && counts) {
    const isUsable = command.doubt.why === 'typo' && value !== undefined;
    return doubt(turn, flow, { slot, offer: { ...command.doubt, ...(isUsable && { typed: value }) } });
  }
  if (value === undefined) return turn;
  if (!counts) return setUnproved(turn, { [slot]: known }, scope);
  return setSlots(turn, slot === 'phone' ? withOwnEmailOnly(turn, known, scope) : { email: known }, scope);
}

/** The phone; if it is somebody else's, without the customer's own e-mail, because AntCRM might join the two. */
function withOwnEmailOnly({ state }: Turn, phone: Known, scope: TurnScope): Identity {
  const { draft, profile } = state;
  const isReplaced = profile.phone !== undefined && draft.phone?.value === profile.phone.value;
  const isOthers = isReplaced && phone.value !== profile.phone?.value;
  const isSaid = scope.commands.some((one) => one.do === 'set' && one.slot === 'email');
  const takesEmail = runningIn(state, scope)?.slots.includes('email');
  return isOthers && takesEmail && !isSaid ? { phone, email: null } : { phone };
}

/** A typed value proves nothing here, and takes the place of none that does. */
function setUnproved(turn: Turn, known: Identity, scope: TurnScope): Reduced {
  const { state, next } = turn;
  const { step, draft } = state;
  const isBetter = (known.phone && draft.phone?.proved) || (known.email && draft.email?.proved);
  if (next.go === 'advance')
    return isBetter ? turn : { ...turn, state: { ...state, draft: { ...draft, ...known } } };
  if (step.at === 'asking' && step.slot === 'gift')
    return sayFault(turn, { kind: 'gift', reason: 'gift.unknown' }, scope);
  if (step.at === 'asking' && step.slot === 'phone')
    return withLast(retry(state, step, scope), { context: 'typed' });
  return scope.commands.length > 1 ? turn : notUnderstood(turn, scope);
}

/** A phone or an e-mail out of the blue is kept for the flow that follows; it goes with that flow, or after half an hour. */
function keepForLater(turn: Turn, { slot, value, doubt: isDoubted }: SetIdentity, scope: TurnScope): Turn {
  const state = leaveConsentOpen(turn.state, scope);
  const known = value === undefined || isDoubted ? {} : { [slot]: typed(value, scope) };
  const before = turn.next.go === 'keep' ? state.draft : {};
  return { ...turn, state: { ...state, draft: { ...before, ...known } }, next: { go: 'keep' } };
}

/**
 * A shared contact. The sender's own number is proved and replaces what was known; anybody else's is worth a typed one,
 * which adds points but reads and spends nothing.
 */
function setShared(turn: Turn, command: SetIdentity, proved: boolean, scope: TurnScope): Reduced {
  const { state } = turn;
  const { value = '', doubt: mapped } = command;
  const flow = runningIn(state, scope);
  if (!proved && flow?.identity !== 'typed') {
    const notOwn = { key: 'identity.notOwn' };
    return flow ? again(state, scope, notOwn) : home(state, scope, notOwn);
  }
  if (mapped && flow)
    return doubt(turn, flow, { slot: 'phone', offer: { ...mapped, ...(proved && { typed: value }) } });
  if (mapped) return home(state, scope, { key: `phone.${mapped.why}.form` });
  return takeShared(turn, { value, proved }, flow, scope);
}

function takeShared(turn: Turn, phone: Known, flow: Flow | undefined, scope: TurnScope): Reduced {
  const { state } = turn;
  const known = state.draft.phone ?? state.profile.phone;
  const isReplaced = known !== undefined && known.value !== phone.value;
  const told: Reply = {
    key: 'identity.phone',
    context: isReplaced ? 'replaced' : undefined,
    params: { phone: showPhone(phone.value) },
  };
  const profile = state.consent?.given && phone.proved ? { ...state.profile, phone } : state.profile;
  const next: State = { ...state, profile, draft: { ...state.draft, phone } };
  const isTold = phone.proved && isReplaced;
  if (flow) return advanceBy({ ...turn, state: next, said: isTold ? [...turn.said, told] : turn.said }, flow);
  // Kept for the flow that follows; it goes with that flow, or after half an hour.
  const menu = home(next, scope, phone.proved ? told : { key: 'menu' });
  return { ...menu, state: { ...menu.state, draft: { phone } } };
}

/**
 * If staff name somebody else, the next customer is served: nothing of the one before goes on. A customer is another one if
 * the phone or the e-mail differs; a flow that reads or spends is about the one that is named, and about nobody else.
 */
export function serveNext(
  state: State,
  commands: readonly Command[],
  scope: Scope,
): { readonly state: State; readonly said: readonly Reply[] } {
  const { draft, step } = state;
  const isProved = runningIn(state, scope)?.identity === 'proved';
  const isOther = commands.some((command) => {
    if (command.do !== 'set' || command.slot === 'gift' || command.value === undefined) return false;
    const known = draft[command.slot];
    return known ? known.value !== command.value : isProved && (draft.phone ?? draft.email) != null;
  });
  const bringsCodes = commands.some((command) => command.do === 'add');
  const isCorrection = step.at === 'asking' && step.editing === true && !bringsCodes;
  if (!isStaff(scope) || !isOther || isCorrection) return { state, said: [] };
  const next = withoutIdentity(state);
  const { codes, ...rest } = next.draft;
  if (!bringsCodes || !codes) return { state: next, said: [] };
  const told = { key: 'codes.removed', params: { code: codes.join(', ') } };
  return { state: { ...withoutOffer(next), draft: rest }, said: [told] };
}
