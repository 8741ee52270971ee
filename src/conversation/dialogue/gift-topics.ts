import type { Gift } from '../context.ts';
import type { Scope } from '../flow.ts';
import { findGift } from '../prompts/gifts.ts';
import { isStaff } from '../prompts/identity.ts';
import { choice, type Line, type Reply } from '../reply.ts';
import type { State } from '../state.ts';

/*
 * Gifts as topics: what one is, what it costs, which are within reach. None of these chooses a gift.
 */

type Topic = Required<Pick<Reply, 'params' | 'lines'>> & Pick<Reply, 'choices'>;

type Question = {
  readonly key: string;
  /** The gift that the text names, or the chosen one. */
  readonly gift: Gift | undefined;
  /** The gifts of the list, the cheapest first. */
  readonly gifts: readonly Gift[];
  /** The customer's points, if they are known. */
  readonly points: number | undefined;
  readonly isStaff: boolean;
};

/** The answer about a gift or the list of gifts; undefined: the general answer with this key. */
export function answerGiftTopic(
  { key, gift: named }: { readonly key: string; readonly gift?: string | undefined },
  state: State,
  scope: Scope,
): Topic | undefined {
  const { draft, operations, step } = state;
  const gift = findGift(named ?? draft.gift, scope);
  const gifts = [...scope.settings.gifts].sort((one, other) => one.score - other.score);
  const points = draft.balance?.points ?? operations.at(-1)?.receipt?.balance;
  const topic = findTopic({ key, gift, gifts, points, isStaff: isStaff(scope) });
  if (!topic) return undefined;
  const [text, ...lines] = topic;
  const isOffered = gift !== undefined && (step.at === 'idle' || step.at === 'browsing');
  const choices = isOffered ? [redeemChoice(gift)] : [];
  return text && { params: { text }, lines, choices };
}

const redeemChoice = ({ code, name }: Gift) =>
  choice(`redeem:${code}`, { key: 'choice.redeem.one', params: { gift: name } });

/** The answer and its lines. */
function findTopic({ key, gift, gifts, points, isStaff }: Question): readonly Line[] | undefined {
  switch (key) {
    case 'answer.gift.price':
      return gift && [priceLine(gift, points, isStaff)];
    case 'answer.gift.what': {
      if (!gift) return undefined;
      const { name, description, score } = gift;
      return description
        ? [{ key, context: 'described', params: { gift: name, text: description, score } }]
        : [{ key, context: 'named', params: { gift: name, score } }];
    }
    case 'answer.gift.cheapest': {
      const [cheapest] = gifts;
      return cheapest && [{ key, context: 'known', params: { gift: cheapest.name, score: cheapest.score } }];
    }
    case 'answer.gift.missing': {
      const wanted = gift ?? gifts.find(({ score }) => points !== undefined && score > points);
      return wanted && [priceLine(wanted, points, isStaff)];
    }
    case 'answer.gift.reach': {
      if (points === undefined || gifts.length === 0) return undefined;
      const reachable = gifts.filter(({ score }) => score <= points);
      const [first, ...others] = reachable.reverse();
      if (!first)
        return [
          { key, context: isStaff ? 'noneStaff' : 'none', params: { points } },
          listLine(gifts[0], points),
        ];
      return [
        { key, context: isStaff ? 'knownStaff' : 'known', params: { points } },
        ...[first, ...others].map((gift) => listLine(gift, points)),
      ];
    }
    case 'answer.gift.many':
      return gift && [manyLine(gift, points)];
    case 'answer.gift.left': {
      if (gift && points !== undefined) {
        const left = Math.max(points - gift.score, 0);
        return [
          {
            key,
            context: isStaff ? 'knownStaff' : 'known',
            params: { gift: gift.name, price: gift.score, points, left },
          },
        ];
      }
      return points === undefined ? undefined : [{ key: 'receipt.balance', params: { points } }];
    }
    default:
      return undefined;
  }
}

/** One is redeemed at a time; perhaps the points are enough for one only. */
export function manyLine({ name, score }: Gift, points: number | undefined): Line {
  const key = 'answer.gift.many';
  const isOne = points !== undefined && points >= score && points < 2 * score;
  return isOne
    ? { key, context: 'one', params: { gift: name, points } }
    : { key, context: 'named', params: { gift: name } };
}

/** What a gift costs, and whether the points are enough. */
function priceLine({ name, score }: Gift, points: number | undefined, isStaff: boolean): Line {
  const key = 'answer.gift.costs';
  const params = { gift: name, score };
  if (points === undefined) return { key, params };
  const known = { ...params, points };
  if (score <= points) return { key, context: isStaff ? 'enoughStaff' : 'enough', params: known };
  const missing = score - points;
  return { key, context: isStaff ? 'shortStaff' : 'short', params: { ...known, missing } };
}

const listLine = (gift: Gift | undefined, points: number): Line => {
  const { name = '', score = 0 } = gift ?? {};
  const missing = score - points;
  return { key: 'gift.other', context: missing > 0 ? 'dear' : undefined, params: { name, score, missing } };
};
