import { TurnInterrupted } from '../conversation/perform.ts';
import type { Photo, PhotoReader, PhotoReading, Picture, RemotePicture } from '../conversation/photo.ts';
import type { Observe } from '../observe.ts';
import type { Origin } from '../store/bodies.ts';
import { type Bulkhead, NO_ROOM } from './bulkhead.ts';
import { assertNotLost, givenBackForRoom, type Held } from './leases.ts';
import type { FetchedPhoto, Outlet } from './outlet.ts';

export type PhotosOptions = {
  readonly reader: PhotoReader;
  /** The channel of that name, if this process has it. */
  outlet(channel: string): Outlet | undefined;
  /** How many turns of a channel may be at their photos at once. */
  bulkhead(channel: string): Bulkhead;
  stopping(): boolean;
  /** In [0, 1), for jitter. */
  random(): number;
  readonly observe: Pick<Observe, 'photo'>;
  /** Pictures of one message that are not read by then are `unavailable`, ms. */
  readonly allMs?: number | undefined;
};

const ALL_MS = 20_000;
/** A fetch that may succeed next time is repeated once. */
const TRIES = 2;

const UNAVAILABLE: PhotoReading = { kind: 'unavailable' };
const UNREADABLE: PhotoReading = { kind: 'unreadable' };

/**
 * Fetches and reads the pictures of a message, one after the other, so that few are in memory. Whatever a platform or a
 * picture does becomes a reading. Throws `GivenBack` where others of the channel hang, `TurnInterrupted` when the process
 * stops, `LeaseLost`; nothing is changed then.
 */
export function createPhotos(options: PhotosOptions) {
  const { reader, outlet, bulkhead, stopping, random, observe, allMs = ALL_MS } = options;

  async function fetched({ at }: RemotePicture, origin: Origin): Promise<FetchedPhoto> {
    const channel = outlet(origin.channel);
    for (let tries = 1; ; tries++) {
      const got = (await channel?.fetchPhoto?.(origin, at)) ?? { kind: 'refused' };
      if (got.kind !== 'unavailable' || tries === TRIES || stopping()) return got;
    }
  }

  async function reading(picture: RemotePicture, origin: Origin): Promise<PhotoReading> {
    const file = await fetched(picture, origin);
    switch (file.kind) {
      case 'fetched':
        return reader.read(file.bytes);
      case 'large':
        return UNREADABLE;
      case 'unavailable':
      case 'refused':
        return UNAVAILABLE;
    }
  }

  async function readAll(pictures: readonly Picture[], held: Held, origin: Origin): Promise<Picture[]> {
    const startMs = performance.now();
    const read: Picture[] = [];
    for (const picture of pictures) {
      assertNotLost(held);
      if (stopping()) throw new TurnInterrupted();
      const sinceMs = performance.now();
      if (picture.kind !== 'remote') read.push(picture);
      else if (sinceMs - startMs >= allMs) read.push(UNAVAILABLE);
      else {
        const outcome = await reading(picture, origin);
        observe.photo(origin.channel, outcome.kind, (performance.now() - sinceMs) / 1000);
        read.push(outcome);
      }
    }
    return read;
  }

  return async (photo: Photo, held: Held, origin: Origin): Promise<Photo> => {
    const pictures = await bulkhead(origin.channel)(() => readAll(photo.pictures, held, origin));
    if (pictures === NO_ROOM) throw givenBackForRoom(random);
    return { ...photo, pictures };
  };
}
