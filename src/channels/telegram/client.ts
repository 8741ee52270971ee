import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { Telegram, TelegramError } from 'telegraf';
import type { Telegram as Methods, Opts } from 'telegraf/types';

/** What a call came to. Results are outside data: whoever uses one parses it. */
export type Answer = { readonly ok: true; readonly result: unknown } | Failure;

/**
 * Why a call did not succeed; `why` is for operators (Telegram's description or the system's code, never a URL).
 * - `later`: Telegram said when to come again.
 * - `unchanged`: an edit that would change nothing, which is as good as done.
 * - `unreachable`: the customer blocked the bot, or the chat is gone; final.
 * - `rejected`: refused for another reason; the same call will be refused again.
 * - `refusedToken`: Telegram does not know our token; an operator's fault.
 * - `failed`: surely not carried out (refused connection, DNS, connect time-out, 5xx).
 * - `ambiguous`: perhaps carried out (time-out, reset, unreadable answer).
 */
export type Failure =
  | { readonly ok: false; readonly kind: 'later'; readonly why: string; readonly afterMs: number }
  | {
      readonly ok: false;
      readonly kind: 'unchanged' | 'unreachable' | 'rejected' | 'refusedToken' | 'failed' | 'ambiguous';
      readonly why: string;
    };

export type CallOptions = {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** The Bot API: typed by telegraf, never throws, never shows the token (telegraf's own errors carry it in URLs). */
export type Client = {
  call<M extends keyof Methods>(method: M, payload: Opts<M>, options?: CallOptions): Promise<Answer>;
};

export type ClientOptions = {
  readonly token: string;
  readonly apiRoot: string;
  /** Called with every answer that refuses our token. */
  readonly onTokenRefused?: (() => void) | undefined;
  /** How long a call may take, and how much of that connecting, ms. */
  readonly timeoutMs?: number | undefined;
  readonly connectMs?: number | undefined;
};

const TIMEOUT_MS = 10_000;
const CONNECT_MS = 5_000;

export function createClient(options: ClientOptions): Client {
  const { token, apiRoot, onTokenRefused, timeoutMs: usualMs = TIMEOUT_MS, connectMs = CONNECT_MS } = options;
  // A base URL with a path must end with a slash, else `new URL` drops its last part.
  const telegram = new Telegram(token, { apiRoot: apiRoot.replace(/\/*$/, '/'), webhookReply: false });
  // Not by the constructor: it ignores an agent for http (a local Bot API server).
  telegram.options.agent = createAgent(apiRoot.startsWith('https:'), connectMs);

  return {
    async call(method, payload, { timeoutMs = usualMs, signal } = {}) {
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
        return { ok: true, result: await telegram.callApi(method, payload, { signal: forTelegraf(either) }) };
      } catch (error) {
        const failure = classify(error);
        if (failure.kind === 'refusedToken') onTokenRefused?.();
        return failure;
      }
    },
  };
}

type TelegrafSignal = NonNullable<NonNullable<Parameters<Telegram['callApi']>[2]>['signal']>;

/** Telegraf's type is that of a polyfill; its fetch takes the platform's signals. */
function forTelegraf(signal: AbortSignal): TelegrafSignal {
  return signal as unknown as TelegrafSignal;
}

/** Codes of what goes wrong before a byte of the request was sent. ETIMEDOUT: only connecting can take that long here. */
const NEVER_SENT = new Set(
  (
    'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ETIMEDOUT EPROTO CERT_HAS_EXPIRED ' +
    'DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE ERR_TLS_CERT_ALTNAME_INVALID'
  ).split(' '),
);

function classify(error: unknown): Failure {
  if (error instanceof TelegramError) return refusal(error);
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (NEVER_SENT.has(code)) return { ok: false, kind: 'failed', why: code };
  return { ok: false, kind: 'ambiguous', why: code || (error instanceof Error ? error.name : 'unknown') };
}

function refusal({ code, description, parameters }: TelegramError): Failure {
  const why = `${code}: ${description}`;
  if (code === 429) return { ok: false, kind: 'later', why, afterMs: (parameters?.retry_after ?? 1) * 1000 };
  return { ok: false, kind: refusalKind(code, description), why };
}

/** Where many cases share a code, the text is all that Telegram tells them by. */
function refusalKind(code: number, description: string): Exclude<Failure['kind'], 'later'> {
  if (code >= 500) return 'failed';
  // 404 answers a malformed token, and a method that a Bot API server of one's own is too old for.
  if (code === 401 || (code === 404 && !/method/i.test(description))) return 'refusedToken';
  if (code === 403 || /chat not found/i.test(description)) return 'unreachable';
  return /message is not modified/i.test(description) ? 'unchanged' : 'rejected';
}

/**
 * Keeps connections alive and gives up on connecting early, as `ETIMEDOUT`: so an outage (nothing was sent, try again
 * for hours) is told apart from an answer that did not come (repeated once).
 */
function createAgent(secure: boolean, connectMs: number): http.Agent {
  const agent = secure ? new https.Agent({ keepAlive: true }) : new http.Agent({ keepAlive: true });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, onConnected) => {
    const socket = connect(options, onConnected);
    if (socket) limitConnecting(socket, secure ? 'secureConnect' : 'connect', connectMs);
    return socket;
  };
  return agent;
}

function limitConnecting(socket: Duplex, connected: string, ms: number): void {
  const late = () => socket.destroy(Object.assign(new Error('connect time-out'), { code: 'ETIMEDOUT' }));
  const timer = setTimeout(late, ms);
  const stop = () => clearTimeout(timer);
  socket.once(connected, stop).once('close', stop);
}
