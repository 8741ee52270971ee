import { LRUCache } from 'lru-cache';
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
import type { Cloud } from './authentication.ts';

/** How a call ended. The answer's content is outside data: its user parses it. */
export type Answer = { readonly ok: true; readonly content: Buffer } | (CallFailure & { readonly ok: false });

/** A call of a service; `path` is relative to its URL. */
type ConnectorCall = Pick<Call, 'method' | 'path'> & {
  readonly body?: object | undefined;
  readonly timeoutMs?: number | undefined;
};

/** The Bot Connector's REST interface. Never throws, and never repeats a call that may have been carried out. */
export type Connector = {
  call(service: string, call: ConnectorCall): Promise<Answer>;
  /** Fetches a file that the service keeps, with our token, from the hosts that may have it. */
  file(url: string, bounds: Pick<Call, 'maxBytes' | 'timeoutMs'>): Promise<FetchedPhoto>;
  /**
   * Asks for what anybody may read, without our token; the body is undefined where it is no JSON. Undefined where no answer
   * comes within `LOOK_MS`.
   */
  look(url: string, signal: AbortSignal): Promise<{ status: number; body: unknown } | undefined>;
  /**
   * Whether the last answers refused our token or our bot; only for a while, within which waiting replies are tried
   * again.
   */
  isRefused(): boolean;
  /** Lets the calls under way finish and takes no more: those are `undelivered`. */
  close(): Promise<void>;
};

export type ConnectorOptions = {
  readonly cloud: Pick<Cloud, 'token'>;
  readonly hosts: Hosts;
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

/** Over our own transport: the SDK's connector client repeats calls that were perhaps carried out. */
export function createConnector(options: ConnectorOptions): Connector {
  const { cloud, hosts, timeoutMs: usualMs = TIMEOUT_MS } = options;
  // Addresses are judged by `hosts` first, or are the operator's own.
  const transport = createTransport({ allows: () => true });
  let refusedAtMs = Number.NEGATIVE_INFINITY;

  /** Sends with our token, and with a fresh one where that is refused. Null: there is none, or both are refused. */
  async function send(call: Call): Promise<Exchange | null> {
    for (const renewed of [false, true]) {
      const token = await cloud.token(renewed).catch(() => undefined);
      if (token === undefined) return null;
      const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
      const exchange = await transport.exchange({ ...call, headers: { ...call.headers, ...authorization } });
      // Revoked meanwhile, perhaps: a fresh token settles it.
      if (exchange.kind !== 'answered' || exchange.status !== 401) return exchange;
    }
    refusedAtMs = performance.now();
    return null;
  }

  return {
    async call(service, { method, path, body, timeoutMs = usualMs }) {
      const at = hosts.trusted(service);
      if (!at) return { ok: false, kind: 'rejected' };
      const exchange = await send({
        method,
        origin: at.origin,
        path: `${at.pathname.replace(/(?<!\/)\/+$/, '')}/${path}`,
        headers: HEADERS,
        body: body && JSON.stringify(body),
        timeoutMs,
        maxBytes: MAX_ANSWER_BYTES,
      });
      const answer = answerIn(exchange);
      if (answer.ok) refusedAtMs = Number.NEGATIVE_INFINITY;
      else if (exchange && answer.kind === 'unauthorized') refusedAtMs = performance.now();
      return answer;
    },
    async file(url, bounds) {
      const at = hosts.trusted(url);
      if (!at) return { kind: 'refused' };
      const to = { method: 'GET', origin: at.origin, path: at.pathname } as const;
      const exchange = await send({ ...to, headers: { accept: 'image/*' }, ...bounds });
      return exchange ? photoIn(exchange) : { kind: 'refused' };
    },
    async look(url, signal) {
      const at = URL.parse(url);
      if (!at) return undefined;
      const exchange = await transport.exchange({
        method: 'GET',
        origin: at.origin,
        path: `${at.pathname}${at.search}`,
        timeoutMs: LOOK_MS,
        maxBytes: MAX_LOOKED_BYTES,
        signal,
      });
      if (exchange.kind !== 'answered') return undefined;
      return { status: exchange.status, body: parseJson(exchange.content.toString()) };
    },
    isRefused: () => performance.now() - refusedAtMs < REFUSED_MS,
    close: transport.close,
  };
}

/** Of a conversation's `activities` or `members`: all of them, or the one of that id. */
export function conversationPath(conversation: string, what: 'activities' | 'members', id?: string): string {
  const one = id === undefined ? '' : `/${encodeURIComponent(id)}`;
  return `v3/conversations/${encodeURIComponent(conversation)}/${what}${one}`;
}

/** Null: our token was refused, or there is none. */
function answerIn(exchange: Exchange | null): Answer {
  if (exchange === null) return { ok: false, kind: 'unauthorized' };
  if (exchange.kind !== 'answered') return { ok: false, ...failureOf(exchange) };
  const { status, headers, content } = exchange;
  const afterMs = Number(headers['retry-after']) * 1000;
  const meaning = meaningOf({ status, afterMs, says: whoRefuses(status, content) });
  return meaning.kind === 'delivered' ? { ok: true, content } : { ...meaning, ok: false };
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

/**
 * Microsoft's Teams connectors: the public cloud, and the American government's (GCC, GCC High, DoD). Exact names, since
 * anybody can have a name under `trafficmanager.net`.
 */
export const TEAMS_HOSTS: readonly string[] = [
  'smba.trafficmanager.net',
  'smba.infra.gcc.teams.microsoft.com',
  'smba.infra.gov.teams.microsoft.us',
  'smba.infra.dod.teams.microsoft.us',
];

/** Which connectors may get our token, and what customers are told; undefined: not this one. */
export type Hosts = { trusted(service: string): URL | undefined };

/** All customers of a region have one service, and a URL takes long to parse. */
const MOST_KNOWN = 100;

/**
 * `exact`: hosts, `host` or `host:port`. Only https, but for hosts of this machine; `anyLocal` trusts all of those, where
 * there is no token to lose.
 */
export function createHosts(exact: readonly string[], anyLocal: boolean): Hosts {
  const named = new Set(exact.map((host) => host.toLowerCase()));
  const known = new LRUCache<string, URL>({ max: MOST_KNOWN });

  function isTrusted(url: URL, service: string): boolean {
    // Paths are appended to it: behind a `?` or `#`, even a bare one, they would count for nothing.
    if (/[?#]/.test(service) || `${url.username}${url.password}` !== '') return false;
    const isLocal = LOCAL.test(url.hostname);
    const isSafe = url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
    return isSafe && (named.has(url.host) || named.has(withPort(url)) || (anyLocal && isLocal));
  }

  return {
    trusted(service) {
      const before = known.get(service);
      if (before) return before;
      const url = URL.parse(service);
      if (!url || !isTrusted(url, service)) return undefined;
      known.set(service, url);
      return url;
    },
  };
}

/** The root of a host as `createHosts` takes it. */
export function urlOf(host: string): string {
  const isLocal = LOCAL.test(URL.parse(`http://${host}`)?.hostname ?? '');
  return `${isLocal ? 'http' : 'https'}://${host}/`;
}

/** `host:443`: a URL does not tell its scheme's own port. */
function withPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
}

const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
