import { randomBytes } from 'node:crypto';
import { setImmediate as tick } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Settings } from '../../src/conversation/context.ts';
import type { Decision } from '../../src/conversation/decision.ts';
import type { Effect } from '../../src/conversation/effect.ts';
import type { Message } from '../../src/conversation/message.ts';
import type { Perform } from '../../src/conversation/perform.ts';
import type { Photo } from '../../src/conversation/photo.ts';
import { type ConversationState, newState, stateSchema } from '../../src/conversation/state.ts';
import type { Input } from '../../src/conversation/step.ts';
import type { Alarm, Observe } from '../../src/observe.ts';
import { LEASE_MS } from '../../src/store/mailbox.ts';
import { createMemory } from '../../src/store/memory/memory.ts';
import { createMemoryStore } from '../../src/store/memory/store.ts';
import { createSeal, type Seal } from '../../src/store/seal.ts';
import type { ConversationStore, StoreOptions } from '../../src/store/store.ts';
import type { Delivery, Incoming, Outgoing } from '../../src/turns/delivery.ts';
import type { Limits } from '../../src/turns/limits.ts';
import type { Outlet } from '../../src/turns/outlet.ts';
import { createTurns, type Turns, type TurnsOptions } from '../../src/turns/turns.ts';
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
 * A conversation of one line a command. The state remembers every text it answered (`draft.code`), and each answer
 * tells them all, so that order, losses and doubles can be seen.
 */
function step(state: ConversationState, input: Input, { nowMs }: { nowMs: number }): Decision {
  switch (input.kind) {
    case 'wake':
      return { state, replies: [{ key: 'woken' }] };
    case 'failed':
      throw new Error('nothing is known of what failed');
    case 'outcome':
      if (input.outcome.kind === 'photo') return { state, replies: [echoOf(input.outcome.photo)] };
      return state.draft.codes === undefined
        ? { state, replies: [{ key: input.outcome.kind }], ...ending(input.outcome) }
        : onOneOfSeveral(state, input.outcome);
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
    told: pictures.map((picture) => (picture.kind === 'read' ? picture.texts : picture.kind)).join(' '),
  },
});

const earn = (operation: string): Effect => ({ kind: 'accumulate', operation, code: operation });

/** `several:op:3` earns by three operations. What is left of them is in the state, which is saved after each. */
function several(before: ConversationState, operation: string, many: number): Decision {
  const all = Array.from({ length: many }, (_, at) => `${operation}.${at + 1}`);
  const { codes: left = all, among: results = [] } = before.draft;
  const [first = ''] = left;
  return {
    state: { ...before, draft: { ...before.draft, codes: left, among: results } },
    replies: [],
    effect: earn(first),
  };
}

function onOneOfSeveral(
  state: ConversationState,
  { kind }: Extract<Input, { kind: 'outcome' }>['outcome'],
): Decision {
  const { codes: left = [], among: before = [], ...draft } = state.draft;
  const [operation = '', ...rest] = left;
  const results = [...before, `${operation} ${kind}`];
  const [next] = rest;
  if (next === undefined) {
    const told = { key: 'echo', params: { told: results.join(', ') } };
    return { state: { ...state, draft }, replies: [told], settled: [operation] };
  }
  const going = { ...state, draft: { ...draft, codes: rest, among: results } };
  return { state: going, replies: [], effect: earn(next), save: true, settled: [operation] };
}

function onText(text: string, before: ConversationState, nowMs: number): Decision {
  const told = [before.draft.code, text].filter((one) => one !== undefined).join(' ');
  const state = { ...before, draft: { code: told } };
  const [command, argument = '', many = ''] = text.split(':');
  const echo = { key: 'echo', params: { told } };
  switch (command) {
    case 'throw':
      throw new Error('the step threw');
    case 'several':
      return several(before, argument, Number(many));
    case 'wake':
      return { state, replies: [echo], wakeAtMs: nowMs + Number(argument) };
    case 'redeem':
      return {
        state,
        replies: [echo],
        effect: { kind: 'redeem', operation: argument, gift: 'G', by: { kind: 'phone', value: '+84' } },
      };
    case 'ask':
      return {
        state: {
          ...state,
          view: argument,
          step: { at: 'asking', flow: 'accumulate', slot: 'phone', tries: 0 },
        },
        replies: [echo, { key: 'question', asks: 'phone', view: argument }],
      };
    case 'forget':
      return { state: newState(nowMs), replies: [{ key: 'forgotten' }], forget: true };
    case 'silent':
      return { state, replies: [] };
    default:
      return { state, replies: [echo] };
  }
}

function ending(outcome: { kind: string; operation?: string | undefined; customer?: string | undefined }) {
  const { operation, customer } = outcome;
  if (operation === undefined || outcome.kind === 'unknown') return {};
  return {
    settled: [operation],
    unlock: customer === undefined ? [] : [{ customer, operation, record: `record of ${operation}` }],
  };
}

/** Its states keep what no flow of the bot would. */
const readState = (stored: unknown): ConversationState => stateSchema.parse(stored);

export const conversation = { step, readState, newState, settings };

export type World = ReturnType<typeof createWorld>;

/** A store with its clock, a platform that collects what arrives, an AntCRM that counts its calls. */
export function createWorld(options: StoreOptions = {}, seal: Seal = someSeal()) {
  let offsetMs = 0;
  const memory = createMemory(() => Date.now() + offsetMs);
  const store = createMemoryStore(options, memory);
  const sent: { seq: number; outgoing: Outgoing }[] = [];
  const script: (Delivery | (() => Promise<Delivery>))[] = [];
  const calls: string[] = [];
  const alarms: { name: Alarm; reason: unknown }[] = [];
  const turns: string[] = [];
  const photos: string[] = [];
  const deliveries: string[] = [];
  const warnings: string[] = [];

  const outlet: Outlet = {
    async deliver(outgoing, seq) {
      const next = script.shift() ?? { kind: 'delivered' };
      const delivery = typeof next === 'function' ? await next() : next;
      if (delivery.kind === 'delivered' || delivery.kind === 'uncertain') sent.push({ seq, outgoing });
      return delivery;
    },
  };

  const perform: Perform = async (effect, turn) => {
    if (effect.kind !== 'redeem' && effect.kind !== 'accumulate') throw new Error('unexpected effect');
    const { operation } = effect;
    if (effect.kind === 'accumulate') {
      const intended = await turn.intend(operation, 'the intent');
      if (intended.kind === 'go') calls.push(operation);
      return { kind: intended.kind === 'go' ? 'applied' : 'refused', operation };
    }
    const customer = 'customer:1';
    if (!(await turn.lock(customer, operation)).locked) return { kind: 'busy', operation };
    const intended = await turn.intend(operation, 'the intent');
    if (intended.kind === 'stored') return { kind: 'refused', operation, customer };
    if (intended.kind !== 'go') throw new Error('may not call');
    calls.push(operation);
    return { kind: 'applied', operation, customer };
  };

  const silent = () => {};
  const observe: Observe = {
    log: {
      debug: silent,
      info: silent,
      warn: (_fields, message) => void warnings.push(message),
      error: silent,
    },
    alarm: (name, { reason }) => void alarms.push({ name, reason }),
    update: silent,
    turn: (_channel, result) => void turns.push(result),
    call: silent,
    delivery: (_channel, result) => void deliveries.push(result),
    paced: silent,
    breaker: silent,
    photo: (_channel, reading) => void photos.push(reading),
    skew: silent,
    channel: silent,
    failing: silent,
    busy: silent,
    question: silent,
    claim: silent,
    lease: silent,
    command: silent,
    waited: silent,
    answered: silent,
  };

  let ids = 0;
  const engines: Turns[] = [];
  /** A process of its own on the store. */
  function engine(over: Partial<TurnsOptions> = {}, limits: Partial<Limits> = {}) {
    const turnsOf = createTurns({
      store,
      seal,
      conversation,
      perform,
      outlet: (name) => (name === 'test' ? outlet : undefined),
      ids: () => ({ operation: `op${++ids}`, view: `v${ids}` }),
      observe,
      photoReader: NO_READER,
      ...over,
      limits: { sweepMs: 1, random: () => 0.5, ...limits },
    });
    turnsOf.start();
    engines.push(turnsOf);
    return turnsOf;
  }
  /** No engine begins anything more; those at work are not waited for. */
  const end = (): void => {
    for (const one of engines.splice(0)) void one.stop();
  };
  onTestFinished(end);

  return {
    memory,
    store,
    outlet,
    perform,
    seal,
    engine,
    end,
    sent,
    script,
    calls,
    alarms,
    turns,
    deliveries,
    warnings,
    photos,
    advance: (ms: number) => {
      offsetMs += ms;
    },
    /** Every reply's key, for echoes what they tell. */
    heard: () => sent.map(({ outgoing: { reply } }) => String(reply.params?.told ?? reply.key)),
    /** Time passes until nobody needs to look at any conversation. */
    async quiet(stepMs = LEASE_MS / 4) {
      for (let round = 0; memory.due.size > 0; round++) {
        if (round > 2000) throw new Error(`still due: ${[...memory.due]}`);
        for (let n = 0; n < 10; n++) await tick();
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (round > 5) offsetMs += stepMs;
      }
    },
  };
}

export const someSeal = (): Seal => createSeal({ key: randomBytes(32), hashKey: randomBytes(32) });

let lastId = 0;

export function incoming(text: string, over: Partial<Incoming> = {}): Incoming {
  lastId += 1;
  const message: Message = { kind: 'text', text };
  return {
    channel: 'test',
    conversation: 'c1',
    id: `m${lastId}`,
    message,
    sender: { channel: 'test', proof: 'contact', locale: 'en', name: 'Garnacho' },
    address: { chat: 1 },
    ...over,
  };
}

/** Something that a test waits for, and something that it lets happen. */
export function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** The store with some methods replaced. */
export const patched = (store: ConversationStore, over: Partial<ConversationStore>): ConversationStore => ({
  ...store,
  ...over,
});
