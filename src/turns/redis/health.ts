import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { confirmed } from './confirmed.ts';

/** Rejects if no node answers; otherwise what an operator should put right, one line each. */
export async function redisFaults(client: RedisClient, waitReplicas: number): Promise<string[]> {
  const nodes = client.masters();
  const answers = await Promise.allSettled(nodes.map(infoOf));
  const [first] = answers;
  if (first === undefined) await confirmed(client.commands.ping());
  else if (first.status === 'rejected' && answers.every(({ status }) => status === 'rejected'))
    throw first.reason;

  const faults = answers.flatMap((answer, index) =>
    answer.status === 'fulfilled'
      ? nodeFaults(answer.value, waitReplicas)
      : [`redis: node ${address(nodes[index])} cannot be reached`],
  );
  if (client.commands.isCluster && (await clusterState(client)) !== 'ok') {
    faults.push('redis: the cluster is not ok, some conversations wait: see CLUSTER INFO');
  }
  return [...new Set(faults)];
}

/** Redis answers INFO while it still loads its data, but not PING. */
async function infoOf(node: Redis): Promise<string> {
  const [, info] = await confirmed(Promise.all([node.ping(), node.info()]));
  return info;
}

function nodeFaults(info: string, waitReplicas: number): string[] {
  const value = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
  const faults: string[] = [];
  if (value('aof_enabled') !== '1') {
    faults.push('redis: appendonly is off: acknowledged messages can be lost, set appendonly yes');
  } else if (value('aof_last_write_status') !== 'ok') {
    faults.push('redis: the append-only file cannot be written: look at the disk');
  }
  const policy = value('maxmemory_policy');
  if (policy !== 'noeviction') {
    faults.push(`redis: maxmemory-policy is ${policy}: states can vanish, set maxmemory-policy noeviction`);
  }
  const replicas = Number(value('connected_slaves'));
  if (replicas < waitReplicas) {
    faults.push(
      `redis: ${replicas} replicas, REDIS_WAIT_REPLICAS wants ${waitReplicas}: no points can be spent`,
    );
  }
  return faults;
}

async function clusterState(client: RedisClient): Promise<string> {
  const info = String(await confirmed(client.commands.cluster('INFO')));
  return /^cluster_state:(\w+)/m.exec(info)?.[1] ?? '';
}

const address = (node: Redis | undefined): string => `${node?.options.host}:${node?.options.port}`;
