import type { PhotoReader, PhotoReading } from '../../src/conversation/message.ts';
import type { PhotoReaderOptions } from '../../src/photos/reader.ts';

/** A reader that finds the same in every picture. */
export const readerOf = (reading: PhotoReading): PhotoReader => ({
  read: async () => reading,
  close: async () => {},
});

/** For bots that see no pictures. */
export const NO_READER = readerOf({ kind: 'unavailable' });

/** Decodes every picture, however busy the machine. */
export const PATIENT: PhotoReaderOptions = { decodeMs: 60_000 };
