import type { InlineKeyboardMarkup } from 'telegraf/types';
import type { Locale } from '../../conversation/message.ts';
import { isReceipt } from '../../conversation/reply.ts';
import { START_WITHOUT_CODE } from '../../conversation/values/code.ts';
import type { Delivery, FetchedPhoto, Incoming, Outgoing, Platform } from '../../engine/messages.ts';
import type { Words } from '../../i18n.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { failureIn, type TelegramApi } from './api.ts';
import { render, type TelegramReply } from './render.ts';
import { addressSchema, pressSchema, type TelegramAddress } from './update.ts';

/** Longest text of a toast. */
const MAX_TOAST = 200;

const NO_PREVIEW = { link_preview_options: { is_disabled: true } };

/** The pause if Telegram refuses a message and names no time. */
const REFUSED_MS = 1000;

const DELIVERED: Delivery = { kind: 'delivered' };

export type TelegramPlatformParts = {
  readonly api: TelegramApi;
  readonly words: Words;
  /** For the messages of this process. */
  readonly limiter: Pick<RateLimiter, 'take' | 'refused'>;
};

/** Sends replies. Ids of people are positive at Telegram, those of groups negative. */
export class TelegramPlatform implements Platform {
  protected readonly api: TelegramApi;
  readonly #words: Words;
  readonly #limiter: TelegramPlatformParts['limiter'];

  constructor({ api, words, limiter }: TelegramPlatformParts) {
    this.api = api;
    this.#words = words;
    this.#limiter = limiter;
  }

  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const address = addressSchema.safeParse(outgoing.address).data;
    if (!address) return { kind: 'rejected' };
    const rendered = render(outgoing.reply, outgoing.locale, this.#words);
    try {
      if (outgoing.press === undefined) await this.#sendNew(address, rendered, outgoing);
      else await this.#answerPress(address, rendered, outgoing);
      return DELIVERED;
    } catch (error) {
      const { meaning } = failureIn(error);
      if (meaning.kind === 'throttled') {
        this.#limiter.refused(String(address.chat), meaning.afterMs ?? REFUSED_MS);
      }
      // A group decides whether the bot may write there, and Telegram has many texts for that.
      return meaning.kind === 'rejected' && address.chat < 0 ? { kind: 'unreachable' } : meaning;
    }
  }

  /**
   * Limits new messages (core.telegram.org/bots/faq, "How can I … avoid hitting limits?"). Edits, toasts and
   * chat actions are not limited; if Telegram refuses one, its chat pauses.
   */
  pace({ conversation: chat, reply, first, press, atMs: madeAtMs }: Outgoing): number {
    const isToast = first && reply.notice === true;
    if (press !== undefined && (reply.inPlace === true || isToast)) return 0;
    const isGroup = chat.startsWith('-');
    return this.#limiter.take({ chat, isGroup, isReceipt: isReceipt(reply), madeAtMs });
  }

  /** Shows that the bot types, and ends the spinner of a pressed button. */
  async working(incoming: Pick<Incoming, 'address' | 'press'>): Promise<void> {
    const address = addressSchema.safeParse(incoming.address).data;
    const press = pressSchema.optional().safeParse(incoming.press).data;
    await Promise.all([
      press && isDone(this.api.answerCbQuery(press.query)),
      address && isDone(this.api.sendChatAction(address.chat, 'typing')),
    ]);
  }

  fetchPhoto(_place: unknown, at: unknown): Promise<FetchedPhoto> {
    return this.api.fetchPhoto(at);
  }

  /** Ends the button's spinner. A remark is a toast, a page replaces the message, other replies are new. */
  async #answerPress(address: TelegramAddress, rendered: TelegramReply, outgoing: Outgoing): Promise<void> {
    const { reply, first } = outgoing;
    const { query, message, view } = pressSchema.parse(outgoing.press);
    // A toast has no menu.
    const toast = reply.notice && rendered.text.length <= MAX_TOAST ? rendered.text : undefined;
    // Telegram refuses an old press, and one that was answered before.
    const isToasted = first && (await isDone(this.api.answerCbQuery(query, toast))) && toast !== undefined;
    if (!isToasted && reply.inPlace && (await this.#edit(address, message, rendered))) return;
    // If the reply has the view of the pressed question, the question goes on. Else its buttons are dead.
    const isOver = first && message !== undefined && (view === undefined || view !== reply.view);
    await Promise.all([
      isToasted ? undefined : this.#sendNew(address, rendered, outgoing),
      isOver && isDone(this.api.editMessageReplyMarkup(address.chat, message, undefined, undefined)),
    ]);
  }

  /** False if the message cannot be edited (deleted, too old, a picture): a new one is needed. */
  async #edit(
    { chat }: TelegramAddress,
    message: number | undefined,
    { text, contact, photo, inline }: TelegramReply,
  ): Promise<boolean> {
    if (message === undefined || contact || photo !== undefined) return false;
    const extra = { ...NO_PREVIEW, ...(inline && { reply_markup: inline }) };
    return isTaken(this.api.editMessageText(chat, message, undefined, text, extra));
  }

  /**
   * Sends a new message. If no phone is asked, a message without buttons removes the contact keyboard; this
   * needs no memory. A message with buttons cannot remove it, but the keyboard hides after its first use.
   */
  async #sendNew(
    { chat, thread }: TelegramAddress,
    { text, photo, inline, contact }: TelegramReply,
    { state, locale }: Outgoing,
  ): Promise<void> {
    const privateKeyboard =
      contact ?? (state.asks === 'phone' ? undefined : ({ remove_keyboard: true } as const));
    const markup = inline ?? (chat < 0 ? this.#privateChat(locale) : privateKeyboard);
    const extra = {
      ...(thread !== undefined && { message_thread_id: thread }),
      ...(markup && { reply_markup: markup }),
    };
    if (photo !== undefined) {
      const sending = this.api.sendPhoto(chat, photo, { caption: text, ...extra });
      // Telegram fetches the picture during the call. A shop's slow server must not hold up the text.
      if (await isTaken(sending, 'uncertain')) return;
    }
    await this.api.sendMessage(chat, text, { ...NO_PREVIEW, ...extra });
  }

  /** The button into the private chat, for a group; undefined until the bot knows its name. */
  #privateChat(locale: Locale): InlineKeyboardMarkup | undefined {
    const { username } = this.api.botInfo;
    if (username === '') return undefined;
    const text = this.#words.line({ key: 'telegram.openChat' }, locale);
    const url = `https://t.me/${username}?start=${START_WITHOUT_CODE}`;
    return { inline_keyboard: [[{ text, url }]] };
  }
}

/** Whether Telegram took a message; false if it refused it, or the call ended as `orIf`. Else rejects. */
async function isTaken(call: Promise<unknown>, orIf?: Delivery['kind']): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    const { kind } = failureIn(error).meaning;
    if (kind === 'rejected' || kind === orIf) return false;
    throw error;
  }
}

/** Whether an optional call succeeded. An `ApiError` is false; it rejects with any other error. */
async function isDone(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    failureIn(error);
    return false;
  }
}
