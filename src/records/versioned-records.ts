import { LRUCache } from 'lru-cache';
import { backoffMs } from '../resilience/retry.ts';
import type { Runtime } from '../runtime.ts';
import {
  type Encryption,
  type Index,
  type IndexChange,
  isSameVersion,
  type Key,
  NAMED_INDEXES,
  type RecordStore,
  type StoredBytes,
  StoreUnavailable,
  versionOf,
} from '../store/port.ts';

/** An entry that a record has in an index of its shard. */
export type IndexEntry = {
  readonly index: Exclude<Index, 'broken'>;
  readonly member: string;
  readonly score: number;
};

/** How records of one kind are named, written and indexed. */
export type RecordKind<Content> = {
  /** The first part of their keys, before the colon. */
  readonly kind: string;
  readonly ttlMs: number;
  write(record: Content): Buffer;
  /** Throws if the bytes are no record of this kind. */
  read(plain: Buffer): Content;
  /** The index entries that the record should have. Absent: no index lists records of this kind. */
  entries?(name: string, record: Content): readonly IndexEntry[];
};

/**
 * A pure change of a record; null: no record exists. It may be applied again to another record, and returns
 * the same record if there is nothing to write.
 */
export type Transition<Content, Answer> = (
  record: Content | null,
  nowMs: number,
) => { readonly record: Content | null; readonly answer: Answer };

export type UpdateResult<Content, Answer> = {
  readonly answer: Answer;
  readonly record: Content | null;
  /** The clock of the record's node, or a little earlier. */
  readonly nowMs: number;
  /** False: `durable` was asked for, and too few replicas acknowledged. */
  readonly durable: boolean;
};

/**
 * `seal_broken`: a record cannot be opened or read; the next swap puts it aside. `record_lost`: a record
 * is missing, though an index lists it or it was there a moment ago. In both cases the record is created
 * again, and its pending work is lost.
 */
export type RecordFault = 'seal_broken' | 'record_lost';

export type UpdateOptions = {
  /** Replicas must acknowledge. */
  readonly durable?: boolean;
  /** An index lists the record, so it should be there. */
  readonly listed?: boolean;
  /**
   * The transition costs more than a read, as a decided turn does. So the record is read first if another
   * process was found to write it: two processes whose turns alternate would decide most of them twice.
   */
  readonly isCostly?: boolean;
};

export type RecordParts = {
  readonly store: Pick<RecordStore, 'read' | 'compareAndSwap'>;
  readonly sealer: Pick<Encryption, 'seal' | 'open'>;
  readonly runtime: Pick<Runtime, 'monotonicMs' | 'timer' | 'sleep' | 'random'>;
  onFault(fault: RecordFault, name: string): void;
};

/** How many records are remembered, and for how long. They are personal data: a timer drops what is older. */
const REMEMBERED = { max: 1000, ttl: 60_000, ttlResolution: 0 };
const FORGET_EVERY_MS = 1000;

/** An update fails after this many conflicts with other processes. It waits after all but the first few. */
const MAX_CONFLICTS = 20;
const QUICK_CONFLICTS = 3;
const CONFLICT_WAIT = { baseMs: 5, maxMs: 500 };

/**
 * The records of one kind. An update reads the record, applies a transition and swaps. If another process was
 * faster, it applies the transition again to the new record. A process has one swap of a record under way;
 * all updates that come meanwhile go with the next one. Transitions get the clock of the record's node, as
 * a lower bound.
 *
 * @example
 * const records = new VersionedRecords(kind, options);
 * const { answer } = await records.update(name, accept(filing));
 * const { record } = await records.read(name);
 */
export class VersionedRecords<Content> {
  readonly #kind: RecordKind<Content>;
  readonly #parts: RecordParts;
  /** What was last confirmed of each record. Without it, a text costs 1.4 times as much. */
  readonly #seen: LRUCache<string, SeenRecord<Content>>;
  /** The updates that wait, for each record with an update under way. */
  readonly #waiting = new Map<string, WaitingUpdate<Content>[]>();
  #isForgetting = false;

  constructor(kind: RecordKind<Content>, parts: RecordParts) {
    this.#kind = kind;
    this.#parts = parts;
    this.#seen = new LRUCache({ ...REMEMBERED, perf: { now: parts.runtime.monotonicMs } });
  }

  /** Rejects with `StoreUnavailable`; the change may have taken effect all the same. */
  async update<Answer>(
    name: string,
    transition: Transition<Content, Answer>,
    options: UpdateOptions = {},
  ): Promise<UpdateResult<Content, Answer>> {
    const waiting = this.#waiting.get(name);
    if (waiting !== undefined) return wait(waiting, transition, options);
    const later: WaitingUpdate<Content>[] = [];
    this.#waiting.set(name, later);
    try {
      return await this.#swap(name, transition, options);
    } catch (error) {
      // An unconfirmed swap: nothing is known of the record.
      this.#seen.delete(name);
      throw error;
    } finally {
      if (later.length > 0) void this.#updateWaiting(name, later);
      else this.#waiting.delete(name);
    }
  }

  /** Swaps until no update waits. Never rejects. */
  async #updateWaiting(name: string, waiting: WaitingUpdate<Content>[]): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0);
      const applyAll = (before: Content | null, nowMs: number) => {
        let record = before;
        for (const update of batch) record = update.apply(record, nowMs);
        return { record, answer: undefined };
      };
      const options = {
        durable: batch.some(({ durable }) => durable),
        listed: batch.some(({ listed }) => listed),
        isCostly: batch.some(({ isCostly }) => isCostly),
      };
      try {
        const updated = await this.#swap(name, applyAll, options);
        for (const { resolve } of batch) resolve(updated);
      } catch (error) {
        this.#seen.delete(name);
        for (const { reject } of batch) reject(error);
      }
    }
    this.#waiting.delete(name);
  }

  /** The record as it is stored now, never from memory; null: none, or it cannot be opened. */
  async read(name: string): Promise<{ readonly record: Content | null; readonly nowMs: number }> {
    const { record, nodeMs } = await this.#read(name);
    return { record, nowMs: nodeMs };
  }

  /** Whether an update need not read first, or goes with one that is under way. */
  isKnown(name: string): boolean {
    return this.#seen.has(name) || this.#waiting.has(name);
  }

  /**
   * Applies the transition to the record, from memory or read, and swaps, until no other process is faster.
   * An answer that changes nothing counts only if the record was read.
   */
  async #swap<Answer>(
    name: string,
    transition: Transition<Content, Answer>,
    { durable = false, listed = false, isCostly = false }: UpdateOptions,
  ): Promise<UpdateResult<Content, Answer>> {
    const { runtime, onFault } = this.#parts;
    const remembered = this.#seen.get(name);
    const isTrusted = remembered !== undefined && !(isCostly && remembered.isShared);
    const shouldExist = listed || Boolean(remembered?.version);
    let seen = isTrusted ? remembered : await this.#read(name, remembered);
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; ) {
      const nowMs = seen.nodeMs + Math.floor(runtime.monotonicMs() - seen.atMs);
      const { record, answer } = transition(seen.record, nowMs);
      const isRead = seen !== remembered;
      const isLost = isRead && shouldExist && seen.version === null;
      const fault = seen.fault ?? (isLost ? 'record_lost' : undefined);
      if (record === seen.record && fault === undefined) {
        if (isRead) return this.#remember(name, seen, { answer, record, nowMs, durable: !durable });
        // What is remembered may be old.
        seen = await this.#read(name);
        continue;
      }
      // The alarm comes before the swap: a process that is killed behind it would leave no sign.
      if (fault) onFault(fault, name);
      const written = await this.#write(name, seen, { record, durable });
      if (written.isOurs)
        return this.#remember(name, written.seen, { answer, record, nowMs, durable: written.isDurable });
      seen = written.seen;
      conflicts += 1;
      await this.#pause(conflicts);
    }
    throw new StoreUnavailable(`a record was changed elsewhere ${MAX_CONFLICTS} times`);
  }

  /**
   * Replaces what was seen. `isOurs`, false: another process was faster, and `seen` is what that one wrote.
   */
  async #write(
    name: string,
    seen: SeenRecord<Content>,
    { record, durable }: { readonly record: Content | null; readonly durable: boolean },
  ): Promise<WriteResult<Content>> {
    const { store, sealer } = this.#parts;
    const { kind, ttlMs, write } = this.#kind;
    const key: Key = `${kind}:${name}`;
    const bytes = record && sealer.seal(key, write(record));
    const entries = this.#entriesOf(name, record);
    const indexes = this.#kind.entries ? diffEntries(name, seen, entries) : [];
    const aside = seen.fault === 'seal_broken';
    const swap = { expected: seen.version, bytes, ttlMs, indexes, aside, durable };
    const swapped = await store.compareAndSwap(key, swap);
    if (!swapped.swapped) return { isOurs: false, seen: this.#open(name, swapped, { isShared: true }) };
    const { isShared } = seen;
    return {
      isOurs: true,
      isDurable: !durable || swapped.durable,
      seen: this.#see(swapped.nowMs, { version: bytes, record, entries, isShared }),
    };
  }

  #remember<Result>(name: string, seen: SeenRecord<Content>, result: Result): Result {
    this.#seen.set(name, seen);
    if (!this.#isForgetting) this.#forgetLater();
    return result;
  }

  async #read(name: string, remembered?: SeenRecord<Content>): Promise<SeenRecord<Content>> {
    const stored = await this.#parts.store.read(`${this.#kind.kind}:${name}`);
    if (remembered === undefined) return this.#open(name, stored, { isShared: false });
    const isSame = isSameVersion(stored.bytes, remembered.version);
    if (isSame) return this.#see(stored.nowMs, { ...remembered, isShared: false });
    return this.#open(name, stored, { isShared: true });
  }

  #open(
    name: string,
    { nowMs, bytes }: StoredBytes,
    { isShared }: Pick<OpenedRecord<Content>, 'isShared'>,
  ): SeenRecord<Content> {
    if (bytes === null) return this.#see(nowMs, { ...NO_RECORD, isShared });
    try {
      const record = openRecord(this.#kind, this.#parts.sealer, { name, bytes });
      return this.#see(nowMs, { version: bytes, record, entries: this.#entriesOf(name, record), isShared });
    } catch {
      return this.#see(nowMs, { ...NO_RECORD, version: bytes, isShared, fault: 'seal_broken' });
    }
  }

  #see(nodeMs: number, { version: bytes, ...opened }: OpenedRecord<Content>): SeenRecord<Content> {
    // A copy: a part of a buffer would keep the whole of it.
    const version = bytes && new Uint8Array(versionOf(bytes));
    return { ...opened, version, nodeMs, atMs: this.#parts.runtime.monotonicMs() };
  }

  #entriesOf(name: string, record: Content | null): readonly IndexEntry[] {
    return (record && this.#kind.entries?.(name, record)) ?? [];
  }

  async #pause(conflicts: number): Promise<void> {
    const { runtime } = this.#parts;
    const retry = conflicts - QUICK_CONFLICTS - 1;
    if (retry >= 0) await runtime.sleep(backoffMs(retry, CONFLICT_WAIT, runtime.random()));
  }

  #forgetLater(): void {
    this.#isForgetting = true;
    this.#parts.runtime.timer(FORGET_EVERY_MS, () => {
      this.#seen.purgeStale();
      this.#isForgetting = false;
      if (this.#seen.size > 0) this.#forgetLater();
    });
  }
}

/** Opens and reads a stored record. Throws if that fails. */
export function openRecord<Content>(
  { kind, read }: RecordKind<Content>,
  sealer: Pick<Encryption, 'open'>,
  { name, bytes }: { readonly name: string; readonly bytes: Uint8Array },
): Content {
  return read(sealer.open(`${kind}:${name}`, bytes));
}

type WriteResult<Content> =
  | { readonly isOurs: true; readonly isDurable: boolean; readonly seen: SeenRecord<Content> }
  | { readonly isOurs: false; readonly seen: SeenRecord<Content> };

/** An update that goes with the next swap. */
type WaitingUpdate<Content> = UpdateOptions & {
  /** Applies the transition, and keeps its answer. */
  apply(record: Content | null, nowMs: number): Content | null;
  resolve(swapped: UpdateResult<Content, unknown>): void;
  reject(error: unknown): void;
};

function wait<Content, Answer>(
  waiting: WaitingUpdate<Content>[],
  transition: Transition<Content, Answer>,
  options: UpdateOptions,
): Promise<UpdateResult<Content, Answer>> {
  return new Promise((settle, reject) => {
    let applied: ReturnType<typeof transition> | undefined;
    waiting.push({
      ...options,
      apply(record, nowMs) {
        applied = transition(record, nowMs);
        return applied.record;
      },
      resolve({ nowMs, durable }) {
        if (applied) settle({ ...applied, nowMs, durable: durable || !options.durable });
      },
      reject,
    });
  });
}

type OpenedRecord<Content> = {
  readonly version: Uint8Array | null;
  readonly record: Content | null;
  readonly entries: readonly IndexEntry[];
  /** Another process wrote it when it was last looked at. */
  readonly isShared: boolean;
  readonly fault?: 'seal_broken';
};
const NO_RECORD = { version: null, record: null, entries: [] };

/** What was last seen of a record: the node's clock was `nodeMs` when that of this process was `atMs`. */
type SeenRecord<Content> = OpenedRecord<Content> & { readonly nodeMs: number; readonly atMs: number };

function diffEntries(
  name: string,
  before: Pick<OpenedRecord<unknown>, 'record' | 'entries'>,
  after: readonly IndexEntry[],
): IndexChange[] {
  const changes: IndexChange[] = [];
  for (const entry of after) {
    let isNew = true;
    for (const { index, member, score } of before.entries) {
      if (index === entry.index && member === entry.member && score === entry.score) isNew = false;
    }
    if (isNew) changes.push(entry);
  }
  for (const { index, member } of before.entries) {
    let isOver = true;
    for (const entry of after) if (index === entry.index && member === entry.member) isOver = false;
    if (isOver) changes.push({ index, member, score: null });
  }
  if (before.record !== null) return changes;
  // Indexes may still list a record that was broken or lost. Its intents stay listed, for operators.
  for (const index of NAMED_INDEXES) {
    if (!after.some((entry) => entry.index === index)) changes.push({ index, member: name, score: null });
  }
  return changes;
}
