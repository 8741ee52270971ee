import { describe, expect, test } from 'vitest';
import { createRemoteClock } from '../../src/loyalty/clock.ts';
import { openAntCrm, redemption } from '../support/antcrm.ts';
import { serve } from '../support/server.ts';

const BY_PHONE = { kind: 'phone', value: '+84867123456' } as const;
const POINTS = { type: 'point', by: BY_PHONE, page: 1 } as const;
const HOUR_MS = 3_600_000;
const NOW = Date.UTC(2026, 10, 25, 8, 47);

/** A clock that hears answers after `tookMs` of AntCRM, `aheadMs` ahead of our monotonic one. */
function listener() {
  let nowMs = 0;
  const remote = createRemoteClock({ monotonicMs: () => nowMs });
  return {
    remote,
    pass(ms: number) {
      nowMs += ms;
    },
    answer(aheadMs: number | null, tookMs = 100) {
      const sentMs = nowMs;
      nowMs += tookMs;
      const atMs = sentMs + tookMs / 2 + (aheadMs ?? 0);
      const date = aheadMs === null ? undefined : new Date(atMs).toUTCString();
      remote.note(date, sentMs, nowMs);
      return remote.read();
    },
  };
}

describe('AntCRM’s clock', () => {
  test('is known from one answer, within a second', () => {
    for (const ms of [0, 1, 499, 500, 999]) {
      const read = listener().answer(NOW + ms);
      expect(read).toMatchObject({ kind: 'known', errorMs: 1000 });
      if (read.kind === 'known') expect(Math.abs(read.aheadMs - NOW - ms)).toBeLessThanOrEqual(500);
    }
  });

  test('is no other because of one wrong answer, and is another after a few', () => {
    const { answer } = listener();
    for (let n = 0; n < 4; n++) answer(NOW);
    const near = (ms: number, read = answer(ms)) =>
      read.kind === 'known' ? Math.round((read.aheadMs - NOW) / HOUR_MS) : Number.NaN;
    expect(near(NOW + HOUR_MS)).toBe(0);
    for (let n = 0; n < 2; n++) answer(NOW + HOUR_MS);
    expect(near(NOW + HOUR_MS)).toBe(1);
  });

  test('is told by slow answers only where there are no quicker ones', () => {
    const { answer } = listener();
    expect(answer(NOW, 6000)).toMatchObject({ errorMs: 3500 });
    const { answer: another } = listener();
    another(NOW);
    expect(another(NOW + HOUR_MS, 6000)).toMatchObject({ errorMs: 1000 });
  });

  test('is not known any more when it has not answered for long, nor where its answers do not tell it', () => {
    const { remote, answer, pass } = listener();
    expect(remote.read()).toEqual({ kind: 'unasked' });
    expect(answer(NOW).kind).toBe('known');
    expect(answer(null).kind).toBe('known');
    pass(HOUR_MS);
    expect(remote.read()).toEqual({ kind: 'unasked' });
    expect(answer(null)).toEqual({ kind: 'untold' });
  });
});

describe('the header Date', () => {
  test('is read from every answer, a refusal of any kind included', async () => {
    await using server = await serve((request, response) => {
      response.setHeader('date', new Date(Date.now() + HOUR_MS).toUTCString());
      response.statusCode = request.url?.startsWith('/history') ? 500 : 200;
      response.end('{"success":1}');
    });
    const calls = [
      (one: ReturnType<typeof openAntCrm>) => one.antCrm.history(POINTS),
      (one: ReturnType<typeof openAntCrm>) => one.antCrm.redeem(redemption()),
      (one: ReturnType<typeof openAntCrm>) => one.antCrm.contact(BY_PHONE),
    ];
    for (const call of calls) {
      const opened = openAntCrm(server.url);
      expect(opened.antCrm.clock()).toEqual({ kind: 'unasked' });
      await call(opened);
      const clock = opened.antCrm.clock();
      if (clock.kind !== 'known') throw new Error(`it is ${clock.kind}`);
      expect(Math.abs(clock.aheadMs + performance.now() - Date.now() - HOUR_MS)).toBeLessThan(1500);
    }
  });

  test.each([undefined, 'soon'])('that is %s tells nothing', async (date) => {
    await using server = await serve((_, response) => {
      response.sendDate = false;
      if (date) response.setHeader('date', date);
      response.end('[]');
    });
    const { antCrm } = openAntCrm(server.url);
    await antCrm.history(POINTS);
    expect(antCrm.clock()).toEqual({ kind: 'untold' });
  });
});
