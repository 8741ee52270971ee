import type { SlotKind } from '../commands.ts';
import { type HistoryRead, type OutcomeOf, spends } from '../effect.ts';
import { type Flow, findConfirms, type Scope } from '../flow.ts';
import { findGift } from '../prompts/gifts.ts';
import { canProveByCode, findProof, isStaff, pickProved, pickVariant } from '../prompts/identity.ts';
import { canGetCode } from '../proof.ts';
import { type Decision, type Reply, say, sayFirst } from '../reply.ts';
import { missingSlots } from '../slots.ts';
import { type Draft, localeOf, type State } from '../state.ts';
import { parseCode } from '../values/code.ts';
import { findDoubtedSlot, takeDoubt } from './doubts.ts';
import { personChoice, supportLines } from './handover.ts';
import { findUnseen, sayBusy, sayChecking, sayTooManyAttempts } from './operations.ts';
import { openHistory, showPage, toBrowsedDraft } from './pages.ts';
import { parkFlow } from './parking.ts';
import { finishFlow } from './privacy.ts';
import { askAgain, askStep, goHome, slotStep } from './questions.ts';

/*
 * How a flow goes on: `advance` alone decides what to ask next.
 */

/** The flow that is asking or waits for its confirmation. */
export function runningFlow({ step }: State, { flows }: Scope): Flow | undefined {
  return step.at === 'asking' || step.at === 'confirming' ? flows.get(step.flow) : undefined;
}

/**
 * Goes on with the flow: asks about a doubt, reads the balance, asks for a slot, or ends. A doubt stays until
 * it is decided, or its slot has a value.
 */
export function advance(before: State, flow: Flow, scope: Scope): Decision {
  const { step } = before;
  if (step.at === 'asking' && step.flow === flow.name && step.offer) return askStep(before, step, scope);
  const dead = findDeadEnd(flow, before.draft, scope);
  if (dead) return goHome(keepProof(before, scope), scope, dead);
  const { state, doubt } = takeDoubt(before, { flow, beginnings: scope.settings.codePrefixes });
  if (doubt) {
    const kind = findDoubtedSlot(doubt);
    const slot = flow.slots.includes(kind) ? kind : 'phone';
    return askStep(state, slotStep(flow, slot, { offer: doubt }), scope);
  }
  const isCodeFlow = state.operations.length > 0 && flow.slots.includes('codes');
  const checked = isCodeFlow ? dropChecked(flow, state, scope) : undefined;
  if (checked && checked.draft !== state.draft)
    return sayFirst(checked.remarks, advance({ ...state, draft: checked.draft }, flow, scope));
  if (checked?.stop) return sayFirst(checked.remarks, goHome(state, scope, checked.stop.say));
  const { draft } = state;
  if (flow.identity === 'proved' && draft.proof?.wanted && draft.phone && !findProof(draft))
    return sendCode(state, draft.phone.value, { flow, scope });
  const by = findBalanceOwner(flow, draft, scope);
  if (by) return { state, replies: [], effect: { kind: 'balance', by, exact: true } };
  // Staff can add an e-mail at the summary.
  const [slot] = missingSlots(flow, draft).filter((kind) => kind !== 'email' || !isStaff(scope));
  return slot === undefined ? complete(state, flow, scope) : askStep(state, slotStep(flow, slot), scope);
}

/** The proof stays for the next flow, unless the customer declined to be remembered. */
function keepProof(state: State, scope: Scope): State {
  if (state.consent?.given === false) return state;
  return { ...state, step: { at: 'idle' }, draft: pickProved(state.draft, scope) };
}

/** Only mobiles of Vietnam get a one-time code. */
function sendCode(state: State, phone: string, { flow, scope }: { flow: Flow; scope: Scope }): Decision {
  if (!canGetCode(phone)) {
    const { phone: _, ...draft } = state.draft;
    const asked = askStep({ ...state, draft }, slotStep(flow, 'phone'), scope);
    return sayFirst([{ key: 'identity.codeMobile' }], asked);
  }
  const locale = localeOf(state, scope.sender, scope.settings.defaultLocale);
  return { state, replies: [], effect: { kind: 'sendCode', phone, purpose: flow.name, locale } };
}

/** Asks again and says `why`; every second time with help. */
export function retry(state: State, scope: Scope, why?: Reply): Decision {
  if (state.step.at !== 'asking') return askAgain(state, scope);
  const tries = state.step.tries + 1;
  const next: State = { ...state, step: { ...state.step, tries } };
  const before = why ? [why] : [];
  if (tries % 2 === 1) return askAgain(next, scope, ...before);
  const choices = [...personChoice(scope)];
  const help = { key: 'repair.help', lines: supportLines(scope), choices, view: state.view };
  return askAgain(next, scope, ...before, help);
}

/** An older balance is read again: points come in other ways, too. */
const FRESH_MS = 60_000;

function findBalanceOwner(flow: Flow, { balance, ...slots }: Draft, { nowMs }: Scope) {
  const by = spends(findConfirms(flow)) ? findProof(slots) : undefined;
  const isTheirs = balance !== undefined && balance.by.kind === by?.kind && balance.by.value === by.value;
  return isTheirs && nowMs - balance.atMs <= FRESH_MS ? undefined : by;
}

/** All slots are set: shows a summary, or reads, unless a guard forbids it. */
export function complete(state: State, flow: Flow, scope: Scope): Decision {
  const { draft, remarks, stop } = applyGuards(flow, state, scope);
  const next: State = { ...state, draft };
  if (stop?.ask) return sayFirst([...remarks, stop.say], askStep(next, slotStep(flow, stop.ask), scope));
  if (stop) return sayFirst(remarks, goHome(next, scope, stop.say));
  return sayFirst(remarks, reachEnd(next, flow, scope));
}

function reachEnd(state: State, flow: Flow, scope: Scope): Decision {
  if (findConfirms(flow))
    return askStep(state, { at: 'confirming', flow: flow.name, operation: scope.ids.operation }, scope);
  const by = findProof(state.draft);
  if (by === undefined) return goHome(state, scope, { key: 'menu' });
  return 'reads' in flow.end && flow.end.reads === 'pages'
    ? openHistory(state, { flow: flow.name, by }, scope)
    : { state, replies: [], effect: { kind: 'balance', by } };
}

type BalanceOutcome = OutcomeOf<'balance' | 'sums' | 'unavailable'>;

/** Takes what was read for the current flow. */
export function takeRead(state: State, outcome: BalanceOutcome | HistoryRead, scope: Scope): Decision {
  const flow = runningFlow(state, scope);
  if (outcome.kind === 'history') return showPage(state, outcome, scope);
  if (flow && spends(findConfirms(flow))) return takeBalance(state, outcome, scope);
  if (outcome.kind === 'unavailable') return pauseFlow(state, scope);
  if (!flow || !('reads' in flow.end) || flow.end.reads !== 'balance') return say(state);
  const reply = flow.end.tell(outcome, scope, findUnseen(state, scope.nowMs).length === 0);
  const isNobody = outcome.kind === 'balance' && outcome.points === null;
  return (isNobody ? goHome : finishFlow)(state, scope, reply);
}

/** AntCRM is out of reach: what was gathered, and a phone that was shared, wait for the next try. */
function pauseFlow(state: State, scope: Scope): Decision {
  const { step } = state;
  const draft = step.at === 'browsing' ? toBrowsedDraft(step.page) : state.draft;
  const flow = step.at === 'idle' ? undefined : scope.flows.get(step.flow);
  const parked = flow ? parkFlow({ ...state, draft }, flow) : state;
  const idle: State = { ...parked, step: { at: 'idle' }, draft: pickProved(draft, scope) };
  return goHome(isStaff(scope) ? parked : idle, scope, { key: 'service.unavailable' });
}

function takeBalance(state: State, outcome: BalanceOutcome, scope: Scope): Decision {
  const { draft } = state;
  const flow = runningFlow(state, scope);
  const by = findProof(draft);
  if (by === undefined || !flow) return goHome(state, scope, { key: 'menu' });
  // An unknown customer has no points, unless AntCRM may know them by the other identifier.
  const other = by.kind === 'phone' ? draft.email : draft.phone;
  const read = outcome.kind === 'balance' ? (outcome.points ?? (other ? null : 0)) : null;
  const isSure = findUnseen(state, scope.nowMs).length === 0;
  const balance = { by, points: isSure ? read : null, atMs: scope.nowMs };
  const remarks = isSure || read === null ? [] : [{ key: 'receipt.behind', params: { points: read } }];
  return sayFirst(remarks, advance({ ...state, draft: { ...draft, balance } }, flow, scope));
}

/** Asks for another code; from the second refusal on with help. */
export function askAfterRefusal(state: State, scope: Scope, refusal: Reply): Decision {
  const flow = runningFlow(state, scope);
  if (!flow?.slots.includes('codes')) return goHome(state, scope, refusal);
  const wait = sayTooManyAttempts(state, scope);
  if (wait) return sayFirst([refusal], goHome(state, scope, wait));
  const { codes: _, ...draft } = state.draft;
  const isAgain = (state.guesses?.refused ?? 0) > 1;
  const help = isAgain ? [{ key: 'photo.instead' }, ...supportLines(scope)] : [];
  const reply = { ...refusal, lines: [...(refusal.lines ?? []), ...help] };
  const asked = askStep({ ...state, draft }, slotStep(flow, 'codes', { editing: true }), scope);
  return sayFirst([reply], asked);
}

type Untried = { readonly codes: string[]; readonly why: Reply };

/** Shows the summary of the codes that were not tried. */
export function askUntried(state: State, { codes, why }: Untried, scope: Scope): Decision {
  const flow = runningFlow(state, scope);
  const wait = flow && waitForGuesses(flow, state, scope);
  if (!flow || wait) return goHome(state, scope, wait ?? why);
  return sayFirst([why], advance({ ...state, draft: { ...state.draft, codes } }, flow, scope));
}

/*
 * What forbids a flow to begin, to call, or to show its summary.
 */

const waitForGuesses = (flow: Flow, state: State, scope: Scope): Reply | undefined =>
  flow.slots.includes('codes') ? sayTooManyAttempts(state, scope) : undefined;

/** Why nothing can be called now; undefined: it can. */
export function findCallHindrance(flow: Flow, state: State, scope: Scope): Reply | undefined {
  const confirms = findConfirms(flow);
  const wait = (confirms && sayBusy(state, confirms)) ?? waitForGuesses(flow, state, scope);
  return wait ?? flow.guards?.flatMap(({ refuseStart }) => refuseStart?.(state.draft, scope) ?? [])[0];
}

function findDeadEnd(flow: Flow, draft: Draft, { sender, settings, nowMs }: Scope): Reply | undefined {
  const { codeMs } = draft.phone ?? {};
  const { cooldownMs = 0 } = settings.proof ?? {};
  const untilMs = (codeMs ?? Number.NEGATIVE_INFINITY) + cooldownMs;
  // Without a cooldown no clock counts: the time of the proof is by the clock of another node.
  if (cooldownMs > 0 && untilMs > nowMs && spends(findConfirms(flow)))
    return { key: 'identity.codeCooldown', params: { at: untilMs } };
  const byProfile = sender.proof === 'profile' && settings.identityProof === 'required';
  if (flow.identity !== 'proved' || !byProfile || findProof(draft)) return undefined;
  if (sender.unread) return { key: 'identity.unread' };
  return canProveByCode({ sender, settings })
    ? undefined
    : {
        key: 'identity.noEmail',
        lines: supportLines({ settings }),
        choices: [...personChoice({ settings })],
      };
}

type Guarded = {
  readonly draft: Draft;
  readonly remarks: readonly Reply[];
  readonly stop?: { readonly say: Reply; readonly ask?: SlotKind | undefined } | undefined;
};

/** The rules of codes and gifts, then the flow's own guards. */
function applyGuards(flow: Flow, state: State, scope: Scope): Guarded {
  const { slots, guards = [] } = flow;
  const guarded = slots.includes('codes')
    ? dropChecked(flow, state, scope)
    : slots.includes('gift')
      ? checkGift(state.draft, scope)
      : { draft: state.draft, remarks: [] };
  if (guarded.stop) return guarded;
  const [stop] = guards.flatMap(({ refuseEnd }) => refuseEnd?.(guarded.draft, scope) ?? []);
  return { ...guarded, stop };
}

/** A code that is being checked is not called again: both calls would find the same record. */
function dropChecked(flow: Flow, { draft, operations }: State, scope: Scope): Guarded {
  const { codes = [] } = draft;
  const confirms = findConfirms(flow);
  const open = operations.filter(({ kind, status }) => kind === confirms?.kind && status === 'checking');
  const checked = open.filter(({ lookup }) => lookup && codes.includes(lookup.code));
  const left = codes.filter((code) => !checked.some(({ lookup }) => lookup?.code === code));
  const [first, ...others] = checked.map((operation) => sayChecking(operation, scope));
  if (!first) return { draft, remarks: [] };
  return left.length === 0
    ? { draft, remarks: others, stop: { say: first } }
    : { draft: { ...draft, codes: left }, remarks: [first, ...others] };
}

function checkGift(draft: Draft, scope: Scope): Guarded {
  const { gifts } = scope.settings;
  const { gift: code, price, ...rest } = draft;
  const gift = findGift(code, scope);
  // The operator changed the list after the button was shown. A forged button may say anything.
  const isKnown = gifts.length > 0 ? gift !== undefined : parseCode(code ?? '').ok;
  if (!isKnown) return { draft: rest, remarks: [], stop: { say: { key: 'gift.gone' }, ask: 'gift' } };
  const points = draft.balance?.points ?? undefined;
  if (gift && points !== undefined && gift.score > points) {
    const isAny = gifts.some(({ score }) => score <= points);
    const { name, score } = gift;
    const params = { gift: name, price: score, points, missing: score - points };
    const say = { key: 'redeem.tooFewPoints', context: pickVariant(scope), params };
    return { draft: rest, remarks: [], stop: { say, ask: isAny ? 'gift' : undefined } };
  }
  const next = { ...draft, price: gift?.score };
  if (!gift || price === undefined || price === gift.score) return { draft: next, remarks: [] };
  const params = { gift: gift.name, before: price, price: gift.score };
  return { draft: next, remarks: [{ key: 'redeem.priceChanged', params }] };
}
