import { isDate, QUOTES, trimEdges, unmark, visible } from '../language/tokenizer.ts';

/*
 * Codes of purchases and of gifts. They are opaque: only their shape tells them apart from words, and nothing inside is ever
 * repaired, because a code that was guessed could be somebody else's.
 */

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

/**
 * Reads a code: 4–64 of `A–Z a–z 0–9 . _ -`, case kept, quotes and blanks around it dropped. Vietnamese letters mean that
 * the keyboard rewrote what was typed, and the customer is told so.
 */
export function parseCode(text: string): CodeResult {
  const code = trimEdges(visible(text), `${QUOTES} `);
  if (!SHAPE.test(code)) {
    // Compatibility forms (full-width letters) unmark to Latin letters, too, and no Vietnamese keyboard types them.
    const isTyped = code !== '' && code.normalize('NFKC') === code.normalize('NFC');
    const isMangled = isTyped && SHAPE.test(unmark(code.normalize('NFC')));
    return { ok: false, reason: isMangled ? 'code.vietnamese' : 'code.shape' };
  }
  if (code.length > MAX_LENGTH) return { ok: false, reason: 'code.long' };
  return code.length < 4 ? { ok: false, reason: 'code.short' } : { ok: true, value: code };
}

/** A code wherever it stands: at least six characters, a letter and a digit among them; neither a date nor a number. */
export function isSureCode(text: string): boolean {
  if (text.length < SURE_LENGTH || !/\d/.test(text) || !/[A-Za-z]/.test(text)) return false;
  return parseCode(text).ok && !isDate(text);
}

/** Whether a text is a code at first sight: no word, date or period has a letter and five digits in a row. */
export function isPlainCode(text: string): boolean {
  const hasShape = text.length >= SURE_LENGTH && text.length <= MAX_LENGTH && SHAPE.test(text);
  return hasShape && /[A-Za-z]/.test(text) && /\d{5}/.test(text) && !looksLikeContact(text);
}

/** "TIVI000000017/TIVI000000018": the codes that were typed without a blank; any other word as it is. */
export function splitCodes(word: string): readonly string[] {
  const pieces = word.split(/[/|+&]/);
  return pieces.length > 1 && pieces.every(isSureCode) ? pieces : [word];
}

const MAIL = /(?:gmail|yahoo|hotmail|outlook|icloud)|\.(?:com|con|cm|vn|net|org)$/i;

/** Whether a code is more likely a mistyped phone ("091234567a") or e-mail ("minh2gmail.com"). */
export function looksLikeContact(code: string): boolean {
  const count = (sort: RegExp): number => code.match(sort)?.length ?? 0;
  return MAIL.test(code) || (count(/\d/g) >= 7 && count(/[A-Za-z]/g) <= 2);
}

/**
 * The code that was probably meant: the same with a known beginning in its own capitals, with O and I there and 0 and 1 in
 * a number after it, without blanks and dashes. Undefined where nothing tells that this one is wrong.
 */
export function codeMeant(code: string, beginnings: readonly string[]): string | undefined {
  const joined = code.replace(/[ -]/g, '');
  for (const beginning of beginnings) {
    const [typed, rest] = [joined.slice(0, beginning.length), joined.slice(beginning.length)];
    if (rest === '' || alike(typed) !== alike(beginning)) continue;
    const number = rest.replace(/o/gi, '0').replace(/[il]/gi, '1');
    const meant = beginning + (/^\d{4,}$/.test(number) ? number : rest);
    return meant === code ? undefined : meant;
  }
  return undefined;
}

/** A code that was written with blanks inside, as it was written: "TIVI 000 000 633"; "tivi 55 inch" is none. */
export function spacedCode(text: string, beginnings: readonly string[]): string | undefined {
  if (beginnings.length === 0) return undefined;
  const beginning = beginnings.map((one) => RegExp.escape(one)).join('|');
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${beginning}) ?\\d+(?: \\d+)*(?![\\p{L}\\p{N}])`, 'iu');
  const [code = ''] = pattern.exec(visible(text)) ?? [];
  return code.includes(' ') && code.replace(/\D/g, '').length >= SURE_LENGTH ? code : undefined;
}

/** Whether a code begins as known ones do, slips aside. */
export function hasBeginning(code: string, beginnings: readonly string[]): boolean {
  return beginnings.some(
    (beginning) =>
      code.length > beginning.length && alike(code.slice(0, beginning.length)) === alike(beginning),
  );
}

/** Whether two codes differ in no more than what is easily taken for something else: capitals, O and 0, I, l and 1. */
export function isAlike(one: string, other: string): boolean {
  return alike(one) === alike(other);
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

/**
 * The code that a link carries: what a parameter for one says (`names`, beside the bot's own `start`), else the end of its
 * path, else the only parameter that looks like a code. The link is read, never opened.
 */
export function codeInLink(link: URL, names: ReadonlySet<string>): string | undefined {
  const parameters = [...link.searchParams];
  const isNamed = (name: string) => name === 'start' || names.has(name);
  const named = parameters.filter(([name]) => isNamed(name.toLowerCase()));
  const said = named.map(([name, value]) => (name === 'start' ? (decodeStart(value) ?? '') : value));
  const others = parameters.flatMap(([name, value]) =>
    !isNamed(name.toLowerCase()) && isSureCode(value) ? value : [],
  );
  const end = link.pathname.split('/').findLast((part) => part !== '') ?? '';
  return (
    said.find((value) => parseCode(value).ok) ??
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
 * The code that a deep link's payload stands for: the payload itself or, with a leading `_`, base64url of it (a link
 * takes no other characters). `_` alone is no code: the link only opens the chat. What is no base64url of UTF-8 stays as
 * it is, for the conversation to refuse as a code: whoever scanned it hears that it is wrong.
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
 * The word that looks like an operation's id: ten characters of Crockford's base 32, and which of several codes it is
 * of. Letters only must be capitals or all that is left to explain, and digits only are a number.
 */
export function referenceIn(words: readonly string[], isAlone: boolean): string | undefined {
  const isReference = (word: string) =>
    REFERENCE.test(word) &&
    !/^[\d.-]+$/.test(word) &&
    (/\d/.test(word) || word === word.toUpperCase() || isAlone);
  return words.find(isReference)?.replace('-', '').toUpperCase();
}
