import {
  conclusionSchema,
  type Effect,
  type EffectContext,
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
} from '../conversation/message.ts';
import { Bulkhead, NO_ROOM } from '../resilience/bulkhead.ts';
import { lock, unlock } from './customer.ts';
import { perChannel } from './limits.ts';
import { attempt, type Origin, readIntent, withVersion } from './messages.ts';
import type { PendingCall } from './record.ts';
import { intend } from './transitions.ts';
import { givenBackForRoom, type Turn, type TurnTools } from './turn.ts';

export type EffectTools = TurnTools & { readonly perform: Perform; readonly photoReader: PhotoReader };

/** Teams shows typing for three seconds, Telegram for five. */
const WORKING_REPEAT_MS = 3000;

/** Pictures of one message that are not read by then are `unavailable`. */
const ALL_PICTURES_MS = 20_000;
/** A fetch that may succeed next time is repeated once. */
const TRIES = 2;
const UNAVAILABLE: PhotoReading = { kind: 'unavailable' };

/** Performs what turns ask for, each effect under the turn's lease. */
export class Effects {
  readonly #tools: EffectTools;
  /** Turns of one channel that read pictures wait in a line, so that few pictures are in memory. */
  readonly #photoTurns: (channel: string) => Bulkhead;

  constructor(tools: EffectTools) {
    const places = tools.limits.photosPerChannel;
    this.#tools = tools;
    this.#photoTurns = perChannel(() => new Bulkhead({ places, maxWaiting: places }, tools.runtime));
  }

  /** Throws `LeaseLost` if the outcome is void, `GivenBack` and `TurnInterrupted` if nothing was done. */
  async perform(effect: Effect | PhotoEffect, turn: Turn, calls: Calls): Promise<Outcome | PhotoEffect> {
    const { lease } = turn;
    const hideWorking = this.#showWorking(turn);
    try {
      const isPhoto = effect.kind === 'photo';
      const outcome = isPhoto ? await this.#readPhoto(effect, turn) : await this.#call(effect, turn, calls);
      if (!lease.isLost) return outcome;
    } catch (error) {
      if (!lease.isLost) throw error;
    } finally {
      hideWorking();
    }
    // The lease's end is not checked: a call may have been made, and the commit checks the lease itself.
    throw new LeaseLost();
  }

  /** Log lines meanwhile name the operation, with or without a collector of spans. */
  async #call(effect: Effect, turn: Turn, calls: Calls): Promise<Outcome> {
    const { perform, spans, isTracing } = this.#tools;
    const { atWork } = turn.lease;
    const { span: outer } = atWork;
    atWork.operation = 'operation' in effect ? effect.operation : undefined;
    if (isTracing) atWork.span = spans.begin({ name: 'perform', effect: effect.kind });
    try {
      const outcome = await perform(effect, this.#contextOf(turn, calls));
      calls.note(outcome);
      if (isTracing)
        spans.end(atWork.span, { outcome: outcome.kind === 'checked' ? outcome.found : outcome.kind });
      return outcome;
    } catch (error) {
      if (isTracing) spans.end(atWork.span, {}, error);
      throw error;
    } finally {
      atWork.operation = undefined;
      atWork.span = outer;
    }
  }

  #contextOf(turn: Turn, calls: Calls): EffectContext {
    const { leases, customers, encryption, runtime, stopping } = this.#tools;
    const { lease } = turn;
    return {
      nowMs: turn.storeMs,
      signal: lease.signal,
      stopping,
      isHeld: () => leases.isHeld(lease),
      async lock(customer, operation, forMs) {
        const sinceMs = runtime.nowMs();
        const name = encryption.name('customer', customer);
        const { answer } = await customers.update(name, lock(operation, forMs));
        turn.endTrip('lock', sinceMs, operation);
        return answer;
      },
      async unlock(customer, unlocking) {
        const sinceMs = runtime.nowMs();
        await customers.update(encryption.name('customer', customer), unlock(unlocking));
        turn.endTrip('unlock', sinceMs, unlocking.operation);
      },
      findCall(operation) {
        const call = calls.known.get(operation);
        if (call) lease.pastIntent = true;
        return call ?? null;
      },
      intend: (...intended) => this.#intend(turn, calls, intended),
    };
  }

  async #intend(
    turn: Turn,
    calls: Calls,
    [operation, intent]: Parameters<EffectContext['intend']>,
  ): ReturnType<EffectContext['intend']> {
    const { records, platform, runtime, spans, isTracing } = this.#tools;
    const { lease, asker } = turn;
    const wasPastIntent = lease.pastIntent;
    if (asker === null) throw new TypeError('nobody asked for the call');
    // Set before the answer comes: it may get lost, or `stop` may be called in between.
    lease.pastIntent = true;
    const { origin, incoming } = asker;
    const traceparent = isTracing ? spans.traceparent() : undefined;
    const body = withVersion({ origin, traceparent, body: intent });
    const intending = intend(lease, { operation, body, outcomes: calls.take() });
    const sinceMs = runtime.nowMs();
    const intended = await records.update(lease.conversation, intending, { durable: true });
    const { answer, durable, record } = intended;
    turn.endTrip('intend', sinceMs, operation);
    if (!answer || !durable) lease.pastIntent = wasPastIntent;
    if (!answer || record === null) {
      lease.lose();
      throw new LeaseLost();
    }
    lease.record = record;
    lease.nowMs = intended.nowMs;
    calls.add(operation, intent.lookup);
    if (!durable) return 'unreplicated';
    if (incoming) platform(incoming.channel)?.begins?.(incoming, operation);
    return 'go';
  }

  /**
   * Whatever a platform or a picture does becomes a reading. Throws `GivenBack` if the line is too long,
   * `TurnInterrupted` when the process stops, and `LeaseLost`; nothing is changed then.
   */
  async #readPhoto({ photo }: PhotoEffect, turn: Turn): Promise<PhotoEffect> {
    const { runtime, spans } = this.#tools;
    const sinceMs = runtime.nowMs();
    const places = this.#photoTurns(turn.event.channel);
    const pictures = await places.run(() => this.#readPictures(photo.pictures, turn));
    if (pictures === NO_ROOM) throw givenBackForRoom(runtime.random());
    spans.mark({ name: 'photo', sinceMs });
    return { kind: 'photo', photo: { ...photo, pictures } };
  }

  /** One after the other. */
  async #readPictures(pictures: readonly Picture[], { lease, asker, event }: Turn): Promise<Picture[]> {
    const { runtime, observe, stopping } = this.#tools;
    const startMs = runtime.monotonicMs();
    const read: Picture[] = [];
    for (const picture of pictures) {
      if (lease.isLost) throw new LeaseLost();
      if (stopping.aborted) throw new TurnInterrupted();
      const sinceMs = runtime.monotonicMs();
      if (picture.kind !== 'remote' || asker === null) read.push(picture);
      else if (sinceMs - startMs >= ALL_PICTURES_MS) read.push(UNAVAILABLE);
      else {
        const reading = await this.#readPicture(picture, asker.origin);
        observe.photo(event.channel, reading.kind, (runtime.monotonicMs() - sinceMs) / 1000);
        read.push(reading);
      }
    }
    return read;
  }

  async #readPicture({ at }: RemotePicture, origin: Origin): Promise<PhotoReading> {
    const { platform, stopping, photoReader } = this.#tools;
    const channel = platform(origin.channel);
    for (let tries = 1; ; tries++) {
      const file = (await channel?.fetchPhoto?.(origin, at)) ?? { kind: 'refused' };
      if (file.kind === 'fetched') return photoReader.read(file.bytes);
      if (file.kind === 'large') return { kind: 'unreadable' };
      if (file.kind === 'refused' || tries === TRIES || stopping.aborted) return UNAVAILABLE;
    }
  }

  /** Shows the customer that the bot is at work, until the returned function is called. */
  #showWorking({ asker }: Turn): () => void {
    const { platform, runtime, limits } = this.#tools;
    const incoming = asker?.incoming;
    if (!incoming) return () => {};
    const show = (): void => {
      timer = runtime.timer(WORKING_REPEAT_MS, show);
      platform(incoming.channel)
        ?.working?.(incoming)
        .catch(() => {});
    };
    let timer = runtime.timer(limits.workingMs, show);
    return () => timer.cancel();
  }
}

/** The calls of a conversation that were perhaps made, as its journal and this turn know them. */
export class Calls {
  readonly known = new Map<string, KnownCall>();
  readonly lookups = new Map<string, Lookup>();
  /** How calls of this turn ended, which the store does not know yet. */
  #unwritten: Record<string, KnownCall> = {};

  constructor(journal: Readonly<Record<string, PendingCall>>) {
    for (const [operation, call] of Object.entries(journal)) {
      const lookup = attempt(() => readIntent(call.body))?.body.lookup;
      // Without a lookup nothing can find out how it ended: it stays listed, for operators.
      if (lookup === undefined) continue;
      this.add(operation, lookup);
      const outcome = conclusionSchema.safeParse(call.outcome).data;
      if (outcome !== undefined) this.known.set(operation, outcome);
    }
  }

  add(operation: string, lookup: Lookup): void {
    this.lookups.set(operation, lookup);
    this.known.set(operation, { kind: 'unknown', operation, lookup });
  }

  /** Notes how an effect ended, if it was a call. */
  note(outcome: Outcome): void {
    const { kind } = outcome;
    if (kind !== 'applied' && kind !== 'refused' && kind !== 'unavailable') return;
    if (outcome.operation === undefined || !this.known.has(outcome.operation)) return;
    this.known.set(outcome.operation, outcome);
    this.#unwritten[outcome.operation] = outcome;
  }

  /** The outcomes that the store does not know. They are returned once. */
  take(): Readonly<Record<string, KnownCall>> {
    const outcomes = this.#unwritten;
    this.#unwritten = {};
    return outcomes;
  }
}
