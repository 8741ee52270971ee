import { isDeepStrictEqual } from 'node:util';
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AntCrmClient } from '../../src/loyalty/antcrm.ts';
import { ACCUMULATION, BY_PHONE, openAntCrm, POINTS, type Reports, redemption } from '../support/antcrm.ts';
import { answerByNock } from '../support/nock.ts';

const BASE = 'http://antcrm.test';
const BY_EMAIL = { kind: 'email', value: 'garnacho@gmail.com' } as const;

let antCrm: AntCrmClient;
let reports: Reports;

answerByNock();
beforeAll(() => nock.disableNetConnect());
beforeEach(() => {
  ({ antCrm, reports } = openAntCrm(BASE));
});
afterEach(async () => {
  const unused = nock.pendingMocks();
  nock.cleanAll();
  expect(unused).toEqual([]);
});
afterAll(() => nock.enableNetConnect());

describe('what is sent', () => {
  const scope = () => nock(BASE, { reqheaders: { apikey: 'the-key', 'content-type': 'application/json' } });
  const work = (value: string) => [{ type: 'Work', value }];

  test('an accumulation lists phones and e-mails, national, with the key in the header', async () => {
    const data = { emails: work('garnacho@gmail.com'), name: 'Garnacho', phones: work('0867123456') };
    scope().post('/accumulate', { code: ACCUMULATION.code, data }).reply(200, { success: 1 });
    const whole = { ...ACCUMULATION, email: 'garnacho@gmail.com', name: 'Garnacho' };
    expect(await antCrm.accumulate(whole)).toMatchObject({ kind: 'applied' });
    // What it lacks is an empty list; a foreign phone stays E.164.
    const foreign = { code: 'X', data: { emails: [], phones: work('+6591234567') } };
    scope().post('/accumulate', foreign).reply(200, { success: 1 });
    expect(await antCrm.accumulate({ ...ACCUMULATION, code: 'X', phone: '+6591234567' })).toMatchObject({
      kind: 'applied',
    });
  });

  test('a redemption has its phone and e-mail as plain fields', async () => {
    const data = { phone: '0867123456', email: 'garnacho@gmail.com' };
    scope().post('/redeem', { code: 'DAUMAY01', data }).reply(200, { success: 1 });
    const whole = { ...redemption(), email: 'garnacho@gmail.com' };
    expect(await antCrm.redeem(whole)).toMatchObject({ kind: 'applied' });
  });

  test('the history of points has a type, that of gifts has none; the period is half-open', async () => {
    const begun: number[] = [];
    const isRight = ({ createdAtRangeFrom, ...rest }: Record<string, unknown>): boolean => {
      begun.push(Number(createdAtRangeFrom));
      const query = { type: 'point', createdAtRangeTo: '1999', phone: '0867123456', page: '2' };
      return isDeepStrictEqual(rest, query);
    };
    scope().get('/history-point').twice().query(isRight).reply(200, []);
    scope().get('/history-point').query({ email: 'garnacho@gmail.com', page: '1' }).reply(200, []);
    const points = { type: 'point', by: BY_PHONE, fromMs: 1000, toMs: 2000, page: 2 } as const;
    expect(await antCrm.history(points)).toMatchObject({ ok: true, value: { records: [], marks: [] } });
    await antCrm.history(points);
    await antCrm.history({ type: 'gift', by: BY_EMAIL, page: 1 });
    // No two reads have one address, which a cache could answer.
    expect(new Set(begun).size).toBe(2);
    for (const fromMs of begun) expect(1000 - fromMs).toBeLessThan(1000);
  });

  test('a contact is asked for as a customer, and the base URL may have a path', async () => {
    const isRight = ({ limit, page, ...rest }: Record<string, unknown>): boolean =>
      Number(limit) >= 20 && isDeepStrictEqual(rest, { contactType: 'customer', phone: '0867123456' });
    // Nobody is on the first page, whatever its number.
    scope().get('/api/contacts').twice().query(isRight).reply(200, []);
    const { antCrm: other } = openAntCrm(`${BASE}/api/`);
    expect(await other.contact(BY_PHONE)).toMatchObject({ ok: true, value: null });
  });

  test('a contact is looked for on five pages, as long as they list others', async () => {
    const others = [{ phones: [{ value: '0912345678' }] }];
    const page = (number: number, list: object[]) =>
      scope()
        .get('/contacts')
        .query(({ page }) => page === `${number}`)
        .reply(200, list);
    page(1, others);
    page(2, [{ phones: ['0867123456'], scoreAvailable: 7 }]);
    expect(await antCrm.contact(BY_PHONE)).toMatchObject({ ok: true, value: { points: 7 } });
    page(1, others);
    page(2, []);
    page(0, []);
    expect(await antCrm.contact(BY_PHONE)).toMatchObject({ ok: true, value: null });
    for (let number = 1; number <= 5; number++) page(number, others);
    expect(await antCrm.contact(BY_PHONE)).toMatchObject({ ok: false, reason: 'unreadable' });
  });

  test('requests ask for no answer of a cache; one with the header Age is marked as such an answer', async () => {
    const fresh = nock(BASE, { reqheaders: { 'cache-control': 'no-cache, no-store, max-age=0' } })
      .get('/history-point')
      .query(true);
    fresh.reply(200, [], { age: '12' });
    expect((await antCrm.history(POINTS)).time).toMatchObject({ isCached: true });
  });
});

describe('how a call that may spend or earn ends', () => {
  const calls = {
    accumulate: () => antCrm.accumulate(ACCUMULATION),
    redeem: () => antCrm.redeem(redemption()),
  };
  const answers: [kind: string, status: number, body: string][] = [
    ['applied', 200, '{"success":1}'],
    ['refused', 200, '{"success":0}'],
    ['refused', 400, '{"success":0}'],
    ['refused', 404, '{"success":0}'],
    ['refused', 422, '<html>'],
    ['unavailable', 404, '<html>'],
    ['unavailable', 405, ''],
    ['unavailable', 401, '{}'],
    ['unknown', 408, '{"success":0}'],
    ['unknown', 429, '{"success":0}'],
    ['unknown', 500, '{"success":0}'],
    ['unknown', 200, '{"success": 1'],
    ['unknown', 200, '[]'],
    ['unknown', 200, '{"success":null}'],
    ['unknown', 204, ''],
    // Followed, it would be another call.
    ['unknown', 307, ''],
  ];
  test.each(answers)('%s after status %i, asked once: %s', async (kind, status, body) => {
    for (const path of ['accumulate', 'redeem'] as const) {
      nock(BASE).post(`/${path}`).reply(status, body);
      expect(await calls[path]()).toMatchObject({ kind });
      expect(reports.calls.splice(0)).toEqual([[path, kind]]);
    }
  });
});

describe('what operators hear', () => {
  const accumulate = (status: number, body: string | object = '') => {
    nock(BASE).post('/accumulate').reply(status, body);
    return antCrm.accumulate(ACCUMULATION);
  };

  test('a refused key is a fault until AntCRM takes it, with an alarm a minute, and so is a wrong address', async () => {
    expect(antCrm.faults()).toEqual([]);
    for (let n = 0; n < 2; n++) await accumulate(401);
    nock(BASE).get('/history-point').query(true).reply(403);
    expect(await antCrm.history(POINTS)).toMatchObject({ ok: false, reason: 'unavailable' });
    expect(reports.alarms).toEqual(['antcrm_key_refused']);
    expect(antCrm.faults()).toEqual([expect.stringContaining('ANTCRM_API_KEY')]);
    await accumulate(404, '<html>');
    expect(antCrm.faults()).toEqual([expect.stringContaining('ANTCRM_BASE_URL')]);
    await accumulate(200, { success: 1 });
    expect(antCrm.faults()).toEqual([]);
  });

  test("AntCRM's reason for a refusal is logged without anything personal", async () => {
    const message = `Code ${ACCUMULATION.code} of 0867 123 456 / a.b@c-d.vn\u0007 is used ${'on and '.repeat(60)}`;
    await accumulate(200, { success: 0, message });
    const [line] = reports.logged;
    expect(line).toMatchObject({ call: 'accumulate', outcome: 'refused', status: 200 });
    expect(line?.reason).toMatch(/^Code \* of \* \* \* \/ \* is used on and/);
    expect(String(line?.reason).length).toBeLessThanOrEqual(200);
    const name = 'garnacho';
    nock(BASE)
      .post('/accumulate')
      .reply(200, { success: 0, message: `the customer ${name} is unknown` });
    await antCrm.accumulate({ ...ACCUMULATION, name });
    expect(reports.logged.at(-1)?.reason).toBe('the customer * is unknown');
  });
});

describe('reads', () => {
  const ask = () => antCrm.history(POINTS);
  const history = () => nock(BASE).get('/history-point').query(true);

  test('are repeated twice when AntCRM fails, and then succeed', async () => {
    history().reply(500);
    history().reply(200, '[{');
    history().reply(200, [{ type: 1, status: 1, score: 100 }]);
    expect(await ask()).toMatchObject({ ok: true, value: { records: [{ score: 100 }] } });
    expect(reports.calls).toEqual([['history', 'ok']]);
  });

  test('are not repeated where that would not help', async () => {
    for (const [status, reason] of [
      [404, 'unreadable'],
      [302, 'unreadable'],
      [429, 'unavailable'],
    ] as const) {
      history().reply(status, '{}', { location: BASE });
      expect(await ask()).toMatchObject({ ok: false, reason });
    }
  });

  test('tell AntCRM’s clock by the header Date of any answer, a refusal included', async () => {
    const dateMs = Date.UTC(2026, 10, 25);
    for (const [date, read] of [
      [new Date(dateMs).toUTCString(), dateMs],
      ['soon', undefined],
    ] as const) {
      history().reply(404, '', { date });
      const { time } = await ask();
      expect(time).toEqual({ dateMs: read, tookMs: expect.any(Number) });
      expect(time?.tookMs).toBeGreaterThan(0);
      nock(BASE).post('/redeem').reply(200, '{"success":1}', { date });
      expect((await antCrm.redeem(redemption())).time).toMatchObject({ dateMs: read });
    }
  });
});
