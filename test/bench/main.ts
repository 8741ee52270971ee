import { randomBytes } from 'node:crypto';
import { createClient } from '../../src/channels/staff/client.ts';
import useFolder from '../support/folder.ts';
import { type Bot, startBot, startProcess } from '../support/processes.ts';
import { startRedis } from '../support/redis.ts';
// Prints first how long it takes to understand a text.
import './interpret.ts';

/*
 * `npm run bench`: turns a second and what a turn costs, over the staff webhook: a bot in memory, one on
 * Redis, and two on one Redis whose turns alternate, as behind a round-robin proxy. `IN_FLIGHT` conversations
 * run at once; each asks its next question as soon as the last one was answered. The speed of a machine
 * varies, so all bots run at once and are measured in short slices, one after the other. Compare the ratios:
 * their slices were measured next to each other.
 */

process.once('exit', useFolder());

const STAFF_TOKEN = 'staff-token-of-the-bench';
/** Many more than are in flight: no customer writes again while their last turn is being released. */
const CUSTOMERS = 1000;
/** A dialogue that asks nothing of AntCRM, over and over. */
const DIALOGUE = ['trợ giúp', 'tích điểm', 'TIVI000000017', '0912345678', 'bỏ qua', 'huỷ'] as const;
const IN_FLIGHT = [1, 32];
const WARM_UP = 20_000;
const TURNS = 1500;
const SLICES = 8;

type Customer = { readonly conversation: string; turns: number };
type Target = { readonly name: string; readonly bots: readonly Bot[]; readonly idle: Customer[] };
/** `cost`: processor time of all its processes, ms a turn. */
type Slice = { readonly cost: number; readonly perSecond: number };

const sandbox = await startProcess('src/sandbox/main.ts');
const [, antcrm = ''] = await sandbox.line(/AntCRM sandbox: (\S+)/);

async function open(
  name: string,
  processes: number,
  store: Readonly<Record<string, string>>,
): Promise<Target> {
  const key = randomBytes(32).toString('base64');
  const keys = { STAFF_TOKEN, STATE_KEY: key, HASH_KEY: key };
  const loyalty = { ANTCRM_BASE_URL: antcrm, ANTCRM_API_KEY: 'bench' };
  const start = () => startBot({ LOG_LEVEL: 'info', ...keys, ...store, ...loyalty });
  const bots = await Promise.all(Array.from({ length: processes }, start));
  const idle = Array.from({ length: CUSTOMERS }, (_, index) => ({
    conversation: `bench-${index}`,
    turns: 0,
  }));
  return { name, bots, idle };
}

/** The sum of a metric over the target's processes. */
async function figureOf({ bots }: Target, name: string): Promise<number> {
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  let sum = 0;
  for (const { url } of bots) {
    const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
    sum += Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  }
  return sum;
}

/** Each customer's next turn goes to the next process. */
async function talk({ bots, idle }: Target, inFlight: number, turns: number): Promise<void> {
  const clients = bots.map(({ url }) => createClient(url, STAFF_TOKEN));
  let left = turns;
  const talkOn = async (): Promise<void> => {
    while (left-- > 0) {
      const customer = idle.shift();
      const client = clients[(customer?.turns ?? 0) % clients.length];
      if (customer === undefined || client === undefined) throw new Error('too few customers');
      const text = DIALOGUE[customer.turns++ % DIALOGUE.length] ?? '';
      const { status } = await client.send({ conversation: customer.conversation, locale: 'vi', text });
      if (status !== 'done') throw new Error(status);
      idle.push(customer);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, talkOn));
}

async function measure(target: Target, inFlight: number): Promise<Slice> {
  const cpuSeconds = await figureOf(target, 'process_cpu_seconds_total');
  const startMs = performance.now();
  await talk(target, inFlight, TURNS);
  const perSecond = (TURNS / (performance.now() - startMs)) * 1000;
  const spent = (await figureOf(target, 'process_cpu_seconds_total')) - cpuSeconds;
  return { cost: (spent * 1000) / TURNS, perSecond };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const redis = [
  await startRedis('--auto-aof-rewrite-percentage', '0'),
  await startRedis('--auto-aof-rewrite-percentage', '0'),
] as const;
const one = await open('one on Redis', 1, { REDIS_URL: redis[0].url });
const two = await open('two that alternate', 2, { REDIS_URL: redis[1].url });
const targets = [one, two, await open('one in memory', 1, {})];
for (const target of targets) await talk(target, Math.max(...IN_FLIGHT), WARM_UP * target.bots.length);

for (const inFlight of IN_FLIGHT) {
  const rounds: ReadonlyMap<Target, Slice>[] = [];
  for (let round = 0; round < SLICES; round++) {
    const slices = new Map<Target, Slice>();
    for (const target of targets) slices.set(target, await measure(target, inFlight));
    rounds.push(slices);
  }
  for (const target of targets) {
    const slices = rounds.flatMap((round) => round.get(target) ?? []);
    const ratios = rounds.map((round) => (round.get(target)?.cost ?? 0) / (round.get(one)?.cost ?? 0));
    const cost = `${median(slices.map((slice) => slice.cost)).toFixed(3)} ms of CPU a turn`;
    const ratio = `${median(ratios).toFixed(2)} × one on Redis`;
    const speed = `${median(slices.map(({ perSecond }) => perSecond)).toFixed(0)} turns/s`;
    const rssMb = (await figureOf(target, 'process_resident_memory_bytes')) / 2 ** 20;
    console.log(
      `${target.name}, ${inFlight} in flight:`.padEnd(36),
      `${cost}, ${ratio}, ${speed}, ${rssMb.toFixed(0)} MB`,
    );
  }
}
for (const { bots } of targets) for (const bot of bots) await bot.stop();
await Promise.all([sandbox.stop(), ...redis.map((server) => server.stop())]);
