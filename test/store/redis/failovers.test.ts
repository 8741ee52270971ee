import { expect, test, vi } from 'vitest';
import { type Key, StoreUnavailable } from '../../../src/store/port.ts';
import { bytesOf, record, replacing, someKey } from '../../contract/records.ts';
import { asAdmin, startRedisPair, startRedisSentinels } from '../../support/failover.ts';
import { inTime } from '../../support/in-time.ts';
import { create, memoryLog, openCluster, openRecords, ownRedis, stopAtEnd, stored } from './kit.ts';

/* Who is the master changes: alone behind one address, behind sentinels, in a cluster. */

test('a process leaves a master that became a replica, with every connection, and finds all its records', async () => {
  const pair = stopAtEnd(await startRedisPair());
  const { store } = await openRecords(pair.url, { waitReplicas: 1 });
  const { key, before } = await stored(store, { durable: true });
  const next = record('next');

  await pair.failOver();
  await expect(create(store)).rejects.toThrow(/READONLY/);
  await expect.poll(() => store.health()).toEqual([]);
  expect(bytesOf(await store.read(key))).toEqual(before);
  const swap = replacing(before, { bytes: next, durable: true });
  expect(await store.compareAndSwap(key, swap)).toMatchObject({ swapped: true, durable: true });
  // Nobody of ours stays behind.
  const left = () =>
    asAdmin(pair.replica, async (admin) =>
      String(await admin.call('CLIENT', 'LIST', 'TYPE', 'NORMAL')).match(/^id=/gm),
    );
  await expect.poll(left).toHaveLength(1);
});

test('a client that ended, for example by a failover during its login, connects again', async () => {
  const { connection, store } = await openRecords((await ownRedis()).url);
  connection.client.disconnect();
  const swap = () => create(store);
  await expect(swap()).rejects.toBeInstanceOf(StoreUnavailable);
  await expect.poll(() => swap().catch(() => null)).toMatchObject({ swapped: true });
});

test('a master that dies is left for the one that its sentinels promote', async () => {
  const sentinels = stopAtEnd(await startRedisSentinels());
  const { store } = await openRecords(sentinels.url, { waitReplicas: 1 });
  const { key, before } = await stored(store, { durable: true });

  const [first] = sentinels.servers;
  await first.kill();
  await sentinels.promotedOver(first);
  await expect.poll(async () => bytesOf(await store.read(key))).toEqual(before);
  const swap = replacing(before, { bytes: record('after'), durable: true });
  // The promoted one has no replica.
  await expect.poll(() => store.compareAndSwap(key, swap)).toMatchObject({ swapped: true, durable: false });
});

test('the login of a URL with sentinels is for Redis, not for them; theirs is in the query', async () => {
  const sentinels = stopAtEnd(await startRedisSentinels());
  for (const port of sentinels.sentinelPorts) {
    await asAdmin({ port }, (admin) => admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>theirs'));
  }
  for (const server of sentinels.servers) {
    await asAdmin(server, (admin) => admin.config('SET', 'requirepass', 'ours'));
  }
  const log = memoryLog();
  const url = sentinels.url.replace('//', '//:ours@');
  const { store } = await openRecords(`${url}?sentinelPassword=theirs`, { log });
  expect(await create(store)).toMatchObject({ swapped: true });
  const { store: refused } = await openRecords(url, { log });
  await expect(refused.read(someKey())).rejects.toBeInstanceOf(StoreUnavailable);
  await vi.waitFor(() => expect(log.lines.join()).toMatch(/Redis cannot be reached at .*sentinels/));
  expect(log.lines.join()).not.toMatch(/ours|theirs/);
});

test('a cluster without one node serves the others, names the fault, and recovers', async () => {
  const { nodes, store, keyOf } = await openCluster({});
  const lost = await keyOf(0);
  const kept = await keyOf(1);
  const [gone] = nodes;

  await gone?.kill();
  await expect(inTime(2000, () => create(store, {}, lost))).rejects.toBeInstanceOf(StoreUnavailable);
  expect(await inTime(500, () => create(store, {}, kept))).toMatchObject({ swapped: true });
  await expect.poll(() => store.health()).toEqual([expect.stringMatching(/^redis: node 127\.0\.0\.1:\d+ /)]);

  await gone?.start();
  await expect.poll(() => create(store, {}, lost)).toMatchObject({ swapped: true });
  await expect.poll(() => store.health()).toEqual([]);
});

/** A cluster, and what moves a key's slot from its master to the next one. */
async function openMovable() {
  const opened = await openCluster({ waitReplicas: 1 });
  const { nodes, admins, slotOf, masterOf } = opened;
  const ids = await Promise.all(admins.map((admin) => admin.call('CLUSTER', 'MYID')));
  async function move(key: Key): Promise<void> {
    const slot = await slotOf(key);
    const from = masterOf(slot);
    const to = (from + 1) % 3;
    await admins[to]?.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids[from]));
    await admins[from]?.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(ids[to]));
    const keys = await admins[from]?.call('CLUSTER', 'GETKEYSINSLOT', slot, 100);
    for (const one of Array.isArray(keys) ? keys : []) {
      await admins[from]?.call('MIGRATE', '127.0.0.1', nodes[to]?.port ?? 0, String(one), 0, 1000);
    }
    for (const index of [to, from, 3 - to - from]) {
      await admins[index]?.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(ids[to]));
    }
  }
  return { ...opened, move };
}

test('a record that moves to another node goes on there, durably too', async () => {
  const { store, move } = await openMovable();
  const { key, before } = await stored(store);
  const next = record('next');
  await move(key);
  const swap = replacing(before, { bytes: next, durable: true });
  await expect.poll(() => store.compareAndSwap(key, swap)).toMatchObject({ swapped: true, durable: false });
  expect(bytesOf(await store.read(key))).toEqual(next);
});

test('commands that leave together arrive, even if the records of some have moved to another node', async () => {
  const { store, move, keyOf } = await openMovable();
  const create = async () => stored(store, {}, await keyOf(0));
  const moved = await create();
  const stayed = await Promise.all([create(), create(), create()]);
  await move(moved.key);
  const all = [...stayed, moved, ...stayed];
  const found = await Promise.all(all.map(({ key }) => store.read(key)));
  expect(found.map(bytesOf)).toEqual(all.map(({ before }) => before));
});
