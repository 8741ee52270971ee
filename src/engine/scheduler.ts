import type { Observe } from '../observability/metrics.ts';
import type { Runtime } from '../runtime.ts';
import { type Entry, type RecordStore, SHARDS, StoreUnavailable, shardOf } from '../store/port.ts';
import type { Claimed, Conversations, Lease } from './conversations.ts';

/** The index is looked through in four parts. */
const PARTS = 4;
const PART = SHARDS / PARTS;
const ROUND_MS = 250;
/** How many shards are looked at to fill this much room: most shards where something waits have one conversation. */
const looksFor = (room: number): number => Math.min(2 * room + 2, PART);
/**
 * How long a shard rests whose node did not answer or takes no writes: a look waits for the slowest of its shards. It grows
 * with each further failure, so that the shards of one node that fails leave room for the others.
 */
const REST_MS = 2000;
const MAX_REST_MS = 16_000;
/** At most this many conversations are claimed at once. */
const MAX_CLAIMS = 8;
/** What is put off for longer is found when all shards are looked at. */
const NOTED_MS = 10 * 60_000;

const shardOfName = (conversation: string): number => shardOf(`c:${conversation}`);

/**
 * Polls the index of due conversations and claims their leases: leases that ran out, messages that nobody took, wake-ups,
 * replies that were put off.
 *
 * @example
 * scheduler.dueAfter(conversation, 2000);
 * for (const lease of await scheduler.claim(8)) void worker.run(lease);
 */
export class Scheduler {
  readonly #store: Pick<RecordStore, 'list'>;
  readonly #conversations: Pick<Conversations, 'claim'>;
  readonly #runtime: Runtime;
  readonly #observe: Pick<Observe, 'claim'>;
  readonly #onError: (error: unknown) => void;
  /** Shards where something waits, as far as is known: they are looked at first. */
  readonly #waiting = new Set<number>();
  /** Conversations for newer processes, by shard: they are not claimed again while they stay due. */
  readonly #left = new Map<number, Set<string>>();
  /** Shards that rest, until when (monotonic), and for how long the last time. */
  readonly #resting = new Map<number, { readonly untilMs: number; readonly forMs: number }>();
  #part: number;
  #roundMs = Number.NEGATIVE_INFINITY;

  constructor(parts: {
    readonly store: Pick<RecordStore, 'list'>;
    readonly conversations: Pick<Conversations, 'claim'>;
    readonly runtime: Runtime;
    readonly observe: Pick<Observe, 'claim'>;
    /** A shard failed while others did not. */
    onError(error: unknown): void;
  }) {
    this.#store = parts.store;
    this.#conversations = parts.conversations;
    this.#runtime = parts.runtime;
    this.#observe = parts.observe;
    this.#onError = parts.onError;
    // Processes that start together should not look at the same shards together.
    this.#part = Math.floor(parts.runtime.random() * PARTS);
  }

  /** A conversation is due after `afterMs`: its shard is looked at first from then on. */
  dueAfter(conversation: string, afterMs = 0): void {
    if (afterMs > NOTED_MS) return;
    const note = (): void => void this.#waiting.add(shardOfName(conversation));
    if (afterMs > 0) this.#runtime.timer(afterMs, note);
    else note();
  }

  /**
   * Takes the leases of up to `room` conversations that are due. All shards are seen within 2 s when this is called every
   * half second. Rejects with `StoreUnavailable` where no shard answers.
   *
   * Other processes claim as well, so the steps begin small and grow while most claims are won: where most are lost, others
   * work through the rest already.
   */
  async claim(room: number): Promise<readonly Lease[]> {
    if (room <= 0) return [];
    let names = await this.#look(room);
    const leases: Lease[] = [];
    for (let step = 1; leases.length < room && names.length > 0; step = Math.min(2 * step, MAX_CLAIMS)) {
      const some = names.splice(0, Math.min(step, room - leases.length));
      let [lost, failed] = [0, 0];
      for (const claimed of await Promise.allSettled(some.map((name) => this.#claim(name)))) {
        if (claimed.status === 'rejected') failed += 1;
        else if (typeof claimed.value === 'object') leases.push(claimed.value);
        else if (claimed.value === 'taken') lost += 1;
      }
      // A lease is renewed once it is at work, so one that is won must not wait for nodes that hang.
      if ((failed > 0 && leases.length > 0) || 2 * lost >= some.length) break;
      if (failed > 0) names = names.filter((name) => !this.#isResting(shardOfName(name)));
    }
    return leases;
  }

  async #claim(conversation: string): Promise<Claimed> {
    const shard = shardOfName(conversation);
    try {
      const claimed = await this.#conversations.claim(conversation);
      this.#resting.delete(shard);
      this.#observe.claim(typeof claimed === 'object' ? 'won' : claimed);
      if (claimed === 'left') this.#left.set(shard, (this.#left.get(shard) ?? new Set()).add(conversation));
      return claimed;
    } catch (error) {
      // The node may read and take no writes.
      this.#rest(shard, error);
      throw error;
    }
  }

  /**
   * Conversations that are due, the oldest second first, in a random order within each second: processes that all began with
   * the same one would win few of their claims.
   */
  async #look(room: number): Promise<string[]> {
    const noted = [...this.#waiting].filter((shard) => !this.#isResting(shard)).slice(0, looksFor(room));
    const isRound = this.#runtime.monotonicMs() - this.#roundMs >= ROUND_MS;
    const first = isRound ? [...new Set([...noted, ...this.#nextPart()])] : noted;
    const due = first.length > 0 ? await this.#dueInAll(first, room) : null;
    const more = !isRound && (due ?? []).length < room ? await this.#dueInAll(this.#nextPart(), room) : null;
    if (due === null && more === null) throw new StoreUnavailable('no shard of the store answers');
    return [...(due ?? []), ...(more ?? [])]
      .map(({ member, score }) => ({ member, rank: Math.floor(score / 1000) + this.#runtime.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ member }) => member);
  }

  #nextPart(): number[] {
    this.#part = (this.#part + 1) % PARTS;
    this.#roundMs = this.#runtime.monotonicMs();
    return Array.from({ length: PART }, (_, index) => this.#part * PART + index);
  }

  /** What is due in these shards, as far as they answer; null where none does. */
  async #dueInAll(shards: readonly number[], room: number): Promise<Entry[] | null> {
    const asked = shards.filter((shard) => !this.#isResting(shard));
    const answers = await Promise.allSettled(asked.map((shard) => this.#dueIn(shard, room)));
    const entries = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return entries.length === 0 ? null : entries.flat();
  }

  async #dueIn(shard: number, room: number): Promise<Entry[]> {
    const left = this.#left.get(shard);
    const limit = room + (left?.size ?? 0);
    try {
      const { entries } = await this.#store.list('due', { shard, upTo: 'now', limit });
      if (entries.length > 0) this.#waiting.add(shard);
      else {
        this.#waiting.delete(shard);
        this.#resting.delete(shard);
      }
      if (left === undefined) return [...entries];
      const isLeft = ({ member }: Entry): boolean => left.has(member);
      this.#left.set(shard, new Set(entries.filter(isLeft).map(({ member }) => member)));
      return entries.filter((entry) => !isLeft(entry));
    } catch (error) {
      this.#rest(shard, error);
      throw error;
    }
  }

  /** A shard that fails holds up no other one. */
  #rest(shard: number, error: unknown): void {
    const { forMs = REST_MS / 2 } = this.#resting.get(shard) ?? {};
    const longer = Math.min(2 * forMs, MAX_REST_MS);
    this.#resting.set(shard, { untilMs: this.#runtime.monotonicMs() + longer, forMs: longer });
    this.#onError(error);
  }

  #isResting(shard: number): boolean {
    return (this.#resting.get(shard)?.untilMs ?? 0) > this.#runtime.monotonicMs();
  }
}
