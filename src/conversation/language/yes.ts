import { fold } from './fold.ts';
import type { Grammar } from './grammar.ts';
import { GRAMMARS } from './grammars.ts';
import { type IntentWords, phrasesOf, split } from './vocabulary.ts';

/** What may stand around a yes and leaves it one. */
const particles = new Set(
  GRAMMARS.flatMap((grammar) => split(grammar.particles).flatMap((phrase) => phrase.split(' '))),
);
const abbreviations = new Map(GRAMMARS.flatMap((grammar) => Object.entries(grammar.abbreviations)));

/** "👍" and "👌", in whatever colour. */
const HAND = /[👍👌][\u{1F3FB}-\u{1F3FF}]?/gu;

/** A text with the hands that say yes in words. */
export const withHandsRead = (text: string): string => text.replace(HAND, ' ok ');

/** "Ừa" is no "ủa". Words that say nothing elsewhere may object to a yes, and stay. */
const homographs = new Map(
  GRAMMARS.flatMap((grammar) => Object.entries(grammar.homographs)).filter(([, meant]) => meant !== ''),
);
const asMeant = (text: string): string =>
  text.normalize('NFC').replace(/[\p{L}\p{M}]+/gu, (word) => homographs.get(word.toLowerCase()) ?? word);

/** A pattern of phrases as they are spelt, between bars. */
const spelt = (of: (grammar: Grammar) => string): string =>
  GRAMMARS.flatMap((grammar) => of(grammar).split(/,\s*/))
    .filter((phrase) => phrase !== '')
    .map((phrase) => RegExp.escape(phrase))
    .join('|');

/** A question mark, a picture that objects, or words that do ("à" is no "ạ"). */
const OBJECTION = new RegExp(
  `[?？]|❌|🚫|👎|🙅|(?<!\\p{L})(?:(?:${spelt(({ objections }) => objections.last)})[\\s.!]*$|${spelt(({ objections }) => objections.anywhere)})`,
  'iu',
);

/**
 * Whether a text says yes and nothing else. Stricter than the intent, for points hang on it: small words that change
 * nothing elsewhere make a question or an objection here ("có gì", "ok sao", "ok nhưng").
 */
export function createYes(words: readonly IntentWords[]): (text: string) => boolean {
  const meant = words.filter(({ intent }) => intent === 'confirm');
  const phrases = new Set(meant.flatMap(({ always, alone }) => [...phrasesOf(always), ...phrasesOf(alone)]));
  const longest = Math.max(...[...phrases].map((phrase) => phrase.split(' ').length));

  /** How many words of a yes stand at `at`; the longest phrase counts. */
  function lengthAt(said: readonly string[], at: number): number {
    for (let length = longest; length > 0; length--) {
      if (phrases.has(said.slice(at, at + length).join(' '))) return length;
    }
    return 0;
  }

  return (text) => {
    if (OBJECTION.test(text.normalize('NFC'))) return false;
    const said = fold(asMeant(withHandsRead(text)))
      .split(' ')
      .map((word) => abbreviations.get(word) ?? word);
    let isYes = false;
    for (let at = 0; at < said.length; ) {
      const length = lengthAt(said, at);
      if (length > 0) isYes = true;
      else if (!particles.has(said[at] ?? '')) return false;
      at += Math.max(length, 1);
    }
    return isYes;
  };
}
