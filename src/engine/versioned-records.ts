import type { Runtime } from '../runtime.ts';
import {
  type Index,
  type IndexChange,
  type Key,
  NAMED_INDEXES,
  type RecordStore,
  StoreUnavailable,
  versionOf,
} from '../store/port.ts';

/** An entry that a record has in an index of its shard. */
export type IndexEntry = {
  readonly index: Exclude<Index, 'broken'>;
  readonly member: string;
  readonly score: number;
};

/** How records of one kind are written, named and indexed. */
export type RecordKind<Kept> = {
  /** What their keys begin with, before the colon. */
  readonly kind: string;
  readonly ttlMs: number;
  write(record: Kept): Buffer;
  /** Throws where the bytes are no record of this kind. */
  read(plain: Buffer): Kept;
  entries(name: string, record: Kept): readonly IndexEntry[];
};

/** Seals a record under its name. `open` throws where no key at hand opens the bytes. */
export type Sealer = {
  seal(key: Key, plain: Buffer): Uint8Array;
  open(key: Key, sealed: Uint8Array): Buffer;
};

/** A pure change of a record; null: there is none. It returns the same record where nothing is to be written. */
export type Transition<Kept, Answer> = (
  record: Kept | null,
  nowMs: number,
) => { readonly record: Kept | null; readonly answer: Answer };

export type Updated<Kept, Answer> = {
  readonly answer: Answer;
  /** The record as the transition left it. */
  readonly record: Kept | null;
  /** The clock of the record's node, as a lower bound. */
  readonly nowMs: number;
  /** Enough replicas acknowledged, where that was asked for. */
  readonly durable: boolean;
};

/**
 * `seal_broken`: a record could not be opened or read, and was moved aside. `record_lost`: an index lists a record, or there
 * was one a moment ago, and there is none. Either way the record begins anew, and what it was due for is gone.
 */
export type RecordFault = 'seal_broken' | 'record_lost';

/** `durable`: replicas must acknowledge. `listed`: an index lists the record, so it should be there. */
type Options = { readonly durable?: boolean; readonly listed?: boolean };

/** What was last seen of a record. `record` is undefined while it is sealed. */
type Remembered<Kept> = {
  readonly bytes: Uint8Array | null;
  readonly record?: Kept | null | undefined;
  readonly entries?: readonly IndexEntry[] | undefined;
  /** What the node's clock said at the moment `atMs` of this process's monotonic clock. */
  readonly nodeMs: number;
  readonly atMs: number;
};

type Pending<Kept> = Options & {
  readonly transition: Transition<Kept, unknown>;
  resolve(updated: Updated<Kept, unknown>): void;
  reject(error: unknown): void;
};

type Applied<Kept> = { readonly record: Kept | null; readonly answer: unknown };

/** How many records are remembered, and for how long: open for the length of a lease, then sealed. */
const REMEMBERED = 2048;
const REMEMBERED_MS = 60_000;
const OPEN_MS = 15_000;
const CLOSE_EVERY_MS = 1000;

/** A record that others change each time is given up after so many conflicts; after the first few with growing waits. */
const MAX_CONFLICTS = 20;
const QUICK_CONFLICTS = 3;
const MIN_WAIT_MS = 5;
const MAX_WAIT_MS = 500;

const NO_ENTRIES: readonly IndexEntry[] = [];

/**
 * The records of one kind. An update reads, applies a transition and swaps; where another process was faster, it applies the
 * transition again to what is there. A process has one swap of a record under way, and updates that come meanwhile go
 * with the next one. Transitions get the clock of the record's own node, as a lower bound.
 *
 * @example
 * const records = new VersionedRecords(kind, options);
 * const { answer } = await records.update(name, accept(filing));
 * const { record } = await records.read(name);
 */
export class VersionedRecords<Kept> {
  readonly #kind: RecordKind<Kept>;
  readonly #store: Pick<RecordStore, 'read' | 'compareAndSwap'>;
  readonly #sealer: Sealer;
  readonly #runtime: Pick<Runtime, 'monotonicMs' | 'timer' | 'sleep' | 'random'>;
  readonly #onFault: (fault: RecordFault, name: string) => void;
  /** In the order of use, the oldest first. */
  readonly #remembered = new Map<string, Remembered<Kept>>();
  /** Updates that wait for the swap under way, of each record that has one. */
  readonly #waiting = new Map<string, Pending<Kept>[]>();
  #isClosing = false;

  constructor(
    kind: RecordKind<Kept>,
    parts: {
      readonly store: Pick<RecordStore, 'read' | 'compareAndSwap'>;
      readonly sealer: Sealer;
      readonly runtime: Pick<Runtime, 'monotonicMs' | 'timer' | 'sleep' | 'random'>;
      onFault(fault: RecordFault, name: string): void;
    },
  ) {
    this.#kind = kind;
    this.#store = parts.store;
    this.#sealer = parts.sealer;
    this.#runtime = parts.runtime;
    this.#onFault = parts.onFault;
  }

  /** Rejects with `StoreUnavailable`; the change may have taken effect all the same. */
  update<Answer>(
    name: string,
    transition: Transition<Kept, Answer>,
    options: Options = {},
  ): Promise<Updated<Kept, Answer>> {
    return new Promise<Updated<Kept, Answer>>((resolve, reject) => {
      const pending: Pending<Kept> = {
        ...options,
        transition,
        // The answer is the one that this transition gave.
        resolve: resolve as Pending<Kept>['resolve'],
        reject,
      };
      const waiting = this.#waiting.get(name);
      if (waiting) waiting.push(pending);
      else void this.#work(name, pending);
    });
  }

  /** The record as it is stored now, never from memory; null: none, or it cannot be opened. */
  async read(name: string): Promise<{ readonly record: Kept | null; readonly nowMs: number }> {
    const seen = await this.#fetch(name);
    return { record: this.#open(name, seen).record, nowMs: seen.nodeMs };
  }

  /** Whether the record's version is known, so that an update need not read first. */
  isKnown(name: string): boolean {
    return this.#recall(name) !== undefined;
  }

  /** Swaps, one after the other, until no update waits. */
  async #work(name: string, first: Pending<Kept>): Promise<void> {
    const waiting: Pending<Kept>[] = [];
    this.#waiting.set(name, waiting);
    for (let batch = [first]; batch.length > 0; batch = waiting.splice(0)) {
      try {
        await this.#swap(name, batch);
      } catch (error) {
        this.#remembered.delete(name);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#waiting.delete(name);
  }

  async #swap(name: string, batch: readonly Pending<Kept>[]): Promise<void> {
    const recalled = this.#recall(name);
    let seen = recalled ?? (await this.#fetch(name));
    let isCurrent = recalled === undefined;
    const isExpected =
      (recalled !== undefined && recalled.bytes !== null) || batch.some(({ listed }) => listed);
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; ) {
      const nowMs = seen.nodeMs + Math.floor(this.#runtime.monotonicMs() - seen.atMs);
      const before = this.#open(name, seen);
      const applied = applyAll(batch, before.record, nowMs);
      const record = applied.length === 0 ? before.record : (applied[applied.length - 1]?.record ?? null);
      const isLost = isCurrent && isExpected && seen.bytes === null;
      if (record === before.record && !before.isBroken && !isLost) {
        if (isCurrent) {
          const { entries } = before;
          return this.#finish(name, { ...seen, record, entries }, { batch, applied, nowMs });
        }
        // What is remembered may be old: only what was read just now is sure.
        seen = await this.#fetch(name);
        isCurrent = true;
        continue;
      }
      const { store, next } = this.#prepare(name, { seen, before, record, isLost }, batch);
      const swapped = await store;
      const atMs = this.#runtime.monotonicMs();
      if (swapped.swapped) {
        if (before.isBroken) this.#onFault('seal_broken', name);
        if (isLost) this.#onFault('record_lost', name);
        const now = { ...next, record, nodeMs: swapped.nowMs, atMs };
        return this.#finish(name, now, { batch, applied, nowMs, durable: swapped.durable });
      }
      conflicts += 1;
      await this.#pause(conflicts);
      seen = { bytes: swapped.bytes, nodeMs: swapped.nowMs, atMs };
      isCurrent = true;
    }
    throw new StoreUnavailable(`a record was changed elsewhere ${MAX_CONFLICTS} times`);
  }

  async #pause(conflicts: number): Promise<void> {
    if (conflicts <= QUICK_CONFLICTS) return;
    const ms = Math.min(MAX_WAIT_MS, MIN_WAIT_MS * 2 ** (conflicts - QUICK_CONFLICTS - 1));
    await this.#runtime.sleep(ms * (0.5 + this.#runtime.random()));
  }

  /** Seals the record and sends the swap. */
  #prepare(
    name: string,
    { seen, before, record, isLost }: PreparedChange<Kept>,
    batch: readonly Pending<Kept>[],
  ) {
    const key = this.#keyOf(name);
    const bytes = record && this.#sealer.seal(key, this.#kind.write(record));
    const entries = record === null ? NO_ENTRIES : this.#kind.entries(name, record);
    const indexes = changesOf(before.entries, entries);
    let isDurable = false;
    for (const { durable } of batch) isDurable ||= durable === true;
    // Nobody knows what indexes list of a broken or lost record. Its intents stay listed, for operators.
    if (before.isBroken || isLost) removeNamed(name, indexes, entries);
    const store = this.#store.compareAndSwap(key, {
      expected: seen.bytes && versionOf(seen.bytes),
      bytes,
      ttlMs: this.#kind.ttlMs,
      indexes,
      ...(before.isBroken && { aside: true }),
      ...(isDurable && { durable: true }),
    });
    return { store, next: { bytes, entries } };
  }

  #finish(
    name: string,
    seen: Remembered<Kept>,
    done: {
      readonly batch: readonly Pending<Kept>[];
      readonly applied: readonly Applied<Kept>[];
      readonly nowMs: number;
      readonly durable?: boolean;
    },
  ): void {
    const { batch, applied, nowMs, durable = false } = done;
    this.#remember(name, seen);
    for (const [at, { resolve, durable: wanted }] of batch.entries()) {
      const { record = null, answer } = applied[at] ?? {};
      resolve({ answer, record, nowMs, durable: !wanted || durable });
    }
  }

  async #fetch(name: string): Promise<Remembered<Kept>> {
    const { nowMs, bytes } = await this.#store.read(this.#keyOf(name));
    return { bytes, nodeMs: nowMs, atMs: this.#runtime.monotonicMs() };
  }

  #open(name: string, { bytes, record, entries }: Remembered<Kept>): Opened<Kept> {
    if (bytes === null) return NONE;
    if (record !== undefined && entries !== undefined) return { record, entries, isBroken: false };
    try {
      const opened = this.#kind.read(this.#sealer.open(this.#keyOf(name), bytes));
      return { record: opened, entries: this.#kind.entries(name, opened), isBroken: false };
    } catch {
      return BROKEN;
    }
  }

  #keyOf(name: string): Key {
    return `${this.#kind.kind}:${name}`;
  }

  #recall(name: string): Remembered<Kept> | undefined {
    const seen = this.#remembered.get(name);
    if (seen !== undefined && this.#runtime.monotonicMs() - seen.atMs < REMEMBERED_MS) return seen;
    this.#remembered.delete(name);
    return undefined;
  }

  #remember(name: string, seen: Remembered<Kept>): void {
    this.#remembered.delete(name);
    this.#remembered.set(name, seen);
    for (const [oldest, { atMs }] of this.#remembered) {
      if (this.#remembered.size <= REMEMBERED && seen.atMs - atMs < REMEMBERED_MS) break;
      this.#remembered.delete(oldest);
    }
    if (!this.#isClosing) this.#runtime.timer(CLOSE_EVERY_MS, () => this.#closeOld());
    this.#isClosing = true;
  }

  /** No personal data stays open for long after it was needed. */
  #closeOld(): void {
    const beforeMs = this.#runtime.monotonicMs() - OPEN_MS;
    this.#isClosing = false;
    for (const [name, { bytes, record, nodeMs, atMs }] of this.#remembered) {
      if (record === undefined) continue;
      if (atMs <= beforeMs) this.#remembered.set(name, { bytes, nodeMs, atMs });
      else this.#isClosing = true;
    }
    if (this.#isClosing) this.#runtime.timer(CLOSE_EVERY_MS, () => this.#closeOld());
  }
}

type PreparedChange<Kept> = {
  readonly seen: Remembered<Kept>;
  readonly before: Opened<Kept>;
  readonly record: Kept | null;
  readonly isLost: boolean;
};

type Opened<Kept> = {
  readonly record: Kept | null;
  readonly entries: readonly IndexEntry[];
  readonly isBroken: boolean;
};
const NONE = { record: null, entries: NO_ENTRIES, isBroken: false };
const BROKEN = { record: null, entries: NO_ENTRIES, isBroken: true };

function applyAll<Kept>(
  batch: readonly Pending<Kept>[],
  before: Kept | null,
  nowMs: number,
): readonly Applied<Kept>[] {
  const applied: Applied<Kept>[] = [];
  let record = before;
  for (const { transition } of batch) {
    const one = transition(record, nowMs);
    record = one.record;
    applied.push(one);
  }
  return applied;
}

/** What a swap changes in the indexes. */
function changesOf(before: readonly IndexEntry[], after: readonly IndexEntry[]): IndexChange[] {
  const changes: IndexChange[] = [];
  for (const entry of after) {
    let isNew = true;
    for (const { index, member, score } of before) {
      if (index === entry.index && member === entry.member && score === entry.score) isNew = false;
    }
    if (isNew) changes.push(entry);
  }
  for (const { index, member } of before) {
    let isGone = true;
    for (const entry of after) if (entry.index === index && entry.member === member) isGone = false;
    if (isGone) changes.push({ index, member, score: null });
  }
  return changes;
}

/** Removes the name itself from the indexes that list it, but for what is listed from now on. */
function removeNamed(name: string, changes: IndexChange[], after: readonly IndexEntry[]): void {
  for (const index of NAMED_INDEXES) {
    const isListed = after.some((entry) => entry.index === index && entry.member === name);
    if (!isListed) changes.push({ index, member: name, score: null });
  }
}
