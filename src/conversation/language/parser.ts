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
  withLinksRead,
} from '../values/code.ts';
import { type EmailResult, findEmails, findPhones, type Phone } from '../values/contact.ts';
import { findSigns, isDenied, isReport, isStopped, withoutUnwanted } from './frames.ts';
import { type Calendar, createCalendar, findPeriod, isTimeWord, type SaidPeriod } from './period.ts';
import {
  actOf,
  findGifts,
  findPlaces,
  isIn,
  isSign,
  type NamedGift,
  type Part,
  type PhraseBook,
  VALUE,
  type Value,
  type Word,
} from './phrases.ts';
import { type SpokenLine, SpokenValues, toSpokenLine } from './spoken.ts';
import { fold, type Token, tokenize, undoTyping, unmark, visible } from './tokenizer.ts';
import { ANSWERED, type Vocabulary } from './vocabulary.ts';

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
  /** The command of its words or of its slash command: `start redeem`, `yes`. */
  readonly act?: string | undefined;
  readonly parts: readonly Part[];
  readonly codes: readonly string[];
  /** The phones and e-mails that are meant: "B, not A" means B. */
  /** Numbers of orders, invoices and the like. */
  readonly others: readonly string[];
  readonly phones: readonly Phone[];
  readonly emails: readonly EmailResult[];
  /** A Vietnamese keyboard rewrote this value while it was typed; it is not repaired. */
  readonly mangled?: 'codes' | 'email' | undefined;
  readonly period?: SaidPeriod | undefined;
  /** The right last digits of a value that stands: "331 ở cuối". */
  readonly tail?: string | undefined;
  /** A word of the shape that operation ids have. It may be a code as well. */
  readonly reference?: string | undefined;
  /** Which history; only where the text asks for one, or says nothing else. */
  readonly type?: 'point' | 'gift' | 'both' | undefined;
  readonly gifts: readonly NamedGift[];
  /** Names a gift that is not meant: "không lấy loa". */
  readonly deniesGift: boolean;
  /** The places of a list that it names, from 1; -1 is the last. */
  readonly places: readonly number[];
  /** The words, as typed, that nothing explains. */
  readonly rest: readonly string[];
  /** Says yes and nothing else, in words without a typing error: points depend on it. */
  readonly isYes: boolean;
};

const NOWHERE: Expecting = { at: 'nothing', buttons: () => [], codes: [], references: [] };
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

/** Whether the text says that there is no e-mail: "không có email". "Không đổi email" does not. */
export function lacksEmail({ parts, emails }: ParsedText): boolean {
  const telling = parts.filter((part) => part.value || !part.phrase || part.phrase.act || fieldOf(part));
  return telling.some((part, at) => {
    const next = telling[at + 1];
    // "Khỏi lấy mail".
    if (actOf(part) === 'none' && isIn(part, 'email')) return emails.length === 0;
    const isDeclining = /^(?:no|none)$/.test(actOf(part)) && !isIn(part, 'faults');
    return isDeclining && emails.length === 0 && next && fieldOf(next) === 'email' && actOf(next) === '';
  });
}

/** If a text has several acts, the first of these is meant. `flows` are ordered by priority. */
const ORDER = [
  'show erasing, show privacy, speak, show languages, status',
  'show person, answers, show complaint, show offer, cancel, cancel mild, flows, remove, change',
  'show help, show welcome, show menu, none, page next, page previous',
  'keep, other, talk wait, ask what',
  'no, yes, talk bye, talk upset, ask who, talk thanks, talk greeting, talk remark',
].join(', ');
const NO = /^(?:no|none|cancel|cancel mild)$/;
/** With these acts, a language is still wished for. */
const BESIDE_LANGUAGE = /^(?:speak \w+|yes|no|none|talk \w+|show help)$/;
/** Acts that answer our question; acts with which the bare name of a person is still a wish for one. */
const ANSWERS = /^(?:yes|no|none|keep|other|cancel mild)$/;
const BESIDE_PERSON = /^(?:show person|show help|yes|talk .*)$/;

const MAX_REMEMBERED_TEXTS = 2000;
const MAX_REMEMBERED_LENGTH = 60;

export class Parser {
  readonly book: PhraseBook;
  readonly linkNames: ReadonlySet<string>;
  readonly #calendar: Calendar;
  readonly #spoken: SpokenValues;
  readonly commands: ReadonlyMap<string, string>;
  readonly #flows: ReadonlyMap<string, SpokenFlow>;
  /** The flow that reads history. A past period asks for it, whatever flow is named ("điểm 30 ngày"). */
  readonly #history: string | undefined;
  readonly #order: readonly string[];
  readonly #objections: RegExp;
  readonly #phoneLabel: RegExp;
  readonly #amount: RegExp;
  /** "(at)" in an address. */
  readonly #bracketed: RegExp;
  readonly #signs: ReadonlyMap<string, string>;
  readonly #namesOfCodes: ReadonlySet<string>;
  readonly #yes: ReadonlySet<string>;
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
    this.#history = [...this.#flows].find(([, { slots }]) => slots.includes('list'))?.[0];
    this.#order = orderOf(vocabulary, flows);
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
  }

  /** Codes and gifts of the question (`at`) may be named by their places. */
  parse(typed: string, { settings, nowMs }: Reading, at: Expecting = NOWHERE): ParsedText {
    const today = dayAt(nowMs, settings.timeZone);
    if (today !== this.#rememberedFor.today || settings.gifts !== this.#rememberedFor.gifts) {
      this.#remembered.clear();
      this.#rememberedFor = { today, gifts: settings.gifts };
    }
    if (hasPlaces(at) || at.phone !== undefined) return this.#parse(typed, settings, at);
    const known = this.#remembered.get(typed);
    if (known) return known;
    const parsed = this.#parse(typed, settings, at);
    const isKnown = parsed.rest.length === 0 && !/[\d@]/.test(typed) && typed.length <= MAX_REMEMBERED_LENGTH;
    if (!isKnown) return parsed;
    if (this.#remembered.size >= MAX_REMEMBERED_TEXTS) this.#remembered.clear();
    this.#remembered.set(typed, parsed);
    return parsed;
  }

  #parse(typed: string, settings: Reading['settings'], at: Expecting): ParsedText {
    const text = visible(typed);
    const { today } = this.#rememberedFor;
    const all = this.#tokensOf(text, settings.codePrefixes);
    const name = /^\/(\w+)(?:@\w+)?$/.exec(all[0]?.text ?? '')?.[1]?.toLowerCase() ?? '';
    const command = this.commands.get(name);
    const tokens = command ? all.slice(1) : all;
    const { values, left } = this.#valuesOf(tokens, settings.codePrefixes);
    const named = findGifts(this.book.wordsOf(left, values), settings.gifts, this.book);
    const words = hasPlaces(at) ? this.#withPlaces(named, at.codes) : named;
    const timed = findPeriod(this.#calendar, words, today);
    const { said: period, others } = this.#isWithin(words, timed.others) ? { others: words } : timed;
    const told = this.#withAnnounced(this.book.partsOf(others), command);
    const parts = withoutUnwanted(told);
    const sources = unexplainedIn(parts).flatMap(({ words }) => words.map(({ source }) => source));
    const rest = [...new Set(sources)].map((token) => token.text);
    const valued = parts.filter(({ value }) => value && value.kind !== 'gift' && value.kind !== 'place');
    const isAlone = valued.length === 0 && rest.length === 0;
    // "Ok, tomorrow" is a yes for another day.
    const isNow = isAlone && !period && !this.#objections.test(text.normalize('NFC'));
    const isYes = isNow && this.#saysYes(told);
    const wanted = this.#actOf(parts, period);
    // "Không cần gặp nhân viên" answers no question of ours.
    const isCut = parts.length < told.length && ANSWERS.test(wanted ?? 'no');
    const said = isCut ? 'talk remark' : wanted;
    const act =
      command === 'show languages' && said?.startsWith('speak ')
        ? said
        : (command ?? this.#settle(said, { parts, isYes, text }, isAlone));
    const bare = left.length === 0 && text.includes('?') ? 'ask what' : undefined;
    const isHistory = said !== undefined && said === this.#history;
    return {
      text,
      act: act ?? bare,
      parts,
      period,
      rest,
      isYes,
      ...this.#meantIn(parts, settings.gifts),
      codes: [...new Set(parts.flatMap(({ value }) => (value?.kind === 'code' ? value.code : [])))],
      others: parts.flatMap(({ value }) => (value?.kind === 'other' ? value.text : [])),
      tail:
        at.codes.length > 0 || at.phone !== undefined
          ? this.#spoken.findTail(toSpokenLine(tokens))
          : undefined,
      reference: referenceIn(tokens.map((token) => token.text)),
      type: isAlone || isHistory ? this.#typeIn(parts, said) : undefined,
    };
  }

  /** The tokens of a text: links are read, "👍" is "ok". */
  #tokensOf(text: string, beginnings: readonly string[]): Token[] {
    let seen = withLinksRead(text, this.linkNames).replace(/[\u{1F3FB}-\u{1F3FF}]/gu, '');
    if (/[([]/.test(seen)) seen = seen.replace(this.#bracketed, ' @ ');
    for (const [sign, said] of this.#signs)
      if (seen.includes(sign)) seen = seen.replaceAll(sign, ` ${said} `);
    return tokenize(seen).flatMap((token) =>
      splitCodes(token.text, beginnings).map((part) => ({ ...token, text: part })),
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
    take(this.#spoken.findEmails(line), (value) => toEmail({ ok: true, value, isGuess: true }));
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
      else if (this.isCode(token.text)) values.set(token, toCode(token.text));
      else if (this.#isMangled(token.text)) values.set(token, { kind: 'mangled' });
    }
    const isMention = (token: Token) => isFree(token) && token.text.startsWith('@');
    return { values, left: tokens.filter((token) => !gone.has(token) && !isMention(token)) };
  }

  /**
   * Numbers that are no codes: codes have known beginnings, and these are called otherwise, or stand beside
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

  /** Whether words of time belong to a longer phrase: "everything is right". */
  #isWithin(words: readonly Word[], others: readonly Word[]): boolean {
    if (others.length === words.length) return false;
    const isOther = (word: Word) => others.includes(word);
    return this.book.partsOf(words).some((part) => {
      const isCommand = actOf(part) !== '' && !actOf(part).startsWith('start ');
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
    const meant = (kind: Value['kind']) => {
      const named = all.filter((value) => value.kind === kind && signOf(value) !== 'drop');
      const some = named.filter(isMeant);
      // "Không 0912345678" answers our question.
      if (some.length === 0) return named;
      const corrected = some.filter((value) => signOf(value) === 'replace');
      return corrected.length === 1 ? corrected : some;
    };
    const phones = meant('phone').flatMap((value) => (value.kind === 'phone' ? value.phone : []));
    const codes = new Set(all.flatMap((value) => (value.kind === 'code' ? value.code.toLowerCase() : [])));
    const coded = listed.filter(({ code }) => codes.has(code.toLowerCase()));
    const named = all.flatMap((value) => (value.kind === 'gift' && isMeant(value) ? value.gifts : []));
    const deniesGift = all.some((value) => value.kind === 'gift' && !isMeant(value));
    const emails = meant('email').flatMap((value) => (value.kind === 'email' ? value.email : []));
    const isMangled = all.some(({ kind }) => kind === 'mangled');
    return {
      phones: phones.filter(({ value }, at) => phones.findIndex((other) => other.value === value) === at),
      emails: emails.filter(({ ok }) => ok),
      mangled: isMangled ? ('codes' as const) : emails.some(({ ok }) => !ok) ? ('email' as const) : undefined,
      gifts: deniesGift || named.length > 0 ? [...new Set(named)] : coded,
      deniesGift,
      places: all.flatMap((value) => (value.kind === 'place' ? value.place : [])),
    };
  }

  /* Acts. */

  #actOf(parts: readonly Part[], period: SaidPeriod | undefined): string | undefined {
    const isExplained = unexplainedIn(parts).length === 0;
    const language = isExplained ? this.#wishedLanguage(parts) : undefined;
    if (language !== undefined) return language;
    const acts = countingActs(parts, isExplained);
    const isFlow = [...acts].some((act) => this.#flows.has(act));
    const denied = isFlow ? this.#deniedFlow(parts) : undefined;
    // "Nhân viên không cho tích điểm" stops nothing.
    if (denied && !(denied === 'cancel' && acts.has('show offer'))) return denied;
    if (isFlow && isReport(parts, period?.isPast)) return 'show complaint';
    const first = this.#order.find((act) => acts.has(act));
    if (acts.has('yes') && acts.has('no') && (first === 'yes' || first === 'no'))
      return says({ parts }, 'faults') ? 'no' : undefined;
    const isHistory = period && isExplained && this.#isHistory(first, parts, period);
    return isHistory ? this.#history : first;
  }

  /** "Tuần này tích được bao nhiêu" asks for history, "tuần này có bao nhiêu điểm" for the balance. */
  #isHistory(act = '', parts: readonly Part[], period: SaidPeriod): boolean {
    const list = this.#flows.get(act)?.list;
    const isOfPoints = (part: Part) => this.#listOf(part)?.type === 'point' && !this.#listOf(part)?.vague;
    const isEarned = list?.vague ? parts.some(isOfPoints) : says({ parts }, 'wanted');
    return this.#flows.has(act) && (period.isPast || (list?.type === 'point' && isEarned));
  }

  /** "Không đổi quà nữa" cancels, "không tích điểm được" complains, "không, tích điểm" does neither. */
  #deniedFlow(parts: readonly Part[]): string | undefined {
    if (says({ parts }, 'fails')) return 'show complaint';
    const at = parts.findIndex((part, place) => this.#flows.has(actOf(part)) && isStopped(parts, place));
    const denied = actOf(parts[at] ?? { words: [] });
    if (denied === '') return undefined;
    // "Không phải tích điểm, mình muốn xem điểm" means the other one.
    const after = parts.slice(at + 1);
    const other = after.map(actOf).find((act) => this.#flows.has(act) && act !== denied);
    return other ?? (says({ parts: after }, 'possible') ? 'show complaint' : 'cancel');
  }

  /** The language that a text wishes for and nothing else. "I don't speak English" wishes for the other. */
  #wishedLanguage(parts: readonly Part[]): string | undefined {
    const isOther = (part: Part) =>
      (actOf(part) !== '' && !BESIDE_LANGUAGE.test(actOf(part))) || fieldOf(part) !== undefined;
    const named = new Set(parts.map(actOf).filter((act) => act.startsWith('speak ')));
    if (named.size === 0 || parts.some(isOther)) return undefined;
    const refused = parts.find((part, at) => actOf(part).startsWith('speak ') && isDenied(parts, at));
    const languages = this.#order.filter((act) => act.startsWith('speak '));
    const [wanted, ...more] = languages.filter((act) => (refused ? act !== actOf(refused) : named.has(act)));
    return more.length === 0 ? wanted : 'show languages';
  }

  /** Only a plain request erases data, changes the language or calls a person. */
  #settle(
    act: string | undefined,
    { parts, isYes, text }: Pick<ParsedText, 'parts' | 'isYes' | 'text'>,
    isAlone: boolean,
  ): string | undefined {
    if (act === 'show offer')
      return isAlone && isNameOnly(parts) && !this.book.isQuestion(text) ? 'show person' : act;
    if (act === 'show erasing') return isAlone && !this.book.isQuestion(text) ? act : 'show privacy';
    if (act?.startsWith('speak ')) return isAlone ? act : undefined;
    return act === 'show help' && isYes ? 'yes' : act;
  }

  /** Nothing but yes and polite words. */
  #saysYes(parts: readonly Part[]): boolean {
    const isYes = (part: Part) => actOf(part) === 'yes' || part.words.some(({ text }) => this.#yes.has(text));
    const isPolite = (part: Part) =>
      part.words.every(({ text }) => this.book.polite.has(text) || this.#yes.has(text));
    return parts.some(isYes) && parts.every((part) => actOf(part) === 'yes' || isPolite(part));
  }

  #listOf(part: Part): SpokenFlow['list'] {
    return this.#flows.get(actOf(part))?.list;
  }

  /** The history that the phrases name; undefined if the act is not a flow. */
  #typeIn(parts: readonly Part[], act: string | undefined): ParsedText['type'] {
    if (act !== undefined && !this.#flows.has(act)) return undefined;
    const named = parts.flatMap((part) => {
      if (isIn(part, 'points list')) return 'point';
      if (isIn(part, 'gifts list')) return 'gift';
      return (part.phrase?.always && !this.#listOf(part)?.vague && this.#listOf(part)?.type) || [];
    });
    const [only, ...more] = new Set(named);
    const [type, ...types] = new Set(parts.flatMap((part) => this.#listOf(part)?.type ?? []));
    return only !== undefined && more.length === 0 ? only : types.length > 0 ? 'both' : type;
  }
}

/** The name of a person: where none is asked for, one is mentioned. */
const isMention = (part: Part): boolean => actOf(part) === 'show person' && !part.phrase?.always;

function unexplainedIn(parts: readonly Part[]): readonly Part[] {
  const hasValue = parts.some(({ value }) => value);
  // A text that names a place of a list is no bare yes or no.
  const isPlace = ({ value }: Part) => value?.kind === 'place' || value?.kind === 'end';
  return parts.filter((part) => isUnknown(part) || isPlace(part) || (!hasValue && isSign(part)));
}

const isUnknown = ({ phrase, value }: Part): boolean => phrase === undefined && value === undefined;

/** The acts that count: those that always do, else all of a text whose words are all explained. */
function countingActs(parts: readonly Part[], isExplained: boolean): Set<string> {
  const said = parts.filter((part) => {
    const act = actOf(part);
    return act !== '' && !act.startsWith('speak ');
  });
  const sure = said.filter((part) => part.phrase?.always || isMention(part));
  const isNo = said.some((part) => NO.test(actOf(part)));
  const counting = sure.length > 0 ? sure : isExplained ? said : [];
  const acts = new Set(
    counting
      .filter((part) => !isNo || !isIn(part, 'assents'))
      .map((part) => (isMention(part) ? 'show offer' : actOf(part))),
  );
  return acts;
}

/** The name of a person, and nothing else that is wanted or denied. */
const isNameOnly = (parts: readonly Part[]): boolean =>
  parts.every(
    (part) => !isIn(part, 'stops', 'fails', 'faults') && BESIDE_PERSON.test(actOf(part) || 'show person'),
  );

function orderOf(vocabulary: Vocabulary, flows: readonly SpokenFlow[]): readonly string[] {
  const acts = [...new Set(vocabulary.examples.flatMap(({ act, isPhrase }) => (isPhrase ? act : [])))];
  const ranked = [...flows].sort((one, other) => other.priority - one.priority);
  const groups: Readonly<Record<string, readonly string[]>> = {
    answers: acts.filter((act) => ANSWERED.test(act)),
    speak: acts.filter((act) => act.startsWith('speak ')),
    flows: ranked.map(({ name }) => `start ${name}`),
  };
  return ORDER.split(', ').flatMap((act) => groups[act] ?? act);
}

/**
 * Small words and emoji that turn a yes into a question or an objection: "có gì", "ok sao", "ok nhưng".
 * Words count as they are spelt: "à" is not "ạ".
 */
function readObjections(vocabulary: Vocabulary): RegExp {
  const any = (name: string) => vocabulary.written(name).map(RegExp.escape).join('|') || '(?!)';
  const last = `(?:${any('objects last')})[\\s.!]*$`;
  return new RegExp(`[?？]|${any('objecting signs')}|(?<!\\p{L})(?:${last}|(?:${any('objects')}))`, 'iu');
}
