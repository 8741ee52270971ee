import { type Answer, type Answers, createAnswers } from './answers.ts';
import { isQuestion } from './asking.ts';
import { type CodesRead, createCodes, referenceIn } from './codes.ts';
import { visible } from './fold.ts';
import { createIntents, isWish, lacksEmail, speaksOfGifts } from './intent.ts';
import { withLinksRead } from './links.ts';
import { createLocales, type Locales } from './locales.ts';
import { createVocabulary, type Segment } from './phrases.ts';
import { createSpelling } from './spelling.ts';
import { timesIn } from './times.ts';
import { findEmail, findPhone, type Token, tokenize, type Word } from './tokens.ts';
import type { CodeResult } from './values/code.ts';
import { type FlowWords, intentWords, type Wording } from './vocabulary.ts';
import { createYes, withHandsRead } from './yes.ts';

/** What a message says, as far as it says it. Nothing here is trusted more than any typed text. */
export type Understood = {
  /** The name of a flow, or what else the bot understands (`vocabulary.ts`). */
  readonly intent?: string | undefined;
  /** At least six characters with a letter and a digit; fewer, or digits only, right after an intent or "mã". */
  readonly code?: string | undefined;
  /** All of them, each once, in the order they stand; `code` is the first. */
  readonly codes: readonly string[];
  /** E.164. With `phoneAsk`, a guess to be asked about (`parsePhone`). */
  readonly phone?: string | undefined;
  readonly phoneAsk?: 'mapped' | 'leadingZero' | undefined;
  readonly email?: string | undefined;
  readonly emailSuggestion?: string | undefined;
  /** A Vietnamese keyboard rewrote this slot while it was typed; it is not repaired. */
  readonly mangled?: 'code' | 'email' | undefined;
  /** A word of the shape that operation ids have, upper case without its dash. It may be the `code` as well. */
  readonly reference?: string | undefined;
  /** The words that speak of a period, whether or not they can be read as one (`parsePeriod`). */
  readonly period?: string | undefined;
  /** Which history; only where the message asks for one, or says nothing else. */
  readonly type?: 'point' | 'gift' | 'both' | undefined;
  /** Speaks of all time, without a period: "quà của tôi". */
  readonly ever?: true | undefined;
  /** Speaks of gifts, and asks for none: "thế còn quà", but neither "đổi quà" nor "quà nào". */
  readonly gifts?: true | undefined;
  /** The slot that the message calls by its name ("mã", "số điện thoại"); the first one. */
  readonly names?: 'code' | 'phone' | 'email' | undefined;
  /** "Không có email". */
  readonly noEmail?: true | undefined;
  /** Says that something is wrong ("sai rồi"), and not that there is none. */
  readonly fault?: true | undefined;
  /** Words that ask for the gift named with them ("đổi", "lấy"), whether or not they make an intent. */
  readonly wishes?: true | undefined;
  /** The words, as typed, that none of the above explains, without polite fillers. */
  readonly rest: string;
};

/** Understands what customers write. Made once for the flows at hand: the index of its vocabulary takes long to build. */
export type Language = {
  /**
   * Reads free text: an intent and any number of slots in any order, Vietnamese with or without marks, English, the usual
   * abbreviations, slash commands with arguments. Words are matched as they are, then without the keystrokes of a Telex
   * or VNI keyboard and, where that finds no intent, by one typing error; slots are never repaired.
   */
  understand(text: string): Understood;
  /** The language that a text is in, as far as its words tell; `first`: nothing is known yet, so "hello" tells it, too. */
  readonly localeOf: Locales;
  /** What answers a question about the programme, and whether a text asks anything. */
  readonly answers: Answers;
  /** Whether a text says yes and nothing else. */
  isYes(text: string): boolean;
  /** An answer to the question for a code. Codes are opaque: beside shapes, only the vocabulary and dates are refused. */
  readCode(text: string): CodeResult;
  /** What a field for codes was given: one or, with blanks or commas between, several; and the first thing that is none. */
  readCodes(text: string): CodesRead;
};

/** `added`: the operator's answers. */
export function createLanguage(
  flows: readonly FlowWords[],
  wording: Wording,
  added: readonly Answer[] = [],
): Language {
  const words = intentWords(flows, wording);
  const vocabulary = createVocabulary(words);
  const localeOf = createLocales(words);
  const { wordsOf, mended } = createSpelling(vocabulary, localeOf);
  const takers = new Set(flows.flatMap(({ name, takesCode }) => (takesCode ? [name] : [])));
  const codes = createCodes(vocabulary, takers);
  const order = words.map(({ intent }) => intent);
  const { intentOf, typeOf } = createIntents(flows, order);
  const answers = createAnswers(wording, added);
  const isYes = createYes(words);
  const past = flows.find(({ showsPast }) => showsPast)?.name;
  const commands = new Map(
    words.flatMap(({ intent, commands }) => commands.map((name) => [name, intent] as const)),
  );

  /** `/tichdiem`, `/tichdiem@antcrm_bot`. */
  function commandOf(token: Token | undefined): string | undefined {
    const name = /^\/(\w+)(?:@\w+)?$/.exec(token?.text ?? '')?.[1];
    return name === undefined ? undefined : commands.get(name.toLowerCase());
  }

  function read(tokens: readonly Token[], command: string | undefined): Reading {
    const shaped = tokens.filter(codes.isCode);
    const argument = shaped.length > 0 ? undefined : codes.argument(tokens, command);
    const found = argument ? [argument] : shaped;
    const typed = wordsOf(without(tokens, found));
    const reading = interpret(typed, found, command);
    // A period that was mistyped must not be taken for none.
    if (reading.intent && (reading.intent !== past || reading.period !== undefined)) return reading;
    const better = mended(typed);
    const second = better && interpret(better, found, command);
    if (!second?.intent || (reading.intent && second.period === undefined)) return reading;
    // "I forgot me code": nothing is erased for a typing error.
    return second.intent === 'forget' ? { ...second, intent: 'privacy' } : second;
  }

  function interpret(
    typed: readonly Word<Token>[],
    shaped: readonly Token[],
    command: string | undefined,
  ): Reading {
    const { said: period, others } = timesIn(typed);
    const all = vocabulary.segments(others);
    const announced = shaped.length > 0 ? undefined : codes.announced(all, command);
    const found = announced ? [announced] : shaped;
    const parts = all.filter(({ words: [word] }) => !word || !found.includes(word.source));
    const said = intentOf(parts, period);
    const chosen = command === 'language' && said?.startsWith('language:') ? said : command;
    return { parts, codes: found, period, intent: chosen ?? said };
  }

  /** Erasing and another language take the plain request; "xác nhận giúp mình" asks for no help. */
  function settled(intent: string | undefined, isAlone: boolean, text: string): string | undefined {
    if (intent === 'forget') return isAlone && !isQuestion(text) ? intent : 'privacy';
    if (intent?.startsWith('language:')) return isAlone ? intent : undefined;
    return intent === 'help' && isYes(text) ? 'confirm' : intent;
  }

  function understand(text: string): Understood {
    const tokens = tokenize(withHandsRead(withLinksRead(visible(text)))).flatMap(codes.parted);
    const command = commandOf(tokens[0]);
    const typed = tokens.filter((token, i) => !(command && i === 0) && !token.text.startsWith('@'));
    const email = findEmail(typed);
    const unmailed = without(typed, email?.tokens);
    const phone = findPhone(unmailed);
    const others = without(unmailed, phone?.tokens);
    const mangled = others.find(codes.isMangled);
    const { intent, codes: found, period, parts } = read(without(others, mangled && [mangled]), command);
    const [code, ...furtherCodes] = new Set(found.map((token) => token.text));
    const left = unexplained(others, parts);
    const isAlone = !phone && !email && !code && !mangled && left.length === 0;
    const asksForPast = intent !== undefined && intent === past;
    const bare = typed.length === 0 && text.includes('?') ? 'explain' : undefined;
    return {
      intent: (command ? intent : settled(intent, isAlone, text)) ?? bare,
      code,
      codes: code === undefined ? [] : [code, ...furtherCodes],
      phone: phone?.result.value,
      phoneAsk: phone?.result.ask,
      email: email?.result.ok ? email.result.value : undefined,
      emailSuggestion: email?.result.ok ? email.result.suggestion : undefined,
      mangled: mangled ? 'code' : email && !email.result.ok ? 'email' : undefined,
      reference: referenceIn(others, left),
      period,
      type: asksForPast || isAlone ? typeOf(parts, intent) : undefined,
      ever: parts.some(({ meaning }) => meaning?.ever) || undefined,
      gifts: (isAlone && speaksOfGifts(parts)) || undefined,
      names: parts.find(({ meaning }) => meaning?.field)?.meaning?.field,
      noEmail: (!email && lacksEmail(parts)) || undefined,
      fault: parts.some(({ meaning }) => meaning?.fault) || undefined,
      wishes: isWish(parts) || undefined,
      rest: left.map((token) => token.text).join(' '),
    };
  }

  return {
    understand,
    isYes,
    readCode: codes.read,
    readCodes: codes.readAll,
    localeOf,
    answers,
  };
}

type Reading = {
  readonly parts: readonly Segment<Token>[];
  readonly codes: readonly Token[];
  readonly period?: string | undefined;
  readonly intent?: string | undefined;
};

function without(tokens: readonly Token[], taken: readonly Token[] = []): readonly Token[] {
  return taken.length === 0 ? tokens : tokens.filter((token) => !taken.includes(token));
}

function isUnknown(token: Token, parts: readonly Segment<Token>[]): boolean {
  return parts.some(
    ({ meaning, words }) => meaning === undefined && words.some(({ source }) => source === token),
  );
}

/** Words that the vocabulary does not have. */
function unexplained(tokens: readonly Token[], parts: readonly Segment<Token>[]): Token[] {
  return tokens.filter((token) => isUnknown(token, parts));
}
