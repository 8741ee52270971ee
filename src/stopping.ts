import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Channel } from './channels/channel.ts';
import { comeLater } from './http/problem.ts';
import type { Log } from './observe.ts';
import type { Turns } from './turns/turns.ts';

/** How long requests under way may take once everything else has stopped, and how long what is closed may take to end. */
const LAST_REQUESTS_MS = 1000;
const CLOSE_MS = 500;
/** What is left of this, at the end of a stop, is for sending the last spans. */
const STOP_MS = 9_500;

type Closable = { close(): Promise<void> };

/** What a stop ends. */
export type Running = {
  readonly turns: Pick<Turns, 'stop'>;
  readonly channels: readonly Pick<Channel, 'name' | 'stop' | 'close'>[];
  readonly servers: readonly FastifyInstance[];
  readonly backend: Closable;
  readonly photoReader: Closable;
  readonly stores: Closable;
  readonly telemetry: Closable | undefined;
  readonly log: Log;
};

/** Ends everything, what others still need last (docs/design.md, "Stopping"). */
export async function stopInOrder(running: Running): Promise<void> {
  const { turns, channels, servers, backend, photoReader, stores, telemetry, log } = running;
  const startMs = performance.now();
  // Both go on to the end: while turns finish, their replies still need the channels' connections.
  await Promise.all([turns.stop(), ...channels.map((channel) => channel.stop?.())]);
  await Promise.all([
    ...servers.map(closeServer),
    ...channels.map(async (channel) => {
      await inTime(channel.close?.());
      log.info({ channel: channel.name }, 'channel stopped');
    }),
  ]);
  await Promise.all([inTime(backend.close()), inTime(photoReader.close())]);
  await inTime(stores.close());
  await inTime(telemetry?.close(), STOP_MS - (performance.now() - startMs));
}

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

/** Waits for what ends, but not forever: what does not answer must not keep the process alive. */
async function inTime(ending: Promise<void> | undefined, withinMs = CLOSE_MS): Promise<void> {
  const enough = new AbortController();
  await Promise.race([
    ending,
    delay(Math.max(0, withinMs), undefined, { signal: enough.signal }).catch(() => {}),
  ]);
  enough.abort();
}

/**
 * Node does not take a connection for idle that a client opened in advance: such connections get a moment, then they are
 * closed.
 */
async function closeServer(server: FastifyInstance): Promise<void> {
  const late = setTimeout(() => server.server.closeAllConnections(), LAST_REQUESTS_MS);
  await server.close();
  clearTimeout(late);
}
