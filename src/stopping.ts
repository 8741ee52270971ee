import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { comeLater } from './channels/shared/problem.ts';

/** How long requests under way may take once everything else has stopped, and how long what is closed may take to end. */
const LAST_REQUESTS_MS = 1000;
const CLOSE_MS = 500;

/** Once begun, requests are answered 503: another process takes them. This one lives, and can be measured, until its end. */
export function turnAwayRequests(servers: readonly FastifyInstance[]): { begin(): void } {
  let begun = false;
  for (const server of servers) {
    server.addHook('onRequest', async ({ url }, reply) => {
      if (!begun || url === '/health/live' || url === '/metrics') return;
      return comeLater(reply.header('connection', 'close'), 503, 'The server is stopping.');
    });
  }
  return {
    begin() {
      begun = true;
    },
  };
}

/** Waits for what ends, but not for ever: who does not answer must not keep the process. */
export async function inTime(ending: Promise<void> | undefined, withinMs = CLOSE_MS): Promise<void> {
  const enough = new AbortController();
  await Promise.race([
    ending,
    delay(Math.max(0, withinMs), undefined, { signal: enough.signal }).catch(() => {}),
  ]);
  enough.abort();
}

/** Connections that a client opened ahead and sent nothing on are not idle for Node: they get a moment, then an end. */
export async function closeServer(server: FastifyInstance): Promise<void> {
  const late = setTimeout(() => server.server.closeAllConnections(), LAST_REQUESTS_MS);
  await server.close();
  clearTimeout(late);
}
