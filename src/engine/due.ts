import type { Observe } from '../observability/metrics.ts';
import { type Entry, type RecordStore, SHARDS, StoreUnavailable, shardOf } from '../store/port.ts';
import type { Leased, Mailbox } from './mailbox.ts';
import type { World } from './world.ts';

/*
 * Who is due, and the leases of those: conversations whose lease ran out, messages that nobody took, wake-ups, replies
 * that were put off.
 */

export type Claims = {
  /** A conversation waits for whoever has room: its shard is looked at first; `afterMs`: from then on. */
  waits(conversation: string, afterMs?: number): void;
  /**
   * Takes the leases of up to `room` conversations that are due. All shards are seen within 2 s when this is called every
   * half second. Rejects with `StoreUnavailable` where no shard answers.
   */
  claim(room: number): Promise<readonly Leased[]>;
};

/** Looks go round the shards in four parts. */
const PARTS = 4;
const PART = SHARDS / PARTS;
const ROUND_MS = 250;
/** How many shards are looked at to fill this much room: most of those where something waits have one conversation. */
const looksFor = (room: number): number => Math.min(2 * room + 2, PART);
/**
 * How long a shard is left alone that did not answer, or did not take a lease: a look waits for the slowest of its shards, and
 * what is due elsewhere for what cannot be taken. Each time twice as long.
 */
const ALONE_MS = 2000;
const MAX_ALONE_MS = 16_000;
/** At most this many conversations are claimed at once. */
const MAX_STEP = 8;
/** What is put off for longer is found by the look at all shards. */
const AWAITED_MS = 10 * 60_000;

const shardOfName = (conversation: string): number => shardOf(`c:${conversation}`);

export function createClaims(options: {
  readonly store: Pick<RecordStore, 'list'>;
  readonly mailbox: Pick<Mailbox, 'take'>;
  readonly world: World;
  readonly observe: Pick<Observe, 'claim'>;
  /** Some shards fail while others do not. */
  onError(error: unknown): void;
}): Claims {
  const { store, mailbox, world, observe, onError } = options;
  const waiting = new Set<number>();
  /** What newer processes wrote is not offered again while it stays due. */
  const left = new Map<number, Set<string>>();
  /** Shards that are left alone: until when (monotonic), and for how long. */
  const alone = new Map<number, { readonly untilMs: number; readonly forMs: number }>();
  // Processes that start together should not look at the same shards together.
  let part = Math.floor(world.random() * PARTS);
  let wentRoundMs = Number.NEGATIVE_INFINITY;

  function nextPart(): number[] {
    part = (part + 1) % PARTS;
    wentRoundMs = world.monotonicMs();
    return Array.from({ length: PART }, (_, index) => part * PART + index);
  }

  const isAlone = (shard: number): boolean => (alone.get(shard)?.untilMs ?? 0) > world.monotonicMs();

  /** What fails in a shard holds up no other. */
  async function guarded<Result>(shard: number, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      const forMs = Math.min(2 * (alone.get(shard)?.forMs ?? ALONE_MS / 2), MAX_ALONE_MS);
      alone.set(shard, { untilMs: world.monotonicMs() + forMs, forMs });
      onError(error);
      throw error;
    }
  }

  /** What is due in one shard, without what was left to others. */
  async function dueIn(shard: number, room: number): Promise<Entry[]> {
    const skip = left.get(shard);
    const limit = room + (skip?.size ?? 0);
    const { entries } = await guarded(shard, () => store.list('due', { shard, upTo: 'now', limit }));
    if (entries.length > 0) waiting.add(shard);
    else {
      waiting.delete(shard);
      alone.delete(shard);
    }
    if (skip !== undefined) {
      left.set(shard, new Set(entries.map(({ member }) => member).filter((name) => skip.has(name))));
    }
    return entries.filter(({ member }) => !skip?.has(member));
  }

  /** What is due in these shards, as far as they answer; null where none does. */
  async function dueInAll(shards: readonly number[], room: number): Promise<Entry[] | null> {
    const asked = shards.filter((shard) => !isAlone(shard));
    const answers = await Promise.allSettled(asked.map((shard) => dueIn(shard, room)));
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return found.length === 0 ? null : found.flat();
  }

  /**
   * Conversations that were due a moment ago, the oldest second first, but in a random order within each: processes that all
   * began with the same one would win few of their claims.
   */
  async function look(room: number): Promise<string[]> {
    const known = [...waiting].filter((shard) => !isAlone(shard)).slice(0, looksFor(room));
    const goRound = world.monotonicMs() - wentRoundMs >= ROUND_MS;
    const first = goRound ? [...new Set([...known, ...nextPart()])] : known;
    const found = first.length > 0 ? await dueInAll(first, room) : null;
    const more = !goRound && (found ?? []).length < room ? await dueInAll(nextPart(), room) : null;
    if (found === null && more === null) throw new StoreUnavailable('no shard of the store answers');
    return [...(found ?? []), ...(more ?? [])]
      .map(({ member, score }) => ({ member, rank: Math.floor(score / 1000) + world.random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ member }) => member);
  }

  async function take(conversation: string): Promise<Leased | 'taken' | 'left'> {
    const shard = shardOfName(conversation);
    const taken = await guarded(shard, () => mailbox.take(conversation));
    alone.delete(shard);
    observe.claim(typeof taken === 'object' ? 'won' : taken);
    if (taken === 'left') {
      left.set(shard, (left.get(shard) ?? new Set()).add(conversation));
    }
    return taken;
  }

  return {
    waits(conversation, afterMs = 0) {
      if (afterMs > AWAITED_MS) return;
      const note = (): void => void waiting.add(shardOfName(conversation));
      if (afterMs > 0) world.timer(afterMs, note);
      else note();
    },

    /**
     * Other processes claim too, so the steps begin small and grow while most of it is won: where most was taken, others are
     * at the rest already.
     */
    async claim(room) {
      if (room <= 0) return [];
      let names = await look(room);
      const claimed: Leased[] = [];
      for (let step = 1; claimed.length < room && names.length > 0; step = Math.min(2 * step, MAX_STEP)) {
        const some = names.splice(0, Math.min(step, room - claimed.length));
        let [taken, failed] = [0, 0];
        for (const answer of await Promise.allSettled(some.map(take))) {
          if (answer.status === 'rejected') failed += 1;
          else if (typeof answer.value === 'object') claimed.push(answer.value);
          else if (answer.value === 'taken') taken += 1;
        }
        // A lease is renewed once it is at work: one that is won must not wait for one node that hangs after the other.
        if ((failed > 0 && claimed.length > 0) || 2 * taken >= some.length) break;
        if (failed > 0) names = names.filter((name) => !isAlone(shardOfName(name)));
      }
      return claimed;
    },
  };
}
