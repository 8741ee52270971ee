import type { SlotKind } from '../commands.ts';
import { type Codes, createCodes, referenceIn, withLinksRead } from './code.ts';
import { createPhones, findEmail } from './identity.ts';
import { createLexicon, type Lexicon, type Segment } from './lexicon.ts';
import {
  type Asking,
  createAsking,
  createLocaleOf,
  createObjections,
  createSigns,
  type LocaleOf,
} from './manner.ts';
import { createTimes, isPast, type SaidPeriod, type Times } from './period.ts';
import { remembered, type Token, tokenize, visible, type Word } from './text.ts';
import { ANSWERED, type Words } from './words.ts';

/** What reading texts needs to know of a flow. */
export type SpokenFlow = {
  readonly name: string;
  /** Of several flows in a message, the one with the highest is meant; above 26 also before a change of details. */
  readonly priority: number;
  readonly identity: 'typed' | 'proved';
  readonly slots: readonly SlotKind[];
  /** The list of the history that its words speak of; `vague`: only where nothing names the other one. */
  readonly list?: { readonly type: 'point' | 'gift'; readonly vague?: true } | undefined;
};

/** What a text says by itself, whatever question it answers: its values, and what its words want. */
export type Said = {
  /** The command that its words are examples of, or what a slash command stands for: `start redeem`, `yes`. */
  readonly act?: string | undefined;
  /** All codes, each once, in the order they stand. */
  readonly codes: readonly string[];
  /** E.164. With `phoneAsk`, a guess to be asked about (`parsePhone`). */
  readonly phone?: string | undefined;
  readonly phoneAsk?: 'mapped' | 'leadingZero' | undefined;
  readonly email?: string | undefined;
  readonly emailSuggestion?: string | undefined;
  /** Where two phones or two e-mails are named: the second one. */
  readonly second?: Pick<Said, 'phone' | 'phoneAsk' | 'email' | 'emailSuggestion'> | undefined;
  /** A Vietnamese keyboard rewrote this slot while it was typed; it is not repaired. */
  readonly mangled?: 'code' | 'email' | undefined;
  /** Says yes and nothing else, in words without a typing error: points hang on it. */
  readonly yes: boolean;
  /** A word of the shape that operation ids have, upper case without its dash. It may be a code as well. */
  readonly reference?: string | undefined;
  /** The words that speak of a period, whether or not they can be read as one. */
  readonly period?: SaidPeriod | undefined;
  /** Which history; only where the message asks for one, or says nothing else. */
  readonly type?: 'point' | 'gift' | 'both' | undefined;
  /** Speaks of all time, without a period: "quà của tôi". */
  readonly ever: boolean;
  /** Speaks of gifts, and asks for none: "thế còn quà", but neither "đổi quà" nor "quà nào". */
  readonly gifts: boolean;
  /** The slot that the message calls by its name ("mã", "số điện thoại"); the first one. */
  readonly names?: 'code' | 'phone' | 'email' | undefined;
  /** "Không có email". */
  readonly noEmail: boolean;
  /** Says that something is wrong ("sai rồi"), and not that there is none. */
  readonly fault: boolean;
  /** Begins with a yes, which a pause ends: "đúng, gõ nhầm". */
  readonly agrees: boolean;
  /** Says not to do something: "đừng bỏ mã nào". */
  readonly denies: boolean;
  /** Words that ask for the gift named with them ("đổi", "lấy"), whether or not they make an act. */
  readonly wishes: boolean;
  /** The words, as typed, that none of the above explains, without polite ones. */
  readonly rest: string;
  /** Nothing but examples of commands and polite words. */
  readonly exact: boolean;
  /** The examples that were found. */
  readonly covered: readonly string[];
};

/** Reads texts by the language files. */
export type Reader = {
  /** What a text says by itself, whatever question it answers. */
  hear(text: string): Said;
  readonly asking: Asking;
  readonly codes: Codes;
  readonly times: Times;
  readonly lexicon: Lexicon;
  readonly localeOf: LocaleOf;
  /** The parameters of links that carry codes. */
  readonly inLinks: ReadonlySet<string>;
};

/** Of several acts in a message the first of these is meant; `flows` by their priority, with a change of the details. */
const ORDER = [
  'answers, show erasing, show privacy, speak, show languages, status, show person, show complaint',
  'show offer, cancel, cancel mild, flows',
  'show help, show welcome, show menu, none, page next, page previous, keep, other, page same, talk wait, ask what',
  'no, yes, talk bye, talk upset, ask who, talk thanks, talk greeting, talk remark',
].join(', ');
const AMONG_FLOWS = [
  { act: 'change', priority: 25 },
  { act: 'remove', priority: 26 },
];

/** "Dạ không" says no. */
const NO: ReadonlySet<string | undefined> = new Set(['no', 'none', 'cancel mild', 'cancel']);
/** Beside a person who is not wanted, these answer no question of ours. */
const ANSWERS = /^(?:yes|no|none|keep|other|cancel mild)$/;
/** What may be said beside the bare name of a person, which wishes for one. */
const BESIDE_PERSON = /^(?:show person|show help|yes|talk )/;
/** What leaves a "thôi" what it is: an end. */
const BESIDE_MILD = /^(?:cancel|no|none|yes|talk )/;
/** What may be said beside the wish for a language. */
const BESIDE_LANGUAGE = /^(?:yes|no|none|talk greeting|talk thanks|show help)$/;

type FoundPhone = ReturnType<ReturnType<typeof createPhones>>;
type FoundEmail = ReturnType<typeof findEmail>;

function identityIn(phone: FoundPhone, email: FoundEmail): NonNullable<Said['second']> {
  const address = email?.result.ok ? email.result : undefined;
  return {
    phone: phone?.result.value,
    phoneAsk: phone?.result.ask,
    email: address?.value,
    emailSuggestion: address?.suggestion,
  };
}

const secondIn = (phone: FoundPhone, email: FoundEmail) =>
  (phone ?? email) === undefined ? undefined : identityIn(phone, email);

/** `commands`: slash commands, without the slash, by what they stand for. */
export function createReader(
  words: Words,
  flows: readonly SpokenFlow[],
  commands: ReadonlyMap<string, string>,
): Reader {
  const byAct = new Map<string, SpokenFlow>(flows.map((flow) => [`start ${flow.name}`, flow]));
  // It shows what was: a past period with another flow's words asks for it ("điểm 30 ngày").
  const past = flows.find(({ slots }) => slots.includes('list'));
  const pastAct = past && `start ${past.name}`;
  const ranked = [...flows.map(({ name, priority }) => ({ act: `start ${name}`, priority })), ...AMONG_FLOWS];
  const acts = [...new Set(words.examples.flatMap(({ act, isPhrase }) => (isPhrase ? act : [])))];
  const speaks = acts.filter((act) => act.startsWith('speak '));
  const groups: Readonly<Record<string, readonly string[]>> = {
    answers: acts.filter((act) => ANSWERED.test(act)),
    speak: speaks,
    flows: ranked.sort((one, other) => other.priority - one.priority).map(({ act }) => act),
  };
  const order = ORDER.split(', ').flatMap((act) => groups[act] ?? act);
  const localeOf = createLocaleOf(words);
  const times = createTimes(words);
  const lexicon = createLexicon(words, times, localeOf);
  const asking = createAsking(words, lexicon);
  const objects = createObjections(words);
  const yesWords = new Set(
    words.examples.flatMap(({ act, text }) => (act === 'yes' ? words.foldings(text) : [])),
  );
  const takesCode = (act: string | undefined) =>
    byAct.get(act ?? '')?.slots.some((slot) => slot === 'codes' || slot === 'gift') ?? false;
  const codes = createCodes(words, lexicon, times, takesCode);
  const findPhone = createPhones(words);
  const inWords = createSigns(words);
  const inLinks = new Set(words.list('link parameters'));
  const possible = new Set(words.list('possible'));
  const declines = new Set(words.list('declines'));
  const speakers = new Set(words.list('speakers'));
  const undenied = new Set(words.list('undenied'));
  const polite = new Set(words.list('polite').flatMap((phrase) => phrase.split(' ')));
  const isFlow = (act: string | undefined) => act !== undefined && byAct.has(act);
  const listOf = ({ meaning }: Segment) => byAct.get(meaning?.act ?? '')?.list;

  /** `/tichdiem`, `/tichdiem@antcrm_bot`. */
  function commandOf(token: Token | undefined): string | undefined {
    const name = /^\/(\w+)(?:@\w+)?$/.exec(token?.text ?? '')?.[1];
    return name === undefined ? undefined : commands.get(name.toLowerCase());
  }

  function read(tokens: readonly Token[], command: string | undefined): Reading {
    const shaped = tokens.filter(codes.isCode);
    const argument = shaped.length > 0 ? undefined : codes.argument(tokens, command);
    const found = argument ? [argument] : shaped;
    const typed = lexicon.wordsOf(without(tokens, found));
    const reading = meaningOf(typed, found, command);
    // A period that was mistyped must not be taken for none.
    if (reading.act && (reading.act !== pastAct || reading.period !== undefined)) return reading;
    const better = lexicon.mended(typed);
    const second = better && meaningOf(better, found, command);
    if (!second?.act || (reading.act && second.period === undefined)) return reading;
    // "I forgot me code": nobody asked to be forgotten.
    return { ...second, yes: false, ...(second.act === 'show erasing' && { act: 'show privacy' }) };
  }

  function meaningOf(
    typed: readonly Word<Token>[],
    shaped: readonly Token[],
    command: string | undefined,
  ): Reading {
    const { said: period, others } = times.find(typed);
    const all = lexicon.segments(others);
    const announced = shaped.length > 0 ? undefined : codes.announced(all, command);
    const found = announced ? [announced] : shaped;
    const taken = new Set(found);
    const told = all.filter(({ words: [word] }) => !word || !taken.has(word.source));
    const parts = withoutUnwanted(told);
    const isCut = parts.length < told.length;
    const wanted = actOf(parts, period);
    const act = isCut && (wanted === undefined || ANSWERS.test(wanted)) ? 'talk remark' : wanted;
    const chosen = command === 'show languages' && act?.startsWith('speak ') ? act : command;
    const yes = saysYes(period ? lexicon.segments(typed) : told);
    return { parts, codes: found, period, act: chosen ?? act, yes, isCut };
  }

  /** What the phrases want; `period`: the words that speak of one. */
  function actOf(parts: readonly Segment[], period: SaidPeriod | undefined): string | undefined {
    const language = wishedLanguage(parts);
    if (language !== undefined) return language;
    // Where a person is named, and not asked for, one is mentioned.
    const said = parts
      .map((part) => (isName(part) ? { ...part, meaning: { act: 'show offer', always: true } } : part))
      .filter(({ meaning }) => meaning?.act !== undefined && !speaks.includes(meaning.act));
    const isNo = said.some(({ meaning }) => NO.has(meaning?.act));
    const sure = said.filter(({ meaning }) => meaning?.always);
    const counting = sure.length > 0 ? sure : isExplained(parts) ? said : [];
    const telling = isNo ? counting.filter(({ meaning }) => !meaning?.assent) : counting;
    const all = new Set(telling.map(({ meaning }) => meaning?.act));
    // "Thôi nhập số khác" ends nothing.
    const isOther = [...all].some((act) => act !== undefined && !BESIDE_MILD.test(act));
    const acts = isOther ? new Set([...all].filter((act) => act !== 'cancel mild')) : all;
    if ([...acts].some(isFlow)) {
      const denied = deniedFlow(parts);
      // "Nhân viên không cho tích điểm" stops nothing.
      if (denied && !(denied === 'cancel' && acts.has('show offer'))) return denied;
    }
    const first = order.find((act) => acts.has(act));
    if (first === 'show erasing' && !isPlainRequest(parts)) return 'show privacy';
    const both = acts.has('yes') && acts.has('no');
    if (both && (first === 'yes' || first === 'no'))
      return parts.some(({ meaning }) => meaning?.fault) ? 'no' : undefined;
    if (period === undefined || !isFlow(first) || !isExplained(parts)) return first;
    const { type, vague } = byAct.get(first ?? '')?.list ?? {};
    // "Tuần này tích được bao nhiêu điểm" asks for what was earned, "tuần này mình có bao nhiêu điểm" for the balance.
    const isEarned = vague
      ? said.some((part) => listOf(part)?.type === 'point' && !listOf(part)?.vague)
      : parts.some(({ meaning }) => meaning?.asks);
    return isPast(period) || (type === 'point' && isEarned) ? (pastAct ?? first) : first;
  }

  /** "Không đổi quà nữa" stops; "không tích điểm được" is a complaint; "không, tích điểm" is neither. */
  function deniedFlow(parts: readonly Segment[]): string | undefined {
    if (parts.some(({ meaning }) => meaning?.denial === 'fail')) return 'show complaint';
    const denial = parts.findIndex(({ meaning }) => meaning?.denial === 'stop');
    if (denial < 0) return undefined;
    const after = parts.slice(denial + 1);
    const next = after.findIndex(({ meaning }) => meaning === undefined || meaning.act !== undefined);
    const paused = after.slice(0, next + 1).some((part) => part.words.some(({ source: { pause } }) => pause));
    if (!isFlow(after[next]?.meaning?.act) || paused) return undefined;
    // "Không phải tích điểm, mình muốn xem điểm" means the other one.
    const [denied, other] = after.flatMap(({ meaning }) => (isFlow(meaning?.act) ? [meaning?.act] : []));
    if (other !== undefined && other !== denied) return other;
    const fails = after.slice(next + 1).some((part) => possible.has(part.words[0]?.text ?? ''));
    return fails ? 'show complaint' : 'cancel';
  }

  /** "Không cần gặp nhân viên, xem điểm": the parts without the person and what declines one, in one breath. */
  function withoutUnwanted(parts: readonly Segment[]): readonly Segment[] {
    const phrase = ({ words: all }: Segment) => all.map(({ text }) => text).join(' ');
    const isPerson = (part: Segment) =>
      /^show (?:person|offer)$/.test(part.meaning?.act ?? '') && !undenied.has(phrase(part));
    const goesOn = (part: Segment) =>
      part.meaning && !(part.meaning.act ?? part.meaning.denial) && !speakers.has(phrase(part));
    const unwanted = parts.flatMap((part, at) => {
      if (!isPerson(part)) return [];
      const from = parts.slice(0, at).findLastIndex((one) => !goesOn(one));
      const denial = parts[from];
      const isPaused = parts.slice(from + 1, at + 1).some(({ words: [word] }) => word?.source.pause);
      return denial && declines.has(phrase(denial)) && !isPaused ? parts.slice(from, at + 1) : [];
    });
    return unwanted.length === 0 ? parts : parts.filter((part) => !unwanted.includes(part));
  }

  /** A language is wished for where nothing else is said; of one that is denied ("I don't speak …") the other one. */
  function wishedLanguage(parts: readonly Segment[]): string | undefined {
    const isNamed = ({ meaning }: Segment) => speaks.includes(meaning?.act ?? '');
    const isOther = ({ meaning }: Segment) =>
      meaning?.act !== undefined && !BESIDE_LANGUAGE.test(meaning.act);
    const others = parts.filter((part) => !isNamed(part));
    if (others.length === parts.length || !isExplained(parts)) return undefined;
    if (others.some((part) => isOther(part) || part.meaning?.field)) return undefined;
    const refused = parts.find((part, at) => isNamed(part) && isDenied(parts, at))?.meaning?.act;
    const named = new Set(parts.filter(isNamed).map(({ meaning }) => meaning?.act));
    const [wanted, ...more] = speaks.filter((one) => (refused ? one !== refused : named.has(one)));
    return more.length === 0 ? wanted : 'show languages';
  }

  /** Nothing but yes and polite words. */
  function saysYes(parts: readonly Segment[]): boolean {
    const isYes = ({ meaning, words: all }: Segment) =>
      meaning?.act === 'yes' || all.some(({ text }) => yesWords.has(text));
    const isPolite = ({ meaning, words: all }: Segment) =>
      meaning?.act === 'yes' || all.every(({ text }) => polite.has(text) || yesWords.has(text));
    return parts.some(isYes) && parts.every(isPolite);
  }

  function namedType(part: Segment): 'point' | 'gift' | undefined {
    if (part.meaning?.type) return part.meaning.type;
    const list = part.meaning?.always ? listOf(part) : undefined;
    return list?.vague ? undefined : list?.type;
  }

  /** Which history the phrases name; undefined where they name none, or the act is no flow. */
  function typeOf(parts: readonly Segment[], act: string | undefined): Said['type'] {
    if (act !== undefined && !isFlow(act)) return undefined;
    const [named, ...more] = new Set(parts.map(namedType).filter((type) => type !== undefined));
    if (named !== undefined && more.length === 0) return named;
    const types = new Set(parts.map((part) => listOf(part)?.type).filter((type) => type !== undefined));
    return types.size > 1 ? 'both' : [...types][0];
  }

  /** Erasing, a language and a person take the plain request; "xác nhận giúp mình" asks for no help. */
  function settled({ act, parts, yes, isCut }: Reading, isAlone: boolean, text: string): string | undefined {
    const isMention = act === 'show offer' && isAlone && !isCut && isNameOnly(parts);
    if (isMention && !asking.isQuestion(text)) return 'show person';
    if (act === 'show erasing') return isAlone && !asking.isQuestion(text) ? act : 'show privacy';
    if (act?.startsWith('speak ')) return isAlone ? act : undefined;
    return act === 'show help' && yes ? 'yes' : act;
  }

  function readText(text: string): Said {
    const seen = withDatesJoined(inWords(withLinksRead(visible(text), inLinks)));
    const tokens = tokenize(seen).flatMap(codes.parted);
    const command = commandOf(tokens[0]);
    const typed = tokens.filter((token, i) => !(command && i === 0) && !token.text.startsWith('@'));
    const email = findEmail(typed);
    const unmailed = without(typed, email?.tokens);
    const phone = findPhone(unmailed);
    const others = without(unmailed, phone?.tokens);
    const mangled = others.find(codes.isMangled);
    const meant = read(without(others, mangled && [mangled]), command);
    const { act, period, parts } = meant;
    const all = [...new Set(meant.codes.map((token) => token.text))];
    const unknown = new Set(
      parts.flatMap(({ meaning, words: all }) => (meaning ? [] : all.map(({ source }) => source))),
    );
    const left = others.filter((token) => unknown.has(token));
    const isAlone = !phone && !email && all.length === 0 && !mangled && left.length === 0;
    const yes = isAlone && meant.yes && !objects(text);
    const wanted = command ? act : settled({ ...meant, yes }, isAlone, text);
    const bare = typed.length === 0 && text.includes('?') ? 'ask what' : undefined;
    return {
      act: wanted ?? bare,
      codes: all,
      ...identityIn(phone, email),
      second: secondIn(phone && findPhone(others), email && findEmail(unmailed)),
      mangled: mangled ? 'code' : email && !email.result.ok ? 'email' : undefined,
      yes,
      reference: referenceIn(others, left),
      period,
      type: (act !== undefined && act === pastAct) || isAlone ? typeOf(parts, act) : undefined,
      ever: parts.some(({ meaning }) => meaning?.ever),
      gifts: isAlone && speaksOfGifts(parts),
      names: parts.find(({ meaning }) => meaning?.field)?.meaning?.field,
      noEmail: !email && lacksEmail(parts),
      agrees: beginsWithYes(parts),
      fault: parts.some(({ meaning }) => meaning?.fault),
      denies: parts.some(({ meaning }) => meaning?.denial),
      wishes: parts.some(({ meaning }) => meaning?.wish) && !parts.some(({ meaning }) => meaning?.denial),
      rest: left.map((token) => token.text).join(' '),
      exact: parts.every(
        ({ meaning, words: all }) =>
          meaning?.act !== undefined || all.every(({ text: word }) => polite.has(word)),
      ),
      covered: parts.flatMap(({ meaning, words: all }) =>
        meaning?.act === undefined ? [] : [all.map((word) => word.source.text).join(' ')],
      ),
    };
  }

  return {
    asking,
    codes,
    times,
    lexicon,
    localeOf,
    inLinks,
    // What is all vocabulary is nobody's secret.
    hear: remembered(readText, ({ rest, email }) => rest === '' && email === undefined),
  };
}

type Reading = {
  readonly parts: readonly Segment[];
  readonly codes: readonly Token[];
  readonly period?: SaidPeriod | undefined;
  readonly act?: string | undefined;
  readonly yes: boolean;
  /** A person who is not wanted was left out. */
  readonly isCut: boolean;
};

/** "1 / 8 / 23" is a date. */
const withDatesJoined = (text: string): string =>
  text.replace(/(?<!\d)(\d{1,2}) ?\/ ?(?=\d{1,4}(?!\d))/g, '$1/');

function without(tokens: readonly Token[], taken: readonly Token[] = []): readonly Token[] {
  return taken.length === 0 ? tokens : tokens.filter((token) => !taken.includes(token));
}

/** Whether every word is known. */
function isExplained(parts: readonly Segment[]): boolean {
  return parts.every(({ meaning }) => meaning !== undefined);
}

/** Whether a denial stands before this part, in one breath: "no, English please" denies nothing. */
function isDenied(parts: readonly Segment[], at: number): boolean {
  const breath = parts.slice(0, at + 1).findLastIndex(({ words: [word] }) => word?.source.pause);
  return parts
    .slice(Math.max(breath, 0), at)
    .some(({ meaning }) => meaning?.denial || meaning?.act === 'no' || meaning?.act === 'none');
}

const isName = ({ meaning }: Segment) => meaning?.act === 'show person' && !meaning.always;

/** The name of a person, and nothing else that is wanted or denied. */
function isNameOnly(parts: readonly Segment[]): boolean {
  return parts.every(
    ({ meaning }) => !meaning?.denial && !meaning?.fault && BESIDE_PERSON.test(meaning?.act ?? 'show person'),
  );
}

/** A yes, and a pause behind it. */
function beginsWithYes(parts: readonly Segment[]): boolean {
  const at = parts.findIndex(({ meaning }) => meaning?.act !== undefined);
  return parts[at]?.meaning?.act === 'yes' && parts[at + 1]?.words[0]?.source.pause === true;
}

/** "Đừng xoá dữ liệu của tôi", and whatever else is said of it, asks for nothing to be erased. */
function isPlainRequest(parts: readonly Segment[]): boolean {
  const denies = ({ meaning }: Segment) => meaning?.denial || meaning?.act === 'no';
  return (
    isExplained(parts) && !parts.some((part) => denies(part) || part.meaning?.asks || part.meaning?.field)
  );
}

/** "Không có email", "bỏ qua email": what declines stands before the word; "không đổi email" is another matter. */
function lacksEmail(parts: readonly Segment[]): boolean {
  const telling = parts.filter(({ meaning }) => !meaning || meaning.act || meaning.field);
  return telling.some(({ meaning }, i) => {
    const next = telling[i + 1]?.meaning;
    const declined = (meaning?.act === 'none' || meaning?.act === 'no') && !meaning.fault;
    return declined && next?.field === 'email' && next.act === undefined;
  });
}

/** Whether gifts are all that is spoken of, and no verb asks for one. */
function speaksOfGifts(parts: readonly Segment[]): boolean {
  const isOther = ({ meaning }: Segment) =>
    !meaning?.gifts && (meaning?.wish || meaning?.denial || (meaning?.act ?? 'ask what') !== 'ask what');
  return parts.some(({ meaning }) => meaning?.gifts) && !parts.some(isOther);
}
