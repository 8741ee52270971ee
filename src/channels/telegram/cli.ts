import { z } from 'zod';
import { EXIT_CONFIG, environment, readConfig } from '../../config.ts';
import { createConversation } from '../../conversation/conversation.ts';
import { flows } from '../../conversation/flows/index.ts';
import { createWords, SAYINGS, WORDING } from '../../i18n.ts';
import { type Answer, type Client, createClient } from './client.ts';
import { partsOf, type RegistrationOptions, readWebhook } from './registration.ts';

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

const COMMANDS: ReadonlySet<string> = new Set(['info', 'set', 'delete']);

/** Runs one command, each call once; resolves to the exit code. */
export async function runCli(
  command: string,
  client: Pick<Client, 'call'>,
  options: RegistrationOptions,
  print: (line: string) => void,
): Promise<0 | 1> {
  const show = (name: string, answer: Answer): boolean => {
    print(`${name}: ${answer.ok ? 'ok' : `${answer.kind} (${answer.why})`}`);
    return answer.ok;
  };

  switch (command) {
    case 'info':
      return info(client, show, print);
    case 'set': {
      if (options.publicUrl === undefined) print('PUBLIC_URL is unset: no webhook is registered');
      let code: 0 | 1 = 0;
      for (const { name, set } of partsOf(options)) {
        if (!show(name, await set(client))) code = 1;
      }
      return code;
    }
    case 'delete':
      return show('deleteWebhook', await client.call('deleteWebhook', {})) ? 0 : 1;
    default:
      print(USAGE);
      return 1;
  }
}

const meSchema = z.object({ id: z.int(), username: z.string() });

async function info(
  client: Pick<Client, 'call'>,
  show: (name: string, answer: Answer) => boolean,
  print: (line: string) => void,
): Promise<0 | 1> {
  const me = await client.call('getMe', {});
  const webhook = await client.call('getWebhookInfo', {});
  const info = readWebhook(webhook);
  if (!me.ok || !info) {
    show('getMe', me);
    show('getWebhookInfo', webhook);
    return 1;
  }
  const { id, username } = meSchema.parse(me.result);
  const { url, last_error_date, ...state } = info;
  print(`bot: @${username} (${id})`);
  print(`webhook: ${url || 'none'}`);
  for (const [name, value] of Object.entries(state)) print(`${name}: ${value}`);
  if (last_error_date) print(`last_error_date: ${new Date(last_error_date * 1000).toISOString()}`);
  return 0;
}

async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return 0;
  }
  const [, , command = ''] = process.argv;
  if (!COMMANDS.has(command)) {
    console.error(USAGE);
    return EXIT_USAGE;
  }
  // The secret is told to Telegram by `set` alone.
  const mode = command === 'set' ? {} : { TELEGRAM_MODE: 'polling' };
  const read = readConfig({ ...environment(), ...mode }, WANTED);
  if (!read.ok) {
    console.error([...read.faults, ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }
  const { telegram, publicUrl, settings } = read.config;
  if (!telegram) {
    const fault = 'TELEGRAM_BOT_TOKEN: got nothing, wants the token from BotFather';
    console.error([fault, ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }
  const options = {
    publicUrl,
    secret: telegram.mode === 'webhook' ? telegram.secret : undefined,
    defaultLocale: settings.defaultLocale,
    words: createWords(settings),
    commands: createConversation({ flows, wording: WORDING, sayings: SAYINGS }).commands,
  };
  return runCli(command, createClient(telegram), options, (line) => console.log(line));
}

if (import.meta.main) process.exitCode = await main();
