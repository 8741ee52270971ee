import { Cluster, Command, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { probeKeys } from './keys.ts';
import { SHARDS } from './tags.ts';

/** A node that holds data, and one of the shards that it holds. */
export type DataNode = {
  /** For operators: `host:port`, or the name that the sentinels know the master by. */
  readonly name: string;
  readonly shard: number;
  /** Its connection, where there is one now. */
  readonly redis: Redis | undefined;
};

/** The nodes that share the shards, as far as known; of a cluster that was not seen yet: none. */
export function dataNodes({ commands, masters }: RedisClient): DataNode[] {
  if (!(commands instanceof Cluster)) return [{ name: nameOf(commands), shard: 0, redis: commands }];
  const connections = new Map(masters().map((redis) => [nameOf(redis), redis]));
  const found = new Map<string, number>();
  for (let shard = 0; shard < SHARDS; shard++) found.set(ownerOf(shard, commands), shard);
  if (commands.slots.length === 0) return [];
  return [...found].map(([name, shard]) => ({ name, shard, redis: connections.get(name) }));
}

function nameOf({ options: { host, port, name } }: Redis): string {
  return name ?? `${host}:${port}`;
}

/** As `CLUSTER SLOTS` last said. */
function ownerOf(shard: number, { slots }: Cluster): string {
  return slots[slotOf(shard)]?.[0] ?? 'that nobody is';
}

/** ioredis knows how slots are computed, and tells the slot of a command's keys. */
function slotOf(shard: number): number {
  return new Command('exists', probeKeys(shard)).getSlot() ?? 0;
}
