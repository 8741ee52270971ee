import type { Outgoing } from '../../src/engine/messages.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import { type RecordStore, versionOf } from '../../src/store/port.ts';
import { changeBetween } from '../support/changes.ts';
import { createLossyStore } from '../support/lossy-store.ts';
import { createAntCrmDouble } from './antcrm.ts';
import { type Chat, Checks, listAll, type Update } from './checks.ts';
import { BEGIN_MS, type Clock } from './clock.ts';
import { Conduct } from './conduct.ts';
import type { Counts, Kind } from './counts.ts';
import { createCustomer } from './customers.ts';
import { FaultyLine } from './faults.ts';
import { Platforms } from './platform.ts';
import { BotProcess, type Defect, type Surroundings } from './process.ts';
import { Staff } from './staff.ts';
import { type RecordChange, type Watched, watchRecords } from './watch.ts';
import { type Breach, createWorld, type World } from './world.ts';

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

/** Replies that are counted. */
const REPLIES: Readonly<Record<string, Kind>> = {
  'operation.busy': 'redemptions that wait for another',
  'privacy.remembered': 'consents given',
  'privacy.erased': 'forgotten',
};

/** Runs the whole bot, three processes of it, through one history: the same seed, the same history. */
export async function runHistory(seed: number, options: HistoryOptions = {}): Promise<History> {
  return new Simulation(seed, options).run();
}

class Simulation {
  readonly #seed: number;
  readonly #options: HistoryOptions;
  readonly #world: World;
  readonly #lossy: ReturnType<typeof createLossyStore>;
  readonly #records: Watched;
  readonly #checks: Checks;
  readonly #conduct: Conduct;
  readonly #line: FaultyLine;
  readonly #platforms: Platforms;
  readonly #staff: Staff;
  readonly #around: Surroundings;
  readonly #places: (BotProcess | undefined)[] = [];
  readonly #customers = new Map<string, ReturnType<typeof createCustomer>>();
  /** The times of the swaps since the last replicated one: a failover may lose them. */
  #losable: number[] = [];
  #generation = 0;
  #messages = 0;
  #codes = 0;

  constructor(seed: number, options: HistoryOptions) {
    this.#seed = seed;
    this.#options = options;
    const world = createWorld(seed, options.watch);
    const { chance, clock, life } = world;
    this.#world = world;
    const isNarrow = chance.happens(0.3);
    this.#lossy = createLossyStore(clock, 200, options.openStore?.(clock));
    this.#records = watchRecords(this.#lossy, world, (change) => {
      if (options.watch) this.#traceChange(change);
      this.#checks.onChange(change);
      this.#conduct.onChange(change);
    });
    const { exchange, sent } = createAntCrmDouble(world, (...call) => this.#conduct.onCall(...call));
    this.#checks = new Checks({ world, records: this.#records, sent });
    this.#conduct = new Conduct(world, this.#records.peek);
    this.#line = new FaultyLine(world);
    const bot = () => this.#places[chance.between(0, PROCESSES - 1)];
    this.#platforms = new Platforms(world, { bot, hear: (...reply) => this.#hear(...reply) });
    this.#staff = new Staff(world, {
      desk: () => bot()?.desk,
      checks: this.#checks,
      isApplied: (operation) => (sent.get(operation)?.applied ?? 0) > 0,
    });
    this.#around = {
      ...{ world, exchange, line: this.#line, conduct: this.#conduct, defect: options.defect ?? {} },
      store: this.#store(),
      deliver: (...reply) => this.#platforms.deliver(...reply),
      limits: { sweepMs: life.sweepMs, ...(isNarrow && { concurrency: 8, perChannel: 2 }) },
      onEnd: (process) => {
        const place = this.#places.indexOf(process);
        this.#places[place] = undefined;
        this.#checks.onEnd();
        clock.plan(chance.between(500, 5_000), () => this.#start(place));
      },
    };
  }

  async run(): Promise<History> {
    const { chance, clock, life } = this.#world;
    const { arrivalsMs, faultsMs } = life;
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
    this.#world.endFaults();
    do await clock.runUntil(clock.atMs + REST_STEP_MS);
    while (clock.atMs < faultsMs + REST_MS && !(await this.#isAtRest()));
    await this.#checks.checkAll(this.#lossy);
    await this.#options.atEnd?.(this.#lossy, this.#records.keys);
    const { breaches, counts } = this.#world;
    return { seed: this.#seed, messages: this.#messages, hash: this.#world.hash(), breaches, counts };
  }

  /** Prints a change of a record. */
  #traceChange({ key, before, after }: RecordChange): void {
    const { id } = this.#checks.chats.get(key) ?? {};
    const what = JSON.stringify({ ...after, ids: undefined, state: undefined, stored: undefined });
    this.#options.watch?.(this.#world.clock.atMs, `${changeBetween(before, after)} ${id} ${what}`);
  }

  /** The shared store. Swaps that replicas did not acknowledge may be lost. */
  #store(): RecordStore {
    const { store } = this.#records;
    const { chance, clock, count } = this.#world;
    return {
      ...store,
      compareAndSwap: async (key, swap) => {
        const { swaps } = this.#lossy;
        const swapped = await store.compareAndSwap(key, swap);
        const isDurable = swap.durable === true && !chance.happens(this.#world.rates.unreplicated);
        if (swap.durable && !isDurable) count('intents not replicated');
        if (this.#lossy.swaps > swaps) this.#losable.push(clock.atMs);
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

  #hear(outgoing: Outgoing, seq: number): void {
    const { breach, count, keyOf, trace } = this.#world;
    const { conversation: id, reply, last } = outgoing;
    const chat = this.#checks.chats.get(keyOf(outgoing));
    if (chat === undefined) {
      breach('answered', `a reply to nobody: ${id}`);
      return;
    }
    trace(`told ${id} ${seq} ${reply.key}`);
    const kind = REPLIES[reply.key];
    if (kind) count(kind);
    const isNew = this.#checks.onTold(chat, outgoing, seq);
    if (isNew && reply.key === 'person.waiting')
      this.#staff.serve(String(reply.params?.reference), chat.written);
    if (isNew && last) this.#customers.get(id)?.hear(reply);
  }

  #addCustomer(phone: string, channel: string, isTwice: boolean): void {
    const { chance, clock, keyOf, trace } = this.#world;
    const id = `chat-${this.#customers.size}`;
    const to = { channel, conversation: id };
    const key = keyOf(to);
    const chat: Chat = { id, key, messages: [], told: [], written: [], promised: new Map() };
    this.#checks.chats.set(key, chat);
    const customer = createCustomer(this.#world, {
      ...{ phone, isTwice },
      freshCode: () => {
        // Some type a code that is used already.
        const isUsed = this.#codes > 0 && chance.happens(0.1);
        if (!isUsed) this.#codes += 1;
        return `TIVI${String(isUsed ? chance.between(1, this.#codes) : this.#codes).padStart(9, '0')}`;
      },
      send: (message) => {
        this.#messages += 1;
        const sender = { channel, proof: 'contact', locale: 'vi' } as const;
        const incoming = { ...to, id: `update-${this.#messages}`, message, sender, address: null };
        const filed: Update = { incoming, sentMs: clock.atMs };
        chat.messages.push(filed);
        trace(`sent ${id} ${incoming.id} ${JSON.stringify(message)}`);
        this.#platforms.send(filed);
      },
    });
    this.#customers.set(id, customer);
  }

  readonly #eachSecond = async (): Promise<void> => {
    const { chance, clock, count, life, rates } = this.#world;
    clock.after(1_000, this.#eachSecond);
    const happens = (rate: number): boolean => chance.happens(rate * life.faultFactor);
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
    const { chance, clock, count } = this.#world;
    const sinceMs = clock.nowMs() % HOUR_MS;
    // It was put back before, and the hour has yet to come.
    if (sinceMs > HOUR_MS / 2) return;
    count('hours put back');
    clock.putBack(sinceMs + chance.between(1_000, 10_000));
    this.#platforms.repeat();
  };

  /** A failover to a lagging replica loses the last writes. */
  async #failOver(): Promise<void> {
    const { chance, clock, count, trace } = this.#world;
    const losable = this.#losable;
    const lost = Math.min(losable.length, chance.between(1, 40));
    this.#checks.losses.push({ fromMs: losable.at(-lost) ?? clock.atMs, atMs: clock.atMs });
    this.#conduct.onLoss();
    this.#losable = [];
    count('failovers');
    trace(`failover, ${lost} swaps lost`);
    if (lost > 0) await this.#lossy.lose(lost);
  }

  /** Makes a record unreadable, or removes it; its index entries stay. */
  async #damage(): Promise<void> {
    const { chance, clock, count, trace } = this.#world;
    const { chats, losses } = this.#checks;
    const chat = [...chats.values()][chance.between(0, chats.size - 1)];
    const bytes = chat && (await this.#lossy.read(chat.key)).bytes;
    const record = chat && bytes && this.#records.peek(chat.key, bytes);
    if (!chat || !bytes || !record) return;
    const kind = chance.happens(0.5) ? 'broken' : 'lost';
    const noise = Buffer.from(Array.from({ length: 40 }, () => chance.between(2, 255)));
    const left = kind === 'broken' ? noise : null;
    const isDue = CONVERSATION.entries('', record).some(({ index }) => index === 'due');
    count(`records ${kind}`);
    trace(`${chat.id} ${kind}`);
    losses.push({ fromMs: Number.NEGATIVE_INFINITY, atMs: clock.atMs, chat, damage: { left, isDue } });
    this.#conduct.onLoss();
    this.#losable.push(clock.atMs);
    const swap = { expected: versionOf(bytes), bytes: left, ttlMs: CONVERSATION.ttlMs, indexes: [] };
    await this.#lossy.compareAndSwap(chat.key, swap);
  }

  /** Whether no plan is left, all replies have left, and nothing is due soon. */
  async #isAtRest(): Promise<boolean> {
    const { clock } = this.#world;
    if (clock.planned > 0) return false;
    const untilMs = clock.nowMs() + QUIET_MS;
    const listed = await listAll(this.#lossy, ['due', 'undelivered']);
    return !listed.some(({ index, score }) => index === 'undelivered' || score < untilMs);
  }
}
