import type { Command } from '../../conversation/conversation.ts';
import { LOCALES, type Locale } from '../../conversation/message.ts';
import type { Words } from '../../i18n.ts';
import { ALLOWED_UPDATES } from './address.ts';
import { answerOf, type BotApi } from './api.ts';
import type { Answer } from './client.ts';

export const ROUTE = '/webhooks/telegram';

/** Telegram's maximum: accepting takes milliseconds, and back-pressure is ours (docs/design.md, "A turn"). */
const MAX_CONNECTIONS = 100;

export type RegistrationOptions = {
  /** Public https base of this bot; absent: no webhook is registered. */
  readonly publicUrl?: string | undefined;
  readonly secret?: string | undefined;
  /** The language shown to clients in any other language than ours. */
  readonly defaultLocale: Locale;
  readonly words: Words;
  /** The commands of the menu, in its order. */
  readonly commands: readonly Command[];
};

/** A call of the registration; repeating it changes nothing. */
export type RegistrationCall = {
  readonly name: string;
  /** What is registered by it. */
  readonly says: readonly unknown[];
  readonly run: (signal?: AbortSignal) => Promise<Answer>;
};

/** Everything Telegram must know of the bot: where to send updates, the menu and the descriptions in each language. */
export function registrationCalls(api: BotApi, options: RegistrationOptions): RegistrationCall[] {
  const profiles = [profile(api, options, options.defaultLocale)].concat(
    LOCALES.map((locale) => profile(api, options, locale, locale)),
  );
  return [...webhook(api, options), ...profiles.flat()];
}

function webhook(api: BotApi, { publicUrl, secret }: RegistrationOptions): RegistrationCall[] {
  if (publicUrl === undefined || secret === undefined) return [];
  const url = webhookUrl(publicUrl);
  const extra = {
    secret_token: secret,
    allowed_updates: ALLOWED_UPDATES,
    max_connections: MAX_CONNECTIONS,
  };
  return [callOf('setWebhook', [url, extra], api, (limited) => limited.setWebhook(url, extra))];
}

/** Where Telegram sends the updates of a bot at this public base. */
export function webhookUrl(publicUrl: string): string {
  return publicUrl.replace(/\/+$/, '') + ROUTE;
}

/** Without `tag`: what clients in other languages see. */
function profile(
  api: BotApi,
  { words, commands: all }: RegistrationOptions,
  locale: Locale,
  tag?: Locale,
): RegistrationCall[] {
  const line = (key: string) => words.line({ key }, locale);
  const language = tag && { language_code: tag };
  const commands = all.map(({ name, written }) => ({
    command: written[locale],
    description: line(`telegram.command.${name}`),
  }));
  const description = line('telegram.description');
  const short = line('telegram.shortDescription');
  return [
    callOf('setMyCommands', [commands, tag], api, (limited) => limited.setMyCommands(commands, language)),
    callOf('setMyDescription', [description, tag], api, (limited) =>
      limited.setMyDescription(description, tag),
    ),
    callOf('setMyShortDescription', [short, tag], api, (limited) =>
      limited.setMyShortDescription(short, tag),
    ),
  ];
}

function callOf(
  name: string,
  says: readonly unknown[],
  api: BotApi,
  call: (limited: BotApi) => Promise<unknown>,
): RegistrationCall {
  return { name, says, run: (signal) => answerOf(call(api.within({ signal }))) };
}
