import type { Context, Gift } from '../context.ts';
import { choice, type Line, type Reply } from '../reply.ts';

/* The gifts of the operator's list. */

/** The gift of the operator's list that has this code. */
export const findGift = (code: string | undefined, { settings }: Pick<Context, 'settings'>) =>
  settings.gifts.find((gift) => gift.code === code);

/** Where to get a gift, if the list says so. */
export function pickUpLines({ pickUp }: Gift): Line[] {
  return pickUp ? [{ key: 'receipt.pickUp', params: { where: pickUp } }] : [];
}

type Afford = { readonly price?: number | undefined; readonly points?: number | null | undefined };

/**
 * The gift, its price, which only AntCRM knows if there is no list, and what is left of the points if they
 * are known.
 */
export function giftLines(code: string, { price, points }: Afford, scope: Pick<Context, 'settings'>): Line[] {
  const gift = findGift(code, scope);
  if (!gift) return [{ key: 'summary.giftCode', params: { code } }, { key: 'summary.priceUnknown' }];
  const { name, description, score: listed } = gift;
  const score = price ?? listed;
  const left = points == null ? [] : [{ key: 'summary.left', params: { left: Math.max(points - score, 0) } }];
  return [
    { key: 'summary.gift', params: { gift: name } },
    ...(description ? [{ key: 'summary.description', params: { text: description } }] : []),
    { key: 'summary.price', params: { score } },
    ...left,
  ];
}

/** The most buttons of a list of gifts, and the most lines below them. */
const MAX_BUTTONS = 10;
const MAX_LINES = 30;

/** Asks which gift. Affordable gifts come first; the others say how many points are missing. */
export function askGift(
  gifts: readonly Gift[],
  points: number | undefined,
  asked: Pick<Reply, 'context' | 'params'>,
): Reply {
  const isTooExpensive = ({ score }: Gift) => points !== undefined && score > points;
  const inOrder = [...gifts.filter((gift) => !isTooExpensive(gift)), ...gifts.filter(isTooExpensive)];
  const say = (gift: Gift, key: string): Line => {
    const { name, score } = gift;
    const params = { name, score, ...(isTooExpensive(gift) && { missing: score - (points ?? 0) }) };
    return { key, context: isTooExpensive(gift) ? 'dear' : undefined, params };
  };
  const choices = inOrder
    .slice(0, MAX_BUTTONS)
    .map((gift) => choice(`gift:${gift.code}`, say(gift, 'choice.gift')));
  const others = inOrder.slice(MAX_BUTTONS);
  const left = others.length - MAX_LINES;
  const lines: Line[] = [
    { key: 'gift.others' },
    ...others.slice(0, MAX_LINES).map((gift) => say(gift, 'gift.other')),
    ...(left > 0 ? [{ key: 'gift.left', params: { count: left } }] : []),
  ];
  return { key: 'redeem.askGift', ...asked, ...(others.length > 0 && { lines }), choices, asks: 'code' };
}
