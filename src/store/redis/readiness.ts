import type { Redis } from 'ioredis';
import { mostOf } from '../../engine/world.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { confirmed, type DataNode, dataNodes, type RedisConnection, reason } from './connection.ts';

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

/**
 * `RecordStore.health`: swaps a record on each node, as a message would be. `keys` are such records' names, one in each
 * slot that is used.
 */
export function createReadiness(
  connection: RedisConnection,
  waitReplicas: number,
  keys: readonly string[],
): { check(): Promise<string[]> } {
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking = false;
  let last: Promise<string[]> | undefined;

  async function look(): Promise<string[]> {
    const nodes = dataNodes(connection.commands, keys);
    const reports = await mostOf(
      nodes.map((node) => reportOf(connection, node, waitReplicas)),
      GRACE_MS,
    );
    const refusals = nodes.flatMap(({ name }, index) => {
      const report = reports[index];
      if (report?.status === 'fulfilled') return [];
      return [`redis: node ${name} ${refusal(connection, report?.reason)}`];
    });
    // Not beside the probes: what ioredis sends at once, it does not redirect at all where the slots moved to several nodes.
    await Promise.race([connection.reopen(), soon()]);
    const closed = connection.closed();
    if (closed !== null && connection.lost() === null) throw closed;
    if (refusals.length === nodes.length) throw new StoreUnavailable(refusals.join('\n') || NOBODY);
    const faults = reports.flatMap((report) => (report?.status === 'fulfilled' ? report.value : []));
    return [...new Set([...refusals, ...faults])];
  }

  return {
    check() {
      if (last !== undefined && (looking || performance.now() - lookedMs < EVERY_MS)) return last;
      lookedMs = performance.now();
      looking = true;
      last = look().finally(() => {
        looking = false;
      });
      return last;
    },
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
  const value = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
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

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, GRACE_MS));
