import { hash } from 'node:crypto';
import { conversationName, type Incoming, type Outgoing } from '../../src/engine/messages.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import type { Observe } from '../../src/observability/metrics.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { type RecordStore, SHARDS, versionOf } from '../../src/store/port.ts';
import { changeBetween } from '../support/changes.ts';
import { createLossyStore } from '../support/lossy-store.ts';
import { observeInto } from '../support/observe.ts';
import { createAntCrmDouble } from './antcrm.ts';
import { type Breach, type Chat, Checks, type Update } from './checks.ts';
import { BEGIN_MS, type Chance, type Clock, createChance, createClock } from './clock.ts';
import { Conduct } from './conduct.ts';
import { type Counts, createCounts } from './counts.ts';
import { createCustomer, senderOf } from './customers.ts';
import { drawRates, FaultyLine, withoutFaults } from './faults.ts';
import { Platforms } from './platform.ts';
import { BotProcess, type Defect, HASH_KEY, type Surroundings } from './process.ts';
import { Staff } from './staff.ts';
import { type RecordChange, watchRecords } from './watch.ts';

/*
 * The seams between the simulator and the bot, all of them:
 *
 * - `Engine`, `Operators`, `createTickets`, `createLoyalty` and `createConversation`, by their options
 *   (`process.ts`): `runtime` is the clock, the timers and all chance; `transport.exchange` is AntCRM's wire;
 *   `platform().deliver` is a platform; `observe` is what is logged, counted and alarmed.
 * - `RecordStore` (`store/port.ts`): latency, faults and losses come between a process and the store.
 * - Records (`watch.ts`): the layout of `writeRecord`, and the fields inbox, outbox, journal, lease, retry,
 *   dead and state; `CONVERSATION.entries`, `CUSTOMER.read`, `test/support/changes.ts`.
 * - `EngineOptions.aroundRecords`: planted defects change transitions there (`planted.ts`).
 */

const PROCESSES = 3;
const CUSTOMERS = 60;
/** Customers arrive in the first part of a history. Faults last longer; then everything settles. */
const SHORT = {
  arrivalsMs: 4 * 60_000,
  faultsMs: 9 * 60_000,
  sweepMs: 2_000,
  patience: 1,
  illMs: [2_000, 60_000],
} as const;
const LONG = {
  arrivalsMs: 60 * 60_000,
  faultsMs: 3 * 3_600_000,
  sweepMs: 5_000,
  patience: 6,
  illMs: [60_000, 600_000],
} as const;
const LONG_RATE = 0.1;
/** The longest time to settle. It has settled when nothing is due for `QUIET_MS`. */
const REST_MS = 2 * 3_600_000;
const REST_STEP_MS = 20_000;
const QUIET_MS = 11 * 60_000;
/** At how many changes of the hour the store's clock is put back to the hour before, and how soon after. */
const HOUR_BACK_RATE = 0.3;
const HOUR_BACK_MS = [1_000, 8_000] as const;
const HOUR_MS = 3_600_000;

/** The result of a history. */
export type History = {
  readonly seed: number;
  readonly messages: number;
  readonly hash: string;
  readonly breaches: readonly Breach[];
  readonly counts: Counts;
};

export type HistoryOptions = {
  readonly customers?: number;
  readonly defect?: Defect;
  /** Another store than memory, for the same history. */
  readonly openStore?: (clock: Clock) => RecordStore;
  readonly watch?: (atMs: number, what: string) => void;
  /** Called with the store at the end. */
  readonly atEnd?: (
    store: RecordStore,
    keys: ReadonlySet<Parameters<RecordStore['read']>[0]>,
  ) => Promise<void>;
};

/** Runs the whole bot, three processes of it, through one history: the same seed, the same history. */
export async function runHistory(seed: number, options: HistoryOptions = {}): Promise<History> {
  return new Simulation(seed, options).run();
}

class Simulation {
  readonly #seed: number;
  readonly #options: HistoryOptions;
  readonly #chance: Chance;
  readonly #clock = createClock();
  readonly #counting = createCounts();
  readonly #encryption = createEncryption({ hashKey: HASH_KEY });
  readonly #traced: string[] = [];
  readonly #logged: string[] = [];
  readonly #life: typeof SHORT | typeof LONG;
  readonly #lossy: ReturnType<typeof createLossyStore>;
  readonly #records: ReturnType<typeof watchRecords>;
  readonly #antcrm: ReturnType<typeof createAntCrmDouble>;
  readonly #checks: Checks;
  readonly #conduct: Conduct;
  readonly #line: FaultyLine;
  readonly #platforms: Platforms;
  readonly #staff: Staff;
  readonly #around: Surroundings;
  readonly #places: (BotProcess | undefined)[] = [];
  readonly #customers = new Map<string, ReturnType<typeof createCustomer>>();
  #rates: ReturnType<typeof drawRates>;
  /** The times of the swaps since the last replicated one: a failover may lose them. */
  #losable: number[] = [];
  #generation = 0;
  #messages = 0;
  #codes = 0;

  constructor(seed: number, options: HistoryOptions) {
    this.#seed = seed;
    this.#options = options;
    this.#chance = createChance(seed);
    this.#rates = drawRates(this.#chance);
    const [clock, chance, encryption, logged] = [this.#clock, this.#chance, this.#encryption, this.#logged];
    const { count } = this.#counting;
    const world = { clock, chance, count, rates: () => this.#rates, trace: this.#trace };
    this.#life = chance.happens(LONG_RATE) ? LONG : SHORT;
    const { faultsMs, sweepMs } = this.#life;
    const isNarrow = chance.happens(0.3);
    this.#antcrm = createAntCrmDouble(world, (...call) => this.#conduct.onCall(...call));
    this.#lossy = createLossyStore(clock, 200, options.openStore?.(clock));
    this.#records = watchRecords(this.#lossy, {
      ...{ encryption, count },
      onChange: (change) => {
        if (this.#options.watch) this.#traceChange(change);
        this.#checks.onChange(change);
        this.#conduct.onChange(change);
      },
    });
    const { sent } = this.#antcrm;
    const [, illMs] = this.#life.illMs;
    this.#checks = new Checks({ clock, records: this.#records, encryption, sent, logged, sweepMs, illMs });
    const checks = this.#checks;
    const breach = (invariant: string, what: string) => checks.breach(invariant, what);
    this.#conduct = new Conduct({ clock, encryption, peek: this.#records.peek, breach });
    this.#line = new FaultyLine(world, this.#life.illMs);
    const bot = () => this.#places[chance.between(0, PROCESSES - 1)];
    const onFault = (error: unknown): void =>
      breach('nothing throws', error instanceof Error ? `${error.stack}` : String(error));
    this.#platforms = new Platforms({
      ...{ ...world, onFault, bot },
      hear: (outgoing, seq) => this.#hear(outgoing, seq),
    });
    this.#staff = new Staff({
      ...{ ...world, onFault, homeMs: faultsMs - 60_000 },
      desk: () => bot()?.desk,
      onContested: (operation) => checks.contested.add(operation),
      onDecided: (operation, result) => checks.onDecided(operation, result),
      isApplied: (operation) => (sent.get(operation)?.applied ?? 0) > 0,
    });
    this.#around = {
      ...{ ...world, line: this.#line, conduct: this.#conduct },
      ...{ store: this.#store(), observe: this.#observe(), defect: options.defect ?? {} },
      deliver: (outgoing, seq) => this.#platforms.deliver(outgoing, seq),
      limits: { sweepMs, ...(isNarrow && { concurrency: 8, perChannel: 2 }) },
      exchange: (call, operation) => this.#antcrm.exchange(call, operation),
      onEnd: (process) => {
        const place = this.#places.indexOf(process);
        this.#places[place] = undefined;
        this.#checks.onEnd();
        clock.plan(chance.between(500, 5_000), () => this.#start(place));
      },
    };
  }

  async run(): Promise<History> {
    const [clock, chance] = [this.#clock, this.#chance];
    const { arrivalsMs, faultsMs } = this.#life;
    for (let place = 0; place < PROCESSES; place++) this.#start(place);
    for (let at = 0; at < (this.#options.customers ?? CUSTOMERS); at++) {
      const phone = `+8491${String(this.#seed % 1000).padStart(3, '0')}${String(at).padStart(4, '0')}`;
      // Some use two channels at once.
      const isTwice = chance.happens(0.15);
      this.#addCustomer(phone, 'telegram', isTwice);
      if (isTwice) this.#addCustomer(phone, 'teams', true);
    }
    for (const { arrive } of this.#customers.values()) clock.plan(chance.between(0, arrivalsMs), arrive);
    void this.#eachSecond();
    for (let atMs = HOUR_MS - (BEGIN_MS % HOUR_MS); atMs < faultsMs; atMs += HOUR_MS)
      if (chance.happens(HOUR_BACK_RATE))
        clock.after(atMs + chance.between(...HOUR_BACK_MS), this.#putHourBack);
    this.#staff.look();
    await clock.runUntil(faultsMs);
    this.#rates = withoutFaults(this.#rates);
    do await clock.runUntil(clock.atMs + REST_STEP_MS);
    while (clock.atMs < faultsMs + REST_MS && !(await this.#isAtRest()));
    await this.#checks.checkAll(this.#lossy);
    await this.#options.atEnd?.(this.#lossy, this.#records.keys);
    return {
      seed: this.#seed,
      messages: this.#messages,
      hash: hash('sha256', this.#traced.join('')).slice(0, 16),
      breaches: this.#checks.breaches,
      counts: this.#counting.counts,
    };
  }

  readonly #trace = (what: string): void => {
    this.#traced.push(`${this.#clock.atMs} ${what}\n`);
    this.#options.watch?.(this.#clock.atMs, what);
  };

  /** Prints a change of a record. */
  #traceChange({ name, before, after, promised }: RecordChange): void {
    const { id } = this.#checks.chats.get(name) ?? {};
    const { lease, retry, inbox, outbox, journal, wakeMs, attempts } = after;
    const told = promised.map(({ seq, reply }) => `${seq} ${reply.key}`);
    const parts = {
      lease,
      retry,
      told,
      inbox: inbox.map((one) => one.id),
      outbox: outbox.map(({ seq }) => seq),
    };
    const calls = Object.entries(journal).map(([operation, { outcome }]) => [operation, outcome]);
    const what = JSON.stringify({ ...parts, calls, wakeMs, attempts });
    this.#options.watch?.(this.#clock.atMs, `${changeBetween(before, after)} ${id} ${what}`);
  }

  #observe(): Observe {
    const { count } = this.#counting;
    const observe = observeInto(this.#logged);
    const counted: Observe = {
      ...observe,
      alarm(name, fields) {
        observe.alarm(name, fields);
        if (name === 'dead_letter') count('dead letters');
        if (name === 'operation_escalated') count('operations with staff');
        if (name === 'seal_broken') count('alarms of broken records');
        if (name === 'record_lost') count('alarms of lost records');
      },
    };
    return this.#options.defect?.observe?.(counted) ?? counted;
  }

  /** The shared store. Swaps that replicas did not acknowledge may be lost. */
  #store(): RecordStore {
    const { store } = this.#records;
    return {
      ...store,
      compareAndSwap: async (key, swap) => {
        const { swaps } = this.#lossy;
        const swapped = await store.compareAndSwap(key, swap);
        const isDurable = swap.durable === true && !this.#chance.happens(this.#rates.unreplicated);
        if (swap.durable && !isDurable) this.#counting.count('intents not replicated');
        if (this.#lossy.swaps > swaps) this.#losable.push(this.#clock.atMs);
        this.#losable = isDurable ? [] : this.#losable.slice(-190);
        if (!swapped.swapped) return swapped;
        this.#checks.onSwapped(key, swap);
        this.#conduct.onSwapped(key, swap.bytes, isDurable);
        return { ...swapped, durable: isDurable };
      },
    };
  }

  #start(place: number): void {
    this.#generation += 1;
    this.#places[place] = new BotProcess(`${place}/${this.#generation}`, this.#around);
  }

  #hear({ channel, conversation: id, reply, turn, first, last }: Outgoing, seq: number): void {
    const { count } = this.#counting;
    const chat = this.#checks.chats.get(conversationName(this.#encryption, channel, id));
    if (chat === undefined) {
      this.#checks.breach('answered', `a reply to nobody: ${id}`);
      return;
    }
    this.#trace(`told ${id} ${seq} ${reply.key}`);
    if (reply.key === 'operation.busy') count('redemptions that wait for another');
    if (reply.key === 'privacy.remembered') count('consents given');
    if (reply.key === 'privacy.erased') count('forgotten');
    const isNew = this.#checks.onTold(chat, { seq, reply, turn, first });
    if (isNew && reply.key === 'person.waiting')
      this.#staff.serve(String(reply.params?.reference), (written) => chat.written.push(written));
    if (isNew && last) this.#customers.get(id)?.hear(reply);
  }

  #addCustomer(phone: string, channel: string, isTwice: boolean): void {
    const chance = this.#chance;
    const id = `chat-${this.#customers.size}`;
    const name = conversationName(this.#encryption, channel, id);
    const chat: Chat = {
      ...{ id, key: `c:${name}`, phone, messages: [], told: [], written: [] },
      promised: new Map(),
    };
    this.#checks.chats.set(name, chat);
    const customer = createCustomer(this.#clock, chance, {
      ...{ phone, isTwice, patience: this.#life.patience, count: this.#counting.count },
      freshCode: () => {
        // Some type a code that is used already.
        const isUsed = this.#codes > 0 && chance.happens(0.1);
        if (!isUsed) this.#codes += 1;
        return `TIVI${String(isUsed ? chance.between(1, this.#codes) : this.#codes).padStart(9, '0')}`;
      },
      send: (message) => {
        this.#messages += 1;
        const sender = senderOf(channel);
        const incoming: Incoming = {
          ...{ channel, conversation: id, id: `update-${this.#messages}`, message, sender, address: null },
        };
        const filed: Update = { incoming, sentMs: this.#clock.atMs, replies: [] };
        chat.messages.push(filed);
        this.#trace(`sent ${id} ${incoming.id} ${JSON.stringify(message)}`);
        this.#platforms.send(filed);
      },
    });
    this.#customers.set(id, customer);
  }

  readonly #eachSecond = async (): Promise<void> => {
    const [clock, chance, rates] = [this.#clock, this.#chance, this.#rates];
    const { count } = this.#counting;
    clock.after(1_000, this.#eachSecond);
    // A long history has as many faults as a short one.
    const happens = (rate: number): boolean => chance.happens((rate * SHORT.faultsMs) / this.#life.faultsMs);
    if (happens(rates.ill)) this.#line.fallIll();
    if (happens(rates.putBack)) {
      count('clocks put back');
      clock.putBack(chance.between(100, 20_000));
    }
    if (happens(rates.outage)) this.#platforms.breakDown(chance.pick(['telegram', 'teams']));
    const stopped = happens(rates.stopped) ? this.#places[chance.between(0, PROCESSES - 1)] : undefined;
    // An event of its own: in this one, Redis would take another order.
    if (stopped) clock.after(0, () => void stopped.stop());
    if (happens(rates.failover)) await this.#failOver();
    if (happens(rates.damaged)) await this.#damage();
    if (Math.floor(clock.atMs / 1000) % 20 > 0) return;
    for (const process of this.#places) if (process) this.#checks.checkLooks(process.name, process.lookedMs);
    await this.#checks.checkLocks();
  };

  /** The store's clock shows the hour before again, and platforms repeat what they sent in the new one. */
  readonly #putHourBack = (): void => {
    const sinceMs = this.#clock.nowMs() % HOUR_MS;
    // It was put back before, and the hour has yet to come.
    if (sinceMs > HOUR_MS / 2) return;
    this.#counting.count('hours put back');
    this.#clock.putBack(sinceMs + this.#chance.between(1_000, 10_000));
    this.#platforms.repeat();
  };

  /** A failover to a lagging replica loses the last writes. */
  async #failOver(): Promise<void> {
    const [clock, losable] = [this.#clock, this.#losable];
    const lost = Math.min(losable.length, this.#chance.between(1, 40));
    this.#checks.losses.push({ fromMs: losable.at(-lost) ?? clock.atMs, atMs: clock.atMs });
    this.#conduct.onLoss();
    this.#losable = [];
    this.#counting.count('failovers');
    this.#trace(`failover, ${lost} swaps lost`);
    if (lost > 0) await this.#lossy.lose(lost);
  }

  /** Makes a record unreadable, or removes it; its index entries stay. */
  async #damage(): Promise<void> {
    const [clock, chance] = [this.#clock, this.#chance];
    const { chats, losses } = this.#checks;
    const chat = [...chats.values()][chance.between(0, chats.size - 1)];
    const bytes = chat && (await this.#lossy.read(chat.key)).bytes;
    const record = chat && bytes && this.#records.peek(chat.key, bytes);
    if (!chat || !bytes || !record) return;
    const kind = chance.happens(0.5) ? 'broken' : 'lost';
    const noise = Buffer.from(Array.from({ length: 40 }, () => chance.between(2, 255)));
    const broken = kind === 'broken' ? noise : null;
    const isDue = CONVERSATION.entries('', record).some(({ index }) => index === 'due');
    this.#counting.count(kind === 'broken' ? 'records broken' : 'records lost');
    this.#trace(`${chat.id} ${kind}`);
    losses.push({
      ...{ fromMs: Number.NEGATIVE_INFINITY, atMs: clock.atMs, chat },
      damage: { kind, bytes: broken, isDue },
    });
    this.#conduct.onLoss();
    this.#losable.push(clock.atMs);
    const swap = { expected: versionOf(bytes), bytes: broken, ttlMs: CONVERSATION.ttlMs, indexes: [] };
    await this.#lossy.compareAndSwap(chat.key, swap);
  }

  /** Whether no plan is left, all replies have left, and nothing is due soon. */
  async #isAtRest(): Promise<boolean> {
    if (this.#clock.planned > 0) return false;
    const untilMs = this.#clock.nowMs() + QUIET_MS;
    for (let shard = 0; shard < SHARDS; shard++) {
      const due = await this.#lossy.list('due', { shard, upTo: 'ever', limit: 1 });
      const undelivered = await this.#lossy.list('undelivered', { shard, upTo: 'ever', limit: 1 });
      if (undelivered.count > 0 || due.entries.some(({ score }) => score < untilMs)) return false;
    }
    return true;
  }
}
