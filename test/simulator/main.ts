import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type RunResult, type Runs, recordRun } from '../../docs/runs.ts';
import { enumerate } from '../loyalty/small-scope.ts';
import useFolder from '../support/folder.ts';
import { sumOf, underFloor } from './counts.ts';
import { type History, runHistory } from './history.ts';
import { find, PLANTED } from './planted.ts';
import { compareWithRedis } from './redis.ts';
import { measureShares } from './share.ts';
import type { Breach } from './world.ts';

/*
 * `npm run simulate -- --messages N --seed S [--planted] [--redis] [--staff] [--scope] [--record] [--trace TEXT]` runs
 * one history per seed, two at a time, until customers have sent N messages. A failure prints the command
 * that repeats it, and what happened to whom it concerns. `--record` keeps the result for docs/proof.md.
 * `--trace` prints the events of the first history that contain the text.
 */

const WORKERS = 2;
const MESSAGES = 100_000;
/** Each command of a history on Redis is a trip to it. */
const MESSAGES_ON_REDIS = 3000;
const SHARE_HISTORIES = 6;

const options = {
  messages: { type: 'string' },
  seed: { type: 'string', default: '1' },
  planted: { type: 'boolean' },
  redis: { type: 'boolean' },
  staff: { type: 'boolean' },
  scope: { type: 'boolean' },
  record: { type: 'boolean' },
  trace: { type: 'string' },
} as const;
function readOptions() {
  try {
    return parseArgs({ options });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return process.exit(2);
  }
}
const { values } = readOptions();
const messages = Number(values.messages ?? (values.redis ? MESSAGES_ON_REDIS : MESSAGES));
const seed = Number(values.seed);

function fail(line: string): void {
  console.log(line);
  process.exitCode = 1;
}

/** Keeps the result of this run, if it was asked to. */
function keep<Name extends keyof Runs>(name: Name, result: RunResult<Name>): void {
  if (values.record) recordRun(name, result);
}

const failAt = ({ invariant, what }: Breach) => fail(`${invariant}: ${what}`);

async function simulate(): Promise<void> {
  const startMs = performance.now();
  const histories: History[] = [];
  let next = seed;

  async function work(): Promise<void> {
    // Most objects of a history live for a moment.
    const resourceLimits = { maxYoungGenerationSizeMb: 128 };
    const worker = new Worker(new URL(import.meta.url), { workerData: 'history', resourceLimits });
    while (sumOf(histories).messages < messages) {
      worker.postMessage(next++);
      const history: History = (await once(worker, 'message'))[0];
      const { breaches, seed: ran, story } = history;
      histories.push(history);
      breaches.forEach(failAt);
      if (breaches.length === 0) continue;
      console.log(story.join('\n'));
      fail(`again: npm run simulate -- --seed ${ran} --messages 1\n`);
    }
    await worker.terminate();
  }

  await Promise.all(Array.from({ length: messages === 1 ? 1 : WORKERS }, work));
  const sum = sumOf(histories);
  if (messages > 1) underFloor(sum).forEach(fail);
  console.log(JSON.stringify(sum.counts));
  const broken = histories.filter(({ breaches }) => breaches.length > 0).length;
  const seconds = Math.round((performance.now() - startMs) / 1000);
  const result = { seed, histories: histories.length, messages: sum.messages, broken, seconds };
  console.log(JSON.stringify(result));
  keep('simulated', { ...result, counts: sum.counts });
}

function* seedsFrom(first: number): Generator<number> {
  for (let at = first; ; at++) yield at;
}

/** Runs histories on a real Redis, too, and prints what differs there. */
async function compare(): Promise<void> {
  const { different, ...result } = await compareWithRedis(seedsFrom(seed), messages);
  different.forEach(fail);
  console.log(`${result.histories} histories, ${result.messages} messages, ${different.length} differences`);
  keep('redis', { seed, ...result, differences: different.length });
}

/** Prints how many histories it took to find each planted defect, and what found it. */
async function findPlanted(): Promise<void> {
  const defects: RunResult<'planted'>['defects'] = [];
  for (const planted of PLANTED) {
    const { seeds, found } = await find(planted, seed);
    const { finds: invariant, name } = planted;
    const line = `${name}: ${seeds} histories, found by ${[...found].join(', ') || 'nothing'}`;
    if (found.has(invariant)) console.log(line);
    else fail(`not found by "${invariant}": ${line}`);
    defects.push({ invariant, name, histories: seeds, foundBy: [...found] });
  }
  keep('planted', { seed, defects });
}

/** How many things happen besides the call, in the small histories. */
const SCOPE = 3;

/** Asks `judge` about all small histories. */
function findFalse(): void {
  const startMs = performance.now();
  const { wrong, ...scope } = enumerate(SCOPE);
  wrong.forEach(fail);
  console.log(JSON.stringify(scope));
  const seconds = Math.round((performance.now() - startMs) / 1000);
  keep('scope', { ...scope, wrong: wrong.length, seconds });
}

/** Prints what happens in one history, as far as it names the text. */
async function follow(text: string): Promise<void> {
  const { breaches } = await runHistory(seed, {
    watch(atMs, what) {
      if (what.includes(text) || /^(killed|failover)/.test(what)) console.log((atMs / 1000).toFixed(3), what);
    },
  });
  breaches.forEach(failAt);
}

if (isMainThread) {
  process.once('exit', useFolder());
  if (values.trace !== undefined) await follow(values.trace);
  else if (values.planted) await findPlanted();
  else if (values.scope) findFalse();
  else if (values.staff) keep('staff', await measureShares(seed, SHARE_HISTORIES));
  else await (values.redis ? compare() : simulate());
} else if (workerData === 'history') {
  parentPort?.on('message', async (at: number) => parentPort?.postMessage(await runHistory(at)));
}
