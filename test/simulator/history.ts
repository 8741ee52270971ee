import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { conversationName, type Delivery, type Incoming, type Outgoing } from '../../src/engine/messages.ts';
import { Operators } from '../../src/engine/operators.ts';
import { CONVERSATION } from '../../src/engine/transitions.ts';
import { SAYINGS, WORDING } from '../../src/i18n.ts';
import { createLoyalty, type LoyaltyOptions } from '../../src/loyalty/loyalty.ts';
import { createNotices } from '../../src/notices.ts';
import type { Observe } from '../../src/observability/metrics.ts';
import { createTickets, type Tickets } from '../../src/operators/tickets.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { type RecordStore, StoreUnavailable, versionOf } from '../../src/store/port.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createLossyStore } from '../support/lossy-store.ts';
import { recordingObserve } from '../support/observe.ts';
import { createAntCrmDouble } from './antcrm.ts';
import { type Breach, createChecks, type Filed, type Talk } from './checks.ts';
import { type Chance, type Clock, createChance, createClock, createProcessRuntime } from './clock.ts';
import { type Counts, createCounts } from './counts.ts';
import { createCustomer, KILLER, POISON, senderOf } from './customers.ts';
import { createLine, drawRates, type Victim, withoutFaults } from './faults.ts';
import { createStaff, type Desk } from './staff.ts';
import { watchRecords } from './watch.ts';

/*
 * The seams between the simulator and the bot, all of them:
 *
 * - `Engine`, `Operators`, `createTickets`, `createLoyalty` and `createConversation`, by their options: `runtime` is
 *   the clock, the timers and all chance; `transport.exchange` is AntCRM's wire; `platform().deliver` is a platform;
 *   `observe` is what is logged, counted and alarmed.
 * - `RecordStore` (`store/port.ts`): latency, faults and losses are put between a process and a memory store, or a Redis.
 * - What a swap wrote is read by `readRecord`, `CONVERSATION.entries`, `CUSTOMER.read`, `readMessage`, `readOutboxItem`, and
 *   what made it is told by `test/support/changes.ts`: of the record's fields it needs inbox, outbox, journal, lease, dead
 *   and state.
 * - `EngineOptions.aroundRecords`: where planted defects wrap what changes records (`planted.ts`).
 */

const PROCESSES = 3;
const CUSTOMERS = 60;
/** Customers come within this time; faults go on a little longer; then everything has time to settle. */
const ARRIVALS_MS = 4 * 60_000;
const FAULTS_MS = 9 * 60_000;
const REST_MS = 30 * 60_000;
const TIMEOUT_MS = 8_000;
/** When a platform sends an update again that it has no 2xx for. */
const AGAIN_MS = 4_000;
const PLATFORM_TIMEOUT_MS = 20_000;
/** Looked up sooner than in production, so that a history ends sooner. */
const CHECKS_MS = [5_000, 20_000, 60_000, 120_000, 300_000];
const LIMITS = { sweepMs: 2_000 };

const hashKey = Buffer.alloc(32, 7);
const nameOf = createEncryption({ hashKey });
const conversation = {
  ...createConversation({ flows, wording: WORDING, sayings: SAYINGS }),
  settings: { ...SETTINGS, operationChecksMs: CHECKS_MS, handover: true },
};

/** What a history came to. */
export type History = {
  readonly seed: number;
  readonly messages: number;
  readonly hash: string;
  readonly breaches: readonly Breach[];
  readonly counts: Counts;
};

/** What a planted defect puts around parts of the bot or of what surrounds it. */
export type Defect = {
  readonly store?: (store: RecordStore) => RecordStore;
  readonly aroundRecords?: NonNullable<EngineOptions['aroundRecords']>;
  readonly step?: (step: EngineOptions['conversation']['step']) => EngineOptions['conversation']['step'];
  readonly perform?: (perform: EngineOptions['perform']) => EngineOptions['perform'];
  readonly exchange?: (
    exchange: LoyaltyOptions['transport']['exchange'],
  ) => LoyaltyOptions['transport']['exchange'];
  readonly file?: (file: Tickets['file']) => Tickets['file'];
  readonly observe?: (observe: Observe) => Observe;
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

const same = <T>(one: T): T => one;

/** Runs the whole bot, three processes of it, through one history: the same seed, the same history. */
export async function runHistory(seed: number, options: HistoryOptions = {}): Promise<History> {
  const { defect = {}, watch } = options;
  const chance = createChance(seed);
  const clock = createClock();
  let rates = drawRates(chance);
  const hash = createHash('sha256');
  const { counts, count } = createCounts();
  const { observe: recording, said } = recordingObserve();
  const trace = (what: string): void => {
    hash.update(`${clock.atMs} ${what}\n`);
    watch?.(clock.atMs, what);
  };
  const observe = (defect.observe ?? same)({
    ...recording,
    alarm(name, fields) {
      recording.alarm(name, fields);
      if (name === 'dead_letter') count('dead letters');
      if (name === 'operation_escalated') count('operations with staff');
      if (name === 'seal_broken') count('alarms of broken records');
      if (name === 'record_lost') count('alarms of lost records');
    },
  });

  const atWork = new AsyncLocalStorage<string>();
  const operation = () => atWork.getStore();
  const antcrm = createAntCrmDouble(clock, chance, { rates: () => rates, count, trace, operation });
  const lossy = createLossyStore(clock, 200, options.openStore?.(clock));
  const records = watchRecords(lossy, {
    encryption: nameOf,
    count,
    onChange: (change) => checks.onChange(change),
  });
  const checks = createChecks({ clock, records, encryption: nameOf, sent: antcrm.sent, said });
  const { breach, losses, talks } = checks;
  const line = createLine(clock, chance, { rates: () => rates, count });
  const customers = new Map<string, ReturnType<typeof createCustomer>>();
  /** Swaps since the last one that replicas acknowledged, and when each was: so many can be lost. */
  let losable: number[] = [];
  const store: RecordStore = {
    ...records.store,
    async compareAndSwap(key, swap) {
      const { swaps } = lossy;
      const swapped = await records.store.compareAndSwap(key, swap);
      if (lossy.swaps > swaps) losable = swap.durable ? [] : [...losable.slice(-190), clock.atMs];
      return swapped;
    },
  };

  const desks: (Desk | undefined)[] = [];
  const engines: (Engine | undefined)[] = [];
  const lookedMs = new Map<string, Map<number, number>>();
  const onFault = (error: unknown): void =>
    breach('nothing throws', error instanceof Error ? `${error.stack}` : String(error));
  const staff = createStaff(clock, chance, {
    ...{ count, trace, onFault },
    desk: () => desks[chance.between(0, PROCESSES - 1)],
    isApplied: (name) => (antcrm.sent.get(name)?.applied ?? 0) > 0,
  });

  /** How a platform takes a reply: customers hear what was delivered. */
  async function deliver(outgoing: Outgoing, seq: number): Promise<Delivery> {
    const { throttled, failedLate, silent, unconnected } = rates;
    if (chance.happens(unconnected)) {
      count('replies without a connection');
      return { kind: 'undelivered' };
    }
    if (chance.happens(throttled)) {
      count('replies throttled');
      return { kind: 'throttled', afterMs: chance.between(100, 5_000) };
    }
    if (chance.happens(silent)) {
      count('replies without an answer');
      await clock.wait(5_000);
      return { kind: 'uncertain' };
    }
    hear(outgoing, seq);
    if (!chance.happens(failedLate)) return { kind: 'delivered' };
    count('replies delivered with a fault');
    return { kind: 'uncertain' };
  }

  function hear({ channel, conversation: id, reply, turn, first, last }: Outgoing, seq: number): void {
    const talk = talks.get(conversationName(nameOf, channel, id));
    if (talk === undefined) {
      breach('answered', `a reply to nobody: ${id}`);
      return;
    }
    trace(`told ${id} ${seq} ${reply.key}`);
    if (reply.key === 'operation.busy') count('redemptions that wait for another');
    if (reply.key === 'privacy.remembered') count('consents given');
    if (reply.key === 'privacy.erased') count('forgotten');
    const isNew = checks.onTold(talk, { seq, reply, turn, first });
    if (isNew && reply.key === 'person.waiting')
      staff.serve(String(reply.params?.reference), (written) => talk.written.push(written));
    if (isNew && last) customers.get(id)?.hear(reply);
  }

  /** One process: it dies at any of its calls, and comes again. */
  function startProcess(place: number, generation = 0): void {
    const name = `${place}.${generation}`;
    let isAlive = true;
    const process: Victim = {
      isAlive: () => isAlive,
      kill() {
        if (!isAlive) return;
        isAlive = false;
        count('kills');
        engines[place] = undefined;
        desks[place] = undefined;
        lookedMs.delete(name);
        trace(`killed ${name}`);
        clock.after(chance.between(500, 5_000), () => startProcess(place, generation + 1));
      },
    };
    const runtime = createProcessRuntime(clock, chance, {
      name,
      skewMs: chance.between(-500, 500),
      isAlive: () => isAlive,
    });
    const looked = new Map<number, number>();
    lookedMs.set(name, looked);
    const shared = line.storeOf(process, store);
    const reached: RecordStore = {
      ...shared,
      list(index, range) {
        if (index === 'due') looked.set(range.shard, clock.atMs);
        return shared.list(index, range);
      },
    };
    const parts = {
      store: (defect.store ?? same)(reached),
      runtime,
      encryption: createEncryption({ hashKey }, runtime),
    };
    const exchange = (defect.exchange ?? same)((call) => line.call(process, () => antcrm.exchange(call)));
    const loyalty = createLoyalty({
      ...{ runtime, observe, contacts: 'on', timeoutMs: TIMEOUT_MS, maxCalls: 32 },
      ...{ transport: { exchange }, baseUrl: 'http://antcrm', apiKey: 'key' },
    });
    const perform = (defect.perform ?? same)(loyalty.perform);
    const step = (defect.step ?? same)(conversation.step);
    const engine = new Engine({
      ...parts,
      ...(defect.aroundRecords && { aroundRecords: defect.aroundRecords }),
      conversation: {
        ...conversation,
        serviceUp: loyalty.isUp,
        step(state, input, context) {
          const text = input.kind === 'message' && input.message.kind === 'text' ? input.message.text : '';
          if (text === KILLER) process.kill();
          if (text === KILLER || text === POISON) throw new Error('a step threw');
          return step(state, input, context);
        },
      },
      perform(effect, context) {
        if (!('operation' in effect)) return perform(effect, context);
        if (effect.kind === 'check') count('intents looked up');
        else if (context.known(effect.operation) !== null) count('intents taken up');
        else if (effect.operation.endsWith('.2')) count('codes confirmed together');
        return atWork.run(effect.operation, () => perform(effect, context));
      },
      photoReader: { read: async () => ({ kind: 'noCode' }), close: async () => {} },
      platform: () => ({
        hearsQuiet: true,
        deliver: (outgoing, seq) => line.call(process, () => deliver(outgoing, seq)),
      }),
      ids: () => ({ operation: wordOf(chance, 10), view: wordOf(chance, 6) }),
      ...{ observe, limits: LIMITS, onNotice: createNotices(observe).onNotice },
    });
    const { readState } = conversation;
    const onAlarm: Observe['alarm'] = observe.alarm;
    const operators = new Operators({
      ...{ ...parts, readState, onFiled: engine.schedule },
      onFault: (fault, record) => onAlarm(fault, { conversation: record }),
    });
    const tickets = createTickets({ ...parts, operators });
    engines[place] = engine;
    desks[place] = { operators, tickets: { file: (defect.file ?? same)(tickets.file) } };
    engine.start();
  }

  /** Delivers an update until the bot has taken it, to whichever process is there. */
  function post(filed: Filed): void {
    const engine = engines[chance.between(0, PROCESSES - 1)];
    let isOver = false;
    const again = (): void => {
      if (filed.takenMs === undefined && !isOver) post(filed);
      isOver = true;
    };
    if (engine === undefined) return void clock.after(AGAIN_MS, again);
    clock.after(PLATFORM_TIMEOUT_MS, again);
    engine.accept(filed.incoming, clock.wallMs() - (clock.atMs - filed.sentMs)).then(
      (acceptance) => {
        trace(`${acceptance} ${filed.incoming.id}`);
        if (acceptance === 'duplicate') count('duplicates');
        if (acceptance === 'full') count('full inboxes');
        if (acceptance === 'full' && filed.takenMs === undefined) filed.isFull = true;
        filed.takenMs ??= clock.atMs;
      },
      (error: unknown) => {
        if (!(error instanceof StoreUnavailable)) onFault(error);
        clock.after(AGAIN_MS, again);
      },
    );
  }

  let ids = 0;
  let codes = 0;
  function addCustomer(phone: string, channel: string, isTwice: boolean): void {
    const id = `chat-${customers.size}`;
    const name = conversationName(nameOf, channel, id);
    const talk: Talk = {
      ...{ id, key: `c:${name}`, phone, messages: [], told: [], written: [] },
      promised: new Map(),
    };
    talks.set(name, talk);
    const customer = createCustomer(clock, chance, {
      ...{ phone, isTwice, count },
      freshCode() {
        // Some type a code that somebody has used.
        const isUsed = codes > 0 && chance.happens(0.1);
        if (!isUsed) codes += 1;
        return `TIVI${String(isUsed ? chance.between(1, codes) : codes).padStart(9, '0')}`;
      },
      send(message) {
        ids += 1;
        const sender = senderOf(channel);
        const incoming: Incoming = {
          ...{ channel, conversation: id, id: `update-${ids}`, message, sender, address: null },
        };
        const filed: Filed = { incoming, sentMs: clock.atMs, replies: [] };
        talk.messages.push(filed);
        trace(`sent ${id} ${incoming.id} ${JSON.stringify(message)}`);
        post(filed);
        if (chance.happens(rates.doubled)) clock.after(chance.between(0, 2_000), () => post(filed));
      },
    });
    customers.set(id, customer);
  }

  /** A failover to a replica that lags: the last writes are gone. */
  async function failOver(): Promise<void> {
    const lost = Math.min(losable.length, chance.between(1, 40));
    losses.push({ fromMs: losable.at(-lost) ?? clock.atMs, atMs: clock.atMs });
    losable = [];
    count('failovers');
    trace(`failover, ${lost} swaps lost`);
    if (lost > 0) await lossy.lose(lost);
  }

  /** A record becomes what nobody can open, or vanishes; its entries of indexes stay. */
  async function damage(): Promise<void> {
    const talk = [...talks.values()][chance.between(0, talks.size - 1)];
    const bytes = talk && (await lossy.read(talk.key)).bytes;
    const record = bytes && talk && (await records.recordOf(talk.key));
    if (!talk || !bytes || !record) return;
    const kind = chance.happens(0.5) ? 'broken' : 'lost';
    const broken =
      kind === 'broken' ? Buffer.from(Array.from({ length: 40 }, () => chance.between(2, 255))) : null;
    const isDue = CONVERSATION.entries('', record).some(({ index }) => index === 'due');
    count(kind === 'broken' ? 'records broken' : 'records lost');
    trace(`${talk.id} ${kind}`);
    losses.push({
      ...{ fromMs: Number.NEGATIVE_INFINITY, atMs: clock.atMs, talk },
      damage: { kind, bytes: broken, isDue },
    });
    losable.push(clock.atMs);
    await lossy.compareAndSwap(talk.key, {
      expected: versionOf(bytes),
      bytes: broken,
      ttlMs: CONVERSATION.ttlMs,
      indexes: [],
    });
  }

  async function eachSecond(): Promise<void> {
    clock.after(1_000, eachSecond);
    line.eachSecond();
    if (chance.happens(rates.putBack)) {
      count('clocks put back');
      clock.putBack(chance.between(100, 20_000));
    }
    if (chance.happens(rates.failover)) await failOver();
    if (chance.happens(rates.damaged)) await damage();
    if (Math.floor(clock.atMs / 1000) % 20 > 0) return;
    for (const [name, looked] of lookedMs) checks.checkLooks(name, looked);
    await checks.checkLocks();
  }

  for (let place = 0; place < PROCESSES; place++) startProcess(place);
  for (let at = 0; at < (options.customers ?? CUSTOMERS); at++) {
    const phone = `+8491${String(seed % 1000).padStart(3, '0')}${String(at).padStart(4, '0')}`;
    // Some use two channels at a time.
    const isTwice = chance.happens(0.15);
    addCustomer(phone, 'telegram', isTwice);
    if (isTwice) addCustomer(phone, 'teams', true);
  }
  for (const customer of customers.values()) clock.after(chance.between(0, ARRIVALS_MS), customer.arrive);
  void eachSecond();
  staff.look();

  await clock.runUntil(FAULTS_MS);
  rates = withoutFaults(rates);
  await clock.runUntil(FAULTS_MS + REST_MS);
  await checks.checkAll(lossy);
  await options.atEnd?.(lossy, records.keys);
  return { seed, messages: ids, hash: hash.digest('hex').slice(0, 16), breaches: checks.breaches, counts };
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function wordOf({ between }: Chance, length: number): string {
  return Array.from({ length }, () => LETTERS[between(0, LETTERS.length - 1)]).join('');
}
