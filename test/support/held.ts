/** Something that is stopped where it stands until it is let go. */
export type Held = {
  /** Resolves when it has come there. */
  readonly reached: Promise<void>;
  letGo(): void;
};

/** A place that everything of a kind passes, and where some of it is held. */
export type Holds<T> = {
  /** Holds the next one that fits, once. */
  hold(fits: (one: T) => boolean): Held;
  /** Resolves when this one may go on: at once, unless it is held. */
  pass(one: T): Promise<void>;
};

export function createHolds<T>(): Holds<T> {
  const waiting = new Set<{ fits(one: T): boolean; reach(): void; readonly gone: Promise<void> }>();
  return {
    hold(fits) {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
      const { promise: gone, resolve: letGo } = Promise.withResolvers<void>();
      waiting.add({ fits, reach, gone });
      return { reached, letGo };
    },
    async pass(one) {
      const held = [...waiting].find(({ fits }) => fits(one));
      if (held === undefined) return;
      waiting.delete(held);
      held.reach();
      await held.gone;
    },
  };
}
