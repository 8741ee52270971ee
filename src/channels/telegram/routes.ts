import { Composer, Context, type Telegram } from 'telegraf';
import { anyOf, callbackQuery, type Filter, message } from 'telegraf/filters';
import type { Update as TelegrafUpdate, UserFromGetMe } from 'telegraf/types';
import { decodeStart } from '../../conversation/language/payload.ts';
import { MAX_TEXT, type Message } from '../../conversation/message.ts';
import { cut } from '../input.ts';
import { choiceOf, type Press } from './address.ts';
import { isAddressed } from './group.ts';
import { photoOf } from './photo.ts';
import type { Chat, TelegramMessage } from './update.ts';

/** What a customer said with an update; `press` where they pressed a button. */
export type Said = { readonly message: Message; readonly press?: Press };

/** An update on its way through the routes. The first route that fits it says what it is; none: nobody spoke to us. */
class UpdateContext extends Context {
  said: Said | undefined;

  say(said: Message): void {
    this.said = { message: said };
  }
}

const unknown = (what: 'voice' | 'sticker' | 'other') => (ctx: Pick<UpdateContext, 'say'>) =>
  ctx.say({ kind: 'unknown', what });

/**
 * Text comes first: it is by far the most frequent, and each route that does not fit costs a little. What is not said to us
 * fits no route, or one that says nothing: edits (answered when they were new), channel posts, membership changes,
 * service messages, other bots, and groups that do not address us.
 */
const routes = new Composer<UpdateContext>(
  Composer.on(privately(message('text')), (ctx) => ctx.say(textOf(ctx.message.text))),
  Composer.on(callbackQuery('data'), (ctx) => {
    ctx.said = pressOf(ctx.callbackQuery, choiceOf(ctx.callbackQuery.data));
  }),
  Composer.on('callback_query', (ctx) => {
    ctx.said = pressOf(ctx.callbackQuery, undefined);
  }),
  Composer.on(privately(message('contact')), (ctx) => {
    const phone = cut(ctx.message.contact.phone_number, MAX_TEXT);
    ctx.say({ kind: 'contact', phone, own: isOwnContact(ctx.message) });
  }),
  Composer.on(
    privately(anyOf(message('photo'), message('document'), message('media_group_id'))),
    (ctx, next) => {
      const photo = photoOf(ctx.message);
      return photo ? ctx.say(photo) : next();
    },
  ),
  Composer.on(privately(message('caption')), (ctx) => ctx.say(textOf(ctx.message.caption))),
  Composer.on(privately(anyOf(message('voice'), message('audio'), message('video_note'))), unknown('voice')),
  Composer.on(privately(message('sticker')), unknown('sticker')),
  Composer.on(privately(message()), (ctx) => {
    if (!isService(ctx.message)) ctx.say(UNKNOWN);
  }),
  Composer.on('message', (ctx) => {
    const { message } = ctx;
    if (!message.from?.is_bot && !isPrivate(message.chat) && isAddressed(message, ctx.botInfo))
      ctx.say(GROUP);
  }),
);

/** A message that a person wrote in their chat with us, and that fits the filter. */
function privately<Fitting extends TelegrafUpdate>(filter: Filter<Fitting>): Filter<Fitting> {
  return (update): update is Fitting =>
    'message' in update &&
    isPrivate(update.message.chat) &&
    update.message.from?.is_bot !== true &&
    filter(update);
}

const GROUP: Message = { kind: 'group' };
const UNKNOWN: Message = { kind: 'unknown', what: 'other' };

/** Runs an update through the routes; undefined: nobody spoke to us. */
export async function route(
  update: TelegrafUpdate,
  api: Telegram,
  bot: UserFromGetMe,
): Promise<Said | undefined> {
  const ctx = new UpdateContext(update, api, bot);
  await routes.middleware()(ctx, done);
  return ctx.said;
}

const done = async (): Promise<void> => {};

/** Anything that is not surely private is treated as read by others. */
function isPrivate(chat: Chat | undefined): boolean {
  return chat?.type === 'private';
}

type Query = { readonly id: string; readonly message?: { message_id?: number | undefined; chat: Chat } };

/** Without its message (too old a bot message, an inline one) a press has a person, with whom the chat is private. */
function pressOf(query: Query, chosen: ReturnType<typeof choiceOf>): Said {
  const press: Press = {
    query: query.id,
    ...(query.message?.message_id !== undefined && { message: query.message.message_id }),
    ...(chosen?.view !== undefined && { view: chosen.view }),
  };
  const message: Message = chosen ? { kind: 'choice', ...chosen } : UNKNOWN;
  return { message: query.message === undefined || isPrivate(query.message.chat) ? message : GROUP, press };
}

/** A text, or `/start <payload>`: a deep link, or somebody who types it. */
function textOf(text: string): Message {
  const short = cut(text, MAX_TEXT);
  const start = /^\/start(?:@\w+)?(?:\s+(.*))?$/is.exec(short);
  if (!start) return { kind: 'text', text: short };
  const written = start[1]?.trim();
  const payload = written ? decodeStart(written) : undefined;
  return { kind: 'start', ...(payload !== undefined && { payload }) };
}

/**
 * A shared contact proves the sender's phone only under these conditions: Telegram's server fills in `user_id`, and a
 * forwarded contact or one sent through another bot was not shared by the sender with us (docs/design.md, "Identity").
 */
function isOwnContact({
  contact,
  chat,
  from,
  forward_origin,
  forward_date,
  via_bot,
}: TelegramMessage): boolean {
  const direct = forward_origin === undefined && forward_date === undefined && via_bot === undefined;
  return direct && isPrivate(chat) && from !== undefined && contact?.user_id === from.id;
}

/** A message of Telegram's own in a private chat: nobody said anything. */
function isService(message: TelegramMessage): boolean {
  return [
    message.pinned_message,
    message.message_auto_delete_timer_changed,
    message.write_access_allowed,
    message.chat_background_set,
  ].some((part) => part !== undefined);
}
