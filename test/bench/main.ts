import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Environment, startProcess } from '../support/processes.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { CUSTOMERS } from './load.ts';
import { type Measured, measure, medians } from './measure.ts';
import { type Options, readOptions, type Store, USAGE } from './options.ts';
import { compareProcesses, PROCESSES_HEADS } from './processes.ts';
import { summarise } from './profile.ts';
import { type Cost, fill } from './stored.ts';
import { type Subject, startMeasured, startSubject, watchIdle } from './subject.ts';
import { cells, MEASURED_HEADS, table } from './table.ts';
import { startTeams } from './teams.ts';
import { startTelegram, type Telegram } from './telegram.ts';
import { compareTraces, TRACES_HEADS } from './traces.ts';

/*
 * `npm run bench`: how fast the bot is, and what it costs. Prints tables and judges nothing: the machine has its day.
 */

const PROFILE_TOP = 15;

/** Conversations in flight where it is not their number that is compared. */
const IN_FLIGHT = 32;

/** What every bot of a run shares. */
type Bench = {
  readonly options: Options;
  readonly telegram: Telegram;
  readonly antcrm: Environment;
  readonly openRedis: () => Promise<RedisServer>;
};

const options = readOptions(process.argv.slice(2));
if (options === null) console.log(USAGE);
else if (options.what === 'traces') console.log(table(TRACES_HEADS, await compareTraces(options)));
else await run(options);

async function run(wanted: Options): Promise<void> {
  const withRedis = hasRedis();
  if (!withRedis && wanted.what === 'processes')
    throw new Error('redis-server is not installed (npm run setup)');
  if (!withRedis) console.log('redis-server is not installed (npm run setup): memory only.\n');
  const options = withRedis
    ? wanted
    : { ...wanted, stores: wanted.stores.filter((store) => store !== 'redis'), stored: [] };
  console.log(`${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}\n`);

  const sandbox = await startProcess('src/sandbox/main.ts');
  const [, sandboxUrl = ''] = await sandbox.line(/AntCRM sandbox: (\S+)/);
  const telegram = await startTelegram();
  const servers: RedisServer[] = [];
  async function openRedis(): Promise<RedisServer> {
    // A rewrite of the file in the middle of one measurement would tell nothing of the bot.
    const server = await startRedis('--auto-aof-rewrite-percentage', '0');
    servers.push(server);
    return server;
  }
  const antcrm = { ANTCRM_BASE_URL: sandboxUrl, ANTCRM_API_KEY: 'bench' };
  const bench = { options, telegram, antcrm, openRedis };
  try {
    if (options.what === 'processes') await processes(bench);
    else await oneBot(bench);
  } finally {
    telegram.close();
    await sandbox.stop();
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function oneBot(bench: Bench): Promise<void> {
  const { options } = bench;
  await idle(bench);
  await underLoad(bench);
  if (options.teams) await besideTeams(bench);
  if (options.stored.length > 0) await stored(bench);
}

async function processes({ options, telegram, antcrm }: Bench): Promise<void> {
  const rows = await compareProcesses(options, telegram, antcrm);
  console.log(`${table(PROCESSES_HEADS, rows)}\n`);
}

function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function envOf(bench: Bench, store: Store): Promise<Environment> {
  return store === 'memory' ? bench.antcrm : { ...bench.antcrm, REDIS_URL: (await bench.openRedis()).url };
}

/** What a bot without work takes: as `npm start` starts it, and as it runs in production. */
async function idle(bench: Bench): Promise<void> {
  const { options, telegram } = bench;
  if (options.idleSeconds === 0) return;
  const named: (readonly [string, Environment])[] = [['npm start', {}]];
  for (const store of options.stores) {
    named.push([`${store}, Telegram`, { ...telegram.env, ...(await envOf(bench, store)) }]);
  }
  const rows: string[][] = [];
  for (const [name, env] of named) {
    const bot = await startMeasured(env);
    const { cpuPercent, rssMb } = await watchIdle(bot, options.idleSeconds);
    rows.push([name, rssMb.toFixed(0), cpuPercent.toFixed(2)]);
    await bot.stop();
  }
  console.log(`${table(['idle', 'RSS MB', 'CPU %'], rows)}\n`);
}

/** The bots of all stores at once, so that what else the machine does meets all of them; one works at a time. */
async function underLoad(bench: Bench): Promise<void> {
  const { options, telegram } = bench;
  const { stores, profile, inFlight } = options;
  const subjects = new Map<Store, Subject>();
  for (const store of stores) {
    const dir = profile === undefined ? undefined : join(profile, store);
    if (dir !== undefined) await mkdir(dir, { recursive: true });
    const env = dir === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${dir}` };
    subjects.set(store, await startSubject(telegram, { ...(await envOf(bench, store)), ...env }));
  }
  const scenarios = stores.flatMap((store) =>
    inFlight.map((many) => ({ name: `${store} × ${many}`, store, many })),
  );
  const rows = await compare(
    options,
    scenarios.flatMap(({ name, store, many }) => {
      const subject = subjects.get(store);
      return subject ? [{ name: [name], subject, inFlight: many }] : [];
    }),
  );
  for (const subject of subjects.values()) await subject.stop();
  console.log(`${table(['store × in flight', ...MEASURED_HEADS], rows)}\n`);
  if (profile !== undefined) for (const store of stores) await showProfile(store, join(profile, store));
}

/** Teams beside Telegram, and beside what the Bot Framework SDK costs by itself: an echo that does nothing else. */
async function besideTeams({ options, telegram, antcrm }: Bench): Promise<void> {
  const teams = await startTeams();
  const subjects = [
    { name: 'Telegram', subject: await startSubject(telegram, antcrm) },
    { name: 'Teams', subject: await startSubject(teams, antcrm) },
    { name: 'CloudAdapter echo', subject: await startSubject(teams, {}, 'test/support/teams-echo-main.ts') },
  ];
  const rows = await compare(
    options,
    subjects.map(({ name, subject }) => ({ name: [`${name} × ${IN_FLIGHT}`], subject, inFlight: IN_FLIGHT })),
  );
  for (const { subject } of subjects) await subject.stop();
  teams.close();
  console.log(`${table(['channel × in flight', ...MEASURED_HEADS], rows)}\n`);
}

/** The same load with few and with many conversations in Redis, each number with a Redis and a bot of its own. */
async function stored(bench: Bench): Promise<void> {
  const { options, telegram } = bench;
  const subjects: { count: number; subject: Subject; cost: Cost }[] = [];
  for (const count of options.stored) {
    const redis = await bench.openRedis();
    const subject = await startSubject(telegram, { ...bench.antcrm, REDIS_URL: redis.url });
    await subject.load.run({ inFlight: IN_FLIGHT, turns: CUSTOMERS, seconds: options.seconds });
    subjects.push({ count, subject, cost: await fill(redis.url, count) });
  }
  const rows = await compare(
    options,
    [1, IN_FLIGHT].flatMap((inFlight) =>
      subjects.map(({ count, subject }) => ({ name: [`${count} × ${inFlight}`], subject, inFlight })),
    ),
  );
  for (const { subject } of subjects) await subject.stop();
  console.log(`${table(['stored × in flight', ...MEASURED_HEADS], rows)}\n`);
  for (const { count, cost } of subjects.filter(({ cost }) => cost.atRest > 0)) {
    const { atRest } = cost;
    console.log(`A conversation of ${count} costs ${atRest.toFixed(0)} bytes at rest.`);
  }
}

type Scenario = { readonly name: readonly string[]; readonly subject: Subject; readonly inFlight: number };

/** Warms every bot up, then goes round the scenarios; the rows show medians. */
async function compare({ turns, seconds, warmUp, repeats }: Options, scenarios: readonly Scenario[]) {
  for (const { load } of new Set(scenarios.map(({ subject }) => subject))) {
    await load.run({ inFlight: IN_FLIGHT, turns: warmUp, seconds: 3 * seconds });
  }
  const measured = scenarios.map((scenario) => ({ ...scenario, runs: [] as Measured[] }));
  for (let round = 0; round < repeats; round++) {
    for (const { subject, inFlight, runs } of measured) {
      runs.push(await measure(subject, { inFlight, turns, seconds }));
    }
  }
  return measured.map(({ name, runs }) => [...name, ...cells(medians(runs))]);
}

async function showProfile(store: Store, dir: string): Promise<void> {
  const spent = await summarise(dir, PROFILE_TOP);
  const rows = spent.map(({ where, percent }) => [where, percent.toFixed(1)]);
  console.log(`${table([`${store}: busy in`, '%'], rows)}\n`);
}
