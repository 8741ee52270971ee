import type { Lexicon, Segment } from './lexicon.ts';
import type { Times } from './period.ts';
import { fold, isDate, QUOTES, type Token, trimEdges, undoTyping, unmark, visible } from './text.ts';
import type { Words } from './words.ts';

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
  const spaced = `(?<![\\p{L}\\p{N}])(?:${beginning}) ?\\d+(?: \\d+)*(?![\\p{L}\\p{N}])`;
  const [code = ''] = new RegExp(spaced, 'iu').exec(visible(text)) ?? [];
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

/** Finds codes in messages. Codes are opaque: beside shapes, only the vocabulary and dates tell what is none. */
export type Codes = {
  /** A token that is a code wherever it stands: at least six characters, a letter and a digit among them. */
  isCode(token: Pick<Token, 'text'>): boolean;
  /** "TIVI000000017/TIVI000000018": the codes that were typed without a blank; any other token as it is. */
  parted(token: Token): readonly Token[];
  /** A token that would be a code, had a Vietnamese keyboard not rewritten it. */
  isMangled(token: Token): boolean;
  /** A word with a digit right after "tích điểm", "đổi quà", "mã" or their like; an amount ("đổi 1000 điểm") is none. */
  announced(parts: readonly Segment[], command: string | undefined): Token | undefined;
  /** The one argument of a command that takes a code needs no digit: `/redeem VOUCHER`. */
  argument(tokens: readonly Token[], command: string | undefined): Token | undefined;
  /** An answer to the question for a code. */
  read(text: string): CodeResult;
  /** What a field for codes was given: the codes, each once, and why the first that is none is none (a message key). */
  readAll(text: string): { readonly codes: readonly string[]; readonly fault?: string | undefined };
};

/** `takesCode`: whether a code may follow an act. */
export function createCodes(
  words: Words,
  { isKnown, isPhrase }: Lexicon,
  times: Times,
  takesCode: (act: string | undefined) => boolean,
): Codes {
  /** "2023", "100k" are a year and a price. */
  const amount = new RegExp(`^\\d+(?:${words.list('amount endings').join('|')})?$`, 'i');

  /** "d9ie6m3" is a word typed in VNI, which has no zero. */
  function isTypedWord(text: string): boolean {
    if (text.includes('0')) return false;
    const word = undoTyping(text);
    return !/\d/.test(word) && isKnown(word);
  }

  function isFree(text: string): boolean {
    // Digits and separators only: a date, an amount or a phone number that is none.
    return parseCode(text).ok && !/^\d+(?:[._-]\d+)+$/.test(text) && !isTypedWord(text);
  }

  function isAnnounced(text: string): boolean {
    if (!/\d/.test(text) || !isFree(text)) return false;
    return !amount.test(text) || text.length >= SURE_LENGTH;
  }

  function read(text: string): CodeResult {
    const code = parseCode(text);
    const folded = fold(text);
    const isOther =
      isPhrase(folded) ||
      times.isName(folded) ||
      /^20\d\d$/.test(folded) ||
      (code.ok && isDate({ text: code.value }));
    return isOther ? { ok: false, reason: 'code.shape' } : code;
  }

  const isCode = ({ text }: Pick<Token, 'text'>): boolean =>
    SHAPED.test(text) && isFree(text) && !times.isLiteral({ text });

  const parted = (token: Token): readonly Token[] => {
    const pieces = token.text.split(/[/|+&]/);
    return pieces.length > 1 && pieces.every((text) => isCode({ text }))
      ? pieces.map((text) => ({ ...token, text }))
      : [token];
  };

  return {
    isCode,
    parted,
    read,
    readAll(text) {
      const words = visible(text)
        .split(/[\s,;]+/)
        .filter((word) => word !== '')
        .flatMap((word) => parted({ text: word, pause: false }).map((piece) => piece.text));
      const areCodes = words.some((word) => isCode({ text: word }));
      // A code with a blank inside is one that was mistyped; nothing is made of its parts.
      const results = (areCodes ? words : [text]).map(read);
      const fault = results.find(({ ok }) => !ok);
      return {
        codes: [...new Set(results.flatMap((result) => (result.ok ? [result.value] : [])))],
        fault: fault?.ok === false ? fault.reason : undefined,
      };
    },
    isMangled({ text }) {
      if (text.length < SURE_LENGTH || !/\d/.test(text)) return false;
      const result = parseCode(text);
      if (result.ok || result.reason !== 'code.vietnamese') return false;
      return !isTypedWord(text) && !times.isLiteral({ text });
    },
    announced(parts, command) {
      const at = parts.findIndex((part, i) => {
        const text = part.words[0]?.source.text;
        const before = parts[i - 1]?.meaning;
        const isNext = i === 0 ? takesCode(command) : takesCode(before?.act) || before?.field === 'code';
        return part.meaning === undefined && isNext && text !== undefined && isAnnounced(text);
      });
      return parts[at]?.words[0]?.source;
    },
    argument(tokens, command) {
      const [one, ...more] = tokens;
      if (!one || more.length > 0 || !takesCode(command)) return undefined;
      return read(one.text).ok ? one : undefined;
    },
  };
}

const REFERENCE = /^[0-9A-HJKMNP-TV-Z]{5}-?[0-9A-HJKMNP-TV-Z]{5}(?:\.\d{1,2})?$/i;

/**
 * The token that looks like an operation's id: ten characters of Crockford's base 32, and which of several codes it is
 * of. Letters only must be capitals or all that is left to explain, and digits only are a number.
 */
export function referenceIn(tokens: readonly Token[], unexplained: readonly Token[]): string | undefined {
  const found = tokens.find(
    ({ text }) =>
      REFERENCE.test(text) &&
      !/^[\d.-]+$/.test(text) &&
      (/\d/.test(text) || text === text.toUpperCase() || unexplained.length === 1),
  );
  return found?.text.replace('-', '').toUpperCase();
}
