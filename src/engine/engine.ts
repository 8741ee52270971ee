import type { Context } from '../conversation/context.ts';
import { LeaseLost, type Perform } from '../conversation/effect.ts';
import type { PhotoReader, Sender } from '../conversation/message.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { Spans } from '../observability/tracing.ts';
import { type Runtime, systemRuntime } from '../runtime.ts';
import type { Encryption } from '../store/encryption.ts';
import { type RecordStore, StoreUnavailable } from '../store/port.ts';
import { type Conversations, createConversations, type DecideAtOnce, Lease } from './conversations.ts';
import { CUSTOMER, lock, unlock } from './customer.ts';
import { createEffects } from './effects.ts';
import { Bulkhead, createConcurrency, eachChannel, LIMITS, type Limits } from './limits.ts';
import { conversationName, type Incoming, type Platform, written } from './messages.ts';
import { Outages } from './outages.ts';
import { Outbox } from './outbox.ts';
import { createPhotos } from './photos.ts';
import { Scheduler } from './scheduler.ts';
import { type Traces, tellTrips } from './trace.ts';
import { CONVERSATION, commit } from './transitions.ts';
import { type Conversation, openTurn, type TurnTools, takeStep, toCommit } from './turn.ts';
import { TurnEvent } from './turn-event.ts';
import { type RecordFault, VersionedRecords } from './versioned-records.ts';
import { type DecidedTurn, Worker, type WorkerTools } from './worker.ts';

export type EngineOptions = {
  readonly store: RecordStore;
  readonly encryption: Encryption;
  readonly conversation: Conversation;
  readonly perform: Perform;
  /** Reads the pictures that channels fetch. */
  readonly photoReader: PhotoReader;
  /** The channel of that name, if this process has it. */
  platform(channel: string): Platform | undefined;
  ids(): Context['ids'];
  readonly observe: Observe;
  readonly runtime?: Runtime | undefined;
  readonly limits?: Partial<Limits> | undefined;
  readonly spans?: Spans | undefined;
  /** The look inside turns of some channels. */
  readonly traces?: Traces | undefined;
  readonly onNotice?: WorkerTools['onNotice'] | undefined;
  /** Puts something between the engine and its conversations' records: the simulator plants defects there. */
  readonly aroundRecords?: ((records: Records) => Records) | undefined;
};

type Records = Parameters<typeof createConversations>[0]['records'];

/** `full`: the message was dropped, and the customer will be told. */
type Acceptance = 'accepted' | 'duplicate' | 'full';

export type Engine = {
  /**
   * Stores a message; the work on it goes on in the background. Rejects with `StoreUnavailable`: the message may be stored
   * all the same, and the platform should send it again. `sentMs`: when it was sent, where the platform says so (epoch).
   */
  accept(incoming: Incoming, sentMs?: number): Promise<Acceptance>;
  /** Something was filed in a conversation that nobody works on: it is taken up as soon as there is room. */
  schedule(conversation: string): void;
  /** Begins to renew leases and to look for due conversations. */
  start(): void;
  /** Begins nothing new, finishes what AntCRM was perhaps asked for, and gives back the rest. Messages are still stored. */
  stop(): Promise<void>;
};

/**
 * How a message becomes a turn: once, in order, whatever crashes.
 *
 * @example
 * const engine = createEngine(options);
 * engine.start();
 * await engine.accept(incoming, sentMs);
 */
export function createEngine(options: EngineOptions): Engine {
  return new EngineProcess(options);
}

const ALARM_EVERY_MS = 60_000;
/** A message that was sent longer ago may have hung a process: it is filed and counted before it is decided. */
const FRESH_MS = 5000;

class EngineProcess implements Engine {
  readonly #options: EngineOptions;
  readonly #spans: Spans;
  readonly #runtime: Runtime;
  readonly #limits: Limits;
  readonly #conversations: Conversations;
  readonly #scheduler: Scheduler;
  readonly #turns: TurnTools;
  readonly #worker: Worker;
  readonly #concurrency: ReturnType<typeof createConcurrency>;
  readonly #startedMs: number;
  readonly #alarmUnavailable: () => void;
  #isRunning = false;
  #isStopping = false;

  constructor(options: EngineOptions) {
    const {
      store,
      encryption,
      conversation,
      observe,
      ids,
      runtime = systemRuntime,
      spans = new Spans(),
    } = options;
    const limits = { ...LIMITS, ...options.limits };
    this.#options = options;
    this.#spans = spans;
    this.#runtime = runtime;
    this.#limits = limits;
    this.#startedMs = runtime.nowMs();
    this.#alarmUnavailable = atMostEvery(
      ALARM_EVERY_MS,
      () => observe.alarm('store_unavailable', {}),
      runtime.monotonicMs,
    );
    const onError = (error: unknown): void => this.#report(error);
    const onFault = (fault: RecordFault, name: string): void => observe.alarm(fault, { conversation: name });
    const records = new VersionedRecords(CONVERSATION, { store, sealer: encryption, runtime, onFault });
    const { aroundRecords = (same: Records) => same } = options;
    this.#conversations = createConversations({ records: aroundRecords(records), runtime, limits, onError });
    this.#scheduler = new Scheduler({ store, conversations: this.#conversations, runtime, observe, onError });
    this.#turns = {
      conversation,
      ids,
      customerName: (customer) => encryption.name('customer', customer),
      letterId: runtime.id,
      traceparent: spans.isTracing ? () => spans.traceparent() : undefined,
    };
    this.#worker = this.#createWorker(onError, onFault);
    this.#concurrency = createConcurrency(limits.concurrency, (room) => this.#claim(room));
  }

  #createWorker(
    onError: (error: unknown) => void,
    onFault: (fault: RecordFault, name: string) => void,
  ): Worker {
    const { store, encryption, photoReader, onNotice = () => {} } = this.#options;
    const [runtime, spans, limits] = [this.#runtime, this.#spans, this.#limits];
    const customers = new VersionedRecords(CUSTOMER, { store, sealer: encryption, runtime, onFault });
    const nameOf = this.#turns.customerName;
    const onTrip = tellTrips(spans, this.#options.traces);
    const lockOf = async (customer: string, operation: string, forMs?: number) => {
      const sinceMs = runtime.nowMs();
      const { answer } = await customers.update(nameOf(customer), lock(operation, forMs));
      onTrip('lock', sinceMs, { operation, outcome: answer.locked ? 'locked' : 'busy' });
      return answer;
    };
    const unlockOf = async (name: string, operation: string, record?: string, awaited?: string) => {
      const sinceMs = runtime.nowMs();
      await customers.update(name, unlock(operation, record, awaited));
      onTrip('unlock', sinceMs, { operation });
    };
    const shared = {
      ...this.#options,
      ...{ runtime, spans, onTrip, limits, onError, onNotice },
      conversations: this.#conversations,
      bulkhead: eachChannel(() => new Bulkhead(limits.perChannel, limits.stuckMs, runtime)),
      stopping: () => this.#isStopping,
    };
    return new Worker({
      ...shared,
      turns: this.#turns,
      outbox: new Outbox({ ...shared, outages: new Outages(shared.observe, runtime), unlock: unlockOf }),
      effects: createEffects({
        ...shared,
        lock: lockOf,
        unlock: (customer, ...rest) => unlockOf(nameOf(customer), ...rest),
        photos: createPhotos({ ...shared, reader: photoReader }),
      }),
      dueAfter: (conversation, afterMs) => this.#scheduler.dueAfter(conversation, afterMs),
    });
  }

  readonly accept = (incoming: Incoming, sentMs = 0): Promise<Acceptance> => {
    const { channel } = incoming;
    const conversation = conversationName(this.#options.encryption, channel, incoming.conversation);
    return this.#spans.around({ name: 'accept', channel, conversation }, () =>
      this.#file(conversation, incoming, sentMs),
    );
  };

  readonly schedule = (conversation: string): void => {
    this.#scheduler.dueAfter(conversation);
    this.#concurrency.want();
  };

  start(): void {
    this.#isRunning = true;
    this.#conversations.start();
    this.#sweepLater();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#isRunning = false;
    const late = Promise.withResolvers<void>();
    const timer = this.#runtime.timer(this.#limits.stopMs, late.resolve);
    await Promise.race([this.#concurrency.idle(), late.promise]);
    timer.cancel();
    this.#conversations.stop();
  }

  /** One sweep at a time. */
  #sweepLater(): void {
    this.#runtime.timer(this.#limits.sweepMs, async () => {
      await this.#concurrency.fill();
      if (this.#isRunning) this.#sweepLater();
    });
  }

  /** Files the message, and takes the lease if there is a slot for the work. */
  async #file(name: string, incoming: Incoming, sentMs: number): Promise<Acceptance> {
    const { observe } = this.#options;
    const { channel } = incoming;
    const runtime = this.#runtime;
    const traceparent = this.#spans.isTracing ? this.#spans.traceparent() : undefined;
    const accepted = { ...incoming, acceptedMs: runtime.nowMs(), ...(traceparent && { traceparent }) };
    const filed = { mark: runtime.id(), incoming: accepted };
    const aliveUntilMs = runtime.monotonicMs() + this.#limits.leaseMs;
    const take = !this.#isStopping && this.#concurrency.reserve();
    let isBegun = false;
    try {
      const sender = take ? this.#senderAtOnce(name, accepted, sentMs) : undefined;
      const filing = { id: incoming.id, nonce: filed.mark, body: written(accepted), take };
      const { answer, record, nowMs, decided } = await this.#conversations.accept(
        name,
        filing,
        sender && this.#decideAtOnce(name, sender, { aliveUntilMs, filed }),
      );
      if (answer === 'leased' && record !== null) {
        isBegun = true;
        const lease = decided?.turn.lease ?? new Lease(name, { record, nowMs }, { aliveUntilMs, filed });
        void this.#spans.apart(name, () => this.#work(lease, decided));
      }
      if (answer === 'queued' && !take) this.schedule(name);
      const acceptance = answer === 'duplicate' || answer === 'full' ? answer : 'accepted';
      observe.update(channel, acceptance);
      if (this.#spans.isTracing) this.#spans.note({ result: acceptance });
      return acceptance;
    } catch (error) {
      this.#report(error);
      observe.update(channel, 'unavailable');
      throw error;
    } finally {
      if (take && !isBegun) this.#concurrency.free();
    }
  }

  /**
   * Who wrote a message that may be decided within the swap that files it; undefined: it is only filed. A text that kills or
   * hangs its process must be filed and counted, or the platform's repeats end every process. So it is only filed where it
   * was sent before this process began or more than five seconds ago, where it is the first that this process hears of the
   * conversation, and where the channel has to ask who writes.
   */
  #senderAtOnce(name: string, incoming: Incoming, sentMs: number): Sender | undefined {
    const { platform, traces } = this.#options;
    const { channel, message } = incoming;
    if (message.kind !== 'text' || sentMs <= this.#startedMs) return undefined;
    if (this.#runtime.nowMs() - sentMs > FRESH_MS || !this.#conversations.isKnown(name)) return undefined;
    if (this.#spans.isTracing || traces?.isSeen(channel)) return undefined;
    const to = platform(channel);
    return to?.identify === undefined ? incoming.sender : to.known?.(incoming);
  }

  /**
   * Decides a turn on the record that its message was just filed in. Undefined where only the worker may decide it: replies,
   * calls or failed attempts come before it, its step asks for an effect or throws, or something cannot be read.
   */
  #decideAtOnce(
    name: string,
    sender: Sender,
    held: ConstructorParameters<typeof Lease>[2] & { readonly filed: NonNullable<Lease['filed']> },
  ): DecideAtOnce<DecidedTurn> {
    const { filed } = held;
    return (record, nowMs) => {
      const lease = new Lease(name, { record, nowMs }, held);
      const isNext = lease.head?.mark === filed.mark && record.outbox.length === 0 && !record.lease?.takeover;
      if (!isNext || lease.attempt > 1 || Object.keys(record.journal).length > 0) return undefined;
      try {
        const turn = openTurn(lease, this.#turns);
        if (turn.asker === null || turn.letters.length > 0) return undefined;
        const event = new TurnEvent(turn, this.#runtime);
        const { message, acceptedMs: heardMs } = filed.incoming;
        const effect = takeStep(
          turn,
          { kind: 'message', message },
          { sender, heardMs, journal: undefined, nowMs },
          this.#turns,
        );
        if (effect !== undefined) return undefined;
        event.passed('stepsMs', this.#runtime.monotonicMs());
        const toWrite = toCommit(turn, this.#turns);
        const { answer, record: after } = commit(lease.held, toWrite.commit)(record, nowMs);
        if (answer === null || after === null) return undefined;
        lease.advance(after, nowMs);
        lease.endMessage();
        return { record: after, decided: { turn, event, commit: toWrite, firstSeq: answer.firstSeq } };
      } catch {
        // The worker finds out what is wrong, and counts it.
        return undefined;
      }
    };
  }

  async #claim(room: number): Promise<number> {
    if (this.#isStopping) return 0;
    try {
      const leases = await this.#scheduler.claim(room);
      for (const lease of leases) {
        void this.#spans.apart(lease.conversation, () => this.#work(lease));
      }
      return leases.length;
    } catch (error) {
      this.#report(error);
      return 0;
    }
  }

  /** Never rejects: a lease whose work failed expires, and the next sweep takes it up. */
  async #work(lease: Lease, decided?: DecidedTurn): Promise<void> {
    const { observe } = this.#options;
    const isTakeover = lease.record.lease?.takeover === true;
    observe.lease(isTakeover ? 'takeover' : lease.filed === undefined ? 'due' : 'fresh');
    if (isTakeover) {
      observe.log.info({ conversation: lease.conversation }, 'took over: the lease before this one ran out');
    }
    observe.busy(this.#conversations.hold(lease));
    try {
      // The platform gets its answer first.
      await new Promise<void>(this.#runtime.defer);
      await this.#worker.run(lease, decided);
    } catch (error) {
      if (!(error instanceof LeaseLost)) this.#report(error);
    } finally {
      observe.busy(this.#conversations.drop(lease));
      this.#concurrency.free();
    }
  }

  #report(err: unknown): void {
    if (err instanceof StoreUnavailable) this.#alarmUnavailable();
    else this.#options.observe.log.error({ err }, 'a turn was abandoned; it will be repeated');
  }
}
