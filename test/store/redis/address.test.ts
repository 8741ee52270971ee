import { expect, test } from 'vitest';
import { parseRedisUrl, placesOf } from '../../../src/store/redis/address.ts';

const plain = { tls: false, login: { username: '', password: '' }, db: 0 };
const at = (host: string, port: number) => ({ host, port });

test.for([
  [
    'rediss://me:p%40ss@[::1]:7000/3',
    {
      kind: 'server',
      server: at('::1', 7000),
      tls: true,
      db: 3,
      login: { username: 'me', password: 'p@ss' },
    },
    '[::1]:7000',
  ],
  [
    'redis://:pw@a:1, b:2,redis://c',
    {
      ...plain,
      kind: 'cluster',
      login: { username: '', password: 'pw' },
      nodes: [at('a', 1), at('b', 2), at('c', 6379)],
    },
    'a:1, b:2, c:6379',
  ],
  [
    'rediss+sentinel://me:p%40ss,word@a,[::1]:3/chat/2?sentinelUsername=you&sentinelPassword=s%26cret',
    {
      kind: 'sentinel',
      master: 'chat',
      sentinels: [at('a', 26_379), at('::1', 3)],
      tls: true,
      db: 2,
      login: { username: 'me', password: 'p@ss,word' },
      sentinelLogin: { username: 'you', password: 's&cret' },
    },
    'chat of the sentinels a:26379, [::1]:3',
  ],
] as const)('%s is read, and its places name no login', ([written, address, places]) => {
  const read = parseRedisUrl(written);
  expect(read).toEqual(address);
  expect(read && placesOf(read)).toBe(places);
});

test.for([
  'http://a',
  'redis://',
  'redis://a,http://b',
  'redis://a:99999',
  'redis+sentinel://a:1,b:2',
  'redis+sentinel:///chat',
  'redis+sentinel://a:1,,b:2/chat',
  'redis+sentinel://a:1/chat?password=x',
  'redis+sentinel://a:1/%E0%A4',
])('%s is refused', (written) => {
  expect(parseRedisUrl(written)).toBeNull();
});
