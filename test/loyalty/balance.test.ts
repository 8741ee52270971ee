import { beforeEach, describe, expect, it } from 'vitest';
import type { Effect } from '../../src/conversation/effect.ts';
import { createKit, PHONE, START_MS } from './operations.doubles.ts';

/*
 * The balance is nice to know: reading it must never hold up or endanger what it is read for.
 */

const BALANCE: Effect = { kind: 'balance', by: PHONE, exact: true };
const REDEEM: Effect = { kind: 'redeem', operation: 'op-1', gift: 'DAUMAY01', by: PHONE };
const never = () => new Promise<never>(() => undefined);

let { clock, antcrm, store, perform } = createKit();

beforeEach(() => {
  ({ clock, antcrm, store, perform } = createKit());
  antcrm.contacts.push({ customerId: '475', phones: [PHONE.value], emails: [], points: 990 });
});

describe('the exact balance', () => {
  it('is what the record of the customer says', async () => {
    expect(await perform(BALANCE)).toEqual({ kind: 'balance', points: 990 });
    antcrm.contacts.length = 0;
    expect(await perform(BALANCE)).toEqual({ kind: 'balance', points: null });
    expect(antcrm.queries).toEqual([]);
  });

  it.each<[string, () => unknown, contacts?: 'on' | 'off', tookMs?: number]>([
    ['AntCRM is out of reach', () => antcrm.down.add('contact')],
    ['the record has no points', () => antcrm.contacts.splice(0, 1, { phones: [PHONE.value], emails: [] })],
    ['the backend has no contacts', () => (antcrm.contact = never), 'off'],
    ['it takes longer than two seconds', () => (antcrm.contact = never), 'on', 2000],
  ])('cannot be had where %s, and no sums stand in for it', async (_, spoil, contacts, tookMs = 0) => {
    spoil();
    expect(await perform(BALANCE, contacts)).toEqual({ kind: 'unavailable' });
    expect(antcrm.queries).toEqual([]);
    expect(clock.nowMs()).toBe(START_MS + tookMs);
  });
});

describe('the balance after a redemption', () => {
  it.each<[string, () => unknown, asked: number, contacts?: 'on' | 'off', tookMs?: number]>([
    ['it takes two seconds, as the record may', () => (antcrm.contact = never), 1, 'on', 2000],
    ['it cannot be read', () => antcrm.down.add('contact'), 2],
    ['the bot stops, for the turn must end', () => store.stopping.abort(), 1],
    ['the backend has no contacts', () => (antcrm.contact = never), 0, 'off'],
  ])('is left out where %s', async (_, spoil, asked, contacts, tookMs = 0) => {
    antcrm.lateMs = tookMs === 0 ? 0 : 60_000;
    antcrm.onCall = () => void spoil();
    const outcome = await perform(REDEEM, contacts);
    expect(outcome).toMatchObject({ kind: 'applied' });
    expect(outcome).not.toHaveProperty('balance');
    expect(antcrm.lookups).toHaveLength(asked);
    expect(clock.nowMs()).toBe(START_MS + tookMs);
  });
});

describe('the balance after an accumulation', () => {
  const EARN: Effect = {
    kind: 'accumulate',
    operation: 'op-1',
    code: 'TIVI000000017',
    phone: { value: PHONE.value, proved: true },
  };

  it('is read before and after, where the phone is proved', async () => {
    expect(await perform(EARN)).toMatchObject({ kind: 'applied', balance: { before: 990, after: 1090 } });
  });

  it('is nobody’s business where the phone was only typed', async () => {
    const typed = { ...EARN, phone: { value: PHONE.value, proved: false } };
    expect(await perform(typed)).not.toHaveProperty('balance');
    expect(antcrm.lookups).toEqual([]);
  });

  it('was nothing where AntCRM did not know the customer', async () => {
    antcrm.contacts.length = 0;
    antcrm.onCall = () => {
      antcrm.contacts.push({ phones: [PHONE.value], emails: [], points: 0 });
    };
    expect(await perform(EARN)).toMatchObject({ balance: { before: 0, after: 100 } });
  });

  it('holds up the call not at all, and the result for a second at most', async () => {
    antcrm.contact = never;
    let calledMs = 0;
    antcrm.onCall = () => {
      calledMs = clock.nowMs();
    };
    expect(await perform(EARN)).toMatchObject({ kind: 'applied', receipt: { score: 100 } });
    expect([calledMs, clock.nowMs()]).toEqual([START_MS, START_MS + 1000]);
  });

  it('is read by the e-mail where that is what is proved', async () => {
    antcrm.contacts.push({ phones: [], emails: ['minh@example.vn'], points: 5 });
    const email = { value: 'minh@example.vn', proved: true };
    const { phone: _, ...byEmail } = EARN;
    expect(await perform({ ...byEmail, email })).toMatchObject({ balance: { before: 5, after: 105 } });
  });
});
