import type { Lexicon } from './lexicon.ts';
import type { Words } from './words.ts';

/** An example that a text is like: 1 = the same words in the same order. */
export type Near = { readonly example: string; readonly act: string; readonly score: number };

/** The examples that a text is most like, the nearest first. */
export type Nearest = (text: string) => readonly Near[];

/** So many neighbours vote. */
const NEIGHBOURS = 5;
/** Of longer texts only the beginning counts. */
const MOST_WORDS = 60;
/** Words one by one, two and three in a row. */
const LONGEST = 3;

/**
 * Examples as vectors of words, pairs and triples, each weighed by how few examples have it, compared by their angle.
 * Deterministic; made once. `skip`: an example that is left out, for tests.
 */
export function createNearest(
  words: Words,
  { plainly }: Pick<Lexicon, 'plainly'>,
  skip?: (line: { readonly locale: string; readonly line: number }) => boolean,
): Nearest {
  const polite = new Set(words.list('polite'));
  const examples = words.examples.filter((one) => !skip?.(one));
  const grams = (text: string): Map<string, number> => {
    const all = plainly(text).filter((word) => word !== '' && !polite.has(word));
    const said = all.slice(0, MOST_WORDS);
    const counts = new Map<string, number>();
    for (let from = 0; from < said.length; from++)
      for (let length = 1; length <= LONGEST && from + length <= said.length; length++) {
        const gram = said.slice(from, from + length).join(' ');
        counts.set(gram, (counts.get(gram) ?? 0) + 1);
      }
    return counts;
  };
  const counted = examples.map(({ text }) => grams(text));
  const having = new Map<string, number>();
  for (const counts of counted)
    for (const gram of counts.keys()) having.set(gram, (having.get(gram) ?? 0) + 1);
  const weightOf = (gram: string) => Math.log((1 + examples.length) / (1 + (having.get(gram) ?? 0)));
  const weighed = (counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> => {
    const all = [...counts].map(([gram, count]) => [gram, count * weightOf(gram)] as const);
    const length = Math.hypot(...all.map(([, weight]) => weight)) || 1;
    return new Map(all.map(([gram, weight]) => [gram, weight / length]));
  };
  /** By what they contain: which examples, and how much of each it is. */
  const index = new Map<string, [at: number, weight: number][]>();
  for (const [at, counts] of counted.entries())
    for (const [gram, weight] of weighed(counts)) {
      const all = index.get(gram);
      if (all) all.push([at, weight]);
      else index.set(gram, [[at, weight]]);
    }

  return (text) => {
    const scores = new Map<number, number>();
    for (const [gram, weight] of weighed(grams(text)))
      for (const [at, other] of index.get(gram) ?? []) scores.set(at, (scores.get(at) ?? 0) + weight * other);
    return [...scores]
      .sort(([one, a], [other, b]) => b - a || one - other)
      .slice(0, NEIGHBOURS)
      .flatMap(([at, score]) => {
        const example = examples[at];
        return example ? [{ example: example.text, act: example.act, score }] : [];
      });
  };
}

/** What the neighbours vote for, each by how near it is. */
export function vote(near: readonly Near[]): Near | undefined {
  const votes = new Map<string, number>();
  for (const { act, score } of near) votes.set(act, (votes.get(act) ?? 0) + score);
  const [best] = [...votes].sort(([, one], [, other]) => other - one);
  return near.find(({ act }) => act === best?.[0]);
}
