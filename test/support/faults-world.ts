import { Redis } from 'ioredis';
import { type AntCrmServer, startAntCrm } from './faults-antcrm.ts';
import { type Customer, createCustomer, heardOf } from './faults-customer.ts';
import { type Bot, type Environment, startBot } from './processes.ts';
import { until } from './redis.ts';
import { startTelegramDouble, type TelegramDouble } from './telegram-double.ts';

/** Telegram and AntCRM, both in the test's process, for any number of bots and stores. */
export type FaultsWorld = {
  readonly double: TelegramDouble;
  readonly antcrm: AntCrmServer;
  /** A bot of `faults-main.ts`. */
  bot(redisUrl: string, env?: Environment): Promise<Bot>;
  /** A new customer with points to spend, whose updates go to the bot that `where` names at each attempt. */
  customer(where: () => Pick<Bot, 'url'> | undefined): Promise<Customer>;
  /** A code that nobody has used, good for 100 points. */
  code(): string;
  stop(): Promise<void>;
};

const SECRET = 'faults-secret';
/** Lets an operation without an outcome be looked up soon. */
export const CALL_MS = 1200;

export async function startFaultsWorld(): Promise<FaultsWorld> {
  const customers = new Map<unknown, Customer>();
  const double = await startTelegramDouble({
    remember: 1000,
    onDone({ method, payload }) {
      if (method === 'sendMessage') customers.get(payload.chat_id)?.arrived(heardOf(payload));
    },
  });
  const antcrm = await startAntCrm();
  let customersMade = 0;
  let codesMade = 0;

  return {
    double,
    antcrm,
    bot: (redisUrl, env = {}) =>
      startBot(
        {
          TELEGRAM_BOT_TOKEN: double.token,
          TELEGRAM_API_ROOT: double.url,
          TELEGRAM_WEBHOOK_SECRET: SECRET,
          ANTCRM_BASE_URL: antcrm.url,
          ANTCRM_API_KEY: 'faults-key',
          ANTCRM_TIMEOUT_MS: `${CALL_MS}`,
          OPERATION_CHECKS: '100ms,300ms,600ms,1s',
          REDIS_URL: redisUrl,
          STAFF_TOKEN: 'faults-staff',
          ...env,
        },
        'test/support/faults-main.ts',
      ),
    async customer(where) {
      customersMade += 1;
      const phone = `09${10_000_000 + customersMade}`;
      const webhook = () => {
        const bot = where();
        return bot && { url: `${bot.url}/webhooks/telegram`, secret: SECRET };
      };
      const customer = createCustomer({ id: 8_000_000_000 + customersMade, phone, double, webhook });
      customers.set(customer.id, customer);
      await antcrm.fund(phone, `TULANH${numbered(customersMade)}`);
      return customer;
    },
    code: () => `TIVI${numbered(++codesMade)}`,
    async stop() {
      await Promise.all([double.close(), antcrm.close()]);
    },
  };
}

const numbered = (count: number): string => `${count}`.padStart(9, '0');

/** Resolves to what is left in a store when nothing moves any more, or after a while; nothing should be. */
export async function leftIn(redisUrl: string, withinMs = 15_000): Promise<string[]> {
  const client = new Redis(redisUrl);
  const end = performance.now() + withinMs;
  let left: string[] = [];
  try {
    await until(async () => {
      const keys = await client.keys('*');
      left = keys.filter((key) => /\}(q:|o:|h:|due$|intents$|dead$)/.test(key));
      return left.length === 0 || performance.now() > end;
    });
  } finally {
    client.disconnect();
  }
  return left;
}
