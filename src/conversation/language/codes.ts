import type { CodeRef } from '../commands.ts';
import { fold, undoTyping, visible } from './fold.ts';
import type { Lexicon, Segment } from './lexicon.ts';
import type { Times } from './period-words.ts';
import { isDate, type Token } from './tokens.ts';
import { type CodeResult, parseCode } from './values/code.ts';
import type { Words } from './words.ts';

/** Shorter ones are codes only where an act or "mã" announces them. */
const MIN_LENGTH = 6;

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
  { isKnown, isPhrase }: Lexicon,
  times: Times,
  takesCode: (act: string | undefined) => boolean,
): Codes {
  /** "d9ie6m3" is a word typed in VNI. */
  function isTypedWord(text: string): boolean {
    const word = undoTyping(text);
    return !/\d/.test(word) && isKnown(word);
  }

  function isFree(text: string): boolean {
    // Digits and separators only: a date, an amount or a phone number that is none.
    return parseCode(text).ok && !/^\d+(?:[._-]\d+)+$/.test(text) && !isTypedWord(text);
  }

  function isAnnounced(text: string): boolean {
    if (!/\d/.test(text) || !isFree(text)) return false;
    // "2023", "100k" are a year and a price.
    return !/^\d+(?:k|d|tr|vnd)?$/i.test(text) || text.length >= MIN_LENGTH;
  }

  function read(text: string): CodeResult {
    const code = parseCode(text);
    const folded = fold(text);
    const isOther = isPhrase(folded) || times.isName(folded) || (code.ok && isCalendar(code.value));
    return isOther ? { ok: false, reason: 'code.shape' } : code;
  }

  const isCode = ({ text }: Pick<Token, 'text'>): boolean =>
    text.length >= MIN_LENGTH &&
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
      if (text.length < MIN_LENGTH || !/\d/.test(text) || isTypedWord(text) || times.isLiteral({ text }))
        return false;
      const result = parseCode(text);
      return !result.ok && result.reason === 'code.vietnamese';
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

function isCalendar(text: string): boolean {
  return /^20\d\d$/.test(text) || isDate({ text });
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

/** What a text says of a list of codes, beside the codes that it names. */
export type ListTalk = {
  /** "Bỏ": what is named goes. */
  readonly removes: boolean;
  /** "Đừng bỏ": nothing goes. */
  readonly spares: boolean;
  /** "Không lấy": what is named is not wanted. */
  readonly denies: boolean;
  /** "Thay", "sửa": what is new comes in the place of what was there. */
  readonly replaces: boolean;
  /** "… sai", "… mới đúng": what was there was wrong. */
  readonly corrects: boolean;
  /** "Thêm": what is new comes beside what is there. */
  readonly adds: boolean;
  /** "Chỉ lấy": nothing but what is named stays. */
  readonly keeps: boolean;
  /** "Chỉ lấy mã kia": what is not named stays. */
  readonly keepsOthers: boolean;
  /** Whether what is kept stands right behind its word: "chỉ lấy X", "chỉ lấy mã 2". */
  readonly keepsNamed: boolean;
  /** The places that it names. */
  readonly places: readonly CodeRef[];
  /** The codes right after a word that takes them away or denies them: X of "không phải X, là Y". */
  readonly away: readonly string[];
};

/** Reads what a text says of a list; `codes` are those that it names. */
export function createListTalk(words: Words): (text: string, codes: readonly string[]) => ListTalk {
  const patternsOf = (spelling: (phrase: string) => string) => {
    const any = (name: string) => `(?:${words.written(`list ${name}`).map(spelling).join('|') || '(?!)'})`;
    const anyOf = (name: string) => new RegExp(`(?<!\\p{L})${any(name)}(?!\\p{L})`, 'u');
    const between = `(?: ${any('between')})*`;
    const code = `${between} zq\\d+qz`;
    const joined = ` ${any('joining')}${code}`;
    const removing = any('removing');
    // "Chỉ bỏ X" and "bỏ chỉ X" keep nothing.
    const keeping = `(?<!\\p{L})(?<!${removing} )${any('keeping')}(?!\\p{L})(?! ${removing})`;
    // "Bỏ X Y" takes both away, "không phải X, Y" the first.
    const away = `(?<!\\p{L})(?:${removing}(${code}(?:${joined}|${code})*)|${any('denying')}(${code}(?:${joined})*))`;
    return {
      removing: anyOf('removing'),
      denying: anyOf('denying'),
      replacing: anyOf('replacing'),
      correcting: anyOf('correcting'),
      adding: anyOf('adding'),
      keeping: new RegExp(keeping, 'u'),
      keepingOthers: new RegExp(`${keeping}${between} ${any('others')}(?!\\p{L})`, 'u'),
      keepingNamed: new RegExp(`${keeping}${code}`, 'u'),
      keepingPlaces: new RegExp(`${keeping}${between} #`, 'u'),
      away: new RegExp(away, 'gu'),
    };
  };
  // As they are spelt, or without marks: "đợi" is no "đổi", while "doi" may be either.
  const spelt = patternsOf((phrase) => phrase.normalize('NFC'));
  const folded = patternsOf(fold);
  const inPlaces = createPlaces(words);
  const either = (name: string) =>
    [...words.written(name), ...words.list(name)].map((phrase) => RegExp.escape(phrase)).join('|') || '(?!)';
  const sparing = new RegExp(
    `(?<!\\p{L})(?:${either('stops')}|${either('list sparing')}) (?:${either('list removing')})(?!\\p{L})`,
    'iu',
  );

  return (text, codes) => {
    // Codes are words of their own here, whatever letters they have; the longest first, since one may begin another.
    const named = [...codes].sort((a, b) => b.length - a.length);
    const masked = named.reduce((masks, code, at) => masks.replaceAll(code, ` zq${at}qz `), text);
    const isMarked = /[^\0-\x7f]/.test(masked);
    const said = isMarked
      ? masked
          .normalize('NFC')
          .toLowerCase()
          .replace(/[^\p{L}\p{N}]+/gu, ' ')
      : fold(masked);
    const { away, ...patterns } = isMarked ? spelt : folded;
    const counted = inPlaces(fold(masked.replace(/#(?=\d)/g, ' zqnoqz ')));
    const taken = [...said.matchAll(away)].flatMap(([run]) =>
      [...run.matchAll(/zq(\d+)qz/g)].flatMap(([, at]) => named[Number(at)] ?? []),
    );
    return {
      removes: patterns.removing.test(said),
      spares: sparing.test(masked),
      denies: patterns.denying.test(said),
      replaces: patterns.replacing.test(said),
      corrects: patterns.correcting.test(said),
      adds: patterns.adding.test(said),
      keeps: patterns.keeping.test(said),
      keepsOthers: patterns.keepingOthers.test(said),
      keepsNamed: patterns.keepingNamed.test(said) || folded.keepingPlaces.test(counted),
      places: [...counted.matchAll(/#(-?\d{1,2})/g)].map(([, place]) => ({ place: Number(place) })),
      away: taken,
    };
  };
}

/** The folded text with the places that it names as `#2` (`#-1` the last one, `#0` all). */
function createPlaces(words: Words): (text: string) => string {
  const ordinals = foldedPairs(words.pairs('ordinals'));
  const counting = foldedPairs(words.pairs('counting'));
  const oneOf = (numbers: ReadonlyMap<string, string>) =>
    `(\\d{1,2}|${[...numbers.keys()].join('|') || '(?!)'})`;
  const joining = words.list('list joining').join('|');
  // "Mã 1 và 2": several behind one word.
  const several = `(\\d{1,2}(?: (?:(?:${joining}) )?\\d{1,2})*)`;
  const templates = [...words.pairs('list places'), ['zqnoqz {n}', 'n'] as const]
    .sort(([one], [other]) => other.length - one.length)
    .map(([phrase, place]) => {
      const number = { '{n}': place === 'n' ? several : oneOf(counting), '{nth}': oneOf(ordinals) };
      const source = phrase
        .split(' ')
        .map((word) => (word === '{n}' || word === '{nth}' ? number[word] : fold(word)));
      return {
        pattern: new RegExp(`(?<![\\p{L}\\p{N}#-])${source.join(' ')}(?![\\p{L}\\p{N}])`, 'gu'),
        place,
      };
    });
  const worth = (number = '') => Number(ordinals.get(number) ?? counting.get(number) ?? number);
  return (text) =>
    templates.reduce(
      (said, { pattern, place }) =>
        said.replace(pattern, (_, number?: string) => {
          if (place === 'first' || place === 'last') {
            const many = Math.min(worth(number), 9);
            return Array.from({ length: many }, (_, at) => `#${place === 'first' ? at + 1 : -at - 1}`).join(
              ' ',
            );
          }
          if (place !== 'n') return `#${place}`;
          return /^\d/.test(number ?? '') ? (number ?? '').replace(/\d+/g, '#$&') : `#${worth(number)}`;
        }),
      text,
    );
}

const foldedPairs = (pairs: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...pairs].map(([word, worth]) => [fold(word), worth]));
