import type { Effect, Intent, OperationOutcome, Outcome } from '../conversation/effect.ts';

/*
 * The port through which turns perform effects (`loyalty/loyalty.ts` implements it), and what the engine
 * gives to its implementation.
 */

/**
 * Performs an effect. AntCRM's answer is an outcome. `interrupted`: the lease is lost or the process stops,
 * and nothing was begun that counts. Rejects with what the context rejects with. Any other error ends the
 * turn: with an intent it is repeated, else the message is a dead letter.
 */
export type Perform = (effect: Effect, context: EffectContext) => Promise<Outcome | Interrupted>;

export type Interrupted = 'interrupted';

/**
 * The right to make one call that changes points. Its intent is stored, and right after that this process
 * held the lease. Nothing but `EffectContext.intend` gives one, so that no call is made without its intent.
 */
export class CallPermit {
  readonly operation: string;
  #isUsed = false;

  constructor(operation: string) {
    this.operation = operation;
  }

  /** Right before the call. Throws the second time. */
  use(): void {
    if (this.#isUsed) throw new TypeError(`${this.operation} has only one call`);
    this.#isUsed = true;
  }
}

/**
 * The store, bound to the lease of one turn, for the code that performs an effect. It seals bodies and hashes
 * customers. Every method may reject if the store does not confirm. Even then, the store knows each call that
 * was made.
 */
export interface EffectContext {
  /** Sets the lock if absent, for `forMs` or the usual time. Returns what earlier operations left. */
  lock(customer: string, operation: string, forMs?: number): Promise<Lock>;

  /** Releases the lock if the operation took it under this lease, and remembers what the operation leaves. */
  unlock(customer: string, unlocking: Unlocking): Promise<void>;

  /**
   * Stores the intent of a call, and returns the permit for it. `unreplicated`: a replica is missing, nothing
   * may be called, and the intent is deleted with the operation. `interrupted`: another process has the turn.
   */
  intend(operation: string, intent: Intent): Promise<CallPermit | 'unreplicated' | Interrupted>;

  /** The result of an earlier attempt; null: there was none. */
  findCall(operation: string): OperationOutcome | null;

  /** The store's clock, epoch ms. */
  nowMs(): number;

  /** Aborted when the lease is lost: nothing more may begin, and no result counts. */
  readonly signal: AbortSignal;

  /** Aborted when the process is stopping: no call may begin. */
  readonly stopping: AbortSignal;
}

/**
 * What the store remembers of a customer's earlier operations: ids of the records that settled them, and for
 * each success without a record the text that `readAwaitedRecord` reads.
 */
export type EarlierOperations = { readonly settled: readonly string[]; readonly awaited: readonly string[] };
export type Lock = ({ readonly locked: true } & EarlierOperations) | { readonly locked: false };

/** `record`: AntCRM's record that settled the operation. `awaited`: describes one still to come. */
export type Unlocking = {
  readonly operation: string;
  readonly record?: string | undefined;
  readonly awaited?: string | undefined;
};
