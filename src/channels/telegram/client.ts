import type { Opts } from '@grammyjs/types/methods.js';
import { z } from 'zod';
import { MAX_PHOTO_BYTES } from '../../conversation/message.ts';
import type { FetchedPhoto } from '../../engine/messages.ts';
import { createTransport, type Exchange } from '../../http/transport.ts';
import {
  type CallFailure,
  failureOf,
  meaningOf,
  type PlatformAnswer,
  parseJson,
  photoFailure,
  photoIn,
} from '../platforms.ts';

/** What the methods of the Bot API take; files are ids and URLs, never uploads. */
export type Methods = Opts<never>;

/** How a call ended. Results are outside data: their user parses them. An edit that changes nothing is `ok`. */
export type Answer = { readonly ok: true; readonly result: unknown } | Failure;

/** Why a call did not succeed; `why` is for operators (Telegram's description or the system's code, never a URL). */
export type Failure = CallFailure & { readonly ok: false; readonly why: string };

export type CallOptions = {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** The Bot API. Never throws, never shows the token, and calls the API root and nowhere else. */
export type Client = {
  call<M extends keyof Methods>(method: M, payload: Methods[M], options?: CallOptions): Promise<Answer>;
  /** As `Platform.fetchPhoto`; `at` is `{ file: <file_id> }`. */
  photo(at: unknown): Promise<FetchedPhoto>;
  /** Lets the calls under way finish and takes no more: those are `undelivered`. */
  close(): Promise<void>;
};

export type ClientOptions = {
  readonly token: string;
  readonly apiRoot: string;
  /** How long a call may take, ms. */
  readonly timeoutMs?: number | undefined;
};

const TIMEOUT_MS = 10_000;
/** A hundred updates of the largest messages have a tenth of it. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** For finding a picture and fetching it together. */
const PHOTO_MS = 5_000;
const HEADERS = { 'content-type': 'application/json' };

export function createClient(options: ClientOptions): Client {
  const { token, apiRoot, timeoutMs: usualMs = TIMEOUT_MS } = options;
  const { origin, pathname } = new URL(apiRoot);
  const root = pathname.replace(/(?<!\/)\/+$/, '');
  const transport = createTransport({ allows: (host) => host === origin });

  const call: Client['call'] = async (method, payload, { timeoutMs = usualMs, signal } = {}) => {
    const path = `${root}/bot${token}/${method}`;
    const body = JSON.stringify(payload);
    const bounds = { timeoutMs, maxBytes: MAX_ANSWER_BYTES, signal };
    const request = { method: 'POST', origin, path, headers: HEADERS, body, ...bounds } as const;
    return understand(await transport.exchange(request));
  };

  return {
    call,
    async photo(at) {
      const place = placeSchema.safeParse(at).data;
      if (!place) return { kind: 'refused' };
      const mostMs = Math.min(PHOTO_MS, usualMs);
      const untilMs = performance.now() + mostMs;
      const found = await call('getFile', { file_id: place.file }, { timeoutMs: mostMs });
      if (!found.ok) return photoFailure(found);
      const file = fileSchema.safeParse(found.result).data;
      if (!file) return { kind: 'refused' };
      if (file.file_size !== undefined && file.file_size > MAX_PHOTO_BYTES) return { kind: 'large' };
      const path = `${root}/file/bot${token}/${file.file_path}`;
      const bounds = { timeoutMs: Math.max(1, untilMs - performance.now()), maxBytes: MAX_PHOTO_BYTES };
      return photoIn(await transport.exchange({ method: 'GET', origin, path, ...bounds }));
    },
    close: transport.close,
  };
}

const placeSchema = z.object({ file: z.string() });

/**
 * Where Telegram keeps a file: a relative path of plain names. A Bot API server in local mode answers an absolute path on
 * its own disk, which we do not read.
 */
const fileSchema = z.object({
  file_path: z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/),
  file_size: z.number().optional().catch(undefined),
});

const refusalSchema = z.object({
  ok: z.literal(false),
  error_code: z.int(),
  description: z.string().default(''),
  parameters: z.object({ retry_after: z.number() }).optional().catch(undefined),
});
type Refusal = z.infer<typeof refusalSchema>;
const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  refusalSchema,
]);

function understand(exchange: Exchange): Answer {
  if (exchange.kind !== 'answered') {
    const why = exchange.kind === 'large' ? 'too large' : exchange.reason;
    return { ...failureOf(exchange), ok: false, why };
  }
  const { status, content } = exchange;
  const answer = answerSchema.safeParse(parseJson(content.toString())).data;
  if (answer?.ok) return answer;
  const why = answer ? `${answer.error_code}: ${answer.description}` : `${status}: unreadable`;
  const meaning = meaningOf(answer ? refusalOf(answer) : { status: isGateways(status) ? status : undefined });
  return meaning.kind === 'delivered' ? { ok: true, result: undefined } : { ...meaning, ok: false, why };
}

/** An answer that no Bot API server wrote means something only where it is a gateway's error or a redirect. */
function isGateways(status: number): boolean {
  return status >= 500 || (status >= 300 && status < 400);
}

function refusalOf({ error_code: status, description, parameters }: Refusal): PlatformAnswer {
  const afterMs = (parameters?.retry_after ?? 0) * 1000;
  return { status, afterMs, says: saysOf(status, description) };
}

/** Many cases share a code: Telegram tells them apart by the text alone. */
function saysOf(code: number, description: string): PlatformAnswer['says'] {
  // 404 answers a malformed token, and a method that a Bot API server of one's own is too old for.
  if (code === 404 && !/method/i.test(description)) return 'unauthorized';
  if (/chat not found/i.test(description)) return 'unreachable';
  return /message is not modified/i.test(description) ? 'delivered' : undefined;
}
