import type { Exchange, HttpCall } from '../../src/http/transport.ts';
import { toE164 } from '../../src/loyalty/wire.ts';
import { BEGIN_MS } from './clock.ts';
import type { World } from './world.ts';

/** Points of a code, points that everybody begins with, and the price of each gift. */
const EARNED = 100;
const BEGINNING = 2000;
const PRICES: Readonly<Record<string, number>> = { DAUMAY01: 10, LOA01: 250 };
const PAGE = 20;

/** How late a record may appear. */
const LATE_MS = [1_000, 30_000] as const;

type Entry = {
  readonly id: string;
  /** Of points or of a gift. */
  readonly type: 1 | 2;
  readonly status: 0 | 1;
  readonly score: number;
  readonly code: string;
  readonly phone: string;
  readonly createdAt: number;
  readonly shownAtMs: number;
};

/** What reached AntCRM for an operation, and what of it was applied. */
export type Sent = Map<string, { readonly times: number; readonly applied: number }>;

/** AntCRM's own error, which comes with a 200. */
const ERROR_BODY = { success: 0, message: 'Có lỗi xảy ra', data: [] };

/**
 * AntCRM as docs/antcrm.md describes it: no idempotency key, answers that get lost, records that appear late,
 * its own errors in a 200. All processes call the same one.
 */
export function createAntCrmDouble(world: World, onCall: (operation: string, path: string) => void) {
  const { clock, chance, count, occurs, trace } = world;
  const entries: Entry[] = [];
  const sent: Sent = new Map();

  function pointsOf(phone: string): number {
    return entries
      .filter((entry) => entry.phone === phone && entry.status === 1)
      .reduce((sum, { type, score }) => sum + (type === 1 ? score : -score), BEGINNING);
  }

  /** What AntCRM does with a call whose body has reached it. */
  function apply(name: string, call: Pick<Entry, 'type' | 'code' | 'phone'>): boolean {
    const { type, code, phone } = call;
    const score = type === 1 ? EARNED : (PRICES[code] ?? Number.POSITIVE_INFINITY);
    const isUsed = entries.some((entry) => entry.code === code && entry.status === 1);
    const isGood = type === 1 ? !isUsed : pointsOf(phone) >= score;
    const isLate = occurs(world.rates.late, 'records that show late');
    const shownAtMs = clock.atMs + (isLate ? chance.between(...LATE_MS) : 0);
    const id = `record-${entries.length}`;
    entries.push({ ...call, id, status: isGood ? 1 : 0, score, createdAt: clock.wallMs(), shownAtMs });
    trace(`antcrm ${name} ${type === 1 ? 'point' : 'gift'} ${code}: ${isGood ? 'applied' : 'refused'}`);
    count(isGood ? 'calls applied' : 'calls refused');
    const { times = 0, applied = 0 } = sent.get(name) ?? {};
    sent.set(name, { times: times + 1, applied: applied + (isGood ? 1 : 0) });
    return isGood;
  }

  const answered = (status: number, body: unknown): Exchange => ({
    ...{ kind: 'answered', status },
    headers: { date: new Date(clock.wallMs()).toUTCString() },
    content: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });

  async function lost(timeoutMs: number): Promise<Exchange> {
    await clock.wait(timeoutMs);
    return { kind: 'lost', reason: 'TimeoutError' };
  }

  async function write({ path, body = '{}', timeoutMs }: HttpCall, name: string): Promise<Exchange> {
    const { unheard, answerLost, failed } = world.rates;
    if (occurs(unheard, 'calls that never arrived')) return lost(timeoutMs);
    const startMs = clock.atMs;
    await clock.wait(chance.between(5, 400));
    const isFailed = occurs(failed, 'server errors');
    if (isFailed && chance.happens(0.5)) return answered(chance.pick([429, 500, 502]), 'no');
    const { code, data } = JSON.parse(body);
    const isPoint = path.includes('/accumulate');
    const phone = toE164(isPoint ? data.phones[0]?.value : data.phone);
    const isGood = apply(name, { type: isPoint ? 1 : 2, code, phone });
    if (isFailed) return answered(chance.pick([500, 504]), 'no');
    if (occurs(answerLost, 'calls whose answer was lost')) return lost(timeoutMs - (clock.atMs - startMs));
    return answered(200, isGood ? { success: 1 } : ERROR_BODY);
  }

  async function read({ path, timeoutMs }: HttpCall): Promise<Exchange> {
    const { errorBody, failed } = world.rates;
    await clock.wait(chance.between(1, 50));
    if (occurs(failed, 'server errors'))
      return chance.happens(0.2) ? lost(timeoutMs - 50) : answered(chance.pick([429, 500, 503]), 'no');
    const { pathname, searchParams } = new URL(path, 'http://antcrm');
    const phone = toE164(searchParams.get('phone') ?? '');
    if (chance.happens(errorBody) || (pathname !== '/contacts' && isUnreadable(phone))) {
      count('error bodies');
      return answered(200, ERROR_BODY);
    }
    return answered(200, pathname === '/contacts' ? contactsOf(phone) : historyOf(phone, searchParams));
  }

  const contactsOf = (phone: string) => ({
    data: phone === '' ? [] : [{ ...whoIs(phone), scoreAvailable: pointsOf(phone) }],
  });

  function historyOf(phone: string, search: URLSearchParams) {
    const isPoints = search.get('type') === 'point';
    const fromMs = Number(search.get('createdAtRangeFrom') ?? 0);
    const toMs = Number(search.get('createdAtRangeTo') ?? 1e15);
    const first = (Number(search.get('page') ?? 1) - 1) * PAGE;
    const isLong = hasLongHistory(phone);
    const own = entries.filter((entry) => entry.phone === phone && entry.shownAtMs <= clock.atMs);
    return [...(isLong ? EARLIER : []), ...own]
      .filter(({ type }) => (type === 1) === isPoints || (isLong && !isPoints))
      .filter(({ createdAt }) => createdAt >= fromMs && createdAt <= toMs)
      .slice(first, first + PAGE)
      .map(({ id, type, status, score, code, createdAt }) => ({
        ...{ id, type, status, score, createdAt, contact: whoIs(phone) },
        ...(type === 1 ? { code, product: { name: 'Tivi' } } : { gift: { code, name: 'Loa' } }),
      }));
  }

  /** `operation`: the one at work. */
  async function exchange(call: HttpCall, operation = 'nobody'): Promise<Exchange> {
    if (occurs(world.rates.refused, 'calls without a connection')) {
      trace(`antcrm ${operation}: no connection`);
      return { kind: 'unsent', reason: 'ECONNREFUSED' };
    }
    await clock.wait(chance.between(1, 20));
    if (call.mayBegin?.() === false) return { kind: 'unsent', reason: 'TooLate' };
    if (call.method === 'GET') return read(call);
    onCall(operation, call.path);
    return write(call, operation);
  }

  return { exchange, sent };
}

/** Some customers have earned a page of points before. Of them AntCRM lists both types if none is asked for. */
const hasLongHistory = (phone: string): boolean => Number(phone.slice(-2)) % 4 === 1;
const EARLIER: readonly Entry[] = Array.from({ length: PAGE }, (_, at) => ({
  ...{ id: `earlier-${at}`, type: 1, status: 1, score: BEGINNING / PAGE, code: `EARLIER${at}` },
  ...{ phone: '', createdAt: BEGIN_MS, shownAtMs: 0 },
}));

/** Of some customers AntCRM never lists anything. */
const isUnreadable = (phone: string): boolean => Number(phone.slice(-2)) % 8 === 7;

/** AntCRM's record of a customer. Every second pair of customers has one more phone together. */
function whoIs(phone: string) {
  const at = Number(phone.slice(-4));
  const shared = at % 4 < 2 ? [`${phone.slice(0, -4)}9${String(Math.floor(at / 2)).padStart(3, '0')}`] : [];
  const phones = [phone, ...shared].map((one) => ({ value: one.replace('+84', '0') }));
  return { customerId: phone.slice(-6), phones, emails: [] };
}
