import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Collector, type ReceivedSpan, startCollector } from '../support/otlp.ts';
import { asJpeg, drawCode } from '../support/pictures.ts';
import type { Bot } from '../support/processes.ts';
import { accumulation, type Chat, choosesGift, entersCode, PHONE } from './chat.ts';
import { startWorld, type World } from './world.ts';

/** Bots whose leases end soon, so that the others need not be waited for. */
const MAIN = 'test/support/bot-main.ts';

let world: World;
let collector: Collector;
/** The two that live; the first one gets the updates, and so holds the conversation. */
let bots: Bot[];
beforeAll(async () => {
  collector = await startCollector();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '20' };
  world = await startWorld({ bots: 2, redis: true, main: MAIN, env });
  bots = [...world.bots];
});
afterAll(async () => {
  await world.stop();
  await collector.stop();
});
beforeEach(() => world.sandbox.reset());

const customer = (): Chat => world.chat('en', async (update) => world.post(update, first()));

function first(): Bot {
  const [bot] = bots;
  if (bot === undefined) throw new Error('no bot lives');
  return bot;
}

async function killFirst(): Promise<void> {
  await first().kill();
  bots = bots.slice(1);
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
const processesOf = (spans: readonly ReceivedSpan[]) =>
  new Set(spans.map(({ resource }) => resource['service.instance.id']));

test('pictures that come to two processes at once are one list', async () => {
  const chat = customer();
  const files = ['TIVI000000042', 'TIVI000000043', 'TIVI000000044'];
  for (const file of files) world.double.keep(file, asJpeg(await drawCode(file), 60));
  const parts = files.map((file_id) =>
    chat.message({ photo: [{ file_id, width: 1280 }], media_group_id: '7' }),
  );
  await Promise.all(parts.map((part, at) => world.post(part, bots[at % 2] ?? first())));
  for (const _ of files) await chat.hearsOneOf(['accumulate.askPhone']);
  await chat.writes('0912345678');
  await chat.hears('accumulate.askEmail');
  await chat.presses('skip');
  const summary = await chat.hears('accumulate.summary');
  for (const code of files) expect(summary).toContain(code);
});

test('killed between intent and answer: the other process finds out, calls nothing, and tells the customer, in one trace', async () => {
  const chat = customer();
  const before = await world.sandbox.records('gift', PHONE);
  await choosesGift(chat);
  await world.sandbox.fault({ call: 'redeem', fault: 'slow', ms: 10_000 });
  await chat.presses('confirm');
  await world.sandbox.recorded('gift', PHONE, before.length);
  // What the first one has not sent by now ends with it.
  const [intended] = named(
    await collector.until((spans) => named(spans, 'store intend').length > 0),
    'store intend',
  );
  await killFirst();
  await chat.hears('operation.checking_redeem');
  await chat.hears('operation.resolved.done', 'receipt.redeem');
  expect(await world.sandbox.records('gift', PHONE)).toHaveLength(before.length + 1);
  expect(chat.unread).toEqual([]);

  const ours = (spans: readonly ReceivedSpan[]) =>
    spans.filter(({ traceId }) => traceId === intended?.traceId);
  const isDelivered = ({ attributes }: ReceivedSpan) => attributes['bot.outcome'] === 'delivered';
  const turnsIn = (spans: readonly ReceivedSpan[]) =>
    named(ours(spans), 'turn').map(({ attributes }) => attributes['bot.input']);
  const trace = ours(
    await collector.until(
      (spans) =>
        named(ours(spans), 'deliver').filter(isDelivered).length > 1 && turnsIn(spans).includes('wake'),
    ),
  );
  expect(named(trace, 'accept')).toHaveLength(1);
  expect(processesOf(trace).size).toBe(2);
  expect(turnsIn(trace)).toContain('choice');
  const [other] = processesOf(named(trace, 'deliver').filter(isDelivered));
  expect(processesOf(named(trace, 'accept'))).not.toContain(other);
  expect(named(trace, 'perform').map(({ attributes }) => attributes)).toContainEqual(
    expect.objectContaining({
      ...{ 'bot.effect': 'check', 'bot.outcome': 'applied' },
      'bot.operation': intended?.attributes['bot.operation'],
    }),
  );
});

/* Killed at any other moment: test/e2e/chaos.test.ts, and the simulator. */

test('Redis restarted in the middle: refused meanwhile, nothing lost, and no process has to be restarted', async () => {
  const chat = customer();
  await entersCode(chat, 'TIVI000000004');
  await world.redis?.kill();
  const update = chat.text(accumulation('TIVI000000005'));
  const refused = await world.post(update, first());
  expect(refused.status).toBe(503);
  expect(Number(refused.retryAfter)).toBeGreaterThan(0);
  expect(await statusOf('/health/ready')).toBe(503);
  expect(await statusOf('/health/live')).toBe(200);
  await world.redis?.start();
  await expect.poll(() => statusOf('/health/ready')).toBe(200);
  await chat.send(update);
  // Where Redis did not get to hear that an answer was sent, it is sent again.
  await chat.hearsOneOf(['accumulate.summary'], 'TIVI000000005');
  await chat.presses('confirm');
  await chat.hears('accumulate.done_several', 'receipt.code_scored');
});

const statusOf = async (path: string): Promise<number> => (await fetch(first().url + path)).status;
