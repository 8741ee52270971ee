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

const COMMANDS = ['info', 'set', 'delete'] as const;

/** Runs one command, each call once; resolves to the exit code. */
export async function runCli(
  command: (typeof COMMANDS)[number],
  client: Pick<Client, 'call'>,
  options: RegistrationOptions,
  print: (line: string) => void,
): Promise<number> {
  const show = (name: string, answer: Answer): boolean => {
    print(`${name}: ${answer.ok ? 'ok' : `${answer.kind} (${answer.why})`}`);
    return answer.ok;
  };

  switch (command) {
    case 'info': {
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
      return 0;
    }
    case 'set': {
      if (options.publicUrl === undefined) print('PUBLIC_URL is unset: no webhook is registered');
      let code = 0;
      for (const { name, set } of partsOf(client, options)) if (!show(name, await set())) code = 1;
      return code;
    }
    case 'delete':
      return show('deleteWebhook', await client.call('deleteWebhook', {})) ? 0 : 1;
  }
}

const meSchema = z.object({ id: z.int(), username: z.string() });

async function main([written = '']: readonly string[]): Promise<number> {
  const command = COMMANDS.find((one) => one === written);
  if (command === undefined) {
    const isHelp = written === '--help';
    console[isHelp ? 'log' : 'error'](USAGE);
    return isHelp ? 0 : EXIT_USAGE;
  }
  // The secret is told to Telegram by `set` alone.
  const mode = command === 'set' ? {} : { TELEGRAM_MODE: 'polling' };
  const read = readConfig({ ...environment(), ...mode }, WANTED);
  const telegram = read.ok ? read.config.telegram : undefined;
  if (!read.ok || !telegram) {
    const missing = ['TELEGRAM_BOT_TOKEN: got nothing, wants the token from BotFather'];
    console.error([...(read.ok ? missing : read.faults), ...read.warnings].join('\n'));
    return EXIT_CONFIG;
  }
  const { publicUrl, settings } = read.config;
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
