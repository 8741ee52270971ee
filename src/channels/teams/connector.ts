import { z } from 'zod';
import type { FetchedPhoto } from '../../engine/messages.ts';
import { createTransport, type Exchange, type HttpCall } from '../../http/transport.ts';
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

/** The result of a call. The content is outside data: the caller parses it. */
export type ConnectorAnswer =
  | { readonly ok: true; readonly content: Buffer }
  | { readonly ok: false; readonly meaning: CallFailure };

/** A call of a service. `path` is relative to the service's URL. */
export type ConnectorCall = Pick<HttpCall, 'method' | 'path'> & {
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
/** Longest wait of `look`. */
const LOOK_MS = 5_000;
/** The service's keys come with certificates, so the document is large. */
const MAX_LOOKED_BYTES = 1024 * 1024;
/** How long a refusal counts as a fault: longer than the longest wait between two tries of a reply. */
const REFUSED_MS = 11 * 60 * 1000;
/** A profile has a few hundred bytes, any other answer less. */
const MAX_ANSWER_BYTES = 64 * 1024;

const HEADERS = { accept: 'application/json', 'content-type': 'application/json; charset=utf-8' };

/** The Bot Connector's REST interface over our transport: the SDK's client repeats calls. Never rejects. */
export class Connector {
  readonly #options: ConnectorOptions;
  // `hosts` checks the addresses of activities first. The operator sets all other addresses.
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

  /** Fetches a file of the service with our token, from a trusted host. */
  async fetchFile(url: string, bounds: Pick<HttpCall, 'maxBytes' | 'timeoutMs'>): Promise<FetchedPhoto> {
    const at = this.#options.hosts.trusted(url);
    if (!at) return { kind: 'refused' };
    const to = { method: 'GET', origin: at.origin, path: at.pathname } as const;
    const exchange = await this.#send({ ...to, headers: { accept: 'image/*' }, ...bounds });
    return exchange ? photoIn(exchange) : { kind: 'refused' };
  }

  /** Fetches a public document, without our token. Undefined if no answer comes within `LOOK_MS`. */
  async look(url: string, signal: AbortSignal): Promise<{ status: number; body: unknown } | undefined> {
    const at = URL.parse(url);
    if (!at) return undefined;
    const to = { method: 'GET', origin: at.origin, path: `${at.pathname}${at.search}` } as const;
    const bounds = { timeoutMs: LOOK_MS, maxBytes: MAX_LOOKED_BYTES, signal };
    const exchange = await this.#transport.exchange({ ...to, ...bounds });
    if (exchange.kind !== 'answered') return undefined;
    return { status: exchange.status, body: parseJson(exchange.content.toString()) };
  }

  /** Whether the connector refused our token or our bot lately and has accepted no call since. */
  isRefused(): boolean {
    return performance.now() - this.#refusedAtMs < REFUSED_MS;
  }

  /** Lets the calls under way finish and takes no others: those are `undelivered`. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Sends with our token, and again with a fresh one. Null: we get no token, or both are refused. */
  async #send(call: HttpCall): Promise<Exchange | null> {
    for (const renewed of [false, true]) {
      const token = await this.#options.cloud.token(renewed).catch(() => undefined);
      if (token === undefined) return null;
      const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
      const exchange = await this.#transport.exchange({
        ...call,
        headers: { ...call.headers, ...authorization },
      });
      // The token may have been revoked.
      if (exchange.kind !== 'answered' || exchange.status !== 401) return exchange;
    }
    this.#refusedAtMs = performance.now();
    return null;
  }
}

/** The path of a conversation's activities or members: of all, or of the one with that id. */
export function conversationPath(conversation: string, what: 'activities' | 'members', id?: string): string {
  const one = id === undefined ? '' : `/${encodeURIComponent(id)}`;
  return `v3/conversations/${encodeURIComponent(conversation)}/${what}${one}`;
}

/** Null: our token was refused, or we got none. */
function answerIn(exchange: Exchange | null): ConnectorAnswer {
  if (exchange === null) return { ok: false, meaning: { kind: 'unauthorized' } };
  if (exchange.kind !== 'answered') return { ok: false, meaning: failureOf(exchange) };
  const { status, headers, content } = exchange;
  const afterMs = Number(headers['retry-after']) * 1000;
  const meaning = meaningOf({ status, afterMs, says: whoRefuses(status, content) });
  return meaning.kind === 'delivered' ? { ok: true, content } : { ok: false, meaning };
}

/** The connector's code says who refuses: the customer or the service. */
function whoRefuses(status: number, content: Buffer): PlatformAnswer['says'] {
  // The conversation or the member does not exist.
  if (status === 404) return 'unreachable';
  if (status !== 403) return undefined;
  const code = errorSchema.safeParse(parseJson(content.toString())).data?.error.code;
  return code !== undefined && GONE.has(code) ? 'unreachable' : 'unauthorized';
}

const errorSchema = z.object({ error: z.object({ code: z.string() }) });

/**
 * The codes of 403 if a customer or their administrator removed the bot (msteams-docs, "Status codes from bot
 * conversational APIs"). With other codes the service refuses us: a missing permission, another cloud.
 */
const GONE = new Set([
  'MessageWritesBlocked',
  'ConversationBlockedByUser',
  'BotNotInConversationRoster',
  'BotDisabledByAdmin',
  'ForbiddenOperationException',
]);
