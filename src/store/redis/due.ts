import { SWEEP_MS } from '../mailbox.ts';
import { StoreUnavailable } from '../unavailable.ts';
import type { RedisClient } from './client.ts';
import { confirmed } from './confirmed.ts';
import { shardOf } from './keys.ts';
import { mostOf } from './most.ts';
import { SHARDS } from './tags.ts';

/** What this process knows of the shards' `due`, and the cheap reads that come before a claim. */
export type Due = {
  /** A conversation waits for whoever has room: its shard is looked at first. */
  waits(conversation: string): void;
  /** Its state is newer than ours: it is not offered again while it stays due. */
  leave(conversation: string): void;
  /** A command to its shard failed or hangs: the shard is left alone for a while. */
  unreachable(conversation: string): void;
  /** Its shard is not left alone. */
  isReachable(conversation: string): boolean;
  /**
   * Conversations that were due a moment ago, the oldest second first. Perhaps they no longer are: the claim decides.
   * Waits for no shard that hangs while others answer. Rejects if none answers.
   */
  look(room: number): Promise<string[]>;
};

type Found = { readonly atMs: number; readonly conversation: string };

/** Looks go round the shards in four parts, so that calls every `SWEEP_MS` see all within 2 s. */
const PARTS = 4;
const PART = SHARDS / PARTS;
/**
 * How many shards are looked at to fill this much room: most of those where something waits have one conversation, some
 * have none left.
 */
const looksFor = (room: number): number => Math.min(2 * room + 2, PART);
/** Once one shard or conversation has answered, the others are waited for this long. */
export const GRACE_MS = 100;
/** How long a shard that did not answer is left alone. */
const ALONE_MS = 1000;

export function watchDue({ commands, keys }: Pick<RedisClient, 'commands' | 'keys'>): Due {
  const waiting = new Set<number>();
  const left = new Map<number, Set<string>>();
  /** Until when shards are left alone, monotonic; `Infinity` while an answer is due from them. */
  const alone = new Map<number, number>();
  // Processes that start together should not look at the same shards together.
  let part = Math.floor(Math.random() * PARTS);
  let wentRoundMs = 0;
  /** How far Redis' clock is ahead of ours. */
  let aheadMs = 0;

  function nextPart(): number[] {
    part = (part + 1) % PARTS;
    wentRoundMs = performance.now();
    return Array.from({ length: PART }, (_, index) => part * PART + index);
  }

  const isAlone = (shard: number): boolean => (alone.get(shard) ?? 0) > performance.now();
  const leaveAlone = (shard: number): void => {
    alone.set(shard, performance.now() + ALONE_MS);
  };

  /** The head of one shard's `due`, without what was left to others. */
  async function head(shard: number, room: number): Promise<Found[]> {
    const skip = left.get(shard);
    const last = room + (skip?.size ?? 0) - 1;
    alone.set(shard, Number.POSITIVE_INFINITY);
    let flat: string[];
    try {
      flat = await confirmed(commands.zrange(keys().due(shard), 0, `${last}`, 'WITHSCORES'));
      alone.delete(shard);
    } catch (error) {
      leaveAlone(shard);
      throw error;
    }
    const found: Found[] = [];
    for (let index = 0; index < flat.length; index += 2) {
      found.push({ conversation: flat[index] ?? '', atMs: Number(flat[index + 1]) });
    }
    note(shard, found);
    if (skip === undefined) return found;
    const still = found.filter(({ conversation }) => skip.has(conversation));
    left.set(shard, new Set(still.map(({ conversation }) => conversation)));
    return found.filter(({ conversation }) => !skip.has(conversation));
  }

  /** Remembers where something waits, even where the answer comes too late for the look that asked. */
  function note(shard: number, found: readonly Found[]): void {
    const nowMs = Date.now() + aheadMs;
    if (found.some(({ atMs }) => atMs <= nowMs)) waiting.add(shard);
    else waiting.delete(shard);
  }

  /** Reads Redis' clock along with the shards; a wrong clock would only delay what the claim script decides. */
  async function readClock(): Promise<void> {
    const [seconds, micros] = await confirmed(commands.time());
    aheadMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000) - Date.now();
  }

  /** What is due in these shards, as far as they answer; null where none does. */
  async function read(shards: readonly number[], room: number): Promise<Found[] | null> {
    readClock().catch(() => {});
    const asked = shards.filter((shard) => !isAlone(shard));
    const answers = await mostOf(
      asked.map((shard) => head(shard, room)),
      GRACE_MS,
    );
    const nowMs = Date.now() + aheadMs;
    const heads = answers.flatMap((answer) => (answer?.status === 'fulfilled' ? [answer.value] : []));
    return heads.length === 0 ? null : heads.flat().filter(({ atMs }) => atMs <= nowMs);
  }

  return {
    waits: (conversation) => {
      waiting.add(shardOf(conversation));
    },

    leave(conversation) {
      const shard = shardOf(conversation);
      left.set(shard, (left.get(shard) ?? new Set()).add(conversation));
    },

    unreachable: (conversation) => leaveAlone(shardOf(conversation)),
    isReachable: (conversation) => !isAlone(shardOf(conversation)),

    async look(room) {
      const known = [...waiting].filter((shard) => !isAlone(shard)).slice(0, looksFor(room));
      const goRound = performance.now() - wentRoundMs >= SWEEP_MS / 2;
      const first = goRound ? [...new Set([...known, ...nextPart()])] : known;
      const found = first.length > 0 ? await read(first, room) : null;
      const more = !goRound && (found ?? []).length < room ? await read(nextPart(), room) : null;
      if (found === null && more === null) throw new StoreUnavailable('redis: no shard answers');
      return inTurn([...(found ?? []), ...(more ?? [])]);
    },
  };
}

/**
 * The oldest first, but in a random order within each second: processes that all began with the same conversation
 * would win few of their claims.
 */
function inTurn(found: readonly Found[]): string[] {
  return found
    .map(({ conversation, atMs }) => ({ conversation, rank: Math.floor(atMs / 1000) + Math.random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ conversation }) => conversation);
}
