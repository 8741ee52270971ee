import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import type { Locale } from '../../conversation/message.ts';
import { isSecret } from '../../http/guard.ts';
import type { Log } from '../../observability/log.ts';
import type { Channel, ChannelParts } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { createWatch, pause, type Watch } from '../watch.ts';
import { ApiError, TelegramApi, type TelegramApiOptions } from './api.ts';
import { handleUpdate } from './handlers.ts';
import { TelegramPlatform } from './platform.ts';
import { isRefused, ROUTE, TelegramCheck } from './registration.ts';
import { ALLOWED_UPDATES, parseUpdate, TELEGRAM, type Update } from './update.ts';

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

/** Telegram, by webhook or by long polling. Both are the same after an update is parsed. */
export class TelegramChannel extends TelegramPlatform implements Channel {
  readonly #options: TelegramOptions;
  readonly #watch: Watch;
  readonly #poller: Poller;
  readonly #stopping = new AbortController();
  #polling: Promise<void> | undefined;

  /** Throws without a secret in webhook mode. */
  constructor(options: TelegramOptions) {
    const { mode, secret, observe, pauseMs = PAUSE_MS } = options;
    if (mode === 'webhook' && !secret) throw new Error('Telegram in webhook mode needs a secret');
    const api = new TelegramApi(options);
    super({ ...options, api });
    this.#options = options;
    const { log } = observe;
    const receive = (update: Update) => handleUpdate(update, api, options.accept);
    this.#poller = new Poller({ api, pauseMs, log, receive });
    const check = new TelegramCheck({ ...options, api, log, pollFault: () => this.#poller.fault });
    const { checkEveryMs: everyMs } = options;
    const look = () => check.look();
    this.#watch = createWatch({ channel: TELEGRAM.name, everyMs, observe, check: look });
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
    app.post(ROUTE, {
      bodyLimit: BODY_LIMIT,
      // Runs before the body is read.
      async onRequest(request, reply) {
        const given = request.headers['x-telegram-bot-api-secret-token'];
        if (typeof given === 'string' && isSecret(given, secret)) return;
        return refuse(reply, 401, 'The secret token is missing or wrong.');
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
    if (this.#options.mode === 'polling') this.#polling = this.#poller.run(this.#stopping.signal);
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
}

/** How long Telegram may hold back an empty answer, s. The call may take ten more. */
const POLL_S = 50;

type PollerOptions = {
  readonly api: Pick<TelegramApi, 'callApi'>;
  /** Rejects if an update could not be stored: it and all later ones are fetched again. */
  receive(update: Update): Promise<unknown>;
  /** The pause after a failure, ms; longer if Telegram asks for it. */
  readonly pauseMs: number;
  readonly log: Log;
};

/** Removes the webhook, and fetches updates one after the other. For development: one process polls. */
class Poller {
  /** Why Telegram refused the last poll; undefined if it did not. */
  fault: string | undefined;
  readonly #options: PollerOptions;
  /** The first update that Telegram should send; 0: it has sent none. */
  #offset = 0;

  constructor(options: PollerOptions) {
    this.#options = options;
  }

  /** Polls until `signal` is aborted. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { api, log, pauseMs } = this.#options;
    while (!signal.aborted) {
      try {
        await api.callApi('deleteWebhook', {}, { signal });
        while (!signal.aborted) await this.#poll(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.fault = isRefused(error) ? error.message : undefined;
        const why = error instanceof Error ? error.message : 'unknown';
        log.warn({ why }, 'polling Telegram failed, trying again');
        const meaning = error instanceof ApiError ? error.meaning : undefined;
        const afterMs = meaning && 'afterMs' in meaning ? meaning.afterMs : undefined;
        await pause(Math.max(pauseMs, afterMs ?? 0), signal);
      }
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { api, receive } = this.#options;
    const wanted = { timeout: POLL_S, allowed_updates: ALLOWED_UPDATES, offset: this.#offset };
    const sent: unknown = await api.callApi('getUpdates', wanted, { signal });
    this.fault = undefined;
    for (const update of z.array(z.unknown()).parse(sent).map(parseUpdate)) {
      if (!update) continue;
      await receive(update);
      this.#offset = update.update_id + 1;
    }
  }
}
