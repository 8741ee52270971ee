import { LeaseLost, TurnInterrupted } from '../conversation/effect.ts';
import type {
  PhotoEffect,
  PhotoReader,
  PhotoReading,
  Picture,
  RemotePicture,
} from '../conversation/message.ts';
import { Bulkhead, NO_ROOM } from '../resilience/bulkhead.ts';
import { perChannel } from './limits.ts';
import type { Origin } from './messages.ts';
import { givenBackForRoom, type Turn, type TurnTools } from './turn.ts';

export type PhotoTools = TurnTools & { readonly photoReader: PhotoReader };

/** Pictures of one message that are not read by then are `unavailable`. */
const ALL_MS = 20_000;
/** A fetch that may succeed next time is repeated once. */
const TRIES = 2;

const UNAVAILABLE: PhotoReading = { kind: 'unavailable' };

/**
 * Fetches and reads the pictures of messages, one after the other, so that few are in memory. Turns of one
 * channel wait in a line for that. A conversation has one turn at a time, so the many pictures of one
 * customer keep others waiting for one message only.
 */
export class Photos {
  readonly #tools: PhotoTools;
  readonly #turns: (channel: string) => Bulkhead;

  constructor(tools: PhotoTools) {
    const places = tools.limits.photosPerChannel;
    this.#tools = tools;
    this.#turns = perChannel(() => new Bulkhead({ places, maxWaiting: places }, tools.runtime));
  }

  /**
   * Whatever a platform or a picture does becomes a reading. Throws `GivenBack` if the line is too long,
   * `TurnInterrupted` when the process stops, and `LeaseLost`; nothing is changed then.
   */
  async read({ photo }: PhotoEffect, turn: Turn): Promise<PhotoEffect> {
    const { runtime, spans } = this.#tools;
    const sinceMs = runtime.nowMs();
    const pictures = await this.#turns(turn.event.channel).run(() => this.#readAll(photo.pictures, turn));
    if (pictures === NO_ROOM) throw givenBackForRoom(runtime.random());
    spans.mark({ name: 'photo', sinceMs });
    return { kind: 'photo', photo: { ...photo, pictures } };
  }

  async #readAll(pictures: readonly Picture[], { lease, asker, event }: Turn): Promise<Picture[]> {
    const { runtime, observe, stopping } = this.#tools;
    const startMs = runtime.monotonicMs();
    const read: Picture[] = [];
    for (const picture of pictures) {
      if (lease.isLost) throw new LeaseLost();
      if (stopping.aborted) throw new TurnInterrupted();
      const sinceMs = runtime.monotonicMs();
      if (picture.kind !== 'remote' || asker === null) read.push(picture);
      else if (sinceMs - startMs >= ALL_MS) read.push(UNAVAILABLE);
      else {
        const reading = await this.#readOne(picture, asker.origin);
        observe.photo(event.channel, reading.kind, (runtime.monotonicMs() - sinceMs) / 1000);
        read.push(reading);
      }
    }
    return read;
  }

  async #readOne({ at }: RemotePicture, origin: Origin): Promise<PhotoReading> {
    const { platform, stopping, photoReader } = this.#tools;
    const channel = platform(origin.channel);
    for (let tries = 1; ; tries++) {
      const file = (await channel?.fetchPhoto?.(origin, at)) ?? { kind: 'refused' };
      if (file.kind === 'fetched') return photoReader.read(file.bytes);
      if (file.kind === 'large') return { kind: 'unreadable' };
      if (file.kind === 'refused' || tries === TRIES || stopping.aborted) return UNAVAILABLE;
    }
  }
}
