import type { SlotKind, TextCommand } from '../commands.ts';
import { readAs, wrong } from './exact.ts';
import { isOff } from './mechanisms.ts';
import { type Said, toAsked } from './said.ts';
import { LIKELY, POSSIBLE, PRESUMED, PRESUMED_UNASKED } from './table.ts';
import { visible } from './tokens.ts';

/*
 * A text whose act is not sure: the question that is likely enough is answered with its name, else at most
 * two choices that are possible here, else why the text is no answer to our question.
 */

type Commands = readonly TextCommand[];

const MOST_OFFERED = 2;
/** How likely the only wish that may be meant at the menu must be to begin. */
const BEGUN_ALONE = 0.4;
/** The kinds of values that are asked for while people talk about them. */
const SAID_ASIDE: ReadonlySet<SlotKind> = new Set(['codes', 'phone', 'email', 'gift']);
/**
 * A text is no bad value if it has at least `FEW_WORDS` and no two digits in a row, or at least `MANY_WORDS`
 * and fewer digits than `MIN_DIGITS`.
 */
const FEW_WORDS = 3;
const MANY_WORDS = 6;
const MIN_DIGITS = 4;
/** How likely a yes, or the verb of the flow itself, must be to be pointed at the button. */
const NEARLY_YES = 0.6;
/** A text with more unknown words says more than a yes. */
const MOST_UNKNOWN = 3;

/** The one command of an act that is only likely, where a row of this place says so. */
type RowOf = (act: string, said: Said) => TextCommand | undefined;

export function unsure(said: Said, rowOf: RowOf): Commands {
  if (isNearlyYes(said)) return [{ do: 'unclear', likely: [{ do: 'yes' }] }];
  const whole = plainly(said);
  const [first] = whole;
  if (first?.do !== 'ask' && first?.do !== 'unclear') return whole;
  const isValue = first.do === 'unclear' && first.wrong && /[\d@]|\w\.\w/.test(said.values.text);
  // A text that is nearly a value of the kind that is asked is no example of anything.
  if (first.do === 'unclear' && (first.script || isValue)) return whole;
  const offered = offers(said, rowOf);
  if (!offered) return whole;
  return [offered.do === 'unclear' && first.do === 'ask' ? { ...offered, question: true } : offered];
}

/** "Looks good, send it", "đồng ý đổi": like a yes, with more words, at the summary. */
function isNearlyYes({
  meaning,
  expecting,
  isBare,
  isQuestion,
  values,
  isNearlyYes: isSaid,
  given,
}: Said): boolean {
  const own = meaning.guesses.filter(({ act }) => act === 'yes' || act === `start ${expecting.flow}`);
  const p = own.reduce((sum, guess) => sum + guess.p, 0);
  const isLikely = isSaid || (p >= NEARLY_YES && values.rest.length <= MOST_UNKNOWN);
  return expecting.place === 'summary' && isBare && !isQuestion && isLikely && given.all.length === 0;
}

/** What a text may mean: never a yes, a change or an erasure. */
function offers(said: Said, rowOf: RowOf): TextCommand | undefined {
  const { meaning, isBare, isQuestion, expecting, acts } = said;
  if (!isBare && !isQuestion) return undefined;
  const isUnanswered = (act: string) => {
    const command = acts.get(act)?.command;
    return command?.do === 'ask' && command.about === 'answer' && !said.isAnswered(command.id);
  };
  const telling = meaning.guesses.filter(
    ({ act, p }) => p >= POSSIBLE && acts.get(act)?.rank !== 'nothing' && act !== `start ${expecting.flow}`,
  );
  const [best] = telling;
  // What only the shop can answer is no button, but may be the answer.
  const open = best && best.p >= PRESUMED && isUnanswered(best.act) ? best.act : undefined;
  const isOfConsent = expecting.asksConsent === true || expecting.offersConsent === true;
  const isOffer = (act: string) =>
    act === open ||
    (isOfConsent && act === 'ask consent.what') ||
    (acts.get(act)?.isOffered === true && !isUnanswered(act));
  const some = telling.filter(({ act }) => isOffer(act)).slice(0, MOST_OFFERED);
  const [first] = some;
  // Where nothing is likely, buttons would only hide that the text was not understood.
  if (!first || first.p < LIKELY) return undefined;
  const likely = some.flatMap(({ act }): Commands => {
    if (act.startsWith('start ')) return [{ do: 'start', flow: act.slice('start '.length) }];
    const command = acts.get(act)?.command;
    return command ? [toAsked(command, said)] : [];
  });
  const [only, ...others] = likely.filter((command) => command.do !== 'show');
  // Nothing is lost at the menu: the only wish that may be meant begins. After a call it may be about that.
  const isFresh = expecting.place === 'nothing' && expecting.references.length === 0;
  const isBegun = only === likely[0] && others.length === 0 && first === best && first.p >= BEGUN_ALONE;
  if (only?.do === 'start' && isFresh && isBegun && !isQuestion) return only;
  if (isOff(said.off, 'presumed answers')) return { do: 'unclear', likely };
  const least = isQuestion ? PRESUMED : PRESUMED_UNASKED;
  const isAlone = isQuestion && others.length === 0;
  const isPresumed =
    first === best && (open !== undefined || isAlone || first.p >= least) && likely[0]?.do === 'ask';
  // "Mã hồi nãy sai" at a summary is a correction.
  const row = isPresumed ? rowOf(first.act, said) : undefined;
  if (row) return row;
  return { do: 'unclear', likely, ...(isPresumed && { presumed: true }) };
}

/** Why the text does not answer our question. */
function plainly({ values, expecting, flow, reading, isQuestion, reader }: Said): Commands {
  const { text } = values;
  const { kind, isStaff, place } = expecting;
  const isReadable = /[\p{Script=Latin}\p{Nd}]/u.test(text);
  if (!isReadable && /\p{L}/u.test(visible(text))) return [{ do: 'unclear', script: true }];
  if (!isReadable) return [{ do: 'talk', about: 'remark' }];
  if (isQuestion) return [{ do: 'ask', about: 'unknown' }];
  if ((place !== 'slot' && place !== 'doubt') || kind === undefined) return [{ do: 'unclear' }];
  // Three words or more that have nothing of a value are no bad value.
  if (SAID_ASIDE.has(kind) && isNoValue(text)) return [{ do: 'unclear' }];
  const isProof = kind === 'phone' && flow?.identity === 'proved';
  // Staff name a customer by either.
  const isEmail = isStaff && (kind === 'gift' || isProof) && text.includes('@');
  const [value = wrong(kind, '')] = readAs(isEmail ? 'email' : kind, text, { reading, values: reader });
  const isRefused = isProof && !isEmail && value.do === 'unclear';
  if (isRefused && !isStaff) return [wrong(kind, 'phone.shape')];
  return [isRefused && value.wrong?.reason === 'phone.shape' ? wrong(kind, 'identity.shape') : value];
}

/** Words without a value: "máy này của tôi", "mua máy 15 triệu mà mã không dùng được". */
function isNoValue(text: string): boolean {
  const { length } = text.trim().split(/\s+/);
  const digits = text.match(/\d/g)?.length ?? 0;
  const isShort = !/\d{2}/.test(text) && length >= FEW_WORDS;
  return !text.includes('@') && (isShort || (digits < MIN_DIGITS && length >= MANY_WORDS));
}
