import { randomUUID } from 'node:crypto';
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises';
import type { Context } from '../conversation/context.ts';
import type { Perform } from '../conversation/perform.ts';
import { LeaseLost } from '../conversation/perform.ts';
import type { PhotoReader } from '../conversation/photo.ts';
import { atMostEvery, type Observe } from '../observe.ts';
import { createSpans, type Spans } from '../spans.ts';
import type { NewMessage, Work } from '../store/mailbox.ts';
import { conversationName } from '../store/messages.ts';
import type { Seal } from '../store/seal.ts';
import { createSealing } from '../store/sealing.ts';
import type { ConversationStore } from '../store/store.ts';
import { StoreUnavailable } from '../store/unavailable.ts';
import { type Bulkhead, createBulkhead } from './bulkhead.ts';
import { createConcurrency } from './concurrency.ts';
import type { Incoming } from './delivery.ts';
import { type DrainTools, drain } from './drain.ts';
import { createForeign } from './foreign.ts';
import { createLeases } from './leases.ts';
import { LIMITS, type Limits } from './limits.ts';
import { createOutboxRunner } from './outgoing.ts';
import type { Outlet } from './outlet.ts';
import { createPerformer } from './perform.ts';
import { createPhotos } from './photos.ts';
import { alarmIfBroken, type Known } from './read.ts';
import type { Conversation } from './steps.ts';
import { createSweeper } from './sweeper.ts';
import type { Traces } from './tracing.ts';

export type TurnsOptions = {
  readonly store: ConversationStore;
  readonly seal: Seal;
  readonly conversation: Conversation;
  readonly perform: Perform;
  /** Reads the pictures that channels fetch. */
  readonly photoReader: PhotoReader;
  /** The channel of that name, if this process has it. */
  outlet(channel: string): Outlet | undefined;
  ids(): Context['ids'];
  readonly observe: Observe;
  readonly limits?: Partial<Limits> | undefined;
  /** Says what is worked on. Absent: nobody is told. */
  readonly spans?: Spans | undefined;
  /** Who may look into turns, and at which. */
  readonly traces?: Traces | undefined;
};

/** `full`: the message was dropped, the customer will be told. */
type Acceptance = 'accepted' | 'duplicate' | 'full';

export type Turns = {
  /**
   * Stores a message; the work on it goes on in the background. Rejects with `StoreUnavailable`: the message may be stored
   * all the same, and the platform should send it again.
   */
  accept(incoming: Incoming): Promise<Acceptance>;
  /** Begins to renew leases and to look for what is due. */
  start(): void;
  /** Begins nothing new, finishes what AntCRM was perhaps asked for, and gives back the rest. Messages are still stored. */
  stop(): Promise<void>;
};

/** The engine: how a message becomes a turn, once, in order, whatever crashes (docs/design.md, "A turn"). */
export function createTurns(options: TurnsOptions): Turns {
  const { store, seal, conversation, outlet, observe, spans = createSpans() } = options;
  const limits = { ...LIMITS, ...options.limits };
  const sealing = createSealing(seal, conversation.readState);
  const alarmUnavailable = atMostEvery(60_000, () => observe.alarm('store_unavailable', {}));
  let stopped = false;
  const stopping = (): boolean => stopped;

  const bulkhead = eachChannel(() => createBulkhead(limits.perChannel, limits.stuckMs));
  const photos = createPhotos({
    reader: options.photoReader,
    outlet,
    stopping,
    random: limits.random,
    observe,
    bulkhead: eachChannel(() => createBulkhead(limits.photosPerChannel, limits.stuckMs)),
  });

  const tools: DrainTools = {
    ...options,
    sealing,
    bulkhead,
    spans,
    random: limits.random,
    foreign: createForeign(),
    stopping,
    attempts: limits.attempts,
    perform: createPerformer({ ...options, photos, workingMs: limits.workingMs, sealing, spans, stopping }),
    deliver: createOutboxRunner({ ...limits, store, outlet, bulkhead, observe, spans, onError: report }),
  };
  const leases = createLeases({ ...limits, store, onError: report });
  const concurrency = createConcurrency(limits.concurrency, claim);
  const sweeper = createSweeper(concurrency.fill, limits.sweepMs);

  function accept(incoming: Incoming): Promise<Acceptance> {
    const { channel } = incoming;
    const conversation = conversationName(seal, channel, incoming.conversation);
    return spans.around('accept', { channel, conversation }, async () => {
      const traceparent = spans.traceparent();
      const accepted = { ...incoming, acceptedMs: Date.now(), ...(traceparent && { traceparent }) };
      const filed = await fileOrReport(conversation, accepted);
      spans.note({ result: filed });
      return filed;
    });
  }

  async function fileOrReport(conversation: string, incoming: Incoming): Promise<Acceptance> {
    const { channel, id } = incoming;
    const body = sealing.message.seal(conversation, incoming);
    try {
      const filed = await file({ conversation, id, body, nonce: randomUUID() }, incoming);
      observe.update(channel, filed);
      return filed;
    } catch (error) {
      report(error);
      observe.update(channel, 'unavailable');
      throw error;
    }
  }

  /** Files the message, and takes the lease if there is a slot for the work. */
  async function file(message: Omit<NewMessage, 'take'>, incoming: Incoming): Promise<Acceptance> {
    const sinceMs = performance.now();
    const take = !stopped && concurrency.reserve();
    let work: Work | null = null;
    try {
      const accepted = await store.accept({ ...message, take });
      if (accepted.kind === 'leased') work = accepted.work;
      if (accepted.kind === 'queued' && !take) concurrency.want();
      return accepted.kind === 'leased' || accepted.kind === 'queued' ? 'accepted' : accepted.kind;
    } finally {
      if (work !== null) void run(work, sinceMs, { body: message.body, incoming });
      else if (take) concurrency.free();
    }
  }

  async function claim(room: number): Promise<number> {
    if (stopped) return 0;
    const sinceMs = performance.now();
    try {
      const works = await store.claim(room);
      for (const work of works) void run(work, sinceMs);
      return works.length;
    } catch (error) {
      report(error);
      return 0;
    }
  }

  /** Never rejects: a lease that cannot be worked on expires, and the next sweep takes it up. */
  function run(work: Work, sinceMs: number, known?: Known): Promise<void> {
    const { conversation } = work;
    return spans.apart({ conversation }, async () => {
      observe.lease(work.takeover ? 'takeover' : known === undefined ? 'due' : 'fresh');
      if (work.takeover) {
        observe.log.info({ conversation }, 'took over: the lease before this one ran out');
      }
      if (work.lost) observe.alarm('record_lost', { conversation });
      const held = leases.add(work, sinceMs);
      observe.busy(leases.count);
      try {
        // The platform gets its answer first.
        await immediate();
        await drain(held, work, tools, known);
      } catch (error) {
        alarmIfBroken(error, conversation, observe);
        if (!(error instanceof LeaseLost)) report(error);
      } finally {
        leases.remove(held);
        observe.busy(leases.count);
        concurrency.free();
      }
    });
  }

  function report(err: unknown): void {
    if (err instanceof StoreUnavailable) alarmUnavailable();
    else observe.log.error({ err }, 'a turn was abandoned; it will be repeated');
  }

  return {
    accept,
    start() {
      leases.start();
      sweeper.start();
    },
    async stop() {
      stopped = true;
      sweeper.stop();
      const enough = new AbortController();
      const late = delay(limits.stopMs, undefined, { signal: enough.signal }).catch(() => {});
      await Promise.race([concurrency.idle(), late]);
      enough.abort();
      leases.stop();
    },
  };
}

/** One for each channel, made when it is first asked for. */
function eachChannel(make: () => Bulkhead): (channel: string) => Bulkhead {
  const made = new Map<string, Bulkhead>();
  return (channel) => {
    const bulkhead = made.get(channel) ?? make();
    made.set(channel, bulkhead);
    return bulkhead;
  };
}
