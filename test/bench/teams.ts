import { once } from 'node:events';
import { createServer } from 'node:http';
import { Pool } from 'undici';
import type { Telegram } from './telegram.ts';

const ANSWER_MS = 10_000;
const CONNECTIONS = 100;

/**
 * As little of the Bot Connector as the load needs, so that it takes little of the bot's processor: it keeps nothing. On
 * Teams every text of the load is answered by one message.
 */
export async function startTeams(): Promise<Telegram> {
  const waiting = new Map<string, (atMs: number) => void>();
  let lastActivity = 0;

  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    response.setHeader('content-type', 'application/json');
    response.end('{"id":"1"}');
    const [, chat = ''] =
      /^\/connector\/v3\/conversations\/([^/]+)\/activities/.exec(request.url ?? '') ?? [];
    const isMessage = request.method === 'POST' && Buffer.concat(parts).includes('"type":"message"');
    const done = isMessage ? waiting.get(chat) : undefined;
    waiting.delete(chat);
    done?.(performance.now());
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const serviceUrl = `http://127.0.0.1:${address.port}/connector/`;

  function answered(chat: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`chat ${chat} got no answer`)), ANSWER_MS);
      const done = (atMs: number): void => {
        clearTimeout(late);
        resolve(atMs);
      };
      waiting.set(chat, done);
    });
  }

  return {
    env: { TEAMS_AUTH: 'off' },
    close: () => server.close().closeAllConnections(),
    connect(botUrl) {
      const pool = new Pool(botUrl, { connections: CONNECTIONS });
      const headers = { 'content-type': 'application/json' };

      async function post(chat: string, text: string): Promise<number> {
        const body = JSON.stringify(activity(++lastActivity, chat, text, serviceUrl));
        const response = await pool.request({ path: '/webhooks/teams', method: 'POST', headers, body });
        const atMs = performance.now();
        await response.body.dump();
        if (response.statusCode >= 300) throw new Error(`the webhook answered ${response.statusCode}`);
        return atMs;
      }

      return {
        async ask(number, text) {
          const chat = `a${number}`;
          const startMs = performance.now();
          const [turnedMs, acceptedMs] = await Promise.all([answered(chat), post(chat, text)]);
          return { acceptMs: acceptedMs - startMs, turnMs: turnedMs - startMs };
        },
        close: () => pool.close(),
      };
    },
  };
}

/** A private text as Teams sends it. */
function activity(number: number, chat: string, text: string, serviceUrl: string): object {
  const tenant = { id: '72f988bf-86f1-41af-91ab-2d7cd011db47' };
  return {
    text,
    textFormat: 'plain',
    type: 'message',
    timestamp: '2026-11-25T08:47:00.000Z',
    localTimestamp: '2026-11-25T15:47:00.000+07:00',
    id: String(1_790_000_000_000 + number),
    channelId: 'msteams',
    serviceUrl,
    from: { id: `29:${chat}`, name: 'Garnacho', aadObjectId: `00000000-0000-4000-8000-${chat}` },
    conversation: { conversationType: 'personal', tenantId: tenant.id, id: chat },
    recipient: { id: '28:bot', name: 'Loyalty' },
    entities: [
      { locale: 'vi-VN', country: 'VN', platform: 'Web', timezone: 'Asia/Ho_Chi_Minh', type: 'clientInfo' },
    ],
    channelData: { tenant },
    locale: 'vi-VN',
  };
}
