import { EXIT_CONFIG, environment, readConfig } from '../../config.ts';
import { createConversation } from '../../conversation/conversation.ts';
import { flows } from '../../conversation/flows/index.ts';
import { createWords, LANGUAGE_TEXTS, WORDING } from '../../i18n.ts';
import { failureIn, TelegramApi } from './api.ts';
import { type RegistrationOptions, readWebhook, register } from './registration.ts';

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

const COMMANDS = ['info', 'set', 'delete'] as const;

/** Runs one command, then prints who the bot is and where its updates go; resolves to the exit code. */
export async function runCli(
  command: (typeof COMMANDS)[number],
  options: RegistrationOptions,
  print: (line: string) => void,
): Promise<number> {
  const { api } = options;
  try {
    if (command === 'set') await register(options);
    if (command === 'delete') await api.deleteWebhook();
    await api.fetchName();
    const { url, ...state } = (await readWebhook(api)) ?? {};
    print(`bot: @${api.botInfo.username} (${api.botInfo.id})`);
    print(`webhook: ${url || 'none'}`);
    for (const [name, value] of Object.entries(state)) print(`${name}: ${value}`);
    return 0;
  } catch (error) {
    print(failureIn(error).message);
    return 1;
  }
}

async function main([argument = '']: readonly string[]): Promise<number> {
  const command = COMMANDS.find((name) => name === argument);
  if (command === undefined) {
    const isHelp = argument === '--help';
    console[isHelp ? 'log' : 'error'](USAGE);
    return isHelp ? 0 : EXIT_USAGE;
  }
  const read = readConfig(environment(), WANTED);
  if (!read.ok || !read.config.telegram) {
    const missing = ['TELEGRAM_BOT_TOKEN: got nothing, wants the token from BotFather'];
    console.error([...(read.ok ? missing : read.faults), ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }
  const { telegram, publicUrl, settings } = read.config;
  const options = {
    ...telegram,
    api: new TelegramApi(telegram),
    publicUrl,
    defaultLocale: settings.defaultLocale,
    words: createWords(settings),
    commands: createConversation({ flows, wording: WORDING, languageTexts: LANGUAGE_TEXTS }).commands,
  };
  return runCli(command, options, console.log);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
