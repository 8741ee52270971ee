import { Telegram, TelegramError } from 'telegraf';
import type { Telegram as Methods, Opts, UserFromGetMe } from 'telegraf/types';
import { z } from 'zod';
import type { FetchedMedia, MediaBounds } from '../../engine/messages.ts';
import { type HttpRequest, Transport } from '../../http/transport.ts';
import {
  type CallFailure,
  failureOf,
  meaningOf,
  mediaFailure,
  mediaIn,
  type PlatformAnswer,
  parseJson,
} from '../platforms.ts';

export type TelegramApiOptions = {
  readonly token: string;
  readonly apiRoot: string;
  /** How long any call may take, ms. Default: `METHOD_MS`, else `TIMEOUT_MS`. */
  readonly timeoutMs?: number | undefined;
};

const TIMEOUT_MS = 10_000;
/** Optional calls must not delay a reply, and checks must not delay a stop. */
const METHOD_MS: Readonly<Record<string, number>> = {
  answerCallbackQuery: 3_000,
  editMessageReplyMarkup: 3_000,
  sendChatAction: 3_000,
  sendPhoto: 5_000,
  getMe: 5_000,
  getWebhookInfo: 5_000,
  getFile: 2_000,
  getUpdates: 60_000,
};
/** Ten times the size of a hundred updates with the longest messages. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const HEADERS = { 'content-type': 'application/json' };

/**
 * telegraf's client over our transport. Its methods reject with `ApiError`. Their results are outside data,
 * which the caller parses.
 */
export class TelegramApi extends Telegram {
  /** Who the bot is; `username` is empty until `fetchName` has resolved. */
  botInfo: UserFromGetMe;
  readonly #transport: Transport;
  readonly #origin: string;
  readonly #root: string;
  readonly #maxMs: number;

  constructor({ token, apiRoot, timeoutMs = Number.POSITIVE_INFINITY }: TelegramApiOptions) {
    super(token, { apiRoot });
    const { origin, pathname } = new URL(apiRoot);
    this.#origin = origin;
    this.#root = pathname === '/' ? '' : pathname;
    this.#maxMs = timeoutMs;
    this.#transport = new Transport({ origin });
    // A token is `<id of the bot>:<secret>`.
    this.botInfo = { ...UNNAMED, id: Number(token.split(':', 1)[0]) };
  }

  /**
   * The one way out of telegraf's methods. telegraf 4.16.3 declares what Telegram should answer, and its base
   * class demands that declaration here. What Telegram does answer is unknown: see `call`.
   */
  override callApi<M extends keyof Methods>(method: M, payload: Opts<M>): Promise<ReturnType<Methods[M]>>;
  override callApi(method: string, payload: object): Promise<unknown> {
    return this.call(method, payload);
  }

  /** Calls a method of the Bot API. Resolves to its result, outside data; rejects with `ApiError`. */
  async call(method: string, payload: object, signal?: AbortSignal): Promise<unknown> {
    const sent = await encode(payload);
    const exchange = await this.#transport.exchange({
      method: 'POST',
      origin: this.#origin,
      path: `${this.#root}/bot${this.token}/${method}`,
      ...sent,
      timeoutMs: Math.min(this.#maxMs, METHOD_MS[method] ?? TIMEOUT_MS),
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    if (exchange.kind !== 'answered') {
      const description = exchange.kind === 'large' ? 'too large' : exchange.reason;
      throw new ApiError(method, failureOf(exchange), { error_code: 0, description });
    }
    const { status, content } = exchange;
    const answer = answerSchema.safeParse(parseJson(content.toString())).data;
    if (answer?.ok) return answer.result;
    // Only a redirect of a gateway says that the call was not carried out.
    const unreadable = { error_code: status >= 300 && status < 400 ? status : 0, description: 'unreadable' };
    const { error_code, description, parameters } = answer ?? { ...unreadable, parameters: undefined };
    const afterMs = (parameters?.retry_after ?? 0) * 1000;
    const meaning = meaningOf({ status: error_code, afterMs, says: saysOf(error_code, description) });
    // An edit that changes nothing.
    if (meaning.kind === 'delivered') return true;
    throw new ApiError(method, meaning, { error_code, description });
  }

  /** Asks for the bot's name. Rejects with `ApiError`. */
  async fetchName(): Promise<void> {
    const me = meSchema.safeParse(await this.getMe()).data;
    if (me) this.botInfo = { ...this.botInfo, ...me };
  }

  /** As `Platform.fetchMedia`; `at` is `{ file: <file_id> }`. */
  async fetchMedia(at: unknown, { maxBytes, timeoutMs }: MediaBounds): Promise<FetchedMedia> {
    try {
      const id = placeSchema.safeParse(at).data?.file ?? '';
      const file = fileSchema.safeParse(await this.getFile(id)).data;
      if (!file) return { kind: 'gone' };
      const path = `${this.#root}/file/bot${this.token}/${file.file_path}`;
      const bounds = { timeoutMs: Math.min(this.#maxMs, timeoutMs), maxBytes };
      return mediaIn(await this.#transport.open({ method: 'GET', origin: this.#origin, path, ...bounds }));
    } catch (error) {
      const { meaning, message } = failureIn(error);
      return /file is too big/i.test(message) ? { kind: 'large' } : mediaFailure(meaning);
    }
  }

  /** Lets open calls finish. Later calls fail as `undelivered`. */
  disconnect(): Promise<void> {
    return this.#transport.close();
  }
}

/**
 * A call's body. A file of ours goes as a form: telegraf's `{ source, filename? }`, whose other fields are
 * JSON.
 */
async function encode(payload: object): Promise<Pick<HttpRequest, 'headers' | 'body'>> {
  if (!Object.values(payload).some(isFile)) return { headers: HEADERS, body: JSON.stringify(payload) };
  const form = new FormData();
  for (const [name, value] of Object.entries(payload)) {
    const file = isFile(value) ? fileOfOurs.parse(value) : undefined;
    if (file) form.set(name, new Blob([file.source]), file.filename);
    else if (value !== undefined) form.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const encoded = new Response(form);
  const headers = { 'content-type': encoded.headers.get('content-type') ?? '' };
  return { headers, body: new Uint8Array(await encoded.arrayBuffer()) };
}

const isFile = (value: unknown): boolean => typeof value === 'object' && value !== null && 'source' in value;

const fileOfOurs = z.object({
  source: z.instanceof(Uint8Array<ArrayBuffer>),
  filename: z.string().default('file'),
});

/** The bot as telegraf's type has it, before its name is known. */
const UNNAMED: Omit<UserFromGetMe, 'id'> = {
  username: '',
  is_bot: true,
  first_name: '',
  can_join_groups: true,
  can_read_all_group_messages: false,
  supports_inline_queries: false,
};
const meSchema = z.object({ username: z.string() });

/** A call that failed. Its message has neither the token nor the payload. */
export class ApiError extends TelegramError {
  /** The outcome for a reply. */
  readonly meaning: CallFailure;

  /** `error_code` is 0 without an answer. */
  constructor(
    method: string,
    meaning: CallFailure,
    response: { readonly error_code: number; readonly description: string },
  ) {
    super(response);
    this.meaning = meaning;
    this.message = [method, response.error_code, response.description].filter(Boolean).join(' ');
  }
}

/** Returns the error of a call. Throws any other error: it is a fault of ours. */
export function failureIn(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  throw error;
}

const placeSchema = z.object({ file: z.string() });

/** A relative path of plain names. In local mode, a Bot API server answers a path on its disk. */
const fileSchema = z.object({ file_path: z.string().regex(/^\w[\w.-]*(?:\/\w[\w.-]*)*$/) });

const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error_code: z.int(),
    description: z.string().default(''),
    parameters: z.object({ retry_after: z.number() }).optional().catch(undefined),
  }),
]);

/** Many cases share a code, and only the text tells them apart. */
function saysOf(code: number, description: string): PlatformAnswer['says'] {
  // 404 means a malformed token, or a method that an old Bot API server does not have.
  if (code === 404 && !/method/i.test(description)) return 'unauthorized';
  if (code === 403 && /blocked by the user/i.test(description)) return 'blocked';
  if (/chat not found/i.test(description)) return 'unreachable';
  return /message is not modified/i.test(description) ? 'delivered' : undefined;
}
