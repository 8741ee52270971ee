import Fastify from 'fastify';
import { beforeEach, expect, test } from 'vitest';
import type { HistoryQuery, Read } from '../../src/loyalty/port.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { openAntCrm, redemption } from '../support/antcrm.ts';

/* The HTTP adapter before the sandbox: what either promises, the other keeps. */

const BY_GARNACHO = { kind: 'phone', value: '+84867123456' } as const;
const NEWCOMER = { kind: 'phone', value: '+84912345678' } as const;

let app = Fastify();
let antCrm: ReturnType<typeof openAntCrm>['antCrm'];
beforeEach(async () => {
  app = Fastify();
  await app.register(createSandbox(), { prefix: '/sandbox' });
  ({ antCrm } = openAntCrm(`${await app.listen({ host: '127.0.0.1', port: 0 })}/sandbox`));
  return () => app.close();
});

function found<Value>(read: Read<Value>): Value {
  if (!read.ok) throw new Error(read.reason);
  return read.value;
}
const page = async (query: HistoryQuery) => found(await antCrm.history(query));
const contact = async (by: HistoryQuery['by']) => found(await antCrm.contact(by));
const newest = async (type: HistoryQuery['type'], by: HistoryQuery['by']) =>
  (await page({ type, by, page: 1 })).records[0];

test('a code earns its points once, for somebody new too, known by any spelling of phone and e-mail', async () => {
  const request = { code: 'TIVInpmx8b98pfg', phone: NEWCOMER.value, name: 'Garnacho' };
  const earned = { id: expect.any(String), atMs: expect.any(Number), score: 100, what: 'Tivi' };
  expect(await contact(NEWCOMER)).toBeNull();
  expect(await antCrm.accumulate(request)).toMatchObject({ kind: 'applied' });
  expect(await newest('point', NEWCOMER)).toMatchObject({ ...earned, code: request.code, failed: false });
  expect(await antCrm.accumulate(request)).toMatchObject({ kind: 'refused' });
  expect(await newest('point', NEWCOMER)).toMatchObject({ failed: true });
  await antCrm.accumulate({ ...request, code: 'TIVI000000002', email: 'Minh@Example.vn' });
  const known = { customerId: '476', points: 200, emails: ['minh@example.vn'], phones: [NEWCOMER.value] };
  expect(await contact({ kind: 'email', value: 'minh@example.vn' })).toMatchObject(known);
});

test.each([
  ['LOA01', 'applied', 250],
  ['NOICOM01', 'refused', 0],
  ['NOSUCH01', 'refused', 0],
])('the gift %s is %s, recorded so, and costs %i points', async (gift, kind, cost) => {
  const points = async () => Number((await contact(BY_GARNACHO))?.points);
  const before = await points();
  expect(await antCrm.redeem({ ...redemption(), gift })).toMatchObject({ kind });
  expect(await newest('gift', BY_GARNACHO)).toMatchObject({ code: gift, failed: kind === 'refused' });
  expect(await points()).toBe(before - cost);
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
  }
});
