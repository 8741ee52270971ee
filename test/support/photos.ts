import type { PhotoReader, PhotoReading } from '../../src/conversation/photo.ts';

/** A reader that finds the same in every picture. */
export const readerOf = (reading: PhotoReading): PhotoReader => ({
  read: async () => reading,
  close: async () => {},
});

/** For bots that see no pictures. */
export const NO_READER = readerOf({ kind: 'unavailable' });
