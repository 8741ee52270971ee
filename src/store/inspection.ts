/**
 * What is kept of a conversation, seen from outside.
 *
 * @example
 * const kept = await store.peek(conversation);
 * if (kept !== null) console.log(`${kept.messages.length} messages wait`);
 */
export interface Inspection {
  /** For operators: what is kept of a conversation now; null: nothing. Needs no lease and changes nothing. */
  peek(conversation: string): Promise<Kept | null>;
}

/** `leasedUntilMs`: a process holds the lease until then, unless it renews it; null: nobody does. */
export type Kept = {
  readonly state: Buffer | null;
  /** Accepted and not yet answered, oldest first. */
  readonly messages: readonly Buffer[];
  /** Not yet delivered, oldest first. */
  readonly outbox: readonly Buffer[];
  readonly leasedUntilMs: number | null;
  readonly nowMs: number;
};
