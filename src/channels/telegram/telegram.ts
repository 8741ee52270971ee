import type { FastifyPluginAsync } from 'fastify';
import type { Locale } from '../../conversation/message.ts';
import { isSecret } from '../../http/guard.ts';
import type { Channel, ChannelParts } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { createWatch, type Watch } from '../watch.ts';
import { TelegramApi, type TelegramApiOptions } from './api.ts';
import { TelegramCheck } from './check.ts';
import { handleUpdate } from './handlers.ts';
import { TelegramPlatform } from './platform.ts';
import { Poller } from './poll.ts';
import { ROUTE } from './registration.ts';
import { parseUpdate, TELEGRAM, type Update } from './update.ts';

export type TelegramOptions = TelegramApiOptions &
  Pick<ChannelParts, 'accept' | 'limit' | 'words' | 'commands' | 'observe'> & {
    /** Required in webhook mode: without it anybody could speak for anybody. */
    readonly secret?: string | undefined;
    /** Public https base; if set (webhook mode), the webhook is registered there. */
    readonly publicUrl?: string | undefined;
    readonly mode: 'webhook' | 'polling';
    /** The language of the menu for clients in a language that we do not speak. */
    readonly defaultLocale: Locale;
    readonly limiter: Pick<RateLimiter, 'take' | 'refused'>;
    /** How often the channel looks for faults, ms. */
    readonly checkEveryMs?: number | undefined;
    /** The first pause of the polling's back-off, ms. */
    readonly pauseMs?: number | undefined;
  };

const PAUSE_MS = 1_000;

/** Telegram, by webhook or by long polling; behind the first parse both are the same. */
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
    this.#poller = new Poller({ api, pauseMs, log, receive: (update) => this.#receive(update) });
    const check = new TelegramCheck({ ...options, api, log, pollFault: () => this.#poller.fault });
    const everyMs = options.checkEveryMs;
    this.#watch = createWatch({
      channel: TELEGRAM.name,
      everyMs,
      observe,
      check: (signal) => check.look(signal),
    });
  }

  greeting(): readonly string[] {
    const { mode } = this.#options;
    return [`${TELEGRAM.title} is on, by ${mode}; several processes share its limit of messages a second.`];
  }

  /**
   * The route that Telegram calls (docs/how-it-works.md, "A message"). The answer's body is never a method call: replies
   * leave from the outbox.
   */
  readonly plugin: FastifyPluginAsync = async (app) => {
    const { mode, secret } = this.#options;
    if (mode !== 'webhook' || !secret) return;
    const refuse = createRefusal(TELEGRAM.name, this.#options);
    takePlatformRequests(app);
    app.post(ROUTE, {
      bodyLimit: BODY_LIMIT,
      // Before the body is read, let alone parsed.
      async onRequest(request, reply) {
        const given = request.headers['x-telegram-bot-api-secret-token'];
        if (typeof given === 'string' && isSecret(given, secret)) return;
        return refuse(request, reply, 401, 'The secret token is missing or wrong.');
      },
      handler: async (request, reply) => {
        const update = parseUpdate(request.body);
        if (!update)
          return refuse(request, reply, 400, 'The body is no JSON object with an integer update_id.');
        await this.#receive(update);
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
    await Promise.all([this.#watch.stop(), this.#polling]);
  }

  close(): Promise<void> {
    return this.api.disconnect();
  }

  /** Rejects if the message could not be stored. */
  #receive(update: Update): Promise<void> {
    return handleUpdate(update, this.api, this.#options.accept);
  }
}
