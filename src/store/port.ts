import { crc32 } from 'node:zlib';

/**
 * Keeps records. A store knows sealed bytes and nothing of their content. Rules for every implementation,
 * held by one contract suite (`test/contract/records.ts`):
 * - Each method is one atomic step in one slot. A record and its index entries change together or not at all.
 * - Time is the clock of the record's own node, cut to whole milliseconds: a lower bound.
 * - Each method rejects with `StoreUnavailable` if the store did not confirm. A swap may have executed all
 *   the same; the caller simply sends it again.
 *
 * @example
 * const { nowMs, bytes } = await store.read(key);
 * const next = seal(change(open(bytes), nowMs));
 * const swap = { expected: bytes && versionOf(bytes), bytes: next, ttlMs: 180 * DAY_MS };
 * const indexes = [{ index: 'due', member: name, score: nowMs }] as const;
 * const swapped = await store.compareAndSwap(key, { ...swap, indexes });
 * if (!swapped.swapped) return tryAgainFrom(swapped.bytes);
 */
export interface RecordStore {
  /** Reads the record; `bytes` is null if there is none (any more). */
  read(key: Key): Promise<{ readonly nowMs: number; readonly bytes: Uint8Array | null }>;

  /**
   * Replaces the record if its version is the expected one, and changes indexes with it. Idempotent: if the
   * record already has the version of `bytes`, the swap executes again. Otherwise nothing changes, and the
   * answer is the record that is there.
   */
  compareAndSwap(key: Key, swap: Swap): Promise<Swapped>;

  /**
   * Lists entries of one shard's index, the lowest score first, and counts them. `now`: those whose score the
   * node's clock has reached; `ever`: all. It opens no record. `limit` 0 only counts.
   */
  list(index: Index, range: Range): Promise<Listed>;

  /**
   * Tells within 2 s whether a record could be stored now: it writes what a swap would write to every node,
   * as durably, at most once a second. Answers the store's faults, one line each for operators (none:
   * healthy). Rejects with `StoreUnavailable` if no node takes it; the message has a line for each node.
   */
  health(): Promise<string[]>;
}

/** `kind:name`, or `kind:name:more`. Records and index entries of one name share a slot. */
export type Key = `${string}:${string}`;

/**
 * - `due`: when somebody must look at the conversation: a lease ends, a message waits, a wake-up comes.
 * - `undelivered`: a reply was put off; scored by when the first one was made.
 * - `intents`: a call without an outcome; scored by when it was about to be made.
 * - `dead`: a dead letter. `tickets`: a person has taken over.
 * - `unclear`: sentences that were not understood; scored by minus when the last one was written.
 * - `broken`: the key of a record that could not be opened and was put aside; only the swap files it.
 */
export const INDEXES = ['due', 'undelivered', 'intents', 'dead', 'tickets', 'unclear', 'broken'] as const;
export type Index = (typeof INDEXES)[number];
/** Indexes whose members are names of records, without more parts. */
export const NAMED_INDEXES = ['due', 'undelivered', 'dead', 'unclear'] as const;

/** Whether a record may ask for an entry in the index of that name. */
export const isIndex = (name: string): name is Exclude<Index, 'broken'> =>
  name !== 'broken' && INDEXES.some((index) => index === name);

/**
 * Files a member under a score (epoch ms) in its record's shard; null removes it. A member is a record's
 * name, with more parts behind a colon if one record has several.
 */
export type IndexChange = {
  readonly index: Exclude<Index, 'broken'>;
  readonly member: string;
  readonly score: number | null;
};

export type Swap = {
  /** The version to replace; null: there is no record. */
  readonly expected: Uint8Array | null;
  /** The new record, which begins with its version; null removes the record. */
  readonly bytes: Uint8Array | null;
  readonly ttlMs: number;
  readonly indexes: readonly IndexChange[];
  /** The present record cannot be opened: keep it under `asideOf` for `ASIDE_MS`, in the index `broken`. */
  readonly aside?: boolean;
  /** The answer waits until as many replicas have it as the operator wants (`REDIS_WAIT_REPLICAS`). */
  readonly durable?: boolean;
};

/**
 * `durable`: the swap asked for it, and enough replicas acknowledged (or none is wanted). If it asked and got
 * false, the swap executed, but a failover may lose it.
 */
export type Swapped =
  | { readonly swapped: true; readonly nowMs: number; readonly durable: boolean }
  | { readonly swapped: false; readonly nowMs: number; readonly bytes: Uint8Array | null };

export type Range = { readonly shard: number; readonly upTo: 'now' | 'ever'; readonly limit: number };

/** `count`: how many entries are in that range, also beyond the limit. */
export type Listed = { readonly nowMs: number; readonly count: number; readonly entries: readonly Entry[] };
export type Entry = { readonly member: string; readonly score: number };

/** A record begins with its version: the schema (1 byte) and the seal's nonce (12). It never comes again. */
export const versionOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, 13);

export const ASIDE_MS = 180 * 24 * 60 * 60 * 1000;

/** The key that keeps a broken record of this version. */
export const asideOf = (key: Key, version: Uint8Array): Key =>
  `broken:${key.split(':')[1]}:${Buffer.from(version).toString('hex')}`;

/** Records are spread over so many shards; each has indexes of its own. */
export const SHARDS = 256;

export function shardOf(key: Key): number {
  const from = key.indexOf(':') + 1;
  const to = key.indexOf(':', from);
  return crc32(to < 0 ? key.slice(from) : key.slice(from, to)) % SHARDS;
}

/**
 * Keeps a conversation's last `FEED_LENGTH` events until `FEED_MS` after the latest, and tells followers in
 * all processes of new ones. Each method rejects with `StoreUnavailable` if the store did not confirm.
 *
 * @example
 * const unfollow = await feed.follow(conversation, lastSeen, ({ seq, body }) => show(seq, body));
 * await feed.publish(conversation, { seq: 7, body });
 * unfollow();
 */
export interface Feed {
  /**
   * Appends an event and tells the followers. Idempotent: drops an event if its seq is not above the last.
   * `forget` drops the stored events before it, in the same step.
   *
   * @example
   * await feed.publish(conversation, { seq: 8, body }, { forget: true });
   */
  publish(conversation: string, event: FeedEvent, options?: { readonly forget: boolean }): Promise<void>;
  /**
   * Calls `onEvent` for every stored event with a seq above `afterSeq`, then for every new one, in order and
   * once each, until the returned function is called. Resolves when no new event can be missed any more.
   */
  follow(conversation: string, afterSeq: number, onEvent: (event: FeedEvent) => void): Promise<() => void>;
  close(): Promise<void>;
}

/** `seq` is the outbox number of the reply; `body` is opaque sealed bytes. */
export type FeedEvent = { readonly seq: number; readonly body: Buffer };
export const FEED_LENGTH = 100;
export const FEED_MS = 60 * 60 * 1000;

/** This process must not use this store. The message is one line for the operator who starts the process. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** The store did not confirm in time or cannot be reached. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
