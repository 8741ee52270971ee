import type {
  InlineKeyboardMarkup,
  ReplyKeyboardMarkup,
  ReplyKeyboardRemove,
} from '@grammyjs/types/markup.js';
import { LRUCache } from 'lru-cache';
import type { Locale } from '../../conversation/message.ts';
import { isReceipt } from '../../conversation/reply.ts';
import { START_WITHOUT_CODE } from '../../conversation/values/code.ts';
import type { Delivery, Outgoing, Platform } from '../../engine/messages.ts';
import type { Words } from '../../i18n.ts';
import { display } from '../platforms.ts';
import type { Chat, RateLimiter } from '../rate-limiter.ts';
import { type Address, addressSchema, type Press, pressSchema } from './address.ts';
import type { Answer, Client } from './client.ts';
import { type Rendered, render } from './render.ts';

/** How long a call that only makes the chat nicer may hold up a reply. */
const NICETY = { timeoutMs: 3_000 };

/** Longest text of a toast. */
const MAX_TOAST = 200;

/** Most turns answer no press, and zod takes long to say that something is wrong. */
const maybePress = pressSchema.optional();

const NO_KEYBOARD = { remove_keyboard: true } as const;
type Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove;

const NO_PREVIEW = { link_preview_options: { is_disabled: true } };

/** Where Telegram refuses one message too many and does not say for how long. */
const REFUSED_MS = 1000;

/** A picture that Telegram could not fetch, or not in time, goes as text for so long; so many are remembered. */
const AVOID_MS = 10 * 60_000;
const MOST_AVOIDED = 200;

/**
 * Sends replies; every failure is a case of `Delivery`. Keeps nothing between calls but which pictures failed. `username`:
 * '' until it is known.
 */
export function createTelegramPlatform(
  client: Pick<Client, 'call'>,
  words: Words,
  limiter: Pick<RateLimiter, 'take' | 'refused'>,
  username: () => string,
) {
  /** Until when each picture is avoided: a shop's server that is out of order costs customers no time. */
  const avoided = new LRUCache<string, number>({ max: MOST_AVOIDED });

  /** Ends the button's spinner. True: Telegram took it, and the customer sees the toast. */
  async function answerPress({ query }: Press, toast?: string): Promise<boolean> {
    // A refusal means too late, or answered before (`working`, an earlier try): nothing to be done about it.
    const payload = { callback_query_id: query, ...(toast !== undefined && { text: toast }) };
    return (await client.call('answerCallbackQuery', payload, NICETY)).ok;
  }

  /** Null: Telegram does not show this picture, so its caption is to be sent as text. */
  async function sendPhoto(
    address: Address,
    photo: string,
    caption: string,
    markup: Markup | undefined,
  ): Promise<Delivery | null> {
    if ((avoided.get(photo) ?? 0) > performance.now()) return null;
    const more = markup && { reply_markup: markup };
    const answer = await client.call('sendPhoto', { ...placeOf(address), photo, caption, ...more });
    if (answer.ok) return DELIVERED;
    // Telegram fetches it while the call waits. What is perhaps delivered is tried again by the engine, as text then.
    if (answer.kind === 'rejected' || answer.kind === 'uncertain')
      avoided.set(photo, performance.now() + AVOID_MS);
    return answer.kind === 'rejected' ? null : deliveryOf(answer);
  }

  async function send(
    address: Address,
    { texts, photo }: Pick<Rendered, 'texts' | 'photo'>,
    markup: Markup | undefined,
  ): Promise<Delivery> {
    const shown = photo === undefined ? null : await sendPhoto(address, photo, texts[0] ?? '', markup);
    if (shown) return shown;
    for (const [index, text] of texts.entries()) {
      const message = { ...placeOf(address), text, ...NO_PREVIEW };
      const more = index === texts.length - 1 && markup ? { reply_markup: markup } : {};
      let answer = await client.call('sendMessage', { ...message, ...more });
      // A server too old for one of the buttons refuses them all: what they do can be typed.
      const isPlain = !more.reply_markup || !('inline_keyboard' in more.reply_markup);
      if (!answer.ok && answer.kind === 'rejected' && !isPlain && isPrivate(address))
        answer = await client.call('sendMessage', message);
      if (!answer.ok) return deliveryOf(answer);
    }
    return DELIVERED;
  }

  /** Null: that message cannot be edited any more (deleted, too old, a picture); a new one is needed. */
  async function edit({ chat }: Address, message: number, text: string, inline: Rendered['inline']) {
    const payload = { chat_id: chat, message_id: message, text, ...NO_PREVIEW };
    const answer = await client.call('editMessageText', {
      ...payload,
      ...(inline && { reply_markup: inline }),
    });
    return !answer.ok && answer.kind === 'rejected' ? null : deliveryOf(answer);
  }

  /**
   * Sends a new message. One without buttons takes the contact keyboard away when no phone is asked any more: each of
   * them does, which costs nothing and needs no memory. One with buttons cannot;
   * until the next one without, the keyboard is hidden behind its icon, for it shows once only.
   */
  async function sendNew(outgoing: Outgoing, address: Address, rendered: Rendered): Promise<Delivery> {
    const { state, locale } = outgoing;
    if (!isPrivate(address)) return send(address, rendered, rendered.inline ?? privateChat(locale));
    const own = rendered.inline ?? rendered.contact;
    return send(address, rendered, own ?? (state.asks === 'phone' ? undefined : NO_KEYBOARD));
  }

  /** In a group: the way into the private chat, once the bot knows its name. */
  function privateChat(locale: Locale): Rendered['inline'] {
    const name = username();
    if (name === '') return undefined;
    const text = words.line({ key: 'telegram.openChat' }, locale);
    const url = `https://t.me/${name}?start=${START_WITHOUT_CODE}`;
    return { inline_keyboard: [[{ text, url }]] };
  }

  /** What a press wants first: its spinner ended, with a toast where the reply is a remark. True: that was all. */
  async function attend(press: Press, { reply }: Outgoing, { texts }: Rendered): Promise<boolean> {
    const [text = ''] = texts;
    const toast = reply.notice && text.length <= MAX_TOAST ? text : undefined;
    const answered = await answerPress(press, toast);
    return answered && toast !== undefined && !reply.choices?.length;
  }

  async function sendTo(address: Address, outgoing: Outgoing): Promise<Delivery> {
    const { reply, first, locale } = outgoing;
    const press = maybePress.safeParse(outgoing.press).data;
    const rendered = render(reply, locale, words);
    const isToasted = press && first && (await attend(press, outgoing, rendered));
    const [text = '', ...more] = rendered.texts;
    const isText = more.length === 0 && !rendered.contact && rendered.photo === undefined;
    return display(outgoing, press, {
      send: async () => (isToasted ? DELIVERED : sendNew(outgoing, address, rendered)),
      edit: async ({ message }) =>
        message === undefined || isToasted || !isText ? null : edit(address, message, text, rendered.inline),
      retire: async ({ message: message_id }) =>
        message_id !== undefined &&
        client.call('editMessageReplyMarkup', { chat_id: address.chat, message_id }, NICETY),
    });
  }

  return {
    async deliver(outgoing) {
      const address = addressSchema.safeParse(outgoing.address).data;
      if (!address) return { kind: 'rejected' };
      const delivery = await sendTo(address, outgoing);
      if (delivery.kind === 'throttled') limiter.refused(chatOf(address), delivery.afterMs ?? REFUSED_MS);
      // Whoever runs a group decides whether the bot may write there, and Telegram has many words for that.
      return delivery.kind === 'rejected' && !isPrivate(address) ? { kind: 'unreachable' } : delivery;
    },

    /**
     * What counts are new messages. That is what Telegram's limits are about (core.telegram.org/bots/faq, "How can I …
     * avoid hitting limits?"): 30 messages a second, bursts in one chat. Edits, toasts, answers to presses and chat actions
     * go at any time; where Telegram refuses an edit, its chat pauses all the same.
     */
    pace(outgoing) {
      const address = addressSchema.safeParse(outgoing.address).data;
      if (!address || isNoMessage(outgoing)) return 0;
      const { reply, atMs: madeAtMs } = outgoing;
      return limiter.take({ ...chatOf(address), isReceipt: isReceipt(reply), madeAtMs });
    },

    /** A press's spinner would run out meanwhile. */
    async working(incoming) {
      const address = addressSchema.safeParse(incoming.address).data;
      const press = maybePress.safeParse(incoming.press).data;
      const typing = address && { ...placeOf(address), action: 'typing' as const };
      await Promise.all([
        press && answerPress(press),
        typing && client.call('sendChatAction', typing, NICETY),
      ]);
    },
  } satisfies Platform;
}

/** It will probably be a toast or an edit. */
function isNoMessage({ press, reply, first }: Outgoing): boolean {
  if (press === undefined) return false;
  return reply.inPlace === true || (first && reply.notice === true && !reply.choices?.length);
}

function placeOf({ chat, thread }: Address) {
  return { chat_id: chat, ...(thread !== undefined && { message_thread_id: thread }) };
}

/** Telegram's ids of people are positive, those of groups negative; a private chat has its person's id. */
function isPrivate({ chat }: Address): boolean {
  return chat > 0;
}

const chatOf = (address: Address): Chat => ({ chat: String(address.chat), isGroup: !isPrivate(address) });

const DELIVERED: Delivery = { kind: 'delivered' };

function deliveryOf(answer: Answer): Delivery {
  if (answer.ok) return DELIVERED;
  const { ok: _ok, why: _why, ...delivery } = answer;
  return delivery;
}
