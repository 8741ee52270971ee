import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Pool } from 'undici';
import useFolder from '../support/folder.ts';
import { readOptions } from '../support/options.ts';
import { type Bot, type Environment, startBot, startProcess } from '../support/processes.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';
import { serve } from '../support/server.ts';
// What it takes to understand a text is shown first.
import './interpret.ts';

/*
 * `npm run bench [-- processes] [-- --quick]`: turns a second of one bot, or of 1, 2 and 4 on one Redis and
 * on a cluster, and what a turn costs. So many conversations are in flight; each asks its next question as
 * soon as the last was answered. Medians of rounds. Compare two versions in one run: the machine has its day.
 */

process.once('exit', useFolder());

const SECRET = 'bench-secret';
const STAFF_TOKEN = 'staff-token-of-the-bench';
const ANSWER_MS = 30_000;
/** Many more than are in flight: nobody writes again while the turn before is being put away. */
const CUSTOMERS = 1000;
/** A dialogue that asks nothing of AntCRM, over and over; each text is answered by one message. */
const DIALOGUE = ['trợ giúp', 'tích điểm', 'TIVI000000017', '0912345678', 'bỏ qua', 'huỷ'] as const;

const { values, positionals } = readOptions({
  options: { quick: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const isOfProcesses = positionals.includes('processes');
const { turns, warmUp, rounds } = values.quick
  ? { turns: 1500, warmUp: 3000, rounds: 1 }
  : { turns: 6000, warmUp: 30_000, rounds: 3 };
const IN_FLIGHT = isOfProcesses ? [256] : [1, 32];

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

/** Says a text to a bot; resolves to how many ms its answer took. */
async function ask(bot: Pool, chat: number, said: string): Promise<number> {
  const update_id = ++asked;
  const from = { id: chat, is_bot: false, first_name: 'Garnacho', language_code: 'vi' };
  const content = { from, chat: { id: chat, type: 'private' }, date: 1_790_000_000, text: said };
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET };
  const startMs = performance.now();
  const answer = once(answers, String(chat), { signal: AbortSignal.timeout(ANSWER_MS) });
  const posted = await bot.request({
    ...{ path: '/webhooks/telegram', method: 'POST', headers },
    body: JSON.stringify({ update_id, message: { message_id: update_id, ...content } }),
  });
  await posted.body.dump();
  if (posted.statusCode !== 200) throw new Error(`the webhook answered ${posted.statusCode}`);
  await answer;
  return performance.now() - startMs;
}

/** Bots that share a store and its keys. */
function startBots(count: number, store: Environment): Promise<readonly Bot[]> {
  const key = randomBytes(32).toString('base64');
  const env = {
    ...{ LOG_LEVEL: 'info', STAFF_TOKEN, STATE_KEY: key, HASH_KEY: key, ...store },
    ...{ ANTCRM_BASE_URL: antcrm, ANTCRM_API_KEY: 'bench', TELEGRAM_BOT_TOKEN: '4242:bench-token' },
    ...{ TELEGRAM_API_ROOT: telegram.url, TELEGRAM_WEBHOOK_SECRET: SECRET },
  };
  return Promise.all(Array.from({ length: count }, () => startBot(env)));
}

/** Of all bots together, as they tell it; the answer's own cost is in the next one. */
async function usageOf(bots: readonly Bot[]) {
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  const told = await Promise.all(
    bots.map(async ({ url }) => (await fetch(`${url}/metrics`, { headers })).text()),
  );
  const sum = (name: string): number =>
    told.reduce(
      (total, metrics) => total + Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]),
      0,
    );
  const cpuMs = sum('process_cpu_seconds_total') * 1000;
  return { cpuMs, rssMb: sum('process_resident_memory_bytes') / 2 ** 20 };
}

const at = (numbers: readonly number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length * share)] ?? Number.NaN;

async function measure(name: string, bots: readonly Bot[]): Promise<void> {
  const lines = bots.map(({ url }) => new Pool(url, { connections: 300 }));
  const idle = Array.from({ length: CUSTOMERS }, (_, index) => ({ chat: 1_000_000 + index, said: 0 }));

  /** So many turns, each at the next bot: how long they took, and what they cost. */
  async function run(inFlight: number, many: number): Promise<readonly number[]> {
    const before = await usageOf(bots);
    const startMs = performance.now();
    const took: number[] = [];
    let left = many;
    const talk = async (): Promise<void> => {
      while (left-- > 0) {
        const [customer, line] = [idle.shift(), lines[asked % lines.length]];
        if (!customer || !line) throw new Error('there are not so many customers');
        took.push(await ask(line, customer.chat, DIALOGUE[customer.said++ % DIALOGUE.length] ?? ''));
        idle.push(customer);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, talk));
    const perSecond = (many / (performance.now() - startMs)) * 1000;
    const { cpuMs, rssMb } = await usageOf(bots);
    return [perSecond, at(took, 0.5), at(took, 0.99), (cpuMs - before.cpuMs) / many, rssMb];
  }

  await run(Math.max(...IN_FLIGHT), warmUp);
  for (const inFlight of IN_FLIGHT) {
    const runs: (readonly number[])[] = [];
    for (let round = 0; round < rounds; round++) runs.push(await run(inFlight, turns));
    // The median of each number by itself: other work on the machine spoils one run, not all.
    const cells = [0, 1, 1, 3, 0].map((digits, column) =>
      at(
        runs.map((figures) => figures[column] ?? Number.NaN),
        0.5,
      )
        .toFixed(digits)
        .padStart(9),
    );
    console.log(`| ${[`${name} × ${inFlight}`.padEnd(16), ...cells].join(' | ')} |`);
  }
  await Promise.all(lines.map((line) => line.close()));
}

const redis = await startRedis('--auto-aof-rewrite-percentage', '0');
const cluster = isOfProcesses ? await startRedisCluster() : undefined;
const stores: [name: string, env: Environment][] = [['Redis', { REDIS_URL: redis.url }]];
if (cluster === undefined) stores.unshift(['memory', {}]);
else stores.push(['cluster of 3', { REDIS_URL: cluster.url }]);

console.log('|                  |   turns/s |    p50 ms |    p99 ms | ms/turn   | RSS MB    |');
for (const [store, env] of stores) {
  for (const count of isOfProcesses ? [1, 2, 4] : [1]) {
    const bots = await startBots(count, env);
    await measure(`${store} ${count}`, bots);
    await Promise.all(bots.map((bot) => bot.stop()));
  }
}
await telegram[Symbol.asyncDispose]();
await Promise.all([sandbox.stop(), redis.stop(), cluster?.stop()]);
