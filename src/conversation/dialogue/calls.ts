import { type OperationOutcome, type OutcomeOf, spends, toAwaitedRecord } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { MessageOf } from '../message.ts';
import { balanceLines, codeLine, findGiftCode, giftCodeLines, receiptLines } from '../prompts/receipts.ts';
import { type Decision, type Reply, say, sayFirst } from '../reply.ts';
import { type Draft, isOpen, type Operation, type State } from '../state.ts';
import { askAfterRefusal, askUntried, complete, findCallHindrance } from './advance.ts';
import { closeSettled, escalateTicket, supportLines } from './handover.ts';
import {
  countGuess,
  endOperation,
  findOperation,
  findPending,
  isInterrupted,
  keepOperation,
  keepReceipt,
  type PendingConfirmation,
  type PlannedOperation,
  type Success,
  sayChecking,
  sayStillChecking,
  startOperation,
} from './operations.ts';
import { finishFlow } from './privacy.ts';
import { askAgain, askStep, goHome } from './questions.ts';

/*
 * From the confirm button to the result. A confirmation of several codes makes a call for each, in order, and
 * tells the result once all are known. The operations that are kept say what is left to do. After a crash the
 * turn goes through all calls again, and learns the outcome of each call that was made.
 */

/** The confirm button: its operation id works once, here. */
export function beginCalls(state: State, scope: Scope): Decision {
  const pending = findPending(state, scope);
  const wait = pending && findCallHindrance(pending.flow, state, scope);
  // No guard checks a call that was perhaps made: prices, guesses and the service may have changed since.
  if (wait && !isInterrupted(state, scope)) return askAgain(state, scope, wait);
  const call = pending?.calls.find(({ operation }) => !findOperation(state, operation));
  return (
    (pending && call && makeCall(state, { pending, call }, scope)) ?? goHome(state, scope, { key: 'menu' })
  );
}

type NextOperation = { readonly pending: PendingConfirmation; readonly call: PlannedOperation };

function makeCall(state: State, { pending, call }: NextOperation, scope: Scope): Decision | undefined {
  const { confirms, calls } = pending;
  const effect = confirms.effect(state.draft, { operation: call.operation, at: calls.indexOf(call) }, scope);
  return effect && { state, replies: [], effect };
}

type CallEnd = OperationOutcome | OutcomeOf<'outdated' | 'busy'>;

/** A call of the confirmation has ended: makes the next one, or tells of all. */
export function concludeCall(state: State, outcome: CallEnd, scope: Scope): Decision {
  const pending = findPending(state, scope);
  const at = pending?.calls.findIndex(({ operation }) => operation === outcome.operation) ?? -1;
  if (!pending || at < 0) return outcome.kind === 'unknown' ? keepOrphan(state, outcome, scope) : say(state);
  // The button stays live: the same press may succeed once the other operation has its outcome.
  if (outcome.kind === 'busy') return askAgain(state, scope, sayStillChecking(state));
  // The price has changed: the summary shows the new one. The id stays, because nothing was called.
  if (outcome.kind === 'outdated')
    return complete(state, pending.flow, {
      ...scope,
      ids: { ...scope.ids, operation: pending.step.operation },
    });
  const kept = keepOutcome(state, outcome, scope);
  const call = pending.calls.slice(at + 1).find(({ operation }) => !findOperation(kept, operation));
  const why = call && findStop(kept, { pending, call, outcome }, scope);
  const next = call && !why ? makeCall(kept, { pending, call }, scope) : undefined;
  return { ...(next ?? tellAll(kept, { ...pending, outcome, why }, scope)), ...settleCall(outcome) };
}

function settleCall(outcome: OperationOutcome): Partial<Decision> {
  if (outcome.kind === 'unknown') return {};
  const { operation, locks } = outcome;
  return outcome.kind === 'applied'
    ? endOperation(operation, locks, { record: outcome.receipt?.record, awaited: outcome.awaited })
    : endOperation(operation, locks);
}

/** What was surely not applied leaves nothing to keep. */
function keepOutcome(state: State, outcome: OperationOutcome, scope: Scope): State {
  const begun = startOperation(state, outcome.operation, scope);
  if (!begun || outcome.kind === 'unavailable') return state;
  switch (outcome.kind) {
    case 'applied': {
      const receipt = keepReceipt(state, begun, outcome);
      return keepOperation(state, { ...begun, status: 'done', receipt }, scope);
    }
    case 'refused':
      return keepOperation(state, { ...begun, status: 'refused' }, scope);
    case 'unknown':
      return keepOperation(state, { ...begun, status: 'checking', lookup: outcome.lookup }, scope);
  }
}

/** The remaining codes were not tried. */
const UNTRIED: Reply = { key: 'service.unavailable', context: 'rest' };

function findStop(
  state: State,
  { pending, call, outcome }: NextOperation & { readonly outcome: OperationOutcome },
  scope: Scope,
): Reply | undefined {
  if (Object.hasOwn(scope.journal ?? {}, call.operation)) return undefined;
  const isAway = outcome.kind === 'unavailable' || !scope.serviceUp;
  return isAway ? UNTRIED : findCallHindrance(pending.flow, state, scope);
}

type Ended = PendingConfirmation & {
  readonly outcome?: OperationOutcome | undefined;
  /** Why the codes without an outcome were not tried. */
  readonly why: Reply | undefined;
};

function tellAll(state: State, end: Ended, scope: Scope): Decision {
  const { calls, why, outcome } = end;
  const operations = calls.flatMap(({ operation }) => findOperation(state, operation) ?? []);
  const untried = calls.flatMap(({ operation, code }) =>
    code === undefined || findOperation(state, operation) ? [] : [code],
  );
  if (operations.length === 0 && (why || outcome?.kind === 'unavailable'))
    return askToConfirmAgain(state, end, scope);
  const result = toResult(state.draft, { ...end, operations, untried }, scope);
  const replies = [...result, ...listChecking(operations, result.length > 0, scope)];
  if (why && untried.length > 0) return sayFirst(replies, askUntried(state, { codes: untried, why }, scope));
  const last = replies.at(-1) ?? { key: 'menu' };
  const isDone = operations.some(({ status }) => status === 'done');
  const isRefused = operations.every(({ status }) => status === 'refused');
  const goOn = isDone ? finishFlow : isRefused ? askAfterRefusal : goHome;
  return sayFirst(replies.slice(0, -1), goOn(state, scope, last));
}

/**
 * Nothing was applied, so the customer can confirm again. The new id is needed because the old one may have
 * left an intent. A spending operation without an intent keeps its id: an attempt before a crash may hold a
 * lock, and only the same operation gets that lock.
 */
function askToConfirmAgain(state: State, { step, confirms, outcome }: Ended, scope: Scope): Decision {
  const isSame = spends(confirms) && outcome?.kind === 'unavailable' && outcome.locks === undefined;
  const operation = isSame ? step.operation : scope.ids.operation;
  return sayFirst([{ key: 'service.unavailable' }], askStep(state, { ...step, operation }, scope));
}

function listChecking(operations: readonly Operation[], areTold: boolean, scope: Scope): Reply[] {
  const open = operations.filter(({ status }) => status === 'checking');
  const [only, ...more] = open;
  if (only === undefined) return [];
  if (more.length === 0) return [sayChecking(only, scope)];
  const lines = areTold ? [] : open.map(codeLine);
  return [{ key: 'operation.checking', context: 'several', params: { count: open.length }, lines }];
}

function toResult(
  draft: Draft,
  end: Ended & { readonly operations: readonly Operation[]; readonly untried: readonly string[] },
  scope: Scope,
): Reply[] {
  const { flow, confirms, calls, outcome, operations, untried } = end;
  const { name } = flow;
  const done = operations.filter(({ status }) => status === 'done');
  const isChecked = operations.some(({ status }) => status === 'checking');
  const isRefused = operations.some(({ status }) => status === 'refused');
  const isAll =
    operations.every(({ status }) => status === 'done' || status === 'checking') && untried.length === 0;
  if (done.length === 0 && isAll) return [];
  const isOne = calls.length < 2;
  if (isOne && outcome?.kind === 'refused')
    return [{ key: `${name}.refused`, ...confirms.why?.(draft, outcome, scope) }];
  const choices = done.length > 0 ? (confirms.next?.(draft, scope) ?? []) : [];
  const references = done.map(({ id }) => ({ key: 'receipt.reference', params: { reference: id } }));
  const content = {
    lines: [
      ...operations.flatMap((operation) => receiptLines(operation, scope)),
      ...untried.map((code) => ({ key: 'receipt.code', context: 'untried', params: { code } })),
      // The last success tells the points as they are now, unless one that is checked may move them.
      ...(isChecked ? [] : balanceLines(done.at(-1))),
      ...(spends(confirms) ? references : []),
      ...operations.flatMap((operation) => giftCodeLines(operation, scope)),
    ],
    ...(!isOne && { params: { done: done.length, all: operations.length + untried.length } }),
    ...(choices.length > 0 && { choices: [...choices], view: scope.ids.view }),
  };
  const context = isOne ? undefined : 'several';
  const [first] = done;
  const qr = first && findGiftCode(first, scope);
  if (isAll) return [{ key: `${name}.done`, context, ...content, ...(qr && { qr }) }];
  if (done.length === 0 && isRefused) return [{ key: `${name}.refused`, context, ...content }];
  return [{ key: `${name}.partly`, context: done.length === 0 ? 'none' : undefined, ...content }];
}

/** A call was perhaps made, but its confirmation is gone. */
function keepOrphan(state: State, { operation: id, lookup }: OutcomeOf<'unknown'>, scope: Scope): Decision {
  const { kind, code } = lookup;
  const named = scope.flows.confirming(kind)?.slots.includes('codes') ? { code } : { gift: code };
  const status = 'checking';
  const operation: Operation = { id, kind, atMs: scope.nowMs, checks: 0, status, lookup, ...named };
  return say(keepOperation(state, operation, scope), sayChecking(operation, scope));
}

const FAILED: Reply = { key: 'turn.failed' };

/**
 * The turn failed for good. Nothing changes, unless the journal says that a call of the confirmation was
 * made.
 */
export function giveUp(state: State, scope: Scope): Decision {
  const pending = findPending(state, scope);
  const outcomes = pending?.calls.flatMap(({ operation }) => scope.journal?.[operation] ?? []) ?? [];
  const [only] = outcomes;
  if (!pending || only === undefined) return say(state, FAILED);
  if (pending.calls.length < 2) return concludeCall(state, only, scope);
  const kept = outcomes.reduce((before, outcome) => keepOutcome(before, outcome, scope), state);
  return {
    ...tellAll(kept, { ...pending, why: { ...FAILED, context: 'rest' } }, scope),
    settled: outcomes.flatMap((outcome) => settleCall(outcome).settled ?? []),
  };
}

/*
 * How an unknown outcome becomes known: the bot looks it up at set times, or an operator decides.
 */

/** Looks up the operation whose check is due first. */
export function checkDue(state: State, scope: Scope): Decision {
  const dueMs = nextCheckMs(state, scope);
  const due = state.operations.find((operation) => checkAtMs(operation, scope) === dueMs);
  if (!due?.lookup || dueMs > scope.nowMs) return say(state);
  const check = { kind: 'check', operation: due.id, lookup: due.lookup } as const;
  return { state, replies: [], effect: isOpen(due) ? check : { ...check, late: true } };
}

/** When the next check of any operation is due, epoch ms; infinite: never. */
export const nextCheckMs = ({ operations }: State, scope: Scope): number =>
  Math.min(...operations.map((operation) => checkAtMs(operation, scope)));

/** The time between two checks is never shorter than planned, so that a downtime uses up no check. */
function checkAtMs(operation: Operation, { settings }: Scope): number {
  const { status, lookup, checks, lookedMs, lateMs } = operation;
  if (lookup && lateMs !== undefined && !isOpen(operation)) return lateMs;
  if (!lookup || (status !== 'checking' && status !== 'watching')) return Number.POSITIVE_INFINITY;
  const planned = settings.operationChecksMs;
  const next = Math.min(checks, planned.length - 1);
  const { [next - 1]: before = 0, [next]: delay = 0 } = planned;
  const dueMs = lookup.deadlineMs + delay;
  return lookedMs === undefined ? dueMs : Math.max(dueMs, lookedMs + delay - before);
}

/** Takes what a check found, and tells the customer, who did not ask. */
export function takeCheck(state: State, outcome: OutcomeOf<'checked'>, scope: Scope): Decision {
  const looked = findOperation(state, outcome.operation);
  if (looked?.lateMs !== undefined && !isOpen(looked)) return takeLateLook(state, looked, { outcome, scope });
  if (!looked || !isOpen(looked)) return { ...say(state), settled: [outcome.operation] };
  const operation = keepDate(looked, outcome);
  const left = countChecksLeft(operation, scope);
  const unread = { ...operation, unread: [...(operation.unread ?? []), operation.checks] };
  switch (outcome.found) {
    case 'applied':
      // The customer heard "not applied" and may have confirmed again, so staff must decide.
      return operation.status === 'watching'
        ? escalate(state, operation, scope)
        : resolve(state, { operation: { ...operation, status: 'done' }, found: outcome }, scope);
    case 'several':
      return escalate(state, operation, scope);
    case 'undecided':
      return left > 0 ? saveCheck(state, operation, scope) : escalate(state, operation, scope);
    case 'unreadable':
      if (left > 0) return saveCheck(state, unread, scope);
      return operation.status === 'watching'
        ? lookLater(state, operation, scope)
        : escalate(state, unread, scope);
    case 'refused':
      return takeNotApplied(state, { ...operation, status: 'refused' }, scope);
    case 'none':
      return takeNotApplied(state, { ...operation, status: 'notApplied' }, scope);
  }
}

/** The next look must get later answers than this one. */
function keepDate(operation: Operation, { dateMs }: OutcomeOf<'checked'>): Operation {
  const { lookup } = operation;
  return lookup && dateMs !== undefined ? { ...operation, lookup: { ...lookup, dateMs } } : operation;
}

const countChecksLeft = ({ checks }: Operation, { settings }: Scope) =>
  settings.operationChecksMs.length - 1 - checks;

/**
 * Tells "not applied" at the second-last check. A refusal waits for it, too: the failed record may belong to
 * another attempt. The last check, under a new lock, finds a record that came late.
 */
function takeNotApplied(state: State, operation: Operation, scope: Scope): Decision {
  const { status = operation.status } = findOperation(state, operation.id) ?? {};
  const before: Operation = { ...operation, status };
  const isWatching = status === 'watching';
  const left = countChecksLeft(operation, scope);
  if (left > 1 || (left > 0 && isWatching)) return saveCheck(state, before, scope);
  const { lateMs = scope.nowMs + LATE_MS } = operation;
  const over = { ...operation, lateMs };
  if (left <= 0 && isWatching) return { ...saveCheck(state, over, scope), ...endLookup(operation) };
  if (left <= 0) return resolve(state, { operation: over }, scope);
  const { unlock } = endLookup(operation);
  const watching: Operation = { ...before, status: 'watching', lateMs };
  const watched = saveCheck(countGuess(state, operation, scope), watching, scope);
  return { ...sayFirst([sayResolved(operation, scope)], watched), unlock };
}

/** The look-up after a "not applied", and the time to the next one if AntCRM could not be read. */
const LATE_MS = 24 * 60 * 60_000;
const LATE_AGAIN_MS = 60 * 60_000;

type LateLook = { readonly outcome: OutcomeOf<'checked'>; readonly scope: Scope };

/** "Not applied" was proved and told. An unreadable last check is no reason to call staff. */
function lookLater(state: State, operation: Operation, scope: Scope): Decision {
  const lateMs = scope.nowMs + LATE_AGAIN_MS;
  const over: Operation = { ...operation, status: 'notApplied', lateMs };
  return { ...saveCheck(state, over, scope), ...endLookup(operation) };
}

/**
 * The looks after the last check. The customer hears nothing: they were told "not applied", and may have
 * redeemed again. Staff decide.
 */
function takeLateLook(state: State, operation: Operation, { outcome, scope }: LateLook): Decision {
  const { id, lateMs: _, lookup: __, ...over } = operation;
  const { nowMs } = scope;
  const { found, receipt } = outcome;
  if (found === 'applied' || found === 'several') {
    const { unlock } = endLookup(operation, { record: receipt?.record });
    const next = say(replaceOperation(state, { id, ...over }));
    return escalateTicket({ ...next, unlock, late: [id] }, scope);
  }
  const isUnread = found === 'unreadable';
  const nextMs = isUnread ? nowMs + LATE_AGAIN_MS : operation.atMs + LATE_MS;
  const isNeeded = nextMs > nowMs && nextMs < operation.atMs + 2 * LATE_MS;
  return say(replaceOperation(state, isNeeded ? { ...operation, lateMs: nextMs } : { id, ...over }));
}

function replaceOperation(state: State, operation: Operation): State {
  const operations = state.operations.map((known) => (known.id === operation.id ? operation : known));
  return { ...state, operations };
}

/**
 * An operator decided (`npm run operations -- settle`). If the state does not know the operation, it only
 * releases locks. If the operation belongs to the current confirmation, its outcome was never saved: the
 * confirmation ends, because only the intent kept it from a second call.
 */
export function settle(state: State, message: MessageOf<'settle'>, scope: Scope): Decision {
  const { operation: id, result, locks } = message;
  const status = result === 'done' ? 'done' : 'notApplied';
  const known = findOperation(state, id);
  if (known && isOpen(known))
    return closeSettled(resolve(state, { operation: { ...known, status } }, scope), scope);
  const end = endOperation(id, locks);
  const pending = findPending(state, scope);
  const begun = known ? undefined : startOperation(state, id, scope);
  if (!pending || !begun) return { ...say(state), ...end };
  const operation = { ...begun, status } as const;
  const kept = keepOperation(state, operation, scope);
  const decision =
    pending.calls.length > 1
      ? tellAll(kept, { ...pending, why: UNTRIED }, scope)
      : goHome(kept, scope, sayResolved(operation, scope));
  return { ...decision, ...end };
}

type Resolution = { readonly operation: Operation; readonly found?: OutcomeOf<'checked'> };

function resolve(state: State, { operation, found }: Resolution, scope: Scope): Decision {
  const { receipt, balance } = found ?? {};
  const others = { ...state, operations: state.operations.filter(({ id }) => id !== operation.id) };
  const known: Operation = { ...operation, receipt: keepReceipt(others, operation, { receipt, balance }) };
  // Staff may settle an operation of which no check found the record.
  const { lookup } = operation;
  const isAwaited = receipt?.record === undefined && lookup !== undefined;
  const success = isAwaited ? { awaited: toAwaitedRecord(lookup) } : { record: receipt?.record };
  const end = endLookup(operation, operation.status === 'done' ? success : {});
  const next = saveCheck(countGuess(state, operation, scope), known, scope);
  return { ...sayFirst([sayResolved(known, scope)], next), ...end };
}

function escalate(state: State, operation: Operation, scope: Scope): Decision {
  const { id } = operation;
  const lost: Operation = { ...operation, status: 'escalated' };
  const lines = [...receiptLines(lost, scope), ...supportLines(scope)];
  const reply: Reply = { key: 'operation.escalated', params: { reference: id }, lines };
  const { unlock } = endLookup(operation);
  // Staff decide when they can. Until then the customer may redeem something else.
  const next = { ...sayFirst([reply], saveCheck(state, lost, scope)), unlock, escalated: [id] };
  return escalateTicket(next, scope);
}

function sayResolved(operation: Operation, scope: Scope): Reply {
  const { id, kind, status } = operation;
  const lines = [
    ...receiptLines(operation, scope),
    ...balanceLines(operation),
    ...giftCodeLines(operation, scope),
  ];
  const params = { reference: id, what: { key: `operation.kind.${kind}` } };
  const qr = findGiftCode(operation, scope);
  if (status === 'done') return { key: 'operation.resolved.done', params, lines, ...(qr && { qr }) };
  const context = status === 'refused' ? 'refused' : undefined;
  return { key: 'operation.resolved.notApplied', context, params, lines };
}

const endLookup = ({ id, lookup }: Operation, success?: Success) => endOperation(id, lookup?.locks, success);

function saveCheck(state: State, operation: Operation, { nowMs }: Scope): Decision {
  const { lookup, lookedMs: _, unread, ...known } = operation;
  const moved: Operation = { ...known, checks: operation.checks + 1 };
  // A lookup carries phone or e-mail, so it is deleted once it is not needed any more.
  const isKept = (isOpen(moved) || moved.lateMs !== undefined) && lookup;
  const next = isKept ? { ...moved, lookup, lookedMs: nowMs, ...(unread && { unread }) } : moved;
  return say(replaceOperation(state, next));
}
