import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Collector, type ReceivedSpan, startCollector } from '../support/otlp.ts';
import { asJpeg, drawCode } from '../support/pictures.ts';
import type { Bot } from '../support/processes.ts';
import { choosesGift, PHONE } from './chat.ts';
import { startWorld, type World } from './world.ts';

/** Bots whose leases end soon, so that the others need not be waited for. */
const MAIN = 'test/support/bot-main.ts';

let world: World;
let collector: Collector;
beforeAll(async () => {
  collector = await startCollector();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '20' };
  world = await startWorld({ bots: 2, redis: true, main: MAIN, env });
});
afterAll(async () => {
  await world.stop();
  await collector.stop();
});
beforeEach(() => world.sandbox.reset());

/** One of the two. The first one gets the updates, and so holds the conversation. */
const bot = (at: number): Bot => world.bots[at] ?? expect.fail('no bot lives');

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
const processesOf = (spans: readonly ReceivedSpan[]) =>
  new Set(spans.map(({ resource }) => resource['service.instance.id']));

test('pictures that come to two processes at once are one list', async () => {
  const chat = world.chat('en');
  const files = ['TIVI000000042', 'TIVI000000043', 'TIVI000000044'];
  for (const file of files) world.double.keep(file, asJpeg(await drawCode(file), 60));
  const parts = files.map((file_id) =>
    chat.message({ photo: [{ file_id, width: 1280 }], media_group_id: '7' }),
  );
  await Promise.all(parts.map((part, at) => world.post(part, bot(at % 2))));
  for (const _ of files) await chat.hearsOneOf(['accumulate.askPhone']);
  await chat.writes('0912345678');
  await chat.hears('accumulate.askEmail');
  await chat.presses('skip');
  const summary = await chat.hears('accumulate.summary');
  for (const code of files) expect(summary).toContain(code);
});

test('killed between intent and answer: the other process finds out, calls nothing, and tells the customer, in one trace', async () => {
  const chat = world.chat('en');
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
  await bot(0).kill();
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

/* Killed at any other moment: the simulator. Redis restarted: `test/faults/health.test.ts`. */
