import { crc32 } from 'node:zlib';

/**
 * Where records are kept. A store knows sealed bytes and nothing of what is in them: it reads, it swaps, it lists.
 *
 * Rules for every implementation (one contract suite, `test/contract/records.ts`, runs against each):
 * - Each method is one atomic step in one slot. A record and its entries of indexes change together or not at all.
 * - Time is the clock of the record's own node, cut to whole milliseconds: a lower bound.
 * - Each method rejects with `StoreUnavailable` where the store did not confirm; a swap may have executed all the same,
 *   and is simply sent again.
 *
 * @example
 * const { nowMs, bytes } = await store.read(key);
 * const next = seal(change(open(bytes), nowMs));
 * const swap = { expected: bytes && versionOf(bytes), bytes: next, ttlMs: 180 * DAY_MS };
 * const swapped = await store.compareAndSwap(key, { ...swap, indexes: [{ index: 'due', member: name, score: nowMs }] });
 * if (!swapped.swapped) return tryAgainFrom(swapped.bytes);
 */
export interface RecordStore {
  /** The record as it is now; null where there is none (any more). */
  read(key: Key): Promise<{ readonly nowMs: number; readonly bytes: Uint8Array | null }>;

  /**
   * Replaces the record if its version is the expected one, and changes indexes with it. Idempotent: where the record
   * already is the one that this swap brings, it executes again and changes nothing. Otherwise nothing changes, and the
   * answer is what is there.
   */
  compareAndSwap(key: Key, swap: Swap): Promise<Swapped>;

  /**
   * Entries of one shard's index, the lowest score first, and how many there are. `now`: those whose score the node's
   * clock has reached; `ever`: all. Opens no record, so it takes no longer however much is stored. With `limit` 0 it
   * only counts.
   */
  list(index: Index, range: Range): Promise<Listed>;

  /**
   * Whether a record could be stored now: writes what a swap would write, wherever records are kept, as durably; at most
   * once a second, however often it is asked, and within 2 s. Rejects with `StoreUnavailable` if it could be nowhere; its
   * message says why, a line for each place. Otherwise the store's faults, one operator's line each (none: healthy).
   */
  health(): Promise<string[]>;
}

/**
 * What a record is called: `kind:name`, with more parts where a name has several records. Whatever has the same name lies
 * in the same slot.
 */
export type Key = `${string}:${string}`;

/**
 * - `due`: somebody must look at the conversation then: its lease ends, a message waits, a wake-up comes.
 * - `undelivered`: a reply had to be put off; scored by when the first one was made.
 * - `intents`: a call without an outcome; scored by when it was about to be made.
 * - `dead`: a letter that no turn could be made of. `tickets`: a person has taken over.
 * - `unclear`: sentences that were not understood; scored by minus when the last one was written.
 * - `broken`: the key of a record that could not be opened and was put aside; the swap files it.
 */
export const INDEXES = ['due', 'undelivered', 'intents', 'dead', 'tickets', 'unclear', 'broken'] as const;
export type Index = (typeof INDEXES)[number];
/** Indexes whose members are names of records, without more parts. */
export const NAMED_INDEXES = ['due', 'undelivered', 'dead', 'unclear'] as const;

/** Whether a record may ask for an entry in the index of that name. */
export const isIndex = (name: string): name is Exclude<Index, 'broken'> =>
  name !== 'broken' && INDEXES.some((index) => index === name);

/**
 * Files a member under a score (epoch ms) in its record's shard; null: takes it out. A member is a record's name, with more
 * parts behind a colon where one record has several.
 */
export type IndexChange = {
  readonly index: Exclude<Index, 'broken'>;
  readonly member: string;
  readonly score: number | null;
};

export type Swap = {
  /** The version that is replaced; null: there is no record. */
  readonly expected: Uint8Array | null;
  /** The new record, which begins with its version; null: there is none from now on. */
  readonly bytes: Uint8Array | null;
  readonly ttlMs: number;
  readonly indexes: readonly IndexChange[];
  /** What was there cannot be opened: it is kept for `ASIDE_MS` under a key of its own, in the index `broken`. */
  readonly aside?: boolean;
  /** The answer waits until as many replicas have it as the operator wants (`REDIS_WAIT_REPLICAS`). */
  readonly durable?: boolean;
};

/**
 * `durable`: it was asked for, and enough replicas acknowledged (or none is wanted). Where it was asked for and is false,
 * the swap executed, and a failover may lose it.
 */
export type Swapped =
  | { readonly swapped: true; readonly nowMs: number; readonly durable: boolean }
  | { readonly swapped: false; readonly nowMs: number; readonly bytes: Uint8Array | null };

export type Range = { readonly shard: number; readonly upTo: 'now' | 'ever'; readonly limit: number };

/** `count`: how many there are in that range, also beyond the limit. */
export type Listed = { readonly nowMs: number; readonly count: number; readonly entries: readonly Entry[] };
export type Entry = { readonly member: string; readonly score: number };

/** The schema and the seal's nonce: what a record begins with tells it from every other one that ever was. */
const VERSION_BYTES = 13;

export const versionOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, VERSION_BYTES);

export const ASIDE_MS = 180 * 24 * 60 * 60 * 1000;

/** Where a broken record of this version is kept. */
export function asideOf(key: Key, version: Uint8Array): Key {
  const [, name] = key.split(':');
  return `broken:${name}:${Buffer.from(version).toString('hex')}`;
}

/** How many parts the records are spread over; each has indexes of its own. */
export const SHARDS = 256;

export function shardOf(key: Key): number {
  const from = key.indexOf(':') + 1;
  const to = key.indexOf(':', from);
  return crc32(to < 0 ? key.slice(from) : key.slice(from, to)) % SHARDS;
}

/**
 * This process is not for this store: another version of the bot wrote it, or one with other keys. Its message is one line
 * for the operator who starts the process.
 */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused';
}

/** The store did not confirm in time or cannot be reached. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}
