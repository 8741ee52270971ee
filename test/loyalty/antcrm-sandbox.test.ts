import Fastify from 'fastify';
import { beforeEach, expect, test } from 'vitest';
import type { HistoryQuery } from '../../src/loyalty/port.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { openAntCrm } from '../support/antcrm.ts';

/* The HTTP adapter before the sandbox: what either promises, the other keeps. */

const BY_GARNACHO = { kind: 'phone', value: '+84867123456' } as const;
const NEWCOMER = '+84912345678';
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
const newest = async (type: HistoryQuery['type'], by: HistoryQuery['by']) =>
  (await page({ type, by, page: 1 })).records[0];
const points = async (by: HistoryQuery['by']) => {
  const read = await antCrm.contact(by);
  return read.ok ? read.value?.points : read;
};

test('a code earns its points once, for somebody new too', async () => {
  const request = { code: 'TIVInpmx8b98pfg', phone: NEWCOMER, name: 'Garnacho' };
  const earned = { id: expect.any(String), atMs: expect.any(Number), score: 100, what: 'Tivi' };
  expect(await antCrm.contact(BY_NEWCOMER)).toMatchObject({ ok: true, value: null });
  expect(await antCrm.accumulate(request)).toMatchObject({ kind: 'applied' });
  expect(await newest('point', BY_NEWCOMER)).toMatchObject({ ...earned, code: request.code, failed: false });
  expect(await antCrm.accumulate(request)).toMatchObject({ kind: 'refused' });
  expect(await newest('point', BY_NEWCOMER)).toMatchObject({ failed: true });
  expect(await points(BY_NEWCOMER)).toBe(100);
});

test.each([
  ['LOA01', 'applied', 250],
  ['NOICOM01', 'refused', 0],
  ['NOSUCH01', 'refused', 0],
])('the gift %s is %s, recorded so, and costs %i points', async (gift, kind, cost) => {
  const before = await points(BY_GARNACHO);
  expect(await antCrm.redeem({ gift, phone: BY_GARNACHO.value, writeBefore: LATER })).toMatchObject({ kind });
  expect(await newest('gift', BY_GARNACHO)).toMatchObject({ code: gift, failed: kind === 'refused' });
  expect(await points(BY_GARNACHO)).toBe(Number(before) - cost);
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
