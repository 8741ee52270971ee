import { expect, test } from 'vitest';
import { Operators } from '../../src/engine/operators.ts';
import { createTickets, type News } from '../../src/operators/tickets.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import { createWorld, incoming } from '../engine/bot.ts';
import { watched } from '../support/changes.ts';
import { newState, readState, step } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';

test('while a part of the store is silent no ticket counts as unknown or closed', async () => {
  let isSilent = false;
  const looks: (() => void)[] = [];
  const tickets = createTickets({
    store: {
      async list(_index, { shard }) {
        if (isSilent && shard === 7) throw new StoreUnavailable('down');
        const entries = shard === 7 ? [{ member: 'name:T1:waiting:1:0', score: 1 }] : [];
        return { nowMs: 2, count: entries.length, entries };
      },
    },
    operators: { conversation: async () => null, file: async () => 'filed' as const },
    runtime: {
      id: () => 'note',
      timer(_ms, run) {
        looks.push(run);
        return { cancel() {} };
      },
    },
  });
  const look = async (): Promise<void> => {
    looks.shift()?.();
    await expect.poll(() => looks.length).toBe(1);
  };
  const answer = { by: 'lan', text: 'Chào bạn' };
  const heard: News[] = [];
  await tickets.follow((news) => void heard.push(news));
  expect(await tickets.file('T2', answer)).toBe('unknown');
  isSilent = true;
  await expect(tickets.find('T1')).rejects.toThrow(StoreUnavailable);
  await expect(tickets.file('T1', answer)).rejects.toThrow(StoreUnavailable);
  await look();
  isSilent = false;
  await look();
  expect(heard).toEqual([]);
});

test('an answer that hangs while the customer is forgotten is refused, because nobody would be told it', async () => {
  const world = createWorld();
  const settings = { ...SETTINGS, handover: true };
  const engine = world.engine({ conversation: { step, readState, newState, settings } });
  await engine.accept(incoming('gặp nhân viên'));
  await expect.poll(world.heard).toEqual(['person.waiting']);
  const slow = watched(world.store, world.encryption, async () => {
    if (world.heard().length > 1) return;
    await engine.accept(incoming('/forget'));
    await expect.poll(world.heard).toEqual(['person.waiting', 'privacy.erased']);
  });
  const operators = new Operators({ ...world, store: slow, readState });
  const tickets = createTickets({ store: slow, operators, runtime: world.outside });
  const [ticket] = await tickets.list();
  expect(await tickets.file(ticket?.ticket.id ?? '', { by: 'lan', text: 'Chào bạn' })).toBe('closed');
});
