import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { LOCALES, type Locale, type Sender } from '../conversation/message.ts';
import type { Delivery, FetchedPhoto } from '../engine/messages.ts';
import type { Limit } from '../http/guard.ts';
import { problem } from '../http/problem.ts';
import type { Exchange } from '../http/transport.ts';
import type { Observe } from '../observability/metrics.ts';
import type { ChannelTraits } from './channel.ts';

/* What channels before a platform have in common: its requests, and what its answers mean. */

/** Of a platform's requests: usually a few kilobytes, in the longest messages of Teams about 100. */
export const BODY_LIMIT = 256 * 1024;

/**
 * Readies a scope for the requests of a platform: a body is read as JSON whatever its content type says; what is no JSON
 * is `undefined`, for the route to refuse.
 */
export function takePlatformRequests(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, body, done) =>
    done(null, parseJson(body)),
  );
}

/** Turns away what is no platform's request; `limit` says how often an address may come so. Each is counted. */
export function createRefusal(
  channel: string,
  { limit, observe }: { limit: Limit; observe: Pick<Observe, 'update'> },
) {
  return async (request: FastifyRequest, reply: FastifyReply, status: 400 | 401 | 403, detail: string) => {
    observe.update(channel, 'refused');
    return (await limit(request, reply)) ?? problem(reply, status, detail);
  };
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a call to a platform did not succeed. What each case means for a reply: `Delivery`. */
export type CallFailure = Exclude<Delivery, { readonly kind: 'delivered' }>;

/**
 * A platform's answer, as the table below reads it.
 *
 * - `status`: the HTTP status, or the platform's own error code where it writes one into the body. Undefined: the answer
 *   could not be read (a gateway's page, more bytes than we take), so nobody knows what became of the call.
 * - `afterMs`: how long the platform wants us to wait (`Retry-After`, `retry_after`).
 * - `says`: what the platform's own codes or words say beyond the status: that an edit changes nothing (`delivered`), that
 *   the customer or the conversation is gone (`unreachable`), that our token or our bot is refused (`unauthorized`).
 */
export type PlatformAnswer = {
  readonly status: number | undefined;
  readonly afterMs?: number | undefined;
  readonly says?: 'delivered' | 'unreachable' | 'unauthorized' | undefined;
};

/**
 * What a status means, by the first row that fits: one table for all channels (docs/how-it-works.md, "What a platform's
 * answer means"). `firm`: whatever else the platform says.
 */
const MEANINGS: readonly (readonly [from: number, to: number, kind: Delivery['kind'], firm?: 'firm'])[] = [
  [0, 299, 'delivered', 'firm'],
  // No platform of ours redirects: this is something in between, and no redirect is followed.
  [300, 399, 'undelivered', 'firm'],
  // A gateway's or the platform's own fault: nobody knows how far the call came.
  [408, 408, 'uncertain', 'firm'],
  [500, 999, 'uncertain', 'firm'],
  [429, 429, 'throttled', 'firm'],
  // Teams: another message of the conversation was being written.
  [412, 412, 'throttled'],
  [401, 401, 'unauthorized'],
  [403, 403, 'unreachable'],
  [400, 499, 'rejected'],
];

/** What a platform's answer means for what was sent. */
export function meaningOf({ status = Number.NaN, afterMs = 0, says }: PlatformAnswer): Delivery {
  const row = MEANINGS.find(([from, to]) => status >= from && status <= to);
  if (!row) return { kind: 'uncertain' };
  const [, , usual, firm] = row;
  const kind = firm ? usual : (says ?? usual);
  return kind === 'throttled' || kind === 'uncertain' ? { kind, ...(afterMs > 0 && { afterMs }) } : { kind };
}

/** What it means that a call got no whole answer. */
export function failureOf({ kind }: Exclude<Exchange, { kind: 'answered' }>): CallFailure {
  return { kind: kind === 'unsent' ? 'undelivered' : 'uncertain' };
}

/** Answers that may differ a moment later. */
const TRANSIENT: ReadonlySet<Delivery['kind']> = new Set(['throttled', 'undelivered', 'uncertain']);

/** What it means for a picture that a platform's call did not succeed. */
export function photoFailure({ kind }: CallFailure): FetchedPhoto {
  return { kind: TRANSIENT.has(kind) ? 'unavailable' : 'refused' };
}

/** The picture that a platform answers with. */
export function photoIn(exchange: Exchange): FetchedPhoto {
  if (exchange.kind === 'large') return exchange;
  if (exchange.kind !== 'answered') return photoFailure(failureOf(exchange));
  const meaning = meaningOf(exchange);
  return meaning.kind === 'delivered' ? { kind: 'fetched', bytes: exchange.content } : photoFailure(meaning);
}

/** Our language for a client's language tag (BCP 47); undefined where we do not speak it. */
export function localeOf(tag: string | undefined): Locale | undefined {
  const language = tag?.slice(0, 2).toLowerCase();
  return LOCALES.find((locale) => locale === language);
}

/** At most `max` UTF-16 units, never half a character. */
export function cut(text: string, max: number): string {
  return (text.length > max ? text.slice(0, max) : text).toWellFormed();
}

/** Longest name taken over from a profile, in characters. */
export const MAX_NAME = 100;

/** Who writes, as their client tells of them: its language tag, and a name that may be blank. */
export function senderOf(
  { name: channel, proof }: ChannelTraits,
  language: string | undefined,
  written: string,
): Sender {
  const name = cut(written.trim(), MAX_NAME);
  return { channel, proof, locale: localeOf(language), name: name === '' ? undefined : name };
}

/** What a button carries: `<choice id>~<view>`; the id alone where its question has no view. */
export function encodeChoice(id: string, view: string | undefined): string {
  return view === undefined ? id : `${id}~${view}`;
}

/**
 * The reverse. Anybody with a modified client can send any data: the conversation refuses an id that
 * no button has.
 */
export function decodeChoice(data: string): { choice: string; view?: string } {
  const at = data.lastIndexOf('~');
  return at < 0 ? { choice: data } : { choice: data.slice(0, at), view: data.slice(at + 1) };
}

/** The longest list of a platform's request that is read: Telegram marks at most 100 entities. */
const MAX_LIST = 100;

/** A list of outside data, cut before its items are looked at: zod takes long to say that 100,000 of them are wrong. */
export function shortList<Item extends z.ZodType>(item: Item) {
  const cutList = (value: unknown) => (Array.isArray(value) ? value.slice(0, MAX_LIST) : value);
  return z.preprocess(cutList, z.array(item));
}
