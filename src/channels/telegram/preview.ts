import { encodeStart } from '../../conversation/language/payload.ts';
import type { Message, Sender } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import type { PlatformCall, Preview, Previewed } from '../channel.ts';
import type { Pace } from '../pace.ts';
import { callbackDataOf } from './address.ts';
import { BotApi } from './api.ts';
import type { Client } from './client.ts';
import { createTelegramOutlet } from './deliver.ts';
import { TELEGRAM } from './traits.ts';

/** Nobody's: a private chat has its person's id. The message is the one whose button was pressed. */
const PERSON = 1;
const OTHER_PERSON = 2;
const MESSAGE = 1;

const AT_ONCE: Pace = { take: async () => 0, refused: async () => {} };

export function createPreview({ words }: { readonly words: Words }): Preview {
  return { incoming: updateOf, outgoing: (outgoing) => callsOf(outgoing, words) };
}

/** The outlet that customers' replies go through, before a Telegram that says yes and writes down what it is asked. */
async function callsOf({ pressed, ...outgoing }: Previewed, words: Words): Promise<PlatformCall[]> {
  const calls: PlatformCall[] = [];
  const client: Pick<Client, 'call'> = {
    async call(method, payload) {
      calls.push({ call: method, body: payload });
      return { ok: true, result: {} };
    },
  };
  const { deliver } = createTelegramOutlet(new BotApi(client), words, AT_ONCE, () => '');
  await deliver({
    ...outgoing,
    channel: TELEGRAM.name,
    conversation: String(PERSON),
    address: { chat: PERSON },
    ...(pressed && { press: { query: '1', message: MESSAGE, ...pressed } }),
  });
  return calls;
}

/** The reverse of `toIncoming`, for what a customer can send there. */
function updateOf(message: Message, { name = '', locale }: Sender): ReturnType<Preview['incoming']> {
  const from = { id: PERSON, is_bot: false, first_name: name, ...(locale && { language_code: locale }) };
  const chat = { id: PERSON, type: 'private' };
  const said = (content: object) => ({
    update_id: 1,
    message: { message_id: MESSAGE, from, chat, ...content },
  });
  switch (message.kind) {
    case 'text':
      return said({ text: message.text });
    case 'start': {
      const payload = message.payload === undefined ? undefined : encodeStart(message.payload);
      return said({ text: payload === undefined ? '/start' : `/start ${payload}` });
    }
    case 'contact':
      return said({
        contact: { phone_number: message.phone, user_id: message.own ? PERSON : OTHER_PERSON },
      });
    case 'choice': {
      const data = callbackDataOf(message.choice, message.view);
      const query = { id: '1', from, message: { message_id: MESSAGE, chat }, data };
      return data === undefined ? undefined : { update_id: 1, callback_query: query };
    }
    default:
      return undefined;
  }
}
