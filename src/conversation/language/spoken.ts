import { findBeginning, hasBeginning, SURE_LENGTH } from '../values/code.ts';
import { completeDomain, isUsualDomain, type Phone, parseEmail, parsePhone } from '../values/contact.ts';
import { fold, isAscii, isDate, type Token, unmark } from './tokens.ts';
import { indexPhrases, type PhraseIndex, phraseAt, type Vocabulary } from './vocabulary.ts';

/*
 * Values as people say them: digits in words, dictated e-mails, codes written apart. One that can be read in
 * several ways is a guess: the bot shows it, and only its button takes it.
 */

/** A value, and the tokens that make it up. */
export type SpokenMatch<Result> = { readonly result: Result; readonly tokens: readonly Token[] };

/** The digits of a code, with the blanks between them. `isSure`: nothing else can be meant. */
type CodeNumber = { readonly text: string; readonly to: number; readonly isSure: boolean };

/** `isGuess`: it may be another address. */
type SpokenEmail = { readonly value: string; readonly isGuess: boolean };

/** The tokens of a text, and each as it is compared. */
export type SpokenLine = { readonly tokens: readonly Token[]; readonly words: readonly string[] };

export const toSpokenLine = (tokens: readonly Token[]): SpokenLine => ({
  tokens,
  words: tokens.map(({ text }) => (text === '@' ? text : fold(text))),
});

/** Digits that one token stands for, or several together: "double five". */
type Digits = {
  readonly from: number;
  readonly to: number;
  readonly digits: string;
  readonly isWord: boolean;
  /** Each digit is said or typed by itself: neither "ninety two" nor "three times eight". */
  readonly isPlain: boolean;
};

/** A side of a dictated address, or a run of digits, has at most this many pieces. */
const MAX_PIECES = 24;
/** At most this many starts of phones are tried. */
const MAX_STARTS = 20;
/** "Không 912345678" is a no and a number. */
const MIN_DIGIT_WORDS = 2;
/** A piece of this many digits is a whole number: the next piece belongs to another one. */
const WHOLE_NUMBER = 9;
const MAX_CODE_DIGITS = 30;
/** A name before the sign of an address has at most this many words. */
const MAX_NAME_WORDS = 5;
const MAX_TAIL = 6;
/** "Mã đơn hàng của tôi là DH00012345": at most this many words from the name on. */
const MAX_BETWEEN = 4;

const NUMERIC = /^\+?[\doO][\doO./()-]*$/;
const CODE_PIECE = /^[\dOoIl][\dOoIl._-]*$/;
const DASH = /^\p{Pd}$/u;
const NAME = /^[a-z0-9][a-z0-9._+-]*$/;
/** With other beginnings a number that is said is most likely no phone: "không không". */
const PHONE_START = /^(?:0[1-9]|\+?84|0084|[1-9])/;

export class SpokenValues {
  readonly #digits: Numbers;
  readonly #times: Numbers;
  readonly #repeats: Numbers;
  readonly #tens: Numbers;
  readonly #afterTens: Numbers;
  readonly #afterHundreds: Numbers;
  readonly #beforeUnits: Numbers;
  readonly #hosts: PhraseIndex<string>;
  readonly #signs: PhraseIndex<string>;
  readonly #marks: PhraseIndex<string>;
  readonly #ends: ReadonlySet<string>;
  readonly #tails: PhraseIndex<'before' | 'behind'>;
  readonly #otherNumbers: PhraseIndex<true>;
  readonly #namesOfCodes: ReadonlySet<string>;
  readonly #namesOfEmails: ReadonlySet<string>;
  readonly #counters: ReadonlySet<string>;
  readonly #small: ReadonlySet<string>;
  readonly #smallSpelt: ReadonlySet<string>;
  readonly #betweenPieces: PhraseIndex<true>;

  constructor(vocabulary: Vocabulary) {
    this.#digits = readNumbers(vocabulary, 'digits');
    this.#times = readNumbers(vocabulary, 'digits several times');
    this.#tens = readNumbers(vocabulary, 'digits of tens');
    this.#afterTens = readNumbers(vocabulary, 'after a digit of tens');
    this.#afterHundreds = readNumbers(vocabulary, 'after a digit of hundreds');
    this.#beforeUnits = readNumbers(vocabulary, 'before a digit without tens');
    this.#hosts = readPairs(vocabulary, 'mail hosts');
    this.#repeats = readNumbers(vocabulary, 'before a repeated digit');
    this.#signs = indexPhrases(vocabulary.list('mail sign').map((phrase) => [phrase, '@'] as const));
    this.#marks = readPairs(vocabulary, 'mail marks');
    this.#ends = new Set(vocabulary.list('mail ends'));
    const tails = (['before', 'behind'] as const).flatMap((side) =>
      vocabulary.list(`${side} last digits`).map((phrase) => [phrase, side] as const),
    );
    this.#tails = indexPhrases(tails);
    const others = vocabulary.list('numbers of other things');
    this.#otherNumbers = indexPhrases(others.map((phrase) => [phrase, true] as const));
    this.#namesOfCodes = new Set([...vocabulary.list('code'), ...vocabulary.list('before a place')]);
    this.#namesOfEmails = new Set(vocabulary.list('email'));
    const between = vocabulary.list('between pieces');
    this.#betweenPieces = indexPhrases(between.map((phrase) => [phrase, true] as const));
    const small = ['small', 'polite', 'words of phone'];
    this.#small = new Set(small.flatMap((list) => vocabulary.list(list)));
    this.#smallSpelt = new Set(small.flatMap((list) => vocabulary.written(list)));
    this.#counters = new Set(vocabulary.list('counters'));
  }

  /** "Oh-nine-oh-eight": the digits of a word that has several; any other word as it is. */
  splitDigits(word: string): readonly string[] {
    const pieces = word.split(/[-.]/);
    const isDigit = (piece: string) =>
      this.#digits.has(fold(piece)) || this.#times.has(fold(piece)) || /^\d+$/.test(piece);
    return pieces.length > 1 && pieces.every(isDigit) && /\p{L}/u.test(word) ? pieces : [word];
  }

  /** Phones whose digits are words, at least some of them: "không chín một 234 double five 78". */
  findPhones(line: SpokenLine): readonly SpokenMatch<Phone>[] {
    const units = this.#digitsOf(line, 0, line.tokens.length);
    const found: SpokenMatch<Phone>[] = [];
    for (let from = 0, starts = 0; from < units.length && starts < MAX_STARTS; from++) {
      const run = runAt(units, from);
      if (countWords(run) < MIN_DIGIT_WORDS) continue;
      starts++;
      const phone = longestPhone(run);
      const first = run[0];
      const last = run[(phone?.count ?? 0) - 1];
      if (!phone || !first || !last) continue;
      found.push({ result: phone.result, tokens: line.tokens.slice(first.from, last.to) });
      from += phone.count - 1;
    }
    return found;
  }

  /**
   * Codes whose beginning stands apart: "TIVI 000 000 314", "tủ lạnh số 000000315", digits in words, too. A
   * guess has a blank behind the beginning. What is not free belongs to another value.
   */
  findCodes(
    { tokens, words }: SpokenLine,
    beginnings: readonly string[],
    isFree: (token: Token) => boolean,
  ): readonly SpokenMatch<string>[] {
    const found: SpokenMatch<string>[] = [];
    // What is taken already ends a number.
    const free = {
      tokens: tokens.map((token) => (isFree(token) ? token : NOTHING)),
      words: tokens.map((token, at) => (isFree(token) ? (words[at] ?? '') : '')),
    };
    for (let from = 0; from < tokens.length; from++) {
      const name = beginningAt(free, from, beginnings);
      if (!name) continue;
      const isNamed = this.#namesOfCodes.has(free.words[name.to] ?? '');
      const to = isNamed ? name.to + 1 : name.to;
      const number = this.#numberAt(free, to) ?? this.#numberAt(free, this.#lengthAt(free, to));
      if (!number) continue;
      const isSure = name.isExact && number.isSure && !this.#counters.has(words[number.to] ?? '');
      const code = isSure ? number.text.replaceAll(' ', '') : ` ${number.text}`;
      found.push({ result: `${name.beginning}${code}`, tokens: tokens.slice(from, number.to) });
      from = number.to - 1;
    }
    return found;
  }

  /** Codes of which only the number is repeated: "TIVI000000314, 000000315". */
  findNumbers(
    { tokens }: SpokenLine,
    beginnings: readonly string[],
    isFree: (token: Token) => boolean,
  ): readonly SpokenMatch<string>[] {
    let before: { readonly beginning: string; readonly digits: number; readonly at: number } | undefined;
    return tokens.flatMap((token, at): SpokenMatch<string>[] => {
      const { text } = token;
      const beginning = beginnings.find((one) => hasBeginning(text, [one]));
      if (beginning) before = { beginning, digits: text.length - beginning.length, at };
      const isNext = before !== undefined && at > before.at && at <= before.at + 2;
      if (!before || !isNext || !/^\d{6,}$/.test(text) || text.length !== before.digits || !isFree(token))
        return [];
      before = { ...before, at };
      return [{ result: `${before.beginning} ${text}`, tokens: [token] }];
    });
  }

  /** E-mails in words, or with blanks or commas inside: "lan a còng gmail chấm com", "lan @ gmail,com". */
  findEmails(line: SpokenLine): readonly SpokenMatch<SpokenEmail>[] {
    const { tokens, words } = line;
    const found: SpokenMatch<SpokenEmail>[] = [];
    let done = 0;
    for (let at = 0; at < tokens.length; at++) {
      const text = tokens[at]?.text ?? '';
      const sign = phraseAt(this.#signs, words, at)?.to;
      const [name = '', host = '', ...more] = text.split('@');
      const isTyped = text.includes('@') && more.length === 0;
      if (sign === undefined && !isTyped) continue;
      const place = { at: isTyped && name !== '' ? at + 1 : at, done };
      const local = this.#nameBefore(line, place) ?? this.#localBefore(line, place);
      const domain = this.#domainAt(line, { at: sign ?? at + 1, host });
      if (!local || !domain || (sign !== undefined && !domain.isSure)) continue;
      const email = parseEmail(`${local.text}@${domain.text}`);
      if (!email.ok) continue;
      const value = email.suggestion ?? email.value;
      // One word at a usual provider has one reading, if it is all, or has a sign or marks of an address.
      const isWord = local.from === place.at - 1 && local.text === tokens[local.from]?.text.split('@')[0];
      const isAll = local.from === 0 && domain.to === tokens.length;
      const isPlain = isWord && (sign === undefined || isAll || /[._\d]/.test(local.text));
      const isGuess = !isPlain || !isUsualDomain(domain.text) || email.suggestion !== undefined;
      found.push({ result: { value, isGuess }, tokens: tokens.slice(local.from, domain.to) });
      done = domain.to;
      at = domain.to - 1;
    }
    return found;
  }

  /** Numbers that are called something else than codes: "đơn hàng DH00012345", "invoice no 99887766". */
  findOthers({ tokens, words }: SpokenLine): readonly Token[] {
    return tokens.flatMap((_, at) => {
      const to = phraseAt(this.#otherNumbers, words, at)?.to;
      if (to === undefined) return [];
      const named = tokens.slice(to, to + MAX_BETWEEN).findIndex(({ text }) => /\d{3}/.test(text));
      return tokens.slice(to + named, to + named + 1).filter(() => named >= 0);
    });
  }

  /** The last digits of a value that stands, which the text corrects: "331 ở cuối", "ends with 331". */
  findTail(line: SpokenLine): string | undefined {
    for (let at = 0; at < line.words.length; at++) {
      const found = phraseAt(this.#tails, line.words, at);
      if (found) return found.value === 'before' ? this.#tailAt(line, found.to) : this.#tailUntil(line, at);
    }
    return undefined;
  }

  #tailAt(line: SpokenLine, from: number): string | undefined {
    let digits = '';
    for (let at = from; digits.length < MAX_TAIL; ) {
      const unit = this.#digitsAt(line, at);
      if (!unit) break;
      digits += unit.digits;
      at = unit.to;
    }
    return isTail(digits) ? digits : undefined;
  }

  /** The digits right before a place: as many units as there are, at most `MAX_TAIL`. */
  #tailUntil(line: SpokenLine, to: number): string | undefined {
    const units = this.#digitsOf(line, Math.max(0, to - MAX_TAIL), to);
    let digits = '';
    let from = to;
    for (const unit of [...units].reverse()) {
      if (unit.to !== from) break;
      digits = unit.digits + digits;
      from = unit.from;
    }
    return isTail(digits) ? digits : undefined;
  }

  /**
   * A name in several words before the sign, where the text or "email" begins with it: "hoa nguyen 1972",
   * "thanh truc chín hai".
   */
  #nameBefore(
    { tokens, words }: SpokenLine,
    { at, done }: { readonly at: number; readonly done: number },
  ): { readonly text: string; readonly from: number } | undefined {
    let from = at;
    while (from > 0 && at - from <= MAX_NAME_WORDS && !this.#namesOfEmails.has(words[from - 1] ?? '')) from--;
    const name = tokens.slice(from, at);
    if (from < done || name.length < 2 || name.length > MAX_NAME_WORDS) return undefined;
    const pieces = name.map(({ text }) => unmark(text));
    const hasMarks = tokens.some((token) => !isAscii(token.text));
    // "Lan" is a name and no "lần" in a text with marks.
    const isSmall = (at: number) =>
      hasMarks
        ? this.#smallSpelt.has(tokens[at]?.text.normalize('NFC').toLowerCase() ?? '')
        : this.#small.has(words[at] ?? '');
    const isName = pieces.every((piece, i) => /^[a-z0-9]+$/.test(piece) && !isSmall(from + i));
    const isMarked = name.some((_, i) => phraseAt(this.#marks, words, from + i) !== undefined);
    if (!isName || isMarked || name.some(({ pause }, i) => pause && i > 0)) return undefined;
    const digits = name.map((_, i) => numberOf(this.#digits, { tokens, words }, from + i));
    const first = digits.lastIndexOf(undefined) + 1;
    // "Nam" without marks is a name, not five.
    const areDigits = first > 0 && name.slice(first).some(({ text }) => !isAscii(text));
    const text = pieces.map((piece, i) => (areDigits && i >= first ? digits[i] : piece)).join('');
    return { text, from };
  }

  /** The part of an address before its sign, read backwards: "lan chấm nguyen 90". */
  #localBefore(
    { tokens, words }: SpokenLine,
    { at, done }: { readonly at: number; readonly done: number },
  ): { readonly text: string; readonly from: number } | undefined {
    let text = '';
    let from = at;
    for (let pieces = 0; from > done && pieces < MAX_PIECES; pieces++) {
      const typed = tokens[from - 1]?.text.split('@')[0] ?? '';
      const piece = unmark(typed);
      if (!NAME.test(piece) || this.#namesOfEmails.has(piece)) break;
      const isNumber = /^\d/.test(text) && /[a-z]$/.test(piece);
      if (text !== '' && !/^[._-]/.test(text) && !isNumber) break;
      text = piece + text;
      from--;
      const mark = this.#markBefore(words, from);
      if (mark) [text, from] = [mark.text + text, mark.from];
      else if (tokens[from]?.pause) break;
    }
    return text === '' || /^[._-]/.test(text) ? undefined : { text, from };
  }

  #markBefore(words: readonly string[], to: number) {
    for (const from of [to - 2, to - 1]) {
      const mark = from < 0 ? undefined : phraseAt(this.#marks, words, from);
      if (mark?.to === to) return { text: mark.value, from };
    }
    return undefined;
  }

  /** The part of an address behind its sign. `isSure`: a usual domain, or a mark that is said in words. */
  #domainAt(
    { tokens, words }: SpokenLine,
    { at, host }: { readonly at: number; readonly host: string },
  ): { readonly text: string; readonly to: number; readonly isSure: boolean } | undefined {
    const name = host === '' ? phraseAt(this.#hosts, words, at) : undefined;
    let [text, to] =
      host === '' ? [name?.value ?? unmark(tokens[at]?.text ?? ''), name?.to ?? at + 1] : [unmark(host), at];
    let isSaid = false;
    for (let pieces = 0; pieces < MAX_PIECES; pieces++) {
      const mark = phraseAt(this.#marks, words, to);
      const end = words[mark?.to ?? to] ?? '';
      if (!NAME.test(end) || !(mark || (this.#ends.has(end) && !text.endsWith(`.${end}`)))) break;
      text += (mark?.value ?? '.') + end;
      to = (mark?.to ?? to) + 1;
      isSaid ||= mark !== undefined;
    }
    const domain = completeDomain(text);
    return domain === undefined ? undefined : { text: domain, to, isSure: isSaid || isUsualDomain(domain) };
  }

  /** The digits behind the beginning of a code, with the blanks between them. */
  #numberAt(line: SpokenLine, at: number): CodeNumber | undefined {
    let text = '';
    let count = 0;
    let to = at;
    let isSpoken = false;
    let isPlain = true;
    while (count < MAX_CODE_DIGITS) {
      // "TIVI - 000 - 000", "TIVI rồi sáu số không".
      const isDash = DASH.test(line.tokens[to]?.text ?? '');
      const from = isDash ? to + 1 : (phraseAt(this.#betweenPieces, line.words, to)?.to ?? to);
      const unit = this.#codePieceAt(line, from);
      const isNext = line.tokens[to]?.pause === true && to > at && count >= SURE_LENGTH;
      if (!unit || isNext) break;
      text += text === '' || (isSpoken && unit.isWord) ? unit.digits : ` ${unit.digits}`;
      count += unit.digits.length;
      to = unit.to;
      isSpoken = unit.isWord;
      isPlain &&= unit.isPlain;
      if (unit.digits.length >= WHOLE_NUMBER) break;
    }
    const isSure = isPlain && /^(?:\d{2,}(?: \d{2,})*|\d(?: \d)*)$/.test(text);
    return count >= SURE_LENGTH && /\d/.test(text) ? { text, to, isSure } : undefined;
  }

  /** The place behind words that say how long a number is: "chín số, 000000953". */
  #lengthAt(line: SpokenLine, at: number): number {
    const isLength = /^\d+$/.test(line.words[at] ?? '') || numberOf(this.#digits, line, at) !== undefined;
    return isLength && numberOf(this.#repeats, line, at + 1) !== undefined ? at + 2 : at;
  }

  #codePieceAt(line: SpokenLine, at: number): Digits | undefined {
    const { text } = line.tokens[at] ?? NOTHING;
    if (CODE_PIECE.test(text) && text !== 'I' && text !== 'l')
      return isDate(text)
        ? undefined
        : { from: at, to: at + 1, digits: text, isWord: false, isPlain: /^\d+$/.test(text) };
    return this.#digitsAt(line, at);
  }

  #digitsOf(line: SpokenLine, from: number, to: number): readonly Digits[] {
    const units: Digits[] = [];
    for (let at = from; at < to; ) {
      const unit = this.#digitsAt(line, at);
      if (unit) units.push(unit);
      at = unit?.to ?? at + 1;
    }
    return units;
  }

  #digitsAt(line: SpokenLine, at: number): Digits | undefined {
    const { tokens } = line;
    const times = numberOf(this.#times, line, at);
    const doubled = times === undefined ? undefined : this.#digitAt(line, at + 1);
    if (doubled !== undefined)
      return { from: at, to: at + 2, digits: doubled.repeat(times ?? 1), isWord: true, isPlain: false };
    const many = this.#hundredsAt(line, at) ?? this.#tensAt(line, at);
    if (many) return many;
    const digit = numberOf(this.#digits, line, at);
    // "Ba con tám" is 888.
    const isCount =
      digit !== undefined && digit > 1 && digit < 10 && numberOf(this.#repeats, line, at + 1) !== undefined;
    const repeated = isCount && !tokens[at + 2]?.pause ? this.#digitAt(line, at + 2) : undefined;
    if (repeated !== undefined)
      return { from: at, to: at + 3, digits: repeated.repeat(digit ?? 1), isWord: true, isPlain: false };
    if (digit !== undefined)
      return { from: at, to: at + 1, digits: String(digit), isWord: true, isPlain: digit < 10 };
    const typed = tokens[at]?.text ?? '';
    if (!/\d/.test(typed) || !NUMERIC.test(typed) || isDate(typed)) return undefined;
    const digits = typed.replace(/[^\doO+]/g, '').replace(/[oO]/g, '0');
    return { from: at, to: at + 1, digits, isWord: false, isPlain: true };
  }

  /** "Năm trăm linh ba", "chín trăm mười hai", "five hundred and three"; alone two zeros: "năm trăm". */
  #hundredsAt(line: SpokenLine, at: number): Digits | undefined {
    const first = numberOf(this.#digits, line, at);
    if (first === undefined || first === 0 || first > 9) return undefined;
    if (numberOf(this.#afterHundreds, line, at + 1) === undefined) return undefined;
    const behind = at + 2;
    const isJoined = numberOf(this.#beforeUnits, line, behind) !== undefined;
    const tens = this.#tensAt(line, isJoined ? behind + 1 : behind);
    if (tens) return { ...tens, from: at, digits: `${first}${tens.digits}` };
    // Two more digits: "năm trăm linh ba" and, in short, "năm trăm bốn lăm".
    const ten = isJoined ? '0' : this.#digitAt(line, behind);
    const unit = this.#digitAt(line, behind + 1);
    const isWhole = ten?.length === 1 && unit?.length === 1;
    const digits = `${first}${isWhole ? ten + unit : '00'}`;
    return { from: at, to: isWhole ? behind + 2 : behind, digits, isWord: true, isPlain: false };
  }

  /** "Chín mươi hai", "mười hai", "twenty three"; without a digit behind it a zero: "chín mươi". */
  #tensAt(line: SpokenLine, at: number): Digits | undefined {
    const ten = numberOf(this.#tens, line, at);
    const isTens = numberOf(this.#afterTens, line, at + 1) !== undefined;
    const first = ten ?? (isTens ? numberOf(this.#digits, line, at) : undefined);
    if (first === undefined || first > 9) return undefined;
    const from = ten === undefined ? at + 2 : at + 1;
    const second = this.#digitAt(line, from);
    const isDigit = second !== undefined && second !== '0' && second.length === 1;
    return {
      from: at,
      to: isDigit ? from + 1 : from,
      digits: `${first}${isDigit ? second : 0}`,
      isWord: true,
      isPlain: false,
    };
  }

  #digitAt(line: SpokenLine, at: number): string | undefined {
    const digit = numberOf(this.#digits, line, at);
    return digit === undefined ? /^\d$/.exec(line.words[at] ?? '')?.[0] : String(digit);
  }
}

const NOTHING: Token = { text: '', pause: true };

const readPairs = (vocabulary: Vocabulary, list: string): PhraseIndex<string> =>
  indexPhrases([...vocabulary.pairs(list)].map(([phrase, text]) => [fold(phrase), text] as const));

/** Numbers by their words as they are compared, each with its spellings; words without a number are 0. */
type Numbers = ReadonlyMap<string, readonly { readonly spelt: string; readonly number: number }[]>;

function readNumbers(vocabulary: Vocabulary, list: string): Numbers {
  const numbers = [...vocabulary.pairs(list)].map(([word, number]) => ({
    spelt: word.toLowerCase(),
    number: Number(number) || 0,
  }));
  return Map.groupBy(numbers, ({ spelt }) => fold(spelt));
}

/** The number that a word stands for. A word with marks must be spelt so: "bay" may be 7, "bây" is none. */
function numberOf(numbers: Numbers, { tokens, words }: SpokenLine, at: number): number | undefined {
  const found = numbers.get(words[at] ?? '');
  const typed = tokens[at]?.text;
  if (!found || typed === undefined) return undefined;
  if (isAscii(typed)) return found[0]?.number;
  const spelt = typed.normalize('NFC').toLowerCase();
  return found.find((candidate) => candidate.spelt === spelt)?.number;
}

const isTail = (digits: string): boolean => /^\d{2,6}$/.test(digits);

/** The units from a place on that stand side by side. */
function runAt(units: readonly Digits[], from: number): readonly Digits[] {
  let to = from + 1;
  while (to < units.length && to - from < MAX_PIECES && units[to]?.from === units[to - 1]?.to) to++;
  return units.slice(from, to);
}

const countWords = (units: readonly Digits[]): number =>
  units.reduce((words, { isWord, from, to }) => words + (isWord ? to - from : 0), 0);

function longestPhone(
  run: readonly Digits[],
): { readonly result: Phone; readonly count: number } | undefined {
  for (let count = run.length; count >= MIN_DIGIT_WORDS; count--) {
    const some = run.slice(0, count);
    const digits = some.map((unit) => unit.digits).join('');
    if (digits.length < 9 || digits.length > 14 || !PHONE_START.test(digits)) continue;
    if (countWords(some) < MIN_DIGIT_WORDS) return undefined;
    const phone = parsePhone(digits);
    if (!phone.ok) continue;
    // A whole number, digit by digit, has one reading.
    const isSure = phone.ask === undefined && count === run.length && some.every(({ isPlain }) => isPlain);
    const ask = phone.ask === 'mapped' ? phone.ask : 'spoken';
    return { result: isSure ? phone : { ...phone, ask }, count };
  }
  return undefined;
}

/** A beginning has at most this many words: "máy giặt", "T I V I". */
const MAX_NAME = 8;

/** The beginning of codes that words make up: "TIVI", "tủ lạnh". None is known: capitals, a guess. */
function beginningAt(
  { tokens, words }: SpokenLine,
  from: number,
  beginnings: readonly string[],
): { readonly beginning: string; readonly to: number; readonly isExact: boolean } | undefined {
  if (beginnings.length === 0) {
    const beginning = tokens[from]?.text ?? '';
    return /^[A-Z]{3,12}$/.test(beginning) ? { beginning, to: from + 1, isExact: false } : undefined;
  }
  const longest = Math.max(...beginnings.map(({ length }) => length));
  let joined = '';
  for (let to = from; to < from + MAX_NAME && joined.length < longest; to++) {
    const word = words[to] ?? '';
    if (word === '' || (tokens[to]?.pause && to > from)) return undefined;
    joined += word.replaceAll(' ', '');
    const beginning = joined.length > longest ? undefined : findBeginning(joined, beginnings);
    if (beginning !== undefined)
      return { beginning, to: to + 1, isExact: joined.toUpperCase() === beginning.toUpperCase() };
  }
  return undefined;
}
