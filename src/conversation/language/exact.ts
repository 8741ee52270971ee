import type { Expecting, Reading, SlotKind, TextCommand } from '../commands.ts';
import {
  findBeginning,
  hasBeginning,
  isPlainCode,
  looksLikeContact,
  splitCodes,
  toPrinted,
} from '../values/code.ts';
import { joinEmail, parseEmail, parsePhone, suggestEmail } from '../values/contact.ts';
import { actOf, type Part, type PhraseBook, VALUE } from './lists.ts';
import { fold, type Token, tokenize, visible } from './tokens.ts';
import { says, type ValueReader, type Values } from './values.ts';
import { indexPhrases, type PhraseIndex, phraseAt } from './vocabulary.ts';

/*
 * Step 0: a text that is nothing but what the question takes: the number of a button, a value of the kind
 * that is asked, a line of the yes and consent lists. Nothing further is looked at.
 */

type Commands = readonly TextCommand[];

const PART = { ok: false, reason: 'code.part' } as const;
/** A longer text is no answer to the consent question. */
const MAX_CONSENT = 12;
/** Fewer words next to a consent are no wish. */
const MIN_WISH = 2;
/** Thanks and a greeting leave a yes as it is. */
const BESIDE_YES: ReadonlySet<string> = new Set(['yes', 'talk thanks', 'talk greeting']);

export const wrong = (kind: SlotKind, reason: string): TextCommand & { do: 'unclear' } => ({
  do: 'unclear',
  wrong: { kind, reason },
});

/** The number of a button. */
export function pickByNumber(text: string, expecting: Expecting): Commands | undefined {
  if (expecting.place === 'page' || !/^\s*\d{1,2}\s*$/.test(text)) return undefined;
  const buttons = expecting.buttons();
  const choice = buttons.length > 1 && buttons[Number(text) - 1];
  return choice ? [{ do: 'pick', choice }] : undefined;
}

/** A text that is, by itself, a value of the kind that is asked. */
export function readAsked(
  text: string,
  { place, kind, references }: Expecting,
  { reading, values }: { readonly reading: Reading; readonly values: ValueReader },
): Commands | undefined {
  if ((place !== 'slot' && place !== 'doubt') || kind === undefined) return undefined;
  const joined = kind === 'email' && place === 'slot' ? joinEmail(text) : undefined;
  if (joined !== undefined) return [emailDoubt(joined)];
  if (kind === 'phone' || kind === 'email') {
    if (!/\d|@/.test(text)) return undefined;
    const [value] = readAs(kind, text, { reading, values });
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
    values.isCode(code) && !looksLikeContact(code) && !references.includes(code);
  return codes.length > 0 && codes.every(isCode) ? [{ do: 'add', codes }] : undefined;
}

/** A text as a value of a kind, or what is wrong with it. */
export function readAs(
  kind: SlotKind,
  text: string,
  { reading: { settings }, values }: { readonly reading: Reading; readonly values: ValueReader },
): Commands {
  switch (kind) {
    case 'phone': {
      const phone = parsePhone(text);
      if (!phone.ok) return [wrong(kind, phone.reason)];
      const { value, ask: why } = phone;
      return [{ do: 'set', slot: 'phone', value, ...(why && { doubt: { why, meant: value } }) }];
    }
    case 'email': {
      const email = parseEmail(text);
      const suggested = email.ok ? email.suggestion : suggestEmail(text);
      if (!email.ok) return [suggested ? emailDoubt(suggested) : wrong(kind, email.reason)];
      const doubt = suggested !== undefined && ({ why: 'typo', meant: suggested } as const);
      return [{ do: 'set', slot: 'email', value: email.value, ...(doubt && { doubt }) }];
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
      const code = isBeginning ? PART : values.readCode(text);
      if (!code.ok) return [wrong(kind, code.reason)];
      if (kind === 'gift') return [{ do: 'set', slot: kind, value: code.value }];
      return [{ do: 'add', codes: [toPrinted(code.value, settings.codePrefixes)] }];
    }
  }
}

const emailDoubt = (suggested: string): TextCommand => ({
  do: 'set',
  slot: 'email',
  doubt: { why: 'typo', meant: suggested },
});

/** Whether a text is a yes and nothing else: points depend on it. */
export class YesReader {
  readonly #book: PhraseBook;
  readonly #objections: RegExp;
  readonly #yes: ReadonlySet<string>;
  /** Lines of other headings that are made of words that may stand next to a yes. */
  readonly #others: PhraseIndex<true>;

  constructor(book: PhraseBook) {
    const { vocabulary } = book;
    this.#book = book;
    const any = (name: string) => vocabulary.written(name).map(RegExp.escape).join('|') || '(?!)';
    const last = `(?:${any('objects last')})[\\s.!]*$`;
    this.#objections = new RegExp(
      `[?？]|${any('objecting signs')}|(?<!\\p{L})(?:${last}|(?:${any('objects')}))`,
      'iu',
    );
    const yes = vocabulary.examples.filter(({ act }) => act === 'yes');
    this.#yes = new Set(yes.flatMap(({ text }) => vocabulary.foldings(text)));
    const isBeside = (word: string) => book.besideYes.has(word) || this.#yes.has(word);
    const others = vocabulary.examples
      .filter(({ act }) => !BESIDE_YES.has(act))
      .flatMap(({ text }) => vocabulary.foldings(text))
      .filter((text) => !this.#yes.has(text) && text.split(' ').every(isBeside));
    this.#others = indexPhrases([...new Set(others)].map((text) => [text, true] as const));
  }

  /** Nothing but yes and polite words, no value, no sign of an objection, no other day. */
  isYes({ text, parts, rest, period, mentions }: Values): boolean {
    if (rest.length > 0 || period || mentions.length > 0) return false;
    if (this.#objections.test(text.normalize('NFC'))) return false;
    const isYes = (part: Part) =>
      actOf(part) === 'yes' || part.words.some((word) => this.#yes.has(word.text));
    const isPolite = (part: Part) =>
      part.words.every((word) => this.#book.besideYes.has(word.text) || this.#yes.has(word.text));
    const isOnlyYes = parts.some(isYes) && parts.every((part) => actOf(part) === 'yes' || isPolite(part));
    return isOnlyYes && !this.#saysOther(parts);
  }

  /** A yes stands among other words: the answer points at the button. */
  isNearly(values: Values): boolean {
    const { rest, parts } = values;
    return (
      rest.length === 0 && parts.some((part) => actOf(part) === 'yes') && !says(values, 'faults', 'stops')
    );
  }

  /** Whether polite words next to a yes are a line of another heading: "ok, giúp đỡ" asks for help. */
  #saysOther(parts: readonly Part[]): boolean {
    const beside = parts.map((part) =>
      actOf(part) === 'yes' ? [VALUE] : part.words.map(({ text }) => text),
    );
    const words = beside.flat();
    return words.some((_, at) => phraseAt(this.#others, words, at) !== undefined);
  }
}

/** The answer to the consent question, and what else was said. */
export type ConsentRead = { readonly given: boolean; readonly rest: string };

/** Whether a text is an answer to the consent question: no other yes is one. */
export class ConsentReader {
  readonly #book: PhraseBook;
  /** The listed answers, as words, and the words that may stand next to them. */
  readonly #lists: Readonly<Record<'yes' | 'no', readonly (readonly string[])[]>>;
  readonly #beside: ReadonlySet<string>;
  /** What another wish, and the reason for the answer, may begin with. */
  readonly #wishes: PhraseIndex<true>;
  readonly #reasons: PhraseIndex<true>;

  constructor(book: PhraseBook) {
    const { vocabulary } = book;
    this.#book = book;
    const wordsOf = (list: string) => vocabulary.list(list).map((phrase) => phrase.split(' '));
    this.#lists = { yes: wordsOf('consent yes'), no: wordsOf('consent no') };
    const beside = ['assents', 'beside consent'].flatMap((list) => vocabulary.list(list));
    this.#beside = new Set([...book.polite, ...beside]);
    const indexOf = (list: string) =>
      indexPhrases(vocabulary.list(list).map((phrase) => [phrase, true] as const));
    this.#wishes = indexOf('before another wish');
    this.#reasons = indexOf('before a reason');
  }

  /** The answer that a text is, or that it begins with before a pause, another wish or a reason. */
  read(text: string): ConsentRead | undefined {
    const tokens = tokenize(visible(text));
    const words = tokens.map((token) => fold(token.text));
    if (words.length > 4 * MAX_CONSENT) return undefined;
    const whole = this.#answerIn(tokens);
    if (whole !== undefined) return text.includes('?') ? undefined : { given: whole, rest: '' };
    const isReason = (at: number) => phraseAt(this.#reasons, words, at) !== undefined;
    const isNext = (at: number) => tokens[at]?.pause || phraseAt(this.#wishes, words, at) !== undefined;
    const isEnd = (at: number) => at > 0 && (isNext(at) || isReason(at));
    const at = words.findIndex((_, i) => isEnd(i) && this.#answerIn(tokens.slice(0, i)) !== undefined);
    const given = at < 0 ? undefined : this.#answerIn(tokens.slice(0, at));
    if (given === undefined) return this.#declineInClause(tokens);
    // "Nhớ giùm đi, lần sau khỏi gõ lại mỏi tay": the reason wishes for nothing.
    const end = isReason(at) ? tokens.findIndex((token, i) => i > at && token.pause) : at;
    const from = end < 0 ? tokens.length : end;
    const rest = tokens.slice(phraseAt(this.#wishes, words, from)?.to ?? from);
    const isMore = rest.length >= MIN_WISH && this.#answerIn(rest) !== given;
    return { given, rest: isMore ? rest.map((token) => token.text).join(' ') : '' };
  }

  /** Whether a text has an answer, wherever it was said. */
  isAnswer(text: string): boolean {
    return this.#answerIn(tokenize(visible(text))) !== undefined;
  }

  /** "Máy này tôi mượn, đừng lưu": who declines in any clause declines. What else is said counts, too. */
  #declineInClause(tokens: readonly Token[]): ConsentRead | undefined {
    const starts = tokens.flatMap(({ pause }, at) => (at === 0 || pause ? [at] : []));
    for (const [at, start] of starts.entries()) {
      const end = starts[at + 1] ?? tokens.length;
      const clause = tokens.slice(start, end);
      if (clause.length < MIN_WISH || this.#answerIn(clause) !== false) continue;
      const rest = [...tokens.slice(0, start), ...tokens.slice(end)].map(({ text }) => text).join(' ');
      return { given: false, rest };
    }
    return undefined;
  }

  /** The answer as it is spelt, or else with short forms written out: "hông nhớ". */
  #answerIn(tokens: readonly Token[]): boolean | undefined {
    if (tokens.length > MAX_CONSENT) return undefined;
    const plain = ({ text }: Token) => this.#book.plainly(text).join(' ');
    return this.#consentIn(tokens.map(({ text }) => fold(text))) ?? this.#consentIn(tokens.map(plain));
  }

  #consentIn(words: readonly string[]): boolean | undefined {
    if (words.length > MAX_CONSENT) return undefined;
    const isWhole = (phrase: readonly string[]) => {
      const from = words.findIndex((_, at) => phrase.every((word, next) => words[at + next] === word));
      const others = words.filter((_, at) => at < from || at >= from + phrase.length);
      return from >= 0 && others.every((word) => this.#beside.has(word));
    };
    if (this.#lists.yes.some(isWhole)) return true;
    return this.#lists.no.some(isWhole) ? false : undefined;
  }
}
