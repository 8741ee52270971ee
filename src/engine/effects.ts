import { z } from 'zod';
import {
  conclusionSchema,
  type Effect,
  type EffectContext,
  intentSchema,
  type KnownCall,
  LeaseLost,
  type Lookup,
  type Outcome,
  type Perform,
  TurnInterrupted,
} from '../conversation/effect.ts';
import type {
  PhotoEffect,
  PhotoReader,
  PhotoReading,
  Picture,
  RemotePicture,
  Sender,
} from '../conversation/message.ts';
import type { Lock } from './customer.ts';
import { createLine, eachChannel, NO_ROOM } from './limits.ts';
import { assertNotLost, givenBackForRoom, type Lease, type Tools } from './mailbox.ts';
import { type FetchedPhoto, type Incoming, type Origin, written } from './messages.ts';
import type { PendingCall } from './record.ts';

/** What the turn at hand answers: a message with its sender, or the conversation's own wake-up. */
export type Asker = {
  readonly origin: Origin;
  readonly sender: Sender;
  readonly incoming: Incoming | null;
};

/** What an effect may know of its turn; `calls` grows with those that it makes. */
export type AtWork = {
  readonly lease: Lease;
  readonly asker: Asker;
  readonly calls: Calls;
  nowMs(): number;
};

/** The calls of a conversation that were perhaps made, as its journal knows them. */
export class Calls {
  readonly #known = new Map<string, KnownCall>();
  readonly #lookups = new Map<string, Lookup>();
  /** How calls of this turn ended, which the store does not know yet. */
  #unwritten: Record<string, KnownCall> = {};

  constructor(journal: Readonly<Record<string, PendingCall>>) {
    for (const [operation, call] of Object.entries(journal)) {
      const lookup = lookupIn(call.body);
      // Nobody can look it up; it stays listed, for operators.
      if (lookup === undefined) continue;
      this.add(operation, lookup);
      const outcome = conclusionSchema.safeParse(call.outcome).data;
      if (outcome !== undefined) this.#known.set(operation, outcome);
    }
  }

  /** A call is about to be made. */
  add(operation: string, lookup: Lookup): void {
    this.#lookups.set(operation, lookup);
    this.#known.set(operation, { kind: 'unknown', operation, lookup });
  }

  /** How an effect ended; noted where it is that of a call. */
  note(outcome: Outcome): void {
    const { kind } = outcome;
    if (kind !== 'applied' && kind !== 'refused' && kind !== 'unavailable') return;
    const { operation } = outcome;
    if (operation === undefined || !this.#known.has(operation)) return;
    const known = conclusionSchema.parse({ ...outcome, locks: outcome.locks && [...outcome.locks] });
    this.#known.set(operation, known);
    this.#unwritten[operation] = known;
  }

  /** What was not written yet: goes with the next change. */
  take = (): Readonly<Record<string, KnownCall>> => {
    const outcomes = this.#unwritten;
    this.#unwritten = {};
    return outcomes;
  };

  known = (operation: string): KnownCall | null => this.#known.get(operation) ?? null;
  lookupOf = (operation: string): Lookup | undefined => this.#lookups.get(operation);
  all = (): Readonly<Record<string, KnownCall>> => Object.fromEntries(this.#known);
}

const bodySchema = z.looseObject({ body: intentSchema });
const lookupIn = (stored: unknown): Lookup | undefined => bodySchema.safeParse(stored).data?.body.lookup;

/** Teams shows typing for three seconds and wants no more of it than that; Telegram shows its action for five. */
const WORKING_AGAIN_MS = 3000;

export function createEffects(
  tools: Tools & {
    lock(customer: string, operation: string, forMs?: number): Promise<Lock>;
    unlock(customer: string, operation: string, record?: string, awaited?: string): Promise<unknown>;
    readonly perform: Perform;
    readonly photos: ReturnType<typeof createPhotos>;
  },
) {
  const { mailbox, lock, unlock, perform, photos, spans, platform, stopping, limits, world } = tools;

  function contextOf({ lease, asker, calls, nowMs }: AtWork): EffectContext {
    return {
      nowMs,
      get signal() {
        return lease.signal;
      },
      stopping,
      async intend(operation, intent) {
        if (stopping() && !lease.pastIntent) throw new TurnInterrupted();
        // Before the answer: it may get lost, or `stop` may come while it is on its way.
        const before = lease.pastIntent;
        lease.pastIntent = true;
        const body = written({ origin: asker.origin, traceparent: spans.traceparent(), body: intent });
        const { intended, durable } = await mailbox.intend(lease, {
          operation,
          body,
          outcomes: calls.take(),
        });
        if (intended.kind !== 'go') {
          lease.pastIntent = before;
          lease.lose();
          throw new LeaseLost();
        }
        if (!durable) lease.pastIntent = before;
        calls.add(operation, intent.lookup);
        const { incoming } = asker;
        if (durable && incoming) platform(incoming.channel)?.begins?.(incoming, operation);
        return durable ? 'go' : 'unreplicated';
      },
      known(operation) {
        const known = calls.known(operation);
        if (known !== null) lease.pastIntent = true;
        return known;
      },
      lock,
      unlock: async (...args) => void (await unlock(...args)),
      isHeld: () => mailbox.isHeld(lease),
    };
  }

  /** Shows the customer that the bot is at work, from `workingMs` on. Returns how to end that. */
  function showWorking({ incoming }: Asker): () => void {
    if (incoming === null) return () => {};
    const { channel, conversation, address, press } = incoming;
    const show = (): void => {
      timer = world.timer(WORKING_AGAIN_MS, show);
      void platform(channel)
        ?.working?.({ conversation, address, press })
        .catch(() => {});
    };
    let timer = world.timer(limits.workingMs, show);
    return () => timer.cancel();
  }

  /** Performs the effect under the lease; throws `LeaseLost` where its outcome is void. */
  return async (effect: Effect | PhotoEffect, at: AtWork): Promise<Outcome | PhotoEffect> => {
    const stopShowing = showWorking(at.asker);
    try {
      if (effect.kind !== 'photo') {
        const outcome = await perform(effect, contextOf(at));
        at.calls.note(outcome);
        return outcome;
      }
      const read = () => photos(effect, at.lease, at.asker);
      return await spans.around('photo', {}, read);
    } finally {
      stopShowing();
      // A lease that is over by the clock does not count here: the commit decides, for a call was perhaps made.
      assertNotLost(at.lease);
    }
  };
}

/** Pictures of one message that are not read by then are `unavailable`. */
const ALL_MS = 20_000;
/** A fetch that may succeed next time is repeated once. */
const TRIES = 2;

const UNAVAILABLE: PhotoReading = { kind: 'unavailable' };
const UNREADABLE: PhotoReading = { kind: 'unreadable' };

/**
 * For each ms that the reader lately worked for a conversation, its messages count as accepted so much later, ms: nobody's
 * many or slow pictures keep others waiting for more than one of them.
 */
const LATER_PER_MS = 100;
/** What was read longer ago is forgotten; so many conversations are remembered. */
const LATELY_MS = 10 * 60_000;
const MOST_REMEMBERED = 1000;

/**
 * Fetches and reads the pictures of a message, one after the other, so that few are in memory. A channel's turns wait for
 * that in a line by the time of their message's acceptance, and their pictures in another for the one reader. Whatever a
 * platform or a picture does becomes a reading. Throws `GivenBack` where the line is too long, `TurnInterrupted` when the
 * process stops, `LeaseLost`; nothing is changed then.
 */
export function createPhotos(tools: Tools & { readonly reader: PhotoReader }) {
  const { reader, platform, stopping, limits, world, observe } = tools;
  const turns = eachChannel(() => createLine(limits.photosPerChannel, limits.photosPerChannel));
  const decoding = createLine(1, Number.POSITIVE_INFINITY);
  /** How long the reader worked for each conversation, and until when, by the monotonic clock; the latest last. */
  const lately = new Map<string, { readonly workedMs: number; readonly untilMs: number }>();

  function workedFor(conversation: string): number {
    const { workedMs, untilMs } = lately.get(conversation) ?? { workedMs: 0, untilMs: 0 };
    return world.monotonicMs() - untilMs < LATELY_MS ? workedMs : 0;
  }

  const rankOf = ({ conversation }: Lease, { incoming }: Asker): number =>
    (incoming?.acceptedMs ?? world.nowMs()) + LATER_PER_MS * workedFor(conversation);

  async function decoded(bytes: Uint8Array, { conversation }: Lease): Promise<PhotoReading> {
    if (stopping()) throw new TurnInterrupted();
    const sinceMs = world.monotonicMs();
    const reading = await reader.read(bytes);
    const untilMs = world.monotonicMs();
    const workedMs = workedFor(conversation) + untilMs - sinceMs;
    lately.delete(conversation);
    lately.set(conversation, { workedMs, untilMs });
    const [oldest] = lately.keys();
    if (lately.size > MOST_REMEMBERED && oldest !== undefined) lately.delete(oldest);
    return reading;
  }

  async function fetched({ at }: RemotePicture, origin: Origin): Promise<FetchedPhoto> {
    const channel = platform(origin.channel);
    for (let tries = 1; ; tries++) {
      const got = (await channel?.fetchPhoto?.(origin, at)) ?? { kind: 'refused' };
      if (got.kind !== 'unavailable' || tries === TRIES || stopping()) return got;
    }
  }

  async function reading(picture: RemotePicture, lease: Lease, asker: Asker): Promise<PhotoReading> {
    const file = await fetched(picture, asker.origin);
    if (file.kind !== 'fetched') return file.kind === 'large' ? UNREADABLE : UNAVAILABLE;
    const outcome = await decoding(rankOf(lease, asker), () => decoded(file.bytes, lease));
    return outcome === NO_ROOM ? UNAVAILABLE : outcome;
  }

  async function readAll(pictures: readonly Picture[], lease: Lease, asker: Asker): Promise<Picture[]> {
    const startMs = world.monotonicMs();
    const read: Picture[] = [];
    for (const picture of pictures) {
      if (lease.lost) throw new LeaseLost();
      if (stopping()) throw new TurnInterrupted();
      const sinceMs = world.monotonicMs();
      if (picture.kind !== 'remote') read.push(picture);
      else if (sinceMs - startMs >= ALL_MS) read.push(UNAVAILABLE);
      else {
        const outcome = await reading(picture, lease, asker);
        observe.photo(asker.origin.channel, outcome.kind, (world.monotonicMs() - sinceMs) / 1000);
        read.push(outcome);
      }
    }
    return read;
  }

  return async ({ photo }: PhotoEffect, lease: Lease, asker: Asker): Promise<PhotoEffect> => {
    const line = turns(asker.origin.channel);
    const pictures = await line(rankOf(lease, asker), () => readAll(photo.pictures, lease, asker));
    if (pictures === NO_ROOM) throw givenBackForRoom(world);
    return { kind: 'photo', photo: { ...photo, pictures } };
  };
}
