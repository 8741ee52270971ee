import { after, type Decision, say, type Unlock } from '../decision.ts';
import { awaitedOf, type Lookup, type Outcome, type Receipt } from '../effect.ts';
import type { Scope } from '../flow.ts';
import type { Message } from '../message.ts';
import { carried, proved } from '../prompts/identity.ts';
import { balanceLines, behind, receiptLines } from '../prompts/receipts.ts';
import type { Line, Reply } from '../reply.ts';
import { type ConversationState, isOpen, type Operation } from '../state.ts';
import { tellAll, UNTRIED } from './calls.ts';
import { atHand, begun, counted, ended, isCaughtUp, note, told, unlockAll } from './operations.ts';
import { escalating, supportLines } from './person.ts';
import { home } from './questions.ts';

/*
 * How an operation without an outcome comes to one: looked up at set times, or decided by an operator.
 */

/** A wake-up: looks up the operation whose check is due first. */
export function check(state: ConversationState, scope: Scope): Decision {
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

/** Whether the balance of whom the call was made for may be told here: only who is proved has locks, and points are earned for others, too. */
function isTheirs(state: ConversationState, { by, locks }: Lookup, scope: Scope): boolean {
  const theirs = proved(carried(state, scope));
  return locks.length > 0 || (theirs?.kind === by.kind && theirs.value === by.value);
}

/** When the next check of any operation is due, epoch ms. */
export function nextCheckMs(state: ConversationState, scope: Scope): number | null {
  const times = state.operations.map((operation) => checkAtMs(operation, scope)).filter((at) => at !== null);
  return times.length > 0 ? Math.min(...times) : null;
}

/** In its time, and not sooner after the last look than planned: after a downtime all of them would be spent at once. */
function checkAtMs({ status, lookup, checks, lookedMs }: Operation, { settings }: Scope): number | null {
  if (!lookup || (status !== 'checking' && status !== 'watching')) return null;
  const { [checks - 1]: before = 0, [checks]: delay } = settings.operationChecksMs;
  if (delay === undefined) return null;
  const dueMs = lookup.deadlineMs + delay;
  return lookedMs === undefined ? dueMs : Math.max(dueMs, lookedMs + delay - before);
}

/** What a check found. The customer hears of it unasked. */
export function checked(
  state: ConversationState,
  outcome: Extract<Outcome, { kind: 'checked' }>,
  scope: Scope,
): Decision {
  const operation = state.operations.find(({ id }) => id === outcome.operation);
  if (!operation || !isOpen(operation)) return { ...say(state), settled: [outcome.operation] };
  const last = operation.checks >= scope.settings.operationChecksMs.length - 1;
  const watching = operation.status === 'watching';
  const unread = { ...operation, unread: [...(operation.unread ?? []), operation.checks] };
  switch (outcome.found) {
    case 'applied':
      // "Not applied" was told, the customer may have confirmed anew: only staff can put that right.
      return watching ? escalate(state, operation, scope) : resolve(state, operation, 'done', scope, outcome);
    case 'several':
      return escalate(state, operation, scope);
    case 'undecided':
      return last ? escalate(state, operation, scope) : update(state, operation, operation.status, scope);
    case 'unreadable':
      return last ? escalate(state, unread, scope) : update(state, unread, unread.status, scope);
    case 'refused':
      return notFound(state, operation, 'refused', scope, last);
    case 'none':
      return notFound(state, operation, 'notApplied', scope, last);
  }
}

/**
 * That points were not spent is told at the last check but one, even of a refusal: the failed record may be of somebody
 * else's try, and ours come late. The last check, which has locked the customer once more, makes sure that it did not.
 */
function notFound(
  state: ConversationState,
  operation: Operation,
  status: 'refused' | 'notApplied',
  scope: Scope,
  last: boolean,
): Decision {
  const watching = operation.status === 'watching';
  if (last && watching)
    return update(state, operation, status, scope, { settled: [operation.id], ...unlock(operation) });
  if (last) return resolve(state, operation, status, scope);
  const lastButOne = operation.checks >= scope.settings.operationChecksMs.length - 2;
  if (!lastButOne || watching) return update(state, operation, operation.status, scope);
  const known = counted(state, operation.kind, status, scope);
  const next = update(known, operation, 'watching', scope, unlock(operation));
  return after([resolved(operation, status, scope)], next);
}

/**
 * An operator decided (`npm run operations -- settle`). An operation of which the state knows nothing (any more) has
 * nobody to be told of it, but may still lock its customer; where it is of the confirmation at hand, its call was perhaps
 * made and its outcome never saved: the button that confirms it ends with the intent, which alone kept it from calling again.
 */
export function settle(
  state: ConversationState,
  { operation: id, result, locks }: Extract<Message, { kind: 'settle' }>,
  scope: Scope,
): Decision {
  const status = result === 'done' ? 'done' : 'notApplied';
  const known = state.operations.find((one) => one.id === id);
  if (known && isOpen(known)) return resolve(state, known, status, scope);
  const confirming = known ? undefined : atHand(state, scope);
  const call = confirming?.calls.find(({ operation }) => operation === id);
  if (!confirming || !call) return { ...say(state), ...ended(id, locks) };
  const operation = { ...begun(state, call, confirming.confirmed, scope), status } as const;
  const next = counted(note(state, operation), operation.kind, status, scope);
  const told =
    confirming.calls.length > 1
      ? tellAll(next, { ...confirming, why: UNTRIED }, scope)
      : home(next, scope, resolved(operation, status, scope));
  return { ...told, ...ended(id, locks) };
}

function resolve(
  state: ConversationState,
  operation: Operation,
  status: 'done' | 'refused' | 'notApplied',
  scope: Scope,
  { receipt, points }: { readonly receipt?: Receipt | undefined; readonly points?: number | undefined } = {},
): Decision {
  const isSure = points !== undefined && isCaughtUp(state, operation, scope.nowMs);
  const kept = receipt && { ...told(receipt), ...(isSure && { balance: points }) };
  const known: Operation = { ...operation, receipt: kept };
  const balance = points === undefined || isSure ? balanceLines(known) : [behind(points)];
  const next = update(counted(state, operation.kind, status, scope), known, status, scope, {
    settled: [operation.id],
    ...unlock(operation, status === 'done' ? foundFor(operation, receipt) : {}),
  });
  return after([resolved(known, status, scope, balance)], next);
}

function escalate(state: ConversationState, operation: Operation, scope: Scope): Decision {
  const next = update(state, operation, 'escalated', scope, { escalated: [operation.id] });
  const reply: Reply = {
    key: 'operation.escalated',
    params: { reference: operation.id },
    lines: [...receiptLines({ ...operation, status: 'escalated' }, scope), ...supportLines(scope)],
  };
  return escalating(after([reply], next), scope);
}

function resolved(
  operation: Operation,
  status: 'done' | 'refused' | 'notApplied',
  scope: Scope,
  balance: readonly Line[] = [],
): Reply {
  const lines = [...receiptLines({ ...operation, status }, scope), ...balance];
  const params = { reference: operation.id, what: { key: `operation.kind.${operation.kind}` } };
  if (status === 'done') return { key: 'operation.resolved.done', params, lines };
  const context = status === 'refused' ? 'refused' : undefined;
  return { key: 'operation.resolved.notApplied', context, params, lines };
}

/** Staff may settle an operation of which no check found the record. */
function foundFor({ lookup }: Operation, receipt: Receipt | undefined): Pick<Unlock, 'record' | 'awaited'> {
  const record = receipt?.record;
  return record === undefined && lookup ? { awaited: awaitedOf(lookup) } : { record };
}

function unlock(
  operation: Operation,
  success: Pick<Unlock, 'record' | 'awaited'> = {},
): Pick<Decision, 'unlock'> {
  return unlockAll(operation.id, operation.lookup?.locks ?? [], success);
}

function update(
  state: ConversationState,
  operation: Operation,
  status: Operation['status'],
  { nowMs }: Scope,
  rest?: Partial<Decision>,
): Decision {
  const { lookup, lookedMs: _, unread, ...known } = operation;
  const moved: Operation = { ...known, status, checks: operation.checks + 1 };
  // A lookup carries phone or e-mail: it goes as soon as it cannot be needed any more.
  const next: Operation =
    isOpen(moved) && lookup ? { ...moved, lookup, lookedMs: nowMs, ...(unread && { unread }) } : moved;
  const operations = state.operations.map((one) => (one.id === operation.id ? next : one));
  return { state: { ...state, operations }, replies: [], ...rest };
}
