import { Redis } from 'ioredis';
import { type AntCrmServer, startAntCrm } from './faults-antcrm.ts';
import { type Customer, createCustomer, heardOf, speechOnTelegram } from './faults-customer.ts';
import { type Bot, type Environment, startBot } from './processes.ts';
import { until } from './redis.ts';
import { startTelegramDouble, type TelegramDouble } from './telegram-double.ts';

export const STAFF_TOKEN = 'faults-staff-token';

/** Telegram and AntCRM, both in the test's process, for any number of bots and stores. */
export type FaultsWorld = {
  readonly double: TelegramDouble;
  readonly antcrm: AntCrmServer;
  /** What a bot over this store needs to know. */
  env(redisUrl: string): Environment;
  /** A bot of `faults-main.ts`, or of another version's. */
  bot(redisUrl: string, env?: Environment, main?: string): Promise<Bot>;
  /** A new customer with points to spend, whose updates go to the bot that `where` names at each attempt. */
  customer(where: () => Pick<Bot, 'url'> | undefined): Promise<Customer>;
  /** A code that nobody has used, good for 100 points. */
  code(): string;
  stop(): Promise<void>;
};

const SECRET = 'faults-secret';
/** Lets an operation without an outcome be looked up soon. */
const CALL_MS = 3000;

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

  const env = (redisUrl: string): Environment => ({
    TELEGRAM_BOT_TOKEN: double.token,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    ANTCRM_BASE_URL: antcrm.url,
    ANTCRM_API_KEY: 'faults-key',
    ANTCRM_TIMEOUT_MS: `${CALL_MS}`,
    OPERATION_CHECKS: '100ms,300ms,600ms,1s',
    REDIS_URL: redisUrl,
    STAFF_TOKEN,
  });

  return {
    double,
    antcrm,
    env,
    bot: (redisUrl, more = {}, main = 'test/support/faults-main.ts') =>
      startBot({ ...env(redisUrl), ...more }, main),
    async customer(where) {
      customersMade += 1;
      const phone = `09${10_000_000 + customersMade}`;
      const id = 8_000_000_000 + customersMade;
      const speech = speechOnTelegram(double, id, SECRET);
      const customer = createCustomer({ id, phone, email: `g${id}@example.vn`, who: phone, speech, where });
      customers.set(customer.id, customer);
      await antcrm.fund(phone, `TULANH${numbered(customersMade)}`);
      return customer;
    },
    code() {
      codesMade += 1;
      return codesMade < PRINTED
        ? `TIVI${numbered(codesMade)}`
        : `TULANH${numbered(2 * PRINTED - 1 - codesMade)}`;
    },
    async stop() {
      await Promise.all([double.close(), antcrm.close()]);
    },
  };
}

/** The sandbox knows so many codes of each product; customers are funded from the other end. */
const PRINTED = 1000;
const numbered = (count: number): string => `${count}`.padStart(9, '0');

/** What is done when its time comes is not left over: the end of a silence, half an hour from now. */
const SOON_MS = 60_000;

/**
 * Resolves to what is left in a store when nothing moves any more, or after a while; nothing should be, but for what
 * staff are to decide. Intents and holds are named with their operations.
 */
export async function leftIn(redisUrl: string, withinMs = 90_000): Promise<string[]> {
  const client = new Redis(redisUrl);
  const end = performance.now() + withinMs;
  try {
    let left = await lookFor(client);
    await until(async () => {
      if (left.length > 0) left = await lookFor(client);
      return left.length === 0 || performance.now() > end;
    });
    return left;
  } finally {
    client.disconnect();
  }
}

/** Members of these are unfinished, whenever they are due. */
const UNFINISHED = /\}(undelivered|intents|dead|broken)$/;

/** Replies, intents, dead letters and broken records, and whatever somebody must look at soon. */
async function lookFor(client: Redis): Promise<string[]> {
  const keys = await client.keys('*');
  const dues = keys.filter((key) => key.endsWith('}due'));
  const soon = await Promise.all(dues.map((key) => client.zrangebyscore(key, 0, Date.now() + SOON_MS)));
  const unfinished = keys.filter((key) => UNFINISHED.test(key));
  const kept = await Promise.all(unfinished.map((key) => client.zrange(key, '0', '-1')));
  return [
    ...dues.flatMap((key, at) => (soon[at] ?? []).map((member) => `${key} ${member}`)),
    ...unfinished.flatMap((key, at) => (kept[at] ?? []).map((member) => `${key} ${member}`)),
  ];
}
