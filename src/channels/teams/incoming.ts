import { randomUUID } from 'node:crypto';
import { type Activity, ActivityTypes, type Attachment, TurnContext } from 'botbuilder';
import { z } from 'zod';
import { MAX_TEXT, type Media, type Message, type Picture } from '../../conversation/message.ts';
import type { Incoming } from '../../engine/messages.ts';
import { cleanName, cut, cutList, decodeChoice, senderOf } from '../platforms.ts';
import { type addressSchema, TEAMS } from './address.ts';

/** An absent or unexpected part becomes blank: we answer unreadable activities. */
const text = z.string().default('').catch('');

const list = <T extends z.ZodType>(schema: T) => z.preprocess(cutList, z.array(schema)).catch([]);

/** An object of such parts. */
function part<Shape extends z.ZodRawShape>(shape: Shape) {
  const toObject = (value: unknown) => (typeof value === 'object' && value !== null ? value : {});
  return z.preprocess(toObject, z.object(shape));
}

const guid = z.string().toLowerCase().default('').catch('');
const account = part({ id: text, name: text, aadObjectId: guid });
const flag = z.boolean().catch(false);
const NO_TIMESTAMP = new Date(0);

const activitySchema = z.object({
  type: z.string().min(1),
  id: text,
  channelId: text,
  serviceUrl: text,
  locale: text,
  text,
  replyToId: text,
  timestamp: z.coerce.date().default(NO_TIMESTAMP).catch(NO_TIMESTAMP),
  value: z.unknown().optional(),
  from: account,
  recipient: account,
  conversation: part({ id: text, name: text, conversationType: text, tenantId: guid, isGroup: flag }),
  entities: list(z.object({ type: text, text, mentioned: account })),
  attachments: list(z.object({ contentType: text, contentUrl: text, name: text })),
  membersAdded: list(account),
  /** Of an `installationUpdate`. An upgrade of the app is no start. */
  action: z.literal(['add', '']).default('').catch(''),
});

/**
 * Undefined if the body has no `type`. A field that we do not read is absent, so no sender can steer the SDK.
 */
export function parseActivity(body: unknown): KnownActivity | undefined {
  return activitySchema.safeParse(body).data satisfies Partial<Activity> | undefined;
}
type KnownActivity = z.infer<typeof activitySchema>;

/**
 * What the customer says; null: nothing. The SDK's `ActivityHandler` is for bots that answer within its turn,
 * which we do not: of the SDK, we use what it knows of activities.
 */
export function readActivity(activity: KnownActivity): Incoming | null {
  switch (activity.type) {
    case ActivityTypes.Message:
      return readMessage(activity);
    case ActivityTypes.MessageUpdate:
    case ActivityTypes.MessageDelete:
      return readEdit(activity);
    // Teams reports an installation in two ways; neither is reliable.
    case ActivityTypes.InstallationUpdate:
      return activity.action === 'add' ? readInstall(activity) : null;
    case ActivityTypes.ConversationUpdate: {
      const isUs = activity.membersAdded.some(({ id }) => id === activity.recipient.id);
      return isUs ? readInstall(activity) : null;
    }
    default:
      return null;
  }
}

/** Null if it cannot be answered, or if a group does not mention the bot. */
function readMessage(activity: KnownActivity): Incoming | null {
  const envelope = readEnvelope(activity);
  if (!envelope) return null;
  if (!isPrivate(activity)) {
    const { recipient } = activity;
    const mentions = TurnContext.getMentions(activity);
    const isForUs = mentions.some(({ mentioned: { id } }) => id === recipient.id);
    return isForUs ? { ...envelope, message: { kind: 'group' } } : null;
  }
  const { value, replyToId } = activity;
  // Most messages are typed, and zod is slow with wrong data.
  const data = value === undefined ? undefined : dataSchema.safeParse(value).data;
  const answer = data && readAnswer(data);
  if (!answer) return { ...envelope, message: readContent(activity) };
  return { ...envelope, message: answer, ...(replyToId && { press: { activity: replyToId } }) };
}

/** A message was edited or deleted: it has the id of the original. Null in a group. */
function readEdit(activity: KnownActivity): Incoming | null {
  const envelope = readEnvelope(activity);
  const { id: of, type, timestamp } = activity;
  if (!envelope || !isPrivate(activity) || of === '') return null;
  const text = type === ActivityTypes.MessageUpdate ? { text: readText(activity) } : {};
  // Each edit is another message; what is sent again has the same time.
  const id = `${type}:${of}:${timestamp.getTime() || randomUUID()}`;
  return { ...envelope, id, message: { kind: 'edit', of, ...text } };
}

/** An installation is a start. Two reports within a minute have one id. Null in a group. */
function readInstall(activity: KnownActivity): Incoming | null {
  const envelope = readEnvelope(activity);
  if (!envelope || !isPrivate(activity)) return null;
  // Without a timestamp, our clock decides: the app may be added again at any time.
  const minute = Math.floor((activity.timestamp?.getTime() || Date.now()) / 60_000);
  const id = `install:${envelope.conversation}:${minute}`;
  return { ...envelope, id, message: { kind: 'start' } };
}

/** Other people may read any chat that is not marked as private. */
const isPrivate = ({ conversation }: KnownActivity) => conversation.conversationType === 'personal';

/** Null if the activity has no address. */
function readEnvelope(activity: KnownActivity): Omit<Incoming, 'message'> | null {
  const { serviceUrl: service, conversation, recipient, from } = activity;
  if (!service || !conversation.id || !recipient.id || !from.id) return null;
  const address = {
    service,
    bot: recipient.id,
    user: from.id,
    ...(conversation.tenantId && { tenant: conversation.tenantId }),
    ...(from.aadObjectId && { person: from.aadObjectId }),
  } satisfies z.infer<typeof addressSchema>;
  return {
    channel: TEAMS.name,
    conversation: conversation.id,
    id: activity.id || randomUUID(),
    sender: senderOf(TEAMS, activity.locale, from.name),
    address,
  };
}

/** A typed message: its pictures and files, or its text. */
function readContent(activity: KnownActivity): Message {
  const text = readText(activity);
  const { attachments } = activity;
  const pictures = attachments.flatMap(readPicture);
  const sent = attachments.flatMap(readMedia);
  const media = { ...(sent.length > 0 && { media: sent }), ...(activity.id && { ref: activity.id }) };
  if (pictures.length > 0)
    return { kind: 'photo', pictures, ...(text !== '' && { caption: text }), ...media };
  return text === '' ? { kind: 'unknown', what: 'other', ...media } : { kind: 'text', text, ...media };
}

const KINDS = { image: 'picture', audio: 'voice', video: 'video' } as const;

/** Cards and the text as HTML, which comes with each message, are none. */
function readMedia({ contentType, contentUrl, name }: Attachment): Media | [] {
  const named = cleanName(name);
  if (contentType === FILE) return { kind: 'file', ...named };
  const [, type] = /^(image|audio|video)\//.exec(contentType) ?? [];
  if (type !== 'image' && type !== 'audio' && type !== 'video') return [];
  return { kind: KINDS[type], ...named, ...(contentUrl && { at: { url: contentUrl } }) };
}

/** A file in SharePoint or OneDrive, which is not fetched. */
const FILE = 'application/vnd.microsoft.teams.file.download.info';

function readPicture({ contentType, contentUrl }: Attachment): Picture | [] {
  if (contentType === FILE) return { kind: 'elsewhere' };
  if (!contentType.startsWith('image/')) return [];
  return contentUrl ? { kind: 'remote', at: { url: contentUrl } } : { kind: 'unavailable' };
}

function readText(activity: KnownActivity): string {
  return cut(TurnContext.removeRecipientMention(activity), MAX_TEXT)
    .replaceAll(/&nbsp;|\u00a0/g, ' ')
    .trim();
}

const field = z
  .string()
  .transform((text) => cut(text, MAX_TEXT))
  .exactOptional();

/** The data of a button of ours. A modified client can send any data. */
const dataSchema = z.object({
  /** `<choice id>~<view>` of a button. */
  choice: z.string().max(200).optional(),
  /** The view of a form, whose fields follow. */
  form: z.string().max(200).optional(),
  code: field,
  phone: field,
  email: field,
});

/** Every button of a card sends the card's fields. Null: no card of ours. */
function readAnswer({ choice, form, ...fields }: z.infer<typeof dataSchema>): Message | null {
  if (choice !== undefined) return { kind: 'choice', ...decodeChoice(choice) };
  return form === undefined ? null : { kind: 'form', ...(form && { view: form }), ...fields };
}
