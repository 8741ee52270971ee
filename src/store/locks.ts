/**
 * One redemption of a customer at a time, over all conversations, and what earlier ones left. Atomic, each in one slot.
 *
 * @example
 * const lock = await locks.lock(customer, operation);
 * if (!lock.locked) return;
 * const record = await redeem(lock.settled);
 * await locks.unlock(customer, operation, record);
 */
export interface Locks {
  /**
   * Serialises the redemptions of one customer over all conversations: set-if-absent, idempotent by operation; lives
   * `forMs`, by default `LOCK_MS`, from the last call of its holder on. A lock comes with what `unlock` was told of this customer's
   * earlier operations, in any order.
   */
  lock(customer: string, operation: string, forMs?: number): Promise<Lock>;

  /**
   * Gives the lock back if `operation` has it; in any case remembers for `SETTLED_MS` the AntCRM record that settled
   * the operation, or, where no record of its success was seen yet, `awaited`: what tells one that is still to come
   * (opaque here; the same text counts once).
   */
  unlock(customer: string, operation: string, record?: string, awaited?: string): Promise<void>;
}

export const LOCK_MS = 2 * 60 * 60 * 1000;
/** Longer than any operation is looked up (`OPERATION_CHECKS`). */
export const SETTLED_MS = 24 * 60 * 60 * 1000;

/** Whether the operation has the lock now; `settled` and `awaited` as `unlock` was given them. */
export type Lock =
  | { readonly locked: true; readonly settled: readonly string[]; readonly awaited: readonly string[] }
  | { readonly locked: false };
