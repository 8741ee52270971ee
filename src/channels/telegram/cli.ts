import { z } from 'zod';
import { EXIT_CONFIG, environment, readConfig } from '../../config.ts';
import { createConversation } from '../../conversation/conversation.ts';
import { flows } from '../../conversation/flows/index.ts';
import { createWords, LANGUAGE_TEXTS, WORDING } from '../../i18n.ts';
import { failureIn, TelegramApi } from './api.ts';
import {
  profileParts,
  type RegistrationOptions,
  type RegistrationPart,
  readWebhook,
  webhookPart,
} from './registration.ts';

const USAGE = `npm run telegram -- info     who the bot is, where its updates go, the last delivery errors
npm run telegram -- set      register the webhook (PUBLIC_URL), the commands and the descriptions
npm run telegram -- delete   remove the webhook; waiting updates stay at Telegram`;

const EXIT_USAGE = 2;

const WANTED = [
  'TELEGRAM_BOT_TOKEN',
  'TELEGRAM_WEBHOOK_SECRET',
  'TELEGRAM_API_ROOT',
  'TELEGRAM_MODE',
  'PUBLIC_URL',
  'DEFAULT_LOCALE',
  'TIME_ZONE',
] as const;

const commandSchema = z.enum(['info', 'set', 'delete']);
const meSchema = z.object({ id: z.int(), username: z.string() });

/** Runs one command, each call once; resolves to the exit code. */
export async function runCli(
  command: z.infer<typeof commandSchema>,
  options: RegistrationOptions,
  print: (line: string) => void,
): Promise<number> {
  const { api } = options;
  const webhook = webhookPart(options);
  const calls: Record<typeof command, RegistrationPart[]> = {
    info: [['info', () => printInfo(api, print)]],
    set: [...(webhook ? [['setWebhook', webhook.set] as const] : []), ...profileParts(options)],
    delete: [['deleteWebhook', () => api.deleteWebhook()]],
  };
  if (command === 'set' && !webhook) print('PUBLIC_URL is unset: no webhook is registered');
  let code = 0;
  for (const [name, set] of calls[command]) {
    try {
      await set();
      if (command !== 'info') print(`${name}: ok`);
    } catch (error) {
      const { meaning, message } = failureIn(error);
      print(`${name}: ${meaning.kind} (${message})`);
      code = 1;
    }
  }
  return code;
}

async function printInfo(api: RegistrationOptions['api'], print: (line: string) => void): Promise<void> {
  const { id, username } = meSchema.parse(await api.getMe());
  const { url, last_error_date: atS, ...state } = (await readWebhook(api)) ?? {};
  print(`bot: @${username} (${id})`);
  print(`webhook: ${url || 'none'}`);
  for (const [name, value] of Object.entries(state)) print(`${name}: ${value}`);
  if (atS) print(`last_error_date: ${new Date(atS * 1000).toISOString()}`);
}

async function main([written = '']: readonly string[]): Promise<number> {
  const command = commandSchema.safeParse(written).data;
  if (command === undefined) {
    const isHelp = written === '--help';
    console[isHelp ? 'log' : 'error'](USAGE);
    return isHelp ? 0 : EXIT_USAGE;
  }
  // Only `set` tells Telegram the secret.
  const mode = command === 'set' ? {} : { TELEGRAM_MODE: 'polling' };
  const read = readConfig({ ...environment(), ...mode }, WANTED);
  if (!read.ok || !read.config.telegram) {
    const missing = ['TELEGRAM_BOT_TOKEN: got nothing, wants the token from BotFather'];
    console.error([...(read.ok ? missing : read.faults), ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }
  const { telegram, publicUrl, settings } = read.config;
  const options = {
    api: new TelegramApi(telegram),
    publicUrl,
    secret: telegram.mode === 'webhook' ? telegram.secret : undefined,
    defaultLocale: settings.defaultLocale,
    words: createWords(settings),
    commands: createConversation({ flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS }).commands,
  };
  return runCli(command, options, console.log);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
