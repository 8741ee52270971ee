import type { Activity } from 'botbuilder';
import { z } from 'zod';

/**
 * What is absent, or has another shape than expected, is blank: an activity that we cannot read is answered, not refused.
 */
const text = z.string().default('').catch('');

function list<T extends z.ZodType>(schema: T) {
  return z.array(schema).default([]).catch([]);
}

const NOBODY = { id: '', name: '', aadObjectId: '' };
const accountSchema = z.object({ id: text, name: text, aadObjectId: text }).default(NOBODY).catch(NOBODY);

const NOWHERE = { id: '', name: '', isGroup: false, conversationType: '', tenantId: '' };
const conversationSchema = z.object({
  id: text,
  name: text,
  isGroup: z.boolean().default(false).catch(false),
  conversationType: text,
  tenantId: text,
});

const tenantSchema = z.object({ tenant: z.object({ id: z.string() }) });

const activitySchema = z.object({
  type: z.string().min(1),
  id: text,
  name: text,
  channelId: text,
  serviceUrl: text,
  locale: text,
  text,
  value: z.unknown().optional(),
  replyToId: text,
  from: accountSchema,
  /** The bot. */
  recipient: accountSchema,
  conversation: conversationSchema.default(NOWHERE).catch(NOWHERE),
  channelData: z.unknown().optional(),
  /** Of a mention: how it stands in the text, `<at>Name</at>`, and who that is. */
  entities: list(z.object({ type: text, text, mentioned: accountSchema })),
  attachments: list(z.object({ contentType: text, contentUrl: text })),
  membersAdded: list(accountSchema),
  /** Of an `installationUpdate`: `add` or `remove`. */
  action: text,
});

/**
 * The one place where outside data becomes the SDK's `Activity`. Sound without a cast: the compiler compares what the
 * schema gives with the SDK's type, and a field of that type that we do not read is blank here, or absent where it may be.
 * So a sender cannot choose a way through the SDK by a field that we do not know (`deliveryMode`, `channelData.eventType`).
 *
 * Null: no activity at all, because it has no `type`.
 */
export function parseActivity(body: unknown): Activity | null {
  const parsed = activitySchema.safeParse(body).data;
  if (!parsed) return null;
  const { channelData, conversation, ...activity } = parsed;
  // Teams names the directory in two places; the SDK's conversation references keep the conversation's.
  const tenantId = tenantSchema.safeParse(channelData).data?.tenant.id ?? conversation.tenantId;
  return { ...activity, conversation: { ...conversation, tenantId }, channelData: {}, ...UNREAD };
}

const UNREAD = { localTimezone: '', callerId: '', label: '', valueType: '', listenFor: [] };
