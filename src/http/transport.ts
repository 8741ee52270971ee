import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Agent, buildConnector, Client, type Dispatcher } from 'undici';

/** One HTTP call. Times are ms. */
export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly origin: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** For all of it, the whole answer included. */
  readonly timeoutMs: number;
  /** Of the answer. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Asked right before the first byte is written. False: it is too late, nothing is sent. */
  readonly mayBegin?: (() => boolean) | undefined;
  /**
   * On a connection of its own: a stale one would turn a harmless reset into a call whose outcome nobody
   * knows. It is reset where the call gets lost, so that nothing of it is sent later.
   */
  readonly isFresh?: true | undefined;
};

/**
 * How a call ended.
 *
 * - `unsent`: not a byte of it was written, nor will be.
 * - `lost`: perhaps carried out; there is no whole answer.
 * - `large`: the answer has more bytes than we take.
 *
 * `reason` is an error's code or name, safe to log: never its message, which may quote what was sent.
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
  /** Where calls may go; a call elsewhere is `unsent`. */
  allows(origin: string): boolean;
  readonly connectMs?: number | undefined;
};

const CONNECT_MS = 3000;
/** Between two calls; longer than people type. */
const KEEP_ALIVE_MS = 30_000;

/**
 * All requests of the bot to others: exact origins, no redirects, answers capped in size and time.
 *
 * @example
 * const transport = createTransport({ allows: (origin) => origin === 'https://api.telegram.org' });
 * const exchange = await transport.exchange({ method: 'GET', origin, path, timeoutMs: 5000, maxBytes: 65_536 });
 * if (exchange.kind === 'answered') read(exchange.status, exchange.content);
 */
export function createTransport({ allows, connectMs = CONNECT_MS }: TransportOptions) {
  const how = {
    connect: { timeout: connectMs },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Under HTTP/2 a lost connection would make every call on it ambiguous at once.
    allowH2: false,
    // The call's own deadline is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const shared = new Agent(how);
  let closing: Promise<void> | undefined;

  return {
    /** Never rejects. */
    async exchange(call: Call): Promise<Exchange> {
      if (!allows(call.origin)) return { kind: 'unsent', reason: 'ForeignOrigin' };
      if (!call.isFresh) return dispatch(shared, call);
      const { connect, reset } = resettable(connectMs);
      const client = new Client(call.origin, { ...how, pipelining: 0, connect });
      return dispatch(client, call, reset).finally(() => void client.destroy());
    },
    /** Lets the calls under way finish and takes no more: those are `unsent`. */
    async close(): Promise<void> {
      closing ??= shared.close();
      await closing;
    },
  };
}

/**
 * A connection that can be reset, its TLS too. One that is closed may go on sending for minutes what the
 * kernel still holds, once the way is open again: long after the call's deadline.
 */
function resettable(timeout: number): { connect: buildConnector.connector; reset(): void } {
  const open = buildConnector({ timeout, allowH2: false });
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
 * undici's `request` does the same by a stream and a signal for each call, which costs the bot a twentieth of
 * a turn. undici writes nothing before `onRequestStart`, and all of a body that is a string right after it.
 */
function dispatch(dispatcher: Dispatcher, call: Call, reset?: () => void): Promise<Exchange> {
  const { method, origin, path, headers = {}, body = null, timeoutMs, maxBytes, signal } = call;
  if (signal?.aborted) return Promise.resolve({ kind: 'unsent', reason: 'AbortError' });
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    let status = 0;
    let answered: IncomingHttpHeaders = {};
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

    /** A call that is still connecting ends only with the attempt to connect: it is not waited for. */
    function fail(reason: string): void {
      end({ kind: isSent ? 'lost' : 'unsent', reason });
      // An answer has begun: all was received, and undici takes a reset for the end of a body that has no
      // length.
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
          answered = received;
        },
        onResponseData(_controller, part) {
          size += part.length;
          parts.push(part);
          if (size <= maxBytes) return;
          end({ kind: 'large' });
          sending?.abort(new Error('TooLarge'));
        },
        onResponseEnd() {
          end({ kind: 'answered', status, headers: answered, content: Buffer.concat(parts) });
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

/** Of each of two tries. */
const HOOK_LIMITS = { timeoutMs: 5000, maxBytes: 64 * 1024 };

/** Between two calls about the same subject. */
const HOOK_EVERY_MS = 60_000;

/**
 * Tells a URL of the operator's that something happened: one try and one more. Nothing waits for it; after
 * two failures it calls `onFailed`. News of the same subject within a minute are told at its end, the latest
 * alone.
 */
export function createHook(url: string, onFailed: () => void) {
  const { origin, pathname, search } = new URL(url);
  const transport = createTransport({ allows: (to) => to === origin });
  const headers = { 'content-type': 'application/json' };
  const call = { method: 'POST', origin, path: pathname + search, headers, ...HOOK_LIMITS } as const;
  /** The subjects of the last minute, each with the news that waits for its end. */
  const waiting = new Map<string, string | undefined>();

  async function post(body: string, tries = 2): Promise<void> {
    const answer = await transport.exchange({ ...call, body });
    if (answer.kind === 'answered' && answer.status < 300) return;
    if (tries > 1) await post(body, tries - 1);
    else onFailed();
  }

  function tell(subject: string, body: string): void {
    const isEarly = waiting.has(subject);
    waiting.set(subject, isEarly ? body : undefined);
    if (isEarly) return;
    void post(body);
    setTimeout(() => {
      const next = waiting.get(subject);
      waiting.delete(subject);
      if (next !== undefined) tell(subject, next);
    }, HOOK_EVERY_MS).unref();
  }

  return {
    tell: (subject: string, news: object) => tell(subject, JSON.stringify(news)),
    close(): Promise<void> {
      for (const next of waiting.values()) if (next !== undefined) void post(next);
      waiting.clear();
      return transport.close();
    },
  };
}
