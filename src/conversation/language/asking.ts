import { fold, undoTyping, visible } from './fold.ts';
import type { Grammar } from './grammar.ts';
import { GRAMMARS, phrasesIn } from './grammars.ts';
import { split } from './vocabulary.ts';

/*
 * Whether a text asks something, as far as its form tells.
 */

/** Words, folded and as they are spelt: "đầu" is no "đâu", and "đồ" no "do". */
type Words = { readonly folded: ReadonlySet<string>; readonly spelt: ReadonlySet<string> };

function wordsOf(of: (grammar: Grammar['asking']) => string): Words {
  const phrases = GRAMMARS.flatMap(({ asking }) => of(asking).split(','));
  return {
    folded: new Set(phrases.flatMap(split)),
    spelt: new Set(phrases.map((phrase) => phrase.trim().replace(/\s+/g, ' '))),
  };
}

const ANYWHERE = wordsOf(({ anywhere }) => anywhere);
const FIRST = wordsOf(({ first }) => first);
const LAST = wordsOf(({ last }) => last);
/** Words that say nothing in a question. */
export const POLITE: ReadonlySet<string> = new Set(phrasesIn(({ asking }) => asking.polite));

// Maps, since a customer may type "constructor".
const abbreviations = new Map(GRAMMARS.flatMap((grammar) => Object.entries(grammar.abbreviations)));
const homographs = new Map(GRAMMARS.flatMap((grammar) => Object.entries(grammar.homographs)));

/** The words of a text as they are spelt, in lower case. */
function spelt(text: string): string[] {
  const words = visible(text)
    .normalize('NFC')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  return words.filter((word) => word !== '');
}

/** The words of a text, folded; abbreviations are written out. */
export function plainly(text: string): string[] {
  return spelt(text)
    .map((word) => homographs.get(word) ?? fold(word))
    .flatMap((word) => (abbreviations.get(word) ?? word).split(' '));
}

/** Whether the text asks something: by its mark, or by its words. A single word does not. */
export function isQuestion(text: string): boolean {
  const words = spelt(text);
  if (words.length < 2) return false;
  const pairs = [words, plainly(text)].flatMap((all) => all.map((word, at) => `${word} ${all[at + 1]}`));
  const telling = words.filter((word) => !POLITE.has(fold(word)));
  return (
    text.trimEnd().endsWith('?') ||
    [...words, ...pairs].some((word) => isOf(ANYWHERE, word)) ||
    isOf(FIRST, telling[0] ?? '') ||
    isOf(LAST, telling.at(-1) ?? '')
  );
}

/** A word that carries marks must be spelt so; one that carries none may lack them. */
function isOf({ folded, spelt }: Words, typed: string): boolean {
  if (spelt.has(typed)) return true;
  const written = homographs.get(typed) ?? abbreviations.get(fold(typed));
  if (written !== undefined) return folded.has(written);
  return /^[\0-\x7f]*$/.test(typed) && (folded.has(typed) || folded.has(undoTyping(typed)));
}

/** Whether a folded word asks, wherever it stands. */
export function isAsking(word: string): boolean {
  return ANYWHERE.folded.has(word);
}
