import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { MAX_FILE_BYTES } from '../../../src/engine/messages.ts';
import { StaffFiles } from '../../../src/records/staff-files.ts';
import { connectRedis } from '../../../src/store/redis/connection.ts';
import { createRedisRecords } from '../../../src/store/redis/records.ts';
import { someEncryption } from '../../engine/bot.ts';
import { addressOf, startRedis } from '../../support/redis.ts';
import { ANY, memoryLog } from './kit.ts';

it('the largest file of staff is kept in Redis, and read by another process', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const encryption = someEncryption();
  const open = async () => {
    const connection = await connectRedis(addressOf(server.url), { log: memoryLog(), canary: ANY });
    onTestFinished(() => connection.close());
    return new StaffFiles({ store: createRedisRecords(connection), encryption });
  };
  const one = await open();
  const other = await open();
  const content = randomBytes(MAX_FILE_BYTES);
  const name = await one.keep('T1', 'n1', content);
  expect((await other.read(name))?.equals(content)).toBe(true);
});
