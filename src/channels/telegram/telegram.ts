import { z } from 'zod';
import type { Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import { atMostEvery, type Observe } from '../../observe.ts';
import type { Accept, Channel } from '../channel.ts';
import type { Limit } from '../limits.ts';
import { answerOf, BotApi } from './api.ts';
import { createClient } from './client.ts';
import { createDelivery } from './deliver.ts';
import { botOf, toIncoming } from './incoming.ts';
import { persist } from './persist.ts';
import { poll } from './polling.ts';
import { register, registrationCalls } from './registration.ts';
import type { Update } from './update.ts';
import { createWebhook } from './webhook.ts';

export type TelegramOptions = {
  readonly token: string;
  /** Required in webhook mode: without it anybody could speak for anybody. */
  readonly secret?: string | undefined;
  readonly apiRoot: string;
  /** Public https base; if set (webhook mode), `start` registers the webhook. */
  readonly publicUrl?: string | undefined;
  readonly mode: 'webhook' | 'polling';
  /** The language of the menu for clients in a language that we do not speak. */
  readonly defaultLocale: Locale;
  readonly accept: Accept;
  /** For requests to the webhook without the secret. */
  readonly limit: Limit;
  readonly words: Words;
  readonly observe: Observe;
  /** How long a call may take, ms. */
  readonly timeoutMs?: number | undefined;
  /** The first pause of the registration's and the polling's back-off, ms. */
  readonly pauseMs?: number | undefined;
};

const PAUSE_MS = 1_000;
const ALARM_EVERY_MS = 60_000;

/** Telegram, by webhook or by long polling; everything behind the first parse is the same. */
export function createTelegram(options: TelegramOptions): Channel {
  const { token, secret, mode, accept, words, observe } = options;
  if (mode === 'webhook' && !secret) throw new Error('Telegram in webhook mode needs a secret');

  const client = createClient({
    token,
    apiRoot: options.apiRoot,
    timeoutMs: options.timeoutMs,
    onTokenRefused: atMostEvery(ALARM_EVERY_MS, () =>
      observe.alarm('channel_token_refused', { channel: 'telegram' }),
    ),
  });
  const api = new BotApi(client);
  const { deliver, working } = createDelivery(api, words);
  const stopping = new AbortController();
  const patience = { signal: stopping.signal, pauseMs: options.pauseMs ?? PAUSE_MS };
  let background: Promise<unknown> = Promise.resolve();
  // A token is `<bot's id>:<secret>`; the name follows from `getMe`.
  let bot = botOf(Number(token.split(':', 1)[0]));

  /** Rejects if the message could not be stored. */
  async function receive(update: Update): Promise<void> {
    const incoming = await toIncoming(update, api, bot);
    if (incoming) await accept(incoming);
  }

  async function learnName(): Promise<void> {
    const answer = await persist((signal) => answerOf(api.within({ signal }).getMe()), patience);
    const username = answer.ok ? nameSchema.safeParse(answer.result).data?.username : undefined;
    if (username) bot = botOf(bot.id, username);
  }

  return {
    name: 'telegram',
    plugin:
      mode === 'webhook' && secret
        ? createWebhook({
            secret,
            receive,
            limit: options.limit,
            onRefused: () => observe.update('telegram', 'refused'),
          })
        : async () => {},
    deliver,
    working,
    async start() {
      const { publicUrl } = options;
      const calls =
        mode === 'polling' || publicUrl !== undefined
          ? registrationCalls(api, {
              ...options,
              publicUrl: mode === 'webhook' ? publicUrl : undefined,
            })
          : [];
      background = Promise.all([
        learnName(),
        register(calls, patience, observe.log),
        mode === 'polling' && poll(api, receive, patience, observe.log),
      ]);
    },
    async stop() {
      stopping.abort();
      await background;
    },
  };
}

const nameSchema = z.object({ username: z.string() });
