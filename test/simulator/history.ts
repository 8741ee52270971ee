import type { Sender } from '../../src/conversation/message.ts';
import { Gifts } from '../../src/counter/gifts.ts';
import type { Outgoing } from '../../src/engine/messages.ts';
import type { Key, RecordStore } from '../../src/store/port.ts';
import { changeBetween } from '../support/changes.ts';
import { createLossyStore } from '../support/lossy-store.ts';
import { createAntCrmDouble, emailOf } from './antcrm.ts';
import { type Chat, createChecks, listAll, type Update } from './checks.ts';
import { BEGIN_MS, type Clock, createProcessRuntime } from './clock.ts';
import { createConduct } from './conduct.ts';
import { createCounter } from './counter.ts';
import { createCustomer } from './customers.ts';
import { createFaultyLine } from './faults.ts';
import { createPlatforms } from './platform.ts';
import { type BotProcess, type Defect, startProcess } from './process.ts';
import { createSharedStore } from './shared-store.ts';
import { createStaff } from './staff.ts';
import { describeMessage, tellStory } from './story.ts';
import { type RecordChange, watchRecords } from './watch.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

/*
 * The seams between the simulator and the bot, all of them:
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
/** How soon after the change of the hour the store's clock is put back. */
const HOUR_BACK_MS = [1_000, 8_000] as const;
const HOUR_MS = 3_600_000;

export type History = Awaited<ReturnType<typeof runHistory>>;

export type HistoryOptions = WorldOptions & {
  readonly customers?: number;
  readonly defect?: Defect;
  /** Another store than memory, for the same history. */
  readonly openStore?: (clock: Clock) => RecordStore;
  /** Called with the store at the end. */
  readonly atEnd?: (store: RecordStore, keys: ReadonlySet<Key>) => Promise<void>;
};

function textOf({ before, after }: RecordChange): string {
  const shown = { ...after, ids: undefined, state: undefined, stored: undefined };
  return `${changeBetween(before, after)} ${JSON.stringify(shown)}`;
}

/** The counter's records as the store has them, without a process. */
const openGifts = (store: RecordStore, { clock, chance, encryption }: World) =>
  new Gifts({
    store,
    encryption,
    onFault: () => {},
    runtime: createProcessRuntime(clock, chance, { name: 'check', skewMs: 0, isAlive: () => true }),
  });

/** Runs the whole bot, three processes of it, through one history: the same seed, the same history. */
export async function runHistory(seed: number, options: HistoryOptions = {}) {
  const world = createWorld(seed, options);
  const { breach, breaches, chance, clock, count, counts, keyOf, life, occurs, trace } = world;
  const places: (BotProcess | undefined)[] = [];
  const customers = new Map<string, ReturnType<typeof createCustomer>>();
  let generation = 0;
  let messages = 0;
  let codes = 0;

  const isNarrow = chance.happens(0.3);
  const limits = { sweepMs: life.sweepMs, ...(isNarrow && { concurrency: 8, perChannel: 2 }) };
  const lossy = createLossyStore(clock, 200, options.openStore?.(clock));
  const records = watchRecords(lossy, world, (change) => {
    if (options.watch) options.watch(clock.atMs, `${checks.chats.get(change.key)?.id} ${textOf(change)}`);
    checks.onChange(change);
    conduct.onChange(change);
  });
  const antcrm = createAntCrmDouble(world, (...call) => conduct.onCall(...call));
  const { exchange, sent } = antcrm;
  const checks = createChecks(world, records, antcrm);
  const conduct = createConduct(world, records.peek);
  const { store, failOver, damage } = createSharedStore(world, { lossy, records, checks, conduct });
  const line = createFaultyLine(world);
  const bot = () => places[chance.between(0, PROCESSES - 1)];
  const platforms = createPlatforms(world, { bot, hear });
  const staff = createStaff(world, {
    checks,
    desk: () => bot()?.desk,
    isApplied: (operation) => (sent.get(operation)?.applied ?? 0) > 0,
  });
  const counter = createCounter(world, {
    gifts: () => bot()?.desk.gifts,
    isLost: (chat, sinceMs) => checks.lossesOf(chat).some(({ atMs }) => atMs >= sinceMs),
  });
  const around = {
    world,
    store,
    line,
    conduct,
    limits,
    exchange,
    deliver: platforms.deliver,
  };

  function start(place: number): void {
    generation += 1;
    places[place] = startProcess(`${place}/${generation}`, {
      ...around,
      defect: options.defect ?? {},
      onEnd() {
        places[place] = undefined;
        checks.onEnd();
        clock.plan(chance.between(500, 5_000), () => start(place));
      },
    });
  }

  function hear(outgoing: Outgoing, seq: number): void {
    const { conversation: id, reply, last } = outgoing;
    const chat = checks.chats.get(keyOf(outgoing));
    if (chat === undefined) {
      breach('answered', `a reply to nobody: ${id}`);
      return;
    }
    trace(`${id} gets reply ${seq}: ${reply.key}`);
    world.countNamed(reply.key);
    const isNew = checks.onDelivered(chat, outgoing, seq);
    if (isNew && reply.key === 'person.waiting') staff.serve(String(reply.params?.reference), chat.written);
    if (isNew && reply.qr !== undefined) counter.serve(chat, reply.qr);
    if (isNew && last) customers.get(id)?.hear(reply);
  }

  function addCustomer(phone: string, channel: string, isTwice: boolean): void {
    // On Teams, half of them are known by their e-mail.
    const isByEmail = channel === 'teams' && chance.happens(0.5);
    const id = `chat-${customers.size}`;
    const to = { channel, conversation: id };
    const chat: Chat = {
      id,
      key: keyOf(to),
      phone,
      messages: [],
      delivered: [],
      written: [],
      promised: new Map(),
    };
    checks.chats.set(chat.key, chat);
    const customer = createCustomer(world, {
      phone,
      isTwice,
      freshCode() {
        // Some type a code that is used already.
        const isUsed = codes > 0 && chance.happens(0.1);
        if (!isUsed) codes += 1;
        return `TIVI${String(isUsed ? chance.between(1, codes) : codes).padStart(9, '0')}`;
      },
      send(message) {
        messages += 1;
        const sender: Sender = isByEmail
          ? { channel, proof: 'profile', locale: 'vi', email: emailOf(phone) }
          : { channel, proof: 'contact', locale: 'vi' };
        const incoming = { ...to, id: `update-${messages}`, message, sender, address: null };
        const filed: Update = { incoming, sentMs: clock.atMs };
        chat.messages.push(filed);
        trace(`${id} sends ${incoming.id}: ${describeMessage(message)}`);
        platforms.send(filed);
      },
    });
    customers.set(id, customer);
  }

  async function eachSecond(): Promise<void> {
    const { rates } = world;
    clock.after(1_000, eachSecond);
    const happens = (rate: number): boolean => chance.happens(rate * life.faultFactor);
    if (happens(rates.ill)) line.fallIll();
    if (occurs(rates.putBack * life.faultFactor, 'clocks put back'))
      clock.putBack(chance.between(100, 20_000));
    if (happens(rates.outage)) platforms.breakDown(chance.pick(['telegram', 'teams']));
    const stopped = happens(rates.stopped) ? bot() : undefined;
    // An event of its own: in this one, Redis would take another order.
    if (stopped) clock.after(0, () => void stopped.stop());
    if (happens(rates.failover)) await failOver();
    if (happens(rates.damaged)) await damage();
    if (Math.floor(clock.atMs / 1000) % 20 > 0) return;
    for (const process of places) if (process) checks.checkLooks(process.name, process.lookedMs);
    await checks.checkLocks();
  }

  /** The store's clock shows the hour before again, and platforms repeat what they sent in the new one. */
  function putHourBack(): void {
    const sinceMs = clock.nowMs() % HOUR_MS;
    // It was put back before, and the hour has yet to come.
    if (sinceMs > HOUR_MS / 2) return;
    count('hours put back');
    clock.putBack(sinceMs + chance.between(1_000, 10_000));
    platforms.repeat();
  }

  /** Whether no plan is left, all replies have left, and nothing is due soon. */
  async function isAtRest(): Promise<boolean> {
    if (clock.planned > 0) return false;
    const untilMs = clock.nowMs() + QUIET_MS;
    const listed = await listAll(lossy, ['due', 'undelivered']);
    return !listed.some(({ index, score }) => index === 'undelivered' || score < untilMs);
  }

  for (let place = 0; place < PROCESSES; place++) start(place);
  for (let at = 0; at < (options.customers ?? CUSTOMERS); at++) {
    const phone = `+8491${String(seed % 1000).padStart(3, '0')}${String(at).padStart(4, '0')}`;
    // Some use two channels at once.
    const isTwice = chance.happens(0.15);
    addCustomer(phone, 'telegram', isTwice);
    if (isTwice) addCustomer(phone, 'teams', true);
  }
  for (const { arrive } of customers.values()) clock.plan(chance.between(0, life.arrivalsMs), arrive);
  void eachSecond();
  for (let atMs = HOUR_MS - (BEGIN_MS % HOUR_MS); atMs < life.faultsMs; atMs += HOUR_MS)
    if (chance.happens(world.rates.hourBack))
      clock.after(atMs + chance.between(...HOUR_BACK_MS), putHourBack);
  staff.look();
  antcrm.lookAround();
  await clock.runUntil(life.faultsMs);
  world.endFaults();
  do await clock.runUntil(clock.atMs + REST_STEP_MS);
  while (clock.atMs < life.faultsMs + REST_MS && !(await isAtRest()));
  await checks.checkAll(lossy);
  await counter.check(openGifts(lossy, world));
  await options.atEnd?.(lossy, records.keys);
  const story = breaches.length > 0 ? tellStory(world.traced, breaches) : [];
  return { seed, messages, hash: world.hash(), breaches, counts, story, logged: world.logged };
}
