import type { Update } from 'telegraf/types';
import { z } from 'zod';
import type { ChannelTraits } from '../channel.ts';
import { cutList } from '../platforms.ts';

/** Telegram, as a channel. */
export const TELEGRAM = {
  name: 'telegram',
  title: 'Telegram',
  proof: 'contact',
  drawsForms: false,
  sharesContacts: true,
} as const satisfies ChannelTraits;

/** The address of a conversation, which is stored: the chat, and a topic of it. */
export const addressSchema = z.object({ chat: z.int(), thread: z.int().exactOptional() });
export type TelegramAddress = z.infer<typeof addressSchema>;

/** A pressed button: the query to answer, its message, its question's view. */
export const pressSchema = z.object({
  query: z.string(),
  message: z.int().exactOptional(),
  view: z.string().exactOptional(),
});
export type TelegramPress = z.infer<typeof pressSchema>;

/** What we ask for. */
export const ALLOWED_UPDATES = ['message', 'edited_message', 'callback_query'] as const;

/** Longest callback data, bytes. */
export const MAX_DATA = 64;

/** A part of an unexpected shape counts as absent: Telegram would send a refused update for a day. */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const present = z.unknown().optional();

const userSchema = z.object({
  id: z.int(),
  is_bot: maybe(z.boolean()),
  first_name: maybe(z.string()),
  last_name: maybe(z.string()),
  language_code: maybe(z.string()),
});

const fileSchema = z.object({
  file_id: z.string(),
  file_size: maybe(z.number()),
  file_name: maybe(z.string()),
  width: maybe(z.number()),
  mime_type: maybe(z.string()),
});

const locationSchema = z.object({ latitude: z.number(), longitude: z.number() });

const messageSchema = z.object({
  message_id: maybe(z.int()),
  date: maybe(z.int()),
  edit_date: maybe(z.int()),
  chat: z.object({ id: z.int(), type: z.string() }),
  from: maybe(userSchema),
  message_thread_id: maybe(z.int()),
  is_topic_message: maybe(z.boolean()),
  reply_to_message: maybe(z.object({ from: maybe(z.object({ id: z.int() })) })),
  text: maybe(z.string().min(1)),
  caption: maybe(z.string().min(1)),
  contact: maybe(z.object({ phone_number: z.string(), user_id: maybe(z.int()) })),
  // Bot API servers before 7.0 have `forward_date`, and no `forward_origin`.
  forward_origin: present,
  forward_date: present,
  via_bot: present,
  photo: maybe(z.preprocess(cutList, z.array(fileSchema))),
  document: maybe(fileSchema),
  voice: maybe(fileSchema),
  audio: maybe(fileSchema),
  video: maybe(fileSchema),
  video_note: maybe(fileSchema),
  sticker: maybe(
    fileSchema.extend({
      is_animated: maybe(z.boolean()),
      is_video: maybe(z.boolean()),
      thumbnail: maybe(fileSchema),
    }),
  ),
  location: maybe(locationSchema),
  venue: maybe(z.object({ location: locationSchema, title: z.string() })),
});
export type TelegramFile = z.infer<typeof fileSchema>;
export type TelegramMessage = z.infer<typeof messageSchema>;

const querySchema = z.object({
  id: z.string(),
  from: userSchema,
  data: maybe(z.string().max(MAX_DATA)),
  message: maybe(messageSchema),
});
export type CallbackQuery = z.infer<typeof querySchema>;

const updateSchema = z.object({
  update_id: z.int(),
  // Keeps other keys, unread, for filters and `isService`.
  message: maybe(messageSchema.loose()),
  edited_message: maybe(messageSchema),
  callback_query: maybe(querySchema),
});

/**
 * Null without an integer `update_id`. Omits unreadable parts, because filters look for keys. telegraf's type
 * promises more than we parsed, so our functions read the parts by the types of this file.
 */
export function parseUpdate(body: unknown): Update | null;
export function parseUpdate(body: unknown): object | null {
  const update = updateSchema.safeParse(body).data;
  if (!update) return null;
  const message: Record<string, unknown> = update.message ?? {};
  for (const key in message) if (message[key] === undefined) delete message[key];
  if (update.message === undefined) delete update.message;
  if (update.edited_message === undefined) delete update.edited_message;
  if (update.callback_query === undefined) delete update.callback_query;
  return update;
}

/** Keys of messages that Telegram itself writes. Most of them end with a past event. */
const SERVICE = /_(?:[a-z]+ed|set|left|done|sent|paid|(?:un)?hidden)$/;
const OTHER_SERVICE = new Set([
  ...['pinned_message', 'connected_website', 'web_app_data', 'passport_data', 'suggested_post_info'],
  ...['invoice', 'successful_payment', 'refunded_payment'],
  ...['gift', 'unique_gift', 'giveaway', 'giveaway_winners'],
  ...['new_chat_members', 'left_chat_member', 'new_chat_title', 'new_chat_photo', 'delete_chat_photo'],
  ...['migrate_to_chat_id', 'migrate_from_chat_id'],
]);

/** Whether Telegram itself wrote the message. */
export function isService(message: object): boolean {
  return Object.keys(message).some((key) => SERVICE.test(key) || OTHER_SERVICE.has(key));
}
