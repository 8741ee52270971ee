import type { Scope } from '../flow.ts';
import type { Line } from '../reply.ts';
import type { Operation } from '../state.ts';
import { giftOf, pickUpLines } from './gifts.ts';

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
