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
      button(choice) {
        const buttons = double
          .shown(CHAT)
          .flatMap(({ message_id, buttons }) => buttons.flat().map((button) => ({ ...button, message_id })));
        const pressed = buttons.findLast(({ callback_data: data }) =>
          new RegExp(`^${choice}[:~]`).test(data),
        );
        if (!pressed) throw new Error(`there is no button for ${choice}`);
        // The same press under a new update: as when a customer presses twice.
        return () => send(person.presses(pressed.callback_data, pressed.message_id));
      },
      prove: () => send(person.shares('84867123456')),
      sees: (text) =>
        double.shown(CHAT).some((message) => message.text.includes(text)) ||
        double.calls('answerCallbackQuery').some(({ payload }) => String(payload.text).includes(text)),
    };
  }
  return { channel, listening };
});
