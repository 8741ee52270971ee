import type { Observe } from '../observability/metrics.ts';
import type { Runtime } from '../runtime.ts';
import { type RecordStore, type ScoredMember, SHARDS, StoreUnavailable, shardOf } from '../store/port.ts';
import type { Conversations, Lease } from './conversations.ts';
import type { EngineLimits } from './limits.ts';

export type SchedulerParts = {
  readonly store: Pick<RecordStore, 'list'>;
  readonly conversations: Pick<Conversations, 'claim'>;
  readonly runtime: Runtime;
  readonly limits: Pick<EngineLimits, 'concurrency' | 'sweepMs'>;
  readonly observe: Pick<Observe, 'claim'>;
  /** Begins to work on a conversation that was claimed, in a slot that `leave` frees. */
  begin(lease: Lease): void;
  /** A shard of the store, or the whole store, did not answer. It is asked again later. */
  onError(error: unknown): void;
};

/** The index is looked through in four parts, so that all shards are seen within 2 s. */
const PARTS = 4;
const PART = SHARDS / PARTS;
const ROUND_MS = 250;
/** A shard that fails rests, each further time for twice as long. A look waits for its slowest shard. */
const MIN_REST_MS = 2000;
const MAX_REST_MS = 16_000;
/** At most this many conversations are claimed at once. */
const MAX_CLAIMS = 8;
/** A conversation that is due later than this is found when its part is looked through. */
const MAX_NOTED_MS = 10 * 60_000;

/** `left`: only a newer process can work on it. `failed`: the store did not confirm. */
type ClaimOutcome = 'won' | 'taken' | 'left' | 'failed';

/**
 * Bounds the turns at work, and claims due conversations for the free slots: leases that ran out, messages
 * that no process took, wake-ups, and replies that wait.
 *
 * @example
 * scheduler.start();
 * if (scheduler.reserve()) void work(lease).finally(() => scheduler.leave());
 * else scheduler.schedule(conversation);
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  /** Shards that may have something due. They are looked at first. */
  readonly #noted = new Set<number>();
  /** Conversations of newer processes, by shard: they are not claimed again while they stay due. */
  readonly #left = new Map<number, Set<string>>();
  /** Until when shards rest (monotonic), and for how long this time. */
  readonly #resting = new Map<number, { readonly untilMs: number; readonly forMs: number }>();
  #part: number;
  #roundMs = Number.NEGATIVE_INFINITY;
  /** Slots in use. */
  #taken = 0;
  /** Whether something waits for a free slot. */
  #isWanted = false;
  #isFilling = false;
  #isRunning = false;
  isStopping = false;
  #onIdle: (() => void) | undefined;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    // Processes that start together should not look at the same shards together.
    this.#part = Math.floor(parts.runtime.random() * PARTS);
  }

  /** Begins to look for due conversations. */
  start(): void {
    this.#isRunning = true;
    this.#sweepLater();
  }

  /** Claims nothing more. Resolves when no slot is in use. */
  stop(): Promise<void> {
    this.#isRunning = false;
    this.isStopping = true;
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      this.#leave(0);
    });
  }

  /** Takes a slot, if one is free and the process is not stopping. */
  reserve(): boolean {
    if (this.isStopping || this.#taken >= this.#parts.limits.concurrency) return false;
    this.#taken += 1;
    return true;
  }

  /** Frees a slot. */
  leave(): void {
    this.#leave(1);
  }

  /** The conversation is due in `afterMs`. If that is now, it gets one of the next free slots. */
  schedule(conversation: string, afterMs = 0): void {
    if (afterMs > MAX_NOTED_MS) return;
    const note = (): void => {
      this.#noted.add(shardOfName(conversation));
      this.#isWanted = true;
      if (this.#taken < this.#parts.limits.concurrency) void this.fill();
    };
    if (afterMs > 0) this.#parts.runtime.timer(afterMs, note);
    else note();
  }

  /**
   * Claims due conversations for the free slots, half of them at a time: a claim may wait for a slow store,
   * and a message that comes meanwhile must find a slot.
   */
  async fill(): Promise<void> {
    if (this.#isFilling) return;
    this.#isFilling = true;
    do {
      const room = Math.ceil((this.#parts.limits.concurrency - this.#taken) / 2);
      if (room <= 0 || this.isStopping) break;
      this.#taken += room;
      this.#isWanted = false;
      const won = await this.#claimUpTo(room);
      this.#isWanted ||= won === room;
      this.#taken -= room - won;
    } while (this.#isWanted);
    this.#isFilling = false;
    this.#leave(0);
  }

  #leave(slots: number): void {
    this.#taken -= slots;
    if (this.#isWanted && slots > 0) void this.fill();
    if (this.#taken === 0) this.#onIdle?.();
  }

  /** One sweep at a time. */
  #sweepLater(): void {
    this.#parts.runtime.timer(this.#parts.limits.sweepMs, async () => {
      await this.fill();
      if (this.#isRunning) this.#sweepLater();
    });
  }

  /**
   * Claims up to `room` due conversations. Other processes claim as well: a process claims few at first, more
   * while it wins most of them, and stops when others win most.
   */
  async #claimUpTo(room: number): Promise<number> {
    let won = 0;
    try {
      let names = await this.#look(room);
      for (let step = 1; won < room && names.length > 0; step = Math.min(2 * step, MAX_CLAIMS)) {
        const chosen = names.splice(0, Math.min(step, room - won));
        const results = await Promise.all(chosen.map((name) => this.#claim(name)));
        won += results.filter((result) => result === 'won').length;
        if (2 * results.filter((result) => result === 'taken').length >= chosen.length) break;
        names = names.filter((name) => !this.#isResting(shardOfName(name)));
      }
    } catch (error) {
      this.#parts.onError(error);
    }
    return won;
  }

  async #claim(conversation: string): Promise<ClaimOutcome> {
    const { conversations, observe, begin } = this.#parts;
    const shard = shardOfName(conversation);
    try {
      const claimed = await conversations.claim(conversation);
      const result = typeof claimed === 'object' ? 'won' : claimed;
      this.#resting.delete(shard);
      observe.claim(result);
      if (typeof claimed === 'object') begin(claimed);
      if (claimed === 'left') this.#left.set(shard, (this.#left.get(shard) ?? new Set()).add(conversation));
      return result;
    } catch (error) {
      // The node may answer reads and refuse writes.
      this.#rest(shard, error);
      return 'failed';
    }
  }

  /**
   * Conversations that are due: the oldest second first, in random order within a second, because processes
   * that all begin with the same one win few claims. Rejects if no shard answers.
   */
  async #look(room: number): Promise<string[]> {
    const noted = [...this.#noted].filter((shard) => !this.#isResting(shard)).slice(0, 2 * room + 2);
    const isRound = this.#parts.runtime.monotonicMs() - this.#roundMs >= ROUND_MS;
    let due = await this.#listAll(isRound ? [...new Set([...noted, ...this.#nextPart()])] : noted, room);
    if (!isRound && (due ?? []).length < room) {
      const more = await this.#listAll(this.#nextPart(), room);
      due = due || more ? [...(due ?? []), ...(more ?? [])] : null;
    }
    if (due === null) throw new StoreUnavailable('no shard of the store answers');
    return due
      .map(({ member, score }) => ({
        member,
        rank: Math.floor(score / 1000) + this.#parts.runtime.random(),
      }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ member }) => member);
  }

  #nextPart(): number[] {
    this.#part = (this.#part + 1) % PARTS;
    this.#roundMs = this.#parts.runtime.monotonicMs();
    return Array.from({ length: PART }, (_, index) => this.#part * PART + index);
  }

  /** What is due in these shards; null if none of them answers. */
  async #listAll(shards: readonly number[], limit: number): Promise<ScoredMember[] | null> {
    const asked = shards.filter((shard) => !this.#isResting(shard));
    const lists = await Promise.all(asked.map((shard) => this.#list(shard, limit)));
    const answers = lists.filter((entries) => entries !== null);
    return answers.length === 0 ? null : answers.flat();
  }

  /** Null: the shard does not answer. */
  async #list(shard: number, limit: number): Promise<readonly ScoredMember[] | null> {
    const left = this.#left.get(shard) ?? new Set();
    try {
      const range = { shard, upTo: 'now', limit: limit + left.size } as const;
      const { entries } = await this.#parts.store.list('due', range);
      if (entries.length > 0) this.#noted.add(shard);
      else {
        this.#noted.delete(shard);
        this.#resting.delete(shard);
      }
      if (left.size === 0) return entries;
      const stillDue = entries.map(({ member }) => member).filter((member) => left.has(member));
      this.#left.set(shard, new Set(stillDue));
      return entries.filter(({ member }) => !left.has(member));
    } catch (error) {
      this.#rest(shard, error);
      return null;
    }
  }

  /** A shard that fails must not hold up the others. */
  #rest(shard: number, error: unknown): void {
    const { forMs = MIN_REST_MS / 2 } = this.#resting.get(shard) ?? {};
    const longer = Math.min(2 * forMs, MAX_REST_MS);
    this.#resting.set(shard, { untilMs: this.#parts.runtime.monotonicMs() + longer, forMs: longer });
    this.#parts.onError(error);
  }

  #isResting(shard: number): boolean {
    return (this.#resting.get(shard)?.untilMs ?? 0) > this.#parts.runtime.monotonicMs();
  }
}

const shardOfName = (conversation: string): number => shardOf(`c:${conversation}`);
