import type { Context } from '../context.ts';
import { after, type Decision, type LetGo, say } from '../decision.ts';
import type { Lookup, Outcome, Receipt } from '../effect.ts';
import { again, home, pose } from '../questions.ts';
import type { Line, Reply } from '../reply.ts';
import { type ConversationState, isOpen, type Operation, type Step } from '../state.ts';
import { accumulate } from './accumulate.ts';
import { redeem } from './redeem.ts';
import { finish, supportLines } from './settings.ts';

/** Operations with an outcome that are kept, so that their references can be asked for. */
const KEPT = 5;
/** Operations without an outcome that one conversation may have at a time. */
const OPEN_CAP = 5;

type Confirming = Extract<Step, { at: 'confirming' }>;
type Concluded = Extract<Outcome, { kind: 'applied' | 'refused' | 'unavailable' | 'unknown' | 'busy' }>;

/** Another redeem waits for the outcome of the last one; everything else goes on meanwhile. */
export function isBusy(state: ConversationState, flow: 'accumulate' | 'redeem'): boolean {
  const open = state.operations.filter(isOpen);
  return (
    open.length >= OPEN_CAP ||
    (flow === 'redeem' && open.some(({ kind, status }) => kind === 'redeem' && status === 'checking'))
  );
}

/** The confirm button was pressed: its operation id works once, here. */
export function begin(state: ConversationState, step: Confirming, context: Context): Decision {
  if (isBusy(state, step.flow)) return again(state, context, busy(state));
  const effect =
    step.flow === 'accumulate'
      ? accumulate.effect(state.draft, step.operation, context)
      : redeem.effect(state.draft, step.operation);
  return effect ? { state, replies: [], effect } : home(state, context, { key: 'menu' });
}

/** The call of the confirmed operation has ended, one way or another. */
export function conclude(state: ConversationState, outcome: Concluded, context: Context): Decision {
  const { step } = state;
  if (step.at !== 'confirming') return say(state);
  const { operation, flow } = step;
  switch (outcome.kind) {
    case 'busy':
      // The button stays live: the same press may succeed once the other operation has its outcome.
      return again(state, context, busy(state));
    case 'unknown':
      return pending(state, flow, operation, outcome.lookup, context);
    case 'unavailable':
      return unavailable(state, step, outcome.customer, context);
    case 'refused':
      return { ...refused(state, flow, operation, context), ...ended(operation, outcome.customer) };
    case 'applied':
      return {
        ...applied(state, flow, operation, outcome, context),
        ...ended(operation, outcome.customer, outcome.receipt?.record),
      };
  }
}

function applied(
  state: ConversationState,
  kind: Operation['kind'],
  id: string,
  { receipt, omitted }: Extract<Outcome, { kind: 'applied' }>,
  context: Context,
): Decision {
  const noted = note(state, { id, kind, status: 'done', atMs: context.nowMs, checks: 0, receipt });
  const lines = receiptLines(kind, receipt);
  // Neutral on purpose: it must not tell whether the other identifier is on anybody's record.
  if (omitted) lines.push({ key: 'accumulate.omitted', context: omitted });
  return finish(noted, context, { key: `${kind}.done`, lines });
}

function refused(state: ConversationState, kind: Operation['kind'], id: string, context: Context): Decision {
  const noted = note(state, { id, kind, status: 'refused', atMs: context.nowMs, checks: 0 });
  if (kind === 'redeem') return home(noted, context, { key: 'redeem.refused' });
  const { code: _, ...draft } = noted.draft;
  const step: Step = { at: 'asking', flow: 'accumulate', slot: 'code', tries: 0, editing: true };
  return pose({ ...noted, draft }, step, context, { key: 'accumulate.refused' });
}

/** Nothing was applied, so confirming again is safe; under a new id, since the old one may have left an intent. */
function unavailable(
  state: ConversationState,
  step: Confirming,
  customer: string | undefined,
  context: Context,
): Decision {
  const retry = pose(state, { ...step, operation: context.ids.operation }, context, {
    key: 'service.unavailable',
  });
  return { ...retry, ...ended(step.operation, customer) };
}

function pending(
  state: ConversationState,
  kind: Operation['kind'],
  id: string,
  lookup: Lookup,
  context: Context,
): Decision {
  const noted = note(state, { id, kind, status: 'checking', atMs: context.nowMs, checks: 0, lookup });
  return home(noted, context, { key: 'operation.checking', context: kind, params: { reference: id } });
}

/** A wake-up: looks up the operation whose check is due first. */
export function check(state: ConversationState, context: Context): Decision {
  const due = state.operations
    .map((operation) => ({ operation, atMs: checkAtMs(operation, context) }))
    .filter(({ atMs }) => atMs !== null && atMs <= context.nowMs)
    .sort((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0))[0]?.operation;
  if (!due?.lookup) return say(state);
  return { state, replies: [], effect: { kind: 'check', operation: due.id, lookup: due.lookup } };
}

/** When the next check of any operation is due, epoch ms. */
export function nextCheckMs(state: ConversationState, context: Context): number | null {
  const times = state.operations
    .map((operation) => checkAtMs(operation, context))
    .filter((at) => at !== null);
  return times.length > 0 ? Math.min(...times) : null;
}

function checkAtMs({ status, lookup, checks }: Operation, { settings }: Context): number | null {
  if (!lookup || (status !== 'checking' && status !== 'watching')) return null;
  const delay = settings.operationChecksMs[checks];
  return delay === undefined ? null : lookup.deadlineMs + delay;
}

/** What a check found. The customer hears of it unasked. */
export function checked(
  state: ConversationState,
  outcome: Extract<Outcome, { kind: 'checked' }>,
  context: Context,
): Decision {
  const operation = state.operations.find(({ id }) => id === outcome.operation);
  if (!operation || !isOpen(operation)) return { ...say(state), settled: [outcome.operation] };
  const last = operation.checks >= context.settings.operationChecksMs.length - 1;
  const watching = operation.status === 'watching';
  switch (outcome.found) {
    case 'applied':
      // "Not applied" was told, the customer may have confirmed anew: only staff can put that right.
      return watching
        ? escalate(state, operation, context)
        : resolve(state, operation, 'done', outcome.receipt);
    case 'several':
      return escalate(state, operation, context);
    case 'refused':
      return watching
        ? update(state, operation, 'notApplied', { settled: [operation.id] })
        : resolve(state, operation, 'refused');
    case 'unreadable':
      return last ? escalate(state, operation, context) : update(state, operation, operation.status);
    case 'none':
      return nothingFound(state, operation, context, last);
  }
}

/** Not applied is told at the last check but one; the last one makes sure that no record came late. */
function nothingFound(
  state: ConversationState,
  operation: Operation,
  context: Context,
  last: boolean,
): Decision {
  if (last) {
    return operation.status === 'watching'
      ? update(state, operation, 'notApplied', { settled: [operation.id] })
      : resolve(state, operation, 'notApplied');
  }
  const lastButOne = operation.checks >= context.settings.operationChecksMs.length - 2;
  if (!lastButOne || operation.status === 'watching') return update(state, operation, operation.status);
  const told = update(state, operation, 'watching', letGo(operation));
  return after([resolved(operation, 'notApplied')], told);
}

/** An operator decided (`npm run operations -- settle`). */
export function settle(state: ConversationState, id: string, result: 'done' | 'not-applied'): Decision {
  const operation = state.operations.find((one) => one.id === id);
  if (!operation || !isOpen(operation)) return { ...say(state), settled: [id] };
  return resolve(state, operation, result === 'done' ? 'done' : 'notApplied');
}

function resolve(
  state: ConversationState,
  operation: Operation,
  status: 'done' | 'refused' | 'notApplied',
  receipt?: Receipt,
): Decision {
  const { lookup: _, ...rest } = operation;
  const next = update(state, { ...rest, ...(receipt && { receipt }) }, status, {
    settled: [operation.id],
    ...letGo(operation, receipt?.record),
  });
  return after([resolved(operation, status, receipt)], next);
}

function escalate(state: ConversationState, operation: Operation, context: Context): Decision {
  const next = update(state, operation, 'escalated', { escalated: [operation.id] });
  const reply: Reply = {
    key: 'operation.escalated',
    params: { reference: operation.id },
    lines: supportLines(context),
  };
  return after([reply], next);
}

/** How an operation stands, by its reference or the last one. */
export function status(state: ConversationState, context: Context, reference?: string): Decision {
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
        lines: receiptLines(operation.kind, operation.receipt),
      }
    : { key: 'operation.none' };
  return state.step.at === 'idle' ? home(state, context, reply) : again(state, context, reply);
}

/** The receipt as a line: "+100 điểm · Tivi". Nothing where AntCRM's record could not be read back. */
function receiptLines(kind: Operation['kind'], receipt: Receipt | undefined): Line[] {
  if (receipt?.score === undefined) return [];
  const params = { score: receipt.score, what: receipt.what ?? '' };
  return [{ key: `receipt.${kind}`, context: receipt.what ? undefined : 'unnamed', params }];
}

function resolved(operation: Operation, status: 'done' | 'refused' | 'notApplied', receipt?: Receipt): Reply {
  const lines = receiptLines(operation.kind, receipt);
  const params = { reference: operation.id, what: { key: `operation.kind.${operation.kind}` } };
  return status === 'done'
    ? { key: 'operation.resolved.done', params, lines }
    : { key: 'operation.resolved.notApplied', context: status === 'refused' ? 'refused' : undefined, params };
}

function busy(state: ConversationState): Reply {
  const reference = state.operations.find(({ status }) => status === 'checking')?.id;
  return reference
    ? { key: 'operation.busy', context: 'reference', params: { reference } }
    : { key: 'operation.busy' };
}

function ended(operation: string, customer?: string, record?: string): Pick<Decision, 'settled' | 'letGo'> {
  return {
    settled: [operation],
    ...(customer && { letGo: [{ customer, operation, record } satisfies LetGo] }),
  };
}

function letGo(operation: Operation, record?: string): Pick<Decision, 'letGo'> {
  const customer = operation.lookup?.customer;
  return customer ? { letGo: [{ customer, operation: operation.id, record }] } : {};
}

/** Adds an operation, forgetting the oldest of those that have an outcome. */
function note(state: ConversationState, operation: Operation): ConversationState {
  const closed = state.operations.filter((one) => !isOpen(one)).slice(1 - KEPT);
  const kept = state.operations.filter((one) => isOpen(one) || closed.includes(one));
  return { ...state, operations: [...kept, operation] };
}

function update(
  state: ConversationState,
  operation: Operation,
  status: Operation['status'],
  rest?: Partial<Decision>,
): Decision {
  const next: Operation = { ...operation, status, checks: operation.checks + 1 };
  const operations = state.operations.map((one) => (one.id === operation.id ? next : one));
  return { state: { ...state, operations }, replies: [], ...rest };
}
