import { z } from 'zod';
import type { MenuCommand } from '../../conversation/conversation.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import type { Log } from '../../observability/log.ts';
import { ApiError, botOf, failureIn, type TelegramApi } from './api.ts';
import { ALLOWED_UPDATES } from './update.ts';

/* The bot's registration at Telegram, and what is out of order there. */

/** The path of the webhook. */
export const ROUTE = '/webhooks/telegram';

/** Telegram's maximum. Accepting takes milliseconds, and the bot limits its work itself. */
const MAX_CONNECTIONS = 100;

export type RegistrationOptions = {
  readonly api: TelegramApi;
  /** Public https base of this bot; absent: no webhook is registered. */
  readonly publicUrl?: string | undefined;
  readonly secret?: string | undefined;
  /** The language shown to clients in a language that we do not speak. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /** The commands of the menu, in its order. */
  readonly commands: readonly MenuCommand[];
};

/** A part of the registration. Setting it twice does no harm. It rejects with `ApiError`. */
export type RegistrationPart = readonly [name: string, set: () => Promise<unknown>];

/** The webhook and its URL; undefined if the bot has no public address. */
export function webhookPart({ api, publicUrl, secret }: RegistrationOptions) {
  if (publicUrl === undefined || secret === undefined) return undefined;
  const url = publicUrl.replace(/(?<!\/)\/+$/, '') + ROUTE;
  const limits = { allowed_updates: ALLOWED_UPDATES, max_connections: MAX_CONNECTIONS };
  return { url, set: () => api.setWebhook(url, { secret_token: secret, ...limits }) };
}

/** The menu and both descriptions: for clients in other languages, then in each of ours. */
export function profileParts({
  api,
  words,
  defaultLocale,
  commands,
}: RegistrationOptions): RegistrationPart[] {
  return [undefined, ...LOCALES].flatMap((language_code): RegistrationPart[] => {
    const locale = language_code ?? defaultLocale;
    const line = (key: string) => words.line({ key }, locale);
    const menu = commands.map(({ name, slash }) => ({
      command: slash[locale],
      description: line(`telegram.command.${name}`),
    }));
    return [
      ['setMyCommands', () => api.setMyCommands(menu, { ...(language_code && { language_code }) })],
      ['setMyDescription', () => api.setMyDescription(line('telegram.description'), language_code)],
      [
        'setMyShortDescription',
        () => api.setMyShortDescription(line('telegram.shortDescription'), language_code),
      ],
    ];
  });
}

/** The fields of the webhook's state that an operator needs. Other fields might contain a secret. */
const webhookSchema = z.object({
  url: z.string(),
  pending_update_count: z.int(),
  max_connections: z.int().optional(),
  allowed_updates: z.array(z.string()).optional(),
  last_error_date: z.int().optional(),
  last_error_message: z.string().optional(),
});

/** The state of the webhook; undefined if the answer cannot be read. Rejects with `ApiError`. */
export async function readWebhook(api: Pick<TelegramApi, 'getWebhookInfo'>) {
  return webhookSchema.safeParse(await api.getWebhookInfo()).data;
}

type TelegramCheckOptions = RegistrationOptions & {
  /** For the operator's line. */
  readonly apiRoot: string;
  readonly mode: 'webhook' | 'polling';
  readonly log: Log;
  /** Why Telegram refused the last poll; undefined if it did not. */
  readonly pollFault: () => string | undefined;
};

/** Telegram reports an old error forever. It is a fault for this long, while updates wait. */
const STUCK_MS = 60 * 60_000;

/** Looks for faults between the bot and Telegram, and registers the bot. The next look tries again. */
export class TelegramCheck {
  readonly #options: TelegramCheckOptions;
  readonly #webhook: ReturnType<typeof webhookPart>;
  /** The parts of the profile that are not registered yet. */
  #unregistered: readonly RegistrationPart[];
  #isRegistered = false;

  constructor(options: TelegramCheckOptions) {
    this.#options = options;
    this.#webhook = options.mode === 'webhook' ? webhookPart(options) : undefined;
    // A bot whose webhook was set by hand keeps its profile.
    this.#unregistered = options.mode === 'webhook' && !this.#webhook ? [] : profileParts(options);
  }

  /** Resolves to the faults, a line for the operator each. Never rejects. */
  async look(): Promise<readonly string[]> {
    const { api, mode, apiRoot, pollFault } = this.#options;
    try {
      // One lost packet raises no alarm.
      const me = nameSchema.safeParse(await api.getMe().catch(() => api.getMe())).data;
      if (me) api.botInfo = botOf(api.botInfo.id, me.username);
    } catch (error) {
      return meFaults(failureIn(error), new URL(apiRoot).host);
    }
    const why = pollFault();
    const pollFaults = why ? [`getUpdates fails (${why}): does another bot use this token?`] : [];
    const faults = mode === 'polling' ? pollFaults : await this.#webhookFaults();
    // A fault is reported at once; menus can wait.
    if (faults.length === 0) await this.#registerProfile();
    return faults;
  }

  async #webhookFaults(): Promise<readonly string[]> {
    const { api, log } = this.#options;
    const info = await readWebhook(api).catch((error) => void failureIn(error));
    if (!info) return [];
    const webhook = this.#webhook;
    if (!webhook || (this.#isRegistered && info.url === webhook.url)) return deliveryFaults(info);
    try {
      await webhook.set();
    } catch (error) {
      return [`Telegram does not take the webhook (${failureIn(error).message}): look at PUBLIC_URL`];
    }
    log.info({}, 'the webhook was registered at Telegram');
    const isFirst = !this.#isRegistered;
    this.#isRegistered = true;
    if (isFirst) return [];
    // Shows an address by its host: the path may be a secret.
    const host = URL.parse(info.url)?.host ?? 'no address';
    return [
      `the webhook was registered at ${host}, not at ${webhook.url}: end the other bot with this token`,
    ];
  }

  async #registerProfile(): Promise<void> {
    for (const [call, set] of this.#unregistered) {
      try {
        await set();
      } catch (error) {
        const failure = failureIn(error);
        if (!isRefused(failure)) return;
        const refused = { call, why: failure.message };
        this.#options.log.error(refused, 'Telegram refused a part of the registration');
      }
      this.#unregistered = this.#unregistered.slice(1);
    }
  }
}

/** Whether the same call will be refused again. */
export function isRefused(error: unknown): error is ApiError {
  return error instanceof ApiError && ['rejected', 'unreachable'].includes(error.meaning.kind);
}

const nameSchema = z.object({ username: z.string() });

/** The fault that a failed `getMe` shows. */
function meFaults({ meaning: { kind }, message }: ApiError, host: string): string[] {
  // Telegram is reachable and accepts our token.
  if (kind === 'throttled') return [];
  const fault =
    kind === 'unauthorized'
      ? `refuses the token (${message}): was it revoked at BotFather? Set TELEGRAM_BOT_TOKEN, restart`
      : `does not answer at ${host} (${message}): look at the network and TELEGRAM_API_ROOT`;
  return [`Telegram ${fault}`];
}

/** The fault that the last error of a delivery shows, unless it is old or the updates came through. */
function deliveryFaults(info: z.infer<typeof webhookSchema>): string[] {
  const { pending_update_count: waiting, last_error_date: atS = 0 } = info;
  if (waiting === 0 || Date.now() - atS * 1000 >= STUCK_MS) return [];
  const error = info.last_error_message ?? 'no reason given';
  return [
    error.includes('401')
      ? `Telegram's updates carry another secret (${error}): give every process the same ` +
        'TELEGRAM_WEBHOOK_SECRET, and restart'
      : `Telegram cannot hand updates on (${error}): look at PUBLIC_URL, its certificate and the proxy ` +
        'before it',
  ];
}
