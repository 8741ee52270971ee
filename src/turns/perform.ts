import type { Effect, Outcome } from '../conversation/effect.ts';
import type { Sender } from '../conversation/message.ts';
import type { Origin } from '../store/bodies.ts';
import type { Journal } from '../store/journal.ts';
import type { Lock, Locks } from '../store/locks.ts';
import type { Seal } from '../store/seal.ts';
import type { Sealing } from '../store/sealing.ts';
import type { Incoming } from './delivery.ts';
import { assertNotLost, type Held } from './leases.ts';
import type { Outlet } from './outlet.ts';

/** What an effect is performed for, and what it may use of the store. Every method may reject with `StoreUnavailable`. */
export type Turn = {
  /** The keyed hash, for logs. */
  readonly conversation: string;
  readonly channel: string;
  readonly sender: Sender;
  /** What time it is by the store's clock, epoch ms. */
  nowMs(): number;
  /** Aborted when the lease is lost: begin nothing more, whatever comes out is void. */
  readonly signal: AbortSignal;
  /** The process is stopping: begin no call. A turn that wrote no intent is given back unprocessed. */
  stopping(): boolean;
  /** As `Journal.intend`; the body, JSON, is sealed on the way. */
  intend(
    operation: string,
    body: unknown,
  ): Promise<
    { kind: 'go' } | { kind: 'stored'; body: unknown } | { kind: 'stale' } | { kind: 'unreplicated' }
  >;
  /** The stored intent of an operation without an outcome, null if there is none. */
  recall(operation: string): Promise<unknown>;
  /** As `Locks.lock`; `customer` in plain, it is hashed on the way. */
  lock(customer: string, operation: string): Promise<Lock>;
  /** As `Locks.unlock`, at once. What a decision lets go is done after the commit. */
  unlock(customer: string, operation: string, record?: string): Promise<void>;
};

/**
 * Performs an effect. How AntCRM answers is an outcome; whatever is thrown ends the turn: it is repeated where an intent
 * was written, else the message becomes a dead letter.
 */
export type Perform = (effect: Effect, turn: Turn) => Promise<Outcome>;

/** What the turn at hand answers: a message with its sender, or the conversation's own wake-up. */
export type Asker = {
  readonly origin: Origin;
  readonly sender: Sender;
  readonly incoming: Incoming | null;
};

/** Teams shows typing for three seconds and wants no more of it than that; Telegram shows its action for five. */
const WORKING_AGAIN_MS = 3000;

export function createPerformer(options: {
  mailbox: Pick<Journal, 'intend' | 'recall'> & Locks;
  seal: Seal;
  sealing: Sealing;
  perform: Perform;
  outlet(channel: string): Outlet | undefined;
  stopping(): boolean;
  workingMs: number;
}) {
  const { mailbox, seal, sealing, perform, outlet, stopping, workingMs } = options;

  function turnOf(held: Held, { origin, sender }: Asker, nowMs: () => number): Turn {
    const { conversation } = held;
    const openIntent = (sealed: Buffer) => sealing.intent.open(conversation, sealed).body;
    return {
      conversation,
      channel: origin.channel,
      sender,
      nowMs,
      signal: held.signal,
      stopping,
      async intend(operation, body) {
        if (stopping() && !held.pastIntent) return { kind: 'stale' };
        // Before the answer: it may get lost, or `stop` may come while it is on its way.
        const before = held.pastIntent;
        held.pastIntent = true;
        const sealed = sealing.intent.seal(conversation, origin, body);
        const intended = await mailbox.intend(held, operation, sealed);
        if (intended.kind === 'stored') return { kind: 'stored', body: openIntent(intended.body) };
        if (intended.kind === 'stale') held.lose();
        if (intended.kind !== 'go') held.pastIntent = before;
        return intended;
      },
      async recall(operation) {
        const sealed = await mailbox.recall(conversation, operation);
        if (sealed === null) return null;
        held.pastIntent = true;
        return openIntent(sealed);
      },
      lock: (customer, operation) => mailbox.lock(seal.name('customer', customer), operation),
      unlock: (customer, operation, record) =>
        mailbox.unlock(seal.name('customer', customer), operation, record),
    };
  }

  /** Shows the customer that the bot is at work, from `workingMs` on. Returns how to end that. */
  function showWorking({ incoming }: Asker): () => void {
    if (incoming === null) return () => {};
    const { channel, conversation, address, press } = incoming;
    const show = (): void => {
      timer = setTimeout(show, WORKING_AGAIN_MS);
      void outlet(channel)
        ?.working?.({ conversation, address, press })
        .catch(() => {});
    };
    let timer = setTimeout(show, workingMs);
    return () => clearTimeout(timer);
  }

  /** Performs the effect under the lease; throws `LeaseLost` where its outcome is void. */
  return async (effect: Effect, held: Held, asker: Asker, nowMs: () => number): Promise<Outcome> => {
    const stopShowing = showWorking(asker);
    try {
      return await perform(effect, turnOf(held, asker, nowMs));
    } finally {
      stopShowing();
      // Whether the time is over does not count here: the commit will tell, and a call was perhaps made.
      assertNotLost(held);
    }
  };
}
