import { z } from 'zod';
import type { ChannelTraits } from '../channel.ts';
import { decodeChoice, encodeChoice } from '../input.ts';

export const TELEGRAM = {
  name: 'telegram',
  title: 'Telegram',
  proof: 'contact',
  drawsForms: false,
  sharesContacts: true,
} as const satisfies ChannelTraits;

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

/** Callback data of a button; undefined if it is more than Telegram carries. */
export function callbackDataOf(choice: string, view: string | undefined): string | undefined {
  const data = encodeChoice(choice, view);
  return Buffer.byteLength(data) <= MAX_DATA ? data : undefined;
}

/** The reverse; undefined for what no button of ours carries. */
export function choiceOf(data: string): ReturnType<typeof decodeChoice> | undefined {
  const chosen = Buffer.byteLength(data) <= MAX_DATA ? decodeChoice(data) : undefined;
  return chosen?.choice === '' ? undefined : chosen;
}
