import { LRUCache } from 'lru-cache';
import type { InlineKeyboardMarkup, ReplyKeyboardMarkup, ReplyKeyboardRemove } from 'telegraf/types';
import type { Locale } from '../../conversation/message.ts';
import { isReceipt } from '../../conversation/reply.ts';
import { START_WITHOUT_CODE } from '../../conversation/values/code.ts';
import type { Delivery, FetchedPhoto, Incoming, Outgoing, Platform } from '../../engine/messages.ts';
import type { Words } from '../../i18n.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { failureIn, type TelegramApi } from './api.ts';
import { render, type TelegramReply } from './render.ts';
import { type Address, addressSchema, type Press, pressSchema } from './update.ts';

/** Longest text of a toast. */
const MAX_TOAST = 200;

const NO_PREVIEW = { link_preview_options: { is_disabled: true } };
type Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove;

/** Where Telegram refuses one message too many and does not say for how long. */
const REFUSED_MS = 1000;

/** For so long a picture that Telegram could not fetch goes as text; so many are remembered. */
const AVOID_MS = 10 * 60_000;
const MAX_AVOIDED = 200;

const DELIVERED: Delivery = { kind: 'delivered' };

export type TelegramPlatformParts = {
  readonly api: TelegramApi;
  readonly words: Words;
  /** Of this token's messages, in this process. */
  readonly limiter: Pick<RateLimiter, 'take' | 'refused'>;
};

/** Sends replies. It remembers nothing between calls but which pictures failed. */
export class TelegramPlatform implements Platform {
  protected readonly api: TelegramApi;
  readonly #words: Words;
  readonly #limiter: TelegramPlatformParts['limiter'];
  /** Until when each picture is avoided: a shop's server that is out of order costs customers no time. */
  readonly #avoided = new LRUCache<string, number>({ max: MAX_AVOIDED });

  constructor({ api, words, limiter }: TelegramPlatformParts) {
    this.api = api;
    this.#words = words;
    this.#limiter = limiter;
  }

  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const address = addressSchema.safeParse(outgoing.address).data;
    if (!address) return { kind: 'rejected' };
    try {
      await this.#show(address, outgoing);
      return DELIVERED;
    } catch (error) {
      const { meaning } = failureIn(error);
      if (meaning.kind === 'throttled') this.#limiter.refused(toChat(address), meaning.afterMs ?? REFUSED_MS);
      // Whether the bot may write in a group is decided there, and Telegram has many words for that.
      return meaning.kind === 'rejected' && !isPrivate(address) ? { kind: 'unreachable' } : meaning;
    }
  }

  /**
   * Counts new messages, which Telegram's limits are about (core.telegram.org/bots/faq, "How can I … avoid hitting
   * limits?"): 30 messages a second, bursts in one chat. Edits, toasts and chat actions go at any time; where Telegram
   * refuses one, its chat pauses all the same.
   */
  pace(outgoing: Outgoing): number | Promise<number> {
    const { reply, first, press, atMs: madeAtMs } = outgoing;
    const isToast = first && reply.notice === true && !reply.choices?.length;
    if (press !== undefined && (reply.inPlace === true || isToast)) return 0;
    const address = addressSchema.safeParse(outgoing.address).data;
    if (!address) return 0;
    return this.#limiter.take({ ...toChat(address), isReceipt: isReceipt(reply), madeAtMs });
  }

  /** Types, and ends a press's spinner, which would run out meanwhile. */
  async working(incoming: Pick<Incoming, 'address' | 'press'>): Promise<void> {
    const address = addressSchema.safeParse(incoming.address).data;
    const press = pressSchema.optional().safeParse(incoming.press).data;
    await Promise.all([
      press && isDone(this.api.answerCbQuery(press.query)),
      address && isDone(this.api.sendChatAction(address.chat, 'typing', threadOf(address))),
    ]);
  }

  fetchPhoto(_place: unknown, at: unknown): Promise<FetchedPhoto> {
    return this.api.fetchPhoto(at);
  }

  /** Shows a reply; the button of an earlier message was pressed for it, or none. */
  async #show(address: Address, outgoing: Outgoing): Promise<void> {
    const rendered = render(outgoing.reply, outgoing.locale, this.#words);
    const press = outgoing.press === undefined ? undefined : pressSchema.safeParse(outgoing.press).data;
    if (!press) return this.#sendNew(address, rendered, outgoing);
    const { reply, first } = outgoing;
    const isToasted = first && (await this.#answerPress(press, outgoing, rendered));
    if (!isToasted && reply.inPlace && (await this.#edit(address, press, rendered))) return;
    // A reply under the pressed question's view means that the question goes on; otherwise its buttons are dead.
    const isOver =
      first && press.message !== undefined && (press.view === undefined || press.view !== reply.view);
    await Promise.all([
      isToasted ? undefined : this.#sendNew(address, rendered, outgoing),
      isOver && isDone(this.api.editMessageReplyMarkup(address.chat, press.message, undefined, undefined)),
    ]);
  }

  /** Ends the button's spinner, with a toast where the reply is a remark. True: the customer sees all of the reply. */
  async #answerPress(
    press: Press,
    { reply }: Outgoing,
    { texts: [text = ''] }: TelegramReply,
  ): Promise<boolean> {
    const toast = reply.notice && text.length <= MAX_TOAST ? text : undefined;
    // A refusal means too late, or answered before (`working`, an earlier try).
    const isAnswered = await isDone(this.api.answerCbQuery(press.query, toast));
    return isAnswered && toast !== undefined && !reply.choices?.length;
  }

  /** False: the message cannot be edited (deleted, too old, a picture), so a new one is needed. */
  async #edit({ chat }: Address, { message }: Press, { texts, contact, photo, inline }: TelegramReply) {
    const [text = '', ...more] = texts;
    if (message === undefined || more.length > 0 || contact || photo !== undefined) return false;
    const extra = { ...NO_PREVIEW, ...(inline && { reply_markup: inline }) };
    try {
      await this.api.editMessageText(chat, message, undefined, text, extra);
      return true;
    } catch (error) {
      if (failureIn(error).meaning.kind === 'rejected') return false;
      throw error;
    }
  }

  /**
   * Sends a new message. One without buttons takes the contact keyboard away when no phone is asked: that needs no memory.
   * One with buttons cannot; the keyboard shows once only, and is hidden behind its icon until then.
   */
  async #sendNew(address: Address, rendered: TelegramReply, { state, locale }: Outgoing): Promise<void> {
    const { inline, contact, photo, texts } = rendered;
    const instead = isPrivate(address)
      ? (contact ?? (state.asks === 'phone' ? undefined : ({ remove_keyboard: true } as const)))
      : this.#privateChat(locale);
    const markup = inline ?? instead;
    if (photo !== undefined && (await this.#sendPhoto(address, { photo, caption: texts[0] ?? '' }, markup)))
      return;
    const place = { ...NO_PREVIEW, ...threadOf(address) };
    for (const text of texts.slice(0, -1)) await this.api.sendMessage(address.chat, text, place);
    const last = texts.at(-1) ?? '';
    try {
      await this.api.sendMessage(address.chat, last, markup ? { ...place, reply_markup: markup } : place);
    } catch (error) {
      // A server too old for one of the buttons refuses them all: what they do can be typed.
      if (failureIn(error).meaning.kind !== 'rejected' || !inline || !isPrivate(address)) throw error;
      await this.api.sendMessage(address.chat, last, place);
    }
  }

  /** False: Telegram does not show this picture, so its caption is to be sent as text. */
  async #sendPhoto(
    address: Address,
    { photo, caption }: { readonly photo: string; readonly caption: string },
    markup: Markup | undefined,
  ): Promise<boolean> {
    if ((this.#avoided.get(photo) ?? 0) > performance.now()) return false;
    try {
      const extra = { caption, ...threadOf(address), ...(markup && { reply_markup: markup }) };
      await this.api.sendPhoto(address.chat, photo, extra);
      return true;
    } catch (error) {
      const { kind } = failureIn(error).meaning;
      // Telegram fetches it while the call waits. What is perhaps delivered is tried again by the engine, as text then.
      if (kind === 'rejected' || kind === 'uncertain') this.#avoided.set(photo, performance.now() + AVOID_MS);
      if (kind === 'rejected') return false;
      throw error;
    }
  }

  /** In a group: the way into the private chat, once the bot knows its name. */
  #privateChat(locale: Locale): InlineKeyboardMarkup | undefined {
    const { username } = this.api.botInfo;
    if (username === '') return undefined;
    const text = this.#words.line({ key: 'telegram.openChat' }, locale);
    const url = `https://t.me/${username}?start=${START_WITHOUT_CODE}`;
    return { inline_keyboard: [[{ text, url }]] };
  }
}

/** Whether a call that only makes the chat nicer succeeded. Never rejects for what Telegram answers. */
async function isDone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    failureIn(error);
    return false;
  }
}

function threadOf({ thread }: Address): { message_thread_id?: number } {
  return thread === undefined ? {} : { message_thread_id: thread };
}

/** Telegram's ids of people are positive, those of groups negative; a private chat has its person's id. */
function isPrivate({ chat }: Address): boolean {
  return chat > 0;
}

function toChat(address: Address) {
  return { chat: String(address.chat), isGroup: !isPrivate(address) };
}
