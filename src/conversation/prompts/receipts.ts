import type { Context } from '../context.ts';
import type { Line } from '../reply.ts';
import type { Operation } from '../state.ts';
import { findGift, pickUpLines } from './gifts.ts';

/* What became of operations. */

/** The status that the customer knows: "not applied" while the last check is still to come. */
export const toShownStatus = (status: Operation['status']) => (status === 'watching' ? 'notApplied' : status);

/** "+100 điểm · Tivi" if AntCRM's record was read, and where to get the gift. */
export function receiptLines(operation: Operation, scope: Pick<Context, 'settings'>): Line[] {
  const { kind, status, receipt, gift: code, code: earnedBy } = operation;
  if (earnedBy !== undefined) return [codeLine(operation)];
  const gift = findGift(code, scope);
  const pickUp = status === 'done' && gift ? pickUpLines(gift) : [];
  if (receipt?.score === undefined && gift)
    return [{ key: 'summary.gift', params: { gift: gift.name } }, ...pickUp];
  if (receipt?.score === undefined) return [];
  const what = gift?.name ?? receipt.what;
  const params = { score: receipt.score, what: what ?? '' };
  return [{ key: `receipt.${kind}`, context: what ? undefined : 'unnamed', params }, ...pickUp];
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
