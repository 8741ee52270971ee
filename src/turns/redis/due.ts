import type { Cluster, Redis } from 'ioredis';
import { SWEEP_MS } from '../mailbox.ts';
import { confirmed } from './confirmed.ts';
import { dueKey, SHARDS, shardOf } from './keys.ts';

/** What this process knows of the shards' `due`, and the cheap reads that come before a claim. */
export type Due = {
  /** A conversation waits for whoever has room: its shard is looked at first. */
  waits(conversation: string): void;
  /** Its state is newer than ours: it is not offered again while it stays due. */
  leave(conversation: string): void;
  /** Conversations that were due a moment ago, oldest first. Perhaps they are no more: the claim decides. */
  look(room: number): Promise<string[]>;
};

type Found = { readonly atMs: number; readonly conversation: string };

/** Looks go round the shards in four parts, so that calls every `SWEEP_MS` see all within 2 s. */
const PARTS = 4;
const PART = SHARDS / PARTS;
/** So many of the shards where conversations wait are looked at for so much room: most have one, some have none left. */
const looksFor = (room: number): number => Math.min(2 * room + 2, PART);

export function watchDue(commands: Redis | Cluster): Due {
  const waiting = new Set<number>();
  const left = new Map<number, Set<string>>();
  // Processes that start together should not look at the same shards together.
  let part = Math.floor(Math.random() * PARTS);
  let wentRoundMs = 0;

  function nextPart(): number[] {
    part = (part + 1) % PARTS;
    wentRoundMs = performance.now();
    return Array.from({ length: PART }, (_, index) => part * PART + index);
  }

  /** The head of one shard's `due`, without what was left to others. */
  async function head(shard: number, room: number): Promise<Found[]> {
    const skip = left.get(shard);
    const last = room + (skip?.size ?? 0) - 1;
    const flat = await confirmed(commands.zrange(dueKey(shard), 0, `${last}`, 'WITHSCORES'));
    const found: Found[] = [];
    for (let index = 0; index < flat.length; index += 2) {
      found.push({ conversation: flat[index] ?? '', atMs: Number(flat[index + 1]) });
    }
    if (skip === undefined) return found;
    const still = found.filter(({ conversation }) => skip.has(conversation));
    left.set(shard, new Set(still.map(({ conversation }) => conversation)));
    return found.filter(({ conversation }) => !skip.has(conversation));
  }

  /** Redis' clock, asked in the same breath; a wrong clock would only delay what the claim script decides. */
  async function clock(): Promise<number> {
    const [seconds, micros] = await confirmed(commands.time());
    return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  }

  /** What is due in these shards; those of a node that cannot be reached are left out, unless that is all of them. */
  async function read(shards: readonly number[], room: number): Promise<Found[]> {
    const asked = clock().catch(() => Date.now());
    const heads = await Promise.allSettled(shards.map((shard) => head(shard, room)));
    const nowMs = await asked;
    const [first] = heads;
    if (first?.status === 'rejected' && heads.every(({ status }) => status === 'rejected'))
      throw first.reason;
    return heads.flatMap((answer, index) => {
      if (answer.status === 'rejected') return [];
      const due = answer.value.filter(({ atMs }) => atMs <= nowMs);
      const shard = shards[index] ?? 0;
      waiting.delete(shard);
      if (due.length > 0) waiting.add(shard);
      return due;
    });
  }

  return {
    waits: (conversation) => {
      waiting.add(shardOf(conversation));
    },

    leave(conversation) {
      const shard = shardOf(conversation);
      left.set(shard, (left.get(shard) ?? new Set()).add(conversation));
    },

    async look(room) {
      const known = [...waiting].slice(0, looksFor(room));
      const goRound = performance.now() - wentRoundMs >= SWEEP_MS / 2;
      const shards = goRound ? [...new Set([...known, ...nextPart()])] : known;
      const found = shards.length > 0 ? await read(shards, room) : [];
      if (!goRound && found.length < room) found.push(...(await read(nextPart(), room)));
      return found.sort((a, b) => a.atMs - b.atMs).map(({ conversation }) => conversation);
    },
  };
}
