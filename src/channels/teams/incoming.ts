import { randomUUID } from 'node:crypto';
import { type Activity, TurnContext } from 'botbuilder';
import { MAX_TEXT, type Message, type Sender } from '../../conversation/message.ts';
import type { Incoming } from '../../engine/outlet.ts';
import { cut, decodeChoice, localeOf, MAX_NAME } from '../input.ts';
import { type Data, type Place, type Press, parseData } from './address.ts';
import { picturesOf } from './photo.ts';
import { TEAMS } from './traits.ts';

/**
 * What a customer said with a message. Null where nobody said anything to us: there is nobody to answer, or a group does
 * not mention us. Activities come from `parseActivity`: what is blank is absent.
 */
export function fromMessage(activity: Activity): Incoming | null {
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

/** The bot was installed: a start, whose id is the same however often Teams tells of it. Null in a group. */
export function fromInstall(activity: Activity): Incoming | null {
  const place = whereOf(activity);
  if (!place || !isPrivate(activity)) return null;
  return {
    ...envelope(activity, place),
    id: `install:${place.conversation}`,
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
    sender: senderOf(activity),
    address,
  };
}

/** Without an e-mail: only `identify` can vouch for one. */
function senderOf({ from, locale }: Activity): Sender {
  const name = from.name.trim();
  return {
    channel: TEAMS.name,
    proof: TEAMS.proof,
    locale: localeOf(locale),
    name: name === '' ? undefined : cut(name, MAX_NAME),
  };
}

/** What a typed message says, or what was sent with it. */
function content(activity: Activity): Message {
  const text = textOf(activity);
  const pictures = picturesOf(activity);
  if (pictures.length > 0) return { kind: 'photo', pictures, ...(text !== '' && { caption: text }) };
  if (text !== '') return { kind: 'text', text };
  const types = (activity.attachments ?? []).map(({ contentType }) => contentType);
  if (types.some((type) => type.startsWith('audio/'))) return { kind: 'unknown', what: 'voice' };
  return { kind: 'unknown', what: 'other' };
}

/**
 * The text without the mention of ourselves, never longer than `MAX_TEXT`. The entities say what a mention is; a text
 * alone can claim anything. Not the SDK's `removeRecipientMention`: it takes one mention away, and keeps others' tags.
 */
function textOf(activity: Activity): string {
  let rest = cut(activity.text, MAX_TEXT);
  for (const { text: mention, mentioned } of TurnContext.getMentions(activity)) {
    if (mention === '') continue;
    const name = mentioned.id === activity.recipient.id ? '' : mentioned.name;
    const named = rest.replace(mention, () => name);
    rest = cut(named, MAX_TEXT);
  }
  return rest.replaceAll(/&nbsp;|\u00a0/g, ' ').trim();
}

function mentionsUs(activity: Activity): boolean {
  return TurnContext.getMentions(activity).some(({ mentioned }) => mentioned.id === activity.recipient.id);
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
  if (!replyToId) return undefined;
  const { choice, label, form, code, phone, email, said = [] } = data;
  const view = choice === undefined ? form : decodeChoice(choice).view;
  const fields = [code, phone, email].flatMap((value) =>
    value?.trim() ? [cut(value.trim(), MAX_NAME)] : [],
  );
  const chosen = choice === undefined ? fields : label === undefined ? [] : [label];
  return { activity: replyToId, ...(view && { view }), said, chosen };
}
