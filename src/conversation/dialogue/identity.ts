import type { Command } from '../commands.ts';
import type { Known } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import { isStaff, showPhone, typed, withoutIdentity } from '../prompts/identity.ts';
import { type Reply, withLast } from '../reply.ts';
import type { Identity, State } from '../state.ts';
import { retry, runningIn } from './advance.ts';
import { leaveConsentOpen } from './consent.ts';
import { notUnderstood, sayFault } from './digressions.ts';
import { again, home } from './questions.ts';
import {
  advanceBy,
  doubt,
  flowOf,
  type Reduced,
  setSlots,
  type Turn,
  type TurnScope,
  withoutOffer,
} from './turn.ts';

/*
 * Phones and e-mails that were typed or shared, and whose they are.
 */

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
