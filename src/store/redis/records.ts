import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
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
  StoreUnavailable,
  type Swap,
  type Swapped,
  shardOf,
} from '../port.ts';
import {
  type Argument,
  confirmed,
  type DataNode,
  dataNodes,
  type RedisConnection,
  reason,
} from './connection.ts';

/*
 * What is stored where. Everything carries its shard's hash tag, so a record and its entries of indexes share a slot.
 *
 *   {tag}<kind>:<name>   string  a record; it expires
 *   {tag}<index>         zset    members by score (ms)
 *   {tag}f:<name>        list    the feed's last events (subscriber.ts); it expires
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
  return {
    async read(key) {
      const answer = swappedOf(await connection.run('read', [storedName(key)], READ), false);
      return { nowMs: answer.nowMs, bytes: answer.swapped ? null : answer.bytes };
    },

    async compareAndSwap(key, swap) {
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

    health: createReadiness(connection, waitReplicas),
  };
}

/** A swap of nothing: where there is a record, it expects another one, and is told what is there. */
const READ = ['longer than a version', '', 0, 0] as const;

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

/** However often it is asked, a process looks once in this time. */
const EVERY_MS = 1000;
/** Once a node has answered, the others are waited for this long: a caller must not wait for a dead one. */
const GRACE_MS = 300;
/** How long replicas may take to acknowledge a probe: less than a caller waits for other nodes. */
const REPLICAS_MS = 200;
/** What a probe writes is gone soon. */
const PROBE_MS = 10_000;
/** Always the same record, which always finds its own version, and an entry that goes as it comes: it always writes. */
const PROBE = ['', Buffer.from('what readiness writes'), PROBE_MS, 2, 'probe', 0, 'probe', ''] as const;
const probeKeys = (key: string): string[] => [key, `${key}s`, `${key}s`];

/** Swaps a record on each node, as a message would be. */
function createReadiness(connection: RedisConnection, waitReplicas: number): RecordStore['health'] {
  const keys = TAGS.map((tag) => `${tag}probe`);
  let last: { readonly atMs: number; readonly faults: Promise<string[]> } | undefined;

  async function look(): Promise<string[]> {
    const nodes = dataNodes(connection.commands, keys);
    const faults: string[] = [];
    const healthy = new Set<DataNode>();
    const errors = new Map<DataNode, unknown>();
    const asked = nodes.map(async (node) => {
      try {
        faults.push(...(await reportOf(connection, node, waitReplicas)));
        healthy.add(node);
      } catch (error) {
        errors.set(node, error);
        throw error;
      }
    });
    await Promise.race([Promise.allSettled(asked), Promise.any(asked).then(soon, soon)]);
    const refusals = nodes
      .filter((node) => !healthy.has(node))
      .map((node) => `redis: node ${node.name} ${refusal(connection, errors.get(node))}`);
    // Not beside the probes: what ioredis sends at once, it does not redirect at all where the slots moved to several nodes.
    await Promise.race([connection.reopen(), soon()]);
    const closed = connection.closed();
    if (closed !== null && connection.lost() === null) throw closed;
    if (refusals.length === nodes.length) throw new StoreUnavailable(refusals.join('\n') || NOBODY);
    return [...new Set([...refusals, ...faults])];
  }

  return () => {
    const atMs = performance.now();
    if (last === undefined || atMs - last.atMs >= EVERY_MS) last = { atMs, faults: look() };
    return last.faults;
  };
}

const NOBODY = 'redis: no node of the cluster can be reached';

/** Rejects if the node does not store; otherwise its faults. */
async function reportOf(
  connection: RedisConnection,
  { key, redis }: DataNode,
  replicas: number,
): Promise<string[]> {
  const [faults, acknowledged] = await Promise.all([
    redis ? settingFaults(redis) : [],
    replicas > 0
      ? connection.runDurably('swap', probeKeys(key), PROBE, { replicas, waitMs: REPLICAS_MS })
      : null,
    connection.run('swap', probeKeys(key), PROBE),
  ]);
  if (acknowledged === null || acknowledged.acknowledged >= replicas) return faults;
  const few = `redis: ${acknowledged.acknowledged} replicas, REDIS_WAIT_REPLICAS wants ${replicas}`;
  return [...faults, `${few}: no points can be spent`];
}

/** A login that may not ask for settings gets no faults about them. */
async function settingFaults(node: Redis): Promise<string[]> {
  const info = await confirmed(node.info()).catch(() => '');
  const lines = info.split(/\r?\n/).map((line) => line.split(':'));
  const value = (name: string): string | undefined => lines.find(([one]) => one === name)?.[1];
  const faults: string[] = [];
  if (value('aof_enabled') === '0') {
    faults.push('redis: appendonly is off: acknowledged messages can be lost, set appendonly yes');
  }
  const policy = value('maxmemory_policy') ?? 'noeviction';
  if (policy !== 'noeviction') {
    faults.push(`redis: maxmemory-policy is ${policy}: states can vanish, set maxmemory-policy noeviction`);
  }
  return faults;
}

/** What a node answers when it does not store, and what an operator should put right. */
const REFUSALS: readonly [answer: RegExp, what: string][] = [
  [/\b(READONLY|MASTERDOWN)\b/, 'is a replica and stores nothing: lead REDIS_URL to the master'],
  [/\bOOM\b/, 'is full and stores nothing: raise maxmemory, or look at what fills it'],
  [/\bNOREPLICAS\b/, 'stores nothing: fewer replicas than min-replicas-to-write'],
  [/\bMISCONF\b/, 'cannot write to its disk and stores nothing: look at the disk'],
  [/\bLOADING\b/, 'loads its data'],
  [/\bCLUSTERDOWN\b/, 'stores nothing: its cluster is not whole, see CLUSTER INFO'],
  [/\b(NOPERM|NOAUTH|WRONGPASS)\b/, 'refuses our login: give it the rights that the bot needs'],
];

/** `error` is undefined where the node had not answered when others had. */
function refusal(connection: RedisConnection, error: unknown): string {
  const said = error === undefined ? 'no answer' : reason(error);
  // Commands that find no connection do not know why there is none.
  const why = connection.lost() ?? said;
  return (
    REFUSALS.find(([answer]) => answer.test(why))?.[1] ?? `cannot be reached: ${why.replace(/^redis: /, '')}`
  );
}

const soon = (): Promise<void> => delay(GRACE_MS);
