import { ASIDE_MS, asideOf, type Key, type RecordStore, shardOf, versionOf } from './port.ts';

type Stored = { readonly bytes: Uint8Array; readonly endsMs: number };

/** The store of one process, which ends with it. `clock`: whole milliseconds. */
export function createMemoryStore(clock: { nowMs(): number }): RecordStore {
  const records = new Map<Key, Stored>();
  /** The scores of members, by index and shard. */
  const indexes = new Map<string, Map<string, number>>();

  function find(key: Key): Uint8Array | null {
    const stored = records.get(key);
    if (stored === undefined) return null;
    if (stored.endsMs > clock.nowMs()) return stored.bytes;
    records.delete(key);
    return null;
  }

  function file(index: string, member: string, score: number | null): void {
    const scores = indexes.get(index) ?? new Map<string, number>();
    indexes.set(index, scores);
    if (score === null) scores.delete(member);
    else scores.set(member, score);
  }

  return {
    async read(key) {
      return { nowMs: clock.nowMs(), bytes: find(key) };
    },

    async compareAndSwap(key, { expected, bytes, ttlMs, indexes: changes, aside, durable = false }) {
      const nowMs = clock.nowMs();
      const found = find(key);
      const version = found && versionOf(found);
      const isExpected = isSame(version, expected);
      if (!isExpected && !isSame(version, bytes && versionOf(bytes))) {
        return { swapped: false, nowMs, bytes: found };
      }
      const shard = shardOf(key);
      if (aside && found !== null && isExpected) {
        const place = asideOf(key, versionOf(found));
        records.set(place, { bytes: found, endsMs: nowMs + ASIDE_MS });
        file(`broken:${shard}`, place, nowMs);
      }
      if (bytes === null) records.delete(key);
      else records.set(key, { bytes, endsMs: nowMs + ttlMs });
      for (const { index, member, score } of changes) file(`${index}:${shard}`, member, score);
      return { swapped: true, nowMs, durable };
    },

    async list(index, { shard, upTo, limit }) {
      const nowMs = clock.nowMs();
      const entries = [...(indexes.get(`${index}:${shard}`) ?? [])]
        .filter(([, score]) => upTo === 'ever' || score <= nowMs)
        .map(([member, score]) => ({ member, score }))
        .sort((a, b) => a.score - b.score || (a.member < b.member ? -1 : 1));
      return { nowMs, count: entries.length, entries: entries.slice(0, limit) };
    },

    health: async () => [],
  };
}

function isSame(one: Uint8Array | null, other: Uint8Array | null): boolean {
  if (one === null || other === null) return one === other;
  return Buffer.compare(one, other) === 0;
}
