import type { Feed, FeedEvent, Key, RecordStore } from './port.ts';
import { ASIDE_MS, asideOf, FEED_LENGTH, FEED_MS, shardOf, versionOf } from './port.ts';

type StoredRecord = { readonly bytes: Uint8Array; readonly endsMs: number };

/** A record store inside one process, which ends with it. `clock` tells whole milliseconds. */
export function createMemoryStore(clock: { nowMs(): number }): RecordStore {
  const records = new Map<Key, StoredRecord>();
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
      const present = find(key);
      const isExpected = isSame(present && versionOf(present), expected);
      if (!isExpected && !isSame(present && versionOf(present), bytes && versionOf(bytes))) {
        return { swapped: false, nowMs, bytes: present };
      }
      const shard = shardOf(key);
      if (aside && present !== null && isExpected) {
        const asideKey = asideOf(key, versionOf(present));
        records.set(asideKey, { bytes: present, endsMs: nowMs + ASIDE_MS });
        file(`broken:${shard}`, asideKey, nowMs);
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

function isSame(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

/** A feed inside one process, which ends with it. */
export function createMemoryFeed(feedMs = FEED_MS): Feed {
  /** The log that ends first is the first one. */
  const logs = new Map<string, { events: readonly FeedEvent[]; endsMs: number }>();
  const followers = new Map<string, Set<(event: FeedEvent) => void>>();

  function removeEnded(): void {
    for (const [conversation, { endsMs }] of logs) {
      if (endsMs > Date.now()) return;
      logs.delete(conversation);
    }
  }

  return {
    async publish(conversation, event, { forget } = { forget: false }) {
      removeEnded();
      const { events = [] } = logs.get(conversation) ?? {};
      if (event.seq <= (events.at(-1)?.seq ?? 0)) return;
      logs.delete(conversation);
      const last = forget ? [event] : [...events, event].slice(-FEED_LENGTH);
      logs.set(conversation, { events: last, endsMs: Date.now() + feedMs });
      for (const follower of followers.get(conversation) ?? []) follower(event);
    },

    async follow(conversation, afterSeq, onEvent) {
      removeEnded();
      const show = (event: FeedEvent): void => {
        if (event.seq > afterSeq) onEvent(event);
      };
      logs.get(conversation)?.events.forEach(show);
      const group = followers.get(conversation) ?? new Set();
      followers.set(conversation, group.add(show));
      return () => {
        group.delete(show);
        if (group.size === 0 && followers.get(conversation) === group) followers.delete(conversation);
      };
    },

    close: async () => followers.clear(),
  };
}
