import { CONVERSATION } from '../../src/engine/transitions.ts';
import { type Key, type RecordStore, versionOf } from '../../src/store/port.ts';
import type { createLossyStore } from '../support/lossy-store.ts';
import type { Checks } from './checks.ts';
import type { Conduct } from './conduct.ts';
import type { Watched } from './watch.ts';
import type { World } from './world.ts';

type SharedStoreParts = {
  readonly lossy: ReturnType<typeof createLossyStore>;
  readonly records: Watched;
  readonly checks: Checks;
  readonly conduct: Conduct;
};

/** The store that all processes share, and what happens to it as a whole. */
export function createSharedStore(world: World, { lossy, records, checks, conduct }: SharedStoreParts) {
  const { chance, clock, count, trace } = world;
  /** The times of the swaps since the last replicated one: a failover may lose them. */
  let losable: number[] = [];

  const compareAndSwap: RecordStore['compareAndSwap'] = async (key, swap) => {
    const { swaps } = lossy;
    const swapped = await records.store.compareAndSwap(key, swap);
    const isDurable = swap.durable === true && !chance.happens(world.rates.unreplicated);
    if (swap.durable && !isDurable) count('intents not replicated');
    if (lossy.swaps > swaps) losable.push(clock.atMs);
    losable = isDurable ? [] : losable.slice(-190);
    if (!swapped.swapped) return swapped;
    checks.onSwapped(key, swap);
    conduct.onSwapped(key, swap.bytes, isDurable);
    return { ...swapped, durable: isDurable };
  };

  /** What a conversation's record has now: the checks expect no more. */
  async function noteLoss(key: Key, fromMs: number): Promise<void> {
    if (!key.startsWith('c:')) return;
    checks.onLost(key, { after: records.peek(key, (await lossy.read(key)).bytes), fromMs });
  }

  return {
    store: { ...records.store, compareAndSwap },

    /** A failover to a lagging replica loses the last writes. */
    async failOver(): Promise<void> {
      const lost = Math.min(losable.length, chance.between(1, 40));
      const fromMs = losable.at(-lost) ?? clock.atMs;
      conduct.onLoss();
      losable = [];
      count('failovers');
      trace(`the store fails over and loses its last ${lost} writes`);
      const keys = lost > 0 ? await lossy.lose(lost) : new Set<Key>();
      checks.losses.push({ fromMs, atMs: clock.atMs, keys });
      for (const key of keys) await noteLoss(key, fromMs);
    },

    /** Makes a record unreadable, or removes it; its index entries stay. */
    async damage(): Promise<void> {
      const chat = [...checks.chats.values()][chance.between(0, checks.chats.size - 1)];
      const bytes = chat && (await lossy.read(chat.key)).bytes;
      const record = chat && bytes && records.peek(chat.key, bytes);
      if (!chat || !bytes || !record) return;
      const kind = chance.happens(0.5) ? 'broken' : 'lost';
      const noise = Buffer.from(Array.from({ length: 40 }, () => chance.between(2, 255)));
      const left = kind === 'broken' ? noise : null;
      const isDue = CONVERSATION.entries('', record).some(({ index }) => index === 'due');
      count(`records ${kind}`);
      trace(`the record of ${chat.id} is ${kind}`);
      const keys = new Set([chat.key]);
      checks.losses.push({ fromMs: -Infinity, atMs: clock.atMs, keys, chat, damage: { left, isDue } });
      conduct.onLoss();
      losable.push(clock.atMs);
      const swap = { expected: versionOf(bytes), bytes: left, ttlMs: CONVERSATION.ttlMs, indexes: [] };
      await lossy.compareAndSwap(chat.key, swap);
      await noteLoss(chat.key, -Infinity);
    },
  };
}
