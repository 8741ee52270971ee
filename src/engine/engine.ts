import type { Context } from '../conversation/context.ts';
import { LeaseLost, type Perform } from '../conversation/effect.ts';
import type { PhotoReader, Sender } from '../conversation/message.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { createSpans, type Spans } from '../observability/tracing.ts';
import type { Encryption } from '../store/encryption.ts';
import { type RecordStore, StoreUnavailable } from '../store/port.ts';
import { createCell, type RecordFault } from './cell.ts';
import { CUSTOMER, lock, unlock } from './customer.ts';
import { drain, type Fused, fuse } from './drain.ts';
import { createClaims } from './due.ts';
import { createEffects, createPhotos } from './effects.ts';
import { createBulkhead, createConcurrency, eachChannel, LIMITS, type Limits } from './limits.ts';
import { type Around, createMailbox, Lease } from './mailbox.ts';
import { conversationName, type Incoming, type Platform, written } from './messages.ts';
import { createOutbox } from './outbox.ts';
import { CONVERSATION, type Work } from './record.ts';
import type { Conversation } from './steps.ts';
import type { Traces } from './trace.ts';
import type { TurnTools } from './turn.ts';
import { realWorld, type World } from './world.ts';

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
  readonly world?: World | undefined;
  readonly limits?: Partial<Limits> | undefined;
  /** Says what is worked on. Absent: nobody is told. */
  readonly spans?: Spans | undefined;
  /** Who may look into turns, and at which. */
  readonly traces?: Traces | undefined;
  readonly onTicket?: TurnTools['onTicket'];
};

/** The time in which a platform does not repeat a message that nobody answered. */
const REPEATED_MS = 5000;

/** `full`: the message was dropped, the customer will be told. */
type Acceptance = 'accepted' | 'duplicate' | 'full';

export type Engine = {
  /**
   * Stores a message; the work on it goes on in the background. Rejects with `StoreUnavailable`: the message may be stored
   * all the same, and the platform should send it again. `sentMs`: when it was sent, where the platform says so (epoch).
   */
  accept(incoming: Incoming, sentMs?: number): Promise<Acceptance>;
  /** Something was filed in a conversation that nobody works on: it is taken up as soon as there is room. */
  waits(conversation: string): void;
  /** Begins to renew leases and to look for what is due. */
  start(): void;
  /** Begins nothing new, finishes what AntCRM was perhaps asked for, and gives back the rest. Messages are still stored. */
  stop(): Promise<void>;
};

/** How a message becomes a turn, once, in order, whatever crashes. */
export function createEngine(options: EngineOptions): Engine {
  const { platform, observe, spans = createSpans(), world = realWorld, traces } = options;
  const { store, encryption } = options;
  const limits = { ...LIMITS, ...options.limits };
  const startedMs = world.nowMs();
  const alarmUnavailable = atMostEvery(
    60_000,
    () => observe.alarm('store_unavailable', {}),
    world.monotonicMs,
  );
  let running = false;
  let stopped = false;
  const stopping = (): boolean => stopped;

  const onFault = (fault: RecordFault, record: string) => observe.alarm(fault, { conversation: record });
  const kept = { store, sealer: encryption, world, onFault };
  const customers = createCell(CUSTOMER, kept);
  const around: Around = async (trip, operation, work, outcomeOf) => {
    traces?.count(trip);
    if (!spans.isTracing) return work();
    return spans.around(`store ${trip}`, { operation }, async () => {
      const result = await work();
      spans.note({ outcome: outcomeOf?.(result) });
      return result;
    });
  };
  const conversations = createCell(CONVERSATION, kept);
  const mailbox = createMailbox({ conversations, world, limits, around, onError: report });
  const claims = createClaims({ store, mailbox, world, observe, onError: report });
  const customerName = (customer: string) => encryption.name('customer', customer);
  const lockOf = (customer: string, operation: string, forMs?: number) => {
    const work = async () => (await customers.change(customerName(customer), lock(operation, forMs))).answer;
    return around('lock', operation, work, ({ locked }) => (locked ? 'locked' : 'busy'));
  };
  const unlockOf = (customer: string, operation: string, record?: string, awaited?: string) =>
    around('unlock', operation, () => customers.change(customer, unlock(operation, record, awaited)));

  const bulkhead = eachChannel(() => createBulkhead(limits.perChannel, limits.stuckMs, world));
  const shared = { ...options, mailbox, bulkhead, stopping, limits, world, spans };
  const tools: TurnTools = {
    ...shared,
    customerName,
    onError: report,
    perform: createEffects({
      ...shared,
      lock: lockOf,
      unlock: (customer, ...rest) => unlockOf(customerName(customer), ...rest),
      photos: createPhotos({ ...shared, reader: options.photoReader }),
    }),
  };
  const outbox = createOutbox({ ...shared, unlock: unlockOf, onError: report });
  const concurrency = createConcurrency(limits.concurrency, claim);

  function accept(incoming: Incoming, sentMs = 0): Promise<Acceptance> {
    const { channel } = incoming;
    const name = conversationName(encryption, channel, incoming.conversation);
    return spans.around('accept', { channel, conversation: name }, async () => {
      const traceparent = spans.traceparent();
      const accepted = { ...incoming, acceptedMs: world.nowMs(), ...(traceparent && { traceparent }) };
      try {
        const filed = await file(name, accepted, sentMs > Math.max(startedMs, world.nowMs() - REPEATED_MS));
        observe.update(channel, filed);
        spans.note({ result: filed });
        return filed;
      } catch (error) {
        report(error);
        observe.update(channel, 'unavailable');
        throw error;
      }
    });
  }

  function waits(name: string): void {
    claims.waits(name);
    concurrency.want();
  }

  /** Files the message, and takes the lease if there is a slot for the work. */
  async function file(name: string, incoming: Incoming, isNew: boolean): Promise<Acceptance> {
    const aliveUntilMs = world.monotonicMs() + limits.leaseMs;
    const take = !stopped && concurrency.reserve();
    const body = written(incoming);
    const filing = { id: incoming.id, nonce: world.id(), body, take };
    const known = { mark: filing.nonce, incoming };
    let begun = false;
    try {
      const sender = take && isNew ? senderAtOnce(name, incoming) : undefined;
      const fused = sender && fuse({ name, sender, known, aliveUntilMs }, tools);
      const { accepted, done } = await mailbox.accept(name, filing, fused);
      if (accepted.kind === 'queued' && !take) waits(name);
      if (accepted.kind === 'leased') {
        begun = true;
        const lease = done?.turn.lease ?? new Lease(name, accepted.work, aliveUntilMs, known);
        void run(lease, accepted.work, done);
      }
      return accepted.kind === 'duplicate' || accepted.kind === 'full' ? accepted.kind : 'accepted';
    } finally {
      if (take && !begun) concurrency.free();
    }
  }

  /**
   * Who wrote a message that may be answered with the swap that files it: nobody else touches the conversation as far as
   * this process knows, and nobody has to be asked anything. A text that kills its process must be filed and counted, or the
   * platform's repeats kill every process: so what was sent before this process began, or five seconds ago, is filed first,
   * and so is the first message that it hears of a conversation.
   */
  function senderAtOnce(name: string, incoming: Incoming): Sender | undefined {
    const { channel, message } = incoming;
    const isSeen = spans.isTracing || traces?.isSeen(channel) === true;
    if (message.kind !== 'text' || isSeen || !mailbox.knows(name)) return undefined;
    const to = platform(channel);
    return to?.identify === undefined ? incoming.sender : to.known?.(incoming);
  }

  async function claim(room: number): Promise<number> {
    if (stopped) return 0;
    try {
      const claimed = await claims.claim(room);
      for (const { lease, work } of claimed) void run(lease, work);
      return claimed.length;
    } catch (error) {
      report(error);
      return 0;
    }
  }

  /** Never rejects: a lease that cannot be worked on expires, and the next sweep takes it up. */
  function run(lease: Lease, work: Work, fused?: Fused): Promise<void> {
    const { conversation: name } = lease;
    return spans.apart({ conversation: name }, async () => {
      observe.lease(work.takeover ? 'takeover' : lease.known === undefined ? 'due' : 'fresh');
      if (work.takeover) {
        observe.log.info({ conversation: name }, 'took over: the lease before this one ran out');
      }
      mailbox.hold(lease);
      observe.busy(mailbox.count);
      try {
        // The platform gets its answer first.
        await new Promise<void>(world.defer);
        await drain(lease, work, { ...tools, ...outbox, waits: claims.waits }, fused);
      } catch (error) {
        if (!(error instanceof LeaseLost)) report(error);
      } finally {
        mailbox.drop(lease);
        observe.busy(mailbox.count);
        concurrency.free();
      }
    });
  }

  function report(err: unknown): void {
    if (err instanceof StoreUnavailable) alarmUnavailable();
    else observe.log.error({ err }, 'a turn was abandoned; it will be repeated');
  }

  /** One sweep at a time. */
  async function sweep(): Promise<void> {
    await concurrency.fill();
    if (running) world.timer(limits.sweepMs, sweep);
  }

  return {
    accept,
    waits,
    start() {
      running = true;
      mailbox.start();
      world.timer(limits.sweepMs, sweep);
    },
    async stop() {
      stopped = true;
      running = false;
      const late = Promise.withResolvers<void>();
      const timer = world.timer(limits.stopMs, late.resolve);
      await Promise.race([concurrency.idle(), late.promise]);
      timer.cancel();
      mailbox.stop();
    },
  };
}
