import type { Update } from './telegram-double.ts';

let lastUpdateId = 870_000_000;
let lastMessageId = 5_000;

/**
 * A person on Telegram: each method makes the update that Telegram would send for what they do in private.
 */
export function createPerson(id: number, profile: object = {}) {
  const from = {
    id,
    is_bot: false,
    first_name: 'Garnacho',
    last_name: 'Thong',
    language_code: 'vi',
    ...profile,
  };
  const chat = { id, first_name: 'Garnacho', last_name: 'Thong', type: 'private' };

  function sends(content: object): Update {
    const message = { message_id: ++lastMessageId, from, chat, date: 1_790_000_000, ...content };
    return { update_id: ++lastUpdateId, ...{ message } };
  }

  return {
    id,
    sends,
    writes: (text: string, more?: object) => sends({ text, ...more }),
    presses(data: string, messageId: number): Update {
      const message = { message_id: messageId, chat, date: 1_790_000_000, text: '…' };
      const query = { id: `q${lastUpdateId}`, from, message, chat_instance: '-77', data };
      return { update_id: ++lastUpdateId, ...{ callback_query: query } };
    },
    /** Shares a contact: their own unless `more` says otherwise. */
    shares(phone: string, { contact, message }: { contact?: object; message?: object } = {}) {
      return sends({
        contact: { phone_number: phone, first_name: 'Garnacho', user_id: id, ...contact },
        ...message,
      });
    },
  };
}
