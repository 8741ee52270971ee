import { MAX_TEXT, type Message, type Sender } from '../../conversation/message.ts';
import type { Incoming } from '../../turns/delivery.ts';
import { cut, localeOf, MAX_NAME } from '../profile.ts';
import { decodeStart } from '../start.ts';
import { type Address, decodeChoice, type Press } from './address.ts';
import type { CallbackQuery, Chat, Entity, TelegramMessage, Update, User } from './update.ts';

/** Who we are on Telegram; the user name is known once `getMe` was answered. */
export type Bot = { readonly id: number; readonly username?: string | undefined };

/**
 * What a customer said with an update. Null where nobody said anything to us, which is no fault: edits (answered when
 * they were new), channel posts, membership changes, service messages, other bots, and groups that do not address us.
 */
export function toIncoming(update: Update, bot: Bot): Incoming | null {
  const id = `u${update.update_id}`;
  if (update.callback_query) return fromPress(id, update.callback_query);
  if (update.message) return fromMessage(id, update.message, bot);
  return null;
}

function fromPress(id: string, query: CallbackQuery): Incoming {
  // Without its message (too old a bot message, an inline one) a press still has a person, whose chat has the same id.
  const chat = query.message?.chat ?? { id: query.from.id, type: 'private' };
  const chosen = query.data === undefined ? undefined : decodeChoice(query.data);
  const press: Press = {
    query: query.id,
    ...(query.message?.message_id !== undefined && { message: query.message.message_id }),
    ...(chosen?.view !== undefined && { view: chosen.view }),
  };
  const message: Message = chosen ? { kind: 'choice', ...chosen } : { kind: 'unknown', what: 'other' };
  return {
    ...envelope(id, chat, query.from, query.message),
    message: inPrivate(chat) ? message : GROUP,
    press,
  };
}

function fromMessage(id: string, message: TelegramMessage, bot: Bot): Incoming | null {
  if (message.from?.is_bot) return null;
  const said = inPrivate(message.chat) ? content(message) : addresses(message, bot) ? GROUP : null;
  return said && { ...envelope(id, message.chat, message.from, message), message: said };
}

const GROUP: Message = { kind: 'group' };

/** Anything that is not surely private is treated as read by others. */
function inPrivate(chat: Chat): boolean {
  return chat.type === 'private';
}

function envelope(id: string, chat: Chat, from: User | undefined, message: TelegramMessage | undefined) {
  const thread = message?.is_topic_message ? message.message_thread_id : undefined;
  const address: Address = { chat: chat.id, ...(thread !== undefined && { thread }) };
  return { channel: 'telegram', conversation: String(chat.id), id, sender: sender(from), address };
}

function sender(from: User | undefined): Sender {
  const name = [from?.first_name, from?.last_name].filter(Boolean).join(' ').trim();
  return {
    channel: 'telegram',
    proof: 'contact',
    locale: localeOf(from?.language_code),
    name: name === '' ? undefined : cut(name, MAX_NAME),
  };
}

/** What a message in a private chat says. */
function content(message: TelegramMessage): Message | null {
  if (message.contact) {
    return {
      kind: 'contact',
      phone: cut(message.contact.phone_number, MAX_TEXT),
      own: isOwnContact(message),
    };
  }
  const text = message.text || message.caption;
  if (text) return startOf(text) ?? { kind: 'text', text: cut(text, MAX_TEXT) };
  if (message.photo) return { kind: 'unknown', what: 'photo' };
  if (message.voice || message.audio || message.video_note) return { kind: 'unknown', what: 'voice' };
  if (message.sticker) return { kind: 'unknown', what: 'sticker' };
  return isService(message) ? null : { kind: 'unknown', what: 'other' };
}

/**
 * A shared contact proves the sender's phone only so: Telegram's server fills in `user_id`, and a forwarded contact or
 * one sent through another bot was not shared by the sender with us (docs/design.md, "Identity").
 */
function isOwnContact({
  contact,
  chat,
  from,
  forward_origin,
  forward_date,
  via_bot,
}: TelegramMessage): boolean {
  const direct = forward_origin === undefined && forward_date === undefined && via_bot === undefined;
  return direct && inPrivate(chat) && from !== undefined && contact?.user_id === from.id;
}

function isService(message: TelegramMessage): boolean {
  return [
    message.pinned_message,
    message.message_auto_delete_timer_changed,
    message.write_access_allowed,
    message.chat_background_set,
  ].some((part) => part !== undefined);
}

/** `/start <payload>`: a deep link, or somebody who types it. */
function startOf(text: string): Message | null {
  const payload = /^\/start(?:@\w+)?(?:\s+(.*))?$/is.exec(cut(text, MAX_TEXT));
  if (!payload) return null;
  const written = payload[1]?.trim();
  return written ? { kind: 'start', payload: decodeStart(written) } : { kind: 'start' };
}

/** Whether a message in a group is meant for us: a reply to us, a command, or a mention. */
function addresses(message: TelegramMessage, bot: Bot): boolean {
  if (message.reply_to_message?.from?.id === bot.id) return true;
  const text = message.text ?? message.caption ?? '';
  const entities = message.entities ?? message.caption_entities ?? [];
  return entities.some((entity) =>
    namesUs(entity, text.slice(entity.offset, entity.offset + entity.length), bot),
  );
}

function namesUs({ type, offset, user }: Entity, text: string, bot: Bot): boolean {
  switch (type) {
    case 'bot_command': {
      const [, named] = text.split('@');
      // Until we know our name: Telegram hands a bot the commands with its own name (privacy mode, the default).
      return offset === 0 && (named === undefined || bot.username === undefined || isOurs(`@${named}`, bot));
    }
    case 'mention':
      return isOurs(text, bot);
    case 'text_mention':
      return user?.id === bot.id;
    default:
      return false;
  }
}

function isOurs(mention: string, { username }: Bot): boolean {
  return username !== undefined && mention.toLowerCase() === `@${username.toLowerCase()}`;
}
