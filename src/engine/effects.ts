import type { Readable } from 'node:stream';
import {
  conclusionSchema,
  type Effect,
  type Lookup,
  type OperationOutcome,
  type Outcome,
} from '../conversation/effect.ts';
import {
  MAX_PHOTO_BYTES,
  type PhotoEffect,
  type PhotoReader,
  type PhotoReading,
  type Picture,
  type RemotePicture,
} from '../conversation/message.ts';
import type { ProofEffect, ProofOutcome, ProveByCode } from '../conversation/proof.ts';
import { Bulkhead, NO_ROOM } from '../resilience/bulkhead.ts';
import { deadlineIn, isOver } from '../resilience/deadline.ts';
import { lock, unlock } from './customer.ts';
import { type Abandoned, type GivenBack, giveBackForRoom, LOST, STOPPING } from './ends.ts';
import type { HeldLease } from './leases.ts';
import { perChannel } from './limits.ts';
import { attempt, type Origin, readIntent, withVersion } from './messages.ts';
import { CallPermit, type EffectContext, type Interrupted, type Perform } from './perform.ts';
import type { JournalEntry } from './record.ts';
import { intend } from './transitions.ts';
import type { Turn, TurnTools, WantedEffect } from './turn.ts';

export type EffectTools = TurnTools & {
  readonly perform: Perform;
  /** Absent: nothing asks for one-time codes (`Settings.proof`). */
  readonly proveByCode?: ProveByCode | undefined;
  readonly photoReader: PhotoReader;
};

/** Teams shows typing for three seconds, Telegram for five. */
const WORKING_REPEAT_MS = 3000;

/** Pictures of one message that are not read by then are `unavailable`. */
const ALL_PICTURES_MS = 20_000;
/** The customer waits: a picture must begin to come, and come, within this. */
const PICTURE_MS = 3000;
const PHOTO_BOUNDS = { maxBytes: MAX_PHOTO_BYTES, timeoutMs: PICTURE_MS };
/** A fetch that may succeed next time is repeated once. */
const TRIES = 2;
const UNAVAILABLE: PhotoReading = { kind: 'unavailable' };

/**
 * If storing an intent takes longer, by either clock, the store is asked whether this process still has the
 * lease: it may have been suspended.
 */
const SUSPENDED_MS = 1000;

/** A turn whose steps ask for effects, under its lease. */
export type TurnAtWork = { readonly held: HeldLease; readonly turn: Turn; readonly calls: Calls };

/** Performs what turns ask for, each effect under the turn's lease. */
export class Effects {
  readonly #tools: EffectTools;
  /** Fetches of one channel's pictures wait in a line. The reader bounds those that wait for it. */
  readonly #photoFetches: (channel: string) => Bulkhead;

  constructor(tools: EffectTools) {
    const places = tools.limits.photosPerChannel;
    this.#tools = tools;
    this.#photoFetches = perChannel(() => new Bulkhead({ places, maxWaiting: places }, tools.runtime));
  }

  /** Lost: the outcome is void. Given back: nothing was done. */
  async handle(
    effect: WantedEffect,
    current: TurnAtWork,
  ): Promise<Outcome | PhotoEffect | ProofOutcome | Abandoned> {
    const { held, turn } = current;
    const hideWorking = this.#showWorking(turn);
    try {
      const outcome = await this.#dispatch(effect, current);
      // The lease's end is not checked: a call may have been made, and the commit checks the lease itself.
      if (held.isLost) return LOST;
      return outcome === 'interrupted' ? STOPPING : outcome;
    } catch (error) {
      if (held.isLost) return LOST;
      throw error;
    } finally {
      hideWorking();
    }
  }

  #dispatch(effect: WantedEffect, current: TurnAtWork) {
    switch (effect.kind) {
      case 'photo':
        return this.#readPhoto(effect, current);
      case 'sendCode':
      case 'tryCode':
        return this.#prove(effect, current);
      default:
        return this.#call(effect, current);
    }
  }

  /** What it does is remembered by the message, so a repeat of the turn does nothing twice. */
  async #prove(effect: ProofEffect, { held, turn }: TurnAtWork): Promise<ProofOutcome | Interrupted> {
    const { proveByCode, stopping } = this.#tools;
    const { head } = turn.work;
    if (proveByCode === undefined || head === null) throw new TypeError('no message can ask for a code');
    if (stopping.aborted) return 'interrupted';
    return proveByCode(effect, { conversation: held.conversation, message: head.mark });
  }

  /** Log lines meanwhile name the operation, with or without a collector of spans. */
  async #call(effect: Effect, current: TurnAtWork): Promise<Outcome | Interrupted> {
    const { perform, spans, isTracing } = this.#tools;
    const { atWork } = current.held;
    const { span: outer } = atWork;
    atWork.operation = 'operation' in effect ? effect.operation : undefined;
    if (isTracing) atWork.span = spans.begin({ name: 'perform', effect: effect.kind });
    try {
      const outcome = await perform(effect, this.#contextOf(current));
      if (outcome !== 'interrupted') current.calls.note(outcome);
      if (isTracing) spans.end(atWork.span, { outcome: nameOf(outcome) });
      return outcome;
    } catch (error) {
      if (isTracing) spans.end(atWork.span, {}, error);
      throw error;
    } finally {
      atWork.operation = undefined;
      atWork.span = outer;
    }
  }

  #contextOf(current: TurnAtWork): EffectContext {
    const { held, turn, calls } = current;
    const { customers, encryption, runtime, stopping } = this.#tools;
    return {
      nowMs: turn.storeMs,
      signal: held.signal,
      stopping,
      async lock(customer, operation, forMs) {
        const sinceMs = runtime.nowMs();
        const name = encryption.name('customer', customer);
        const { answer } = await customers.update(name, lock(operation, { by: held, forMs }));
        turn.endTrip('lock', sinceMs, operation);
        return answer;
      },
      async unlock(customer, unlocking) {
        const sinceMs = runtime.nowMs();
        const name = encryption.name('customer', customer);
        await customers.update(name, unlock({ ...unlocking, by: held }));
        turn.endTrip('unlock', sinceMs, unlocking.operation);
      },
      findCall(operation) {
        const call = calls.known.get(operation);
        if (call) calls.isPastIntent = true;
        return call ?? null;
      },
      intend: (...intended) => this.#intend(current, intended),
    };
  }

  async #intend(
    { held, turn, calls }: TurnAtWork,
    [operation, intent]: Parameters<EffectContext['intend']>,
  ): ReturnType<EffectContext['intend']> {
    const { records, leases, platform, runtime, spans, isTracing } = this.#tools;
    const { asker, work } = turn;
    if (asker === null) throw new TypeError('nobody asked for the call');
    const wasPastIntent = calls.isPastIntent;
    // Set before the answer comes: it may get lost, or `stop` may be called in between.
    calls.isPastIntent = true;
    const { origin, incoming } = asker;
    const traceparent = isTracing ? spans.traceparent() : undefined;
    const body = withVersion({ origin, traceparent, body: intent });
    const basis = { record: held.lease.record, head: work.head };
    const intending = intend(basis, { operation, body, outcomes: calls.take() });
    const sinceMs = runtime.nowMs();
    const suspendedAfter = deadlineIn(SUSPENDED_MS, runtime);
    const intended = await records.update(held.conversation, intending, { durable: true });
    const { answer, durable, record } = intended;
    turn.endTrip('intend', sinceMs, operation);
    if (!answer || !durable) calls.isPastIntent = wasPastIntent;
    if (!answer || record === null) {
      held.lose();
      return 'interrupted';
    }
    held.advance(record, intended.nowMs);
    calls.add(operation, intent.lookup);
    if (!durable) return 'unreplicated';
    const isHeld = !held.isLost && (!isOver(suspendedAfter, runtime) || (await leases.renew(held)));
    if (!isHeld) return 'interrupted';
    if (incoming) platform(incoming.channel)?.begins?.(incoming, operation);
    return new CallPermit(operation);
  }

  /** Whatever a platform or a picture does becomes a reading. Given back: the line is too long. */
  async #readPhoto(
    { photo }: PhotoEffect,
    { held, turn }: TurnAtWork,
  ): Promise<PhotoEffect | GivenBack | Interrupted> {
    const { runtime, spans } = this.#tools;
    const sinceMs = runtime.nowMs();
    const pictures = await this.#readPictures(photo.pictures, held, turn);
    if (pictures === NO_ROOM) return giveBackForRoom(runtime.random());
    spans.mark({ name: 'photo', sinceMs });
    return pictures === 'interrupted' ? pictures : { kind: 'photo', photo: { ...photo, pictures } };
  }

  /** One after the other. */
  async #readPictures(
    pictures: readonly Picture[],
    held: HeldLease,
    { asker, event }: Turn,
  ): Promise<Picture[] | Interrupted | typeof NO_ROOM> {
    const { runtime, observe, stopping } = this.#tools;
    const startMs = runtime.monotonicMs();
    const read: Picture[] = [];
    for (const picture of pictures) {
      if (held.isLost || stopping.aborted) return 'interrupted';
      const sinceMs = runtime.monotonicMs();
      if (picture.kind !== 'remote' || asker === null) read.push(picture);
      else if (sinceMs - startMs >= ALL_PICTURES_MS) read.push(UNAVAILABLE);
      else {
        const reading = await this.#readPicture(picture, asker.origin);
        if (reading === NO_ROOM) return NO_ROOM;
        observe.photo(event.channel, reading.kind, (runtime.monotonicMs() - sinceMs) / 1000);
        read.push(reading);
      }
    }
    return read;
  }

  async #readPicture(picture: RemotePicture, origin: Origin): Promise<PhotoReading | typeof NO_ROOM> {
    const places = this.#photoFetches(origin.channel);
    const bytes = await places.run(() => this.#fetchPicture(picture, origin));
    if (bytes === NO_ROOM || !(bytes instanceof Uint8Array)) return bytes;
    return this.#tools.photoReader.read(bytes, `${origin.channel} ${origin.conversation}`);
  }

  async #fetchPicture({ at }: RemotePicture, origin: Origin): Promise<Uint8Array | PhotoReading> {
    const { platform, stopping } = this.#tools;
    const channel = platform(origin.channel);
    for (let tries = 1; ; tries++) {
      const file = (await channel?.fetchMedia?.(origin, at, PHOTO_BOUNDS)) ?? { kind: 'gone' };
      const bytes = file.kind === 'fetched' ? await this.#collect(file.content) : null;
      if (bytes) return bytes;
      if (file.kind === 'large') return { kind: 'unreadable' };
      if (file.kind === 'gone' || tries === TRIES || stopping.aborted) return UNAVAILABLE;
    }
  }

  /** Null: it ended early, or takes too long. */
  async #collect(content: Readable): Promise<Uint8Array | null> {
    const late = this.#tools.runtime.timer(PICTURE_MS, () => content.destroy(new Error('too slow')));
    try {
      return Buffer.concat(await content.toArray());
    } catch {
      return null;
    } finally {
      late.cancel();
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

function nameOf(outcome: Outcome | Interrupted): string {
  if (outcome === 'interrupted') return outcome;
  return outcome.kind === 'checked' ? outcome.found : outcome.kind;
}

/** The calls of a conversation that were perhaps made, as its journal and this turn know them. */
export class Calls {
  /** AntCRM may have been called for the turn at work, so the turn must be finished. */
  isPastIntent = false;
  readonly known = new Map<string, OperationOutcome>();
  readonly lookups = new Map<string, Lookup>();
  /** How calls of this turn ended, which the store does not know yet. */
  #unwritten: Record<string, OperationOutcome> = {};

  constructor(journal: Readonly<Record<string, JournalEntry>>) {
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
  take(): Readonly<Record<string, OperationOutcome>> {
    const outcomes = this.#unwritten;
    this.#unwritten = {};
    return outcomes;
  }
}
