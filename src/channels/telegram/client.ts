import { type Dispatcher, Pool } from 'undici';
import { z } from 'zod';
import type { FetchedPhoto } from '../../turns/outlet.ts';
import { parseJson } from '../platform-request.ts';
import {
  type CallFailure,
  codeOf,
  meaningOf,
  meaningOfError,
  type PlatformAnswer,
  unfetched,
} from '../platform-response.ts';

/** How a call ended. Results are outside data: their user parses them. An edit that changes nothing is `ok`. */
export type Answer = { readonly ok: true; readonly result: unknown } | Failure;

/** Why a call did not succeed; `why` is for operators (Telegram's description or the system's code, never a URL). */
export type Failure = CallFailure & { readonly ok: false; readonly why: string };

export type CallOptions = {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/**
 * The transport under telegraf's methods (`api.ts`): never throws, never shows the token. Calls go to the API root and
 * nowhere else: no redirect is followed, and answers are capped in size and time.
 */
export type Client = {
  call(method: string, payload: object, options?: CallOptions): Promise<Answer>;
  /** Fetches a file by the relative path that `getFile` answered; the caller has checked it. */
  file(
    path: string,
    limits: { readonly maxBytes: number; readonly timeoutMs: number },
  ): Promise<FetchedPhoto>;
  /** Lets the calls under way finish and takes no more: those are `undelivered`. */
  close(): Promise<void>;
};

export type ClientOptions = {
  readonly token: string;
  readonly apiRoot: string;
  /** How long a call may take, and how much of that connecting, ms. */
  readonly timeoutMs?: number | undefined;
  readonly connectMs?: number | undefined;
};

const TIMEOUT_MS = 10_000;
const CONNECT_MS = 5_000;
/** Between two calls; longer than people type, shorter than Telegram waits. */
const KEEP_ALIVE_MS = 30_000;
/** A hundred updates of the largest messages have a tenth of it. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

export function createClient(options: ClientOptions): Client {
  const { token, apiRoot, timeoutMs: usualMs = TIMEOUT_MS, connectMs = CONNECT_MS } = options;
  const { origin, pathname } = new URL(apiRoot);
  const root = pathname.replace(/\/*$/, '');
  const pool = new Pool(origin, {
    connect: { timeout: connectMs },
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Under HTTP/2 a lost connection would break the calls of all customers at once, each perhaps delivered.
    allowH2: false,
  });
  let closing: Promise<void> | undefined;

  return {
    async call(method, payload, { timeoutMs = usualMs, signal } = {}) {
      try {
        const path = `${root}/bot${token}/${method}`;
        const body = JSON.stringify(payload);
        const sent = { method: 'POST', path, body, timeoutMs, signal, maxBytes: MAX_ANSWER_BYTES } as const;
        const { status, content } = await send(pool, sent);
        return understand(status, parseJson(content.toString()));
      } catch (error) {
        return broken(error);
      }
    },
    async file(name, limits) {
      try {
        const path = `${root}/file/bot${token}/${name}`;
        const { status, content } = await send(pool, { method: 'GET', path, ...limits });
        const meaning = meaningOf({ status });
        return meaning.kind === 'delivered' ? { kind: 'fetched', bytes: content } : unfetched(meaning);
      } catch (error) {
        return error instanceof TooLarge ? { kind: 'large' } : unfetched(meaningOfError(error));
      }
    },
    async close() {
      closing ??= pool.close();
      await closing;
    },
  };
}

type Sent = CallOptions & {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  readonly timeoutMs: number;
  readonly maxBytes: number;
};

/** The answer has more bytes than we take. */
class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

const HEADERS = { 'content-type': 'application/json' } as const;

/**
 * Resolves to the whole answer; rejects with what went wrong, at once when the time is over or `signal` aborts. undici's
 * `request` does the same by a stream and a signal for each call, which costs the bot a twentieth of a turn.
 */
function send(
  pool: Pool,
  { method, path, body, timeoutMs, signal, maxBytes }: Sent,
): Promise<{ status: number; content: Buffer }> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const parts: Buffer[] = [];
    let status = 0;
    let size = 0;
    let sending: Dispatcher.DispatchController | undefined;
    let given: Error | undefined;

    function giveUp(why: Error): void {
      given = why;
      sending?.abort(why);
      fail(why);
    }
    const abort = () => giveUp(new DOMException('', 'AbortError'));
    const expire = () => giveUp(new DOMException('', 'TimeoutError'));
    signal?.addEventListener('abort', abort);
    const timer = setTimeout(expire, timeoutMs);
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
    function fail(error: Error): void {
      end();
      reject(error);
    }

    pool.dispatch(
      { path, method, headers: HEADERS, body: body ?? null },
      {
        onRequestStart(controller) {
          sending = controller;
          // The time was over before the connection was there: nothing was sent, nor will be.
          if (given !== undefined) controller.abort(given);
        },
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData(_controller, part) {
          size += part.length;
          if (size > maxBytes) giveUp(new TooLarge());
          else parts.push(part);
        },
        onResponseEnd() {
          end();
          resolve({ status, content: Buffer.concat(parts) });
        },
        onResponseError: (_controller, error) => fail(error),
      },
    );
  });
}

const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error_code: z.int(),
    description: z.string().default(''),
    parameters: z
      .object({ retry_after: z.number().optional().catch(undefined) })
      .optional()
      .catch(undefined),
  }),
]);
type Refusal = Extract<z.infer<typeof answerSchema>, { ok: false }>;

function understand(status: number, json: unknown): Answer {
  const answer = answerSchema.safeParse(json).data;
  if (answer?.ok) return answer;
  const why = answer ? `${answer.error_code}: ${answer.description}` : `${status}: unreadable`;
  const meaning = meaningOf(platformAnswer(status, answer));
  return meaning.kind === 'delivered' ? { ok: true, result: undefined } : { ...meaning, ok: false, why };
}

/** An answer that no Bot API server wrote means something only where it is a gateway's error or a redirect. */
function platformAnswer(status: number, answer: Refusal | undefined): PlatformAnswer {
  if (!answer) return { status: status >= 500 || (status >= 300 && status < 400) ? status : undefined };
  const { error_code: code, description, parameters } = answer;
  const afterS = parameters?.retry_after;
  return {
    status: code,
    says: saidBy(code, description),
    ...(afterS !== undefined && { afterMs: afterS * 1000 }),
  };
}

/** Many cases share a code: Telegram tells them apart by the text alone. */
function saidBy(code: number, description: string): PlatformAnswer['says'] {
  // 404 answers a malformed token, and a method that a Bot API server of one's own is too old for.
  if (code === 404 && !/method/i.test(description)) return 'unauthorized';
  if (/chat not found/i.test(description)) return 'unreachable';
  return /message is not modified/i.test(description) ? 'delivered' : undefined;
}

function broken(error: unknown): Failure {
  const why = codeOf(error) || (error instanceof Error ? error.name : 'unknown');
  return { ...meaningOfError(error), ok: false, why };
}
