/**
 * What no turn could be made of, kept for operators. `commit` writes them.
 *
 * @example
 * for await (const { id, reason } of store.deadLetters()) console.log(id, reason);
 * const letter = await store.takeDeadLetter(id);
 * if (letter === null) console.log('There is none of that id.');
 */
export interface DeadLetters {
  /** For operators: the dead letters, at most `DEAD_CAP` a shard. */
  deadLetters(): AsyncIterable<DeadLetter>;
  /** Removes a dead letter and returns it; null if there is none of that id. */
  takeDeadLetter(id: string): Promise<DeadLetter | null>;
}

export const DEAD_CAP = 1000;

export type DeadLetter = {
  readonly id: string;
  readonly conversation: string;
  readonly atMs: number;
  readonly reason: string;
  readonly body: Buffer;
};
