import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash } from 'node:crypto';
import { createConversation } from '../../src/conversation/conversation.ts';
import { flows } from '../../src/conversation/flows/index.ts';
import type { Operation } from '../../src/conversation/state.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { conversationName, type Delivery, type Incoming, type Outgoing } from '../../src/engine/messages.ts';
import { createOperators } from '../../src/engine/operators.ts';
import { type ConversationRecord, readRecord } from '../../src/engine/record.ts';
import { createTickets, type Tickets } from '../../src/engine/tickets.ts';
import { SAYINGS, WORDING } from '../../src/i18n.ts';
import { createPerform } from '../../src/loyalty/loyalty.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { INDEXES, type RecordStore, SHARDS, StoreUnavailable } from '../../src/store/port.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { createLossyStore } from '../support/lossy-store.ts';
import { recordingObserve } from '../support/observe.ts';
import { createAntCrmDouble } from './antcrm.ts';
import { type Chance, createChance, createClock, createProcessWorld } from './clock.ts';
import { type Counts, createCounts } from './counts.ts';
import { createCustomer, KILLER, POISON, senderOf } from './customers.ts';
import { createLine, createNodes, drawRates, NO_FAULTS, type Victim } from './faults.ts';
import { type RecordChange, untoldIn, watchRecords } from './watch.ts';

const PROCESSES = 3;
const CUSTOMERS = 60;
/** Customers come within this time; faults go on a little longer; then everything has time to settle. */
const ARRIVALS_MS = 4 * 60_000;
const FAULTS_MS = 9 * 60_000;
const REST_MS = 30 * 60_000;
/** What was due so long ago was taken up. */
const SWEPT_MS = 20_000;
const TIMEOUT_MS = 8_000;
/** When a platform sends an update again that it has no 2xx for. */
const AGAIN_MS = 4_000;
const PLATFORM_TIMEOUT_MS = 20_000;
/** Looked up sooner than in production, so that a history ends sooner. */
const CHECKS_MS = [5_000, 20_000, 60_000, 120_000, 300_000];
const LIMITS = { sweepMs: 2_000 };

const conversation = createConversation({ flows, wording: WORDING, sayings: SAYINGS });

/** What a history came to. `breaches`: promises that were not kept, a line each. */
export type History = {
  readonly seed: number;
  readonly messages: number;
  readonly hash: string;
  readonly breaches: readonly string[];
  readonly kills: number;
  readonly failovers: number;
  readonly operations: number;
  readonly counts: Counts;
};

/** A message on its way, and what became of it. */
type Filed = {
  readonly incoming: Incoming;
  readonly sentMs: number;
  /** When the bot took it (2xx). */
  takenMs?: number;
  /** Each delivery of a reply to it: its number, when, and whether it begins an answer. */
  readonly replies: { readonly seq: number; readonly atMs: number; readonly first: boolean }[];
};

/** A conversation as its customer and the platform see it. */
type Talk = {
  readonly id: string;
  readonly channel: string;
  readonly messages: Filed[];
  /** All that was delivered: by its number, what it said. */
  readonly told: {
    readonly seq: number;
    readonly key: string;
    readonly text: string;
    readonly atMs: number;
    /** The message that it answers. */
    readonly turn?: string | undefined;
  }[];
  /** What staff wrote, in order, and the bot took. */
  readonly written: { readonly text: string; readonly sentMs: number; takenMs: number }[];
  /** When the store got each reply, by its number. */
  readonly promised: Map<number, { readonly key: string; readonly atMs: number }>;
};

/** Runs the whole bot, three processes of it, through one history: the same seed, the same history. */
export async function runHistory(
  seed: number,
  watch?: (atMs: number, what: string) => void,
): Promise<History> {
  const chance = createChance(seed);
  const clock = createClock();
  let rates = drawRates(chance);
  const hash = createHash('sha256');
  const { observe, said } = recordingObserve();
  const trace = (what: string): void => {
    hash.update(`${clock.atMs} ${what}\n`);
    watch?.(clock.atMs, what);
  };
  const breaches: string[] = [];
  /** All that conversations know of, at the end. */
  const known = new Set<string>();
  const breach = (what: string): void => void (breaches.length < 20 && breaches.push(what));

  const { counts, count } = createCounts();

  const atWork = new AsyncLocalStorage<string>();
  const antcrm = createAntCrmDouble(clock, chance, {
    rates: () => rates,
    timeoutMs: TIMEOUT_MS,
    trace,
    operation: () => atWork.getStore(),
  });
  const memory = createLossyStore(clock, 200);
  const hashKey = Buffer.alloc(32, 7);
  const nameOf = createEncryption({ hashKey });
  const talks = new Map<string, Talk>();
  const customers = new Map<string, ReturnType<typeof createCustomer>>();
  const records = watchRecords(memory, { encryption: nameOf, count, onChange: noteChange });
  const line = createLine(clock, chance, () => rates);
  const nodes = createNodes(clock, chance, { rates: () => rates, count });
  /** Swaps since the last one that replicas acknowledged, and when each was: so many can be lost. */
  let losable: number[] = [];
  const failovers: { readonly fromMs: number; readonly atMs: number }[] = [];
  let kills = 0;
  /** By the name of its record. */
  const talksByName = new Map<string, Talk>();

  function noteChange(change: RecordChange): void {
    const talk = talksByName.get(change.name);
    for (const { seq, reply } of change.promised)
      talk?.promised.set(seq, { key: reply.key, atMs: clock.atMs });
    for (const { id, status } of untoldIn(change))
      breach(`${talk?.id}: nobody was told that ${id} is ${status}`);
  }

  /** The store as one process reaches it. */
  function storeOf(process: Victim): RecordStore {
    return {
      ...memory,
      read: (key) => line.command(process, () => memory.read(key)),
      compareAndSwap: (key, swap) =>
        line.command(process, async () => {
          const swapped = await records.compareAndSwap(key, swap);
          if (swapped.swapped) losable = swap.durable ? [] : [...losable.slice(-190), clock.atMs];
          return swapped;
        }),
      list: (index, range) => nodes.list(process, range.shard, () => memory.list(index, range)),
    };
  }

  /** How a platform takes a reply: customers hear what was delivered. */
  async function deliver(outgoing: Outgoing, seq: number): Promise<Delivery> {
    const { throttled, failedLate, silent, unconnected } = rates;
    if (chance.happens(unconnected)) return { kind: 'undelivered' };
    if (chance.happens(throttled)) return { kind: 'throttled', afterMs: chance.between(100, 5_000) };
    if (chance.happens(silent)) {
      await clock.wait(5_000);
      return { kind: 'uncertain' };
    }
    hear(outgoing, seq);
    return { kind: chance.happens(failedLate) ? 'uncertain' : 'delivered' };
  }

  function hear({ conversation: id, reply, turn, first, last }: Outgoing, seq: number): void {
    const talk = talks.get(id);
    if (talk === undefined) {
      breach(`a reply to nobody: ${id}`);
      return;
    }
    trace(`told ${id} ${seq} ${reply.key}`);
    const text = [reply.key, reply.context, reply.view, JSON.stringify(reply.params?.text)].join(' ');
    const before = talk.told.find((one) => one.seq === seq);
    if (before !== undefined && before.text !== text && failovers.length === 0) {
      breach(`${id}: number ${seq} said ${before.text}, then ${text}`);
    }
    talk.told.push({ seq, key: reply.key, text, atMs: clock.atMs, turn });
    // A first message is acknowledged by the same key.
    const isOpened = reply.key === 'person.waiting' && reply.context !== 'noted';
    if (before === undefined && isOpened) serve(talk, String(reply.params?.reference));
    talk.messages
      .find(({ incoming }) => incoming.id === turn)
      ?.replies.push({ seq, atMs: clock.atMs, first });
    if (last && before === undefined) customers.get(id)?.hear(reply);
  }

  /** Somebody of staff answers a ticket, one answer after the other, and perhaps closes it. */
  function serve(talk: Talk, ticket: string): void {
    const answers = Array.from({ length: chance.between(0, 3) }, (_, at) => `answer ${ticket} ${at}`);
    const closes = chance.happens(0.4);
    const next = (): void => {
      const text = answers.shift();
      if (text !== undefined || closes)
        clock.after(chance.between(500, 20_000), () => write(talk, ticket, text, clock.atMs, next));
    };
    next();
  }

  /** Files an answer, or without a text the end, until the bot has taken it. */
  function write(
    talk: Talk,
    ticket: string,
    text: string | undefined,
    sentMs: number,
    then: () => void,
  ): void {
    let isOver = false;
    const once = (work: () => void) => () => {
      if (!isOver) work();
      isOver = true;
    };
    const again = once(() => write(talk, ticket, text, sentMs, then));
    const desk = desks[chance.between(0, PROCESSES - 1)];
    if (desk === undefined) return void clock.after(AGAIN_MS, again);
    clock.after(PLATFORM_TIMEOUT_MS, again);
    desk.file(ticket, { by: 'staff', id: text ?? 'end', ...(text !== undefined && { text }) }).then(
      (filed) => {
        trace(`${filed} ${ticket} ${text}`);
        once(() => {
          if (text === undefined || filed !== 'filed') return;
          talk.written.push({ text, sentMs, takenMs: clock.atMs });
          then();
        })();
      },
      (error: unknown) => {
        if (!(error instanceof StoreUnavailable)) breach(`an answer threw: ${String(error)}`);
        clock.after(AGAIN_MS, again);
      },
    );
  }

  /** One process: it dies at any of its calls, and comes again. */
  function startProcess(place: number, generation = 0): void {
    let isAlive = true;
    const process: Victim = {
      isAlive: () => isAlive,
      kill() {
        if (!isAlive) return;
        isAlive = false;
        kills += 1;
        engines[place] = undefined;
        desks[place] = undefined;
        trace(`killed ${place}.${generation}`);
        clock.after(chance.between(500, 5_000), () => startProcess(place, generation + 1));
      },
    };
    const world = createProcessWorld(clock, chance, {
      name: `${place}.${generation}`,
      skewMs: chance.between(-500, 500),
      isAlive: () => isAlive,
    });
    const reached = <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) => {
      return (...args: Args) => line.call(process, () => work(...args));
    };
    const { accumulate, redeem, history, contact } = antcrm.antcrm;
    const perform = createPerform({
      antcrm: {
        ...antcrm.antcrm,
        accumulate: reached(accumulate),
        redeem: reached(redeem),
        history: reached(history),
        contact: reached(contact),
      },
      contacts: 'on',
      timeoutMs: TIMEOUT_MS,
      observe,
      world,
    });
    const engine = createEngine({
      store: storeOf(process),
      encryption: createEncryption({ hashKey }, world),
      conversation: {
        ...conversation,
        settings: { ...SETTINGS, operationChecksMs: CHECKS_MS, handover: true },
        step(state, input, context) {
          const text = input.kind === 'message' && input.message.kind === 'text' ? input.message.text : '';
          if (text === KILLER) process.kill();
          if (text === KILLER || text === POISON) throw new Error('a step threw');
          return conversation.step(state, input, context);
        },
      },
      perform: (effect, context) =>
        'operation' in effect && effect.kind !== 'check'
          ? atWork.run(effect.operation, () => perform(effect, context))
          : perform(effect, context),
      photoReader: { read: async () => ({ kind: 'noCode' }), close: async () => {} },
      platform: () => ({
        hearsQuiet: true,
        deliver: (outgoing, seq) => line.call(process, () => deliver(outgoing, seq)),
      }),
      ids: () => ({ operation: wordOf(chance, 10), view: wordOf(chance, 6) }),
      observe,
      world,
      limits: LIMITS,
    });
    engines[place] = engine;
    const parts = { store: storeOf(process), world };
    const { readState } = conversation;
    const operators = createOperators({
      ...parts,
      encryption: createEncryption({ hashKey }, world),
      readState,
      onFiled: engine.schedule,
    });
    desks[place] = createTickets({ ...parts, operators });
    engine.start();
  }
  const engines: (Engine | undefined)[] = [];
  const desks: (Tickets | undefined)[] = [];
  for (let place = 0; place < PROCESSES; place++) startProcess(place);

  /** Delivers an update until the bot has taken it, to whichever process is there. */
  function post(filed: Filed): void {
    const engine = engines[chance.between(0, PROCESSES - 1)];
    const again = (): void => {
      if (filed.takenMs !== undefined) return;
      post(filed);
    };
    if (engine === undefined) return void clock.after(AGAIN_MS, again);
    clock.after(PLATFORM_TIMEOUT_MS, again);
    engine.accept(filed.incoming, clock.wallMs() - (clock.atMs - filed.sentMs)).then(
      (acceptance) => {
        trace(`${acceptance} ${filed.incoming.id}`);
        filed.takenMs ??= clock.atMs;
      },
      (error: unknown) => {
        if (!(error instanceof StoreUnavailable)) breach(`accept threw: ${String(error)}`);
        clock.after(AGAIN_MS, again);
      },
    );
  }

  let ids = 0;
  let codes = 0;
  function addCustomer(phone: string, channel: string, arriveMs: number): void {
    const id = `chat-${customers.size}`;
    const talk: Talk = { id, channel, messages: [], told: [], written: [], promised: new Map() };
    talks.set(id, talk);
    talksByName.set(conversationName(nameOf, channel, id), talk);
    const customer = createCustomer(clock, chance, {
      phone,
      freshCode() {
        codes += 1;
        return `TIVI${String(codes).padStart(9, '0')}`;
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
    clock.after(arriveMs, customer.arrive);
  }
  for (let at = 0; at < CUSTOMERS; at++) {
    const phone = `+8491${String(seed % 1000).padStart(3, '0')}${String(at).padStart(4, '0')}`;
    addCustomer(phone, 'telegram', chance.between(0, ARRIVALS_MS));
    // Some use two channels at a time.
    if (chance.happens(0.15)) addCustomer(phone, 'teams', chance.between(0, ARRIVALS_MS));
  }

  function eachSecond(): void {
    if (chance.happens(rates.failover)) {
      const count = Math.min(losable.length, chance.between(1, 40));
      const fromMs = losable.at(-count) ?? clock.atMs;
      if (count > 0) memory.lose(count);
      losable = [];
      failovers.push({ fromMs, atMs: clock.atMs });
      trace(`failover, ${count} swaps lost`);
    }
    nodes.eachSecond();
    if (chance.happens(rates.putBack)) clock.putBack(chance.between(100, 20_000));
    clock.after(1_000, eachSecond);
  }
  eachSecond();

  await clock.runUntil(FAULTS_MS);
  rates = NO_FAULTS;
  await clock.runUntil(FAULTS_MS + REST_MS);

  for (const talk of talks.values()) await checkTalk(talk);
  await checkRest();
  checkSaid();
  return {
    seed,
    messages: ids,
    hash: hash.digest('hex').slice(0, 16),
    breaches,
    kills,
    failovers: failovers.length,
    operations: antcrm.sent.size,
    counts,
  };

  /** What the store has of a conversation. */
  async function recordOf({ id, channel }: Talk): Promise<ConversationRecord | null> {
    const key = `c:${conversationName(nameOf, channel, id)}` as const;
    const { bytes } = await memory.read(key);
    return bytes && readRecord(nameOf.open(key, bytes));
  }

  async function checkTalk(talk: Talk): Promise<void> {
    const { id } = talk;
    const lastFailoverMs = failovers.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
    let answeredMs = Number.NEGATIVE_INFINITY;
    let before: Filed | undefined;
    for (const filed of talk.messages) {
      const { incoming, takenMs, replies } = filed;
      if (takenMs === undefined) {
        breach(`${id}: ${incoming.id} was never taken`);
        continue;
      }
      const mayBeLost = failovers.some(({ fromMs, atMs }) => filed.sentMs <= atMs && takenMs >= fromMs);
      const [first] = replies;
      if (first === undefined) {
        if (!mayBeLost)
          breach(`${id}: ${incoming.id} (${JSON.stringify(incoming.message)}) was never answered`);
        continue;
      }
      // Whoever waits for the 2xx before writing on is answered in that order.
      const inOrder = before?.takenMs !== undefined && before.takenMs < filed.sentMs;
      if (inOrder && first.atMs < answeredMs && filed.sentMs > lastFailoverMs) {
        breach(`${id}: ${incoming.id} was answered before ${before?.incoming.id}`);
      }
      answeredMs = first.atMs;
      before = filed;
      const numbers = new Set(replies.map(({ seq }) => seq));
      const answers = new Set(replies.filter((reply) => reply.first).map(({ seq }) => seq));
      if (filed.sentMs > lastFailoverMs && (answers.size !== 1 || isBroken([...numbers]))) {
        breach(`${id}: ${incoming.id} has ${answers.size} answers, under numbers ${[...numbers]}`);
      }
    }
    checkPromised(talk);
    checkTickets(talk, lastFailoverMs);
    const record = await recordOf(talk);
    if (record === null) return;
    const left = { inbox: record.inbox.length, outbox: record.outbox.length, lease: record.lease ? 1 : 0 };
    if (left.inbox + left.outbox + left.lease > 0) breach(`${id}: left over: ${JSON.stringify(left)}`);
    const operations = record.state === null ? [] : operationsOf(JSON.parse(record.state));
    for (const operation of operations) {
      known.add(operation.id);
      checkOperation(talk, operation);
    }
    for (const name of Object.keys(record.journal)) {
      const operation = operations.find((one) => one.id === name);
      if (operation === undefined || operation.status !== 'escalated') {
        breach(`${id}: the intent of ${name} (${operation?.status ?? 'not known'}) is left`);
      }
    }
  }

  /** What the store got was delivered, whoever had to take it up. */
  function checkPromised({ id, channel, promised, told }: Talk): void {
    const conversation = conversationName(nameOf, channel, id);
    const gone = said.filter(
      (one) => one.includes('"delivery_given_up"') && one.includes(conversation),
    ).length;
    const heard = new Set(told.map(({ seq }) => seq));
    const missing = [...promised].filter(
      ([seq, { atMs }]) =>
        !heard.has(seq) && !failovers.some((failover) => atMs >= failover.fromMs && atMs <= failover.atMs),
    );
    if (missing.length > gone)
      for (const [seq, { key }] of missing) breach(`${id}: number ${seq}, ${key}, never left`);
  }

  /** What staff wrote was told once and in order; and while a person was there, no text was interpreted. */
  function checkTickets({ id, told, written, messages }: Talk, lastFailoverMs: number): void {
    let heardSeq = 0;
    for (const { text, sentMs, takenMs } of written) {
      const heard = told.filter((one) => one.key === 'person.says' && one.text.includes(text));
      const mayBeLost = failovers.some(({ fromMs, atMs }) => sentMs <= atMs && takenMs >= fromMs);
      // Five processes died at it: operators have it, and the customer was told that something went wrong.
      const isLetter = told.some(({ key, atMs }) => key === 'turn.failed' && atMs >= takenMs);
      const [first] = heard;
      if (first === undefined && !mayBeLost && !isLetter) breach(`${id}: "${text}" was never told`);
      if (first === undefined || sentMs <= lastFailoverMs) continue;
      if (new Set(heard.map(({ seq }) => seq)).size > 1) breach(`${id}: "${text}" was told twice`);
      if (first.seq < heardSeq) breach(`${id}: "${text}" was told before what was written before it`);
      heardSeq = first.seq;
    }
    const texts = new Map(
      messages.flatMap(({ incoming: { id: turn, message } }) =>
        message.kind === 'text' && !/^\/|^(giết|làm hỏng)/.test(message.text) ? [[turn, message.text]] : [],
      ),
    );
    let isOpen = false;
    for (const { key, turn, atMs } of told.toSorted((a, b) => a.seq - b.seq)) {
      const isInterpreted = isOpen && texts.has(turn ?? '') && !BESIDE_PERSON.test(key);
      if (isInterpreted && atMs > lastFailoverMs && failovers.length === 0)
        breach(`${id}: "${texts.get(turn ?? '')}" was interpreted beside a person: ${key}`);
      if (key === 'person.waiting') isOpen = true;
      if (key === 'person.back') isOpen = false;
    }
  }

  function checkOperation({ id }: Talk, { id: operation, status, kind }: Operation): void {
    const { times, applied } = antcrm.sent.get(operation) ?? { times: 0, applied: 0 };
    trace(`${operation} ${status} ${times} ${applied}`);
    if (times > 1) breach(`${id}: ${kind} ${operation} was called ${times} times`);
    switch (status) {
      case 'done':
        if (applied === 0) breach(`${id}: ${operation} is told as done, and was not applied`);
        break;
      case 'refused':
      case 'notApplied':
        if (applied > 0) breach(`${id}: ${operation} is told as ${status}, and was applied`);
        break;
      case 'checking':
      case 'watching':
        breach(`${id}: ${operation} is ${status} at rest`);
        break;
      case 'escalated':
        break;
    }
  }

  async function checkRest(): Promise<void> {
    for (const [operation, { times, applied }] of antcrm.sent) {
      if (times > 1 || applied > 1) breach(`${operation} was called ${times} times`);
      if (applied > 0 && !known.has(operation)) breach(`nobody knows of ${operation}, which was applied`);
    }
    for (const index of INDEXES) {
      if (['dead', 'intents', 'tickets', 'unclear'].includes(index)) continue;
      for (let shard = 0; shard < SHARDS; shard++) {
        const { entries, nowMs } = await memory.list(index, { shard, upTo: 'now', limit: 10 });
        const left = entries.filter(({ score }) => score < nowMs - SWEPT_MS);
        for (const { member } of left) breach(`the index ${index} lists ${member} at rest`);
      }
    }
  }

  /** Nothing personal in logs, counts and alarms. */
  function checkSaid(): void {
    for (const one of said) {
      if (/(?<!\d)(\+?84|0)91\d{7}(?!\d)|TIVI\d{9}/.test(one)) breach(`personal: ${one.slice(0, 200)}`);
    }
  }
}

/** What may be said to a text while a person is there. */
const BESIDE_PERSON = /^(person\.|operation\.|turn\.failed|abuse\.flood)/;

/** The numbers of one turn's replies follow each other. */
function isBroken(numbers: readonly number[]): boolean {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [first = 0] = sorted;
  return sorted.some((number, at) => number !== first + at);
}

function operationsOf({ state }: { state: { operations: Operation[] } }): readonly Operation[] {
  return state.operations;
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function wordOf({ between }: Chance, length: number): string {
  return Array.from({ length }, () => LETTERS[between(0, LETTERS.length - 1)]).join('');
}
