import Fastify from 'fastify';
import { beforeEach, expect, test } from 'vitest';
import type { HistoryQuery } from '../../src/loyalty/port.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { openAntCrm } from '../support/antcrm.ts';

/* The HTTP adapter before the sandbox: what either promises, the other keeps. */

const GARNACHO = '+84867123456';
const NEWCOMER = '+84912345678';
const BY_GARNACHO = { kind: 'phone', value: GARNACHO } as const;
const BY_NEWCOMER = { kind: 'phone', value: NEWCOMER } as const;
/** Nothing here is late. */
const LATER = { monotonicMs: Number.POSITIVE_INFINITY, wallMs: Number.POSITIVE_INFINITY };

let antCrm: ReturnType<typeof openAntCrm>['antCrm'];
beforeEach(async () => {
  const app = Fastify();
  await app.register(createSandbox(), { prefix: '/sandbox' });
  ({ antCrm } = openAntCrm(`${await app.listen({ host: '127.0.0.1', port: 0 })}/sandbox`));
  return () => app.close();
});

const page = async (query: HistoryQuery) => {
  const read = await antCrm.history(query);
  if (!read.ok) throw new Error(read.reason);
  return read.value;
};
const newest = async (query: Omit<HistoryQuery, 'page'>) => (await page({ ...query, page: 1 })).records[0];
const points = async (phone: string) => {
  const read = await antCrm.contact({ kind: 'phone', value: phone });
  return read.ok ? read.value?.points : read;
};
const redeem = (gift: string, phone: string) => antCrm.redeem({ gift, phone, writeBefore: LATER });

test('a code earns its points once, for somebody new too', async () => {
  const request = { code: 'TIVInpmx8b98pfg', phone: NEWCOMER, name: 'Garnacho' };
  expect(await antCrm.contact(BY_NEWCOMER)).toMatchObject({ ok: true, value: null });
  expect(await antCrm.accumulate(request)).toMatchObject({ kind: 'applied' });
  expect(await newest({ type: 'point', by: BY_NEWCOMER })).toMatchObject({
    id: expect.any(String),
    failed: false,
    score: 100,
    what: 'Tivi',
    code: 'TIVInpmx8b98pfg',
    atMs: expect.any(Number),
  });
  expect(await antCrm.accumulate(request)).toMatchObject({ kind: 'refused' });
  expect(await newest({ type: 'point', by: BY_NEWCOMER })).toMatchObject({ failed: true });
  expect(await points(NEWCOMER)).toBe(100);
});

test('a gift costs its points', async () => {
  const before = await points(GARNACHO);
  expect(await redeem('LOA01', GARNACHO)).toMatchObject({ kind: 'applied' });
  expect(await newest({ type: 'gift', by: BY_GARNACHO })).toMatchObject({
    failed: false,
    score: 250,
    what: 'Loa',
    code: 'LOA01',
  });
  expect(await points(GARNACHO)).toBe(Number(before) - 250);
});

test('a gift that is too dear or unknown is refused, recorded as failed, and costs nothing', async () => {
  const before = await points(GARNACHO);
  for (const gift of ['NOICOM01', 'NOSUCH01']) {
    expect(await redeem(gift, GARNACHO)).toMatchObject({ kind: 'refused' });
    expect(await newest({ type: 'gift', by: BY_GARNACHO })).toMatchObject({
      failed: true,
      code: gift,
    });
  }
  expect(await redeem('DAUMAY01', NEWCOMER)).toMatchObject({ kind: 'refused' });
  expect(await points(GARNACHO)).toBe(before);
});

test('the history comes in pages of twenty, each record once, some failed', async () => {
  for (const [type, sizes] of [
    ['point', [20, 20, 5]],
    ['gift', [20, 5, 0]],
  ] as const) {
    const pages = await Promise.all([1, 2, 3].map((number) => page({ type, by: BY_GARNACHO, page: number })));
    expect(pages.map(({ records }) => records.length)).toEqual(sizes);
    expect(pages.map(({ full }) => full)).toEqual(sizes.map((size) => size === 20));
    const records = pages.flatMap((one) => one.records);
    expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
    expect(new Set(records.map(({ failed }) => failed))).toEqual(new Set([false, true]));
    expect(records.every((record) => record.type === type)).toBe(true);
  }
});
