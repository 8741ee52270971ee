import { z } from 'zod';
import type { MenuCommand } from '../../conversation/conversation.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import type { TelegramApi } from './api.ts';
import { ALLOWED_UPDATES } from './update.ts';

/* The bot's registration at Telegram: the webhook, and the menu and the descriptions in each language. */

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
export function webhookUrl(publicUrl: string): string {
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
export type WebhookInfo = z.infer<typeof webhookSchema>;

/** The state of the webhook; undefined if the answer cannot be read. Rejects with `ApiError`. */
export async function readWebhook(api: Pick<TelegramApi, 'callApi'>) {
  return webhookSchema.safeParse(await api.callApi('getWebhookInfo', {})).data;
}
