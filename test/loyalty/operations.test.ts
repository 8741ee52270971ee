import { beforeEach, describe, expect, it } from 'vitest';
import { type Effect, type Lookup, writeAwaitedRecord } from '../../src/conversation/effect.ts';
import { LOCK_MS } from '../../src/engine/customer.ts';
import type { EffectContext } from '../../src/engine/perform.ts';
import type { AnswerTime, LoyaltyRecord } from '../../src/loyalty/port.ts';
import { AHEAD_MS, createKit, EMAIL, type Fate, never, PHONE, START_MS, toPage } from './kit.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const CUSTOMER = 'customer:475';
const CODE = 'code:tivi000000017';
const LOCKS = [CUSTOMER, `email:${EMAIL.value}`, `phone:${PHONE.value}`];
const GARNACHO = { customerId: '475', phones: [PHONE.value], emails: [EMAIL.value], points: 990 };
const REDEEM: Effect = { kind: 'redeem', operation: 'op-1', gift: 'DAUMAY01', by: PHONE };
const ACCUMULATE: Extract<Effect, { kind: 'accumulate' }> = {
  kind: 'accumulate',
  operation: 'op-1',
  code: 'TIVI000000017',
  name: 'Garnacho',
  phone: { value: PHONE.value, proved: false },
};
const TIMES = { fromMs: START_MS - 24 * HOUR_MS, calledMs: START_MS, deadlineMs: START_MS + 8000 };
const LOOKUP: Lookup = {
  kind: 'redeem',
  by: PHONE,
  code: 'DAUMAY01',
  ...TIMES,
  skew: { ms: 0, errorMs: 1000 },
  baseline: [],
  locks: LOCKS,
};

let { clock, antcrm, store, seen, perform } = createKit();

beforeEach(() => {
  ({ clock, antcrm, store, seen, perform } = createKit());
  antcrm.contacts.push(GARNACHO);
});

const EMPTY = toPage([]);
type Lease = ReturnType<typeof store.lease>;
const stops = () => store.stopping.abort();
const called = () => [...antcrm.accumulated, ...antcrm.redeemed];

/** A redemption in AntCRM's history. */
const gift = (record: Partial<LoyaltyRecord>): LoyaltyRecord => ({
  type: 'gift',
  failed: false,
  code: 'DAUMAY01',
  score: 10,
  atMs: START_MS,
  ...record,
});
/** Created so long after the deadline. */
const late = (ms: number): LoyaltyRecord => gift({ id: 'late', atMs: START_MS + 8000 + ms });
const many = (count: number) => Array.from({ length: count }, (_, n) => gift({ id: `record ${n}` }));

describe('accumulate', () => {
  it('earns the points and tells what for, and gives the sender’s name to no record but their own', async () => {
    const unlock: EffectContext['unlock'] = (...left) => clock.sleep(500).then(() => store.unlock(...left));
    const proved = { ...ACCUMULATE, phone: { value: PHONE.value, proved: true } };
    const outcome = await perform(proved, { context: { ...store.lease(), unlock } });
    expect(store.customers.has(CODE), 'whose record it is').toBe(true);
    const receipt = { record: 'new-0', score: 100, what: 'Tivi' };
    expect(outcome).toMatchObject({ kind: 'applied', operation: 'op-1', receipt });
    await perform({ ...ACCUMULATE, operation: 'op-2' });
    const sent = { code: 'TIVI000000017', phone: PHONE.value };
    expect(antcrm.accumulated).toEqual([{ ...sent, name: 'Garnacho' }, sent]);
    expect(store.locked).toEqual([]);
    expect(store.lock(CODE, 'op-3')).toMatchObject({ settled: ['new-0'] });
  });

  it('ends as its call did, and makes no call if the intent is not replicated', async () => {
    for (const fate of ['refused', 'unavailable'] as const) {
      antcrm.fate = fate;
      expect(await perform({ ...ACCUMULATE, operation: fate })).toEqual({ kind: fate, operation: fate });
    }
    store.isReplicated = false;
    expect(await perform(ACCUMULATE)).toEqual({ kind: 'unavailable', operation: 'op-1' });
    expect(antcrm.accumulated).toHaveLength(2);
  });

  it('leaves what is needed to look an unknown outcome up', async () => {
    antcrm.fate = 'lost';
    const lookup = { ...LOOKUP, kind: 'accumulate', code: 'TIVI000000017', locks: [], skew: undefined };
    expect(await perform(ACCUMULATE)).toEqual({ kind: 'unknown', operation: 'op-1', lookup });
  });

  it('is not repeated after a crash, and is looked up by what was sent', async () => {
    const email = { value: 'stranger@example.vn', proved: false };
    expect(await perform({ ...ACCUMULATE, email })).toMatchObject({ kind: 'applied' });
    antcrm.down.add('contact');
    await clock.pass(20_000);
    const lookup = { by: PHONE, deadlineMs: START_MS + 8000 };
    expect(await perform({ ...ACCUMULATE, email })).toMatchObject({ kind: 'unknown', lookup });
    expect(antcrm.accumulated).toHaveLength(1);
  });
});

describe('reading back', () => {
  it('keeps the record that AntCRM still has to show of a redemption', async () => {
    antcrm.lateMs = 5000;
    const { code, calledMs, deadlineMs, skew } = LOOKUP;
    expect(await perform(REDEEM)).toEqual({
      kind: 'applied',
      operation: 'op-1',
      locks: LOCKS,
      balance: { before: 990, after: 980 },
      awaited: { code, calledMs, deadlineMs, skew },
    });
  });

  it.each<[string, () => void, tookMs: number]>([
    ['is listed too late', () => Object.assign(antcrm, { lateMs: 5000 }), 2000],
    ['is asked for and never comes', () => Object.assign(antcrm, { history: never }), 2000],
    ['is not asked for, as the bot stops', () => Object.assign(antcrm, { onCall: stops }), 0],
  ])(
    'ends after two seconds at most, and the operation is done all the same: the record %s',
    async (_, spoil, tookMs) => {
      spoil();
      expect(await perform(ACCUMULATE)).toMatchObject({ kind: 'applied', receipt: undefined });
      expect(clock.nowMs()).toBe(START_MS + tookMs);
      if (tookMs === 0) expect(antcrm.queries).toEqual([]);
    },
  );

  it('reads no further than the page that has the record of the code', async () => {
    await perform(ACCUMULATE);
    expect(antcrm.queries).toMatchObject([{ type: 'point', page: 1 }]);
  });

  it('claims no record that was there, belongs to another operation, or is one of several', async () => {
    antcrm.records.push(gift({ id: 'before' }));
    store.unlock(CUSTOMER, { operation: 'op-0', record: 'late' });
    antcrm.onCall = () => antcrm.records.push(gift({ id: 'late' }));
    expect(await perform(REDEEM)).toMatchObject({ receipt: { record: 'new-2' } });

    antcrm.onCall = () => antcrm.records.push(gift({ id: 'from the shop' }));
    store.customers.clear();
    const second = await perform({ ...REDEEM, operation: 'op-2' });
    expect(second).toMatchObject({ kind: 'applied', receipt: undefined });
    expect(clock.nowMs()).toBe(START_MS);
  });
});

describe('redeem', () => {
  it('spends the points once; its lock of the customer ends by itself after three minutes', async () => {
    expect(await perform(REDEEM)).toEqual({
      kind: 'applied',
      operation: 'op-1',
      locks: LOCKS,
      balance: { before: 990, after: 980 },
      receipt: { record: 'new-0', score: 10, what: 'Đầu máy' },
    });
    const writeBefore = { monotonicMs: 9000, wallMs: START_MS + AHEAD_MS + 8000 };
    expect(antcrm.redeemed).toEqual([{ gift: 'DAUMAY01', phone: PHONE.value, writeBefore }]);
    expect(store.locked).toEqual(LOCKS);
    await clock.pass(3 * MINUTE_MS);
    expect(store.locked).toEqual([]);
  });

  it.each([
    ['refused', { points: 990 }],
    ['unavailable', {}],
  ] as const)('names the locks to give back if its call is %s', async (fate, points) => {
    antcrm.fate = fate;
    expect(await perform(REDEEM)).toEqual({ kind: fate, operation: 'op-1', locks: LOCKS, ...points });
  });

  it('keeps its locks and its baseline while an unknown outcome is looked up', async () => {
    antcrm.fate = 'lost';
    antcrm.records.push(...many(45), gift({ id: 'other gift', code: 'LOA01' }));
    antcrm.records.push(gift({ id: 'long ago', atMs: START_MS - 25 * HOUR_MS }));
    const knownBefore = { dateMs: START_MS - 500, balance: { points: 990, readMs: START_MS } };
    const lookup = { ...LOOKUP, ...knownBefore, baseline: many(45).map(({ id }) => id) };
    expect(await perform(REDEEM)).toEqual({ kind: 'unknown', operation: 'op-1', lookup });
    await clock.pass(LOCK_MS - MINUTE_MS);
    expect(store.locked).toEqual(LOCKS);
  });

  const unavailable = { kind: 'unavailable', operation: 'op-1' };
  const busy = { kind: 'busy', operation: 'op-1' };
  it.each<[string, () => unknown, outcome: object, locks?: readonly string[]]>([
    ['the history cannot be read', () => antcrm.down.add('history'), unavailable],
    ['it has more pages than we read', () => antcrm.records.push(...many(1001)), unavailable],
    ['a record could never be recognised again', () => antcrm.records.push(gift({})), unavailable],
    ['AntCRM cannot say who the customer is', () => antcrm.down.add('contact'), unavailable],
    ['the intent is not safe', () => (store.isReplicated = false), { ...unavailable, locks: LOCKS }, LOCKS],
    ['another has one of its locks', () => store.lock(LOCKS[2] ?? '', 'op-2'), busy, LOCKS.slice(2)],
  ])('is not called where %s', async (_, spoil, outcome, locks = []) => {
    spoil();
    expect(await perform(REDEEM)).toEqual(outcome);
    expect(antcrm.redeemed).toEqual([]);
    expect(store.locked).toEqual(locks);
    expect(store.intents.size).toBe(store.isReplicated ? 0 : 1);
  });

  it('is blocked by no lock for longer than locks last, where the store’s clock was put back', async () => {
    const DAY_MS = 24 * HOUR_MS;
    store.customers.set(CUSTOMER, {
      holder: { operation: 'op-0', untilMs: START_MS + DAY_MS + LOCK_MS },
      settled: {},
      awaited: {},
    });
    expect(await perform(REDEEM)).toMatchObject({ kind: 'busy' });
    await clock.pass(LOCK_MS);
    expect(await perform(REDEEM)).toMatchObject({ kind: 'applied' });
  });

  it('gives back what it locked where the store fails at the next lock', async () => {
    const lock: EffectContext['lock'] = async (name, ...rest) => {
      if (name === LOCKS[2]) throw new Error('the node is full');
      return store.lock(name, ...rest);
    };
    await expect(perform(REDEEM, { context: { ...store.lease(), lock } })).rejects.toThrow(
      'the node is full',
    );
    expect(store.locked).toEqual([]);
  });

  it('locks every name that AntCRM has for the customer, or none', async () => {
    antcrm.records.push(gift({ id: 'a', whose: { phones: ['+84900000009'], emails: ['old@example.vn'] } }));
    store.lock('email:old@example.vn', 'op-2');
    expect(await perform(REDEEM)).toEqual(busy);
    expect(store.locked).toEqual(['email:old@example.vn']);
    store.customers.clear();
    antcrm.fate = 'lost';
    const [customer, email, phone] = LOCKS;
    const locks = [customer, email, 'email:old@example.vn', phone, 'phone:+84900000009'];
    expect(await perform(REDEEM)).toMatchObject({ lookup: { locks } });
  });

  it('holds the customer during the call, however slow AntCRM was before it', async () => {
    const read = antcrm.history.bind(antcrm);
    antcrm.history = (query) => clock.sleep(MINUTE_MS + 1).then(() => read(query));
    await perform(REDEEM);
    await clock.pass(2.5 * MINUTE_MS);
    expect(store.locked).toEqual(LOCKS);
  });

  it('is busy for the same customer by another identifier, even if only an old record of the history links the two', async () => {
    antcrm.contacts.length = 0;
    const whose = { phones: [PHONE.value], emails: [EMAIL.value] };
    antcrm.records.push(gift({ id: 'long ago', atMs: START_MS - 25 * HOUR_MS, whose }));
    antcrm.fate = 'vanished';
    await perform(REDEEM, { contacts: 'off' });
    const second: Effect = { ...REDEEM, operation: 'op-2', by: EMAIL };
    expect(await perform(second, { contacts: 'off' })).toEqual({ kind: 'busy', operation: 'op-2' });
  });

  it('makes no call if its price changed, and looks up a call that was made before the change', async () => {
    expect(await perform({ ...REDEEM, outdated: true })).toEqual({ kind: 'outdated', operation: 'op-1' });
    expect(antcrm.redeemed).toEqual([]);
    await perform(REDEEM);
    expect(await perform({ ...REDEEM, outdated: true })).toMatchObject({ kind: 'unknown' });
  });

  it.each([
    ['gives its locks back where the bot stops', stops, []],
    ['leaves them to the process that has the lease now', (lease: Lease) => lease.abort(), LOCKS],
  ])('interrupted before the intent %s', async (_, happens, locks) => {
    const lease = store.lease();
    antcrm.history = async () => {
      happens(lease);
      return { ok: true, value: EMPTY };
    };
    expect(await perform(REDEEM, { context: lease })).toBe('interrupted');
    expect(store.locked).toEqual(locks);
  });

  it('locks by the identifier where AntCRM has no record, or no contacts at all', async () => {
    antcrm.contacts.length = 0;
    expect(await perform(REDEEM)).toMatchObject({ locks: [`phone:${PHONE.value}`] });
    antcrm.down.add('contact');
    const outcome = await perform({ ...REDEEM, operation: 'op-2', by: EMAIL }, { contacts: 'off' });
    expect(outcome).toMatchObject({ kind: 'applied', locks: [`email:${EMAIL.value}`] });
  });

  it.each([
    ["proved and on AntCRM's record", { ...EMAIL, proved: true }, EMAIL.value],
    ["on AntCRM's record", { ...EMAIL, proved: false }, EMAIL.value],
    ['proved only', { kind: 'email', value: 'mine@example.vn', proved: true }, undefined],
    ['only typed', { kind: 'email', value: 'typed@example.vn', proved: false }, undefined],
  ] as const)(
    'sends a second identifier only if it is on AntCRM’s record: it is %s',
    async (_, also, email) => {
      await perform({ ...REDEEM, also });
      expect(antcrm.redeemed).toMatchObject([{ phone: PHONE.value, ...(email && { email }) }]);
      expect(antcrm.redeemed[0]?.email).toBe(email);
    },
  );

  it('spends no points of another customer, whose history no look-up reads', async () => {
    const other = { customerId: '500', phones: [], emails: ['other@example.vn'], points: 500 };
    antcrm.contacts.push(other);
    const { redeem, history } = antcrm;
    let charged: typeof other | typeof GARNACHO = GARNACHO;
    antcrm.redeem = (request) => {
      if (request.email !== other.emails[0]) return redeem.call(antcrm, request);
      charged = other;
      return redeem.call(antcrm, { ...request, phone: undefined });
    };
    antcrm.history = async (query) =>
      charged === other ? { ok: true, value: EMPTY } : history.call(antcrm, query);
    antcrm.fate = 'lost';
    const also = { kind: 'email', value: 'other@example.vn', proved: true } as const;
    const outcome = await perform({ ...REDEEM, also });
    if (outcome === 'interrupted' || outcome.kind !== 'unknown') return expect.fail();
    await clock.pass(MINUTE_MS);
    const effect = { kind: 'check', operation: 'op-1', lookup: outcome.lookup } as const;
    expect(await perform(effect)).toMatchObject({ found: 'applied' });
  });
});

describe('check', () => {
  const check = (over: Partial<Lookup> = {}) =>
    perform({ kind: 'check', operation: 'op-1', lookup: { ...LOOKUP, ...over } });
  beforeEach(() => clock.pass(10_000));
  const early = gift({ id: 'a', atMs: START_MS - 1001 });
  const found = gift({ id: 'a' });

  it.each<[string, string, LoyaltyRecord[]]>([
    ['none', 'nothing new is there', []],
    ['none', 'another gift was redeemed', [gift({ id: 'a', code: 'LOA01' })]],
    ['none', 'the new one settled another operation', [gift({ id: 'settled' })]],
    ['applied', 'one new redemption succeeded', [found]],
    ['applied', 'AntCRM spells the code its own way', [gift({ id: 'a', code: 'DauMay01' })]],
    ['applied', 'one succeeded and one failed', [found, gift({ id: 'b', failed: true })]],
    ['refused', 'only a failed one is new', [{ ...found, failed: true }]],
    ['several', 'two are new', [found, gift({ id: 'b' })]],
    ['applied', 'one new redemption was created a minute after the deadline', [late(MINUTE_MS)]],
    ['undecided', 'the only new one was created even later', [late(MINUTE_MS + 1001)]],
    ['undecided', 'the only new one was created before the call', [early]],
    ['applied', 'another was created too late', [found, late(2 * MINUTE_MS)]],
    ['none', 'a failed one was created before the call', [{ ...early, failed: true }]],
    ['unreadable', 'a new one has no id', [gift({}), found]],
    ['unreadable', 'a new one does not say of which gift', [{ ...found, code: undefined }]],
    ['unreadable', 'there are too many pages', many(1001)],
  ])('finds "%s" for a redemption where %s', async (kind, _, records) => {
    store.unlock(CUSTOMER, { operation: 'op-0', record: 'settled' });
    antcrm.records.push(gift({ id: 'before' }), ...records);
    expect(await check({ baseline: ['before'] })).toMatchObject({ kind: 'checked', found: kind });
    // The customer stays locked until the outcome is stored.
    expect(store.locked).toEqual(LOCKS);
  });

  it.each<[string, () => unknown]>([
    ['the customer is locked by another operation', () => store.lock(CUSTOMER, 'op-2')],
    ['the history cannot be read', () => antcrm.down.add('history')],
    [
      'a newer version stored what is unreadable',
      () => store.unlock(CUSTOMER, { operation: 'op-0', awaited: '?' }),
    ],
  ])('concludes nothing where %s', async (_, spoil) => {
    spoil();
    antcrm.records.push(found);
    expect(await check()).toEqual({ kind: 'checked', operation: 'op-1', found: 'unreadable' });
  });

  it('concludes nothing from a read that lacks what was there before', async () => {
    antcrm.records.push(found);
    expect(await check({ baseline: ['before'] })).toMatchObject({ found: 'unreadable' });
    antcrm.records.push(gift({ id: 'before' }));
    expect(await check({ baseline: ['before'] })).toMatchObject({ found: 'applied' });
  });

  it.each<[string, awaitedMs: number, ...[id: string, afterMs: number, found: string][]]>([
    ['takes none that another success waits for', -5000, ['theirs', -3000, 'none'], ['ours', 10, 'applied']],
    [
      'decides nothing while it may be theirs',
      -5000,
      ['a', 10, 'undecided'],
      ['b', 20, 'applied'],
      ['c', 30, 'several'],
    ],
    ['leaves it to a later success', 360_000, ['theirs', 360_010, 'none'], ['b', 360_020, 'undecided']],
  ])('beside a success whose record was not read back: %s', async (_, awaitedMs, ...records) => {
    for (const code of ['daumay01', 'LOA01']) {
      const calledMs = START_MS + awaitedMs;
      const awaited = writeAwaitedRecord({ code, calledMs, deadlineMs: calledMs + 8000, skew: LOOKUP.skew });
      store.unlock(CUSTOMER, { operation: 'op-0', awaited });
    }
    for (const [id, afterMs, kind] of records) {
      antcrm.records.push(gift({ id, atMs: START_MS + afterMs }));
      const receipt = kind === 'applied' && { receipt: { record: id } };
      expect(await check()).toMatchObject({ found: kind, ...receipt });
    }
  });

  it.each([
    ['corrected by what was measured when the call was made', { ms: 60_000, errorMs: 1000 }, 0],
    ['corrected by what is measured now, where nothing was then', undefined, 60_000],
  ])('compares times by AntCRM’s clock, %s', async (_, skew, skewMs) => {
    antcrm.skewMs = skewMs;
    antcrm.records.push(gift({ id: 'early', atMs: START_MS + 60_000 - 1001 }));
    expect(await check({ skew })).toMatchObject({ found: 'undecided' });
    antcrm.records.push(gift({ id: 'a', atMs: START_MS + 60_000 + 68_000 }));
    expect(await check({ skew })).toMatchObject({ found: 'applied', receipt: { record: 'a' } });
  });

  it.each([
    ['was off by more than two minutes', { ms: 120_001, errorMs: 1000 }, 0],
    ['is off by more than two minutes now', { ms: 0, errorMs: 1000 }, -120_001],
    ['is not known', undefined, null],
  ])('concludes nothing from no record where AntCRM’s clock %s', async (_, skew, skewMs) => {
    antcrm.skewMs = skewMs;
    expect(await check({ skew })).toMatchObject({ found: 'undecided' });
    const atMs = START_MS + (skew?.ms ?? skewMs ?? 0);
    antcrm.records.push(gift({ id: 'failed', atMs, failed: true }));
    expect(await check({ skew })).toMatchObject({ found: 'undecided' });
    antcrm.records.push(gift({ id: 'a', atMs }));
    expect(await check({ skew })).toMatchObject({ found: 'applied' });
  });

  it('locks no customer a day later, whatever it finds, and leaves a late record to its operation', async () => {
    const late = { kind: 'check', operation: 'op-1', late: true } as const;
    const code: Lookup = { ...LOOKUP, kind: 'accumulate', code: 'TIVI000000017', locks: [] };
    for (const lookup of [LOOKUP, code]) {
      expect(await perform({ ...late, lookup })).toMatchObject({ found: 'none' });
      expect(store.locked).toEqual([]);
    }
    antcrm.records.push(found, { ...found, id: 'b', type: 'point', code: code.code });
    for (const lookup of [LOOKUP, code])
      expect(await perform({ ...late, lookup })).toMatchObject({ found: 'applied' });
    expect(store.locked).toEqual([]);
    expect(store.lock(CODE, 'op-2')).toMatchObject({ settled: ['b'] });
  });

  it('knows an accumulation by its code, even without an id, and locks the code while it looks', async () => {
    const lookUp = () => check({ kind: 'accumulate', code: 'TIVI000000017', locks: [CODE] });
    const point = { type: 'point', score: 100, atMs: START_MS, failed: false } as const;
    antcrm.records.push({ ...point, id: 'other', code: 'TIVI000000018' });
    expect(await lookUp()).toMatchObject({ found: 'none' });
    // Perhaps an earlier try, of which no baseline tells.
    antcrm.records.push({ ...point, code: 'tivi000000017', failed: true });
    expect(await lookUp()).toMatchObject({ found: 'none' });
    antcrm.records.push({ ...point, code: 'TIVI000000017' });
    expect(await lookUp()).toMatchObject({ found: 'applied', receipt: { score: 100 } });
    expect(store.locked).toEqual([]);
    store.lock(CODE, 'op-2');
    expect(await lookUp()).toMatchObject({ found: 'unreadable' });
  });
});

describe('a turn that cannot go on', () => {
  /** Something happens right after the intent. */
  const then = (happens: (context: Lease) => unknown): EffectContext => {
    const context = store.lease();
    return {
      ...context,
      async intend(...intent) {
        const intended = await context.intend(...intent);
        happens(context);
        return intended;
      },
    };
  };

  it.each<Effect>([
    ACCUMULATE,
    REDEEM,
    { kind: 'check', operation: 'op-1', lookup: LOOKUP },
    { kind: 'balance', by: PHONE, exact: true },
    { kind: 'history', type: 'gift', by: PHONE, skip: 0, take: 5 },
  ])('calls nothing for $kind while stopping, or once the lease is lost', async (effect) => {
    const lost = store.lease();
    lost.abort();
    expect(await perform(effect, { context: lost })).toBe('interrupted');
    stops();
    expect(await perform(effect)).toBe('interrupted');
    expect([...called(), ...antcrm.queries, ...antcrm.lookups]).toEqual([]);
    expect(store.intents.size).toBe(0);
  });

  it.each([ACCUMULATE, REDEEM])(
    'does not $kind where the store has given the lease away, or it is lost while intending',
    async (effect) => {
      const stale = store.lease();
      store.lease();
      expect(await perform(effect, { context: stale })).toBe('interrupted');
      const losing = then((context) => context.abort());
      expect(await perform(effect, { context: losing })).toBe('interrupted');
      expect(called()).toEqual([]);
    },
  );

  it('keeps its locks if the store did not say whether it has the intent', async () => {
    const context = then(() => {
      throw new Error('the answer was lost');
    });
    await expect(perform(REDEEM, { context })).rejects.toThrow('the answer was lost');
    expect(store.locked).toEqual(LOCKS);
    expect(await perform(REDEEM)).toMatchObject({ kind: 'unknown' });
    expect(antcrm.redeemed).toEqual([]);
  });

  it('locks the customer again when it is repeated after a crash', async () => {
    antcrm.fate = 'lost';
    await perform(REDEEM);
    store.customers.clear();
    expect(await perform(REDEEM)).toMatchObject({ kind: 'unknown' });
    expect(store.locked).toEqual(LOCKS);
  });

  it('finishes what was intended when stopping comes in between', async () => {
    expect(await perform(REDEEM, { context: then(stops) })).toMatchObject({ kind: 'applied' });
  });
});

describe('AntCRM’s clock', () => {
  const look = () => perform({ kind: 'balance', by: PHONE });

  it('is measured with every effect, and an alarm once a minute where it is over two minutes off', async () => {
    await look();
    antcrm.skewMs = 2 * MINUTE_MS;
    await look();
    expect(seen.splice(0)).toEqual([0, 120]);
    antcrm.skewMs = -2 * MINUTE_MS - 1000;
    await look();
    await look();
    expect(seen.splice(0)).toEqual([-121, ['antcrm_clock_skew', { seconds: -121 }], -121]);
    await clock.pass(MINUTE_MS);
    // Answers that do not tell it are a fault, too.
    antcrm.skewMs = null;
    await look();
    expect(seen).toEqual([['antcrm_clock_skew', { seconds: undefined }]]);
  });

  const toTime = ([aheadMs, tookMs = 0]: readonly number[]): AnswerTime => ({
    dateMs: aheadMs === undefined ? undefined : START_MS + aheadMs,
    tookMs,
  });

  it.each([
    ['is half a second behind what it cut off', [-HOUR_MS], [-500], [0, 1000]],
    ['is as unsure as the round trip was long', [0], [HOUR_MS, 6000], [HOUR_MS + 3500, 3500]],
    ['is the answer before, where the last has no Date', [HOUR_MS], [], [HOUR_MS + 500, 1000]],
    ['is not known where no answer has one', [], [], []],
  ])(
    'is kept as the last answer before the call shows it: %s',
    async (_, contact, baseline, [ms, errorMs]) => {
      antcrm.fate = 'lost';
      antcrm.contact = async () => ({ ok: true, value: GARNACHO, time: toTime(contact) });
      antcrm.history = async () => ({ ok: true, value: EMPTY, time: toTime(baseline) });
      // It decides from when on the history is read, a day back by either clock.
      const fromMs = TIMES.fromMs + Math.min(0, (contact[0] ?? 0) + 500);
      const skew = ms === undefined ? undefined : { ms, errorMs };
      expect(await perform(REDEEM)).toMatchObject({ lookup: { skew, fromMs } });
    },
  );

  it('is kept as the answer to the call shows it, where nothing was asked before', async () => {
    antcrm.accumulate = async () => ({ kind: 'unknown', time: toTime([HOUR_MS]) });
    const skew = { ms: HOUR_MS + 500, errorMs: 1000 };
    expect(await perform(ACCUMULATE)).toMatchObject({ lookup: { skew } });
  });
});

describe('codes guessed by many', () => {
  /** How many of the codes are tried, each with a new operation. */
  async function tries(count: number, ...fates: Fate[]): Promise<number> {
    const before = antcrm.accumulated.length;
    const lease = store.lease();
    for (let n = 0; n < count; n++) {
      antcrm.fate = fates[n % fates.length] ?? 'applied';
      await perform({ ...ACCUMULATE, operation: `guess ${before + n}` }, { context: lease });
    }
    return antcrm.accumulated.length - before;
  }
  const alarms = () => seen.filter((report) => Array.isArray(report) && report[0] === 'code_guessing');

  it('are limited to sixty at once and one a second, with an alarm', async () => {
    antcrm.fate = 'refused';
    const lease = store.lease();
    const guess = (n: number) => perform({ ...ACCUMULATE, operation: `at once ${n}` }, { context: lease });
    await Promise.all(Array.from({ length: 200 }, (_, n) => guess(n)));
    expect(antcrm.accumulated).toHaveLength(60);
    expect(alarms()).toHaveLength(1);
    await clock.pass(10_000);
    expect(await tries(200, 'refused')).toBe(10);
  });

  it('are distinguished from an outage, and from a busy day with every second code mistyped', async () => {
    expect(await tries(200, 'vanished', 'unavailable')).toBe(200);
    // What is read back is there at once.
    const record = { id: 'r', type: 'point', code: 'TIVI000000017', failed: false, atMs: START_MS } as const;
    antcrm.history = async ({ page }) => ({ ok: true, value: toPage(page === 1 ? [record] : []) });
    expect(await tries(400, 'refused', 'applied')).toBe(400);
    expect(alarms()).toEqual([]);
  });
});
