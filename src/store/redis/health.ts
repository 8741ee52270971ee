import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../unavailable.ts';
import type { RedisClient } from './client.ts';
import { confirmed, reason } from './confirmed.ts';
import { probeKeys } from './keys.ts';
import { mostOf } from './most.ts';
import { type DataNode, dataNodes } from './nodes.ts';
import { runAndWait } from './wait.ts';

/** However often it is asked, a process looks once in this time. */
const EVERY_MS = 1000;
/** Once a node has answered, the others are waited for this long: a caller must not wait for a dead one. */
const GRACE_MS = 300;
/** What a probe writes is gone soon. */
const PROBE_MS = 10_000;

/** `ConversationStore.health`: writes on each node what a message writes, the way a message is written. */
export function createHealth(
  client: RedisClient,
  waitReplicas: number,
): { check(): Promise<string[]>; close(): void } {
  const replicas = waitReplicas > 0 ? watchReplicas(client, waitReplicas) : null;
  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking = false;
  let last: Promise<string[]> | undefined;

  async function look(): Promise<string[]> {
    const nodes = dataNodes(client);
    const reports = await mostOf(
      nodes.map((node) => reportOf(client, node, waitReplicas)),
      GRACE_MS,
    );
    const refusals = nodes.flatMap(({ name }, index) => {
      const report = reports[index];
      return report?.status === 'fulfilled' ? [] : [`redis: node ${name} ${refusal(client, report?.reason)}`];
    });
    if (refusals.length === nodes.length) throw new StoreUnavailable(refusals.join('\n') || NOBODY);
    // Not beside the probes: what ioredis sends at once, it does not redirect at all where the slots moved to several nodes.
    await client.recheck();
    const faults = reports.flatMap((report) => (report?.status === 'fulfilled' ? report.value : []));
    return [...new Set([...refusals, ...faults, ...((await replicas?.faults(nodes)) ?? [])])];
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
    close: () => replicas?.close(),
  };
}

const NOBODY = 'redis: no node of the cluster can be reached';

/** Rejects if the node does not store; otherwise the faults of its settings. */
async function reportOf(
  client: RedisClient,
  { shard, redis }: DataNode,
  replicas: number,
): Promise<string[]> {
  const probe = client.run('probe', probeKeys(shard), [PROBE_MS]);
  const [faults] = await Promise.all([redis ? settingFaults(redis, replicas) : [], probe]);
  return faults;
}

/** A login that may not ask for settings gets no faults about them. */
async function settingFaults(node: Redis, waitReplicas: number): Promise<string[]> {
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
  const replicas = Number(value('connected_slaves') ?? waitReplicas);
  if (replicas < waitReplicas) faults.push(tooFew(replicas, waitReplicas));
  return faults;
}

const tooFew = (replicas: number, wanted: number): string =>
  `redis: ${replicas} replicas, REDIS_WAIT_REPLICAS wants ${wanted}: no points can be spent`;

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
function refusal(client: RedisClient, error: unknown): string {
  const said = error === undefined ? 'no answer' : reason(error);
  // Commands that find no connection do not know why there is none.
  const why = client.lost() ?? said;
  return (
    REFUSALS.find(([answer]) => answer.test(why))?.[1] ?? `cannot be reached: ${why.replace(/^redis: /, '')}`
  );
}

/**
 * Whether replicas acknowledge, as an intent wants it. One that hangs is not waited for: it is reported the next time.
 */
function watchReplicas(client: RedisClient, wanted: number) {
  const connection = client.dedicated();
  let known: string[] = [];
  let asking: Promise<void> | undefined;

  async function ask(nodes: readonly DataNode[]): Promise<void> {
    const counts = await Promise.allSettled(
      nodes.map(({ shard }) => runAndWait(connection, wanted, 'probe', probeKeys(shard), [PROBE_MS])),
    );
    known = counts.flatMap((count) =>
      count.status === 'fulfilled' && count.value.acknowledged < wanted
        ? [tooFew(count.value.acknowledged, wanted)]
        : [],
    );
  }

  return {
    async faults(nodes: readonly DataNode[]): Promise<readonly string[]> {
      asking ??= ask(nodes).finally(() => {
        asking = undefined;
      });
      await mostOf([asking, soon()], 0);
      return known;
    },
    close: () => connection.disconnect(),
  };
}
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, GRACE_MS));
