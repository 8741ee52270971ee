import type { Media, Message } from '../../conversation/message.ts';
import { cleanName } from '../platforms.ts';
import type { TelegramFile, TelegramMessage } from './update.ts';

/* What a customer sent in addition to text, for staff to look at. */

/** The message with its id, and its media, if it is of a kind that has any. */
export function withMedia(message: Message, telegramMessage: TelegramMessage): Message {
  if (message.kind !== 'text' && message.kind !== 'photo' && message.kind !== 'unknown') return message;
  const media = readMedia(telegramMessage);
  const { message_id: id } = telegramMessage;
  return {
    ...message,
    ...(media.length > 0 && { media }),
    ...(id !== undefined && { ref: String(id) }),
  };
}

function readMedia(message: TelegramMessage): Media[] {
  const { photo = [], document, voice, audio, video, video_note, sticker } = message;
  // An animation is a document, too: Telegram sends it as a video.
  const isVideo = document?.mime_type === 'video/mp4';
  const isImage = document?.mime_type?.startsWith('image/');
  const files: readonly (readonly [Media['kind'], TelegramFile | undefined])[] = [
    ['picture', photo.length > 0 ? largestOf(photo) : undefined],
    [isImage ? 'picture' : isVideo ? 'video' : 'file', document],
    ['voice', voice ?? audio],
    ['video', video ?? video_note],
    ['picture', sticker && stillOf(sticker)],
  ];
  const media: Media[] = [];
  for (const [kind, file] of files) if (file) media.push(mediaOf(kind, file));
  const place = placeOf(message);
  return place ? [...media, place] : media;
}

function mediaOf(kind: Media['kind'], file: TelegramFile): Media {
  const { file_id, file_name, file_size: bytes } = file;
  return { kind, ...cleanName(file_name), ...(bytes !== undefined && { bytes }), at: { file: file_id } };
}

const largestOf = (sizes: readonly TelegramFile[]): TelegramFile | undefined =>
  sizes.toSorted((one, other) => (other.width ?? 0) - (one.width ?? 0))[0];

/** Browsers show no sticker that moves, but its first picture. */
function stillOf(sticker: NonNullable<TelegramMessage['sticker']>): TelegramFile {
  return (sticker.is_animated || sticker.is_video ? sticker.thumbnail : undefined) ?? sticker;
}

/** Five digits are a metre. */
function placeOf({ location, venue }: TelegramMessage): Media | undefined {
  const at = venue?.location ?? location;
  if (!at) return undefined;
  const coordinates = `${at.latitude.toFixed(5)}, ${at.longitude.toFixed(5)}`;
  const { name: title } = cleanName(venue?.title);
  return { kind: 'place', name: title === undefined ? coordinates : `${title} (${coordinates})` };
}
