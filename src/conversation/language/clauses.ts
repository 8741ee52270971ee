import type { Word } from './lists.ts';
import { type PhraseIndex, phraseAt, type Vocabulary } from './vocabulary.ts';

/*
 * Step 3: the clauses of a text. It is cut at pauses and at words of contrast; words behind a denial are
 * marked up to the end of their clause ("không đổi" is no "đổi"), and a plan is no deed.
 */

export type Clause = {
  readonly words: readonly Word[];
  /** What its denial is about: "đổi quà" of "đừng đổi quà". Empty: it denies nothing. */
  readonly denied: readonly Word[];
  /** It speaks of later: "mai", "lát nữa". */
  readonly isPlan: boolean;
};

export class Clauses {
  readonly #quiet: ReadonlySet<string>;
  readonly #possible: ReadonlySet<string>;
  readonly #denials: PhraseIndex<boolean>;
  readonly #plans: PhraseIndex<boolean>;
  readonly #requests: PhraseIndex<boolean>;
  readonly #contrasts: PhraseIndex<boolean>;

  constructor(vocabulary: Vocabulary, quiet: ReadonlySet<string>) {
    this.#quiet = quiet;
    this.#possible = new Set(vocabulary.list('possible'));
    this.#denials = vocabulary.flags({ yes: ['denies', 'stops', 'declines'], no: ['denies nothing'] });
    this.#plans = vocabulary.flags({ yes: ['plans'], no: [] });
    this.#requests = vocabulary.flags({ yes: ['requests'], no: [] });
    this.#contrasts = vocabulary.flags({ yes: ['contrasts'], no: [] });
  }

  /** The clauses of a text, without those that are nothing but values. */
  cut(words: readonly Word[]): readonly Clause[] {
    const texts = words.map(({ text }) => text);
    const clauses: Word[][] = [[]];
    for (let at = 0; at < words.length; at++) {
      const word = words[at];
      const contrast = phraseAt(this.#contrasts, texts, at);
      if (word?.source.pause || contrast) clauses.push([]);
      // "Nhưng" says nothing by itself; "không phải" denies.
      const isSilent = contrast && phraseAt(this.#denials, texts, at) === undefined;
      if (isSilent) at = contrast.to - 1;
      else if (word) clauses.at(-1)?.push(word);
    }
    return clauses
      .filter((clause) => clause.some(({ value }) => !value || value.kind === 'gift'))
      .map((clause) => this.read(clause));
  }

  /** The words behind a denial, up to the next pause. */
  deniedIn(words: readonly Word[]): readonly Word[] {
    const from = this.#denial(words);
    if (from < 0) return [];
    const end = words.findIndex(({ source }, at) => at > from && source.pause);
    return words.slice(from, end < 0 ? undefined : end);
  }

  read(words: readonly Word[]): Clause {
    const from = this.#denial(words);
    return {
      words,
      denied: from < 0 ? [] : words.slice(from),
      isPlan: this.#has(this.#plans, words),
    };
  }

  /** Whether the words ask for something to be done: "giúp mình", "please". */
  isRequested(words: readonly Word[]): boolean {
    return this.#has(this.#requests, words);
  }

  #has(index: PhraseIndex<boolean>, words: readonly Word[]): boolean {
    const texts = words.map(({ text }) => text);
    return texts.some((_, at) => phraseAt(index, texts, at) !== undefined);
  }

  /** Where the denied words begin; -1 without a denial. A denial at the end asks ("được không"). */
  #denial(words: readonly Word[]): number {
    const texts = words.map(({ text }) => text);
    for (let at = 0; at < texts.length; at++) {
      const found = phraseAt(this.#denials, texts, at);
      if (!found) continue;
      const isLast = texts.slice(found.to).every((text) => this.#quiet.has(text));
      // "Không tích điểm được" complains.
      const last = texts.findLast((text) => !this.#quiet.has(text)) ?? '';
      if (found.value && !isLast && !this.#possible.has(last)) return found.to;
      at = found.to - 1;
    }
    return -1;
  }
}
