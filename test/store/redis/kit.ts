import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';
import type { Log } from '../../../src/observability/log.ts';
import type { Canary } from '../../../src/store/encryption.ts';
import type { Key, RecordStore, Swap } from '../../../src/store/port.ts';
import {
  type ConnectionOptions,
  connectRedis,
  type RedisConnection,
} from '../../../src/store/redis/connection.ts';
import { createRedisRecords, type RecordsOptions, storedName } from '../../../src/store/redis/records.ts';
import { record, someKey, swapOf } from '../../contract/records.ts';
import { addressOf, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts';

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

/** Any store is good for this process. */
export const ANY: Canary = (value) => value ?? 'test';

/** A process with its own connections and store. */
export async function openRecords(
  url: string,
  {
    log = memoryLog(),
    canary = ANY,
    runtime,
    onEmptied,
    ...options
  }: RecordsOptions & Partial<ConnectionOptions> = {},
): Promise<{ connection: RedisConnection; store: RecordStore }> {
  const connection = await connectRedis(addressOf(url), { log, canary, runtime, onEmptied });
  onTestFinished(() => connection.close());
  return { connection, store: createRedisRecords(connection, options) };
}

/** Writes a new record. */
export const create = (store: RecordStore, over: Partial<Swap> = {}, key: Key = someKey()) =>
  store.compareAndSwap(key, swapOf({ bytes: record('new'), ...over }));

/** A record that is there. */
export async function stored(store: RecordStore, over: Partial<Swap> = {}, key: Key = someKey()) {
  const before = record('before');
  const swapped = await create(store, { bytes: before, ...over }, key);
  expect(swapped).toMatchObject({ swapped: true, durable: over.durable ?? false });
  return { key, before };
}

/** A connection that asks Redis itself, whatever becomes of it. */
export function adminOf({ port }: Pick<RedisServer, 'port'>): Redis {
  const admin = new Redis(port).on('error', () => {});
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** A cluster with a process on it, and what tells which of its masters has a key. */
export async function openCluster({
  replicated = false,
  ...options
}: RecordsOptions & { replicated?: boolean }) {
  const cluster = stopAtEnd(await startRedisCluster({ replicated }));
  const admins = cluster.nodes.map(adminOf);
  const slotOf = async (key: Key): Promise<number> =>
    Number(await admins[1]?.cluster('KEYSLOT', storedName(key)));
  const masterOf = (slot: number): number => Math.floor(slot / (16_384 / 3));
  async function keyOf(master: number): Promise<Key> {
    const key = someKey();
    return masterOf(await slotOf(key)) === master ? key : keyOf(master);
  }
  return { ...cluster, ...(await openRecords(cluster.url, options)), admins, slotOf, masterOf, keyOf };
}
