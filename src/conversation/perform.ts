import type { Effect, Intent, KnownCall, Outcome } from './effect.ts';

/**
 * What the store remembers of a customer's earlier operations: the AntCRM records that settled them, and for each
 * success whose record was not seen yet what `readAwaited` makes an `Awaited` of.
 */
export type Remembered = { readonly settled: readonly string[]; readonly awaited: readonly string[] };

/**
 * What whoever performs an effect may use of the turn that it works for: the store, bound to one lease. Bodies are sealed
 * and customers hashed on the way. Every method may reject where the store does not confirm; nothing was called then that
 * the store does not know of.
 *
 * @example
 * const locked = await context.lock('customer:475', operation);
 * if (!locked.locked) return { kind: 'busy', operation };
 * if ((await context.intend(operation, { lookup })) === 'go') await call();
 */
export interface EffectContext {
  /** Set-if-absent, idempotent by operation; for `forMs`, or as long as a lock lives. Tells what other operations left. */
  lock(
    customer: string,
    operation: string,
    forMs?: number,
  ): Promise<({ readonly locked: true } & Remembered) | { readonly locked: false }>;

  /** Gives the lock back if the operation has it; remembers the record that settled it, or what tells one still to come. */
  unlock(customer: string, operation: string, record?: string, awaited?: string): Promise<void>;

  /**
   * Writes down that the call is about to be made. Only `go` permits it. `unreplicated`: not safe enough; nothing was called,
   * and the intent goes with the operation. Throws `LeaseLost` where the turn is another process's by now.
   */
  intend(operation: string, intent: Intent): Promise<'go' | 'unreplicated'>;

  /** What an earlier attempt of this operation came to, null if there was none: then it is never called again. */
  known(operation: string): KnownCall | null;

  /** Asks the store whether the lease is still held: a process that was suspended cannot know. */
  isHeld(): Promise<boolean>;

  /** What time it is by the store's clock, epoch ms: hosts' clocks may differ, and deadlines outlive a process. */
  nowMs(): number;

  /** Aborted when the lease is lost: begin nothing more, whatever comes out is void. */
  readonly signal: AbortSignal;

  /** The process is stopping: begin no call. */
  stopping(): boolean;
}

/**
 * Performs an effect. How AntCRM answers is an outcome. Throws `LeaseLost`, `TurnInterrupted`, or what the context rejects
 * with; whatever else is thrown ends the turn: it is repeated where an intent was written, else the message becomes a
 * dead letter.
 */
export type Perform = (effect: Effect, context: EffectContext) => Promise<Outcome>;

/** Somebody else may work on the conversation: whatever was computed is void, without an error. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The process is stopping and nothing was called: the turn is given back unprocessed. */
export class TurnInterrupted extends Error {
  override readonly name = 'TurnInterrupted';
}
