import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createChats, type MethodAnswer } from './telegram-methods.ts';

export type TelegramDouble = Awaited<ReturnType<typeof startTelegramDouble>>;

type Payload = Readonly<Record<string, unknown>>;
type Call = { readonly method: string; readonly payload: Payload };
export type Update = { readonly update_id: number };
type Webhook = { readonly url: string; readonly secret: string };
export type Posted = { readonly status: number; readonly body: string };

/** `reset`: the call is carried out and the connection cut. `hang`: neither done nor answered. `garbage`: no JSON. */
export type Fault =
  | 'reset'
  | 'hang'
  | 'garbage'
  | {
      readonly code: number;
      readonly description: string;
      /** Of a file only. */
      readonly headers?: Readonly<Record<string, string>>;
      readonly parameters?: Payload;
    };

const ME = { id: 4242, is_bot: true, first_name: 'Loyalty', username: 'LoyaltyTestBot' };

const NOT_FOUND = { code: 404, description: 'Not Found' };
const payloadSchema = z.record(z.string(), z.unknown());
const fileSchema = z.object({ file_id: z.string() });
const pollSchema = z.object({ offset: z.int().default(0), timeout: z.number().default(0) });
const webhookSchema = z.object({
  url: z.string(),
  secret_token: z.string().default(''),
  allowed_updates: z.array(z.string()).optional(),
});

/**
 * A real HTTP server on 127.0.0.1 that imitates the Bot API: it knows messages, keyboards, edits, callback answers,
 * the webhook and the queue of getUpdates, and refuses what Telegram refuses. Behaviour beyond that is scripted. `onDone`
 * hears of every call that was carried out, whatever becomes of its answer.
 */
export async function startTelegramDouble(
  options: { readonly onDone?: ((call: Call) => void) | undefined } = {},
) {
  const token = `${ME.id}:double-token`;
  const chats = createChats();
  const calls: Call[] = [];
  const faults = new Map<string, Fault[]>();
  const news = new EventTarget();
  const files = new Map<string, { readonly path: string; readonly content: Uint8Array }>();
  let updates: Update[] = [];
  let webhook: Webhook | undefined;
  let allowed: readonly string[] | undefined;
  let reported: Readonly<Record<string, unknown>> | undefined;

  async function poll(payload: Payload): Promise<MethodAnswer> {
    if (webhook) {
      return { code: 409, description: "Conflict: can't use getUpdates method while webhook is active" };
    }
    const { offset, timeout } = pollSchema.parse(payload);
    updates = updates.filter(({ update_id }) => update_id >= offset);
    if (updates.length === 0 && timeout > 0) {
      const late = new AbortController();
      await Promise.race([once(news, 'update', late), sleep(timeout * 1000, undefined, late)]);
      late.abort();
    }
    return { result: updates.filter(({ update_id }) => update_id >= offset) };
  }

  async function run(method: string, payload: Payload): Promise<MethodAnswer> {
    switch (method) {
      case 'getMe':
        return { result: ME };
      case 'getUpdates':
        return poll(payload);
      case 'setWebhook': {
        const { url, secret_token: secret, allowed_updates } = webhookSchema.parse(payload);
        webhook = { url, secret };
        allowed = allowed_updates;
        return { result: true };
      }
      case 'getFile': {
        const { file_id } = fileSchema.parse(payload);
        const file = files.get(file_id);
        if (!file) return { code: 400, description: 'Bad Request: wrong file_id' };
        return { result: { file_id, file_unique_id: file_id, file_path: file.path } };
      }
      case 'deleteWebhook':
        webhook = undefined;
        return { result: true };
      case 'getWebhookInfo':
        return {
          result: {
            url: webhook?.url ?? '',
            has_custom_certificate: false,
            pending_update_count: updates.length,
            ...(webhook && allowed && { allowed_updates: allowed }),
            ...reported,
          },
        };
      default:
        return (
          chats.methods.get(method)?.(payload) ?? { code: 404, description: 'Not Found: method not found' }
        );
    }
  }

  /** Remembers a call; gives what is scripted for it. */
  function note(call: Call): Fault | undefined {
    const { method, payload } = call;
    calls.push(call);
    news.dispatchEvent(new Event('call'));
    return faults.get(method)?.shift() ?? faults.get(`${method} ${payload.chat_id}`)?.shift();
  }

  function cut(request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    request.raw.socket.destroy();
  }

  const app = Fastify({ forceCloseConnections: true });
  app.post('/*', async (request, reply) => {
    const [, calledToken, method = ''] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url) ?? [];
    if (calledToken !== token) return answer(reply, { code: 401, description: 'Unauthorized' });
    const call = { method, payload: payloadSchema.parse(request.body ?? {}) };
    const fault = note(call);
    if (fault === 'hang') return reply.hijack();
    if (fault === 'garbage') return reply.type('text/html').send('<html>gateway</html>');
    if (typeof fault === 'object') return answer(reply, fault);
    const done = await run(method, call.payload);
    if ('result' in done) options.onDone?.(call);
    return fault === 'reset' ? cut(request, reply) : answer(reply, done);
  });
  app.get('/file/*', async (request, reply) => {
    const [, calledToken, path] = /^\/file\/bot([^/]+)\/(.+)$/.exec(request.url) ?? [];
    if (calledToken !== token) return answer(reply, NOT_FOUND);
    const fault = note({ method: 'file', payload: { path } });
    if (fault === 'reset') return cut(request, reply);
    if (typeof fault === 'object')
      return reply
        .code(fault.code)
        .headers(fault.headers ?? {})
        .send(fault.description);
    const file = [...files.values()].find((one) => one.path === path);
    if (!file) return answer(reply, NOT_FOUND);
    return reply.type('application/octet-stream').send(Buffer.from(file.content));
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });

  return {
    url,
    token,
    /** Calls with the right token, oldest first; of one method or all. */
    calls: (method?: string): readonly Call[] =>
      calls.filter((call) => method === undefined || call.method === method),
    /** Resolves with the first call, past or future, that fits. */
    async called(method: string, fits: (payload: Payload) => boolean = () => true): Promise<Call> {
      for (;;) {
        const found = calls.find((call) => call.method === method && fits(call.payload));
        if (found) return found;
        await once(news, 'call');
      }
    },
    /** The next calls of a method end so, one after the other; `sendMessage 42`: those about chat 42. */
    script: (method: string, ...more: Fault[]) =>
      void faults.set(method, [...(faults.get(method) ?? []), ...more]),
    /** What a chat shows now, and the keyboard in place of the customer's own. */
    shown: chats.shown,
    keyboard: chats.keyboard,
    /** What getWebhookInfo says beside what was set; undefined takes it back. */
    report(info: Readonly<Record<string, unknown>> | undefined) {
      reported = info;
    },
    /** Keeps a file; getFile tells its `path`, under which it can be fetched (a call `file`). */
    keep: (file: string, content: Uint8Array, path = `photos/${file}.jpg`) =>
      void files.set(file, { path, content }),
    /** Queues an update for getUpdates. */
    push(update: Update) {
      updates.push(update);
      news.dispatchEvent(new Event('update'));
    },
    /** Posts an update as Telegram does: to `target`, else to the webhook that was set. */
    async post(update: Update, target = webhook): Promise<Posted> {
      if (!target) throw new Error('No webhook was set, and no target was given');
      return postUpdate(update, target);
    },
    close: () => app.close(),
  };
}

async function postUpdate(update: Update, { url, secret }: Webhook): Promise<Posted> {
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(update) });
  return { status: response.status, body: await response.text() };
}

function answer(reply: FastifyReply, done: MethodAnswer | Exclude<Fault, string>): FastifyReply {
  if ('result' in done) return reply.send({ ok: true, result: done.result });
  const { code, description, ...more } = done;
  return reply.code(code).send({ ok: false, error_code: code, description, ...more });
}
