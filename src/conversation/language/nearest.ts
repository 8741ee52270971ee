import type { LocalizedText } from '../message.ts';
import { type Lexicon, spellingsOf } from './lexicon.ts';
import type { Asking } from './manner.ts';
import { undoTyping } from './text.ts';
import type { Words } from './words.ts';

/** An example that a text is like, and the command under which it stands; 1 = the same words. */
export type Near = { readonly example: string; readonly command: string; readonly score: number };

/** A usual question. */
type Asked = Near & {
  /** The answer's id; absent: only the operator could tell, and has not. */
  readonly id?: string | undefined;
  /** It is what the text says, whatever else some of its words could mean. */
  readonly sure: boolean;
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
/** What words count that the example has and the text lacks, and those that the text has beside. */
type Weights = { readonly lacking: number; readonly beside: number };
/** "Tích điểm có mất phí không" lacks nothing of "có mất phí không". */
const ASKED: Weights = { lacking: 2, beside: 0.5 };
const ALIKE: Weights = { lacking: 0.5, beside: 0.5 };

/** Under this heading, questions like the others that nothing here answers: their likes must not be taken for another. */
const UNKNOWN = 'ask unknown';
/** So many neighbours vote, if they are as near as that. */
const NEIGHBOURS = 5;
const LEAST = 0.2;
/** Of longer texts only the beginning counts. */
const MOST_WORDS = 60;

/** Examples that texts are like. */
export type Likes = {
  /** What answers a question; undefined where the text is none, or nothing fits well enough. */
  question(text: string): Asked | undefined;
  /** The examples that a text is most like, the nearest first, but itself where it is one. */
  nearest(text: string, skip?: string): readonly Near[];
};

/** `own`: the operator's answers replace those of the language files by their ids, or come on top. Made once. */
export function createLikes(
  words: Words,
  { plainly }: Lexicon,
  { isQuestion, isAsking }: Asking,
  own: readonly Pick<Answer, 'id' | 'asks'>[],
): Likes {
  const replaced = new Set(own.map(({ id }) => `ask ${id}`));
  const known = [
    ...own.flatMap(({ id, asks }) =>
      Object.values(asks)
        .flat()
        .map((text) => ({ text, act: `ask ${id}`, isPhrase: false, isOwn: true })),
    ),
    ...words.examples.flatMap((one) => (replaced.has(one.act) ? [] : { ...one, isOwn: false })),
  ].map((one) => ({ ...one, said: plainly(one.text) }));
  const vocabulary = new Set(known.flatMap(({ said, isPhrase }) => (isPhrase ? [] : said)));
  const [fillers, small, polite] = ['small', 'asks little', 'asks nothing'].map(
    (name) => new Set(words.list(name)),
  );
  const mended = spellingsOf([...vocabulary]);
  const examples = known.map((one) => {
    const own = weighed(one.said);
    return { ...one, words: own, weight: sum(own) };
  });
  /** By the words that they contain. */
  const index = new Map<string, number[]>();
  for (const [at, one] of examples.entries())
    for (const word of one.words.keys()) {
      const all = index.get(word);
      if (all) all.push(at);
      else index.set(word, [at]);
    }

  /** What each word counts; polite ones nothing. */
  function weighed(said: readonly string[]): ReadonlyMap<string, number> {
    const telling = said.filter((word) => word !== '' && !polite?.has(word)).slice(0, MOST_WORDS);
    const isSmall = (word: string) => small?.has(word) || (fillers?.has(word) && !vocabulary.has(word));
    return new Map(telling.map((word) => [word, isSmall(word) ? SMALL : 1]));
  }

  /** A word as the questions spell it: keystrokes of a keyboard undone, one typing error mended. */
  function spell(word: string): string {
    if (vocabulary.has(word) || fillers?.has(word)) return word;
    const undone = undoTyping(word);
    return vocabulary.has(undone) ? undone : (mended(word) ?? word);
  }

  /** Those that are as like as that by Tversky's index of the words, by what they count, the nearest first. */
  function likes(said: ReadonlyMap<string, number>, { lacking, beside }: Weights, least: number) {
    const common = new Float64Array(examples.length);
    for (const [word, weight] of said)
      for (const at of index.get(word) ?? []) common[at] = (common[at] ?? 0) + weight;
    const all = sum(said);
    return examples
      .flatMap((one, at) => {
        const shared = common[at] ?? 0;
        if (shared === 0) return [];
        const score = shared / (shared + lacking * (one.weight - shared) + beside * (all - shared));
        return score < least ? [] : [{ one, score }];
      })
      .sort((first, second) => second.score - first.score);
  }

  return {
    question(text) {
      if (!isQuestion(text)) return undefined;
      const said = weighed(plainly(text).map(spell));
      const lacksWhat = (one: ReadonlyMap<string, number>) =>
        [...one.keys()].some((word) => isAsking(word) && !said.has(word));
      const likely = likes(said, ASKED, LIKELY).filter(({ one }) => !one.isPhrase && !lacksWhat(one.words));
      const [best] = likely;
      // What the operator wrote is likelier meant than a question that nothing here answers.
      const found = best?.one.act === UNKNOWN ? (likely.find(({ one }) => one.isOwn) ?? best) : best;
      if (!found) return undefined;
      const { score, one } = found;
      const { act, text: example } = one;
      const id = act === UNKNOWN ? undefined : act.slice('ask '.length);
      return { ...(id && { id }), sure: score >= SURE, example, command: act, score };
    },
    nearest: (text, skip) =>
      likes(weighed(plainly(text)), ALIKE, LEAST)
        .filter(({ one }) => one.text !== skip)
        .slice(0, NEIGHBOURS)
        .map(({ one, score }) => ({ example: one.text, command: one.act, score })),
  };
}

const sum = (words: ReadonlyMap<string, number>) => [...words.values()].reduce((all, one) => all + one, 0);

/** What the neighbours vote for, each by how near it is. */
export function vote(near: readonly Near[]): Near | undefined {
  const votes = new Map<string, number>();
  for (const { command, score } of near) votes.set(command, (votes.get(command) ?? 0) + score);
  const [best] = [...votes].sort(([, one], [, other]) => other - one);
  return near.find(({ command }) => command === best?.[0]);
}
