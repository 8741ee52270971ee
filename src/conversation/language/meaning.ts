import type { SlotKind } from '../commands.ts';
import type { Acts, Place } from './acts.ts';
import { addAlike, alikeTo, areAlike, BESIDE_VALUE, isSure, LIKELY, POSSIBLE, RANKS } from './acts.ts';
import { type Guess, type Lesson, Model, type ModelText } from './model.ts';
import type { Parser } from './parser.ts';
import { PERIOD, type PhraseBook, type Word } from './phrases.ts';
import { isAscii, remembered, speltWords } from './tokenizer.ts';
import { type Example, type PhraseIndex, phraseAt } from './vocabulary.ts';

/*
 * Which act a text says at a question: a line of the files word for word, else what the model is sure of,
 * over the whole text and over its clauses. A denial or a plan of a deed does nothing.
 */

export type Meaning = {
  /** `''`: not sure, or nothing by itself. */
  readonly act: string;
  /** How sure it is (0–1); 1: a line of the files. */
  readonly p: number;
  /** What it may be, the likeliest first. */
  readonly guesses: readonly Guess[];
  /** The act of the line that it is but for polite words, though the model speaks against it. */
  readonly unlikely?: string | undefined;
};

/** What is known of a text besides its words. */
export type MeaningContext = {
  readonly place: Place;
  /** The value that is asked for. */
  readonly slot: SlotKind | undefined;
  /** The act of the running flow: `start redeem`. */
  readonly running: string | undefined;
  /** The text brings a code, a phone or an e-mail. */
  readonly hasValue: boolean;
  readonly isQuestion: boolean;
};

/** The words are one of several clauses: "… gõ hổng nổi" declines nothing. */
type PartOfText = { readonly isPart?: true };

/** The act of an example line, and its spelling. */
type KnownLine = { readonly act: string; readonly spelt: readonly string[] };

type Clause = { readonly words: readonly Word[]; readonly meaning: Meaning; readonly isDropped: boolean };

const NOTHING: Meaning = { act: '', p: 0, guesses: [] };
/** The name of a gift, and the words for any, as the model sees them. */
const GIFT = '§gift';
/** A longer text is no example with polite words around it. */
const MOST_POLITE_WORDS = 10;
/** A line with polite words around it is meant only if the model has its act among the first few. */
const AMONG = 5;
/** How sure a line with polite words around it is. */
export const NOT_QUITE = 0.99;
/** What may stand before or after unknown words. */
const COURTESIES: ReadonlySet<string> = new Set(['talk thanks', 'talk greeting', 'talk wait']);
const MOST_COURTESY = 3;
/** A text of at least this many words is also read in parts of `WINDOW` words. */
const LONG = 16;
const WINDOW = 9;
const STEP = 4;
/** Only the beginning of a longer text counts. */
const MOST_WORDS = 80;
/** How much less likely a meaning of a part is than one of the whole. */
const OF_WINDOW = 0.6;
/** A deed counts that is less sure than a question next to it by at most this. */
const CLEARER = 0.25;
/** How likely a usual question of the whole must be (0–1) for a deed in one of its clauses not to be done. */
const ASKED = 0.5;
/** A longer text next to a courtesy may be all that matters. */
const MOST_BESIDE_COURTESY = 5;

/** The lists of words that stand next to values. */
const BESIDE_VALUES = [
  'code',
  'phone',
  'email',
  'words of phone',
  'codes replace',
  'codes add',
  'codes keep',
  'codes only',
  'codes join',
  'small',
  'polite',
  'counters',
];

export class Meanings {
  readonly model: Model;
  readonly #book: PhraseBook;
  readonly #wordsOf: Parser['wordsOf'];
  readonly #acts: Acts;
  /** Example lines, by their words as the model sees them, and as they are folded. */
  readonly #exact = new Map<string, KnownLine[]>();
  readonly #quiet: ReadonlySet<string>;
  /** Words that are a yes or thanks by themselves. */
  readonly #assents: ReadonlySet<string>;
  readonly #gifts: ReadonlySet<string>;
  readonly #withMarks: ReadonlySet<string>;
  readonly #possible: ReadonlySet<string>;
  readonly #denials: PhraseIndex<boolean>;
  readonly #plans: PhraseIndex<boolean>;
  readonly #requests: PhraseIndex<boolean>;
  readonly #contrasts: PhraseIndex<boolean>;

  constructor({ book, wordsOf }: Pick<Parser, 'book' | 'wordsOf'>, acts: Acts) {
    const { vocabulary } = book;
    this.#book = book;
    this.#wordsOf = wordsOf;
    this.#acts = acts;
    const asides = vocabulary.examples.filter(({ act }) => act === 'yes' || act === 'talk thanks');
    const assents = asides.flatMap(({ text }) => (text.includes(' ') ? [] : vocabulary.foldings(text)));
    this.#quiet = new Set([...book.polite, ...vocabulary.list('assents')]);
    this.#assents = new Set(assents).difference(this.#quiet);
    this.#gifts = new Set(vocabulary.list('gifts').filter((word) => !word.includes(' ')));
    this.#withMarks = new Set(vocabulary.list('with marks only'));
    this.#possible = new Set(vocabulary.list('possible'));
    this.#denials = vocabulary.flags({ yes: ['denies', 'stops', 'declines'], no: ['denies nothing'] });
    this.#plans = vocabulary.flags({ yes: ['plans'], no: [] });
    this.#requests = vocabulary.flags({ yes: ['requests'], no: [] });
    this.#contrasts = vocabulary.flags({ yes: ['contrasts'], no: [] });
    this.model = new Model(this.#lessons());
  }

  /** One line at a time: what the model has taken from it is forgotten. */
  *#lessons(): Iterable<Lesson> {
    const { examples, heard } = this.#book.vocabulary;
    for (const example of examples) {
      const words = this.#wordsOf(example.text);
      const lesson = this.#toLesson(example, words);
      this.#addLine(lesson, this.#foldingOf(words));
      if (!this.#isOfSlot(lesson.act)) yield lesson;
    }
    for (const example of heard)
      if (this.#acts.has(example.act)) yield this.#toLesson(example, this.#wordsOf(example.text));
    yield* this.#lessonsOfNothing();
  }

  #addLine({ act, variants: [{ words, spelt }] }: Lesson, folded: readonly string[]): void {
    // "Bo qua" is "bỏ qua", though "qua" may be a gift.
    for (const key of new Set([words.join(' '), folded.join(' ')])) {
      if (key === '') continue;
      const known = this.#exact.get(key);
      if (known) known.push({ act, spelt });
      else this.#exact.set(key, [{ act, spelt }]);
    }
  }

  /** The phrases of a language's list, as words. */
  #phrasesOf(locale: string, name: string): readonly (readonly string[])[] {
    return this.#book.vocabulary.lists
      .filter((list) => list.locale === locale && list.name === name)
      .flatMap(({ phrases }) => phrases.map((phrase) => this.#book.plainly(phrase)));
  }

  /** What is said around a line of a language and changes nothing. */
  readonly #fillersOf = remembered((locale: string) => ({
    polite: this.#phrasesOf(locale, 'polite'),
    before: this.#phrasesOf(locale, 'before a line'),
    behind: this.#phrasesOf(locale, 'behind a line'),
  }));

  /** A line, and the same with words around it that change nothing, some of them without the marks. */
  #toLesson({ text, act, locale }: Example, words: readonly Word[]): Lesson {
    const plain = this.toModelText(words);
    let hash = 2_166_136_261;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619) >>> 0;
    const { polite, before, behind } = this.#fillersOf(locale);
    const pick = (some: readonly (readonly string[])[], bits: number) =>
      some[(hash >>> bits) % (some.length || 1)] ?? [];
    const isBefore = (hash >>> 16) % 3 === 0;
    const politely = isBefore ? [...pick(polite, 0), ...plain.words] : [...plain.words, ...pick(polite, 8)];
    const spelt = hash & (1 << 20) ? [] : plain.spelt;
    const ending = hash & (1 << 21) ? pick(behind, 3) : [];
    const wordy = [...pick(before, 11), ...plain.words, ...ending];
    return {
      act,
      variants: [plain, { words: politely, spelt }, { words: wordy, spelt: plain.spelt }],
    };
  }

  /** Words next to values say nothing by themselves. */
  #lessonsOfNothing(): readonly Lesson[] {
    const written = BESIDE_VALUES.flatMap((list) => this.#book.vocabulary.written(list));
    return [...new Set(written)].map((text) => ({
      act: BESIDE_VALUE,
      variants: [this.toModelText(this.#wordsOf(text))],
    }));
  }

  /** Words as the model sees them: values are left out, gifts are one word, numbers are one. */
  toModelText(words: readonly Word[]): ModelText {
    const seen = words.flatMap(({ text, source, value, isBare }): { text: string; typed: string }[] => {
      if (value) return value.kind === 'gift' ? [{ text: GIFT, typed: '' }] : [];
      if (text === PERIOD) return [{ text, typed: '' }];
      if (/^\d+$/.test(text)) return [{ text: '0', typed: '' }];
      const isGift = this.#gifts.has(text) && !(isBare && this.#withMarks.has(text));
      return [{ text: isGift ? GIFT : text, typed: isAscii(source.text) ? '' : source.text }];
    });
    return {
      words: seen.map(({ text }) => text),
      spelt: [...new Set(seen.flatMap(({ typed }) => speltWords(typed)))],
    };
  }

  /** The acts of example lines that have just these words, spelt alike. */
  #linesOf({ words, spelt }: ModelText, folded: readonly string[] = []): readonly string[] {
    const isAlike = ({ spelt: line }: KnownLine) =>
      spelt.length === 0 || line.length === 0 || spelt.every((word) => line.includes(word));
    const linesBy = (key: string) => (this.#exact.get(key) ?? []).filter(isAlike).map(({ act }) => act);
    const lines = linesBy(words.join(' '));
    return lines.length > 0 ? lines : linesBy(folded.join(' '));
  }

  /** Words as they are folded; none if a value is among them. */
  #foldingOf(words: readonly Word[]): readonly string[] {
    return words.some(({ value }) => value) ? [] : words.map(({ text }) => text);
  }

  /** The act of a line that is possible here. Lines of a flow from outside come last and win. */
  #exactly(text: ModelText, isPossible: (act: string) => boolean): string | undefined {
    return this.#linesOf(text).findLast(isPossible);
  }

  /** The lines that the words are but for polite ones around them: "dạ không ạ" is "không". */
  #politely(words: readonly string[]): readonly string[] {
    if (words.length > MOST_POLITE_WORDS) return [];
    const isQuiet = (word: string) => this.#quiet.has(word) || this.#assents.has(word);
    const from = words.findIndex((word) => !isQuiet(word));
    const to = words.findLastIndex((word) => !isQuiet(word));
    for (let length = words.length - 1; length > 0; length--) {
      const last = Math.min(from < 0 ? words.length - 1 : from, words.length - length);
      const lines: string[] = [];
      for (let at = Math.max(0, to + 1 - length); at <= last; at++) {
        const beside = [...words.slice(0, at), ...words.slice(at + length)];
        // "Ok thôi" ends nothing.
        const isAssent = beside.some((word) => this.#assents.has(word));
        for (const { act } of this.#exact.get(words.slice(at, at + length).join(' ')) ?? [])
          if (!(isAssent && this.#acts.get(act)?.isEnding)) lines.push(act);
      }
      if (lines.length > 0) return lines;
    }
    return [];
  }

  /** What a text says at a question. */
  read(words: readonly Word[], context: MeaningContext): Meaning {
    const whole = this.#judge(words, context);
    if (whole.p === 1 || whole.p === NOT_QUITE) return whole;
    const clauses = this.#clausesOf(words);
    const isOne = clauses.length < 2;
    const meaning = isOne
      ? this.#turn(words, whole, context)
      : this.#readClauses(clauses, { words, whole }, context);
    if (meaning.act !== '') return meaning;
    return this.#courtesy(words, { ...meaning, guesses: this.#guessAlong(words, meaning, context) }, context);
  }

  /** What some words of a long text may say: dictated texts have no pauses. */
  #guessAlong(words: readonly Word[], { guesses }: Meaning, context: MeaningContext): readonly Guess[] {
    if (words.length < LONG) return guesses;
    const likely = new Map(guesses.map(({ act, p }) => [act, p]));
    const isPossible = (act: string) => this.#isPossible(act, context);
    for (let at = 0; at < Math.min(words.length, MOST_WORDS); at += STEP) {
      const text = this.toModelText(words.slice(at, at + WINDOW));
      for (const { act, p } of addAlike(this.model.guess(text, isPossible), context.place))
        if (p * OF_WINDOW > (likely.get(act) ?? 0)) likely.set(act, p * OF_WINDOW);
    }
    return [...likely].map(([act, p]) => ({ act, p })).sort((one, other) => other.p - one.p);
  }

  #readClauses(
    cut: readonly (readonly Word[])[],
    { words, whole }: { readonly words: readonly Word[]; readonly whole: Meaning },
    context: MeaningContext,
  ): Meaning {
    const part = { ...context, isPart: true } as const;
    const all = cut.map((clause): Clause => {
      const meaning = this.#judge(clause, part);
      const from = this.#denial(clause);
      const isDenied = from >= 0 && this.#denies(meaning.act, this.#judge(clause.slice(from), context).act);
      return { words: clause, meaning, isDropped: isDenied || this.isPlanned(clause) };
    });
    const clauses = all.filter((clause) => !this.#isAside(clause));
    const [only, ...others] = clauses;
    if (!only) return this.#turn(words, whole, context);
    if (others.length > 0) return this.#together(whole, clauses, context);
    // "Không, tích điểm": next to asides, the one clause counts.
    const meaning = this.#turn(only.words, only.meaning, context);
    if (this.#rankOf(meaning.act) > 0) return meaning;
    // "Chào em, …": a greeting is not all that a long text says.
    if (this.#isTelling(only, context)) return only.meaning;
    const isWhole = this.#rankOf(whole.act) > RANKS.indexOf('aside') && !this.#acts.get(whole.act)?.isEnding;
    if (isWhole && only.meaning.p < NOT_QUITE) return this.#turn(words, whole, context);
    const aside = all.find((clause) => this.#isAside(clause));
    return aside ? { ...aside.meaning, p: NOT_QUITE, guesses: whole.guesses } : whole;
  }

  /** Whether a clause next to a courtesy says something unknown. */
  #isTelling(
    { words, meaning: { guesses } }: Omit<Clause, 'isDropped'>,
    { isQuestion }: MeaningContext,
  ): boolean {
    const likely = guesses.find(({ act }) => this.#acts.get(act)?.rank !== 'nothing');
    return words.length > MOST_BESIDE_COURTESY && (isQuestion || (likely?.p ?? 0) >= LIKELY);
  }

  /** "Ok", "không", "cảm ơn": a line that comes with others, and ends nothing. */
  #isAside({ meaning: { act, p } }: Clause): boolean {
    const row = this.#acts.get(act);
    return p >= NOT_QUITE && row?.rank === 'aside' && !row.isEnding;
  }

  /** "Cảm ơn gấu trúc": a courtesy counts next to unknown words. */
  #courtesy(words: readonly Word[], meaning: Meaning, context: MeaningContext): Meaning {
    const likely = meaning.guesses.find(({ act }) => this.#acts.get(act)?.command?.do !== 'talk');
    if (context.hasValue || (likely?.p ?? 0) >= LIKELY) return meaning;
    if (this.#isTelling({ words: words.slice(MOST_COURTESY), meaning }, context)) return meaning;
    const isCourtesy = (act: string) => COURTESIES.has(act);
    for (let length = Math.min(MOST_COURTESY, words.length - 1); length > 0; length--)
      for (const some of [words.slice(0, length), words.slice(-length)]) {
        const act = this.#exactly(this.toModelText(some), isCourtesy);
        if (act !== undefined) return { ...meaning, act };
      }
    return meaning;
  }

  #isPossible(act: string, { place, slot, hasValue }: MeaningContext): boolean {
    const row = this.#acts.get(act);
    const isAsked = row?.slot === undefined || row.slot === slot;
    const isThere = isAsked && (row?.at?.includes(place) ?? true);
    const isFit = hasValue ? row?.withValues === true : row?.isOnlyWithValues !== true;
    return row !== undefined && isThere && isFit;
  }

  /** Its lines count word for word, with polite words around them: the model does not learn them. */
  #isOfSlot(act: string): boolean {
    return this.#acts.get(act)?.slot !== undefined;
  }

  /** Whether a clause denies: what it says, or what stands behind its denial, is a deed. */
  #denies(act: string, denied: string): boolean {
    return this.#isDenying(act) || this.#acts.get(denied)?.isDeed === true;
  }

  /** "Không quét được mã" complains, and denies nothing. */
  #isDenying(act: string): boolean {
    const row = this.#acts.get(act);
    return row === undefined || row.isDeed === true || row.rank === 'aside' || row.rank === 'nothing';
  }

  #judge(words: readonly Word[], context: MeaningContext & PartOfText): Meaning {
    const isPossible = (act: string) => this.#isPossible(act, context);
    const text = this.toModelText(words);
    if (text.words.length === 0) return NOTHING;
    const folded = this.#foldingOf(words);
    const lines = this.#linesOf(text, folded);
    const exact = lines.findLast(isPossible) ?? this.#possibleAs(lines, context);
    if (exact !== undefined) return { act: exact, p: 1, guesses: [{ act: exact, p: 1 }] };
    const isWhole = lines.length > 0 || context.hasValue;
    const plain = isWhole ? [] : this.#politely(text.words);
    const around = isWhole || plain.length > 0 ? plain : this.#politely(folded);
    const possible = around.filter(isPossible);
    const polite =
      possible.length > 0 ? possible.find((act) => act !== 'yes') : this.#possibleAs(around, context);
    const all = addAlike(this.model.guess(text, isPossible), context.place);
    // "Not this one" belongs to another question: it does nothing at this one.
    const isElsewhere =
      possible.length === 0 && [...lines, ...around].some((line) => !this.#acts.get(line)?.isDeed);
    const guesses = isElsewhere ? all.filter(({ act }) => this.#acts.get(act)?.rank !== 'deed') : all;
    // "Đã đổi" is no "đổi": the model must not speak against the line. "Viet dung roi" is no "việt".
    const least = (line: string) => (this.#isLanguage(line) ? (guesses[0]?.p ?? 0) : 0);
    const isLikely = (line: string) =>
      isElsewhere ||
      // The model takes "qua" for a gift.
      plain.length === 0 ||
      this.#isOfSlot(line) ||
      guesses.some(
        ({ act, p }) => p >= Math.max(POSSIBLE, least(line)) && areAlike(act, line, context.place),
      );
    if (polite !== undefined && isLikely(polite)) return { act: polite, p: NOT_QUITE, guesses };
    const guessed = this.#guessed(guesses, context);
    // "Thôi bai, cảm ơn": the line of a farewell ends nothing, whatever the model says.
    const isEnding = (act = '') => this.#acts.get(act)?.isEnding === true;
    const isTorn = polite !== undefined && isEnding(guessed.act) && !isEnding(polite);
    return { ...guessed, ...(isTorn && { act: '' }), unlikely: polite };
  }

  /** What a line of another question says here: "bỏ qua" declines, where nothing can be skipped, too. */
  #possibleAs(lines: readonly string[], context: MeaningContext & PartOfText): string | undefined {
    if (context.isPart) return undefined;
    const isMild = (act: string) => this.#acts.get(act)?.rank === 'aside' && this.#isPossible(act, context);
    return lines.flatMap((line) => alikeTo(line, context.place)).find(isMild);
  }

  #guessed(guesses: readonly Guess[], context: MeaningContext): Meaning {
    const [best] = guesses;
    const row = best && this.#acts.get(best.act);
    if (!best || !row) return { ...NOTHING, guesses };
    // Next to a value, each act but a deed with it must be surer.
    const sure = context.hasValue && row.isSign !== true && row.rank !== 'nothing' ? 'costly' : row.sure;
    const milder = row.milder !== undefined && isSure('plain', best.p) ? row.milder : '';
    return { act: isSure(sure, best.p) ? best.act : context.hasValue ? '' : milder, p: best.p, guesses };
  }

  /** What several clauses say. A wish next to a denial or a plan counts; several wishes are offered. */
  #together(whole: Meaning, clauses: readonly Clause[], context: MeaningContext): Meaning {
    const isTelling = ({ meaning: { act } }: Clause) => {
      const rank = this.#acts.get(act)?.rank;
      return rank === 'deed' || rank === 'question';
    };
    const telling = clauses.filter((clause) => isTelling(clause) && !clause.isDropped);
    const isTorn = clauses.some(({ isDropped }) => isDropped);
    const wishes = this.#actsOfClauses(telling);
    const guesses = mergeGuesses(
      telling.map(({ meaning: { act, p } }) => ({ act, p })),
      whole.guesses,
    );
    const [only, ...others] = wishes;
    if (isTorn) {
      if (only !== undefined && others.length === 0) return { act: only, p: 0.9, guesses };
      if (only !== undefined) return { ...NOTHING, guesses };
      // "Không phải cửa hàng lớn, có điểm không" asks.
      if (this.#acts.get(whole.act)?.rank === 'question') return whole;
      return this.#turnClauses(whole, clauses, context);
    }
    if (others.length > 0) {
      const isDeedOf = (act: string) => this.#acts.get(act)?.isDeed === true;
      const isSafe = whole.act !== '' && !(isDeedOf(whole.act) && context.running !== undefined);
      return isSafe && wishes.includes(whole.act) ? whole : { ...NOTHING, guesses };
    }
    if (only === undefined || only === whole.act) return whole;
    // "Giờ mới biết có tích điểm, còn được không": a question begins nothing. What it asks and the deed are
    // offered.
    const [asked] = whole.guesses;
    const isAsked = context.isQuestion && asked !== undefined && asked.p >= ASKED && this.#isUsual(asked.act);
    if (isAsked && this.#acts.get(only)?.isDeed)
      return { ...NOTHING, guesses: mergeGuesses([asked], guesses) };
    const isHigher = this.#rankOf(only) > this.#rankOf(whole.act);
    const isAmong = whole.guesses.slice(0, AMONG).some(({ act }) => act === only);
    const isLine = telling.some(({ meaning }) => meaning.act === only && meaning.p >= NOT_QUITE);
    if (isHigher && (isAmong || isLine)) return { act: only, p: 0.9, guesses };
    return this.#acts.get(whole.act)?.isEnding ? { ...NOTHING, guesses } : whole;
  }

  /** The acts that count among those of several clauses: deeds, unless a question is much clearer. */
  #actsOfClauses(telling: readonly Clause[]): readonly string[] {
    const rankOf = ({ meaning: { act } }: Clause) => this.#acts.get(act)?.rank;
    const questions = telling.filter(({ meaning: { act } }) => this.#acts.get(act)?.command?.do === 'ask');
    const clearest = Math.max(0, ...questions.map(({ meaning: { p } }) => p));
    const deeds = telling.filter(
      (clause) => rankOf(clause) === 'deed' && clause.meaning.p + CLEARER >= clearest,
    );
    // "Khoan, bao lâu thì có điểm": small talk next to a question says nothing more.
    const isTalk = ({ meaning: { act } }: Clause) => this.#acts.get(act)?.command?.do === 'talk';
    const asking = telling.filter((clause) => !isTalk(clause));
    const wishes = [deeds, asking, telling].find((some) => some.length > 0) ?? [];
    return [...new Set(wishes.map(({ meaning }) => meaning.act))];
  }

  #isUsual(act: string): boolean {
    const command = this.#acts.get(act)?.command;
    return command?.do === 'ask' && command.about === 'answer';
  }

  #rankOf(act: string): number {
    return RANKS.indexOf(this.#acts.get(act)?.rank ?? 'nothing');
  }

  /** Only denials, plans and asides: each deed that is denied turns, the first that is left counts. */
  #turnClauses(whole: Meaning, clauses: readonly Clause[], context: MeaningContext): Meaning {
    for (const { words, meaning, isDropped } of clauses) {
      if (!isDropped) continue;
      const turned = this.#turn(words, meaning, context);
      const isWhole = whole.guesses[0]?.act === turned.act || this.#acts.get(turned.act)?.isEnding !== true;
      if (turned.act !== '' && isWhole) return { ...turned, guesses: whole.guesses };
    }
    const isDeed = this.#acts.get(whole.act)?.isDeed === true;
    return isDeed ? { ...whole, act: '' } : whole;
  }

  /** A denied deed is none, and a plan waits: "đừng huỷ" cancels nothing. */
  #turn(words: readonly Word[], meaning: Meaning, context: MeaningContext): Meaning {
    const { running, place, isQuestion } = context;
    const { act, p } = meaning;
    const row = this.#acts.get(act);
    if (p === 1 || (act !== '' && !row?.isDeed)) return meaning;
    const from = isQuestion ? -1 : this.#denial(words);
    if (from < 0)
      return this.isPlanned(words) && row && !row.isEnding ? { ...meaning, act: 'talk wait' } : meaning;
    const denied = this.#judge(words.slice(from), context);
    const [likely] = denied.guesses;
    const deed = act === '' ? denied.act : act;
    // A denial and what it denies never mean the same; "không đổi nữa" ends surer than "đổi nữa".
    const isDeed = this.#acts.get(deed)?.isDeed === true && this.#isDenying(meaning.guesses[0]?.act ?? '');
    if (!isDeed || likely?.act !== deed || (act !== '' && likely.p <= p)) return meaning;
    const language = this.#otherLanguage(deed);
    if (language !== undefined) return { ...meaning, act: language };
    if (!deed.startsWith('start ')) return { ...meaning, act: 'talk remark' };
    return {
      ...meaning,
      act: deed === running ? 'cancel' : place === 'nothing' ? 'cancel mild' : 'talk remark',
    };
  }

  /** Whether the act wishes for a language. */
  #isLanguage(act: string): boolean {
    return this.#acts.get(act)?.command?.do === 'speak';
  }

  /** "I don't speak English" wishes for the other language. */
  #otherLanguage(act: string): string | undefined {
    const [other, ...more] = [...this.#acts.keys()].filter((name) => this.#isLanguage(name) && name !== act);
    return this.#isLanguage(act) && more.length === 0 ? other : undefined;
  }

  /** Where the denied words begin; -1 without a denial. A denial at the end asks ("được không"). */
  #denial(words: readonly Word[]): number {
    const texts = words.map(({ text }) => text);
    for (let at = 0; at < texts.length; at++) {
      const found = phraseAt(this.#denials, texts, at);
      if (!found) continue;
      const isLast = texts.slice(found.to).every((text) => this.#quiet.has(text));
      // "Không tích điểm được" complains.
      const last = texts.findLast((text) => !this.#quiet.has(text)) ?? '';
      if (found.value && !isLast && !this.#possible.has(last)) return found.to;
      at = found.to - 1;
    }
    return -1;
  }

  /** The likeliest of some questions that the text or one of its clauses asks next to something else. */
  findAside(
    words: readonly Word[],
    { place, slot, running }: Pick<MeaningContext, 'place' | 'slot' | 'running'>,
    acts: ReadonlySet<string>,
  ): string | undefined {
    const context = { place, slot, running, hasValue: false, isQuestion: true };
    const guesses = [words, ...this.#clausesOf(words)].flatMap((some) => this.#judge(some, context).guesses);
    const [best] = guesses.filter(({ act }) => acts.has(act)).sort((one, other) => other.p - one.p);
    return best && isSure('mild', best.p) ? best.act : undefined;
  }

  /** Whether the words ask for something to be done: "giúp mình", "please". */
  isRequested(words: readonly Word[]): boolean {
    const texts = words.map(({ text }) => text);
    return texts.some((_, at) => phraseAt(this.#requests, texts, at) !== undefined);
  }

  /** Whether the words speak of later: "mai", "lát nữa". */
  isPlanned(words: readonly Word[]): boolean {
    const texts = words.map(({ text }) => text);
    return texts.some((_, at) => phraseAt(this.#plans, texts, at) !== undefined);
  }

  /** The clauses of a text: cut at pauses and before words of contrast. */
  #clausesOf(words: readonly Word[]): readonly (readonly Word[])[] {
    const texts = words.map(({ text }) => text);
    const clauses: Word[][] = [[]];
    for (let at = 0; at < words.length; at++) {
      const word = words[at];
      const contrast = phraseAt(this.#contrasts, texts, at);
      if (word?.source.pause || contrast) clauses.push([]);
      // "Nhưng" says nothing by itself; "không phải" denies.
      const isSilent = contrast && phraseAt(this.#denials, texts, at) === undefined;
      if (isSilent) at = contrast.to - 1;
      else if (word) clauses.at(-1)?.push(word);
    }
    return clauses.filter((clause) => clause.some(({ value }) => !value || value.kind === 'gift'));
  }
}

function mergeGuesses(sure: readonly Guess[], guesses: readonly Guess[]): readonly Guess[] {
  const acts = new Set(sure.map(({ act }) => act));
  const first = [...acts].flatMap((act) => sure.find((guess) => guess.act === act) ?? []);
  return [...first, ...guesses.filter(({ act }) => !acts.has(act))];
}
