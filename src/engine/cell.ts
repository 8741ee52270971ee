import {
  type IndexChange,
  type Key,
  type RecordStore,
  StoreUnavailable,
  type Swap,
  versionOf,
} from '../store/port.ts';
import type { World } from './world.ts';

/** How records of one kind are written, named and indexed. */
export type Kind<Kept> = {
  /** Before the colon of their keys. */
  readonly kind: string;
  readonly ttlMs: number;
  write(record: Kept): Buffer;
  /** Throws where it is none of ours. */
  read(plain: Buffer): Kept;
  /** The entries of indexes that the record has. */
  entries(name: string, record: Kept): readonly Filed[];
  /** Indexes that a record is the only one to know of: they lose it where its record is broken. */
  readonly own: readonly IndexChange['index'][];
};

export type Filed = { readonly index: IndexChange['index']; readonly member: string; readonly score: number };

/** Seals a record under its name. `open` throws where the bytes cannot be opened with any key at hand. */
export type Sealer = {
  seal(key: Key, plain: Buffer): Uint8Array;
  open(key: Key, sealed: Uint8Array): Buffer;
};

/** A pure change of a record; null: there is none. The same record comes back where nothing is to be written. */
export type Transition<Kept, Answer> = (
  record: Kept | null,
  nowMs: number,
) => { readonly record: Kept | null; readonly answer: Answer };

/** `durable`: enough replicas have it, where that was asked for. */
export type Changed<Answer> = { readonly answer: Answer; readonly durable: boolean };

/**
 * `seal_broken`: a record could not be opened, or is none of ours; it was put aside. `record_lost`: an index lists a record, or
 * there was one a moment ago, and there is none. Either way the conversation begins anew, and what it was due for is gone.
 */
export type RecordFault = 'seal_broken' | 'record_lost';

/** `listed`: an index lists the record. Where there is none, the entry goes, by a swap that expects none. */
type Options = { readonly durable?: boolean; readonly listed?: boolean };

/**
 * The records of one kind. Each change is read, apply, swap; where somebody else was faster, it is applied again to what is
 * there then. A process has one swap of a record under way, and what comes meanwhile goes with the next one.
 *
 * Time is the record's own node's, as a lower bound: what the node last said, and what passed here since.
 */
export type Cell<Kept> = {
  /** Rejects with `StoreUnavailable`; the change may have taken effect all the same. */
  change<Answer>(
    name: string,
    transition: Transition<Kept, Answer>,
    options?: Options,
  ): Promise<Changed<Answer>>;
  /** The record as it is now: never from memory. */
  look(name: string): Promise<{ readonly record: Kept | null; readonly nowMs: number }>;
  /** The record's version is known, so a change of it need not be read first. */
  knows(name: string): boolean;
};

/** What was last seen of a record. `record` is undefined where it was not opened. */
type Seen<Kept> = {
  readonly bytes: Uint8Array | null;
  readonly record?: Kept | null | undefined;
  /** What the node said at that moment of our own monotonic clock. */
  readonly nodeMs: number;
  readonly atMs: number;
};

type Done = (durable: boolean) => void;

type Pending<Kept> = Required<Options> & {
  apply(record: Kept | null, nowMs: number): { record: Kept | null; done: Done };
  fail(error: unknown): void;
};

/** How many records are remembered, and for how long: open for the length of a lease, then sealed. */
const REMEMBERED = 2048;
const REMEMBERED_MS = 60_000;
const OPEN_MS = 15_000;
const CLOSE_EVERY_MS = 1000;
/** A record that is changed elsewhere each time is given up after so many tries: the first few at once, then with growing waits. */
const TRIES = 20;
const QUICK_TRIES = 4;
const MIN_WAIT_MS = 5;
const MAX_WAIT_MS = 500;

export function createCell<Kept>(
  kind: Kind<Kept>,
  options: {
    readonly store: Pick<RecordStore, 'read' | 'swap'>;
    readonly sealer: Sealer;
    readonly world: Pick<World, 'monotonicMs' | 'timer' | 'sleep' | 'random'>;
    onFault(fault: RecordFault, name: string): void;
  },
): Cell<Kept> {
  const { store, sealer, world, onFault } = options;
  /** In the order of use, the oldest first. */
  const known = new Map<string, Seen<Kept>>();
  /** What waits for the swap under way, of each record that has one. */
  const lines = new Map<string, Pending<Kept>[]>();
  let isClosing = false;
  const keyOf = (name: string): Key => `${kind.kind}:${name}`;

  function recall(name: string): Seen<Kept> | undefined {
    const seen = known.get(name);
    if (seen !== undefined && world.monotonicMs() - seen.atMs < REMEMBERED_MS) return seen;
    known.delete(name);
    return undefined;
  }

  function note(name: string, seen: Seen<Kept>): void {
    known.delete(name);
    known.set(name, seen);
    for (const [oldest, { atMs }] of known) {
      if (known.size <= REMEMBERED && seen.atMs - atMs < REMEMBERED_MS) break;
      known.delete(oldest);
    }
    if (!isClosing) world.timer(CLOSE_EVERY_MS, closeOld);
    isClosing = true;
  }

  /** Nothing personal stays open for long after it was needed. */
  function closeOld(): void {
    const beforeMs = world.monotonicMs() - OPEN_MS;
    isClosing = false;
    for (const [name, { record, ...sealed }] of known) {
      if (record === undefined) continue;
      if (sealed.atMs <= beforeMs) known.set(name, sealed);
      else isClosing = true;
    }
    if (isClosing) world.timer(CLOSE_EVERY_MS, closeOld);
  }

  async function read(name: string): Promise<Seen<Kept>> {
    const { nowMs, bytes } = await store.read(keyOf(name));
    return { bytes, nodeMs: nowMs, atMs: world.monotonicMs() };
  }

  /** `broken`: there are bytes, and nobody can read them. */
  function opened(name: string, { bytes, record }: Seen<Kept>): { record: Kept | null; broken: boolean } {
    if (record !== undefined) return { record, broken: false };
    if (bytes === null) return { record: null, broken: false };
    try {
      return { record: kind.read(sealer.open(keyOf(name), bytes)), broken: false };
    } catch {
      return { record: null, broken: true };
    }
  }

  const nowOf = ({ nodeMs, atMs }: Seen<Kept>): number => Math.floor(nodeMs + world.monotonicMs() - atMs);

  async function swapAll(name: string, batch: readonly Pending<Kept>[]): Promise<void> {
    const recalled = recall(name);
    let isCurrent = recalled === undefined;
    let base = recalled ?? (await read(name));
    const durable = batch.some((pending) => pending.durable);
    const isExpected = (recalled?.bytes ?? null) !== null || batch.some((pending) => pending.listed);
    for (let tries = 0; tries < TRIES; tries++) {
      await pause(tries);
      const before = opened(name, base);
      let { record } = before;
      const done: Done[] = [];
      for (const pending of batch) {
        const applied = pending.apply(record, nowOf(base));
        record = applied.record;
        done.push(applied.done);
      }
      const isLost = isCurrent && isExpected && base.bytes === null;
      if (record === before.record && !before.broken) {
        // Nothing is to be written. That is sure of what was read just now; of what was remembered it is not.
        if (isCurrent && (!isLost || (await unlist(name)))) {
          if (isLost) onFault('record_lost', name);
          return finish(name, { ...base, record }, done, !durable);
        }
        base = await read(name);
        isCurrent = true;
        continue;
      }
      const bytes = record && sealer.seal(keyOf(name), kind.write(record));
      const swap: Swap = {
        expected: base.bytes && versionOf(base.bytes),
        bytes,
        ttlMs: kind.ttlMs,
        indexes: indexChanges(kind, name, { ...before, isUnknown: before.broken || isLost }, record),
        ...(before.broken && { aside: true }),
        ...(durable && { durable }),
      };
      const swapped = await store.swap(keyOf(name), swap);
      const atMs = world.monotonicMs();
      if (swapped.swapped) {
        if (before.broken) onFault('seal_broken', name);
        if (isLost) onFault('record_lost', name);
        return finish(name, { bytes, record, nodeMs: swapped.nowMs, atMs }, done, swapped.durable);
      }
      base = { bytes: swapped.bytes, nodeMs: swapped.nowMs, atMs };
      isCurrent = true;
    }
    throw new StoreUnavailable(`a record was changed elsewhere ${TRIES} times`);
  }

  async function pause(tries: number): Promise<void> {
    if (tries < QUICK_TRIES) return;
    const ms = Math.min(MAX_WAIT_MS, MIN_WAIT_MS * 2 ** (tries - QUICK_TRIES));
    await world.sleep(ms * (0.5 + world.random()));
  }

  function finish(name: string, seen: Seen<Kept>, done: readonly Done[], durable: boolean): void {
    note(name, seen);
    for (const one of done) one(durable);
  }

  /** False: there is a record by now. */
  async function unlist(name: string): Promise<boolean> {
    const indexes = kind.own.map((index) => ({ index, member: name, score: null }));
    const { swapped } = await store.swap(keyOf(name), {
      ...{ expected: null, bytes: null, ttlMs: kind.ttlMs },
      indexes,
    });
    return swapped;
  }

  async function run(name: string, first: Pending<Kept>): Promise<void> {
    const line = [first];
    lines.set(name, line);
    while (line.length > 0) {
      const batch = line.splice(0);
      try {
        await swapAll(name, batch);
      } catch (error) {
        known.delete(name);
        for (const { fail } of batch) fail(error);
      }
    }
    lines.delete(name);
  }

  return {
    change(name, transition, { durable = false, listed = false } = {}) {
      return new Promise((resolve, reject) => {
        const pending: Pending<Kept> = {
          apply(record, nowMs) {
            const { record: changed, answer } = transition(record, nowMs);
            return { record: changed, done: (isDurable) => resolve({ answer, durable: isDurable }) };
          },
          durable,
          listed,
          fail: reject,
        };
        const line = lines.get(name);
        if (line === undefined) void run(name, pending);
        else line.push(pending);
      });
    },

    async look(name) {
      const seen = await read(name);
      return { record: opened(name, seen).record, nowMs: seen.nodeMs };
    },

    knows: (name) => recall(name) !== undefined,
  };
}

/** What a swap changes in the indexes. */
function indexChanges<Kept>(
  kind: Kind<Kept>,
  name: string,
  before: { readonly record: Kept | null; readonly isUnknown: boolean },
  after: Kept | null,
): IndexChange[] {
  const had = before.record === null ? [] : kind.entries(name, before.record);
  const has = after === null ? [] : kind.entries(name, after);
  const changed: IndexChange[] = has.filter((entry) => twinOf(entry, had)?.score !== entry.score);
  const gone = had.filter((entry) => twinOf(entry, has) === undefined);
  // Nobody knows where a broken or lost record was listed. Its calls stay listed, for operators.
  const lost = kind.own.filter((index) => before.isUnknown && has.every((entry) => entry.index !== index));
  return [
    ...changed,
    ...gone.map(({ index, member }) => ({ index, member, score: null })),
    ...lost.map((index) => ({ index, member: name, score: null })),
  ];
}

const twinOf = (one: Filed, entries: readonly Filed[]): Filed | undefined =>
  entries.find(({ index, member }) => index === one.index && member === one.member);
