import { z } from 'zod';
import { LOCALES, messageSchema, senderSchema } from '../conversation/message.ts';
import { replySchema } from '../conversation/reply.ts';

/*
 * What channels hand in and what goes out through them, as it is stored.
 */

/** Opened, it comes from `JSON.parse`: it can be nothing else, so it is not searched through (`z.json()` costs as much as all the rest). */
const json = z.custom<z.core.util.JSONType>();

/**
 * A message as a channel hands it in; sealed into the mailbox as it is, so that any process can go on with it.
 *
 * - `conversation`: the channel's own name of it (a chat id). Names nobody outside this process sees: it is hashed.
 * - `id`: the platform's id of the message, for de-duplication.
 * - `address`: where replies go, as the channel needs it; kept with the state for replies that come later.
 * - `press`: which message's button was pressed, as the channel needs it to edit that message and end its spinner.
 * - `acceptedMs`, `traceparent`: when it was accepted, by the accepting machine's clock (epoch ms), and its trace in the form
 *   of W3C Trace Context, where there is one; `accept` adds both.
 */
export const incomingSchema = z.strictObject({
  channel: z.string(),
  conversation: z.string(),
  id: z.string(),
  message: messageSchema,
  sender: senderSchema,
  address: json,
  press: json.optional(),
  acceptedMs: z.number().optional(),
  traceparent: z.string().optional(),
});
export type Incoming = z.infer<typeof incomingSchema>;

/** How a conversation of a channel is called in stores and logs. */
export function conversationName(
  seal: { name(kind: 'conversation', value: string): string },
  channel: string,
  conversation: string,
): string {
  return seal.name('conversation', `${channel}\0${conversation}`);
}

/**
 * One reply on its way out, as kept in the outbox. `turn` names the message it answers (absent: nobody asked, the bot
 * speaks of itself); `first` and `last` mark the turn's first and last reply, `state` is what staff may see of where the
 * conversation is, `asked` what it was asking before this turn (as `state.asks`): Telegram takes its contact keyboard
 * away when a phone is not asked any more. `forget`: the customer asked to be forgotten, so the channel drops
 * what it keeps of the conversation before it sends this. `acceptedMs` and `traceparent` are those of the message.
 */
export const outgoingSchema = z.strictObject({
  channel: z.string(),
  conversation: z.string(),
  address: json,
  press: json.optional(),
  locale: z.enum(LOCALES),
  reply: replySchema,
  turn: z.string().optional(),
  first: z.boolean(),
  last: z.boolean(),
  state: z.strictObject({
    flow: z.string().optional(),
    asks: z.string().optional(),
    person: z.literal(true).optional(),
  }),
  asked: z.string().optional(),
  atMs: z.number(),
  forget: z.literal(true).optional(),
  acceptedMs: z.number().optional(),
  traceparent: z.string().optional(),
});
export type StoredOutgoing = z.infer<typeof outgoingSchema>;
