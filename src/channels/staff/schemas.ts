import { z } from 'zod';
import {
  LOCALES,
  MAX_TEXT,
  type Message,
  type PhotoReading,
  type Sender,
} from '../../conversation/message.ts';
import { replySchema as plainReply } from '../../conversation/reply.ts';
import { decodeStart } from '../../conversation/values/code.ts';
import { traceSchema } from '../../engine/messages.ts';
import { problemOf } from '../../http/problem.ts';
import { describeRoute, maybe, refusals, streamed } from '../../http/staff-routes.ts';
import type { ChannelTraits } from '../channel.ts';
import { decodeChoice } from '../platforms.ts';

/** The staff webhook, as a channel. */
export const STAFF: ChannelTraits = {
  name: 'staff',
  title: 'Staff webhook',
  proof: 'token',
  drawsForms: true,
  sharesContacts: true,
  traced: true,
};

/** A larger JSON body would block the process while it is parsed. */
export const MAX_STAFF_PHOTO = 5 * 1024 * 1024;
const MAX_BASE64 = Math.ceil(MAX_STAFF_PHOTO / 3) * 4;
export const MAX_BODY_BYTES = MAX_BASE64 + 64 * 1024;

const field = z.string().min(1).max(MAX_TEXT);

const conversationSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'Wants 1 to 64 of A-Z a-z 0-9 _ . : -')
  .describe('Names the conversation; a new name starts a new one.');

/** The kinds of message. A request has exactly one. */
const kindsSchema = z.object({
  text: maybe(z.string().min(1), `What the customer types; cut after ${MAX_TEXT} characters.`),
  choice: maybe(
    z
      .string()
      .max(MAX_TEXT)
      .regex(/^[^~]+(~[^~]+)?$/, 'Wants the id of a choice, or <id>~<view>'),
    'Presses a button: an id from `choices`, or `<id>~<view>` of one question.',
  ),
  contact: maybe(
    z.strictObject({
      phone: field,
      own: z.boolean().default(true).describe("`false`: somebody else's."),
    }),
    'Shares a phone number.',
  ),
  form: maybe(
    z.strictObject({
      code: maybe(field, 'A code, or several with blanks or commas between them.'),
      phone: field.optional(),
      email: maybe(z.string().max(MAX_TEXT), 'Empty: the customer has none.'),
    }),
    'Several slots at once.',
  ),
  start: maybe(z.string().max(MAX_TEXT), "A deep link's payload: a code, or `_` and its base64url."),
  photo: maybe(z.base64().min(1).max(MAX_BASE64), 'JPEG or PNG, at most 5 MB; its codes are read.'),
});
const KINDS = kindsSchema.keyof().options;

/** A request of staff. `channels`: the channels that it may imitate. */
export function requestSchemaOf(channels: readonly ChannelTraits[]) {
  return z
    .strictObject({
      conversation: conversationSchema,
      ...kindsSchema.shape,
      id: maybe(z.string().min(1).max(128), 'The same id in the same conversation counts once.'),
      locale: maybe(z.enum(LOCALES), "The language of the customer's client."),
      name: maybe(z.string().min(1).max(200), "The customer's display name."),
      trace: maybe(z.boolean(), '`true`: the answer shows what happened inside the turn.'),
      as: z
        .enum(channels.map(({ name }) => name))
        .default(STAFF.name)
        .describe('The channel whose abilities and identity rules the bot imitates.'),
      profile: maybe(z.strictObject({ email: z.email().optional() }), 'What the imitated channel proves.'),
    })
    .refine((body) => KINDS.filter((kind) => body[kind] !== undefined).length === 1, {
      error: `Wants exactly one of ${KINDS.join(', ')}`,
      // It runs on every object, so that all faults of a request are reported at once.
      when: ({ value }) => typeof value === 'object' && value !== null && !Array.isArray(value),
    })
    .meta({ examples: [{ conversation: 'qa-42', text: 'tích điểm TIVInpmx8b98pfg' }] });
}
export type RequestSchema = ReturnType<typeof requestSchemaOf>;
export type StaffRequest = z.infer<RequestSchema>;

/** The message of a request. `read` reads a picture, which is not stored. */
export async function messageOf(
  { text, choice, contact, form, start, photo = '' }: StaffRequest,
  read: (bytes: Uint8Array) => Promise<PhotoReading>,
): Promise<Message> {
  if (text !== undefined) return { kind: 'text', text: text.slice(0, MAX_TEXT).toWellFormed() };
  if (choice !== undefined) return { kind: 'choice', ...decodeChoice(choice) };
  if (contact !== undefined) return { kind: 'contact', ...contact };
  if (form !== undefined) return { kind: 'form', ...form };
  if (start !== undefined) {
    const payload = start === '' ? undefined : decodeStart(start);
    return { kind: 'start', ...(payload !== undefined && { payload }) };
  }
  return { kind: 'photo', pictures: [await read(Buffer.from(photo, 'base64'))] };
}

/** The sender: `as` decides how an identifier can be proved. */
export function senderOf(
  { as, locale, name, profile }: StaffRequest,
  channels: readonly ChannelTraits[],
): Sender {
  const { proof } = channels.find(({ name }) => name === as) ?? STAFF;
  const email = proof === 'profile' ? profile?.email?.toLowerCase() : undefined;
  return { channel: as, proof, ...(locale && { locale }), ...(name && { name }), ...(email && { email }) };
}

const fieldSchema = z.object({
  slot: z.enum(['code', 'phone', 'email']),
  required: z.boolean(),
  value: z.string().optional(),
  reason: z.string().optional(),
});

const { key, asks, view, ...flags } = plainReply.omit({ context: true, params: true, lines: true }).shape;
const replySchema = z.object({
  seq: z.int().describe("The reply's number in its conversation, the same in the events."),
  key: key.describe('Names the wording in `locales/*.json`. Programs should read this, never the text.'),
  text: z.string(),
  asks,
  view: view.describe("The question's id. Buttons of an older question change nothing."),
  ...flags,
  choices: z.array(z.object({ id: z.string(), label: z.string() })).optional(),
  form: z.array(fieldSchema).optional(),
});
/** A reply in the webhook's answer. */
export type StaffReply = z.infer<typeof replySchema>;

const stateSchema = z.object({
  flow: z.string().optional(),
  asks: z.string().optional(),
  person: maybe(z.literal(true), 'The customer asked for a person: staff answer, and the bot does not.'),
});

/** A process of another version may write another shape. */
const shownTrace = traceSchema.optional().catch(undefined);

/** The event of a reply, in the feed and in the event stream. */
export const eventSchema = replySchema.extend({
  turn: maybe(z.string(), 'The id of the message that it answers.'),
  last: z.boolean().describe("The turn's last reply."),
  state: stateSchema,
  trace: shownTrace.describe('What happened inside the turn; only with its last reply.'),
});
export type StaffEvent = z.infer<typeof eventSchema>;

/** The answer of the staff webhook. */
export const answerSchema = z.object({
  conversation: z.string(),
  status: z.enum(['done', 'queued', 'duplicate']).describe('`queued`: the replies come as events.'),
  replies: z.array(replySchema),
  state: maybe(stateSchema, 'After the last reply.'),
  trace: shownTrace.describe('What happened inside the turn. For people to read: its shape may change.'),
});
export type StaffAnswer = z.infer<typeof answerSchema>;

/** The route that takes a message; `body`: its schema. */
export const messageRouteOf = (body: RequestSchema) =>
  describeRoute('sendMessage', 'Write to the bot', {
    description: `Answers with the replies. Exactly one of \`${KINDS.join('`, `')}\`.`,
    body,
    response: {
      200: answerSchema,
      ...refusals,
      413: problemOf('The request is too large.'),
      415: problemOf('The request is no JSON.'),
    },
  });

/** The route of a conversation's events. */
export const eventsRoute = describeRoute('followConversation', 'Follow a conversation', {
  description: 'Server-sent events: first the stored replies (at most 100, for an hour), then each new one.',
  params: z.object({ conversation: conversationSchema }),
  headers: z.looseObject({ 'last-event-id': z.coerce.number().int().min(0).optional() }),
  response: streamed,
});
