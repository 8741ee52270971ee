import { AsyncLocalStorage } from 'node:async_hooks';
import type { EffectContext, Perform } from '../../src/conversation/effect.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import type { Delivery, Outgoing } from '../../src/engine/messages.ts';
import { Operators } from '../../src/engine/operators.ts';
import type { HttpCall } from '../../src/http/transport.ts';
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
import { type Conduct, type Noted, TIMEOUT_MS } from './conduct.ts';
import type { Kind } from './counts.ts';
import { KILLER, POISON } from './customers.ts';
import type { FaultyLine, Victim } from './faults.ts';
import type { Desk } from './staff.ts';
import { HASH_KEY, type World } from './world.ts';

/** Operations are looked up sooner than in production, so that a history ends sooner. */
const CHECKS_MS = [5_000, 20_000, 60_000, 120_000, 300_000];

const settings = { ...SETTINGS, operationChecksMs: CHECKS_MS, handover: true };
const conversation = { ...own, settings };

/** The operation whose effect is performed in this chain of awaits. */
const operationAtWork = new AsyncLocalStorage<string>();

/** What a planted defect puts around parts of the bot, or around what it calls. */
export type Defect = {
  readonly store?: (store: RecordStore) => RecordStore;
  readonly aroundRecords?: NonNullable<EngineOptions['aroundRecords']>;
  readonly step?: (step: EngineOptions['conversation']['step']) => EngineOptions['conversation']['step'];
  readonly perform?: (perform: Perform) => Perform;
  readonly exchange?: (exchange: Exchange) => Exchange;
  readonly fileNote?: (file: Tickets['file']) => Tickets['file'];
  readonly observe?: (observe: Observe) => Observe;
  readonly runtime?: (runtime: Runtime) => Runtime;
  readonly deliver?: (deliver: Deliver) => Deliver;
  readonly stop?: (engine: Engine, runtime: Runtime) => Promise<void>;
};
export type Exchange = LoyaltyOptions['transport']['exchange'];
type Deliver = (outgoing: Outgoing, seq: number) => Promise<Delivery>;

/** What all processes of a history have in common. */
export type Surroundings = {
  readonly world: World;
  readonly store: RecordStore;
  readonly line: FaultyLine;
  readonly conduct: Conduct;
  readonly defect: Defect;
  readonly limits: NonNullable<EngineOptions['limits']>;
  /** AntCRM's wire; `operation`: the one at work. */
  exchange(call: HttpCall, operation: string | undefined): ReturnType<Exchange>;
  /** The platform. */
  readonly deliver: Deliver;
  /** The process has ended, in order or not. */
  onEnd(process: BotProcess): void;
};

/** Alarms that are counted. */
const ALARMS: Readonly<Record<string, Kind>> = {
  dead_letter: 'dead letters',
  operation_escalated: 'operations with staff',
  seal_broken: 'alarms of broken records',
  record_lost: 'alarms of lost records',
};

/** One process of the bot. It dies at any of its calls, or is stopped in order. */
export class BotProcess implements Victim {
  readonly name: string;
  readonly engine: Engine;
  readonly desk: Desk;
  /** When it last looked at each shard. */
  readonly lookedMs = new Map<number, number>();
  readonly #around: Surroundings;
  readonly #stopEngine: () => Promise<void>;
  #isAlive = true;
  #isStopping = false;
  /** Leases at work, as the engine says; filings and commands of the store under way. */
  #busy = 0;
  #underWay = 0;

  constructor(name: string, around: Surroundings) {
    this.name = name;
    this.#around = around;
    const { world, defect, limits } = around;
    const alive = { name, skewMs: world.chance.between(-500, 500), isAlive: () => this.#isAlive };
    const runtime = (defect.runtime ?? unchanged)(createProcessRuntime(world.clock, world.chance, alive));
    const observe = (defect.observe ?? unchanged)(this.#observe());
    const encryption = createEncryption({ hashKey: HASH_KEY }, runtime);
    const parts = { store: (defect.store ?? unchanged)(this.#store()), runtime, encryption };
    const exchange: Exchange = (call) => {
      const operation = operationAtWork.getStore();
      return around.line.call(this, () => around.exchange(call, operation));
    };
    const loyalty = createLoyalty({
      ...{ runtime, observe, contacts: 'on', timeoutMs: TIMEOUT_MS, maxCalls: 32 },
      ...{ transport: { exchange: (defect.exchange ?? unchanged)(exchange) } },
      ...{ baseUrl: 'http://antcrm', apiKey: 'key' },
    });
    const { aroundRecords } = defect;
    this.engine = new Engine({
      ...parts,
      ...(aroundRecords && { aroundRecords }),
      conversation: { ...conversation, serviceUp: loyalty.isUp, step: this.#step() },
      perform: this.#perform((defect.perform ?? unchanged)(loyalty.perform)),
      photoReader: { read: async () => ({ kind: 'noCode' }), close: async () => {} },
      platform: () => ({ hearsQuiet: true, deliver: (defect.deliver ?? unchanged)(this.#deliver) }),
      ids: () => ({ operation: wordOf(world.chance, 10), view: wordOf(world.chance, 6) }),
      ...{ observe, limits, onNotice: createNotices(observe).onNotice },
    });
    const operators = new Operators({
      ...{ ...parts, readState: conversation.readState, onFiled: this.engine.schedule },
      onFault: (fault, record) => observe.alarm(fault, { conversation: record }),
    });
    const { file } = createTickets({ ...parts, operators });
    this.desk = { operators, fileNote: (defect.fileNote ?? unchanged)(file) };
    this.#stopEngine = () => defect.stop?.(this.engine, runtime) ?? this.engine.stop();
    this.engine.start();
  }

  isAlive(): boolean {
    return this.#isAlive;
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#around.world.count('kills');
    this.#end('killed');
  }

  /** Stops by the rules: what is at work is finished or given back, and messages are stored until then. */
  async stop(): Promise<void> {
    if (!this.#isAlive || this.#isStopping) return;
    this.#isStopping = true;
    const { conduct, world } = this.#around;
    const sinceMs = world.clock.atMs;
    world.count('orderly stops');
    await this.#stopEngine();
    if (!this.#isAlive) return;
    conduct.onStopped(this.name, world.clock.atMs - sinceMs, this.#busy + this.#underWay === 0);
    this.#end('stopped');
  }

  /** As `Engine.accept`. */
  accept(...message: Parameters<Engine['accept']>): ReturnType<Engine['accept']> {
    return this.#during(this.engine.accept(...message));
  }

  async #during<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay += 1;
    try {
      return await work;
    } finally {
      this.#underWay -= 1;
    }
  }

  #end(how: string): void {
    this.#isAlive = false;
    this.#around.world.trace(`${how} ${this.name}`);
    this.#around.onEnd(this);
  }

  #observe(): Observe {
    const { count, logged } = this.#around.world;
    const observe = observeInto(logged);
    return {
      ...observe,
      alarm(name, fields) {
        observe.alarm(name, fields);
        const kind = ALARMS[name];
        if (kind) count(kind);
      },
      busy: (leases) => {
        this.#busy = leases;
      },
      turn(ended) {
        if (ended.result === 'given-back') count('turns given back');
        observe.turn(ended);
      },
    };
  }

  /** The store as this process reaches it. */
  #store(): RecordStore {
    const { line, store, conduct, world } = this.#around;
    const reached = line.storeOf(this, store);
    return {
      ...reached,
      read: (key) => this.#during(reached.read(key)),
      compareAndSwap: async (key, swap) => {
        const asked = { key, bytes: swap.bytes, expected: swap.expected, atMs: world.clock.atMs };
        conduct.onAsked(this.name, asked);
        const swapped = await this.#during(reached.compareAndSwap(key, swap)).catch((error: unknown) => {
          conduct.onUnconfirmed(this.name, asked);
          throw error;
        });
        if (swapped.swapped) conduct.onConfirmed(this.name, asked);
        return swapped;
      },
      list: (index, range) => {
        if (index === 'due') this.lookedMs.set(range.shard, world.clock.atMs);
        return reached.list(index, range);
      },
    };
  }

  readonly #deliver: Deliver = async (outgoing, seq) => {
    const { line, conduct, deliver, world } = this.#around;
    conduct.onSend(this.name, outgoing, seq);
    const delivery = await line.call(this, () => deliver(outgoing, seq));
    if (delivery.kind === 'delivered') line.onDelivered(world.keyOf(outgoing));
    const { afterMs = 0 } = 'afterMs' in delivery ? delivery : {};
    if (afterMs > 0) conduct.onToldToWait(this.name, outgoing, { seq, afterMs });
    return delivery;
  };

  #step(): EngineOptions['conversation']['step'] {
    const step = (this.#around.defect.step ?? unchanged)(conversation.step);
    return (state, input, context) => {
      const text = input.kind === 'message' && input.message.kind === 'text' ? input.message.text : '';
      if (text === KILLER) this.kill();
      if (text === KILLER || text === POISON) throw new Error('a step threw');
      return step(state, input, context);
    };
  }

  #perform(perform: Perform): Perform {
    const { conduct } = this.#around;
    const { count } = this.#around.world;
    return async (effect, context) => {
      if (!('operation' in effect)) return perform(effect, context);
      const { operation } = effect;
      if (effect.kind === 'check') count('intents looked up');
      else if (context.findCall(operation) !== null) count('intents taken up');
      else if (operation.endsWith('.2')) count('codes confirmed together');
      const noted: Noted = { locks: new Set(), isIntended: false };
      const noting = noteIn(noted, context, () => count('second locks busy'));
      const outcome = await operationAtWork.run(operation, () => perform(effect, noting));
      if (!context.signal.aborted) conduct.onOutcome(this.name, outcome, noted);
      return outcome;
    };
  }
}

/** The context, with notes. */
function noteIn(noted: Noted, context: EffectContext, onBusy: () => void): EffectContext {
  const { locks } = noted;
  return withChanges(context, {
    async intend(operation, intent) {
      const intended = await context.intend(operation, intent);
      noted.isIntended = true;
      return intended;
    },
    async lock(name, operation, forMs) {
      const lock = await context.lock(name, operation, forMs);
      if (lock.locked) locks.add(name);
      else if (locks.size > 0) onBusy();
      return lock;
    },
    async unlock(name, ...rest) {
      locks.delete(name);
      await context.unlock(name, ...rest);
    },
  });
}

/** The context with some other methods. */
export function withChanges(context: EffectContext, changes: Partial<EffectContext>): EffectContext {
  return {
    nowMs: () => context.nowMs(),
    get signal() {
      return context.signal;
    },
    stopping: context.stopping,
    findCall: (operation) => context.findCall(operation),
    isHeld: () => context.isHeld(),
    intend: (...call) => context.intend(...call),
    lock: (...request) => context.lock(...request),
    unlock: (...request) => context.unlock(...request),
    ...changes,
  };
}

const unchanged = <T>(part: T): T => part;

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function wordOf({ between }: Chance, length: number): string {
  return Array.from({ length }, () => LETTERS[between(0, LETTERS.length - 1)]).join('');
}
