import { expect, test } from 'vitest';
import { StaffFiles } from '../../src/records/staff-files.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { someEncryption } from '../engine/bot.ts';

test('a file of staff is kept sealed under a name that says nothing, once for each message', async () => {
  const store = createMemoryStore(systemRuntime);
  const encryption = someEncryption();
  const files = new StaffFiles({ store, encryption });
  const first = Buffer.from('the first picture');
  const second = Buffer.from('another one');
  const name = await files.keep('T1', 'n1', first);
  expect(await files.keep('T1', 'n1', second)).toBe(name);
  expect(await files.read(name)).toEqual(first);
  expect(await files.keep('T1', 'n2', second)).not.toBe(name);
  const { bytes } = await store.read(`m:${name}`);
  expect(Buffer.from(bytes ?? []).includes('picture')).toBe(false);
  expect(name).not.toMatch(/T1|n1/);
  expect(await files.read('unknown')).toBeNull();
  const withOtherKeys = new StaffFiles({ store, encryption: someEncryption() });
  expect(await withOtherKeys.read(name)).toBeNull();
});
