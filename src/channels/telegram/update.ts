import type { Update as TelegrafUpdate } from 'telegraf/types';
import { z } from 'zod';

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

const fileSchema = z.object({
  file_id: z.string(),
  file_size: maybe(z.number()),
  width: maybe(z.number()),
  mime_type: maybe(z.string()),
});

const messageSchema = z.object({
  message_id: maybe(z.int()),
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
  photo: maybe(z.array(fileSchema).min(1)),
  document: maybe(fileSchema),
  voice: media,
  audio: media,
  video_note: media,
  sticker: media,
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

const updateSchema = z.object({
  update_id: z.int(),
  message: maybe(messageSchema),
  callback_query: maybe(callbackSchema),
});
export type Update = z.infer<typeof updateSchema>;

/** Null: no update at all, because there is no integer `update_id`. */
export function parseUpdate(body: unknown): Update | null {
  const update = updateSchema.safeParse(body).data;
  if (!update) return null;
  const { message, callback_query: query } = update;
  for (const part of [update, message, query, query?.message]) if (part) dropUnreadable(part);
  return update;
}

/** A part of another shape than expected was left without a value: its key goes too, because filters look for keys. */
function dropUnreadable(part: Record<string, unknown>): void {
  for (const key in part) if (part[key] === undefined) delete part[key];
}

/**
 * The one place where a parsed update becomes telegraf's. telegraf's type promises more parts than were parsed; it is
 * sound here because telegraf's filters and getters only look for keys and hand parts on as they are, and because our
 * routes read nothing that the schemas above have not read: whatever they hand to a function of ours, that function
 * takes it as one of the types above, which say what may be absent. Whoever adds a route adds the part to the schema.
 */
export function asTelegraf(update: Update): TelegrafUpdate;
export function asTelegraf(update: object): object {
  return update;
}
