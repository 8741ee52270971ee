import { type Decision, say } from '../decision.ts';
import type { Lookup, Outcome } from '../effect.ts';
import type { Scope } from '../flow.ts';
import { served } from '../prompts/identity.ts';
import { balanceLines, receiptLines } from '../prompts/receipts.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState, Operation } from '../state.ts';
import { refused as askAnew, complete } from './advance.ts';
import { type AtHand, atHand, type Concluded, type Confirmed, isInterrupted, nextCall } from './calls.ts';
import { finish } from './consent.ts';
import { callHindered } from './guards.ts';
import { begun, checking, counted, ended, note, receiptOf, stillChecking } from './operations.ts';
import { again, home, pose } from './questions.ts';
import { concludeOne } from './several.ts';

/*
 * From the press that confirms to what is said of the outcome. A confirmation of several codes goes on in `several.ts`.
 */

/** The confirm button was pressed: its operation id works once, here. */
export function begin(state: ConversationState, scope: Scope): Decision {
  const confirming = atHand(state, scope);
  if (!confirming) return home(state, scope, { key: 'menu' });
  const { confirmed, calls } = confirming;
  const wait = callHindered(confirmed.flow, state, scope);
  // What was perhaps called passes no guard: prices, guesses and the service may have changed since.
  if (wait && !isInterrupted(state, scope)) return again(state, scope, wait);
  const at = nextCall(state, calls);
  const call = calls[at];
  const effect = call && confirmed.effect(state.draft, call.operation, scope, at);
  return effect ? { state, replies: [], effect } : home(state, scope, { key: 'menu' });
}

/** A call of the confirmed operation, or of one of its operations, has ended, one way or another. */
export function conclude(state: ConversationState, outcome: Concluded, scope: Scope): Decision {
  const confirming = atHand(state, scope);
  const isAtHand = confirming?.calls.some(({ operation }) => operation === outcome.operation);
  if (!confirming || (outcome.kind === 'unknown' && !isAtHand)) return orphaned(state, outcome, scope);
  const isOnly = confirming.calls.length < 2;
  return (isOnly ? concludeOnly : concludeOne)(state, confirming, outcome, scope);
}

/** The only call of a confirmation has ended. */
function concludeOnly(
  state: ConversationState,
  confirming: AtHand,
  outcome: Concluded,
  scope: Scope,
): Decision {
  const { confirmed, step } = confirming;
  const { operation } = step;
  switch (outcome.kind) {
    case 'busy':
      // The button stays live: the same press may succeed once the other operation has its outcome.
      return again(state, scope, stillChecking(state));
    case 'outdated':
      return anew(state, confirming, scope);
    case 'unknown':
      return pending(state, confirmed, operation, outcome.lookup, scope);
    case 'unavailable':
      return unavailable(state, confirming, outcome.locks, scope);
    case 'refused':
      return { ...refused(state, confirmed, outcome, scope), ...ended(operation, outcome.locks) };
    case 'applied':
      return {
        ...applied(state, confirmed, operation, outcome, scope),
        ...ended(operation, outcome.locks, { record: outcome.receipt?.record, awaited: outcome.awaited }),
      };
  }
}

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
    key: `${confirmed.flow.name}.done`,
    lines: [...receiptLines(operation, scope), ...balanceLines(operation), ...remarks],
    ...(choices.length > 0 && { choices, view: scope.ids.view }),
  };
  return finish(counted(noted, operation.kind, 'done', scope), scope, done, operation.receipt?.balance);
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
    key: `${confirmed.flow.name}.refused`,
    ...confirmed.why?.(state.draft, outcome, scope),
  };
  const next = counted(served(noted, scope), confirmed.kind, 'refused', scope);
  return askAnew(next, confirmed.flow, refusal, scope);
}

/**
 * Nothing was applied, so confirming again is safe: under a new id, since the old one may have left an intent. Where an
 * exclusive operation surely left none the id stays: an attempt before a crash may have locked the customer for a while,
 * and only the same operation gets past its own lock.
 */
function unavailable(
  state: ConversationState,
  { step, confirmed: { exclusive } }: AtHand,
  locks: readonly string[] | undefined,
  scope: Scope,
): Decision {
  const operation = exclusive && locks === undefined ? step.operation : scope.ids.operation;
  const retry = pose(state, { ...step, operation }, scope, { key: 'service.unavailable' });
  return { ...retry, ...ended(step.operation, locks) };
}

/** What was confirmed is no more so: shown as it is now. The id stays, as of an early `unavailable`. */
function anew(state: ConversationState, { step }: AtHand, scope: Scope): Decision {
  const flow = scope.flows.get(step.flow);
  const same = { ...scope, ids: { ...scope.ids, operation: step.operation } };
  return flow ? complete(state, flow, same) : again(state, scope);
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

/** A call that no confirmation knows of any more was perhaps made: it is looked up, and told. */
function orphaned(state: ConversationState, outcome: Concluded, scope: Scope): Decision {
  if (outcome.kind !== 'unknown') return say(state);
  const { operation: id, lookup } = outcome;
  const { kind, code } = lookup;
  const operation: Operation = {
    ...{ id, kind, atMs: scope.nowMs, checks: 0, status: 'checking', lookup },
    ...(scope.flows.confirming(kind)?.takes?.codes ? { code } : { gift: code }),
  };
  return say(note(state, operation), checking(kind, id));
}
