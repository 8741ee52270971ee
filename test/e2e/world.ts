import { fileURLToPath } from 'node:url';
import Fastify from 'fastify';
import { expect } from 'vitest';
import en from '../../locales/en.json' with { type: 'json' };
import { createSandbox, type SandboxFault } from '../../src/sandbox/sandbox.ts';
import { type Bot, type Environment, startBot } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { startTelegramDouble, type Update } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

const TELEGRAM_WEBHOOK_SECRET = 'e2e-secret';
const GIFTS_FILE = fileURLToPath(new URL('gifts.json', import.meta.url));
/**
 * Lets an operation without an outcome be looked up as soon as AntCRM can have no more to say; longer than
 * AntCRM takes, and than a test takes to kill the process that calls it, on a busy machine too.
 */
const ANTCRM_TIMEOUT_MS = '4000';

/** Everything that a customer's message meets: Telegram, the bots as processes, their Redis, and AntCRM. */
export async function startWorld(env: Environment = {}, main?: string) {
  const telegram = await startTelegramDouble();
  const antcrm = Fastify();
  await antcrm.register(createSandbox());
  const redis = await startRedis();
  const everyone = {
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET,
    ANTCRM_BASE_URL: await antcrm.listen(),
    ANTCRM_API_KEY: 'e2e-key',
    ANTCRM_TIMEOUT_MS,
    OPERATION_CHECKS: '200ms,500ms,1s,2s',
    GIFTS_FILE,
    REDIS_URL: redis.url,
    ...env,
  };
  const bots: Bot[] = [];
  let lastId = 7_400_000_000;

  return {
    antcrm: {
      fault: (fault: Partial<SandboxFault>) =>
        antcrm.inject({ method: 'POST', url: '/faults', payload: fault }),
      async points(): Promise<number> {
        return (await antcrm.inject('/state')).json().customers[0].scoreAvailable;
      },
    },
    async bot(own: Environment = {}): Promise<Bot> {
      const bot = await startBot({ ...everyone, ...own }, main);
      bots.push(bot);
      return bot;
    },
    telegram,
    post: (update: Update, { url }: Bot) =>
      telegram.post(update, { url: `${url}/webhooks/telegram`, secret: TELEGRAM_WEBHOOK_SECRET }),
    /** A new customer, whose updates go to this bot. */
    chat(bot: Bot) {
      const id = ++lastId;
      let read = 0;
      const unread = () => telegram.textsTo(id).slice(read);
      const person = createPerson(id, { language_code: 'en' });
      const send = async (update: Update) =>
        expect(await this.post(update, bot)).toMatchObject({ status: 200 });
      return {
        person,
        /** What arrived and was not yet looked at, oldest first. */
        unread,
        writes: (text: string) => send(person.writes(text)),
        shares: (phone: string) => send(person.shares(phone)),
        async presses(choice: string): Promise<void> {
          const shown = telegram
            .shown(id)
            .flatMap(({ buttons, message_id }) =>
              buttons.flat().map((button) => ({ ...button, message_id })),
            );
          const button = shown.findLast(({ callback_data: data }) => data.startsWith(choice));
          await send(person.presses(button?.callback_data ?? choice, button?.message_id ?? 0));
        },
        /** Reads on until a message says all these keys. */
        async hears(...keys: (keyof typeof en)[]): Promise<string> {
          const texts: string[] = [];
          while (!keys.every((key) => says(texts.at(-1) ?? '', key))) {
            const message = `no ${keys}, but: ${texts.join(' | ')}`;
            await expect.poll(unread, { message, timeout: 60_000 }).not.toEqual([]);
            texts.push(telegram.textsTo(id)[read++] ?? '');
          }
          return texts.at(-1) ?? '';
        },
      };
    },
    async stop() {
      await Promise.all(bots.map((bot) => bot.stop()));
      await Promise.all([redis.stop(), antcrm.close(), telegram.close()]);
    },
  };
}

export function says(text: string, key: keyof typeof en): boolean {
  const fixed = en[key].split(/\{\{.*?\}\}/).map((part) => RegExp.escape(part));
  return new RegExp(`(^|\\n)${fixed.join('.+')}(\\n|$)`).test(text);
}
