import { after, type Decision } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { served } from '../prompts/identity.ts';
import { balanceLines, codeLine, sumLines, untriedLine } from '../prompts/receipts.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState, Operation } from '../state.ts';
import { refused as askAnew, untried as retryUntried } from './advance.ts';
import { type AtHand, type Call, type Concluded, type Confirmed, nextCall } from './calls.ts';
import { finish } from './consent.ts';
import { callHindered } from './guards.ts';
import { begun, checking, counted, ended, note, receiptOf, stillChecking } from './operations.ts';
import { again, home, pose } from './questions.ts';

/*
 * One confirmation, several codes: a call for each, in order, with an operation of its own, `<id>.<n>`. What is left to do
 * follows from the operations noted so far, and nothing is told before all of it is known. Whoever takes the turn up after a
 * crash goes through all of them again, and learns of each call that was made how it ended, or that nobody knows.
 */

/** The call of one of several codes has ended: on to the next, or to what is said of all. */
export function concludeOne(
  state: ConversationState,
  confirming: AtHand,
  outcome: Concluded,
  scope: Scope,
): Decision {
  const { confirmed, calls } = confirming;
  const at = calls.findIndex(({ operation }) => operation === outcome.operation);
  const call = calls[at];
  if (call === undefined) return again(state, scope);
  const noted = noteOutcome(state, call, confirmed, outcome, scope);
  const settled = outcome.kind === 'unknown' || outcome.kind === 'busy' ? {} : ended(call.operation);
  const rest = nextCall(noted, calls.slice(at + 1));
  const next = rest < 0 ? undefined : calls[at + 1 + rest];
  const why = next === undefined ? undefined : hindrance(noted, confirmed, next, outcome, scope);
  const effect =
    next === undefined || why !== undefined
      ? undefined
      : confirmed.effect(noted.draft, next.operation, scope, calls.indexOf(next));
  if (effect) return { state: noted, replies: [], effect, ...settled };
  const applied = outcome.kind === 'applied' ? outcome : undefined;
  return { ...tellAll(noted, { ...confirming, outcome: applied, why }, scope), ...settled };
}

/** The state with the outcome of one of several codes. What was surely not applied leaves nothing to keep. */
export function noteOutcome(
  state: ConversationState,
  call: Call,
  confirmed: Confirmed,
  outcome: Concluded,
  scope: Scope,
): ConversationState {
  const known = begunCall(state, call, confirmed, scope);
  switch (outcome.kind) {
    case 'applied': {
      const receipt = receiptOf(state, known, outcome);
      return counted(note(state, { ...known, status: 'done', receipt }), confirmed.kind, 'done', scope);
    }
    case 'refused':
      return counted(note(state, { ...known, status: 'refused' }), confirmed.kind, 'refused', scope);
    case 'unknown':
      return note(state, { ...known, status: 'checking', lookup: outcome.lookup });
    case 'unavailable':
    case 'outdated':
    case 'busy':
      return state;
  }
}

/** An operation as its call leaves it; of several codes, with its own. */
export function begunCall(
  state: ConversationState,
  { operation, code }: Call,
  confirmed: Confirmed,
  scope: Scope,
): Omit<Operation, 'status'> {
  return { ...begun(state, operation, confirmed, scope), ...(code !== undefined && { code }) };
}

/** Why the codes that are left are not tried now. */
function hindrance(
  state: ConversationState,
  confirmed: Confirmed,
  next: Call,
  outcome: Concluded,
  scope: Scope,
): Reply | undefined {
  // What was perhaps called passes no guard.
  if (Object.hasOwn(scope.journal ?? {}, next.operation)) return undefined;
  const isAway = outcome.kind === 'unavailable' || !scope.serviceUp;
  if (isAway) return UNTRIED;
  if (outcome.kind === 'busy') return stillChecking(state);
  return callHindered(confirmed.flow, state, scope);
}

type Ended = AtHand & {
  readonly outcome?: Extract<Concluded, { kind: 'applied' }> | undefined;
  /** Why the codes without an outcome were not tried. */
  readonly why: Reply | undefined;
};

/** The codes that are left were not tried: AntCRM is out of reach, or a fault of ours came between. */
export const UNTRIED: Reply = { key: 'service.unavailable', context: 'rest' };

/** The result of each code, then what is still being checked, then how it goes on. */
export function tellAll(state: ConversationState, end: Ended, scope: Scope): Decision {
  const { step, confirmed, calls, why } = end;
  const found = calls.map((call) => ({
    ...call,
    known: state.operations.find(({ id }) => id === call.operation),
  }));
  const untried = found.flatMap(({ known, code }) => (known || code === undefined ? [] : [code]));
  if (untried.length === calls.length && why)
    return pose(state, { ...step, operation: scope.ids.operation }, scope, { key: 'service.unavailable' });
  const operations = found.flatMap(({ known }) => known ?? []);
  const result = resultOf(state, operations, untried, end);
  const replies = [...result, ...stillOpen(operations, confirmed, result.length > 0)];
  if (why && confirmed.again && untried.length > 0)
    return after(replies, retryUntried(served(state, scope), confirmed.flow, untried, why, scope));
  const last = replies.at(-1) ?? { key: 'menu' };
  const before = replies.slice(0, -1);
  if (operations.some(({ status }) => status === 'done'))
    return after(before, finish(state, scope, last, lastOf(operations)?.receipt?.balance));
  const isRefused = operations.every(({ status }) => status === 'refused');
  return after(before, isRefused ? askAnew(state, confirmed.flow, last, scope) : home(state, scope, last));
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

/** One reply about all codes; none where nothing is known of any. */
function resultOf(
  { draft }: ConversationState,
  operations: readonly Operation[],
  untried: readonly string[],
  { confirmed, outcome }: Ended,
): Reply[] {
  const { name } = confirmed.flow;
  const of = (wanted: Operation['status']) => operations.filter(({ status }) => status === wanted);
  const [done, open] = [of('done'), of('checking')];
  const isAll = done.length + open.length === operations.length && untried.length === 0;
  if (done.length === 0 && isAll) return [];
  const applied = outcome ?? ({ kind: 'applied', operation: '' } as const);
  const lines = [
    ...operations.map(codeLine),
    ...untried.map(untriedLine),
    ...sumLines(done),
    ...balanceLines(lastOf(operations)),
    ...(done.length > 0 ? (confirmed.remarks?.(draft, applied) ?? []) : []),
  ];
  const params = { done: done.length, all: operations.length + untried.length };
  if (done.length === 0 && of('refused').length > 0)
    return [{ key: `${name}.refused`, context: 'several', params, lines }];
  return isAll
    ? [{ key: `${name}.done`, context: 'several', params, lines }]
    : [{ key: `${name}.partly`, context: done.length === 0 ? 'none' : undefined, params, lines }];
}

/** The operation after which the points are as they are now. What is refused moves nothing; what is not known yet may have. */
function lastOf(operations: readonly Operation[]): Operation | undefined {
  const isOpen = operations.some(({ status }) => status === 'checking');
  return isOpen ? undefined : operations.findLast(({ status }) => status === 'done');
}
