import { type Customer, channelContract } from '../../contract/channel.ts';
import { createPerson } from '../../support/telegram-updates.ts';
import { CHAT, createBot, SECRET } from './harness.ts';

channelContract('Telegram', async ({ accept, words, observe }) => {
  const { channel, double } = await createBot({ accept, words, observe });
  const person = createPerson(CHAT);

  function listening(url: string): Customer {
    async function send(update: ReturnType<typeof person.writes>): Promise<void> {
      const { status, body } = await double.post(update, { url: `${url}/webhooks/telegram`, secret: SECRET });
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
    };
  }
  return { channel, listening };
});
