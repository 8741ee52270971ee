import type { Effect, Outcome } from '../conversation/effect.ts';
import type { Sender } from '../conversation/message.ts';
import { type EffectContext, type Perform, TurnInterrupted } from '../conversation/perform.ts';
import type { PhotoEffect } from '../conversation/photo.ts';
import type { Spans } from '../spans.ts';
import type { Origin } from '../store/bodies.ts';
import type { Seal } from '../store/seal.ts';
import type { Sealing } from '../store/sealing.ts';
import type { ConversationStore } from '../store/store.ts';
import type { Incoming } from './delivery.ts';
import { assertNotLost, type Held } from './leases.ts';
import type { Outlet } from './outlet.ts';
import type { createPhotos } from './photos.ts';

/** What the turn at hand answers: a message with its sender, or the conversation's own wake-up. */
export type Asker = {
  readonly origin: Origin;
  readonly sender: Sender;
  readonly incoming: Incoming | null;
};

/** Teams shows typing for three seconds and wants no more of it than that; Telegram shows its action for five. */
const WORKING_AGAIN_MS = 3000;

export function createPerformer(options: {
  store: Pick<ConversationStore, 'intend' | 'recall' | 'renew' | 'lock' | 'unlock'>;
  seal: Seal;
  sealing: Sealing;
  perform: Perform;
  /** Reads the pictures of a message. */
  photos: ReturnType<typeof createPhotos>;
  spans: Spans;
  outlet(channel: string): Outlet | undefined;
  stopping(): boolean;
  workingMs: number;
}) {
  const { store, seal, sealing, perform, photos, spans, outlet, stopping, workingMs } = options;

  function contextOf(held: Held, { origin }: Asker, nowMs: () => number): EffectContext {
    const { conversation } = held;
    const openIntent = (sealed: Buffer) => sealing.intent.open(conversation, sealed).body;
    return {
      nowMs,
      signal: held.signal,
      stopping,
      async intend(operation, body) {
        if (stopping() && !held.pastIntent) throw new TurnInterrupted();
        // Before the answer: it may get lost, or `stop` may come while it is on its way.
        const before = held.pastIntent;
        held.pastIntent = true;
        const sealed = sealing.intent.seal(conversation, { origin, traceparent: spans.traceparent(), body });
        const intended = await store.intend(held, operation, sealed);
        if (intended.kind === 'stored') return { kind: 'stored', body: openIntent(intended.body) };
        if (intended.kind === 'stale') held.lose();
        if (intended.kind !== 'go') held.pastIntent = before;
        return intended;
      },
      async recall(operation) {
        const sealed = await store.recall(conversation, operation);
        if (sealed === null) return null;
        held.pastIntent = true;
        return openIntent(sealed);
      },
      lock: (customer, operation, forMs) => store.lock(seal.name('customer', customer), operation, forMs),
      unlock: (customer, ...rest) => store.unlock(seal.name('customer', customer), ...rest),
      async isHeld() {
        const isHeld = await store.renew(held);
        if (!isHeld) held.lose();
        return isHeld;
      },
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
  return async (
    effect: Effect | PhotoEffect,
    held: Held,
    asker: Asker,
    nowMs: () => number,
  ): Promise<Outcome | PhotoEffect> => {
    const stopShowing = showWorking(asker);
    try {
      if (effect.kind !== 'photo') return await perform(effect, contextOf(held, asker, nowMs));
      const read = () => photos(effect.photo, held, asker.origin);
      return { kind: 'photo', photo: await spans.around('photo', {}, read) };
    } finally {
      stopShowing();
      // A lease that is over by the clock does not count here: the commit decides, for a call was perhaps made.
      assertNotLost(held);
    }
  };
}
