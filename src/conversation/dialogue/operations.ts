import type { Context } from '../context.ts';
import { after, type Decision, type LetGo, say } from '../decision.ts';
import type { Lookup, Outcome, Receipt } from '../effect.ts';
import { accumulate } from '../flows/accumulate.ts';
import { redeem } from '../flows/redeem.ts';
import { again, home, pose } from '../prompts/questions.ts';
import { finish } from '../prompts/settings.ts';
import type { Line, Reply } from '../reply.ts';
import { type ConversationState, type Draft, isOpen, type Operation, type Step } from '../state.ts';
import { countOutcome, tooManyAttempts } from './guessing.ts';

/** Operations with an outcome that are kept, so that their references can be asked for. */
const KEPT = 5;
/** Operations without an outcome that one conversation may have at a time. */
const OPEN_CAP = 5;

type Confirming = Extract<Step, { at: 'confirming' }>;
type Concluded = Extract<Outcome, { kind: 'applied' | 'refused' | 'unavailable' | 'unknown' | 'busy' }>;

/** What is said where another redeem waits for the outcome of the last one; everything else goes on meanwhile. */
export function busy(state: ConversationState, flow: 'accumulate' | 'redeem'): Reply | undefined {
  const open = state.operations.filter(isOpen);
  const isBusy =
    open.length >= OPEN_CAP ||
    (flow === 'redeem' && open.some(({ kind, status }) => kind === 'redeem' && status === 'checking'));
  return isBusy ? stillChecking(state) : undefined;
}

/** The confirm button was pressed: its operation id works once, here. */
export function begin(state: ConversationState, step: Confirming, context: Context): Decision {
  const wait =
    busy(state, step.flow) ?? (step.flow === 'accumulate' ? tooManyAttempts(state, context) : undefined);
  if (wait) return again(state, context, wait);
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
      return again(state, context, stillChecking(state));
    case 'unknown':
      return pending(state, flow, operation, outcome.lookup, context);
    case 'unavailable':
      return unavailable(state, step, outcome.customer, context);
    case 'refused':
      return { ...refused(state, flow, operation, context), ...ended(operation, outcome.customer) };
    case 'applied':
      return {
        ...applied(state, flow, operation, outcome, context),
        ...ended(operation, outcome.customer, { record: outcome.receipt?.record, awaited: outcome.awaited }),
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
  const operation: Operation = { ...begun(state, id, kind, context), status: 'done', receipt: told(receipt) };
  const noted = note(state, operation);
  const lines = receiptLines(operation, context);
  const perhaps = kind === 'accumulate' ? (omitted ?? perhapsOmitted(state.draft)) : undefined;
  if (perhaps) lines.push({ key: 'accumulate.omitted', context: perhaps });
  return finish(countOutcome(noted, kind, 'done', context), context, {
    key: `${kind}.done`,
    lines,
  });
}

/**
 * The identifier that the linking rule may have left out. Said whether it was or not, unless both are proved: else the
 * answer would tell whether somebody has a record by a typed phone or e-mail.
 */
function perhapsOmitted({ phone, email }: Draft): 'phone' | 'email' | undefined {
  if (!phone || !email || (phone.proved && email.proved)) return undefined;
  return email.proved ? 'phone' : 'email';
}

function refused(state: ConversationState, kind: Operation['kind'], id: string, context: Context): Decision {
  const noted = note(state, { ...begun(state, id, kind, context), status: 'refused' });
  if (kind === 'redeem') return home(noted, context, { key: 'redeem.refused' });
  const counted = countOutcome(noted, kind, 'refused', context);
  const refusal: Reply = { key: 'accumulate.refused' };
  const wait = tooManyAttempts(counted, context);
  if (wait) return after([refusal], home(counted, context, wait));
  const { code: _, ...draft } = counted.draft;
  const step: Step = { at: 'asking', flow: 'accumulate', slot: 'code', tries: 0, editing: true };
  return pose({ ...counted, draft }, step, context, refusal);
}

/**
 * Nothing was applied, so confirming again is safe: under a new id, since the old one may have left an intent. Where a
 * redeem did not get as far as knowing its customer, the id stays: an attempt before a crash may hold the customer for
 * it, and only the same operation gets past its own hold.
 */
function unavailable(
  state: ConversationState,
  step: Confirming,
  customer: string | undefined,
  context: Context,
): Decision {
  const early = step.flow === 'redeem' && customer === undefined;
  const operation = early ? step.operation : context.ids.operation;
  const retry = pose(state, { ...step, operation }, context, { key: 'service.unavailable' });
  return { ...retry, ...ended(step.operation, customer) };
}

function pending(
  state: ConversationState,
  kind: Operation['kind'],
  id: string,
  lookup: Lookup,
  context: Context,
): Decision {
  const noted = note(state, { ...begun(state, id, kind, context), status: 'checking', lookup });
  return home(noted, context, { key: 'operation.checking', context: kind, params: { reference: id } });
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
        lines: receiptLines(operation, context),
      }
    : { key: 'operation.none' };
  return state.step.at === 'idle' ? home(state, context, reply) : again(state, context, reply);
}

/** What a later answer tells of a receipt. The record's id served to settle the operation, and goes. */
export function told(receipt: Receipt | undefined): Operation['receipt'] {
  return receipt && { score: receipt.score, what: receipt.what };
}

/**
 * The receipt as a line: "+100 điểm · Tivi". Nothing where AntCRM's record could not be read back. AntCRM names gifts
 * in Vietnamese only, the list of gifts in every language.
 */
export function receiptLines({ kind, receipt, gift }: Operation, { settings }: Context): Line[] {
  if (receipt?.score === undefined) return [];
  const what = settings.gifts.find(({ code }) => code === gift)?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }];
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
  success?: Pick<LetGo, 'record' | 'awaited'>,
): Pick<Decision, 'settled' | 'letGo'> {
  return {
    settled: [operation],
    ...(customer && { letGo: [{ customer, operation, ...success } satisfies LetGo] }),
  };
}

/** An operation as its confirmation leaves it. */
export function begun(
  { draft }: ConversationState,
  id: string,
  kind: Operation['kind'],
  { nowMs }: Context,
): Omit<Operation, 'status'> {
  return { id, kind, atMs: nowMs, checks: 0, gift: kind === 'redeem' ? draft.code : undefined };
}

/** Adds an operation, forgetting the oldest of those that have an outcome. */
export function note(state: ConversationState, operation: Operation): ConversationState {
  const closed = state.operations.filter((one) => !isOpen(one)).slice(1 - KEPT);
  const kept = state.operations.filter((one) => isOpen(one) || closed.includes(one));
  return { ...state, operations: [...kept, operation] };
}
