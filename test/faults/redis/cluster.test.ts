import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import type { RedisClient } from '../../../src/store/redis/client.ts';
import { shardOf } from '../../../src/store/redis/keys.ts';
import { StoreUnavailable } from '../../../src/store/unavailable.ts';
import { message, someName } from '../../contract/store/kit.ts';
import { openProcess, stopAtEnd } from '../../store/redis/kit.ts';
import { inTime } from '../../support/in-time.ts';
import { startRedisCluster } from '../../support/redis.ts';

const slotOf = async (client: RedisClient, conversation: string): Promise<number> =>
  Number(await client.commands.cluster('KEYSLOT', client.keys().conversation(conversation).own[0] ?? ''));

/** Which of the three nodes serves a slot at first. */
const ownerOf = (slot: number): number => Math.floor(slot / (16_384 / 3));

test('a cluster without one node serves the others, names the fault, and recovers', async () => {
  const { url, nodes } = stopAtEnd(await startRedisCluster());
  await Promise.all(
    nodes.map(async ({ port }) => {
      const admin = new Redis(port);
      await admin.config('SET', 'cluster-require-full-coverage', 'no');
      admin.disconnect();
    }),
  );
  const { client, store } = await openProcess(url);
  const [gone] = nodes;
  const names = Array.from({ length: 30 }, someName);
  const owners = await Promise.all(names.map(async (name) => ownerOf(await slotOf(client, name))));
  const lost = names[owners.indexOf(0)] ?? '';
  const kept = names[owners.indexOf(1)] ?? '';

  await gone?.kill();
  const refused = inTime(2000, () => store.accept(message(lost, 'no')));
  await expect(refused).rejects.toBeInstanceOf(StoreUnavailable);
  expect((await store.accept(message(kept, 'yes'))).kind).toBe('leased');
  // The client may be finding its way round the dead node just now; a process sweeps twice a second.
  await expect.poll(() => store.claim(10)).toBeDefined();

  await gone?.start();
  await expect.poll(() => store.accept(message(lost, 'yes'))).toMatchObject({ kind: 'leased' });
  await expect.poll(() => store.health()).toEqual([]);
  expect(client.masters()).toHaveLength(3);
});

test('a conversation that moves to another node goes on there', async () => {
  const { url, nodes } = stopAtEnd(await startRedisCluster());
  const { client, store } = await openProcess(url);
  const conversation = someName();
  expect((await store.accept(message(conversation, 'one'))).kind).toBe('leased');

  const slot = await slotOf(client, conversation);
  const admins = nodes.map(({ port }) => new Redis(port));
  const ids = await Promise.all(admins.map((admin) => admin.call('CLUSTER', 'MYID')));
  const from = ownerOf(slot);
  const to = (from + 1) % 3;
  await admins[to]?.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids[from]));
  await admins[from]?.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(ids[to]));
  const keys = await admins[from]?.call('CLUSTER', 'GETKEYSINSLOT', slot, 100);
  for (const key of Array.isArray(keys) ? keys : []) {
    await admins[from]?.call('MIGRATE', '127.0.0.1', nodes[to]?.port ?? 0, String(key), 0, 1000);
  }
  for (const index of [to, from, 3 - to - from]) {
    await admins[index]?.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(ids[to]));
  }
  for (const admin of admins) admin.disconnect();

  expect(await store.accept(message(conversation, 'two'))).toEqual({ kind: 'queued' });
});

test('shards never change', () => {
  expect(['', 'a', 'conversation', 'Q2hhdCA3'].map(shardOf)).toEqual([0, 67, 233, 110]);
});
