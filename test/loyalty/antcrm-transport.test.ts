import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type Exchange, Transport } from '../../src/http/transport.ts';
import { ACCUMULATION, openAntCrm, POINTS, redemption } from '../support/antcrm.ts';
import { fc } from '../support/properties.ts';
import { closedPort, serve, serveTcp } from '../support/server.ts';

test('connections are kept alive, but a redemption gets one of its own', async () => {
  await using server = await serve((request, response) => {
    response.end(request.method === 'POST' ? '{"success":1}' : '[]');
  });
  const { antCrm } = openAntCrm(server.url);
  for (let n = 0; n < 5; n++) {
    await antCrm.history(POINTS);
    await antCrm.accumulate(ACCUMULATION);
  }
  const kept = server.connections();
  expect(kept).toBeLessThanOrEqual(2);
  for (let n = 0; n < 2; n++) await antCrm.redeem(redemption());
  await antCrm.history(POINTS);
  expect(server.connections()).toBe(kept + 2);
});

test('a refused connection was surely not sent: it is unavailable, after three tries', async () => {
  const { antCrm, reports } = openAntCrm(await closedPort());
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
  expect(await antCrm.accumulate(ACCUMULATION)).toMatchObject({ kind: 'unavailable' });
  expect(await antCrm.history(POINTS)).toMatchObject({ ok: false, reason: 'unavailable' });
  expect(reports.logged[0]).toEqual({ call: 'redeem', outcome: 'unavailable', reason: 'ECONNREFUSED' });
});

test('a redemption whose time to be written is over is not written, by whichever clock, before or after connecting', async () => {
  const bytes: Buffer[] = [];
  await using server = await serveTcp((socket) => void socket.on('data', (chunk) => bytes.push(chunk)));
  const { antCrm, reports } = openAntCrm(server.url);
  const byWall = (ms: number) => {
    const { writeBefore, ...rest } = redemption();
    return { ...rest, writeBefore: { ...writeBefore, wallMs: Date.now() + ms } };
  };
  for (const over of [redemption(-1), byWall(-1)])
    expect(await antCrm.redeem(over)).toMatchObject({ kind: 'unavailable' });
  expect(server.connections()).toBe(0);
  for (const clock of ['monotonicMs', 'wallMs'] as const) {
    const { writeBefore, ...rest } = redemption();
    const limit = { ...writeBefore };
    const connecting = new Promise((resolve) => subscribe('net.client.socket', resolve));
    const redeemed = antCrm.redeem({ ...rest, writeBefore: limit });
    await connecting;
    // As if the event loop stalled: the connection may stand by then, but the process has not noticed.
    limit[clock] = 0;
    expect(await redeemed).toMatchObject({ kind: 'unavailable' });
    expect(reports.logged.at(-1)).toEqual({ call: 'redeem', outcome: 'unavailable', reason: 'TooLate' });
  }
  expect(server.connections()).toBe(2);
  expect(bytes).toEqual([]);
});

test.each([
  [200_000, 'TimeoutError'],
  [300_000, 'large'],
])('what may have been sent is unknown after an endless answer of %i bytes: %s', async (bytes, reason) => {
  await using server = await serveTcp((socket) => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n${'x'.repeat(bytes)}`);
    });
  });
  const { antCrm, reports } = openAntCrm(server.url, { timeoutMs: 500 });
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unknown' });
  expect(await antCrm.accumulate(ACCUMULATION)).toMatchObject({ kind: 'unknown' });
  expect(reports.logged).toMatchObject([{ reason }, { reason }]);
});

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

/*
 * Linux reports the codes of a connection that does not come about on established ones as well, once it gives
 * up sending again: a code says nothing of what was sent. The client's own sockets are made to report them
 * here.
 */
const CODES = 'EHOSTUNREACH ENETUNREACH ECONNREFUSED ETIMEDOUT ECONNRESET EPIPE ENOTFOUND'.split(' ');
/**
 * What can go wrong with one POST: nothing listens, the connection breaks at a moment, or there is no answer.
 */
const MOMENTS = ['connecting', 'connected', 'written', 'received', 'answering'] as const;
const FAULTS = ['closed port', 'silence', 'end of time', ...MOMENTS] as const;
type Fault = { readonly at: (typeof FAULTS)[number]; readonly code: string; readonly isFresh: boolean };

/** How the POST ended, and whether anything of it was written. */
async function post({ at, code, isFresh }: Fault): Promise<{ kind: Exchange['kind']; isWritten: boolean }> {
  const sockets: Socket[] = [];
  const fail = (socket: Socket) => socket.destroy(Object.assign(new Error(code), { code }));
  const breakAll = () => sockets.forEach(fail);
  await using server = await serve((_request, response) => {
    if (at === 'received') breakAll();
    if (at === 'end of time') response.end('{}');
    if (at !== 'answering') return;
    response.writeHead(200, { 'content-length': '100' });
    response.write('{', breakAll);
  });
  const onSocket = (message: unknown) => {
    const socket = typeof message === 'object' && message !== null && Reflect.get(message, 'socket');
    if (!(socket instanceof Socket)) throw new Error('no socket');
    sockets.push(socket);
    if (at === 'connecting') setImmediate(() => fail(socket));
    if (at === 'connected') socket.prependOnceListener('connect', () => fail(socket));
  };
  const onBody = () => process.nextTick(() => at === 'written' && breakAll());
  subscribe('net.client.socket', onSocket);
  subscribe('undici:request:bodyChunkSent', onBody);
  const transport = new Transport();
  const startMs = performance.now();
  try {
    const { kind } = await transport.exchange({
      method: 'POST',
      path: '/redeem',
      body: '{"code":"DAUMAY01"}',
      maxBytes: 1000,
      origin: at === 'closed port' ? await closedPort() : server.url,
      timeoutMs: at === 'silence' ? 50 : 2000,
      mayBegin: () => at !== 'end of time' || performance.now() - startMs < 1,
      ...(isFresh && { isFresh }),
    });
    return { kind, isWritten: sockets.some(({ bytesWritten }) => bytesWritten > 0) };
  } finally {
    unsubscribe('net.client.socket', onSocket);
    unsubscribe('undici:request:bodyChunkSent', onBody);
    await transport.close();
  }
}

test('a call is "not sent" only if the socket got no byte of it; otherwise a failure is "unknown"', async () => {
  const faults = fc.record({
    at: fc.constantFrom(...FAULTS),
    code: fc.constantFrom(...CODES),
    isFresh: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(faults, async (fault) => {
      const { kind, isWritten } = await post(fault);
      if (kind === 'unsent') expect(isWritten).toBe(false);
      if (kind === 'lost') expect(isWritten).toBe(true);
    }),
    { numRuns: 60 },
  );
});
