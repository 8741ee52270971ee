import { beforeEach, describe, expect, it } from 'vitest';
import {
  type Effect,
  type EffectContext,
  LeaseLost,
  type Lookup,
  type Outcome,
  TurnInterrupted,
  writeAwaited,
} from '../../src/conversation/effect.ts';
import type { LoyaltyRecord } from '../../src/loyalty/port.ts';
import { AHEAD_MS, createKit, EMAIL, PHONE, START_MS } from './operations.doubles.ts';

const MINUTE_MS = 60_000;
const CUSTOMER = 'customer:475';
const CODE = 'code:tivi000000017';
const WITHIN_TIMEOUT = { monotonicMs: 9000, wallMs: START_MS + AHEAD_MS + 8000 };
const LOCKS = [CUSTOMER, `email:${EMAIL.value}`, `phone:${PHONE.value}`];
const GARNACHO = { customerId: '475', phones: [PHONE.value], emails: [EMAIL.value], points: 990 };
const REDEEM: Effect = { kind: 'redeem', operation: 'op-1', gift: 'DAUMAY01', by: PHONE };
const ACCUMULATE: Effect = {
  kind: 'accumulate',
  operation: 'op-1',
  code: 'TIVI000000017',
  phone: { value: PHONE.value, proved: false },
  name: 'Garnacho',
};
const LOOKUP: Lookup = {
  kind: 'redeem',
  by: PHONE,
  code: 'DAUMAY01',
  fromMs: START_MS - 35 * MINUTE_MS,
  calledMs: START_MS,
  deadlineMs: START_MS + 8000,
  skew: { ms: 0, errorMs: 1000 },
  baseline: [],
  locks: LOCKS,
};

let { clock, antcrm, store, seen, perform } = createKit();

beforeEach(() => {
  ({ clock, antcrm, store, seen, perform } = createKit());
  antcrm.contacts.push(GARNACHO);
});

const never = () => new Promise<never>(() => undefined);
const stops = () => store.stopping.abort();

/** A redemption in AntCRM's history. */
function gift(record: Partial<LoyaltyRecord>): LoyaltyRecord {
  return { type: 'gift', failed: false, code: 'DAUMAY01', score: 10, atMs: START_MS, ...record };
}

/** Created so long after the deadline. */
const late = (ms: number): LoyaltyRecord => gift({ id: 'late', atMs: START_MS + 8000 + ms });

const many = (count: number): LoyaltyRecord[] =>
  Array.from({ length: count }, (_, n) => gift({ id: `record ${n}` }));

describe('accumulate', () => {
  it('earns the points and tells what for', async () => {
    const outcome = await perform({ ...ACCUMULATE, phone: { value: PHONE.value, proved: true } });
    expect(outcome).toMatchObject({
      kind: 'applied',
      operation: 'op-1',
      receipt: { record: 'new-0', score: 100, what: 'Tivi' },
    });
    expect(antcrm.accumulated).toEqual([{ code: 'TIVI000000017', phone: PHONE.value, name: 'Garnacho' }]);
    expect(store.locks.size).toBe(0);
    expect(store.settled.get(CODE)).toEqual(['new-0']);
  });

  it('gives the sender’s name to no record but their own', async () => {
    await perform({ ...ACCUMULATE, phone: { ...PHONE, proved: false } });
    expect(antcrm.accumulated).toEqual([{ code: 'TIVI000000017', phone: PHONE.value, name: undefined }]);
  });

  it.each(['refused', 'unavailable'] as const)('is %s as the call was', async (fate) => {
    antcrm.fate = fate;
    expect(await perform(ACCUMULATE)).toEqual({ kind: fate, operation: 'op-1' });
  });

  it('is not called where the intent is not safe', async () => {
    store.isReplicated = false;
    expect(await perform(ACCUMULATE)).toEqual({ kind: 'unavailable', operation: 'op-1' });
    expect(antcrm.accumulated).toEqual([]);
  });

  it('leaves what is needed to look an unknown outcome up', async () => {
    antcrm.fate = 'lost';
    const lookup = {
      kind: 'accumulate',
      by: PHONE,
      code: 'TIVI000000017',
      fromMs: START_MS - 35 * MINUTE_MS,
      calledMs: START_MS,
      deadlineMs: START_MS + 8000,
      baseline: [],
      locks: [],
    };
    expect(await perform(ACCUMULATE)).toEqual({ kind: 'unknown', operation: 'op-1', lookup });
  });

  it('is not repeated after a crash, and is looked up by what was sent', async () => {
    const email = { value: 'stranger@example.vn', proved: false };
    const first = await perform({ ...ACCUMULATE, email });
    antcrm.down.add('contact');
    clock.pass(20_000);
    const again = await perform({ ...ACCUMULATE, email });
    expect(first.kind).toBe('applied');
    expect(again).toMatchObject({ kind: 'unknown', lookup: { by: PHONE, deadlineMs: START_MS + 8000 } });
    expect(antcrm.accumulated).toHaveLength(1);
  });
});

describe('reading back', () => {
  it('says which record is still to come of a redemption', async () => {
    antcrm.lateMs = 5000;
    const { code, calledMs, deadlineMs, skew } = LOOKUP;
    expect(await perform(REDEEM)).toEqual({
      ...{ kind: 'applied', operation: 'op-1', locks: LOCKS, balance: { before: 990, after: 980 } },
      awaited: { code, calledMs, deadlineMs, skew },
    });
  });

  it.each<[string, () => void, tookMs: number]>([
    ['shows too late', () => Object.assign(antcrm, { lateMs: 5000 }), 2000],
    ['is asked for and never comes', () => Object.assign(antcrm, { history: never }), 2000],
    ['is not asked for, as the bot stops', () => Object.assign(antcrm, { onCall: stops }), 0],
  ])(
    'is given up after two seconds, and the operation is done all the same: it %s',
    async (_, spoil, tookMs) => {
      spoil();
      expect(await perform(ACCUMULATE)).toMatchObject({ kind: 'applied', receipt: undefined });
      expect(clock.nowMs()).toBe(START_MS + tookMs);
      if (tookMs === 0) expect(antcrm.queries).toEqual([]);
    },
  );

  it('claims no record that was there, belongs to another operation, or is one of several', async () => {
    antcrm.records.push(gift({ id: 'before' }));
    store.settled.set(CUSTOMER, ['late']);
    antcrm.onCall = () => {
      antcrm.records.push(gift({ id: 'late' }));
    };
    expect(await perform(REDEEM)).toMatchObject({ receipt: { record: 'new-2' } });

    antcrm.onCall = () => {
      antcrm.records.push(gift({ id: 'from the shop' }));
    };
    store.locks.clear();
    const second = await perform({ ...REDEEM, operation: 'op-2' });
    expect(second).toMatchObject({ kind: 'applied', receipt: undefined });
    expect(clock.nowMs()).toBe(START_MS);
  });
});

describe('redeem', () => {
  it('spends the points once, holding the customer', async () => {
    expect(await perform(REDEEM)).toEqual({
      kind: 'applied',
      operation: 'op-1',
      receipt: { record: 'new-0', score: 10, what: 'Đầu máy' },
      locks: LOCKS,
      balance: { before: 990, after: 980 },
    });
    expect(antcrm.redeemed).toEqual([{ gift: 'DAUMAY01', phone: PHONE.value, writeBefore: WITHIN_TIMEOUT }]);
    expect([...store.locks.keys()]).toEqual(LOCKS);
  });

  it.each(['refused', 'unavailable'] as const)('names whose hold to give back when %s', async (fate) => {
    antcrm.fate = fate;
    const points = fate === 'refused' ? { points: 990 } : {};
    expect(await perform(REDEEM)).toEqual({ kind: fate, operation: 'op-1', locks: LOCKS, ...points });
  });

  it('keeps the lock and the baseline while the outcome is unknown', async () => {
    antcrm.fate = 'lost';
    antcrm.records.push(gift({ id: 'before' }), gift({ id: 'other gift', code: 'LOA01' }));
    antcrm.records.push(gift({ id: 'long ago', atMs: START_MS - 36 * MINUTE_MS }));
    const lookup = { ...LOOKUP, baseline: ['before'] };
    expect(await perform(REDEEM)).toEqual({ kind: 'unknown', operation: 'op-1', lookup });
  });

  it('takes all pages for its baseline', async () => {
    antcrm.fate = 'lost';
    antcrm.records.push(...many(45));
    expect(await perform(REDEEM)).toMatchObject({ lookup: { baseline: many(45).map(({ id }) => id) } });
  });

  const unavailable = { kind: 'unavailable', operation: 'op-1' };
  it.each<[string, () => unknown, Outcome | object, locks?: readonly string[]]>([
    ['the history cannot be read', () => antcrm.down.add('history'), unavailable],
    ['it has more pages than we read', () => antcrm.records.push(...many(1001)), unavailable],
    [
      'a record could never be recognised again',
      () => antcrm.records.push(gift({ id: undefined })),
      unavailable,
    ],
    ['AntCRM cannot say who the customer is', () => antcrm.down.add('contact'), unavailable],
    ['the intent is not safe', () => (store.isReplicated = false), { ...unavailable, locks: LOCKS }, LOCKS],
    [
      'another operation has one of its locks',
      () => store.locks.set(`phone:${PHONE.value}`, 'op-2'),
      { kind: 'busy', operation: 'op-1' },
      [`phone:${PHONE.value}`],
    ],
  ])('is not called where %s', async (_, spoil, outcome, locks = []) => {
    spoil();
    expect(await perform(REDEEM)).toEqual(outcome);
    expect(antcrm.redeemed).toEqual([]);
    expect([...store.locks.keys()]).toEqual(locks);
    expect(store.intents.size).toBe(store.isReplicated ? 0 : 1);
  });

  it('locks every name that AntCRM has for the customer, or none', async () => {
    antcrm.records.push(gift({ id: 'a', whose: { phones: ['+84900000009'], emails: ['old@example.vn'] } }));
    store.locks.set('email:old@example.vn', 'op-2');
    expect(await perform(REDEEM)).toEqual({ kind: 'busy', operation: 'op-1' });
    expect([...store.locks]).toEqual([['email:old@example.vn', 'op-2']]);
    store.locks.clear();
    antcrm.fate = 'lost';
    const locks = ['customer:475', 'email:garnacho@gmail.com', 'email:old@example.vn'];
    expect(await perform(REDEEM)).toMatchObject({
      lookup: { locks: [...locks, `phone:${PHONE.value}`, 'phone:+84900000009'] },
    });
  });

  it('is busy by another identifier where nothing but an old entry of the history says who it is', async () => {
    antcrm.contacts.length = 0;
    const whose = { phones: [PHONE.value], emails: [EMAIL.value] };
    antcrm.records.push(gift({ id: 'long ago', atMs: START_MS - 36 * MINUTE_MS, whose }));
    antcrm.fate = 'vanished';
    await perform(REDEEM, 'off');
    const second: Effect = { ...REDEEM, operation: 'op-2', by: EMAIL };
    expect(await perform(second, 'off')).toEqual({ kind: 'busy', operation: 'op-2' });
  });

  it('holds its customer for as long as it is looked up, once its outcome is unknown', async () => {
    const lease = store.lease();
    const held = new Map<string, number | undefined>();
    const watched: EffectContext = {
      ...lease,
      lock: (name, operation, forMs) => {
        held.set(name, forMs);
        return lease.lock(name, operation, forMs);
      },
    };
    antcrm.fate = 'lost';
    await perform(REDEEM, 'on', watched);
    expect(held).toEqual(new Map(LOCKS.map((name) => [name, undefined])));
  });

  it('is not called where its price changed, which has to be confirmed anew', async () => {
    expect(await perform({ ...REDEEM, outdated: true })).toEqual({ kind: 'outdated', operation: 'op-1' });
    expect(antcrm.redeemed).toEqual([]);
    await perform(REDEEM);
    expect(await perform({ ...REDEEM, outdated: true })).toMatchObject({ kind: 'unknown' });
  });

  it('gives its locks back where it is interrupted before the intent', async () => {
    antcrm.history = async () => {
      store.stopping.abort();
      return { ok: true, value: { records: [], full: false } };
    };
    await expect(perform(REDEEM)).rejects.toThrow(TurnInterrupted);
    expect(store.locks.size).toBe(0);
  });

  it('locks by the identifier where AntCRM has no record, or no contacts at all', async () => {
    antcrm.contacts.length = 0;
    expect(await perform(REDEEM)).toMatchObject({ locks: [`phone:${PHONE.value}`] });
    antcrm.down.add('contact');
    const outcome = await perform({ ...REDEEM, operation: 'op-2', by: EMAIL }, 'off');
    expect(outcome).toMatchObject({ kind: 'applied', locks: [`email:${EMAIL.value}`] });
  });

  it.each([
    ['proved', { kind: 'email', value: 'mine@example.vn', proved: true }, 'mine@example.vn'],
    ["on AntCRM's record", { ...EMAIL, proved: false }, EMAIL.value],
    ['only typed', { kind: 'email', value: 'typed@example.vn', proved: false }, undefined],
  ] as const)('deals with a second identifier that is %s', async (_, also, email) => {
    await perform({ ...REDEEM, also });
    expect(antcrm.redeemed[0]?.email).toBe(email);
    expect(antcrm.redeemed[0]?.phone).toBe(PHONE.value);
  });
});

describe('check', () => {
  const check = (lookup: Lookup = LOOKUP, operation = 'op-1'): Promise<Outcome> =>
    perform({ kind: 'check', operation, lookup });
  const POINT: Lookup = {
    ...LOOKUP,
    kind: 'accumulate',
    code: 'TIVI000000017',
    locks: ['code:tivi000000017'],
  };

  it.each<[string, string, LoyaltyRecord[]]>([
    ['none', 'nothing new is there', []],
    ['none', 'another gift was redeemed', [gift({ id: 'a', code: 'LOA01' })]],
    ['none', 'the new one settled another operation', [gift({ id: 'settled' })]],
    ['applied', 'one new redemption succeeded', [gift({ id: 'a' })]],
    ['applied', 'AntCRM spells the code its own way', [gift({ id: 'a', code: 'DauMay01' })]],
    ['applied', 'one succeeded and one failed', [gift({ id: 'a' }), gift({ id: 'b', failed: true })]],
    ['refused', 'only a failed one is new', [gift({ id: 'a', failed: true })]],
    ['several', 'two are new', [gift({ id: 'a' }), gift({ id: 'b' })]],
    ['applied', 'one new redemption was created a minute after the deadline', [late(MINUTE_MS)]],
    ['undecided', 'the only new one was created even later', [late(MINUTE_MS + 1001)]],
    ['undecided', 'the only new one was created before the call', [gift({ id: 'a', atMs: START_MS - 1001 })]],
    ['applied', 'another was created too late', [gift({ id: 'a' }), late(2 * MINUTE_MS)]],
    [
      'none',
      'a failed one was created before the call',
      [gift({ atMs: START_MS - 1001, failed: true, id: 'a' })],
    ],
    ['unreadable', 'a new one has no id', [gift({}), gift({ id: 'a' })]],
    ['unreadable', 'a new one does not say of which gift', [gift({ id: 'a', code: undefined })]],
    ['unreadable', 'there are too many pages', many(1001)],
  ])('finds a redemption %s where %s', async (found, _, records) => {
    store.settled.set(CUSTOMER, ['settled']);
    antcrm.records.push(gift({ id: 'before' }), ...records);
    expect(await check({ ...LOOKUP, baseline: ['before'] })).toMatchObject({ kind: 'checked', found });
    // The customer stays locked until the outcome is stored.
    expect([...store.locks.keys()]).toEqual(LOCKS);
  });

  it.each<[string, () => unknown]>([
    ['the customer is locked by another operation', () => store.locks.set(CUSTOMER, 'op-2')],
    ['the history cannot be read', () => antcrm.down.add('history')],
    ['a newer version stored what this one cannot read', () => store.awaited.set(CUSTOMER, ['?'])],
  ])('concludes nothing where %s', async (_, spoil) => {
    spoil();
    antcrm.records.push(gift({ id: 'a' }));
    expect(await check()).toEqual({ kind: 'checked', operation: 'op-1', found: 'unreadable' });
  });

  it('concludes nothing from a read that lacks what was there before', async () => {
    antcrm.records.push(gift({ id: 'a' }));
    expect(await check({ ...LOOKUP, baseline: ['before'] })).toMatchObject({ found: 'unreadable' });
    antcrm.records.push(gift({ id: 'before' }));
    expect(await check({ ...LOOKUP, baseline: ['before'] })).toMatchObject({ found: 'applied' });
  });

  /** A success whose record was not read back. */
  const waiting = (calledMs: number, code = 'DAUMAY01') =>
    writeAwaited({ code, calledMs, deadlineMs: calledMs + 8000, skew: LOOKUP.skew });

  it('takes no record that another success waits for, nor misses its own', async () => {
    store.awaited.set(CUSTOMER, [waiting(START_MS - 5000, 'daumay01'), waiting(START_MS - 5000, 'LOA01')]);
    antcrm.records.push(gift({ id: 'theirs', atMs: START_MS - 3000 }));
    expect(await check()).toMatchObject({ found: 'none' });
    antcrm.records.push(gift({ id: 'ours', atMs: START_MS + 10 }));
    expect(await check()).toMatchObject({ found: 'applied', receipt: { record: 'ours' } });
  });

  it('concludes nothing while its record may be what another success waits for', async () => {
    store.awaited.set(CUSTOMER, [waiting(START_MS - 5000)]);
    antcrm.records.push(gift({ id: 'one', atMs: START_MS + 10 }));
    expect(await check()).toMatchObject({ found: 'undecided' });
    antcrm.records.push(gift({ id: 'another', atMs: START_MS + 20 }));
    expect(await check()).toMatchObject({ found: 'applied', receipt: { record: 'another' } });
    antcrm.records.push(gift({ id: 'a third', atMs: START_MS + 30 }));
    expect(await check()).toMatchObject({ found: 'several' });
  });

  it('leaves the record of a later success, not read back yet, to that one', async () => {
    const calledMs = START_MS + 6 * MINUTE_MS;
    store.awaited.set(CUSTOMER, [waiting(calledMs)]);
    antcrm.records.push(gift({ id: 'theirs', atMs: calledMs + 10 }));
    expect(await check()).toMatchObject({ found: 'none' });
    antcrm.records.push(gift({ id: 'a cashier’s', atMs: calledMs + 20 }));
    expect(await check()).toMatchObject({ found: 'undecided' });
  });

  it.each([
    ['corrected by what was measured when the call was made', { ms: 60_000, errorMs: 1000 }, 0],
    ['corrected by what is measured now, where nothing was then', undefined, 60_000],
  ])('is by AntCRM’s clock, %s', async (_, skew, skewMs) => {
    antcrm.skewMs = skewMs;
    const lookup = { ...LOOKUP, skew };
    antcrm.records.push(gift({ id: 'early', atMs: START_MS + 60_000 - 1001 }));
    expect(await check(lookup)).toMatchObject({ found: 'undecided' });
    antcrm.records.push(gift({ id: 'a', atMs: START_MS + 60_000 + 68_000 }));
    expect(await check(lookup)).toMatchObject({ found: 'applied', receipt: { record: 'a' } });
  });

  it.each([
    ['was off by more than two minutes', { ms: 120_001, errorMs: 1000 }, 0],
    ['is off by more than two minutes now', { ms: 0, errorMs: 1000 }, -120_001],
    ['is not known', undefined, null],
  ])('concludes nothing from no record where AntCRM’s clock %s', async (_, skew, skewMs) => {
    antcrm.skewMs = skewMs;
    expect(await check({ ...LOOKUP, skew })).toMatchObject({ found: 'undecided' });
    const atMs = START_MS + (skew?.ms ?? skewMs ?? 0);
    antcrm.records.push(gift({ id: 'failed', atMs, failed: true }));
    expect(await check({ ...LOOKUP, skew })).toMatchObject({ found: 'undecided' });
    antcrm.records.push(gift({ id: 'a', atMs }));
    expect(await check({ ...LOOKUP, skew })).toMatchObject({ found: 'applied' });
  });

  it('knows an accumulation by its code, even without an id, and locks the code while it looks', async () => {
    const point = { type: 'point', score: 100, atMs: START_MS, failed: false } as const;
    antcrm.records.push({ ...point, id: 'other', code: 'TIVI000000018' }, { ...point, id: 'no code' });
    expect(await check(POINT)).toMatchObject({ found: 'none' });
    // Perhaps an earlier try, of which no baseline tells.
    antcrm.records.push({ ...point, code: 'tivi000000017', failed: true });
    expect(await check(POINT)).toMatchObject({ found: 'none' });
    expect(store.locks.size).toBe(0);
    antcrm.records.push({ ...point, code: 'TIVI000000017' });
    expect(await check(POINT)).toMatchObject({ found: 'applied', receipt: { score: 100 } });
    expect(store.locks.size).toBe(0);
  });
});

describe('a turn that cannot go on', () => {
  const effects: Effect[] = [
    ACCUMULATE,
    REDEEM,
    { kind: 'check', operation: 'op-1', lookup: LOOKUP },
    { kind: 'balance', by: PHONE },
    { kind: 'balance', by: PHONE, exact: true },
    { kind: 'history', type: 'gift', by: PHONE, skip: 0, take: 5 },
  ];

  /** Something happens right after the intent. */
  const then = (happens: (context: ReturnType<typeof store.lease>) => unknown): EffectContext => {
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

  it.each(effects)('calls nothing for $kind while stopping, or once the lease is lost', async (effect) => {
    const lost = store.lease();
    lost.abort();
    await expect(perform(effect, 'on', lost)).rejects.toThrow(LeaseLost);
    stops();
    await expect(perform(effect)).rejects.toThrow(TurnInterrupted);
    expect([antcrm.accumulated, antcrm.redeemed, antcrm.queries, antcrm.lookups].flat()).toEqual([]);
    expect(store.intents.size).toBe(0);
  });

  it.each([ACCUMULATE, REDEEM])(
    'does not $kind where the store has given the lease away, or it is lost while intending',
    async (effect) => {
      const stale = store.lease();
      store.lease();
      await expect(perform(effect, 'on', stale)).rejects.toThrow(LeaseLost);
      const losing = then((context) => context.abort());
      await expect(perform(effect, 'on', losing)).rejects.toThrow(LeaseLost);
      expect([antcrm.accumulated, antcrm.redeemed].flat()).toEqual([]);
    },
  );

  it('does not redeem where the machine was suspended after the intent, and the turn is another process’s now', async () => {
    const context = then(() => {
      clock.suspend(20_000);
      store.lease();
    });
    await expect(perform(REDEEM, 'on', context)).rejects.toThrow(LeaseLost);
    expect(await perform(REDEEM)).toMatchObject({ kind: 'unknown' });
    expect(antcrm.redeemed).toEqual([]);
  });

  it('locks the customer again when it is repeated after a crash', async () => {
    antcrm.fate = 'lost';
    await perform(REDEEM);
    store.locks.clear();
    expect(await perform(REDEEM)).toMatchObject({ kind: 'unknown' });
    expect([...store.locks.keys()]).toEqual(LOCKS);
  });

  it('finishes what was intended when stopping comes in between', async () => {
    expect(await perform(REDEEM, 'on', then(stops))).toMatchObject({ kind: 'applied' });
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
    expect(seen).toEqual([-121, ['antcrm_clock_skew', { seconds: -121 }], -121]);
  });

  it('is an alarm where answers do not tell it', async () => {
    antcrm.skewMs = null;
    await look();
    expect(seen).toEqual([['antcrm_clock_skew', { seconds: undefined }]]);
  });
});
