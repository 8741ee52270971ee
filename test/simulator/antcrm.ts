import type { Exchange, HttpRequest } from '../../src/http/transport.ts';
import { toE164 } from '../../src/loyalty/wire.ts';
import { BEGIN_MS } from './clock.ts';
import { type Entry, luckOf, type Person, toListed, toPage } from './manners.ts';
import type { World } from './world.ts';

/** Points of a code, points that everybody begins with, and the price of each gift. */
const EARNED = 100;
const BEGINNING = 2000;
const PRICES: Readonly<Record<string, number>> = { DAUMAY01: 10, LOA01: 250 };

/** How late a record may appear. */
const LATE_MS = [1_000, 30_000] as const;
/** How often a cashier redeems for a customer, and two customers become one, if at all. */
const EVERY_MS = 2_000;

/** What reached AntCRM for an operation, and what of it was applied. */
export type Sent = Map<string, { readonly times: number; readonly applied: number }>;

/** AntCRM's own error, which comes with a 200. */
const ERROR_BODY = { success: 0, message: 'Có lỗi xảy ra', data: [] };
/** What else comes with a 200 and is no answer. */
const GARBAGE = [
  ['upstream timed out'],
  {},
  [null],
  'ok',
  [[]],
  { data: [{}, 'x'] },
  '<html>502</html>',
  null,
] as const;

type AntCrmWorld = Pick<World, 'chance' | 'count' | 'occurs' | 'trace' | 'rates' | 'manners'> & {
  readonly clock: Pick<World['clock'], 'atMs' | 'wallMs' | 'wait' | 'after'>;
};

/**
 * AntCRM as docs/antcrm.md describes it, and as it may be where that is silent: no idempotency key, answers
 * that get lost, records that appear late, its own errors in a 200, and the oddities of `world.ts`. All
 * processes call the same one.
 */
export function createAntCrmDouble(world: AntCrmWorld, onCall: (operation: string, path: string) => void) {
  const { clock, chance, count, manners, occurs, trace } = world;
  const entries: Entry[] = [];
  const sent: Sent = new Map();
  /** Customers by phone; a merged one is the same object as the other. */
  const people = new Map<string, Person>();
  /** Answers that a proxy has kept. It always answers some questions by them. */
  const cache = new Map<string, Exchange & { readonly kind: 'answered' }>();

  function personOf(phone: string): Person {
    const known = people.get(phone);
    if (known) return known;
    const person: Person = { customerId: phone.slice(-6), phones: new Set([phone]) };
    people.set(phone, person);
    return person;
  }

  const isOf = (person: Person, { phone }: Entry): boolean => person.phones.has(phone);

  function pointsOf(person: Person): number {
    return entries
      .filter((entry) => isOf(person, entry) && entry.status === 1)
      .reduce((sum, { type, score }) => sum + (type === 1 ? score : -score), BEGINNING * person.phones.size);
  }

  /** What AntCRM does with a call, or with a cashier's. */
  function apply(call: Pick<Entry, 'type' | 'code' | 'phone' | 'by'>): boolean {
    const { type, code, phone, by } = call;
    const score = type === 1 ? EARNED : (PRICES[code] ?? Number.POSITIVE_INFINITY);
    const isUsed = entries.some((entry) => entry.code === code && entry.status === 1);
    const isGood = type === 1 ? !isUsed : pointsOf(personOf(phone)) >= score;
    const isLate = occurs(world.rates.late, 'records that show late');
    const shownAtMs = clock.atMs + (isLate ? chance.between(...LATE_MS) : 0);
    const createdAt = clock.wallMs() + manners.recordsAheadMs;
    const status = isGood ? 1 : 0;
    entries.push({ ...call, id: `record-${entries.length}`, status, score, createdAt, shownAtMs });
    if (manners.recordsAheadMs !== 0) count('records of another clock');
    trace(
      `AntCRM ${isGood ? 'applies' : 'refuses'} ${by}: ${type === 1 ? 'points for' : 'the gift'} ${code}`,
    );
    return isGood;
  }

  function applyCall(operation: string, call: Omit<Parameters<typeof apply>[0], 'by'>): boolean {
    const isGood = apply({ ...call, by: operation });
    count(isGood ? 'calls applied' : 'calls refused');
    const { times = 0, applied = 0 } = sent.get(operation) ?? {};
    sent.set(operation, { times: times + 1, applied: applied + (isGood ? 1 : 0) });
    return isGood;
  }

  const answered = (
    status: number,
    body: unknown,
    headers: object = {},
  ): Exchange & { kind: 'answered' } => ({
    kind: 'answered',
    status,
    headers: { date: new Date(clock.wallMs()).toUTCString(), ...headers },
    content: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });

  async function lost(timeoutMs: number): Promise<Exchange> {
    await clock.wait(timeoutMs);
    return { kind: 'lost', reason: 'TimeoutError' };
  }

  /** An answer that says nothing, to a call or a read; undefined: a proper one follows. */
  async function misbehave(leftMs: number): Promise<Exchange | undefined> {
    const { garbage, redirects, huge, dawdles, throttles } = world.rates;
    if (occurs(garbage, 'garbage in a 200')) return answered(200, chance.pick(GARBAGE));
    if (occurs(redirects, 'redirects'))
      return answered(chance.pick([301, 302, 307]), '', { location: 'http://x' });
    if (occurs(huge, 'huge answers')) return { kind: 'large' };
    if (occurs(dawdles, 'answers that came too late')) return lost(leftMs);
    if (occurs(throttles, 'waits that AntCRM asked for'))
      return answered(429, { message: 'slow down' }, { 'retry-after': `${chance.between(1, 60)}` });
    return undefined;
  }

  async function write({ path, body = '{}', timeoutMs }: HttpRequest, name: string): Promise<Exchange> {
    const { unheard, answerLost, failed } = world.rates;
    if (occurs(unheard, 'calls that never arrived')) return lost(timeoutMs);
    const startMs = clock.atMs;
    const leftMs = () => timeoutMs - (clock.atMs - startMs);
    await clock.wait(chance.between(5, 400));
    const isFailed = occurs(failed, 'server errors');
    if (isFailed && chance.happens(0.5)) return answered(chance.pick([429, 500, 502]), 'no');
    const isUnheard = chance.happens(0.5) ? await misbehave(leftMs()) : undefined;
    if (isUnheard) return isUnheard;
    const { code, data } = JSON.parse(String(body));
    const isPoint = path.includes('/accumulate');
    const named = isPoint ? { phone: data.phones[0]?.value, email: data.emails[0]?.value } : data;
    const isGood = applyCall(name, { type: isPoint ? 1 : 2, code, phone: phoneOf(named) });
    if (!isPoint && named.phone === undefined) count('redemptions by e-mail');
    if (isFailed) return answered(chance.pick([500, 504]), 'no');
    if (occurs(answerLost, 'calls whose answer was lost')) return lost(leftMs());
    return (await misbehave(leftMs())) ?? answered(200, isGood ? { success: 1 } : ERROR_BODY);
  }

  async function read({ path, timeoutMs }: HttpRequest): Promise<Exchange> {
    const { cached } = world.rates;
    const kept = cache.get(path);
    if (kept && luckOf(`cached ${path}`) < cached) {
      count('answers of a cache');
      return chance.happens(0.5) ? kept : { ...kept, headers: { ...kept.headers, age: '7' } };
    }
    const answer = await readAnew(path, timeoutMs);
    if (answer.kind === 'answered' && answer.status === 200 && cached > 0) cache.set(path, answer);
    return answer;
  }

  async function readAnew(path: string, timeoutMs: number): Promise<Exchange> {
    const { errorBody, failed, mute } = world.rates;
    await clock.wait(chance.between(1, 50));
    if (occurs(failed, 'server errors'))
      return chance.happens(0.2) ? lost(timeoutMs - 50) : answered(chance.pick([429, 500, 503]), 'no');
    const odd = await misbehave(timeoutMs - 50);
    if (odd) return odd;
    const { pathname, searchParams } = new URL(path, 'http://antcrm');
    const phone = searchParams.get('phone') ?? undefined;
    const email = searchParams.get('email') ?? undefined;
    const person = personOf(phoneOf({ phone, email }));
    const isContacts = pathname === '/contacts';
    if (chance.happens(errorBody) || (!isContacts && luckOf(`mute ${person.customerId}`) < mute)) {
      count('error bodies');
      return answered(200, ERROR_BODY);
    }
    const page = Number(searchParams.get('page') ?? 1);
    if (!isContacts) return answered(200, toPage(listOf(person, searchParams), { page, person, world }));
    return answered(200, {
      data: page === 1 ? [{ ...whoIs(person), scoreAvailable: pointsOf(person) }] : [],
    });
  }

  /** What the history lists for that query, in AntCRM's order. */
  function listOf(person: Person, search: URLSearchParams): unknown[] {
    const isPoints = search.get('type') === 'point';
    const fromMs = Number(search.get('createdAtRangeFrom') ?? 0);
    const toMs = Number(search.get('createdAtRangeTo') ?? 1e15);
    const isLong = hasLongHistory(person);
    const own = entries.filter((entry) => isOf(person, entry) && entry.shownAtMs <= clock.atMs);
    const listed = [...(isLong ? EARLIER : []), ...own]
      .filter(({ type }) => (type === 1) === isPoints || (isLong && !isPoints))
      .filter(({ createdAt }) => createdAt >= fromMs && createdAt <= toMs)
      .map((entry) => toListed(entry, whoIs(person), world));
    return manners.isNewestFirst ? listed.toReversed() : listed;
  }

  /** `operation`: the one at work. */
  async function exchange(call: HttpRequest, operation = 'nobody'): Promise<Exchange> {
    if (occurs(world.rates.refused, 'calls without a connection')) {
      trace(`AntCRM cannot be reached for ${operation}`);
      return { kind: 'unsent', reason: 'ECONNREFUSED' };
    }
    await clock.wait(chance.between(1, 20));
    if (call.mayBegin?.() === false) return { kind: 'unsent', reason: 'TooLate' };
    if (call.method === 'GET') return read(call);
    onCall(operation, call.path);
    return write(call, operation);
  }

  /** Cashiers redeem while the bot works, and AntCRM finds that two customers are one. */
  function lookAround(): void {
    clock.after(EVERY_MS, lookAround);
    const { cashiers, merges } = world.rates;
    const [phone, other] = [chance.random(), chance.random()].map(
      (at) => [...people.keys()][Math.floor(at * people.size)],
    );
    if (phone !== undefined && occurs(cashiers, 'redemptions of cashiers'))
      apply({ type: 2, code: chance.pick(['DAUMAY01', 'LOA01']), phone, by: 'cashier' });
    if (phone === undefined || other === undefined || personOf(phone) === personOf(other)) return;
    if (!occurs(merges, 'customers merged')) return;
    const kept = personOf(phone);
    const merged = personOf(other);
    trace(`AntCRM makes the customers ${other} and ${phone} one`);
    for (const phone of merged.phones) {
      kept.phones.add(phone);
      people.set(phone, kept);
    }
  }

  return {
    exchange,
    sent,
    lookAround,
    /** When cashiers redeemed that gift for that customer, by AntCRM's records. */
    cashiersOf: (phone: string, gift: string): readonly number[] =>
      entries
        .filter(({ by, code, status }) => by === 'cashier' && code === gift && status === 1)
        .filter((entry) => isOf(personOf(phone), entry))
        .map(({ createdAt }) => createdAt),
    /** Whether the code was earned by another phone of what is one customer now. */
    isEarnedByMerged: (phone: string, code: string): boolean =>
      entries
        .filter((entry) => entry.type === 1 && entry.status === 1 && entry.code === code)
        .some((entry) => entry.phone !== phone && isOf(personOf(phone), entry)),
  };
}

const DAY_MS = 24 * 3_600_000;

/**
 * Some customers have earned a page of points before. Of them AntCRM lists both types if none is asked for.
 */
const hasLongHistory = ({ customerId }: Person): boolean => Number(customerId.slice(-2)) % 4 === 1;
const EARLIER: readonly Entry[] = Array.from({ length: 20 }, (_, at) => ({
  id: `earlier-${at}`,
  type: 1,
  status: 1,
  score: BEGINNING / 20,
  code: `EARLIER${at}`,
  phone: '',
  by: 'long ago',
  createdAt: BEGIN_MS - (at % 2) * DAY_MS,
  shownAtMs: 0,
}));

type Named = { readonly phone?: string | undefined; readonly email?: string | undefined };

/** Each phone has an e-mail, which AntCRM knows. */
export const emailOf = (phone: string): string => `khach${phone.slice(1)}@example.vn`;

function phoneOf({ phone, email }: Named): string {
  return phone === undefined ? `+${/\d+/.exec(email ?? '')?.[0] ?? ''}` : toE164(phone);
}

/** AntCRM's record of a customer. Every second pair of customers has one more phone together. */
function whoIs({ customerId, phones }: Person) {
  const own = [...phones];
  const all = [...own, ...own.flatMap(sharedPhoneOf)];
  return {
    customerId,
    phones: all.map((phone) => ({ value: phone.replace('+84', '0') })),
    emails: own.map((phone) => ({ value: emailOf(phone) })),
  };
}

function sharedPhoneOf(phone: string): readonly string[] {
  const at = Number(phone.slice(-4));
  return at % 4 < 2 ? [`${phone.slice(0, -4)}9${String(Math.floor(at / 2)).padStart(3, '0')}`] : [];
}
