import type { Expecting, FieldName, TextCommand } from '../commands.ts';
import { hasBeginning } from '../values/code.ts';
import { NOT_QUITE } from './acts.ts';
import { isOff } from './mechanisms.ts';
import { type Said, toAsked } from './said.ts';
import { isSure, type Place, POSSIBLE } from './table.ts';
import { unsure } from './unsure.ts';
import { fieldIn, type SpokenFlow, says } from './values.ts';
import { asKept, keepOthers } from './values-given.ts';

/*
 * Step 5: what an act does at a place, a row each; the values go first, the questions of other clauses last.
 */

type Commands = readonly TextCommand[];
/** What an act does; undefined: nothing here, so the next row decides. */
type Does = (said: Said) => Commands | undefined;

const NEARLY: Commands = [{ do: 'unclear', likely: [{ do: 'yes' }] }];
/** How likely a yes must be for the verb of the flow to point at the button. */
const LIKELY_YES = 0.5;
const YES: Commands = [{ do: 'yes' }];
const NO_EMAIL: Commands = [{ do: 'none', field: 'email' }];

/** The commands of a text, in the order in which they are applied. */
export function toCommands(said: Said): Commands {
  const { values, meaning, expecting } = said;
  const isReference = values.reference !== undefined && expecting.references.includes(values.reference);
  if (values.reference !== undefined && (isReference || meaning.act === 'status'))
    return [{ do: 'status', reference: values.reference }];
  if (said.given.picked.length > 0 && said.isBare) return said.given.picked;
  if (said.given.isCoded && !isLive(expecting) && said.giftFlow)
    return [{ do: 'start', flow: said.giftFlow.name }, ...said.given.for(said.giftFlow)];
  const deed = deedOf(said);
  const commands = deed ?? (said.given.all.length > 0 ? valuesAlone(said) : undefined) ?? unsure(said, rowOf);
  return keepOthers(withQuestions(commands, said), said);
}

/** The row of the act at this place, else the one for any place. */
function deedOf(said: Said): Commands | undefined {
  const { act } = said.meaning;
  const key = said.starts ? 'start' : act;
  for (const place of [said.expecting.place, 'any'] as const) {
    const found = TABLE[key]?.[place]?.(said);
    if (found) return found;
  }
  const command = said.acts.get(act)?.command;
  const isPeriod = said.expecting.place === 'page' && said.given.period.length > 0;
  if (command?.do === 'talk' && (said.given.fresh.length > 0 || isPeriod)) return valuesAlone(said);
  return command && besideValues(said, toAsked(command, said));
}

/** The one command of an act that is only likely, where a row of this place says so. */
function rowOf(act: string, said: Said): TextCommand | undefined {
  const found = TABLE[act]?.[said.expecting.place]?.({ ...said, meaning: { ...said.meaning, act } });
  return found?.length === 1 ? found[0] : undefined;
}

type Row = Readonly<Partial<Record<Place | 'any', Does>>>;

/** What acts do that mean something else at some place. The others have one command (`table.ts`). */
const TABLE: Readonly<Record<string, Row>> = {
  yes: {
    nothing: ({ isYes }) => (isYes ? YES : undefined),
    page: ({ isYes }) => (isYes ? YES : undefined),
    slot: ({ isYes }) => (isYes ? YES : undefined),
    doubt: ({ isBare, isYes, isNearlyYes, isQuestion }) =>
      isBare && (isYes || (isNearlyYes && !isQuestion)) ? [{ do: 'use' }] : undefined,
    summary: ({ isYes, isBare, isQuestion, given }) =>
      isYes ? YES : isBare && !isQuestion && given.all.length === 0 ? NEARLY : undefined,
  },
  no: {
    nothing: ({ isBare }) => (isBare ? [{ do: 'no' }] : undefined),
    slot: (said) => skips(said) ?? (said.isBare ? declines(said) : undefined),
    doubt: ({ isBare }) => (isBare ? [{ do: 'no' }] : undefined),
    summary: (said) => correction(said),
  },
  none: {
    slot: (said) => skips(said) ?? gone(said) ?? (said.isBare ? declines(said) : undefined),
    doubt: ({ isBare, expecting }) =>
      isBare ? (expecting.kind === 'email' ? NO_EMAIL : [{ do: 'no' }]) : undefined,
    summary: (said) =>
      fieldIn(said.values) === 'email' && said.given.email.length === 0 ? NO_EMAIL : correction(said),
  },
  keep: { doubt: ({ isBare }) => (isBare ? [{ do: 'keep' }] : undefined) },
  other: {
    doubt: ({ isBare }) => (isBare ? [{ do: 'other' }] : undefined),
    summary: (said) => otherGift(said) ?? correction(said, [{ do: 'other' }]),
    slot: (said) => otherGift(said) ?? (said.isBare ? changeOf(said) : undefined),
  },
  change: {
    doubt: ({ isBare }) => (isBare ? [{ do: 'other' }] : undefined),
    any: (said) => (isLive(said.expecting) ? changed(said) : undefined),
  },
  remove: {
    nothing: ({ values }) => {
      const which = values.mentions.flatMap(({ value }) =>
        value.kind === 'code' ? { code: value.code } : [],
      );
      return which.length > 0 ? [{ do: 'remove', which }] : [{ do: 'cancel' }];
    },
    any: (said) => removed(said),
  },
  cancel: { any: (said) => ended(said) },
  'cancel mild': {
    slot: (said) => skips(said) ?? chosen(said) ?? (isContact(said) ? valuesAlone(said) : undefined),
    summary: (said) => chosen(said) ?? (isContact(said) ? valuesAlone(said) : undefined),
    doubt: ({ expecting, isBare }) => (isBare && expecting.kind === 'email' ? NO_EMAIL : undefined),
  },
  'page next': { page: () => [{ do: 'page', to: 'next' }] },
  'page previous': { page: () => [{ do: 'page', to: 'previous' }] },
  start: {
    page: (said) => (said.starts === said.flow ? otherPage(said) : undefined),
    slot: (said) => (said.starts === said.flow ? goesOn(said) : undefined),
    summary: (said) => (said.starts === said.flow ? goesOn(said) : undefined),
    any: (said) => begins(said),
  },
  'talk wait': {
    slot: (said) => {
      const isEmpty = said.expecting.codes.length === 0 && said.expecting.gift === undefined;
      const isLater = isEmpty && !said.isQuestion && says(said.values, 'another day');
      return isLater ? [{ do: 'talk', about: 'later' }] : undefined;
    },
  },
  'ask gift.what': {
    any: (said) =>
      said.given.gift.length > 0 && said.meaning.p < 1 && !said.isQuestion && isGiftAsked(said)
        ? said.given.gift
        : undefined,
  },
  'ask gift.others': { any: (said) => (said.given.denied.gifts.length > 0 ? otherGift(said) : undefined) },
  'ask email.why': {
    slot: (said) => (said.given.email.length > 0 ? said.given.email : undefined),
    summary: (said) => (said.given.email.length > 0 && said.isBare ? said.given.email : undefined),
  },
  'ask code.wrong': { summary: (said) => (said.isQuestion ? undefined : correction(said)) },
  'ask phone.wrong': { summary: (said) => (said.isQuestion ? undefined : correction(said)) },
  'ask email.wrong': { summary: (said) => (said.isQuestion ? undefined : correction(said)) },
};

const isLive = ({ place }: Expecting): boolean =>
  place === 'slot' || place === 'doubt' || place === 'summary';
const someOf = (commands: Commands): Commands | undefined => (commands.length > 0 ? commands : undefined);

/** The question for the e-mail is the only one that can be skipped. */
function skips({ expecting, isBare, isQuestion, values, given, meaning }: Said): Commands | undefined {
  if (!isBare || expecting.kind !== 'email' || given.all.length > 0) return undefined;
  if (says(values, 'faults')) return undefined;
  // "Không có mail thì sao": the model must see the question, too.
  const asks = meaning.guesses.some(({ act, p }) => act === 'ask email.why' && p >= POSSIBLE);
  const isAsked = values.text.includes('?') || (meaning.p < NOT_QUITE && asks);
  if (isQuestion && isAsked) return [{ do: 'ask', about: 'answer', id: 'email.why' }];
  return NO_EMAIL;
}

/** "Không có mã" asks where it is. */
function gone(said: Said): Commands | undefined {
  const { expecting, values } = said;
  if (said.given.all.length > 0) return valuesAlone(said);
  const field = fieldIn(values);
  if (expecting.kind === 'codes' && field === 'code')
    return [{ do: 'ask', about: 'answer', id: 'code.where' }];
  if (field === 'email' && expecting.flow === 'accumulate') return NO_EMAIL;
  return undefined;
}

function declines({ values }: Said): Commands {
  return says(values, 'faults') || /\d{3}/.test(values.text) ? [{ do: 'no', wrong: true }] : [{ do: 'no' }];
}

const changeOf = ({ values }: Said): Commands => {
  const field: FieldName | undefined = fieldIn(values, true);
  return [{ do: 'change', ...(field && { field }) }];
};

/** At the summary: a value that stands is wrong. */
function correction(said: Said, plain: Commands = [{ do: 'no' }]): Commands | undefined {
  if (said.given.all.length > 0) return valuesAlone(said);
  return fieldIn(said.values, true) ? changeOf(said) : plain;
}

function changed(said: Said): Commands | undefined {
  return said.given.all.length > 0 ? valuesAlone(said) : changeOf(said);
}

function removed(said: Said): Commands | undefined {
  if (!isLive(said.expecting)) return undefined;
  if (fieldIn(said.values) === 'email' && said.isBare) return NO_EMAIL;
  if (said.given.all.length > 0) return valuesAlone(said);
  return said.expecting.codes.length > 0 ? [{ do: 'remove', which: [] }] : undefined;
}

/** What ends must be meant: beside a value it is offered. */
function ended(said: Said): Commands {
  const { expecting, given, meaning, values } = said;
  if (given.gift.length > 0) return given.gift;
  const isGuess = meaning.p < NOT_QUITE;
  // "Never mind, use 0912345678": the value is what is wanted.
  if (isGuess && isContact(said)) return valuesAlone(said) ?? [{ do: 'cancel' }];
  const isOfEmail = isGuess && expecting.email !== undefined && fieldIn(values) === 'email';
  if (isOfEmail) return NO_EMAIL;
  const isOfCode = isGuess && expecting.codes.length > 0 && says(values, 'code');
  return !said.isBare || isOfCode ? [{ do: 'unclear', likely: [{ do: 'cancel' }] }] : [{ do: 'cancel' }];
}

const isContact = ({ given }: Said): boolean => given.phone.length + given.email.length > 0;

/** "Thôi lấy loa": the gift that is named is chosen. */
const chosen = ({ given }: Said): Commands | undefined => someOf(given.gift);

const isGiftAsked = ({ expecting }: Said): boolean =>
  expecting.kind === 'gift' || (expecting.place === 'summary' && expecting.gift !== undefined);

/** Another gift than the one that was named or stands. */
function otherGift(said: Said): Commands | undefined {
  const { expecting, given, flow, reading } = said;
  if (!flow?.slots.includes('gift') || !isGiftAsked(said)) return undefined;
  if (given.gift.length > 0) return given.gift;
  const denied = new Set([expecting.gift, ...given.denied.gifts]);
  const left = reading.settings.gifts.flatMap(({ code }) => (denied.has(code) ? [] : code));
  return left.length > 0 && given.denied.gifts.length > 0
    ? [{ do: 'among', gifts: left }]
    : [{ do: 'start', flow: flow.name }];
}

/** The verb of the flow that runs, at its own question. */
function goesOn(said: Said): Commands | undefined {
  const { expecting, flow, given, isBare, isQuestion, isNearlyYes, meaning } = said;
  if (given.all.length > 0) return valuesAlone(said);
  const isLikelyYes = meaning.guesses.some(({ act, p }) => act === 'yes' && p >= LIKELY_YES);
  if (expecting.place === 'summary' && isBare && !isQuestion)
    return isNearlyYes || isLikelyYes || expecting.gift === undefined
      ? NEARLY
      : flow && [{ do: 'start', flow: flow.name }];
  if (isQuestion && meaning.p < 1) return [{ do: 'ask', about: 'what' }];
  return flow && [{ do: 'start', flow: flow.name }];
}

/** Begins a flow with the text's values. What was gathered is dropped only for a sure wish. */
function begins(said: Said): Commands | undefined {
  const { starts, expecting, isBare, isQuestion, meaning, given } = said;
  if (!starts) return undefined;
  const isAtStake = expecting.gift !== undefined || (!isQuestion && expecting.codes.length > 0);
  if (isLive(expecting) && starts !== said.flow) {
    // "Email là của con gái, đổi qua lan@example.vn": the value is for what runs.
    if (isAtStake && !isBare && !isQuestion && given.gift.length === 0) return valuesAlone(said);
    if (isAtStake && isBare && !isSure('costly', meaning.p))
      return [{ do: 'unclear', likely: [{ do: 'start', flow: starts.name }] }];
    if (!isBare && isQuestion)
      return [...given.for(said.flow), { do: 'start', flow: starts.name, asked: true }];
  }
  const product = besideProduct(said, starts);
  if (product) return product;
  const isAsked = isBare && isQuestion && given.gift.length === 0;
  return [{ do: 'start', flow: starts.name, ...(isAsked && { asked: true as const }) }, ...given.for(starts)];
}

/** Another wish beside the codes of products, where nothing runs: the points are earned first. */
function besideProduct({ given, expecting, reading }: Said, starts: SpokenFlow): Commands | undefined {
  const { codePrefixes, gifts } = reading.settings;
  const codes = given.fresh;
  const areProducts = codes.length > 0 && codes.every((code) => hasBeginning(code, codePrefixes));
  const isOfGift = starts.slots.includes('gift') && gifts.length === 0;
  const takes = starts.slots.some((kind) => kind === 'codes' || kind === 'list');
  if (isLive(expecting) || !areProducts || isOfGift || takes) return undefined;
  const values = [...given.codes, ...given.phone, ...given.email];
  return given.gift.length > 0
    ? [{ do: 'start', flow: starts.name }, ...given.gift, ...values]
    : [...values, { do: 'start', flow: starts.name, asked: true }];
}

/** The other list, another period, or both. */
const otherPage = ({ given, values }: Said): Commands | undefined =>
  values.type === 'both' ? undefined : someOf([...given.list, ...given.period]);

/** Values without an act: they answer the question, or correct what stands. */
function valuesAlone(said: Said): Commands | undefined {
  const { given, flow, expecting, isQuestion, isPlan, values } = said;
  if (expecting.place === 'page' && said.isBare)
    return values.type === 'both' ? undefined : someOf([...given.list, ...given.period]);
  const live = isLive(expecting) ? flow : undefined;
  if (!live) return mentionedOnly(said) ?? someOf(given.for(undefined));
  if (given.denied.gifts.length > 0 && given.gift.length === 0) return otherGift(said);
  // A gift in a question is what the question is about.
  if (isQuestion && said.isBare && given.gift.length > 0 && values.rest.length > 0) return undefined;
  const takesCodes = live.slots.includes('codes');
  const isProduct = given.fresh.some((code) => hasBeginning(code, said.reading.settings.codePrefixes));
  // A product's code at another flow's question begins earning.
  if (!takesCodes && isProduct && (expecting.kind !== 'gift' || given.gift.length === 0))
    return [...given.codes, ...given.phone, ...given.email];
  const some = given.for(live);
  if (some.length === 0) return undefined;
  return isPlan && !said.isBare ? [...asKept(some), { do: 'talk', about: 'wait' }] : some;
}

/** Usual questions that are about the code itself. */
const ABOUT_CODES: ReadonlySet<string> = new Set([
  'ask code.expiry',
  'ask code.used',
  'ask code.wrong',
  'ask code.once',
  'ask points.worth',
  'ask points.how',
  'ask points.fair',
]);

/** Values in a plan, a report or a question begin nothing: they are kept. */
function mentionedOnly(said: Said): Commands | undefined {
  const { given, isPlan, isQuestion, values, expecting } = said;
  const kept = asKept(given.for(undefined));
  if (kept.length === 0) return undefined;
  if (expecting.references.length > 0 && says(values, 'faults'))
    return [...kept, { do: 'ask', about: 'answer', id: 'undo' }];
  if (isPlan) return [...kept, { do: 'talk', about: 'wait' }];
  if (says(values, 'fails', 'troubles')) return [...kept, { do: 'show', what: 'complaint' }];
  if (!isQuestion) return undefined;
  // A usual question beside the values does not take them back; one about them begins nothing.
  const isUsual = said.meaning.beside.some((act) => !ABOUT_CODES.has(act));
  return isUsual ? undefined : said.meaning.beside.length > 0 ? kept : [...kept, ...unsure(said, rowOf)];
}

/** A command beside the values of the text, which are kept. */
function besideValues({ given, flow, expecting, isGiftApart }: Said, command: TextCommand): Commands {
  const live = isLive(expecting) ? flow : undefined;
  if (command.do === 'cancel') return [command];
  const isAboutGift = command.do === 'ask' || command.do === 'status' || command.do === 'show';
  const isUsual =
    live === undefined &&
    command.do === 'ask' &&
    given.fresh.length > 0 &&
    !ABOUT_CODES.has(`ask ${command.about === 'answer' ? command.id : ''}`);
  const values = given
    .for(live)
    .filter(({ do: does }) => !isAboutGift || (does !== 'among' && does !== 'period' && does !== 'kind'));
  const isChosen = isGiftApart && expecting.kind === 'gift';
  const some = values.filter((one) => isChosen || !(isAboutGift && one.do === 'set' && one.slot === 'gift'));
  return [...(isUsual && command.about === 'answer' ? some : asKept(some)), command];
}

const GIVEN = ['phone', 'email'] as const;
const ANSWERS: ReadonlySet<TextCommand['do']> = new Set([
  'ask',
  'unclear',
  'cancel',
  'status',
  'show',
  'talk',
]);

/** The usual questions that other clauses ask: each is answered. */
function withQuestions(commands: Commands, said: Said): Commands {
  if (isOff(said.off, 'questions beside')) return commands;
  const isQuestion = ({ do: does }: TextCommand) => does === 'ask';
  if (commands.some(({ do: does }) => ANSWERS.has(does) && does !== 'ask')) return commands;
  const asked = commands.flatMap((command) =>
    command.do === 'ask' && command.about === 'answer' ? command.id : [],
  );
  const more = said.meaning.beside.flatMap((act): Commands => {
    const command = said.acts.get(act)?.command;
    if (command?.do !== 'ask' || command.about !== 'answer' || asked.includes(command.id)) return [];
    // A new value answers what is asked about it.
    const isOfValue = GIVEN.some((slot) => said.given[slot].length > 0 && command.id === `${slot}.why`);
    return isOfValue ? [] : [toAsked(command, said)];
  });
  return [...commands, ...more.slice(0, 2 - commands.filter(isQuestion).length)];
}
