import type { LocalizedText } from '../message.ts';
import { type Lexicon, spellingsOf } from './lexicon.ts';
import type { Asking } from './manner.ts';
import { fold, undoTyping } from './text.ts';
import type { Example, Words } from './words.ts';

/** A usual question. */
export type Asked = {
  /** The answer's id; absent: only the operator could tell, and has not. */
  readonly id?: string | undefined;
  /** It is what the text says, whatever else some of its words could mean. */
  readonly sure: boolean;
  readonly example: string;
  readonly score: number;
};

/**
 * An operator's answer to what customers ask about the programme. `id`: the operator's name for it, a label of a metric,
 * so `config/variables.ts` bounds it. `asks`: questions as customers would write them, in each language.
 */
export type Answer = {
  readonly id: string;
  readonly asks: Readonly<Record<string, readonly string[]>>;
  readonly answer: LocalizedText;
};

/** How alike a text and a question must be (0–1) to be taken for it: where nothing else explains the text, and in any case. */
const LIKELY = 0.6;
const SURE = 0.72;

/** What a word counts that says little: pronouns, particles. */
const SMALL = 0.2;
/** A word of the question that the text lacks counts more than one that it has beside ("tích điểm có mất phí không"). */
const LACKING = 2;
const BESIDE = 0.5;

/** Under this heading, questions like the others that nothing here answers: their likes must not be taken for another. */
const UNKNOWN = 'unknown';

type Known = {
  readonly id: string;
  readonly example: string;
  readonly isOwn: boolean;
  readonly words: ReadonlyMap<string, number>;
};

/** Finds what answers a question; undefined where the text is none, or nothing fits well enough. */
export type Questions = (text: string) => Asked | undefined;

/** `own`: the operator's answers replace those of the language files by their ids, or come on top. */
export function createQuestions(
  words: Words,
  { plainly }: Lexicon,
  { isQuestion, isAsking }: Asking,
  own: readonly Pick<Answer, 'id' | 'asks'>[],
): Questions {
  const replaced = new Set(own.map(({ id }) => id));
  const examples = words.examples
    .filter(({ act, isPhrase }) => !isPhrase && !replaced.has(act.slice('ask '.length)))
    .map(({ act, text }) => ({ id: act.slice('ask '.length), example: text, isOwn: false }));
  const all = [
    ...own.flatMap(({ id, asks }) =>
      Object.values(asks)
        .flat()
        .map((example) => ({ id, example, isOwn: true })),
    ),
    ...examples,
  ];
  const folded = all.map((one) => ({ ...one, said: fold(one.example).split(' ') }));
  const vocabulary = new Set(folded.flatMap(({ said }) => said));
  const [fillers, small, polite] = ['small', 'asks little', 'asks nothing'].map(
    (name) => new Set(words.list(name)),
  );
  const near = spellingsOf([...vocabulary]);
  const known: readonly Known[] = folded.map((one) => ({ ...one, words: weighed(one.said) }));

  /** What each word counts; polite ones nothing. */
  function weighed(said: readonly string[]): ReadonlyMap<string, number> {
    const telling = said.filter((word) => word !== '' && !polite?.has(word));
    const isSmall = (word: string) => small?.has(word) || (fillers?.has(word) && !vocabulary.has(word));
    return new Map(telling.map((word) => [word, isSmall(word) ? SMALL : 1]));
  }

  /** A word as the questions spell it: keystrokes of a keyboard undone, one typing error mended. */
  function spell(word: string): string {
    if (vocabulary.has(word) || fillers?.has(word)) return word;
    const undone = undoTyping(word);
    return vocabulary.has(undone) ? undone : (near(word) ?? word);
  }

  /** Tversky's index of the words, by what they count: 1 = the same ones; 0 where it does not ask what the question asks. */
  function likeness(asked: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
    let [common, lacking, beside] = [0, 0, 0];
    for (const [word, weight] of other) {
      if (asked.has(word)) common += weight;
      else if (isAsking(word)) return 0;
      else lacking += weight;
    }
    for (const [word, weight] of asked) if (!other.has(word)) beside += weight;
    return common === 0 ? 0 : common / (common + LACKING * lacking + BESIDE * beside);
  }

  return (text) => {
    if (!isQuestion(text)) return undefined;
    const asked = weighed(plainly(text).map(spell));
    const likely: (Known & { readonly score: number })[] = [];
    for (const one of known) {
      const score = likeness(asked, one.words);
      if (score >= LIKELY) likely.push({ ...one, score });
    }
    likely.sort((one, other) => other.score - one.score);
    const [best] = likely;
    // What the operator wrote is likelier meant than a question that nothing here answers.
    const found = best?.id === UNKNOWN ? (likely.find(({ isOwn }) => isOwn) ?? best) : best;
    if (!found) return undefined;
    const { id, score, example } = found;
    return { ...(id !== UNKNOWN && { id }), sure: score >= SURE, example, score };
  };
}

/** An example that a text is like: 1 = the same words in the same order. */
export type Near = { readonly example: string; readonly act: string; readonly score: number };

/** The examples that a text is most like, the nearest first; `skip`: one that is left out, to see how it would be taken. */
export type Nearest = (text: string, skip?: Example) => readonly Near[];

/** So many neighbours vote. */
const NEIGHBOURS = 5;
/** Of longer texts only the beginning counts. */
const MOST_WORDS = 60;
/** Words one by one, two and three in a row. */
const LONGEST = 3;

/**
 * Examples as vectors of words, pairs and triples, each weighed by how few examples have it, compared by their angle.
 * Deterministic; made once.
 */
export function createNearest(words: Words, { plainly }: Pick<Lexicon, 'plainly'>): Nearest {
  const polite = new Set(words.list('polite'));
  const { examples } = words;
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

  return (text, skip) => {
    const scores = new Map<number, number>();
    for (const [gram, weight] of weighed(grams(text)))
      for (const [at, other] of index.get(gram) ?? []) scores.set(at, (scores.get(at) ?? 0) + weight * other);
    const left = skip && examples.indexOf(skip);
    return [...scores]
      .filter(([at]) => at !== left)
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
