import Fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/sandbox.ts';

const NOW = Date.UTC(2026, 10, 25, 8, 47);
const headers = { apikey: 'any' };
let now = NOW;
let app = Fastify();

beforeEach(async () => {
  now = NOW;
  let ids = 0;
  app = Fastify();
  await app.register(createSandbox({ now: () => now, newId: () => (++ids).toString(16).padStart(24, '0') }));
});
afterEach(() => app.close());

const get = async (url: string) => (await app.inject({ url, headers })).json();
const post = async (url: string, payload: object) =>
  (await app.inject({ method: 'POST', url, headers, payload })).json();

const work = (value: string) => [{ type: 'Work', value }];
const accumulate = (code: string, who: { phone?: string; email?: string; name?: string }) =>
  post('/accumulate', {
    code,
    data: {
      emails: who.email ? work(who.email) : [],
      name: who.name,
      phones: who.phone ? work(who.phone) : [],
    },
  });
const redeem = (code: string, data: { phone?: string; email?: string }) => post('/redeem', { code, data });

describe("AntCRM's answers", () => {
  test('have the shapes of the document', async () => {
    now += 1000;
    await accumulate('TIVInpmx8b98pfg', { phone: '0867123456' });
    await redeem('DAUMAY01', { email: 'garnacho@gmail.com' });
    const address = (value: string) => ({
      type: 'Work',
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
      value,
    });
    const shared = {
      status: 1,
      contact: {
        phones: [address('0867123456')],
        name: 'Garnacho',
        emails: [address('garnacho@gmail.com')],
        lastname: '',
        customerId: 475,
        id: expect.stringMatching(/^[0-9a-f]{24}$/),
      },
      org: '62c10674cbe832bc9245a5b8',
      createdAt: NOW + 1000,
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
    };
    expect((await get('/history-point?type=point'))[0]).toEqual({
      ...shared,
      type: 1,
      score: 100,
      product: { code: 'TIVI01', name: 'Tivi', id: expect.any(String) },
      code: 'TIVInpmx8b98pfg',
      serialNumber: 'npmx8b98pfg',
    });
    expect((await get('/history-point'))[0]).toEqual({
      ...shared,
      type: 2,
      score: 10,
      gift: { code: 'DAUMAY01', name: 'Đầu máy', score: 10, id: expect.any(String) },
    });
  });
});

describe('customers', () => {
  test('are known by any spelling of a phone and any case of an e-mail', async () => {
    await accumulate('TIVI000000001', { phone: '+84912345678' });
    await accumulate('TIVI000000002', { phone: '0912345678', email: 'Minh@Example.vn', name: 'Garnacho' });
    const found = [{ customerId: 476, scoreAvailable: 200, name: 'Garnacho' }];
    expect(await get('/contacts?contactType=customer&email=minh@example.vn')).toMatchObject(found);
    expect(await get('/contacts?contactType=customer&phone=0912345678')).toMatchObject(found);
  });
});

describe('the helpers', () => {
  test('faults strike as often as told, in turn, and only the call they are for', async () => {
    await post('/faults', { call: 'redeem', fault: 'error-500', times: 2 });
    await post('/faults', { call: 'redeem', fault: 'bad-json' });
    expect(await accumulate('TIVI000000001', { phone: '0867123456' })).toEqual({ success: 1 });
    const again = () =>
      app.inject({
        method: 'POST',
        url: '/redeem',
        headers,
        payload: { code: 'DAUMAY01', data: { phone: '0867123456' } },
      });
    expect((await again()).statusCode).toBe(500);
    expect((await again()).statusCode).toBe(500);
    expect((await again()).body).toBe('{"success":1');
    expect((await again()).body).toBe('{"success":1}');
  });
});
