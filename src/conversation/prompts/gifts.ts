import type { Context, Gift } from '../context.ts';
import type { Choice, Line } from '../reply.ts';

/** The gift of the operator's list that has this code. */
export function giftOf(code: string | undefined, { settings }: Pick<Context, 'settings'>): Gift | undefined {
  return settings.gifts.find((gift) => gift.code === code);
}

/** Where to get a gift, for whoever redeemed it; nothing where the list does not say. */
export function pickUpLines({ pickUp }: Gift): Line[] {
  return pickUp ? [{ key: 'receipt.pickUp', params: { where: pickUp } }] : [];
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

/**
 * The gifts as buttons. Where the customer's points are known, what can be had comes first, and of the others it is said
 * how many points are missing.
 */
export function giftChoices(
  { settings }: Pick<Context, 'settings'>,
  points: number | undefined,
): readonly Choice[] {
  const isDear = ({ score }: Gift) => points !== undefined && score > points;
  const inOrder = [...settings.gifts.filter((gift) => !isDear(gift)), ...settings.gifts.filter(isDear)];
  return inOrder.map((gift) => {
    const { code, name, score } = gift;
    const params = { name, score, ...(isDear(gift) && { missing: score - (points ?? 0) }) };
    const context = isDear(gift) ? 'dear' : undefined;
    return { id: `gift:${code}`, label: { key: 'choice.gift', context, params } };
  });
}
