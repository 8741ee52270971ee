import { expect, test } from 'vitest';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { bytesOf, record, replacing, someKey, swapOf } from '../../contract/records.ts';
import { startRedisPair } from '../../support/failover.ts';
import { inTime } from '../../support/in-time.ts';
import { create, openCluster, openRecords, stopAtEnd, stored } from './kit.ts';

/* `REDIS_WAIT_REPLICAS`: what a swap promises as durable, a failover does not lose. */

/** A Redis with one replica that follows it. */
async function openPair() {
  const { replica, proxy, url } = stopAtEnd(await startRedisPair());
  return { replica, proxy, url, ...(await openRecords(url, { waitReplicas: 1 })) };
}

const DURABLE = { durable: true };
const durable = (bytes: Buffer) => swapOf({ bytes, durable: true });

test('a swap is durable if enough replicas acknowledged it; too few replicas are a fault that operators see', async () => {
  const { store, url } = await openPair();
  expect(await store.health()).toEqual([]);
  expect(await create(store, DURABLE)).toMatchObject({ swapped: true, durable: true });
  const { store: wantsTwo } = await openRecords(url, { waitReplicas: 2 });
  expect(await create(wantsTwo, DURABLE)).toMatchObject({ durable: false });
  expect(await wantsTwo.health()).toEqual([expect.stringContaining('REDIS_WAIT_REPLICAS wants 2')]);
});

test('a swap without acknowledgement executes but is not durable, and holds up no other record', async () => {
  const { replica, store } = await openPair();
  await create(store, DURABLE);
  replica.pause();
  const key = someKey();
  const two = record('two');
  const answered: string[] = [];
  const asks = async <T>(what: string, ask: Promise<T>): Promise<T> => ask.finally(() => answered.push(what));
  const [swapped] = await inTime(2000, () =>
    Promise.all([asks('durable', store.compareAndSwap(key, durable(two))), asks('other', create(store))]),
  );
  expect(answered).toEqual(['other', 'durable']);
  expect(swapped).toMatchObject({ swapped: true, durable: false });
  expect(bytesOf(await store.read(key))).toEqual(two);

  // Sent again it writes again: an earlier write that the replica has proves nothing.
  expect(await store.compareAndSwap(key, durable(two))).toMatchObject({ swapped: true, durable: false });
  replica.resume();
  expect(await store.compareAndSwap(key, durable(two))).toMatchObject({ swapped: true, durable: true });
});

test('a swap whose answer was lost is durable only if a replica has it', async () => {
  const { replica, proxy, store } = await openPair();
  await create(store, DURABLE);
  proxy.loseNextAnswer();
  const swap = durable(record('two'));
  expect(await store.compareAndSwap(someKey(), swap)).toMatchObject({ durable: true });

  replica.pause();
  proxy.loseNextAnswer();
  expect(await create(store, DURABLE)).toMatchObject({ durable: false });
});

test('in a cluster a failover loses nothing that was durable', async () => {
  const { nodes, keyOf, store } = await openCluster({ replicated: true, waitReplicas: 1 });
  const { key, before } = await stored(store, DURABLE, await keyOf(0));
  await nodes[0]?.kill();
  const swap = replacing(before, { bytes: record('two'), durable: true });
  await expect(inTime(2500, () => store.compareAndSwap(key, swap))).rejects.toBeInstanceOf(StoreUnavailable);
  await expect.poll(async () => bytesOf(await store.read(key))).toEqual(before);
  // The new master has no replica yet.
  await expect.poll(() => store.compareAndSwap(key, swap)).toMatchObject({ swapped: true, durable: false });
});
