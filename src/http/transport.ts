import type { IncomingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type undici from 'undici';
import type { buildConnector, Dispatcher } from 'undici';

/** The package's own entry also loads fetch, caches and mocks: 8 MB. */
const require = createRequire(import.meta.url);
const Agent: typeof undici.Agent = require('undici/lib/dispatcher/agent.js');
const Client: typeof undici.Client = require('undici/lib/dispatcher/client.js');
const createConnector: typeof buildConnector = require('undici/lib/core/connect.js');

/** One HTTP call. Times are ms. */
export type HttpCall = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly origin: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** How long the call may take, with the whole answer. */
  readonly timeoutMs: number;
  /** The longest answer. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Called right before the first byte is written. False: nothing is sent. */
  readonly mayBegin?: (() => boolean) | undefined;
  /**
   * Uses a new connection, because a stale one may break and leave the outcome unknown. If the call is lost,
   * the connection is reset, so that nothing is sent later.
   */
  readonly isFresh?: true | undefined;
};

/**
 * How a call ended.
 *
 * - `unsent`: no byte was written, and none will be.
 * - `lost`: perhaps carried out; the answer is missing or incomplete.
 * - `large`: the answer has too many bytes.
 *
 * `reason` is the code or name of an error, never its message, which may quote what was sent.
 */
export type Exchange =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly content: Buffer;
    }
  | { readonly kind: 'large' }
  | { readonly kind: 'unsent' | 'lost'; readonly reason: string };

export type Transport = ReturnType<typeof createTransport>;

export type TransportOptions = {
  /** The only origin to call: a call elsewhere is `unsent`. Undefined: any, the caller checks it. */
  readonly origin?: string | undefined;
  /** How long connecting may take, ms. */
  readonly connectMs?: number | undefined;
};

const CONNECT_MS = 3000;
/** Longer than a customer needs to type the next message. */
const KEEP_ALIVE_MS = 30_000;

/**
 * Sends all requests of the bot: to exact origins, without redirects, with limits of size and time.
 *
 * @example
 * const transport = createTransport({ origin });
 * const limits = { timeoutMs: 5000, maxBytes: 65_536 };
 * const exchange = await transport.exchange({ method: 'GET', origin, path, ...limits });
 * if (exchange.kind === 'answered') read(exchange.status, exchange.content);
 */
export function createTransport({ origin, connectMs = CONNECT_MS }: TransportOptions) {
  const agentOptions = {
    connect: { timeout: connectMs },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // With HTTP/2 one lost connection would make many calls ambiguous.
    allowH2: false,
    // Only the deadline of the call counts.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const shared = new Agent(agentOptions);
  let closing: Promise<void> | undefined;

  return {
    /** Never rejects. */
    async exchange(call: HttpCall): Promise<Exchange> {
      if (origin !== undefined && call.origin !== origin) return { kind: 'unsent', reason: 'ForeignOrigin' };
      if (!call.isFresh) return dispatch(shared, call);
      const { connect, reset } = createResettable(connectMs);
      const client = new Client(call.origin, { ...agentOptions, pipelining: 0, connect });
      return dispatch(client, call, reset).finally(() => void client.destroy());
    },
    /** Lets open calls finish; further calls are `unsent`. */
    async close(): Promise<void> {
      closing ??= shared.close();
      await closing;
    },
  };
}

/**
 * A connection whose TCP socket, below TLS, can be reset. After a mere close, the kernel may send buffered
 * bytes minutes after the deadline of the call.
 */
function createResettable(timeout: number): { connect: buildConnector.connector; reset(): void } {
  const open = createConnector({ timeout, allowH2: false });
  let raw: Socket | undefined;
  return {
    connect(to, done) {
      const port = to.port || (to.protocol === 'https:' ? '443' : '80');
      open({ ...to, port, protocol: 'http:' }, (...[error, socket]) => {
        if (error) return done(error, null);
        raw = socket;
        if (to.protocol === 'https:') open({ ...to, httpSocket: socket }, done);
        else done(null, socket);
      });
    },
    reset: () => void raw?.resetAndDestroy(),
  };
}

/**
 * Does not use undici's `request`: its stream and signal for each call take 5 % of a turn. undici writes
 * nothing before `onRequestStart`, and the whole string body right after it.
 */
function dispatch(dispatcher: Dispatcher, call: HttpCall, reset?: () => void): Promise<Exchange> {
  const { method, origin, path, headers = {}, body = null, timeoutMs, maxBytes, signal } = call;
  if (signal?.aborted) return Promise.resolve({ kind: 'unsent', reason: 'AbortError' });
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let status = 0;
    let answerHeaders: IncomingHttpHeaders = {};
    let size = 0;
    let isSent = false;
    let isOver = false;
    let sending: Dispatcher.DispatchController | undefined;

    const abort = () => fail('AbortError');
    const timer = setTimeout(() => fail('TimeoutError'), timeoutMs);
    signal?.addEventListener('abort', abort);

    function end(exchange: Exchange): void {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(exchange);
    }

    /** Ends the call. If it is still connecting, undici drops it when the attempt to connect ends. */
    function fail(reason: string): void {
      end({ kind: isSent ? 'lost' : 'unsent', reason });
      // Not after an answer has begun: undici would take the reset for the end of a body without a length.
      if (isSent && status === 0) reset?.();
      sending?.abort(new Error(reason));
    }

    dispatcher.dispatch(
      { origin, path, method, headers, body },
      {
        onRequestStart(controller) {
          sending = controller;
          if (!isOver && call.mayBegin?.() !== false) isSent = true;
          else fail('TooLate');
        },
        onResponseStart(_controller, code, received) {
          status = code;
          answerHeaders = received;
        },
        onResponseData(_controller, part) {
          size += part.length;
          parts.push(part);
          if (size <= maxBytes) return;
          end({ kind: 'large' });
          sending?.abort(new Error('TooLarge'));
        },
        onResponseEnd() {
          end({ kind: 'answered', status, headers: answerHeaders, content: Buffer.concat(parts) });
        },
        onResponseError: (_controller, error) => fail(codeOf(error)),
      },
    );
  });
}

/** `ECONNREFUSED` and the like. */
function codeOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,50}$/.test(code) ? code : error.name;
}

/** Limits of one try. */
const HOOK_LIMITS = { timeoutMs: 5000, maxBytes: 64 * 1024 };

/** The least time between two calls about the same subject. */
const HOOK_EVERY_MS = 60_000;

/**
 * Posts news to the operator's URL, with one retry; after two failures it calls `onFailed`. Nothing waits for
 * it. Of several news about a subject within a minute only the first is posted.
 */
export function createHook(url: string, onFailed: () => void) {
  const { origin, pathname, search } = new URL(url);
  const transport = createTransport({ origin });
  const headers = { 'content-type': 'application/json' };
  const call = { method: 'POST', origin, path: pathname + search, headers, ...HOOK_LIMITS } as const;
  /** The subjects of the last minute. */
  const recent = new Set<string>();

  async function post(body: string, tries = 2): Promise<void> {
    const answer = await transport.exchange({ ...call, body });
    if (answer.kind === 'answered' && answer.status < 300) return;
    if (tries > 1) await post(body, tries - 1);
    else onFailed();
  }

  return {
    tell(subject: string, news: object): void {
      if (recent.has(subject)) return;
      recent.add(subject);
      setTimeout(() => recent.delete(subject), HOOK_EVERY_MS).unref();
      void post(JSON.stringify(news));
    },
    close: () => transport.close(),
  };
}
