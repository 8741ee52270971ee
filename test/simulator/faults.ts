import { type Key, type RecordStore, StoreUnavailable, shardOf } from '../../src/store/port.ts';
import type { World } from './world.ts';

/** A dead process gets no answer. */
const never = <Result>(): Promise<Result> => new Promise(() => {});

/** A process as its calls see it. */
export type Victim = { isAlive(): boolean; kill(): void };

/** How long a slow call takes: some outlast a lease. */
const SLOW_MS = [3_000, 25_000] as const;

/** How long replicas take to acknowledge an intent, if they are slow: shorter than a lease. */
const ACKNOWLEDGED_MS = [2_000, 14_000] as const;

/** How long a node refuses writes that have just begun to be needed. */
const HICCUP_MS = [300, 3_000] as const;

/** Masters of the store's cluster, each with its part of the shards. */
const NODES = 4;
/** A command without an answer is given up after this, as on Redis. */
const CONFIRM_MS = 1_800;

const ILLNESSES = ['lists fail', 'lists hang', 'writes refused', 'hangs'] as const;

/** Puts latency and faults between a process and what it calls. */
export function createFaultyLine(world: World) {
  const { chance, clock, count, life, occurs } = world;
  const ills = new Map<number, (typeof ILLNESSES)[number]>();
  /** Index and shard pairs that ever had an entry. The others are empty and need no call. */
  const touched = new Set<string>();
  let settling: Promise<void> | undefined;

  const illnessOf = (shard: number) => ills.get(shard % NODES);

  function fallIll(node: number, illness: (typeof ILLNESSES)[number], ms: readonly [number, number]): void {
    if (ills.has(node)) return;
    ills.set(node, illness);
    clock.after(chance.between(...ms), () => ills.delete(node));
  }

  /** A call, with the ways there and back. The process may die on either. */
  async function call<Result>(process: Victim, work: () => Promise<Result>): Promise<Result> {
    const { killed, slow } = world.rates;
    if (!process.isAlive()) return never();
    const dies = chance.happens(killed) ? chance.pick(['before', 'after', 'answer']) : 'no';
    if (dies === 'before') {
      process.kill();
      return never();
    }
    const isSlow = occurs(slow, 'slow calls');
    const onTheWayMs = isSlow ? chance.between(...SLOW_MS) : chance.random() * 2;
    const isSlowThere = chance.happens(0.5);
    await clock.wait(isSlowThere ? onTheWayMs : 0.2);
    // The call arrives even if its process has died.
    const result = await work();
    if (dies === 'after') process.kill();
    await clock.wait(isSlowThere ? 0.2 : onTheWayMs);
    if (dies === 'answer') process.kill();
    return process.isAlive() ? result : never();
  }

  /** What the store makes of a command on a record, which may be repeated. */
  async function execute<Result>(key: Key, writes: boolean, work: () => Promise<Result>) {
    const { repeated } = world.rates;
    const ill = illnessOf(shardOf(key));
    if (ill === 'hangs') {
      count('commands that hung');
      if (chance.happens(0.5)) await work();
      await clock.wait(CONFIRM_MS);
      return new StoreUnavailable('no answer');
    }
    if (ill === 'writes refused' && writes) {
      count('writes refused');
      return new StoreUnavailable('the node is full');
    }
    const first = await work();
    return occurs(repeated, 'commands repeated') ? work() : first;
  }

  /** A command of the store, whose answer may be lost. */
  async function command<Result>(process: Victim, executed: () => Promise<Result | StoreUnavailable>) {
    const isLost = chance.happens(world.rates.lost);
    const result = await call(process, executed);
    if (result instanceof StoreUnavailable) throw result;
    if (!isLost) return result;
    count('answers lost');
    throw new StoreUnavailable('the answer was lost');
  }

  /** Lets the other consequences of this moment come first, as on Redis. */
  function settle(): Promise<void> {
    settling ??= clock.hold(new Promise<void>(setImmediate)).then(() => {
      settling = undefined;
    });
    return settling;
  }

  /** A list of one shard. Healthy nodes answer at once. */
  async function list<Result>(process: Victim, shard: number, work: () => Promise<Result>): Promise<Result> {
    if (chance.happens(world.rates.killed / 100)) process.kill();
    if (!process.isAlive()) return never();
    const ill = illnessOf(shard);
    if (ill === undefined || ill === 'writes refused') {
      await settle();
      return work();
    }
    count(ill === 'lists fail' ? 'lists that failed' : 'lists that hung');
    await clock.wait(ill === 'lists fail' ? 1 : CONFIRM_MS);
    if (!process.isAlive()) return never();
    throw new StoreUnavailable(ill);
  }

  return {
    call,
    /** The store as that process reaches it. */
    storeOf: (process: Victim, store: RecordStore): RecordStore => ({
      ...store,
      read: (key) => command(process, () => execute(key, false, () => store.read(key))),
      compareAndSwap(key, swap) {
        for (const { index } of swap.indexes) touched.add(`${index} ${shardOf(key)}`);
        return command(process, async () => {
          const swapped = await execute(key, true, () => store.compareAndSwap(key, swap));
          if (swap.durable && occurs(world.rates.slowIntents, 'slow intents'))
            await clock.wait(chance.between(...ACKNOWLEDGED_MS));
          return swapped;
        });
      },
      async list(index, range) {
        const isTouched = touched.has(`${index} ${range.shard}`) || illnessOf(range.shard) !== undefined;
        if (isTouched) return list(process, range.shard, () => store.list(index, range));
        return process.isAlive() ? { nowMs: clock.nowMs(), count: 0, entries: [] } : never();
      },
    }),
    fallIll: () => fallIll(chance.between(0, NODES - 1), chance.pick(ILLNESSES), life.illMs),
    /** A reply was delivered, and its conversation is to be given back. */
    onDelivered(key: Key): void {
      if (!occurs(world.rates.hiccup, 'hiccups after a delivery')) return;
      const nodes = chance.happens(0.5) ? [shardOf(key) % NODES] : [...Array(NODES).keys()];
      for (const node of nodes) fallIll(node, 'writes refused', HICCUP_MS);
    },
  };
}
