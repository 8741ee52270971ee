import type { InlineKeyboardMarkup } from 'telegraf/types';
import type { Locale } from '../../conversation/message.ts';
import { isReceipt, type Reply } from '../../conversation/reply.ts';
import { START_WITHOUT_CODE } from '../../conversation/values/code.ts';
import type { Delivery, FetchedPhoto, Incoming, Outgoing, Platform } from '../../engine/messages.ts';
import type { Words } from '../../i18n.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { failureIn, type TelegramApi } from './api.ts';
import { render, type TelegramReply } from './render.ts';
import { addressSchema, pressSchema, type TelegramAddress, type TelegramPress } from './update.ts';

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

/** Sends replies. It keeps nothing between calls. */
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
    try {
      await this.#show(address, outgoing);
      return DELIVERED;
    } catch (error) {
      const { meaning } = failureIn(error);
      if (meaning.kind === 'throttled') {
        this.#limiter.refused(String(address.chat), meaning.afterMs ?? REFUSED_MS);
      }
      // A group decides whether the bot may write there, and Telegram has many texts for that.
      return meaning.kind === 'rejected' && !isPrivate(address) ? { kind: 'unreachable' } : meaning;
    }
  }

  /**
   * Limits new messages (core.telegram.org/bots/faq, "How can I … avoid hitting limits?"): 30 a second, and
   * bursts in one chat. Edits, toasts and chat actions are not limited; if Telegram refuses one, its chat
   * pauses.
   */
  pace(outgoing: Outgoing): number {
    const { reply, first, press, atMs: madeAtMs } = outgoing;
    const isToast = first && reply.notice === true;
    if (press !== undefined && (reply.inPlace === true || isToast)) return 0;
    const address = addressSchema.safeParse(outgoing.address).data;
    if (!address) return 0;
    const { chat } = address;
    const isGroup = chat < 0;
    return this.#limiter.take({ chat: String(chat), isGroup, isReceipt: isReceipt(reply), madeAtMs });
  }

  /** Shows that the bot types, and ends the spinner of a pressed button. */
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

  /** Sends a reply, or edits the message whose button was pressed. */
  async #show(address: TelegramAddress, outgoing: Outgoing): Promise<void> {
    const { reply, locale, first } = outgoing;
    const rendered = render(reply, locale, this.#words);
    const press = outgoing.press === undefined ? undefined : pressSchema.safeParse(outgoing.press).data;
    if (!press) return this.#sendNew(address, rendered, outgoing);
    const isToasted = first && (await this.#answerPress(press, reply, rendered));
    if (!isToasted && reply.inPlace && (await this.#edit(address, press, rendered))) return;
    // If the reply has the view of the pressed question, the question goes on. Else its buttons are dead.
    const isAlive = press.view !== undefined && press.view === reply.view;
    const isOver = first && press.message !== undefined && !isAlive;
    await Promise.all([
      isToasted ? undefined : this.#sendNew(address, rendered, outgoing),
      isOver && isDone(this.api.editMessageReplyMarkup(address.chat, press.message, undefined, undefined)),
    ]);
  }

  /** Ends the button's spinner, with a toast for a remark, without its menu. True if the toast was shown. */
  async #answerPress({ query }: TelegramPress, { notice }: Reply, { text }: TelegramReply) {
    const toast = notice && text.length <= MAX_TOAST ? text : undefined;
    // Telegram refuses an old press, and one that was answered before.
    const isAnswered = await isDone(this.api.answerCbQuery(query, toast));
    return isAnswered && toast !== undefined;
  }

  /** False if the message cannot be edited (deleted, too old, a picture): a new one is needed. */
  async #edit(
    { chat }: TelegramAddress,
    { message }: TelegramPress,
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
    address: TelegramAddress,
    { text, photo, inline, contact }: TelegramReply,
    { state, locale }: Outgoing,
  ): Promise<void> {
    const keyboard = isPrivate(address)
      ? (contact ?? (state.asks === 'phone' ? undefined : ({ remove_keyboard: true } as const)))
      : this.#privateChat(locale);
    const markup = inline ?? keyboard;
    const extra = { ...threadOf(address), ...(markup && { reply_markup: markup }) };
    if (photo !== undefined) {
      const sending = this.api.sendPhoto(address.chat, photo, { caption: text, ...extra });
      // Telegram fetches the picture during the call. A shop's slow server must not hold up the text.
      if (await isTaken(sending, 'uncertain')) return;
    }
    await this.api.sendMessage(address.chat, text, { ...NO_PREVIEW, ...extra });
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

function threadOf({ thread }: TelegramAddress): { message_thread_id?: number } {
  return thread === undefined ? {} : { message_thread_id: thread };
}

/** Telegram's ids of people are positive, those of groups negative; a private chat has its person's id. */
function isPrivate({ chat }: TelegramAddress): boolean {
  return chat > 0;
}
