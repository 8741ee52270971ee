import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { Log } from '../../../src/observability/log.ts';
import type { RecordStore } from '../../../src/store/port.ts';
import { connectRedis, type RedisConnection, type Word } from '../../../src/store/redis/connection.ts';
import { createRedisRecords, type RecordsOptions } from '../../../src/store/redis/records.ts';
import { type RedisProxy, startRedisProxy } from '../../support/proxy.ts';
import { addressOf, type RedisServer, startRedis } from '../../support/redis.ts';

/** A log that keeps its lines. */
export function memoryLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: object, message: string): void => {
    lines.push(`${JSON.stringify(fields)} ${message}`);
  };
  return { lines, debug: keep, info: keep, warn: keep, error: keep };
}

/** Something that is stopped when the test has finished. */
export function stopAtEnd<Part extends { stop(): Promise<void> }>(part: Part): Part {
  onTestFinished(() => part.stop());
  return part;
}

export const ownRedis = async (...settings: string[]): Promise<RedisServer> =>
  stopAtEnd(await startRedis(...settings));

export const ownProxy = async (port: number): Promise<RedisProxy> => stopAtEnd(await startRedisProxy(port));

/** For a process that any store is good for. */
export const ANY: Word = { make: () => 'test', verify: () => null };

/** A process with connections and a store of its own. */
export async function openRecords(
  url: string,
  { log = memoryLog(), word = ANY, ...options }: RecordsOptions & { log?: Log; word?: Word } = {},
): Promise<{ connection: RedisConnection; store: RecordStore }> {
  const connection = await connectRedis(addressOf(url), log, { word });
  onTestFinished(() => connection.close());
  return { connection, store: createRedisRecords(connection, options) };
}

/** A connection that asks Redis itself, whatever becomes of it. */
export function adminOf({ port }: Pick<RedisServer, 'port'>): Redis {
  const admin = new Redis(port).on('error', () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}
