import { expect, it } from 'vitest';
import type { Caller } from '../../src/http/guard.ts';
import { access } from '../../src/http/guard.ts';
import { startKit } from '../channels/staff/kit.ts';

const TOKEN = 'a-token-of-some-length';
const LOCAL: Caller = { peer: '127.0.0.1', headers: { host: 'localhost:3000' } };

const from = (peer: string, headers: Caller['headers'] = LOCAL.headers): Caller => ({ peer, headers });
const host = (name: string, peer = '127.0.0.1') => from(peer, { host: name });
const saying = (headers: Caller['headers']) => from('127.0.0.1', { ...LOCAL.headers, ...headers });

it.each([
  host('localhost:3000'),
  host('[::1]:3000', '::1'),
  host('LOCALHOST:80', '::ffff:127.0.0.1'),
  saying({ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-origin' }),
])('without a token, the sandbox is open to this machine: %j', (caller) => {
  expect(access(caller, { sandbox: true })).toEqual({});
});

const others = ['', '10.0.0.7', '::ffff:10.0.0.7', 'fe80::1'];
const hosts = 'localhost.evil.example localhost@evil.example 127.0.0.1.evil.example 0.0.0.0 2130706433';
const proxies = 'forwarded x-forwarded-for x-real-ip via cf-connecting-ip';
it.each([
  ...others.map((peer) => from(peer)),
  ...[...hosts.split(' '), ''].map((name) => host(name)),
  from('127.0.0.1', {}),
  ...proxies.split(' ').map((header) => saying({ [header]: '' })),
  ...['https://evil.example', 'null', 'http://localhost:8080'].map((origin) => saying({ origin })),
  saying({ 'sec-fetch-site': 'cross-site' }),
])(
  'without a token, the sandbox is absent for other machines, a proxy and the page of another site: %j',
  (caller) => {
    expect(access(caller, { sandbox: true })).toBe('absent');
  },
);

it('without a token staff routes are absent once the bot has a public address, or AntCRM is real', () => {
  expect(access(LOCAL, { sandbox: true, publicUrl: 'https://bot.example' })).toBe('absent');
  expect(access(saying({ authorization: 'Bearer ' }), { sandbox: false, token: '' })).toBe('absent');
});
it('with a token only its holder gets in, from anywhere', () => {
  const settings = { sandbox: false, token: TOKEN, publicUrl: 'https://bot.example' };
  const holder = from('203.0.113.5', { host: 'bot.example', authorization: `bearer ${TOKEN}` });
  expect(access(holder, settings)).toEqual({});
  for (const authorization of ['', TOKEN, `Bearer ${TOKEN}x`, `Bearer ${TOKEN} x`, `Token ${TOKEN}`])
    for (const each of [settings, { sandbox: true, token: TOKEN }])
      expect([authorization, access(saying({ authorization }), each)]).toEqual([authorization, 'refused']);
});

it('over HTTP the right token passes however many wrong ones came and were told to wait', async () => {
  const { post, accepted } = await startKit({ access: { sandbox: true, token: TOKEN } });
  const statuses: number[] = [];
  for (const token of [...Array.from({ length: 31 }, () => 'wrong'), TOKEN, TOKEN, 'wrong']) {
    const message = { conversation: 'qa', text: 'hello' };
    statuses.push((await post(message, { authorization: `Bearer ${token}` })).status);
  }
  expect(statuses.slice(29)).toEqual([401, 429, 200, 200, 429]);
  expect(accepted).toHaveLength(2);
});
