import type { Context } from '../context.ts';
import { spends } from '../effect.ts';
import type { Line } from '../reply.ts';
import type { Operation } from '../state.ts';
import { findGift, pickUpLines } from './gifts.ts';

/* What became of operations. */

/** The status that the customer knows: "not applied" while the last check is still to come. */
export const toShownStatus = (status: Operation['status']) => (status === 'watching' ? 'notApplied' : status);

type ReceiptScope = Pick<Context, 'settings' | 'giftCode'>;

/** "+100 điểm · Tivi" if AntCRM's record was read, and where to get the gift. */
export function receiptLines(operation: Operation, scope: ReceiptScope): Line[] {
  return operation.code === undefined ? changeLines(operation, scope) : [codeLine(operation)];
}

function changeLines({ kind, status, receipt, gift: code }: Operation, scope: ReceiptScope): Line[] {
  const gift = findGift(code, scope);
  const pickUp = status === 'done' && gift ? pickUpLines(gift) : [];
  if (receipt?.score === undefined && gift)
    return [{ key: 'summary.gift', params: { gift: gift.name } }, ...pickUp];
  if (receipt?.score === undefined) return [];
  const what = gift?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }, ...pickUp];
}

/** What the customer shows at the counter; undefined: there is no counter, or nothing to show. */
export function findGiftCode(operation: Operation, { settings, giftCode }: ReceiptScope): string | undefined {
  const isShown = operation.status === 'done' || operation.status === 'checking';
  return settings.counter && spends(operation) && isShown ? giftCode?.(operation.id) : undefined;
}

/**
 * The code of a gift: the last line of a receipt, because staff look for it. While the redemption is looked
 * up, the counter says so.
 */
export function giftCodeLines(operation: Operation, scope: ReceiptScope): Line[] {
  const code = findGiftCode(operation, scope);
  const context = operation.status === 'checking' ? 'checking' : undefined;
  return code === undefined ? [] : [{ key: 'receipt.giftCode', context, params: { code } }];
}

/** The codes, one a line. */
export function codeLines(codes: readonly string[]): Line[] {
  const context = codes.length > 1 ? 'several' : undefined;
  return codes.map((code, at) => ({ key: 'summary.code', context, params: { code, at: at + 1 } }));
}

/** What became of one of several codes: "TIVI000000301: +100 điểm · Tivi". */
export function codeLine({ id, code = '', status, receipt }: Operation): Line {
  const params = { code, reference: id };
  const { score, what } = receipt ?? {};
  if (status !== 'done' || score === undefined)
    return { key: 'receipt.code', context: toShownStatus(status), params };
  const context = what === undefined ? 'unnamed' : 'scored';
  return { key: 'receipt.code', context, params: { ...params, score, what: what ?? '' } };
}

/** The customer's points after an operation, if the operation has them. */
export function balanceLines(last: Operation | undefined): Line[] {
  const points = last?.receipt?.balance;
  return points === undefined ? [] : [{ key: 'receipt.balance', params: { points } }];
}
