import { z } from 'zod';
import {
  ASIDE_MS,
  asideOf,
  type Entry,
  type Index,
  type Key,
  type Listed,
  type RecordStore,
  SHARDS,
  type Swap,
  type Swapped,
  shardOf,
} from '../port.ts';
import type { Argument, RedisConnection } from './connection.ts';
import { createReadiness } from './readiness.ts';

/*
 * What is stored where. Everything carries its shard's hash tag, so a record and its entries of indexes share a slot.
 *
 *   {tag}<kind>:<name>   string  a record; it expires
 *   {tag}<index>         zset    members by score (ms)
 *   {tag}f:<name>        list    the feed's last events (feed.ts); it expires
 *   {tag}p:<name>        hash    what the pace counts (quota.ts); it expires
 */

/**
 * The hash tag of a shard. CRC16 is linear and the characters' low bits are the shard's, so the 256 slots are 64 apart: n
 * equal masters get at most ⌈256 / n⌉ + 1 shards each.
 */
const tagOf = (shard: number): string =>
  `{${String.fromCharCode(64 + (shard >> 4))}-${String.fromCharCode(64 + (shard & 15))}0}`;
const TAGS = Array.from({ length: SHARDS }, (_, shard) => tagOf(shard));

/** What a record is called in Redis. */
export const storedName = (key: Key): string => `${TAGS[shardOf(key)]}${key}`;

/** Names what is no record, as records are named. Throws where nothing may be asked of the store. */
export const namer =
  (connection: Pick<RedisConnection, 'closed'>, kind: 'f' | 'p') =>
  (name: string): string => {
    const closed = connection.closed();
    if (closed !== null) throw closed;
    return storedName(`${kind}:${name}`);
  };
const indexName = (index: Index, shard: number): string => `${TAGS[shard]}${index}`;

/** How long replicas may take to acknowledge. */
const WAIT_MS = 1000;

/** `waitReplicas`: how many replicas must acknowledge what is to be durable. */
export type RecordsOptions = { readonly waitReplicas?: number };

/** Records on Redis or Redis Cluster, for any number of processes. */
export function createRedisRecords(
  connection: RedisConnection,
  { waitReplicas = 0 }: RecordsOptions = {},
): RecordStore {
  const readiness = createReadiness(
    connection,
    waitReplicas,
    TAGS.map((tag) => `${tag}probe`),
  );

  return {
    async read(key) {
      const [nowMs, bytes] = readSchema.parse(await connection.run('read', [storedName(key)], []));
      return { nowMs, bytes: orNull(bytes) };
    },

    async swap(key, swap) {
      const { keys, args } = swapCall(key, swap);
      if (!swap.durable || waitReplicas === 0) {
        return swappedOf(await connection.run('swap', keys, args), swap.durable === true);
      }
      const { answer, acknowledged } = await connection.runDurably('swap', keys, args, {
        replicas: waitReplicas,
        waitMs: WAIT_MS,
      });
      return swappedOf(answer, acknowledged >= waitReplicas);
    },

    async list(index, { shard, upTo, limit }) {
      const args = [upTo === 'now' ? '' : '+inf', limit];
      return listedOf(await connection.run('list', [indexName(index, shard)], args));
    },

    health: readiness.check,
    close: async () => {},
  };
}

/** What the scripts answer; their head comments say when. */
const bytesSchema = z.instanceof(Buffer);
const readSchema = z.tuple([z.number(), bytesSchema.nullable()]);
const listSchema = z.tuple([z.number(), z.number()], bytesSchema);

/** Redis tells nothing and no bytes apart; a record has a version. */
const orNull = (bytes: Buffer | null): Buffer | null => (bytes?.length ? bytes : null);

const NOTHING = Buffer.alloc(0);

function swapCall(key: Key, { expected, bytes, ttlMs, indexes, aside }: Swap) {
  const shard = shardOf(key);
  const keys = [`${TAGS[shard]}${key}`];
  const args: Argument[] = [bufferOf(expected), bufferOf(bytes), ttlMs, indexes.length];
  for (const { index, member, score } of indexes) {
    keys.push(indexName(index, shard));
    args.push(member, score ?? '');
  }
  if (aside && expected !== null) {
    const broken = asideOf(key, expected);
    keys.push(storedName(broken), indexName('broken', shard));
    args.push(broken, ASIDE_MS);
  }
  return { keys, args };
}

/** The same bytes; a view costs nothing. */
function bufferOf(bytes: Uint8Array | null): Buffer {
  if (bytes === null) return NOTHING;
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function swappedOf(answer: unknown, durable: boolean): Swapped {
  if (typeof answer === 'number') return { swapped: true, nowMs: answer, durable };
  const [nowMs, bytes] = readSchema.parse(answer);
  return { swapped: false, nowMs, bytes: orNull(bytes) };
}

function listedOf(answer: unknown): Listed {
  const [nowMs, count, ...flat] = listSchema.parse(answer);
  const entries: Entry[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    entries.push({ member: String(flat[at]), score: Number(String(flat[at + 1])) });
  }
  return { nowMs, count, entries };
}
