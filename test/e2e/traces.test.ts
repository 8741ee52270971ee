import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Collector, type ReceivedSpan, startCollector } from '../support/otlp.ts';
import type { Bot } from '../support/processes.ts';
import { choosesGift, PHONE } from './chat.ts';
import { startWorld, type World } from './world.ts';

/** Bots whose leases end soon, so that the others need not be waited for. */
const MAIN = 'test/support/bot-main.ts';

let world: World;
let collector: Collector;
beforeAll(async () => {
  collector = await startCollector();
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: '20',
    // The call lasts until its process is killed, however busy the machine.
    ANTCRM_TIMEOUT_MS: '5000',
  };
  world = await startWorld({ bots: 2, redis: true, main: MAIN, env });
});
afterAll(async () => {
  await world.stop();
  await collector.stop();
});

const of = (spans: readonly ReceivedSpan[], traceId: string | undefined) =>
  spans.filter((span) => span.traceId === traceId);
const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
const processOf = ({ resource }: ReceivedSpan) => resource['service.instance.id'];

function bot(index: number): Bot {
  const found = world.bots[index];
  if (found === undefined) throw new Error(`there is no bot ${index}`);
  return found;
}

test('a message that one process accepts, another takes over and a third delivers is one trace', async () => {
  const chat = world.chat('en', (update) => world.post(update, bot(0)));
  const before = await world.sandbox.records('gift', PHONE);
  await choosesGift(chat);
  // The first process dies in the call. The second finds out what became of it, and cannot tell the customer.
  await world.sandbox.fault({ call: 'redeem', fault: 'slow', ms: 10_000 });
  await chat.presses('confirm');
  const [pressed] = named(
    await collector.until((spans) => named(spans, 'store intend').length > 0),
    'store intend',
  );
  const { traceId } = pressed ?? {};
  await world.sandbox.recorded('gift', PHONE, before.length);
  world.double.script(`sendMessage ${chat.id}`, ...Array.from({ length: 2 }, () => REFUSED));
  await bot(0).kill();
  // What it has not sent by now ends with it.
  await collector.until((spans) => {
    const ours = of(spans, traceId);
    const waits = named(ours, 'deliver').some(({ attributes }) => attributes['bot.result'] === 'waits');
    return waits && named(ours, 'turn').length > 0;
  });
  await bot(1).kill();
  const third = await world.bot();
  await chat.hears('operation.checking_redeem');
  await chat.hears('operation.resolved.done', 'receipt.redeem');
  await third.stop();

  const trace = of(collector.spans, traceId);
  const [webhook] = named(trace, 'webhook');
  expect(named(trace, 'webhook')).toHaveLength(1);
  expect(new Set(trace.map(processOf)).size, 'three processes, one trace').toBe(3);
  const turns = named(trace, 'turn').map(({ attributes }) => attributes['bot.input']);
  expect(turns).toEqual(expect.arrayContaining(['choice', 'wake']));
  const delivered = named(trace, 'deliver').filter(
    ({ attributes }) => attributes['bot.outcome'] === 'delivered',
  );
  expect(delivered.length).toBeGreaterThanOrEqual(2);
  for (const span of delivered) expect(processOf(span)).not.toBe(webhook && processOf(webhook));
  const operation = pressed?.attributes['bot.operation'];
  const effects = named(trace, 'perform').map(({ attributes }) => attributes);
  expect(effects).toContainEqual(
    expect.objectContaining({ 'bot.effect': 'check', 'bot.operation': operation, 'bot.outcome': 'applied' }),
  );
});

/** Surely not delivered, so that it waits and no try is spent. */
const REFUSED = { code: 429, description: 'Too Many Requests', parameters: { retry_after: 3 } };
