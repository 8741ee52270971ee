import { z } from 'zod';

/** Where replies go: the chat, and the topic in chats that have topics. Stored with the conversation. */
export const addressSchema = z.object({ chat: z.int(), thread: z.int().exactOptional() });
export type Address = z.infer<typeof addressSchema>;

/**
 * A pressed inline button: the callback query to answer (it ends the button's spinner), the message that has the
 * button, and the view of its question.
 */
export const pressSchema = z.object({
  query: z.string(),
  message: z.int().exactOptional(),
  view: z.string().exactOptional(),
});
export type Press = z.infer<typeof pressSchema>;

/** The only updates we ask for. Edits are not among them: what was said has been answered already. */
export const ALLOWED_UPDATES = ['message', 'callback_query', 'my_chat_member'] as const;

/** Longest callback data, bytes. */
const MAX_DATA = 64;

/** Callback data of a button, `<choice id>~<view>`; undefined if it is more than Telegram carries. */
export function encodeChoice(id: string, view: string | undefined): string | undefined {
  const data = view === undefined ? id : `${id}~${view}`;
  return Buffer.byteLength(data) <= MAX_DATA ? data : undefined;
}

/** The reverse; undefined for what no button of ours carries. Anybody with a modified client can send any data. */
export function decodeChoice(data: string): { choice: string; view?: string } | undefined {
  if (Buffer.byteLength(data) > MAX_DATA) return undefined;
  const at = data.lastIndexOf('~');
  const choice = at < 0 ? data : data.slice(0, at);
  if (choice === '') return undefined;
  return at < 0 ? { choice } : { choice, view: data.slice(at + 1) };
}
