import { randomUUID } from 'node:crypto';
import { MAX_TEXT, type Message, type Sender } from '../../conversation/message.ts';
import type { Incoming } from '../../turns/delivery.ts';
import { cut, localeOf, MAX_NAME } from '../profile.ts';
import type { Activity } from './activity.ts';
import { type Data, decodeChoice, type Place, type Press, parseData } from './address.ts';

/**
 * What a customer said with an activity. Null where nobody said anything to us, which is no fault: edits and reactions
 * (answered when the message was new), typing, other members, and groups that do not mention us.
 */
export function toIncoming(activity: Activity): Incoming | null {
  const place = whereOf(activity);
  if (!place) return null;
  switch (activity.type) {
    case 'message':
      return fromMessage(activity, place);
    case 'conversationUpdate':
    case 'installationUpdate':
      return isInstall(activity) && isPrivate(activity) ? fromInstall(activity, place) : null;
    default:
      return null;
  }
}

function whereOf({ serviceUrl, conversation, recipient, from, channelData }: Activity): Place | null {
  if (!serviceUrl || !conversation || !recipient || !from) return null;
  const tenant = channelData?.tenant?.id ?? conversation.tenantId;
  return {
    service: serviceUrl,
    conversation: conversation.id,
    bot: recipient.id,
    user: from.id,
    ...(tenant !== undefined && { tenant: tenant.toLowerCase() }),
    ...(from.aadObjectId !== undefined && { person: from.aadObjectId.toLowerCase() }),
  };
}

/** Anything that is not surely private is treated as read by others. */
function isPrivate({ conversation }: Activity): boolean {
  return conversation?.conversationType === 'personal';
}

/** Teams tells of one installation in two ways, and of neither reliably. */
function isInstall({ type, action, membersAdded, recipient }: Activity): boolean {
  return type === 'installationUpdate'
    ? action === 'add'
    : (membersAdded ?? []).some(({ id }) => id === recipient?.id);
}

function fromInstall(activity: Activity, place: Place): Incoming {
  return {
    ...envelope(activity, place),
    id: `install:${place.conversation}`,
    message: { kind: 'start' },
  };
}

function fromMessage(activity: Activity, place: Place): Incoming | null {
  if (!isPrivate(activity)) {
    return mentionsUs(activity) ? { ...envelope(activity, place), message: { kind: 'group' } } : null;
  }
  const data = parseData(activity.value);
  if (!data) return { ...envelope(activity, place), message: content(activity) };
  const press = pressOf(activity, data);
  return { ...envelope(activity, place), message: answerOf(data), ...(press && { press }) };
}

function envelope(activity: Activity, place: Place) {
  const { conversation, ...address } = place;
  return {
    channel: 'teams',
    conversation,
    id: activity.id ?? randomUUID(),
    sender: senderOf(activity),
    address,
  };
}

/** Without an e-mail: only `identify` can vouch for one. */
function senderOf({ from, locale }: Activity): Sender {
  const name = from?.name?.trim();
  return { channel: 'teams', proof: 'profile', locale: localeOf(locale), name: name && cut(name, MAX_NAME) };
}

/** What a typed message says. */
function content(activity: Activity): Message {
  const text = textOf(activity);
  if (text !== '') return { kind: 'text', text };
  const types = (activity.attachments ?? []).map(({ contentType }) => contentType ?? '');
  // Pictures pasted into a message come as Teams' own "file" or as an image.
  if (types.some((type) => type.startsWith('image/'))) return { kind: 'unknown', what: 'photo' };
  if (types.some((type) => type.startsWith('audio/'))) return { kind: 'unknown', what: 'voice' };
  return { kind: 'unknown', what: 'other' };
}

/**
 * The text without the mention of ourselves, never longer than `MAX_TEXT`. The entities say what a mention is; a text
 * alone can claim anything.
 */
function textOf({ text = '', entities = [], recipient }: Activity): string {
  let rest = cut(text, MAX_TEXT);
  for (const { type, text: mention, mentioned } of entities) {
    if (type !== 'mention' || !mention) continue;
    const name = mentioned && mentioned.id !== recipient?.id ? (mentioned.name ?? '') : '';
    const named = rest.replace(mention, () => name);
    rest = cut(named, MAX_TEXT);
  }
  return rest.replaceAll(/&nbsp;|\u00a0/g, ' ').trim();
}

function mentionsUs({ entities = [], recipient }: Activity): boolean {
  return entities.some(({ type, mentioned }) => type === 'mention' && mentioned?.id === recipient?.id);
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

function pressOf({ replyToId }: Activity, data: Data): Press | undefined {
  if (replyToId === undefined) return undefined;
  const { choice, label, form, code, phone, email, said = [] } = data;
  const view = choice === undefined ? form : decodeChoice(choice).view;
  const fields = [code, phone, email].flatMap((value) =>
    value?.trim() ? [cut(value.trim(), MAX_NAME)] : [],
  );
  const chosen = choice === undefined ? fields : label === undefined ? [] : [label];
  return { activity: replyToId, ...(view && { view }), said, chosen };
}
