import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Key, Listed, RecordStore, Swap, Swapped } from '../port.ts';
import { ASIDE_MS, asideOf, SHARDS, StoreUnavailable, shardOf, versionOf } from '../port.ts';
import { type DataNode, dataNodes, ignore, reasonOf } from './clients.ts';
import type { RedisConnection } from './connection.ts';

/*
 * Keys in Redis. Each begins with its shard's hash tag, so a record and its index entries share a slot.
 *
 *   {tag}<kind>:<name>   string  a record; it expires
 *   {tag}<index>         zset    members by score (ms)
 *   {tag}f:<name>        list    the feed's last events (feed.ts); it expires
 */

/** `waitReplicas`: how many replicas must acknowledge a durable swap. `onMemory`: a node's use of memory. */
export type RecordsOptions = {
  readonly waitReplicas?: number;
  readonly onMemory?: (share: number, node: string) => void;
};

/** How long replicas may take to acknowledge a swap. */
const WAIT_MS = 1000;
/**
 * Arguments of a swap that writes nothing: it expects a version that no record has, and gets what is
 * stored.
 */
const READ_ARGS = ['longer than a version', '', 0, 0];

/** Records on Redis or Redis Cluster, for any number of processes. */
export function createRedisRecords(connection: RedisConnection, options: RecordsOptions = {}): RecordStore {
  const { waitReplicas: replicas = 0 } = options;
  return {
    async read(key) {
      const answer = await connection.run({ script: 'read', keys: [storedName(key)], args: READ_ARGS });
      const { nowMs, ...found } = toSwapped(answer, false);
      // Where no record is, nothing is replaced by nothing: that counts as swapped.
      return { nowMs, bytes: found.swapped ? null : found.bytes };
    },

    async compareAndSwap(key, swap) {
      const call = toCall(key, swap);
      const isDurable = swap.durable === true;
      if (!isDurable || replicas === 0) return toSwapped(await connection.run(call), isDurable);
      const { answer, acknowledged } = await connection.runDurably(call, { replicas, waitMs: WAIT_MS });
      return toSwapped(answer, acknowledged >= replicas);
    },

    async list(index, { shard, upTo, limit }) {
      const args = [upTo === 'now' ? '' : '+inf', limit];
      return toListed(await connection.run({ script: 'list', keys: [`${TAGS[shard]}${index}`], args }));
    },

    health: createHealth(connection, options),
  };
}

/**
 * The hash tags of the shards. CRC16 is linear and the characters' low bits are the shard's, so the 256 slots
 * are 64 apart: n equal masters get at most ⌈256 / n⌉ + 1 shards each.
 */
const TAGS = Array.from({ length: SHARDS }, (_, shard) => {
  const high = String.fromCharCode(64 + (shard >> 4));
  const low = String.fromCharCode(64 + (shard & 15));
  return `{${high}-${low}0}`;
});

/** The name of a record in Redis. */
export const storedName = (key: Key): string => `${TAGS[shardOf(key)]}${key}`;

/** Keys and arguments as the head of swap.lua says. */
function toCall(key: Key, { expected, bytes, ttlMs, indexes, aside }: Swap) {
  const tag = TAGS[shardOf(key)];
  const keys = [`${tag}${key}`];
  const version = expected && versionOf(expected);
  const args = [toBuffer(version), toBuffer(bytes), ttlMs, indexes.length];
  for (const { index, member, score } of indexes) {
    keys.push(`${tag}${index}`);
    args.push(member, score ?? '');
  }
  if (aside && version !== null) {
    const broken = asideOf(key, version);
    keys.push(`${tag}${broken}`, `${tag}broken`);
    args.push(broken, ASIDE_MS);
  }
  return { script: 'swap', keys, args } as const;
}

/** The same bytes, not copied. */
const toBuffer = (bytes: Uint8Array | null): Buffer | string | number =>
  bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The scripts' answers; their head comments explain them. */
const bytesSchema = z.instanceof(Buffer);
const readSchema = z.tuple([z.number(), bytesSchema.nullable()]);
const listSchema = z.tuple([z.number(), z.number()], bytesSchema);

function toSwapped(answer: unknown, durable: boolean): Swapped {
  if (typeof answer === 'number') return { swapped: true, nowMs: answer, durable };
  const [nowMs, bytes] = readSchema.parse(answer);
  // A record has a version: no bytes are no record.
  return { swapped: false, nowMs, bytes: bytes?.length ? bytes : null };
}

function toListed(answer: unknown): Listed {
  const [nowMs, count, ...flat] = listSchema.parse(answer);
  const entries = flat.flatMap((member, at) =>
    at % 2 === 0 ? [{ member: String(member), score: Number(String(flat[at + 1])) }] : [],
  );
  return { nowMs, count, entries };
}

/** A process probes the nodes at most once in this time. */
const PROBE_EVERY_MS = 1000;
/** Once a node has answered, the others have this long. */
const GRACE_MS = 300;
/** How long replicas may take to acknowledge a probe. */
const PROBE_WAIT_MS = 200;
/** A record of 10 s that always finds its own version, and an entry that comes and goes: it always writes. */
const PROBE = ['', Buffer.from('what readiness writes'), 10_000, 2, 'probe', 0, 'probe', ''];

/** Swaps a record on each node, as a message would be swapped. */
function createHealth(connection: RedisConnection, options: RecordsOptions): RecordStore['health'] {
  const { runtime } = connection;
  const keys = TAGS.map((tag) => `${tag}probe`);
  let last: { readonly atMs: number; readonly faults: Promise<string[]> } | undefined;

  async function probeAll(): Promise<string[]> {
    const nodes = dataNodes(connection.client, keys);
    const probes = nodes.map((node) => probe(connection, node, options));
    const late = Promise.any(probes).then(async () => {
      await runtime.sleep(GRACE_MS);
      throw new StoreUnavailable('no answer');
    });
    late.catch(ignore);
    const results = await Promise.allSettled(probes.map((faults) => Promise.race([faults, late])));
    const refusals = results.flatMap((result, at) =>
      result.status === 'rejected'
        ? [`redis: node ${nodes[at]?.name} stores nothing: ${reasonIn(connection.outage ?? result.reason)}`]
        : [],
    );
    // After the probes: ioredis does not redirect commands that are sent at once if their slots moved apart.
    await Promise.race([connection.verify(), runtime.sleep(GRACE_MS)]);
    if (connection.outage === null) connection.throwIfClosed();
    if (refusals.length === nodes.length) {
      throw new StoreUnavailable(refusals.join('\n') || 'redis: no node of the cluster can be reached');
    }
    const faults = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    return [...new Set([...connection.faults(), ...refusals, ...faults])];
  }

  return () => {
    const atMs = runtime.monotonicMs();
    if (last === undefined || atMs - last.atMs >= PROBE_EVERY_MS) last = { atMs, faults: probeAll() };
    return last.faults;
  };
}

/** Rejects if the node does not store; otherwise resolves to its faults. */
async function probe(
  connection: RedisConnection,
  { key, redis, name }: DataNode,
  { waitReplicas: replicas = 0, onMemory }: RecordsOptions,
): Promise<string[]> {
  const call = { script: 'swap', keys: [key, `${key}s`, `${key}s`], args: PROBE } as const;
  const [faults, durable] = await Promise.all([
    redis ? settingFaults(redis, (share) => onMemory?.(share, name)) : [],
    replicas > 0 ? connection.runDurably(call, { replicas, waitMs: PROBE_WAIT_MS }) : null,
    connection.run(call),
  ]);
  if (durable === null || durable.acknowledged >= replicas) return faults;
  const few = `redis: ${durable.acknowledged} replicas, REDIS_WAIT_REPLICAS wants ${replicas}`;
  return [...faults, `${few}: no points can be spent`];
}

/** Settings that can lose data. None if our login may not ask for them. */
async function settingFaults(node: Redis, onMemory: (share: number) => void): Promise<string[]> {
  const info = await node.info().catch(() => '');
  const limit = Number(/^maxmemory:(\d+)/m.exec(info)?.[1]);
  const whole = limit || Number(/^total_system_memory:(\d+)/m.exec(info)?.[1]);
  if (whole > 0) onMemory(Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / whole);
  const policy = /^maxmemory_policy:([\w-]+)/m.exec(info)?.[1] ?? 'noeviction';
  const isVolatile = /^aof_enabled:0/m.test(info);
  const lossy = 'redis: appendonly is off: acknowledged messages can be lost, set appendonly yes';
  const evicting = `redis: maxmemory-policy is ${policy}: states can vanish, set maxmemory-policy noeviction`;
  return [...(isVolatile ? [lossy] : []), ...(policy === 'noeviction' ? [] : [evicting])];
}

/** Redis' own words, without its place in our script; for a full one what to do as well. */
function reasonIn(error: unknown): string {
  const reason = reasonOf(error)
    .replace(/^redis: /, '')
    .replace(/\.? script: .*/, '');
  return reason.startsWith('OOM') ? `${reason}: ${FULL}` : reason;
}
const FULL = 'its memory is full, raise maxmemory (docs/operators.md, "Redis fills")';
