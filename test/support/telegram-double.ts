import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';

type Payload = Readonly<Record<string, unknown>>;
type Call = { readonly method: string; readonly payload: Payload };
export type Update = { readonly update_id: number };
type Webhook = { readonly url: string; readonly secret: string };

/** An error as the Bot API words it; `headers`: of a file only. */
type ApiFault = {
  readonly code: number;
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly parameters?: Payload;
};
/**
 * `reset`: the call is carried out and the connection cut. `hang`: neither done nor answered. `garbage`: no
 * JSON.
 */
export type Fault = 'reset' | 'hang' | 'garbage' | ApiFault;
type Answer = { readonly result: unknown } | ApiFault;

const ME = { id: 4242, is_bot: true, first_name: 'Loyalty', username: 'LoyaltyTestBot' };
const TAKEN: Answer = { result: true };
const refused = (description: string): Answer => ({ code: 400, description: `Bad Request: ${description}` });

const payloadSchema = z.record(z.string(), z.unknown());
const pollSchema = z.object({ offset: z.int().default(0), timeout: z.number().default(0) });
const webhookSchema = z.object({
  url: z.string(),
  secret_token: z.string().default(''),
  allowed_updates: z.array(z.string()).optional(),
});

const dataSchema = z.string().refine((data) => data.length > 0 && Buffer.byteLength(data) <= 64);
const labelSchema = z.object({ text: z.string().min(1) });
const buttonSchema = z.union([
  labelSchema.extend({ callback_data: dataSchema }),
  labelSchema.extend({ url: z.url(), callback_data: z.literal('').default('') }),
]);
const inlineSchema = z.object({ inline_keyboard: z.array(z.array(buttonSchema)) });
const keyboardSchema = z.object({ keyboard: z.array(z.array(labelSchema)).min(1) });
const removeSchema = z.object({ remove_keyboard: z.literal(true) });
const placeSchema = z.object({ chat_id: z.int(), parse_mode: z.never().optional() });
const replySchema = placeSchema.extend({
  reply_markup: z.union([inlineSchema, keyboardSchema, removeSchema]).optional(),
});
const textSchema = z.string().min(1).max(4096);
const sendSchema = replySchema.extend({ text: textSchema });
/** A file that came with the call. */
const uploadSchema = z.instanceof(Uint8Array);
const photoSchema = replySchema.extend({
  photo: z.union([z.url({ protocol: /^https$/ }), uploadSchema]),
  caption: z.string().max(1024).default(''),
});
const documentSchema = replySchema.extend({
  document: uploadSchema,
  caption: z.string().max(1024).default(''),
});
const editSchema = placeSchema.extend({
  message_id: z.int(),
  text: textSchema.optional(),
  reply_markup: inlineSchema.optional(),
});
const answerSchema = z.object({ callback_query_id: z.string(), text: z.string().max(200).optional() });

/** The fields of a form: files as bytes, all others as the JSON that they are. */
async function readForm({ headers }: FastifyRequest, body: string | Buffer): Promise<Payload> {
  const type = headers['content-type'] ?? '';
  const form = await new Response(Buffer.from(body), { headers: { 'content-type': type } }).formData();
  const fields: [string, unknown][] = [];
  for (const [name, value] of form) {
    const isText = typeof value === 'string';
    fields.push([name, isText ? asJson(value) : new Uint8Array(await value.arrayBuffer())]);
  }
  return Object.fromEntries(fields);
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A message as the customer sees it now, edits applied; the text of a picture is its caption. */
type ShownMessage = {
  readonly message_id: number;
  readonly chat: number;
  readonly text: string;
  readonly photo?: string | Uint8Array | undefined;
  readonly buttons: readonly (readonly z.infer<typeof buttonSchema>[])[];
};

/**
 * A real HTTP server on 127.0.0.1 that imitates the Bot API: it knows messages, keyboards, edits, callback
 * answers, the webhook and the queue of getUpdates, and refuses what Telegram refuses. Behaviour beyond that
 * is scripted.
 */
export class TelegramDouble {
  url = '';
  readonly token = `${ME.id}:double-token`;
  readonly #app = Fastify({ forceCloseConnections: true });
  readonly #calls: Call[] = [];
  readonly #faults = new Map<string, Fault[]>();
  readonly #files = new Map<string, { readonly path: string; readonly content: Uint8Array }>();
  readonly #news = new EventTarget();
  readonly #messages: ShownMessage[] = [];
  readonly #texts: Pick<ShownMessage, 'chat' | 'text'>[] = [];
  readonly #keyboards = new Map<number, z.infer<typeof keyboardSchema>['keyboard']>();
  readonly #answered = new Set<string>();
  readonly #throttled = new Map<number, number>();
  #updates: Update[] = [];
  #webhook: Webhook | undefined;
  #allowed: readonly string[] | undefined;
  #reported: Payload | undefined;

  async listen(): Promise<this> {
    this.#app.addContentTypeParser(/^multipart\/form-data/, { parseAs: 'buffer' }, readForm);
    this.#app.post('/*', (request, reply) => this.#call(request, reply));
    this.#app.get('/file/*', (request, reply) => this.#file(request, reply));
    this.url = await this.#app.listen({ port: 0, host: '127.0.0.1' });
    return this;
  }

  close = () => this.#app.close();

  /** Calls with the right token, oldest first; of one method or all. */
  calls(method?: string): readonly Call[] {
    return this.#calls.filter((call) => method === undefined || call.method === method);
  }

  /** Resolves with the first call, past or future, that fits. */
  async called(method: string, fits: (payload: Payload) => boolean): Promise<Call> {
    for (;;) {
      const found = this.calls(method).find(({ payload }) => fits(payload));
      if (found) return found;
      await once(this.#news, 'call');
    }
  }

  /** The next calls of a method end so, one after the other; a file is fetched by `file`. */
  script(method: string, ...faults: Fault[]): void {
    this.#faults.set(method, [...(this.#faults.get(method) ?? []), ...faults]);
  }

  /** Refuses all that is written to this chat from now on; `seconds`: how long it asks to wait. */
  throttle(chat: number, seconds: number): void {
    this.#throttled.set(chat, seconds);
  }

  shown = (chat: number) => this.#messages.filter((message) => message.chat === chat);
  /** All that was written to a chat, also by an edit, oldest first. */
  textsTo = (chat: number) => this.#texts.filter((message) => message.chat === chat).map(({ text }) => text);
  /** Labels of the keyboard in place of the customer's own, row by row; empty = none. */
  keyboard = (chat: number) => (this.#keyboards.get(chat) ?? []).map((row) => row.map(({ text }) => text));

  /** What getWebhookInfo says in addition to what was set. */
  report(info: Payload): void {
    this.#reported = info;
  }

  /** Keeps a file; getFile tells its `path`, under which it can be fetched. */
  keep(file: string, content: Uint8Array, path = `photos/${file}.jpg`): void {
    this.#files.set(file, { path, content });
  }

  /** Queues an update for getUpdates. */
  push(update: Update): void {
    this.#updates.push(update);
    this.#news.dispatchEvent(new Event('update'));
  }

  /** Posts an update as Telegram does: to `target`, else to the webhook that was set. */
  async post(update: Update, target = this.#webhook) {
    if (!target) throw new Error('No webhook was set, and no target was given');
    const headers = {
      'content-type': 'application/json',
      'x-telegram-bot-api-secret-token': target.secret,
    };
    const response = await fetch(target.url, { method: 'POST', headers, body: JSON.stringify(update) });
    return { status: response.status, body: await response.text() };
  }

  async #call(request: FastifyRequest, reply: FastifyReply) {
    const [, token, method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url) ?? [];
    if (token !== this.token) return send(reply, { code: 401, description: 'Unauthorized' });
    const payload = payloadSchema.parse(request.body ?? {});
    const fault = this.#note({ method, payload });
    if (fault === 'hang') return reply.hijack();
    if (fault === 'garbage') return reply.type('text/html').send('<html>gateway</html>');
    if (typeof fault === 'object') return send(reply, fault);
    const retry_after = this.#throttled.get(Number(payload.chat_id));
    if (retry_after !== undefined) {
      const description = `Too Many Requests: retry after ${retry_after}`;
      return send(reply, { code: 429, description, parameters: { retry_after } });
    }
    const answer = await this.#run(method, payload).catch(() => refused('the double cannot read it'));
    return fault === 'reset' ? cut(request, reply) : send(reply, answer);
  }

  #file(request: FastifyRequest, reply: FastifyReply) {
    const [, token, path] = /^\/file\/bot([^/]+)\/(.+)$/.exec(request.url) ?? [];
    const fault = this.#note({ method: 'file', payload: { path } });
    if (fault === 'reset') return cut(request, reply);
    if (typeof fault === 'object')
      return reply
        .code(fault.code)
        .headers(fault.headers ?? {})
        .send();
    const file = [...this.#files.values()].find((one) => one.path === path);
    if (!file || token !== this.token) return reply.code(404).send();
    return reply.type('application/octet-stream').send(Buffer.from(file.content));
  }

  /** Remembers a call; gives what is scripted for it. */
  #note(call: Call): Fault | undefined {
    this.#calls.push(call);
    this.#news.dispatchEvent(new Event('call'));
    return this.#faults.get(call.method)?.shift();
  }

  async #run(method: string, payload: Payload): Promise<Answer> {
    switch (method) {
      case 'getMe':
        return { result: ME };
      case 'getUpdates':
        return this.#poll(pollSchema.parse(payload));
      case 'setWebhook': {
        const { url, secret_token: secret, allowed_updates } = webhookSchema.parse(payload);
        this.#webhook = { url, secret };
        this.#allowed = allowed_updates;
        return TAKEN;
      }
      case 'deleteWebhook':
        this.#webhook = undefined;
        return TAKEN;
      case 'getWebhookInfo':
        return {
          result: {
            url: this.#webhook?.url ?? '',
            pending_update_count: this.#updates.length,
            ...(this.#webhook && this.#allowed && { allowed_updates: this.#allowed }),
            ...this.#reported,
          },
        };
      case 'getChat':
        return { result: { id: payload.chat_id, type: 'supergroup' } };
      case 'getFile': {
        const file = this.#files.get(String(payload.file_id));
        if (!file) return refused('wrong file_id');
        return { result: { file_id: '', file_unique_id: '', file_path: file.path } };
      }
      case 'sendMessage':
        return this.#show(sendSchema.parse(payload));
      case 'sendPhoto': {
        const { photo, caption: text, ...to } = photoSchema.parse(payload);
        return this.#show({ ...to, text }, photo);
      }
      case 'sendDocument': {
        const { caption: text, ...to } = documentSchema.parse(payload);
        return this.#show({ ...to, text });
      }
      case 'editMessageText':
      case 'editMessageReplyMarkup':
        return this.#edit(editSchema.parse(payload));
      case 'answerCallbackQuery': {
        const { callback_query_id: query } = answerSchema.parse(payload);
        if (this.#answered.has(query)) return refused('query is too old');
        this.#answered.add(query);
        return TAKEN;
      }
      case 'sendChatAction':
      case 'setMyCommands':
      case 'setMyDescription':
      case 'setMyShortDescription':
        return TAKEN;
      default:
        return { code: 404, description: 'Not Found: method not found' };
    }
  }

  async #poll({ offset, timeout }: z.infer<typeof pollSchema>): Promise<Answer> {
    if (this.#webhook)
      return { code: 409, description: "Conflict: can't use getUpdates method while webhook is active" };
    this.#updates = this.#updates.filter(({ update_id }) => update_id >= offset);
    if (this.#updates.length === 0 && timeout > 0) {
      const late = new AbortController();
      await Promise.race([once(this.#news, 'update', late), sleep(timeout * 1000, undefined, late)]);
      late.abort();
    }
    return { result: this.#updates.filter(({ update_id }) => update_id >= offset) };
  }

  #show(
    { chat_id: chat, text, reply_markup: markup }: z.infer<typeof sendSchema>,
    photo?: ShownMessage['photo'],
  ): Answer {
    if (markup && 'keyboard' in markup) this.#keyboards.set(chat, markup.keyboard);
    if (markup && 'remove_keyboard' in markup) this.#keyboards.delete(chat);
    const buttons = markup && 'inline_keyboard' in markup ? markup.inline_keyboard : [];
    return this.#put(this.#messages.length, {
      message_id: 101 + this.#messages.length,
      chat,
      text,
      photo,
      buttons,
    });
  }

  #edit({ chat_id: chat, message_id, text, reply_markup: markup }: z.infer<typeof editSchema>): Answer {
    const at = this.#messages.findIndex(
      (message) => message.chat === chat && message.message_id === message_id,
    );
    const old = this.#messages[at];
    if (!old) return refused('message to edit not found');
    if (old.photo && text !== undefined) return refused('there is no text in the message to edit');
    const next = { ...old, text: text ?? old.text, buttons: markup?.inline_keyboard ?? [] };
    return JSON.stringify(next) === JSON.stringify(old)
      ? refused('message is not modified: specified new message content is exactly the same')
      : this.#put(at, next);
  }

  #put(at: number, message: ShownMessage): Answer {
    const { chat, message_id, text } = message;
    if (text !== this.#messages[at]?.text) this.#texts.push({ chat, text });
    this.#messages[at] = message;
    return { result: { message_id, date: 1_790_000_000, chat: { id: chat }, text } };
  }
}

export const startTelegramDouble = (): Promise<TelegramDouble> => new TelegramDouble().listen();

function cut(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack();
  request.raw.socket.destroy();
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  if ('result' in answer) return reply.send({ ok: true, result: answer.result });
  const { code, description, ...more } = answer;
  return reply.code(code).send({ ok: false, error_code: code, description, ...more });
}
