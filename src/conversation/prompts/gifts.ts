import type { Context, Gift } from '../context.ts';
import { choice, type Line, type Reply } from '../reply.ts';
import { whose } from './identity.ts';

/** The gift of the operator's list that has this code. */
export function giftOf(code: string | undefined, { settings }: Pick<Context, 'settings'>): Gift | undefined {
  return settings.gifts.find((gift) => gift.code === code);
}

/** Where to get a gift, for whoever redeemed it; nothing where the list does not say. */
export function pickUpLines({ pickUp }: Gift): Line[] {
  return pickUp ? [{ key: 'receipt.pickUp', params: { where: pickUp } }] : [];
}

/** What a gift is, and the price that is to be confirmed; only AntCRM knows that of a gift that is on no list. */
export function giftLines(code: string, price: number | undefined, scope: Pick<Context, 'settings'>): Line[] {
  const gift = giftOf(code, scope);
  if (!gift) return [{ key: 'summary.giftCode', params: { code } }, { key: 'summary.priceUnknown' }];
  const { name, description, score } = gift;
  return [
    { key: 'summary.gift', params: { gift: name } },
    ...(description ? [{ key: 'summary.description', params: { text: description } }] : []),
    { key: 'summary.price', params: { score: price ?? score } },
  ];
}

/** The gift costs more than the customer has. */
export function tooFewPoints({ name, score }: Gift, points: number, scope: Context): Reply {
  return {
    key: 'redeem.tooFewPoints',
    context: whose(scope),
    params: { gift: name, price: score, points, missing: score - points },
  };
}

/** Several of a gift are as many redemptions, each confirmed by itself. */
export function oneAtATime(code: string | undefined, scope: Context): Reply {
  return { key: 'redeem.oneAtATime', params: { gift: giftOf(code, scope)?.name ?? code ?? '' } };
}

/** The summary said another price: nothing was spent, and the new one wants a confirmation of its own. */
export function priceChanged({ name, score }: Gift, before: number): Reply {
  return { key: 'redeem.priceChanged', params: { gift: name, before, price: score } };
}

/** So many gifts stand beside the menu. */
const SUGGESTED = 2;

/** The first gifts of the list that the points are enough for or, where those are not known, the cheapest. */
export function giftsToSuggest(
  { settings: { gifts } }: Pick<Context, 'settings'>,
  points: number | undefined,
): readonly Gift[] {
  const likely =
    points === undefined
      ? gifts.toSorted((a, b) => a.score - b.score)
      : gifts.filter(({ score }) => score <= points);
  return likely.slice(0, SUGGESTED);
}

/** More buttons than this are no list any more; as many lines below them fit into one message. */
const BUTTONS = 10;
const LINES = 30;

/**
 * Asks which gift it shall be. Where the customer's points are known, what can be had comes first, and of the others it is
 * said how many points are missing. What has no button can be typed.
 */
export function askGift(
  gifts: readonly Gift[],
  points: number | undefined,
  asked: Pick<Reply, 'context' | 'params'>,
): Reply {
  const isDear = ({ score }: Gift) => points !== undefined && score > points;
  const inOrder = [...gifts.filter((gift) => !isDear(gift)), ...gifts.filter(isDear)];
  const say = (gift: Gift, key: string): Line => {
    const { name, score } = gift;
    const params = { name, score, ...(isDear(gift) && { missing: score - (points ?? 0) }) };
    return { key, context: isDear(gift) ? 'dear' : undefined, params };
  };
  const choices = inOrder
    .slice(0, BUTTONS)
    .map((gift) => choice(`gift:${gift.code}`, say(gift, 'choice.gift')));
  const others = inOrder.slice(BUTTONS);
  const left = others.length - LINES;
  const lines: Line[] = [
    { key: 'gift.others' },
    ...others.slice(0, LINES).map((gift) => say(gift, 'gift.other')),
    ...(left > 0 ? [{ key: 'gift.left', params: { count: left } }] : []),
  ];
  return {
    key: 'redeem.askGift',
    ...asked,
    ...(others.length > 0 && { lines }),
    choices,
    asks: 'code',
  };
}
