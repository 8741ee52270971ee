import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { VERSION } from '../../../src/conversation/upgrades.ts';
import { keysOf } from '../../../src/store/redis/keys.ts';
import { all, bodies, someName, turn } from '../../contract/store/kit.ts';
import { openProcess, ownRedis } from './kit.ts';

/** As version 2 wrote it, which did not say its version. */
const HEAD = {
  id: '243-be16fb618d2d45d9',
  conversation: 'niVVLlEMVI2DqT7zbdQwCQ',
  atMs: 1_795_663_340_222,
  reason: 'threw',
};

test('letters say their version, and those of before they did are listed and taken all the same', async () => {
  const { port, url } = await ownRedis();
  const admin = new Redis(port);
  onTestFinished(() => admin.disconnect());
  const { store } = await openProcess(url);
  await admin.rpush(keysOf(2).dead(243), `${JSON.stringify(HEAD)}\nhello`);
  const [body = Buffer.alloc(0)] = bodies('hello');

  expect(await all(store.deadLetters())).toEqual([{ ...HEAD, body }]);
  expect(await store.takeDeadLetter(HEAD.id)).toEqual({ ...HEAD, body });
  expect(await all(store.deadLetters())).toEqual([]);

  await turn(store, someName(), { dead: [{ reason: 'threw', body }] });
  const [key = ''] = await admin.keys('*dead');
  expect(JSON.parse((await admin.lindex(key, 0))?.split('\n')[0] ?? '')).toMatchObject({ v: VERSION });
});
