import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { Key } from '../../src/store/port.ts';
import { INDEXES } from '../../src/store/port.ts';
import { createClock } from '../simulator/clock.ts';
import { contact, createAntCrm, createShop, press, text } from './shop.ts';

/*
 * Stores that earlier versions left when their process was killed (`write.ts`): this version works them off.
 */

const index = z.enum(INDEXES.filter((name) => name !== 'broken'));
const entrySchema = z.object({ id: z.string(), type: z.union([z.literal(1), z.literal(2)]) }).extend({
  status: z.union([z.literal(0), z.literal(1)]),
  score: z.number(),
  code: z.string(),
  createdAt: z.number(),
});
const storeSchema = z.object({
  atMs: z.number(),
  antcrm: z.array(entrySchema),
  records: z.array(
    z.object({
      key: z.custom<Key>((key) => typeof key === 'string' && key.includes(':')),
      ttlMs: z.number(),
      bytes: z.base64(),
      indexes: z.array(z.object({ index, member: z.string(), score: z.number() })),
    }),
  ),
});

/** The bot on the store, as long after it was left. */
async function open(file: string, laterMs = 1000) {
  const { atMs, antcrm: entries, records } = storeSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const clock = createClock();
  await clock.runUntil(atMs + laterMs);
  const store = createMemoryStore({ nowMs: clock.nowMs });
  for (const { key, bytes, ttlMs, indexes } of records) {
    const swap = { expected: null, bytes: Buffer.from(bytes, 'base64'), ttlMs, indexes };
    await store.compareAndSwap(key, swap);
  }
  const antcrm = createAntCrm(clock, entries);
  return { clock, antcrm, shop: createShop(clock, store, antcrm) };
}

test.each(globSync('test/stores/*.json'))('%s is opened and worked off', async (file) => {
  const { clock, antcrm, shop } = await open(file);
  expect(await shop.operators.operations()).toHaveLength(2);

  // What was left is taken up: once each, and AntCRM is not called again.
  await clock.runUntil(clock.atMs + 10 * 60_000);
  expect(shop.keysTo('filed')).toEqual(['menu']);
  expect(shop.keysTo('waiting')).toEqual(['accumulate.done', 'privacy.consent']);
  expect(shop.keysTo('checking')).toEqual(['operation.resolved.done']);
  expect(shop.keysTo('intent')).toEqual(['operation.checking', 'operation.resolved.done']);
  expect(antcrm.posts).toEqual([]);
  expect(await shop.operators.operations()).toEqual([]);

  // The customer's lock is free.
  await shop.hear('other', contact());
  await shop.hear('other', text('đổi quà DAUMAY01'));
  await shop.hear('other', press(shop.repliesTo('other').at(-1) ?? { key: 'nothing' }, 'confirm:'));
  await clock.runUntil(clock.atMs + 5000);
  expect(shop.keysTo('other')).toContain('redeem.done');
  expect(antcrm.posts).toEqual(['/redeem DAUMAY01']);

  // Conversations go on where they were.
  await shop.hear('asked', text('0867123456'));
  expect(shop.keysTo('asked')).toEqual(['accumulate.askEmail']);

  // What was gathered before another flow began is still there.
  await shop.hear('parked', press({ key: 'any' }, 'cancel'));
  await shop.hear('parked', text('tích điểm'));
  expect(shop.keysTo('parked').at(-1)).toBe('accumulate.askPhone');

  // The ticket of a person, with what staff did, and the answer that waited.
  const [listed] = (await shop.tickets.list('open')).tickets;
  const id = listed?.ticket.id ?? '';
  expect((await shop.tickets.find(id))?.ticket).toMatchObject({
    assignedTo: 'lan',
    notes: [
      { text: 'hàng bị hỏng' },
      { text: '📷 vỡ góc này', media: [{ kind: 'picture', name: 'hong.jpg' }] },
      { by: 'minh', text: 'khách quen', inner: true },
      { by: 'minh', text: 'Bên em xin lỗi ạ', tracked: true },
    ],
  });
  await shop.tickets.file(id, { by: 'lan', text: 'Em xem ngay ạ' });
  await shop.tickets.file(id, { by: 'lan' });
  await clock.runUntil(clock.atMs + 5000);
  expect(shop.keysTo('ticket')).toEqual(['person.says', 'person.says', 'person.back']);

  // The counter hands the gift over.
  const { state } = (await shop.operators.conversation(shop.nameOf('gift'))) ?? {};
  const code = shop.gifts.codeOf(state?.operations[0]?.id ?? '');
  expect(await shop.gifts.find(code)).toMatchObject({
    redemption: { gift: 'DAUMAY01', status: 'confirmed' },
  });
  expect(await shop.gifts.handOver(code, 'lan')).toMatchObject({ result: 'handedOver' });

  const [letter] = await shop.operators.letters();
  expect(letter?.holds).toMatchObject({ message: { kind: 'text' } });
  expect(await shop.operators.remove(letter?.id ?? '')).toBe(true);

  expect(shop.observed.filter((line) => /seal_broken|record_lost|"error"/.test(line))).toEqual([]);
});
