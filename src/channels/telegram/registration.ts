import { z } from 'zod';
import type { MenuCommand } from '../../conversation/conversation.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import type { CallOptions, TelegramApi } from './api.ts';
import { ALLOWED_UPDATES } from './update.ts';

/* What Telegram must know of the bot: where to send updates, and the menu and descriptions in each language. */

export const ROUTE = '/webhooks/telegram';

/** Telegram's maximum: accepting takes milliseconds, and back-pressure is ours (docs/how-it-works.md, "A message"). */
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

/** Setting a part again changes nothing. */
export type RegistrationPart = {
  readonly name: string;
  /** Rejects with `ApiError`. */
  set(options?: CallOptions): Promise<unknown>;
};

/** The webhook; undefined where the bot has no public address. */
export function webhookPart(options: RegistrationOptions): RegistrationPart | undefined {
  const { api, publicUrl, secret } = options;
  if (publicUrl === undefined || secret === undefined) return undefined;
  const limits = { allowed_updates: ALLOWED_UPDATES, max_connections: MAX_CONNECTIONS };
  const payload = { url: webhookUrl(publicUrl), secret_token: secret, ...limits };
  return { name: 'setWebhook', set: (more) => api.callApi('setWebhook', payload, more) };
}

/** Where Telegram sends the updates of a bot at this public base. */
export function webhookUrl(publicUrl: string): string {
  return publicUrl.replace(/(?<!\/)\/+$/, '') + ROUTE;
}

/** The menu and both descriptions: without a language for clients in one that we do not speak, then in each of ours. */
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
    const menu = commands.map(({ name, written }) => ({
      command: written[locale],
      description: line(`telegram.command.${name}`),
    }));
    const description = line('telegram.description');
    const short_description = line('telegram.shortDescription');
    return [
      {
        name: 'setMyCommands',
        set: (more) => api.callApi('setMyCommands', { commands: menu, ...language }, more),
      },
      {
        name: 'setMyDescription',
        set: (more) => api.callApi('setMyDescription', { description, ...language }, more),
      },
      {
        name: 'setMyShortDescription',
        set: (more) => api.callApi('setMyShortDescription', { short_description, ...language }, more),
      },
    ];
  });
}

/** What an operator needs of the webhook's state, and no other field, which might carry a secret. */
const webhookSchema = z.object({
  url: z.string(),
  pending_update_count: z.int(),
  max_connections: z.int().optional(),
  allowed_updates: z.array(z.string()).optional(),
  last_error_date: z.int().optional(),
  last_error_message: z.string().optional(),
});
export type WebhookInfo = z.infer<typeof webhookSchema>;

/** The state of the webhook; undefined where the answer cannot be read. Rejects with `ApiError`. */
export async function readWebhook(api: Pick<TelegramApi, 'callApi'>, options?: CallOptions) {
  return webhookSchema.safeParse(await api.callApi('getWebhookInfo', {}, options)).data;
}
