import { beforeEach, describe, expect, it } from 'vitest';
import type { Effect } from '../../src/conversation/effect.ts';
import type { LoyaltyRecord } from '../../src/loyalty/port.ts';
import { createKit, EMAIL, PHONE, START_MS } from './operations.doubles.ts';

let { antcrm, perform } = createKit();

beforeEach(() => {
  ({ antcrm, perform } = createKit());
});

/** `count` records, oldest first, as AntCRM might list them. */
function fill(count: number, record: Partial<LoyaltyRecord> = {}): void {
  for (let n = 0; n < count; n++) {
    const id = `${record.type ?? 'point'} ${n}`;
    antcrm.records.push({ id, type: 'point', failed: false, score: 10, atMs: START_MS + n, ...record });
  }
}

function ask(skip: number, period: { fromMs?: number; toMs?: number } = {}) {
  return perform({ kind: 'history', type: 'point', by: PHONE, skip, take: 5, ...period });
}

describe('history', () => {
  it('shows every record exactly once over all its pages', async () => {
    fill(45);
    const shown: unknown[] = [];
    for (let skip = 0, more = true; more; skip += 5) {
      const page = await ask(skip);
      if (page.kind !== 'history') throw new Error(page.kind);
      shown.push(...page.records.map(({ id }) => id));
      more = page.more;
    }
    expect(new Set(shown).size).toBe(45);
    expect(shown).toHaveLength(45);
  });

  it.each([
    [0, 0, false],
    [4, 0, false],
    [5, 0, false],
    [6, 0, true],
    [20, 10, true],
    [20, 15, false],
    [21, 15, true],
    [40, 35, false],
  ])('of %i records from %i on: more is %s', async (count, skip, more) => {
    fill(count);
    expect(await ask(skip)).toMatchObject({ kind: 'history', more });
  });

  it.each([10, -10])(
    "knows what was earned when AntCRM's clock is %i minutes ahead, and shows it at the right time",
    async (minutes) => {
      antcrm.skewMs = minutes * 60_000;
      const [before, inside, after] = [-3_600_000, -5000, 3_600_000].map((ms) => START_MS + ms);
      for (const atMs of [before, inside, after])
        fill(1, { id: `${atMs}`, atMs: (atMs ?? 0) + antcrm.skewMs });
      const answer = await ask(0, { fromMs: START_MS - 60_000, toMs: START_MS });
      expect(answer).toMatchObject({ records: [{ id: `${inside}`, atMs: inside }], more: false });
    },
  );

  it('shows what it has where only the next page cannot be read', async () => {
    fill(20);
    const history = antcrm.history.bind(antcrm);
    antcrm.history = async (query) =>
      query.page > 1 ? { ok: false, reason: 'unavailable' } : history(query);
    expect(await ask(15)).toMatchObject({ records: { length: 5 }, more: true });
  });

  it('marks failed records and shows partial ones', async () => {
    antcrm.records.push({ type: 'point', failed: true });
    expect(await ask(0)).toEqual({
      kind: 'history',
      records: [{ type: 'point', failed: true }],
      more: false,
    });
  });
});

describe('balance', () => {
  const BALANCE: Effect = { kind: 'balance', by: PHONE };
  const GARNACHO = { phones: [PHONE.value], emails: [EMAIL.value] };

  it("is the contact record's", async () => {
    antcrm.contacts.push({ ...GARNACHO, points: 990, rank: 'Vàng', rankPoints: 1200 });
    expect(await perform(BALANCE)).toEqual({ kind: 'balance', points: 990, rank: 'Vàng', rankPoints: 1200 });
  });

  it('has no points where AntCRM knows no such customer', async () => {
    expect(await perform(BALANCE)).toEqual({ kind: 'balance', points: null });
  });

  it.each(['on', 'off'] as const)(
    'is the sums of what succeeded, contacts %s but without points',
    async (c) => {
      antcrm.contacts.push(GARNACHO);
      fill(45);
      fill(2, { failed: true, id: undefined });
      fill(3, { type: 'gift', score: undefined });
      fill(25, { type: 'gift', id: undefined });
      expect(await perform(BALANCE, c)).toEqual({ kind: 'sums', earned: 450, spent: 250, partial: false });
    },
  );

  it('says so where the history is too long to be added up', async () => {
    fill(1001);
    expect(await perform(BALANCE, 'off')).toMatchObject({ kind: 'sums', earned: 10_000, partial: true });
    expect(antcrm.lookups).toEqual([]);
  });

  it('counts a record once that shifted to the next page while reading', async () => {
    fill(21);
    const [first] = antcrm.records;
    if (first !== undefined) antcrm.records.push(first);
    expect(await perform(BALANCE, 'off')).toMatchObject({ earned: 210 });
  });

  it.each(['contact', 'history'] as const)('is unavailable where the %s cannot be read', async (call) => {
    antcrm.contacts.push(GARNACHO);
    antcrm.down.add(call);
    expect(await perform(BALANCE)).toEqual({ kind: 'unavailable' });
  });
});
