import { AsyncLocalStorage } from 'node:async_hooks';
import { Gifts } from '../../src/counter/gifts.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import type { Delivery, Outgoing } from '../../src/engine/messages.ts';
import { Operators } from '../../src/engine/operators.ts';
import type { EffectContext, Perform } from '../../src/engine/perform.ts';
import type { HttpRequest } from '../../src/http/transport.ts';
import { openSeenStore } from '../../src/loyalty/canary.ts';
import { createLoyalty, type LoyaltyOptions } from '../../src/loyalty/loyalty.ts';
import { createNotices } from '../../src/notices.ts';
import type { Observe } from '../../src/observability/metrics.ts';
import { createTickets, type Tickets } from '../../src/operators/tickets.ts';
import type { Runtime } from '../../src/runtime.ts';
import { createEncryption } from '../../src/store/encryption.ts';
import type { RecordStore } from '../../src/store/port.ts';
import { conversation as own } from '../support/conversation.ts';
import { SETTINGS } from '../support/dialogue.ts';
import { observeInto } from '../support/observe.ts';
import { type Chance, createProcessRuntime } from './clock.ts';
import { type Conduct, TIMEOUT_MS } from './conduct.ts';
import { KILLER, POISON } from './customers.ts';
import type { createFaultyLine, Victim } from './faults.ts';
import type { Desk } from './staff.ts';
import { HASH_KEY, type World } from './world.ts';

/** Operations are looked up sooner than in production, so that a history ends sooner. */
const CHECKS_MS = [5_000, 20_000, 60_000, 120_000, 300_000];

const conversation = {
  ...own,
  settings: { ...SETTINGS, operationChecksMs: CHECKS_MS, handover: true, counter: true },
};

/** The operation whose effect is performed in this chain of awaits. */
const operationAtWork = new AsyncLocalStorage<string>();

/** What a planted defect puts around parts of the bot, or around what it calls. */
export type Defect = {
  readonly store?: (store: RecordStore) => RecordStore;
  readonly aroundRecords?: NonNullable<EngineOptions['aroundRecords']>;
  readonly step?: (step: Step, input: Parameters<Step>, observe: Observe) => ReturnType<Step>;
  readonly perform?: (perform: Perform) => Perform;
  readonly exchange?: (exchange: Exchange, call: HttpRequest, runtime: Runtime) => ReturnType<Exchange>;
  readonly fileNote?: (file: Tickets['file']) => Tickets['file'];
  readonly gifts?: (gifts: GiftParts) => GiftParts;
  readonly observe?: (observe: Observe) => Observe;
  readonly runtime?: (runtime: Runtime) => Runtime;
  /** The clocks of the rules of calls alone. */
  readonly callRuntime?: (runtime: Runtime) => Runtime;
  readonly deliver?: (deliver: Deliver) => Deliver;
  readonly stop?: (engine: Engine, runtime: Runtime) => Promise<void>;
};
type GiftParts = Pick<Gifts, 'codeOf' | 'note' | 'handOver'>;
type Step = EngineOptions['conversation']['step'];
type Exchange = LoyaltyOptions['transport']['exchange'];
type Deliver = (outgoing: Outgoing, seq: number) => Promise<Delivery>;

/** What all processes of a history have in common. */
type Surroundings = {
  readonly world: World;
  readonly store: RecordStore;
  readonly line: ReturnType<typeof createFaultyLine>;
  readonly conduct: Conduct;
  readonly defect: Defect;
  readonly limits: NonNullable<EngineOptions['limits']>;
  exchange(call: HttpRequest, operationAtWork: string | undefined): ReturnType<Exchange>;
  readonly deliver: Deliver;
  /** The process has ended, in order or not. */
  onEnd(): void;
};

export type BotProcess = ReturnType<typeof startProcess>;

/** One process of the bot. It dies at any of its calls, or is stopped in order. */
export function startProcess(name: string, around: Surroundings) {
  const { conduct, defect, limits, line, onEnd, world } = around;
  const { chance, clock, count, trace } = world;
  /** When it last looked at each shard. */
  const lookedMs = new Map<number, number>();
  let isAlive = true;
  let isStopping = false;
  /** Leases at work, as the engine says; filings and commands of the store under way. */
  let busy = 0;
  let underWay = 0;

  function end(how: string): void {
    isAlive = false;
    trace(`process ${name} is ${how}`);
    onEnd();
  }

  const victim: Victim = {
    isAlive: () => isAlive,
    kill() {
      if (!isAlive) return;
      count('kills');
      end('killed');
    },
  };

  function during<Result>(work: Promise<Result>): Promise<Result> {
    underWay += 1;
    return work.finally(() => {
      underWay -= 1;
    });
  }

  const reached = line.storeOf(victim, around.store);
  /** The store as this process reaches it. */
  const store: RecordStore = {
    ...reached,
    read: (key) => during(reached.read(key)),
    async compareAndSwap(key, swap) {
      const asked = { key, bytes: swap.bytes, expected: swap.expected, atMs: clock.atMs };
      conduct.onAsked(name, asked);
      const swapped = await during(reached.compareAndSwap(key, swap)).catch((error: unknown) => {
        conduct.onUnconfirmed(name, asked);
        throw error;
      });
      if (swapped.swapped) conduct.onConfirmed(name, asked);
      return swapped;
    },
    list(index, range) {
      if (index === 'due') lookedMs.set(range.shard, clock.atMs);
      return reached.list(index, range);
    },
  };

  const noted = observeInto(world.logged);
  const observe = (defect.observe ?? unchanged)({
    ...noted,
    alarm(alarm, fields) {
      noted.alarm(alarm, fields);
      world.countNamed(alarm);
    },
    busy(leases) {
      busy = leases;
    },
    turn(ended) {
      world.countNamed(ended.result);
      noted.turn(ended);
    },
  });

  const exchange: Exchange = (call) =>
    line.call(victim, () => around.exchange(call, operationAtWork.getStore()));

  const deliver: Deliver = async (outgoing, seq) => {
    const owner = conduct.onSend(name, outgoing, seq);
    const delivery = await line.call(victim, () => around.deliver(outgoing, seq));
    if (delivery.kind === 'delivered') {
      conduct.onDelivered(owner, outgoing, seq);
      line.onDelivered(world.keyOf(outgoing));
    }
    const { afterMs = 0 } = 'afterMs' in delivery ? delivery : {};
    if (afterMs > 0) conduct.onThrottled(name, outgoing, { seq, afterMs });
    return delivery;
  };

  const step: Step = (state, input, context) => {
    const text = input.kind === 'message' && input.message.kind === 'text' ? input.message.text : '';
    if (text === KILLER) victim.kill();
    if (text === KILLER || text === POISON) throw new Error('a step threw');
    const given: Parameters<Step> = [state, input, context];
    return defect.step?.(conversation.step, given, observe) ?? conversation.step(...given);
  };

  const skewMs = chance.between(-500, 500);
  const runtime = (defect.runtime ?? unchanged)(
    createProcessRuntime(clock, chance, { name, skewMs, isAlive: victim.isAlive }),
  );
  const encryption = createEncryption({ hashKey: HASH_KEY }, runtime);
  const parts = { store: (defect.store ?? unchanged)(store), runtime, encryption };
  const loyalty = createLoyalty({
    runtime: (defect.callRuntime ?? unchanged)(runtime),
    observe,
    contacts: 'on',
    timeoutMs: TIMEOUT_MS,
    maxCalls: 32,
    gifts: SETTINGS.gifts,
    seen: openSeenStore('antcrm', {
      store: parts.store,
      sealer: encryption,
      runtime,
      onFault: (fault) => observe.alarm(fault, { conversation: 'what AntCRM showed' }),
    }),
    transport: { exchange: (call) => defect.exchange?.(exchange, call, runtime) ?? exchange(call) },
    baseUrl: 'http://antcrm',
    apiKey: 'key',
  });
  const performEffect = (defect.perform ?? unchanged)(loyalty.perform);

  const perform: Perform = async (effect, context) => {
    if (!('operation' in effect)) return performEffect(effect, context);
    const { operation } = effect;
    if (effect.kind === 'check') count('intents looked up');
    else if (context.findCall(operation) !== null) count('intents taken up');
    else if (operation.endsWith('.2')) count('codes confirmed together');
    const locks = new Set<string>();
    const noting: EffectContext = {
      nowMs: context.nowMs,
      signal: context.signal,
      stopping: context.stopping,
      findCall: (call) => context.findCall(call),
      intend: (...call) => context.intend(...call),
      async lock(customer, ...rest) {
        const lock = await context.lock(customer, ...rest);
        if (lock.locked) locks.add(customer);
        else if (locks.size > 0) count('second locks busy');
        return lock;
      },
      async unlock(customer, ...rest) {
        locks.delete(customer);
        await context.unlock(customer, ...rest);
      },
    };
    const outcome = await operationAtWork.run(operation, () => performEffect(effect, noting));
    if (outcome !== 'interrupted' && !context.signal.aborted) conduct.onOutcome(name, outcome, locks);
    return outcome;
  };

  const counter = new Gifts({
    ...parts,
    onFault: (fault, record) => observe.alarm(fault, { conversation: record }),
  });
  const gifts = (defect.gifts ?? unchanged<GiftParts>)({
    codeOf: counter.codeOf,
    note: (note) => counter.note(note),
    handOver: (code, by) => counter.handOver(code, by),
  });
  const engine = new Engine({
    ...parts,
    gifts,
    aroundRecords: defect.aroundRecords,
    observe,
    limits,
    perform,
    onNotice: createNotices(observe).onNotice,
    conversation: { ...conversation, serviceUp: loyalty.isUp, step },
    photoReader: { read: async () => ({ kind: 'noCode' }), close: async () => {} },
    platform: () => ({ hearsQuiet: true, deliver: (defect.deliver ?? unchanged)(deliver) }),
    ids: () => ({ operation: wordOf(chance, 10), view: wordOf(chance, 6) }),
  });
  const operators = new Operators({
    ...parts,
    readState: conversation.readState,
    onFiled: engine.schedule,
    onFault: (fault, record) => observe.alarm(fault, { conversation: record }),
  });
  const { file } = createTickets({ ...parts, operators });
  const desk: Desk = { operators, fileNote: (defect.fileNote ?? unchanged)(file), gifts };
  engine.start();

  return {
    name,
    lookedMs,
    desk,
    accept: (...message: Parameters<Engine['accept']>) => during(engine.accept(...message)),
    /** Stops by the rules: what is at work is finished or given back; messages are stored until then. */
    async stop(): Promise<void> {
      if (!isAlive || isStopping) return;
      isStopping = true;
      const sinceMs = clock.atMs;
      count('orderly stops');
      await (defect.stop?.(engine, runtime) ?? engine.stop());
      if (!isAlive) return;
      if (clock.atMs - sinceMs >= LIMITS.stopMs && busy + underWay === 0)
        world.breach('stops in time', `${name} had nothing to do, and did not stop`);
      end('stopped');
    },
  };
}

const unchanged = <T>(part: T): T => part;

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function wordOf({ between }: Chance, length: number): string {
  return Array.from({ length }, () => LETTERS[between(0, LETTERS.length - 1)]).join('');
}
