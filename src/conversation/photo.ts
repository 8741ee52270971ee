import { z } from 'zod';

/** The largest picture that is taken or fetched, bytes. */
export const MAX_PHOTO_BYTES = 10 * 1024 * 1024;

/**
 * What a look at a picture came to. Stored with a message, hence a schema.
 *
 * - `read`: what its QR and bar codes say, each text once, at most `MAX_TEXT` characters of it. Outside data, as typed text
 *   is.
 * - `noCode`: it is a picture, and no code was found in it.
 * - `unreadable`: it is no JPEG or PNG, too large, broken, or takes too long: the same picture will fail again.
 * - `unavailable`: it could not be fetched or looked at just now.
 * - `elsewhere`: the platform keeps it where the bot has no business (SharePoint), so nobody fetches it.
 */
const readSchema = z.strictObject({ kind: z.literal('read'), texts: z.array(z.string()) });
const unreadSchema = z.strictObject({ kind: z.enum(['noCode', 'unreadable', 'unavailable', 'elsewhere']) });
export type PhotoReading = z.infer<typeof readSchema> | z.infer<typeof unreadSchema>;

/** A picture that was not looked at yet: `at` is what its channel needs to fetch it (`Outlet.fetchPhoto`). */
const remoteSchema = z.strictObject({ kind: z.literal('remote'), at: z.json() });

/** A picture of a message. The picture itself is nowhere stored. */
export const pictureSchema = z.discriminatedUnion('kind', [remoteSchema, readSchema, unreadSchema]);
export type Picture = z.infer<typeof pictureSchema>;
export type RemotePicture = z.infer<typeof remoteSchema>;

/**
 * Pictures sent together, with what was written below them. `album`: the others of their album come as messages of their
 * own.
 */
export const photoSchema = z.strictObject({
  kind: z.literal('photo'),
  pictures: z.array(pictureSchema),
  caption: z.string().optional(),
  album: z.literal(true).optional(),
});
export type Photo = z.infer<typeof photoSchema>;

/** What a step asks for where pictures must be fetched and read. Its outcome is the same, each picture read. */
export type PhotoEffect = { readonly kind: 'photo'; readonly photo: Photo };

/**
 * Reads the QR and bar codes of pictures.
 *
 * @example
 * const reading = await reader.read(bytes);
 * if (reading.kind === 'read') console.log(reading.texts);
 */
export interface PhotoReader {
  /** Never throws, whatever the bytes. Keeps nothing of them, and never holds the event loop. */
  read(bytes: Uint8Array): Promise<PhotoReading>;
  /** Ends what reads; what is read after that is `unavailable`. May be called twice. */
  close(): Promise<void>;
}
