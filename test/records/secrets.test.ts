import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createSecrets, LEASE_MS } from '../../src/records/secrets.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { type Key, type RecordStore, StoreUnavailable } from '../../src/store/port.ts';

/** Processes on one store, whose time the test sets. */
function createWorld() {
  const time = { nowMs: 1_790_000_000_000 };
  const clock = { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs };
  async function sleep(ms: number): Promise<void> {
    time.nowMs += ms;
  }
  const timer = () => ({ cancel() {} });
  const runtime = { ...clock, sleep, timer, random: Math.random };
  const store = createMemoryStore(runtime);
  const sealer = createEncryption({ key: randomBytes(32), hashKey: randomBytes(32) });
  const onFault = () => {};
  const process = (over: Partial<RecordStore> = {}) =>
    createSecrets('zalo', { store: { ...store, ...over }, sealer, runtime, onFault });
  return { time, store, process };
}

it('a secret is replaced by one process at a time; the others read it once it is stored', async () => {
  const { store, process } = createWorld();
  const one = process();
  const other = process();
  expect(await one.read('token')).toBeUndefined();
  expect(await one.replace('token', async (secret) => `after ${secret}`)).toEqual({
    secret: 'after undefined',
  });
  const used: (string | undefined)[] = [];
  const renewed = one.replace('token', async (secret) => {
    used.push(secret);
    expect(await other.replace('token', async () => 'never')).toBe('busy');
    expect(await other.read('token')).toBe('after undefined');
    return 'next';
  });
  expect([await renewed, used]).toEqual([{ secret: 'next' }, ['after undefined']]);
  expect(await other.read('token')).toBe('next');
  const { bytes } = await store.read('s:zalo.token');
  expect(Buffer.from(bytes ?? []).includes('next')).toBe(false);
});

it('a renewal that fails changes nothing; after one that did not end, the secret is in doubt', async () => {
  const { time, process } = createWorld();
  const one = process();
  const other = process();
  await one.replace('token', async () => 'first');
  await expect(one.replace('token', () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  const doubts: boolean[] = [];
  const note = async (_: unknown, isInDoubt: boolean) => {
    doubts.push(isInDoubt);
    return 'second';
  };
  await one.replace('token', note);
  // Its process dies.
  void one.replace('token', () => new Promise<string>(() => {}));
  await expect.poll(() => other.replace('token', note)).toBe('busy');
  time.nowMs += LEASE_MS;
  expect(await other.replace('token', note)).toEqual({ secret: 'second' });
  expect(doubts).toEqual([false, true]);
});

it('the next secret is stored although the store is away for a moment, and although the lease ran out', async () => {
  const { time, store, process } = createWorld();
  let faults = 0;
  const one = process({
    async compareAndSwap(key: Key, swap) {
      if (faults-- > 0) throw new StoreUnavailable('away');
      return store.compareAndSwap(key, swap);
    },
  });
  const kept = await one.replace('token', async () => {
    faults = 3;
    time.nowMs += 2 * LEASE_MS;
    return 'next';
  });
  expect([kept, await one.read('token')]).toEqual([{ secret: 'next' }, 'next']);
});
