import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import type { Locale } from '../../conversation/message.ts';
import { digestOf, isSecret } from '../../http/guard.ts';
import type { Channel, ChannelParts } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { createWatch, pause, type Watch } from '../watch.ts';
import { ApiError, TelegramApi, type TelegramApiOptions } from './api.ts';
import { handleUpdate } from './handlers.ts';
import { TelegramPlatform } from './platform.ts';
import { isRefused, ROUTE, TelegramCheck } from './registration.ts';
import { ALLOWED_UPDATES, parseUpdate, TELEGRAM } from './update.ts';

export type TelegramOptions = TelegramApiOptions &
  Pick<ChannelParts, 'accept' | 'limit' | 'words' | 'commands' | 'observe'> & {
    /** Required in webhook mode: without it anybody could send updates. */
    readonly secret?: string | undefined;
    /** Public https base; if set (webhook mode), the webhook is registered there. */
    readonly publicUrl?: string | undefined;
    readonly mode: 'webhook' | 'polling';
    /** The language of the menu for clients in a language that we do not speak. */
    readonly defaultLocale: Locale;
    readonly limiter: Pick<RateLimiter, 'take' | 'refused'>;
    /** How often the channel looks for faults, ms. */
    readonly checkEveryMs?: number | undefined;
    /** The pause after a poll that failed, ms. */
    readonly pauseMs?: number | undefined;
  };

const PAUSE_MS = 5_000;
/** How long Telegram may hold back an empty answer, s. The call may take ten more. */
const POLL_S = 50;

/** Telegram, by webhook or by long polling. Both are the same after an update is parsed. */
export class TelegramChannel extends TelegramPlatform implements Channel {
  readonly #options: TelegramOptions;
  readonly #watch: Watch;
  readonly #stopping = new AbortController();
  #polling: Promise<void> | undefined;
  /** Why Telegram refused the last poll; undefined if it did not. */
  #pollFault: string | undefined;
  /** The first update that Telegram should send; 0: it has sent none. */
  #offset = 0;

  /** Throws without a secret in webhook mode. */
  constructor(options: TelegramOptions) {
    const { mode, secret, observe, checkEveryMs: everyMs } = options;
    if (mode === 'webhook' && !secret) throw new Error('Telegram in webhook mode needs a secret');
    const api = new TelegramApi(options);
    super({ ...options, api });
    this.#options = options;
    const { log } = observe;
    const registration = new TelegramCheck({ ...options, api, log, pollFault: () => this.#pollFault });
    this.#watch = createWatch({ channel: TELEGRAM.name, everyMs, observe, check: () => registration.look() });
  }

  greeting(): readonly string[] {
    const { mode } = this.#options;
    return [`${TELEGRAM.title} is on, by ${mode}; several processes share its limit of messages a second.`];
  }

  /** The route that Telegram calls. Replies leave from the outbox, never in the answer's body. */
  readonly plugin: FastifyPluginAsync = async (app) => {
    const { mode, secret, accept } = this.#options;
    if (mode !== 'webhook' || !secret) return;
    const refuse = createRefusal(TELEGRAM.name, this.#options);
    takePlatformRequests(app);
    const digest = digestOf(secret);
    app.post(ROUTE, {
      bodyLimit: BODY_LIMIT,
      // Runs before the body is read.
      onRequest(request, reply, next) {
        const given = request.headers['x-telegram-bot-api-secret-token'];
        if (typeof given === 'string' && isSecret(given, digest)) next();
        else refuse(reply, 401, 'The secret token is missing or wrong.');
      },
      handler: async (request, reply) => {
        const update = parseUpdate(request.body);
        if (!update) return refuse(reply, 400, 'The body is no JSON object with an integer update_id.');
        await handleUpdate(update, this.api, accept);
        return reply.code(200).send();
      },
    });
  };

  faults(): readonly string[] {
    return this.#watch.faults();
  }

  async start(): Promise<void> {
    if (this.#options.mode === 'polling') this.#polling = this.#keepPolling(this.#stopping.signal);
    await this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch.stop();
    await this.#polling;
  }

  close(): Promise<void> {
    return this.api.disconnect();
  }

  /** Removes the webhook, and polls until `signal` is aborted. Never rejects. One process may poll. */
  async #keepPolling(signal: AbortSignal): Promise<void> {
    const { observe, pauseMs = PAUSE_MS } = this.#options;
    while (!signal.aborted) {
      try {
        await this.api.callApi('deleteWebhook', {}, { signal });
        while (!signal.aborted) await this.#poll(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#pollFault = isRefused(error) ? error.message : undefined;
        const why = error instanceof Error ? error.message : 'unknown';
        observe.log.warn({ why }, 'polling Telegram failed, trying again');
        const meaning = error instanceof ApiError ? error.meaning : undefined;
        const afterMs = meaning && 'afterMs' in meaning ? meaning.afterMs : undefined;
        await pause(Math.max(pauseMs, afterMs ?? 0), signal);
      }
    }
  }

  /** Rejects if an update could not be stored: it and all later ones are fetched again. */
  async #poll(signal: AbortSignal): Promise<void> {
    const wanted = { timeout: POLL_S, allowed_updates: ALLOWED_UPDATES, offset: this.#offset };
    const sent: unknown = await this.api.callApi('getUpdates', wanted, { signal });
    this.#pollFault = undefined;
    for (const update of z.array(z.unknown()).parse(sent).map(parseUpdate)) {
      if (!update) continue;
      await handleUpdate(update, this.api, this.#options.accept);
      this.#offset = update.update_id + 1;
    }
  }
}
