import type { FastifyPluginAsync } from 'fastify';
import type { Locale } from '../../conversation/message.ts';
import { isSecret } from '../../http/guard.ts';
import type { Channel, ChannelParts } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import type { RateLimiter } from '../rate-limiter.ts';
import { createWatch } from '../watch.ts';
import { TELEGRAM } from './address.ts';
import { createCheck, ROUTE } from './check.ts';
import { type Answer, type ClientOptions, createClient } from './client.ts';
import { botOf, parseUpdate, toIncoming, type Update } from './incoming.ts';
import { createTelegramPlatform } from './platform.ts';
import { poll } from './poll.ts';

export type TelegramOptions = ClientOptions &
  Pick<ChannelParts, 'accept' | 'limit' | 'words' | 'commands' | 'observe'> & {
    /** Required in webhook mode: without it anybody could speak for anybody. */
    readonly secret?: string | undefined;
    /** Public https base; if set (webhook mode), `start` registers the webhook. */
    readonly publicUrl?: string | undefined;
    readonly mode: 'webhook' | 'polling';
    /** The language of the menu for clients in a language that we do not speak. */
    readonly defaultLocale: Locale;
    /** Of this token's messages, over all processes. */
    readonly limiter: Pick<RateLimiter, 'take' | 'refused'>;
    /** How often the channel looks for faults, ms. */
    readonly checkEveryMs?: number | undefined;
    /** The first pause of the polling's back-off, and within what time processes register that start together, ms. */
    readonly pauseMs?: number | undefined;
  };

const PAUSE_MS = 1_000;

/** Telegram, by webhook or by long polling; everything behind the first parse is the same. */
export function createTelegram(options: TelegramOptions): Channel {
  const { token, secret, mode, accept, words, observe, limiter, pauseMs = PAUSE_MS } = options;
  if (mode === 'webhook' && !secret) throw new Error('Telegram in webhook mode needs a secret');

  const client = createClient(options);
  const stopping = new AbortController();
  // A token is `<bot's id>:<secret>`; `getMe` tells the name later.
  let bot = botOf(Number(token.split(':', 1)[0]));
  let polling: Promise<unknown> = Promise.resolve();
  let polled: Answer | undefined;

  const check = createCheck({
    ...options,
    client,
    spreadMs: Math.min(pauseMs, PAUSE_MS),
    log: observe.log,
    pollFault: () => (polled && !polled.ok && polled.kind === 'rejected' ? polled.why : undefined),
    onName(username) {
      if (bot.username !== username) bot = botOf(bot.id, username);
    },
  });
  const watch = createWatch({ channel: TELEGRAM.name, everyMs: options.checkEveryMs, observe, check });

  /** Rejects if the message could not be stored. */
  async function receive(update: Update): Promise<void> {
    const incoming = await toIncoming(update, bot);
    // Telegram counts seconds.
    if (incoming) await accept(incoming, 1000 * (update.message?.date ?? 0));
  }

  /**
   * The route that Telegram calls (docs/how-it-works.md, "A message"). The answer's body is never a method call: replies
   * leave from the outbox.
   */
  const webhookRoute =
    (secret: string): FastifyPluginAsync =>
    async (app) => {
      const refuse = createRefusal(TELEGRAM.name, options);
      takePlatformRequests(app);
      app.post(ROUTE, {
        bodyLimit: BODY_LIMIT,
        // Before the body is read, let alone parsed.
        async onRequest(request, reply) {
          const given = request.headers['x-telegram-bot-api-secret-token'];
          if (typeof given === 'string' && isSecret(given, secret)) return;
          return refuse(request, reply, 401, 'The secret token is missing or wrong.');
        },
        async handler(request, reply) {
          const update = parseUpdate(request.body);
          if (!update)
            return refuse(request, reply, 400, 'The body is no JSON object with an integer update_id.');
          await receive(update);
          return reply.code(200).send();
        },
      });
    };

  return {
    ...TELEGRAM,
    greeting: () => [
      `${TELEGRAM.title} is on, by ${mode}; several processes share its limit of messages a second.`,
    ],
    async plugin(app) {
      if (mode === 'webhook' && secret) app.register(webhookRoute(secret));
    },
    ...createTelegramPlatform(client, words, limiter, () => bot.username),
    fetchPhoto: (_, at) => client.photo(at),
    faults: watch.faults,
    async start() {
      if (mode === 'polling') {
        const patience = { signal: stopping.signal, pauseMs };
        polling = poll(client, receive, patience, observe.log, (answer) => {
          polled = answer;
        });
      }
      await watch.start();
    },
    async stop() {
      stopping.abort();
      await Promise.all([watch.stop(), polling]);
    },
    close: client.close,
  };
}
