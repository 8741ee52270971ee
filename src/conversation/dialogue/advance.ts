import type { SlotKind } from '../commands.ts';
import { type OutcomeOf, spends } from '../effect.ts';
import { confirmsIn, type Flow, type Scope } from '../flow.ts';
import { KINDS, missingSlots } from '../kinds.ts';
import { behind, giftOf, isStaff, priceChanged, proved, served, tooFewPoints } from '../prompts.ts';
import { after, type Decision, type Reply, say, withLast } from '../reply.ts';
import type { Asking, Draft, Offer, State } from '../state.ts';
import { personChoice, supportLines } from './handover.ts';
import { busy, tooManyAttempts, unseen, withoutChecked } from './operations.ts';
import { notRead, open, show } from './pages.ts';
import { finishFlow } from './privacy.ts';
import { again, asking, home, pose } from './questions.ts';

/*
 * How a flow goes on: the only place that asks.
 */

/** The flow that would be left unfinished by turning to another. */
export function runningIn({ step }: State, { flows }: Scope): Flow | undefined {
  return step.at === 'asking' || step.at === 'confirming' ? flows.get(step.flow) : undefined;
}

/** What was read longer ago is read again: points come in by other ways meanwhile. */
const FRESH_MS = 60_000;

/** A value to be asked about, and whose it is. */
export type Doubted = { readonly slot: SlotKind; readonly offer: Offer };

/**
 * A doubt is asked about first; one about a code stays until it was decided on. Then what must be read is read, the first
 * missing slot is asked for, guards are heard; then comes the summary or the read.
 */
export function advance(
  state: State,
  flow: Flow,
  scope: Scope,
  said: readonly Reply[] = [],
  doubt?: Doubted | undefined,
): Decision {
  const { step } = state;
  const isOpen = step.at === 'asking' && step.flow === flow.name && step.offer?.why === 'code';
  if (isOpen) return pose(state, step, scope, ...said);
  const lost = unprovable(flow, state.draft, scope);
  if (lost) return after(said, home(state, scope, lost));
  if (doubt) {
    // Staff name a customer by an e-mail, too, where a phone is asked for.
    const slot = flow.slots.includes(doubt.slot) ? doubt.slot : 'phone';
    return pose(state, asking(flow, slot, { offer: doubt.offer }), scope, ...said);
  }
  const by = needsBalance(flow, state.draft, scope);
  if (by) {
    const effect = { kind: 'balance', by, exact: true } as const;
    return { state: entered(state, flow, scope), replies: said, effect };
  }
  const [slot] = missingSlots(flow, state.draft);
  // Whom staff serve waits at the counter: an e-mail is theirs to add at the summary.
  const edits = confirmsIn(flow)?.edits(state.draft) ?? [];
  if (slot === 'email' && isStaff(scope) && edits.some(({ id }) => id === 'edit:email'))
    return advance({ ...state, draft: { ...state.draft, email: null } }, flow, scope, said);
  return slot === undefined
    ? complete(entered(state, flow, scope), flow, scope, said)
    : ask(state, flow, slot, scope, ...said);
}

/** Asks for a slot anew. */
export function ask(
  state: State,
  flow: Flow,
  slot: SlotKind,
  scope: Scope,
  ...said: readonly Reply[]
): Decision {
  const asked: State = slot === 'email' ? { ...state, emailAsked: true } : state;
  return pose(asked, asking(flow, slot), scope, ...said);
}

/** Asks for a slot again; a valid answer leads back to the summary. */
export function edit(state: State, flow: Flow, slot: SlotKind, scope: Scope): Decision {
  return pose(state, asking(flow, slot, { editing: true }), scope);
}

/** The live question without what was said beside it: to whoever said yes to it, or "wrong". */
export function plainly(state: State, { flow: name, slot }: Asking, scope: Scope): Decision {
  const flow = scope.flows.get(name);
  return withLast(again(state, scope), (flow && KINDS[slot].plainly?.(flow, scope)) ?? {});
}

/** After so many invalid answers in a row, help is offered. */
const TRIES = 3;

/**
 * Asks again, for `why`; the third time, and where the same would be said twice in a row, help is offered first. Where there
 * is no `why`, the question alone is what would be said twice.
 */
export function retry(state: State, step: Asking, scope: Scope, why?: Reply): Decision {
  const { fault, ...plain } = step;
  const tries = step.tries + 1;
  const isLost = why ? why.key === fault || (tries % TRIES === 0 && fault !== undefined) : tries % 2 === 0;
  // Once help was offered, the same fault alone is another answer again.
  const next = { ...plain, tries, ...(why && !isLost && { fault: why.key }) };
  const help = isLost ? [helpIn(state, scope)] : [];
  return again({ ...state, step: next }, scope, ...help, ...(why ? [why] : []));
}

function helpIn({ view }: State, scope: Scope): Reply {
  const choices = [...personChoice(scope)];
  return { key: 'repair.help', lines: supportLines(scope), ...(choices.length > 0 && { choices, view }) };
}

/** Whose balance is to be read before it goes on; whose points they are may change on the way. */
function needsBalance(flow: Flow, { balance, ...slots }: Draft, { nowMs }: Scope) {
  const by = spends(confirmsIn(flow)) ? proved(slots) : undefined;
  const isTheirs = balance !== undefined && balance.by.kind === by?.kind && balance.by.value === by.value;
  return isTheirs && nowMs - balance.atMs <= FRESH_MS ? undefined : by;
}

/** The state in this flow, even if it asked nothing: what AntCRM answers goes to the flow that asked. */
function entered(state: State, flow: Flow, scope: Scope): State {
  if (runningIn(state, scope)?.name === flow.name) return state;
  return { ...state, step: asking(flow, 'phone') };
}

/** All slots are there: the summary under a new operation, or the read, unless a guard forbids it. */
export function complete(state: State, flow: Flow, scope: Scope, before: readonly Reply[] = []): Decision {
  const { draft, said, stop } = guarded(flow, state, scope);
  const told = [...before, ...said];
  const next: State = { ...state, draft };
  if (stop)
    return stop.ask === undefined
      ? after(told, home(next, scope, stop.say))
      : ask(next, flow, stop.ask, scope, ...told, stop.say);
  if (confirmsIn(flow))
    return pose(next, { at: 'confirming', flow: flow.name, operation: scope.ids.operation }, scope, ...told);
  const by = proved(draft);
  if (by === undefined) return after(told, home(state, scope, { key: 'menu' }));
  return 'reads' in flow.end && flow.end.reads === 'pages'
    ? after(told, open(next, flow, scope))
    : { state: next, replies: told, effect: { kind: 'balance', by } };
}

/** What was read, or could not be, for the flow that the state is in. */
export function answered(
  state: State,
  outcome: OutcomeOf<'history' | 'balance' | 'sums' | 'unavailable'>,
  scope: Scope,
): Decision {
  const { step } = state;
  const flow = 'flow' in step ? scope.flows.get(step.flow) : undefined;
  if (step.at === 'browsing')
    return outcome.kind === 'history' ? show(state, step, outcome, scope) : notRead(state, scope);
  if (flow && spends(confirmsIn(flow)) && outcome.kind !== 'history')
    return withBalance(state, flow, outcome, scope);
  const end = flow?.end;
  if (outcome.kind === 'unavailable') return home(state, scope, { key: 'service.unavailable' });
  if (outcome.kind === 'history' || !end || !('reads' in end) || end.reads !== 'balance') return say(state);
  const isSure = unseen(state, scope.nowMs).length === 0;
  const reply = end.tell(outcome, scope, isSure);
  const isNobody = outcome.kind === 'balance' && outcome.points === null;
  return (isNobody ? home : finishFlow)(state, scope, reply);
}

/** AntCRM may not have counted yet what it just gave: said, and nothing is called too dear then. */
function withBalance(
  state: State,
  flow: Flow,
  outcome: OutcomeOf<'balance' | 'sums' | 'unavailable'>,
  scope: Scope,
): Decision {
  const { draft } = state;
  const by = proved(draft);
  if (by === undefined) return home(state, scope, { key: 'menu' });
  // Of somebody whom AntCRM does not know: none, unless it may know them by what else is known of them.
  const nobodys = (by.kind === 'phone' ? draft.email : draft.phone) ? null : 0;
  const read = outcome.kind === 'balance' ? (outcome.points ?? nobodys) : null;
  const isSure = unseen(state, scope.nowMs).length === 0;
  const balance = { by, points: isSure ? read : null, atMs: scope.nowMs };
  const remarks = isSure || read === null ? [] : [behind(read)];
  return advance({ ...state, draft: { ...draft, balance } }, flow, scope, remarks);
}

/** What was refused may be typed anew, then sent as a photo; then help is offered, until there were too many. */
export function refused(state: State, flow: Flow, refusal: Reply, scope: Scope): Decision {
  const over = served(state, scope);
  if (!flow.slots.includes('codes')) return home(over, scope, refusal);
  const wait = tooManyAttempts(state, scope);
  if (wait) return after([refusal], home(state, scope, wait));
  const { codes: _, ...draft } = over.draft;
  const { refused: count = 0 } = state.guesses ?? {};
  const told = count === 2 && !refusal.lines ? { ...refusal, lines: [{ key: 'photo.instead' }] } : refusal;
  const help = count > 2 && !refusal.lines ? [helpIn({ ...state, view: scope.ids.view }, scope)] : [];
  return pose({ ...over, draft }, asking(flow, 'codes', { editing: true }), scope, told, ...help);
}

const tooManyGuesses = (flow: Flow, state: State, scope: Scope): Reply | undefined =>
  flow.slots.includes('codes') ? tooManyAttempts(state, scope) : undefined;

/** Codes that were not tried can be confirmed anew, for what `why` says, unless there were too many guesses. */
export function untried(state: State, flow: Flow, codes: string[], why: Reply, scope: Scope): Decision {
  const wait = tooManyGuesses(flow, state, scope);
  return wait
    ? home(state, scope, wait)
    : advance({ ...state, draft: { ...state.draft, codes } }, flow, scope, [why]);
}

/*
 * What forbids a flow to begin, to call, or to go on to its summary.
 */

/** Why a flow cannot be gone through now: said before anything is asked for. */
export function hindered(flow: Flow, state: State, scope: Scope): Reply | undefined {
  return scope.serviceUp ? callHindered(flow, state, scope) : { key: 'service.unavailable' };
}

/** Why nothing is called now. */
export function callHindered(flow: Flow, state: State, scope: Scope): Reply | undefined {
  const confirms = confirmsIn(flow);
  const wait = (confirms && busy(state, confirms)) ?? tooManyGuesses(flow, state, scope);
  const [first] = (flow.guards ?? []).flatMap(({ begins }) => begins?.(state.draft, scope) ?? []);
  return wait ?? first;
}

/** Where only the profile could prove who somebody is, and does not, no answer could change that. */
function unprovable(flow: Flow, known: Draft, { sender, settings }: Scope): Reply | undefined {
  const byProfile = sender.proof === 'profile' && settings.identityProof === 'required';
  if (flow.identity !== 'proved' || !byProfile || proved(known)) return undefined;
  return sender.unread
    ? { key: 'identity.unread' }
    : { key: 'identity.noEmail', lines: supportLines({ settings }) };
}

/** What is said before the summary: the slots that are left, and where it does not go on, why, and what is asked anew. */
type Guarded = {
  readonly draft: Draft;
  readonly said: readonly Reply[];
  readonly stop?: { readonly say: Reply; readonly ask?: SlotKind | undefined } | undefined;
};

/** What codes and gifts forbid by themselves, then the flow's own guards. */
function guarded(flow: Flow, state: State, scope: Scope): Guarded {
  const { slots, guards = [] } = flow;
  const { draft } = state;
  const heard: Guarded = slots.includes('codes')
    ? withoutOpen(flow, state)
    : slots.includes('gift')
      ? withinReach(draft, scope)
      : { draft, said: [] };
  if (heard.stop) return heard;
  const [stop] = guards.flatMap(({ goesOn }) => goesOn?.(heard.draft, scope) ?? []);
  return { ...heard, stop };
}

/** Codes whose outcome is being looked up are not called again. */
function withoutOpen(flow: Flow, state: State): Guarded {
  const { draft } = state;
  const { left, told } = withoutChecked(state, confirmsIn(flow)?.kind, draft.codes ?? []);
  const [first, ...others] = told;
  return first && left.length === 0
    ? { draft, said: others, stop: { say: first } }
    : { draft: { ...draft, codes: [...left] }, said: told };
}

/** Gifts that the list does not have any more, or that cost more than there is. */
function withinReach(draft: Draft, scope: Scope): Guarded {
  const { gifts } = scope.settings;
  const { code, price, ...rest } = draft;
  const gift = giftOf(code, scope);
  // A button of before the operator changed the list.
  if (gifts.length > 0 && !gift)
    return { draft: rest, said: [], stop: { say: { key: 'gift.gone' }, ask: 'gift' } };
  const points = draft.balance?.points ?? undefined;
  if (gift && points !== undefined && gift.score > points) {
    const isAny = gifts.some(({ score }) => score <= points);
    const say = tooFewPoints(gift, points, scope);
    return { draft: rest, said: [], stop: { say, ask: isAny ? 'gift' : undefined } };
  }
  const said = gift && price !== undefined && price !== gift.score ? [priceChanged(gift, price)] : [];
  return { draft: { ...draft, price: gift?.score }, said };
}
