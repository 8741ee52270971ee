import { z } from 'zod';
import type { Delivery, FetchedPhoto } from '../../engine/messages.ts';
import { type Exchange, type HttpCall, Transport } from '../../http/transport.ts';
import { failureOf, meaningOf, type PlatformAnswer, parseJson, photoIn } from '../platforms.ts';
import type { TrustedHosts } from './address.ts';
import type { Cloud } from './authentication.ts';

/** The outcome of a call, and the answer's content: outside data, which the caller parses. */
export type ConnectorAnswer = { readonly meaning: Delivery; readonly content?: Buffer };

/** A call of a service. `path` is relative to the service's URL. */
export type ConnectorCall = Pick<HttpCall, 'method' | 'path'> & {
  readonly body?: object | undefined;
  readonly timeoutMs?: number | undefined;
};

const TIMEOUT_MS = 10_000;
/** A profile has a few hundred bytes, any other answer less. */
const MAX_ANSWER_BYTES = 64 * 1024;

const HEADERS = { accept: 'application/json', 'content-type': 'application/json; charset=utf-8' };

type ConnectorOptions = {
  readonly cloud: Pick<Cloud, 'token'>;
  readonly hosts: TrustedHosts;
  /** How long a call may take, ms. */
  readonly timeoutMs?: number | undefined;
};

/** The Bot Connector over our transport, as the SDK's client repeats calls. Never rejects. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #transport: Transport;
  /** Whether the last answer refused our token or our bot. */
  isRefused = false;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    // `trusted` has checked the whole address.
    this.#transport = new Transport();
  }

  async call(service: string, { method, path, body, timeoutMs }: ConnectorCall): Promise<ConnectorAnswer> {
    const at = this.#options.hosts.trusted(service);
    if (!at) return { meaning: { kind: 'rejected' } };
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
    if (exchange) this.isRefused = answer.meaning.kind === 'unauthorized';
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

  /** Lets open calls finish. Later ones are `undelivered`. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Sends with our token, a fresh one after a refusal. Null: we get no token. */
  async #send(call: HttpCall): Promise<Exchange | null> {
    const token = await this.#options.cloud.token(this.isRefused).catch(() => undefined);
    if (token === undefined) return null;
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    return this.#transport.exchange({ ...call, headers: { ...call.headers, ...authorization } });
  }
}

/** The path of a conversation's activities or members: of all, or of the one with that id. */
export function conversationPath(conversation: string, what: 'activities' | 'members', id?: string): string {
  const one = id === undefined ? '' : `/${encodeURIComponent(id)}`;
  return `v3/conversations/${encodeURIComponent(conversation)}/${what}${one}`;
}

/** Null: we got no token. */
function answerIn(exchange: Exchange | null): ConnectorAnswer {
  if (exchange === null) return { meaning: { kind: 'unauthorized' } };
  if (exchange.kind !== 'answered') return { meaning: failureOf(exchange) };
  const { status, headers, content } = exchange;
  const afterMs = Number(headers['retry-after']) * 1000;
  return { meaning: meaningOf({ status, afterMs, says: whoRefuses(status, content) }), content };
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
