import type { Observe } from '../observability/metrics.ts';
import { type RecordStore, type ScoredMember, SHARDS, shardOf } from '../store/port.ts';
import type { HeldLease, Leases } from './leases.ts';
import type { EngineLimits } from './limits.ts';
import type { TurnTools } from './turn.ts';

export type SchedulerParts = Pick<TurnTools, 'runtime' | 'stopping' | 'onError'> & {
  readonly store: Pick<RecordStore, 'list'>;
  readonly leases: Pick<Leases, 'claim'>;
  readonly limits: Pick<EngineLimits, 'concurrency' | 'sweepMs'>;
  readonly observe: Pick<Observe, 'claim'>;
  /** Begins to work on a claimed conversation, in a slot that `freeSlot` frees. */
  begin(held: HeldLease): void;
};

/** Each sweep lists the next of four groups of shards, so that all shards are listed within 2 s. */
const GROUPS = 4;
const GROUP_SIZE = SHARDS / GROUPS;
/** A shard that fails rests for so long: a sweep waits for its slowest shard. */
const REST_MS = 5000;
/** At most this many conversations are claimed at once. */
const MAX_CLAIMS = 8;
/** At most this many conversations of newer processes are remembered. Others are claimed in vain again. */
const MAX_NEWER = 1000;
/** No timer is set for a conversation that is due later than this: a sweep finds it. */
const MAX_TIMER_MS = 10 * 60_000;

/**
 * Bounds the turns at work, and claims due conversations for the free slots: leases that ran out, messages
 * that no process took, wake-ups, and replies that wait.
 *
 * A slot is free, filled (a claim or a turn uses it), and free again. A shard is quiet, noted, and being
 * listed:
 *
 *     quiet ─ a sweep, or `schedule` ─► noted ─ `#fill` has free slots ─► listed ─ nothing is due ─► quiet
 *                                        ▲ ▲                                │ │
 *                                        │ └──── something is due: again ───┘ │
 *                                        └─────── it failed: after a rest ────┘
 *
 * One `#fill` runs at a time. A caller that wants another meanwhile sets `#isFillRequested`: the one that
 * runs goes round again; without a free slot, the next slot that is freed begins one.
 *
 * @example
 * if (scheduler.reserveSlot()) void work(held).finally(() => scheduler.freeSlot());
 * else scheduler.schedule(conversation);
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  /** Shards that may have something due. What was listed and has more goes to the end. */
  readonly #noted = new Set<number>();
  /** Conversations that only newer processes can work on. */
  readonly #newer = new Set<string>();
  /** Until when shards rest (monotonic). */
  readonly #rests = new Map<number, number>();
  #group: number;
  #usedSlots = 0;
  /** How many shards sweeps noted that no list has asked for yet. */
  #sweptShards = 0;
  /** Whether `#fill` has to begin, or to go round once more. */
  #isFillRequested = false;
  #isFilling = false;
  #onIdle: (() => void) | undefined;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    // Processes that start together should not list the same shards together.
    this.#group = Math.floor(parts.runtime.random() * GROUPS);
  }

  /** Sweeps from time to time, one sweep at a time, until the process stops. */
  start(): void {
    this.#parts.runtime.timer(this.#parts.limits.sweepMs, async () => {
      await this.sweep();
      if (!this.#parts.stopping.aborted) this.start();
    });
  }

  /** Whether no slot is free: a message then waits in the store. */
  get isFull(): boolean {
    return this.#usedSlots >= this.#parts.limits.concurrency;
  }

  waitUntilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#usedSlots === 0) resolve();
    });
  }

  /** Takes a slot, if one is free and the process is not stopping. */
  reserveSlot(): boolean {
    if (this.#parts.stopping.aborted || this.#usedSlots >= this.#parts.limits.concurrency) return false;
    this.#usedSlots += 1;
    return true;
  }

  freeSlot(): void {
    this.#usedSlots -= 1;
    if (this.#isFillRequested) void this.#fill();
    if (this.#usedSlots === 0) this.#onIdle?.();
  }

  /** A conversation that is due in `afterMs` then gets one of the next free slots. */
  schedule(conversation: string, afterMs = 0): void {
    if (afterMs > MAX_TIMER_MS) return;
    const note = (): void => {
      this.#noted.add(shardOfName(conversation));
      this.#isFillRequested = true;
      if (this.#usedSlots < this.#parts.limits.concurrency) void this.#fill();
    };
    if (afterMs > 0) this.#parts.runtime.timer(afterMs, note);
    else note();
  }

  /**
   * Claims due conversations for the free slots, half of them at a time: a message that comes meanwhile must
   * find a slot. Few slots are worth the lists of few shards, but a sweep lists at least a group.
   */
  async #fill(): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    do {
      const room = Math.ceil((this.#parts.limits.concurrency - this.#usedSlots) / 2);
      if (room <= 0 || this.#parts.stopping.aborted) break;
      this.#usedSlots += room;
      this.#isFillRequested = false;
      const shards = Math.max(this.#sweptShards, 2 * room + 2);
      this.#sweptShards = 0;
      const won = await this.#claimUpTo(room, await this.#listDue(room, shards));
      this.#isFillRequested ||= won === room;
      this.#usedSlots -= room - won;
    } while (this.#isFillRequested);
    this.#isFilling = false;
    if (this.#usedSlots === 0) this.#onIdle?.();
  }

  async sweep(): Promise<void> {
    this.#group = (this.#group + 1) % GROUPS;
    const first = this.#group * GROUP_SIZE;
    for (let shard = first; shard < first + GROUP_SIZE; shard++) this.#noted.add(shard);
    this.#sweptShards += GROUP_SIZE;
    // The claims under way go on with the group; without a free slot, the next that is freed does.
    this.#isFillRequested = true;
    await this.#fill();
  }

  /**
   * Claims up to `room` of these conversations. Other processes claim as well: a process claims few at
   * first, more while it wins most of them, and stops when others win most.
   */
  async #claimUpTo(room: number, due: readonly string[]): Promise<number> {
    let names = [...due];
    let won = 0;
    for (let step = 1; won < room && names.length > 0; step = Math.min(2 * step, MAX_CLAIMS)) {
      const chosen = names.splice(0, Math.min(step, room - won));
      const results = await Promise.all(chosen.map((name) => this.#claim(name)));
      won += results.filter((result) => result === 'won').length;
      if (2 * results.filter((result) => result === 'taken').length >= chosen.length) break;
      names = names.filter((name) => !this.#rests.has(shardOfName(name)));
    }
    return won;
  }

  /** `left`: only a newer process can work on it. `failed`: the store did not confirm. */
  async #claim(conversation: string): Promise<'won' | 'taken' | 'left' | 'failed'> {
    const { leases, observe, begin } = this.#parts;
    try {
      const claimed = await leases.claim(conversation);
      const result = typeof claimed === 'object' ? 'won' : claimed;
      observe.claim(result);
      if (typeof claimed === 'object') begin(claimed);
      if (this.#newer.size >= MAX_NEWER) this.#newer.clear();
      if (claimed === 'left') this.#newer.add(conversation);
      return result;
    } catch (error) {
      // The node may answer reads and refuse writes.
      this.#rest(shardOfName(conversation), error);
      return 'failed';
    }
  }

  /**
   * Conversations that are due: the oldest second first, in random order within a second, because processes
   * that all begin with the same one win few claims.
   */
  async #listDue(room: number, shards: number): Promise<string[]> {
    const { random } = this.#parts.runtime;
    const nowMs = this.#parts.runtime.monotonicMs();
    for (const [shard, untilMs] of this.#rests) if (untilMs <= nowMs) this.#rests.delete(shard);
    const asked = [...this.#noted].filter((shard) => !this.#rests.has(shard)).slice(0, shards);
    const lists = await Promise.all(asked.map((shard) => this.#list(shard, room)));
    return lists
      .flat()
      .map(({ member, score }) => ({ member, rank: Math.floor(score / 1000) + random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ member }) => member);
  }

  async #list(shard: number, limit: number): Promise<readonly ScoredMember[]> {
    // A note that comes meanwhile stays. A shard that fails is noted again behind all others.
    this.#noted.delete(shard);
    try {
      const range = { shard, upTo: 'now', limit: limit + this.#newer.size } as const;
      const { entries } = await this.#parts.store.list('due', range);
      if (entries.length > 0) this.#noted.add(shard);
      return entries.filter(({ member }) => !this.#newer.has(member));
    } catch (error) {
      this.#noted.add(shard);
      this.#rest(shard, error);
      return [];
    }
  }

  #rest(shard: number, error: unknown): void {
    this.#rests.set(shard, this.#parts.runtime.monotonicMs() + REST_MS);
    this.#parts.onError(error);
  }
}

const shardOfName = (conversation: string): number => shardOf(`c:${conversation}`);
