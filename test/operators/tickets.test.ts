import { expect, test } from 'vitest';
import { TEAMS } from '../../src/channels/teams/address.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import { type OpenOperation, Operators } from '../../src/engine/operators.ts';
import { findConversations } from '../../src/operators/operation.ts';
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

test('a customer is found on Teams by their ids, or by a phone of the call or of the conversation', async () => {
  const PHONE = '+84867123456';
  const address = { service: 'https://smba.example', bot: '28:bot', user: '29:user', person: 'object-id' };
  const sender = { channel: 'teams', proof: 'profile' } as const;
  const origin = { channel: 'teams', conversation: 'a:1', address, sender };
  const open = (conversation: string, by: Lookup['by']): OpenOperation => {
    const times = { fromMs: 0, calledMs: 1000, deadlineMs: 9000 };
    const lookup: Lookup = { kind: 'redeem', by, code: 'DAUMAY01', ...times, baseline: [], locks: [] };
    return { reference: conversation, conversation, atMs: 900, intent: { origin, body: { lookup } } };
  };
  const state = { ...newState(0), profile: { phone: { value: PHONE, proved: true } } };
  const stored = { nowMs: 10_000, origin: null, state, messages: [] };
  const operations = [
    open('c1', { kind: 'phone', value: PHONE }),
    open('c2', { kind: 'email', value: 'minh@example.vn' }),
  ];
  const operators = { conversation: async (name: string) => (name === 'c2' ? stored : null) };
  const parts = { operators, channels: [TEAMS] };
  for (const [channel, id, found] of [
    ['teams', '29:user', ['c1', 'c2']],
    ['teams', 'object-id', ['c1', 'c2']],
    ['phone', PHONE, ['c1', 'c2']],
    ['telegram', '29:user', []],
  ] as const)
    expect([...(await findConversations({ channel, id }, operations, parts))]).toEqual(found);
});
