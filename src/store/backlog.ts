/**
 * What waits in the store, over all conversations and processes: for the metrics.
 *
 * @example
 * const { due, letters } = await store.backlog();
 * if (due.oldestMs > 30_000) log.warn({ count: due.count, letters }, 'nobody keeps up');
 */
export interface Backlog {
  /**
   * Reads indexes only, so it takes no longer however many conversations are stored. Nodes that do not answer while
   * others do are left out. Rejects with `StoreUnavailable` where none answers.
   */
  backlog(): Promise<Waiting>;
}

export type Waiting = {
  /** Conversations that somebody should work on by now, and nobody does; for how long the first has been (ms; 0: none). */
  readonly due: { readonly count: number; readonly oldestMs: number };
  /** How long ago the oldest reply was made that had to be put off (ms; 0: there is none). */
  readonly undeliveredMs: number;
  /** Dead letters. */
  readonly letters: number;
  /** How old each operation without an outcome is (ms), in no order; of more than `OPERATIONS_SEEN` perhaps not all. */
  readonly operationsMs: readonly number[];
};

export const OPERATIONS_SEEN = 50_000;
