import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Pool } from 'undici';
import useFolder from '../support/folder.ts';
import { readOptions } from '../support/options.ts';
import { type Bot, type Environment, startBot, startProcess } from '../support/processes.ts';
import { startRedis, startRedisCluster } from '../support/redis.ts';
// What it takes to understand a text is shown first.
import './interpret.ts';

/*
 * `npm run bench [-- processes] [-- --quick]`: turns a second of one bot, or of 1, 2 and 4 on one Redis and on a cluster, and
 * what a turn costs. So many conversations are in flight; each asks its next question as soon as the last was answered.
 * Medians of rounds that take turns. Compare two versions in one run: the machine has its day.
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

/** As little of Telegram as the load needs: it takes all, and keeps nothing. */
async function startTelegram() {
  const waiting = new Map<number, () => void>();
  let lastUpdate = 0;
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const chat = Number(/"chat_id":(\d+)/.exec(Buffer.concat(parts).toString())?.[1] ?? 0);
    response.setHeader('content-type', 'application/json');
    response.end(`{"ok":true,"result":{"message_id":1,"username":"BenchBot","chat":{"id":${chat}}}}`);
    if (request.url?.endsWith('/sendMessage')) waiting.get(chat)?.();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const answered = (chat: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`chat ${chat} was not answered`)), ANSWER_MS);
      waiting.set(chat, () => {
        clearTimeout(late);
        resolve();
      });
    });

  return {
    env: {
      TELEGRAM_BOT_TOKEN: '4242:bench-token',
      TELEGRAM_API_ROOT: `http://127.0.0.1:${address.port}`,
      TELEGRAM_WEBHOOK_SECRET: SECRET,
    },
    close: () => server.close().closeAllConnections(),
    /** Says a text to a bot; resolves to how many ms its answer took. */
    async ask(bot: Pool, chat: number, text: string): Promise<number> {
      const from = { id: chat, is_bot: false, first_name: 'Garnacho', language_code: 'vi' };
      const id = ++lastUpdate;
      const message = {
        message_id: id,
        from,
        chat: { id: chat, type: 'private' },
        date: 1_790_000_000,
        text,
      };
      const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET };
      const startMs = performance.now();
      const answer = answered(chat);
      const posted = await bot.request({
        ...{ path: '/webhooks/telegram', method: 'POST', headers },
        body: JSON.stringify({ update_id: id, message }),
      });
      await posted.body.dump();
      if (posted.statusCode !== 200) throw new Error(`the webhook answered ${posted.statusCode}`);
      await answer;
      return performance.now() - startMs;
    },
  };
}

const telegram = await startTelegram();
const sandbox = await startProcess('src/sandbox/main.ts');
const [, antcrm = ''] = await sandbox.line(/AntCRM sandbox: (\S+)/);

/** Bots that share a store and its keys; each message goes to the next of them. */
async function startSubject(name: string, count: number, store: Environment) {
  const key = randomBytes(32).toString('base64');
  const env = {
    ...{ LOG_LEVEL: 'info', STAFF_TOKEN, STATE_KEY: key, HASH_KEY: key },
    ...{ ANTCRM_BASE_URL: antcrm, ANTCRM_API_KEY: 'bench', ...telegram.env, ...store },
  };
  const bots = await Promise.all(Array.from({ length: count }, () => startBot(env)));
  const lines = bots.map(({ url }) => new Pool(url, { connections: 300 }));
  const idle = Array.from({ length: CUSTOMERS }, (_, at) => ({ chat: 1_000_000 + at, said: 0 }));
  let asked = 0;

  async function say(): Promise<number> {
    const customer = idle.shift();
    const line = lines[asked++ % count];
    if (customer === undefined || line === undefined) throw new Error('there are not so many customers');
    const text = DIALOGUE[customer.said++ % DIALOGUE.length] ?? '';
    const ms = await telegram.ask(line, customer.chat, text);
    idle.push(customer);
    return ms;
  }

  return {
    name,
    /** So many turns; how long each took, and what they cost. */
    async run(inFlight: number, many: number) {
      const before = await usageOf(bots);
      const startMs = performance.now();
      const took: number[] = [];
      let left = many;
      const talk = async (): Promise<void> => {
        while (left-- > 0) took.push(await say());
      };
      await Promise.all(Array.from({ length: inFlight }, talk));
      const seconds = (performance.now() - startMs) / 1000;
      const after = await usageOf(bots);
      const sorted = took.toSorted((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
      const cpuMs = (after.cpuMs - before.cpuMs) / many;
      return { perSecond: many / seconds, p50: at(0.5), p99: at(0.99), cpuMs, rssMb: after.rssMb };
    },
    async stop() {
      await Promise.all(lines.map((line) => line.close()));
      await Promise.all(bots.map((bot) => bot.stop()));
    },
  };
}

/** Of all bots together, as they tell it; the answer's own cost is in the next one. */
async function usageOf(bots: readonly Bot[]) {
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  const told = await Promise.all(
    bots.map(async ({ url }) => (await fetch(`${url}/metrics`, { headers })).text()),
  );
  const sum = (name: string): number =>
    told.reduce((total, text) => total + Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]), 0);
  return {
    cpuMs: sum('process_cpu_seconds_total') * 1000,
    rssMb: sum('process_resident_memory_bytes') / 2 ** 20,
  };
}

type Run = Awaited<ReturnType<Awaited<ReturnType<typeof startSubject>>['run']>>;

/** The median of each number by itself: other work on the machine spoils one run, not all. */
function print(name: string, runs: readonly Run[]): void {
  const cell = (key: keyof Run, digits: number): string => {
    const sorted = runs.map((run) => run[key]).sort((a, b) => a - b);
    return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(digits);
  };
  const cells = [cell('perSecond', 0), cell('p50', 1), cell('p99', 1), cell('cpuMs', 3), cell('rssMb', 0)];
  console.log(`| ${[name.padEnd(16), ...cells.map((one) => one.padStart(9))].join(' | ')} |`);
}

const redis = await startRedis('--auto-aof-rewrite-percentage', '0');
const cluster = isOfProcesses ? await startRedisCluster() : undefined;
const stores: [name: string, env: Environment][] = [['Redis', { REDIS_URL: redis.url }]];
if (cluster === undefined) stores.unshift(['memory', {}]);
else stores.push(['cluster of 3', { REDIS_URL: cluster.url }]);

console.log('|                  |   turns/s |    p50 ms |    p99 ms | CPU ms/turn | RSS MB |');
for (const [store, env] of stores) {
  for (const count of isOfProcesses ? [1, 2, 4] : [1]) {
    const subject = await startSubject(store, count, env);
    await subject.run(Math.max(...IN_FLIGHT), warmUp);
    for (const inFlight of IN_FLIGHT) {
      const runs: Run[] = [];
      for (let round = 0; round < rounds; round++) runs.push(await subject.run(inFlight, turns));
      print(`${store} ${count} × ${inFlight}`, runs);
    }
    await subject.stop();
  }
}
telegram.close();
await Promise.all([sandbox.stop(), redis.stop(), cluster?.stop()]);
