import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../../src/channels/staff/client.ts';
import { TelegramApi } from '../../../src/channels/telegram/api.ts';
import { StaffGroup } from '../../../src/channels/telegram/staff-group.ts';
import type { Ticket } from '../../../src/conversation/state.ts';
import { createSecrets } from '../../../src/records/secrets.ts';
import { createWorld } from '../../engine/bot.ts';
import { startBot } from '../../support/app.ts';
import { recordingObserve } from '../../support/observe.ts';
import { startTelegramDouble } from '../../support/telegram-double.ts';
import { words } from '../harness.ts';

const GROUP = -1001234567890;
const SINCE_MS = Date.UTC(2026, 11, 2, 3, 4);

/**
 * A group before a double of Telegram; `tickets` are all that there are. Several processes share one store.
 */
async function createGroups(processes: number) {
  const double = await startTelegramDouble();
  const world = createWorld();
  const tickets = new Map<string, Ticket>();
  const seenOf = (ticket: Ticket) => {
    const sender = { channel: 'staff', proof: 'token' } as const;
    const origin = { channel: 'staff', conversation: 'qa', address: null, sender };
    return { ticket, origin, operations: [], deliveries: new Map(), phones: [] };
  };
  const start = () => {
    const api = new TelegramApi({ token: double.token, apiRoot: double.url });
    const group = new StaffGroup({
      chat: GROUP,
      inboxUrl: 'https://bot.example/console#inbox',
      locale: 'vi',
      everyMs: 10,
      timeZone: 'Asia/Ho_Chi_Minh',
      api,
      words,
      observe: recordingObserve().observe,
      secrets: createSecrets('telegram', {
        ...world,
        sealer: world.encryption,
        runtime: { ...world.outside, random: Math.random },
        onFault() {},
      }),
      tickets: {
        async list() {
          const open = [...tickets.values()].filter(({ closed }) => !closed);
          return { tickets: open.map(seenOf), total: open.length };
        },
        async find(id) {
          const ticket = tickets.get(id);
          return ticket ? seenOf(ticket) : null;
        },
      },
    });
    group.start();
    onTestFinished(async () => {
      await group.stop();
      await api.disconnect();
    });
    return group;
  };
  onTestFinished(() => double.close());
  const groups = Array.from({ length: processes }, start);
  return { double, tickets, groups, start };
}

const ticketOf = (id: string, more: Partial<Ticket> = {}): Ticket => ({
  id,
  reason: 'asked',
  name: 'Garnacho',
  openedMs: SINCE_MS,
  waitsMs: SINCE_MS,
  notes: [{ atMs: SINCE_MS, text: '0867123456' }],
  count: { customer: 1, staff: 0 },
  ...more,
});
const link = (id: string) => `https://bot.example/console#inbox/${id}`;

test('of several processes one tells the group of a ticket, once, and edits that message as the ticket goes on', async () => {
  const { double, tickets } = await createGroups(3);
  tickets.set('T1', ticketOf('T1'));
  tickets.set('T2', ticketOf('T2', { reason: 'complaint' }));
  const shown = () => double.shown(GROUP).map(({ text }) => text);
  await expect.poll(shown).toHaveLength(2);
  expect(shown().sort()).toEqual([
    `vi:telegram.ticket_asked\n${link('T1')}`,
    `vi:telegram.ticket_complaint\n${link('T2')}`,
  ]);
  tickets.set('T1', ticketOf('T1', { claimedBy: 'Lan' }));
  await expect.poll(() => shown().join()).toContain(`vi:telegram.ticket.taken\n${link('T1')}`);
  tickets.set('T1', ticketOf('T1', { closed: { atMs: SINCE_MS, by: 'staff', staff: 'Lan' } }));
  tickets.delete('T2');
  await expect
    .poll(() =>
      shown()
        .join()
        .match(/telegram\.ticket\.closed/g),
    )
    .toHaveLength(2);
  expect(double.calls('sendMessage')).toHaveLength(2);
  expect(JSON.stringify(double.calls())).not.toMatch(/Garnacho|0867|Lan/);
});

test('the next process knows what the last one sent; a platform that is down delays the message', async () => {
  const { double, tickets, groups, start } = await createGroups(1);
  const down = { code: 502, description: 'Bad Gateway' };
  double.script('sendMessage', down, down);
  tickets.set('T1', ticketOf('T1'));
  await expect.poll(() => double.shown(GROUP)).toHaveLength(1);
  await groups[0]?.stop();
  tickets.set('T1', ticketOf('T1', { claimedBy: 'Lan' }));
  start();
  await expect
    .poll(() => double.shown(GROUP).map(({ text }) => text))
    .toEqual([expect.stringContaining('taken')]);
  expect(double.shown(GROUP)).toHaveLength(1);
});

test('what Telegram asks to wait is obeyed, and a message that perhaps arrived does not come again at once', async () => {
  const { double, tickets } = await createGroups(1);
  const throttled = { code: 429, description: 'Too Many Requests', parameters: { retry_after: 1 } };
  const failing = { code: 500, description: 'Internal Server Error' };
  double.script('sendMessage', throttled, ...Array(20).fill(failing));
  tickets.set('T1', ticketOf('T1'));
  const sent = () => double.calls('sendMessage').length;
  await expect.poll(sent).toBe(1);
  await setTimeout(500);
  expect(sent()).toBe(1);
  await expect.poll(sent, { timeout: 3000 }).toBeGreaterThan(1);
  await setTimeout(1000);
  expect(sent()).toBeLessThan(10);
});

test('an answer of Telegram that says no message ends no process', async () => {
  const { double, tickets } = await createGroups(1);
  double.script('sendMessage', { code: 200, description: '', ...{ ok: true, result: true } });
  tickets.set('T1', ticketOf('T1'));
  await expect.poll(() => double.shown(GROUP)).toHaveLength(1);
});

test('a group whose id is wrong is a fault until the bot is let in', async () => {
  const { double, groups } = await createGroups(1);
  const [group] = groups;
  const unknown = { code: 400, description: 'Bad Request: chat not found' };
  double.script('getChat', unknown);
  await group?.check();
  expect(group?.faults()).toEqual([
    'STAFF_TELEGRAM_CHAT: Telegram refuses this group (getChat 400 Bad Request: chat not found): ' +
      'add the bot to the group, and look whether its id is right',
  ]);
  await group?.check();
  expect(group?.faults()).toEqual([]);
});

test('the group reads why a customer waits, since when and where; readiness names a fault of the group', async () => {
  const double = await startTelegramDouble();
  double.script('getChat', { code: 403, description: 'Forbidden: bot was kicked from the supergroup chat' });
  const bot = await startBot({
    TELEGRAM_BOT_TOKEN: double.token,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_MODE: 'polling',
    STAFF_TELEGRAM_CHAT: String(GROUP),
  });
  onTestFinished(async () => {
    await bot.stop();
    await double.close();
  });
  const ready = await (await fetch(`${bot.url}/health/ready`)).json();
  expect(JSON.stringify(ready)).toContain('STAFF_TELEGRAM_CHAT: Telegram refuses this group');
  await createClient(bot.url).send({
    conversation: 'qa',
    name: 'Garnacho',
    text: 'gặp nhân viên',
    locale: 'vi',
  });
  const list = z.object({ tickets: z.array(z.object({ id: z.string() })) });
  const { tickets } = list.parse(await (await fetch(`${bot.url}/staff/tickets`)).json());
  const text = new RegExp(`^🔔 Khách muốn gặp nhân viên, chờ từ \\d\\d:\\d\\d\\.\\n${tickets[0]?.id}$`);
  await expect
    .poll(() => double.shown(GROUP).map((message) => message.text), { timeout: 40_000 })
    .toEqual([expect.stringMatching(text)]);
}, 60_000);
