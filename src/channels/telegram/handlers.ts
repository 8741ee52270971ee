import { Composer, Context } from 'telegraf';
import { anyOf, message } from 'telegraf/filters';
import type { Update, UserFromGetMe } from 'telegraf/types';
import { MAX_PHOTO_BYTES, MAX_TEXT, type Message, type Picture } from '../../conversation/message.ts';
import { decodeStart } from '../../conversation/values/code.ts';
import type { Incoming } from '../../engine/messages.ts';
import type { Accept } from '../channel.ts';
import { cut, decodeChoice, senderOf } from '../platforms.ts';
import type { TelegramApi } from './api.ts';
import { withMedia } from './media.ts';
import {
  type CallbackQuery,
  isService,
  TELEGRAM,
  type TelegramAddress,
  type TelegramMessage,
  type TelegramPress,
} from './update.ts';

/** Passes what a customer says to `accept`. Rejects as `accept` does. */
export async function handleUpdate(update: Update, api: TelegramApi, accept: Accept): Promise<void> {
  const ctx = new UpdateContext(update, api, api.botInfo);
  await handle(ctx, async () => {});
  // Telegram's dates are in seconds.
  if (ctx.incoming) await accept(ctx.incoming, 1000 * (ctx.message?.date ?? 0));
}

/** telegraf's context of an update, with what the customer says by it. */
class UpdateContext extends Context {
  incoming: Incoming | undefined;

  takeMessage(content: Message): void {
    const sent: TelegramMessage | undefined = this.message ?? this.editedMessage;
    const query: CallbackQuery | undefined = this.callbackQuery;
    const shown = sent ?? query?.message;
    const from = sent ? sent.from : query?.from;
    // A press without its message: the private chat has the id of the person.
    const chat = shown?.chat.id ?? from?.id;
    if (chat === undefined) return;
    const thread = shown?.is_topic_message ? shown.message_thread_id : undefined;
    const address: TelegramAddress = { chat, ...(thread !== undefined && { thread }) };
    const { first_name: first = '', last_name: last = '', language_code } = from ?? {};
    const press: TelegramPress | undefined = query && {
      query: query.id,
      ...(shown?.message_id !== undefined && { message: shown.message_id }),
      ...(content.kind === 'choice' && content.view !== undefined && { view: content.view }),
    };
    this.incoming = {
      channel: TELEGRAM.name,
      conversation: String(chat),
      id: `u${this.update.update_id}`,
      message: sent ? withMedia(content, sent) : content,
      sender: senderOf(TELEGRAM, language_code, `${first} ${last}`),
      address,
      ...(press && { press }),
    };
  }
}

const GROUP: Message = { kind: 'group' };
const UNKNOWN: Message = { kind: 'unknown', what: 'other' };

/** The first handler that matches takes the update. None matches channel posts. */
const handle = new Composer<UpdateContext>(
  Composer.on('message', (ctx, next) => {
    // Other people may read any chat that is not marked as private.
    const sent: TelegramMessage = ctx.message;
    if (sent.from?.is_bot) return undefined;
    if (sent.chat.type === 'private') return next();
    return isAddressed(sent, ctx.botInfo) ? ctx.takeMessage(GROUP) : undefined;
  }),
  Composer.on(message('text'), (ctx) => ctx.takeMessage(readText(ctx.message.text))),
  Composer.on(message('contact'), (ctx) =>
    ctx.takeMessage({
      kind: 'contact',
      phone: cut(ctx.message.contact.phone_number, MAX_TEXT),
      own: isOwnContact(ctx.message),
    }),
  ),
  Composer.on(anyOf(message('photo'), message('document')), (ctx, next) => {
    const picture = readPicture(ctx.message);
    if (!picture) return next();
    const { caption } = ctx.message;
    return ctx.takeMessage({
      kind: 'photo',
      pictures: [picture],
      ...(caption !== undefined && { caption: cut(caption, MAX_TEXT) }),
    });
  }),
  Composer.on(message('caption'), (ctx) => ctx.takeMessage(readText(ctx.message.caption ?? ''))),
  Composer.on(anyOf(message('voice'), message('audio'), message('video_note')), (ctx) =>
    ctx.takeMessage({ kind: 'unknown', what: 'voice' }),
  ),
  Composer.on(message('sticker'), (ctx) => ctx.takeMessage({ kind: 'unknown', what: 'sticker' })),
  Composer.on('message', (ctx) => (isService(ctx.message) ? undefined : ctx.takeMessage(UNKNOWN))),
  Composer.on('edited_message', (ctx) => {
    const edited: TelegramMessage = ctx.editedMessage;
    const { chat, from, message_id: of, text, caption, edit_date: atS } = edited;
    const written = text ?? caption;
    // A live place moves by edits, without a text and without an end.
    if (chat.type !== 'private' || from?.is_bot || of === undefined || atS === undefined) return undefined;
    if (written === undefined) return undefined;
    return ctx.takeMessage({ kind: 'edit', of: String(of), text: cut(written, MAX_TEXT) });
  }),
  Composer.on('callback_query', (ctx) => {
    const { data, message }: CallbackQuery = ctx.callbackQuery;
    // A press without its message (too old, or inline) counts as private.
    if (message && message.chat.type !== 'private') return ctx.takeMessage(GROUP);
    return ctx.takeMessage(data === undefined ? UNKNOWN : { kind: 'choice', ...decodeChoice(data) });
  }),
).middleware();

/** A text, or `/start <payload>` of a deep link. */
function readText(text: string): Message {
  const short = cut(text, MAX_TEXT);
  const start = /^\/start(?:@\w+)?(?:\s+(.*))?$/is.exec(short);
  if (!start) return { kind: 'text', text: short };
  const encoded = start[1]?.trim();
  const payload = encoded ? decodeStart(encoded) : undefined;
  return { kind: 'start', ...(payload !== undefined && { payload }) };
}

/** Whether a contact proves the sender's phone (SECURITY.md, "Who may do what"). */
function isOwnContact(message: TelegramMessage): boolean {
  const { contact, from, forward_origin, forward_date, via_bot } = message;
  const isDirect = forward_origin === undefined && forward_date === undefined && via_bot === undefined;
  return isDirect && message.chat.type === 'private' && from !== undefined && contact?.user_id === from.id;
}

/** The largest size within our limit: a code may be small. */
function readPicture({ photo, document }: TelegramMessage): Picture | undefined {
  const isImage = document?.mime_type?.startsWith('image/');
  const files = photo ?? (isImage && document ? [document] : []);
  if (files.length === 0) return undefined;
  const fitting = files.filter(({ file_size: size = 0 }) => size <= MAX_PHOTO_BYTES);
  const [largest] = fitting.sort((one, other) => (other.width ?? 0) - (one.width ?? 0));
  return largest ? { kind: 'remote', at: { file: largest.file_id } } : { kind: 'unreadable' };
}

/** Whether a group's message is meant for the bot: a reply, a command, a mention. */
function isAddressed(message: TelegramMessage, bot: UserFromGetMe): boolean {
  if (message.reply_to_message?.from?.id === bot.id) return true;
  const text = message.text ?? message.caption ?? '';
  const [first = '', ...rest] = text.toLowerCase().split(/[^\w@/]+/);
  const us = `@${bot.username.toLowerCase()}`;
  if (first === us || rest.includes(us)) return true;
  return first.startsWith('/') && (!first.includes('@') || first.endsWith(us));
}
