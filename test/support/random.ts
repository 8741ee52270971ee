/** Random numbers that a seed brings again, whatever happens in between; each purpose takes a stream of its own. */
export type Random = {
  chance(of: number): boolean;
  /** In [from, to]. */
  between(from: number, to: number): number;
  pick<T>(from: readonly [T, ...T[]]): T;
};

export function createRandom(seed: number, purpose: string): Random {
  let state = [...purpose].reduce(
    (mixed, letter) => Math.imul(mixed ^ letter.charCodeAt(0), 0x01000193),
    seed,
  );
  /** Mulberry32. */
  function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    const more = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61));
    return ((more ^ (more >>> 14)) >>> 0) / 2 ** 32;
  }
  const between = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return {
    chance: (of) => next() < of,
    between,
    pick: (from) => from[between(0, from.length - 1)] ?? from[0],
  };
}
