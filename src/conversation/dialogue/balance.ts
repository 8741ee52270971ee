import { change, type Movement } from '../effect.ts';
import type { ConversationState, Operation } from '../state.ts';

/*
 * AntCRM keeps the balance in the record of the customer, which may lag behind its history. What is told of it must be
 * true, so it is told only where AntCRM is seen to have caught up.
 */

/** For so long the record may lag behind. */
const LAG_MS = 2 * 60_000;

/** Operations that may have moved points which the balance does not show yet. */
export function unseen({ operations }: ConversationState, nowMs: number): readonly Operation[] {
  return operations.filter(
    ({ status, atMs, receipt }) =>
      status === 'checking' || (status === 'done' && receipt?.balance === undefined && nowMs - atMs < LAG_MS),
  );
}

/** Whether AntCRM's balance surely has all that is known to have moved points, this operation among it. */
export function isCaughtUp(state: ConversationState, operation: Operation, nowMs: number): boolean {
  const others = unseen(state, nowMs).filter(({ id }) => id !== operation.id);
  return others.length === 0 && nowMs - operation.atMs >= LAG_MS;
}

/**
 * The balance after an operation that moved `score` points: AntCRM's, if it moved by exactly that. Undefined where it did
 * not, or where another operation that is not seen in it yet could be what moved it.
 */
export function balanceAfter(
  state: ConversationState,
  { kind, atMs }: Pick<Operation, 'kind' | 'atMs'>,
  score: number | undefined,
  moved: Movement | undefined,
): number | undefined {
  if (moved === undefined || score === undefined) return undefined;
  if (moved.after - moved.before !== change(kind, score)) return undefined;
  const isDoubtful = unseen(state, atMs).some(
    (other) => other.kind === kind && (other.receipt?.score ?? score) === score,
  );
  return isDoubtful ? undefined : moved.after;
}
