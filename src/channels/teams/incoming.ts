import { randomUUID } from 'node:crypto';
import type { Activity } from 'botbuilder';
import { z } from 'zod';
import { MAX_TEXT, type Message, type Picture } from '../../conversation/message.ts';
import type { Incoming } from '../../engine/messages.ts';
import { cut, decodeChoice, MAX_NAME, senderOf, shortList } from '../input.ts';
import { type Data, type Place, type Press, parseData, TEAMS } from './address.ts';

/**
 * What is absent, or has another shape than expected, is blank: an activity that we cannot read is answered, not refused.
 */
const text = z.string().default('').catch('');

function list<T extends z.ZodType>(schema: T) {
  return shortList(schema).catch([]);
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

const UNSAID = new Date(0);

const tenantSchema = z.object({ tenant: z.object({ id: z.string() }) });

const activitySchema = z.object({
  type: z.string().min(1),
  id: text,
  name: text,
  channelId: text,
  timestamp: z.coerce.date().default(UNSAID).catch(UNSAID),
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
export function parseActivity(body: unknown) {
  const parsed = activitySchema.safeParse(body).data;
  if (!parsed) return null;
  const { channelData, conversation, ...activity } = parsed;
  // Teams names the directory in two places; the SDK's conversation references keep the conversation's.
  const tenantId = tenantSchema.safeParse(channelData).data?.tenant.id ?? conversation.tenantId;
  const read = { ...activity, ...UNREAD, conversation: { ...conversation, tenantId }, channelData: {} };
  return read satisfies Activity;
}
type TeamsActivity = NonNullable<ReturnType<typeof parseActivity>>;

const UNREAD = { localTimezone: '', callerId: '', label: '', valueType: '', listenFor: [] };

/**
 * What a customer said with a message. Null where nobody said anything to us: there is nobody to answer, or a group does
 * not mention us. Activities come from `parseActivity`: what is blank is absent.
 */
export function fromMessage(activity: TeamsActivity): Incoming | null {
  const place = whereOf(activity);
  if (!place) return null;
  if (!isPrivate(activity)) {
    return mentionsUs(activity) ? { ...envelope(activity, place), message: { kind: 'group' } } : null;
  }
  const data = parseData(activity.value);
  if (!data) return { ...envelope(activity, place), message: content(activity) };
  const press = pressOf(activity, data);
  return { ...envelope(activity, place), message: answerOf(data), ...(press && { press }) };
}

/**
 * The bot was installed: a start, whose id is the same where Teams tells of it twice within a minute. `removals`: how often
 * it was removed before, as far as is known. Null in a group.
 */
export function fromInstall(activity: Activity, removals = 0): Incoming | null {
  const place = whereOf(activity);
  if (!place || !isPrivate(activity)) return null;
  const minute = Math.floor((activity.timestamp ?? UNSAID).getTime() / 60_000);
  return {
    ...envelope(activity, place),
    id: `install:${place.conversation}:${minute}:${removals}`,
    message: { kind: 'start' },
  };
}

function whereOf({ serviceUrl, conversation, recipient, from }: Activity): Place | null {
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

/** Anything that is not surely private is treated as read by others. */
function isPrivate({ conversation }: Activity): boolean {
  return conversation.conversationType === 'personal';
}

function envelope(activity: Activity, place: Place) {
  const { conversation, ...address } = place;
  return {
    channel: TEAMS.name,
    conversation,
    id: activity.id || randomUUID(),
    // Without an e-mail: only `identify` can vouch for one.
    sender: senderOf(TEAMS, activity.locale, activity.from.name),
    address,
  };
}

/** What a typed message says, or what was sent with it. */
function content(activity: TeamsActivity): Message {
  const text = textOf(activity);
  const pictures = picturesOf(activity);
  if (pictures.length > 0) return { kind: 'photo', pictures, ...(text !== '' && { caption: text }) };
  if (text !== '') return { kind: 'text', text };
  const isVoice = activity.attachments.some(({ contentType }) => contentType.startsWith('audio/'));
  return { kind: 'unknown', what: isVoice ? 'voice' : 'other' };
}

/**
 * A file in SharePoint or OneDrive: its link is open to everybody who has it, and its host is not one of the connector's.
 */
const FILE = 'application/vnd.microsoft.teams.file.download.info';

/** What was pasted into a message, or sent with it. */
function picturesOf({ attachments }: TeamsActivity): Picture[] {
  return attachments.flatMap(({ contentType, contentUrl }): Picture | [] => {
    if (contentType === FILE) return { kind: 'elsewhere' };
    if (!contentType.startsWith('image/')) return [];
    return contentUrl ? { kind: 'remote', at: { url: contentUrl } } : { kind: 'unavailable' };
  });
}

/**
 * The text without the mention of ourselves, never longer than `MAX_TEXT`. The entities say what a mention is; a text
 * alone can claim anything. Not the SDK's `removeRecipientMention`: it takes one mention away, and keeps others' tags.
 */
function textOf(activity: TeamsActivity): string {
  let rest = cut(activity.text, MAX_TEXT);
  for (const { type, text: mention, mentioned } of activity.entities) {
    if (type !== 'mention' || mention === '') continue;
    const name = mentioned.id === activity.recipient.id ? '' : mentioned.name;
    rest = cut(
      rest.replace(mention, () => name),
      MAX_TEXT,
    );
  }
  return rest.replaceAll(/&nbsp;|\u00a0/g, ' ').trim();
}

function mentionsUs({ entities, recipient }: TeamsActivity): boolean {
  return entities.some(({ type, mentioned }) => type === 'mention' && mentioned.id === recipient.id);
}

/** A press before a form: a card's other buttons send its fields along. */
function answerOf({ choice, form, code, phone, email }: Data): Message {
  if (choice !== undefined) return { kind: 'choice', ...decodeChoice(choice) };
  return {
    kind: 'form',
    ...(form && { view: form }),
    ...(code !== undefined && { code: cut(code, MAX_TEXT) }),
    ...(phone !== undefined && { phone: cut(phone, MAX_TEXT) }),
    ...(email !== undefined && { email: cut(email, MAX_TEXT) }),
  };
}

function pressOf({ replyToId }: TeamsActivity, data: Data): Press | undefined {
  if (!replyToId) return undefined;
  const { choice, label, form, code, phone, email, said = [] } = data;
  const view = choice === undefined ? form : decodeChoice(choice).view;
  const fields = [code, phone, email].flatMap((value) =>
    value?.trim() ? [cut(value.trim(), MAX_NAME)] : [],
  );
  const chosen = choice === undefined ? fields : label === undefined ? [] : [label];
  return { activity: replyToId, ...(view && { view }), said, chosen };
}
