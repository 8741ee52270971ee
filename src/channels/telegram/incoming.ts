import type { Telegram } from 'telegraf';
import type { UserFromGetMe } from 'telegraf/types';
import type { Sender } from '../../conversation/message.ts';
import type { Incoming } from '../../turns/delivery.ts';
import { cut, localeOf, MAX_NAME } from '../input.ts';
import type { Address } from './address.ts';
import { route } from './routes.ts';
import { TELEGRAM } from './traits.ts';
import { asTelegraf, type Chat, type TelegramMessage, type Update, type User } from './update.ts';

/** Who we are on Telegram; `username` is empty until `getMe` was answered. */
export function botOf(id: number, username = ''): UserFromGetMe {
  return {
    id,
    username,
    is_bot: true,
    first_name: '',
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
  };
}

/** What a customer said with an update; null where nobody said anything to us, which is no fault. */
export async function toIncoming(
  update: Update,
  api: Telegram,
  bot: UserFromGetMe,
): Promise<Incoming | null> {
  const said = await route(asTelegraf(update), api, bot);
  if (!said) return null;
  const { message, callback_query: query } = update;
  if (said.press && query) {
    // Without its message a press still has a person, whose private chat has the same id.
    const chat = query.message?.chat ?? { id: query.from.id, type: 'private' };
    return { ...envelope(update, chat, query.from, query.message), ...said };
  }
  return message ? { ...envelope(update, message.chat, message.from, message), ...said } : null;
}

function envelope(
  { update_id }: Update,
  chat: Chat,
  from: User | undefined,
  message: TelegramMessage | undefined,
) {
  const thread = message?.is_topic_message ? message.message_thread_id : undefined;
  const address: Address = { chat: chat.id, ...(thread !== undefined && { thread }) };
  const id = `u${update_id}`;
  return { channel: TELEGRAM.name, conversation: String(chat.id), id, sender: sender(from), address };
}

function sender(from: User | undefined): Sender {
  const name = [from?.first_name, from?.last_name].filter(Boolean).join(' ').trim();
  return {
    channel: TELEGRAM.name,
    proof: TELEGRAM.proof,
    locale: localeOf(from?.language_code),
    name: name === '' ? undefined : cut(name, MAX_NAME),
  };
}
