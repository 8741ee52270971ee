import { z } from 'zod';
import { EXIT_CONFIG, environment, readConfig } from '../../config.ts';
import { createConversation } from '../../conversation/conversation.ts';
import { flows } from '../../conversation/flows/index.ts';
import { createWords, SAYINGS, WORDING } from '../../i18n.ts';
import { partsOf, type RegistrationOptions, readWebhook } from './check.ts';
import { type Answer, type Client, createClient } from './client.ts';

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
  client: Pick<Client, 'call'>,
  options: RegistrationOptions,
  print: (line: string) => void,
): Promise<number> {
  let code = 0;
  const show = (name: string, answer: Answer): void => {
    print(`${name}: ${answer.ok ? 'ok' : `${answer.kind} (${answer.why})`}`);
    if (!answer.ok) code = 1;
  };

  if (command === 'delete') show('deleteWebhook', await client.call('deleteWebhook', {}));
  if (command === 'set') {
    if (options.publicUrl === undefined) print('PUBLIC_URL is unset: no webhook is registered');
    const { webhook, profile } = partsOf(client, options);
    for (const { name, set } of webhook ? [webhook, ...profile] : profile) show(name, await set());
  }
  if (command !== 'info') return code;

  const me = await client.call('getMe', {});
  const webhook = await client.call('getWebhookInfo', {});
  const info = readWebhook(webhook);
  if (!me.ok || !info) {
    show('getMe', me);
    show('getWebhookInfo', webhook);
    return 1;
  }
  const { id, username } = meSchema.parse(me.result);
  const { url, last_error_date: atS, ...state } = info;
  print(`bot: @${username} (${id})`);
  print(`webhook: ${url || 'none'}`);
  for (const [name, value] of Object.entries(state)) print(`${name}: ${value}`);
  if (atS) print(`last_error_date: ${new Date(atS * 1000).toISOString()}`);
  return code;
}

async function main([written = '']: readonly string[]): Promise<number> {
  const command = commandSchema.safeParse(written).data;
  if (command === undefined) {
    const isHelp = written === '--help';
    console[isHelp ? 'log' : 'error'](USAGE);
    return isHelp ? 0 : EXIT_USAGE;
  }
  // The secret is told to Telegram by `set` alone.
  const mode = command === 'set' ? {} : { TELEGRAM_MODE: 'polling' };
  const read = readConfig({ ...environment(), ...mode }, WANTED);
  if (!read.ok || !read.config.telegram) {
    const missing = ['TELEGRAM_BOT_TOKEN: got nothing, wants the token from BotFather'];
    console.error([...(read.ok ? missing : read.faults), ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }
  const { telegram, publicUrl, settings } = read.config;
  const options = {
    publicUrl,
    secret: telegram.mode === 'webhook' ? telegram.secret : undefined,
    defaultLocale: settings.defaultLocale,
    words: createWords(settings),
    commands: createConversation({ flows, wording: WORDING, sayings: SAYINGS }).commands,
  };
  return runCli(command, createClient(telegram), options, console.log);
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
