import { randomUUID } from 'node:crypto';
import { type Activity, TurnContext } from 'botbuilder';
import { z } from 'zod';
import { MAX_TEXT, type Message, type Picture } from '../../conversation/message.ts';
import type { Incoming } from '../../engine/messages.ts';
import { cut, decodeChoice, senderOf } from '../platforms.ts';
import { type CardData, parseData, TEAMS, type TeamsPlace } from './address.ts';

/** An absent or unexpected part becomes blank: we answer unreadable activities. */
const text = z.string().default('').catch('');

/** Longest list that is read. */
const MAX_LIST = 100;

/** A list, cut before zod reads its items: 100,000 wrong ones would take long. */
function list<T extends z.ZodType>(schema: T) {
  const cutList = (value: unknown) => (Array.isArray(value) ? value.slice(0, MAX_LIST) : value);
  return z.preprocess(cutList, z.array(schema)).catch([]);
}

/** An object of such parts. */
function part<Shape extends z.ZodRawShape>(shape: Shape) {
  const toObject = (value: unknown) => (typeof value === 'object' && value !== null ? value : {});
  return z.preprocess(toObject, z.object(shape));
}

const accountSchema = part({ id: text, name: text, aadObjectId: text });
const conversationSchema = part({
  id: text,
  name: text,
  conversationType: text,
  tenantId: text,
  isGroup: z.boolean().default(false).catch(false),
});

const NO_TIMESTAMP = new Date(0);

const tenantSchema = z.object({ tenant: z.object({ id: z.string() }) });

const activitySchema = z.object({
  type: z.string().min(1),
  id: text,
  name: text,
  channelId: text,
  serviceUrl: text,
  locale: text,
  text,
  replyToId: text,
  timestamp: z.coerce.date().default(NO_TIMESTAMP).catch(NO_TIMESTAMP),
  value: z.unknown().optional(),
  from: accountSchema,
  /** The bot. */
  recipient: accountSchema,
  conversation: conversationSchema,
  channelData: z.unknown().optional(),
  /** Of a mention: its text, `<at>Name</at>`, and the person. */
  entities: list(z.object({ type: text, text, mentioned: accountSchema })),
  attachments: list(z.object({ contentType: text, contentUrl: text })),
  membersAdded: list(accountSchema),
  /** Of an `installationUpdate`: `add` or `remove`. */
  action: text,
});

const UNUSED_FIELDS = { localTimezone: '', callerId: '', label: '', valueType: '', listenFor: [] };

/**
 * The only place where outside data becomes the SDK's `Activity`. It needs no cast: the compiler compares the
 * schema with the SDK's type. A field that we do not read is blank or absent, so a sender cannot steer the
 * SDK by it (`deliveryMode`, `channelData.eventType`).
 *
 * Null if the body has no `type`.
 */
export function parseActivity(body: unknown) {
  const parsed = activitySchema.safeParse(body).data;
  if (!parsed) return null;
  const { channelData, conversation, ...activity } = parsed;
  // Teams names the directory in two places.
  const tenantId = tenantSchema.safeParse(channelData).data?.tenant.id ?? conversation.tenantId;
  const read = {
    ...activity,
    ...UNUSED_FIELDS,
    conversation: { ...conversation, tenantId },
    channelData: {},
  };
  return read satisfies Activity;
}
export type TeamsActivity = NonNullable<ReturnType<typeof parseActivity>>;

/** The message of a customer. Null if it cannot be answered, or if a group does not mention the bot. */
export function readMessage(activity: TeamsActivity): Incoming | null {
  const place = readPlace(activity);
  if (!place) return null;
  const envelope = toEnvelope(activity, place);
  if (!isPrivate(activity)) {
    const isForUs = TurnContext.getMentions(activity).some(({ mentioned: { id } }) => id === place.bot);
    return isForUs ? { ...envelope, message: { kind: 'group' } } : null;
  }
  const data = parseData(activity.value);
  if (!data) return { ...envelope, message: readContent(activity) };
  const { replyToId } = activity;
  return { ...envelope, message: readAnswer(data), ...(replyToId && { press: { activity: replyToId } }) };
}

/** An installation is a start. Two reports within a minute have one id. Null in a group. */
export function readInstall(activity: TeamsActivity): Incoming | null {
  const place = readPlace(activity);
  if (!place || !isPrivate(activity)) return null;
  const minute = Math.floor(activity.timestamp.getTime() / 60_000);
  const id = `install:${place.conversation}:${minute}`;
  return { ...toEnvelope(activity, place), id, message: { kind: 'start' } };
}

function readPlace({ serviceUrl, conversation, recipient, from }: TeamsActivity): TeamsPlace | null {
  if (!serviceUrl || !conversation.id || !recipient.id || !from.id) return null;
  return {
    service: serviceUrl,
    conversation: conversation.id,
    bot: recipient.id,
    user: from.id,
    ...(conversation.tenantId && { tenant: conversation.tenantId.toLowerCase() }),
    ...(from.aadObjectId && { person: from.aadObjectId.toLowerCase() }),
  };
}

/** Other people may read any chat that is not marked as private. */
function isPrivate({ conversation }: TeamsActivity): boolean {
  return conversation.conversationType === 'personal';
}

function toEnvelope(activity: TeamsActivity, { conversation, ...address }: TeamsPlace) {
  return {
    channel: TEAMS.name,
    conversation,
    id: activity.id || randomUUID(),
    // Without an e-mail: only `identify` proves one.
    sender: senderOf(TEAMS, activity.locale, activity.from.name),
    address,
  };
}

/** A typed message: its pictures and files, or its text. */
function readContent(activity: TeamsActivity): Message {
  const text = readText(activity);
  const pictures = readPictures(activity);
  if (pictures.length > 0) return { kind: 'photo', pictures, ...(text !== '' && { caption: text }) };
  if (text !== '') return { kind: 'text', text };
  const isVoice = activity.attachments.some(({ contentType }) => contentType.startsWith('audio/'));
  return { kind: 'unknown', what: isVoice ? 'voice' : 'other' };
}

/** A file in SharePoint or OneDrive. It is not fetched: its host is not the connector's. */
const FILE = 'application/vnd.microsoft.teams.file.download.info';

function readPictures({ attachments }: TeamsActivity): Picture[] {
  return attachments.flatMap(({ contentType, contentUrl }): Picture | [] => {
    if (contentType === FILE) return { kind: 'elsewhere' };
    if (!contentType.startsWith('image/')) return [];
    return contentUrl ? { kind: 'remote', at: { url: contentUrl } } : { kind: 'unavailable' };
  });
}

/** The text without the mention of the bot. Entities say what is a mention: a text can contain any tag. */
function readText(activity: TeamsActivity): string {
  return cut(TurnContext.removeRecipientMention(activity), MAX_TEXT)
    .replaceAll(/&nbsp;|\u00a0/g, ' ')
    .trim();
}

/** A choice wins over a form: every button of a card sends the card's fields. */
function readAnswer({ choice, form, ...fields }: CardData): Message {
  if (choice !== undefined) return { kind: 'choice', ...decodeChoice(choice) };
  return { kind: 'form', ...(form && { view: form }), ...fields };
}
