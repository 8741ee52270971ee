import { QUOTES, trimEdges, unmark, visible } from './text.ts';

export type CodeResult =
  | { readonly ok: true; readonly value: string }
  | {
      readonly ok: false;
      readonly reason: 'code.shape' | 'code.vietnamese' | 'code.long' | 'code.short';
    };

const SHAPE = /^[A-Za-z0-9._-]+$/;

/** Shorter ones are codes only where an act or "mã" announces them. */
export const SURE_LENGTH = 6;

/**
 * Reads an accumulation code or a gift's: 4–64 of `A–Z a–z 0–9 . _ -`, case kept, quotes and blanks around it dropped.
 * Nothing inside is repaired, blanks neither: a code that was guessed could be somebody else's. Vietnamese letters
 * mean that the keyboard rewrote what was typed, and the customer is told so.
 */
export function parseCode(text: string): CodeResult {
  const code = trimEdges(visible(text), `${QUOTES} `);
  if (!SHAPE.test(code)) {
    const mangled = code !== '' && SHAPE.test(unmark(code.normalize('NFC')));
    return { ok: false, reason: mangled && isLatin(code) ? 'code.vietnamese' : 'code.shape' };
  }
  if (code.length > 64) return { ok: false, reason: 'code.long' };
  return code.length < 4 ? { ok: false, reason: 'code.short' } : { ok: true, value: code };
}

/** Compatibility forms (full-width letters, ligatures) unmark to Latin letters too, and no Vietnamese keyboard types them. */
function isLatin(code: string): boolean {
  return code.normalize('NFKC') === code.normalize('NFC');
}

/** So many digits and so few letters are a phone number with a slip rather than a code. */
const DIGITS = 7;
const LETTERS = 2;
const MAIL = /(?:gmail|yahoo|hotmail|outlook|icloud)|\.(?:com|con|cm|vn|net|org)$/i;

/** Whether a word of a code's shape is more likely a mistyped phone ("091234567a") or e-mail ("minh2gmail.com"). */
export function looksLikeIdentity(code: string): boolean {
  const count = (sort: RegExp): number => code.match(sort)?.length ?? 0;
  return MAIL.test(code) || (count(/\d/g) >= DIGITS && count(/[A-Za-z]/g) <= LETTERS);
}

/**
 * The code that was probably meant: the same with a known beginning in its own capitals, with O and I there and 0 and 1 in
 * a number after it, without blanks and dashes. Undefined where nothing tells that this one is wrong; only the customer can say so.
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

/** Shorter numbers beside a word ("tivi 55 inch") are no codes. */
const MIN_DIGITS = 6;

/** A code that was written with blanks inside, as it was written: "TIVI 000 000 633". */
export function spacedCode(text: string, beginnings: readonly string[]): string | undefined {
  if (beginnings.length === 0) return undefined;
  const beginning = beginnings.map((one) => RegExp.escape(one)).join('|');
  const [code = ''] =
    new RegExp(`(?<![\\p{L}\\p{N}])(?:${beginning})(?: ?\\d+)+(?![\\p{L}\\p{N}])`, 'iu').exec(
      visible(text),
    ) ?? [];
  return code.includes(' ') && code.replace(/\D/g, '').length >= MIN_DIGITS ? code : undefined;
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
function alike(text: string): string {
  return text.toUpperCase().replaceAll('0', 'O').replace(/[1L]/g, 'I');
}

const SCHEMES: readonly string[] = ['http:', 'https:', 'tg:'];
/** As codes wherever they stand: at least six characters, a letter and a digit among them. */
const SHAPED = /^(?=.*[A-Za-z])(?=.*\d).{6,}$/;

/** Whether a text is a link and nothing else. */
export function isLink(text: string): boolean {
  return linkOf(text) !== undefined;
}

/**
 * The code that a link carries: what a parameter for one says (`names`, beside the bot's own `start`), else the end of its
 * path, else the only parameter that looks like a code. Undefined: none, or nobody could tell which. The link is read, never
 * opened.
 */
export function codeInLink(text: string, names: ReadonlySet<string>): string | undefined {
  const link = linkOf(text);
  if (!link) return undefined;
  const parameters = [...link.searchParams].map(([name, value]) => [name.toLowerCase(), value] as const);
  const isNamed = (name: string) => name === 'start' || names.has(name);
  const named = parameters.filter(([name]) => isNamed(name));
  const [said] = named.flatMap(
    ([name, value]) => codeOf(name === 'start' ? decodeStart(value) : value) ?? [],
  );
  if (said !== undefined) return said;
  const end = codeOf(decoded(link.pathname.split('/').findLast((part) => part !== '')));
  if (end !== undefined && SHAPED.test(end)) return end;
  const others = parameters.filter(([name]) => !isNamed(name));
  const shaped = others.flatMap(([, value]) => codeOf(value) ?? []).filter((code) => SHAPED.test(code));
  return shaped.length === 1 ? shaped[0] : undefined;
}

/** A text with the codes that its links carry in their places; a link without one says nothing. */
export function withLinksRead(text: string, names: ReadonlySet<string>): string {
  if (!/:\/\/|\bwww\.|\bt\.me\//i.test(text)) return text;
  return text
    .split(' ')
    .map((word) => (isLink(word) ? (codeInLink(word, names) ?? '') : word))
    .join(' ');
}

function linkOf(text: string): URL | undefined {
  const written = text.trim();
  if (/\s/.test(written)) return undefined;
  const link = URL.parse(/^(?:www\.|t\.me\/)/i.test(written) ? `https://${written}` : written);
  return link && SCHEMES.includes(link.protocol) ? link : undefined;
}

function codeOf(text: string | undefined): string | undefined {
  const code = parseCode(text ?? '');
  return code.ok ? code.value : undefined;
}

/** Undefined for what is no well-formed part of a path. */
function decoded(part = ''): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

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

/** The payload of a link that brings no code. */
export const START_WITHOUT_CODE = '_';
