import { type Key, type RecordStore, StoreUnavailable, shardOf } from '../../src/store/port.ts';
import type { World } from './world.ts';

/** A dead process gets no answer. */
const never = <Result>(): Promise<Result> => new Promise(() => {});

/** A process as its calls see it. */
export type Victim = { isAlive(): boolean; kill(): void };

/** How long a slow call takes: some outlast a lease. */
const SLOW_MS = [3_000, 25_000] as const;

/** How long a node refuses writes that have just begun to be needed. */
const HICCUP_MS = [300, 3_000] as const;

/** Masters of the store's cluster, each with its part of the shards. */
const NODES = 4;
/** A command without an answer is given up after this, as on Redis. */
const CONFIRM_MS = 1_800;

const ILLNESSES = ['lists fail', 'lists hang', 'writes refused', 'hangs'] as const;

/** Puts latency and faults between a process and what it calls. */
export class FaultyLine {
  readonly #world: World;
  readonly #ills = new Map<number, (typeof ILLNESSES)[number]>();
  /** Index and shard pairs that ever had an entry. The others are empty and need no call. */
  readonly #touched = new Set<string>();
  #settling: Promise<void> | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** A call, with the ways there and back. The process may die on either. */
  async call<Result>(process: Victim, work: () => Promise<Result>): Promise<Result> {
    const { chance, clock, count, rates } = this.#world;
    if (!process.isAlive()) return never();
    const dies = chance.happens(rates.killed) ? chance.pick(['before', 'after', 'answer']) : 'no';
    if (dies === 'before') {
      process.kill();
      return never();
    }
    const isSlow = chance.happens(rates.slow);
    if (isSlow) count('slow calls');
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

  /** The same for a command of the store on a record, which may be lost or repeated. */
  async #command<Result>(
    process: Victim,
    key: Key,
    work: () => Promise<Result>,
    writes = false,
  ): Promise<Result> {
    const { chance, clock, count, rates } = this.#world;
    const isLost = chance.happens(rates.lost);
    const result = await this.call(process, async () => {
      const ill = this.#illnessOf(shardOf(key));
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
      if (!chance.happens(rates.repeated)) return first;
      count('commands repeated');
      return work();
    });
    if (result instanceof StoreUnavailable) throw result;
    if (!isLost) return result;
    count('answers lost');
    throw new StoreUnavailable('the answer was lost');
  }

  /** Lets the other consequences of this moment come first, as on Redis. */
  #settle(): Promise<void> {
    this.#settling ??= this.#world.clock.hold(new Promise<void>(setImmediate)).then(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  /** A list of one shard. Healthy nodes answer at once. */
  async #list<Result>(process: Victim, shard: number, work: () => Promise<Result>): Promise<Result> {
    const { chance, clock, count, rates } = this.#world;
    if (chance.happens(rates.killed / 100)) process.kill();
    if (!process.isAlive()) return never();
    const ill = this.#illnessOf(shard);
    if (ill === undefined || ill === 'writes refused') {
      await this.#settle();
      return work();
    }
    count(ill === 'lists fail' ? 'lists that failed' : 'lists that hung');
    await clock.wait(ill === 'lists fail' ? 1 : CONFIRM_MS);
    if (!process.isAlive()) return never();
    throw new StoreUnavailable(ill);
  }

  /** The store as that process reaches it. */
  storeOf(process: Victim, store: RecordStore): RecordStore {
    return {
      ...store,
      read: (key) => this.#command(process, key, () => store.read(key)),
      compareAndSwap: (key, swap) => {
        for (const { index } of swap.indexes) this.#touched.add(`${index} ${shardOf(key)}`);
        return this.#command(process, key, () => store.compareAndSwap(key, swap), true);
      },
      list: async (index, range) => {
        const isTouched = this.#touched.has(`${index} ${range.shard}`) || this.#ills.has(range.shard % NODES);
        if (!isTouched)
          return process.isAlive() ? { nowMs: this.#world.clock.nowMs(), count: 0, entries: [] } : never();
        return this.#list(process, range.shard, () => store.list(index, range));
      },
    };
  }

  fallIll(): void {
    const { chance } = this.#world;
    this.#fallIll(chance.between(0, NODES - 1), chance.pick(ILLNESSES), this.#world.life.illMs);
  }

  /** A reply was delivered, and its conversation is to be given back. */
  onDelivered(key: Key): void {
    const { chance, count, rates } = this.#world;
    if (!chance.happens(rates.hiccup)) return;
    count('hiccups after a delivery');
    const nodes = chance.happens(0.5) ? [shardOf(key) % NODES] : [...Array(NODES).keys()];
    for (const node of nodes) this.#fallIll(node, 'writes refused', HICCUP_MS);
  }

  #fallIll(node: number, illness: (typeof ILLNESSES)[number], ms: readonly [number, number]): void {
    if (this.#ills.has(node)) return;
    this.#ills.set(node, illness);
    this.#world.clock.after(this.#world.chance.between(...ms), () => this.#ills.delete(node));
  }

  #illnessOf(shard: number) {
    return this.#ills.get(shard % NODES);
  }
}
