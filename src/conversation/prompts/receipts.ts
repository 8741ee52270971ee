import type { Context, Gift } from '../context.ts';
import type { Scope } from '../flow.ts';
import { choice, type Line, type Reply } from '../reply.ts';
import type { Operation } from '../state.ts';
import { whose } from './identity.ts';

/** How an operation stands as its customer was told: "not applied", although one more look is to come. */
export const shown = (status: Operation['status']) => (status === 'watching' ? 'notApplied' : status);

/**
 * The receipt as a line: "+100 điểm · Tivi", left out where AntCRM's record could not be read back; of a gift that was
 * redeemed, where to get it. AntCRM names gifts in Vietnamese only, the list of gifts in every language.
 */
export function receiptLines(operation: Operation, scope: Scope): Line[] {
  const { kind, status, receipt, gift: code, code: earnedBy } = operation;
  if (earnedBy !== undefined) return [codeLine(operation)];
  const gift = giftOf(code, scope);
  const pickUp = status === 'done' && gift ? pickUpLines(gift) : [];
  if (receipt?.score === undefined) return pickUp;
  const what = gift?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }, ...pickUp];
}

/** The codes at hand, one a line. */
export function codeLines(codes: readonly string[]): Line[] {
  const context = codes.length > 1 ? 'several' : undefined;
  return codes.map((code, at) => ({ key: 'summary.code', context, params: { code, at: at + 1 } }));
}

/** What became of one of several codes: "TIVI000000301: +100 điểm · Tivi". */
export function codeLine({ id, code = '', status, receipt }: Operation): Line {
  const params = { code, reference: id };
  const { score, what } = receipt ?? {};
  if (status !== 'done' || score === undefined)
    return { key: 'receipt.code', context: shown(status), params };
  const context = what === undefined ? 'unnamed' : 'scored';
  return { key: 'receipt.code', context, params: { ...params, score, what: what ?? '' } };
}

/** One of several codes that was never called. */
export function untriedLine(code: string): Line {
  return { key: 'receipt.code', context: 'untried', params: { code } };
}

/** The points of several codes together; of some, where not all records could be read back. */
export function sumLines(done: readonly Operation[]): Line[] {
  const scores = done.flatMap(({ receipt }) => receipt?.score ?? []);
  if (scores.length < 2) return [];
  const score = scores.reduce((sum, one) => sum + one, 0);
  return [
    { key: 'receipt.sum', context: scores.length < done.length ? 'partial' : undefined, params: { score } },
  ];
}

/** AntCRM's balance, which may not have all that was done a moment ago. */
export const behind = (points: number): Line => ({ key: 'receipt.behind', params: { points } });

/** The customer's points after an operation, where they were told. */
export function balanceLines(last: Operation | undefined): Line[] {
  const points = last?.receipt?.balance;
  return points === undefined ? [] : [{ key: 'receipt.balance', params: { points } }];
}

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
