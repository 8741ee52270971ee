import { expect, test } from 'vitest';
import type { Delivery } from '../../src/engine/messages.ts';
import { Operators } from '../../src/engine/operators.ts';
import { createTickets, type News } from '../../src/operators/tickets.ts';
import { createWorld, gate, incoming } from '../engine/bot.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';

const HOUR = 60 * 60_000;
const conversation = { step, readState, newState, settings: { ...SETTINGS, handover: true } };

/** A customer who asked for a person, and the tickets that staff see. */
async function ask() {
  const world = createWorld();
  const engine = world.engine({ conversation });
  await engine.accept(incoming('gặp nhân viên'));
  await expect.poll(world.answers).toEqual(['person.waiting']);
  const operators = new Operators({ ...world, readState, runtime: world.outside, onFiled: engine.schedule });
  const tickets = createTickets({ store: world.store, operators, runtime: world.outside });
  const id = (await tickets.list()).tickets[0]?.ticket.id ?? '';
  const find = async () => {
    const seen = await tickets.find(id);
    return seen?.ticket.notes.map((note) => seen.deliveries.get(note.id ?? ''));
  };
  return { ...world, engine, tickets, id, find, restart: () => world.engine({ conversation }) };
}

const write = (text: string) => ({ by: 'lan', text, id: text });

test.each<[outcome: string, Delivery, { delivery: string; why?: string }]>([
  ['delivered', { kind: 'delivered' }, { delivery: 'delivered' }],
  ['blocked by the customer', { kind: 'unreachable', blocked: true }, { delivery: 'failed', why: 'blocked' }],
  ['to a chat that is gone', { kind: 'unreachable' }, { delivery: 'failed', why: 'unreachable' }],
  ['refused by the platform', { kind: 'rejected' }, { delivery: 'failed', why: 'refused' }],
])('a message of staff that is %s is shown so', async (_, outcome, shown) => {
  const world = await ask();
  world.script.push(outcome);
  await world.tickets.file(world.id, write('a'));
  await expect.poll(world.find).toEqual([shown]);
  await world.tickets.file(world.id, write('b'));
  await expect.poll(world.find).toEqual([shown, { delivery: 'delivered' }]);
});

test('a message of staff waits while the platform is away, and fails as late after a day', async () => {
  const world = await ask();
  let isAway = true;
  const away = async (): Promise<Delivery> => {
    if (isAway) world.script.unshift(away);
    return { kind: isAway ? 'undelivered' : 'delivered' };
  };
  world.script.push(away);
  await world.tickets.file(world.id, write('a'));
  expect(await world.find()).toEqual([{ delivery: 'waiting' }]);
  await expect.poll(async () => (await world.record())?.retry?.reason).toBe('undelivered');
  expect(await world.find()).toEqual([{ delivery: 'waiting' }]);
  world.advance(25 * HOUR);
  await expect.poll(world.find).toEqual([{ delivery: 'failed', why: 'late' }]);
  isAway = false;
});

test('if the process dies between sending and noting it, the message waits, and is shown as delivered by the next one', async () => {
  const world = await ask();
  const sending = gate();
  world.script.push(() => {
    sending.open();
    return new Promise<never>(() => {});
  });
  await world.tickets.file(world.id, write('a'));
  await sending.opened;
  expect(await world.find()).toEqual([{ delivery: 'waiting' }]);
  // Its lease runs out, and the message leaves once more.
  void world.engine.stop();
  world.advance(HOUR);
  world.restart();
  await expect.poll(world.find).toEqual([{ delivery: 'delivered' }]);
});

test('followers hear that a message has left, and the row tells how many failed', async () => {
  const world = await ask();
  const news: News['what'][] = [];
  const unfollow = await world.tickets.follow(({ what }) => void news.push(what));
  const sending = gate();
  world.script.push(async () => {
    await sending.opened;
    return { kind: 'unreachable', blocked: true };
  });
  await world.tickets.file(world.id, write('a'));
  await expect.poll(() => news, { timeout: 3000 }).toEqual(['answered']);
  expect((await world.tickets.list()).tickets[0]?.deliveries.get('a')).toEqual({ delivery: 'waiting' });
  sending.open();
  await expect.poll(() => news, { timeout: 3000 }).toEqual(['answered', 'delivery']);
  const [row] = (await world.tickets.list()).tickets;
  expect(row?.deliveries.get('a')).toEqual({ delivery: 'failed', why: 'blocked' });
  unfollow();
});

test('after /forget nothing of a staff message is kept', async () => {
  const world = await ask();
  world.script.push({ kind: 'rejected' });
  await world.tickets.file(world.id, write('a'));
  await expect.poll(async () => (await world.record())?.failed).toEqual([{ note: 'a', why: 'refused' }]);
  await world.engine.accept(incoming('/forget'));
  await expect.poll(async () => (await world.record())?.failed).toEqual([]);
  expect(await world.find()).toEqual([]);
});
