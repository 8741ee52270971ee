import type { Expecting, Reading } from '../commands.ts';
import { type ParsedText, says } from './parser.ts';
import { isIn } from './phrases.ts';

/* Gifts that a wish describes instead of naming them: the cheapest, one by its price, the same once more. */

type GiftWish = {
  readonly parsed: ParsedText;
  /** How likely it is that the text speaks of the cheapest gift (0–1). */
  readonly cheapest: number;
  readonly expecting: Expecting;
  readonly reading: Reading;
  readonly isQuestion: boolean;
  readonly isRequest: boolean;
  /** How likely it is that the text wants to redeem (0–1). */
  readonly redeems: number;
};

/** How likely it must be that the text speaks of the cheapest gift. */
const CHEAPEST = 0.4;
/** "Đổi thêm cái nữa" right after a redemption: how likely the wish to redeem must be. */
const REDEEMS = 0.25;

/** The code of the gift that a wish describes; undefined: none, or it names one. */
export function describedGift(wish: GiftWish): string | undefined {
  const { parsed, expecting, isQuestion } = wish;
  if (parsed.gifts.length > 0 || parsed.deniesGift) return undefined;
  if (isQuestion) return wishesFirst(parsed) ? cheapestGift(wish) : undefined;
  const isPriced = isAtGifts(expecting) || wishesByPrice(wish);
  return cheapestGift(wish) ?? (isPriced ? giftByPrice(wish) : undefined) ?? sameGift(wish);
}

/** "Lấy cái nào ít điểm nhất" wishes, though "nào" asks. */
const wishesFirst = ({ parts, text }: ParsedText): boolean =>
  parts[0] !== undefined && isIn(parts[0], 'wishes') && !text.includes('?');

const isAtGifts = ({ place, kind, gift }: Expecting): boolean =>
  kind === 'gift' || (place === 'summary' && gift !== undefined);

/** "Lấy cái rẻ nhất", "get me the cheapest gift". Without a wish the text only asks. */
function cheapestGift({ parsed, cheapest: p, expecting, reading, isRequest }: GiftWish): string | undefined {
  const isWish = p >= CHEAPEST && (isRequest || says(parsed, 'wishes'));
  if (!isWish || !(isAtGifts(expecting) || expecting.place === 'nothing')) return undefined;
  const [cheapest] = [...reading.settings.gifts].sort((one, other) => one.score - other.score);
  return cheapest?.code;
}

/** "Gimme the 10 point one", "lấy cái 250 điểm", where nothing is asked. */
const wishesByPrice = ({ parsed, expecting, isRequest }: GiftWish): boolean =>
  expecting.place === 'nothing' &&
  (isRequest || says(parsed, 'wishes')) &&
  says(parsed, 'amounts') &&
  says(parsed, 'counters');

/** "The 250 one", "loại 250 điểm": the only gift of this price. */
function giftByPrice({ parsed, reading }: GiftWish): string | undefined {
  const numbers = parsed.text.match(/\d[\d.,]*/g) ?? [];
  const [price, ...others] = numbers.map((text) => Number(text.replace(/[.,]/g, '')));
  const [gift, ...more] = reading.settings.gifts.filter(({ score }) => score === price);
  return others.length + more.length === 0 ? gift?.code : undefined;
}

/** "Đổi thêm cái nữa y chang", when a gift was redeemed last. */
function sameGift({ parsed, expecting, redeems }: GiftWish): string | undefined {
  const isMore = says(parsed, 'codes add') && redeems >= REDEEMS;
  return expecting.place === 'nothing' && isMore ? expecting.redeemed : undefined;
}
