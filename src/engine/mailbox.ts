import { LeaseLost } from '../conversation/effect.ts';
import { VERSION } from '../conversation/state.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Spans } from '../observability/tracing.ts';
import { StoreUnavailable } from '../store/port.ts';
import type { Cell } from './cell.ts';
import type { Bulkhead, Limits } from './limits.ts';
import type { Incoming, Platform, Stored } from './messages.ts';
import {
  type Accepted,
  accept,
  type Commit,
  type Committed,
  type ConversationRecord,
  commit,
  type Filing,
  type Held,
  type Intended,
  intend,
  type Outcomes,
  release,
  renew,
  type Taking,
  type Transition,
  take,
  type Wait,
  type Work,
} from './record.ts';
import type { World } from './world.ts';

/** A message that this process filed a moment ago under that mark, most often the head: it is not read again. */
export type Known = { readonly mark: string; readonly incoming: Incoming };

/** The right of this process to work on a conversation, what it knows of it, and how far its work is. */
export class Lease {
  readonly conversation: string;
  readonly owner: string;
  readonly known: Known | undefined;
  /** The state as the last commit under it wrote it. */
  stored: Stored | undefined;
  /** The number of the last change under it. */
  step: number;
  /** Of the message that is worked on; null: of none. */
  mark: string | null;
  /** An intent was written for the turn at work: AntCRM may have been called, so the turn must be finished. */
  pastIntent = false;
  /** How calls ended that the turn at work made, as far as the store does not know it yet. */
  outcomes: () => Outcomes = () => ({});
  /** The end of the lease on this process's monotonic clock, rather too early than too late. */
  aliveUntilMs: number;
  #lost = false;
  /** Made when it is first asked for: most turns make no call that could be stopped. */
  #abort: AbortController | undefined;

  constructor(conversation: string, work: Work, aliveUntilMs: number, known?: Known) {
    this.conversation = conversation;
    this.owner = work.owner;
    this.known = known;
    this.step = work.step;
    this.mark = work.head?.mark ?? null;
    this.aliveUntilMs = aliveUntilMs;
  }

  get lost(): boolean {
    return this.#lost;
  }

  lose(): void {
    this.#lost = true;
    this.#abort?.abort();
  }

  /** Aborts once the lease is known to be lost. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#lost) this.#abort.abort();
    return this.#abort.signal;
  }
}

export type Leased = { readonly lease: Lease; readonly work: Work };

/** `taken`: another process was faster, or all was answered meanwhile. `left`: it is for processes of a newer version. */
export type Taken = Leased | 'taken' | 'left';

/** Throws `LeaseLost` where the lease is known to be lost. */
export function assertNotLost(lease: Lease): void {
  if (lease.lost) throw new LeaseLost();
}

/**
 * The lease is given back with nothing changed: another process, or this one, takes the turn after `afterMs`. It is no
 * failure, and does not count as an attempt.
 */
export class GivenBack extends Error {
  override readonly name = 'GivenBack';
  readonly afterMs: number;

  constructor(afterMs = 0) {
    super();
    this.afterMs = afterMs;
  }
}

/** A turn that finds no room in a bulkhead comes again after this, or up to three times as much. */
const NO_ROOM_MS = 2000;

export const givenBackForRoom = ({ random }: Pick<World, 'random'>): GivenBack =>
  new GivenBack(Math.round(NO_ROOM_MS * (1 + 2 * random())));

/** How soon a store that did not answer is asked once more; each time after twice as long. */
const RELEASE_AGAIN_MS = 250;

/** What goes on with what was accepted, in the same swap; undefined: nothing does. */
export type Then<Done> = (
  record: ConversationRecord | null,
  accepted: Accepted,
  nowMs: number,
) => { readonly record: ConversationRecord | null; readonly done: Done } | undefined;

export type Mailbox = ReturnType<typeof createMailbox>;

/** What the parts of an engine work with. */
export type Tools = {
  readonly mailbox: Mailbox;
  /** The channel of that name, if this process has it. */
  platform(channel: string): Platform | undefined;
  /** What a channel's platform may take up at once. */
  bulkhead(channel: string): Bulkhead;
  stopping(): boolean;
  readonly limits: Limits;
  readonly world: World;
  readonly spans: Spans;
  readonly observe: Observe;
};

/** What a turn waits for, on its way to the reply. `outcomeOf`: how it ended. */
export type Around = <Result>(
  trip: 'intend' | 'commit' | 'lock' | 'unlock',
  operation: string | undefined,
  work: () => Promise<Result>,
  outcomeOf?: (result: Result) => string,
) => Promise<Result>;

/** What becomes of conversations in the store, change by change. `around`: whoever looks at what a turn waits for. */
export function createMailbox(options: {
  readonly conversations: Cell<ConversationRecord>;
  readonly world: World;
  readonly limits: Pick<Limits, 'leaseMs' | 'renewMs'>;
  readonly around: Around;
  onError(error: unknown): void;
}) {
  const { conversations, world, limits, around, onError } = options;
  const { leaseMs, renewMs } = limits;
  const live = new Set<Lease>();
  let running = false;

  const taking = (): Taking => ({ owner: world.id(), leaseMs, schema: VERSION });

  /** A change that only the holder can make; the lease then is a step further. */
  async function held<Answer>(
    lease: Lease,
    change: (held: Held) => Transition<Answer>,
    durable = false,
  ): Promise<{ answer: Answer; durable: boolean }> {
    const { conversation, owner, step, mark } = lease;
    const made = await conversations.change(conversation, change({ owner, step: step + 1, mark }), {
      durable,
    });
    lease.step = step + 1;
    return made;
  }

  async function renewAll(): Promise<void> {
    if (!running) return;
    for (const lease of live) isHeld(lease).catch(onError);
    world.timer(renewMs, renewAll);
  }

  /** Renews the lease; false: it is lost. */
  async function isHeld(lease: Lease): Promise<boolean> {
    const sinceMs = world.monotonicMs();
    const { answer } = await conversations.change(lease.conversation, renew({ owner: lease.owner, leaseMs }));
    if (answer) lease.aliveUntilMs = sinceMs + leaseMs;
    else if (live.has(lease)) lease.lose();
    return answer;
  }

  return {
    /** Whether a message of the conversation can be filed without reading its record first. */
    knows: conversations.knows,

    /**
     * Files a message; with `take`, takes the lease if nobody has it. `then` may go on with what was accepted in the same
     * swap; it runs again where somebody else was faster, and must have no effect but its result.
     */
    async accept<Done>(
      conversation: string,
      filing: Omit<Filing, 'schema' | 'take'> & { readonly take: boolean },
      then?: Then<Done>,
    ): Promise<{ readonly accepted: Accepted; readonly done: Done | undefined }> {
      const filed = accept({ ...filing, schema: VERSION, take: filing.take ? taking() : undefined });
      const { answer } = await conversations.change(conversation, (record, nowMs) => {
        const { record: after, answer: accepted } = filed(record, nowMs);
        const more = then?.(after, accepted, nowMs);
        return {
          record: more === undefined ? after : more.record,
          answer: { accepted, done: more?.done },
        };
      });
      return answer;
    },

    /** Takes the lease of a conversation that is listed as due. */
    async take(conversation: string): Promise<Taken> {
      const sinceMs = world.monotonicMs();
      const { answer } = await conversations.change(conversation, take(taking()), { listed: true });
      if (answer.kind === 'leased') {
        const { work } = answer;
        return { lease: new Lease(conversation, work, sinceMs + leaseMs), work };
      }
      return answer.kind === 'newer' ? 'left' : 'taken';
    },

    /** Asks the store whether the lease is still held, which a process that was suspended cannot know. */
    isHeld,

    /** The lease is at work: from now on it is renewed. */
    hold: (lease: Lease): void => void live.add(lease),
    drop: (lease: Lease): void => void live.delete(lease),
    get count() {
      return live.size;
    },

    /** `go` permits the call; where `durable` is false then, too few replicas have it, and it does not. */
    async intend(
      lease: Lease,
      call: { readonly operation: string; readonly body: unknown; readonly outcomes?: Outcomes },
    ): Promise<{ readonly intended: Intended; readonly durable: boolean }> {
      const by = `${lease.owner}:${lease.step + 1}`;
      const work = () => held(lease, (holder) => intend(holder, { ...call, by }), true);
      const { answer, durable } = await around('intend', call.operation, work, ({ answer }) => answer.kind);
      return { intended: answer, durable };
    },

    async commit(lease: Lease, change: Commit): Promise<Committed> {
      const work = () => held(lease, (holder) => commit(holder, change));
      const outcomeOf = ({ answer }: { answer: Committed }) => (answer ? 'committed' : 'stale');
      const { answer } = await around('commit', undefined, work, outcomeOf);
      if (change.consumed) lease.mark = null;
      lease.outcomes();
      return answer;
    },

    /** Tried until the lease is over: what was sent and cannot be noted would be sent again. */
    async release(lease: Lease, sentSeq: number, wait?: Wait): Promise<Work | null> {
      lease.mark = null;
      const ending = { sentSeq, wait, leaseMs, schema: VERSION, outcomes: lease.outcomes() };
      for (let againMs = RELEASE_AGAIN_MS; ; againMs *= 2) {
        try {
          const { answer } = await held(lease, (holder) => release(holder, ending));
          lease.mark = answer?.head?.mark ?? null;
          return answer;
        } catch (error) {
          const again = error instanceof StoreUnavailable && world.monotonicMs() < lease.aliveUntilMs;
          if (!again) throw error;
        }
        await world.sleep(againMs);
      }
    },

    /** Throws `LeaseLost`, also where the lease has ended as far as this process can tell. */
    assertHeld(lease: Lease): void {
      if (world.monotonicMs() >= lease.aliveUntilMs) lease.lose();
      assertNotLost(lease);
    },

    start(): void {
      running = true;
      world.timer(renewMs, renewAll);
    },
    stop(): void {
      running = false;
    },
  };
}
