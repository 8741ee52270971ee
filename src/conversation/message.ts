import { z } from 'zod';

/** The languages of the bot. To add one: its tag here, and its files in `locales/`. */
export const LOCALES = ['vi', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** One value for each language. */
export function perLocale<T>(of: (locale: Locale) => T): Readonly<Record<Locale, T>> {
  return { vi: of('vi'), en: of('en') };
}

/** `locales/*.json`: what the bot says, and its slash commands. */
export type Wording = Readonly<Record<Locale, Readonly<Record<string, string>>>>;

/** What operators write (gifts, answers). `vi` is shown if a language that was added later is missing. */
export type LocalizedText = Readonly<
  Record<'vi' | 'en', string> & Partial<Record<Locale, string | undefined>>
>;

export const localizedSchema = (text: z.ZodString) =>
  z.strictObject({ ...perLocale(() => text.optional()), vi: text, en: text });

/** The largest picture that the bot takes or fetches, bytes. */
export const MAX_PHOTO_BYTES = 10 * 1024 * 1024;

/**
 * The result of reading a picture. Stored with a message, hence a schema.
 *
 * - `read`: the text of each QR and bar code, once, at most `MAX_TEXT` characters. Outside data, like a typed
 *   text.
 * - `noCode`: the picture has no code that could be found.
 * - `unreadable`: it is no JPEG or PNG, too large, broken, or takes too long. The same picture fails again.
 * - `unavailable`: it could not be fetched or read this time.
 * - `elsewhere`: the platform keeps it where the bot does not fetch (SharePoint).
 */
export type PhotoReading = z.infer<typeof readSchema> | z.infer<typeof unreadSchema>;
const readSchema = z.strictObject({ kind: z.literal('read'), texts: z.array(z.string()) });
const unreadSchema = z.strictObject({ kind: z.enum(['noCode', 'unreadable', 'unavailable', 'elsewhere']) });

/** A picture that was not read yet. `at` is what its channel needs to fetch it (`Platform.fetchMedia`). */
const remoteSchema = z.strictObject({ kind: z.literal('remote'), at: z.json() });
export type RemotePicture = z.infer<typeof remoteSchema>;

/** A picture of a message. The picture itself is never stored. */
export const pictureSchema = z.discriminatedUnion('kind', [remoteSchema, readSchema, unreadSchema]);
export type Picture = z.infer<typeof pictureSchema>;

export const MEDIA_KINDS = ['picture', 'voice', 'video', 'file', 'place'] as const;

/**
 * What a customer sent in addition to text, for staff. It is never stored itself: `at` is what its channel
 * needs to fetch it (`Platform.fetchMedia`); absent: the bot cannot. `name`: of the file; of a place with its
 * coordinates. `bytes`: how large it is, as the platform says.
 */
export const mediaSchema = z.strictObject({
  kind: z.enum(MEDIA_KINDS),
  name: z.string().optional(),
  bytes: z.number().optional(),
  at: z.json().optional(),
});
export type Media = z.infer<typeof mediaSchema>;
const media = z.array(mediaSchema).optional();
/** The platform's id of the message, by which an edit names it. */
const ref = z.string().optional();

/**
 * Pictures of one message, with their caption.
 */
export const photoSchema = z.strictObject({
  kind: z.literal('photo'),
  pictures: z.array(pictureSchema),
  caption: z.string().optional(),
  media,
  ref,
});
export type Photo = z.infer<typeof photoSchema>;

/** Pictures that a step wants read. The outcome has them read. */
export type PhotoEffect = { readonly kind: 'photo'; readonly photo: Photo };

/** Reads the QR and bar codes of pictures. */
export interface PhotoReader {
  /**
   * Never throws, whatever the bytes, which may be empty afterwards: a thread takes them. Stores nothing, and
   * never blocks the event loop. `owner`: who sent it, because the order is fair to all owners, and each may
   * have one picture that waits.
   */
  read(bytes: Uint8Array, owner: string): Promise<PhotoReading>;
  /** Stops the reader: later pictures are `unavailable`. May be called twice. */
  close(): Promise<void>;
}

/**
 * What a customer can send, on any channel. Stored (sealed) with its conversation, hence a schema.
 *
 * - `text`: at most `MAX_TEXT` characters; the channel has cut it. With `media`, their caption.
 * - `choice`: the id of a pressed button, and the view (question) that it belonged to. Without `view`: the
 *   current one.
 * - `contact`: a shared phone, as the platform wrote it. `own` only if the platform ties the number to the
 *   sender.
 * - `form`: several slots at once, as typed.
 * - `start`: a deep link or the first contact. `payload` is decoded: the code itself.
 * - `unknown`: a kind of message that the bot cannot read. It is answered, too.
 * - `edit`: the message with the `ref` `of` was edited, or (without `text`) deleted.
 * - `group`: the bot was addressed where others can read.
 * - `person`: a member of staff writes in a ticket (`text`; `inner`: for staff alone), claims or releases it
 *   (`claim`), assigns it to a colleague (`to`), or closes it (none of these). `id`: a repeat of a text has
 *   the same one. `media`: what is sent with the text; `at` is its name in `StaffFiles`.
 * - `settle`: an operator decided an operation (`npm run operations -- settle`). `locks`: what its intent
 *   locked.
 */
export type Message = z.infer<typeof messageSchema>;
export const messageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string(), media, ref }),
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
  z.strictObject({ kind: z.literal('unknown'), what: z.enum(['voice', 'sticker', 'other']), media, ref }),
  z.strictObject({ kind: z.literal('edit'), of: z.string(), text: z.string().optional() }),
  z.strictObject({ kind: z.literal('group') }),
  z.strictObject({
    kind: z.literal('person'),
    ticket: z.string(),
    by: z.string(),
    text: z.string().optional(),
    id: z.string().optional(),
    inner: z.literal(true).optional(),
    claim: z.boolean().optional(),
    to: z.string().optional(),
    media,
  }),
  z.strictObject({
    kind: z.literal('settle'),
    operation: z.string(),
    result: z.enum(['done', 'not-applied']),
    locks: z.array(z.string()).optional(),
  }),
]);
export type MessageOf<Kind extends Message['kind']> = Extract<Message, { kind: Kind }>;

/** The longest text that a channel passes on, in characters. It cuts the rest. */
export const MAX_TEXT = 1000;

/**
 * Who wrote. `proof` says how the channel can prove that an identifier is the sender's own (SECURITY.md):
 * `contact` by sharing the phone (Telegram), `profile` by the e-mail of the profile (Teams), `token` because
 * staff vouch for what they type.
 */
export type Sender = z.infer<typeof senderSchema>;
export const senderSchema = z.strictObject({
  channel: z.string(),
  proof: z.enum(['contact', 'profile', 'token']),
  /** The language of the client, if the channel tells it. */
  locale: z.enum(LOCALES).optional(),
  /**
   * The display name. AntCRM gets it with points for the sender's own number. Only an open ticket stores it.
   */
  name: z.string().optional(),
  /** The e-mail of the profile, in small letters; only with the proof `profile`. */
  email: z.string().optional(),
  /** The profile could not be read now, so it may have an e-mail. */
  unread: z.literal(true).optional(),
});
