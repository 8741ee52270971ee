import type { SlotKind } from '../commands.ts';
import { type Clause, Clauses } from './clauses.ts';
import { PERIOD, type PhraseBook, type Word } from './lists.ts';
import { isOff, type Mechanism } from './mechanisms.ts';
import { type Guess, type Lesson, Model, type ModelText } from './model.ts';
import type { Acts, Place } from './table.ts';
import { addAlike, alikeTo, areAlike, BESIDE_VALUE, isSure, LIKELY, POSSIBLE, RANKS } from './table.ts';
import { isAscii, remembered, speltWords } from './tokens.ts';
import type { ValueReader } from './values.ts';
import type { Example } from './vocabulary.ts';

/*
 * Step 4: what a text says, as acts. A line of the files says what it says; any other text what the model is
 * sure of, over the whole and over each clause. What is denied or planned is not done.
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
  /** A yes and nothing else, by the lists: points depend on it. */
  readonly isYes?: true | undefined;
  /** Usual questions that other clauses ask. */
  readonly beside: readonly string[];
};

/** What is known of a text besides its words. */
export type ActContext = {
  readonly place: Place;
  /** The value that is asked for. */
  readonly slot: SlotKind | undefined;
  /** The act of the running flow: `start redeem`. */
  readonly running: string | undefined;
  /** The text brings a code, a phone or an e-mail. */
  readonly hasValue: boolean;
  readonly isQuestion: boolean;
};

/** A question of the operator, in the words of customers. */
export type OwnQuestion = { readonly id: string; readonly texts: readonly string[] };

/** The words are one of several clauses: "… gõ hổng nổi" declines nothing. */
type PartOfText = { readonly isPart?: true };

type KnownLine = { readonly act: string; readonly spelt: readonly string[] };
type Judged = { readonly clause: Clause; readonly meaning: Meaning; readonly isDropped: boolean };

/** Questions about a value that was refused: a new value answers them. */
const FAULTS: ReadonlySet<string> = new Set(['ask code.wrong', 'ask phone.wrong', 'ask email.wrong']);

const NOTHING: Meaning = { act: '', p: 0, guesses: [], beside: [] };
/** The name of a gift, and the words for any, as the model sees them. */
const GIFT = '§gift';
/** A longer text is no example with polite words around it. */
const MOST_POLITE_WORDS = 10;
/** How sure a line with polite words around it is. */
export const NOT_QUITE = 0.99;
/** How sure an act is that one of several clauses says. */
const OF_CLAUSE = 0.9;
/** Dictated texts have no pauses: a text of this many words is also read in parts of `WINDOW` words. */
const LONG = 16;
const WINDOW = 9;
const STEP = 4;
/** Only the beginning of a longer text counts. */
const MOST_WORDS = 80;
/** At most this many clauses are judged. */
const MOST_CLAUSES = 8;
/** How much less likely a meaning of a part is than one of the whole. */
const OF_WINDOW = 0.6;
/** An act of a clause counts if the whole has it among its first few. */
const AMONG = 5;
/** How likely a usual question of the whole must be (0–1) for a deed in one of its clauses not to be done. */
const ASKED = 0.5;
/** At most this many usual questions of one message are answered. */
const MOST_ASKED = 2;

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

export class ActReader {
  readonly model: Model;
  readonly clauses: Clauses;
  readonly #book: PhraseBook;
  readonly #wordsOf: ValueReader['wordsOf'];
  readonly #acts: Acts;
  readonly #off: Mechanism | undefined;
  /** Example lines, by their words as the model sees them, and as they are folded. */
  readonly #exact = new Map<string, KnownLine[]>();
  readonly #quiet: ReadonlySet<string>;
  /** Words that are a yes or thanks by themselves. */
  readonly #assents: ReadonlySet<string>;
  readonly #gifts: ReadonlySet<string>;
  readonly #withMarks: ReadonlySet<string>;

  constructor(
    { book, wordsOf }: Pick<ValueReader, 'book' | 'wordsOf'>,
    acts: Acts,
    { own, off }: { readonly own: readonly OwnQuestion[]; readonly off?: Mechanism | undefined },
  ) {
    const { vocabulary } = book;
    this.#book = book;
    this.#wordsOf = wordsOf;
    this.#acts = acts;
    this.#off = off;
    this.#quiet = new Set([...book.polite, ...vocabulary.list('assents')]);
    const asides = vocabulary.examples.filter(({ act }) => act === 'yes' || act === 'talk thanks');
    const assents = asides.flatMap(({ text }) => (text.includes(' ') ? [] : vocabulary.foldings(text)));
    this.#assents = new Set(assents).difference(this.#quiet);
    this.#gifts = new Set(vocabulary.list('gifts').filter((word) => !word.includes(' ')));
    this.#withMarks = new Set(vocabulary.list('with marks only'));
    this.clauses = new Clauses(vocabulary, this.#quiet);
    this.model = new Model(this.#lessons(own));
  }

  /** One line at a time: what the model has taken from it is forgotten. */
  *#lessons(own: readonly OwnQuestion[]): Iterable<Lesson> {
    const { examples, heard } = this.#book.vocabulary;
    for (const example of examples) {
      const words = this.#wordsOf(example.text);
      const lesson = this.#toLesson(example, words);
      this.#addLine(lesson, foldingOf(words));
      if (this.#acts.get(lesson.act)?.slot === undefined) yield lesson;
    }
    for (const example of heard)
      if (this.#acts.has(example.act)) yield this.#toLesson(example, this.#wordsOf(example.text));
    for (const { id, texts } of own)
      for (const text of texts) {
        const words = this.#wordsOf(text);
        const lesson = { act: `ask ${id}`, variants: [this.#toModelText(words)] } as const;
        this.#addLine(lesson, foldingOf(words));
        yield lesson;
      }
    const written = BESIDE_VALUES.flatMap((list) => this.#book.vocabulary.written(list));
    // Words next to values say nothing by themselves.
    for (const text of new Set(written))
      yield { act: BESIDE_VALUE, variants: [this.#toModelText(this.#wordsOf(text))] };
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

  /** What is said around a line of a language and changes nothing. */
  readonly #fillersOf = remembered((locale: string) => {
    const phrasesOf = (name: string) =>
      this.#book.vocabulary.lists
        .filter((list) => list.locale === locale && list.name === name)
        .flatMap(({ phrases }) => phrases.map((phrase) => this.#book.plainly(phrase)));
    return {
      polite: phrasesOf('polite'),
      before: phrasesOf('before a line'),
      behind: phrasesOf('behind a line'),
    };
  });

  /** A line, and the same with words around it that change nothing, some of them without the marks. */
  #toLesson({ text, act, locale }: Example, words: readonly Word[]): Lesson {
    const plain = this.#toModelText(words);
    if (isOff(this.#off, 'fillers')) return { act, variants: [plain] };
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
    return { act, variants: [plain, { ...plain, words: politely, spelt }, { ...plain, words: wordy }] };
  }

  /** Words as the model sees them: values are left out, gifts are one word, numbers are one. */
  #toModelText(words: readonly Word[]): ModelText {
    const seen = words.flatMap(({ text, source, value, isBare }): { text: string; typed: string }[] => {
      if (value) return value.kind === 'gift' ? [{ text: GIFT, typed: '' }] : [];
      if (text === PERIOD) return [{ text, typed: '' }];
      if (/^\d+$/.test(text)) return [{ text: '0', typed: '' }];
      const isGift = this.#gifts.has(text) && !(isBare && this.#withMarks.has(text));
      return [{ text: isGift ? GIFT : text, typed: isAscii(source.text) ? '' : source.text }];
    });
    const denied = isOff(this.#off, 'denial marks') ? [] : this.clauses.deniedIn(words);
    const isDenied = new Set(denied);
    const spelt = isOff(this.#off, 'spellings') ? [] : seen.flatMap(({ typed }) => speltWords(typed));
    return {
      words: seen.map(({ text }) => text),
      spelt: [...new Set(spelt)],
      denied: [...isDenied].map(({ text }) => text),
    };
  }

  /** The acts of example lines that have just these words, spelt alike. Lines of a flow from outside win. */
  #linesOf({ words, spelt }: ModelText, folded: readonly string[]): readonly string[] {
    const isAlike = ({ spelt: line }: KnownLine) =>
      spelt.length === 0 || line.length === 0 || spelt.every((word) => line.includes(word));
    const linesBy = (key: string) => (this.#exact.get(key) ?? []).filter(isAlike).map(({ act }) => act);
    const lines = linesBy(words.join(' '));
    return lines.length > 0 ? lines : linesBy(folded.join(' '));
  }

  /** The lines that the words are but for polite ones around them: "dạ không ạ" is "không". */
  #politely(words: readonly string[]): readonly string[] {
    if (words.length > MOST_POLITE_WORDS || isOff(this.#off, 'polite lines')) return [];
    const isQuiet = (word: string) => this.#quiet.has(word) || this.#assents.has(word);
    const from = words.findIndex((word) => !isQuiet(word));
    const to = words.findLastIndex((word) => !isQuiet(word));
    for (let length = words.length - 1; length > 0; length--) {
      const last = Math.min(from < 0 ? words.length - 1 : from, words.length - length);
      const lines: string[] = [];
      for (let at = Math.max(0, to + 1 - length); at <= last; at++)
        for (const { act } of this.#exact.get(words.slice(at, at + length).join(' ')) ?? []) {
          const beside = [...words.slice(0, at), ...words.slice(at + length)];
          // "Ok thôi" ends nothing.
          const isAssent = beside.some((word) => this.#assents.has(word));
          if (!(isAssent && this.#acts.get(act)?.isEnding)) lines.push(act);
        }
      if (lines.length > 0) return lines;
    }
    return [];
  }

  /** What a text says at a place. */
  read(words: readonly Word[], context: ActContext): Meaning {
    const whole = this.#withQuestion(words, this.#judge(words, context), context);
    const cut = isOff(this.#off, 'clauses') ? [] : this.clauses.cut(words).slice(0, MOST_CLAUSES);
    if (whole.p >= NOT_QUITE) return whole;
    if (cut.length < 2)
      return this.#withWindows(words, this.#undo(this.clauses.read(words), whole, context), context);
    const judged = cut.map((clause): Judged => {
      // A clause without a value asks or wishes by itself.
      const hasValue = context.hasValue && clause.words.some(({ value }) => value && value.kind !== 'gift');
      const meaning = this.#judge(clause.words, { ...context, hasValue, isPart: true });
      const denied = clause.denied.length > 0 ? this.#judge(clause.denied, context).act : '';
      const isDenied =
        clause.denied.length > 0 && (this.#isDenying(meaning.act) || this.#acts.get(denied)?.isDeed === true);
      const isLine = meaning.p >= NOT_QUITE && this.#acts.get(meaning.act)?.rank === 'aside';
      return { clause, meaning, isDropped: !isLine && (isDenied || clause.isPlan) };
    });
    return this.#withWindows(words, this.#merge(whole, judged, context), context);
  }

  /** Beside a value: the usual question that the words ask. */
  #withQuestion(words: readonly Word[], meaning: Meaning, context: ActContext): Meaning {
    if (!context.hasValue || !context.isQuestion) return meaning;
    const { act, p, guesses } = this.#judge(words, { ...context, hasValue: false });
    const [best = { act, p }] = guesses;
    const isAsked = this.#isUsual(best.act) && !FAULTS.has(best.act) && isSure('mild', best.p);
    return isAsked ? { ...meaning, beside: [best.act] } : meaning;
  }

  /** "Không quét được mã" complains, and denies nothing. */
  #isDenying(act: string): boolean {
    const row = this.#acts.get(act);
    return row === undefined || row.isDeed === true || row.rank === 'aside' || row.rank === 'nothing';
  }

  /** What some words of a long text may say. */
  #withWindows(words: readonly Word[], meaning: Meaning, context: ActContext): Meaning {
    if (words.length < LONG || meaning.act !== '' || isOff(this.#off, 'windows')) return meaning;
    const likely = new Map(meaning.guesses.map(({ act, p }) => [act, p]));
    for (let at = 0; at < Math.min(words.length, MOST_WORDS); at += STEP)
      for (const { act, p } of this.#guess(words.slice(at, at + WINDOW), context))
        if (p * OF_WINDOW > (likely.get(act) ?? 0)) likely.set(act, p * OF_WINDOW);
    const guesses = [...likely].map(([act, p]) => ({ act, p })).sort((one, other) => other.p - one.p);
    return { ...meaning, guesses };
  }

  #guess(words: readonly Word[], context: ActContext): readonly Guess[] {
    const isPossible = (act: string) => this.#isPossible(act, context);
    return addAlike(this.model.guess(this.#toModelText(words), isPossible), context.place);
  }

  #isPossible(act: string, { place, slot, hasValue }: ActContext): boolean {
    const row = this.#acts.get(act);
    const isAsked = row?.slot === undefined || row.slot === slot;
    const isThere = isAsked && (row?.at?.includes(place) ?? true);
    const isFit = hasValue ? row?.withValues === true : row?.isOnlyWithValues !== true;
    return row !== undefined && isThere && isFit;
  }

  /** What some words say: a line of the files, or what the model is sure of. */
  #judge(words: readonly Word[], context: ActContext & PartOfText): Meaning {
    const isPossible = (act: string) => this.#isPossible(act, context);
    const text = this.#toModelText(words);
    if (text.words.length === 0) return NOTHING;
    const folded = foldingOf(words);
    const lines = this.#linesOf(text, folded);
    const exact = lines.findLast(isPossible) ?? this.#alike(lines, context);
    if (exact !== undefined) return { ...NOTHING, act: exact, p: 1, guesses: [{ act: exact, p: 1 }] };
    const plain = lines.length > 0 || context.hasValue ? [] : this.#politely(text.words);
    const around = lines.length > 0 || context.hasValue || plain.length > 0 ? plain : this.#politely(folded);
    const possible = around.filter(isPossible);
    const polite = possible.length > 0 ? possible.find((act) => act !== 'yes') : this.#alike(around, context);
    // "Not this one" belongs to another question: it does nothing at this one.
    const isElsewhere =
      possible.length === 0 && [...lines, ...around].some((line) => !this.#acts.get(line)?.isDeed);
    const all = this.#guess(words, context);
    const guesses = isElsewhere ? all.filter(({ act }) => this.#acts.get(act)?.rank !== 'deed') : all;
    // "Đã đổi" is no "đổi": the model must not speak against the line.
    const isLikely = (line: string) =>
      isElsewhere ||
      plain.length === 0 ||
      this.#acts.get(line)?.slot !== undefined ||
      guesses.some(({ act, p }) => p >= POSSIBLE && areAlike(act, line, context.place));
    if (polite !== undefined && isLikely(polite)) return { ...NOTHING, act: polite, p: NOT_QUITE, guesses };
    const guessed = this.#guessed(guesses, context);
    // "Thôi bai, cảm ơn": the line of a farewell ends nothing, whatever the model says.
    const isEnding = (act = '') => this.#acts.get(act)?.isEnding === true;
    const isTorn = polite !== undefined && isEnding(guessed.act) && !isEnding(polite);
    return { ...guessed, ...(isTorn && { act: '' }), unlikely: polite };
  }

  /** What a line of another question says here: "bỏ qua" declines, where nothing can be skipped, too. */
  #alike(lines: readonly string[], context: ActContext & PartOfText): string | undefined {
    if (context.isPart) return undefined;
    const isMild = (act: string) => this.#acts.get(act)?.rank === 'aside' && this.#isPossible(act, context);
    return lines.flatMap((line) => alikeTo(line, context.place)).find(isMild);
  }

  #guessed(guesses: readonly Guess[], { hasValue }: ActContext): Meaning {
    const [best] = guesses;
    const row = best && this.#acts.get(best.act);
    if (!best || !row) return { ...NOTHING, guesses };
    // Next to a value, each act but a deed with it must be surer.
    const sure = hasValue && row.isSign !== true && row.rank !== 'nothing' ? 'costly' : row.sure;
    const milder = row.milder !== undefined && isSure('plain', best.p) ? row.milder : '';
    const act = isSure(sure, best.p) ? best.act : hasValue ? '' : milder;
    return { ...NOTHING, act, p: best.p, guesses };
  }

  /** Whether a clause denies the deed that it names: what stands behind its denial says the same, and surer. */
  #isDenied({ denied }: Clause, act: string, context: ActContext): boolean {
    if (denied.length === 0) return false;
    const [likely] = this.#judge(denied, context).guesses;
    return likely?.act === act;
  }

  /** A denied deed is none, and a plan waits: "đừng huỷ" cancels nothing. */
  #undo(clause: Clause, meaning: Meaning, context: ActContext): Meaning {
    const { act, p } = meaning;
    const [likely] = meaning.guesses;
    const row = this.#acts.get(act === '' ? (likely?.act ?? '') : act);
    if (p >= NOT_QUITE || !row?.isDeed || context.isQuestion) return meaning;
    if (clause.isPlan && !row.isEnding) return { ...meaning, act: 'talk wait' };
    if (act === '' || !this.#isDenied(clause, act, context)) return meaning;
    return {
      ...meaning,
      act: act === context.running ? 'cancel' : act.startsWith('start ') ? 'talk remark' : '',
    };
  }

  /** What several clauses say: the act of the highest rank, and the questions that the others ask. */
  #merge(whole: Meaning, judged: readonly Judged[], context: ActContext): Meaning {
    const told = judged.filter(({ meaning: { act }, isDropped }) => this.#rankOf(act) > 1 && !isDropped);
    const isTorn = judged.some(({ isDropped }) => isDropped);
    const deeds = actsOf(told.filter(({ meaning: { act } }) => this.#acts.get(act)?.rank === 'deed'));
    const questions = actsOf(told.filter(({ meaning: { act } }) => this.#isUsual(act)));
    const said = told.map(({ meaning: { act, p } }) => ({ act, p }));
    const guesses = mergeGuesses(said, whole.guesses);
    const beside = [...new Set([...questions, ...whole.beside])]
      .filter((act) => act !== whole.act)
      .slice(0, MOST_ASKED);
    const [deed, ...others] = deeds;
    const [asked] = whole.guesses;
    const isAsked = context.isQuestion && asked !== undefined && asked.p >= ASKED && this.#isUsual(asked.act);
    if (deed !== undefined && others.length === 0) {
      // "Giờ mới biết có tích điểm, còn được không": a question begins nothing.
      if (isAsked && this.#acts.get(deed)?.isDeed && !isTorn)
        return { ...NOTHING, guesses: mergeGuesses([asked], guesses) };
      const isAmong = whole.guesses.slice(0, AMONG).some(({ act }) => act === deed);
      const isLine = told.some(({ meaning }) => meaning.act === deed && meaning.p >= NOT_QUITE);
      if (deed === whole.act || isAmong || isLine || isTorn)
        return { act: deed, p: Math.max(OF_CLAUSE, deed === whole.act ? whole.p : 0), guesses, beside };
    }
    if (others.length > 0) {
      const isSafe = deeds.includes(whole.act) && !(this.#acts.get(whole.act)?.isEnding === true);
      return isSafe ? { ...whole, guesses, beside } : { ...NOTHING, guesses, beside };
    }
    const [question, ...more] = questions;
    if (question !== undefined && this.#rankOf(whole.act) < RANKS.indexOf('deed'))
      return { act: question, p: OF_CLAUSE, guesses, beside: more.slice(0, MOST_ASKED - 1) };
    const [first] = told;
    if (whole.act === '' && first) return { ...first.meaning, guesses, beside: [] };
    if (isTorn && this.#acts.get(whole.act)?.rank === 'deed') return { ...NOTHING, guesses, beside };
    if (whole.act !== '' || told.length > 0) return { ...whole, guesses, beside };
    // Next to asides, the one clause that says something counts.
    const asides = judged.filter(({ meaning: { act, p } }) => act !== '' && p >= NOT_QUITE);
    // "No, never mind" ends.
    const aside = asides.find(({ meaning: { act } }) => this.#acts.get(act)?.isEnding) ?? asides[0];
    const open = judged.some(
      ({ meaning: { act, guesses: some } }) => act === '' && (some[0]?.p ?? 0) >= LIKELY,
    );
    return aside && !open ? { ...aside.meaning, guesses } : { ...whole, guesses };
  }

  #isUsual(act: string): boolean {
    const command = this.#acts.get(act)?.command;
    return command?.do === 'ask' && command.about === 'answer';
  }

  #rankOf(act: string): number {
    return RANKS.indexOf(this.#acts.get(act)?.rank ?? 'nothing');
  }
}

/** Words as they are folded; none if a value is among them. */
const foldingOf = (words: readonly Word[]): readonly string[] =>
  words.some(({ value }) => value) ? [] : words.map(({ text }) => text);

const actsOf = (some: readonly Judged[]): readonly string[] => [
  ...new Set(some.map(({ meaning }) => meaning.act)),
];

function mergeGuesses(sure: readonly Guess[], guesses: readonly Guess[]): readonly Guess[] {
  const acts = new Set(sure.map(({ act }) => act));
  const first = [...acts].flatMap((act) => sure.find((guess) => guess.act === act) ?? []);
  return [...first, ...guesses.filter(({ act }) => !acts.has(act))];
}
