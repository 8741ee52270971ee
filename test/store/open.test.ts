import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { StoreRefused } from '../../src/store/port.ts';
import type { Word } from '../../src/store/redis/connection.ts';
import { bytesOf, record, someKey, swapOf } from '../contract/records.ts';
import { addressOf } from '../support/redis.ts';
import { memoryLog, ownRedis } from './redis/kit.ts';

const observe = { log: memoryLog(), command: () => {} };
const word: Word = { make: () => 'ours', verify: () => null };

test.each(['the memory of this process', 'a Redis'])('opens %s: records, feed and counts', async (where) => {
  const redis =
    where === 'a Redis' ? { address: addressOf((await ownRedis()).url), waitReplicas: 0 } : undefined;
  const { records, feed, openQuota, close } = await openStore(redis, word, observe);
  onTestFinished(close);
  const [key, one] = [someKey(), record('one')];
  await records.swap(key, swapOf({ bytes: one }));
  expect(bytesOf(await records.read(key))).toEqual(one);
  await feed.publish('conversation', { seq: 1, body: Buffer.from('told') });
  expect(await openQuota('bot', 30).take({ sent: 0, wanted: 1, withinMs: 1500 })).toMatchObject({
    granted: 1,
  });
});

test('refuses a Redis that has other keys', async () => {
  const redis = { address: addressOf((await ownRedis()).url), waitReplicas: 0 };
  await (await openStore(redis, word, observe)).close();
  const others: Word = {
    make: () => 'theirs',
    verify() {
      throw new StoreRefused('STATE_KEY: …');
    },
  };
  await expect(openStore(redis, others, observe)).rejects.toBeInstanceOf(StoreRefused);
});
