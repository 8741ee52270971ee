import { type Effect, type Identifier, intentSchema, type Outcome } from '../../src/conversation/effect.ts';
import { type CustomerRecord, lock, unlock } from '../../src/engine/customer.ts';
import {
  CallPermit,
  type EffectContext,
  type Interrupted,
  type Unlocking,
} from '../../src/engine/perform.ts';
import { Canary, keepInMemory, type SeenRecord } from '../../src/loyalty/canary.ts';
import { createPerform } from '../../src/loyalty/loyalty.ts';
import type * as port from '../../src/loyalty/port.ts';
import type { Transition } from '../../src/records/versioned-records.ts';
import { BEGIN_MS, createChance, createClock, createProcessRuntime } from '../simulator/clock.ts';

export const PHONE: Identifier = { kind: 'phone', value: '+84867123456' };
export const EMAIL: Identifier = { kind: 'email', value: 'garnacho@gmail.com' };
export const START_MS = BEGIN_MS;
/** The clock of the process is ahead of the store's, so that mixing the two up shows. */
export const AHEAD_MS = 7 * 60_000;
export const TIMEOUT_MS = 8000;
/** The operator's list. */
export const GIFTS = [
  { code: 'DAUMAY01', score: 10 },
  { code: 'LOA01', score: 250 },
  { code: '0071', score: 30 },
];

/** This AntCRM has shown a success at once. */
export const SEEN: SeenRecord = {
  recent: { count: 1, lagMs: 0 },
  earlier: { count: 0, lagMs: 0 },
  follows: true,
  firstPage: 1,
};

export const never = () => new Promise<never>(() => undefined);

/** Time that passes only while nothing else can happen. */
function createVirtualClock() {
  const clock = createClock();
  const process = { name: 'bot', skewMs: 0, isAlive: () => true };
  return {
    ...createProcessRuntime(clock, createChance(1), process),
    /** Another zero than epoch's, so that mixing the two up shows. */
    monotonicMs: () => clock.atMs + 1000,
    pass: (ms: number) => clock.runUntil(clock.atMs + ms),
    /** Lets time pass until the work is done; rejects as the work does. */
    async run<T>(work: Promise<T>): Promise<T> {
      let isDone = false;
      const mark = (): void => {
        isDone = true;
      };
      work.then(mark, mark);
      for (;;) {
        await new Promise(setImmediate);
        if (isDone) return work;
        if (!(await clock.next())) throw new Error('Nothing will ever happen again');
      }
    },
  };
}
type VirtualClock = ReturnType<typeof createVirtualClock>;

/**
 * How the next call ends. `lost`: applied, the answer is lost; `vanished`: the request is lost. What a
 * refusal leaves is a failed record.
 */
export type Fate = 'applied' | 'lost' | 'vanished' | 'refused' | 'refused and lost' | 'unavailable';

/** A page of AntCRM's, each entry of which can be read. */
export const toPage = (records: readonly port.LoyaltyRecord[]): port.HistoryPage => ({
  records,
  marks: records.map(({ id, ...rest }) => id ?? JSON.stringify(rest)),
  isWhole: true,
});

/** An AntCRM in memory: it keeps records and contacts and counts what it is asked. */
class FakeAntcrm implements port.AntCrm {
  readonly records: (port.LoyaltyRecord & { visibleAtMs?: number })[] = [];
  readonly contacts: port.Contact[] = [];
  readonly accumulated: Omit<port.AccumulateRequest, 'permit'>[] = [];
  readonly redeemed: Omit<port.RedeemRequest, 'permit'>[] = [];
  readonly queries: port.HistoryQuery[] = [];
  readonly lookups: Identifier[] = [];
  readonly down = new Set<'history' | 'contact'>();
  pageSize = 20;
  fate: Fate = 'applied';
  /**
   * How far its clock is ahead (null: its answers do not tell the time), and how far that is measured wrong.
   */
  skewMs: number | null = 0;
  measuredMs = 0;
  /** How long a request travels, and how long after the call its record is listed. */
  afterMs = 0;
  lateMs = 0;
  made: string | undefined;
  /** Called in between: after a request arrived, before its answer. */
  onCall = (): unknown => undefined;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  async accumulate({ permit, ...request }: port.AccumulateRequest): Promise<port.CallOutcome> {
    permit.use();
    this.accumulated.push(request);
    return this.#end(request, { type: 'point', code: request.code, score: 100, what: 'Tivi' });
  }

  async redeem({ permit, ...request }: port.RedeemRequest): Promise<port.CallOutcome> {
    permit.use();
    this.redeemed.push(request);
    return this.#end(request, { type: 'gift', code: request.gift, score: 10, what: 'Đầu máy' });
  }

  async history(query: port.HistoryQuery): Promise<port.Read<port.HistoryPage>> {
    this.queries.push(query);
    if (this.down.has('history')) return { ok: false, reason: 'unavailable' };
    const { type, fromMs = 0, toMs = Infinity, page } = query;
    const all = this.records.filter(
      (record) =>
        record.type === type &&
        (record.atMs === undefined || (record.atMs >= fromMs && record.atMs <= toMs)) &&
        (record.visibleAtMs ?? 0) <= this.#nowMs(),
    );
    const records = all.slice((page - 1) * this.pageSize, page * this.pageSize);
    return { ok: true, value: toPage(records), time: this.#time() };
  }

  async contact(by: Identifier): Promise<port.Read<port.Contact | null>> {
    this.lookups.push(by);
    if (this.down.has('contact')) return { ok: false, reason: 'unavailable' };
    const found = this.contacts.find(({ phones, emails }) => [...phones, ...emails].includes(by.value));
    return { ok: true, value: found ?? null, time: this.#time() };
  }

  #time(): port.AnswerTime {
    const dateMs = this.skewMs === null ? undefined : this.#nowMs() + this.measuredMs - 500;
    return { dateMs, tookMs: 0 };
  }

  /** Adds a record that was created `agoMs` ago, by the bot or a cashier. It is listed after `lateMs`. */
  addRecord(record: Omit<port.LoyaltyRecord, 'id'>, lateMs: number, agoMs = 0): string {
    const id = `new-${this.records.length}`;
    const atMs = this.#nowMs() - agoMs;
    this.records.push({ id, atMs, visibleAtMs: atMs + lateMs, ...record });
    return id;
  }

  #nowMs(): number {
    return this.#clock.nowMs() + (this.skewMs ?? 0);
  }

  async #end(
    { phone, email }: Pick<port.RedeemRequest, 'phone' | 'email'>,
    record: Omit<port.LoyaltyRecord, 'failed'>,
  ): Promise<port.CallOutcome> {
    const { fate, afterMs, lateMs } = this;
    if (afterMs > 0) await this.#clock.sleep(afterMs);
    this.onCall();
    if (fate === 'unavailable') return { kind: fate };
    if (fate === 'refused' || fate === 'refused and lost')
      this.addRecord({ ...record, failed: true }, lateMs);
    if (fate === 'applied' || fate === 'lost') {
      this.made = this.addRecord({ ...record, failed: false }, lateMs);
      const points = record.type === 'gift' ? -(record.score ?? 0) : (record.score ?? 0);
      for (const [at, contact] of this.contacts.entries()) {
        const isTheirs = contact.phones.includes(phone ?? '') || contact.emails.includes(email ?? '');
        if (isTheirs && contact.points !== undefined)
          this.contacts[at] = { ...contact, points: contact.points + points };
      }
    }
    const isAnswered = fate === 'applied' || fate === 'refused';
    return isAnswered ? { kind: fate, time: this.#time() } : { kind: 'unknown' };
  }
}

/** What outlives a process: customers' records, intents and who has the lease. */
class FakeStore {
  readonly customers = new Map<string, CustomerRecord>();
  readonly intents = new Map<string, string>();
  isReplicated = true;
  readonly stopping = new AbortController();
  readonly #clock: VirtualClock;
  #fence = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** The locks that operations have now. */
  get locked(): readonly string[] {
    const holds = [...this.customers].filter(
      ([, { holder }]) => holder && holder.untilMs > this.#clock.nowMs(),
    );
    return holds.map(([name]) => name);
  }

  #update<Answer>(name: string, change: Transition<CustomerRecord, Answer>): Answer {
    const { record, answer } = change(this.customers.get(name) ?? null, this.#clock.nowMs());
    if (record) this.customers.set(name, record);
    return answer;
  }

  lock = (name: string, operation: string, forMs?: number) => this.#update(name, lock(operation, { forMs }));

  unlock = (name: string, unlocking: Unlocking) => this.#update(name, unlock(unlocking));

  /** A new lease; the earlier ones are stale from now on. */
  lease(): EffectContext & { abort(): void } {
    const fence = ++this.#fence;
    const lost = new AbortController();
    return {
      nowMs: () => this.#clock.nowMs(),
      signal: lost.signal,
      abort: () => lost.abort(),
      stopping: this.stopping.signal,
      lock: async (...asked) => this.lock(...asked),
      unlock: async (...left) => this.unlock(...left),
      intend: async (operation, body) => {
        if (fence !== this.#fence || this.intents.has(operation)) return 'interrupted';
        this.intents.set(operation, JSON.stringify(body));
        return this.isReplicated ? new CallPermit(operation) : 'unreplicated';
      },
      findCall: (operation) => {
        const stored = this.intents.get(operation);
        return stored === undefined
          ? null
          : { kind: 'unknown', operation, ...intentSchema.parse(JSON.parse(stored)) };
      },
    };
  }
}

/** `contacts`: whether AntCRM has `/contacts`. `context`: by default a lease of its own. */
type PerformOptions = { readonly contacts?: 'on' | 'off' | undefined; readonly context?: EffectContext };

/**
 * The loyalty rules between a fake AntCRM and a fake store, on one clock. `perform` lets the clock run until
 * the effect has its outcome. `seen`: the alarms, and the skews of AntCRM's clock, in seconds. `ahead`: how far
 * the wall clock of the process is ahead; more of it means that the machine slept.
 */
export function createKit() {
  const clock = createVirtualClock();
  const antcrm = new FakeAntcrm(clock);
  const store = new FakeStore(clock);
  const seen: unknown[] = [];
  const mute = (): void => undefined;
  const observe = {
    log: { debug: mute, info: mute, warn: mute, error: mute },
    alarm: (...alarm: unknown[]) => void seen.push(alarm),
    skew: (seconds: number) => void seen.push(seconds),
    historyLag: mute,
    call: mute,
    breaker: mute,
  };
  const ahead = { ms: AHEAD_MS };
  const runtime = { ...clock, nowMs: () => clock.nowMs() + ahead.ms };
  const canary = new Canary({ store: keepInMemory(SEEN), runtime, observe });
  const parts = { antcrm, canary, timeoutMs: TIMEOUT_MS, observe, runtime, gifts: GIFTS };
  const rules = {
    on: createPerform({ ...parts, contacts: 'on' }),
    off: createPerform({ ...parts, contacts: 'off' }),
  };
  const perform = (effect: Effect, { contacts = 'on', context = store.lease() }: PerformOptions = {}) =>
    clock.run<Outcome | Interrupted>(rules[contacts](effect, context));
  return { clock, ahead, antcrm, store, seen, perform, observe };
}
