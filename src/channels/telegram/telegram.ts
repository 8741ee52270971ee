import type { FastifyPluginAsync } from 'fastify';
import type { InlineKeyboardMarkup } from 'telegraf/types';
import { z } from 'zod';
import type { Locale } from '../../conversation/message.ts';
import { isReceipt } from '../../conversation/reply.ts';
import { START_WITHOUT_CODE } from '../../conversation/values/code.ts';
import type { Delivery, FetchedMedia, Incoming, MediaBounds, Outgoing } from '../../engine/messages.ts';
import { isSecret } from '../../http/secret.ts';
import type { Channel, ChannelParts } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { pause, Watch } from '../watch.ts';
import { ApiError, failureIn, TelegramApi, type TelegramApiOptions } from './api.ts';
import { handleUpdate } from './handlers.ts';
import { type RegistrationOptions, ROUTE, TelegramCheck } from './registration.ts';
import { render, type TelegramReply } from './render.ts';
import { StaffGroup, type StaffGroupSettings } from './staff-group.ts';
import {
  ALLOWED_UPDATES,
  addressSchema,
  parseUpdate,
  pressSchema,
  TELEGRAM,
  type TelegramAddress,
} from './update.ts';

export type TelegramOptions = TelegramApiOptions &
  Omit<RegistrationOptions, 'api'> &
  Pick<ChannelParts, 'accept' | 'limit' | 'observe' | 'drawQr'> & {
    /** For the messages of this process. */
    readonly limiter: Pick<RateLimiter, 'take' | 'note'>;
    /** A group of staff that receives the news of tickets, and what that needs. */
    readonly staffGroup?: (StaffGroupSettings & Pick<ChannelParts, 'tickets' | 'secrets'>) | undefined;
    /** How often the channel looks for faults, ms. */
    readonly checkEveryMs?: number | undefined;
    /** The pause after a poll that failed, ms. */
    readonly pauseMs?: number | undefined;
  };

const PAUSE_MS = 5_000;
/** How long Telegram may hold back an empty answer, s. The call may take ten more. */
const POLL_S = 50;

const NO_PREVIEW = { link_preview_options: { is_disabled: true } };

/** Telegram, by webhook or by polling. Its ids of people are positive, those of groups negative. */
export class TelegramChannel implements Channel {
  readonly #options: TelegramOptions;
  readonly #api: TelegramApi;
  readonly #watch: Watch;
  readonly #group: StaffGroup | undefined;
  readonly #stopping = new AbortController();
  #polling: Promise<void> | undefined;
  /** Why Telegram refused the last poll. */
  #refusal: string | undefined;
  /** The first update that Telegram should send; 0: it has sent none. */
  #offset = 0;

  constructor(options: TelegramOptions) {
    const { observe, checkEveryMs: everyMs } = options;
    this.#options = options;
    this.#api = new TelegramApi(options);
    const registration = new TelegramCheck({ ...options, api: this.#api }, observe.log);
    const { staffGroup, words } = options;
    this.#group = staffGroup && new StaffGroup({ ...staffGroup, words, observe, api: this.#api });
    const check = async () => {
      await this.#group?.check();
      return [...(await registration.look()), ...this.#pollingFaults(), ...(this.#group?.faults() ?? [])];
    };
    this.#watch = new Watch({ channel: TELEGRAM.name, everyMs, observe, check });
  }

  readonly takes = ['picture', 'file'] as const;

  greeting(): readonly string[] {
    const mode = this.#options.secret ? 'webhook' : 'polling';
    return [`${TELEGRAM.title} is on, by ${mode}; several processes share its limit of messages a second.`];
  }

  readonly plugin: FastifyPluginAsync = async (app) => {
    const { secret, accept } = this.#options;
    if (!secret) return;
    const refuse = createRefusal(TELEGRAM.name, this.#options);
    takePlatformRequests(app);
    app.post(ROUTE, {
      bodyLimit: BODY_LIMIT,
      // Runs before the body is read.
      onRequest(request, reply, next) {
        const given = request.headers['x-telegram-bot-api-secret-token'];
        if (typeof given === 'string' && isSecret(given, secret)) next();
        else void refuse(reply, 401, 'The secret token is missing or wrong.');
      },
      handler: async (request, reply) => {
        const update = parseUpdate(request.body);
        if (!update) return refuse(reply, 400, 'The body is no JSON object with an integer update_id.');
        await handleUpdate(update, this.#api, accept);
        return reply.code(200).send();
      },
    });
  };

  faults(): readonly string[] {
    return this.#watch.faults();
  }

  async start(): Promise<void> {
    if (!this.#options.secret) this.#polling = this.#keepPolling(this.#stopping.signal);
    this.#group?.start();
    await this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch.stop();
    await Promise.all([this.#polling, this.#group?.stop()]);
  }

  close(): Promise<void> {
    return this.#api.disconnect();
  }

  async deliver(outgoing: Outgoing): Promise<Delivery> {
    const address = addressSchema.safeParse(outgoing.address).data;
    if (!address) return { kind: 'rejected' };
    const delivery = await this.#send(address, outgoing);
    this.#options.limiter.note(String(address.chat), delivery);
    // Telegram has many texts for a group that refuses the bot.
    return delivery.kind === 'rejected' && address.chat < 0 ? { kind: 'unreachable' } : delivery;
  }

  /** Limits all that is written: new messages, edits and toasts. */
  pace({ conversation: chat, reply, first, press, atMs: madeAtMs }: Outgoing): number {
    const isGroup = chat.startsWith('-');
    const isToast = press !== undefined && first && reply.notice === true;
    return this.#options.limiter.take({ chat, isGroup, isReceipt: isReceipt(reply), isToast, madeAtMs });
  }

  async #send(address: TelegramAddress, outgoing: Outgoing): Promise<Delivery> {
    const rendered = render(outgoing.reply, outgoing.locale, this.#options.words);
    try {
      if (outgoing.press === undefined) await this.#sendNew(address, rendered, outgoing);
      else await this.#answerPress(address, rendered, outgoing);
      return { kind: 'delivered' };
    } catch (error) {
      return failureIn(error).meaning;
    }
  }

  /** Shows that the bot types, and ends the spinner of a pressed button. */
  async working(incoming: Pick<Incoming, 'address' | 'press'>): Promise<void> {
    const address = addressSchema.safeParse(incoming.address).data;
    const press = pressSchema.safeParse(incoming.press).data;
    await Promise.all([
      press && isDone(this.#api.answerCbQuery(press.query)),
      address && isDone(this.#api.sendChatAction(address.chat, 'typing')),
    ]);
  }

  fetchMedia(_place: unknown, at: unknown, bounds: MediaBounds): Promise<FetchedMedia> {
    return this.#api.fetchMedia(at, bounds);
  }

  /** A remark is a toast, a page replaces the message, other replies are new. */
  async #answerPress(address: TelegramAddress, rendered: TelegramReply, outgoing: Outgoing): Promise<void> {
    const { reply, first } = outgoing;
    const { query, message, view } = pressSchema.parse(outgoing.press);
    const { text, inline } = rendered;
    const toast = reply.notice && text;
    // Telegram refuses an old press, one that was answered before, and a long toast.
    const isToasted = first && (await isDone(this.#api.answerCbQuery(query, toast))) && toast !== undefined;
    if (reply.inPlace && message !== undefined) {
      const extra = { ...NO_PREVIEW, ...(inline && { reply_markup: inline }) };
      const edit = this.#api.editMessageText(address.chat, message, undefined, text, extra);
      // Telegram refuses it if the message was deleted, or is too old.
      if (await isDone(edit, 'rejected')) return;
    }
    // With the same view, the question goes on. Else its buttons are dead.
    const isOver = first && message !== undefined && (view === undefined || view !== reply.view);
    await Promise.all([
      isToasted ? undefined : this.#sendNew(address, rendered, outgoing),
      isOver && isDone(this.#api.editMessageReplyMarkup(address.chat, message, undefined, undefined)),
    ]);
  }

  /** Without buttons, it takes the contact keyboard away, unless a phone is asked. */
  async #sendNew(
    { chat, thread }: TelegramAddress,
    { text, photo, qr, inline, contact }: TelegramReply,
    { state, locale, reply, content }: Outgoing,
  ): Promise<void> {
    const privateKeyboard =
      contact ?? (state.asks === 'phone' ? undefined : ({ remove_keyboard: true } as const));
    const markup = inline ?? (chat < 0 ? this.#privateChat(locale) : privateKeyboard);
    const topic = thread === undefined ? {} : { message_thread_id: thread };
    const extra = markup ? { reply_markup: markup } : {};
    if (reply.file !== undefined && content !== undefined) {
      const file = { source: content, filename: reply.file.name ?? 'file' };
      const more = { caption: text, ...topic, ...extra };
      // A picture that Telegram does not take as one (its sides) goes as a file.
      const isSent =
        reply.file.kind === 'picture' && (await isDone(this.#api.sendPhoto(chat, file, more), 'rejected'));
      if (!isSent) await this.#api.sendDocument(chat, file, more);
      return;
    }
    const drawn = photo === undefined && qr !== undefined ? await this.#options.drawQr(qr) : undefined;
    const picture = drawn ? { source: drawn, filename: 'qr.png' } : photo;
    if (picture !== undefined) {
      const sending = this.#api.sendPhoto(chat, picture, { caption: text, ...topic, ...extra });
      // Telegram fetches a picture of others during the call: its server may be slow.
      if (await isDone(sending, 'rejected', ...(drawn ? [] : ['uncertain' as const]))) return;
    }
    const send = (to: typeof topic) => this.#api.sendMessage(chat, text, { ...NO_PREVIEW, ...to, ...extra });
    // The topic may have been deleted.
    if (thread !== undefined && (await isDone(send(topic), 'rejected'))) return;
    await send({});
  }

  /** The button into the private chat; undefined until the bot knows its name. */
  #privateChat(locale: Locale): InlineKeyboardMarkup | undefined {
    const { username } = this.#api.botInfo;
    if (username === '') return undefined;
    const text = this.#options.words.line({ key: 'telegram.openChat' }, locale);
    const url = `https://t.me/${username}?start=${START_WITHOUT_CODE}`;
    return { inline_keyboard: [[{ text, url }]] };
  }

  /** Never rejects. One process may poll. */
  async #keepPolling(signal: AbortSignal): Promise<void> {
    const { observe, pauseMs = PAUSE_MS } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#api.call('deleteWebhook', {}, signal);
        while (!signal.aborted) await this.#poll(signal);
      } catch (error) {
        if (signal.aborted) return;
        const why = error instanceof Error ? error.message : 'unknown';
        observe.log.warn({ why }, 'polling Telegram failed, trying again');
        const { meaning } = error instanceof ApiError ? error : {};
        this.#refusal = meaning?.kind === 'rejected' ? why : undefined;
        const asked = meaning?.kind === 'throttled' ? meaning.afterMs : undefined;
        await pause(asked ?? pauseMs, signal);
      }
    }
  }

  #pollingFaults(): readonly string[] {
    const hint = 'let one process alone poll with this token, or set TELEGRAM_MODE=webhook';
    return this.#refusal === undefined ? [] : [`Telegram hands out no updates (${this.#refusal}): ${hint}`];
  }

  /** Rejects if an update could not be stored: it and all later ones are fetched again. */
  async #poll(signal: AbortSignal): Promise<void> {
    const wanted = { timeout: POLL_S, allowed_updates: ALLOWED_UPDATES, offset: this.#offset };
    const sent = await this.#api.call('getUpdates', wanted, signal);
    this.#refusal = undefined;
    for (const update of z.array(z.unknown()).parse(sent).map(parseUpdate)) {
      if (!update) continue;
      await handleUpdate(update, this.#api, this.#options.accept);
      this.#offset = update.update_id + 1;
    }
  }
}

/** Whether a call succeeded; false if it failed as given (by default, however). Else rejects. */
async function isDone(call: Promise<unknown>, ...failures: Delivery['kind'][]): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    const { kind } = failureIn(error).meaning;
    if (failures.length === 0 || failures.includes(kind)) return false;
    throw error;
  }
}
