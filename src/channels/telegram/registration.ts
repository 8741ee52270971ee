import { z } from 'zod';
import type { MenuCommand } from '../../conversation/conversation.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import type { Log } from '../../observability/log.ts';
import { ApiError, botOf, failureIn, type TelegramApi } from './api.ts';
import { ALLOWED_UPDATES } from './update.ts';

/*
 * The bot's registration at Telegram (the webhook, and the menu and the descriptions in each language), and
 * what is out of order there.
 */

/** The path of the webhook. */
export const ROUTE = '/webhooks/telegram';

/** Telegram's maximum. Accepting takes milliseconds, and the bot limits its work itself. */
const MAX_CONNECTIONS = 100;

export type RegistrationOptions = {
  readonly api: Pick<TelegramApi, 'callApi'>;
  /** Public https base of this bot; absent: no webhook is registered. */
  readonly publicUrl?: string | undefined;
  readonly secret?: string | undefined;
  /** The language shown to clients in a language that we do not speak. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /** The commands of the menu, in its order. */
  readonly commands: readonly MenuCommand[];
};

/** A part of the registration. Setting it twice does no harm. */
export type RegistrationPart = {
  readonly name: string;
  /** Rejects with `ApiError`. */
  set(): Promise<unknown>;
};

/** The webhook; undefined if the bot has no public address. */
export function webhookPart(options: RegistrationOptions): RegistrationPart | undefined {
  const { api, publicUrl, secret } = options;
  if (publicUrl === undefined || secret === undefined) return undefined;
  const limits = { allowed_updates: ALLOWED_UPDATES, max_connections: MAX_CONNECTIONS };
  const payload = { url: webhookUrl(publicUrl), secret_token: secret, ...limits };
  return { name: 'setWebhook', set: () => api.callApi('setWebhook', payload) };
}

/** The URL of the webhook of a bot with this public base. */
function webhookUrl(publicUrl: string): string {
  return publicUrl.replace(/(?<!\/)\/+$/, '') + ROUTE;
}

/** The menu and both descriptions: a default for clients in other languages, then one in each of ours. */
export function profileParts({
  api,
  words,
  defaultLocale,
  commands,
}: RegistrationOptions): RegistrationPart[] {
  return [undefined, ...LOCALES].flatMap((language_code): RegistrationPart[] => {
    const locale = language_code ?? defaultLocale;
    const language = language_code === undefined ? {} : { language_code };
    const line = (key: string) => words.line({ key }, locale);
    const menu = commands.map(({ name, slash }) => ({
      command: slash[locale],
      description: line(`telegram.command.${name}`),
    }));
    const part = <Name extends 'setMyCommands' | 'setMyDescription' | 'setMyShortDescription'>(
      name: Name,
      payload: Parameters<typeof api.callApi<Name>>[1],
    ) => ({ name, set: () => api.callApi(name, { ...payload, ...language }) });
    return [
      part('setMyCommands', { commands: menu }),
      part('setMyDescription', { description: line('telegram.description') }),
      part('setMyShortDescription', { short_description: line('telegram.shortDescription') }),
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
type WebhookInfo = z.infer<typeof webhookSchema>;

/** The state of the webhook; undefined if the answer cannot be read. Rejects with `ApiError`. */
export async function readWebhook(api: Pick<TelegramApi, 'callApi'>) {
  return webhookSchema.safeParse(await api.callApi('getWebhookInfo', {})).data;
}

type TelegramCheckOptions = RegistrationOptions & {
  readonly api: Pick<TelegramApi, 'callApi' | 'botInfo'>;
  /** For the operator's line. */
  readonly apiRoot: string;
  readonly mode: 'webhook' | 'polling';
  readonly log: Log;
  /** Why Telegram refused the last poll; undefined if it did not. */
  pollFault(): string | undefined;
};

/** Telegram reports an old error forever. It counts as a fault for this long while updates wait. */
const STUCK_MS = 60 * 60_000;
/** The same while no update waits. */
const PASSED_MS = 60_000;

/** Looks for faults between the bot and Telegram, and registers the bot. The next look tries again. */
export class TelegramCheck {
  readonly #options: TelegramCheckOptions;
  readonly #webhook: RegistrationPart | undefined;
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
    const { api, mode, apiRoot } = this.#options;
    const getMe = () => api.callApi('getMe', {});
    try {
      // One lost packet raises no alarm.
      const me = nameSchema.safeParse(await getMe().catch(getMe)).data;
      if (me) api.botInfo = botOf(api.botInfo.id, me.username);
    } catch (error) {
      return meFaults(failureIn(error), new URL(apiRoot).host);
    }
    const faults = mode === 'polling' ? this.#pollFaults() : await this.#webhookFaults();
    // A fault is reported at once; menus can wait.
    if (faults.length === 0) await this.#registerProfile();
    return faults;
  }

  #pollFaults(): string[] {
    const why = this.#options.pollFault();
    return why === undefined ? [] : [`getUpdates fails (${why}): does another bot use this token?`];
  }

  async #webhookFaults(): Promise<readonly string[]> {
    const { api, publicUrl = '', log } = this.#options;
    const info = await readWebhook(api).catch((error) => void failureIn(error));
    if (!info) return [];
    const wanted = webhookUrl(publicUrl);
    if (!this.#webhook || (this.#isRegistered && info.url === wanted)) return stateFaults(info);
    try {
      await this.#webhook.set();
    } catch (error) {
      return [`Telegram does not take the webhook (${failureIn(error).message}): look at PUBLIC_URL`];
    }
    log.info({}, 'the webhook was registered at Telegram');
    const isFirst = !this.#isRegistered;
    this.#isRegistered = true;
    if (isFirst) return [];
    // Shows an address by its host: the path may be a secret.
    const host = URL.parse(info.url)?.host ?? 'no address';
    return [`the webhook was registered at ${host}, not at ${wanted}: end the other bot with this token`];
  }

  async #registerProfile(): Promise<void> {
    for (const { name, set } of this.#unregistered) {
      try {
        await set();
      } catch (error) {
        const failure = failureIn(error);
        if (!isRefused(failure)) return;
        const refused = { call: name, why: failure.message };
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
  switch (kind) {
    // Telegram is reachable and accepts our token.
    case 'throttled':
      return [];
    case 'unauthorized':
      return [
        `Telegram refuses the token (${message}): was it revoked at BotFather? ` +
          'Set TELEGRAM_BOT_TOKEN, restart',
      ];
    default:
      return [`Telegram does not answer at ${host} (${message}): look at the network and TELEGRAM_API_ROOT`];
  }
}

/** What the state of a webhook shows. */
function stateFaults(info: WebhookInfo): string[] {
  const { url, allowed_updates: asked = ALLOWED_UPDATES } = info;
  // Telegram omits the list if the webhook brings the usual kinds.
  const missing = url === '' ? [] : ALLOWED_UPDATES.filter((kind) => !asked.includes(kind));
  const faults = missing.map((kind) => `the webhook does not bring ${kind}: npm run telegram -- set`);
  const error = lastError(info);
  if (error?.includes('401')) {
    const cure = 'give every process the same TELEGRAM_WEBHOOK_SECRET, and restart';
    faults.push(`Telegram's updates carry another secret (${error}): ${cure}`);
  } else if (error !== undefined) {
    const where = 'look at PUBLIC_URL, its certificate and the proxy before it';
    faults.push(`Telegram cannot hand updates on (${error}): ${where}`);
  }
  return faults;
}

/** The last error of a delivery, unless it is old. */
function lastError({
  last_error_date,
  last_error_message,
  pending_update_count,
}: WebhookInfo): string | undefined {
  if (last_error_date === undefined) return undefined;
  const ageMs = Date.now() - last_error_date * 1000;
  const passedMs = pending_update_count > 0 ? STUCK_MS : PASSED_MS;
  return ageMs < passedMs ? (last_error_message ?? 'no reason given') : undefined;
}
