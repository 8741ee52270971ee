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
import { API_SECURITY, API_TAG } from '../../http/docs.ts';
import { MAX_STAFF_NAME } from '../../http/people.ts';
import { problemOf } from '../../http/problem.ts';
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

/** To read more as JSON would hold up every other message. */
export const MAX_STAFF_PHOTO = 5 * 1024 * 1024;
const MAX_BASE64 = Math.ceil(MAX_STAFF_PHOTO / 3) * 4;
export const MAX_BODY_BYTES = MAX_BASE64 + 64 * 1024;

const field = z.string().min(1).max(MAX_TEXT);

const conversationSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'Wants 1 to 64 of A-Z a-z 0-9 _ . : -')
  .describe('Names the conversation; a new name starts a new one.');

/** An optional field. The API page has its description. */
export const maybe = <T extends z.ZodType>(schema: T, description: string) =>
  schema.optional().describe(description);

/** Who of staff, as they call themselves. */
export const nameSchema = z
  .string()
  .trim()
  .regex(/[^\s\p{Cc}\p{Cf}]/u, 'Wants a name')
  .max(MAX_STAFF_NAME, `Wants at most ${MAX_STAFF_NAME} characters`)
  .transform((name) => name.replace(/[\p{Cc}\p{Cf}]/gu, '').toWellFormed());

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
      code: maybe(field, 'One or, with blanks or commas between, several.'),
      phone: field.optional(),
      email: maybe(z.string().max(MAX_TEXT), 'Empty: there is none.'),
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
      trace: maybe(z.boolean(), '`true`: a look into the turn comes with the answer.'),
      as: z
        .enum(channels.map(({ name }) => name))
        .default(STAFF.name)
        .describe('Whose abilities and identity rules to imitate.'),
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
  key: key.describe('Names the wording in `locales/*.json`. Go by it, never by the text.'),
  text: z.string(),
  asks,
  view: view.describe("The question's id: buttons of an older one change nothing."),
  ...flags,
  choices: z.array(z.object({ id: z.string(), label: z.string() })).optional(),
  form: z.array(fieldSchema).optional(),
});
/** A reply in the webhook's answer. */
export type StaffReply = z.infer<typeof replySchema>;

const stateSchema = z.object({
  flow: z.string().optional(),
  asks: z.string().optional(),
  person: maybe(z.literal(true), 'A person was asked for: staff answer, the bot does not.'),
});

/** A process of another version may write another shape. */
const shownTrace = traceSchema.optional().catch(undefined);

/** The event of a reply, in the feed and in the event stream. */
export const eventSchema = replySchema.extend({
  turn: maybe(z.string(), 'The id of the message that it answers.'),
  last: z.boolean().describe("The turn's last reply."),
  state: stateSchema,
  trace: shownTrace.describe('With the last reply: a look into the turn.'),
});
export type StaffEvent = z.infer<typeof eventSchema>;

/** The answer of the staff webhook. */
export const answerSchema = z.object({
  conversation: z.string(),
  status: z.enum(['done', 'queued', 'duplicate']).describe('`queued`: the replies come as events.'),
  replies: z.array(replySchema),
  state: maybe(stateSchema, 'After the last reply.'),
  trace: shownTrace.describe('A look into the turn. For people: its shape may change.'),
});
export type StaffAnswer = z.infer<typeof answerSchema>;

/** What staff write, without control characters. */
export const cleanText = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, '').toWellFormed();

/** The refusals of all routes for staff. */
export const refusals = {
  400: problemOf('The request is wrong: `faults` lists everything at once.'),
  401: problemOf('The staff token is missing or wrong.'),
  403: problemOf("A person's token opens the inbox alone, and nobody else has a person's name."),
  404: problemOf('Staff access is off, or not from here.'),
  429: problemOf('Too many requests of this address, or messages of this conversation.'),
  503: problemOf('The store cannot be reached, or the server is stopping.'),
};

/** A route for staff, as the API page shows it. */
export function routeOf<Schemas extends object>(operationId: string, summary: string, schemas: Schemas) {
  return { tags: [API_TAG], security: [{ [API_SECURITY]: [] }], operationId, summary, ...schemas };
}

/** The route that takes a message; `body`: its schema. */
export const messageRouteOf = (body: RequestSchema) =>
  routeOf('sendMessage', 'Write to the bot', {
    description: `Answers with the replies. Exactly one of \`${KINDS.join('`, `')}\`.`,
    body,
    response: {
      200: answerSchema,
      ...refusals,
      413: problemOf('The request is too large.'),
      415: problemOf('The request is no JSON.'),
    },
  });

/** The response of a route with server-sent events. */
export const streamed = {
  200: { description: 'The events.', content: { 'text/event-stream': { schema: z.string() } } },
  ...refusals,
};

/** The route of a conversation's events. */
export const eventsRoute = routeOf('followConversation', 'Follow a conversation', {
  description: 'Server-sent events: every reply, the kept ones first (the last 100, one hour).',
  params: z.object({ conversation: conversationSchema }),
  headers: z.looseObject({ 'last-event-id': z.coerce.number().int().min(0).optional() }),
  response: streamed,
});
