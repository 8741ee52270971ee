import { crc32 } from 'node:zlib';

/**
 * Keeps records. A store knows sealed bytes and nothing of their content. Rules for every implementation,
 * held by one contract suite (`test/contract/records.ts`):
 * - Each method is one atomic step in one slot. A record and its index entries change together or not at all.
 * - Time is the clock of the record's own node, epoch ms, cut to whole milliseconds: a lower bound.
 * - Each method rejects with `StoreUnavailable` if the store did not confirm. A swap may have executed all
 *   the same; the caller simply sends it again.
 */
export interface RecordStore {
  /**
   * Reads the record; `bytes` is null if it does not exist or has expired.
   *
   * @example
   * const { nowMs, bytes } = await store.read('c:name');
   */
  read(key: Key): Promise<StoredBytes>;

  /**
   * Replaces the record if its version is the expected one, and changes indexes with it. Idempotent: if the
   * record already has the version of `bytes`, the swap executes again. Otherwise nothing changes, and the
   * answer is the record that is there.
   *
   * @example
   * const swapped = await store.compareAndSwap('c:name', {
   *   expected: bytes,
   *   bytes: next,
   *   ttlMs: 180 * DAY_MS,
   *   indexes: [{ index: 'due', member: 'name', score: nowMs }],
   * });
   * if (!swapped.swapped) return tryAgainFrom(swapped.bytes);
   */
  compareAndSwap(key: Key, swap: Swap): Promise<Swapped>;

  /**
   * Lists entries of one shard's index, the lowest score first, and counts them. `now`: those whose score the
   * node's clock has reached; `ever`: all. `limit` 0 only counts.
   *
   * @example
   * const { entries } = await store.list('due', { shard: shardOf(key), upTo: 'now', limit: 50 });
   */
  list(index: Index, range: Range): Promise<Listed>;

  /**
   * Tells within 2 s whether a record could be stored now: it writes what a swap would write to every node,
   * as durably, at most once a second. Resolves to the store's faults, a line for operators each; none if it
   * is healthy. Rejects with `StoreUnavailable` if no node takes it; the message has a line for each node.
   *
   * @example
   * const faults = await store.health(); // ['redis: appendonly is off: …, set appendonly yes']
   */
  health(): Promise<string[]>;
}

/** `kind:name`, or `kind:name:more`. Records and index entries of one name share a slot. */
export type Key = `${string}:${string}`;

/**
 * - `due`: the conversation needs work at that time: a lease ends, a message waits, a wake-up comes.
 * - `undelivered`: a reply waits; scored by the time of the first one.
 * - `intents`: a call without an outcome; scored by the time of the intent.
 * - `dead`: a dead letter. `tickets`: a person has taken over.
 * - `unclear`: sentences that were not understood; scored by minus the time of the last one.
 * - `broken`: the key of a record that could not be opened and was moved aside; only a swap files it, and
 *   drops the shard's entries whose record has expired.
 */
export const INDEXES = ['due', 'undelivered', 'intents', 'dead', 'tickets', 'unclear', 'broken'] as const;
export type Index = (typeof INDEXES)[number];
/** Indexes whose members are names of records, without a part. */
export const NAMED_INDEXES = ['due', 'undelivered', 'dead', 'unclear'] as const;

/** Whether a record may ask for an entry in the index of that name. */
export const isIndex = (name: string): name is Exclude<Index, 'broken'> =>
  name !== 'broken' && INDEXES.some((index) => index === name);

/**
 * A member of an index: the name of its record and, if a record has several entries, the `part` that tells
 * them apart. A name has no colon, a part may have some.
 */
export const writeMember = (name: string, part?: string): string =>
  part === undefined ? name : `${name}:${part}`;

/** `part` is empty if the member has only a name. */
export function readMember(member: string): { readonly name: string; readonly part: string } {
  const colon = member.indexOf(':');
  return colon < 0
    ? { name: member, part: '' }
    : { name: member.slice(0, colon), part: member.slice(colon + 1) };
}

/**
 * Files a member (`writeMember`) under a score (epoch ms) in its record's shard; null removes it.
 */
export type IndexChange = {
  readonly index: Exclude<Index, 'broken'>;
  readonly member: string;
  readonly score: number | null;
};

export type Swap = {
  /** The record to replace, or its version; null: there is no record. */
  readonly expected: Uint8Array | null;
  /** The new record, which begins with its version; null removes the record. */
  readonly bytes: Uint8Array | null;
  readonly ttlMs: number;
  readonly indexes: readonly IndexChange[];
  /** The present record cannot be opened: keep it under `asideOf`, in the index `broken`. */
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
  | ({ readonly swapped: false } & StoredBytes);

export type Range = { readonly shard: number; readonly upTo: 'now' | 'ever'; readonly limit: number };

/** `count`: how many entries are in that range, also beyond the limit. */
export type Listed = {
  readonly nowMs: number;
  readonly count: number;
  readonly entries: readonly ScoredMember[];
};
export type ScoredMember = { readonly member: string; readonly score: number };

/** A record as it is stored, and the clock of its node; null: no record is stored. */
export type StoredBytes = { readonly nowMs: number; readonly bytes: Uint8Array | null };

/** A record begins with its version: the schema (1 byte) and the seal's nonce (12). It never comes again. */
export const versionOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, VERSION_BYTES);
const VERSION_BYTES = 13;

/** Compares the versions of two records; null is no record. A version by itself counts as its record. */
export function isSameVersion(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return Buffer.compare(a.subarray(0, VERSION_BYTES), b.subarray(0, VERSION_BYTES)) === 0;
}

export const ASIDE_MS = 180 * 24 * 60 * 60 * 1000;

/** The key that keeps a broken record of this version. */
export const asideOf = (key: Key, version: Uint8Array): Key =>
  `broken:${key.split(':')[1]}:${Buffer.from(version).toString('hex')}`;

/** Records are spread over this many shards. Each shard has its own indexes. */
export const SHARDS = 256;

export function shardOf(key: Key): number {
  const from = key.indexOf(':') + 1;
  const to = key.indexOf(':', from);
  return crc32(to < 0 ? key.slice(from) : key.slice(from, to)) % SHARDS;
}

/**
 * Keeps a conversation's last `FEED_LENGTH` events until `FEED_MS` after the latest, and tells followers in
 * all processes of new ones. Each method rejects with `StoreUnavailable` if the store did not confirm.
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
   *
   * @example
   * const unfollow = await feed.follow(conversation, lastSeq, ({ seq, body }) => show(seq, body));
   */
  follow(conversation: string, afterSeq: number, onEvent: (event: FeedEvent) => void): Promise<() => void>;
  /** Ends all followers, for good. */
  close(): Promise<void>;
}

/** `seq` is the outbox number of the reply; `body` is opaque sealed bytes. */
export type FeedEvent = { readonly seq: number; readonly body: Buffer };
export const FEED_LENGTH = 100;
export const FEED_MS = 60 * 60 * 1000;

/**
 * Names and seals what is stored, so that a store sees keyed hashes and opaque bytes only.
 *
 * @example
 * const name = encryption.name('conversation', 'telegram\u0000475');
 * const opened = encryption.open(`c:${name}`, encryption.seal(`c:${name}`, plain));
 */
export interface Encryption {
  /** A keyed hash, 128 bits as base64url: a name in stores and logs. */
  name(
    kind: 'antcrm' | 'conversation' | 'customer' | 'proof' | 'gift' | 'file' | 'check',
    value: string,
  ): string;
  /** Seals `plain` for `name`, which is not stored and must be the same to open it. */
  seal(name: string, plain: Buffer): Buffer;
  /** Opens bytes that `seal` made with the present or the previous key. Throws `SealBroken`. */
  open(name: string, sealed: Uint8Array): Buffer;
}

/** Stored bytes were sealed with other keys or for another name, or they were changed. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** This process must not use this store. The message is one line for the operator. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** The store did not confirm in time or cannot be reached. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
