import { expect, test } from 'vitest';
import { createSharedQuotas } from '../../../src/store/quota.ts';
import { storedName } from '../../../src/store/redis/records.ts';
import { adminOf, openRecords, ownRedis } from './kit.ts';

const TEN_MINUTES_MS = 600_000;

/** A quota, and what its keys are ten minutes after the clock of its Redis was put back by as much. */
async function startQuota() {
  const server = await ownRedis();
  const { connection } = await openRecords(server.url);
  const raw = adminOf(server);
  async function putClockBack(): Promise<void> {
    for (const key of await raw.keys('*p:*')) {
      for (const [field, value] of Object.entries(await raw.hgetall(key))) {
        if (Number(value) > 1e9) await raw.hset(key, field, Number(value) + TEN_MINUTES_MS);
      }
      await raw.pexpire(key, (await raw.pttl(key)) + TEN_MINUTES_MS);
    }
  }
  return {
    quota: createSharedQuotas((name, args) => connection.run('quota', [storedName(`p:${name}`)], args))(
      'bot',
      30,
    ),
    putClockBack,
  };
}

const one = { sent: 0, wanted: 1, withinMs: 1500 };

test('what was full stays as full where the clock is put back', async () => {
  const { quota, putClockBack } = await startQuota();
  await quota.take({ ...one, wanted: 30 });
  await putClockBack();
  const { granted, aheadMs } = await quota.take(one);
  expect(granted).toBe(1);
  expect(aheadMs).toBeLessThan(1300);
});

test('the line of what is put off is as long as it was', async () => {
  const { quota, putClockBack } = await startQuota();
  for (let n = 0; n < 90; n++) await quota.line();
  await putClockBack();
  const waitMs = await quota.line();
  expect(waitMs).toBeGreaterThan(2000);
  expect(waitMs).toBeLessThanOrEqual(3000);
});
