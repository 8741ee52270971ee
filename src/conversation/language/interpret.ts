import type { Expecting, Interpretation, Interpreter, Reading, SlotKind, TextCommand } from '../commands.ts';
import { LOCALES, type Locale } from '../message.ts';
import {
  codeInLink,
  findBeginning,
  hasBeginning,
  isArticleNumber,
  isPlainCode,
  linkOf,
  looksLikeContact,
  parseCode,
  splitCodes,
  toPrinted,
} from '../values/code.ts';
import { joinEmail, parseEmail, parsePhone, suggestEmail } from '../values/contact.ts';
import { type Acts, createActs, isSure, LIKELY, POSSIBLE, PRESUMED, PRESUMED_UNASKED } from './acts.ts';
import { describedGift } from './gift-wishes.ts';
import { findHeadingFaults } from './headings.ts';
import { type Meaning, Meanings, NOT_QUITE } from './meaning.ts';
import { type Answer, Nearness } from './nearness.ts';
import { bringsValue, type ParsedText, Parser, type SpokenFlow, says } from './parser.ts';
import { actOf, isIn, type Part, PhraseBook } from './phrases.ts';
import { isReport } from './signs.ts';
import {
  keepOthers,
  type Meant,
  MOST_UNKNOWN,
  NEARLY,
  readAnywhere,
  readInPlace,
  readValuesAlone,
  type Situation,
  setEmail,
  setPhone,
  toAsked,
  valuesIn,
  wrong,
} from './situations.ts';
import { fold, isAscii, type Token, tokenize, visible } from './tokenizer.ts';
import { createLocaleOf, indexPhrases, type PhraseIndex, phraseAt, type Vocabulary } from './vocabulary.ts';

/*
 * Makes commands of texts. In this order: the number of a button; a value of the kind that is asked; what
 * the words mean at this question; what they mean anywhere; values without words; what they may mean.
 */

export type InterpreterOptions = {
  readonly vocabulary: Vocabulary;
  readonly flows: readonly SpokenFlow[];
  /** Slash commands, without the slash, with what they stand for: `start redeem`. */
  readonly commands: ReadonlyMap<string, string>;
  /** The operator's answers. */
  readonly answers: readonly Pick<Answer, 'id' | 'asks'>[];
  /** The ids of all questions that have an answer; not those that only the shop can answer. */
  readonly answered: ReadonlySet<string>;
};

const PART = { ok: false, reason: 'code.part' } as const;
const UNCLEAR: readonly TextCommand[] = [{ do: 'unclear' }];
const ASKS_OF_CONSENT: readonly TextCommand[] = [{ do: 'ask', about: 'answer', id: 'consent.what' }];
const ASKS_UNKNOWN: readonly TextCommand[] = [{ do: 'ask', about: 'unknown' }];

/** The kinds of values that are asked for while people talk about them. */
const SAID_ASIDE: ReadonlySet<SlotKind> = new Set(['codes', 'phone', 'email', 'gift']);

/** How near (0–1) an operator's question must be: to be meant, and to be meant rather than no answer. */
const SAME_QUESTION = 0.72;
const LIKE_QUESTION = 0.5;
const MOST_OFFERED = 3;
/** How likely the only wish that may be meant at the menu must be to begin. */
const BEGUN_ALONE = 0.4;

/** A longer text is no answer to the consent question. */
const MAX_CONSENT = 12;
/** What may take a consent back. */
const TAKES_BACK: ReadonlySet<TextCommand['do']> = new Set([
  'no',
  'none',
  'cancel',
  'remember',
  'yes',
  'talk',
]);
/** Fewer words next to a consent are no wish. */
const MIN_WISH = 2;
/**
 * A text is no bad value if it has at least `FEW_WORDS` and no two digits in a row, or at least `MANY_WORDS`
 * and fewer digits than `MIN_DIGITS`.
 */
const FEW_WORDS = 3;
const MANY_WORDS = 6;
const MIN_DIGITS = 4;
/** At least this many words next to a consent say something, though it may not be understood. */
const MIN_CLAUSE = 5;
/** A longer text is not the rest of a value. */
const MAX_REST = 40;
/** A longer text does not leave a person. */
const MAX_LEAVING = 10;

/**
 * Makes commands of texts. Construct it once: learning the language files takes a second of processor.
 *
 * @throws {Error} if a heading of the language files is no act: it names the file, the line and the heading.
 */
export class LanguageInterpreter implements Interpreter {
  readonly parser: Parser;
  readonly acts: Acts;
  readonly meanings: Meanings;
  readonly #nearness: Nearness;
  readonly #localeOf: (text: string, isFirst?: boolean) => string | undefined;
  readonly #language: InterpreterOptions;
  /** What another wish may begin with. */
  readonly #besides: PhraseIndex<true>;
  /** What the reason for an answer to the consent question may begin with. */
  readonly #reasons: PhraseIndex<true>;
  /** Words that add nothing to the name of a gift. */
  readonly #giftWords: ReadonlySet<string>;
  /** The listed answers to the consent question, as words, and the words that may stand next to them. */
  readonly #consent: Readonly<Record<'yes' | 'no', readonly (readonly string[])[]>>;
  readonly #consentWords: ReadonlySet<string>;

  constructor(language: InterpreterOptions) {
    const { vocabulary, flows, commands, answers } = language;
    this.acts = createActs(
      flows.map(({ name }) => name),
      answers.map(({ id }) => id),
    );
    const faults = findHeadingFaults(vocabulary, this.acts);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    const book = new PhraseBook(vocabulary, this.acts);
    this.#nearness = new Nearness(book, answers);
    this.parser = new Parser(book, flows, commands);
    this.meanings = new Meanings(this.parser, this.acts);
    this.#localeOf = createLocaleOf(vocabulary);
    this.#language = language;
    const indexOf = (list: string) =>
      indexPhrases(vocabulary.list(list).map((phrase) => [phrase, true] as const));
    this.#besides = indexOf('before another wish');
    this.#reasons = indexOf('before a reason');
    this.#giftWords = new Set(
      ['wishes', 'beside a gift', 'counters', 'several'].flatMap((list) => vocabulary.list(list)),
    );
    const wordsOf = (list: string) => vocabulary.list(list).map((phrase) => phrase.split(' '));
    this.#consent = { yes: wordsOf('consent yes'), no: wordsOf('consent no') };
    const beside = ['assents', 'beside consent'].flatMap((list) => vocabulary.list(list));
    this.#consentWords = new Set([...book.polite, ...beside]);
  }

  interpret(text: string, expecting: Expecting, reading: Reading): Interpretation {
    const quick =
      (expecting.piece === undefined ? undefined : this.#readRest(text, expecting.piece, reading)) ??
      pickByNumber(text, expecting) ??
      this.#readConsent(text, expecting, reading) ??
      this.#readAsked(text, expecting, reading);
    if (quick) return { commands: quick, why: NO_WORDS };
    const situation = this.#situationOf(text, expecting, reading);
    const meant = this.#withQuestion(this.#commandsOf(situation), situation);
    const commands = this.#besideGift(meant, situation);
    return { commands: keepOthers(commands, situation), why: situation.meaning };
  }

  /** A gift that is chosen, and what another clause asks or says of it: "lấy loa, giao tận nhà nha". */
  #besideGift(commands: readonly TextCommand[], situation: Situation): readonly TextCommand[] {
    const { parsed, isQuestion } = situation;
    const isGift = (command: TextCommand) => command.do === 'set' && command.slot === 'gift';
    const isChosen =
      commands.some(isGift) && commands.every((command) => isGift(command) || command.do === 'start');
    if (!isChosen || (parsed.rest.length < MIN_WISH && !isQuestion)) return commands;
    return this.#withAside(commands, situation);
  }

  /** Values, and the usual question that the words next to them ask: "TIVI000000017, có mất phí không". */
  #withQuestion(commands: readonly TextCommand[], situation: Situation): readonly TextCommand[] {
    const { parsed, expecting, isBare, isQuestion } = situation;
    const isOther = ({ do: command }: TextCommand) => !VALUE_COMMANDS.has(command) && command !== 'ask';
    if (isBare || !isQuestion || parsed.command !== undefined || commands.some(isOther)) return commands;
    const meaning = this.meanings.read(parsed.words, {
      ...contextOf(expecting),
      hasValue: false,
      isQuestion,
    });
    const { act = '', p = 0 } = meaning.act === '' ? (meaning.guesses[0] ?? {}) : meaning;
    const question = this.acts.get(act)?.command;
    const isUsual = question?.do === 'ask' && question.about === 'answer' && !this.#isUnanswered(act);
    if (!isUsual || !isSure('mild', p) || FAULTS.has(act)) return this.#withAside(commands, situation);
    return [...commands.filter(({ do: command }) => command !== 'ask'), question];
  }

  /** "Mail là lan@gmail.com, mà ship có tốn tiền không": a clause asks. */
  #withAside(commands: readonly TextCommand[], { parsed, expecting }: Situation): readonly TextCommand[] {
    if (commands.some(({ do: command }) => command === 'ask')) return commands;
    const asked = this.meanings.findAside(parsed.words, contextOf(expecting), ASKED_ASIDE);
    const question = asked === undefined ? undefined : this.acts.get(asked)?.command;
    return question ? [...commands, question] : commands;
  }

  #commandsOf(situation: Situation): readonly TextCommand[] {
    return (
      readInPlace(situation) ??
      readAnywhere(situation) ??
      readValuesAlone(situation) ??
      this.#leftOver(situation)
    );
  }

  /** A text that, politeness aside, is a listed answer to the consent question: no other yes is one. */
  #readConsent(text: string, expecting: Expecting, reading: Reading): Meant {
    const { asksConsent, offersConsent, ...others } = expecting;
    if (!asksConsent && !offersConsent) return undefined;
    const tokens = tokenize(visible(text));
    const words = tokens.map((token) => fold(token.text));
    // Not the last thing that was said: its buttons are shown once more.
    if (!asksConsent) return this.#answerIn(tokens) === undefined ? undefined : ASKS_OF_CONSENT;
    const { answer, from } = this.#findConsent(tokens, words);
    if (answer === undefined) return this.#declineInClause(tokens, others, reading);
    if (from === undefined && text.includes('?')) return undefined;
    const rest = from === undefined ? [] : tokens.slice(from).map((token) => token.text);
    // "Nhớ số này đi, lần sau khỏi gõ" says it twice.
    const isAgain = from !== undefined && this.#answerIn(tokens.slice(from)) === answer;
    const isMore = rest.length >= MIN_WISH && !isAgain;
    const more = isMore ? this.interpret(rest.join(' '), others, reading).commands : [];
    // "Nhớ đi, à thôi đừng".
    if (more.some((command) => TAKES_BACK.has(command.do))) return undefined;
    const isTelling = rest.length >= MIN_CLAUSE;
    const wishes = more.filter((command) => command.do !== 'unclear' || isTelling);
    return [{ do: 'remember', given: answer }, ...wishes];
  }

  /** The answer that a text begins with, and where another wish begins (`from`: the place of its token). */
  #findConsent(
    tokens: readonly Token[],
    words: readonly string[],
  ): { readonly answer: boolean | undefined; readonly from?: number } {
    // "Ok lưu số lại giùm chú, với lại cho chú coi …": another wish follows.
    const isNext = (i: number) =>
      tokens[i]?.pause === true || phraseAt(this.#besides, words, i) !== undefined;
    const isReason = (i: number) => phraseAt(this.#reasons, words, i) !== undefined;
    const at = words.findIndex(
      (_, i) => i > 0 && (isNext(i) || isReason(i)) && this.#answerIn(tokens.slice(0, i)) !== undefined,
    );
    if (at < 0) return { answer: this.#answerIn(tokens) };
    const answer = this.#answerIn(tokens.slice(0, at));
    // "Nhớ giùm đi, lần sau khỏi gõ lại mỏi tay": the reason wishes for nothing.
    const end = isReason(at) ? tokens.findIndex((token, i) => i > at && token.pause) : at;
    const from = end < 0 ? tokens.length : end;
    return { answer, from: phraseAt(this.#besides, words, from)?.to ?? from };
  }

  /** "Máy này tôi mượn, đừng lưu": who declines in any clause declines. What else is said counts, too. */
  #declineInClause(tokens: readonly Token[], expecting: Expecting, reading: Reading): Meant {
    const starts = tokens.flatMap(({ pause }, at) => (at === 0 || pause ? [at] : []));
    const [from, to = tokens.length] = starts.flatMap((start, at) => {
      const end = starts[at + 1] ?? tokens.length;
      const clause = tokens.slice(start, end);
      return clause.length >= MIN_WISH && this.#answerIn(clause) === false ? [start, end] : [];
    });
    if (from === undefined) return undefined;
    const rest = [...tokens.slice(0, from), ...tokens.slice(to)].map(({ text }) => text).join(' ');
    const { commands } = this.interpret(rest, expecting, reading);
    const { isQuestion } = this.understand(rest);
    const isWish = ({ do: command }: TextCommand) => command === 'start' || (command === 'ask' && isQuestion);
    const wishes = commands.filter(isWish);
    return [{ do: 'remember', given: false }, ...wishes];
  }

  /** The answer as it is spelt, or else with short forms written out: "hông nhớ". */
  #answerIn(tokens: readonly Token[]): boolean | undefined {
    const plain = ({ text }: Token) => this.parser.book.plainly(text).join(' ');
    return this.#consentIn(tokens.map(({ text }) => fold(text))) ?? this.#consentIn(tokens.map(plain));
  }

  #consentIn(words: readonly string[]): boolean | undefined {
    if (words.length > MAX_CONSENT) return undefined;
    const isWhole = (phrase: readonly string[]) => {
      const from = words.findIndex((_, at) => phrase.every((word, next) => words[at + next] === word));
      const others = words.filter((_, at) => at < from || at >= from + phrase.length);
      return from >= 0 && others.every((word) => this.#consentWords.has(word));
    };
    if (this.#consent.yes.some(isWhole)) return true;
    return this.#consent.no.some(isWhole) ? false : undefined;
  }

  /** The value that the text before began: "0867", "123456". It is a guess. */
  #readRest(text: string, piece: string, reading: Reading): Meant {
    if (text.length > MAX_REST) return undefined;
    const parsed = this.parser.parse(`${piece} ${text}`, reading);
    if (bringsValue(this.parser.parse(text, reading)) || parsed.rest.length > 0) return undefined;
    const { codes, phones, emails } = parsed;
    const values = [...phones, ...emails].flatMap((contact) => (contact.ok ? contact.value : []));
    if (values.length + codes.length !== 1) return undefined;
    const [guess] = values;
    if (guess === undefined) return [{ do: 'add', codes }];
    return [
      { do: 'set', slot: guess.includes('@') ? 'email' : 'phone', doubt: { why: 'spoken', meant: guess } },
    ];
  }

  /** A text that is, by itself, a value of the kind that is asked. */
  #readAsked(text: string, { place, kind, references }: Expecting, reading: Reading): Meant {
    if ((place !== 'slot' && place !== 'doubt') || kind === undefined) return undefined;
    const joined = kind === 'email' && place === 'slot' ? joinEmail(text) : undefined;
    if (joined !== undefined) return [emailDoubt(joined)];
    if (kind === 'phone' || kind === 'email') {
      if (!/\d|@/.test(text)) return undefined;
      const [value] = this.#readAs(kind, text, reading);
      return value?.do === 'set' && value.value !== undefined ? [value] : undefined;
    }
    if (kind !== 'codes' || !/\d/.test(text)) return undefined;
    const { codePrefixes: beginnings } = reading.settings;
    if (isPlainCode(text) && !references.includes(text))
      return [{ do: 'add', codes: [toPrinted(text, beginnings)] }];
    const words = tokenize(visible(text)).flatMap((token) => splitCodes(token.text, beginnings));
    const codes = [...new Set(words.map((word) => toPrinted(word, beginnings)))];
    // A number that begins otherwise than another one may be an order's.
    if (codes.length > 1 && !codes.every((code) => hasBeginning(code, beginnings))) return undefined;
    const isCode = (code: string) =>
      this.parser.isCode(code) && !looksLikeContact(code) && !references.includes(code);
    return codes.length > 0 && codes.every(isCode) ? [{ do: 'add', codes }] : undefined;
  }

  #readAs(kind: SlotKind, text: string, { settings }: Reading): readonly TextCommand[] {
    switch (kind) {
      case 'phone': {
        const phone = parsePhone(text);
        return [phone.ok ? setPhone(phone) : wrong(kind, phone.reason)];
      }
      case 'email': {
        const email = parseEmail(text);
        if (email.ok) return setEmail(email);
        const suggested = suggestEmail(text);
        return [suggested ? emailDoubt(suggested) : wrong(kind, email.reason)];
      }
      case 'period':
        return [wrong(kind, 'period.shape')];
      case 'list':
        return [wrong(kind, 'history.type')];
      case 'proof':
        return [wrong(kind, 'identity.codeShape')];
      default: {
        if (kind === 'gift' && settings.gifts.length > 0) return [wrong(kind, 'gift.unknown')];
        const isBeginning = findBeginning(text.trim(), settings.codePrefixes) !== undefined;
        const code = isBeginning ? PART : this.parser.readCode(text);
        if (!code.ok) return [wrong(kind, code.reason)];
        if (kind === 'gift') return [{ do: 'set', slot: kind, value: code.value }];
        return [{ do: 'add', codes: [toPrinted(code.value, settings.codePrefixes)] }];
      }
    }
  }

  #situationOf(text: string, expecting: Expecting, reading: Reading): Situation {
    const parsed = this.parser.parse(text, reading, expecting);
    const isBare = !bringsValue(parsed);
    const { isQuestion } = parsed;
    const meaning = this.#meaningOf(parsed, expecting, isQuestion);
    const { flows } = this.#language;
    // "Thank u" is thanks, though "u" is a yes.
    const isThanks =
      meaning.act === 'talk thanks' && (expecting.place === 'nothing' || expecting.place === 'page');
    const line = meaning.p < NOT_QUITE ? meaning.unlikely : meaning.act;
    const isYes = parsed.isYes && !isThanks && (line === undefined || YES_LINES.has(line));
    const firstAct = isYes ? 'yes' : this.#actIn(parsed, expecting, meaning);
    // A guessed remark that asks is a question without an answer.
    const isOpen = firstAct === 'talk remark' && isQuestion && meaning.p < NOT_QUITE;
    const act = isOpen ? 'ask unknown' : firstAct;
    const isRequest = this.meanings.isRequested(parsed.words);
    const likelihoodOf = (one: string) => meaning.guesses.find((guess) => guess.act === one)?.p ?? 0;
    const redeems = likelihoodOf(`start ${this.#giftFlow?.name}`);
    const cheapest = likelihoodOf('ask gift.cheapest');
    return {
      parsed,
      act,
      meaning,
      expecting,
      reading,
      declinesConsent: this.#consentIn(parsed.words.map(({ source }) => fold(source.text))) === false,
      giftFlow: this.#giftFlow?.name,
      described: describedGift({ parsed, cheapest, expecting, reading, isQuestion, isRequest, redeems }),
      flow: flows.find(({ name }) => name === expecting.flow),
      starts: flows.find(({ name }) => act === `start ${name}`),
      isYes,
      isBare,
      isQuestion,
      command: this.acts.get(act)?.command,
      isPlan: parsed.period?.fault === 'period.future' || this.meanings.isPlanned(parsed.words),
      isRequest,
      isPolite: this.#isPolite,
      values: valuesIn(parsed, reading),
    };
  }

  readonly #isPolite = (part: Part): boolean =>
    part.value?.kind === 'gift' ||
    isIn(part, 'several', 'counters') ||
    part.words.every(({ text }) => this.#giftWords.has(text) || this.parser.book.polite.has(text));

  /** The act of a text: of its slash command, of the operator's question that it is, or of its words. */
  #meaningOf(parsed: ParsedText, expecting: Expecting, isQuestion: boolean): Meaning {
    const { command, words, text } = parsed;
    if (words.length === 0 && text.includes('?')) return sureOf(command ?? 'ask what');
    if (command !== undefined && command !== SHOW_LANGUAGES) return sureOf(command);
    const meaning = this.meanings.read(words, {
      ...contextOf(expecting),
      hasValue: bringsValue(parsed),
      isQuestion,
    });
    // "/language english" names one.
    if (command !== undefined) return meaning.act.startsWith('speak ') ? meaning : sureOf(command);
    if (meaning.p === 1 && !this.#isUnanswered(meaning.act)) return meaning;
    const near = this.#nearness.find(text);
    const isOpen = meaning.act === '' || meaning.act === 'ask unknown' || this.#isUnanswered(meaning.act);
    const isMeant = near && near.score >= (isOpen ? LIKE_QUESTION : SAME_QUESTION);
    return isMeant ? { ...meaning, act: `ask ${near.id}`, p: near.score } : meaning;
  }

  /** What the model's act means with the values and the signs next to them. */
  #actIn(parsed: ParsedText, expecting: Expecting, { act, p }: Meaning): string {
    // A slash command is a wish, whatever stands behind it.
    if (parsed.command === act) return act;
    // "No wait, I meant the speaker" ends nothing: another gift than the one that waits is wished for.
    const isOtherGift =
      expecting.gift !== undefined && parsed.gifts.some(({ code }) => code !== expecting.gift);
    if (isOtherGift && p < 1 && this.acts.get(act)?.isEnding) return '';
    const flow = this.#language.flows.find(({ name }) => act === `start ${name}`);
    if (act === '' || this.acts.get(act)?.rank === 'nothing') return this.#choosesByCode(parsed);
    if (flow && this.#isBesideWish(parsed, expecting, { flow, p })) return '';
    if (flow && isReport(parsed.parts, parsed.period?.isPast)) return 'show complaint';
    // A bare name answers the question for a gift, or takes another one at the summary.
    const isAsked = expecting.kind === 'gift' || expecting.gift !== undefined;
    // "Thế còn đầu máy" is a line that asks.
    const isLine = act === 'ask gift.what' && p === 1 && parsed.words.length > 1;
    if (isAsked && !isLine && parsed.gifts.length > 0 && parsed.parts.every(this.#isPolite)) return '';
    // "Not the speaker, the voucher": a gift next to a denial is wished for.
    if (act === 'ask gift.what' && parsed.deniesGift && parsed.gifts.length > 0)
      return this.#giftFlow && !isAsked ? `start ${this.#giftFlow.name}` : '';
    // Where nothing is asked it is a topic: only a wish chooses.
    if (parsed.gifts.length > 0 && parsed.parts.every(this.#isBareName)) return 'ask gift.what';
    // "Đổi 0911111111 thành 0912345678" redeems nothing.
    const contacts = parsed.phones.length + parsed.emails.length;
    // "Email là của con gái, đổi qua lan@example.vn".
    const isOfGift = parsed.gifts.length > 0 || says(parsed, 'gifts');
    const isMoved = expecting.codes.length > 0 && flow === this.#giftFlow && !isOfGift;
    const isCorrection = contacts > 0 && (isMoved || says(parsed, 'codes replace', 'faults'));
    if (isCorrection && flow && expecting.place !== 'nothing') return '';
    return act;
  }

  /**
   * Whether a text only speaks of what a flow is about, though the model takes it for the wish to begin it.
   */
  #isBesideWish(
    parsed: ParsedText,
    { place, flow: running, redeemed }: Expecting,
    { flow, p }: { readonly flow: SpokenFlow; readonly p: number },
  ): boolean {
    const { gifts, rest, words } = parsed;
    // "Đổi thì đổi nhưng mà ghi tên người nhận là …" at the summary says more than the verb of the flow.
    const isMore = rest.length > MOST_UNKNOWN && gifts.length === 0 && p < NOT_QUITE;
    if (place === 'summary' && isMore && flow.name === running) return true;
    // "Có cái loa ông xã mừng lắm" right after the redemption begins no other one.
    const isSame = gifts.length > 0 && gifts.every(({ code }) => code === redeemed);
    const isWish = says(parsed, 'wishes', 'codes add') || this.meanings.isRequested(words);
    return flow === this.#giftFlow && isSame && !isWish && p < 1;
  }

  readonly #isBareName = ({ value, words }: Part): boolean =>
    value?.kind === 'gift' || words.every(({ text }) => this.parser.book.polite.has(text));

  /** The code of a listed gift, and no other: it is redeemed. */
  #choosesByCode({ codes, gifts, rest }: ParsedText): string {
    const isListed = (code: string) => gifts.some((gift) => gift.code.toLowerCase() === code.toLowerCase());
    const isChosen = codes.length > 0 && rest.length === 0 && codes.every(isListed);
    return isChosen && this.#giftFlow ? `start ${this.#giftFlow.name}` : '';
  }

  get #giftFlow(): SpokenFlow | undefined {
    return this.#language.flows.find(({ slots }) => slots.includes('gift'));
  }

  /** What a text may mean: never a yes, a change or an erasure. */
  #offered(situation: Situation): TextCommand | undefined {
    const { meaning, isBare, isQuestion, expecting } = situation;
    if (!isBare) return undefined;
    const telling = meaning.guesses.filter(
      ({ act, p }) =>
        p >= POSSIBLE && this.acts.get(act)?.rank !== 'nothing' && act !== `start ${expecting.flow}`,
    );
    const [best] = telling;
    // What only the shop can answer is no button, but may be the answer.
    const open = best && best.p >= PRESUMED && this.#isUnanswered(best.act) ? best.act : undefined;
    const isOfConsent = expecting.asksConsent === true || expecting.offersConsent === true;
    const isOffer = (act: string) =>
      act === open ||
      (isOfConsent && act === 'ask consent.what') ||
      (this.acts.get(act)?.isOffered === true && !this.#isUnanswered(act));
    const offers = telling.filter(({ act }) => isOffer(act)).slice(0, MOST_OFFERED);
    const [first] = offers;
    // Where nothing is likely, buttons would only hide that the text was not understood.
    if (!first || first.p < LIKELY) return undefined;
    const likely = offers.flatMap(({ act }): readonly TextCommand[] => {
      const flow = this.#language.flows.find(({ name }) => act === `start ${name}`);
      const command = flow ? ({ do: 'start', flow: flow.name } as const) : this.acts.get(act)?.command;
      return command ? [toAsked(command, situation)] : [];
    });
    const [only, ...others] = likely.filter((command) => command.do !== 'show');
    // Nothing is lost at the menu: the only wish that may be meant begins. After a call it may be about that.
    const isFresh = expecting.place === 'nothing' && expecting.references.length === 0;
    const isBegun = only === likely[0] && others.length === 0 && first === best && first.p >= BEGUN_ALONE;
    if (only?.do === 'start' && isFresh && isBegun && !isQuestion) return only;
    const least = isQuestion ? PRESUMED : PRESUMED_UNASKED;
    const isAlone = isQuestion && others.length === 0;
    const isPresumed =
      first === best && (open !== undefined || isAlone || first.p >= least) && likely[0]?.do === 'ask';
    return { do: 'unclear', likely, ...(isPresumed && { presumed: true }) };
  }

  #isUnanswered(act: string): boolean {
    const command = this.acts.get(act)?.command;
    return command?.do === 'ask' && command.about === 'answer' && !this.#language.answered.has(command.id);
  }

  /** A text without command or value: what it may mean, or why it does not answer our question. */
  #leftOver(situation: Situation): readonly TextCommand[] {
    if (isNearlyYes(situation)) return NEARLY;
    const whole = this.#readWhole(situation);
    const [first] = whole;
    if (first?.do !== 'ask' && first?.do !== 'unclear') return whole;
    // A text that is nearly a value of the kind that is asked is no example of anything.
    if (
      first.do === 'unclear' &&
      (first.script || (first.wrong && /[\d@]|\w\.\w/.test(situation.parsed.text)))
    )
      return whole;
    const offered = this.#offered(situation);
    if (!offered) return whole;
    return [offered.do === 'unclear' && first.do === 'ask' ? { ...offered, question: true } : offered];
  }

  #readWhole({ parsed, expecting, flow, reading, isQuestion }: Situation): readonly TextCommand[] {
    const { text } = parsed;
    const { kind, isStaff } = expecting;
    const isReadable = /[\p{Script=Latin}\p{Nd}]/u.test(text);
    if (!isReadable && /\p{L}/u.test(visible(text))) return [{ do: 'unclear', script: true }];
    if (!isReadable) return [{ do: 'talk', about: 'remark' }];
    if (isQuestion) return ASKS_UNKNOWN;
    if ((expecting.place !== 'slot' && expecting.place !== 'doubt') || kind === undefined) return UNCLEAR;
    // Three words or more that have nothing of a value are no bad value.
    if (SAID_ASIDE.has(kind) && isNoValue(text)) return UNCLEAR;
    const isProof = kind === 'phone' && flow?.identity === 'proved';
    // Staff name a customer by either.
    const isEmail = isStaff && (kind === 'gift' || isProof) && text.includes('@');
    const [value = wrong(kind, '')] = this.#readAs(isEmail ? 'email' : kind, text, reading);
    const isRefused = isProof && !isEmail && value.do === 'unclear';
    if (isRefused && !isStaff) return [wrong(kind, 'phone.shape')];
    return [isRefused && value.wrong?.reason === 'phone.shape' ? wrong(kind, 'identity.shape') : value];
  }

  /* The other ways in. */

  /** The example line of an act that shares most words with a text: why it was taken for it. */
  nearestLine(text: string, act: string): string | undefined {
    const words = new Set(this.parser.book.plainly(text));
    let nearest: { readonly line: string; readonly score: number } | undefined;
    for (const example of this.#language.vocabulary.examples) {
      if (example.act !== act) continue;
      const others = new Set(this.parser.book.plainly(example.text));
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

  understand(text: string): ParsedText {
    return this.parser.parse(text, ANYWHERE);
  }

  addressIn(text: string): string | undefined {
    return this.#language.vocabulary.address.find(text);
  }

  leaves(text: string): 'all' | 'part' | undefined {
    const { parts } = this.understand(text);
    if (!says({ parts }, 'leaving')) return undefined;
    const isPart = (part: Part) =>
      isIn(part, 'leaving', 'assents', 'curses') ||
      part.words.every((word) => this.parser.book.polite.has(word.text));
    // "Huy" may be a name.
    const names = isAscii(text) ? this.#language.vocabulary.list('with marks only') : [];
    const isName = parts.some(({ words }) => words.some((word) => names.includes(word.text)));
    return !isName && parts.length <= MAX_LEAVING && parts.every(isPart) ? 'all' : 'part';
  }

  slash(text: string): string | undefined {
    return this.#language.commands.get(/^\s*\/(\w+)/.exec(text)?.[1]?.toLowerCase() ?? '');
  }

  read(kind: SlotKind, text: string, reading: Reading): readonly TextCommand[] {
    if (kind !== 'codes') return this.#readAs(kind, text, reading);
    const words = (visible(text).match(/[^\s,;]+/g) ?? []).flatMap((word) =>
      splitCodes(word, reading.settings.codePrefixes),
    );
    // A code with a blank inside was mistyped: nothing is made of its parts.
    const areCodes = words.some((word) => this.parser.isCode(word));
    const results = (areCodes ? words : [text]).flatMap((word) => this.#readAs('codes', word, reading));
    const codes = [...new Set(results.flatMap((result) => (result.do === 'add' ? result.codes : [])))];
    const faults = results.filter(({ do: command }) => command === 'unclear').slice(0, 1);
    return codes.length > 0 ? [{ do: 'add', codes }, ...faults] : faults;
  }

  link(payload: string): readonly TextCommand[] {
    const code = parseCode(payload);
    return [code.ok ? { do: 'add', codes: [code.value] } : wrong('codes', code.reason)];
  }

  scan(text: string, { settings }: Reading): readonly string[] {
    if (isArticleNumber(text, settings.codePrefixes)) return [];
    const link = linkOf(text);
    if (link) return [codeInLink(link, this.parser.linkNames) ?? []].flat();
    const code = this.parser.readCode(text);
    return code.ok ? [code.value] : this.understand(text).codes;
  }
}

/** Words without a value: "máy này của tôi", "mua máy 15 triệu mà mã không dùng được". */
function isNoValue(text: string): boolean {
  const { length } = text.trim().split(/\s+/);
  const digits = text.match(/\d/g)?.length ?? 0;
  const isShort = !/\d{2}/.test(text) && length >= FEW_WORDS;
  return !text.includes('@') && (isShort || (digits < MIN_DIGITS && length >= MANY_WORDS));
}

const contextOf = (expecting: Expecting) => ({
  place: expecting.place,
  slot: expecting.place === 'slot' ? expecting.kind : undefined,
  running: expecting.flow && `start ${expecting.flow}`,
});

/** Commands with which a question may stand. */
const VALUE_COMMANDS: ReadonlySet<TextCommand['do']> = new Set(['add', 'set', 'replace', 'none', 'start']);
/** Questions that may come with the choice of a gift, or with a value: those do not answer them. */
const ASKED_ASIDE: ReadonlySet<string> = new Set([
  'ask gift.delivery',
  'ask gift.where',
  'ask gift.bring',
  'ask gift.return',
  'ask gift.stock',
  'ask warranty',
]);
/** Questions about a value that was refused: a new value answers them. */
const FAULTS: ReadonlySet<string> = new Set(['ask code.wrong', 'ask phone.wrong', 'ask email.wrong']);

/** Headings whose lines may be a yes: "ok, cảm ơn". */
const YES_LINES: ReadonlySet<string> = new Set(['yes', 'talk thanks', 'talk greeting']);
const NO_WORDS: Meaning = { act: '', p: 0, guesses: [] };
const SHOW_LANGUAGES = 'show languages';
const sureOf = (act: string): Meaning => ({ act, p: 1, guesses: [{ act, p: 1 }] });
const ANYWHERE: Reading = { settings: { gifts: [], codePrefixes: [], timeZone: 'UTC' }, nowMs: 0 };

function pickByNumber(text: string, expecting: Expecting): Meant {
  if (expecting.place === 'page' || !/^\s*\d{1,2}\s*$/.test(text)) return undefined;
  const buttons = expecting.buttons();
  const choice = buttons.length > 1 && buttons[Number(text) - 1];
  return choice ? [{ do: 'pick', choice }] : undefined;
}

/** How likely a yes, or the verb of the flow itself, must be to be pointed at the button. */
const NEARLY_YES = 0.6;

/** "Looks good, send it", "đồng ý đổi": like a yes, with more words, at the summary. */
function isNearlyYes({ meaning, expecting, isBare, isQuestion, parsed }: Situation): boolean {
  const own = meaning.guesses.filter(({ act }) => act === 'yes' || act === `start ${expecting.flow}`);
  const p = own.reduce((sum, guess) => sum + guess.p, 0);
  const isSaid = parsed.rest.length === 0 && parsed.parts.some((part) => actOf(part) === 'yes');
  const isLikely = isSaid || (p >= NEARLY_YES && parsed.rest.length <= MOST_UNKNOWN);
  return (
    expecting.place === 'summary' && isBare && !isQuestion && isLikely && !says(parsed, 'faults', 'stops')
  );
}

const emailDoubt = (suggested: string): TextCommand => ({
  do: 'set',
  slot: 'email',
  doubt: { why: 'typo', meant: suggested },
});
