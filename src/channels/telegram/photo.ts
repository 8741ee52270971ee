import { z } from 'zod';
import { MAX_TEXT } from '../../conversation/message.ts';
import { MAX_PHOTO_BYTES, type Photo, type Picture } from '../../conversation/photo.ts';
import type { FetchedPhoto } from '../../turns/outlet.ts';
import { cut } from '../input.ts';
import { unfetched } from '../platform-response.ts';
import { answerOf, type BotApi } from './api.ts';
import type { Client } from './client.ts';
import type { TelegramMessage } from './update.ts';

/**
 * A photo, a picture sent as a file, or whatever else came in an album. Undefined for all other messages. Of a photo's
 * sizes the largest is taken: a code may be a small part of it.
 */
export function photoOf(message: TelegramMessage): Photo | undefined {
  const picture = pictureOf(message);
  const album = message.media_group_id === undefined ? undefined : true;
  if (!picture && !album) return undefined;
  const { caption } = message;
  return {
    kind: 'photo',
    pictures: [picture ?? { kind: 'unreadable' }],
    ...(caption !== undefined && { caption: cut(caption, MAX_TEXT) }),
    ...(album && { album }),
  };
}

function pictureOf({ photo, document }: TelegramMessage): Picture | undefined {
  const isImage = document?.mime_type?.startsWith('image/');
  const files = photo ?? (isImage && document ? [document] : []);
  if (files.length === 0) return undefined;
  const fitting = files.filter(({ file_size: size = 0 }) => size <= MAX_PHOTO_BYTES);
  const [largest] = [...fitting].sort((one, other) => (other.width ?? 0) - (one.width ?? 0));
  return largest ? { kind: 'remote', at: { file: largest.file_id } } : { kind: 'unreadable' };
}

const placeSchema = z.object({ file: z.string() });

/**
 * Where Telegram keeps a file: a relative path of plain names. A Bot API server in local mode answers an absolute path on
 * its own disk, which we do not read.
 */
const fileSchema = z.object({
  file_path: z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/),
  file_size: z.number().optional().catch(undefined),
});

/** For finding a file and fetching it together, ms. */
const FETCH_MS = 5_000;

/** `Outlet.fetchPhoto`. */
export function createPhotoFetch(api: BotApi, client: Pick<Client, 'file'>, fetchMs = FETCH_MS) {
  return async (_: unknown, at: unknown): Promise<FetchedPhoto> => {
    const place = placeSchema.safeParse(at).data;
    if (!place) return { kind: 'refused' };
    const startMs = performance.now();
    const found = await answerOf(api.within({ timeoutMs: fetchMs }).getFile(place.file));
    if (!found.ok) return unfetched(found);
    const file = fileSchema.safeParse(found.result).data;
    if (!file) return { kind: 'refused' };
    if (file.file_size !== undefined && file.file_size > MAX_PHOTO_BYTES) return { kind: 'large' };
    const leftMs = Math.max(1, fetchMs - (performance.now() - startMs));
    return client.file(file.file_path, { maxBytes: MAX_PHOTO_BYTES, timeoutMs: leftMs });
  };
}
