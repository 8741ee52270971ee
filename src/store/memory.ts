import {
  ASIDE_MS,
  asideOf,
  type Entry,
  type Index,
  type Key,
  type RecordStore,
  type Swap,
  shardOf,
  versionOf,
} from './port.ts';

export type MemoryOptions = {
  /** Whole milliseconds. */
  readonly clock: { nowMs(): number };
  /** How many of the last swaps `lose` can take back; 0 unless told. */
  readonly keep?: number;
};

/** The store of one process, which ends with it. Also the store of the simulator, which loses what a failover would. */
export type MemoryStore = RecordStore & {
  /** Takes the last `count` swaps back, as a failover does to a replica that lags; as far as they were kept. */
  lose(count: number): void;
};

type Stored = { readonly bytes: Uint8Array; readonly endsMs: number };

export function createMemoryStore({ clock, keep = 0 }: MemoryOptions): MemoryStore {
  const records = new Map<Key, Stored>();
  const indexes = new Map<string, SortedSet>();
  /** How each of the last swaps is taken back, the oldest first. */
  const past: (() => void)[] = [];

  function find(key: Key): Uint8Array | null {
    const stored = records.get(key);
    if (stored === undefined) return null;
    if (stored.endsMs > clock.nowMs()) return stored.bytes;
    records.delete(key);
    return null;
  }

  function indexOf(index: Index, shard: number): SortedSet {
    const name = `${index}:${shard}`;
    const found = indexes.get(name) ?? createSortedSet();
    indexes.set(name, found);
    return found;
  }

  /** Writes and returns how to take it back. */
  function write(key: Key, stored: Stored | undefined): () => void {
    const before = records.get(key);
    const put = (one: Stored | undefined): void => void (one ? records.set(key, one) : records.delete(key));
    put(stored);
    return () => put(before);
  }

  function file(set: SortedSet, member: string, score: number | null): () => void {
    const before = set.scoreOf(member);
    set.put(member, score);
    return () => set.put(member, before);
  }

  function execute(key: Key, found: Uint8Array | null, swap: Swap): void {
    const nowMs = clock.nowMs();
    const shard = shardOf(key);
    const undo: (() => void)[] = [];
    if (swap.aside && found !== null && isSame(versionOf(found), swap.expected)) {
      const aside = asideOf(key, versionOf(found));
      undo.push(write(aside, { bytes: found, endsMs: nowMs + ASIDE_MS }));
      undo.push(file(indexOf('broken', shard), aside, nowMs));
    }
    undo.push(write(key, swap.bytes ? { bytes: swap.bytes, endsMs: nowMs + swap.ttlMs } : undefined));
    for (const { index, member, score } of swap.indexes) {
      undo.push(file(indexOf(index, shard), member, score));
    }
    past.push(() => {
      for (const one of undo.reverse()) one();
    });
    if (past.length > keep) past.shift();
  }

  return {
    async read(key) {
      return { nowMs: clock.nowMs(), bytes: find(key) };
    },

    async swap(key, swap) {
      const nowMs = clock.nowMs();
      const found = find(key);
      const version = found && versionOf(found);
      const own = swap.bytes && versionOf(swap.bytes);
      if (!isSame(version, swap.expected) && !isSame(version, own)) {
        return { swapped: false, nowMs, bytes: found };
      }
      execute(key, found, swap);
      return { swapped: true, nowMs, durable: swap.durable === true };
    },

    async list(index, { shard, upTo, limit }) {
      const nowMs = clock.nowMs();
      const set = indexOf(index, shard);
      const count = upTo === 'ever' ? set.entries.length : set.countUpTo(nowMs);
      return { nowMs, count, entries: set.entries.slice(0, Math.min(count, limit)) };
    },

    health: async () => [],
    close: async () => {},

    lose(count) {
      for (const undo of past.splice(-count).reverse()) undo();
    },
  };
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.compare(one, other) === 0;
}

type SortedSet = ReturnType<typeof createSortedSet>;

/** Members by score, then by name, as Redis sorts them. */
function createSortedSet() {
  const entries: Entry[] = [];
  const scores = new Map<string, number>();

  /** Where an entry is, or would be. */
  function placeOf(member: string, score: number): number {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = entries[middle];
      if (at && (at.score < score || (at.score === score && at.member < member))) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  return {
    entries: entries as readonly Entry[],
    scoreOf: (member: string): number | null => scores.get(member) ?? null,
    countUpTo: (score: number): number => placeOf('', score + 1),
    put(member: string, score: number | null): void {
      const before = scores.get(member);
      if (before !== undefined) entries.splice(placeOf(member, before), 1);
      scores.delete(member);
      if (score === null) return;
      scores.set(member, score);
      entries.splice(placeOf(member, score), 0, { member, score });
    },
  };
}
