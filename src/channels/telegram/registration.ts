import { z } from 'zod';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Log } from '../../observability/log.ts';
import type { ChannelParts } from '../channel.ts';
import { failureIn, type TelegramApi } from './api.ts';
import { ALLOWED_UPDATES } from './update.ts';

/** The path of the webhook. */
export const ROUTE = '/webhooks/telegram';

export type RegistrationOptions = Pick<ChannelParts, 'words' | 'commands'> & {
  readonly api: TelegramApi;
  /** Public https base of this bot; absent: no webhook is registered. */
  readonly publicUrl?: string | undefined;
  /** Of the webhook. Absent: the bot polls, or anybody could send updates. */
  readonly secret?: string | undefined;
  /** The language shown to clients in a language that we do not speak. */
  readonly defaultLocale: Locale;
};

/** Undefined if the bot has no public address, or polls. */
function webhookOf({ publicUrl, secret: secret_token }: RegistrationOptions) {
  if (publicUrl === undefined || !secret_token) return undefined;
  return { url: publicUrl + ROUTE, secret_token, allowed_updates: ALLOWED_UPDATES, max_connections: 100 };
}

/** Registers the webhook, if there is one. */
async function registerWebhook(options: RegistrationOptions): Promise<void> {
  const { url, ...extra } = webhookOf(options) ?? {};
  if (url !== undefined) await options.api.setWebhook(url, extra);
}

/** Registers the webhook, then the menu and descriptions: for other languages and for each of ours. */
export async function register(options: RegistrationOptions): Promise<void> {
  const { api, words, defaultLocale, commands } = options;
  await registerWebhook(options);
  for (const language_code of [undefined, ...LOCALES]) {
    const locale = language_code ?? defaultLocale;
    const line = (key: string) => words.line({ key }, locale);
    const menu = commands.map(({ name, slash }) => ({
      command: slash[locale],
      description: line(`telegram.command.${name}`),
    }));
    await api.setMyCommands(menu, { ...(language_code && { language_code }) });
    await api.setMyDescription(line('telegram.description'), language_code);
    await api.setMyShortDescription(line('telegram.shortDescription'), language_code);
  }
}

/** What an operator needs. Other fields might contain a secret. */
const webhookSchema = z.object({
  url: z.string(),
  pending_update_count: z.int(),
  last_error_date: z
    .int()
    .transform((atS) => new Date(atS * 1000))
    .pipe(z.date())
    .transform((at) => at.toISOString())
    .optional(),
  last_error_message: z.string().optional(),
});

type WebhookInfo = z.infer<typeof webhookSchema>;

/** Undefined if the answer cannot be read. */
export async function readWebhook(api: Pick<TelegramApi, 'getWebhookInfo'>) {
  return webhookSchema.safeParse(await api.getWebhookInfo()).data;
}

/** Telegram reports an error forever. It is a fault for so long, while updates wait. */
const STUCK_MS = 60 * 60_000;

/** Looks for faults, and registers the bot. The next look tries again. */
export class TelegramCheck {
  readonly #options: RegistrationOptions;
  readonly #log: Log;
  #isRegistered = false;
  /** What the webhook's state showed when it was last read. */
  #webhookFaults: readonly string[] = [];
  /** The date of the last refusal of our secret that a new registration answered. */
  #answeredAt: string | undefined;

  constructor(options: RegistrationOptions, log: Log) {
    this.#options = options;
    this.#log = log;
  }

  /** Resolves to the faults, a line for the operator each. Never rejects. */
  async look(): Promise<readonly string[]> {
    const { api } = this.#options;
    try {
      // One lost packet raises no alarm.
      await api.fetchName().catch(() => api.fetchName());
    } catch (error) {
      const { meaning, message } = failureIn(error);
      if (meaning.kind === 'throttled') return this.#webhookFaults;
      const { host } = new URL(api.options.apiRoot);
      return meaning.kind === 'unauthorized'
        ? [`Telegram refuses the token (${message}): was it revoked? Set TELEGRAM_BOT_TOKEN, restart`]
        : [`Telegram does not answer at ${host} (${message}): look at the network and TELEGRAM_API_ROOT`];
    }
    if (!this.#isRegistered) return this.#register(register);
    const info = await readWebhook(api).catch((error) => void failureIn(error));
    // One lost packet mends nothing, either.
    if (info) this.#webhookFaults = await this.#lookAt(info);
    return this.#webhookFaults;
  }

  async #lookAt(info: WebhookInfo): Promise<readonly string[]> {
    const url = webhookOf(this.#options)?.url;
    if (url === undefined) return deliveryFaults(info);
    if (info.url === url) return this.#repairSecret(info);
    // Shows an address by its host: the path may be a secret.
    const host = URL.parse(info.url)?.host ?? 'no address';
    const fault = `the webhook was registered at ${host}, not at ${url}: end the other bot with this token`;
    return [fault, ...(await this.#register(register))];
  }

  /**
   * If Telegram shows us a wrong secret, another process registered its own. Registers ours again, once for
   * each refusal: processes with two secrets must not register without end.
   */
  async #repairSecret(info: WebhookInfo): Promise<readonly string[]> {
    const faults = deliveryFaults(info);
    const isRefused = faults.length > 0 && /\b401\b/.test(info.last_error_message ?? '');
    if (!isRefused || info.last_error_date === this.#answeredAt) return faults;
    this.#answeredAt = info.last_error_date;
    return [...faults, ...(await this.#register(registerWebhook))];
  }

  async #register(work: typeof register): Promise<readonly string[]> {
    try {
      await work(this.#options);
    } catch (error) {
      const { meaning, message } = failureIn(error);
      if (meaning.kind === 'throttled') return [];
      return [`Telegram does not take the registration (${message}): look at PUBLIC_URL`];
    }
    this.#isRegistered = true;
    this.#log.info({}, 'the bot was registered at Telegram');
    return [];
  }
}

/** The last error of a delivery, unless it is old or the updates came through. */
function deliveryFaults(info: WebhookInfo): string[] {
  const { pending_update_count: waiting, last_error_date: at = 0 } = info;
  if (waiting === 0 || Date.now() - new Date(at).getTime() >= STUCK_MS) return [];
  const error = info.last_error_message ?? 'no reason given';
  const hint =
    'PUBLIC_URL, its certificate, the proxy before it, and (401) the same TELEGRAM_WEBHOOK_SECRET everywhere';
  return [`Telegram cannot hand updates on (${error}): look at ${hint}`];
}
