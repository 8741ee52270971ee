import type { Expecting, FieldName, Reading, SlotKind } from '../commands.ts';
import { dayAt } from '../values/calendar.ts';
import {
  type CodeResult,
  hasBeginning,
  isSureCode,
  parseCode,
  referenceIn,
  SURE_LENGTH,
  splitCodes,
  toPrinted,
  withLinksRead,
} from '../values/code.ts';
import { type EmailResult, findEmails, findPhones, type Phone } from '../values/contact.ts';
import {
  actOf,
  beginsFlow,
  declines,
  isIn,
  isPaused,
  isSign,
  type Part,
  PERIOD,
  type PhraseBook,
  VALUE,
  type Value,
  type Word,
} from './lists.ts';
import { findGifts, findPlaces } from './named.ts';
import { type Calendar, createCalendar, findPeriod, isTimeWord, type ParsedPeriod } from './period.ts';
import { type SpokenLine, SpokenValues, toSpokenLine } from './spoken.ts';
import { fold, type Token, tokenize, undoTyping, unmark, visible } from './tokens.ts';

/*
 * Step 2: the values of a text. One grammar for every place: the same spans are found whatever is asked. A
 * value has at most one sign of its own, by the words next to it: "not the one ending in 87".
 */

/** `denied`: not meant. `corrects`: takes the place of another one. `only`: the others go. `more`: added. */
export type Sign = 'denied' | 'corrects' | 'only' | 'more';

export type Mention = { readonly value: Value; readonly sign: Sign | undefined };

/** A text with its values. */
export type Values = {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** The act of its slash command: `start redeem`. */
  readonly command?: string | undefined;
  /** Its words; each value is one, and so is a period. */
  readonly words: readonly Word[];
  /** The same, cut into the phrases of the lists. */
  readonly parts: readonly Part[];
  readonly mentions: readonly Mention[];
  readonly period?: ParsedPeriod | undefined;
  /** The right last digits of a value that stands: "331 ở cuối". */
  readonly tail?: string | undefined;
  /** A word of the shape that operation ids have. It may be a code as well. */
  readonly reference?: string | undefined;
  /** Which history its words name. */
  readonly type?: 'point' | 'gift' | 'both' | undefined;
  /** The words, as typed, that nothing explains. */
  readonly rest: readonly string[];
};

/** What the reader of values knows of a flow. */
export type SpokenFlow = {
  readonly name: string;
  /** If a message matches several flows, the highest priority wins. */
  readonly priority: number;
  readonly identity: 'typed' | 'proved';
  readonly slots: readonly SlotKind[];
  /** The history that its words mean; `vague`: unless the other one is named. */
  readonly list?: { readonly type: 'point' | 'gift'; readonly vague?: true } | undefined;
};

const hasPlaces = ({ codes, kind }: Expecting): boolean => codes.length > 0 || kind === 'gift';

export const says = ({ parts }: Pick<Values, 'parts'>, ...lists: readonly string[]): boolean =>
  parts.some((part) => isIn(part, ...lists));

const BROUGHT: ReadonlySet<Value['kind']> = new Set(['code', 'phone', 'email', 'mangled']);
/** Whether the text has a value: then it is no bare yes, no or greeting. */
export const bringsValue = ({ mentions }: Pick<Values, 'mentions'>): boolean =>
  mentions.some(({ value }) => BROUGHT.has(value.kind));

/** The value that the text calls by its name ("mã", "số điện thoại"); the first one. */
export function fieldIn({ parts }: Pick<Values, 'parts'>, isVague = false): FieldName | undefined {
  const fields = ['code', 'phone', 'email'] as const;
  const named = parts.flatMap((part) => fields.find((field) => isIn(part, field)) ?? []);
  return named[0] ?? (isVague && says({ parts }, 'words of phone') ? 'phone' : undefined);
}

const fieldOf = (part: Part): FieldName | undefined =>
  (['code', 'phone', 'email'] as const).find((field) => isIn(part, field));

/** Whether the text says that the customer has no e-mail: "email không có". "Không đổi email" does not. */
export function lacksEmail({ parts, mentions }: Pick<Values, 'parts' | 'mentions'>): boolean {
  if (mentions.some(({ value }) => value.kind === 'email')) return false;
  const telling = parts.filter((part) => part.value || !part.phrase || part.phrase.act || fieldOf(part));
  const isGone = (part: Part | undefined) =>
    part !== undefined &&
    (declines(part) || actOf(part) === 'remove') &&
    !isIn(part, 'faults', 'code', 'phone');
  return telling.some((part, at) => {
    if (fieldOf(part) !== 'email') return false;
    // "Khỏi lấy mail": the line names the e-mail itself.
    if (actOf(part) === 'none') return true;
    const isLast = at === telling.length - 2;
    const behind = telling[at + 1];
    return (
      (actOf(part) === '' && isGone(telling[at - 1])) ||
      (isLast && isGone(behind) && behind !== undefined && fieldOf(behind) === undefined)
    );
  });
}

export class ValueReader {
  readonly book: PhraseBook;
  readonly linkNames: ReadonlySet<string>;
  readonly commands: ReadonlyMap<string, string>;
  readonly #calendar: Calendar;
  readonly #spoken: SpokenValues;
  readonly #flows: ReadonlyMap<string, SpokenFlow>;
  readonly #phoneLabel: RegExp;
  readonly #amount: RegExp;
  /** "(at)" in an address. */
  readonly #bracketed: RegExp;
  readonly #signs: ReadonlyMap<string, string>;
  readonly #namesOfCodes: ReadonlySet<string>;

  constructor(book: PhraseBook, flows: readonly SpokenFlow[], commands: ReadonlyMap<string, string>) {
    const { vocabulary } = book;
    this.book = book;
    this.linkNames = new Set(vocabulary.list('link parameters'));
    this.#calendar = createCalendar(vocabulary);
    this.#spoken = new SpokenValues(vocabulary);
    this.commands = commands;
    this.#flows = new Map(flows.map((flow) => [`start ${flow.name}`, flow]));
    const labels = [...vocabulary.written('phone labels'), ...vocabulary.list('phone labels')];
    this.#phoneLabel = new RegExp(`^(?:${labels.join('|') || '(?!)'})\\.?(?=\\+?\\d)`, 'iu');
    this.#amount = new RegExp(`^\\d+(?:${vocabulary.written('amount endings').map(fold).join('|')})?$`, 'i');
    const signs = vocabulary.written('mail sign').map(RegExp.escape).join('|') || '(?!)';
    this.#bracketed = new RegExp(`[([](?:${signs})[)\\]]`, 'giu');
    this.#signs = vocabulary.pairs('signs');
    this.#namesOfCodes = new Set(vocabulary.list('code'));
  }

  /** Codes and gifts of the question may be named by their places. */
  read(typed: string, expecting: Expecting, { settings, nowMs }: Reading): Values {
    const text = visible(typed);
    const all = this.#tokensOf(text, settings.codePrefixes);
    const name = /^\/(\w+)(?:@\w+)?$/.exec(all[0]?.text ?? '')?.[1]?.toLowerCase() ?? '';
    const command = this.commands.get(name);
    const tokens = command ? all.slice(1) : all;
    const { values, left } = this.#valuesOf(tokens, settings.codePrefixes);
    const named = findGifts(this.book.wordsOf(left, values), settings.gifts, this.book);
    const words = hasPlaces(expecting) ? this.#withPlaces(named, expecting.codes) : named;
    const { period, others } = this.#findPeriod(words, dayAt(nowMs, settings.timeZone));
    const timed = new Set(words).difference(new Set(others));
    const timeless = named.filter((word) => !timed.has(word));
    const parts = this.#withAnnounced(this.book.partsOf(others), command);
    const announced = new Map(
      parts.flatMap(({ value, words: [word] }) =>
        value && word ? [[word, { ...word, value }] as const] : [],
      ),
    );
    const unknown = unexplainedIn(parts).flatMap(({ words: some }) => some.map(({ source }) => source));
    return {
      text,
      tokens,
      command,
      words: withPeriodAsOne(named, timeless).map((word) => announced.get(word) ?? word),
      parts,
      mentions: mentionsIn(parts),
      period,
      tail: this.#spoken.findTail(toSpokenLine(tokens)),
      reference: referenceIn(tokens.map((token) => token.text)),
      type: this.#typeIn(parts),
      rest: [...new Set(unknown)].map((token) => token.text),
    };
  }

  /** The tokens of a text: links are read, "👍" is "ok". */
  #tokensOf(text: string, beginnings: readonly string[]): Token[] {
    let seen = withLinksRead(text, this.linkNames).replace(/[\u{1F3FB}-\u{1F3FF}]/gu, '');
    if (/[([]/.test(seen)) seen = seen.replace(this.#bracketed, ' @ ');
    // "Email:lan@example.vn(mail trường)".
    if (seen.includes('@')) seen = seen.replace(/[:;()<>"]/g, ' ');
    for (const [sign, words] of this.#signs)
      if (seen.includes(sign)) seen = seen.replaceAll(sign, ` ${words} `);
    return tokenize(seen).flatMap((token) =>
      splitCodes(token.text, beginnings)
        .flatMap((part) => this.#spoken.splitDigits(part))
        .map((part) => ({ ...token, text: part })),
    );
  }

  /** The tokens that are values, by their shape or as people say them. Of several the first is kept. */
  #valuesOf(tokens: readonly Token[], beginnings: readonly string[]) {
    const values = new Map<Token, Value>();
    const gone = new Set<Token>();
    const isFree = (token: Token) => !values.has(token) && !gone.has(token);
    const take = <Result>(
      matches: readonly { readonly result: Result; readonly tokens: readonly Token[] }[],
      toValue: (result: Result) => Value,
    ) => {
      for (const { result, tokens: some } of matches) {
        const [first, ...others] = some;
        if (!first || !some.every(isFree)) continue;
        values.set(first, toValue(result));
        for (const token of others) gone.add(token);
      }
    };
    const line = toSpokenLine(tokens);
    const toPhone = (phone: Phone): Value => ({ kind: 'phone', phone });
    const toEmail = (email: EmailResult): Value => ({ kind: 'email', email });
    const toCode = (code: string): Value => ({ kind: 'code', code });
    take(findEmails(tokens), toEmail);
    take(this.#spoken.findEmails(line), ({ value, isGuess }) =>
      toEmail({ ok: true, value, ...(isGuess && { isGuess }) }),
    );
    const phones = findPhones(tokens.filter(isFree), this.#phoneLabel);
    take(
      phones.filter(({ result }) => !result.ask),
      toPhone,
    );
    take(this.#spoken.findPhones(line), toPhone);
    take(this.#spoken.findCodes(line, beginnings, isFree), toCode);
    take(this.#spoken.findNumbers(line, beginnings, isFree), toCode);
    take(phones, toPhone);
    const others = this.#othersIn(line, beginnings);
    for (const token of tokens.filter((one) => isFree(one) && !one.text.startsWith('@'))) {
      if (others.has(token)) values.set(token, { kind: 'other', text: token.text });
      else if (this.isCode(token.text)) values.set(token, toCode(toPrinted(token.text, beginnings)));
      else if (this.#isMangled(token.text)) values.set(token, toMangled(token.text, beginnings));
    }
    const isMention = (token: Token) => isFree(token) && token.text.startsWith('@');
    return { values, left: tokens.filter((token) => !gone.has(token) && !isMention(token)) };
  }

  /**
   * Numbers that are no codes: codes have known beginnings, and these are called otherwise, or stand next to
   * codes that have one. A receipt is full of them.
   */
  #othersIn(line: SpokenLine, beginnings: readonly string[]): ReadonlySet<Token> {
    if (beginnings.length === 0) return new Set();
    const { tokens } = line;
    const isKnown = ({ text }: Token) => hasBeginning(text, beginnings);
    const others = this.#spoken.findOthers(line).filter((token) => !isKnown(token));
    const isBeside = tokens.some((token) => this.isCode(token.text) && isKnown(token));
    const isNumber = ({ text }: Token) => this.isCode(text) || /^\d{6,}$/.test(text);
    return new Set([
      ...others,
      ...(isBeside ? tokens.filter((token) => isNumber(token) && !isKnown(token)) : []),
    ]);
  }

  #findPeriod(words: readonly Word[], today: number): ReturnType<typeof findPeriod> {
    const timed = findPeriod(this.#calendar, words, today);
    return this.#isWithin(words, timed.others) ? { others: words } : timed;
  }

  /** The words of an example line, as those of a text are. */
  readonly wordsOf = (line: string): readonly Word[] => {
    const words = this.book.wordsOf(tokenize(visible(line)));
    return withPeriodAsOne(words, this.#findPeriod(words, 0).others);
  };

  /** Whether words of time belong to a longer phrase: "everything is right". */
  #isWithin(words: readonly Word[], others: readonly Word[]): boolean {
    if (others.length === words.length) return false;
    const isOther = (word: Word) => others.includes(word);
    return this.book.partsOf(words).some((part) => {
      const isCommand = actOf(part) !== '' && !beginsFlow(part);
      return isCommand && part.words.some(isOther) && !part.words.every(isOther);
    });
  }

  /** The words; names of places and ends of listed codes become values. */
  #withPlaces(words: readonly Word[], codes: readonly string[]): readonly Word[] {
    const placed = findPlaces(words, this.book.vocabulary);
    const isEnd = (typed: string) => codes.some((code) => code.toUpperCase().endsWith(typed.toUpperCase()));
    return placed.map((word, at): Word => {
      const typed = word.source.text;
      const isNamed = this.#namesOfCodes.has(placed[at - 1]?.text ?? '');
      if (word.value || !/^(?=.*\d)[\w.-]{3,}$/.test(typed) || !(isNamed || isEnd(typed))) return word;
      return { ...word, text: VALUE, value: { kind: 'end', end: typed } };
    });
  }

  /** A word with a digit right after "tích điểm" or "mã" is a code; an amount ("đổi 1000 điểm") is not. */
  #withAnnounced(parts: readonly Part[], command: string | undefined): readonly Part[] {
    if (parts.some(({ value }) => value?.kind === 'code')) return parts;
    const found = parts.findIndex((part, at) => {
      const code = part.words[0]?.source.text ?? '';
      const before = parts[at - 1];
      const isNext = this.#takesCode(before ? actOf(before) : command) || (before && isIn(before, 'code'));
      return isUnknown(part) && isNext && this.#isAnnounced(code);
    });
    const [word] = parts[found]?.words ?? [];
    if (!word) return parts;
    return parts.with(found, { words: [word], value: { kind: 'code', code: word.source.text } });
  }

  #isAnnounced(text: string): boolean {
    if (!/\d/.test(text) || !parseCode(text).ok || this.#isWord(text)) return false;
    return !/^\d+(?:[._-]\d+)+$/.test(text) && (!this.#amount.test(text) || text.length >= SURE_LENGTH);
  }

  /* Codes are opaque: only their shape, the vocabulary and dates tell them from words. */

  isCode(text: string): boolean {
    return isSureCode(text) && !this.#isWord(text);
  }

  readCode(text: string): CodeResult {
    const isTime = /^20\d\d$/.test(text.trim()) || isTimeWord(this.#calendar, text.trim());
    return isTime || this.book.isPhrase(text) ? { ok: false, reason: 'code.shape' } : parseCode(text);
  }

  /** "d9ie6m3" is a word typed in VNI, which has no zero, and "30ngay" speaks of time. */
  #isWord(text: string): boolean {
    const word = text.includes('0') ? text : undoTyping(text);
    return (!/\d/.test(word) && this.book.known.has(word)) || isTimeWord(this.#calendar, text);
  }

  #isMangled(text: string): boolean {
    if (text.length < SURE_LENGTH || !/\d/.test(text)) return false;
    const result = parseCode(text);
    // "12.500.000đ".
    if (this.#amount.test(unmark(text.replace(/[.,]/g, '')))) return false;
    return !result.ok && result.reason === 'code.vietnamese' && !this.#isWord(text);
  }

  #takesCode(act = ''): boolean {
    return this.#flows.get(act)?.slots.some((slot) => slot === 'codes' || slot === 'gift') ?? false;
  }

  /** The history that the phrases name. */
  #typeIn(parts: readonly Part[]): Values['type'] {
    const listOf = (part: Part) => this.#flows.get(actOf(part))?.list;
    const named = parts.flatMap((part) => {
      if (isIn(part, 'points list')) return 'point';
      if (isIn(part, 'gifts list')) return 'gift';
      return (!listOf(part)?.vague && listOf(part)?.type) || [];
    });
    const [only, ...more] = new Set(named);
    const [type, ...types] = new Set(parts.flatMap((part) => listOf(part)?.type ?? []));
    return only !== undefined && more.length === 0 ? only : types.length > 0 ? 'both' : type;
  }
}

/* Signs: one generic reading of the words next to a value. */

const LISTS: readonly (readonly [Sign, readonly string[]])[] = [
  ['denied', ['codes drop', 'stops', 'declines', 'before what is not meant']],
  ['corrects', ['codes replace']],
  ['more', ['codes add']],
  ['only', ['codes only']],
];
/** What may stand between a value and its sign. */
const QUIET = [
  'small',
  'polite',
  'code',
  'phone',
  'email',
  'words of phone',
  'gifts',
  'counters',
  'wishes',
  'codes keep',
  'codes join',
  'to',
];
/** At most this many phrases stand between a sign and its value. */
const MOST_BETWEEN = 8;

function signOf(part: Part): Sign | undefined {
  if (actOf(part) === 'remove' || actOf(part) === 'none') return isIn(part, 'email') ? undefined : 'denied';
  return LISTS.find(([, lists]) => isIn(part, ...lists))?.[0];
}

function signBefore(parts: readonly Part[], from: number): Sign | undefined {
  let isVerbPassed = false;
  let isPausePassed = false;
  for (let at = from; at > from - MOST_BETWEEN; at--) {
    const part = parts[at - 1];
    const next = parts[at];
    if (!part || !next) return undefined;
    isPausePassed ||= isPaused(next);
    if (isPaused(next) && !(next.value && part.value)) return undefined;
    // "Bỏ A và B", "bỏ A, B": what stands together has one sign; "bỏ A lấy B" has two.
    if (part.value && isVerbPassed) return undefined;
    if (part.value || isIn(part, 'codes join')) continue;
    // "Không lấy": the verb before a value says which way only without a denial before it.
    const isVerb = isIn(part, 'codes keep', 'wishes');
    isVerbPassed ||= isVerb;
    const sign = isVerb ? undefined : signOf(part);
    // "Bỏ A, B" denies both; "không phải A, B cơ" denies the first.
    if (sign) return isPausePassed && isIn(part, 'stops') ? undefined : sign;
    if (!isIn(part, ...QUIET) && !beginsFlow(part)) return undefined;
  }
  return undefined;
}

/** "TIVI000000302 sai": a fault right behind a value. */
function isFaulty(parts: readonly Part[], at: number): boolean {
  for (const part of parts.slice(at + 1, at + MOST_BETWEEN)) {
    if (part.value || isPaused(part) || isIn(part, 'before what is not meant')) return false;
    // "0912345678, email khỏi" declines the e-mail.
    if (isOfOtherField(part, parts[at]?.value)) return false;
    if (isIn(part, 'faults', 'codes drop')) return true;
    if (!isIn(part, ...QUIET)) return false;
  }
  return false;
}

/** Whether a part names another field than that of the value: what follows is about that one. */
function isOfOtherField(part: Part, value: Value | undefined): boolean {
  const field = fieldOf(part);
  return (
    field !== undefined && ['code', 'phone', 'email'].includes(value?.kind ?? '') && field !== value?.kind
  );
}

function mentionsIn(parts: readonly Part[]): readonly Mention[] {
  return parts.flatMap(({ value }, at): Mention[] => {
    if (!value) return [];
    const before = signBefore(parts, at);
    const sign = before ?? (value.kind !== 'gift' && isFaulty(parts, at) ? 'denied' : undefined);
    return [{ value, sign }];
  });
}

/** The words; those of a period are one: whichever period it is, the text means the same. */
function withPeriodAsOne(words: readonly Word[], others: readonly Word[]): readonly Word[] {
  if (others.length === words.length) return words;
  const kept = new Set(others);
  const first = words.find((word) => !kept.has(word));
  return words.flatMap((word) => {
    if (kept.has(word)) return word;
    return word === first ? { text: PERIOD, source: word.source } : [];
  });
}

/** "TỦLẠNH000000017": with a known beginning the marks say what was meant, which is a guess. */
function toMangled(text: string, beginnings: readonly string[]): Value {
  const plain = unmark(text.normalize('NFC')).toUpperCase();
  const beginning = beginnings.find((one) => plain.startsWith(one.toUpperCase()));
  const number = beginning === undefined ? '' : plain.slice(beginning.length);
  return /^\d{4,}$/.test(number) ? { kind: 'code', code: `${beginning} ${number}` } : { kind: 'mangled' };
}

function unexplainedIn(parts: readonly Part[]): readonly Part[] {
  const hasValue = parts.some(({ value }) => value);
  // A text that names a place of a list is no bare yes or no.
  const isPlace = ({ value }: Part) => value?.kind === 'place' || value?.kind === 'end';
  return parts.filter((part) => isUnknown(part) || isPlace(part) || (!hasValue && isSign(part)));
}

const isUnknown = ({ phrase, value }: Part): boolean => phrase === undefined && value === undefined;
