import { z } from 'zod';
import type { FetchedPhoto } from '../../engine/messages.ts';
import { type Call, createTransport, type Exchange } from '../../http/transport.ts';
import {
  type CallFailure,
  failureOf,
  meaningOf,
  type PlatformAnswer,
  parseJson,
  photoIn,
} from '../platforms.ts';
import type { TrustedHosts } from './address.ts';
import type { Cloud } from './authentication.ts';

/** How a call ended. The answer's content is outside data: its user parses it. */
export type ConnectorAnswer =
  | { readonly ok: true; readonly content: Buffer }
  | { readonly ok: false; readonly meaning: CallFailure };

/** A call of a service; `path` is relative to its URL. */
export type ConnectorCall = Pick<Call, 'method' | 'path'> & {
  readonly body?: object | undefined;
  readonly timeoutMs?: number | undefined;
};

export type ConnectorOptions = {
  readonly cloud: Pick<Cloud, 'token'>;
  readonly hosts: TrustedHosts;
  /** How long a call may take, ms. */
  readonly timeoutMs?: number | undefined;
};

const TIMEOUT_MS = 10_000;
/** For an answer to `look`. */
const LOOK_MS = 5_000;
/** The service's keys, each with its certificates. */
const MAX_LOOKED_BYTES = 1024 * 1024;
/** A little longer than a waiting reply is left alone. */
const REFUSED_MS = 11 * 60 * 1000;
/** A profile has a few hundred bytes, every other answer less. */
const MAX_ANSWER_BYTES = 64 * 1024;

const HEADERS = { accept: 'application/json', 'content-type': 'application/json; charset=utf-8' };

/**
 * The Bot Connector's REST interface, over our own transport: the SDK's client repeats calls that were perhaps carried
 * out. Nothing here rejects.
 */
export class Connector {
  readonly #options: ConnectorOptions;
  // Addresses are judged by `hosts` first, or are the operator's own.
  readonly #transport = createTransport({ allows: () => true });
  #refusedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  async call(service: string, { method, path, body, timeoutMs }: ConnectorCall): Promise<ConnectorAnswer> {
    const at = this.#options.hosts.trusted(service);
    if (!at) return { ok: false, meaning: { kind: 'rejected' } };
    const exchange = await this.#send({
      method,
      origin: at.origin,
      path: `${at.pathname.replace(/(?<!\/)\/+$/, '')}/${path}`,
      headers: HEADERS,
      body: body && JSON.stringify(body),
      timeoutMs: timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS,
      maxBytes: MAX_ANSWER_BYTES,
    });
    const answer = answerIn(exchange);
    if (answer.ok) this.#refusedAtMs = Number.NEGATIVE_INFINITY;
    else if (exchange && answer.meaning.kind === 'unauthorized') this.#refusedAtMs = performance.now();
    return answer;
  }

  /** Fetches a file that the service keeps, with our token, from the hosts that may have it. */
  async fetchFile(url: string, bounds: Pick<Call, 'maxBytes' | 'timeoutMs'>): Promise<FetchedPhoto> {
    const at = this.#options.hosts.trusted(url);
    if (!at) return { kind: 'refused' };
    const to = { method: 'GET', origin: at.origin, path: at.pathname } as const;
    const exchange = await this.#send({ ...to, headers: { accept: 'image/*' }, ...bounds });
    return exchange ? photoIn(exchange) : { kind: 'refused' };
  }

  /**
   * Asks for what anybody may read, without our token; the body is undefined where it is no JSON. Undefined where no answer
   * comes within `LOOK_MS`.
   */
  async look(url: string, signal: AbortSignal): Promise<{ status: number; body: unknown } | undefined> {
    const at = URL.parse(url);
    if (!at) return undefined;
    const to = { method: 'GET', origin: at.origin, path: `${at.pathname}${at.search}` } as const;
    const bounds = { timeoutMs: LOOK_MS, maxBytes: MAX_LOOKED_BYTES, signal };
    const exchange = await this.#transport.exchange({ ...to, ...bounds });
    if (exchange.kind !== 'answered') return undefined;
    return { status: exchange.status, body: parseJson(exchange.content.toString()) };
  }

  /** Whether the last answers refused our token or our bot; for a while, within which waiting replies are tried again. */
  isRefused(): boolean {
    return performance.now() - this.#refusedAtMs < REFUSED_MS;
  }

  /** Lets the calls under way finish and takes no others: those are `undelivered`. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Sends with our token, and with a fresh one where that is refused. Null: none is given, or both are refused. */
  async #send(call: Call): Promise<Exchange | null> {
    for (const renewed of [false, true]) {
      const token = await this.#options.cloud.token(renewed).catch(() => undefined);
      if (token === undefined) return null;
      const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
      const exchange = await this.#transport.exchange({
        ...call,
        headers: { ...call.headers, ...authorization },
      });
      // It may have been revoked meanwhile: a fresh token settles it.
      if (exchange.kind !== 'answered' || exchange.status !== 401) return exchange;
    }
    this.#refusedAtMs = performance.now();
    return null;
  }
}

/** Of a conversation's `activities` or `members`: all of them, or the one of that id. */
export function conversationPath(conversation: string, what: 'activities' | 'members', id?: string): string {
  const one = id === undefined ? '' : `/${encodeURIComponent(id)}`;
  return `v3/conversations/${encodeURIComponent(conversation)}/${what}${one}`;
}

/** Null: our token was refused, or none was given. */
function answerIn(exchange: Exchange | null): ConnectorAnswer {
  if (exchange === null) return { ok: false, meaning: { kind: 'unauthorized' } };
  if (exchange.kind !== 'answered') return { ok: false, meaning: failureOf(exchange) };
  const { status, headers, content } = exchange;
  const afterMs = Number(headers['retry-after']) * 1000;
  const meaning = meaningOf({ status, afterMs, says: whoRefuses(status, content) });
  return meaning.kind === 'delivered' ? { ok: true, content } : { ok: false, meaning };
}

/** A code of the connector says who refuses: the customer or the service. */
function whoRefuses(status: number, content: Buffer): PlatformAnswer['says'] {
  // The conversation, or the member asked for.
  if (status === 404) return 'unreachable';
  if (status !== 403) return undefined;
  const code = errorSchema.safeParse(parseJson(content.toString())).data?.error.code;
  return code !== undefined && GONE.has(code) ? 'unreachable' : 'unauthorized';
}

const errorSchema = z.object({ error: z.object({ code: z.string() }) });

/**
 * The codes of 403 by which a customer, or their administrator, is done with the bot (msteams-docs, "Status codes from bot
 * conversational APIs"). Any other refuses us: a bot without a permission, a cloud that is not ours.
 */
const GONE = new Set([
  'MessageWritesBlocked',
  'ConversationBlockedByUser',
  'BotNotInConversationRoster',
  'BotDisabledByAdmin',
  'ForbiddenOperationException',
]);
