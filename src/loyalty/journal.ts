import { z } from 'zod';
import { type Identifier, lookupSchema } from '../conversation/effect.ts';
import type { Loyalty } from './loyalty.ts';

/**
 * What the store remembers of a customer's earlier operations: the AntCRM records that settled them, and for each
 * success whose record was not seen yet what `readAwaited` makes an `Awaited` of.
 */
export type Remembered = { readonly settled: readonly string[]; readonly awaited: readonly string[] };

/**
 * What the operations need of the turn they work for: its store, bound to one lease. `app.ts` makes it of the mailbox;
 * bodies are sealed and customers hashed on the way. Every method may reject when the store does not confirm; nothing
 * was called then that the journal does not know of.
 */
export interface Journal {
  /** Set-if-absent, idempotent by operation. */
  lock(
    customer: string,
    operation: string,
  ): Promise<({ readonly locked: true } & Remembered) | { readonly locked: false }>;

  /** Gives the lock back if `operation` has it. */
  unlock(customer: string, operation: string): Promise<void>;

  /**
   * Writes down that the call is about to be made; `body` is JSON. Only `go` permits it. `stored`: an earlier attempt wrote `body`, and
   * may have called. `stale`: the lease is lost. `unreplicated`: not safe enough; nothing was called.
   */
  intend(
    operation: string,
    body: unknown,
  ): Promise<
    { kind: 'go' } | { kind: 'stored'; body: unknown } | { kind: 'stale' } | { kind: 'unreplicated' }
  >;

  /** The intent that an earlier attempt wrote, null if there is none. Writes nothing. */
  recall(operation: string): Promise<unknown>;

  /** What time it is by the store's clock, epoch ms: hosts' clocks may differ, and deadlines outlive a process. */
  nowMs(): number;

  /** Aborted when the lease is lost. */
  readonly signal: AbortSignal;

  /** The process is stopping: begin no call. */
  stopping(): boolean;
}

/** The lease is lost: whatever was computed is void, another process goes on. The engine discards the turn. */
export class StaleTurn extends Error {
  override readonly name = 'StaleTurn';
}

/** The process is stopping and nothing was called: the engine releases the turn unprocessed. */
export class TurnInterrupted extends Error {
  override readonly name = 'TurnInterrupted';
}

/**
 * The intent: what must survive a crash between a call and the saving of its outcome. Read by operators too
 * (`npm run operations`).
 */
export const intentSchema = z.strictObject({
  lookup: lookupSchema,
  omitted: z.enum(['phone', 'email']).optional(),
});
export type Intent = z.infer<typeof intentSchema>;

/** Reads a stored intent; throws if it is none, which nobody can act on. */
export function readIntent(body: unknown): Intent {
  return intentSchema.parse(body);
}

type Intended = { kind: 'go' } | { kind: 'stored'; intent: Intent } | { kind: 'unreplicated' };

/** Writes the intent. After `go` the call must follow, stopping or not; throws where no call may be begun. */
export async function intend(journal: Journal, operation: string, intent: Intent): Promise<Intended> {
  assertMayBegin(journal);
  const intended = await journal.intend(operation, intent);
  switch (intended.kind) {
    case 'stored':
      return { kind: 'stored', intent: readIntent(intended.body) };
    case 'stale':
      throw new StaleTurn();
    case 'go':
      if (journal.signal.aborted) throw new StaleTurn();
      return intended;
    case 'unreplicated':
      return intended;
  }
}

/** The part of the port that only reads. */
export type Reads = Pick<Loyalty, 'history' | 'contact'>;

/** AntCRM's reads, none of which begins once the lease is lost or the process is stopping: they throw then. */
export function readsFor(journal: Journal, loyalty: Reads): Reads {
  return {
    history(query) {
      assertMayBegin(journal);
      return loyalty.history(query);
    },
    contact(by: Identifier) {
      assertMayBegin(journal);
      return loyalty.contact(by);
    },
  };
}

function assertMayBegin(journal: Journal): void {
  if (journal.signal.aborted) throw new StaleTurn();
  if (journal.stopping()) throw new TurnInterrupted();
}
