import type { CodeRef, Expecting, Reading, SlotKind, TextCommand } from '../commands.ts';
import { namedPeriod, toPeriod } from '../values/calendar.ts';
import { hasBeginning, looksLikeContact } from '../values/code.ts';
import { type EmailResult, moveEmail, type Phone } from '../values/contact.ts';
import { isSure, POSSIBLE } from './acts.ts';
import { type Meaning, NOT_QUITE } from './meaning.ts';
import { bringsValue, fieldIn, lacksEmail, type ParsedText, type SpokenFlow, says } from './parser.ts';
import type { ParsedPeriod } from './period.ts';
import { actOf, isIn, isPaused, type Part } from './phrases.ts';
import { findSigns, isReport, type PartSpan, type Sign, splitTorn } from './signs.ts';

/* What a parsed text means: one function a situation, then what holds anywhere, then values alone. */

/** A parsed text, and the place of the conversation where it came. */
export type Situation = {
  readonly parsed: ParsedText;
  /** Its act, as it is meant at this place. */
  readonly act: string;
  readonly expecting: Expecting;
  readonly reading: Reading;
  /** Its words decline that phone and e-mail are remembered: "đừng lưu số". */
  readonly declinesConsent: boolean;
  /** The name of the flow that takes a gift. */
  readonly giftFlow: string | undefined;
  /** The live flow, and the one that the text would begin. */
  readonly flow: SpokenFlow | undefined;
  readonly starts: SpokenFlow | undefined;
  /** A yes and nothing else, by the lists: points depend on it. */
  readonly isYes: boolean;
  readonly isBare: boolean;
  readonly isQuestion: boolean;
  /** It asks for something to be done: "giúp mình". */
  readonly isRequest: boolean;
  /** It speaks of later. */
  readonly isPlan: boolean;
  /** What its words say, and how sure that is. */
  readonly meaning: Meaning;
  /** The command of its act, where it is one by itself. */
  readonly command: TextCommand | undefined;
  readonly isPolite: (part: Part) => boolean;
  /** The gift that it describes instead of naming it. */
  readonly described: string | undefined;
  /** The commands of its values, by the kinds of slots. */
  readonly values: Readonly<Record<SlotKind, readonly TextCommand[]>>;
};

/** Asks a question of the usual ones. */
type UsualQuestion = Extract<TextCommand, { do: 'ask'; about: 'answer' }>;

/** The commands of a text; undefined: the next function decides. */
export type Meant = readonly TextCommand[] | undefined;

const YES: Meant = [{ do: 'yes' }];
/** Nearly a yes is none: the answer shows which button takes it. */
export const NEARLY: readonly TextCommand[] = [{ do: 'unclear', likely: [{ do: 'yes' }] }];
const NO: Meant = [{ do: 'no' }];
const ASKS_WHY_PHONE: Meant = [{ do: 'ask', about: 'answer', id: 'phone.why' }];
const NO_EMAIL: readonly TextCommand[] = [{ do: 'none', field: 'email' }];
const ASKS_OF_EMAIL: readonly TextCommand[] = [{ do: 'ask', about: 'answer', id: 'email.why' }];
const MANGLED = { codes: 'code.vietnamese', email: 'email.vietnamese' } as const;

const ENDS: ReadonlySet<string> = new Set(['cancel', 'cancel mild', 'show person', 'show complaint']);
/** Acts that decline to answer: no, skip, never mind. */
const SKIPS: ReadonlySet<string> = new Set(['none', 'no', 'cancel mild']);
/** "What is wrong with the e-mail": at a summary, without a question, it asks for a change. */
const WRONG: ReadonlySet<string> = new Set(['ask code.wrong', 'ask phone.wrong', 'ask email.wrong']);
/** Commands that only ask: they change no codes that they name by a place. */
const ASIDE: ReadonlySet<string> = new Set(['ask', 'show', 'status']);
/** Acts with which the name of a gift may still choose it: "ok loa", "không, loa". */
const BESIDE_GIFT: ReadonlySet<string> = new Set([
  '',
  'yes',
  'no',
  'none',
  'cancel mild',
  'talk remark',
]).union(new Set(['talk greeting', 'change', 'other', 'keep']));

const isLive = ({ place }: Expecting): boolean =>
  place === 'slot' || place === 'doubt' || place === 'summary';

const someOf = (commands: readonly TextCommand[]): Meant => (commands.length > 0 ? commands : undefined);

export const wrong = (kind: SlotKind, reason: string): TextCommand & { do: 'unclear' } => ({
  do: 'unclear',
  wrong: { kind, reason },
});

const isReference = ({ parsed: { reference }, act, expecting }: Situation): boolean =>
  reference !== undefined && (act === 'status' || expecting.references.includes(reference));

/** What the text means where the conversation is. */
export function readInPlace(situation: Situation): Meant {
  if (isReference(situation)) return [{ do: 'status', reference: situation.parsed.reference ?? '' }];
  const described = choosesDescribed(situation);
  if (described) return described;
  const isOfConsent = situation.declinesConsent && situation.meaning.p < 1;
  if (isOfConsent && situation.expecting.place === 'summary') return [{ do: 'show', what: 'privacy' }];
  const quantity = asksQuantity(situation);
  if (quantity) return quantity;
  const corrected = correctsRedemption(situation);
  if (corrected) return corrected;
  const moved = movesEmail(situation);
  if (moved) return moved;
  const question = asksAnswer(situation);
  if (question) return [...choosesFirst(situation), question];
  switch (situation.expecting.place) {
    case 'nothing':
      return situation.isYes ? YES : undefined;
    case 'page':
      return situation.isBare ? atPage(situation) : undefined;
    case 'doubt':
      return atDoubt(situation) ?? aboutSlots(situation) ?? endings(situation);
    case 'summary':
      return atSummary(situation) ?? aboutSlots(situation) ?? endings(situation);
    case 'slot':
      return atSlot(situation) ?? endings(situation);
  }
}

/** "Lấy cái rẻ nhất", "the 250 one", "đổi thêm cái nữa". */
function choosesDescribed({ described, expecting, giftFlow }: Situation): Meant {
  if (described === undefined || !giftFlow) return undefined;
  const begins = expecting.place === 'nothing' ? [{ do: 'start', flow: giftFlow } as const] : [];
  return [...begins, { do: 'set', slot: 'gift', value: described }];
}

/** "Sao có 1 cái, lấy 2 cái mà" at the summary of a gift: one is redeemed at a time. */
function asksQuantity({ parsed: { parts, gifts }, expecting, isBare, act }: Situation): Meant {
  const { place, gift } = expecting;
  if (place !== 'summary' || gift === undefined || gifts.length > 0 || !isBare || ENDS.has(act))
    return undefined;
  const isCounted = (part: Part, at: number) => {
    const next = parts[at + 1];
    return isIn(part, 'several') && next !== undefined && isIn(next, 'counters');
  };
  return parts.some(isCounted) ? [{ do: 'ask', about: 'answer', id: 'gift.many', gift }] : undefined;
}

/** "Lộn rồi, mình muốn cái loa" right after a redemption: what is done is not exchanged by another one. */
function correctsRedemption({ parsed, act, expecting, starts, giftFlow }: Situation): Meant {
  const isOther = parsed.gifts.length > 0 && parsed.gifts.every(({ code }) => code !== expecting.redeemed);
  const isAfter = expecting.place === 'nothing' && expecting.redeemed !== undefined;
  const isWrong = (act === '' || starts?.name === giftFlow) && isOther && says(parsed, 'faults');
  return isAfter && isWrong ? [{ do: 'ask', about: 'answer', id: 'undo' }] : undefined;
}

/** "Yahoo, not gmail": the e-mail that stands, at the other provider. */
function movesEmail({ parsed, expecting: { email, place }, isBare, isQuestion }: Situation): Meant {
  if (email === undefined || place !== 'summary' || !isBare || isQuestion) return undefined;
  const [moved, ...others] = new Set(parsed.words.flatMap(({ text }) => moveEmail(email, text) ?? []));
  if (moved === undefined || others.length > 0) return undefined;
  return [{ do: 'set', slot: 'email', doubt: { why: 'spoken', meant: moved } }];
}

/** "The speaker please, and where do I get it?": the first clause chooses, another one asks. */
function choosesFirst({ parsed, expecting, values, isPolite }: Situation): readonly TextCommand[] {
  if (expecting.kind !== 'gift' || parsed.gifts.length !== 1) return [];
  const end = parsed.parts.findIndex((part, at) => at > 0 && isPaused(part));
  const first = parsed.parts.slice(0, Math.max(0, end));
  const isNamed = first.some(({ value }) => value?.kind === 'gift');
  const isWish = first.some((part) => isIn(part, 'wishes', 'polite') && !part.value);
  return isNamed && isWish && first.every(isPolite) ? values.gift : [];
}

/** "What do you need it for?" is about the value that is asked for. */
const WHY: Readonly<Partial<Record<SlotKind, string>>> = { phone: 'phone.why', email: 'email.why' };

function aboutAsked(command: UsualQuestion, { parsed, expecting }: Situation): UsualQuestion {
  const { kind, place } = expecting;
  const id = place === 'slot' && kind !== undefined ? WHY[kind] : undefined;
  const isWhy = Object.values(WHY).includes(command.id);
  return id === undefined || !isWhy || calledField(parsed) !== undefined ? command : { ...command, id };
}

/** Questions that are about the gift that is named, or the one that is being redeemed. */
const isOfGift = (id: string): boolean => id.startsWith('gift.');

/** A question as it is meant here: about the gift that is named, or the value that is asked for. */
export function toAsked(command: TextCommand, situation: Situation): TextCommand {
  if (command.do !== 'ask' || command.about !== 'answer') return command;
  const asked = aboutAsked(command, situation);
  const [gift, ...others] = situation.parsed.gifts;
  return gift && others.length === 0 && isOfGift(asked.id) ? { ...asked, gift: gift.code } : asked;
}

/** A usual question. With a gift it asks about that one: "loa bao nhiêu điểm". */
function asksAnswer(situation: Situation): TextCommand | undefined {
  const { parsed, act, expecting, isBare, isQuestion } = situation;
  const { command: asked } = situation;
  if (!isBare || asked?.do !== 'ask' || asked.about !== 'answer' || lacksEmail(parsed)) return undefined;
  const command = aboutAsked(asked, situation);
  const isOfSummary = expecting.place === 'summary' && !isQuestion;
  if (isOfSummary && (WRONG.has(act) || isAboutField(parsed, act))) return undefined;
  // "Không thích loa, có gì khác không": the others are shown.
  if (command.id === 'gift.others' && parsed.deniesGift) return undefined;
  // "Còn quà thì sao" at a page is the other list.
  if (expecting.place === 'page' && parsed.type !== undefined && parsed.gifts.length === 0) return undefined;
  const [named, ...others] = parsed.gifts;
  const isOne = others.length === 0 || command.id === 'gift.left';
  const gift = isOne
    ? (named?.code ?? (command.id === 'gift.price' ? expecting.gift : undefined))
    : undefined;
  // "Sai chỗ nào?" is asked about whatever was refused last.
  if (command.id === 'code.wrong' && fieldIn(parsed) !== 'code') return { do: 'ask', about: 'wrong' };
  return isOfGift(command.id) && gift !== undefined ? { ...command, gift } : command;
}

/** How likely a complaint must be (0–1) where the words also name a list. */
const COMPLAINS = 0.5;

/** A page is shown: another one, the other list, another period, or both. */
function atPage(situation: Situation): Meant {
  const { parsed, act, command, flow, starts, isYes, isQuestion, values, meaning } = situation;
  if (isYes) return YES;
  if (act === 'show complaint' || act === 'show person') return undefined;
  // "Cái loa đổi ngày nào" is about the rows.
  const isOfRow = isQuestion && parsed.gifts.length > 0 && says(parsed, 'units');
  if (isOfRow && starts?.slots.includes('gift')) return [{ do: 'ask', about: 'what' }];
  const [likely] = meaning.guesses;
  // "Ghi là đổi rồi mà tôi có nhận được gì đâu" names the list, and complains.
  if (likely?.act === 'show complaint' && likely.p >= COMPLAINS) return [{ do: 'show', what: 'complaint' }];
  // "Second week of October" is no request to wait.
  const isElsewhere = starts !== undefined || (command !== undefined && command.do !== 'talk');
  const isPeriod = parsed.period !== undefined && (parsed.rest.length === 0 || !isElsewhere);
  const isList = says(parsed, 'points list', 'gifts list') && parsed.rest.length === 0;
  if ((isPeriod || isList) && parsed.type !== 'both') return [...values.list, ...values.period];
  if (act === 'page next' || act === 'page previous')
    return [{ do: 'page', to: act === 'page next' ? 'next' : 'previous' }];
  // "Ngày đổi này theo giờ nào" names a list, but asks for something else.
  if (act === '' && parsed.period === undefined && parsed.rest.length > 0) return undefined;
  const isOther = act !== '' && (starts === undefined || starts !== flow);
  return isOther || parsed.type === 'both' ? undefined : someOf([...values.list, ...values.period]);
}

/** A value is doubted: it is taken over, kept as it was typed, or neither. */
function atDoubt(situation: Situation): Meant {
  const { parsed, act, expecting, isYes, isBare, isQuestion } = situation;
  const picked = isBare ? pickPlace(parsed, expecting, 'use:') : undefined;
  if (picked) return picked;
  const isCovered = parsed.rest.length === 0;
  if (!isBare) return undefined;
  if (expecting.kind === 'email' && (act === 'none' || act === 'cancel mild')) return NO_EMAIL;
  if (act === 'yes' && (isYes || (isCovered && !isQuestion && !says(parsed, 'faults'))))
    return [{ do: 'use' }];
  if (act === 'no') return NO;
  if (act === 'keep') return [{ do: 'keep' }];
  return act === 'other' || act === 'change' ? [{ do: 'other' }] : undefined;
}

/** The summary waits: only a text that is a yes and nothing else confirms it. */
function atSummary({ parsed, act, starts, flow, isYes, isBare, isQuestion, isPolite }: Situation): Meant {
  const isOther =
    parsed.gifts.length > 0 || parsed.deniesGift || parsed.places.length > 0 || parsed.tail !== undefined;
  if (!isBare || lacksEmail(parsed) || isOther) return undefined;
  if (act === 'none' && fieldIn(parsed) === 'email') return NO_EMAIL;
  if (act === 'no' || act === 'none') return calledField(parsed) ? changeOf(parsed) : NO;
  if (act === 'other') return calledField(parsed) ? changeOf(parsed) : [{ do: 'other' }];
  if (WRONG.has(act) && !isQuestion) return changeOf(parsed);
  if (!isQuestion && isAboutField(parsed, act)) return changeOf(parsed);
  if (act === 'yes' && fieldIn(parsed) === undefined) return isYes ? YES : NEARLY;
  // "Ok đổi đi": a yes with the flow's own verb.
  const isOwn = starts !== undefined && starts === flow;
  const hasYes = parsed.parts.some((part) => actOf(part) === 'yes') || parsed.parts.every(isPolite);
  return isOwn && hasYes ? NEARLY : undefined;
}

/** "Đâu con" at the end and "làm gì có" ask nothing: the model must see the question, too. */
function mayAskOfEmail({ act, parsed, meaning: { p, guesses } }: Situation): boolean {
  const isOpen = parsed.text.includes('?') || !SKIPS.has(act);
  return (
    isOpen && p < NOT_QUITE && guesses.some((guess) => guess.act === 'ask email.why' && guess.p >= POSSIBLE)
  );
}

/** A text with more unknown words than this says more than what its known ones say. */
export const MOST_UNKNOWN = 3;
/** Acts that say little of a value which waits to be confirmed. */
const ABOUT_FIELD: ReadonlySet<string> = new Set([
  '',
  'ask account.change',
  'ask phone.why',
  'ask email.why',
]);

/** "Mã chưa đúng", "sdt kia là số cũ": something is said of a value that waits, and it is no yes. */
function isAboutField(parsed: ParsedText, act: string): boolean {
  const field = calledField(parsed);
  // "Ghi tên người nhận là Út nha, số này hai vợ chồng xài chung" is about something else, too.
  const isLong = parsed.rest.length > MOST_UNKNOWN;
  if (field === undefined || !ABOUT_FIELD.has(act) || isLong) return false;
  const isContact = field !== 'code' && !parsed.parts.some((part) => actOf(part) === 'yes');
  return isContact || says(parsed, 'faults');
}

/** A text that declines the e-mail, asks about it, or names another provider. */
function skipsEmail(situation: Situation): Meant {
  const { parsed, act, expecting, isBare, isQuestion } = situation;
  const isSkip = isBare && expecting.kind === 'email' && (SKIPS.has(act) || lacksEmail(parsed));
  // "Không có mail thì có sao không" skips nothing yet.
  // "It's yahoo, not gmail" skips nothing.
  const isOfHost = parsed.words.some(({ text }) => moveEmail('', text) !== undefined);
  if (isSkip && isOfHost) return [wrong('email', 'email.shape')];
  const isAsked = parsed.text.includes('?') || mayAskOfEmail(situation);
  if (isSkip && isQuestion && isAsked) return ASKS_OF_EMAIL;
  if (isSkip && !says(parsed, 'faults')) return NO_EMAIL;
  return undefined;
}

/** A part of a code or a phone, as people speak of it. */
const DIGITS = /\d{3}/;

function atSlot(situation: Situation): Meant {
  const { parsed, act, expecting, flow, starts, isYes, isBare, isQuestion } = situation;
  const isFault = says(parsed, 'faults');
  const isPlain = !isFault && !lacksEmail(parsed);
  const skipped = skipsEmail(situation);
  if (skipped) return skipped;
  const found = aboutSlots(situation);
  if (found) return found;
  // "0912345678 mà điểm của tui có mấy rồi": the value is kept, and the question drops nothing.
  if (starts && starts !== flow && isQuestion && answersQuestion(situation))
    return [...valuesFor(situation, flow), { do: 'start', flow: starts.name, asked: true }];
  if (!isBare) return undefined;
  // "Đuôi 917 chứ hổng phải 899" denies some digits, not the question.
  const isOfNumber = (expecting.kind === 'codes' || expecting.kind === 'phone') && DIGITS.test(parsed.text);
  if (act === 'no' && (isFault || isOfNumber)) return [{ do: 'no', wrong: true }];
  if (isYes) return YES;
  // "Sao phải cho số, tích điểm thôi mà": what runs already does not begin.
  if (isQuestion && starts === flow && starts && situation.meaning.p < 1)
    return [{ do: 'ask', about: 'what' }];
  // "Không có mã" asks where it is; "không" leaves.
  const lacksCode = expecting.kind === 'codes' && act === 'none' && fieldIn(parsed) === 'code';
  if (lacksCode) return [{ do: 'ask', about: 'answer', id: 'code.where' }];
  if (expecting.kind === 'phone' && fieldIn(parsed) === 'email' && act === 'change') return ASKS_WHY_PHONE;
  const isNothing = expecting.codes.length === 0 && expecting.gift === undefined;
  if (act === 'talk wait' && isNothing && !isQuestion && says(parsed, 'another day'))
    return [{ do: 'talk', about: 'later' }];
  if (!isPlain || !SKIPS.has(act)) return undefined;
  // "No, never mind".
  const ends = parsed.parts.some((part) => actOf(part).startsWith('cancel'));
  return ends || act === 'cancel mild' ? [{ do: 'cancel', mild: true }] : NO;
}

function aboutSlots(situation: Situation): Meant {
  const slots = situation.flow?.slots ?? [];
  return (
    (slots.includes('codes') ? aboutCodes(situation) : undefined) ??
    (slots.includes('gift') ? aboutGift(situation) : undefined) ??
    (slots.includes('period') && situation.expecting.place === 'slot' ? aboutPeriod(situation) : undefined)
  );
}

/** Changes of the listed codes; an e-mail that is left out. */
function aboutCodes(situation: Situation): Meant {
  const { parsed, act, expecting, isBare, values } = situation;
  const field = fieldIn(parsed);
  const isSkip = act === 'change' || SKIPS.has(act);
  const isDropped = act === 'remove' || (isSkip && says(parsed, 'codes drop'));
  if (isDropped && field === 'email' && isBare) return NO_EMAIL;
  const corrected = correctTail(parsed, expecting);
  if (corrected) return corrected;
  const isAside = ASIDE.has(situation.command?.do ?? '');
  // "Xoá hết đi" ends; no code is named.
  const isOther = situation.meaning.p === 1 && !CORRECTS.has(act);
  const isNamed = parsed.codes.length > 0 || (parsed.places.length > 0 && !isAside);
  const edit = (isAside || isOther) && !isNamed ? undefined : editOf(situation);
  if (edit) return [edit, ...contactsOf(values)];
  const isChange = act === 'change' || act === 'other';
  return isBare && isChange && field === 'code' && expecting.codes.length > 0 ? changeOf(parsed) : undefined;
}

/**
 * A value that stands gets other last digits: a guess. Undefined: the text has none, or they fit several
 * codes.
 */
function correctTail(parsed: ParsedText, { codes, kind, phone }: Expecting): Meant {
  const { tail } = parsed;
  if (tail === undefined || bringsValue(parsed)) return undefined;
  // "465, not 456": the other digits say which value is meant.
  const ends = parsed.words.flatMap(({ source: { text } }) =>
    /^\d{2,6}$/.test(text) && text !== tail ? text : [],
  );
  const isOfPhone = ends.some((end) => phone?.endsWith(end) && !codes.some((code) => code.endsWith(end)));
  const field = fieldIn(parsed) ?? (kind === 'phone' || isOfPhone ? 'phone' : 'code');
  const withTail = (value: string) => value.slice(0, -tail.length) + tail;
  if (field === 'phone' && phone !== undefined)
    return [{ do: 'set', slot: 'phone', doubt: { why: 'spoken', meant: withTail(phone) } }];
  const differing = (code: string) => [...code.slice(-tail.length)].filter((digit, at) => digit !== tail[at]);
  const wrongEnds = parsed.parts.flatMap(({ value }) =>
    value?.kind === 'end' && value.end !== tail ? value.end : [],
  );
  // "113 chứ không phải 112": the other digits say which code is meant.
  const named = codes.filter((code) => wrongEnds.some((end) => code.endsWith(end)));
  const nearest = codes.filter((code) => differing(code).length === 1);
  const [code, ...others] = [named, nearest, codes].find((some) => some.length > 0) ?? [];
  if (
    field !== 'code' ||
    code === undefined ||
    code.endsWith(tail) ||
    codes.some((code) => code.endsWith(tail))
  )
    return undefined;
  if (others.length > 0) return [{ do: 'change', field }];
  const guess = `${code.slice(0, -tail.length)} ${tail}`;
  return [{ do: 'replace', old: [{ code }], codes: [guess] }];
}

/** A gift is chosen, by its name or its place, or another one is wanted. */
function aboutGift(situation: Situation): Meant {
  const { parsed, act, expecting, flow, starts, isBare, isQuestion } = situation;
  const isOwn = starts !== undefined && starts === flow;
  const again: Meant = flow && [{ do: 'start', flow: flow.name }];
  if (deniesOnly(situation)) return othersThan(situation) ?? again;
  if (expecting.kind !== 'gift') {
    const isAsked = expecting.place === 'summary' || expecting.kind === 'phone';
    // "Thôi lấy loa" chooses another gift.
    const isOther = act !== '' && act !== 'cancel mild' && !isOwn && !parsed.deniesGift;
    if (!isAsked || isOther) return undefined;
    if (parsed.gifts.length > 0) return valuesFor(situation, flow);
    return isOwn && (isBare || parsed.mangled) ? again : undefined;
  }
  const named = someOf(valuesFor(situation, flow));
  const isChosen = (isOwn || BESIDE_GIFT.has(act)) && parsed.period?.isPast !== true;
  if (parsed.gifts.length > 0)
    return isChosen && (!isQuestion || parsed.rest.length === 0) ? named : undefined;
  if (isBare && SKIPS.has(act) && !says(parsed, 'faults')) return [{ do: 'none' }];
  if (isBare && act === 'other') return again;
  return isBare ? pickPlace(parsed, expecting, 'gift:') : undefined;
}

const deniesOnly = ({ parsed: { deniesGift, gifts }, isBare }: Situation): boolean =>
  deniesGift && gifts.length === 0 && isBare;

/** The gifts of the list without the denied ones, if any is left: "không thích loa, không thích nồi". */
function othersThan({ parsed: { deniedGifts }, expecting, reading }: Situation): Meant {
  const isLeft = ({ code }: { readonly code: string }) =>
    code !== expecting.gift && !deniedGifts.some((gift) => gift.code === code);
  const gifts = reading.settings.gifts.filter(isLeft).map(({ code }) => code);
  return gifts.length > 0 ? [{ do: 'among', gifts }] : undefined;
}

/** The button that a text names by its place: "cái thứ hai". */
function pickPlace({ places }: ParsedText, expecting: Expecting, ids: string): Meant {
  const [place, ...others] = places;
  if (!place || others.length > 0) return undefined;
  const choice = expecting
    .buttons()
    .filter((id) => id?.startsWith(ids))
    .at(place > 0 ? place - 1 : place);
  return choice ? [{ do: 'pick', choice }] : undefined;
}

function aboutPeriod({ parsed, act, expecting, values }: Situation): Meant {
  const isAnswer = parsed.period !== undefined || (expecting.kind !== 'period' && parsed.type !== undefined);
  if (!isAnswer || (expecting.kind === 'phone' && act !== '')) return undefined;
  return [...values.list, ...values.period, ...contactsOf(values)];
}

/** What ends or replaces what is gathered must be surer than what begins: else it is offered. */
function endings(situation: Situation): Meant {
  const { parsed, act, expecting, flow, starts, isBare, isQuestion, meaning } = situation;
  if (leavesGifts(situation)) return [{ do: 'cancel' }];
  if (expecting.place === 'summary' && act === 'change')
    return someOf(valuesFor(situation, flow)) ?? changeOf(parsed);
  if (act === 'cancel') {
    const isGuessed = meaning.p < NOT_QUITE;
    const isOfEmail = isGuessed && expecting.place === 'summary' && expecting.email !== undefined;
    if (isOfEmail && fieldIn(parsed) === 'email') return NO_EMAIL;
    // "Không lấy mã tủ lạnh nữa, còn lại ok" is about one of the codes.
    const isOfCode = isGuessed && expecting.codes.length > 0 && says(parsed, 'code');
    if (parsed.codes.length > 0 || isOfCode || (isOfEmail && says(parsed, 'email')))
      return [{ do: 'unclear', likely: [{ do: 'cancel' }] }];
  }
  const isAtStake = expecting.gift !== undefined || (!isQuestion && expecting.codes.length > 0);
  if (!starts || starts === flow || !isAtStake || !isBare || isSure('costly', meaning.p)) return undefined;
  return [{ do: 'unclear', likely: [{ do: 'start', flow: starts.name }] }];
}

/** How likely an end must be that loses only the choice of a gift. */
const LEAVES_GIFTS = 0.55;
/** Acts that say less than an end. */
const SAYS_LITTLE: ReadonlySet<string> = new Set(['', 'talk remark', 'talk upset']);

/** "Thôi chán, đi ra", "nvm, my wife wants to decide first": nothing is lost but the choice. */
function leavesGifts({
  parsed,
  act,
  expecting,
  isBare,
  isQuestion,
  meaning: { guesses },
}: Situation): boolean {
  const isThere =
    expecting.kind === 'gift' || (expecting.place === 'summary' && expecting.gift !== undefined);
  if (!isThere || !isBare || isQuestion || !SAYS_LITTLE.has(act)) return false;
  if (!says(parsed, 'stops', 'declines', 'leaving')) return false;
  const ends = guesses.filter((guess) => guess.act === 'cancel' || guess.act === 'cancel mild');
  return ends.reduce((sum, { p }) => sum + p, 0) >= LEAVES_GIFTS;
}

/** What means the same wherever it is parsed. */
export function readAnywhere(situation: Situation): Meant {
  const { parsed, act, expecting, command, flow, starts, isBare, isQuestion } = situation;
  if (starts) {
    const product = besideProduct(situation, starts);
    if (product) return product;
    const isAsked = isBare && isQuestion;
    return [
      { do: 'start', flow: starts.name, ...(isAsked && { asked: true }) },
      ...valuesFor(situation, starts),
    ];
  }
  // Values in the wish for a person are kept while the person answers.
  if (act === 'show person' || act === 'show complaint')
    return [...(flow ? asKept(valuesFor(situation, flow)) : []), ...(command ? [command] : [])];
  if (command || isLive(expecting)) return command && [command];
  if (act === 'remove')
    return parsed.codes.length > 0
      ? [{ do: 'remove', which: parsed.codes.map((code) => ({ code })) }]
      : [{ do: 'cancel' }];
  return act === 'no' && isBare && fieldIn(parsed) === undefined ? NO : undefined;
}

/**
 * Another wish next to the codes of products, where nothing runs: the points are earned first. A gift that is
 * named waits, anything else is offered.
 */
function besideProduct(
  { parsed, expecting, reading, values, isQuestion }: Situation,
  starts: SpokenFlow,
): Meant {
  const { gifts, codePrefixes } = reading.settings;
  const isOfGift = starts.slots.includes('gift') && gifts.length === 0;
  const areProducts =
    parsed.codes.length > 0 && parsed.codes.every((code) => hasBeginning(code, codePrefixes));
  if (
    isLive(expecting) ||
    !areProducts ||
    isOfGift ||
    starts.slots.some((kind) => kind === 'codes' || kind === 'list')
  )
    return undefined;
  const { name: flow } = starts;
  if (starts.slots.includes('gift') && values.gift.length > 0 && !isQuestion)
    return [{ do: 'start', flow }, ...values.gift, ...values.codes, ...contactsOf(values)];
  return [...values.codes, ...contactsOf(values), { do: 'start', flow, asked: true }];
}

export function readValuesAlone(situation: Situation): Meant {
  const { parsed, expecting, reading, isQuestion, values } = situation;
  const { codes, gifts } = parsed;
  const flow = isLive(expecting) ? situation.flow : undefined;
  if (!flow) return mentionedOnly(situation) ?? someOf(valuesFor(situation, undefined));
  const hasContact = contactsOf(values).length > 0;
  const areContacts = codes.every(looksLikeContact);
  const takesCodes = flow.slots.includes('codes');
  const isGift = flow.slots.includes('gift') && (gifts.length > 0 || reading.settings.gifts.length === 0);
  if (expecting.kind === 'gift' && gifts.length > 0 && isQuestion && parsed.rest.length > 0) return undefined;
  // A product's code at another flow's question begins earning.
  const isProduct = !takesCodes && codes.length > 0 && !isGift && !areContacts;
  if (isProduct && (expecting.kind !== 'gift' || hasBeginning(codes[0] ?? '', reading.settings.codePrefixes)))
    return [{ do: 'add', codes }, ...contactsOf(values)];
  // A mistyped phone or e-mail may look like a code: alone and uncalled for, it is none.
  const isUncalled =
    fieldIn(parsed) !== 'code' && (expecting.codes.length > 0 || expecting.gift !== undefined);
  const isContact =
    (expecting.kind === 'phone' || expecting.kind === 'email') &&
    codes.length > 0 &&
    areContacts &&
    isUncalled;
  const isNothing = !takesCodes && !parsed.mangled && gifts.length === 0 && !(isGift && codes.length > 0);
  if ((isContact || isNothing) && !hasContact) return undefined;
  const isMention = codes.length > 0 && expecting.codes.length > 0 && mentionedOnly(situation) !== undefined;
  return someOf(isMention ? asKept(valuesFor(situation, flow)) : valuesFor(situation, flow));
}

/** Values in a plan, a report or a question begin nothing: they are kept. */
function mentionedOnly(situation: Situation): Meant {
  const { parsed, isPlan, isQuestion } = situation;
  const values = asKept(valuesFor(situation, undefined));
  if (values.length === 0) return undefined;
  // "Tích nhầm số rồi, số mình là 0978…" after a receipt.
  if (situation.expecting.references.length > 0 && says(parsed, 'faults'))
    return [...values, { do: 'ask', about: 'answer', id: 'undo' }];
  if (isPlan) return [...values, { do: 'talk', about: 'wait' }];
  if (isReport(parsed.parts) || says(parsed, 'fails', 'troubles'))
    return [...values, { do: 'show', what: 'complaint' }];
  const isAsked = isQuestion && !situation.isRequest;
  return isAsked ? [...values, { do: 'ask', about: 'unknown' }] : undefined;
}

/** What a text says for a flow; without one, all that can be kept. */
function valuesFor(situation: Situation, flow: SpokenFlow | undefined): readonly TextCommand[] {
  const { parsed, values } = situation;
  const slots = flow?.slots ?? ['codes', 'phone', 'email'];
  const edit = slots.includes('codes') && parsed.codes.length > 0 ? editOf(situation) : undefined;
  const others = slots.filter((kind) => kind !== 'codes' && kind !== 'phone' && kind !== 'email');
  return [
    ...(edit ? [edit] : slots.includes('codes') ? values.codes : []),
    ...others.flatMap((kind) => values[kind]),
    ...contactsOf(values),
    ...(slots.includes('email') && lacksEmail(parsed) ? NO_EMAIL : []),
    ...(parsed.mangled ? [wrong(parsed.mangled, MANGLED[parsed.mangled])] : []),
  ];
}

/** The value that the text calls by its name, "số" for the phone among them. */
const calledField = (parsed: ParsedText) =>
  fieldIn(parsed) ?? (says(parsed, 'words of phone') ? 'phone' : undefined);

function changeOf(parsed: ParsedText): readonly TextCommand[] {
  const field = calledField(parsed);
  return [{ do: 'change', ...(field && { field }) }];
}

function answersQuestion({ parsed, expecting: { kind } }: Situation): boolean {
  if (kind === 'phone') return parsed.phones.length > 0;
  return kind === 'email' ? parsed.emails.length > 0 : parsed.codes.length > 0;
}

export function valuesIn(parsed: ParsedText, { nowMs, settings }: Reading): Situation['values'] {
  const { phones, emails, codes, gifts, period, type } = parsed;
  const denied = mentionsIn(parsed.parts).flatMap(({ refs, sign }) => (sign === 'drop' ? refs : []));
  const isDenied = (code: string) => denied.some((ref) => 'code' in ref && ref.code === code);
  const wanted = codes.filter((code) => !isDenied(code));
  // "Mã ABC123 sai chỗ nào" asks about the code.
  const added = wanted.length > 0 || says(parsed, 'stops') ? wanted : codes;
  const [gift, ...others] = gifts.map(({ code }) => code);
  // Where there is no list, any code is a gift's.
  const code = gift ?? (settings.gifts.length === 0 ? codes[0] : undefined);
  const isSeveral = gift !== undefined && says(parsed, 'several');
  const set: TextCommand = {
    do: 'set',
    slot: 'gift',
    value: code ?? '',
    ...(isSeveral && { several: true }),
  };
  const all = { do: 'period', period: namedPeriod('all', nowMs, settings.timeZone) } as const;
  return {
    codes: addedCodes(added, parsed.others),
    phone: severalOf('phone', phones) ?? phones.map(setPhone),
    email: severalOf('email', emails) ?? emails.flatMap(setEmail),
    gift:
      others.length > 0 ? [{ do: 'among', gifts: [...new Set([gift ?? '', ...others])] }] : code ? [set] : [],
    list: type ? [{ do: 'kind', of: type }] : [],
    period: period ? [periodOf(period, settings.timeZone)] : says(parsed, 'ever') ? [all] : [],
    proof: [],
  };
}

const periodOf = ({ span, fault = 'period.shape' }: ParsedPeriod, timeZone: string): TextCommand =>
  span ? { do: 'period', period: toPeriod(span, timeZone) } : wrong('period', fault);

const contactsOf = ({ phone, email }: Situation['values']): readonly TextCommand[] => [...phone, ...email];

/** `others` are no codes, and the answer says so. */
function addedCodes(codes: readonly string[], others: readonly string[]): readonly TextCommand[] {
  if (codes.length > 0) return [{ do: 'add', codes, ...(others.length > 0 && { others }) }];
  return others.length > 0 ? [wrong('codes', 'code.order')] : [];
}

/** The values of a kind, where a text has more than one. */
function severalOf(
  slot: 'phone' | 'email',
  some: readonly (Phone | EmailResult)[],
): readonly TextCommand[] | undefined {
  const values = some.flatMap((contact) => (contact.ok ? contact.value : []));
  return values.length > 1 ? [{ do: 'several', slot, values }] : undefined;
}

/**
 * The commands, after those of values that none of them has: no value is lost. The customer who cancels drops
 * them.
 */
export function keepOthers(
  commands: readonly TextCommand[],
  { parsed, values }: Pick<Situation, 'parsed' | 'values'>,
): readonly TextCommand[] {
  if (commands.some((command) => command.do === 'cancel')) return commands;
  const taken = new Set(commands.flatMap(valuesOf));
  const isTaken = (command: TextCommand) => valuesOf(command).some((value) => taken.has(value));
  const codes = values.codes.flatMap((command) => (command.do === 'add' ? command.codes : []));
  const others = codes.filter(
    (code) => !taken.has(code) && code.toUpperCase() !== parsed.reference && !looksLikeContact(code),
  );
  const added: readonly TextCommand[] = others.length > 0 ? [{ do: 'add', codes: others }] : [];
  const contacts = contactsOf(values).filter((command) => valuesOf(command).length > 0 && !isTaken(command));
  return [...asKept([...added, ...contacts]), ...commands];
}

/** The values that a command has. */
function valuesOf(command: TextCommand): readonly string[] {
  switch (command.do) {
    case 'add':
      return command.codes;
    case 'remove':
    case 'keepOnly':
      return command.which.flatMap((ref) => ('code' in ref ? ref.code : []));
    case 'replace':
      return [...command.codes, ...command.old.flatMap((ref) => ('code' in ref ? ref.code : []))];
    case 'set':
      return command.slot === 'gift' ? [command.value] : [command.value ?? command.doubt?.meant ?? ''];
    case 'several':
      return command.values;
    default:
      return [];
  }
}

/** Values that the text only mentions: they are noted, and begin nothing. */
const asKept = (commands: readonly TextCommand[]): readonly TextCommand[] =>
  commands.map((command) =>
    command.do === 'add' || (command.do === 'set' && command.slot !== 'gift')
      ? { ...command, kept: true }
      : command,
  );

export const setPhone = ({ value, ask: why }: Phone): TextCommand =>
  why
    ? { do: 'set', slot: 'phone', value, doubt: { why, meant: value } }
    : { do: 'set', slot: 'phone', value };

export function setEmail(email: EmailResult): readonly TextCommand[] {
  if (!email.ok) return [];
  const { value, suggestion: suggested, isGuess } = email;
  if (isGuess) return [{ do: 'set', slot: 'email', doubt: { why: 'spoken', meant: value } }];
  if (suggested === undefined) return [{ do: 'set', slot: 'email', value }];
  return [{ do: 'set', slot: 'email', value, doubt: { why: 'typo', meant: suggested } }];
}

/*
 * Changes of the list of codes. The word next to a named code says whether it is removed ("bỏ X"), is the
 * only one kept ("chỉ lấy X") or replaces another ("thay bằng X"). If no code is named, the customer is
 * asked which one.
 */

/** Codes that a text names together, and their sign. */
type Mention = { readonly refs: readonly CodeRef[]; readonly sign: Sign | undefined };

function refOf({ value }: Part): CodeRef | undefined {
  switch (value?.kind) {
    case 'code':
      return { code: value.code };
    case 'place':
      return { place: value.place };
    case 'end':
      return { end: value.end };
    default:
      return undefined;
  }
}

/** The codes that a text names, those that stand together as one. */
function mentionsIn(parts: readonly Part[]): readonly Mention[] {
  const spans: PartSpan[] = [];
  for (let at = 0; at < parts.length; at++) {
    const from = at;
    let to = at;
    for (let next = at; next < parts.length; next++) {
      const part = parts[next];
      // "Bỏ A; mã B" does not remove B, unlike "bỏ mã A, mã B".
      if (to > from && part && isNewMention(parts, from, part)) break;
      if (part && refOf(part)) to = next + 1;
      else if (!part || to === from || actOf(part) !== '' || !isIn(part, 'codes join', 'code')) break;
    }
    if (to > from) spans.push(...splitTorn(parts, { from, to }));
    at = Math.max(at, to - 1);
  }
  const signs = findSigns(parts, spans);
  return spans.map(({ from, to }, at) => ({
    refs: parts.slice(from, to).flatMap((part) => refOf(part) ?? []),
    sign: signs[at],
  }));
}

/** Whether "mã" after a pause begins another mention: the one before has no "mã". */
function isNewMention(parts: readonly Part[], from: number, part: Part): boolean {
  const before = parts[from - 1];
  return isPaused(part) && isIn(part, 'code') && !(before && isIn(before, 'code'));
}

/** How a text changes the listed codes; undefined if it only adds to them, or names none. */
function editOf(situation: Situation): TextCommand | undefined {
  const { parsed, act, meaning, expecting } = situation;
  const { codes, place } = expecting;
  const likeliest = meaning.guesses[0]?.act ?? '';
  if (codes.length === 0) return undefined;
  const mentions = mentionsIn(parsed.parts);
  const signed = (sign: Sign) => mentions.flatMap((mention) => (mention.sign === sign ? mention.refs : []));
  const named = mentions.flatMap(({ refs }) => refs.flatMap((ref) => ('code' in ref ? ref.code : [])));
  const fresh = [...new Set(named)].filter((code) => !codes.includes(code));
  const isNew = (ref: CodeRef) => 'code' in ref && fresh.includes(ref.code);
  const dropped = [...signed('drop'), ...signed('deny').filter((ref) => !isNew(ref))];
  // "Mã khác nè, TULANH000000511" at the summary, where nothing more is asked for.
  const likely = place === 'summary' && act === '' ? likeliest : act;
  if (fresh.length > 0) return replacement({ parsed, act: likely, mentions, fresh });
  const only = signed('only');
  if (dropped.length > 0) return { do: 'remove', which: dropped };
  if (only.length > 0) return { do: 'keepOnly', which: [...only, ...signed('keep')] };
  return speaksOfCodes(parsed, act === '' ? likeliest : act) ? { do: 'remove', which: [] } : undefined;
}

/** Acts with which new codes take the place of others. */
const CORRECTS: ReadonlySet<string> = new Set(['no', 'none', 'change', 'remove']);

/** New codes take the place of those that are wrong, unless the text only adds them. */
function replacement({
  parsed,
  act,
  mentions,
  fresh,
}: Pick<Situation, 'parsed' | 'act'> & {
  readonly mentions: readonly Mention[];
  readonly fresh: readonly string[];
}): TextCommand | undefined {
  const isNew = (ref: CodeRef) => 'code' in ref && fresh.includes(ref.code);
  const has = (sign: Sign) => mentions.some((mention) => mention.sign === sign);
  const old = mentions.flatMap(({ refs, sign }) => (sign === 'add' ? [] : refs.filter((ref) => !isNew(ref))));
  const denied = mentions.flatMap(({ refs, sign }) =>
    refs.filter((ref) => sign === 'drop' || (sign === 'deny' && !isNew(ref))),
  );
  const wrong = has('replace') ? old : old.filter((ref) => denied.includes(ref));
  const wanted = fresh.filter((code) => !denied.some((ref) => 'code' in ref && ref.code === code));
  if (wrong.length > 0 && wanted.length > 0) return { do: 'replace', old: wrong, codes: wanted };
  if (denied.length > 0) return { do: 'remove', which: denied };
  if (old.length > 0 || has('add')) return undefined;
  const isCorrection = has('deny') || says(parsed, 'faults', 'corrects') || CORRECTS.has(act);
  const isOfCodes = (fieldIn(parsed) ?? 'code') === 'code';
  return (has('replace') || (isCorrection && isOfCodes)) && !says(parsed, 'codes add')
    ? { do: 'replace', old: [], codes: wanted }
    : undefined;
}

/** Whether the text removes or keeps codes without naming them. */
function speaksOfCodes(parsed: ParsedText, act: string): boolean {
  if (act !== 'remove' && !CORRECTS.has(act)) return false;
  if (fieldIn(parsed) === 'email' || says(parsed, 'stops') || parsed.phones.length > 0) return false;
  const isDrop = act === 'remove' || parsed.parts.some((part) => isIn(part, 'codes drop'));
  return isDrop && says(parsed, 'code', 'codes other');
}
