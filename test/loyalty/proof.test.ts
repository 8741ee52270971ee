import { beforeEach, describe, expect, it } from 'vitest';
import type { Lookup, Outcome } from '../../src/conversation/effect.ts';
import type { Interrupted } from '../../src/engine/perform.ts';
import type { Exchange, HttpRequest } from '../../src/http/transport.ts';
import { keepInMemory } from '../../src/loyalty/canary.ts';
import { createLoyalty } from '../../src/loyalty/loyalty.ts';
import { createKit, GIFTS, PHONE, SEEN, START_MS, TIMEOUT_MS } from './kit.ts';

/*
 * docs/antcrm.md, "What is a proof": an answer that proves nothing is never taken for "nothing happened".
 * AntCRM's answers are scripted as they go over the wire.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const LOCKS = ['customer:475', `phone:${PHONE.value}`];
const LOOKUP: Lookup = {
  kind: 'redeem',
  by: PHONE,
  code: 'DAUMAY01',
  baseline: [],
  locks: LOCKS,
  fromMs: START_MS - DAY_MS,
  calledMs: START_MS,
  deadlineMs: START_MS + TIMEOUT_MS,
  skew: { ms: 0, errorMs: 1000 },
};
const CODE: Lookup = { ...LOOKUP, kind: 'accumulate', code: 'TIVI000000017', locks: [] };
/** What JSON makes of 9007199254740993. */
const ROUNDED = Number('9007199254740993');
const BALANCE = { points: 990, readMs: START_MS };

const contact = { customerId: 475, phones: [{ value: '0867123456' }], emails: [] };
const record = (over: object = {}): object => ({
  type: 2,
  score: 10,
  status: 1,
  contact,
  createdAt: START_MS,
  id: 'ours',
  gift: { code: 'DAUMAY01', name: 'Đầu máy' },
  ...over,
});
const gifts = (count: number, over: object = {}): object[] =>
  Array.from({ length: count }, (_, at) => record({ id: `other-${at}`, gift: { code: 'LOA01' }, ...over }));
const points = (over: object = {}): object =>
  record({ type: 1, score: 100, code: 'TIVI000000017', product: { name: 'Tivi' }, gift: undefined, ...over });

/** An AntCRM with scripted answers, and what it was asked. */
function createWire() {
  const { clock, store, seen, observe } = createKit();
  const wire = {
    /** What each list holds, in AntCRM's order, and how many records a page has. */
    records: { point: [] as unknown[], gift: [] as unknown[] },
    pageSize: 20,
    /** The page that is answered. */
    pageOf: (page: number) => page,
    contacts: [{ ...contact, scoreAvailable: 990 }] as unknown,
    headers: {} as Record<string, string>,
    date: () => clock.nowMs(),
    asked: [] as HttpRequest[],
    async exchange(call: HttpRequest): Promise<Exchange> {
      wire.asked.push(call);
      const { pathname, searchParams } = new URL(call.path, 'http://antcrm');
      const all = wire.records[searchParams.get('type') === 'point' ? 'point' : 'gift'];
      const fromMs = Number(searchParams.get('createdAtRangeFrom'));
      const listed = all.filter((record) => !(Number(Object(record).createdAt) < fromMs));
      const first = (wire.pageOf(Number(searchParams.get('page'))) - 1) * wire.pageSize;
      const body = pathname === '/contacts' ? wire.contacts : listed.slice(first, first + wire.pageSize);
      const headers = { date: new Date(wire.date()).toUTCString(), ...wire.headers };
      return { kind: 'answered', status: 200, headers, content: Buffer.from(JSON.stringify(body)) };
    },
  };
  const { perform } = createLoyalty({
    baseUrl: 'http://antcrm',
    apiKey: 'key',
    contacts: 'on',
    timeoutMs: TIMEOUT_MS,
    maxCalls: 8,
    transport: wire,
    runtime: clock,
    gifts: GIFTS,
    seen: keepInMemory(SEEN),
    observe,
  });
  const check = (lookup: Lookup) =>
    clock.run<Outcome | Interrupted>(perform({ kind: 'check', operation: 'op-1', lookup }, store.lease()));
  const redeem = (gift = 'DAUMAY01') =>
    clock.run<Outcome | Interrupted>(
      perform({ kind: 'redeem', operation: 'op-1', gift, by: PHONE }, store.lease()),
    );
  return { wire, clock, seen, check, redeem };
}

let { wire, clock, seen, check, redeem } = createWire();
beforeEach(async () => {
  ({ wire, clock, seen, check, redeem } = createWire());
  await clock.pass(5 * MINUTE_MS);
});
const reads = () => wire.asked.filter(({ path }) => path.startsWith('/history-point')).length;
const alarms = () => seen.flatMap((logged) => (Array.isArray(logged) ? [logged[0]] : []));

describe('a whole history', () => {
  it.each<[string, unknown[]]>([
    ['no record', ['upstream timed out']],
    ['nothing', [null]],
    ['a record of a type that nobody knows', [record({ type: 3, id: 'other' })]],
  ])('is not proved if an entry cannot be read: it lists %s', async (_, listed) => {
    wire.records.gift = listed;
    expect(await check(LOOKUP)).toMatchObject({ found: 'unreadable' });
    wire.records = { point: listed, gift: [] };
    expect(await check(CODE)).toMatchObject({ found: 'unreadable' });
  });

  it.each([1, 7, 10, 50])(
    'is proved once a page is empty, with %i records on a page, in either order',
    async (size) => {
      wire.pageSize = size;
      wire.records.gift = [...gifts(20), record()];
      expect(await check(LOOKUP)).toMatchObject({ found: 'applied', receipt: { record: 'ours' } });
      wire.records.gift = wire.records.gift.toReversed();
      expect(await check(LOOKUP)).toMatchObject({ found: 'applied', receipt: { record: 'ours' } });
      wire.records.gift = gifts(20);
      expect(await check(LOOKUP)).toMatchObject({ found: 'none' });
    },
  );

  it('is read again if its pages shift, twice at most', async () => {
    wire.pageSize = 5;
    wire.records.gift = gifts(12);
    let shifts = 0;
    for (const shifted of [1.8, 2.2]) {
      wire.pageOf = (page) => {
        if (page !== 2 || shifts === 0) return page;
        shifts -= 1;
        return shifted;
      };
      shifts = 1;
      expect(await check(LOOKUP)).toMatchObject({ found: 'none' });
      shifts = 2;
      wire.records.gift = [...gifts(5), record(), ...gifts(12).slice(5)];
      expect(await check(LOOKUP)).toMatchObject({ found: 'unreadable' });
      wire.records.gift = gifts(12);
    }
  });

  it('is not proved by a page that was answered as empty once: the records behind it decide', async () => {
    const isCode = (lookup: Lookup) => lookup.kind === 'accumulate';
    for (const lookup of [LOOKUP, CODE]) {
      wire.pageSize = 5;
      const others = gifts(5, isCode(lookup) ? { type: 1, code: 'TIVI000000018', gift: undefined } : {});
      wire.records = { point: [...others, points()], gift: [...others, record()] };
      let isEmpty = true;
      wire.pageOf = (page) => {
        if (page !== 2 || !isEmpty) return page;
        isEmpty = false;
        return 99;
      };
      expect(await check(lookup)).not.toMatchObject({ found: 'none' });
      expect(isEmpty).toBe(false);
    }
  });

  it('is not proved if AntCRM ignores `page`, which costs six reads and rings an alarm', async () => {
    wire.pageOf = () => 1;
    wire.records.gift = gifts(3);
    expect(await check(LOOKUP)).toMatchObject({ found: 'unreadable' });
    expect(reads()).toBe(6);
    expect(alarms()).toEqual(['antcrm_pages']);
    expect(await redeem()).toMatchObject({ kind: 'unavailable' });
  });

  it('is not proved if it never ends', async () => {
    wire.records.gift = gifts(200);
    wire.pageSize = 3;
    expect(await check(LOOKUP)).toMatchObject({ found: 'unreadable' });
    expect(reads()).toBe(50);
    expect(alarms()).toEqual(['antcrm_pages']);
  });
});

describe('a new record', () => {
  it.each<[string, object]>([
    ['an id that is a number above 2^53', { id: ROUNDED }],
    ['no id', { id: undefined }],
    ['no type', { type: undefined }],
    ['no status', { status: undefined }],
    ['no code', { gift: { name: 'Đầu máy' } }],
    ['no time', { createdAt: undefined }],
    ['a name that the customer did not have before', { contact: { ...contact, customerId: 476 } }],
    ['a code that was rounded', { gift: { code: ROUNDED } }],
  ])('proves nothing if it has %s', async (_, over) => {
    wire.records.gift = [record(over)];
    expect(await check(LOOKUP)).toMatchObject({ found: 'unreadable' });
  });

  it('of a merged customer counts as a second success, which only staff can settle', async () => {
    wire.records.gift = [record(), record({ id: 'second', contact: { ...contact, customerId: 476 } })];
    expect(await check(LOOKUP)).toMatchObject({ found: 'several' });
  });

  it('with an id above 2^53 is not mistaken for its neighbour in the baseline', async () => {
    const [before, after] = ['9007199254740992', '9007199254740993'].map((id) => record({ id: Number(id) }));
    wire.records.gift = [before];
    expect(await redeem()).toMatchObject({ kind: 'unavailable' });
    wire.records.gift = [before, after];
    expect(await check({ ...LOOKUP, baseline: ['9007199254740992'] })).toMatchObject({ found: 'unreadable' });
  });

  it('of an accumulation may be ours if it has no code, unless it was created at another time', async () => {
    wire.records.point = [points({ code: undefined })];
    expect(await check(CODE)).toMatchObject({ found: 'unreadable' });
    wire.records.point = [points({ code: undefined, createdAt: START_MS - 40 * MINUTE_MS })];
    expect(await check(CODE), 'a clock may be off').toMatchObject({ found: 'unreadable' });
    wire.records.point = [points({ code: undefined, createdAt: START_MS - 62 * MINUTE_MS })];
    expect(await check(CODE)).toMatchObject({ found: 'none' });
    wire.records.point = [points({ status: undefined, createdAt: START_MS - DAY_MS + MINUTE_MS })];
    expect(await check(CODE), 'our own code').toMatchObject({ found: 'unreadable' });
    wire.records.point = [points({ code: undefined, status: 0 })];
    expect(await check(CODE)).toMatchObject({ found: 'none' });
  });

  it('with a code that is a number is compared without leading zeros', async () => {
    wire.records.gift = [record({ gift: { code: 71 } })];
    expect(await check({ ...LOOKUP, code: '0071' })).toMatchObject({ found: 'applied' });
    wire.records.gift = [record({ gift: { code: 710 } })];
    expect(await check({ ...LOOKUP, code: '0071' })).toMatchObject({ found: 'none' });
    wire.records.gift = [record({ gift: { code: '71' } })];
    expect(await check({ ...LOOKUP, code: '0071' })).toMatchObject({ found: 'none' });
  });

  it('with a number that may be either of two listed codes decides nothing', async () => {
    wire.records.gift = [record({ gift: { code: 71 } })];
    // The operator's list has 0071.
    expect(await check({ ...LOOKUP, code: '71' })).toMatchObject({ found: 'undecided' });
    wire.records.gift = [record({ gift: { code: 71 } }), record({ id: 'other', gift: { code: '00071' } })];
    expect(await check({ ...LOOKUP, code: '0071' })).toMatchObject({ found: 'undecided' });
  });
});

describe('the window', () => {
  it('reaches back a day whatever the clocks say', async () => {
    // AntCRM's records have another clock than its `Date`.
    wire.records.gift = [record({ createdAt: START_MS - 40 * MINUTE_MS })];
    expect(await check(LOOKUP)).toMatchObject({ found: 'undecided' });
    wire.date = () => clock.nowMs() + 3 * DAY_MS;
    wire.records.gift = [];
    wire.asked.length = 0;
    await redeem();
    const { path = '' } = wire.asked.find(({ path }) => path.includes('createdAtRangeFrom')) ?? {};
    // Within a second before: each read has an address of its own.
    const fromMs = START_MS + 5 * MINUTE_MS - DAY_MS;
    expect(Number(/createdAtRangeFrom=(\d+)/.exec(path)?.[1])).toBeLessThanOrEqual(fromMs);
    expect(Number(/createdAtRangeFrom=(\d+)/.exec(path)?.[1])).toBeGreaterThan(fromMs - 1000);
  });
});

describe('an answer of AntCRM', () => {
  it('counts as unread if its `Age` shows a cache; each request asks for no cached answer', async () => {
    wire.headers = { age: '3' };
    expect(await check(LOOKUP)).toMatchObject({ found: 'unreadable' });
    expect(await redeem()).toMatchObject({ kind: 'unavailable' });
    wire.headers = { age: '0' };
    expect(await check(LOOKUP)).toMatchObject({ found: 'none' });
    for (const { headers } of wire.asked)
      expect(headers).toMatchObject({ 'cache-control': 'no-cache, no-store, max-age=0' });
  });

  it('counts as unread if its `Date` is not later than before the call, or than in the last lookup', async () => {
    const dateMs = clock.nowMs() - 30_000;
    wire.date = () => dateMs;
    expect(await check({ ...LOOKUP, dateMs })).toMatchObject({ found: 'unreadable' });
    wire.date = () => clock.nowMs();
    const nowMs = Math.floor(clock.nowMs() / 1000) * 1000;
    expect(await check({ ...LOOKUP, dateMs })).toMatchObject({ found: 'none', dateMs: nowMs });
    expect(await check({ ...LOOKUP, dateMs: nowMs })).toMatchObject({ found: 'unreadable' });
  });

  it('counts as unread if its `Date` goes back within a lookup', async () => {
    wire.records.gift = gifts(3);
    const dates = [0, -2000, 0, 0, 0, 0];
    wire.date = () => clock.nowMs() + (dates.shift() ?? 0);
    expect(await check(LOOKUP), 'read anew').toMatchObject({ found: 'none' });
    let atMs = clock.nowMs();
    wire.date = () => {
      atMs -= 2000;
      return atMs;
    };
    expect(await check(LOOKUP)).toMatchObject({ found: 'unreadable' });
  });
});

describe('the balance before a redemption', () => {
  const lookup = { ...LOOKUP, balance: BALANCE };
  const has = (scoreAvailable: number | undefined, more: object = {}) => {
    wire.contacts = [{ ...contact, scoreAvailable, ...more }];
  };

  const other = (over: object) =>
    record({ id: 'b', score: 250, gift: { code: 'LOA01' }, createdAt: START_MS + MINUTE_MS, ...over });

  it('is stored with the intent if AntCRM tells it', async () => {
    wire.exchange = ((answer) => async (call) => {
      return call.method === 'POST' ? { kind: 'lost', reason: 'TimeoutError' } : answer(call);
    })(wire.exchange);
    const readMs = clock.nowMs();
    expect(await redeem()).toMatchObject({ lookup: { balance: { points: 990, readMs } } });
  });

  it.each<[string, string, points: number | undefined, ...object[]]>([
    ['none', 'nothing is missing', 990],
    ['undecided', 'the gift’s price is missing', 980],
    ['undecided', 'more is missing', 700],
    ['undecided', 'less is missing: a promotion', 985],
    ['undecided', 'there is more than the records say', 1000],
    ['none', 'AntCRM tells none any more', undefined],
    ['none', 'another gift explains it', 740, other({})],
    ['undecided', 'another gift explains a part', 730, other({})],
    [
      'undecided',
      'another gift was perhaps redeemed before the balance was read',
      740,
      other({ createdAt: START_MS - 500 }),
    ],
    ['undecided', 'another gift has no time', 740, other({ createdAt: undefined })],
    ['undecided', 'another gift may have failed', 740, other({ status: 2 })],
    ['undecided', 'nobody knows how many points were earned', 1080, points({ id: 'c', score: null })],
    ['undecided', 'points were earned meanwhile', 1080, points({ id: 'c' })],
    ['none', 'points were earned meanwhile, and nothing is missing', 1090, points({ id: 'c' })],
    [
      'none',
      'what was redeemed before explains nothing',
      990,
      record({ id: 'd', gift: { code: 'LOA01' }, createdAt: START_MS - MINUTE_MS }),
    ],
  ])('lets the lookup find "%s" where %s', async (found, _, now, ...records) => {
    has(now);
    wire.records.gift = records.filter((record) => Object(record).type === 2);
    wire.records.point = records.filter((record) => Object(record).type === 1);
    expect(await check(lookup)).toMatchObject({ found });
  });

  it('may have been read late: what was redeemed before the call explains nothing', async () => {
    const early = { ...lookup, balance: { ...BALANCE, readMs: START_MS - 10_000 } };
    has(740);
    wire.records.gift = [other({ createdAt: START_MS - 5000 })];
    expect(await check(early)).toMatchObject({ found: 'undecided' });
  });

  it('vetoes a refusal, too; a success needs no balance', async () => {
    has(980);
    wire.records.gift = [record({ status: 0 })];
    expect(await check(lookup)).toMatchObject({ found: 'undecided' });
    wire.records.gift = [record()];
    expect(await check(lookup)).toMatchObject({ found: 'applied' });
  });

  it('decides nothing if the balance now cannot be read, or belongs to another customer', async () => {
    has(990, { customerId: 476 });
    expect(await check(lookup)).toMatchObject({ found: 'undecided' });
    wire.contacts = 'broken';
    expect(await check(lookup)).toMatchObject({ found: 'unreadable' });
    // Where AntCRM told no balance before the call, there is no veto.
    expect(await check(LOOKUP)).toMatchObject({ found: 'none' });
  });
});
