import { awaitedOf, type KnownCall, type Lookup, type OutcomeOf, type Receipt, spends } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { MessageOf } from '../message.ts';
import {
  balanceLines,
  behind,
  carried,
  codeLine,
  proved,
  receiptLines,
  served,
  sumLines,
  untriedLine,
} from '../prompts.ts';
import { after, type Decision, type Line, type Reply, say } from '../reply.ts';
import { isOpen, type Operation, type State } from '../state.ts';
import { refused as askAnew, callHindered, complete, untried as retryUntried } from './advance.ts';
import { escalating, settling, supportLines } from './handover.ts';
import {
  atHand,
  begun,
  type Confirmed,
  checking,
  counted,
  ended,
  isCaughtUp,
  isInterrupted,
  nextCall,
  note,
  type PendingConfirmation,
  type PlannedCall,
  receiptOf,
  stillChecking,
  told,
} from './operations.ts';
import { finishFlow } from './privacy.ts';
import { again, home, pose } from './questions.ts';

/*
 * From the press that confirms to what is said of the outcome. One confirmation of several codes makes a call for each, in
 * order. What is left to do follows from the operations noted so far, and nothing is told before all of it is known. Whoever
 * takes the turn up after a crash goes through all of them again, and learns of each call that was made how it ended, or
 * that nobody knows.
 */

/** How a call that was confirmed can end. */
type Concluded = Told | OutcomeOf<'outdated' | 'busy'>;
/** What is told of it, once nothing is left to call. */
type Told = KnownCall;

/** The confirm button was pressed: its operation id works once, here. */
export function begin(state: State, scope: Scope): Decision {
  const confirming = atHand(state, scope);
  if (!confirming) return home(state, scope, { key: 'menu' });
  const { confirmed, calls } = confirming;
  const wait = callHindered(confirmed.flow, state, scope);
  // What was perhaps called passes no guard: prices, guesses and the service may have changed since.
  if (wait && !isInterrupted(state, scope)) return again(state, scope, wait);
  const call = nextCall(state, calls);
  const effect = call && confirmed.effect(state.draft, call.operation, scope, calls.indexOf(call));
  return effect ? { state, replies: [], effect } : home(state, scope, { key: 'menu' });
}

/** A call of the confirmation has ended, one way or another: on to the next, or to what is said of all. */
export function conclude(state: State, outcome: Concluded, scope: Scope): Decision {
  const confirming = atHand(state, scope);
  const call = confirming?.calls.find(({ operation }) => operation === outcome.operation);
  if (!confirming || !call) return orphaned(state, outcome, scope);
  // The button stays live: the same press may succeed once the other operation has its outcome.
  if (outcome.kind === 'busy') return again(state, scope, stillChecking(state));
  const { step, confirmed, calls } = confirming;
  // What was confirmed is no more so: shown as it is now. The id stays, as of an early `unavailable`.
  if (outcome.kind === 'outdated')
    return complete(state, confirmed.flow, { ...scope, ids: { ...scope.ids, operation: step.operation } });
  const noted = noteOutcome(state, call, confirmed, outcome, scope);
  const put = putAway(outcome);
  const next = nextCall(noted, calls.slice(calls.indexOf(call) + 1));
  const why = next ? hindrance(noted, confirmed, next, outcome, scope) : undefined;
  const effect =
    next && !why ? confirmed.effect(noted.draft, next.operation, scope, calls.indexOf(next)) : undefined;
  if (effect) return { state: noted, replies: [], effect, ...put };
  return { ...tellAll(noted, { ...confirming, outcome, why }, scope), ...put };
}

/** What goes with the operation now that its outcome is known. */
function putAway(outcome: Told): Partial<Decision> {
  if (outcome.kind === 'unknown') return {};
  const { operation, locks } = outcome;
  return outcome.kind === 'applied'
    ? ended(operation, locks, { record: outcome.receipt?.record, awaited: outcome.awaited })
    : ended(operation, locks);
}

/** The state with the outcome of a call. What was surely not applied leaves nothing to keep. */
function noteOutcome(
  state: State,
  call: PlannedCall,
  confirmed: Confirmed,
  outcome: Told,
  scope: Scope,
): State {
  const known = begun(state, call, confirmed, scope);
  switch (outcome.kind) {
    case 'applied':
      return note(state, { ...known, status: 'done', receipt: receiptOf(state, known, outcome) }, scope);
    case 'refused':
      return note(state, { ...known, status: 'refused' }, scope);
    case 'unknown':
      return note(state, { ...known, status: 'checking', lookup: outcome.lookup }, scope);
    case 'unavailable':
      return state;
  }
}

/** Why the codes that are left are not tried now. */
function hindrance(
  state: State,
  { flow }: Confirmed,
  next: PlannedCall,
  outcome: Told,
  scope: Scope,
): Reply | undefined {
  // What was perhaps called passes no guard.
  if (Object.hasOwn(scope.journal ?? {}, next.operation)) return undefined;
  const isAway = outcome.kind === 'unavailable' || !scope.serviceUp;
  return isAway ? UNTRIED : callHindered(flow, state, scope);
}

type Ended = PendingConfirmation & {
  /** Of the last call. */
  readonly outcome?: Told | undefined;
  /** Why the codes without an outcome were not tried. */
  readonly why: Reply | undefined;
};

/** The codes that are left were not tried: AntCRM is out of reach, or a fault of ours came between. */
const UNTRIED: Reply = { key: 'service.unavailable', context: 'rest' };

/** The result of each call, then what is still being checked, then how it goes on. */
function tellAll(state: State, end: Ended, scope: Scope): Decision {
  const { confirmed, calls, why, outcome } = end;
  const known = (call: PlannedCall) => state.operations.find(({ id }) => id === call.operation);
  const operations = calls.flatMap((call) => known(call) ?? []);
  const untried = calls.flatMap((call) => (known(call) ? [] : (call.code ?? [])));
  if (operations.length === 0 && (why || outcome?.kind === 'unavailable')) return anew(state, end, scope);
  const result = resultOf(state, operations, untried, end, scope);
  const replies = [...result, ...stillOpen(operations, confirmed, result.length > 0)];
  if (why && untried.length > 0)
    return after(replies, retryUntried(served(state, scope), confirmed.flow, untried, why, scope));
  const last = replies.at(-1) ?? { key: 'menu' };
  const before = replies.slice(0, -1);
  if (operations.some(({ status }) => status === 'done'))
    return after(before, finishFlow(state, scope, last));
  const isRefused = operations.every(({ status }) => status === 'refused');
  return after(before, isRefused ? askAnew(state, confirmed.flow, last, scope) : home(state, scope, last));
}

/**
 * Nothing was applied, so confirming again is safe: under a new id, since the old one may have left an intent. Where an
 * spending one surely left none the id stays: an attempt before a crash may have locked the customer for a while,
 * and only the same operation gets past its own lock.
 */
function anew(state: State, { step, confirmed, outcome }: Ended, scope: Scope): Decision {
  const isSame = spends(confirmed) && outcome?.kind === 'unavailable' && outcome.locks === undefined;
  const operation = isSame ? step.operation : scope.ids.operation;
  return pose(state, { ...step, operation }, scope, { key: 'service.unavailable' });
}

/** One reply about the codes that are being checked; names them, unless each was told already. */
function stillOpen(operations: readonly Operation[], { kind }: Confirmed, areTold: boolean): Reply[] {
  const open = operations.filter(({ status }) => status === 'checking');
  const [only, ...more] = open;
  if (only === undefined) return [];
  if (more.length === 0) return [checking(kind, only.id)];
  const lines = areTold ? [] : open.map(codeLine);
  return [{ key: 'operation.checking', context: 'several', params: { count: open.length }, lines }];
}

/** One reply about all calls; none where nothing is known of any. */
function resultOf(
  { draft }: State,
  operations: readonly Operation[],
  untried: readonly string[],
  { confirmed, calls, outcome }: Ended,
  scope: Scope,
): Reply[] {
  const { name } = confirmed.flow;
  const of = (wanted: Operation['status']) => operations.filter(({ status }) => status === wanted);
  const [done, open] = [of('done'), of('checking')];
  const isAll = done.length + open.length === operations.length && untried.length === 0;
  if (done.length === 0 && isAll) return [];
  const isOne = calls.length < 2;
  if (isOne && outcome?.kind === 'refused')
    return [{ key: `${name}.refused`, ...confirmed.why?.(draft, outcome, scope) }];
  const choices = done.length > 0 ? (confirmed.next?.(draft, scope) ?? []) : [];
  const told = {
    lines: [
      ...operations.flatMap((one) => receiptLines(one, scope)),
      ...untried.map(untriedLine),
      ...sumLines(done),
      ...balanceLines(lastOf(operations)),
      ...(spends(confirmed)
        ? done.map(({ id }) => ({ key: 'receipt.reference', params: { reference: id } }))
        : []),
    ],
    ...(!isOne && { params: { done: done.length, all: operations.length + untried.length } }),
    ...(choices.length > 0 && { choices: [...choices], view: scope.ids.view }),
  };
  const context = isOne ? undefined : 'several';
  if (isAll) return [{ key: `${name}.done`, context, ...told }];
  if (done.length === 0 && of('refused').length > 0) return [{ key: `${name}.refused`, context, ...told }];
  return [{ key: `${name}.partly`, context: done.length === 0 ? 'none' : undefined, ...told }];
}

/** The operation after which the points are as they are now: what is refused moves nothing. */
function lastOf(operations: readonly Operation[]): Operation | undefined {
  const isOpen = operations.some(({ status }) => status === 'checking');
  return isOpen ? undefined : operations.findLast(({ status }) => status === 'done');
}

/** A call that no confirmation knows of any more was perhaps made: it is looked up, and told. */
function orphaned(state: State, outcome: Concluded, scope: Scope): Decision {
  if (outcome.kind !== 'unknown') return say(state);
  const { operation: id, lookup } = outcome;
  const { kind, code } = lookup;
  const operation: Operation = {
    id,
    kind,
    atMs: scope.nowMs,
    checks: 0,
    status: 'checking',
    lookup,
    ...(scope.flows.confirming(kind)?.slots.includes('codes') ? { code } : { gift: code }),
  };
  return say(note(state, operation, scope), checking(kind, id));
}

const FAILED: Reply = { key: 'turn.failed' };

/**
 * A message that will never be answered: its turn threw, or was begun too often. All stays as it was, but for a confirmation
 * of which something was called all the same, which the journal tells.
 */
export function giveUp(state: State, scope: Scope): Decision {
  const confirming = atHand(state, scope);
  const outcomes = confirming?.calls.flatMap(({ operation }) => scope.journal?.[operation] ?? []) ?? [];
  const [only] = outcomes;
  if (!confirming || only === undefined) return say(state, FAILED);
  const { calls, confirmed } = confirming;
  if (calls.length < 2) return conclude(state, only, scope);
  const noted = outcomes.reduce((so, outcome) => {
    const call = calls.find(({ operation }) => operation === outcome.operation);
    return call ? noteOutcome(so, call, confirmed, outcome, scope) : so;
  }, state);
  return {
    ...tellAll(noted, { ...confirming, why: { ...FAILED, context: 'rest' } }, scope),
    settled: outcomes.flatMap((outcome) => putAway(outcome).settled ?? []),
  };
}

/*
 * How an operation without an outcome comes to one: looked up at set times, or decided by an operator.
 */

/** A wake-up: looks up the operation whose check is due first. */
export function check(state: State, scope: Scope): Decision {
  const due = state.operations
    .map((operation) => ({ operation, atMs: checkAtMs(operation, scope) }))
    .filter(({ atMs }) => atMs !== null && atMs <= scope.nowMs)
    .sort((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0))[0]?.operation;
  if (!due?.lookup) return say(state);
  const { id, lookup } = due;
  const effect = { kind: 'check', operation: id, lookup } as const;
  return {
    state,
    replies: [],
    effect: isTheirs(state, lookup, scope) ? { ...effect, balance: true } : effect,
  };
}

/** Whether the balance may be told here: only who is proved has locks, and points are earned for others, too. */
function isTheirs(state: State, { by, locks }: Lookup, scope: Scope): boolean {
  const theirs = proved(carried(state, scope));
  return locks.length > 0 || (theirs?.kind === by.kind && theirs.value === by.value);
}

/** When the next check of any operation is due, epoch ms. */
export function nextCheckMs(state: State, scope: Scope): number | null {
  const times = state.operations.map((operation) => checkAtMs(operation, scope)).filter((at) => at !== null);
  return times.length > 0 ? Math.min(...times) : null;
}

/** In its time, not sooner after the last look than planned: a downtime would spend all. The last may come again. */
function checkAtMs({ status, lookup, checks, lookedMs }: Operation, { settings }: Scope): number | null {
  if (!lookup || (status !== 'checking' && status !== 'watching')) return null;
  const planned = settings.operationChecksMs;
  const next = Math.min(checks, planned.length - 1);
  const { [next - 1]: before = 0, [next]: delay = 0 } = planned;
  const dueMs = lookup.deadlineMs + delay;
  return lookedMs === undefined ? dueMs : Math.max(dueMs, lookedMs + delay - before);
}

/** What a check found. The customer hears of it unasked. */
export function checked(state: State, outcome: OutcomeOf<'checked'>, scope: Scope): Decision {
  const operation = state.operations.find(({ id }) => id === outcome.operation);
  if (!operation || !isOpen(operation)) return { ...say(state), settled: [outcome.operation] };
  const left = scope.settings.operationChecksMs.length - 1 - operation.checks;
  const unread = { ...operation, unread: [...(operation.unread ?? []), operation.checks] };
  switch (outcome.found) {
    case 'applied':
      // "Not applied" was told, the customer may have confirmed anew: only staff can put that right.
      return operation.status === 'watching'
        ? escalate(state, operation, scope)
        : resolve(state, { ...operation, status: 'done' }, scope, outcome);
    case 'several':
      return escalate(state, operation, scope);
    case 'undecided':
      return left > 0 ? update(state, operation, scope) : escalate(state, operation, scope);
    case 'unreadable':
      return left > 0 ? update(state, unread, scope) : escalate(state, unread, scope);
    case 'refused':
      return notFound(state, operation, { ...operation, status: 'refused' }, left, scope);
    case 'none':
      return notFound(state, operation, { ...operation, status: 'notApplied' }, left, scope);
  }
}

/**
 * That points were not spent is told at the last check but one, even of a refusal: the failed record may be of somebody
 * else's try, and ours come late. The last check, which has locked the customer once more, makes sure that it did not.
 */
function notFound(state: State, operation: Operation, told: Operation, left: number, scope: Scope): Decision {
  const watching = operation.status === 'watching';
  if (left <= 0) return watching ? update(state, told, scope, endOf(told)) : resolve(state, told, scope);
  if (left > 1 || watching) return update(state, operation, scope);
  const { unlock } = endOf(told);
  const next = update(counted(state, told, scope), { ...operation, status: 'watching' }, scope, { unlock });
  return after([resolved(told, scope)], next);
}

/**
 * An operator decided (`npm run operations -- settle`). An operation of which the state knows nothing (any more) has
 * nobody to be told of it, but may still lock its customer; where it is of the confirmation at hand, its call was perhaps
 * made and its outcome never saved: the button that confirms it ends with the intent, which alone kept it from calling again.
 */
export function settle(
  state: State,
  { operation: id, result, locks }: MessageOf<'settle'>,
  scope: Scope,
): Decision {
  const status = result === 'done' ? 'done' : 'notApplied';
  const known = state.operations.find((one) => one.id === id);
  if (known && isOpen(known)) return settling(resolve(state, { ...known, status }, scope), scope);
  const confirming = known ? undefined : atHand(state, scope);
  const call = confirming?.calls.find(({ operation }) => operation === id);
  if (!confirming || !call) return { ...say(state), ...ended(id, locks) };
  const operation = { ...begun(state, call, confirming.confirmed, scope), status } as const;
  const next = note(state, operation, scope);
  const told =
    confirming.calls.length > 1
      ? tellAll(next, { ...confirming, why: UNTRIED }, scope)
      : home(next, scope, resolved(operation, scope));
  return { ...told, ...ended(id, locks) };
}

/** The operation has its status for good. */
function resolve(
  state: State,
  operation: Operation,
  scope: Scope,
  { receipt, points }: { readonly receipt?: Receipt | undefined; readonly points?: number | undefined } = {},
): Decision {
  const isSure = points !== undefined && isCaughtUp(state, operation, scope.nowMs);
  const kept = receipt && { ...told(receipt), ...(isSure && { balance: points }) };
  const known: Operation = { ...operation, receipt: kept };
  const balance = points === undefined || isSure ? balanceLines(known) : [behind(points)];
  // Staff may settle an operation of which no check found the record.
  const { lookup } = operation;
  const isAwaited = receipt?.record === undefined && lookup !== undefined;
  const success = isAwaited ? { awaited: awaitedOf(lookup) } : { record: receipt?.record };
  const end = endOf(operation, operation.status === 'done' ? success : {});
  const next = update(counted(state, operation, scope), known, scope, end);
  return after([resolved(known, scope, balance)], next);
}

function escalate(state: State, operation: Operation, scope: Scope): Decision {
  const { id } = operation;
  const lost: Operation = { ...operation, status: 'escalated' };
  const lines = [...receiptLines(lost, scope), ...supportLines(scope)];
  const reply: Reply = { key: 'operation.escalated', params: { reference: id }, lines };
  const next = update(state, lost, scope, { escalated: [id] });
  return escalating(after([reply], next), scope);
}

function resolved(operation: Operation, scope: Scope, balance: readonly Line[] = []): Reply {
  const { id, kind, status } = operation;
  const lines = [...receiptLines(operation, scope), ...balance];
  const params = { reference: id, what: { key: `operation.kind.${kind}` } };
  if (status === 'done') return { key: 'operation.resolved.done', params, lines };
  const context = status === 'refused' ? 'refused' : undefined;
  return { key: 'operation.resolved.notApplied', context, params, lines };
}

/** What is put away with an operation that was looked up. */
const endOf = ({ id, lookup }: Operation, success?: Parameters<typeof ended>[2]) =>
  ended(id, lookup?.locks, success);

/** The operation as it is after one more check. */
function update(state: State, operation: Operation, { nowMs }: Scope, rest?: Partial<Decision>): Decision {
  const { lookup, lookedMs: _, unread, ...known } = operation;
  const moved: Operation = { ...known, checks: operation.checks + 1 };
  // A lookup carries phone or e-mail: it goes as soon as it cannot be needed any more.
  const next: Operation =
    isOpen(moved) && lookup ? { ...moved, lookup, lookedMs: nowMs, ...(unread && { unread }) } : moved;
  const operations = state.operations.map((one) => (one.id === operation.id ? next : one));
  return { state: { ...state, operations }, replies: [], ...rest };
}
