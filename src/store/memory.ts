import { type Runtime, systemRuntime } from '../runtime.ts';
import { type EventLog, PolledFeed } from './feed.ts';
import type { FeedEvent, Key, RecordStore } from './port.ts';
import { ASIDE_MS, asideOf, FEED_LENGTH, FEED_MS, isSameVersion, shardOf, versionOf } from './port.ts';

type StoredRecord = { readonly bytes: Uint8Array; readonly endsMs: number };

/** Keeps records inside one process; they end with it. */
export function createMemoryStore(runtime: Pick<Runtime, 'nowMs'>): RecordStore {
  const records = new Map<Key, StoredRecord>();
  /** The scores of members, by index and shard. */
  const indexes = new Map<string, Map<string, number>>();

  function file(index: string, member: string, score: number | null): void {
    const scores = indexes.get(index) ?? new Map<string, number>();
    indexes.set(index, scores);
    if (score === null) scores.delete(member);
    else scores.set(member, score);
  }

  return {
    async read(key) {
      const nowMs = runtime.nowMs();
      const stored = records.get(key);
      return { nowMs, bytes: stored && stored.endsMs > nowMs ? stored.bytes : null };
    },

    async compareAndSwap(key, { expected, bytes, ttlMs, indexes: changes, aside, durable = false }) {
      const nowMs = runtime.nowMs();
      const stored = records.get(key);
      const present = stored && stored.endsMs > nowMs ? stored.bytes : null;
      // Mostly it is the very record that was stored.
      const isExpected = present === expected || isSameVersion(present, expected);
      if (!isExpected && !isSameVersion(present, bytes)) return { swapped: false, nowMs, bytes: present };
      if (aside && present !== null && isExpected) {
        const asideKey = asideOf(key, versionOf(present));
        records.set(asideKey, { bytes: present, endsMs: nowMs + ASIDE_MS });
        const broken = `broken:${shardOf(key)}`;
        file(broken, asideKey, nowMs);
        for (const [member, atMs] of indexes.get(broken) ?? [])
          if (atMs <= nowMs - ASIDE_MS) file(broken, member, null);
      }
      if (bytes === null) records.delete(key);
      else records.set(key, { bytes, endsMs: nowMs + ttlMs });
      for (const { index, member, score } of changes) file(`${index}:${shardOf(key)}`, member, score);
      return { swapped: true, nowMs, durable };
    },

    async list(index, { shard, upTo, limit }) {
      const nowMs = runtime.nowMs();
      const entries = [...(indexes.get(`${index}:${shard}`) ?? [])]
        .filter(([, score]) => upTo === 'ever' || score <= nowMs)
        .map(([member, score]) => ({ member, score }))
        .sort((a, b) => a.score - b.score || (a.member < b.member ? -1 : 1));
      return { nowMs, count: entries.length, entries: entries.slice(0, limit) };
    },

    health: async () => [],
  };
}

type MemoryFeedOptions = { readonly feedMs?: number; readonly runtime?: Pick<Runtime, 'nowMs' | 'timer'> };

/** A feed inside one process; it ends with it. */
export function createMemoryFeed({ feedMs = FEED_MS, runtime = systemRuntime }: MemoryFeedOptions = {}) {
  /** In the order of `endsMs`. */
  const logs = new Map<string, { readonly events: readonly FeedEvent[]; readonly endsMs: number }>();

  function removeEnded(): void {
    for (const [conversation, { endsMs }] of logs) {
      if (endsMs > runtime.nowMs()) return;
      logs.delete(conversation);
    }
  }

  const log: EventLog = {
    async append(conversation, event, forget) {
      removeEnded();
      const { events = [] } = logs.get(conversation) ?? {};
      if (event.seq <= (events.at(-1)?.seq ?? 0)) return;
      logs.delete(conversation);
      const stored = forget ? [event] : [...events, event].slice(-FEED_LENGTH);
      logs.set(conversation, { events: stored, endsMs: runtime.nowMs() + feedMs });
    },

    async read(conversation, afterSeq) {
      removeEnded();
      return logs.get(conversation)?.events.filter(({ seq }) => seq > afterSeq) ?? [];
    },
  };
  return new PolledFeed(log, { runtime });
}
