import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Settings } from '../../src/conversation/context.ts';
import type { Lookup, Outcome } from '../../src/conversation/effect.ts';
import type { Message, Photo, PhotoReader } from '../../src/conversation/message.ts';
import type { Decision } from '../../src/conversation/reply.ts';
import { newState, type State, type StateRead, stateSchema } from '../../src/conversation/state.ts';
import type { Input } from '../../src/conversation/step.ts';
import { CUSTOMER, lock } from '../../src/engine/customer.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { type EngineLimits, LIMITS } from '../../src/engine/limits.ts';
import type { Delivery, Incoming, Outgoing, Platform } from '../../src/engine/messages.ts';
import { Operators } from '../../src/engine/operators.ts';
import { CallPermit, type Perform } from '../../src/engine/perform.ts';
import type { ConversationRecord } from '../../src/engine/record.ts';
import { accept, type Basis, CONVERSATION, type Filing } from '../../src/engine/transitions.ts';
import type { Alarm } from '../../src/observability/log.ts';
import type { Observe } from '../../src/observability/metrics.ts';
import { VersionedRecords } from '../../src/records/versioned-records.ts';
import { type Runtime as Outside, systemRuntime } from '../../src/runtime.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { type Encryption, SHARDS } from '../../src/store/port.ts';
import { type Changed, watched } from '../support/changes.ts';
import { observeInto } from '../support/observe.ts';
import { NO_READER } from '../support/photos.ts';

const settings: Settings = {
  defaultLocale: 'vi',
  timeZone: 'Asia/Ho_Chi_Minh',
  gifts: [],
  codePrefixes: [],
  identityProof: 'required',
  operationChecksMs: [5000, 20_000],
};

/**
 * A conversation of one line a command. The state remembers every text it answered (`draft.gift`), and each
 * answer tells them all, so that order, losses and doubles can be seen.
 */
function step(state: State, input: Input, { nowMs }: { nowMs: number }): Decision {
  switch (input.kind) {
    case 'wake':
      return { state, replies: [{ key: 'woken' }] };
    case 'failed':
      throw new Error('nothing is known of what failed');
    case 'outcome':
      if (input.outcome.kind === 'photo') return { state, replies: [echoOf(input.outcome.photo)] };
      if (input.outcome.kind === 'codeSent' || input.outcome.kind === 'codeTried')
        throw new Error('nobody asks for one-time codes here');
      return { state, replies: [{ key: input.outcome.kind }], ...ending(input.outcome) };
    case 'message':
      if (input.message.kind === 'photo')
        return { state, replies: [], effect: { kind: 'photo', photo: input.message } };
      return onText(input.message.kind === 'text' ? input.message.text : input.message.kind, state, nowMs);
  }
}

/** What became of each picture. */
const echoOf = ({ pictures }: Photo) => ({
  key: 'photo',
  params: {
    echo: pictures.map((picture) => (picture.kind === 'read' ? picture.texts : picture.kind)).join(' '),
  },
});

export const LOOKUP: Lookup = {
  kind: 'accumulate',
  by: { kind: 'phone', value: '+84912345678' },
  code: 'TIVI000000301',
  fromMs: 0,
  deadlineMs: Number.MAX_SAFE_INTEGER / 2,
  baseline: [],
  locks: [],
};

function onText(text: string, before: State, nowMs: number): Decision {
  const gift = [before.draft.gift, text].filter((value) => value !== undefined).join(' ');
  const [command, argument = ''] = text.split(':');
  if (command === 'throw') throw new Error('the step threw');
  const by = { kind: 'phone', value: '+84' } as const;
  return {
    state: { ...before, draft: { gift: gift } },
    replies: [{ key: 'echo', params: { echo: gift } }],
    ...(command === 'wake' && { wakeAtMs: nowMs + Number(argument) }),
    ...(command === 'redeem' && { effect: { kind: 'redeem', operation: argument, gift: 'G', by } }),
  };
}

function ending(outcome: Exclude<Outcome, { kind: 'photo' }>): Partial<Decision> {
  if (outcome.kind !== 'applied' && outcome.kind !== 'refused') return {};
  const { operation, locks = [] } = outcome;
  const unlock = locks.map((customer) => ({ customer, operation, record: `record of ${operation}` }));
  return { settled: [operation], unlock };
}

/** Its states keep what no flow of the bot would. */
const readState = (stored: unknown): StateRead => ({ state: stateSchema.parse(stored) });

export const conversation = { step, readState, newState, settings };

/** A store with its clock, a platform that collects what arrives, an AntCRM that counts its calls. */
export function createWorld() {
  const encryption = someEncryption();
  // Whole, so that sums are exact.
  const beganMs = { wall: Date.now(), monotonic: Math.floor(performance.now()) };
  let offsetMs = 0;
  /** Time passes for the store and for all processes only as a test says. */
  const outside: Outside = {
    ...systemRuntime,
    nowMs: () => beganMs.wall + offsetMs,
    monotonicMs: () => beganMs.monotonic + offsetMs,
    random: () => 0.5,
  };
  const memory = createMemoryStore(outside);
  const changes: Changed[] = [];
  const store = watched(memory, encryption, (change) => void changes.push(change));
  const sent: { seq: number; outgoing: Outgoing }[] = [];
  const script: (Delivery | (() => Promise<Delivery>))[] = [];
  const calls: string[] = [];
  const alarms: { name: Alarm; reason: unknown }[] = [];
  const turns: string[] = [];
  const photos: string[] = [];
  const deliveries: string[] = [];

  const platform: Platform = {
    async deliver(outgoing, seq) {
      const next = script.shift() ?? { kind: 'delivered' };
      const delivery = typeof next === 'function' ? await next() : next;
      if (delivery.kind === 'delivered' || delivery.kind === 'uncertain') sent.push({ seq, outgoing });
      return delivery;
    },
  };

  const perform: Perform = async (effect, turn) => {
    if (effect.kind !== 'redeem') throw new Error('unexpected effect');
    const { operation } = effect;
    const customer = 'customer:1';
    if (!(await turn.lock(customer, operation)).locked) return { kind: 'busy', operation };
    const permit = await turn.intend(operation, { lookup: LOOKUP });
    if (!(permit instanceof CallPermit)) throw new Error('may not call');
    calls.push(permit.operation);
    return { kind: 'applied', operation, locks: [customer] };
  };

  const observe: Observe = {
    ...observeInto([]),
    alarm: (name, { reason }) => void alarms.push({ name, reason }),
    turn({ result }) {
      if (result !== 'given-back') turns.push(result);
    },
    delivery: (_channel, result) => void deliveries.push(result),
    photo: (_channel, reading) => void photos.push(reading),
  };

  let ids = 0;
  const engines: Engine[] = [];
  /** Turns at work, by engine. */
  const busy: number[] = [];
  /** Another process on the store. */
  function engine(over: Partial<EngineOptions> = {}, limits: Partial<EngineLimits> = {}) {
    const at = busy.push(0) - 1;
    const made = new Engine({
      store,
      encryption,
      conversation,
      perform,
      photoReader: NO_READER,
      runtime: outside,
      platform: (name) => (name === 'test' ? platform : undefined),
      ids: () => ({ operation: `op${++ids}`, view: `v${ids}` }),
      ...over,
      observe: {
        ...(over.observe ?? observe),
        busy(working) {
          busy[at] = working;
        },
      },
      limits: { sweepMs: 1, ...limits },
    });
    made.start();
    engines.push(made);
    return made;
  }
  /** No engine begins anything more; those at work are not waited for. */
  onTestFinished(() => {
    for (const engine of engines) void engine.stop();
  });

  const kept = { store: memory, sealer: encryption, runtime: outside, onFault: () => {} };
  const conversations = new VersionedRecords(CONVERSATION, kept);
  const customers = new VersionedRecords(CUSTOMER, kept);
  const name = encryption.name('conversation', 'test\0c1');

  async function listDue() {
    const shards = Array.from({ length: SHARDS }, (_, shard) =>
      memory.list('due', { shard, upTo: 'ever', limit: 1000 }),
    );
    return (await Promise.all(shards)).flatMap((listed) => listed.entries);
  }

  return {
    store,
    platform,
    perform,
    encryption,
    outside,
    engine,
    operators: new Operators({ store: memory, encryption, readState, runtime: outside }),
    /** What engines changed in conversations' records, in order. */
    changes,
    /** What is kept of a customer's conversation. */
    record: async (conversation = 'c1', channel = 'test') =>
      (await conversations.read(encryption.name('conversation', `${channel}\0${conversation}`))).record,
    /** Files a body that no channel would. */
    file: async (body: object, id = 'filed') => conversations.update(name, accept({ id, mark: id, body })),
    /** Something else wrote the customer's record. */
    rewrite: async (change: (record: ConversationRecord) => ConversationRecord) =>
      conversations.update(name, (record) => ({ record: record && change(record), answer: null })),
    /** Another operation of that customer asks for the lock. */
    lock: async (customer: string, operation: string) =>
      (await customers.update(encryption.name('customer', customer), lock(operation))).answer,
    sent,
    script,
    calls,
    alarms,
    turns,
    deliveries,
    photos,
    advance: (ms: number) => {
      offsetMs += ms;
    },
    /** Every reply's key, for echoes what they tell. */
    answers: () => sent.map(({ outgoing: { reply } }) => String(reply.params?.echo ?? reply.key)),
    /** Time passes until no conversation is due. */
    async quiet(stepMs = LIMITS.leaseMs / 4) {
      const isBusy = () => busy.some((working) => working > 0);
      for (let round = 0; ; round++) {
        const due = await listDue();
        if (due.length === 0) return;
        if (round > 2000) throw new Error(`still due: ${due.map(({ member }) => member)}`);
        // A turn at work gets its time, but for one that will never end.
        for (let ms = 0; ms < 20 && (ms < 2 || isBusy()); ms++) await delay(1);
        if (round <= 5) continue;
        // A lease that a turn holds is not run out on purpose.
        const leftMs = Math.min(...due.map(({ score }) => score)) - outside.nowMs();
        offsetMs += isBusy() ? stepMs : Math.max(stepMs, leftMs);
      }
    },
  };
}

export const someEncryption = (): Encryption =>
  createEncryption({ key: randomBytes(32), hashKey: randomBytes(32) });

let lastId = 0;

export function incoming(text: string, over: Partial<Incoming> = {}): Incoming {
  lastId += 1;
  const message: Message = { kind: 'text', text };
  return {
    channel: 'test',
    conversation: 'c1',
    id: `m${lastId}`,
    message,
    address: { chat: 1 },
    sender: { channel: 'test', proof: 'contact', locale: 'en', name: 'Garnacho' },
    ...over,
  };
}

/** Something that a test waits for, and something that it lets happen. */
export function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return { opened, open };
}

export const NOW = 1_800_000_000_000;
export const LEASE = 15_000;

export const taking = (owner = 'owner') => ({ owner, leaseMs: LEASE });

export function filing(id: string, over: Partial<Filing> = {}): Filing {
  return { id, mark: `delivery of ${id}`, body: { text: id }, ...over };
}

/** A record with a message of that id, whose lease `owner` has. */
export function leased(id = 'm1', nowMs = NOW): { record: ConversationRecord; basis: Basis } {
  const { record, answer } = accept(filing(id, { take: taking() }))(null, nowMs);
  if (record === null || answer !== 'leased') throw new Error(answer);
  return { record, basis: { record, head: record.inbox[0] ?? null } };
}

/** Takes the bytes for what a code says. */
export const READER: PhotoReader = {
  read: async (bytes) => ({ kind: 'read', texts: [Buffer.from(bytes).toString()] }),
  close: async () => {},
};

export const photoOf = (...files: string[]) =>
  incoming('', { message: { kind: 'photo', pictures: files.map((at) => ({ kind: 'remote', at })) } });
