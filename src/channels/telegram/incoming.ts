import { Composer, Context, Telegram } from 'telegraf';
import type { Update as TelegrafUpdate, UserFromGetMe } from 'telegraf/types';
import { z } from 'zod';
import {
  MAX_PHOTO_BYTES,
  MAX_TEXT,
  type Message,
  type Photo,
  type Picture,
} from '../../conversation/message.ts';
import { decodeStart } from '../../conversation/values/code.ts';
import type { Incoming } from '../../engine/messages.ts';
import { cut, senderOf, shortList } from '../input.ts';
import { type Address, choiceOf, type Press, TELEGRAM } from './address.ts';

/**
 * The parts of an update that the bot uses, read tolerantly: what has another shape than expected counts as absent,
 * so that an update we cannot read is answered instead of refused (a refused update blocks its chat for a day).
 */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const present = z.unknown().optional();
/** What Telegram describes by an object or a list that nobody looks into. */
const media = maybe(z.custom<object>((value) => typeof value === 'object' && value !== null));

const userSchema = z.object({
  id: z.int(),
  is_bot: maybe(z.boolean()),
  first_name: maybe(z.string()),
  last_name: maybe(z.string()),
  language_code: maybe(z.string()),
});
type User = z.infer<typeof userSchema>;

const chatSchema = z.object({ id: z.int(), type: z.string() });
type Chat = z.infer<typeof chatSchema>;

const entitiesSchema = shortList(
  z.object({
    type: z.string(),
    offset: z.int(),
    length: z.int(),
    user: maybe(z.object({ id: z.int() })),
  }),
);

const fileSchema = z.object({
  file_id: z.string(),
  file_size: maybe(z.number()),
  width: maybe(z.number()),
  mime_type: maybe(z.string()),
});

/** Telegram names most of its own messages, newer ones too, by what happened, and what people send by what it is. */
const SERVICE = /_(?:[a-z]+ed|set|left|done|sent|paid|(?:un)?hidden)$/;
const OTHER_SERVICE = new Set([
  ...['pinned_message', 'connected_website', 'web_app_data', 'passport_data', 'suggested_post_info'],
  ...['invoice', 'successful_payment', 'refunded_payment'],
  ...['gift', 'unique_gift', 'giveaway', 'giveaway_winners'],
  ...['new_chat_members', 'left_chat_member', 'new_chat_title', 'new_chat_photo', 'delete_chat_photo'],
  ...['migrate_to_chat_id', 'migrate_from_chat_id'],
]);

function markService(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  let isService = false;
  for (const key of Object.keys(message)) isService ||= SERVICE.test(key) || OTHER_SERVICE.has(key);
  return { ...message, isService };
}

const partsSchema = z.object({
  /** Telegram's own message: nobody said anything. */
  isService: maybe(z.boolean()),
  message_id: maybe(z.int()),
  date: maybe(z.int()),
  chat: chatSchema,
  from: maybe(userSchema),
  message_thread_id: maybe(z.int()),
  is_topic_message: maybe(z.boolean()),
  reply_to_message: maybe(z.object({ from: maybe(z.object({ id: z.int() })) })),
  media_group_id: maybe(z.string()),
  text: maybe(z.string().min(1)),
  entities: maybe(entitiesSchema),
  caption: maybe(z.string().min(1)),
  caption_entities: maybe(entitiesSchema),
  contact: maybe(z.object({ phone_number: z.string(), user_id: maybe(z.int()) })),
  // `forward_date` instead of `forward_origin`: Bot API servers before 7.0, which people run themselves.
  forward_origin: present,
  forward_date: present,
  via_bot: present,
  photo: maybe(shortList(fileSchema)),
  document: maybe(fileSchema),
  voice: media,
  audio: media,
  video_note: media,
  sticker: media,
});
const messageSchema = z.preprocess(markService, partsSchema);
type TelegramMessage = z.infer<typeof messageSchema>;

const callbackSchema = z.object({
  id: z.string(),
  from: userSchema,
  data: maybe(z.string()),
  message: maybe(messageSchema),
});

type Query = z.infer<typeof callbackSchema>;

const updateSchema = z.object({
  update_id: z.int(),
  message: maybe(messageSchema),
  callback_query: maybe(callbackSchema),
});
export type Update = z.infer<typeof updateSchema>;

/** Null: no update at all, because there is no integer `update_id`. What cannot be read is left out, for routes look for keys. */
export function parseUpdate(body: unknown): Update | null {
  const update = updateSchema.safeParse(body).data;
  if (!update) return null;
  const { update_id, message, callback_query } = update;
  return { update_id, ...(message && { message }), ...(callback_query && { callback_query }) };
}

/**
 * The one place where a parsed update becomes telegraf's. telegraf's type promises more parts than were parsed; it is
 * sound here because telegraf only looks for the keys of an update and hands their parts on as they are, to functions of
 * ours that take them as the types above, which say what may be absent.
 */
function asTelegraf(update: Update): TelegrafUpdate;
function asTelegraf(update: object): object {
  return update;
}

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
export async function toIncoming(update: Update, bot: UserFromGetMe): Promise<Incoming | null> {
  const said = await route(asTelegraf(update), bot);
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
  const name = [from?.first_name, from?.last_name].filter(Boolean).join(' ');
  const sender = senderOf(TELEGRAM, from?.language_code, name);
  const id = `u${update_id}`;
  return { channel: TELEGRAM.name, conversation: String(chat.id), id, sender, address };
}

/** What a customer said with an update; `press` where they pressed a button. */
type Said = { readonly message: Message; readonly press?: Press };

/** An update on its way through the routes. `said` undefined: nobody spoke to us. */
class UpdateContext extends Context {
  said: Said | undefined;
}

/**
 * What is not said to us fits no route, or one that says nothing: edits (answered when they were new), channel posts,
 * membership changes, service messages, other bots, and groups that do not address us.
 */
const routes = new Composer<UpdateContext>(
  Composer.on('message', (ctx) => {
    ctx.said = readMessage(ctx.message, ctx.botInfo);
  }),
  Composer.on('callback_query', (ctx) => {
    ctx.said = pressOf(ctx.callbackQuery);
  }),
);

const GROUP: Message = { kind: 'group' };
const UNKNOWN: Message = { kind: 'unknown', what: 'other' };

function readMessage(message: TelegramMessage, bot: UserFromGetMe): Said | undefined {
  if (message.from?.is_bot) return undefined;
  if (!isPrivate(message.chat)) return isAddressed(message, bot) ? { message: GROUP } : undefined;
  const content = contentOf(message);
  return content && { message: content };
}

/** What a person wrote or sent in their chat with us. */
function contentOf(message: TelegramMessage): Message | undefined {
  const { text, caption, contact, voice, audio, video_note, sticker } = message;
  if (text !== undefined) return textOf(text);
  if (contact) {
    return { kind: 'contact', phone: cut(contact.phone_number, MAX_TEXT), own: isOwnContact(message) };
  }
  const photo = photoOf(message);
  if (photo) return photo;
  if (caption !== undefined) return textOf(caption);
  if (voice ?? audio ?? video_note) return { kind: 'unknown', what: 'voice' };
  if (sticker) return { kind: 'unknown', what: 'sticker' };
  return message.isService ? undefined : UNKNOWN;
}

/** Routes only say what an update is: none of telegraf's methods is ever called. */
const NO_API = new Telegram('');

/** Runs an update through the routes; undefined: nobody spoke to us. */
async function route(update: TelegrafUpdate, bot: UserFromGetMe): Promise<Said | undefined> {
  const ctx = new UpdateContext(update, NO_API, bot);
  await routes.middleware()(ctx, async () => {});
  return ctx.said;
}

/** Anything that is not surely private is treated as read by others. */
function isPrivate(chat: Chat | undefined): boolean {
  return chat?.type === 'private';
}

/** Without its message (too old a bot message, an inline one) a press has a person, with whom the chat is private. */
function pressOf(query: Query): Said {
  const chosen = query.data === undefined ? undefined : choiceOf(query.data);
  const press: Press = {
    query: query.id,
    ...(query.message?.message_id !== undefined && { message: query.message.message_id }),
    ...(chosen?.view !== undefined && { view: chosen.view }),
  };
  const message: Message = chosen ? { kind: 'choice', ...chosen } : UNKNOWN;
  return { message: query.message === undefined || isPrivate(query.message.chat) ? message : GROUP, press };
}

/** A text, or `/start <payload>`: a deep link, or somebody who types it. */
function textOf(text: string): Message {
  const short = cut(text, MAX_TEXT);
  const start = /^\/start(?:@\w+)?(?:\s+(.*))?$/is.exec(short);
  if (!start) return { kind: 'text', text: short };
  const written = start[1]?.trim();
  const payload = written ? decodeStart(written) : undefined;
  return { kind: 'start', ...(payload !== undefined && { payload }) };
}

/**
 * A shared contact proves the sender's phone only under these conditions: Telegram's server fills in `user_id`, and a
 * forwarded contact or one sent through another bot was not shared by the sender with us (SECURITY.md, "Who is trusted with what").
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
  return direct && isPrivate(chat) && from !== undefined && contact?.user_id === from.id;
}

/**
 * A photo, a picture sent as a file, or whatever else came in an album. Undefined for all other messages. Of a photo's
 * sizes the largest is taken: a code may be a small part of it.
 */
function photoOf(message: TelegramMessage): Photo | undefined {
  const picture = pictureOf(message);
  const album = message.media_group_id === undefined ? undefined : true;
  if (!picture && !album) return undefined;
  const { caption } = message;
  return {
    kind: 'photo',
    pictures: [picture ?? { kind: 'unreadable' }],
    ...(caption !== undefined && { caption: cut(caption, MAX_TEXT) }),
    ...(album && { album }),
  };
}

function pictureOf({ photo, document }: TelegramMessage): Picture | undefined {
  const isImage = document?.mime_type?.startsWith('image/');
  const files = photo ?? (isImage && document ? [document] : []);
  if (files.length === 0) return undefined;
  const fitting = files.filter(({ file_size: size = 0 }) => size <= MAX_PHOTO_BYTES);
  const [largest] = [...fitting].sort((one, other) => (other.width ?? 0) - (one.width ?? 0));
  return largest ? { kind: 'remote', at: { file: largest.file_id } } : { kind: 'unreadable' };
}

/** Whether a message in a group is meant for us: a reply to us, a command, or a mention. */
function isAddressed(message: TelegramMessage, bot: UserFromGetMe): boolean {
  if (message.reply_to_message?.from?.id === bot.id) return true;
  const text = message.text ?? message.caption ?? '';
  const entities = message.entities ?? message.caption_entities ?? [];
  const us = `@${bot.username.toLowerCase()}`;
  return entities.some(({ type, offset, length, user }) => {
    const [before, ...names] = text
      .slice(offset, offset + length)
      .toLowerCase()
      .split(/(?=@)/);
    if (type === 'text_mention') return user?.id === bot.id;
    if (type === 'mention') return before === us;
    // Until we know our name: Telegram hands a bot the commands with its own name (privacy mode, the default).
    return (
      type === 'bot_command' && offset === 0 && (bot.username === '' || names.every((name) => name === us))
    );
  });
}
