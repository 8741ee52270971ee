import { StoreUnavailable } from '../../src/store/port.ts';
import type { Chance, Clock } from './clock.ts';
import type { Count } from './counts.ts';

/** How often what goes wrong. Each rate is drawn from the seed, so nobody tunes them; a third of all are zero. */
export type Rates = {
  /** Of each call of the store, a platform or AntCRM: its process is killed before it, or after it. */
  readonly killed: number;
  /** A command of the store executes, and its answer is lost. */
  readonly lost: number;
  /** A command of the store executes twice. */
  readonly repeated: number;
  /** A call takes long enough for a lease to end. */
  readonly slow: number;
  /** Each second: the store fails over and loses its last writes. */
  readonly failover: number;
  /** Each second: a node of the store falls ill, for a while: what it is asked to list fails, or hangs. */
  readonly ill: number;
  /** Each second: the store's clock is put back. */
  readonly putBack: number;
  /** Of a platform: "too many requests", a fault after it was delivered, silence, no connection. */
  readonly throttled: number;
  readonly failedLate: number;
  readonly silent: number;
  readonly unconnected: number;
  /** Of AntCRM: it applies and its answer is lost, it never hears of it, no connection, a record that shows late. */
  readonly answerLost: number;
  readonly unheard: number;
  readonly refused: number;
  readonly late: number;
  /** A read of AntCRM fails. */
  readonly unreadable: number;
  /** An update is delivered twice. */
  readonly doubled: number;
};

export function drawRates({ happens, random }: Chance): Rates {
  const upTo = (most: number): number => (happens(1 / 3) ? 0 : most * random() ** 2);
  return {
    killed: upTo(0.01),
    lost: upTo(0.02),
    repeated: upTo(0.05),
    slow: upTo(0.02),
    failover: happens(1 / 3) ? 0 : upTo(0.2),
    ill: upTo(0.05),
    putBack: happens(2 / 3) ? 0 : upTo(0.005),
    throttled: upTo(0.1),
    failedLate: upTo(0.05),
    silent: upTo(0.05),
    unconnected: upTo(0.1),
    answerLost: upTo(0.3),
    unheard: upTo(0.2),
    refused: upTo(0.2),
    late: upTo(0.3),
    unreadable: upTo(0.2),
    doubled: upTo(0.3),
  };
}

export const NO_FAULTS: Rates = {
  ...{ killed: 0, lost: 0, repeated: 0, slow: 0, failover: 0, ill: 0, putBack: 0, throttled: 0 },
  ...{
    failedLate: 0,
    silent: 0,
    unconnected: 0,
    answerLost: 0,
    unheard: 0,
    refused: 0,
    late: 0,
    unreadable: 0,
    doubled: 0,
  },
};

/** What a process that is dead is never told. */
const never = <Result>(): Promise<Result> => new Promise(() => {});

/** A process as its calls see it. */
export type Victim = { isAlive(): boolean; kill(): void };

/** Some calls take a moment, some take longer than a lease. */
const SLOW_MS = [3_000, 25_000] as const;

/** Puts latency and faults between a process and what it calls. */
export function createLine(clock: Clock, chance: Chance, rates: () => Rates) {
  /** A call and its way there and back; the process may die on either. */
  async function call<Result>(process: Victim, work: () => Promise<Result>): Promise<Result> {
    const { killed, slow } = rates();
    if (!process.isAlive()) return never();
    const dies = chance.happens(killed) ? chance.pick(['before', 'after', 'answer']) : 'no';
    if (dies === 'before') {
      process.kill();
      return never();
    }
    const onTheWayMs = chance.happens(slow) ? chance.between(...SLOW_MS) : chance.random() * 2;
    const isSlowThere = chance.happens(0.5);
    await clock.wait(isSlowThere ? onTheWayMs : 0.2);
    // What is on its way arrives, whoever sent it.
    const result = await work();
    if (dies === 'after') process.kill();
    await clock.wait(isSlowThere ? 0.2 : onTheWayMs);
    if (dies === 'answer') process.kill();
    return process.isAlive() ? result : never();
  }

  /** The same for a command of the store, which may be lost or repeated. */
  async function command<Result>(process: Victim, work: () => Promise<Result>): Promise<Result> {
    const { lost, repeated } = rates();
    const isLost = chance.happens(lost);
    const result = await call(process, async () => {
      const first = await work();
      return chance.happens(repeated) ? work() : first;
    });
    if (isLost) throw new StoreUnavailable('the answer was lost');
    return result;
  }

  return { call, command };
}

/** Masters of the store's cluster, each with its part of the shards. */
const NODES = 4;
const ILL_MS = [2_000, 30_000] as const;
/** A command without an answer is given up after this, as on Redis. */
const CONFIRM_MS = 1_800;

const ILLNESSES = ['lists fail', 'lists hang'] as const;

/** The nodes of the store, and what ails them. */
export function createNodes(
  clock: Clock,
  chance: Chance,
  { rates, count }: { rates(): Rates; count: Count },
) {
  const ills = new Map<number, (typeof ILLNESSES)[number]>();

  return {
    eachSecond(): void {
      const node = chance.between(0, NODES - 1);
      if (!chance.happens(rates().ill) || ills.has(node)) return;
      ills.set(node, chance.pick(ILLNESSES));
      clock.after(chance.between(...ILL_MS), () => ills.delete(node));
    },
    /** What a process asks a shard's node to list. A look reaches each of them, so that most take no time. */
    async list<Result>(process: Victim, shard: number, work: () => Promise<Result>): Promise<Result> {
      if (!process.isAlive()) return never();
      const ill = ills.get(shard % NODES);
      if (ill === undefined) return work();
      count(ill === 'lists fail' ? 'lists that failed' : 'lists that hung');
      await clock.wait(ill === 'lists fail' ? 1 : CONFIRM_MS);
      if (!process.isAlive()) return never();
      throw new StoreUnavailable(ill);
    },
  };
}
