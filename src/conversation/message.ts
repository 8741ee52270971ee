import { z } from 'zod';

/** The languages the bot speaks. To add one: a file in `locales/`, and its tag here. */
export const LOCALES = ['vi', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** One value a language. */
export function perLocale<T>(of: (locale: Locale) => T): Readonly<Record<Locale, T>> {
  return { vi: of('vi'), en: of('en') };
}

/** `locales/*.json`: what the bot says, and its slash commands. */
export type Wording = Readonly<Record<Locale, Readonly<Record<string, string>>>>;

/** What operators write themselves (gifts, answers). A text may lack a language that was added later: then `vi` is shown. */
export type LocalizedText = Readonly<
  Record<'vi' | 'en', string> & Partial<Record<Locale, string | undefined>>
>;

export const localizedSchema = (text: z.ZodString) =>
  z.strictObject({ ...perLocale(() => text.optional()), vi: text, en: text });

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

/** A picture that was not looked at yet: `at` is what its channel needs to fetch it (`Platform.fetchPhoto`). */
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

/**
 * What a customer can send, whichever channel carried it. Stored (sealed) in the mailbox, hence a schema.
 *
 * - `text`: at most `MAX_TEXT` characters, already cut by the channel.
 * - `choice`: a pressed button: the choice's id, and the view (question) it belonged to. Without `view`: the live one.
 * - `contact`: a shared phone, as the platform wrote it; `own` only if the platform ties that number to the sender.
 * - `form`: several slots at once, as typed.
 * - `start`: a deep link or the first contact; `payload` is decoded (the code itself).
 * - `photo`: pictures sent together, with their caption (as `text`). `album`: they are a part of one, whose other pictures
 *   come as messages of their own; what it is called does not matter.
 * - `unknown`: anything we cannot read; it is answered all the same.
 * - `group`: the bot was addressed where others can read.
 * - `person`: one of staff writes in a ticket, claims or releases it (`claim`), or closes it (with neither). `id` tells a text
 *   from its repeat.
 * - `settle`: an operator decided an operation that the bot could not (`npm run operations -- settle`).
 */
export const messageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string() }),
  z.strictObject({ kind: z.literal('choice'), choice: z.string(), view: z.string().optional() }),
  z.strictObject({ kind: z.literal('contact'), phone: z.string(), own: z.boolean() }),
  z.strictObject({
    kind: z.literal('form'),
    code: z.string().optional(),
    phone: z.string().optional(),
    email: z.string().optional(),
    view: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('start'), payload: z.string().optional() }),
  photoSchema,
  z.strictObject({ kind: z.literal('unknown'), what: z.enum(['voice', 'sticker', 'other']) }),
  z.strictObject({ kind: z.literal('group') }),
  z.strictObject({
    kind: z.literal('person'),
    ticket: z.string(),
    by: z.string(),
    text: z.string().optional(),
    id: z.string().optional(),
    claim: z.boolean().optional(),
  }),
  z.strictObject({
    kind: z.literal('settle'),
    operation: z.string(),
    result: z.enum(['done', 'not-applied']),
    /** What its intent has locked. */
    locks: z.array(z.string()).optional(),
  }),
]);
export type Message = z.infer<typeof messageSchema>;
export type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** Longest text a channel passes on, in characters: everything after it is cut before any pattern sees it. */
export const MAX_TEXT = 1000;

/**
 * How a channel can prove that an identifier is the sender's own (SECURITY.md, "Who is trusted with what"):
 * `contact` = by sharing the phone (Telegram), `profile` = by the profile's e-mail (Teams),
 * `token` = whatever the caller says, because staff vouch for it.
 */
export const senderSchema = z.strictObject({
  channel: z.string(),
  proof: z.enum(['contact', 'profile', 'token']),
  /** The language of the person's client, where the channel tells it. */
  locale: z.enum(LOCALES).optional(),
  /** The profile's display name. Sent to AntCRM with an accumulation of the sender's own; kept in the state only with an open ticket. */
  name: z.string().optional(),
  /** The profile's e-mail that the channel vouches for, lower-cased; only with proof `profile`. */
  email: z.string().optional(),
  /** The profile could not be read now: whether it has an e-mail is not known. */
  unread: z.literal(true).optional(),
});
export type Sender = z.infer<typeof senderSchema>;
