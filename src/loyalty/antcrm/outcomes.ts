import type { CallOutcome, Read } from '../loyalty.ts';
import { readSuccess } from './records.ts';
import type { Exchange } from './transport.ts';

/*
 * What an exchange means: the last table of docs/antcrm.md, in one place.
 */

/** AntCRM refuses our key: an operator's problem, never the customer's. */
export const isKeyRefused = (exchange: Exchange): boolean =>
  exchange.kind === 'answered' && (exchange.status === 401 || exchange.status === 403);

const isAmbiguous = (status: number) => status === 408 || status === 429 || status >= 500;
const isOk = (status: number) => status >= 200 && status < 300;

export function writeOutcome(exchange: Exchange): CallOutcome['kind'] {
  if (exchange.kind === 'broken') return 'unknown';
  if (exchange.kind !== 'answered' || isKeyRefused(exchange)) return 'unavailable';
  const { status, json } = exchange;
  if (isAmbiguous(status)) return 'unknown';
  if (status >= 400) return 'refused';
  const said = isOk(status) ? readSuccess(json) : 'unreadable';
  return said === 'unreadable' ? 'unknown' : said;
}

export function readOutcome<T>(exchange: Exchange, parse: (json: unknown) => T | 'unreadable'): Read<T> {
  if (exchange.kind !== 'answered' || isKeyRefused(exchange) || isAmbiguous(exchange.status)) {
    return { ok: false, reason: 'unavailable' };
  }
  const value = isOk(exchange.status) ? parse(exchange.json) : 'unreadable';
  return value === 'unreadable' ? { ok: false, reason: 'unreadable' } : { ok: true, value };
}
