import { after, type Decision, say } from '../decision.ts';
import type { Scope } from '../flow.ts';
import { codesInScan } from '../language/scans.ts';
import type { Photo, Picture } from '../photo.ts';
import { aside } from '../prompts/questions.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState } from '../state.ts';
import { onText, onUtterance } from './text.ts';

/*
 * Photos. Their codes go on as if typed, with the caption; of whatever else a picture says, nothing counts: anybody can
 * print "yes" or a command.
 */

/** How long after a picture of an album another one of it may come, ms: Telegram sends them in one go. */
const ALBUM_MS = 800;
/** No album is larger. */
const FULL_ALBUM = 10;

/** Pictures that came by themselves are read at once, those of an album with the rest of it. */
export function onPhoto(stored: ConversationState, photo: Photo, scope: Scope): Decision {
  const { album, ...state } = stored;
  const pictures = [...(album?.pictures ?? []), ...photo.pictures];
  const captions = [album?.caption, photo.caption].filter((caption) => caption !== undefined);
  // A command begins the message that it is of.
  const ordered = captions.toSorted((a, b) => Number(b.startsWith('/')) - Number(a.startsWith('/')));
  const caption = ordered.length > 0 ? { caption: ordered.join('\n') } : {};
  if (photo.album && pictures.length < FULL_ALBUM)
    return say({ ...state, album: { pictures, ...caption, untilMs: scope.nowMs + ALBUM_MS } });
  return read(state, { kind: 'photo', pictures, ...caption }, scope);
}

/** The album that is complete, as far as one can tell. */
export function readAlbum(stored: ConversationState, scope: Scope): Decision | undefined {
  const { album, ...state } = stored;
  if (album === undefined || scope.nowMs < album.untilMs) return undefined;
  const { untilMs: _, ...photo } = album;
  return read(state, { kind: 'photo', ...photo }, scope);
}

function read(state: ConversationState, photo: Photo, scope: Scope): Decision {
  const isRead = photo.pictures.every(({ kind }) => kind !== 'remote');
  return isRead ? tell(state, photo, scope) : { state, replies: [], effect: { kind: 'photo', photo } };
}

/** Answers pictures that were read. */
export function tell(state: ConversationState, { pictures, caption }: Photo, scope: Scope): Decision {
  const found = pictures.map((picture) => codesIn(picture, scope));
  const read = found.filter((codes) => codes.length > 0).length;
  if (read === 0) return withoutCode(state, pictures, caption, scope);
  const said = scope.language.understand(caption ?? '');
  const codes = [...new Set([...said.codes, ...found.flat()])];
  const text = [caption ?? [], codes].flat().join(' ');
  const understood = { ...said, code: codes[0], codes, names: 'code' } as const;
  const some: Reply = { key: 'photo.some', params: { read, all: pictures.length } };
  return after(read < pictures.length ? [some] : [], onUtterance(state, { text, understood }, scope));
}

function codesIn(picture: Picture, { language }: Scope): readonly string[] {
  return picture.kind === 'read' ? picture.texts.flatMap((text) => codesInScan(text, language)) : [];
}

/** A caption is answered all the same; where it has the code itself, nobody misses one in the picture. */
function withoutCode(
  state: ConversationState,
  pictures: readonly Picture[],
  caption: string | undefined,
  scope: Scope,
): Decision {
  const reply: Reply = { key: `photo.${whyNone(pictures)}` };
  if (caption === undefined) return aside(state, scope, reply);
  const hasCode = scope.language.understand(caption).code !== undefined;
  return after(hasCode ? [] : [reply], onText(state, caption, { ...scope, current: false }));
}

/** What the customer can do something about comes first. */
function whyNone(pictures: readonly Picture[]): 'unavailable' | 'elsewhere' | 'unreadable' | 'noCode' {
  const kinds = new Set(pictures.map(({ kind }) => kind));
  if (kinds.has('unavailable') || kinds.has('remote')) return 'unavailable';
  if (kinds.has('elsewhere')) return 'elsewhere';
  return kinds.has('read') || kinds.has('noCode') ? 'noCode' : 'unreadable';
}
