import type { Segment } from './phrases.ts';
import { isPast } from './times.ts';
import type { Token } from './tokens.ts';
import type { FlowWords } from './vocabulary.ts';

type Part = Segment<Token>;

/** What phrases want, by what they say. */
export type Intents = {
  /** What a message wants; `period`: its words that speak of one. */
  intentOf(parts: readonly Part[], period: string | undefined): string | undefined;
  /** Which history the phrases name; undefined where they name none, or the intent is no flow. */
  typeOf(parts: readonly Part[], intent: string | undefined): 'point' | 'gift' | 'both' | undefined;
};

/** `order`: all intents, the most telling first. */
export function createIntents(flows: readonly FlowWords[], order: readonly string[]): Intents {
  const byName = new Map(flows.map((flow) => [flow.name, flow] as const));
  const past = flows.find(({ showsPast }) => showsPast)?.name;
  const languages = order.filter((intent) => intent.startsWith('language:'));
  const isFlow = (intent: string | undefined) => intent !== undefined && byName.has(intent);
  const listOf = ({ meaning }: Part) => byName.get(meaning?.intent ?? '')?.list;

  /** "Không đổi quà nữa" stops; "không tích điểm được" is a complaint; "không, tích điểm" is neither. */
  function deniedFlow(parts: readonly Part[]): 'cancel' | 'support' | undefined {
    if (parts.some(({ meaning }) => meaning?.denial === 'fail')) return 'support';
    const denial = parts.findIndex(({ meaning }) => meaning?.denial === 'stop');
    if (denial < 0) return undefined;
    const after = parts.slice(denial + 1);
    const next = after.findIndex(({ meaning }) => meaning === undefined || meaning.intent !== undefined);
    const paused = after.slice(0, next + 1).some(({ words }) => words.some(({ source: { pause } }) => pause));
    if (!isFlow(after[next]?.meaning?.intent) || paused) return undefined;
    const possible = after.slice(next + 1).some(({ words: [word] }) => word?.text === 'duoc');
    return possible ? 'support' : 'cancel';
  }

  /** A language is wished for where nothing else is said; of one that is denied ("I don't speak …") the other one. */
  function wishedLanguage(parts: readonly Part[]): string | undefined {
    const isNamed = ({ meaning }: Part) => languages.includes(meaning?.intent ?? '');
    const isOther = ({ meaning }: Part) =>
      meaning?.intent !== undefined && !BESIDE_LANGUAGE.has(meaning.intent);
    const others = parts.filter((part) => !isNamed(part));
    if (others.length === parts.length || !isExplained(parts)) return undefined;
    if (others.some((part) => isOther(part) || part.meaning?.field)) return undefined;
    const refused = parts.find((part, at) => isNamed(part) && isDenied(parts, at))?.meaning?.intent;
    const named = new Set(parts.filter(isNamed).map(({ meaning }) => meaning?.intent));
    const [wanted, ...more] = languages.filter((one) => (refused ? one !== refused : named.has(one)));
    return more.length === 0 ? wanted : 'language';
  }

  function namedType(part: Part): 'point' | 'gift' | undefined {
    if (part.meaning?.type) return part.meaning.type;
    const list = part.meaning?.always ? listOf(part) : undefined;
    return list?.vague ? undefined : list?.type;
  }

  return {
    intentOf(parts, period) {
      const language = wishedLanguage(parts);
      if (language !== undefined) return language;
      const said = parts.filter(
        ({ meaning }) => meaning?.intent !== undefined && !languages.includes(meaning.intent),
      );
      const isNo = said.some(({ meaning }) => NO.has(meaning?.intent));
      const sure = said.filter(({ meaning }) => meaning?.always);
      const counting = sure.length > 0 ? sure : isExplained(parts) ? said : [];
      const telling = isNo ? counting.filter(({ meaning }) => !meaning?.assent) : counting;
      const intents = new Set(telling.map(({ meaning }) => meaning?.intent));
      if ([...intents].some(isFlow)) {
        const denied = deniedFlow(parts);
        if (denied) return denied;
      }
      const first = order.find((intent) => intents.has(intent));
      if (first === 'forget' && !isPlainRequest(parts)) return 'privacy';
      const both = intents.has('confirm') && intents.has('decline');
      if (both && (first === 'confirm' || first === 'decline'))
        return parts.some(({ meaning }) => meaning?.fault) ? 'decline' : undefined;
      if (period === undefined || !isFlow(first) || !isExplained(parts)) return first;
      const { type, vague } = byName.get(first ?? '')?.list ?? {};
      // "Tuần này tích được bao nhiêu điểm" asks for what was earned, "tuần này mình có bao nhiêu điểm" for the balance.
      const isEarned = vague
        ? said.some((part) => listOf(part)?.type === 'point' && !listOf(part)?.vague)
        : isQuestion(parts);
      const asksPast = isPast(period) || (type === 'point' && isEarned);
      return asksPast ? (past ?? first) : first;
    },
    typeOf(parts, intent) {
      if (intent !== undefined && !isFlow(intent)) return undefined;
      return only(parts.map(namedType)) ?? oneOrBoth(parts.map((part) => listOf(part)?.type));
    },
  };
}

/** "Dạ không" says no. */
const NO = new Set<string | undefined>(['decline', 'skip', 'nevermind', 'cancel']);

/** What may be said beside the wish for a language. */
const BESIDE_LANGUAGE = new Set(['confirm', 'decline', 'skip', 'greet', 'thanks', 'help']);

/** What is erased is gone: "đừng xoá dữ liệu của tôi" and whatever else is said of it shows what is kept, and its button. */
function isPlainRequest(parts: readonly Part[]): boolean {
  const denies = ({ meaning }: Part) => meaning?.denial || meaning?.intent === 'decline';
  return (
    isExplained(parts) && !parts.some((part) => denies(part) || part.meaning?.asks || part.meaning?.field)
  );
}

/** Whether a denial stands before this part, in one breath: "no, English please" denies nothing. */
function isDenied(parts: readonly Part[], at: number): boolean {
  const breath = parts.slice(0, at + 1).findLastIndex(({ words: [word] }) => word?.source.pause);
  return parts
    .slice(Math.max(breath, 0), at)
    .some(({ meaning }) => meaning?.denial || meaning?.intent === 'decline' || meaning?.intent === 'skip');
}

/** Whether every word is in the vocabulary. */
function isExplained(parts: readonly Part[]): boolean {
  return parts.every(({ meaning }) => meaning !== undefined);
}

/** "Hôm nay mình tích được gì" asks what was; "tháng này đổi được quà gì" may be a wish. */
function isQuestion(parts: readonly Part[]): boolean {
  return parts.some(({ meaning }) => meaning?.asks);
}

/** "Không có email", "bỏ qua email": what declines stands before the word; "không đổi email" is another matter. */
export function lacksEmail(parts: readonly Part[]): boolean {
  const telling = parts.filter(({ meaning }) => !meaning || meaning.intent || meaning.field);
  return telling.some(({ meaning }, i) => {
    const next = telling[i + 1]?.meaning;
    const declined = (meaning?.intent === 'skip' || meaning?.intent === 'decline') && !meaning.fault;
    return declined && next?.field === 'email' && next.intent === undefined;
  });
}

/** Whether a gift that is named along is asked for: "đổi loa", not "không lấy loa". */
export function isWish(parts: readonly Part[]): boolean {
  return parts.some(({ meaning }) => meaning?.wish) && !parts.some(({ meaning }) => meaning?.denial);
}

/** Whether gifts are all that is spoken of, and no verb asks for one. */
export function speaksOfGifts(parts: readonly Part[]): boolean {
  const isOther = ({ meaning }: Part) =>
    !meaning?.gifts && (meaning?.wish || meaning?.denial || (meaning?.intent ?? 'explain') !== 'explain');
  return parts.some(({ meaning }) => meaning?.gifts) && !parts.some(isOther);
}

function only<T>(values: readonly (T | undefined)[]): T | undefined {
  const [value, ...others] = new Set(values.filter((one) => one !== undefined));
  return others.length === 0 ? value : undefined;
}

function oneOrBoth(types: readonly ('point' | 'gift' | undefined)[]): 'point' | 'gift' | 'both' | undefined {
  const named = new Set(types.filter((type) => type !== undefined));
  return named.size > 1 ? 'both' : [...named][0];
}
