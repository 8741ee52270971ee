import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ACCUMULATION, openAntCrm, POINTS, redemption } from '../support/antcrm.ts';
import { inPatientTime, patientRuntime } from '../support/patient-time.ts';
import { serve, serveTcp } from '../support/server.ts';

/**
 * An AntCRM that is ill until it is cured, its adapter after five failed redemptions, and what it was asked.
 */
async function patient({ status = 500, breakerMs = 60_000, failures = 5 } = {}) {
  const asked: string[] = [];
  const health = { ill: true };
  const server = await serve((request, response) => {
    asked.push(request.url?.split('?')[0] ?? '');
    if (health.ill) return response.writeHead(status).end();
    return response.end(request.method === 'POST' ? '{"success":1}' : '[]');
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const opened = openAntCrm(server.url, { breakerMs });
  for (let n = 0; n < failures; n++) await opened.antCrm.redeem(redemption());
  return { ...opened, asked, health };
}

test('the circuit breaker opens after five failures, then nothing is called', async () => {
  const { antCrm, reports, asked } = await patient();
  expect(reports.breaker).toEqual(['open']);
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
  expect(await antCrm.accumulate(ACCUMULATION)).toMatchObject({ kind: 'unavailable' });
  expect(await antCrm.history(POINTS)).toMatchObject({ ok: false, reason: 'unavailable' });
  expect(asked).toEqual(Array(5).fill('/redeem'));
});

test('the circuit breaker finds out by itself that AntCRM is well again: with a read, never with a redemption', async () => {
  const { antCrm, reports, asked, health } = await patient({ breakerMs: 20 });
  asked.length = 0;
  expect(antCrm.isUp()).toBe(false);
  await expect.poll(() => reports.breaker.slice(0, 3)).toEqual(['open', 'half-open', 'open']);
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
  health.ill = false;
  await expect.poll(() => antCrm.isUp()).toBe(true);
  expect(new Set(asked)).toEqual(new Set(['/history-point']));
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'applied' });
});

test.each([400, 401, 404, 429])('the circuit breaker does not mind status %i', async (status) => {
  const { asked, reports } = await patient({ status, failures: 8 });
  expect(asked).toHaveLength(8);
  expect(reports.breaker).toEqual([]);
});

test('the bulkhead sends a call away after a second, later ones at once, until it gets a place', async () => {
  let asked = 0;
  await using server = await serve(() => void asked++);
  const { antCrm } = openAntCrm(server.url, { maxCalls: 1, timeoutMs: 1500 });
  const first = antCrm.accumulate(ACCUMULATION);
  expect(await antCrm.redeem(redemption())).toMatchObject({ kind: 'unavailable' });
  const late = antCrm.redeem(redemption());
  expect(await Promise.race([late, first])).toMatchObject({ kind: 'unavailable' });
  expect(await first).toMatchObject({ kind: 'unknown' });
  // It ended and gave its place back, so a call waits for one again.
  const next = antCrm.accumulate(ACCUMULATION);
  const waiting = antCrm.redeem(redemption()).then(() => 'refused');
  expect(await Promise.race([waiting, delay(200, 'waits')])).toBe('waits');
  expect(await next).toMatchObject({ kind: 'unknown' });
  expect(asked).toBe(2);
});

test('retries are within a budget, so that an outage is not made worse, and within the time of their call', async () => {
  let asked = 0;
  await using server = await serveTcp((socket) => {
    asked++;
    socket.destroy();
  });
  const { antCrm } = openAntCrm(server.url, { maxCalls: 100, timeoutMs: 30_000 });
  await Promise.all(Array.from({ length: 30 }, () => antCrm.history(POINTS)));
  expect(asked).toBeGreaterThan(35);
  expect(asked).toBeLessThanOrEqual(30 + 10 + 3);
  asked = 0;
  await openAntCrm(server.url, { timeoutMs: 500 }).antCrm.history(POINTS);
  expect(asked).toBe(1);
});

test('a try that comes late has only what is left of the time of its call', async () => {
  let asked = 0;
  await using server = await serveTcp(async (socket) => {
    // The first try is cut late, the second one gets no answer.
    if (++asked === 1) setTimeout(() => socket.destroy(), 1000);
  });
  const { antCrm } = openAntCrm(server.url, { timeoutMs: 2000, runtime: patientRuntime });
  const tookMs = await inPatientTime(async () => {
    const startMs = Date.now();
    expect(await antCrm.history(POINTS)).toMatchObject({ ok: false, reason: 'unavailable' });
    return Date.now() - startMs;
  });
  expect(asked).toBe(2);
  expect(tookMs).toBeLessThan(2500);
});
