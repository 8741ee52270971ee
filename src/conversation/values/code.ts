import { isDate, QUOTES, trimEdges, unmark, visible } from '../language/tokens.ts';

/* Codes are opaque: never repair one, because a guessed code could belong to another customer. */

export type CodeResult =
  | { readonly ok: true; readonly value: string }
  | {
      readonly ok: false;
      readonly reason: 'code.shape' | 'code.vietnamese' | 'code.long' | 'code.short';
    };

const SHAPE = /^[A-Za-z0-9._-]+$/;
const MAX_LENGTH = 64;
/** Shorter ones are codes only where an act or "mã" announces them. */
export const SURE_LENGTH = 6;

/** Reads a code: 4–64 of `A–Z a–z 0–9 . _ -`. Vietnamese letters mean that a keyboard rewrote it. */
export function parseCode(text: string): CodeResult {
  const code = trimEdges(visible(text), `${QUOTES} `);
  if (!SHAPE.test(code)) {
    // Full-width letters unmark to Latin letters, too, but no Vietnamese keyboard types them.
    const isTyped = code !== '' && code.normalize('NFKC') === code.normalize('NFC');
    const isMangled = isTyped && SHAPE.test(unmark(code.normalize('NFC')));
    return { ok: false, reason: isMangled ? 'code.vietnamese' : 'code.shape' };
  }
  if (code.length > MAX_LENGTH) return { ok: false, reason: 'code.long' };
  return code.length < 4 ? { ok: false, reason: 'code.short' } : { ok: true, value: code };
}

/** Whether a word is a code in any text: six characters or more with a letter and a digit, and no date. */
export function isSureCode(text: string): boolean {
  if (text.length < SURE_LENGTH || !/\d/.test(text) || !/[A-Za-z]/.test(text)) return false;
  return parseCode(text).ok && !isDate(text);
}

/** A longer text may be several codes. */
const PLAIN_LENGTH = 20;

/** Whether a text is a code at first sight: no word, date or period has a letter and five digits in a row. */
export function isPlainCode(text: string): boolean {
  const hasShape = text.length >= SURE_LENGTH && text.length <= PLAIN_LENGTH && SHAPE.test(text);
  return hasShape && /[A-Za-z]/.test(text) && /\d{5}/.test(text) && !looksLikeContact(text);
}

/**
 * Whether a bar code is a product's EAN or UPC, the same on every box. Codes have known beginnings then, and
 * this one has none of them.
 *
 * @example
 * isArticleNumber('8934563138165', ['TIVI']); // true
 */
export function isArticleNumber(text: string, beginnings: readonly string[]): boolean {
  if (!/^(?:\d{8}|\d{12,13})$/.test(text) || beginnings.length === 0) return false;
  if (hasBeginning(text, beginnings)) return false;
  const sum = [...text].reverse().reduce((all, digit, at) => all + Number(digit) * (at % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}

/**
 * "TIVI000000017/TIVI000000018", "TIVI000000017TULANH000000018": the codes that were typed without a blank;
 * any other word as it is.
 */
export function splitCodes(word: string, beginnings: readonly string[]): readonly string[] {
  if (word.length < 2 * SURE_LENGTH || word.length > 10 * MAX_LENGTH) return [word];
  const pieces = word.split(/[/|+&]/).flatMap((piece) => splitGlued(piece, beginnings));
  return pieces.length > 1 && pieces.every(isSureCode) ? pieces : [word];
}

function splitGlued(word: string, beginnings: readonly string[]): readonly string[] {
  const capitals = word.toUpperCase();
  const starts = [...capitals].flatMap((_, at) => {
    const isStart = beginnings.some((beginning) => capitals.startsWith(beginning.toUpperCase(), at));
    return isStart && /\d/.test(capitals.charAt(at - 1)) ? at : [];
  });
  return [0, ...starts].map((start, at, all) => word.slice(start, all[at + 1]));
}

const MAIL = /(?:gmail|yahoo|hotmail|outlook|icloud)|\.(?:com|con|cm|vn|net|org)$/i;

/** Whether a code is more likely a mistyped phone ("091234567a") or e-mail ("minh2gmail.com"). */
export function looksLikeContact(code: string): boolean {
  const count = (sort: RegExp): number => code.match(sort)?.length ?? 0;
  return MAIL.test(code) || (count(/\d/g) >= 7 && count(/[A-Za-z]/g) <= 2);
}

/** The code that was probably meant: with a known beginning, 0 and 1 for O and I; else undefined. */
export function suggestCode(code: string, beginnings: readonly string[]): string | undefined {
  // Signs in a number only group its digits: "TIVI.000.000.314".
  const isGrouped = /\d[._]\d/.test(code) && /[._]\d+[._]/.test(code);
  const joined = code.replace(isGrouped ? /[ ._-]/g : /[ -]/g, '');
  for (const beginning of beginnings) {
    const typed = joined.slice(0, beginning.length);
    const rest = joined.slice(beginning.length);
    if (rest === '' || alike(typed) !== alike(beginning)) continue;
    const number = rest.replace(/o/gi, '0').replace(/[il]/gi, '1');
    const completed = beginning + (/^\d{4,}$/.test(number) ? number : rest);
    return completed === code ? undefined : completed;
  }
  return isGuessedCode(code) ? joined : expandBeginning(joined, beginnings);
}

/** A number of this length may be a code without its beginning: it is neither a piece nor a bar code. */
const BARE_NUMBER = /^\d{8,11}$/;
/** More beginnings are no choice. */
const MOST_BEGINNINGS = 4;

/** The codes that a bare number may be, where codes have known beginnings: "000000929". */
export function completeNumber(code: string, beginnings: readonly string[]): readonly string[] {
  const isBare = BARE_NUMBER.test(code) && !hasBeginning(code, beginnings);
  const areNumbered =
    beginnings.length <= MOST_BEGINNINGS && beginnings.every((beginning) => !/^\d/.test(beginning));
  return isBare && areNumbered ? beginnings.map((beginning) => beginning + code) : [];
}

/** "tv000000937" is short for TIVI000000937: one beginning has its letters, in this order. */
function expandBeginning(code: string, beginnings: readonly string[]): string | undefined {
  const [, short = '', number = ''] = /^([a-z]{2,})(\d{6,})$/i.exec(code) ?? [];
  if (short === '') return undefined;
  const [beginning, ...others] = beginnings.filter((candidate) =>
    isShortFor(short.toUpperCase(), candidate.toUpperCase()),
  );
  return beginning === undefined || others.length > 0 ? undefined : beginning + number;
}

function isShortFor(short: string, word: string): boolean {
  let at = 0;
  for (const letter of word) if (letter === short[at]) at++;
  return at === short.length && short.length < word.length && short[0] === word[0];
}

/**
 * A code as it is printed: "tivi000000017" is TIVI000000017 where codes begin with TIVI. Only a number behind
 * the beginning is sure: other letters may be of either case.
 */
export function toPrinted(code: string, beginnings: readonly string[]): string {
  const beginning = beginnings.find((one) => code.toUpperCase().startsWith(one.toUpperCase()));
  const number = beginning === undefined ? '' : code.slice(beginning.length);
  return beginning !== undefined && /^\d{4,}$/.test(number) ? beginning + number : code;
}

/** Whether a code is a guess: its beginning and its number stand apart ("TIVI 000000314"). */
export const isGuessedCode = (code: string): boolean => code.includes(' ');

/** The beginning that a text is, slips aside. */
export const findBeginning = (text: string, beginnings: readonly string[]): string | undefined =>
  beginnings.find((beginning) => alike(beginning) === alike(text));

/** Whether a code begins as known ones do, slips aside. */
export function hasBeginning(code: string, beginnings: readonly string[]): boolean {
  return beginnings.some(
    (beginning) =>
      code.length > beginning.length && alike(code.slice(0, beginning.length)) === alike(beginning),
  );
}

/** The same for texts that are easily taken for one another. */
const alike = (text: string): string => text.toUpperCase().replaceAll('0', 'O').replace(/[1L]/g, 'I');

const SCHEMES: readonly string[] = ['http:', 'https:', 'tg:'];

export function linkOf(text: string): URL | undefined {
  const written = text.trim();
  if (/\s/.test(written)) return undefined;
  const link = URL.parse(/^(?:www\.|t\.me\/)/i.test(written) ? `https://${written}` : written);
  return link && SCHEMES.includes(link.protocol) ? link : undefined;
}

/** The code in a named parameter of a link, its path or its only parameter. It is never opened. */
export function codeInLink(link: URL, names: ReadonlySet<string>): string | undefined {
  const parameters = [...link.searchParams];
  const isNamed = (name: string) => name === 'start' || names.has(name);
  const named = parameters.filter(([name]) => isNamed(name.toLowerCase()));
  const namedValues = named.map(([name, value]) => (name === 'start' ? (decodeStart(value) ?? '') : value));
  const others = parameters.flatMap(([name, value]) =>
    !isNamed(name.toLowerCase()) && isSureCode(value) ? value : [],
  );
  const end = link.pathname.split('/').findLast((part) => part !== '') ?? '';
  return (
    namedValues.find((value) => parseCode(value).ok) ??
    (isSureCode(end) ? end : others.length === 1 ? others[0] : undefined)
  );
}

/** A text with the codes that its links carry in their places; a link without one says nothing. */
export function withLinksRead(text: string, names: ReadonlySet<string>): string {
  if (!/:\/\/|\bwww\.|\bt\.me\//i.test(text)) return text;
  const read = (word: string, link = linkOf(word)) => (link ? (codeInLink(link, names) ?? '') : word);
  return text
    .split(' ')
    .map((word) => read(word))
    .join(' ');
}

/** The payload of a link that brings no code. */
export const START_WITHOUT_CODE = '_';

/**
 * The code in a deep link's payload: the payload itself or, after `_`, base64url of it (links take few
 * characters). `_` alone only opens the chat. Invalid base64url is returned as it is: the conversation then
 * refuses it as a code.
 */
export function decodeStart(payload: string): string | undefined {
  if (payload === START_WITHOUT_CODE) return undefined;
  if (!/^_[A-Za-z0-9_-]+$/.test(payload)) return payload;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(payload.slice(1), 'base64url'));
  } catch {
    return payload;
  }
}

const REFERENCE = /^[0-9A-HJKMNP-TV-Z]{5}-?[0-9A-HJKMNP-TV-Z]{5}(?:\.\d{1,2})?$/i;

/**
 * The word that looks like an operation's id: ten characters of Crockford's base 32, perhaps with the
 * number of a code. Without a digit it must be in capitals; without a letter it is a number.
 */
export function referenceIn(words: readonly string[]): string | undefined {
  const isReference = (word: string) =>
    REFERENCE.test(word) && !/^[\d.-]+$/.test(word) && (/\d/.test(word) || word === word.toUpperCase());
  return words.find(isReference)?.replace('-', '').toUpperCase();
}
