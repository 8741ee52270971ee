import type { NamedPeriod } from './period-words.ts';
import type { Segment } from './phrases.ts';
import type { Token } from './tokens.ts';
import { INTENTS, type Intent } from './vocabulary.ts';

type Part = Segment<Token>;

const FLOWS: ReadonlySet<Intent | undefined> = new Set(['accumulate', 'redeem', 'history', 'points']);

/** What a message wants, by what its phrases say; `period` is the one that it names. */
export function intentOf(parts: readonly Part[], period: NamedPeriod | undefined): Intent | undefined {
  const said = parts.filter(({ meaning }) => meaning?.intent !== undefined);
  const sure = said.filter(({ meaning }) => meaning?.always);
  const counting = sure.length > 0 ? sure : isExplained(parts) ? said : [];
  const intents = new Set(counting.map(({ meaning }) => meaning?.intent));
  if ([...FLOWS].some((flow) => intents.has(flow))) {
    const denied = deniedFlow(parts);
    if (denied) return denied;
  }
  const first = INTENTS.find(({ intent }) => intents.has(intent))?.intent;
  if ((first === 'confirm' || first === 'decline') && intents.has('confirm') && intents.has('decline'))
    return undefined;
  return isPast(period) && FLOWS.has(first) && isExplained(parts) ? 'history' : first;
}

/** Whether every word is in the vocabulary. */
function isExplained(parts: readonly Part[]): boolean {
  return parts.every(({ meaning }) => meaning !== undefined);
}

/** "Điểm 30 ngày" asks for the history; "đổi quà tháng này" may be a wish. */
function isPast(period: NamedPeriod | undefined): boolean {
  return period === '7d' || period === '30d' || period === 'lastMonth';
}

/** "Không đổi quà nữa" stops; "không tích điểm được" is a complaint; "không, tích điểm" is neither. */
function deniedFlow(parts: readonly Part[]): 'cancel' | 'support' | undefined {
  if (parts.some(({ meaning }) => meaning?.denial === 'fail')) return 'support';
  const denial = parts.findIndex(({ meaning }) => meaning?.denial === 'stop');
  if (denial < 0) return undefined;
  const after = parts.slice(denial + 1);
  const next = after.findIndex(({ meaning }) => meaning === undefined || meaning.intent !== undefined);
  const paused = after.slice(0, next + 1).some(({ words }) => words.some(({ source: { pause } }) => pause));
  if (!FLOWS.has(after[next]?.meaning?.intent) || paused) return undefined;
  const possible = after.slice(next + 1).some(({ words: [word] }) => word?.text === 'duoc');
  return possible ? 'support' : 'cancel';
}

/** "Không có email", "bỏ qua email": what declines stands before the word; "không đổi email" is another matter. */
export function lacksEmail(parts: readonly Part[]): boolean {
  const telling = parts.filter(({ meaning }) => !meaning || meaning.intent || meaning.field);
  return telling.some(({ meaning }, i) => {
    const next = telling[i + 1]?.meaning;
    const declined = meaning?.intent === 'skip' || meaning?.intent === 'decline';
    return declined && next?.field === 'email' && next.intent === undefined;
  });
}

/** Whether a gift that is named along is asked for: "đổi loa", not "không lấy loa". */
export function isWish(parts: readonly Part[]): boolean {
  return parts.some(({ meaning }) => meaning?.wish) && !parts.some(({ meaning }) => meaning?.denial);
}

/** Which history the phrases name; undefined where they name both or none, or the intent is no flow. */
export function typeOf(parts: readonly Part[], intent: Intent | undefined): 'point' | 'gift' | undefined {
  if (intent !== undefined && !FLOWS.has(intent)) return undefined;
  return only(parts.map(namedType)) ?? only(parts.map(impliedType));
}

function namedType({ meaning }: Part): 'point' | 'gift' | undefined {
  if (meaning?.type) return meaning.type;
  if (!meaning?.always) return undefined;
  return meaning.intent === 'accumulate' ? 'point' : meaning.intent === 'redeem' ? 'gift' : undefined;
}

function impliedType({ meaning }: Part): 'point' | 'gift' | undefined {
  switch (meaning?.intent) {
    case 'accumulate':
    case 'points':
      return 'point';
    case 'redeem':
      return 'gift';
    default:
      return undefined;
  }
}

function only<T>(values: readonly (T | undefined)[]): T | undefined {
  const [value, ...others] = new Set(values.filter((one) => one !== undefined));
  return others.length === 0 ? value : undefined;
}
