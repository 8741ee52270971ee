import { fileURLToPath } from 'node:url';
import { type Bot, type Environment, startBot } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { startTelegramDouble, type Update } from '../support/telegram-double.ts';
import { type Chat, createChat, type Language } from './chat.ts';
import { startSandbox } from './sandbox.ts';

export type World = Awaited<ReturnType<typeof startWorld>>;

export type WorldOptions = {
  readonly bots?: number;
  readonly redis?: boolean;
  readonly env?: Environment;
  readonly main?: string;
};

const SECRET = 'e2e-secret';
const GIFTS_FILE = fileURLToPath(new URL('gifts.json', import.meta.url));

const STAFF_TOKEN = 'e2e-staff-token-1';
/**
 * Lets an operation without an outcome be looked up as soon as AntCRM can have no more to say; longer than AntCRM takes,
 * and than a test takes to kill the process that calls it, on a busy machine too.
 */
const ANTCRM_TIMEOUT_MS = 4000;

/** Everything that a customer's message meets: Telegram, the bots, their store and AntCRM, each by itself. */
export async function startWorld(options: WorldOptions = {}) {
  const { bots: count = 1, main } = options;
  const inboxes = new Map<unknown, string[]>();
  const double = await startTelegramDouble({
    onDone({ method, payload }) {
      if (method !== 'sendMessage' && method !== 'editMessageText') return;
      inboxes.get(payload.chat_id)?.push(String(payload.text));
    },
  });
  const sandbox = await startSandbox();
  const redis = options.redis ? await startRedis() : undefined;
  const everyone = {
    TELEGRAM_BOT_TOKEN: double.token,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    ANTCRM_BASE_URL: sandbox.url,
    ANTCRM_API_KEY: 'e2e-key',
    ANTCRM_TIMEOUT_MS: `${ANTCRM_TIMEOUT_MS}`,
    OPERATION_CHECKS: '200ms,500ms,1s,2s',
    GIFTS_FILE,
    STAFF_TOKEN,
    ...(redis && { REDIS_URL: redis.url }),
    ...options.env,
  };
  const bots: Bot[] = [];
  async function bot(own: Environment = {}): Promise<Bot> {
    const started = await startBot({ ...everyone, ...own }, main);
    bots.push(started);
    return started;
  }
  await Promise.all(Array.from({ length: count }, () => bot()));
  const post = (update: Update, { url }: Bot) =>
    double.post(update, { url: `${url}/webhooks/telegram`, secret: SECRET });
  const toFirst = async (update: Update) => {
    const [found] = bots;
    if (found === undefined) throw new Error('there is no bot');
    return post(update, found);
  };
  let lastId = 7_400_000_000;

  return {
    double,
    sandbox,
    /** Undefined: each bot has its embedded store. */
    redis,
    bots: bots as readonly Bot[],
    /** Starts one more bot, with these settings of its own. */
    bot,
    /** A new customer, whose updates go to the first bot unless told otherwise. */
    chat(language: Language, how = toFirst): Chat {
      const id = ++lastId;
      const unread: string[] = [];
      inboxes.set(id, unread);
      return createChat({ id, language, double, unread, post: how });
    },
    post,
    async stop() {
      await Promise.all([...bots.map((one) => one.stop()), sandbox.stop()]);
      await redis?.stop();
      await double.close();
    },
  };
}
