import { describe, expect, test } from 'vitest';
import type { AnswerTime } from '../../src/loyalty/port.ts';
import { openAntCrm, POINTS, redemption } from '../support/antcrm.ts';
import { serve } from '../support/server.ts';
import { createKit, PHONE, START_MS } from './operations.doubles.ts';

const HOUR_MS = 3_600_000;

describe('AntCRM’s clock is kept with the lookup, as the last answer before the call shows it', () => {
  /** What is stored where the contact and then the baseline are answered at these times. */
  async function measure(contact: AnswerTime | undefined, baseline: AnswerTime | undefined) {
    const { antcrm, perform } = createKit();
    antcrm.fate = 'lost';
    antcrm.contact = async () => ({
      ok: true,
      value: { customerId: '475', phones: [], emails: [] },
      time: contact,
    });
    antcrm.history = async () => ({ ok: true, value: { records: [], full: false }, time: baseline });
    const outcome = await perform({ kind: 'redeem', operation: 'op-1', gift: 'DAUMAY01', by: PHONE });
    return outcome.kind === 'unknown' ? outcome.lookup : undefined;
  }
  const told = (aheadMs: number, tookMs = 0): AnswerTime => ({ dateMs: START_MS + aheadMs, tookMs });
  const untold: AnswerTime = { dateMs: undefined, tookMs: 0 };

  test.each<[string, AnswerTime | undefined, AnswerTime | undefined, object | undefined]>([
    ['is half a second behind what it cut off', told(HOUR_MS), told(-500), { ms: 0, errorMs: 1000 }],
    [
      'is as unsure as the round trip was long',
      told(0),
      told(HOUR_MS, 6000),
      { ms: HOUR_MS + 3500, errorMs: 3500 },
    ],
    [
      'is the answer before, where the last one has no Date',
      told(HOUR_MS),
      untold,
      { ms: HOUR_MS + 500, errorMs: 1000 },
    ],
    ['is not known where no answer has one', untold, untold, undefined],
  ])('%s', async (_, contact, baseline, skew) => {
    expect((await measure(contact, baseline))?.skew).toEqual(skew);
  });

  test('and decides from when on the history is read', async () => {
    const fromMs = START_MS + HOUR_MS + 500 - 35 * 60_000;
    expect(await measure(told(HOUR_MS), untold)).toMatchObject({ fromMs });
  });

  test('or as the answer to the call shows it, where nothing was asked before', async () => {
    const { antcrm, perform } = createKit();
    antcrm.accumulate = async () => ({ kind: 'unknown', time: told(HOUR_MS) });
    const phone = { value: PHONE.value, proved: false };
    expect(
      await perform({ kind: 'accumulate', operation: 'op-1', code: 'TIVI000000017', phone }),
    ).toMatchObject({
      lookup: { skew: { ms: HOUR_MS + 500, errorMs: 1000 } },
    });
  });
});

describe('the header Date', () => {
  test('is read from every answer, a refusal of any kind included', async () => {
    await using server = await serve((request, response) => {
      response.setHeader('date', new Date(Date.now() + HOUR_MS).toUTCString());
      response.statusCode = request.url?.startsWith('/history') ? 500 : 200;
      response.end('{"success":1}');
    });
    const { antCrm } = openAntCrm(server.url);
    for (const call of [antCrm.history(POINTS), antCrm.redeem(redemption()), antCrm.contact(PHONE)]) {
      const { time } = await call;
      expect(Math.abs((time?.dateMs ?? 0) - Date.now() - HOUR_MS)).toBeLessThan(2500);
      expect(time?.tookMs).toBeGreaterThan(0);
    }
  });

  test.each([undefined, 'soon'])('that is %s tells nothing', async (date) => {
    await using server = await serve((_, response) => {
      response.sendDate = false;
      if (date) response.setHeader('date', date);
      response.end('[]');
    });
    const { antCrm } = openAntCrm(server.url);
    expect((await antCrm.history(POINTS)).time).toMatchObject({ dateMs: undefined });
  });
});
