import { LRUCache } from 'lru-cache';
import { TurnInterrupted } from '../conversation/effect.ts';
import type {
  PhotoEffect,
  PhotoReader,
  PhotoReading,
  Picture,
  RemotePicture,
} from '../conversation/message.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Runtime } from '../runtime.ts';
import type { Lease } from './conversations.ts';
import { givenBackForRoom } from './given-back.ts';
import { createLine, eachChannel, type Limits, NO_ROOM } from './limits.ts';
import type { FetchedPhoto, Origin, Platform } from './messages.ts';
import type { Asker } from './turn.ts';

export type PhotoTools = {
  readonly reader: PhotoReader;
  platform(channel: string): Platform | undefined;
  stopping(): boolean;
  readonly limits: Pick<Limits, 'photosPerChannel'>;
  readonly runtime: Runtime;
  readonly observe: Pick<Observe, 'photo'>;
};

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
export function createPhotos(tools: PhotoTools) {
  const { reader, platform, stopping, limits, runtime, observe } = tools;
  const turns = eachChannel(() => createLine(limits.photosPerChannel, limits.photosPerChannel));
  const decoding = createLine(1, Number.POSITIVE_INFINITY);
  /** How long the reader worked for each conversation, and until when, by the monotonic clock; the latest last. */
  const lately = new LRUCache<string, { readonly workedMs: number; readonly untilMs: number }>({
    max: MOST_REMEMBERED,
  });

  function workedFor(conversation: string): number {
    const { workedMs, untilMs } = lately.get(conversation) ?? { workedMs: 0, untilMs: 0 };
    return runtime.monotonicMs() - untilMs < LATELY_MS ? workedMs : 0;
  }

  const rankOf = ({ conversation }: Lease, { incoming }: Asker): number =>
    (incoming?.acceptedMs ?? runtime.nowMs()) + LATER_PER_MS * workedFor(conversation);

  async function decoded(bytes: Uint8Array, { conversation }: Lease): Promise<PhotoReading> {
    if (stopping()) throw new TurnInterrupted();
    const sinceMs = runtime.monotonicMs();
    const reading = await reader.read(bytes);
    const untilMs = runtime.monotonicMs();
    const workedMs = workedFor(conversation) + untilMs - sinceMs;
    lately.set(conversation, { workedMs, untilMs });
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
    const startMs = runtime.monotonicMs();
    const read: Picture[] = [];
    for (const picture of pictures) {
      lease.assertNotLost();
      if (stopping()) throw new TurnInterrupted();
      const sinceMs = runtime.monotonicMs();
      if (picture.kind !== 'remote') read.push(picture);
      else if (sinceMs - startMs >= ALL_MS) read.push(UNAVAILABLE);
      else {
        const outcome = await reading(picture, lease, asker);
        observe.photo(asker.origin.channel, outcome.kind, (runtime.monotonicMs() - sinceMs) / 1000);
        read.push(outcome);
      }
    }
    return read;
  }

  return async ({ photo }: PhotoEffect, lease: Lease, asker: Asker): Promise<PhotoEffect> => {
    const line = turns(asker.origin.channel);
    const pictures = await line(rankOf(lease, asker), () => readAll(photo.pictures, lease, asker));
    if (pictures === NO_ROOM) throw givenBackForRoom(runtime.random());
    return { kind: 'photo', photo: { ...photo, pictures } };
  };
}
