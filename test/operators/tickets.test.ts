import { expect, test } from 'vitest';
import { TEAMS } from '../../src/channels/teams/address.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import type { Ticket } from '../../src/conversation/state.ts';
import { type OpenOperation, Operators } from '../../src/engine/operators.ts';
import { findConversations } from '../../src/operators/operation.ts';
import { createTickets, type News } from '../../src/operators/tickets.ts';
import { type RecordStore, StoreUnavailable } from '../../src/store/port.ts';
import { createWorld, incoming } from '../engine/bot.ts';
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
  const received: News[] = [];
  await tickets.follow((news) => void received.push(news));
  expect(await tickets.file('T2', answer)).toBe('unknown');
  isSilent = true;
  await expect(tickets.find('T1')).rejects.toThrow(StoreUnavailable);
  await expect(tickets.file('T1', answer)).rejects.toThrow(StoreUnavailable);
  await look();
  isSilent = false;
  await look();
  expect(received).toEqual([]);
});

test('two who begin to follow together both get what is new since the first of them began', async () => {
  const reads = Array.from({ length: 3 }, () => Promise.withResolvers<readonly string[]>());
  const due = reads.values();
  const looks: (() => void)[] = [];
  const tickets = createTickets({
    store: {
      async list(_index, { shard }) {
        const members = shard === 7 ? ((await due.next().value?.promise) ?? []) : [];
        return {
          nowMs: 2,
          count: members.length,
          entries: members.map((member) => ({ member, score: 1 })),
        };
      },
    },
    operators: { conversation: async () => null, file: async () => 'filed' as const },
    runtime: { id: () => 'note', timer: (_ms, run) => ({ cancel() {}, at: looks.push(run) }) },
  });
  const received: News[][] = [[], []];
  const follow = (one: number) => tickets.follow((news) => void received[one]?.push(news));
  const first = follow(0);
  const second = follow(1);
  reads[0]?.resolve([]);
  await first;
  for (const later of reads.slice(1)) later.resolve(['name:T1:waiting:1:0']);
  await second;
  looks[0]?.();
  const news = ['opened', 'message'].map((what) => ({ ticket: 'T1', what }));
  await expect.poll(() => received).toEqual([news, news]);
  expect(looks.length).toBeLessThanOrEqual(2);
});

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Tickets in the index of one shard, each in another conversation; `opened`: those that were read.
 */
function openInbox(standing: Readonly<Record<string, readonly Ticket[]>>) {
  const nowMs = 2 * DAY_MS;
  const opened: string[] = [];
  const all = Object.entries(standing).flatMap(([stands, some]) =>
    some.map((ticket) => ({ stands, ticket })),
  );
  const entries = () =>
    all.map(({ stands, ticket: { id, openedMs, count } }) => ({
      member: `c-${id}:${id}:${stands}:${count.customer}:${count.staff}`,
      score: stands === 'closed' ? 1e14 - openedMs : openedMs,
    }));
  const sender = { channel: 'staff', proof: 'token' } as const;
  const origin = { channel: 'staff', conversation: 'qa', address: {}, sender };
  const tickets = createTickets({
    store: {
      async list(_index, { shard, upTo, limit }) {
        const listed = shard === 7 ? entries().filter(({ score }) => upTo === 'ever' || score <= nowMs) : [];
        listed.sort((a, b) => a.score - b.score);
        return { nowMs, count: listed.length, entries: listed.slice(0, limit) };
      },
    },
    operators: {
      async conversation(name) {
        opened.push(name);
        const tickets = all.filter(({ ticket }) => name === `c-${ticket.id}`).map(({ ticket }) => ticket);
        return { nowMs, origin, messages: [], unsent: [], failed: [], state: { ...newState(0), tickets } };
      },
      file: async () => 'filed' as const,
    },
    runtime: { id: () => 'note', timer: () => ({ cancel() {} }) },
  });
  return { tickets, opened };
}

/** Tickets with so many messages, each opened a millisecond after the one before. */
const someTickets = (name: string, count: number, firstMs: number): Ticket[] =>
  Array.from({ length: count }, (_, at) => ({
    id: `${name}${at}`,
    reason: 'asked',
    openedMs: firstMs + at,
    count: { customer: 3, staff: 0 },
    notes: ['one', 'two', 'three'].map((text) => ({ atMs: firstMs, text })),
  }));

test('waiting customers come first and all, before answered and closed tickets, which are cut', async () => {
  const answered = someTickets('A', 300, 1000);
  const closed = someTickets('C', 300, 0).map(
    (ticket): Ticket => ({ ...ticket, closed: { atMs: ticket.openedMs, by: 'time' } }),
  );
  const waiting = someTickets('W', 220, DAY_MS);
  const { tickets } = openInbox({ answered, closed, waiting });
  const idsOf = async (state?: 'open' | 'closed') => {
    const list = await tickets.list(state);
    return { ids: list.tickets.map(({ ticket }) => ticket.id), total: list.total };
  };
  const whoWaits = waiting.map(({ id }) => id);
  expect(await idsOf()).toEqual({ ids: whoWaits, total: 820 });
  expect(await idsOf('open')).toEqual({ ids: whoWaits, total: 520 });
  const newest = closed.map(({ id }) => id).reverse();
  expect(await idsOf('closed')).toEqual({ ids: newest.slice(0, 200), total: 300 });
  const few = openInbox({ answered, closed, waiting: waiting.slice(0, 1) });
  const list = await few.tickets.list();
  expect(list.tickets.map(({ ticket }) => ticket.id)).toEqual([
    'W0',
    ...answered.slice(0, 199).map((ticket) => ticket.id),
  ]);
});

test('a ticket opens by its id wherever it stands, and is answered', async () => {
  const { tickets } = openInbox({ answered: someTickets('A', 300, 0), waiting: someTickets('W', 300, 500) });
  for (const id of ['A299', 'W299', 'W0']) {
    expect(await tickets.find(id)).toMatchObject({ ticket: { id, notes: [{}, {}, {}] } });
    expect(await tickets.file(id, { by: 'lan', text: 'Chào bạn' })).toBe('filed');
  }
});

test('a search reads a bounded number of tickets, open ones first, and says how many', async () => {
  const closed = someTickets('C', 400, 0).map(
    (ticket): Ticket => ({ ...ticket, closed: { atMs: ticket.openedMs, by: 'time' } }),
  );
  const { tickets, opened } = openInbox({ closed, waiting: someTickets('W', 150, DAY_MS) });
  const found = await tickets.search('khong co');
  expect([found.searched, found.total, opened.length]).toEqual([300, 550, 300]);
  expect(opened.filter((name) => name.startsWith('c-W'))).toHaveLength(150);
  expect((await tickets.search('three')).tickets.length).toBeLessThan(70);
});

test('a list opens only the conversations whose tickets changed since', async () => {
  const waiting = someTickets('W', 50, 0);
  const { tickets, opened } = openInbox({ waiting });
  await tickets.list('open');
  expect(opened.splice(0)).toHaveLength(50);
  const [ticket] = waiting;
  if (ticket) Object.assign(ticket, { count: { customer: 4, staff: 0 } });
  const { tickets: listed } = await tickets.list('open');
  expect([opened.splice(0), listed.length]).toEqual([['c-W0'], 50]);
  await tickets.file('W1', { by: 'lan', claim: true });
  await tickets.list();
  expect(opened).toEqual(['c-W1']);
});

test('an answer that hangs while the customer is forgotten is refused, because no customer would get it', async () => {
  const world = createWorld();
  const settings = { ...SETTINGS, handover: true };
  const engine = world.engine({ conversation: { step, readState, newState, settings } });
  await engine.accept(incoming('gặp nhân viên'));
  await expect.poll(world.answers).toEqual(['person.waiting']);
  let isForgotten = false;
  const slow: RecordStore = {
    ...world.store,
    async compareAndSwap(key, swap) {
      if (!isForgotten) {
        isForgotten = true;
        await engine.accept(incoming('/forget'));
        await expect.poll(world.answers).toEqual(['person.waiting', 'privacy.erased']);
      }
      return world.store.compareAndSwap(key, swap);
    },
  };
  const operators = new Operators({ ...world, store: slow, readState });
  const tickets = createTickets({ store: slow, operators, runtime: world.outside });
  const [ticket] = (await tickets.list()).tickets;
  expect(await tickets.file(ticket?.ticket.id ?? '', { by: 'lan', text: 'Chào bạn' })).toBe('closed');
});

test('a customer is found on Teams by their ids, or by a phone of the call or of the conversation', async () => {
  const PHONE = '+84867123456';
  const address = { service: 'https://smba.example', bot: '28:bot', user: '29:user', person: 'object-id' };
  const sender = { channel: 'teams', proof: 'profile' } as const;
  const origin = { channel: 'teams', conversation: 'a:1', address, sender };
  const open = (conversation: string, by: Lookup['by'], locks: string[] = []): OpenOperation => {
    const times = { fromMs: 0, calledMs: 1000, deadlineMs: 9000 };
    const lookup: Lookup = { kind: 'redeem', by, code: 'DAUMAY01', ...times, baseline: [], locks };
    return {
      reference: conversation,
      conversation,
      atMs: 900,
      intent: { origin, body: { lookup } },
      isLost: false,
    };
  };
  const state = { ...newState(0), profile: { phone: { value: PHONE, proved: true } } };
  const stored = { nowMs: 10_000, origin: null, state, messages: [], unsent: [], failed: [] };
  const operations = [
    open('c1', { kind: 'phone', value: PHONE }),
    open('c2', { kind: 'email', value: 'minh@example.vn' }),
    // AntCRM knows the e-mail's owner by this phone.
    open('c3', { kind: 'email', value: 'minh@example.vn' }, ['customer:475', `phone:${PHONE}`]),
  ];
  const operators = { conversation: async (name: string) => (name === 'c2' ? stored : null) };
  const parts = { operators, channels: [TEAMS] };
  for (const [channel, id, found] of [
    ['teams', '29:user', ['c1', 'c2', 'c3']],
    ['teams', 'object-id', ['c1', 'c2', 'c3']],
    ['phone', PHONE, ['c1', 'c2', 'c3']],
    ['telegram', '29:user', []],
  ] as const)
    expect([...(await findConversations({ channel, id }, operations, parts))]).toEqual(found);
});
