import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { Agent, buildConnector, Client, type Dispatcher, request } from 'undici';
import type { Moment } from '../loyalty.ts';
import type { Dated } from './remote-clock.ts';

/**
 * How one HTTP exchange went. The kinds differ in whether a request can have been applied:
 * - `answered`: a status came; `json` is undefined where the body is no JSON, was cut off or is too big.
 * - `unsent`: the body of a POST was not opened, so not a byte of the request was written (refused, DNS, TLS, connect
 *   time-out, too late).
 * - `broken`: perhaps written, and no answer came.
 * - `declined`: we did not even try (too late, open breaker, full bulkhead).
 *
 * `reason` is an error's code, safe to log. `away`: AntCRM is not there, or does not answer in time.
 */
export type Exchange =
  | { readonly kind: 'answered'; readonly status: number; readonly json: unknown }
  | { readonly kind: 'unsent' | 'broken'; readonly away: boolean; readonly reason: string }
  | { readonly kind: 'declined'; readonly reason: string };

/** The call is over at `end` of `performance.now()`, and no byte of it is written after `writeBefore`. */
export type Deadline = { readonly end: number; readonly writeBefore: Moment };

const isOver = ({ monotonicMs, wallMs }: Moment): boolean =>
  performance.now() >= monotonicMs || Date.now() >= wallMs;

/** The HTTP of AntCRM: JSON both ways, the key in a header, no redirects. Never throws. */
export type Transport = {
  get(path: string, query: URLSearchParams, end: number): Promise<Exchange>;
  post(path: string, body: unknown, deadline: Deadline): Promise<Exchange>;
  /** On a connection of its own: a stale keep-alive socket would turn a harmless reset into an ambiguous one. */
  postFresh(path: string, body: unknown, deadline: Deadline): Promise<Exchange>;
  close(): Promise<void>;
};

type OnAnswer = (dated: Dated) => void;

const JSON_TYPE = 'application/json';
/**
 * HTTP/1.1 alone: one connection, one call. Under HTTP/2 a lost connection would make every call on it ambiguous, and
 * what `seal` knows of the first byte written holds for HTTP/1.1.
 */
const HTTP = { connect: { timeout: 2000 }, allowH2: false } as const;
const MAX_BODY_BYTES = 1024 * 1024;

/** `onAnswer` is told of every answer's time, whatever the answer. */
export function createTransport(options: {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly onAnswer: OnAnswer;
}): Transport {
  const base = options.baseUrl.replace(/\/+$/, '');
  const { origin } = new URL(base);
  const headers = { apikey: options.apiKey, accept: JSON_TYPE, 'content-type': JSON_TYPE };
  const shared = new Agent(HTTP);

  async function post(
    path: string,
    content: unknown,
    { end, writeBefore }: Deadline,
    dispatcher: Dispatcher,
    onLate?: () => void,
  ): Promise<Exchange> {
    const text = JSON.stringify(content);
    const { body, opened } = seal(text, writeBefore);
    const length = { 'content-length': String(Buffer.byteLength(text)) };
    const how = { method: 'POST', headers: { ...headers, ...length }, body, dispatcher } as const;
    if (isOver(writeBefore)) return TOO_LATE;
    const result = await exchange(base + path, how, end, options.onAnswer, onLate);
    return result.kind === 'broken' && !opened() ? { ...result, kind: 'unsent' } : result;
  }

  return {
    get: (path, query, end) =>
      exchange(
        `${base}${path}?${query}`,
        { method: 'GET', headers, dispatcher: shared },
        end,
        options.onAnswer,
      ),

    post: (path, body, deadline) => post(path, body, deadline, shared),

    async postFresh(path, body, deadline) {
      const { connect, reset } = resettable();
      const client = new Client(origin, { ...HTTP, pipelining: 0, connect });
      return post(path, body, deadline, client, reset).finally(() => void client.destroy());
    },

    close: () => shared.destroy(),
  };
}

/**
 * A connection that can be reset, its TLS too. One that is closed may go on sending for minutes what the kernel still
 * holds, once the way to AntCRM is open again: long after the call's deadline.
 */
function resettable(): { connect: buildConnector.connector; reset(): void } {
  const open = buildConnector({ ...HTTP.connect, allowH2: HTTP.allowH2 });
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
 * A body that knows whether it was sent. undici reads it once the connection stands, and writes the first byte of the
 * request only with the first of the body: until then nothing has left, and from `writeBefore` on nothing will.
 */
function seal(text: string, writeBefore: Moment) {
  let opened = false;
  const body = new Readable({
    read() {
      if (isOver(writeBefore)) return void this.destroy(new TooLate());
      opened = true;
      this.push(text);
      this.push(null);
    },
  });
  return { body, opened: () => opened };
}

class TooLate extends Error {
  override readonly name = 'TooLate';
}

const TOO_LATE: Exchange = { kind: 'declined', reason: 'TooLate' };
const TIMED_OUT: Exchange = { kind: 'broken', away: true, reason: 'timeout' };

type RequestOptions = NonNullable<Parameters<typeof request>[1]>;

async function exchange(
  url: string,
  how: RequestOptions,
  end: number,
  onAnswer: OnAnswer,
  onLate?: () => void,
): Promise<Exchange> {
  const start = performance.now();
  if (start >= end) return TOO_LATE;
  const stop = new AbortController();
  // An aborted request that is still connecting ends only with the attempt to connect: it is not waited for.
  const late = Promise.withResolvers<Exchange>();
  const timer = setTimeout(() => {
    onLate?.();
    stop.abort();
    late.resolve(TIMED_OUT);
  }, end - start);
  const answer = ask(url, { ...how, signal: stop.signal }, onAnswer);
  return Promise.race([answer, late.promise]).finally(() => clearTimeout(timer));
}

async function ask(url: string, how: RequestOptions, onAnswer: OnAnswer): Promise<Exchange> {
  const sentMs = performance.now();
  try {
    const { statusCode, headers, body } = await request(url, how);
    onAnswer({ dateMs: readDate(headers.date), sentMs, answeredMs: performance.now() });
    return { kind: 'answered', status: statusCode, json: await readJson(body) };
  } catch (error) {
    const reason = codeOf(error);
    return { kind: 'broken', away: AWAY.has(reason), reason };
  }
}

/**
 * What says that AntCRM is away says nothing of what was sent: once the kernel gives up sending again, it reports these
 * codes on connections that stood, too.
 */
const AWAY: ReadonlySet<string> = new Set(
  'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT'.split(' '),
);

/** The parsed body; undefined if it is no JSON, breaks off, or is larger than we care to hold. */
async function readJson(body: Dispatcher.ResponseData['body']): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      if (!Buffer.isBuffer(chunk)) return undefined;
      size += chunk.length;
      // Leaving the loop destroys the body, and the connection with it.
      if (size > MAX_BODY_BYTES) return undefined;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The header `Date`, epoch ms; null where there is none, or nothing that is one. */
function readDate(header: string | string[] | undefined): number | null {
  const dateMs = typeof header === 'string' ? Date.parse(header) : Number.NaN;
  return Number.isNaN(dateMs) ? null : dateMs;
}

/** `ECONNREFUSED` and the like; never an error's message, which may quote what was sent. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^\w{1,50}$/.test(code) ? code : error.name;
}
