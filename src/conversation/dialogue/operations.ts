import { type Decision, say, type Unlock } from '../decision.ts';
import type { Lookup, Outcome, Receipt } from '../effect.ts';
import type { Flow, Scope } from '../flow.ts';
import { finish } from '../prompts/consent.ts';
import { giftOf, pickUpLines } from '../prompts/gifts.ts';
import { served } from '../prompts/identity.ts';
import { again, home, pose } from '../prompts/questions.ts';
import type { Line, Reply } from '../reply.ts';
import { type ConversationState, isOpen, type Operation, type Step } from '../state.ts';
import { balanceAfter } from './balance.ts';
import { callsOf, confirmationOf, isCutOff, nextCall } from './calls.ts';

/** Confirmations whose outcomes are kept, so that their references can be asked for, and so many operations of them. */
const KEPT = 5;
const KEPT_OPERATIONS = 11;
/** Operations without an outcome that one conversation may have at a time. */
const OPEN_CAP = 5;

type Confirming = Extract<Step, { at: 'confirming' }>;
export type Concluded = Extract<
  Outcome,
  { kind: 'applied' | 'refused' | 'unavailable' | 'unknown' | 'busy' }
>;

/** What is said where the next operation must wait for the outcome of the last one; everything else goes on meanwhile. */
export function busy(
  state: ConversationState,
  { kind: wanted, exclusive }: Pick<NonNullable<Flow['confirmation']>, 'kind' | 'exclusive'>,
): Reply | undefined {
  const open = state.operations.filter(isOpen);
  const isBusy =
    open.length >= OPEN_CAP ||
    (exclusive && open.some(({ kind, status }) => kind === wanted && status === 'checking'));
  return isBusy ? stillChecking(state) : undefined;
}

/** The confirm button was pressed: its operation id works once, here. */
export function begin(state: ConversationState, step: Confirming, scope: Scope): Decision {
  const confirmation = scope.flows.get(step.flow)?.confirmation;
  if (!confirmation) return home(state, scope, { key: 'menu' });
  const wait = busy(state, confirmation) ?? confirmation.hindered?.(state, scope);
  // What was cut off may have been called already: only trying to goes on to find that out.
  if (wait && !isCutOff(state)) return again(state, scope, wait);
  const calls = callsOf(state, confirmation, step.operation);
  const at = nextCall(state, calls);
  const call = calls[at];
  const effect = call && confirmation.effect(state.draft, call.operation, scope, at);
  return effect ? { state, replies: [], effect } : home(state, scope, { key: 'menu' });
}

/** The call of the confirmed operation has ended, one way or another. */
export function conclude(state: ConversationState, outcome: Concluded, scope: Scope): Decision {
  const { step } = state;
  const flow = step.at === 'confirming' ? scope.flows.get(step.flow) : undefined;
  if (step.at !== 'confirming' || !flow?.confirmation) return say(state);
  const { operation } = step;
  const confirmed: Confirmed = { ...flow.confirmation, name: flow.name };
  switch (outcome.kind) {
    case 'busy':
      // The button stays live: the same press may succeed once the other operation has its outcome.
      return again(state, scope, stillChecking(state));
    case 'unknown':
      return pending(state, confirmed, operation, outcome.lookup, scope);
    case 'unavailable':
      return unavailable(state, step, confirmed, outcome.customer, scope);
    case 'refused':
      return { ...refused(state, confirmed, outcome, scope), ...ended(operation, outcome.customer) };
    case 'applied':
      return {
        ...applied(state, confirmed, operation, outcome, scope),
        ...ended(operation, outcome.customer, { record: outcome.receipt?.record, awaited: outcome.awaited }),
      };
  }
}

/** What a flow says of its own operation, with the flow's name: the family of its wording. */
export type Confirmed = NonNullable<Flow['confirmation']> & { readonly name: string };

function applied(
  state: ConversationState,
  confirmed: Confirmed,
  id: string,
  outcome: Extract<Outcome, { kind: 'applied' }>,
  scope: Scope,
): Decision {
  const begins = begun(state, id, confirmed, scope);
  const operation: Operation = { ...begins, status: 'done', receipt: receiptOf(state, begins, outcome) };
  const noted = note(state, operation);
  const remarks = confirmed.remarks?.(state.draft, outcome) ?? [];
  const choices = [...(confirmed.next?.(state.draft, scope) ?? [])];
  const done: Reply = {
    key: `${confirmed.name}.done`,
    lines: [...receiptLines(operation, scope), ...balanceLines(operation), ...remarks],
    ...(choices.length > 0 && { choices, view: scope.ids.view }),
  };
  return finish(counted(noted, operation.kind, 'done', scope), scope, done, operation.receipt?.balance);
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

export function balanceLines(last: Operation | undefined): Line[] {
  const points = last?.receipt?.balance;
  return points === undefined ? [] : [{ key: 'receipt.balance', params: { points } }];
}

function refused(
  state: ConversationState,
  confirmed: Confirmed,
  outcome: Extract<Outcome, { kind: 'refused' }>,
  scope: Scope,
): Decision {
  const { operation: id } = outcome;
  const noted = note(state, { ...begun(state, id, confirmed, scope), status: 'refused' });
  const refusal: Reply = {
    key: `${confirmed.name}.refused`,
    ...confirmed.why?.(state.draft, outcome, scope),
  };
  const next = counted(served(noted, scope), confirmed.kind, 'refused', scope);
  return confirmed.refused?.(next, refusal, scope) ?? home(next, scope, refusal);
}

/** The state with an outcome counted by the flow that confirms operations of this kind. */
export function counted(
  state: ConversationState,
  kind: Operation['kind'],
  status: Operation['status'],
  scope: Scope,
): ConversationState {
  return scope.flows.confirming(kind)?.confirmation?.counted?.(state, status, scope) ?? state;
}

/**
 * Nothing was applied, so confirming again is safe: under a new id, since the old one may have left an intent. Where an
 * exclusive operation did not get as far as knowing its customer, the id stays: an attempt before a crash may have locked
 * the customer for it, and only the same operation gets past its own lock.
 */
function unavailable(
  state: ConversationState,
  step: Confirming,
  { exclusive }: Confirmed,
  customer: string | undefined,
  scope: Scope,
): Decision {
  const early = exclusive && customer === undefined;
  const operation = early ? step.operation : scope.ids.operation;
  const retry = pose(state, { ...step, operation }, scope, { key: 'service.unavailable' });
  return { ...retry, ...ended(step.operation, customer) };
}

function pending(
  state: ConversationState,
  confirmed: Confirmed,
  id: string,
  lookup: Lookup,
  scope: Scope,
): Decision {
  const noted = note(state, { ...begun(state, id, confirmed, scope), status: 'checking', lookup });
  return home(noted, scope, checking(confirmed.kind, id));
}

/** Says that the outcome is unknown, and being looked up. */
export function checking(kind: Operation['kind'], reference: string): Reply {
  return { key: 'operation.checking', context: kind, params: { reference } };
}

/** The operation of that reference, or all of that confirmation; without a reference, of the last one. */
export function operationsOf({ operations }: ConversationState, reference?: string): readonly Operation[] {
  const wanted = reference ?? confirmationOf(operations.at(-1)?.id ?? '');
  return operations.filter(({ id }) => id === wanted || confirmationOf(id) === wanted);
}

/** How an operation stands, by its reference or the last one; of several codes, each. */
export function status(state: ConversationState, scope: Scope, reference?: string): Decision {
  const [operation, ...others] = operationsOf(state, reference);
  const reply: Reply = operation
    ? {
        key: 'operation.status',
        context: others.length > 0 ? 'several' : shown(operation.status),
        params: {
          reference: others.length > 0 ? confirmationOf(operation.id) : operation.id,
          what: { key: `operation.kind.${operation.kind}` },
          at: operation.atMs,
        },
        lines: others.length > 0 ? [operation, ...others].map(codeLine) : receiptLines(operation, scope),
      }
    : { key: 'operation.none' };
  return state.step.at === 'idle' ? home(state, scope, reply) : again(state, scope, reply);
}

/** What was told of it: "not applied", although one more look is to come. */
const shown = (status: Operation['status']) => (status === 'watching' ? 'notApplied' : status);

/** What became of one of several codes: "TIVI000000301: +100 điểm · Tivi". */
export function codeLine({ id, code = '', status, receipt }: Operation): Line {
  const params = { code, reference: id };
  const { score, what } = receipt ?? {};
  if (status !== 'done' || score === undefined)
    return { key: 'receipt.code', context: shown(status), params };
  const context = what === undefined ? 'unnamed' : 'scored';
  return { key: 'receipt.code', context, params: { ...params, score, what: what ?? '' } };
}

/** What a later answer tells of a receipt. The record's id served to settle the operation, and goes. */
export function told(receipt: Receipt | undefined): Operation['receipt'] {
  return receipt && { score: receipt.score, what: receipt.what };
}

/**
 * The receipt as a line: "+100 điểm · Tivi", left out where AntCRM's record could not be read back; of a gift that was
 * redeemed, where to get it. AntCRM names gifts in Vietnamese only, the list of gifts in every language.
 */
export function receiptLines(operation: Operation, scope: Scope): Line[] {
  const { kind, status, receipt, gift: code, code: earnedBy } = operation;
  if (earnedBy !== undefined) return [codeLine(operation)];
  const gift = giftOf(code, scope);
  const pickUp = status === 'done' && gift ? pickUpLines(gift) : [];
  if (receipt?.score === undefined) return pickUp;
  const what = gift?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }, ...pickUp];
}

export function stillChecking(state: ConversationState): Reply {
  const reference = state.operations.find(({ status }) => status === 'checking')?.id;
  return reference
    ? { key: 'operation.busy', context: 'reference', params: { reference } }
    : { key: 'operation.busy' };
}

/** The operation has its outcome: what is put away with it. */
export function ended(
  operation: string,
  customer?: string,
  success?: Pick<Unlock, 'record' | 'awaited'>,
): Pick<Decision, 'settled' | 'unlock'> {
  return {
    settled: [operation],
    ...(customer && { unlock: [{ customer, operation, ...success } satisfies Unlock] }),
  };
}

/** An operation as its confirmation leaves it. */
export function begun(
  { draft }: ConversationState,
  id: string,
  { kind, gift }: Pick<NonNullable<Flow['confirmation']>, 'kind' | 'gift'>,
  { nowMs }: Scope,
): Omit<Operation, 'status'> {
  return { id, kind, atMs: nowMs, checks: 0, gift: gift?.(draft) };
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
