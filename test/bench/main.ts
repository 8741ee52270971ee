import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Pool } from 'undici';
import useFolder from '../support/folder.ts';
import { startBot, startProcess } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
import { serve } from '../support/server.ts';
// What it takes to understand a text is shown first.
import './interpret.ts';

/*
 * `npm run bench`: turns a second of a bot in memory and on Redis, and what a turn costs. So many
 * conversations are in flight; each asks its next question as soon as the last was answered. Compare two
 * versions in one run: the machine has its day.
 */

process.once('exit', useFolder());

const SECRET = 'bench-secret';
const STAFF_TOKEN = 'staff-token-of-the-bench';
const ANSWER_MS = 30_000;
/** Many more than are in flight: nobody writes again while the turn before is being put away. */
const CUSTOMERS = 1000;
/** A dialogue that asks nothing of AntCRM, over and over; each text is answered by one message. */
const DIALOGUE = ['trợ giúp', 'tích điểm', 'TIVI000000017', '0912345678', 'bỏ qua', 'huỷ'] as const;
const IN_FLIGHT = [1, 32];
const [WARM_UP, TURNS, ROUNDS] = [30_000, 6000, 3];

/** As little of Telegram as the load needs: it takes all, and tells which chat was answered. */
const answers = new EventEmitter().setMaxListeners(0);
const telegram = await serve(async (request, response) => {
  const [, chat = '0'] = /"chat_id":(\d+)/.exec(await text(request)) ?? [];
  response.setHeader('content-type', 'application/json');
  response.end(`{"ok":true,"result":{"message_id":1,"username":"BenchBot","chat":{"id":${chat}}}}`);
  if (request.url?.endsWith('/sendMessage')) answers.emit(chat);
});
const sandbox = await startProcess('src/sandbox/main.ts');
const [, antcrm = ''] = await sandbox.line(/AntCRM sandbox: (\S+)/);
let asked = 0;

/** Says a text to a bot, and waits for its answer. */
async function ask(bot: Pool, chat: number, said: string): Promise<void> {
  const update_id = ++asked;
  const from = { id: chat, is_bot: false, first_name: 'Garnacho', language_code: 'vi' };
  const content = { from, chat: { id: chat, type: 'private' }, date: 1_790_000_000, text: said };
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET };
  const answer = once(answers, String(chat), { signal: AbortSignal.timeout(ANSWER_MS) });
  const posted = await bot.request({
    ...{ path: '/webhooks/telegram', method: 'POST', headers },
    body: JSON.stringify({ update_id, message: { message_id: update_id, ...content } }),
  });
  await posted.body.dump();
  if (posted.statusCode !== 200) throw new Error(`the webhook answered ${posted.statusCode}`);
  await answer;
}

/** A figure of the bot, as its metrics tell it. */
async function figureOf(url: string, name: string): Promise<number> {
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
}

async function measure(name: string, store: Readonly<Record<string, string>>): Promise<void> {
  const key = randomBytes(32).toString('base64');
  const bot = await startBot({
    ...{ LOG_LEVEL: 'info', STAFF_TOKEN, STATE_KEY: key, HASH_KEY: key, ...store },
    ...{ ANTCRM_BASE_URL: antcrm, ANTCRM_API_KEY: 'bench', TELEGRAM_BOT_TOKEN: '4242:bench-token' },
    ...{ TELEGRAM_API_ROOT: telegram.url, TELEGRAM_WEBHOOK_SECRET: SECRET },
  });
  const line = new Pool(bot.url, { connections: 300 });
  const idle = Array.from({ length: CUSTOMERS }, (_, index) => ({ chat: 1_000_000 + index, said: 0 }));

  async function run(inFlight: number, turns: number): Promise<void> {
    let left = turns;
    const talk = async (): Promise<void> => {
      while (left-- > 0) {
        const customer = idle.shift();
        if (customer === undefined) throw new Error('there are not so many customers');
        await ask(line, customer.chat, DIALOGUE[customer.said++ % DIALOGUE.length] ?? '');
        idle.push(customer);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, talk));
  }

  await run(Math.max(...IN_FLIGHT), WARM_UP);
  for (const inFlight of IN_FLIGHT.flatMap((some) => Array<number>(ROUNDS).fill(some))) {
    const cpuSeconds = await figureOf(bot.url, 'process_cpu_seconds_total');
    const startMs = performance.now();
    await run(inFlight, TURNS);
    const perSecond = (TURNS / (performance.now() - startMs)) * 1000;
    const spent = (await figureOf(bot.url, 'process_cpu_seconds_total')) - cpuSeconds;
    const rssMb = (await figureOf(bot.url, 'process_resident_memory_bytes')) / 2 ** 20;
    const figures = [
      perSecond.toFixed(0),
      'turns/s',
      ((spent * 1000) / TURNS).toFixed(3),
      'ms of CPU a turn',
    ];
    console.log(`${name} × ${inFlight}`.padEnd(16), ...figures, rssMb.toFixed(0), 'MB');
  }
  await line.close();
  await bot.stop();
}

const redis = await startRedis('--auto-aof-rewrite-percentage', '0');
await measure('memory', {});
await measure('Redis', { REDIS_URL: redis.url });
await telegram[Symbol.asyncDispose]();
await Promise.all([sandbox.stop(), redis.stop()]);
