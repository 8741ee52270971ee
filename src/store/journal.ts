import type { Lease } from './mailbox.ts';

/**
 * Calls that may have been made: the intents. Each lies in its conversation's slot.
 *
 * @example
 * const intended = await journal.intend(lease, operation, body);
 * if (intended.kind === 'go') outcome = await call();
 * if (intended.kind === 'stored') outcome = await lookUp(intended.body);
 */
export interface Journal {
  /**
   * Writes down, before a call to AntCRM that cannot be repeated, that it is about to be made. Set-if-absent by
   * operation. `go`: written by this very command, make the call (a command sent twice, byte for byte the same, says
   * so twice). `stored`: another attempt wrote it, of an earlier lease or of this one, and the call may have been made:
   * make none, look it up by the stored body. `stale`: the lease is lost. `unreplicated`: written just now, but too few
   * replicas acknowledged (`REDIS_WAIT_REPLICAS`); make no call: the intent stays and settles with the operation.
   */
  intend(lease: Lease, operation: string, body: Buffer): Promise<Intended>;

  /**
   * The body of the operation's intent, null if none was written or its outcome is known. Read before saying that
   * nothing was called: an earlier attempt of the same operation may have called and crashed. Needs no lease.
   */
  recall(conversation: string, operation: string): Promise<Buffer | null>;

  /** For operators: every intent without an outcome. Order is unspecified. */
  intents(): AsyncIterable<StoredIntent>;
}

export type Intended =
  | { readonly kind: 'go' }
  | { readonly kind: 'stored'; readonly body: Buffer }
  | { readonly kind: 'stale' }
  | { readonly kind: 'unreplicated' };

export type StoredIntent = {
  readonly conversation: string;
  readonly operation: string;
  readonly atMs: number;
  readonly body: Buffer;
};
