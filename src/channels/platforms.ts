import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Delivery, FetchedPhoto } from '../engine/messages.ts';
import type { Limit } from '../http/guard.ts';
import { problem } from '../http/problem.ts';
import type { Exchange } from '../http/transport.ts';
import type { Observe } from '../observability/metrics.ts';

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

/** A map that holds `most` entries: where one more is set, it forgets the one that was set first. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #most: number;

  constructor(most: number) {
    super();
    this.#most = most;
  }

  override set(key: Key, value: Value): this {
    this.delete(key);
    const [oldest] = this.keys();
    if (this.size >= this.#most && oldest !== undefined) this.delete(oldest);
    return super.set(key, value);
  }
}
