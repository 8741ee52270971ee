import type { Sender } from '../conversation/message.ts';
import { atMostEvery } from '../observability/log.ts';
import { Spans } from '../observability/tracing.ts';
import { type RecordFault, VersionedRecords } from '../records/versioned-records.ts';
import { Bulkhead } from '../resilience/bulkhead.ts';
import { waitAtMost } from '../resilience/deadline.ts';
import { type Runtime, systemRuntime } from '../runtime.ts';
import { type RecordStore, StoreUnavailable } from '../store/port.ts';
import { CUSTOMER } from './customer.ts';
import { Effects, type EffectTools } from './effects.ts';
import { fileAndDecide } from './filing.ts';
import { type ConversationRecords, HeldLease, Leases } from './leases.ts';
import { type EngineLimits, LIMITS, perChannel } from './limits.ts';
import { conversationName, type Incoming } from './messages.ts';
import { Outbox } from './outbox.ts';
import { Scheduler } from './scheduler.ts';
import { CONVERSATION } from './transitions.ts';
import type { CommittedTurn, TurnTools } from './turn.ts';
import { Worker, type WorkerTools } from './worker.ts';

export type EngineOptions = Pick<
  TurnTools,
  'encryption' | 'conversation' | 'platform' | 'ids' | 'observe' | 'watchdog' | 'gifts' | 'staffFiles'
> &
  Pick<EffectTools, 'perform' | 'proveByCode' | 'photoReader'> &
  Pick<WorkerTools, 'traces'> & {
    readonly store: RecordStore;
    readonly runtime?: Runtime | undefined;
    readonly limits?: Partial<EngineLimits> | undefined;
    readonly spans?: Spans | undefined;
    readonly onNotice?: WorkerTools['onNotice'] | undefined;
    /** Wraps the conversations' records: the simulator plants defects there. */
    readonly aroundRecords?: ((records: ConversationRecords) => ConversationRecords) | undefined;
  };

const ALARM_EVERY_MS = 60_000;
/** An older message is filed before it is decided: it may have hung another process. */
const DECIDE_AT_ONCE_MS = 5000;

/**
 * Runs one turn for each message, once and in order, even if processes crash.
 *
 * @example
 * const engine = new Engine(options);
 * engine.start();
 * await engine.accept(incoming, sentMs);
 */
export class Engine {
  readonly #tools: TurnTools & Pick<WorkerTools, 'traces'>;
  readonly #scheduler: Scheduler;
  readonly #worker: Worker;
  readonly #stopping = new AbortController();
  readonly #startedMs: number;
  readonly #alarmUnavailable: () => void;

  constructor(options: EngineOptions) {
    const { observe, encryption, runtime = systemRuntime, spans = new Spans() } = options;
    const { isTracing } = spans;
    const limits = { ...LIMITS, ...options.limits };
    this.#startedMs = runtime.nowMs();
    const alarm = (): void => observe.alarm('store_unavailable', {});
    this.#alarmUnavailable = atMostEvery(ALARM_EVERY_MS, alarm, runtime.monotonicMs);
    const recordParts = {
      store: options.store,
      sealer: encryption,
      runtime,
      onFault: (fault: RecordFault, conversation: string) => observe.alarm(fault, { conversation }),
    };
    const { aroundRecords = (records) => records } = options;
    const records = aroundRecords(new VersionedRecords(CONVERSATION, recordParts));
    const stopping = this.#stopping.signal;
    const shared = {
      ...options,
      records,
      stopping,
      runtime,
      limits,
      spans,
      isTracing,
      onError: this.#report,
    };
    const leases = new Leases(shared);
    this.#scheduler = new Scheduler({ ...shared, leases, begin: (held) => void this.#work(held) });
    const tools = {
      ...shared,
      leases,
      customers: new VersionedRecords(CUSTOMER, recordParts),
      bulkhead: perChannel(
        () => new Bulkhead({ places: limits.perChannel, patienceMs: limits.placeMs }, runtime),
      ),
      schedule: (name: string, afterMs: number) => this.#scheduler.schedule(name, afterMs),
      onNotice: options.onNotice ?? (() => {}),
    };
    this.#tools = tools;
    this.#worker = new Worker({ ...tools, effects: new Effects(tools), outbox: new Outbox(tools) });
  }

  /**
   * Stores a message; the work on it goes on in the background. `sentMs`: when it was sent, if the platform
   * says so (epoch). `full`: the message was dropped, and the customer will be told. Rejects with
   * `StoreUnavailable`; the message may be stored all the same.
   */
  readonly accept = async (incoming: Incoming, sentMs = 0) => {
    const { encryption, observe, runtime, spans, isTracing } = this.#tools;
    const { channel } = incoming;
    const name = conversationName(encryption, channel, incoming.conversation);
    const span = isTracing ? spans.begin({ name: 'accept', channel, conversation: name }) : undefined;
    const traceparent = span && spans.traceparent(span);
    const filed = { ...incoming, acceptedMs: runtime.nowMs(), ...(traceparent && { traceparent }) };
    try {
      const acceptance = await this.#file(name, filed, sentMs);
      observe.update(channel, acceptance);
      if (isTracing) spans.end(span, { result: acceptance });
      return acceptance;
    } catch (error) {
      this.#report(error);
      observe.update(channel, 'unavailable');
      if (isTracing) spans.end(span, {}, error);
      throw error;
    }
  };

  /** Gives a conversation one of the next free slots. */
  readonly schedule = (conversation: string): void => this.#scheduler.schedule(conversation);

  /** Whether this process has no free slot for another turn. */
  readonly isSaturated = (): boolean => this.#scheduler.isFull;

  /** Begins to renew leases and to look for due conversations. */
  start(): void {
    this.#tools.leases.start();
    this.#scheduler.start();
  }

  /** Finishes the turns that may have called AntCRM, and gives the others back. */
  async stop(): Promise<void> {
    const { runtime, limits, leases } = this.#tools;
    this.#stopping.abort();
    await waitAtMost(limits.stopMs, this.#scheduler.waitUntilIdle(), { runtime });
    leases.stop();
  }

  async #file(conversation: string, incoming: Incoming, sentMs: number) {
    const { records, runtime, limits } = this.#tools;
    const { leaseMs } = limits;
    const aliveUntilMs = runtime.monotonicMs() + leaseMs;
    const hasSlot = this.#scheduler.reserveSlot();
    let isBegun = false;
    try {
      const plan = {
        conversation,
        filed: { mark: runtime.id(), incoming },
        take: hasSlot ? { owner: runtime.id(), leaseMs } : undefined,
        sender: hasSlot ? this.#senderAtOnce(conversation, incoming, sentMs) : undefined,
      };
      const filing = fileAndDecide(plan, this.#tools);
      const { answer } = await records.update(conversation, filing, { isCostly: plan.sender !== undefined });
      const { result, lease, committed } = answer;
      if (lease !== undefined) {
        isBegun = true;
        void this.#work(new HeldLease(lease, aliveUntilMs), committed);
      }
      if (result === 'queued' && !hasSlot) this.#scheduler.schedule(conversation);
      return result === 'duplicate' || result === 'full' ? result : 'accepted';
    } finally {
      if (hasSlot && !isBegun) this.#scheduler.freeSlot();
    }
  }

  /**
   * Returns the sender if the message may be decided within the swap that files it; undefined: the worker
   * decides it later. A text that kills a process must be filed first, so that its attempts are counted. So
   * a message is only filed if it was sent before this process started or more than `DECIDE_AT_ONCE_MS` ago,
   * if this process does not know the conversation yet, or if the channel must ask who wrote.
   */
  #senderAtOnce(name: string, incoming: Incoming, sentMs: number): Sender | undefined {
    const { records, platform, isTracing, runtime, traces } = this.#tools;
    const { channel, message } = incoming;
    if (message.kind !== 'text' || sentMs <= this.#startedMs) return undefined;
    if (runtime.nowMs() - sentMs > DECIDE_AT_ONCE_MS || !records.isKnown(name)) return undefined;
    if (isTracing || traces?.channels.includes(channel)) return undefined;
    const to = platform(channel);
    return to?.identify === undefined ? incoming.sender : to.recallSender?.(incoming);
  }

  /** Never rejects: a lease whose work failed expires, and the next sweep takes it up. */
  async #work(held: HeldLease, committed?: CommittedTurn): Promise<void> {
    const { leases, observe, runtime, spans } = this.#tools;
    const { conversation, record, filed } = held.lease;
    const isTakeover = record.lease?.takeover === true;
    observe.lease(isTakeover ? 'takeover' : filed === undefined ? 'due' : 'fresh');
    if (isTakeover) observe.log.info({ conversation }, 'took over: the lease before this one ran out');
    observe.busy(leases.live.add(held).size);
    try {
      // The platform gets its answer first.
      await new Promise<void>(runtime.defer);
      spans.enter(held.atWork);
      await this.#worker.run(held, committed);
    } catch (error) {
      this.#report(error);
    } finally {
      leases.live.delete(held);
      observe.busy(leases.live.size);
      this.#scheduler.freeSlot();
    }
  }

  readonly #report = (err: unknown): void => {
    if (err instanceof StoreUnavailable) this.#alarmUnavailable();
    else this.#tools.observe.log.error({ err }, 'a turn was abandoned; it will be repeated');
  };
}
