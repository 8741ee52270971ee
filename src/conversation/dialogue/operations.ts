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

/** Operations with an outcome that are kept, so that their references can be asked for. */
const KEPT = 5;
/** Operations without an outcome that one conversation may have at a time. */
const OPEN_CAP = 5;

type Confirming = Extract<Step, { at: 'confirming' }>;
type Concluded = Extract<Outcome, { kind: 'applied' | 'refused' | 'unavailable' | 'unknown' | 'busy' }>;

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
  if (wait) return again(state, scope, wait);
  const effect = confirmation.effect(state.draft, step.operation, scope);
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
type Confirmed = NonNullable<Flow['confirmation']> & { readonly name: string };

function applied(
  state: ConversationState,
  confirmed: Confirmed,
  id: string,
  outcome: Extract<Outcome, { kind: 'applied' }>,
  scope: Scope,
): Decision {
  const begins = begun(state, id, confirmed, scope);
  const balance = balanceAfter(state, begins, outcome.receipt?.score, outcome.balance);
  const receipt = outcome.receipt && { ...told(outcome.receipt), ...(balance !== undefined && { balance }) };
  const operation: Operation = { ...begins, status: 'done', receipt };
  const noted = note(state, operation);
  const remarks = confirmed.remarks?.(state.draft, outcome) ?? [];
  const choices = [...(confirmed.next?.(state.draft, scope) ?? [])];
  return finish(counted(noted, operation.kind, 'done', scope), scope, {
    key: `${confirmed.name}.done`,
    lines: [...receiptLines(operation, scope), ...balanceLines(balance), ...remarks],
    ...(choices.length > 0 && { choices, view: scope.ids.view }),
  });
}

function balanceLines(points: number | undefined): Line[] {
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
  const { kind } = confirmed;
  return home(noted, scope, { key: 'operation.checking', context: kind, params: { reference: id } });
}

/** How an operation stands, by its reference or the last one. */
export function status(state: ConversationState, scope: Scope, reference?: string): Decision {
  const operation = reference
    ? state.operations.find(({ id }) => id === reference)
    : state.operations[state.operations.length - 1];
  const reply: Reply = operation
    ? {
        key: 'operation.status',
        context: operation.status === 'watching' ? 'notApplied' : operation.status,
        params: {
          reference: operation.id,
          what: { key: `operation.kind.${operation.kind}` },
          at: operation.atMs,
        },
        lines: receiptLines(operation, scope),
      }
    : { key: 'operation.none' };
  return state.step.at === 'idle' ? home(state, scope, reply) : again(state, scope, reply);
}

/** What a later answer tells of a receipt. The record's id served to settle the operation, and goes. */
export function told(receipt: Receipt | undefined): Operation['receipt'] {
  return receipt && { score: receipt.score, what: receipt.what };
}

/**
 * The receipt as a line: "+100 điểm · Tivi", left out where AntCRM's record could not be read back; of a gift that was
 * redeemed, where to get it. AntCRM names gifts in Vietnamese only, the list of gifts in every language.
 */
export function receiptLines({ kind, status, receipt, gift: code }: Operation, scope: Scope): Line[] {
  const gift = giftOf(code, scope);
  const pickUp = status === 'done' && gift ? pickUpLines(gift) : [];
  if (receipt?.score === undefined) return pickUp;
  const what = gift?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }, ...pickUp];
}

function stillChecking(state: ConversationState): Reply {
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

/** Adds an operation, forgetting the oldest of those that have an outcome. */
export function note(state: ConversationState, operation: Operation): ConversationState {
  const closed = state.operations.filter((one) => !isOpen(one)).slice(1 - KEPT);
  const kept = state.operations.filter((one) => isOpen(one) || closed.includes(one));
  return { ...state, operations: [...kept, operation] };
}
