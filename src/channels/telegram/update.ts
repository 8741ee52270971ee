import { z } from 'zod';

/**
 * The parts of an update that the bot uses, read tolerantly: whatever has not the expected shape counts as absent, so
 * that an update we cannot read is answered instead of refused (a refused update blocks its chat for a day).
 */
const maybe = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const present = z.unknown().optional();

const userSchema = z.object({
  id: z.int(),
  is_bot: maybe(z.boolean()),
  first_name: maybe(z.string()),
  last_name: maybe(z.string()),
  language_code: maybe(z.string()),
});
export type User = z.infer<typeof userSchema>;

const chatSchema = z.object({ id: z.int(), type: z.string() });
export type Chat = z.infer<typeof chatSchema>;

const entitiesSchema = z.array(
  z.object({
    type: z.string(),
    offset: z.int(),
    length: z.int(),
    user: maybe(z.object({ id: z.int() })),
  }),
);
export type Entity = z.infer<typeof entitiesSchema>[number];

const messageSchema = z.object({
  message_id: maybe(z.int()),
  chat: chatSchema,
  from: maybe(userSchema),
  message_thread_id: maybe(z.int()),
  is_topic_message: maybe(z.boolean()),
  reply_to_message: maybe(z.object({ from: maybe(z.object({ id: z.int() })) })),
  text: maybe(z.string()),
  entities: maybe(entitiesSchema),
  caption: maybe(z.string()),
  caption_entities: maybe(entitiesSchema),
  contact: maybe(z.object({ phone_number: z.string(), user_id: maybe(z.int()) })),
  // `forward_date` instead of `forward_origin`: Bot API servers before 7.0, which people run themselves.
  forward_origin: present,
  forward_date: present,
  via_bot: present,
  photo: present,
  voice: present,
  audio: present,
  video_note: present,
  sticker: present,
  // Service messages that a private chat can have: nobody said anything.
  pinned_message: present,
  message_auto_delete_timer_changed: present,
  write_access_allowed: present,
  chat_background_set: present,
});
export type TelegramMessage = z.infer<typeof messageSchema>;

const callbackSchema = z.object({
  id: z.string(),
  from: userSchema,
  data: maybe(z.string()),
  message: maybe(messageSchema),
});
export type CallbackQuery = z.infer<typeof callbackSchema>;

const updateSchema = z.object({
  update_id: z.int(),
  message: maybe(messageSchema),
  callback_query: maybe(callbackSchema),
});
export type Update = z.infer<typeof updateSchema>;

/** Null: no update at all, because there is no integer `update_id`. */
export function parseUpdate(body: unknown): Update | null {
  return updateSchema.safeParse(body).data ?? null;
}
