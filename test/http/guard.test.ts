import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/http/guard.ts';
import { access } from '../../src/http/guard.ts';
import { startKit } from '../channels/staff/kit.ts';

const TOKEN = 'a-token-of-some-length';
const LOCAL: Caller = { peer: '127.0.0.1', headers: { host: 'localhost:3000' } };
const SANDBOX = { sandbox: true };

const from = (peer: string, headers: Caller['headers'] = LOCAL.headers): Caller => ({ peer, headers });
const saying = (headers: Caller['headers']): Caller => ({
  ...LOCAL,
  headers: { ...LOCAL.headers, ...headers },
});

describe('without a token, the sandbox as backend', () => {
  const host = (peer: string, name: string) => from(peer, { host: name });
  it.each([
    host('127.0.0.1', 'localhost:3000'),
    host('::1', '[::1]:3000'),
    host('::ffff:127.0.0.1', 'LOCALHOST:80'),
    saying({ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' }),
  ])('is open to this machine: %j', (caller) => {
    expect(access(caller, SANDBOX)).toBe('granted');
  });

  const others = '10.0.0.7 ::ffff:10.0.0.7 fe80::1'.split(' ');
  const hosts = 'localhost.evil.example localhost@evil.example 127.0.0.1.evil.example 0.0.0.0 2130706433';
  const proxies = 'forwarded x-forwarded-for x-real-ip via cf-connecting-ip';
  it.each([
    ...['', ...others].map((peer) => from(peer)),
    ...[...hosts.split(' '), ''].map((name) => host('127.0.0.1', name)),
    from('127.0.0.1', {}),
    ...proxies.split(' ').map((header) => saying({ [header]: '' })),
    ...['https://evil.example', 'null', 'http://localhost:8080'].map((origin) => saying({ origin })),
    saying({ 'sec-fetch-site': 'cross-site' }),
  ])('is absent for anybody else, a proxy and the page of another site: %j', (caller) => {
    expect(access(caller, SANDBOX)).toBe('absent');
  });

  it('is absent once the bot has a public address', () => {
    expect(access(LOCAL, { sandbox: true, publicUrl: 'https://bot.example' })).toBe('absent');
  });
});

it('is absent without a token where AntCRM is real', () => {
  expect(access(LOCAL, { sandbox: false })).toBe('absent');
  expect(access(saying({ authorization: 'Bearer ' }), { sandbox: false, token: '' })).toBe('absent');
});

describe('with a token', () => {
  const settings = { sandbox: false, token: TOKEN, publicUrl: 'https://bot.example' };

  it('lets its holder in from anywhere', () => {
    const caller = from('203.0.113.5', { host: 'bot.example', authorization: `bearer ${TOKEN}` });
    expect(access(caller, settings)).toBe('granted');
  });

  it.each(['', TOKEN, `Bearer ${TOKEN}x`, `Bearer ${TOKEN} x`, `Token ${TOKEN}`])(
    'refuses "%s", local or not',
    (authorization) => {
      expect(access(saying({ authorization }), settings)).toBe('refused');
      expect(access(saying({ authorization }), { sandbox: true, token: TOKEN })).toBe('refused');
    },
  );
});

describe('over HTTP', () => {
  const message = { conversation: 'qa', text: 'hello' };

  it('answers 401 with a challenge, as a problem', async () => {
    const { post, accepted } = await startKit({ access: { sandbox: true, token: TOKEN } });
    const response = await post(message, { authorization: 'Bearer wrong' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="staff"');
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({ type: 'about:blank', title: 'Unauthorized', status: 401 });
    expect(accepted).toEqual([]);
    expect((await post(message, { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it('looks, where it is off, like a route that is not there', async () => {
    const { url, post } = await startKit({ access: { sandbox: false } });
    const hidden = await post(message);
    const absent = await fetch(`${url}/webhooks/nothing`, { method: 'POST' });
    expect([hidden.status, await hidden.text()]).toEqual([absent.status, await absent.text()]);
    expect((await fetch(`${url}/webhooks/staff/qa/events`)).status).toBe(404);
  });

  it('lets the right token pass however many wrong ones came from the same address, and those wait', async () => {
    const limits = { perMinute: 1, failures: 2 };
    const { post } = await startKit({ access: { sandbox: true, token: TOKEN }, limits });
    const wrong = { authorization: 'Bearer wrong' };
    const right = { authorization: `Bearer ${TOKEN}` };
    expect((await post(message, wrong)).status).toBe(401);
    expect((await post(message, wrong)).status).toBe(401);
    const refused = await post(message, wrong);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ title: 'Too Many Requests', status: 429 });
    expect((await post(message, right)).status).toBe(200);
    expect((await post(message, right)).status).toBe(200);
    expect((await post(message, wrong)).status).toBe(429);
  });
});
