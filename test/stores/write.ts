import { writeFileSync } from 'node:fs';
import { createMemoryStore } from '../../src/store/memory.ts';
import type { IndexChange, Key, RecordStore } from '../../src/store/port.ts';
import { createClock } from '../simulator/clock.ts';
import { contact, createAntCrm, createShop, POISON, photo, press, text } from './shop.ts';

/*
 * `node test/stores/write.ts NAME` writes `test/stores/NAME.json`: a store as this version leaves it when its
 * process is killed. Run it by the code of the version that it names; what was written is never changed.
 */

type Left = {
  readonly bytes: Uint8Array;
  readonly ttlMs: number;
  readonly indexes: Map<string, IndexChange>;
};

/** A store that shows what is left in it. */
function createOpenStore(store: RecordStore) {
  const left = new Map<Key, Left>();
  const compareAndSwap: RecordStore['compareAndSwap'] = async (key, swap) => {
    const swapped = await store.compareAndSwap(key, swap);
    if (!swapped.swapped || swap.bytes === null) return swapped;
    const indexes = new Map(left.get(key)?.indexes);
    for (const change of swap.indexes) {
      const id = `${change.index} ${change.member}`;
      if (change.score === null) indexes.delete(id);
      else indexes.set(id, change);
    }
    left.set(key, { bytes: swap.bytes, ttlMs: swap.ttlMs, indexes });
    return swapped;
  };
  return { left, store: { ...store, compareAndSwap } };
}

const clock = createClock();
const { left, store } = createOpenStore(createMemoryStore({ nowMs: clock.nowMs }));
const antcrm = createAntCrm(clock);
const shop = createShop(clock, store, antcrm);
const last = (to: string) => {
  const reply = shop.repliesTo(to).at(-1);
  if (reply === undefined) throw new Error(`nothing was told to ${to}`);
  return reply;
};

// A question is asked, and all is delivered.
await shop.hear('asked', text('tích điểm TIVI000000301'));

// A redemption is begun while an accumulation waits.
await shop.hear('parked', text('tích điểm TIVI000000304'));
await shop.hear('parked', text('đổi quà'));

// A gift was redeemed: the counter has a record of it.
await shop.hear('gift', contact());
await shop.hear('gift', text('đổi quà DAUMAY01'));
await shop.hear('gift', press(last('gift'), 'confirm:'));

// A person was asked for, and the customer wrote and sent a picture to them.
await shop.hear('ticket', text('gặp nhân viên'));
await shop.hear('ticket', text('hàng bị hỏng'));
await shop.hear('ticket', photo('vỡ góc này'));

// Staff noted something for themselves, answered (the answer waits), and assigned the ticket.
const [open] = (await shop.tickets.list('open')).tickets;
const ticket = open?.ticket.id ?? '';
await shop.tickets.file(ticket, { by: 'minh', text: 'khách quen', inner: true });
await clock.runUntil(clock.atMs + 1000);
shop.ends.set('ticket', { kind: 'throttled', afterMs: 60_000 });
await shop.tickets.file(ticket, { by: 'minh', text: 'Bên em xin lỗi ạ' });
await shop.tickets.file(ticket, { by: 'minh', to: 'lan' });
await clock.runUntil(clock.atMs + 1000);

// A message that no step can answer.
await shop.hear('poison', text(POISON));

// The points were added, and the reply waits.
await shop.hear('waiting', text('tích điểm TIVI000000302 0867123456'));
await shop.hear('waiting', press(last('waiting'), 'skip'));
shop.ends.set('waiting', { kind: 'undelivered' });
await shop.hear('waiting', press(last('waiting'), 'confirm:'));

// An accumulation without an answer is being looked up.
await shop.hear('checking', text('tích điểm TIVI000000303 0867123456'));
await shop.hear('checking', press(last('checking'), 'skip'));
antcrm.isSilent = true;
await shop.hear('checking', press(last('checking'), 'confirm:'));
await clock.runUntil(clock.atMs + 9000);

// The process dies while it calls AntCRM.
await shop.hear('intent', contact());
await shop.hear('intent', text('đổi quà DAUMAY01'));
await shop.hear('intent', press(last('intent'), 'confirm:'));

// A process that has no slot only files.
const busy = createShop(clock, store, antcrm);
await busy.engine.stop();
await busy.file('filed', text('menu'));

const written = {
  atMs: clock.atMs,
  antcrm: antcrm.entries,
  posts: antcrm.posts,
  told: Object.fromEntries(
    ['asked', 'parked', 'gift', 'ticket', 'poison', 'waiting', 'checking', 'filed', 'intent'].map((to) => [
      to,
      shop.keysTo(to),
    ]),
  ),
  records: [...left].map(([key, { bytes, ttlMs, indexes }]) => ({
    key,
    ttlMs,
    bytes: Buffer.from(bytes).toString('base64'),
    indexes: [...indexes.values()],
  })),
};
const [, , name = 'store'] = process.argv;
writeFileSync(new URL(`${name}.json`, import.meta.url), `${JSON.stringify(written, null, 2)}\n`);
