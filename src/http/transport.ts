import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Agent, buildConnector, Client, type Dispatcher } from 'undici';

/** An HTTP request and its limits. Times are ms. */
export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly origin: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
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

/** As `Exchange`, but the answer's body is read by the caller, who must read or destroy it. */
export type Opened =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly content: Readable;
    }
  | Exclude<Exchange, { kind: 'answered' }>;

export type TransportOptions = {
  /** The only origin that may be called; a call elsewhere is `unsent`. By default the caller checks each. */
  readonly origin?: string | undefined;
  /** How long connecting may take. */
  readonly connectMs?: number | undefined;
};

const CONNECT_MS = 3000;
/** Longer than a customer needs to type the next message. */
const KEEP_ALIVE_MS = 30_000;

/**
 * Sends all requests of the bot: to exact origins, without redirects, with limits of size and time.
 *
 * @example
 * const transport = new Transport({ origin: 'https://api.telegram.org' });
 * const limits = { timeoutMs: 5000, maxBytes: 65_536 };
 * const exchange = await transport.exchange({ method: 'GET', origin, path, ...limits });
 * if (exchange.kind === 'answered') read(exchange.status, exchange.content);
 */
export class Transport {
  readonly #origin: string | undefined;
  readonly #options: ConstructorParameters<typeof Client>[1];
  readonly #connectMs: number;
  readonly #shared: Dispatcher;
  #closing: Promise<void> | undefined;

  constructor({ origin, connectMs = CONNECT_MS }: TransportOptions = {}) {
    this.#origin = origin;
    this.#connectMs = connectMs;
    this.#options = {
      connect: { timeout: connectMs },
      keepAliveTimeout: KEEP_ALIVE_MS,
      // With HTTP/2 one lost connection would make many calls ambiguous.
      allowH2: false,
      // Only the deadline of the call counts.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#shared = new Agent(this.#options);
  }

  /** Never rejects. undici's `request` would take 5 % of a turn for its stream and its signal. */
  exchange(call: HttpRequest): Promise<Exchange> {
    const { method, origin, path, headers = {}, body = null, isFresh } = call;
    const { dispatcher, reset } = isFresh ? this.#openFresh(origin) : { dispatcher: this.#shared };
    const handler = new CallHandler(call, reset);
    if (this.#origin !== undefined && this.#origin !== origin) handler.fail('ForeignOrigin');
    else if (call.signal?.aborted) handler.fail('AbortError');
    else dispatcher.dispatch({ origin, path, method, headers, body }, handler);
    return isFresh ? handler.exchange.finally(() => void dispatcher.destroy()) : handler.exchange;
  }

  /**
   * Begins a call whose answer is too large to be held: it is `answered` once its head has come. `timeoutMs`:
   * how long the head, and then each part of the body, may take. A body over `maxBytes` that did not say so,
   * or that stalls, ends with an error. Never rejects.
   */
  async open({ method, origin, path, headers, timeoutMs, maxBytes }: RequestHead): Promise<Opened> {
    if (this.#origin !== undefined && this.#origin !== origin) {
      return { kind: 'unsent', reason: 'ForeignOrigin' };
    }
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), timeoutMs);
    try {
      const { signal } = abort;
      const answer = await this.#shared.request({ origin, path, method, headers: headers ?? {}, signal });
      const { statusCode: status, headers: responseHeaders, body } = answer;
      // Without a listener, an error of an abandoned body would end the process.
      body.on('error', () => {});
      if (Number(responseHeaders['content-length'] ?? 0) > maxBytes) {
        body.destroy();
        return { kind: 'large' };
      }
      const content = Readable.from(bounded(body, { abort, timeoutMs, maxBytes }), { objectMode: false });
      return { kind: 'answered', status, headers: responseHeaders, content };
    } catch (error) {
      return { kind: 'lost', reason: error instanceof Error ? codeOf(error) : 'unknown' };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets open calls finish; further calls are `unsent`. */
  async close(): Promise<void> {
    this.#closing ??= this.#shared.close();
    await this.#closing;
  }

  /**
   * A client with one connection, whose TCP socket, below TLS, can be reset. After a mere close, the kernel
   * may send buffered bytes minutes after the deadline of the call.
   */
  #openFresh(origin: string): { readonly dispatcher: Dispatcher; reset?(): void } {
    const open = buildConnector({ timeout: this.#connectMs, allowH2: false });
    let raw: Socket | undefined;
    const connect: buildConnector.connector = (to, done) => {
      const port = to.port || (to.protocol === 'https:' ? '443' : '80');
      open({ ...to, port, protocol: 'http:' }, (...[error, socket]) => {
        if (error) return done(error, null);
        raw = socket;
        if (to.protocol === 'https:') open({ ...to, httpSocket: socket }, done);
        else done(null, socket);
      });
    };
    return {
      dispatcher: new Client(origin, { ...this.#options, pipelining: 0, connect }),
      reset: () => void raw?.resetAndDestroy(),
    };
  }
}

/** One call under way. undici writes nothing before `onRequestStart`, and the body right after it. */
class CallHandler implements Dispatcher.DispatchHandler {
  readonly exchange: Promise<Exchange>;
  readonly #call: HttpRequest;
  readonly #reset: (() => void) | undefined;
  readonly #resolve: (exchange: Exchange) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #parts: Buffer[] = [];
  #size = 0;
  #status = 0;
  #headers: IncomingHttpHeaders = {};
  #isSent = false;
  #isOver = false;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(call: HttpRequest, reset?: () => void) {
    this.#call = call;
    this.#reset = reset;
    ({ promise: this.exchange, resolve: this.#resolve } = Promise.withResolvers<Exchange>());
    this.#timer = setTimeout(() => this.fail('TimeoutError'), call.timeoutMs);
    call.signal?.addEventListener('abort', this.#abort);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (!this.#isOver && this.#call.mayBegin?.() !== false) this.#isSent = true;
    else this.fail('TooLate');
  }

  onResponseStart(_: unknown, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    this.#size += part.length;
    this.#parts.push(part);
    if (this.#size <= this.#call.maxBytes) return;
    this.#end({ kind: 'large' });
    controller.abort(new Error('TooLarge'));
  }

  onResponseEnd(): void {
    const content = Buffer.concat(this.#parts);
    this.#end({ kind: 'answered', status: this.#status, headers: this.#headers, content });
  }

  onResponseError(_: unknown, error: Error): void {
    this.fail(codeOf(error));
  }

  /** Ends the call. If it is still connecting, undici drops it when the attempt to connect ends. */
  fail(reason: string): void {
    this.#end({ kind: this.#isSent ? 'lost' : 'unsent', reason });
    // Once the answer has begun, undici would take a reset for the end of a body without a length.
    if (this.#isSent && this.#status === 0) this.#reset?.();
    this.#controller?.abort(new Error(reason));
  }

  readonly #abort = (): void => this.fail('AbortError');

  #end(exchange: Exchange): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#call.signal?.removeEventListener('abort', this.#abort);
    this.#resolve(exchange);
  }
}

type RequestHead = Pick<HttpRequest, 'method' | 'origin' | 'path' | 'headers' | 'timeoutMs' | 'maxBytes'>;

/** The parts of a body, within its limits. Its errors name no address. */
async function* bounded(
  body: Readable,
  { abort, timeoutMs, maxBytes }: Pick<RequestHead, 'timeoutMs' | 'maxBytes'> & { abort: AbortController },
): AsyncGenerator<Buffer> {
  let size = 0;
  let timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    for await (const part of body) {
      clearTimeout(timer);
      const bytes = Buffer.from(part);
      size += bytes.length;
      if (size > maxBytes) throw new Error('too large');
      yield bytes;
      timer = setTimeout(() => abort.abort(), timeoutMs);
    }
  } catch {
    throw new Error('the body ended early');
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

/** `ECONNREFUSED` and the like. */
function codeOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,50}$/.test(code) ? code : error.name;
}

/** The least time between two calls about the same subject. */
const HOOK_EVERY_MS = 60_000;

/** Posts news to `url`, with one retry, and at most once a minute about a subject. Nothing waits for it. */
export function createHook(url: string, onFailed: () => void) {
  const { origin, pathname, search } = new URL(url);
  const transport = new Transport({ origin });
  const headers = { 'content-type': 'application/json' };
  const limits = { timeoutMs: 5000, maxBytes: 64 * 1024 };
  const call = { method: 'POST', origin, path: pathname + search, headers, ...limits } as const;
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
