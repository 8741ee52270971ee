import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import type { Around } from '../../../src/app.ts';
import { createClient } from '../../../src/channels/staff/client.ts';
import { createSandbox } from '../../../src/sandbox/sandbox.ts';
import { StoreUnavailable } from '../../../src/store/port.ts';
import { startBot } from '../../support/app.ts';
import { scanLater } from '../../support/logs.ts';

const STAFF_TOKEN = 'a-staff-token-of-some-length';

/**
 * A bot with an AntCRM of another process, or with its sandbox; `audited`: by which messages.
 */
async function start({ isReal = true, store }: { isReal?: boolean; store?: Around['store'] } = {}) {
  const antcrm = Fastify({ forceCloseConnections: true });
  await antcrm.register(createSandbox());
  const url = await antcrm.listen({ host: '127.0.0.1', port: 0 });
  const lines: string[] = [];
  const env = { STAFF_TOKEN, ...(isReal && { ANTCRM_BASE_URL: url, ANTCRM_API_KEY: 'the-antcrm-key' }) };
  scanLater(lines, env);
  const log = { write: (line: string) => lines.push(line) };
  const limits = { leaseMs: 3000, renewMs: 500 };
  const bot = await startBot(env, { log, limits, ...(store && { around: { store } }) });
  onTestFinished(async () => {
    await bot.stop();
    await antcrm.close();
  });
  const alarms = () => lines.filter((line) => line.includes('"alarm":"staff_operation"'));
  const audited = () => alarms().map((line) => /"message":"(\w+)"/.exec(line)?.[1]);
  return { audited, send: createClient(bot.adminUrl, STAFF_TOKEN).send };
}

const summed = { conversation: 'qa', id: 'm1', text: 'tích điểm TIVI000000017 0912345678' };

test('a typed yes is audited once, and nothing before it', async () => {
  const text = 'chốt luôn nha';
  const { send, audited } = await start();
  await send({ conversation: 'qa', id: 'm0', text });
  await send(summed);
  await send({ conversation: 'qa', id: 'm2', choice: 'confirm:none' });
  expect(audited()).toEqual([]);
  await send({ ...summed, id: 'm3' });
  const confirmed = { conversation: 'qa', id: 'm4', text };
  expect(await send(confirmed)).toMatchObject({ replies: [{ key: 'accumulate.done' }] });
  await send(confirmed);
  expect(audited()).toEqual(['m4']);
});

test.each([true, false])('a press is audited for each operation, if AntCRM is real: %s', async (isReal) => {
  const { send, audited } = await start({ isReal });
  const answered = await send({ ...summed, text: `${summed.text} TIVI000000018` });
  const choice = JSON.stringify(answered).match(/confirm:\w+/)?.[0] ?? 'none';
  await send({ conversation: 'qa', id: 'm2', choice });
  expect(audited()).toEqual(isReal ? ['m2', 'm2'] : []);
});

test('a yes is audited if it was stored, also if the answer of the store was lost', async () => {
  let isLost = false;
  const { send, audited } = await start({
    store: (port) => ({
      ...port,
      async compareAndSwap(...args) {
        const swapped = await port.compareAndSwap(...args);
        if (!isLost || !swapped.swapped) return swapped;
        isLost = false;
        throw new StoreUnavailable('the answer was lost');
      },
    }),
  });
  await send(summed);
  isLost = true;
  const refused = { status: 'refused', problem: { status: 503 } };
  expect(await send({ conversation: 'qa', id: 'm2', text: 'ok' })).toMatchObject(refused);
  await expect.poll(audited, { timeout: 20_000 }).toEqual(['m2']);
});
