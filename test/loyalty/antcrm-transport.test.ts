import { subscribe } from 'node:diagnostics_channel';
import type { RequestListener } from 'node:http';
import { describe, expect, test } from 'vitest';
import { ACCUMULATION, BY_PHONE, openAntCrm, POINTS, redemption } from '../support/antcrm.ts';
import { closedPort, serve, serveTcp } from '../support/server.ts';

const success: RequestListener = (request, response) => {
  response.setHeader('content-type', 'application/json');
  response.end(request.method === 'POST' ? '{"success":1}' : '[]');
};

describe('connections', () => {
  test('are kept alive, but a redemption gets one of its own', async () => {
    const closing: (string | undefined)[] = [];
    await using server = await serve((request, response) => {
      if (request.url === '/redeem') closing.push(request.headers.connection);
      success(request, response);
    });
    const { antCrm } = openAntCrm(server.url);
    for (let n = 0; n < 5; n++) {
      await antCrm.history(POINTS);
      await antCrm.accumulate(ACCUMULATION);
      await antCrm.contact(BY_PHONE);
    }
    const kept = server.connections();
    expect(kept).toBeLessThanOrEqual(2);
    await antCrm.redeem(redemption());
    await antCrm.redeem(redemption());
    expect(server.connections()).toBe(kept + 2);
    await antCrm.history(POINTS);
    expect(server.connections()).toBe(kept + 2);
    expect(closing).toEqual(['close', 'close']);
  });
});

describe('what was surely not sent is unavailable', () => {
  test('a refused connection, tried three times', async () => {
    const { antCrm, reports } = openAntCrm(await closedPort());
    expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
    expect(await antCrm.accumulate(ACCUMULATION)).toMatchObject({ kind: 'unavailable' });
    expect(await antCrm.history(POINTS)).toMatchObject({ ok: false, reason: 'unavailable' });
    expect(reports.logged[0]).toEqual({ call: 'redeem', outcome: 'unavailable', reason: 'ECONNREFUSED' });
  });

  test('a connection that does not come about, be it for its own time-out or the deadline of the call', async () => {
    await using silent = await serveTcp(() => undefined);
    const { antCrm, reports } = openAntCrm(silent.url.replace('http:', 'https:'), { timeoutMs: 4000 });
    const [accumulated, redeemed] = await Promise.all([
      antCrm.accumulate(ACCUMULATION),
      antCrm.redeem(redemption(1500)),
    ]);
    expect([accumulated, redeemed]).toEqual([{ kind: 'unavailable' }, { kind: 'unavailable' }]);
    expect(reports.logged).toContainEqual({
      call: 'redeem',
      outcome: 'unavailable',
      reason: 'UND_ERR_CONNECT_TIMEOUT',
    });
  });

  test('a redemption whose time to be written is over, before or after connecting', async () => {
    await using silent = await serveTcp(() => undefined);
    const { antCrm } = openAntCrm(silent.url.replace('http:', 'https:'), { timeoutMs: 3000 });
    expect(await antCrm.redeem(redemption(-1))).toMatchObject({ kind: 'unavailable' });
    expect(silent.connections()).toBe(0);
    expect(await antCrm.redeem(redemption(1000))).toMatchObject({ kind: 'unavailable' });
    expect(silent.connections()).toBe(1);
  });
});

test('a redemption that connects only after its time to be written is not written', async () => {
  const bytes: Buffer[] = [];
  await using server = await serveTcp((socket) => void socket.on('data', (chunk) => bytes.push(chunk)));
  const { antCrm, reports } = openAntCrm(server.url);
  const connecting = new Promise((resolve) => subscribe('net.client.socket', resolve));
  const redeemed = antCrm.redeem(redemption(500));
  await connecting;
  // The event loop stalls: the connection stands by then, but nobody has looked.
  const start = performance.now();
  while (performance.now() - start < 520);
  expect(await redeemed).toMatchObject({ kind: 'unavailable' });
  expect(reports.logged).toEqual([{ call: 'redeem', outcome: 'unavailable', reason: 'TooLate' }]);
  expect(server.connections()).toBe(1);
  expect(bytes).toEqual([]);
});

test('a redemption whose time is over by the wall clock alone is not written: the machine may have been suspended', async () => {
  const bytes: Buffer[] = [];
  await using server = await serveTcp((socket) => void socket.on('data', (chunk) => bytes.push(chunk)));
  const { antCrm } = openAntCrm(server.url);
  const late = redemption();
  const over = { ...late, writeBefore: { ...late.writeBefore, wallMs: Date.now() - 1 } };
  expect(await antCrm.redeem(over)).toMatchObject({ kind: 'unavailable' });
  const soon = { ...late, writeBefore: { ...late.writeBefore, wallMs: Date.now() + 200 } };
  const redeemed = antCrm.redeem(soon);
  const start = performance.now();
  while (performance.now() - start < 220);
  expect(await redeemed).toMatchObject({ kind: 'unavailable' });
  expect(bytes).toEqual([]);
});

test.each([
  [200_000, 'TimeoutError'],
  [300_000, 'large'],
])(
  'what may have been sent is unknown after an answer of %i bytes that no length ends, and no end either: %s',
  async (bytes, reason) => {
    await using server = await serveTcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n');
        socket.write('x'.repeat(bytes));
      });
    });
    const { antCrm, reports } = openAntCrm(server.url, { timeoutMs: 500 });
    expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unknown' });
    expect(await antCrm.accumulate(ACCUMULATION)).toMatchObject({ kind: 'unknown' });
    expect(reports.logged).toMatchObject([{ reason }, { reason }]);
  },
);
