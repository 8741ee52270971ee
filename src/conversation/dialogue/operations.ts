import type { Decision, Unlock } from '../decision.ts';
import type { Outcome, Receipt } from '../effect.ts';
import type { Confirms, Scope } from '../flow.ts';
import type { Reply } from '../reply.ts';
import { type ConversationState, isOpen, type Operation } from '../state.ts';
import { balanceAfter } from './balance.ts';
import { confirmationOf } from './calls.ts';
import { countOutcome } from './guessing.ts';

/*
 * What is kept of the calls that earn or spend, and what follows from it.
 */

/** Confirmations whose outcomes are kept, so that their references can be asked for, and so many operations of them. */
const KEPT = 5;
const KEPT_OPERATIONS = 11;
/** Operations without an outcome that one conversation may have at a time. */
const OPEN_CAP = 5;

/** An operation as its confirmation leaves it. */
export function begun(
  { draft }: ConversationState,
  id: string,
  { kind }: Pick<Confirms, 'kind'>,
  { nowMs }: Scope,
): Omit<Operation, 'status'> {
  return { id, kind, atMs: nowMs, checks: 0, gift: draft.code };
}

/** Adds an operation, forgetting the oldest of those that have an outcome; those of one confirmation stay together. */
export function note(state: ConversationState, operation: Operation): ConversationState {
  const operations = [...state.operations, operation];
  const closed = Map.groupBy(
    operations.filter((one) => !isOpen(one)),
    ({ id }) => confirmationOf(id),
  );
  const [newest = [], ...older] = [...closed.values()].reverse();
  const kept = new Set(newest);
  for (const together of older.slice(0, KEPT - 1)) {
    if (kept.size + together.length <= KEPT_OPERATIONS) for (const one of together) kept.add(one);
  }
  return { ...state, operations: operations.filter((one) => isOpen(one) || kept.has(one)) };
}

/** What is kept of a success: the receipt, and the balance after it where that is known. */
export function receiptOf(
  state: ConversationState,
  begins: Pick<Operation, 'kind' | 'atMs'>,
  { receipt, balance: moved }: Pick<Extract<Outcome, { kind: 'applied' }>, 'receipt' | 'balance'>,
): Operation['receipt'] {
  const balance = balanceAfter(state, begins, receipt?.score, moved);
  return receipt && { ...told(receipt), ...(balance !== undefined && { balance }) };
}

/** What a later answer tells of a receipt. The record's id served to settle the operation, and goes. */
export function told(receipt: Receipt | undefined): Operation['receipt'] {
  return receipt && { score: receipt.score, what: receipt.what };
}

/** The operation has its outcome: what is put away with it. */
export function ended(
  operation: string,
  locks: readonly string[] = [],
  success?: Pick<Unlock, 'record' | 'awaited'>,
): Pick<Decision, 'settled' | 'unlock'> {
  return { settled: [operation], ...unlockAll(operation, locks, success) };
}

/** Whatever is locked for the operation is given back, and learns of its success. */
export function unlockAll(
  operation: string,
  locks: readonly string[],
  success?: Pick<Unlock, 'record' | 'awaited'>,
): Pick<Decision, 'unlock'> {
  return { unlock: locks.map((customer) => ({ customer, operation, ...success })) };
}

/** The state with an outcome counted by the flow that confirms operations of this kind. */
export function counted(
  state: ConversationState,
  kind: Operation['kind'],
  status: Operation['status'],
  scope: Scope,
): ConversationState {
  const isCounted = scope.flows.confirming(kind)?.guards?.includes('guesses');
  return isCounted ? countOutcome(state, status, scope) : state;
}

/** The operation of that reference, or all of that confirmation; without a reference, of the last one. */
export function operationsOf({ operations }: ConversationState, reference?: string): readonly Operation[] {
  const wanted = reference ?? confirmationOf(operations.at(-1)?.id ?? '');
  return operations.filter(({ id }) => id === wanted || confirmationOf(id) === wanted);
}

/** What is said where the next operation must wait for the outcome of the last one; everything else goes on meanwhile. */
export function busy(
  state: ConversationState,
  { kind: wanted, exclusive }: Pick<Confirms, 'kind' | 'exclusive'>,
): Reply | undefined {
  const open = state.operations.filter(isOpen);
  const isBusy =
    open.length >= OPEN_CAP ||
    (exclusive && open.some(({ kind, status }) => kind === wanted && status === 'checking'));
  return isBusy ? stillChecking(state) : undefined;
}

export function stillChecking(state: ConversationState): Reply {
  const reference = state.operations.find(({ status }) => status === 'checking')?.id;
  return reference
    ? { key: 'operation.busy', context: 'reference', params: { reference } }
    : { key: 'operation.busy' };
}

/** No code is called again while it is found out about: both calls would find the same record. */
export function withoutChecked(
  { operations }: ConversationState,
  wanted: Operation['kind'],
  codes: readonly string[],
): { readonly left: readonly string[]; readonly told: readonly Reply[] } {
  const open = operations.filter(
    ({ kind, status, lookup }) =>
      kind === wanted && status === 'checking' && lookup !== undefined && codes.includes(lookup.code),
  );
  return {
    left: codes.filter((code) => !open.some(({ lookup }) => lookup?.code === code)),
    told: open.map(({ kind, id }) => checking(kind, id)),
  };
}

/** Says that the outcome is unknown, and being looked up. */
export function checking(kind: Operation['kind'], reference: string): Reply {
  return { key: 'operation.checking', context: kind, params: { reference } };
}
