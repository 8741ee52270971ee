import { onTestFinished } from 'vitest';
import type { Log } from '../../../src/observe.ts';
import type { RecordStore } from '../../../src/store/port.ts';
import { connectRedis, type RedisConnection } from '../../../src/store/redis/connection.ts';
import type { Word } from '../../../src/store/redis/opening.ts';
import { createRedisRecords, type RecordsOptions } from '../../../src/store/redis/records.ts';
import { addressOf } from '../../support/redis.ts';
import { memoryLog } from './kit.ts';

/** A process with connections and a store of its own. */
export async function openRecords(
  url: string,
  { log = memoryLog(), keys, ...options }: RecordsOptions & { log?: Log; keys?: Word } = {},
): Promise<{ connection: RedisConnection; store: RecordStore }> {
  const connection = await connectRedis(addressOf(url), log, { keys });
  onTestFinished(() => connection.close());
  return { connection, store: createRedisRecords(connection, options) };
}
