import { beforeEach, describe, expect, it } from 'vitest';
import type { Effect } from '../../src/conversation/effect.ts';
import type { LoyaltyRecord } from '../../src/loyalty/port.ts';
import { createKit, EMAIL, never, PHONE, START_MS } from './kit.ts';

const GARNACHO = { customerId: '475', phones: [PHONE.value], emails: [EMAIL.value] };

let { clock, antcrm, store, perform } = createKit();

beforeEach(() => {
  ({ clock, antcrm, store, perform } = createKit());
});

/** `count` records, oldest first, as AntCRM might list them. */
function fill(count: number, record: Partial<LoyaltyRecord> = {}): void {
  for (let n = 0; n < count; n++) {
    const id = `${record.type ?? 'point'} ${n}`;
    antcrm.records.push({ id, type: 'point', failed: false, score: 10, atMs: START_MS + n, ...record });
  }
}

describe('history', () => {
  const ask = (skip: number, period: { fromMs?: number; toMs?: number } = {}) =>
    perform({ kind: 'history', type: 'point', by: PHONE, skip, take: 5, ...period });

  it.each([39, 44])('shows %i records and a failed one, each once, and ends with the last', async (count) => {
    fill(count);
    fill(1, { id: 'failed', failed: true });
    const shown: unknown[] = [];
    let skip = 0;
    for (let more = true; more; skip += 5) {
      const page = await ask(skip);
      if (page === 'interrupted' || page.kind !== 'history') throw new Error('no page');
      shown.push(...page.records.map(({ id }) => id));
      more = page.more;
    }
    expect(new Set(shown).size).toBe(count + 1);
    expect([shown.length, skip]).toEqual([count + 1, count + 1]);
  });

  it.each([10, -10])(
    "knows what was earned when AntCRM's clock is %i minutes ahead, and shows it at the right time",
    async (minutes) => {
      const skewMs = minutes * 60_000;
      antcrm.skewMs = skewMs;
      const times = [-3_600_000, -5000, 3_600_000].map((ms) => START_MS + ms);
      for (const atMs of times) fill(1, { id: `${atMs}`, atMs: atMs + skewMs });
      const [, atMs] = times;
      expect(await ask(0, { fromMs: START_MS - 60_000, toMs: START_MS })).toMatchObject({
        records: [{ id: `${atMs}`, atMs }],
        more: false,
      });
    },
  );

  it('shows the records that were read if only the next page cannot be read', async () => {
    fill(20);
    const history = antcrm.history.bind(antcrm);
    antcrm.history = async (query) =>
      query.page > 1 ? { ok: false, reason: 'unavailable' } : history(query);
    expect(await ask(15)).toMatchObject({ records: { length: 5 }, more: true });
  });
});

describe('the balance', () => {
  const BALANCE: Effect = { kind: 'balance', by: PHONE };
  const EXACT: Effect = { ...BALANCE, exact: true };

  it("is the contact record's, none where AntCRM knows no such customer", async () => {
    expect(await perform(BALANCE)).toEqual({ kind: 'balance', points: null });
    expect(await perform(EXACT)).toEqual({ kind: 'balance', points: null });
    antcrm.contacts.push({ ...GARNACHO, points: 990, rank: 'Vàng', rankPoints: 1200 });
    expect(await perform(BALANCE)).toEqual({ kind: 'balance', points: 990, rank: 'Vàng', rankPoints: 1200 });
    expect(await perform(EXACT)).toEqual({ kind: 'balance', points: 990 });
  });

  it.each(['on', 'off'] as const)(
    'is the sum of what succeeded if no contact record has the points (contacts are %s)',
    async (contacts) => {
      antcrm.contacts.push(GARNACHO);
      fill(45);
      fill(2, { failed: true, id: undefined });
      fill(3, { type: 'gift', score: undefined });
      fill(25, { type: 'gift', id: undefined });
      const sums = { kind: 'sums', earned: 450, spent: 250, partial: false };
      expect(await perform(BALANCE, { contacts })).toEqual(sums);
    },
  );

  it('is marked as partial if the history is too long to be added up, and reads no contact', async () => {
    fill(1001);
    expect(await perform(BALANCE, { contacts: 'off' })).toMatchObject({
      kind: 'sums',
      earned: 10_000,
      partial: true,
    });
    expect(antcrm.lookups).toEqual([]);
  });

  it('counts a record once, even if it shifted to the next page during the read', async () => {
    fill(21);
    antcrm.records.push(...antcrm.records.slice(0, 1));
    expect(await perform(BALANCE, { contacts: 'off' })).toMatchObject({ earned: 210 });
  });

  it.each(['contact', 'history'] as const)('is unavailable where the %s cannot be read', async (call) => {
    antcrm.contacts.push(GARNACHO);
    antcrm.down.add(call);
    expect(await perform(BALANCE)).toEqual({ kind: 'unavailable' });
  });

  it.each<[string, () => unknown, contacts?: 'on' | 'off', tookMs?: number]>([
    ['AntCRM is out of reach', () => antcrm.down.add('contact')],
    ['the record has no points', () => undefined],
    ['the backend has no contacts', () => (antcrm.contact = never), 'off'],
    ['it takes longer than two seconds', () => (antcrm.contact = never), 'on', 2000],
  ])(
    'cannot be read exactly where %s, and no sum takes its place',
    async (_, spoil, contacts, tookMs = 0) => {
      antcrm.contacts.push(GARNACHO);
      spoil();
      expect(await perform(EXACT, { contacts })).toEqual({ kind: 'unavailable' });
      expect(antcrm.queries).toEqual([]);
      expect(clock.nowMs()).toBe(START_MS + tookMs);
    },
  );
});

describe('the balance after a redemption', () => {
  it.each<[string, () => unknown, asked: number, contacts?: 'on' | 'off', tookMs?: number]>([
    ['it takes two seconds, as the record may', () => (antcrm.contact = never), 1, 'on', 2000],
    ['it cannot be read', () => antcrm.down.add('contact'), 2],
    ['the bot stops, for the turn must end', () => store.stopping.abort(), 1],
    ['the backend has no contacts', () => (antcrm.contact = never), 0, 'off'],
  ])('is left out where %s', async (_, spoil, asked, contacts, tookMs = 0) => {
    antcrm.contacts.push({ ...GARNACHO, points: 990 });
    antcrm.lateMs = tookMs === 0 ? 0 : 60_000;
    antcrm.onCall = spoil;
    const redeem: Effect = { kind: 'redeem', operation: 'op-1', gift: 'DAUMAY01', by: PHONE };
    const outcome = await perform(redeem, { contacts });
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(outcome).not.toHaveProperty('balance');
    expect(antcrm.lookups).toHaveLength(asked);
    expect(clock.nowMs()).toBe(START_MS + tookMs);
  });
});

describe('the balance after an accumulation', () => {
  const code = { kind: 'accumulate', operation: 'op-1', code: 'TIVI000000017' } as const;
  const EARN: Effect = { ...code, phone: { value: PHONE.value, proved: true } };

  it('is read before and after by the proved identifier, and not at all if the phone was typed', async () => {
    const typed = { ...EARN, operation: 'op-2', phone: { value: PHONE.value, proved: false } };
    expect(await perform(typed)).not.toHaveProperty('balance');
    expect(antcrm.lookups).toEqual([]);
    antcrm.contacts.push({ phones: [PHONE.value], emails: [], points: 990 });
    expect(await perform(EARN)).toMatchObject({ kind: 'applied', balance: { before: 990, after: 1090 } });
    antcrm.contacts.push({ phones: [], emails: ['minh@example.vn'], points: 5 });
    const byEmail = { ...code, operation: 'op-3', email: { value: 'minh@example.vn', proved: true } };
    expect(await perform(byEmail)).toMatchObject({ balance: { before: 5, after: 105 } });
  });

  it('counts as zero before if AntCRM did not know the customer', async () => {
    antcrm.onCall = () => antcrm.contacts.push({ phones: [PHONE.value], emails: [], points: 0 });
    expect(await perform(EARN)).toMatchObject({ balance: { before: 0, after: 100 } });
  });

  it('delays the call by a second at most', async () => {
    antcrm.contact = never;
    let calledMs = 0;
    antcrm.onCall = () => {
      calledMs = clock.nowMs();
    };
    expect(await perform(EARN)).toMatchObject({ kind: 'applied', receipt: { score: 100 } });
    expect([calledMs, clock.nowMs()]).toEqual([START_MS + 1000, START_MS + 1000]);
  });
});
