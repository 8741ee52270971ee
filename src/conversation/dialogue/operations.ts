import type { Context } from '../context.ts';
import { type OperationOutcome, type Receipt, spends, toPointChange } from '../effect.ts';
import { type Confirms, type Flow, findConfirms, type Scope } from '../flow.ts';
import { giftCodeLines } from '../prompts/receipts.ts';
import type { Line, Reply, Unlock } from '../reply.ts';
import { type Confirming, isOpen, type Operation, type State } from '../state.ts';

/*
 * The current confirmation and its calls; the operations that are kept, and what follows from them.
 */

/** A call that a confirmation makes; `code` only where it makes several. */
export type PlannedOperation = { readonly operation: string; readonly code?: string | undefined };

/** The summary that waits for its button, and its calls. */
export type PendingConfirmation = {
  readonly step: Confirming;
  readonly flow: Flow;
  readonly confirms: Confirms;
  readonly calls: readonly PlannedOperation[];
};

/** Undefined: no summary waits. */
export function findPending(state: State, { flows }: Scope): PendingConfirmation | undefined {
  const { step } = state;
  const flow = step.at === 'confirming' ? flows.get(step.flow) : undefined;
  const confirms = flow && findConfirms(flow);
  if (step.at !== 'confirming' || !confirms) return undefined;
  return { step, flow, confirms, calls: planCalls(state, step.operation) };
}

/** The calls in order. A single one has the confirmation's id, several have `<id>.<n>`. */
function planCalls({ draft: { codes = [] } }: State, id: string): readonly PlannedOperation[] {
  if (codes.length < 2) return [{ operation: id }];
  return codes.map((code, at) => ({ operation: `${id}.${at + 1}`, code }));
}

export function findOperation({ operations }: State, id: string): Operation | undefined {
  return operations.find((operation) => operation.id === id);
}

/** The id of the confirmation that an operation belongs to. */
export const toConfirmationId = (id: string): string => id.split('.', 1)[0] ?? id;

/** An earlier attempt of this turn perhaps made a call: the confirmation must go on. */
export function isInterrupted(state: State, scope: Scope): boolean {
  const { journal = {} } = scope;
  return findPending(state, scope)?.calls.some(({ operation }) => Object.hasOwn(journal, operation)) ?? false;
}

/** The most outcomes that are kept: those of a confirmation of ten codes stay together. */
const MAX_KEPT = 11;
const MAX_OPEN = 5;

type StartedOperation = Omit<Operation, 'status'>;
type Applied = Pick<Extract<OperationOutcome, { kind: 'applied' }>, 'receipt' | 'balance'>;

/** A new operation for a call of the current confirmation; undefined: it is not of it. */
export function startOperation(state: State, id: string, scope: Scope): StartedOperation | undefined {
  const pending = findPending(state, scope);
  const call = pending?.calls.find(({ operation }) => operation === id);
  if (!pending || !call) return undefined;
  const { kind } = pending.confirms;
  const code = call.code === undefined ? {} : { code: call.code };
  return { id, kind, atMs: scope.nowMs, checks: 0, gift: state.draft.gift, ...code };
}

/** Adds an operation and forgets the oldest outcomes. */
export function keepOperation(state: State, operation: Operation, scope: Scope): State {
  const operations = [...state.operations, operation];
  const kept = new Set(operations.filter((operation) => !isOpen(operation)).slice(-MAX_KEPT));
  const isNeeded = (operation: Operation): boolean =>
    isOpen(operation) || operation.lateMs !== undefined || kept.has(operation);
  const next = { ...state, operations: operations.filter(isNeeded) };
  return countGuess(next, operation, scope);
}

/** Has the balance only if this operation alone explains the change of points. */
export function keepReceipt(state: State, { kind, atMs }: StartedOperation, { receipt, balance }: Applied) {
  const kept = toReceipt(receipt);
  const score = receipt?.score;
  if (!kept || !balance || score === undefined) return kept;
  const isDoubtful = findUnseen(state, atMs).some(
    (other) => other.kind === kind && (other.receipt?.score ?? score) === score,
  );
  const isExact = balance.after - balance.before === toPointChange(kind, score);
  return isExact && !isDoubtful ? { ...kept, balance: balance.after } : kept;
}

/** The receipt without the record's id: later replies do not need it. */
function toReceipt(receipt: Receipt | undefined): Operation['receipt'] {
  return receipt && { score: receipt.score, what: receipt.what };
}

export type Success = Pick<Unlock, 'record' | 'awaited'>;

/** Ends an operation: deletes its intent and releases its locks. The store notes `success` with each lock. */
export function endOperation(operation: string, locks: readonly string[] = [], success?: Success) {
  return { settled: [operation], unlock: locks.map((customer) => ({ customer, operation, ...success })) };
}

/** The operation of that reference, or all of that confirmation; without a reference, of the last one. */
export function findOperations({ operations }: State, reference?: string): readonly Operation[] {
  const wanted = reference ?? toConfirmationId(operations.at(-1)?.id ?? '');
  return operations.filter(({ id }) => id === wanted || toConfirmationId(id) === wanted);
}

/**
 * The reply if the next operation must wait for the outcome of the last; undefined: it need not. What is with
 * staff, or only watched, blocks nothing: the summary mentions it (`mentionStaff`).
 */
export function sayBusy(state: State, wanted: Confirms): Reply | undefined {
  const open = state.operations.filter(({ status }) => status === 'checking');
  const isChecking = open.some(({ kind }) => kind === wanted.kind);
  return open.length >= MAX_OPEN || (spends(wanted) && isChecking) ? sayStillChecking(state) : undefined;
}

/** Says at a summary that an operation of that kind is with staff: the new one is made besides it. */
export function mentionStaff({ operations }: State, { kind }: Confirms): readonly Line[] {
  const last = operations.findLast(
    (operation) => operation.kind === kind && operation.status === 'escalated',
  );
  return last ? [{ key: 'summary.withStaff', params: { reference: last.id } }] : [];
}

export function sayStillChecking(state: State): Reply {
  const reference = state.operations.find(({ status }) => status === 'checking')?.id;
  return reference
    ? { key: 'operation.busy', context: 'reference', params: { reference } }
    : { key: 'operation.busy' };
}

/** Says that the outcome is looked up. */
export function sayChecking(operation: Operation, scope: Scope): Reply {
  const { id: reference, kind } = operation;
  const lines = giftCodeLines(operation, scope);
  return { key: 'operation.checking', context: kind, params: { reference }, ...(lines[0] && { lines }) };
}

/** AntCRM's record of the customer, with the balance, lags behind its history for at most this time. */
const LAG_MS = 2 * 60_000;

/** Operations that may have moved points which the balance does not show yet. */
export function findUnseen({ operations }: State, nowMs: number): readonly Operation[] {
  return operations.filter(
    ({ status, atMs, receipt }) =>
      status === 'checking' || (status === 'done' && receipt?.balance === undefined && nowMs - atMs < LAG_MS),
  );
}

/*
 * Guessing codes gets slower with every wrong one; a few typing errors cost nothing. Counted per
 * conversation: a count per phone would let strangers lock its owner out (SECURITY.md).
 */

const FREE_REFUSALS = 4;
/** How long the ones after them make the customer wait, minutes. */
const WAITS_MIN = [1, 5, 30] as const;
const LONGEST_MIN = 60;
const MINUTE_MS = 60_000;
const FORGET_MS = 24 * 60 * MINUTE_MS;

/** Counts a refused code; after a good one, whatever was refused before it was a typing error. */
export function countGuess(
  state: State,
  { kind, status }: Pick<Operation, 'kind' | 'status'>,
  { flows, nowMs }: Scope,
): State {
  const isCounted = flows.confirming(kind)?.slots.includes('codes');
  if (!isCounted || (status !== 'done' && status !== 'refused')) return state;
  const { guesses: _, ...rest } = state;
  if (status === 'done') return rest;
  return { ...rest, guesses: { refused: refusedSoFar(state, nowMs) + 1, atMs: nowMs } };
}

/** The reply if the customer must wait; undefined: another code may be tried. */
export function sayTooManyAttempts(state: State, { nowMs }: Context): Reply | undefined {
  const leftMs = (state.guesses?.atMs ?? 0) + waitMs(refusedSoFar(state, nowMs)) - nowMs;
  return leftMs > 0
    ? { key: 'abuse.tooManyAttempts', params: { minutes: Math.ceil(leftMs / MINUTE_MS) } }
    : undefined;
}

function waitMs(refused: number): number {
  if (refused <= FREE_REFUSALS) return 0;
  return (WAITS_MIN[refused - FREE_REFUSALS - 1] ?? LONGEST_MIN) * MINUTE_MS;
}

function refusedSoFar({ guesses }: State, nowMs: number): number {
  return guesses && nowMs - guesses.atMs < FORGET_MS ? guesses.refused : 0;
}
