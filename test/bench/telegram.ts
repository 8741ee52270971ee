import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';

/** As little of Telegram as the load needs, so that it takes little of the bot's processor: it keeps nothing. */
export type Telegram = {
  /** The bot's environment. */
  readonly env: Readonly<Record<string, string>>;
  close(): void;
  /** A line to one bot's webhook. */
  connect(botUrl: string): Line;
};

export type Line = {
  /** Posts a text and waits for so many messages to that chat. Rejects if the bot refuses it or says nothing. */
  ask(chat: number, text: string, messages: number): Promise<Timing>;
  close(): Promise<void>;
};

/** From the update's posting: to the 2xx, and to the last message of the answer; ms. */
export type Timing = { readonly acceptMs: number; readonly turnMs: number };

const SECRET = 'bench-secret';
const ANSWER_MS = 30_000;
const CONNECTIONS = 100;

export async function startTelegram(): Promise<Telegram> {
  const waiting = new Map<number, { left: number; done(atMs: number): void }>();
  let lastUpdate = 0;

  function arrived(chat: number): void {
    const one = waiting.get(chat);
    if (one === undefined || --one.left > 0) return;
    waiting.delete(chat);
    one.done(performance.now());
  }

  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const asked = request.url?.endsWith('/sendMessage') === true;
    const chat = asked ? Number(/"chat_id":(\d+)/.exec(Buffer.concat(parts).toString())?.[1]) : 0;
    response.setHeader('content-type', 'application/json');
    response.end(`{"ok":true,"result":{"message_id":1,"username":"BenchBot","chat":{"id":${chat}}}}`);
    if (asked) arrived(chat);
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  function answered(chat: number, messages: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`chat ${chat} waits for ${waiting.get(chat)?.left} messages`)),
        ANSWER_MS,
      );
      const done = (atMs: number): void => {
        clearTimeout(late);
        resolve(atMs);
      };
      waiting.set(chat, { left: messages, done });
    });
  }

  return {
    env: {
      TELEGRAM_BOT_TOKEN: '4242:bench-token',
      TELEGRAM_API_ROOT: `http://127.0.0.1:${address.port}`,
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      // The bot is measured, not the pace.
      TELEGRAM_MESSAGES_PER_SECOND: '10000',
      TELEGRAM_CHAT_BURST: '10000',
    },
    close: () => server.close().closeAllConnections(),
    connect(botUrl) {
      const pool = new Pool(botUrl, { connections: CONNECTIONS });
      const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': SECRET };

      async function post(chat: number, text: string): Promise<number> {
        const body = JSON.stringify(update(++lastUpdate, chat, text));
        const request = { path: '/webhooks/telegram', method: 'POST', headers, body } as const;
        for (;;) {
          const response = await pool.request(request);
          const atMs = performance.now();
          await response.body.dump();
          if (response.statusCode === 200) return atMs;
          if (response.statusCode !== 503) throw new Error(`the webhook answered ${response.statusCode}`);
          // The store was too slow: as Telegram does, wait and send it again. All of it counts as accepting.
          await delay(Number(response.headers['retry-after']) * 1000);
        }
      }

      return {
        async ask(chat, text, messages) {
          const startMs = performance.now();
          const [turnedMs, acceptedMs] = await Promise.all([answered(chat, messages), post(chat, text)]);
          return { acceptMs: acceptedMs - startMs, turnMs: turnedMs - startMs };
        },
        close: () => pool.close(),
      };
    },
  };
}

/** A private text as Telegram sends it. */
function update(updateId: number, chat: number, text: string): object {
  const from = { id: chat, is_bot: false, first_name: 'Garnacho', last_name: 'Thong', language_code: 'vi' };
  return {
    update_id: updateId,
    message: {
      message_id: updateId,
      from,
      chat: { id: chat, first_name: 'Garnacho', last_name: 'Thong', type: 'private' },
      date: 1_790_000_000,
      text,
    },
  };
}
