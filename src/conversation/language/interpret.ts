import type { Expecting, Interpretation, Interpreter, Reading, SlotKind, TextCommand } from '../commands.ts';
import { LOCALES, type Locale, type LocalizedText } from '../message.ts';
import { codeInLink, isArticleNumber, linkOf, parseCode, splitCodes } from '../values/code.ts';
import { ActReader, type Meaning, NOT_QUITE, type OwnQuestion } from './acts.ts';
import { toCommands } from './commands.ts';
import { ConsentReader, pickByNumber, readAs, readAsked, wrong, YesReader } from './exact.ts';
import { findHeadingFaults } from './headings.ts';
import { isIn, type Part, PhraseBook } from './lists.ts';
import type { Mechanism } from './mechanisms.ts';
import type { Said } from './said.ts';
import { type Acts, createActs } from './table.ts';
import { isAscii, visible } from './tokens.ts';
import { bringsValue, type SpokenFlow, says, ValueReader, type Values } from './values.ts';
import { toGiven } from './values-given.ts';
import { createLocaleOf, type Vocabulary } from './vocabulary.ts';

/*
 * Makes commands of texts, in five steps: tokens, values, clauses, acts, commands. What is nothing but an
 * answer to the question (`exact.ts`) needs none of them.
 */

/**
 * An operator's answer to a question. `id`: an id of the language files or a new one; a metric has it as a
 * label, so `operator-files.ts` bounds it. `asks`: more questions, as customers write them.
 */
export type Answer = {
  readonly id: string;
  readonly asks?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly answer: LocalizedText;
};

export type InterpreterOptions = {
  readonly vocabulary: Vocabulary;
  readonly flows: readonly SpokenFlow[];
  /** Slash commands, without the slash, with what they stand for: `start redeem`. */
  readonly commands: ReadonlyMap<string, string>;
  /** The operator's answers. */
  readonly answers: readonly Pick<Answer, 'id' | 'asks'>[];
  /** The ids of all questions that have an answer; not those that only the shop can answer. */
  readonly answered: ReadonlySet<string>;
  /** A mechanism that is switched off, to measure what it is worth. */
  readonly off?: Mechanism | undefined;
};

type Commands = readonly TextCommand[];

/** What may take a consent back. */
const TAKES_BACK: ReadonlySet<TextCommand['do']> = new Set([
  'no',
  'none',
  'cancel',
  'remember',
  'yes',
  'talk',
]);
const ASKS_OF_CONSENT: Commands = [{ do: 'ask', about: 'answer', id: 'consent.what' }];
/** Acts that ask for a change of a value that stands. */
const CHANGES: ReadonlySet<string> = new Set([
  'change',
  'no',
  'none',
  'other',
  'remove',
  'ask code.wrong',
  'ask phone.wrong',
  'ask email.wrong',
]);
/** Headings whose lines may be a yes: "ok, cảm ơn". */
/** Commands that only ask: they change no codes that they name by a place. */
const ASIDE: ReadonlySet<string> = new Set(['ask', 'show', 'status']);
const YES_LINES: ReadonlySet<string> = new Set(['yes', 'talk thanks', 'talk greeting']);
const NO_WORDS: Meaning = { act: '', p: 0, guesses: [], beside: [] };
/** A longer text is not the rest of a value. */
const MAX_REST = 40;
/** A longer text does not leave a person. */
const MAX_LEAVING = 10;
const NOWHERE: Expecting = { place: 'nothing', buttons: () => [], codes: [], references: [] };
const ANYWHERE: Reading = { settings: { gifts: [], codePrefixes: [], timeZone: 'UTC' }, nowMs: 0 };

/**
 * Makes commands of texts. Construct it once: learning the language files takes a second of processor.
 *
 * @throws {Error} if a heading of the language files is no act: it names the file, the line and the heading.
 */
export class LanguageInterpreter implements Interpreter {
  readonly values: ValueReader;
  readonly acts: Acts;
  readonly meanings: ActReader;
  readonly #yes: YesReader;
  readonly #consent: ConsentReader;
  readonly #book: PhraseBook;
  readonly #localeOf: (text: string, isFirst?: boolean) => string | undefined;
  readonly #language: InterpreterOptions;

  constructor(language: InterpreterOptions) {
    const { vocabulary, flows, commands, answers, off } = language;
    this.acts = createActs(
      flows.map(({ name }) => name),
      answers.map(({ id }) => id),
    );
    const faults = findHeadingFaults(vocabulary, this.acts);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    this.#book = new PhraseBook(vocabulary, this.acts);
    this.values = new ValueReader(this.#book, flows, commands);
    const own = answers.map(({ id, asks = {} }): OwnQuestion => ({ id, texts: Object.values(asks).flat() }));
    this.meanings = new ActReader(this.values, this.acts, { own, off });
    this.#yes = new YesReader(this.#book);
    this.#consent = new ConsentReader(this.#book);
    this.#localeOf = createLocaleOf(vocabulary);
    this.#language = language;
  }

  interpret(text: string, expecting: Expecting, reading: Reading): Interpretation {
    const exact = this.#readExact(text, expecting, reading);
    if (exact) return { commands: exact, why: NO_WORDS };
    const values = this.values.read(text, expecting, reading);
    const isQuestion = this.#isQuestion(values);
    const meaning = this.#meaningOf(values, { expecting, isQuestion });
    const said = this.#saidOf({ values, meaning, isQuestion }, expecting, reading);
    return { commands: toCommands(said), why: said.meaning };
  }

  /** Step 0: a text that is nothing but an answer to the question. */
  #readExact(text: string, expecting: Expecting, reading: Reading): Commands | undefined {
    return (
      (expecting.piece === undefined ? undefined : this.#readRest(text, expecting.piece, reading)) ??
      pickByNumber(text, expecting) ??
      this.#readConsent(text, expecting, reading) ??
      readAsked(text, expecting, { reading, values: this.values })
    );
  }

  /** The value that the text before began: "0867", "123456". It is a guess. */
  #readRest(text: string, piece: string, reading: Reading): Commands | undefined {
    if (text.length > MAX_REST || bringsValue(this.values.read(text, NOWHERE, reading))) return undefined;
    const { mentions, rest } = this.values.read(`${piece} ${text}`, NOWHERE, reading);
    const [only, ...others] = mentions;
    // A piece that is a value by itself waits for no rest.
    const isWhole = bringsValue(this.values.read(piece, NOWHERE, reading));
    if (!only || isWhole || others.length + rest.length > 0) return undefined;
    const { value } = only;
    if (value.kind === 'code') return [{ do: 'add', codes: [value.code] }];
    const contact = value.kind === 'phone' ? value.phone : value.kind === 'email' ? value.email : undefined;
    if (!contact?.ok) return undefined;
    const slot = value.kind === 'phone' ? 'phone' : 'email';
    return [{ do: 'set', slot, doubt: { why: 'spoken', meant: contact.value } }];
  }

  #readConsent(text: string, expecting: Expecting, reading: Reading): Commands | undefined {
    const { asksConsent, offersConsent, ...others } = expecting;
    // Not the last thing that was said: its buttons are shown once more.
    if (!asksConsent && offersConsent && this.#consent.isAnswer(text)) return ASKS_OF_CONSENT;
    if (!asksConsent) return undefined;
    const read = this.#consent.read(text);
    if (!read) return undefined;
    const more = read.rest === '' ? [] : this.interpret(read.rest, others, reading).commands;
    // "Nhớ đi, à thôi đừng".
    if (read.given && more.some((command) => TAKES_BACK.has(command.do))) return undefined;
    const isAsking = this.#book.isQuestion(read.rest);
    const wishes = more.filter(
      ({ do: does }) => does !== 'unclear' && !TAKES_BACK.has(does) && (does !== 'ask' || isAsking),
    );
    return [{ do: 'remember', given: read.given }, ...wishes];
  }

  /** The act of a text: of its slash command, or of its words. */
  #meaningOf(
    values: Values,
    { expecting, isQuestion }: { readonly expecting: Expecting; readonly isQuestion: boolean },
  ): Meaning {
    const { command, words, text } = values;
    if (words.length === 0 && text.includes('?')) return sureOf(command ?? 'ask what');
    if (command !== undefined && command !== 'show languages') return sureOf(command);
    const meaning = this.meanings.read(words, {
      place: expecting.place,
      slot: expecting.place === 'slot' ? expecting.kind : undefined,
      running: expecting.flow && `start ${expecting.flow}`,
      hasValue: bringsValue(values),
      isQuestion,
    });
    // "/language english" names one.
    if (command !== undefined) return meaning.act.startsWith('speak ') ? meaning : sureOf(command);
    // "Thank u" is thanks, though "u" is a yes.
    const isThanks =
      meaning.act === 'talk thanks' && (expecting.place === 'nothing' || expecting.place === 'page');
    const line = meaning.p < NOT_QUITE ? meaning.unlikely : meaning.act;
    const isYes = this.#yes.isYes(values) && !isThanks && (line === undefined || YES_LINES.has(line));
    return isYes ? { ...meaning, act: 'yes', isYes } : meaning;
  }

  #saidOf({ values, meaning: read, isQuestion }: Read, expecting: Expecting, reading: Reading): Said {
    const { flows, off, answered } = this.#language;
    const isBare = !bringsValue(values);
    const giftFlow = flows.find(({ slots }) => slots.includes('gift'));
    const place = {
      values,
      expecting,
      reading,
      isQuestion,
      off,
      isChange: CHANGES.has(read.act),
      isRemoval: read.act === 'remove',
      isAside: ASIDE.has(this.acts.get(read.act)?.command?.do ?? ''),
    };
    const given = toGiven(place);
    const isRest = this.acts.get(read.act)?.rank === 'nothing';
    // A guessed remark that asks is a question without an answer.
    const act = isRest || (read.act === 'talk remark' && isQuestion && read.p < 1) ? '' : read.act;
    return {
      values,
      given,
      meaning: { ...read, act },
      expecting,
      reading,
      giftFlow,
      flow: flows.find(({ name }) => name === expecting.flow),
      starts: flows.find(({ name }) => act === `start ${name}`),
      isYes: read.isYes === true,
      isNearlyYes: this.#yes.isNearly(values),
      isBare,
      isQuestion,
      isGiftApart: expecting.kind === 'gift' && given.gift.length > 0 && this.#isGiftApart(values),
      isPlan: values.period?.fault === 'period.future' || this.meanings.clauses.read(values.words).isPlan,
      acts: this.acts,
      reader: this.values,
      isAnswered: (id) => answered.has(id),
      off,
    };
  }

  /** Whether a text asks, its values aside: "không ba" at the end of a number does not. */
  #isQuestion({ text, words }: Values): boolean {
    const others = words.filter(({ value }) => !value || value.kind === 'gift');
    if (others.length === words.length) return this.#book.isQuestion(text);
    const end = text.trimEnd().endsWith('?') ? ['?'] : [];
    return this.#book.isQuestion([...others.map(({ source }) => source.text), ...end].join(' '));
  }

  #isGiftApart({ words }: Values): boolean {
    const clauses = this.meanings.clauses.cut(words);
    return (
      clauses.length > 1 &&
      clauses.some((clause) => {
        const text = clause.words.map(({ source }) => source.text).join(' ');
        return clause.words.some(({ value }) => value?.kind === 'gift') && !this.#book.isQuestion(text);
      })
    );
  }

  /* The other ways in. */

  /** The example line of an act that shares most words with a text: why it was taken for it. */
  nearestLine(text: string, act: string): string | undefined {
    const words = new Set(this.#book.plainly(text));
    let nearest: { readonly line: string; readonly score: number } | undefined;
    for (const example of this.#language.vocabulary.examples) {
      if (example.act !== act) continue;
      const others = new Set(this.#book.plainly(example.text));
      const score = words.intersection(others).size / (words.size + others.size || 1);
      if (score > (nearest?.score ?? 0)) nearest = { line: example.text, score };
    }
    return nearest?.line;
  }

  localeOf(text: string, about?: { readonly first: boolean }): Locale | undefined {
    // Most values have no word of any language.
    if (!/\p{L}{2}/u.test(text)) return undefined;
    const found = this.#localeOf(text, about?.first);
    return LOCALES.find((locale) => locale === found);
  }

  addressIn(text: string): string | undefined {
    return this.#language.vocabulary.address.find(text);
  }

  leaves(text: string): 'all' | 'part' | undefined {
    const { parts } = this.values.read(text, NOWHERE, ANYWHERE);
    if (!says({ parts }, 'leaving')) return undefined;
    const isPart = (part: Part) =>
      isIn(part, 'leaving', 'assents', 'curses') ||
      part.words.every((word) => this.#book.polite.has(word.text));
    // "Huy" may be a name.
    const names = isAscii(text) ? this.#language.vocabulary.list('with marks only') : [];
    const isName = parts.some(({ words }) => words.some((word) => names.includes(word.text)));
    return !isName && parts.length <= MAX_LEAVING && parts.every(isPart) ? 'all' : 'part';
  }

  slash(text: string): string | undefined {
    return this.#language.commands.get(/^\s*\/(\w+)/.exec(text)?.[1]?.toLowerCase() ?? '');
  }

  read(kind: SlotKind, text: string, reading: Reading): Commands {
    const about = { reading, values: this.values };
    if (kind !== 'codes') return readAs(kind, text, about);
    const words = (visible(text).match(/[^\s,;]+/g) ?? []).flatMap((word) =>
      splitCodes(word, reading.settings.codePrefixes),
    );
    // A code with a blank inside was mistyped: nothing is made of its parts.
    const areCodes = words.some((word) => this.values.isCode(word));
    const results = (areCodes ? words : [text]).flatMap((word) => readAs('codes', word, about));
    const codes = [...new Set(results.flatMap((result) => (result.do === 'add' ? result.codes : [])))];
    const faults = results.filter(({ do: command }) => command === 'unclear').slice(0, 1);
    return codes.length > 0 ? [{ do: 'add', codes }, ...faults] : faults;
  }

  link(payload: string): Commands {
    const code = parseCode(payload);
    return [code.ok ? { do: 'add', codes: [code.value] } : wrong('codes', code.reason)];
  }

  scan(text: string, { settings }: Reading): readonly string[] {
    if (isArticleNumber(text, settings.codePrefixes)) return [];
    const link = linkOf(text);
    if (link) return [codeInLink(link, this.values.linkNames) ?? []].flat();
    const code = this.values.readCode(text);
    if (code.ok) return [code.value];
    const { mentions } = this.values.read(text, NOWHERE, ANYWHERE);
    return mentions.flatMap(({ value }) => (value.kind === 'code' ? value.code : []));
  }
}

type Read = { readonly values: Values; readonly meaning: Meaning; readonly isQuestion: boolean };

const sureOf = (act: string): Meaning => ({ ...NO_WORDS, act, p: 1, guesses: [{ act, p: 1 }] });
