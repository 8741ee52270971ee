import type { LocalizedText } from '../message.ts';
import type { PhraseBook } from './phrases.ts';

/* Which example a text is like. */

/**
 * An operator's answer to a question. `id`: an id of the language files or a new one; a metric has it as a
 * label, so `operator-files.ts` bounds it. `asks`: more questions, as customers write them.
 */
export type Answer = {
  readonly id: string;
  readonly asks?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly answer: LocalizedText;
};

/** An example that a text is like, and the command of its heading; 1 = the same words. */
export type Near = {
  readonly example: string;
  readonly command: string;
  readonly score: number;
  /** The score if the text must have nearly all words of the example. */
  readonly strict: number;
  readonly isPhrase: boolean;
  /** Written by the operator. */
  readonly isOwn: boolean;
};

/** How like a question a text must be (0–1) to get its answer, and that of an operator's own question. */
const LIKE_QUESTION = 0.72;
const LIKE_OWN = 0.6;
/** The weight of a word that says little: pronouns, particles. */
const SMALL = 0.2;
/** The weights of words that only the example has, and of those that only the text has. */
const LACKING = { strict: 2, score: 0.5 } as const;
const BESIDE = 0.5;
/** The heading of questions without an answer: texts like them are no other question. */
export const UNKNOWN = 'ask unknown';
/** How near (0–1) an example must be to count at all. */
const LEAST = 0.3;
/** Only the beginning of a longer text counts. */
const MOST_WORDS = 60;

type Weighed = ReadonlyMap<string, number>;
type Compared = Omit<Near, 'score' | 'strict'> & { readonly weight: number };

export class Similarity {
  readonly #book: PhraseBook;
  /** The questions that have an answer: `ask fee`. */
  readonly answered: ReadonlySet<string>;
  readonly #examples: readonly Compared[];
  readonly #index = new Map<string, number[]>();
  readonly #asked: ReadonlySet<string>;
  readonly #small: ReadonlySet<string>;
  readonly #little: ReadonlySet<string>;
  readonly #nothing: ReadonlySet<string>;

  /** `own`: the operator's answers. `answered`: the ids of all questions that have an answer. */
  constructor(book: PhraseBook, own: readonly Pick<Answer, 'id' | 'asks'>[], answered: ReadonlySet<string>) {
    const { vocabulary } = book;
    this.#book = book;
    this.answered = new Set([...answered].map((id) => `ask ${id}`));
    const owns = own.flatMap(({ id, asks = {} }) =>
      Object.values(asks).flatMap((texts) =>
        texts.map((text) => ({ text, act: `ask ${id}`, isPhrase: false, isOwn: true })),
      ),
    );
    const all = [...owns, ...vocabulary.examples.map((example) => ({ ...example, isOwn: false }))].map(
      (example) => ({ ...example, said: book.plainly(example.text) }),
    );
    const list = (name: string) => new Set(vocabulary.list(name));
    [this.#small, this.#little, this.#nothing] = [list('small'), list('asks little'), list('asks nothing')];
    this.#asked = new Set(all.flatMap(({ said, isPhrase }) => (isPhrase ? [] : said)));
    this.#examples = all.map(({ text, act, isPhrase, isOwn, said }, at) => {
      const words = this.#weigh(said);
      for (const word of words.keys()) {
        const places = this.#index.get(word);
        if (places) places.push(at);
        else this.#index.set(word, [at]);
      }
      return { example: text, command: act, isPhrase, isOwn, weight: sum(words) };
    });
  }

  /** The weight of each word; polite ones have none. */
  #weigh(said: readonly string[]): Weighed {
    const telling = said.filter((word) => word !== '' && !this.#nothing.has(word)).slice(0, MOST_WORDS);
    const isSmall = (word: string) =>
      this.#little.has(word) || (this.#small.has(word) && !this.#asked.has(word));
    return new Map(telling.map((word) => [word, isSmall(word) ? SMALL : 1]));
  }

  /** The examples that a text is like (Tversky's index of weighed words), the nearest first. */
  compare(text: string): readonly Near[] {
    const said = this.#weigh(this.#book.plainly(text));
    // The weight that each example shares with the text. Small words alone make no example alike.
    const shares = new Map<number, number>();
    for (const [word, weight] of [...said].sort(([, one], [, other]) => other - one))
      for (const at of this.#index.get(word) ?? []) {
        const before = shares.get(at);
        if (before !== undefined || weight === 1) shares.set(at, (before ?? 0) + weight);
      }
    const all = sum(said);
    const found = [...shares].flatMap(([at, shared]): readonly Near[] => {
      const compared = this.#examples[at];
      const beside = shared + BESIDE * (all - shared);
      const score = shared / (beside + LACKING.score * ((compared?.weight ?? 0) - shared));
      if (!compared || score < LEAST) return [];
      return [
        { ...compared, score, strict: shared / (beside + LACKING.strict * (compared.weight - shared)) },
      ];
    });
    return found.sort((one, other) => other.score - one.score);
  }

  /** The question among the examples that a text is like, if it is near enough. */
  findQuestion(nearest: readonly Near[]): Near | undefined {
    const alike = nearest
      .filter(({ strict, isOwn }) => strict >= (isOwn ? LIKE_OWN : LIKE_QUESTION))
      .sort((one, other) => other.strict - one.strict);
    const likely = alike.filter(({ isPhrase }) => !isPhrase);
    const [best] = likely;
    // "Bao nhiêu điểm" is a command, although questions are like it.
    if (!best || (alike[0]?.strict ?? 0) > best.strict) return undefined;
    // What the operator wrote is likelier meant than a question that has no answer.
    return this.answered.has(best.command) ? best : (likely.find(({ isOwn }) => isOwn) ?? best);
  }
}

const sum = (words: Weighed): number => {
  let all = 0;
  for (const weight of words.values()) all += weight;
  return all;
};
