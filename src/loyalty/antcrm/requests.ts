import type { Identifier } from '../../conversation/effect.ts';
import { HISTORY_PAGE, type HistoryQuery } from '../loyalty.ts';
import { toNational } from '../phone.ts';

/*
 * What goes over the wire, exactly as docs/antcrm.md has it.
 */

/** A customer's values in AntCRM's form. None of them may reach a log. */
export type Sendable = Partial<Record<'code' | 'phone' | 'email' | 'name', string | undefined>>;

export const inAntCrmForm = (values: Sendable): Sendable => ({
  ...values,
  phone: values.phone === undefined ? undefined : toNational(values.phone),
});

export const accumulateBody = ({ code, phone, email, name }: Sendable) => ({
  code,
  data: { emails: work(email), name, phones: work(phone) },
});

const work = (value: string | undefined) => (value === undefined ? [] : [{ type: 'Work', value }]);

/** Flat strings, unlike an accumulation. */
export const redeemBody = ({ code, phone, email }: Sendable) => ({ code, data: { email, phone } });

/** `page` is AntCRM's number of it. */
export function historySearch(query: Omit<HistoryQuery, 'page'>, page: number): URLSearchParams {
  const search = new URLSearchParams(query.type === 'point' ? { type: 'point' } : {});
  if (query.fromMs !== undefined) search.set('createdAtRangeFrom', String(query.fromMs));
  // Our periods are half-open; AntCRM does not say whether the end is included, and a millisecond is not missed.
  if (query.toMs !== undefined) search.set('createdAtRangeTo', String(query.toMs - 1));
  search.set(query.by.kind, identifierIn(query.by));
  search.set('page', String(page));
  return search;
}

export const contactSearch = (by: Identifier, page: number): URLSearchParams =>
  new URLSearchParams({
    contactType: 'customer',
    [by.kind]: identifierIn(by),
    page: String(page),
    limit: String(HISTORY_PAGE),
  });

const identifierIn = (by: Identifier) => (by.kind === 'phone' ? toNational(by.value) : by.value);
