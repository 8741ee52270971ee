import type { FastifyInstance, FastifyReply } from 'fastify';
import { LOCALES, type Sender } from '../conversation/message.ts';
import type { Delivery, FetchedMedia } from '../engine/messages.ts';
import type { Limit } from '../http/guard.ts';
import { problem } from '../http/problem.ts';
import type { Exchange, Opened } from '../http/transport.ts';
import type { Observe } from '../observability/metrics.ts';
import type { ChannelTraits } from './channel.ts';

/** Largest request of a platform. The longest messages of Teams have about 100 KB. */
export const BODY_LIMIT = 256 * 1024;

/** Reads each body as JSON, whatever its content type says; `undefined` if it is none. */
export function takePlatformRequests(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, body, done) =>
    done(null, parseJson(body)),
  );
}

/** Refuses a stranger's request; with 429 over the limit of the address. */
export function createRefusal(
  channel: string,
  { limit, observe }: { limit: Limit; observe: Pick<Observe, 'update'> },
) {
  return async (reply: FastifyReply, status: 400 | 401 | 403, detail: string) => {
    observe.update(channel, 'refused');
    return (await limit(reply.request, reply)) ?? problem(reply, status, detail);
  };
}

/** Undefined if it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a call to a platform failed. */
export type CallFailure = Exclude<Delivery, { readonly kind: 'delivered' }>;

/**
 * A platform's answer.
 *
 * - `status`: of HTTP, or the error code in the body. Undefined: the answer could not be read.
 * - `afterMs`: how long the platform asks us to wait.
 * - `says`: what its words add: an edit changes nothing, the customer blocked us or is gone, our
 *   token is refused.
 */
export type PlatformAnswer = {
  readonly status: number | undefined;
  readonly afterMs?: number | undefined;
  readonly says?: 'delivered' | 'blocked' | 'unreachable' | 'unauthorized' | undefined;
};

/** The outcome of a delivery (docs/how-it-works.md, "What a platform's answer means"). */
export function meaningOf({ status = 0, afterMs = 0, says }: PlatformAnswer): Delivery {
  const wait = afterMs > 0 ? { afterMs } : {};
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  // A proxy's: the platforms never redirect. The bot follows no redirect.
  if (status >= 300 && status < 400) return { kind: 'undelivered' };
  // A fault of a gateway or of the platform: the call may have been carried out.
  if (status < 200 || status >= 500 || status === 408) return { kind: 'uncertain', ...wait };
  if (status === 429) return { kind: 'throttled', ...wait };
  if (says === 'blocked') return { kind: 'unreachable', blocked: true };
  if (says !== undefined) return { kind: says };
  // Teams: another message of the conversation was being written.
  if (status === 412) return { kind: 'throttled', ...wait };
  return { kind: status === 401 ? 'unauthorized' : status === 403 ? 'unreachable' : 'rejected' };
}

/** The outcome of a call without a whole answer. */
export function failureOf({ kind }: Exclude<Exchange, { kind: 'answered' }>): CallFailure {
  return { kind: kind === 'unsent' ? 'undelivered' : 'uncertain' };
}

/** The file in a platform's answer. */
export function mediaIn(opened: Opened): FetchedMedia {
  if (opened.kind === 'large') return opened;
  if (opened.kind !== 'answered') return { kind: 'unavailable' };
  const { status, content } = opened;
  if (status >= 200 && status < 300) return { kind: 'fetched', content };
  content.destroy();
  return mediaFailure(meaningOf({ status }));
}

/** `unauthorized` is the operator's fault, and may be mended. */
export function mediaFailure({ kind }: Delivery): FetchedMedia {
  return { kind: kind === 'rejected' || kind === 'unreachable' ? 'gone' : 'unavailable' };
}

/** A file's name as the customer's client wrote it, without what could mislead. */
export function cleanName(fileName: string | undefined): { name?: string } {
  const name = cut((fileName ?? '').replace(/[\p{Cc}\p{Cf}/\\]/gu, '').trim(), MAX_NAME);
  return name === '' ? {} : { name };
}

/** The first `max` UTF-16 units of a text. Half a character at the end is replaced. */
export function cut(text: string, max: number): string {
  return (text.length > max ? text.slice(0, max) : text).toWellFormed();
}

const SENTENCE_ENDS = ['. ', '! ', '? ', '… ', '\n'];

/** A text of at most `max` UTF-16 units, cut between sentences or lines, unless a sentence is very long. */
export function cutText(text: string, max: number): string {
  const kept = cut(text, max);
  if (kept.length === text.length) return kept;
  const end = Math.max(...SENTENCE_ENDS.map((mark) => kept.lastIndexOf(mark)));
  return end > max / 2 ? kept.slice(0, end + 1).trimEnd() : kept;
}

const MAX_LIST = 100;
/** Cuts a list before zod reads its items: 100,000 wrong ones would take long. */
export const cutList = (value: unknown): unknown => (Array.isArray(value) ? value.slice(0, MAX_LIST) : value);

const MAX_NAME = 100;

/** The sender, from the client's language tag (BCP 47) and name. Staff and AntCRM see the name. */
export function senderOf(
  { name: channel, proof }: ChannelTraits,
  tag: string | undefined,
  clientName: string,
): Sender {
  const language = tag?.slice(0, 2).toLowerCase();
  const locale = LOCALES.find((ours) => ours === language);
  const name = cut(clientName.replace(/[\p{Cc}\p{Cf}]/gu, '').trim(), MAX_NAME);
  return { channel, proof, locale, name: name === '' ? undefined : name };
}

/** The data of a button: `<choice id>~<view>`. */
export function encodeChoice(id: string, view: string | undefined): string {
  return view === undefined ? id : `${id}~${view}`;
}

/** A modified client can send any data. */
export function decodeChoice(data: string): { choice: string; view?: string } {
  const at = data.lastIndexOf('~');
  return at < 0 ? { choice: data } : { choice: data.slice(0, at), view: data.slice(at + 1) };
}
