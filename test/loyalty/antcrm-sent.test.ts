import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Exchange, Transport } from '../../src/http/transport.ts';
import { ACCUMULATION, openAntCrm, redemption } from '../support/antcrm.ts';
import { fc } from '../support/properties.ts';
import { closedPort, serve, serveTcp } from '../support/server.ts';

/*
 * Linux reports the codes of a connection that does not come about on established ones as well, once it gives up sending
 * again: a code says nothing of what was sent. The client's own sockets are made to report them here.
 */
const CODES = 'EHOSTUNREACH ENETUNREACH ECONNREFUSED ETIMEDOUT ECONNRESET EPIPE ENOTFOUND'.split(' ');
const CONNECTED = 'net.client.socket';
const BODY_SENT = 'undici:request:bodyChunkSent';

let sockets: Socket[] = [];
let onBody: () => void = () => undefined;

const watch = (message: unknown) => void sockets.push(socketOf(message));
const sent = () => process.nextTick(onBody);

beforeEach(() => {
  sockets = [];
  onBody = () => undefined;
  subscribe(CONNECTED, watch);
  subscribe(BODY_SENT, sent);
});
afterEach(() => {
  unsubscribe(CONNECTED, watch);
  unsubscribe(BODY_SENT, sent);
});

function socketOf(message: unknown): Socket {
  const socket = typeof message === 'object' && message !== null && Reflect.get(message, 'socket');
  if (socket instanceof Socket) return socket;
  throw new Error('no socket');
}

const failure = (code: string) => Object.assign(new Error(code), { code });

function breakAll(code: string): void {
  for (const socket of sockets) socket.destroy(failure(code));
}

test('once its body was opened, a call that fails is unknown and is not made again', async () => {
  let asked = 0;
  await using server = await serveTcp((socket) => {
    socket.once('data', () => {
      asked += 1;
      socket.resetAndDestroy();
    });
  });
  const { antCrm } = openAntCrm(server.url);
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unknown' });
  expect(await antCrm.accumulate(ACCUMULATION)).toMatchObject({ kind: 'unknown' });
  expect(asked).toBe(2);
});

test('a redemption is reset at its deadline: what was not sent by then stays unsent', async () => {
  const ended = Promise.withResolvers<unknown>();
  await using server = await serveTcp((socket) => {
    socket.on('error', ended.resolve).on('end', () => ended.resolve('closed'));
  });
  const { antCrm } = openAntCrm(server.url, { timeoutMs: 300 });
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unknown' });
  expect(await ended.promise).toMatchObject({ code: 'ECONNRESET' });
});

/** What can go wrong with one POST: nothing listens, or the connection breaks at a moment, or there is no answer. */
type Fault =
  | { readonly at: 'closed port' | 'silence' | 'end of time' }
  | { readonly at: 'connecting' | 'connected' | 'written' | 'received' | 'answering'; readonly code: string };

const faults: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ at: fc.constantFrom('closed port' as const, 'silence' as const, 'end of time' as const) }),
  fc.record({
    at: fc.constantFrom(...(['connecting', 'connected', 'written', 'received', 'answering'] as const)),
    code: fc.constantFrom(...CODES),
  }),
);

async function post(fault: Fault, isFresh: boolean): Promise<Exchange> {
  const code = 'code' in fault ? fault.code : '';
  await using server = await serve((_request, response) => {
    if (fault.at === 'received') breakAll(code);
    if (fault.at === 'end of time') response.end('{}');
    if (fault.at !== 'answering') return;
    response.writeHead(200, { 'content-length': '100' });
    response.write('{', () => breakAll(code));
  });
  const onSocket = (message: unknown) => {
    const socket = socketOf(message);
    if (fault.at === 'connecting') setImmediate(() => socket.destroy(failure(code)));
    if (fault.at === 'connected') socket.prependOnceListener('connect', () => socket.destroy(failure(code)));
  };
  if (fault.at === 'written') onBody = () => breakAll(code);
  subscribe(CONNECTED, onSocket);
  const origin = fault.at === 'closed port' ? await closedPort() : server.url;
  const transport = new Transport();
  const startMs = performance.now();
  try {
    return await transport.exchange({
      ...{ method: 'POST', origin, path: '/redeem', body: '{"code":"DAUMAY01"}', maxBytes: 1000 },
      timeoutMs: fault.at === 'silence' ? 50 : 2000,
      mayBegin: () => fault.at !== 'end of time' || performance.now() - startMs < 1,
      ...(isFresh && { isFresh }),
    });
  } finally {
    unsubscribe(CONNECTED, onSocket);
    await transport.close();
  }
}

test('not sent means that no byte was handed to the socket; handed and failed means that nobody knows', async () => {
  await fc.assert(
    fc.asyncProperty(faults, fc.boolean(), async (fault, isFresh) => {
      sockets = [];
      onBody = () => undefined;
      const { kind: ended } = await post(fault, isFresh);
      const written = sockets.some(({ bytesWritten }) => bytesWritten > 0);
      if (ended === 'unsent') expect(written).toBe(false);
      if (ended === 'lost') expect(written).toBe(true);
    }),
    { numRuns: 60 },
  );
});
