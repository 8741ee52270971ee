import type { Locale } from '../../conversation/message.ts';
import type { Channel, ChannelParts } from '../channel.ts';
import type { Pace } from '../pace.ts';
import { tokenAlarm } from '../platform-response.ts';
import { createWatch } from '../watch.ts';
import { TELEGRAM } from './address.ts';
import { createCheck } from './check.ts';
import { type Answer, type ClientOptions, createClient } from './client.ts';
import { createTelegramOutlet } from './deliver.ts';
import { botOf, toIncoming } from './incoming.ts';
import { createWebhook, poll } from './receive.ts';
import { createRegistration, partsOf, webhookUrl } from './registration.ts';
import type { Update } from './update.ts';

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
    readonly pace: Pace;
    /** How often the channel looks for faults, ms. */
    readonly checkEveryMs?: number | undefined;
    /** The first pause of the registration's and the polling's back-off, ms. */
    readonly pauseMs?: number | undefined;
  };

const PAUSE_MS = 1_000;

/** Telegram, by webhook or by long polling; everything behind the first parse is the same. */
export function createTelegram(options: TelegramOptions): Channel {
  const { token, secret, mode, accept, limit, words, observe, pace, publicUrl } = options;
  if (mode === 'webhook' && !secret) throw new Error('Telegram in webhook mode needs a secret');

  const client = createClient(options);
  const stopping = new AbortController();
  const patience = { signal: stopping.signal, pauseMs: options.pauseMs ?? PAUSE_MS };
  // A token is `<bot's id>:<secret>`; `getMe` tells the name later.
  let bot = botOf(Number(token.split(':', 1)[0]));
  let polling: Promise<unknown> = Promise.resolve();
  let polled: Answer | undefined;

  const tokenRefused = tokenAlarm(TELEGRAM.name, observe);
  const { deliver, wait, working } = createTelegramOutlet(client, words, pace, () => bot.username);
  // A webhook that was set by hand is nobody's to change, and neither is what else that bot tells of itself.
  const isSetByHand = mode === 'webhook' && publicUrl === undefined;
  const webhook = mode === 'webhook' ? publicUrl : undefined;
  const parts = isSetByHand ? [] : partsOf({ ...options, publicUrl: webhook });
  const registration = createRegistration(client, parts, patience, observe.log);
  const watch = createWatch({
    channel: TELEGRAM.name,
    everyMs: options.checkEveryMs,
    observe,
    check: createCheck({
      client,
      apiRoot: options.apiRoot,
      mode,
      webhookUrl: webhook && webhookUrl(webhook),
      registration,
      pollFault: () => (polled && !polled.ok && polled.kind === 'rejected' ? polled.why : undefined),
      onName(username) {
        if (bot.username !== username) bot = botOf(bot.id, username);
      },
    }),
  });

  /** Rejects if the message could not be stored. */
  async function receive(update: Update): Promise<void> {
    const incoming = await toIncoming(update, bot);
    if (incoming) await accept(incoming);
  }

  return {
    ...TELEGRAM,
    greeting: () => [`${TELEGRAM.title} is on, by ${mode}.`],
    async plugin(app) {
      const onRefused = () => observe.update(TELEGRAM.name, 'refused');
      if (mode === 'webhook' && secret) app.register(createWebhook({ secret, receive, limit, onRefused }));
    },
    async deliver(outgoing) {
      const delivery = await deliver(outgoing);
      if (delivery.kind === 'unauthorized') tokenRefused();
      return delivery;
    },
    pace: wait,
    working,
    fetchPhoto: (_, at) => client.photo(at),
    faults: watch.faults,
    async start() {
      void registration.start();
      if (mode === 'polling') {
        polling = poll(client, receive, patience, observe.log, (answer) => {
          polled = answer;
        });
      }
      await watch.start();
    },
    async stop() {
      stopping.abort();
      await Promise.all([watch.stop(), registration.idle(), polling]);
    },
    close: client.close,
  };
}
