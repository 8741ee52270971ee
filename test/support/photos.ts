import type { PhotoReader, PhotoReading } from '../../src/conversation/message.ts';
import type { PhotoReaderOptions } from '../../src/photos/reader.ts';

export const readerOf = (reading: PhotoReading): PhotoReader => ({
  read: async () => reading,
  close: async () => {},
});

export const NO_READER = readerOf({ kind: 'unavailable' });

/** Decodes every picture, however busy the machine. */
export const PATIENT: PhotoReaderOptions = { decodeMs: 60_000 };
