import { randomBytes } from 'node:crypto';
import { createClient } from '../../src/channels/staff/client.ts';
import useFolder from '../support/folder.ts';
import { startBot, startProcess } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
// What it takes to understand a text is shown first.
import './interpret.ts';

/*
 * `npm run bench`: turns a second of a bot in memory and on Redis, over the staff webhook, and what a turn
 * costs. So many conversations are in flight; each asks its next question as soon as the last was answered.
 * Compare two versions in one run: the machine has its day.
 */

process.once('exit', useFolder());

const STAFF_TOKEN = 'staff-token-of-the-bench';
/** Many more than are in flight: nobody writes again while the turn before is being put away. */
const CUSTOMERS = 1000;
/** A dialogue that asks nothing of AntCRM, over and over. */
const DIALOGUE = ['trợ giúp', 'tích điểm', 'TIVI000000017', '0912345678', 'bỏ qua', 'huỷ'] as const;
const IN_FLIGHT = [1, 32];
const [WARM_UP, TURNS, ROUNDS] = [30_000, 6000, 3];

const sandbox = await startProcess('src/sandbox/main.ts');
const [, antcrm = ''] = await sandbox.line(/AntCRM sandbox: (\S+)/);

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
    ...{ ANTCRM_BASE_URL: antcrm, ANTCRM_API_KEY: 'bench' },
  });
  const client = createClient(bot.url, STAFF_TOKEN);
  const idle = Array.from({ length: CUSTOMERS }, (_, index) => ({ conversation: `bench-${index}`, said: 0 }));

  async function run(inFlight: number, turns: number): Promise<void> {
    let left = turns;
    const talk = async (): Promise<void> => {
      while (left-- > 0) {
        const customer = idle.shift();
        if (customer === undefined) throw new Error('there are not so many customers');
        const { conversation } = customer;
        const text = DIALOGUE[customer.said++ % DIALOGUE.length] ?? '';
        const { status } = await client.send({ conversation, locale: 'vi', text });
        if (status !== 'done') throw new Error(status);
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
    const speed = `${perSecond.toFixed(0)} turns/s`;
    const cost = `${((spent * 1000) / TURNS).toFixed(3)} ms of CPU a turn`;
    console.log(`${name} × ${inFlight}`.padEnd(16), speed, cost, rssMb.toFixed(0), 'MB');
  }
  await bot.stop();
}

const redis = await startRedis('--auto-aof-rewrite-percentage', '0');
await measure('memory', {});
await measure('Redis', { REDIS_URL: redis.url });
await Promise.all([sandbox.stop(), redis.stop()]);
