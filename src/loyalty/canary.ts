import { z } from 'zod';
import type { Lookup, Movement, Skew } from '../conversation/effect.ts';
import type { Observe } from '../observability/metrics.ts';
import { type RecordKind, type RecordParts, VersionedRecords } from '../records/versioned-records.ts';
import type { Runtime, Timer } from '../runtime.ts';
import type { SeenHistory } from './evidence.ts';

/*
 * What AntCRM has shown of our own successes: nothing that is absent from its history proves anything before.
 */

/** The largest of so many successes, and of as many before them. */
const COUNTED = 1000;
const lagSchema = z.object({ count: z.number(), lagMs: z.number() });
const skewSchema = z.object({ ms: z.number(), errorMs: z.number() });
const seenSchema = z.object({
  recent: lagSchema,
  earlier: lagSchema,
  clock: skewSchema.optional(),
  perhaps: skewSchema.optional(),
  follows: z.boolean().optional(),
  firstPage: z.union([z.literal(0), z.literal(1)]),
});
/**
 * `recent`, `earlier`: how late records were shown at most. `perhaps`: a clock that only one strange record had,
 * which may be a cashier's; a second one like it makes it the `clock`.
 */
export type SeenRecord = Readonly<z.infer<typeof seenSchema>>;

/** An AntCRM that showed nothing of ours for so long is seen anew. */
const TTL_MS = 400 * 24 * 60 * 60_000;

const SEEN: RecordKind<SeenRecord> = {
  kind: 'h',
  ttlMs: TTL_MS,
  write: (record) => Buffer.from(JSON.stringify(record)),
  read: (plain) => seenSchema.parse(JSON.parse(plain.toString())),
};

/** Keeps the record for all processes. */
export type SeenStore = {
  read(): Promise<SeenRecord | null>;
  update(change: (before: SeenRecord | null) => SeenRecord): Promise<SeenRecord | null>;
};

/** `name`: which AntCRM, by its address. */
export function openSeenStore(name: string, parts: RecordParts): SeenStore {
  const records = new VersionedRecords(SEEN, parts);
  return {
    read: async () => (await records.read(name)).record,
    async update(change) {
      const { record } = await records.update(name, (before) => ({
        record: change(before),
        answer: undefined,
      }));
      return record;
    },
  };
}

export function keepInMemory(seen: SeenRecord | null = null): SeenStore {
  let kept = seen;
  return {
    read: async () => kept,
    update: async (change) => (kept = change(kept)),
  };
}

/**
 * A success, and its record. Its call was begun and answered then (epoch ms by the store's clock), and shown at
 * `shownMs`. `recordMs`: its time by AntCRM's clock.
 */
export type Sighting = Pick<Lookup, 'calledMs'> & {
  readonly answeredMs: number;
  readonly shownMs: number;
  readonly recordMs?: number | undefined;
};
type Kept = Sighting & { readonly isStrange?: boolean; readonly firstPage: 0 | 1 };
type NoteOptions = { readonly firstPage?: 0 | 1; readonly expected?: Skew };

const MIN_ERROR_MS = 1000;
/** Two clocks that differ by less are one. */
const SAME_MS = 10_000;
const NO_LAG = { count: 0, lagMs: 0 };

/** The record after one more success. */
function addSighting(before: SeenRecord | null, sighting: Kept): SeenRecord {
  const { answeredMs, shownMs, isStrange, firstPage } = sighting;
  const { recent = NO_LAG, earlier = NO_LAG, clock, perhaps } = before ?? {};
  const isFull = recent.count >= COUNTED;
  const last = isFull ? NO_LAG : recent;
  const own = toClock(sighting);
  const isSure = own && (!isStrange || (perhaps && Math.abs(perhaps.ms - own.ms) < SAME_MS));
  return {
    recent: { count: last.count + 1, lagMs: Math.max(last.lagMs, shownMs - answeredMs) },
    earlier: isFull ? recent : earlier,
    clock: isSure ? own : clock,
    perhaps: isStrange ? own : perhaps,
    follows: before?.follows,
    firstPage,
  };
}

const isNear = (clock: Skew | undefined, usual: Skew | undefined): boolean =>
  !clock || !usual || Math.abs(clock.ms - usual.ms) <= clock.errorMs + usual.errorMs + MIN_ERROR_MS;

/** The clock that a record shows: it was made while its call was under way. */
function toClock({ calledMs, answeredMs, recordMs }: Sighting): Skew | undefined {
  if (recordMs === undefined) return undefined;
  const fromMs = calledMs ?? answeredMs;
  return {
    ms: Math.round(recordMs - (fromMs + answeredMs) / 2),
    errorMs: Math.ceil((answeredMs - fromMs) / 2) + MIN_ERROR_MS,
  };
}

const toLagMs = ({ recent, earlier }: SeenRecord): number => Math.max(recent.lagMs, earlier.lagMs);

/** A success that was not read back is looked for this often at most, at once and until so long after, ms. */
const WATCHED = 4;
const WATCH_MS = { first: 3000, most: 60 * 60_000 };

/** What changes no verdict is stored this often, ms. */
const STORE_EVERY_MS = 60_000;
/** A clock that was corrected by more than this is stored at once. */
const MOVED_MS = 2000;

type CanaryOptions = {
  readonly store: SeenStore;
  readonly runtime: Pick<Runtime, 'monotonicMs' | 'timer'>;
  readonly observe: Pick<Observe, 'log' | 'historyLag'>;
};

/** One process's view of it. It never waits for the store but where a look needs what others saw. */
export class Canary {
  readonly #options: CanaryOptions;
  #known: SeenRecord | null = null;
  #storedMs = Number.NEGATIVE_INFINITY;
  #pending: Kept[] = [];
  readonly #watched = new Set<Timer>();

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /** Reads what any process has seen, and says so once where nothing was. */
  async open(): Promise<void> {
    await this.seen();
    if (this.#known === null)
      this.#options.observe.log.info(
        {},
        'AntCRM has shown no success of this bot yet: "not applied" is not told before',
      );
  }

  /** What a look may rely on. */
  async seen(): Promise<SeenHistory> {
    this.#learn(await this.#options.store.read());
    const known = this.#known;
    return known === null ? {} : { lagMs: toLagMs(known), clock: known.clock, follows: known.follows };
  }

  /** The number of the first page; undefined: no success has shown it yet. */
  get firstPage(): 0 | 1 | undefined {
    return this.#known?.firstPage;
  }

  /** As this process knows it. */
  get clock(): Skew | undefined {
    return this.#known?.clock;
  }

  /** The largest lag, ms. */
  get lagMs(): number | undefined {
    return this.#known === null ? undefined : toLagMs(this.#known);
  }

  /**
   * A success was shown. Stored at once if a verdict may depend on it. `expected`: another clock than this, and
   * than what is known, needs a second record.
   */
  note(seen: Sighting, { firstPage = this.firstPage ?? 1, expected }: NoteOptions = {}): void {
    const before = this.#known;
    const usual = before?.clock ?? expected;
    const isStrange = expected && !isNear(toClock(seen), usual);
    const sighting = { ...seen, firstPage, ...(isStrange && { isStrange }) };
    const after = addSighting(before, sighting);
    this.#learn(after);
    this.#pending.push(sighting);
    const isNews =
      before === null ||
      toLagMs(after) > toLagMs(before) ||
      before.firstPage !== firstPage ||
      before.perhaps !== after.perhaps ||
      Math.abs((before.clock?.ms ?? Number.POSITIVE_INFINITY) - (after.clock?.ms ?? 0)) > MOVED_MS;
    if (isNews || this.#options.runtime.monotonicMs() - this.#storedMs > STORE_EVERY_MS) void this.#store();
  }

  /** Whether the balance moved by the points of a success. Undefined: it moved by others, too. */
  noteBalance({ before, after }: Movement, change: number | undefined): void {
    const moved = after - before;
    const follows = moved === change ? true : moved === 0 ? false : undefined;
    const known = this.#known;
    if (change === undefined || change === 0 || follows === undefined || known === null) return;
    if (known.follows === follows) return;
    this.#known = { ...known, follows };
    const { store, observe } = this.#options;
    store
      .update((before) => ({ ...(before ?? known), follows }))
      .catch((err: unknown) => observe.log.warn({}, `What AntCRM showed is not stored: ${String(err)}`));
  }

  /**
   * Looks for the record of a success that was not read back: `shown`, or absent until then. What stays away
   * is later than all that was seen.
   */
  watch(look: () => Promise<'shown' | Sighting | undefined>, delayMs = WATCH_MS.first): void {
    if (this.#watched.size >= WATCHED || delayMs > WATCH_MS.most) return;
    const timer = this.#options.runtime.timer(delayMs, async () => {
      this.#watched.delete(timer);
      const absent = await look().catch(() => undefined);
      if (absent === 'shown') return;
      if (absent && absent.shownMs - absent.answeredMs > (this.lagMs ?? Number.POSITIVE_INFINITY))
        this.note(absent);
      this.watch(look, 2 * delayMs);
    });
    this.#watched.add(timer);
  }

  close(): void {
    for (const timer of this.#watched) timer.cancel();
  }

  async #store(): Promise<void> {
    const { store, runtime, observe } = this.#options;
    this.#storedMs = runtime.monotonicMs();
    const sightings = this.#pending.splice(0);
    const [first, ...more] = sightings;
    if (first === undefined) return;
    try {
      this.#learn(await store.update((before) => more.reduce(addSighting, addSighting(before, first))));
    } catch (err) {
      this.#pending.unshift(...sightings);
      observe.log.warn({ kept: this.#pending.length }, `What AntCRM showed is not stored: ${String(err)}`);
    }
  }

  #learn(seen: SeenRecord | null): void {
    if (seen === null) return;
    this.#known = seen;
    this.#options.observe.historyLag(toLagMs(seen) / 1000);
  }
}
