import { type EffectContext, type Identifier, LeaseLost } from '../../src/conversation/effect.ts';
import { realWorld, type World } from '../../src/engine/world.ts';
import { readIntent } from '../../src/loyalty/intent.ts';
import type {
  AccumulateRequest,
  AntCrm,
  CallOutcome,
  Contact,
  HistoryQuery,
  LoyaltyRecord,
  Read,
  RedeemRequest,
  RemoteClock,
} from '../../src/loyalty/port.ts';
import { HISTORY_PAGE } from '../../src/loyalty/port.ts';
import type { Log } from '../../src/observability/log.ts';

export const PHONE: Identifier = { kind: 'phone', value: '+84867123456' };
export const EMAIL: Identifier = { kind: 'email', value: 'garnacho@gmail.com' };
export const START_MS = Date.UTC(2026, 10, 25, 8, 47);

const mute = (): void => undefined;
const log: Log = { debug: mute, info: mute, warn: mute, error: mute };
export const observe = { log, alarm: mute, skew: mute };

/** Time that passes only while nothing else can happen. */
export class VirtualClock implements World {
  readonly random = realWorld.random;
  readonly id = realWorld.id;
  readonly bytes = realWorld.bytes;
  #nowMs = START_MS;
  #suspendedMs = 0;
  #timers: { atMs: number; ring: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  /** Another zero than epoch's, so that mixing the two up shows. */
  monotonicMs(): number {
    return this.#nowMs - this.#suspendedMs - START_MS + 1000;
  }

  /** The machine sleeps: the monotonic clock stands still. */
  suspend(ms: number): void {
    this.#nowMs += ms;
    this.#suspendedMs += ms;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#timers.push({ atMs: this.#nowMs + ms, ring: resolve });
    });
  }

  timer(ms: number, ring: () => void): { cancel(): void } {
    const timer = { atMs: this.#nowMs + ms, ring };
    this.#timers.push(timer);
    return { cancel: () => void this.#timers.splice(this.#timers.indexOf(timer), 1) };
  }

  defer(run: () => void): void {
    setImmediate(run);
  }

  /** Lets time pass until the work is done; rejects as the work does. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const mark = (): void => {
      isDone = true;
    };
    work.then(mark, mark);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isDone) return work;
      this.#timers.sort((a, b) => a.atMs - b.atMs);
      const next = this.#timers.shift();
      if (next === undefined) throw new Error('Nothing will ever happen again');
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.ring();
    }
  }
}

/**
 * How the next call ends. `lost`: applied, the answer is lost; `vanished`: the request is lost. What a refusal leaves
 * is a failed record.
 */
export type Fate = 'applied' | 'lost' | 'vanished' | 'refused' | 'unavailable';

/** An AntCRM in memory: it keeps records and contacts and counts what it is asked. */
export class FakeAntcrm implements AntCrm {
  readonly records: (LoyaltyRecord & { visibleAtMs?: number })[] = [];
  readonly contacts: Contact[] = [];
  readonly accumulated: AccumulateRequest[] = [];
  readonly redeemed: RedeemRequest[] = [];
  readonly queries: HistoryQuery[] = [];
  readonly lookups: Identifier[] = [];
  readonly down = new Set<'history' | 'contact'>();
  fate: Fate = 'applied';
  /** How far its clock is ahead; null: its answers do not tell the time. */
  skewMs: number | null = 0;
  /** How long after the call its record shows. */
  lateMs = 0;
  /** Whether the record of the customer is behind: it shows no call's points. */
  isBehind = false;
  /** Called in between: after a request arrived, before its answer. */
  onCall = (): void => undefined;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async accumulate(request: AccumulateRequest): Promise<CallOutcome> {
    this.accumulated.push(request);
    return this.#end(request, { type: 'point', code: request.code, score: 100, what: 'Tivi' });
  }

  async redeem(request: RedeemRequest): Promise<CallOutcome> {
    this.redeemed.push(request);
    return this.#end(request, { type: 'gift', code: request.gift, score: 10, what: 'Đầu máy' });
  }

  async history(query: HistoryQuery): Promise<Read<{ records: LoyaltyRecord[]; full: boolean }>> {
    this.queries.push(query);
    if (this.down.has('history')) return { ok: false, reason: 'unavailable' };
    const { type, fromMs = 0, toMs = Infinity, page } = query;
    const all = this.records.filter(
      (record) =>
        record.type === type &&
        (record.atMs === undefined || (record.atMs >= fromMs && record.atMs <= toMs)) &&
        (record.visibleAtMs ?? 0) <= this.#nowMs(),
    );
    const records = all.slice((page - 1) * HISTORY_PAGE, page * HISTORY_PAGE);
    return { ok: true, value: { records, full: records.length === HISTORY_PAGE } };
  }

  async contact(by: Identifier): Promise<Read<Contact | null>> {
    this.lookups.push(by);
    if (this.down.has('contact')) return { ok: false, reason: 'unavailable' };
    const found = this.contacts.find(({ phones, emails }) => [...phones, ...emails].includes(by.value));
    return { ok: true, value: found ?? null };
  }

  clock(): RemoteClock {
    if (this.skewMs === null) return { kind: 'untold' };
    return { kind: 'known', aheadMs: this.#nowMs() - this.#clock.monotonicMs(), errorMs: 1000 };
  }

  #nowMs(): number {
    return this.#clock.nowMs() + (this.skewMs ?? 0);
  }

  #move({ phone, email }: Pick<RedeemRequest, 'phone' | 'email'>, points: number): void {
    const at = this.contacts.findIndex(
      ({ phones, emails }) => phones.includes(phone ?? '') || emails.includes(email ?? ''),
    );
    const contact = this.contacts[at];
    if (contact?.points === undefined || this.isBehind) return;
    this.contacts[at] = { ...contact, points: contact.points + points };
  }

  #end(request: Pick<RedeemRequest, 'phone' | 'email'>, record: Omit<LoyaltyRecord, 'status'>): CallOutcome {
    this.onCall();
    const atMs = this.#nowMs();
    const made = { id: `new-${this.records.length}`, atMs, visibleAtMs: atMs + this.lateMs, ...record };
    switch (this.fate) {
      case 'applied':
      case 'lost':
        this.records.push({ ...made, status: 'succeeded' });
        this.#move(request, record.type === 'gift' ? -(record.score ?? 0) : (record.score ?? 0));
        return { kind: this.fate === 'lost' ? 'unknown' : 'applied' };
      case 'refused':
        this.records.push({ ...made, status: 'failed' });
        return { kind: 'refused' };
      case 'vanished':
        return { kind: 'unknown' };
      case 'unavailable':
        return { kind: 'unavailable' };
    }
  }
}

/** What outlives a process: locks, intents and who has the lease. */
export class FakeStore {
  readonly locks = new Map<string, string>();
  readonly settled = new Map<string, string[]>();
  readonly awaited = new Map<string, string[]>();
  readonly intents = new Map<string, string>();
  isReplicated = true;
  isStopping = false;
  readonly #clock: VirtualClock;
  #fence = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  unlock(customer: string, operation: string, record?: string, awaited?: string): void {
    if (this.locks.get(customer) === operation) this.locks.delete(customer);
    if (record !== undefined) this.settled.set(customer, [...(this.settled.get(customer) ?? []), record]);
    if (awaited !== undefined) this.awaited.set(customer, [...(this.awaited.get(customer) ?? []), awaited]);
  }

  /** A new lease; the earlier ones are stale from now on. */
  lease(): EffectContext & { abort(): void } {
    const fence = ++this.#fence;
    const lost = new AbortController();
    return {
      nowMs: () => this.#clock.nowMs(),
      signal: lost.signal,
      abort: () => lost.abort(),
      stopping: () => this.isStopping,
      lock: async (customer, operation) => {
        const holder = this.locks.get(customer) ?? operation;
        this.locks.set(customer, holder);
        return holder === operation
          ? {
              locked: true,
              settled: this.settled.get(customer) ?? [],
              awaited: this.awaited.get(customer) ?? [],
            }
          : { locked: false };
      },
      unlock: async (...unlocked) => this.unlock(...unlocked),
      isHeld: async () => fence === this.#fence,
      intend: async (operation, body) => {
        if (fence !== this.#fence || this.intents.has(operation)) throw new LeaseLost();
        this.intents.set(operation, JSON.stringify(body));
        return this.isReplicated ? 'go' : 'unreplicated';
      },
      known: (operation) => {
        const stored = this.intents.get(operation);
        return stored === undefined
          ? null
          : { kind: 'unknown', operation, ...readIntent(JSON.parse(stored)) };
      },
    };
  }
}
