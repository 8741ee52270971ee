import { expect, it } from 'vitest';
import { BotApi } from '../../../src/channels/telegram/api.ts';
import { createClient } from '../../../src/channels/telegram/client.ts';
import { botOf, toIncoming } from '../../../src/channels/telegram/incoming.ts';
import { createPreview } from '../../../src/channels/telegram/preview.ts';
import { parseUpdate } from '../../../src/channels/telegram/update.ts';
import type { Message, Sender } from '../../../src/conversation/message.ts';
import { words } from './harness.ts';

const preview = createPreview({ words });
const sender: Sender = { channel: 'telegram', proof: 'contact', locale: 'vi', name: 'Garnacho' };
const ANSWER = { locale: 'vi', first: true, last: true, state: {}, atMs: 0 } as const;
const NEXT = { id: 'next', label: { key: 'choice.next' } };

it.each<Message>([
  { kind: 'text', text: 'tích điểm' },
  { kind: 'start' },
  { kind: 'start', payload: 'TIVI000000017' },
  { kind: 'start', payload: 'TIVI/1' },
  { kind: 'contact', phone: '0867123456', own: true },
  { kind: 'contact', phone: '0912345678', own: false },
  { kind: 'choice', choice: 'next', view: 'v3k' },
  { kind: 'choice', choice: 'cancel' },
])('shows an update that brings the very message: %j', async (message) => {
  const update = parseUpdate(preview.incoming(message, sender));
  const api = new BotApi(createClient({ token: '1:unused', apiRoot: 'http://127.0.0.1:1' }));
  expect(update && (await toIncoming(update, api, botOf(4242)))).toMatchObject({ message, sender });
});

it('shows no update for what nobody can send there', () => {
  expect(preview.incoming({ kind: 'form', phone: '0867123456' }, sender)).toBeUndefined();
});

it('shows what Telegram would be asked, with the keyboard', async () => {
  const reply = { key: 'history.page', choices: [NEXT], view: 'v3k' };
  expect(await preview.outgoing({ ...ANSWER, reply })).toEqual([
    {
      call: 'sendMessage',
      body: expect.objectContaining({
        chat_id: 1,
        reply_markup: { inline_keyboard: [[expect.objectContaining({ callback_data: 'next~v3k' })]] },
      }),
    },
  ]);
});

it('shows what a press changes: its spinner ends, and its message is edited', async () => {
  const reply = { key: 'history.page', choices: [NEXT], view: 'v4', inPlace: true as const };
  const calls = await preview.outgoing({ ...ANSWER, reply, pressed: { view: 'v3k' } });
  expect(calls.map(({ call }) => call)).toEqual(['answerCallbackQuery', 'editMessageText']);
});
