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
} from '../values/code.ts';
import { emailMeant, parseEmail, parsePhone } from '../values/contact.ts';
import {
  bringsValue,
  fieldIn,
  lacksEmail,
  type ParsedText,
  Parser,
  type SpokenFlow,
  says,
} from './parser.ts';
import { actOf, isIn, type Part, PhraseBook } from './phrases.ts';
import { type Answer, type Near, Similarity } from './similarity.ts';
import {
  commandOf,
  isReference,
  keepOthers,
  type Meant,
  meantAnywhere,
  meantHere,
  NEARLY,
  type Situation,
  setEmail,
  setPhone,
  valuesAlone,
  valuesIn,
  wrong,
} from './situations.ts';
import { fold, isAscii, tokenize, visible } from './tokenizer.ts';
import { ANSWERED, createLocaleOf, type Vocabulary } from './vocabulary.ts';

/*
 * Makes commands of texts. In this order: the number of a button; a value of the kind that is asked; a
 * usual question; what the words mean at this question; what they mean anywhere; values without words;
 * likeness.
 */

export type InterpreterOptions = {
  readonly vocabulary: Vocabulary;
  readonly flows: readonly SpokenFlow[];
  /** Slash commands, without the slash, with what they stand for: `start redeem`. */
  readonly commands: ReadonlyMap<string, string>;
  /** The operator's answers. */
  readonly answers: readonly Pick<Answer, 'id' | 'asks'>[];
  /** The ids of all questions that have an answer. */
  readonly answered: ReadonlySet<string>;
};

const PART = { ok: false, reason: 'code.part' } as const;
const UNCLEAR: readonly TextCommand[] = [{ do: 'unclear' }];
const ASKS_UNKNOWN: readonly TextCommand[] = [{ do: 'ask', about: 'unknown' }];

/** With a value, these acts are only politeness: "giúp mình mã TIVI000000017 với". */
const POLITE_WITH_VALUES = /^(?:show (?:help|menu|welcome)|talk bye|cancel mild)$/;
/** Acts that likeness alone may carry out. */
const HARMLESS = /^(?:talk|show (?:help|offer|complaint|privacy))/;
/** Acts that likeness may offer by a button. */
const OFFERED = /^(?:start |ask (?!what$|who$|consent)|show (?:person|offer|complaint|privacy)|speak )/;
/** Questions in which the name of a gift stands for any. */
const OF_GIFTS = /^ask (?:gift\.|warranty)/;
const PRICE = 'ask gift.price';
const WRONG = 'ask code.wrong';
/** How near an example must be (0–1) to be offered, and to be carried out. */
const NEAR = 0.4;
const SAME = 0.85;
/** The nearest is carried out, too, if all other commands are this much farther. */
const SURE = { score: 0.5, ahead: 0.25 } as const;
/** Or if this many of the next nearest have its command. */
const AGREED = { score: 0.45, others: 3 } as const;
/** How near a text that is no question must be to the example of a question to get its answer. */
const SAME_QUESTION = 0.9;
/** An example of the text's own act counts although another one is nearer by less than this. */
const MARGIN = 0.1;
/** This many unexplained words tell a story: a verb among them begins nothing. */
const STORY = 4;
const MOST_OFFERED = 3;

/** A longer text is not the rest of a value. */
const MAX_REST = 40;
/** A longer text does not leave a person. */
const MAX_LEAVING = 10;

/** Makes commands of texts. Construct it once: preparing the vocabulary takes half a second. */
export class LanguageInterpreter implements Interpreter {
  readonly parser: Parser;
  readonly similarity: Similarity;
  readonly #localeOf: (text: string, isFirst?: boolean) => string | undefined;
  readonly #language: InterpreterOptions;
  /** Words that add nothing to the name of a gift. */
  readonly #giftWords: ReadonlySet<string>;

  constructor(language: InterpreterOptions) {
    const { vocabulary, flows, commands, answers, answered } = language;
    const book = new PhraseBook(vocabulary);
    this.similarity = new Similarity(book, answers, answered);
    this.parser = new Parser(book, flows, commands);
    this.#localeOf = createLocaleOf(vocabulary);
    this.#language = language;
    this.#giftWords = new Set(
      ['wishes', 'beside a gift', 'counters', 'several'].flatMap((list) => vocabulary.list(list)),
    );
  }

  interpret(text: string, at: Expecting, reading: Reading): Interpretation {
    const quick =
      this.#readRest(text, at, reading) ??
      pickByNumber(text, at) ??
      this.#readConsent(text, at) ??
      this.#readAsked(text, at, reading);
    if (quick) return { commands: quick, why: { covered: [] } };
    const here = this.#situationOf(text, at, reading);
    const commands = keepOthers(this.#meant(here), here);
    const covered = here.said.parts.flatMap(({ phrase }) => (phrase?.act ? [phrase.text] : []));
    return { commands, why: { covered, ...here.why } };
  }

  #meant(here: Situation): readonly TextCommand[] {
    const asked = this.#findQuestion(here);
    if (asked && !lacksEmail(here.said) && !isReference(here)) return asked;
    const meant = meantHere(here) ?? meantAnywhere(here) ?? valuesAlone(here);
    return meant ? (this.#doubted(here, meant) ?? meant) : this.#leftOver(here);
  }

  /** A text that, politeness aside, is a listed answer to the consent question: no other yes is one. */
  #readConsent(text: string, { asksConsent }: Expecting): Meant {
    if (!asksConsent || text.includes('?')) return undefined;
    const { vocabulary } = this.#language;
    const words = tokenize(visible(text)).map((token) => fold(token.text));
    const polite = new Set([...this.parser.book.polite, ...vocabulary.list('assents')]);
    const isWhole = (listed: string) => {
      const phrase = listed.split(' ');
      const from = words.findIndex((_, at) => phrase.every((word, next) => words[at + next] === word));
      const others = words.filter((_, at) => at < from || at >= from + phrase.length);
      return from >= 0 && others.every((word) => polite.has(word));
    };
    if (vocabulary.list('consent yes').some(isWhole)) return [{ do: 'remember', given: true }];
    return vocabulary.list('consent no').some(isWhole) ? [{ do: 'remember', given: false }] : undefined;
  }

  /** The value that the text before began: "0867", "123456". It is a guess. */
  #readRest(text: string, { piece }: Expecting, reading: Reading): Meant {
    if (piece === undefined || text.length > MAX_REST) return undefined;
    const parsed = this.parser.parse(`${piece} ${text}`, reading);
    if (bringsValue(this.parser.parse(text, reading)) || parsed.rest.length > 0) return undefined;
    const { codes, phones, emails } = parsed;
    const values = [...phones, ...emails].flatMap((one) => (one.ok ? one.value : []));
    if (values.length + codes.length !== 1) return undefined;
    const [meant] = values;
    if (meant === undefined) return [{ do: 'add', codes }];
    return [{ do: 'set', slot: meant.includes('@') ? 'email' : 'phone', doubt: { why: 'spoken', meant } }];
  }

  /** A text that is, by itself, a value of the kind that is asked. */
  #readAsked(text: string, { at, kind, references }: Expecting, reading: Reading): Meant {
    if ((at !== 'slot' && at !== 'doubt') || kind === undefined) return undefined;
    if (kind === 'phone' || kind === 'email') {
      if (!/\d|@/.test(text)) return undefined;
      const [value] = this.#readAs(kind, text, reading);
      return value?.do === 'set' && value.value !== undefined ? [value] : undefined;
    }
    if (kind !== 'codes' || !/\d/.test(text)) return undefined;
    if (isPlainCode(text) && !references.includes(text)) return [{ do: 'add', codes: [text] }];
    const { codePrefixes: beginnings } = reading.settings;
    const words = tokenize(visible(text)).flatMap((token) => splitCodes(token.text, beginnings));
    const codes = [...new Set(words)];
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
        const meant = emailMeant(text);
        return [meant ? emailDoubt(meant) : wrong(kind, email.reason)];
      }
      case 'period':
        return [wrong(kind, 'period.shape')];
      case 'list':
        return [wrong(kind, 'history.type')];
      default: {
        if (kind === 'gift' && settings.gifts.length > 0) return [wrong(kind, 'gift.unknown')];
        const isBeginning = findBeginning(text.trim(), settings.codePrefixes) !== undefined;
        const code = isBeginning ? PART : this.parser.readCode(text);
        if (!code.ok) return [wrong(kind, code.reason)];
        return [
          kind === 'gift' ? { do: 'set', slot: kind, value: code.value } : { do: 'add', codes: [code.value] },
        ];
      }
    }
  }

  #situationOf(text: string, at: Expecting, reading: Reading): Situation {
    const said = this.parser.parse(text, reading, at);
    const isBare = !bringsValue(said);
    const act = this.#actIn(said, at, isBare);
    const { flows } = this.#language;
    const why: { nearest?: readonly Near[] } = {};
    return {
      said,
      act,
      at,
      reading,
      flow: flows.find(({ name }) => name === at.flow),
      starts: this.#startedBy(act),
      isBare,
      isQuestion: this.parser.book.isQuestion(text),
      why,
      nearest: () => {
        why.nearest ??= this.similarity.compare(said.text);
        return why.nearest;
      },
      isPolite: this.#isPolite,
      values: valuesIn(said, reading),
    };
  }

  #startedBy(act: string): SpokenFlow | undefined {
    return this.#language.flows.find(({ name }) => act === `start ${name}`);
  }

  readonly #isPolite = (part: Part): boolean =>
    part.value?.kind === 'gift' ||
    isIn(part, 'several', 'counters') ||
    part.words.every(({ text }) => this.#giftWords.has(text) || this.parser.book.polite.has(text));

  #actIn(said: ParsedText, { at }: Expecting, isBare: boolean): string {
    const { act = '', parts } = said;
    if (this.#choosesGift(said, at)) {
      const flow = this.#language.flows.find(({ slots }) => slots.includes('gift'));
      return flow ? `start ${flow.name}` : '';
    }
    // "Đổi 0911111111 thành 0912345678" redeems nothing.
    const isCorrection = said.phones.length + said.emails.length > 0 && says(said, 'codes replace', 'faults');
    if (isCorrection && act.startsWith('start ') && at !== 'nothing') return '';
    // "Ok, cảm ơn" is a yes, too, where something is asked.
    if (act === 'talk thanks' && said.isYes && at !== 'nothing' && at !== 'page') return 'yes';
    if (act === 'yes' && at === 'nothing' && parts.some((part) => actOf(part) === 'talk thanks'))
      return 'talk thanks';
    return !isBare && POLITE_WITH_VALUES.test(act) ? '' : act;
  }

  /** "Loa nhé", "mình muốn lấy loa". */
  #choosesGift(said: ParsedText, at: Expecting['at']): boolean {
    const { act = '', gifts, parts, rest } = said;
    if (gifts.length === 0 || rest.length > 0) return false;
    const wishes = says(said, 'wishes');
    // "Dạ cho em loa", "thôi lấy loa".
    const isOpen = at === 'nothing' || at === 'page';
    const isAside = isOpen && (act === 'yes' || (act === 'cancel mild' && wishes));
    // "Không lấy loa, cho mình tivi".
    if (said.deniesGift) return /^(?:no|none|cancel mild)?$/.test(act);
    const isPlain = (part: Part) => !part.phrase || this.#isPolite(part) || (isAside && actOf(part) === act);
    if (says(said, 'stops') || (!wishes && !parts.every(isPlain))) return false;
    return act === '' || isAside;
  }

  /** The usual question of a text. With a gift it asks for its price ("đổi nồi cơm bao nhiêu điểm"). */
  #findQuestion({ said, act, at, isBare, isQuestion, nearest }: Situation): Meant {
    // "How many points did I get last week" asks for history.
    const isPast = said.period?.isPast === true && act.startsWith('start ');
    if (!isBare || act === 'remove' || isPast) return undefined;
    const [gift, ...others] = said.gifts;
    const named = others.length === 0 ? gift : undefined;
    const words = named ? this.#language.vocabulary.list('gifts') : [];
    const ofGifts = words
      .flatMap((word) => this.similarity.findQuestion(this.similarity.compare(withName(said, word))) ?? [])
      .filter(({ command }) => OF_GIFTS.test(command));
    const plain = isQuestion ? this.similarity.findQuestion(nearest()) : undefined;
    const [near] = [...ofGifts, ...(plain ? [plain] : [])].sort((one, other) => other.strict - one.strict);
    if (!near) return undefined;
    const priced = near.command === PRICE ? (named?.code ?? at.gift) : undefined;
    if (priced !== undefined) return [{ do: 'ask', about: 'answer', id: 'gift.price', gift: priced }];
    // "Sai chỗ nào?" is asked about whatever was refused last.
    const isOther = near.command === WRONG && fieldIn(said) !== 'code';
    return isOther ? [{ do: 'ask', about: 'wrong' }] : commandOf(near.command);
  }

  /** Whether the whole text is like another command ("đổi quà 2 tuần rồi chưa thấy giao"): offers both. */
  #doubted(here: Situation, [command]: readonly TextCommand[]): Meant {
    const { said, act, at, isBare, isQuestion } = here;
    const flow = command?.do === 'start' ? command.flow : undefined;
    const isVerb = flow === undefined ? command?.do === 'cancel' && at.at === 'nothing' : flow !== at.flow;
    if (!isVerb || !isBare || said.rest.length === 0) return undefined;
    const nearest = here.nearest();
    const [best] = nearest;
    const isOwn = nearest.some(
      ({ command: one, score }) => one === act && score > (best?.score ?? 0) - MARGIN,
    );
    const isLike = !isOwn && best !== undefined && best.score >= NEAR;
    const sure = isLike ? this.#likely(nearest, here) : undefined;
    if (sure || (!isLike && said.rest.length < STORY)) return sure;
    const others = this.#offered(nearest, here).filter((one) => one.do !== 'start' || one.flow !== flow);
    const likely = [...(flow === undefined ? [] : [{ do: 'start', flow } as const]), ...others];
    if (likely.length === 0) return ASKS_UNKNOWN;
    return [{ do: 'unclear', likely, ...(isQuestion && { question: true }) }];
  }

  /** The command of the nearest example, if it changes nothing that was gathered. */
  #likely([near, ...others]: readonly Near[], { at, isBare, isQuestion }: Situation): Meant {
    if (!near || !isBare) return undefined;
    const { command, score } = near;
    const isSkip = /^(?:none|no|cancel mild)$/.test(command);
    const ahead = score - (others.find((other) => other.command !== command)?.score ?? 0);
    const next = others.slice(0, AGREED.others);
    const isNext = next.every((one) => one.command === command);
    const isOpen = next.length === AGREED.others && (isQuestion || at.at === 'nothing');
    const isAgreed = isNext && score >= AGREED.score && isOpen;
    const isSure = isAgreed || (score >= SURE.score && ahead >= SURE.ahead);
    if (score < SAME && !isSure) return undefined;
    const flow = this.#startedBy(command);
    if (flow && (at.at === 'nothing' || at.at === 'page')) return [{ do: 'start', flow: flow.name }];
    if (isSkip && at.kind === 'email' && at.at === 'slot') return [{ do: 'none', field: 'email' }];
    if (command === 'show person') return commandOf('show offer');
    const isAnswer = ANSWERED.test(command) && (isQuestion || isSure || score >= SAME_QUESTION);
    if (command === 'show erasing') return commandOf('show privacy');
    return isAnswer || HARMLESS.test(command) ? commandOf(command) : undefined;
  }

  /** What a text may mean: never a yes, an end, a change or an erasure. */
  #offered(nearest: readonly Near[], { isBare, at }: Situation): readonly TextCommand[] {
    if (!isBare) return [];
    const near = nearest.filter(({ score }) => score >= NEAR);
    const acts = [...new Set(near.map(({ command }) => command))];
    const [first = '', ...others] = acts.filter((act) => OFFERED.test(act) && act !== `start ${at.flow}`);
    if (this.#isUnanswered(first)) return [];
    const meanings = [first, ...others.filter((act) => !this.#isUnanswered(act))].slice(0, MOST_OFFERED);
    return meanings.flatMap((act): readonly TextCommand[] => {
      const flow = this.#startedBy(act);
      return flow ? [{ do: 'start', flow: flow.name }] : (commandOf(act) ?? []);
    });
  }

  #isUnanswered(act: string): boolean {
    return act.startsWith('ask ') && !this.similarity.answered.has(act);
  }

  /** A text without command or value: what it may mean, or why it does not answer our question. */
  #leftOver(here: Situation): readonly TextCommand[] {
    if (isNearlyYes(here)) return NEARLY;
    const whole = this.#readWhole(here);
    const [first] = whole;
    if (first?.do !== 'ask' && first?.do !== 'unclear') return whole;
    // A text that is nearly a value of the kind that is asked is no example of anything.
    if (first.do === 'unclear' && (first.script || (first.wrong && /[\d@]|\w\.\w/.test(here.said.text))))
      return whole;
    const likely = this.#likely(here.nearest(), here);
    if (likely) return likely;
    const offered = this.#offered(here.nearest(), here);
    if (offered.length === 0) return whole;
    return [{ do: 'unclear', likely: offered, ...(first.do === 'ask' && { question: true }) }];
  }

  #readWhole({ said, at, flow, reading, isQuestion }: Situation): readonly TextCommand[] {
    const { text } = said;
    const { kind, isStaff } = at;
    const isReadable = /[\p{Script=Latin}\p{Nd}]/u.test(text);
    if (!isReadable && /\p{L}/u.test(visible(text))) return [{ do: 'unclear', script: true }];
    if (!isReadable) return [{ do: 'talk', about: 'remark' }];
    if (isQuestion) return ASKS_UNKNOWN;
    if ((at.at !== 'slot' && at.at !== 'doubt') || kind === undefined) return UNCLEAR;
    const isProof = kind === 'phone' && flow?.identity === 'proved';
    // Staff name a customer by either.
    const isEmail = isStaff && (kind === 'gift' || isProof) && text.includes('@');
    const [value = wrong(kind, '')] = this.#readAs(isEmail ? 'email' : kind, text, reading);
    const isRefused = isProof && !isEmail && value.do === 'unclear';
    if (isRefused && !isStaff) return [wrong(kind, 'phone.shape')];
    return [isRefused && value.wrong?.reason === 'phone.shape' ? wrong(kind, 'identity.shape') : value];
  }

  /* The other ways in. */

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

const ANYWHERE: Reading = { settings: { gifts: [], codePrefixes: [], timeZone: 'UTC' }, nowMs: 0 };

function pickByNumber(text: string, expecting: Expecting): Meant {
  if (expecting.at === 'page' || !/^\s*\d{1,2}\s*$/.test(text)) return undefined;
  const buttons = expecting.buttons();
  const choice = buttons.length > 1 && buttons[Number(text) - 1];
  return choice ? [{ do: 'pick', choice }] : undefined;
}

/** "Looks good, send it": a yes with unknown words, at the summary. */
function isNearlyYes({ said, at, isBare, isQuestion }: Situation): boolean {
  const acts = said.parts.map(actOf).filter((act) => act !== '');
  const isPlain = acts.every((act) => act === 'yes') && !says(said, 'faults', 'stops', 'declines');
  return at.at === 'summary' && isBare && !isQuestion && isPlain && acts.length > 0;
}

const emailDoubt = (meant: string): TextCommand => ({
  do: 'set',
  slot: 'email',
  doubt: { why: 'typo', meant },
});

/** The text with a word in place of the name of a gift. */
function withName({ parts }: ParsedText, word: string): string {
  const named = (part: Part) =>
    part.value?.kind === 'gift' ? word : part.words.map(({ source }) => source.text).join(' ');
  return `${parts.map(named).join(' ')}?`;
}
