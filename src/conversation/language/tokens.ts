import { MAX_TEXT } from '../message.ts';

/* Texts as they are compared, and how they are cut into words. */

const PLAIN = /^[\x20-\x7e]*$/;
const LINE_BREAKS = /[\t-\r\u0085\u2028\u2029]/g;
/** Single blanks are left as they are: most texts have no others. */
const UNEVEN_BLANKS = /\s{2,}|[^\S ]/g;
/** Controls, bidi marks, zero-width and other invisible characters, halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * The text as a reader sees it: at most `MAX_TEXT` characters, without invisible ones, every run of white
 * space one blank. Call it before matching patterns against typed text.
 */
export function visible(text: string): string {
  const cut = text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
  const seen = PLAIN.test(cut) ? cut : cut.replace(LINE_BREAKS, ' ').replace(INVISIBLE, '');
  return seen.replace(UNEVEN_BLANKS, ' ').trim();
}

/** Lower case without Vietnamese marks, punctuation kept: "Hoà" and "hòa" become the same. */
export function unmark(text: string): string {
  if (PLAIN.test(text)) return text.toLowerCase();
  return text.normalize('NFKD').toLowerCase().replace(/\p{M}/gu, '').replaceAll('đ', 'd');
}

/** A text of words between single blanks, each put through `change`. */
export const mapWords = (text: string, change: (word: string) => string): string =>
  text.split(' ').map(change).join(' ');

const MAX_REMEMBERED = 16;
/** More words than the language files have: while a process learns them, nothing is forgotten. */
const REMEMBERED = 6000;

/** In phones, codes and e-mails, in any script: a text that has one is not kept in memory. */
const PERSONAL = /[\p{Nd}@＠]/u;

/** Remembers the results for short words, but for those that may be personal data. */
export function remembered<Result>(read: (word: string) => Result): (word: string) => Result {
  const known = new Map<string, Result>();
  return (word) => {
    const before = known.get(word);
    if (before !== undefined) return before;
    const result = read(word);
    if (word.length > MAX_REMEMBERED || PERSONAL.test(word)) return result;
    if (known.size >= REMEMBERED) known.clear();
    known.set(word, result);
    return result;
  };
}

export const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** "Don't" is one word. */
const APOSTROPHES = /(?<=\p{L})['’](?=\p{L})/gu;

/** A ligature is at most three letters; a single "ﷺ" would be four words. */
const MAX_GROWTH = 3;

const foldWord = remembered((word: string): string =>
  unmark(word)
    .slice(0, MAX_GROWTH * word.length)
    .replace(APOSTROPHES, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== '')
    .join(' '),
);

/** A text as it is compared: no case, marks or punctuation. "Đổi quà!" and "doi  qua" fold to "doi qua". */
export function fold(text: string): string {
  const seen = visible(text);
  if (!seen.includes(' ')) return foldWord(seen);
  let folded = '';
  for (const typed of seen.split(' ')) {
    const word = foldWord(typed);
    if (word !== '') folded = folded === '' ? word : `${folded} ${word}`;
  }
  return folded;
}

/** The words of a text as they are spelt, in lower case. */
export function speltWords(text: string): string[] {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(APOSTROPHES, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** A word with its marks, wherever they stand in it: "hoà" is "hòa". */
export const marked = remembered((word: string): string => {
  const letters = word.normalize('NFD').toLowerCase();
  return [...letters.replace(/\p{M}/gu, ''), ...(letters.match(/\p{M}/gu) ?? []).sort()].join('');
});

/**
 * Folded words without the keystrokes of Telex ("ddooir ddieemr") and VNI ("d9oi63 d9ie6m3"): both give
 * "doi diem". It mangles other languages: use it only to look up Vietnamese words.
 */
export function undoTyping(text: string): string {
  return fold(text).split(' ').map(undoWord).join(' ');
}

const undoWord = remembered((word: string): string => {
  if (/\d/.test(word)) return isVni(word) ? word.replace(/\d/g, '') : word;
  const vowel = word.search(/[aeiouyw]/);
  if (vowel < 0) return word;
  const onset = word.slice(0, vowel).replace('dd', 'd');
  // No Vietnamese word has these letters after its vowel: they are tone keys, or the `d` of a late `đ`.
  const tail = word.slice(vowel).replace(/[sfrxjzd]/g, '');
  const sounds = tail.startsWith('w') ? `u${tail.slice(1)}` : tail;
  return onset + sounds.replaceAll('w', '').replace(/([aeo])\1+/g, '$1');
});

/** 1–5 are tones (one a word), 6–8 marks of vowels, 9 is the stroke of `đ`. "TIVI12" is not typed in VNI. */
function isVni(word: string): boolean {
  if (!/^[a-z]+[1-9][a-z1-9]*$/.test(word)) return false;
  const count = (digits: RegExp) => word.match(digits)?.length ?? 0;
  return count(/[1-5]/g) <= 1 && count(/[678]/g) <= 2 && count(/9/g) <= 1;
}

/** `text` without the characters of `edge` at both ends. A loop, since `/[…]+$/` takes quadratic time. */
export function trimEdges(text: string, edge: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && edge.includes(text.charAt(from))) from++;
  while (to > from && edge.includes(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Every kind of quotation mark that keyboards and chat programs put around a pasted value. */
export const QUOTES = '\'"`´‘’‚‛“”„‟«»‹›「」『』＂＇';

/** Whether the two differ by one typing error: a letter too many, too few, wrong, or two swapped. */
export function isOneTypo(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (a === b || long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  if (long.length > short.length) return short.slice(at) === long.slice(at + 1);
  if (short.slice(at + 1) === long.slice(at + 1)) return true;
  return (
    short[at] === long[at + 1] && short[at + 1] === long[at] && short.slice(at + 2) === long.slice(at + 2)
  );
}

/** A piece of a message between blanks, as typed, without the punctuation of the sentence around it. */
export type Token = {
  readonly text: string;
  readonly pause: boolean;
};

const SEPARATORS = ',;:';
const ENDS = '.!?…';
const EDGES = `${QUOTES}()[]{}<>.!?…*#`;

/** `text` is `visible`. Blanks, commas, semicolons and colons separate: no value contains them. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let pause = false;
  for (const piece of text.match(/[^\s,;:]+|[,;:]/g) ?? []) {
    const trimmed = trimEdges(piece, EDGES);
    if (SEPARATORS.includes(piece) || trimmed === '') pause = true;
    else {
      tokens.push({ text: trimmed, pause });
      pause = ENDS.includes(piece.slice(-1));
    }
  }
  return tokens;
}

/** `1/8`, `1.8.2023`, `8/2023`, `2023-08-31`. */
const DATE =
  /^(?:20\d\d[/-]\d{1,2}(?:-\d{1,2})?|\d{1,2}[/.-]20\d\d|\d{1,2}([/.-])\d{1,2}(?:\1(?:20\d\d|\d\d))?)$/;
/** Two dates without a blank between: `1/8-31/8/2023`, `2024-2025`. */
const RANGE = /^(20\d\d|\d[\d/.]*)\p{Pd}(20\d\d|\d[\d/.]*)$/u;

/** What a word says as a date, or as two with a dash between; undefined for any other. */
export function datesIn(word: string): readonly string[] | undefined {
  if (DATE.test(word)) return [word];
  const [, from = '', to = ''] = RANGE.exec(word) ?? [];
  const isPart = (part: string) => DATE.test(part) || /^(?:\d{1,2}|20\d\d)$/.test(part);
  return isPart(from) && isPart(to) && (from + to).length > 4 ? [from, '-', to] : undefined;
}

export const isDate = (word: string): boolean => datesIn(word) !== undefined;
