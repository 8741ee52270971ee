import { LOCALES, type Locale } from '../message.ts';
import { fold, undoTyping } from './fold.ts';
import { GRAMMARS, grammarOf, phrasesIn } from './grammars.ts';
import type { Vocabulary } from './phrases.ts';
import { isLiteral, type Token, type Word } from './tokens.ts';
import { split } from './vocabulary.ts';

// Maps, since a customer may type "constructor".
const abbreviations = new Map(GRAMMARS.flatMap((grammar) => Object.entries(grammar.abbreviations)));
const particles = new Set(phrasesIn((grammar) => grammar.particles));
const short = new Map(
  LOCALES.flatMap((locale) => split(grammarOf(locale).short).map((word) => [word, locale] as const)),
);
const homographs = new Map(GRAMMARS.flatMap((grammar) => Object.entries(grammar.homographs)));

/** Reads the words of a message as the vocabulary spells them. */
export type Spelling = {
  /** The folded words, abbreviations written out, keystrokes of a Vietnamese keyboard undone. */
  wordsOf(tokens: readonly Token[]): Word<Token>[];
  /** The words with typing errors mended; undefined where there is nothing to mend. */
  mended(words: readonly Word<Token>[]): Word<Token>[] | undefined;
};

/** More unknown words than this are no typing errors but another subject. */
const MAX_TYPOS = 8;
/** Of the words kept, and of the letters of one. */
const MAX_FOLDED = 4000;
const MAX_LENGTH = 12;

export function createSpelling(
  { isKnown, nearWord, phraseIn }: Vocabulary,
  localeOf: (text: string) => Locale | undefined,
): Spelling {
  /**
   * What words of the vocabulary fold to, as they were typed: the same few come in nearly every message, and folding
   * takes most of the time that understanding takes. Only such words, never a name or a number, are kept; and no long
   * ones, since V8 keeps the whole message that a piece of 13 characters or more was cut out of.
   */
  const folded = new Map<string, string>();

  function lettersOf({ text }: Token): string {
    const before = folded.get(text);
    if (before !== undefined) return before;
    const homograph = homographs.get(text.normalize('NFC').toLowerCase());
    const letters = homograph ?? fold(text).split(' ').map(spelt).join(' ');
    const keep = folded.size < MAX_FOLDED && text.length <= MAX_LENGTH;
    if (keep && letters.split(' ').every(isKnown)) folded.set(text, letters);
    return letters;
  }

  function spelt(word: string): string {
    const long = abbreviations.get(word);
    if (long !== undefined) return long;
    if (isKnown(word)) return word;
    const phrase = phraseIn(word);
    if (phrase !== undefined) return phrase;
    const undone = undoTyping(word);
    return undone.length > 1 && isKnown(undone) ? (abbreviations.get(undone) ?? undone) : word;
  }

  /** "no o dau", "nó": a short word of another language than the words beside it, or with marks, which no such word has. */
  function isForeign(tokens: readonly Token[], at: number): boolean {
    const word = tokens[at];
    if (word === undefined || !isPlain(word)) return true;
    const words = tokens.map(({ text }) => fold(text));
    if (words.every((word) => short.has(word) || particles.has(word))) return false;
    const beside = words[at + 1] ?? words[at - 1] ?? '';
    const said = localeOf(tokens.map(({ text }) => text).join(' '));
    return (
      said !== undefined &&
      said !== short.get(fold(word.text)) &&
      (beside.length < 2 || localeOf(beside) === said)
    );
  }

  return {
    wordsOf(tokens) {
      const marked = !tokens.every(isPlain);
      return tokens.flatMap((source, at): Word<Token>[] => {
        if (isLiteral(source)) return [{ text: source.text, source }];
        const bare = marked && isPlain(source);
        const letters = lettersOf(source);
        const doubtful = short.has(letters) && isForeign(tokens, at);
        return letters
          .split(' ')
          .filter((text) => text !== '')
          .map((text) => ({ text, source, bare, ...(doubtful && { doubtful }) }));
      });
    },
    mended(words) {
      const unknown = words.filter(({ text }) => !isKnown(text));
      if (unknown.length === 0 || unknown.length > MAX_TYPOS) return undefined;
      const known = new Map(unknown.map(({ text }) => [text, nearWord(text)] as const));
      return words.map((word) => {
        const near = known.get(word.text);
        return near === undefined ? word : { ...word, text: near, doubtful: word.text.length < 5 };
      });
    },
  };
}

function isPlain({ text }: Token): boolean {
  return /^[\0-\x7f]*$/.test(text);
}
