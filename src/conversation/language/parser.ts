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
import { type Calendar, createCalendar, findPeriod, isTimeWord, type ParsedPeriod } from './period.ts';
import {
  actOf,
  beginsFlow,
  declines,
  findGifts,
  findPlaces,
  isIn,
  isSign,
  type NamedGift,
  type Part,
  PERIOD,
  type PhraseBook,
  VALUE,
  type Value,
  type Word,
} from './phrases.ts';
import { findSigns, withoutUnwanted } from './signs.ts';
import { type SpokenLine, SpokenValues, toSpokenLine } from './spoken.ts';
import { fold, PERSONAL, type Token, tokenize, undoTyping, unmark, visible } from './tokenizer.ts';
import { indexPhrases, type PhraseIndex, phraseAt, type Vocabulary } from './vocabulary.ts';

export type SpokenFlow = {
  readonly name: string;
  /** If a message matches several flows, the highest priority wins. */
  readonly priority: number;
  readonly identity: 'typed' | 'proved';
  readonly slots: readonly SlotKind[];
  /** The history that its words mean; `vague`: unless the other one is named. */
  readonly list?: { readonly type: 'point' | 'gift'; readonly vague?: true } | undefined;
};

/** A text, parsed once, whatever question it answers. */
export type ParsedText = {
  readonly text: string;
  /** The act of its slash command: `start redeem`. */
  readonly command?: string | undefined;
  /** Its words; values among them. */
  readonly words: readonly Word[];
  readonly parts: readonly Part[];
  readonly codes: readonly string[];
  /** The phones and e-mails that are meant: "B, not A" means B. */
  /** Numbers of orders, invoices and the like. */
  readonly others: readonly string[];
  readonly phones: readonly Phone[];
  readonly emails: readonly EmailResult[];
  /** A Vietnamese keyboard rewrote this value while it was typed; it is not repaired. */
  readonly mangled?: 'codes' | 'email' | undefined;
  readonly period?: ParsedPeriod | undefined;
  /** The right last digits of a value that stands: "331 ở cuối". */
  readonly tail?: string | undefined;
  /** A word of the shape that operation ids have. It may be a code as well. */
  readonly reference?: string | undefined;
  /** Which history its words name. */
  readonly type?: 'point' | 'gift' | 'both' | undefined;
  readonly gifts: readonly NamedGift[];
  /** Names a gift that is not meant: "không lấy loa". */
  readonly deniesGift: boolean;
  readonly deniedGifts: readonly NamedGift[];
  /** The places of a list that it names, from 1; -1 is the last. */
  readonly places: readonly number[];
  /** The words, as typed, that nothing explains. */
  readonly rest: readonly string[];
  /** Says yes and nothing else, in words without a typing error: points depend on it. */
  readonly isYes: boolean;
  /** It asks something, its values aside: "không ba" at the end of a number does not. */
  readonly isQuestion: boolean;
};

const NOWHERE: Expecting = { place: 'nothing', buttons: () => [], codes: [], references: [] };
const hasPlaces = ({ codes, kind }: Expecting): boolean => codes.length > 0 || kind === 'gift';

export const says = ({ parts }: Pick<ParsedText, 'parts'>, ...lists: readonly string[]): boolean =>
  parts.some((part) => isIn(part, ...lists));

/** Whether the text has a value: then it is no bare yes, no or greeting. */
export const bringsValue = ({ codes, phones, emails, mangled }: ParsedText): boolean =>
  codes.length > 0 || phones.length > 0 || emails.length > 0 || mangled !== undefined;

const FIELDS: readonly FieldName[] = ['code', 'phone', 'email'];
const fieldOf = (part: Part): FieldName | undefined => FIELDS.find((field) => isIn(part, field));

/** The value that the text calls by its name ("mã", "số điện thoại"); the first one. */
export const fieldIn = ({ parts }: Pick<ParsedText, 'parts'>): FieldName | undefined =>
  parts.map(fieldOf).find((field) => field !== undefined);

/** Whether the text says that the customer has no e-mail: "email không có". "Không đổi email" does not. */
export function lacksEmail({ parts, emails }: ParsedText): boolean {
  const telling = parts.filter((part) => part.value || !part.phrase || part.phrase.act || fieldOf(part));
  return telling.some((part, at) => {
    const next = telling[at + 1];
    // "Khỏi lấy mail".
    if (actOf(part) === 'none' && isIn(part, 'email')) return emails.length === 0;
    // "Email không có", "and the email, remove it".
    const isLast = at === telling.length - 2;
    const isGone = next !== undefined && (actOf(next) === 'none' || actOf(next) === 'remove');
    if (isLast && isIn(part, 'email') && isGone && !fieldOf(next)) return emails.length === 0;
    const isDeclining = declines(part) && !isIn(part, 'faults', 'code', 'phone');
    return isDeclining && emails.length === 0 && next && fieldOf(next) === 'email' && actOf(next) === '';
  });
}

/** Thanks and a greeting leave a yes as it is. */
const BESIDE_YES: ReadonlySet<string> = new Set(['yes', 'talk thanks', 'talk greeting']);

const MAX_REMEMBERED_TEXTS = 2000;
const MAX_REMEMBERED_LENGTH = 60;

export class Parser {
  readonly book: PhraseBook;
  readonly linkNames: ReadonlySet<string>;
  readonly #calendar: Calendar;
  readonly #spoken: SpokenValues;
  readonly commands: ReadonlyMap<string, string>;
  readonly #flows: ReadonlyMap<string, SpokenFlow>;
  readonly #objections: RegExp;
  readonly #phoneLabel: RegExp;
  readonly #amount: RegExp;
  /** "(at)" in an address. */
  readonly #bracketed: RegExp;
  readonly #signs: ReadonlyMap<string, string>;
  readonly #namesOfCodes: ReadonlySet<string>;
  readonly #yes: ReadonlySet<string>;
  /** Lines of other headings that are made of words that may stand next to a yes. */
  readonly #others: PhraseIndex<true>;
  /** Parsed texts of known words: they contain no personal data. Valid for a day and a list of gifts. */
  readonly #remembered = new Map<string, ParsedText>();
  #rememberedFor: { readonly today: number; readonly gifts: readonly NamedGift[] } = { today: 0, gifts: [] };

  constructor(book: PhraseBook, flows: readonly SpokenFlow[], commands: ReadonlyMap<string, string>) {
    const { vocabulary } = book;
    this.book = book;
    this.linkNames = new Set(vocabulary.list('link parameters'));
    this.#calendar = createCalendar(vocabulary);
    this.#spoken = new SpokenValues(vocabulary);
    this.commands = commands;
    this.#flows = new Map(flows.map((flow) => [`start ${flow.name}`, flow]));
    this.#objections = readObjections(vocabulary);
    const labels = [...vocabulary.written('phone labels'), ...vocabulary.list('phone labels')];
    this.#phoneLabel = new RegExp(`^(?:${labels.join('|') || '(?!)'})\\.?(?=\\+?\\d)`, 'iu');
    this.#amount = new RegExp(`^\\d+(?:${vocabulary.written('amount endings').map(fold).join('|')})?$`, 'i');
    const signs = vocabulary.written('mail sign').map(RegExp.escape).join('|') || '(?!)';
    this.#bracketed = new RegExp(`[([](?:${signs})[)\\]]`, 'giu');
    this.#signs = vocabulary.pairs('signs');
    this.#namesOfCodes = new Set(vocabulary.list('code'));
    const yes = vocabulary.examples.filter(({ act }) => act === 'yes');
    this.#yes = new Set(yes.flatMap(({ text }) => vocabulary.foldings(text)));
    const isBeside = (word: string) => book.besideYes.has(word) || this.#yes.has(word);
    const others = vocabulary.examples
      .filter(({ act }) => !BESIDE_YES.has(act))
      .flatMap(({ text }) => vocabulary.foldings(text))
      .filter((text) => !this.#yes.has(text) && text.split(' ').every(isBeside));
    this.#others = indexPhrases([...new Set(others)].map((text) => [text, true] as const));
  }

  /** Codes and gifts of the question (`at`) may be named by their places. */
  parse(typed: string, { settings, nowMs }: Reading, expecting: Expecting = NOWHERE): ParsedText {
    const today = dayAt(nowMs, settings.timeZone);
    if (today !== this.#rememberedFor.today || settings.gifts !== this.#rememberedFor.gifts) {
      this.#remembered.clear();
      this.#rememberedFor = { today, gifts: settings.gifts };
    }
    if (hasPlaces(expecting) || expecting.phone !== undefined) return this.#parse(typed, settings, expecting);
    const known = this.#remembered.get(typed);
    if (known) return known;
    const parsed = this.#parse(typed, settings, expecting);
    const isKnown =
      parsed.rest.length === 0 && !PERSONAL.test(typed) && typed.length <= MAX_REMEMBERED_LENGTH;
    if (!isKnown) return parsed;
    if (this.#remembered.size >= MAX_REMEMBERED_TEXTS) this.#remembered.clear();
    this.#remembered.set(typed, parsed);
    return parsed;
  }

  #parse(typed: string, settings: Reading['settings'], expecting: Expecting): ParsedText {
    const text = visible(typed);
    const { today } = this.#rememberedFor;
    const all = this.#tokensOf(text, settings.codePrefixes);
    const name = /^\/(\w+)(?:@\w+)?$/.exec(all[0]?.text ?? '')?.[1]?.toLowerCase() ?? '';
    const command = this.commands.get(name);
    const tokens = command ? all.slice(1) : all;
    const { values, left } = this.#valuesOf(tokens, settings.codePrefixes);
    const named = findGifts(this.book.wordsOf(left, values), settings.gifts, this.book);
    const words = hasPlaces(expecting) ? this.#withPlaces(named, expecting.codes) : named;
    const { period, others } = this.#findPeriod(words, today);
    const timed = new Set(words).difference(new Set(others));
    const timeless = named.filter((word) => !timed.has(word));
    const parsedParts = this.#withAnnounced(this.book.partsOf(others), command);
    const announced = new Map(
      parsedParts.flatMap(({ value, words: [word] }) =>
        value && word ? [[word, { ...word, value }] as const] : [],
      ),
    );
    const parts = withoutUnwanted(parsedParts);
    const sources = unexplainedIn(parts).flatMap(({ words }) => words.map(({ source }) => source));
    const rest = [...new Set(sources)].map((token) => token.text);
    const valued = parts.filter(({ value }) => value && value.kind !== 'gift' && value.kind !== 'place');
    const isAlone = valued.length === 0 && rest.length === 0;
    // "Ok, tomorrow" is a yes for another day.
    const isNow = isAlone && !period && !this.#objections.test(text.normalize('NFC'));
    const isYes = isNow && this.#saysYes(parsedParts);
    const besideValues = left.filter((token) => !values.has(token)).map((token) => token.text);
    const end = text.trimEnd().endsWith('?') ? ['?'] : [];
    return {
      text,
      command,
      isQuestion: this.book.isQuestion(values.size > 0 ? [...besideValues, ...end].join(' ') : text),
      words: withPeriodAsOne(named, timeless).map((word) => announced.get(word) ?? word),
      parts,
      period,
      rest,
      isYes,
      ...this.#meantIn(parts, settings.gifts),
      codes: [...new Set(parts.flatMap(({ value }) => (value?.kind === 'code' ? value.code : [])))],
      others: parts.flatMap(({ value }) => (value?.kind === 'other' ? value.text : [])),
      tail:
        expecting.codes.length > 0 || expecting.phone !== undefined
          ? this.#spoken.findTail(toSpokenLine(tokens))
          : undefined,
      reference: referenceIn(tokens.map((token) => token.text)),
      type: this.#typeIn(parts),
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
    const toCode = (code: string): Value => ({ kind: 'code', code });
    take(this.#spoken.findCodes(line, beginnings, isFree), toCode);
    take(this.#spoken.findNumbers(line, beginnings, isFree), toCode);
    take(phones, toPhone);
    const others = this.#othersIn(line, beginnings);
    for (const token of tokens.filter((token) => isFree(token) && !token.text.startsWith('@'))) {
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

  /** The values that are meant: one that is denied is none. */
  #meantIn(parts: readonly Part[], listed: readonly NamedGift[]) {
    const spans = parts.flatMap(({ value }, at) =>
      value && /^(?:phone|email|gift)$/.test(value.kind) ? { from: at, to: at + 1 } : [],
    );
    const found = findSigns(parts, spans);
    const signs = new Map(spans.map(({ from }, at) => [parts[from]?.value, found[at]] as const));
    const all = parts.flatMap(({ value }) => value ?? []);
    const signOf = (value: Value) => signs.get(value);
    const isMeant = (value: Value) => signOf(value) !== 'drop' && signOf(value) !== 'deny';
    const wantedOf = (kind: Value['kind']) => {
      const named = all.filter((value) => value.kind === kind && signOf(value) !== 'drop');
      const some = named.filter(isMeant);
      // "Không 0912345678" answers our question.
      if (some.length === 0) return named;
      const corrected = some.filter((value) => signOf(value) === 'replace');
      return corrected.length === 1 ? corrected : some;
    };
    const phones = wantedOf('phone').flatMap((value) => (value.kind === 'phone' ? value.phone : []));
    const codes = new Set(all.flatMap((value) => (value.kind === 'code' ? value.code.toLowerCase() : [])));
    const coded = listed.filter(({ code }) => codes.has(code.toLowerCase()));
    const named = all.flatMap((value) => (value.kind === 'gift' && isMeant(value) ? value.gifts : []));
    const deniedGifts = all.flatMap((value) => (value.kind === 'gift' && !isMeant(value) ? value.gifts : []));
    const deniesGift = deniedGifts.length > 0;
    const emails = wantedOf('email').flatMap((value) => (value.kind === 'email' ? value.email : []));
    const isMangled = all.some(({ kind }) => kind === 'mangled');
    return {
      phones: phones.filter(({ value }, at) => phones.findIndex((other) => other.value === value) === at),
      emails: emails.filter(({ ok }) => ok),
      mangled: isMangled ? ('codes' as const) : emails.some(({ ok }) => !ok) ? ('email' as const) : undefined,
      gifts: deniesGift || named.length > 0 ? [...new Set(named)] : coded,
      deniesGift,
      deniedGifts,
      places: all.flatMap((value) => (value.kind === 'place' ? value.place : [])),
    };
  }

  /** Nothing but yes and polite words. */
  #saysYes(parts: readonly Part[]): boolean {
    const isYes = (part: Part) => actOf(part) === 'yes' || part.words.some(({ text }) => this.#yes.has(text));
    const isPolite = (part: Part) =>
      part.words.every(({ text }) => this.book.besideYes.has(text) || this.#yes.has(text));
    const isOnlyYes = parts.some(isYes) && parts.every((part) => actOf(part) === 'yes' || isPolite(part));
    return isOnlyYes && !this.#saysOther(parts);
  }

  /** Whether polite words next to a yes are a line of another heading: "ok, giúp đỡ" asks for help. */
  #saysOther(parts: readonly Part[]): boolean {
    const beside = parts.map((part) =>
      actOf(part) === 'yes' ? [VALUE] : part.words.map(({ text }) => text),
    );
    const words = beside.flat();
    return words.some((_, at) => phraseAt(this.#others, words, at) !== undefined);
  }

  #listOf(part: Part): SpokenFlow['list'] {
    return this.#flows.get(actOf(part))?.list;
  }

  /** The history that the phrases name. */
  #typeIn(parts: readonly Part[]): ParsedText['type'] {
    const named = parts.flatMap((part) => {
      if (isIn(part, 'points list')) return 'point';
      if (isIn(part, 'gifts list')) return 'gift';
      return (!this.#listOf(part)?.vague && this.#listOf(part)?.type) || [];
    });
    const [only, ...more] = new Set(named);
    const [type, ...types] = new Set(parts.flatMap((part) => this.#listOf(part)?.type ?? []));
    return only !== undefined && more.length === 0 ? only : types.length > 0 ? 'both' : type;
  }
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

function unexplainedIn(parts: readonly Part[]): readonly Part[] {
  const hasValue = parts.some(({ value }) => value);
  // A text that names a place of a list is no bare yes or no.
  const isPlace = ({ value }: Part) => value?.kind === 'place' || value?.kind === 'end';
  return parts.filter((part) => isUnknown(part) || isPlace(part) || (!hasValue && isSign(part)));
}

/** "TỦLẠNH000000017": with a known beginning the marks say what was meant, which is a guess. */
function toMangled(text: string, beginnings: readonly string[]): Value {
  const plain = unmark(text.normalize('NFC')).toUpperCase();
  const beginning = beginnings.find((one) => plain.startsWith(one.toUpperCase()));
  const number = beginning === undefined ? '' : plain.slice(beginning.length);
  return /^\d{4,}$/.test(number) ? { kind: 'code', code: `${beginning} ${number}` } : { kind: 'mangled' };
}

const isUnknown = ({ phrase, value }: Part): boolean => phrase === undefined && value === undefined;

/**
 * Small words and emoji that turn a yes into a question or an objection: "có gì", "ok sao", "ok nhưng".
 * Words count as they are spelt: "à" is not "ạ".
 */
function readObjections(vocabulary: Vocabulary): RegExp {
  const any = (name: string) => vocabulary.written(name).map(RegExp.escape).join('|') || '(?!)';
  const last = `(?:${any('objects last')})[\\s.!]*$`;
  return new RegExp(`[?？]|${any('objecting signs')}|(?<!\\p{L})(?:${last}|(?:${any('objects')}))`, 'iu');
}
