/** What a history did, by kind. A proof that never took a path proves nothing of it. */
export const KINDS = [
  'turns decided while filing',
  'turns of the worker',
  'wake-ups',
  'claims',
  'take-overs',
  'intents',
  'conflicts',
  'replies put off',
  'lists that failed',
  'lists that hung',
] as const;
export type Kind = (typeof KINDS)[number];

export type Counts = Record<Kind, number>;
export type Count = (kind: Kind) => void;

export function createCounts(): { readonly counts: Counts; readonly count: Count } {
  const counts = sumOf([]);
  function count(kind: Kind): void {
    counts[kind] += 1;
  }
  return { counts, count };
}

export function sumOf(all: readonly Counts[]): Counts {
  const entries = KINDS.map((kind) => [kind, all.reduce((sum, one) => sum + one[kind], 0)]);
  return Object.fromEntries(entries);
}

/** How often each kind happens at least, in a thousand messages of customers. */
const FLOORS: Counts = {
  'turns decided while filing': 50,
  'turns of the worker': 100,
  'wake-ups': 5,
  claims: 10,
  'take-overs': 2,
  intents: 50,
  conflicts: 5,
  'replies put off': 5,
  'lists that failed': 1,
  'lists that hung': 1,
};

/** Kinds that happened more rarely than they must, a line each. */
export function underFloor(counts: Counts, messages: number): string[] {
  return KINDS.filter((kind) => counts[kind] < (FLOORS[kind] * messages) / 1000).map(
    (kind) => `too few ${kind}: ${counts[kind]} in ${messages} messages`,
  );
}
