import { Composer, Context } from 'telegraf';
import { anyOf, message } from 'telegraf/filters';
import type { Update as TelegrafUpdate, UserFromGetMe } from 'telegraf/types';
import { MAX_PHOTO_BYTES, MAX_TEXT, type Message, type Picture } from '../../conversation/message.ts';
import { decodeStart } from '../../conversation/values/code.ts';
import type { Accept } from '../channel.ts';
import { cut, senderOf } from '../platforms.ts';
import type { TelegramApi } from './api.ts';
import {
  type CallbackQuery,
  choiceOf,
  isService,
  TELEGRAM,
  type TelegramAddress,
  type TelegramMessage,
  type TelegramPress,
  type Update,
} from './update.ts';

/** Passes what a customer says with an update to `accept`. Rejects as `accept` does. */
export async function handleUpdate(update: Update, api: TelegramApi, accept: Accept): Promise<void> {
  await handle(new UpdateContext(update, api, accept), ignoreUpdate);
}

const ignoreUpdate = async (): Promise<void> => {};

/** telegraf's context of an update, with a way to pass a message on. */
class UpdateContext extends Context {
  readonly #update: Update;
  readonly #accept: Accept;

  constructor(update: Update, api: TelegramApi, accept: Accept) {
    super(toTelegraf(update), api, api.botInfo);
    this.#update = update;
    this.#accept = accept;
  }

  /** Passes a message to `accept`, with the pressed button if there was one. Resolves once it is stored. */
  async acceptMessage(said: Message, press?: TelegramPress): Promise<void> {
    const { update_id, message: sent, callback_query: query } = this.#update;
    const shown = sent ?? query?.message;
    const from = sent ? sent.from : query?.from;
    // A press without its message still names the person. Their private chat has the same id.
    const chat = shown?.chat.id ?? from?.id;
    if (chat === undefined) return;
    const thread = shown?.is_topic_message ? shown.message_thread_id : undefined;
    const address: TelegramAddress = { chat, ...(thread !== undefined && { thread }) };
    const { first_name: first = '', last_name: last = '', language_code } = from ?? {};
    const incoming = {
      channel: TELEGRAM.name,
      conversation: String(chat),
      id: `u${update_id}`,
      message: said,
      sender: senderOf(TELEGRAM, language_code, `${first} ${last}`),
      address,
      ...(press && { press }),
    };
    // Telegram's dates are in seconds.
    await this.#accept(incoming, 1000 * (sent?.date ?? 0));
  }
}

/**
 * The only cast from our parsed update to telegraf's type, which promises more parts than we parsed. The cast
 * is safe: telegraf only looks for keys, and our functions read the parts by the types of `update.ts`, which
 * say what may be absent.
 */
function toTelegraf(update: Update): TelegrafUpdate;
function toTelegraf(update: object): object {
  return update;
}

const GROUP: Message = { kind: 'group' };
const UNKNOWN: Message = { kind: 'unknown', what: 'other' };

/** The first handler that matches takes the update. None matches edits and channel posts. */
const handle = new Composer<UpdateContext>(
  Composer.on('message', (ctx, next) => {
    const sent: TelegramMessage = ctx.message;
    if (sent.from?.is_bot) return undefined;
    if (isPrivate(sent)) return next();
    return isAddressed(sent, ctx.botInfo) ? ctx.acceptMessage(GROUP) : undefined;
  }),
  Composer.on(message('text'), (ctx) => ctx.acceptMessage(readText(ctx.message.text))),
  Composer.on(message('contact'), (ctx) =>
    ctx.acceptMessage({
      kind: 'contact',
      phone: cut(ctx.message.contact.phone_number, MAX_TEXT),
      own: isOwnContact(ctx.message),
    }),
  ),
  Composer.on(anyOf(message('photo'), message('document'), message('media_group_id')), (ctx, next) => {
    const photo = readPhoto(ctx.message);
    return photo ? ctx.acceptMessage(photo) : next();
  }),
  Composer.on(message('caption'), (ctx) => ctx.acceptMessage(readText(ctx.message.caption ?? ''))),
  Composer.on(anyOf(message('voice'), message('audio'), message('video_note')), (ctx) =>
    ctx.acceptMessage({ kind: 'unknown', what: 'voice' }),
  ),
  Composer.on(message('sticker'), (ctx) => ctx.acceptMessage({ kind: 'unknown', what: 'sticker' })),
  Composer.on('message', (ctx) => (isService(ctx.message) ? undefined : ctx.acceptMessage(UNKNOWN))),
  Composer.on('callback_query', (ctx) => {
    const { said, press } = readQuery(ctx.callbackQuery);
    return ctx.acceptMessage(said, press);
  }),
).middleware();

/** Other people may read any chat that is not marked as private. */
function isPrivate({ chat }: Pick<TelegramMessage, 'chat'>): boolean {
  return chat.type === 'private';
}

/** A press without its message (too old, or inline) counts as private. */
function readQuery({ id, data, message }: CallbackQuery): { said: Message; press: TelegramPress } {
  const chosen = data === undefined ? undefined : choiceOf(data);
  const press: TelegramPress = {
    query: id,
    ...(message?.message_id !== undefined && { message: message.message_id }),
    ...(chosen?.view !== undefined && { view: chosen.view }),
  };
  if (message && !isPrivate(message)) return { said: GROUP, press };
  return { said: chosen ? { kind: 'choice', ...chosen } : UNKNOWN, press };
}

/** A text, or `/start <payload>` of a deep link. */
function readText(text: string): Message {
  const short = cut(text, MAX_TEXT);
  const start = /^\/start(?:@\w+)?(?:\s+(.*))?$/is.exec(short);
  if (!start) return { kind: 'text', text: short };
  const written = start[1]?.trim();
  const payload = written ? decodeStart(written) : undefined;
  return { kind: 'start', ...(payload !== undefined && { payload }) };
}

/**
 * Whether a contact proves the sender's phone: Telegram's server says that it is the sender's (`user_id`),
 * and it was neither forwarded nor sent through another bot (SECURITY.md, "Who is trusted with what").
 */
function isOwnContact(message: TelegramMessage): boolean {
  const { contact, from, forward_origin, forward_date, via_bot } = message;
  const isDirect = forward_origin === undefined && forward_date === undefined && via_bot === undefined;
  return isDirect && isPrivate(message) && from !== undefined && contact?.user_id === from.id;
}

/** A photo, a picture sent as a file, or another file of an album; undefined for other messages. */
function readPhoto(message: TelegramMessage): Message | undefined {
  const picture = readPicture(message);
  if (!picture && message.media_group_id === undefined) return undefined;
  const { caption } = message;
  return {
    kind: 'photo',
    pictures: [picture ?? { kind: 'unreadable' }],
    ...(caption !== undefined && { caption: cut(caption, MAX_TEXT) }),
  };
}

/** The largest size of a photo within our limit: a code may be a small part of it. */
function readPicture({ photo, document }: TelegramMessage): Picture | undefined {
  const isImage = document?.mime_type?.startsWith('image/');
  const files = photo ?? (isImage && document ? [document] : []);
  if (files.length === 0) return undefined;
  const fitting = files.filter(({ file_size: size = 0 }) => size <= MAX_PHOTO_BYTES);
  const [largest] = fitting.sort((one, other) => (other.width ?? 0) - (one.width ?? 0));
  return largest ? { kind: 'remote', at: { file: largest.file_id } } : { kind: 'unreadable' };
}

/** Whether a message in a group is meant for the bot: a reply to it, a command, or a mention. */
function isAddressed(message: TelegramMessage, bot: UserFromGetMe): boolean {
  if (message.reply_to_message?.from?.id === bot.id) return true;
  const text = message.text ?? message.caption ?? '';
  const entities = message.entities ?? message.caption_entities ?? [];
  const us = `@${bot.username.toLowerCase()}`;
  return entities.some(({ type, offset, length, user }) => {
    const part = text.slice(offset, offset + length).toLowerCase();
    if (type === 'text_mention') return user?.id === bot.id;
    if (type === 'mention') return part === us;
    if (type !== 'bot_command' || offset !== 0) return false;
    // Before the bot knows its name: by default (privacy mode) Telegram sends it only commands that name it.
    const at = part.indexOf('@');
    return bot.username === '' || at < 0 || part.slice(at) === us;
  });
}
