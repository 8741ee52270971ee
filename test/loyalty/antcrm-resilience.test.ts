import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { MadeCall } from '../../src/loyalty/antcrm.ts';
import { ACCUMULATION, openAntCrm, POINTS, redemption } from '../support/antcrm.ts';
import { serve, serveTcp } from '../support/server.ts';

/** An AntCRM that is ill until it is cured, and what it was asked. */
async function patient(status = 500) {
  const asked: string[] = [];
  let ill = true;
  const server = await serve((request, response) => {
    asked.push(request.url?.split('?')[0] ?? '');
    if (ill) return response.writeHead(status).end();
    return response.end(request.method === 'POST' ? '{"success":1}' : '[]');
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const cure = () => {
    ill = false;
  };
  return { server, asked, cure };
}

describe('the circuit breaker', () => {
  test('opens after five failures, then nothing is called', async () => {
    const { server, asked } = await patient();
    const { antCrm, reports } = openAntCrm(server.url, { breakerMs: 60_000 });
    for (let n = 0; n < 5; n++) expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unknown' });
    expect(reports.breaker).toEqual(['open']);
    expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
    expect(await antCrm.accumulate(ACCUMULATION)).toMatchObject({ kind: 'unavailable' });
    expect(await antCrm.history(POINTS)).toMatchObject({ ok: false, reason: 'unavailable' });
    expect(asked).toEqual(Array(5).fill('/redeem'));
  });

  test('finds out by itself that AntCRM is well again: with a read, never with a redemption', async () => {
    const { server, asked, cure } = await patient();
    const { antCrm, reports } = openAntCrm(server.url, { breakerMs: 20 });
    for (let n = 0; n < 5; n++) await antCrm.redeem(redemption());
    asked.length = 0;
    expect(antCrm.isUp()).toBe(false);
    await expect.poll(() => reports.breaker.slice(0, 3)).toEqual(['open', 'half-open', 'open']);
    expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
    cure();
    await expect.poll(() => antCrm.isUp()).toBe(true);
    expect(new Set(asked)).toEqual(new Set(['/history-point']));
    expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'applied' });
  });

  test.each([400, 401, 404, 429])('does not mind status %i', async (status) => {
    const { server, asked } = await patient(status);
    const { antCrm, reports } = openAntCrm(server.url);
    for (let n = 0; n < 8; n++) await antCrm.accumulate(ACCUMULATION);
    expect(asked).toHaveLength(8);
    expect(reports.breaker).toEqual([]);
  });
});

describe('the bulkhead', () => {
  test('sends a call away after a second, without calling', async () => {
    let asked = 0;
    await using server = await serve(() => void asked++);
    const { antCrm } = openAntCrm(server.url, { maxCalls: 1, timeoutMs: 1500 });
    const first = antCrm.accumulate(ACCUMULATION);
    expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
    expect(await first).toMatchObject({ kind: 'unknown' });
    expect(asked).toBe(1);
  });
});

describe('retries', () => {
  test('are within a budget, so that an outage is not made worse', async () => {
    let asked = 0;
    await using server = await serveTcp((socket) => {
      asked++;
      socket.destroy();
    });
    const { antCrm } = openAntCrm(server.url, { maxCalls: 100, timeoutMs: 30_000 });
    await Promise.all(Array.from({ length: 30 }, () => antCrm.history(POINTS)));
    expect(asked).toBeGreaterThan(35);
    expect(asked).toBeLessThanOrEqual(30 + 10 + 3);
  });
});

describe('a look into a turn shows every attempt', () => {
  /** An adapter of short calls, and what it tells of them: status or reason, and outcome. */
  function watched(url: string, options: Parameters<typeof openAntCrm>[1] = {}) {
    const calls: MadeCall[] = [];
    const { antCrm } = openAntCrm(url, { ...options, watchedCalls: { getStore: () => calls } });
    const told = () => calls.map(({ status, reason, outcome }) => `${status ?? reason} ${outcome}`);
    return { antCrm, calls, told };
  }

  test('to read, the failed ones before the one that succeeded, each with its own time', async () => {
    const answers: [status: number, body: string][] = [
      [500, ''],
      [200, '[{'],
      [200, '[]'],
    ];
    await using server = await serve(async (_request, response) => {
      const [status = 500, body] = answers.shift() ?? [];
      if (status === 500) await delay(500);
      response.writeHead(status).end(body);
    });
    const { antCrm, calls, told } = watched(server.url);
    expect(await antCrm.history(POINTS)).toMatchObject({ ok: true });
    expect(told()).toEqual(['500 unavailable', '200 unreadable', '200 ok']);
    expect(new Set(calls.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set(['GET /history-point?type=point&phone=0867123456&page=1']),
    );
    // By different clocks, a timer may ring before its time.
    expect(calls[0]?.ms).toBeGreaterThan(490);
    expect(calls[2]?.ms).toBeLessThan(490);
  });
});
