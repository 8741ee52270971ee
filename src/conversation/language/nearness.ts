import type { LocalizedText } from '../message.ts';
import type { PhraseBook } from './phrases.ts';
import { fold } from './tokenizer.ts';

/*
 * Which question of the operator a text is near. The model does not learn these lines, so that a new answer
 * changes the meaning of no other text.
 */

/**
 * An operator's answer to a question. `id`: an id of the language files or a new one; a metric has it as a
 * label, so `operator-files.ts` bounds it. `asks`: more questions, as customers write them.
 */
export type Answer = {
  readonly id: string;
  readonly asks?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly answer: LocalizedText;
};

/** `score`: 1 = the same telling words. */
export type NearQuestion = { readonly id: string; readonly score: number };

/** The weight of a word that says little: pronouns, particles. */
const SMALL = 0.2;
/** Only the beginning of a longer text counts. */
const MOST_WORDS = 60;

type Weighed = ReadonlyMap<string, number>;

export class Nearness {
  readonly #book: PhraseBook;
  readonly #questions: readonly { readonly id: string; readonly words: Weighed }[];
  readonly #little: ReadonlySet<string>;
  readonly #quiet: ReadonlySet<string>;

  constructor(book: PhraseBook, answers: readonly Pick<Answer, 'id' | 'asks'>[]) {
    const list = (...names: readonly string[]) =>
      new Set(names.flatMap((name) => book.vocabulary.list(name)).filter((word) => fold(word) !== ''));
    this.#book = book;
    this.#little = list('asks little', 'small');
    this.#quiet = list('asks nothing');
    this.#questions = answers.flatMap(({ id, asks = {} }) =>
      Object.values(asks).flatMap((texts) => texts.map((text) => ({ id, words: this.#weigh(text) }))),
    );
  }

  #weigh(text: string): Weighed {
    const words = this.#book.plainly(text).filter((word) => word !== '' && !this.#quiet.has(word));
    return new Map(words.slice(0, MOST_WORDS).map((word) => [word, this.#little.has(word) ? SMALL : 1]));
  }

  /** The nearest question (Dice's coefficient of weighed words). */
  find(text: string): NearQuestion | undefined {
    if (this.#questions.length === 0) return undefined;
    const asked = this.#weigh(text);
    const whole = sum(asked);
    let best: NearQuestion | undefined;
    for (const { id, words } of this.#questions) {
      let shared = 0;
      for (const [word, weight] of words) if (asked.has(word)) shared += weight;
      const score = (2 * shared) / (whole + sum(words) || 1);
      if (score > (best?.score ?? 0)) best = { id, score };
    }
    return best;
  }
}

function sum(words: Weighed): number {
  let all = 0;
  for (const weight of words.values()) all += weight;
  return all;
}
