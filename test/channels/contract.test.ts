import { createClient } from '../../src/channels/staff/client.ts';
import type { StaffReply } from '../../src/channels/staff/schemas.ts';
import { STAFF } from '../../src/channels/staff/schemas.ts';
import { StaffChannel } from '../../src/channels/staff/staff.ts';
import { type Customer, channelContract, type Failure } from '../contract/channel.ts';
import type { Fault } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';
import { OPEN_GUARD } from './harness.ts';
import { CHAT, createBot, SECRET } from './telegram/harness.ts';

const FAULTS: Readonly<Record<Failure, Fault>> = {
  throttled: { code: 429, description: 'Too Many Requests', parameters: { retry_after: 1 } },
  undelivered: { code: 302, description: 'Found' },
  uncertain: 'reset',
  unauthorized: { code: 401, description: 'Unauthorized' },
  unreachable: { code: 403, description: 'Forbidden: bot was blocked by the user' },
  rejected: { code: 400, description: 'Bad Request: text is empty' },
};

channelContract({
  name: 'Telegram',
  abilities: ['buttons', 'edit', 'picture', 'media', 'contact', 'typing', 'proof', 'platform', 'strangers'],
  longest: 4096,
  create: async ({ accept, words, observe }) => {
    const { channel, double } = await createBot({ accept, words, observe });
    const person = createPerson(CHAT);

    function listening(url: string): Customer {
      async function send(update: ReturnType<typeof person.writes>): Promise<void> {
        const { status, body } = await double.post(update, {
          url: `${url}/webhooks/telegram`,
          secret: SECRET,
        });
        if (status !== 200) throw new Error(`${status}: ${body}`);
      }
      return {
        text: (text, id) =>
          send({ ...person.writes(text), ...(id !== undefined && { update_id: Number(id) }) }),
        photo() {
          double.keep('code', Buffer.from('a picture'));
          return send(person.sends({ photo: [{ file_id: 'code', width: 90 }] }));
        },
        unreadable: () => send(person.sends({ sticker: { file_id: 's' } })),
        buttons: () =>
          double.shown(CHAT).flatMap(({ message_id, buttons }) =>
            // Each press is a new update: as when a customer presses twice.
            buttons.flat().map(({ callback_data: data = '' }) => ({
              data,
              press: () => send(person.presses(data, message_id)),
            })),
          ),
        prove: () => send(person.shares('84867123456')),
        sees: (text) =>
          double.shown(CHAT).some((message) => message.text.includes(text)) ||
          double.calls('answerCallbackQuery').some(({ payload }) => String(payload.text).includes(text)),
        shown: () => double.shown(CHAT).map(({ text }) => text),
        async stranger() {
          const target = { url: `${url}/webhooks/telegram`, secret: 'guessed' };
          return (await double.post(person.writes('x'), target)).status;
        },
      };
    }
    return { channel, listening, fail: (how) => double.script('sendMessage', FAULTS[how]) };
  },
});

channelContract({
  name: 'the staff webhook',
  abilities: ['buttons', 'picture', 'proof'],
  create: async (parts) => {
    const rest = { channels: [STAFF], guard: OPEN_GUARD, audited: false };
    const channel = new StaffChannel({ ...parts, ...rest });
    const seen: StaffReply[] = [];

    function listening(url: string): Customer {
      const client = createClient(url);
      async function send(message: Omit<Parameters<typeof client.send>[0], 'conversation'>): Promise<void> {
        const answer = await client.send({ conversation: 'qa', locale: 'vi', ...message });
        if (answer.status === 'refused') throw new Error(JSON.stringify(answer.problem));
        seen.push(...answer.replies);
      }
      return {
        text: (text, id) => send({ text, ...(id !== undefined && { id }) }),
        photo: () => send({ photo: Buffer.from('x').toString('base64') }),
        buttons: () =>
          seen.flatMap(({ choices = [], view }) =>
            choices.map(({ id }) => ({
              data: `${id}~${view}`,
              press: () => send({ choice: `${id}~${view}` }),
            })),
          ),
        prove: () => send({ text: '0867123456' }),
        sees: (text) => seen.some((reply) => reply.text.includes(text)),
        shown: () => seen.map(({ text }) => text),
      };
    }
    return { channel, isStaff: true, listening };
  },
});
