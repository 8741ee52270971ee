import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { faultsOf } from './checker.ts';
import type { Customer } from './faults-customer.ts';
import { type Flight, MOMENTS, STORIES, takeOff } from './faults-flights.ts';
import { isSummary, saying } from './faults-stories.ts';
import { type FaultsWorld, leftIn, startFaultsWorld } from './faults-world.ts';
import type { Bot, Environment } from './processes.ts';
import { type RedisServer, startRedis } from './redis.ts';

/** Something is stopped when the row is over. */
export type Finish = (stop: () => Promise<unknown>) => void;

/** A Redis of the row's own. */
export async function ownRedis(finish: Finish): Promise<RedisServer> {
  const redis = await startRedis();
  finish(() => redis.stop());
  return redis;
}

/** A way in which the world is half alive. */
export type Row = {
  readonly name: string;
  /**
   * What `/health/ready` says while it lasts. `refuses`: 503. `degraded`: 200, and the store is named so. `serves`: 200,
   * with the store in order, all the time. `recovers`: the same, but for the first five seconds.
   */
  readonly ready: 'refuses' | 'degraded' | 'serves' | 'recovers';
  /** Runs in `npm test`, too. */
  readonly isSample?: boolean;
  arrange(world: FaultsWorld, finish: Finish): Promise<Stage>;
};

/** Everything that a row needs, made and not yet faulty. */
export type Stage = {
  /** Starts the bots that it takes; customers' messages go to whichever of them lives. */
  bots(): Promise<readonly Bot[]>;
  /** A customer of the channel that it is about; of Telegram unless it says so. */
  customer?(where: () => Bot | undefined): Promise<Customer>;
  /** Starts the bots that customers' messages go to from the beginning of the fault on, where they are others. */
  next?(): Promise<readonly Bot[]>;
  begin(bots: readonly Bot[]): Promise<unknown>;
  end(): Promise<unknown>;
  /** Where the data is when it is over. */
  stores(): readonly string[];
};

/** How soon readiness tells the truth, on a busy machine. */
const IN_TIME_MS = 15_000;
/** How long a fault lasts at least. */
const LASTS_MS = 3000;
/**
 * While the bots are up, nobody does the same work over and over: these are far more than a customer's turn takes, beside
 * the looks of two bots at a quarter of the shards, up to four times a second.
 */
const MAX_SCRIPTS_PER_S = 1000;
const MAX_GROWTH_KB = 150_000;
const MAX_REPEATS = 5;

/** Lives through a row. Returns all that was wrong. */
export async function live(row: Row, finish: Finish): Promise<string[]> {
  const world = await startFaultsWorld();
  finish(() => world.stop());
  const stage = await row.arrange(world, finish);
  const bots = await stage.bots();
  const faults: string[] = [];
  const living = new Set<Bot>();
  const add = (bot: Bot) => {
    living.add(bot);
    finish(() => bot.kill());
    void bot.ended.then(({ code, signal }) => {
      living.delete(bot);
      if (code !== 0 && signal !== 'SIGKILL') faults.push(`a bot ended with ${code ?? signal}`);
    });
  };
  for (const bot of bots) add(bot);
  let turn = 0;
  const where = () => [...living][turn++ % living.size];
  const customer = () => (stage.customer ? stage.customer(where) : world.customer(where));
  for (const bot of bots) await within(IN_TIME_MS, 'ready to begin with', () => says(bot, 'serves'));

  const flights = await Promise.all(
    STORIES.flatMap((story) =>
      MOMENTS.map(async (moment) => takeOff(story, moment, await customer(), world)),
    ),
  );
  const talker = await customer();
  const memoryBefore = await memoryOf([...living]);

  const next = await stage.next?.();
  if (next) living.clear();
  for (const bot of next ?? []) add(bot);
  await stage.begin(bots);
  const over = new AbortController();
  const talk = talks(talker, world, over.signal);
  talk.catch(() => {});
  for (const { letGo } of flights) letGo();
  faults.push(...(await lasts(row, living)));
  faults.push(...(await loopsIn(stage.stores())));
  await stage.end();
  over.abort();
  for (const bot of living) await within(IN_TIME_MS, `${row.name}: ready again`, () => says(bot, 'serves'));

  await Promise.all(flights.map(({ landed }) => landed));
  const serials = await talk;
  for (const word of serials) await talker.hears(isSummary(word));
  for (const store of stage.stores()) {
    const left = (await leftIn(store)).filter((key) => !isWithStaff(key, flights));
    faults.push(...left.map((key) => `${key} was left in the store`));
  }
  faults.push(...(await loopsIn(stage.stores())));
  const grown = (await memoryOf([...living])) - memoryBefore;
  if (grown > MAX_GROWTH_KB) faults.push(`the bots grew by ${grown} KB`);
  const told = { chat: talker.id, serials, told: talker.heard, operations: [] };
  const repeated = [talker, ...flights.map((flight) => flight.customer)].flatMap(repeatedIn);
  return [...faults, ...faultsOf(told), ...(await faultsIn(flights)), ...repeated];
}

/** What staff are to decide stays, and its customer has its reference. */
function isWithStaff(key: string, flights: readonly Flight[]): boolean {
  const [operation = key] = key.split(' ').slice(-1);
  return flights.some(({ customer }) =>
    customer.heard.some((one) => one.key === 'operation.escalated' && one.text.includes(operation)),
  );
}

/** What readiness said wrongly while the fault lasted. */
async function lasts({ name, ready }: Row, living: ReadonlySet<Bot>): Promise<string[]> {
  const wanted = ready === 'recovers' ? 'serves' : ready;
  if (ready !== 'serves')
    for (const bot of living) await within(IN_TIME_MS, `${name}: ${ready}`, () => says(bot, wanted));
  const end = performance.now() + LASTS_MS;
  while (performance.now() < end) {
    for (const bot of living)
      if (!(await says(bot, wanted))) return [`readiness changed while ${name}: ${await readinessOf(bot)}`];
    await delay(200);
  }
  return [];
}

const reportSchema = z.object({ dependencies: z.object({ store: z.object({ status: z.string() }) }) });

async function says(bot: Bot, wanted: 'refuses' | 'degraded' | 'serves'): Promise<boolean> {
  return (await readinessOf(bot)) === wanted;
}

async function readinessOf({ url }: Bot): Promise<'refuses' | 'degraded' | 'serves' | 'silent'> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(IN_TIME_MS) });
    if (response.status === 503) return 'refuses';
    const { store } = reportSchema.parse(await response.json()).dependencies;
    return store.status === 'ok' ? 'serves' : 'degraded';
  } catch {
    return 'silent';
  }
}

async function within(ms: number, what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await delay(50);
  }
}

/** Says one thing after another while the fault lasts, and at least three. Resolves to the words that it said. */
async function talks(customer: Customer, world: FaultsWorld, over: AbortSignal): Promise<string[]> {
  const words: string[] = [];
  while (words.length < 3 || (!over.aborted && words.length < 12)) {
    const word = world.code().toLowerCase();
    await customer.writes(saying(word, customer));
    words.push(word);
    await delay(300);
  }
  return words;
}

async function faultsIn(flights: readonly Flight[]): Promise<string[]> {
  return (await Promise.all(flights.map((flight) => flight.faults()))).flat();
}

/** A sentence that is perhaps not delivered comes again, but not without end. */
function repeatedIn({ heard }: Customer): string[] {
  const counts = Map.groupBy(heard, ({ text, buttons }) => text + buttons);
  return [...counts.values()].flatMap((same) =>
    same.length > MAX_REPEATS ? [`told ${same.length} times: ${same[0]?.key}`] : [],
  );
}

/** The memory that processes hold, KB. */
async function memoryOf(bots: readonly Bot[]): Promise<number> {
  const pids = bots.map(({ pid }) => pid).join(',');
  if (pids === '') return 0;
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', pids]);
  return stdout.split('\n').reduce((sum, line) => sum + Number(line), 0);
}

/** Stores in which scripts run over and over. One that does not answer runs none. */
async function loopsIn(urls: readonly string[]): Promise<string[]> {
  const counts = await Promise.all(urls.map((url) => scriptsPerSecond(url).catch(() => 0)));
  return counts.flatMap((count) => (count > MAX_SCRIPTS_PER_S ? [`${count} scripts a second`] : []));
}

async function scriptsPerSecond(url: string): Promise<number> {
  const client = new Redis(url, { commandTimeout: 2000, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  client.on('error', () => {});
  const count = async () =>
    [...(await client.info('commandstats')).matchAll(/cmdstat_eval\w*:calls=(\d+)/g)]
      .map(([, calls]) => Number(calls))
      .reduce((sum, calls) => sum + calls, 0);
  try {
    const before = await count();
    await delay(1000);
    return (await count()) - before;
  } finally {
    client.disconnect();
  }
}

/** What every row's bots are told beside where their store is. */
export const ENV: Environment = {
  // However busy the machine, longer than AntCRM takes.
  ANTCRM_TIMEOUT_MS: '4000',
  // The last of them after any row's end.
  OPERATION_CHECKS: '300ms,2s,8s,16s',
};
