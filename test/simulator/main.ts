import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import useFolder from '../support/folder.ts';
import { readOptions } from '../support/options.ts';
import { type Counts, sumOf, underFloor } from './counts.ts';
import { type History, runHistory } from './history.ts';
import { find, PLANTED } from './planted.ts';
import { compareWithRedis } from './redis.ts';

/*
 * `npm run simulate -- --messages N --seed S [--planted] [--redis] [--trace TEXT]` runs one
 * history per seed, two at a time, until customers have sent N messages. A failure prints the command that
 * repeats it. `--trace` prints the events of the first history that contain the text.
 */

const WORKERS = 2;
const HISTORIES_ON_REDIS = 300;

const { values } = readOptions({
  options: {
    messages: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    planted: { type: 'boolean' },
    redis: { type: 'boolean' },
    trace: { type: 'string' },
  },
});

async function simulate(): Promise<void> {
  const { planted, redis, trace } = values;
  const [messages, seed] = [Number(values.messages), Number(values.seed)];
  if (trace !== undefined) return follow(seed, trace);
  if (planted) return findPlanted(seed);
  if (redis) return compare(Array.from({ length: HISTORIES_ON_REDIS }, (_, at) => seed + at));
  const startMs = performance.now();
  const total = { histories: 0, messages: 0, broken: 0 };
  const counts: Counts[] = [];
  let next = seed;

  function count(history: History): void {
    total.histories += 1;
    total.messages += history.messages;
    counts.push(history.counts);
    if (history.breaches.length === 0) return;
    total.broken += 1;
    for (const { invariant, what } of history.breaches) console.log(`${invariant}: ${what}`);
    console.log(`again: npm run simulate -- --seed ${history.seed} --messages 1\n`);
  }

  async function work(): Promise<void> {
    // Most objects of a history live for a moment.
    const resourceLimits = { maxYoungGenerationSizeMb: 128 };
    const worker = new Worker(new URL(import.meta.url), { workerData: 'history', resourceLimits });
    while (total.messages < messages) {
      worker.postMessage(next);
      next += 1;
      const [history]: History[] = await once(worker, 'message');
      if (history) count(history);
    }
    await worker.terminate();
  }

  await Promise.all(Array.from({ length: messages === 1 ? 1 : WORKERS }, work));
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const sum = sumOf(counts);
  const rare = messages === 1 ? [] : underFloor(sum, total.messages);
  for (const line of rare) console.log(line);
  console.log(JSON.stringify(sum));
  console.log(JSON.stringify({ seed, ...total, seconds }));
  if (total.broken > 0 || rare.length > 0) process.exitCode = 1;
}

/** Runs histories on a real Redis, too, and prints what is another way there. */
async function compare(seeds: readonly number[]): Promise<void> {
  const different = await compareWithRedis(seeds);
  for (const line of different) console.log(line);
  console.log(`${seeds.length} histories, ${different.length} differences`);
  if (different.length > 0) process.exitCode = 1;
}

/** Prints how many histories it took to find each planted defect, and what found it. */
async function findPlanted(from: number): Promise<void> {
  for (const planted of PLANTED) {
    const { seeds, found } = await find(planted, from);
    console.log(`| ${planted.finds} | ${planted.name} | ${seeds} | ${[...found].join(', ')} |`);
    if (!found.has(planted.finds)) process.exitCode = 1;
  }
}

/** Prints what happens in one history, as far as it names the text. */
async function follow(seed: number, text: string): Promise<void> {
  const { breaches } = await runHistory(seed, {
    watch(atMs, what) {
      if (what.includes(text) || /^(killed|failover)/.test(what)) console.log((atMs / 1000).toFixed(3), what);
    },
  });
  for (const { invariant, what } of breaches) console.log(`${invariant}: ${what}`);
}

if (isMainThread) {
  process.once('exit', useFolder());
  await simulate();
} else if (workerData === 'history') {
  parentPort?.on('message', async (seed: number) => {
    parentPort?.postMessage(await runHistory(seed));
  });
}
