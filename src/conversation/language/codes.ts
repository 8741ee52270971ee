import { type CodeResult, parseCode, SURE_LENGTH } from './code.ts';
import type { Lexicon, Segment } from './lexicon.ts';
import type { Times } from './period.ts';
import { fold, undoTyping, visible } from './text.ts';
import { isDate, type Token } from './tokens.ts';
import type { Words } from './words.ts';

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
    text.length >= SURE_LENGTH &&
    /\d/.test(text) &&
    /[A-Za-z]/.test(text) &&
    isFree(text) &&
    !times.isLiteral({ text });

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
