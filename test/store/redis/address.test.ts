import { expect, test } from 'vitest';
import { parseRedisUrl, placesOf } from '../../../src/store/redis/address.ts';

const plain = { tls: false, login: {}, db: 0 };

test.for([
  ['redis://a', { ...plain, kind: 'server', server: { host: 'a', port: 6379 } }],
  [
    'rediss://me:p%40ss@[::1]:7000/3',
    {
      ...{ kind: 'server', server: { host: '::1', port: 7000 }, tls: true, db: 3 },
      login: { username: 'me', password: 'p@ss' },
    },
  ],
  [
    'redis://:pw@a:1, b:2,redis://c',
    {
      ...{ ...plain, kind: 'cluster', login: { password: 'pw' } },
      nodes: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: 'c', port: 6379 },
      ],
    },
  ],
  [
    'redis+sentinel://a,b:2,[::1]:3/chat',
    {
      ...{ ...plain, kind: 'sentinel', master: 'chat', sentinelLogin: {} },
      sentinels: [
        { host: 'a', port: 26_379 },
        { host: 'b', port: 2 },
        { host: '::1', port: 3 },
      ],
    },
  ],
  [
    'rediss+sentinel://me:p%40ss,word@a:1/chat/2?sentinelUsername=you&sentinelPassword=s%26cret',
    {
      ...{ kind: 'sentinel', master: 'chat', sentinels: [{ host: 'a', port: 1 }], tls: true, db: 2 },
      login: { username: 'me', password: 'p@ss,word' },
      sentinelLogin: { username: 'you', password: 's&cret' },
    },
  ],
])('%s is read', ([written, address]) => {
  expect(parseRedisUrl(String(written))).toEqual(address);
});

test.for([
  'http://a',
  'redis://',
  'redis://:port',
  'redis://a,http://b',
  'redis://a:99999',
  'redis+sentinel://a:1,b:2',
  'redis+sentinel://a:1/',
  'redis+sentinel:///chat',
  'redis+sentinel://a:1,,b:2/chat',
  'redis+sentinel://a:1/chat/first',
  'redis+sentinel://a:1/chat?password=x',
  'redis+sentinel://a:1/%E0%A4',
  'redis://%E0%A4@a',
])('%s is refused', (written) => {
  expect(parseRedisUrl(written)).toBeNull();
});

test('places name no login', () => {
  const places = ['redis://me:pw@[::1]/1', 'redis://me:pw@a,b:1', 'redis+sentinel://me:pw@a,b:1/chat'].map(
    (written) => {
      const address = parseRedisUrl(written);
      return address && placesOf(address);
    },
  );
  expect(places).toEqual(['[::1]:6379', 'a:6379, b:1', 'chat of the sentinels a:26379, b:1']);
});
