import { expect, onTestFinished, test } from 'vitest';
import { STUCK } from '../../src/observability/log.ts';
import { type ReceivedSpan, startCollector } from '../support/otlp.ts';
import type { Bot, Environment } from '../support/processes.ts';
import { until } from '../support/redis.ts';
import { startWorld } from './world.ts';

async function openWorld(env?: Environment, main?: string) {
  const world = await startWorld(env, main);
  onTestFinished(() => world.stop());
  return world;
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
const processesOf = (spans: readonly ReceivedSpan[]) =>
  new Set(spans.map(({ resource }) => resource['service.instance.id']));

test('after a kill between intent and answer the other process finds the outcome, calls nothing, and answers, in one trace', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '20' };
  // Leases that end soon, so that the other one need not be waited for.
  const world = await openWorld(env, 'test/support/bot-main.ts');
  const [bot] = await Promise.all([world.bot(), world.bot()]);
  const chat = world.chat(bot);
  await chat.writes('/redeem DAUMAY01');
  await chat.hears('identity.proofNeeded');
  await chat.shares('84867123456');
  await chat.hears('redeem.summary');
  const before = await world.antcrm.points();
  await world.antcrm.fault({ call: 'redeem', fault: 'slow', ms: 10_000 });
  await chat.presses('confirm');
  await until(async () => (await world.antcrm.points()) < before);
  // What the first one has not sent by now ends with it.
  const intents = await collector.until((spans) => named(spans, 'store intend').length > 0);
  await bot.kill();
  await chat.hears('operation.checking_redeem');
  await chat.hears('operation.resolved.done', 'receipt.redeem');
  expect(await world.antcrm.points()).toBe(before - 10);
  expect(chat.unread()).toEqual([]);

  const [intended] = named(intents, 'store intend');
  const ours = (spans: readonly ReceivedSpan[]) =>
    spans.filter(({ traceId }) => traceId === intended?.traceId);
  const delivered = (spans: readonly ReceivedSpan[]) =>
    named(ours(spans), 'deliver').filter(({ attributes }) => attributes['bot.outcome'] === 'delivered');
  const turnsIn = (spans: readonly ReceivedSpan[]) =>
    named(ours(spans), 'turn').map(({ attributes }) => attributes['bot.input']);
  const trace = ours(
    await collector.until((spans) => delivered(spans).length > 1 && turnsIn(spans).includes('wake')),
  );
  expect(named(trace, 'accept')).toHaveLength(1);
  expect(processesOf(trace).size).toBe(2);
  expect(turnsIn(trace)).toContain('choice');
  const [other] = processesOf(delivered(trace));
  expect(processesOf(named(trace, 'accept'))).not.toContain(other);
  expect(named(trace, 'perform').map(({ attributes }) => attributes)).toContainEqual(
    expect.objectContaining({
      'bot.effect': 'check',
      'bot.outcome': 'applied',
      'bot.operation': intended?.attributes['bot.operation'],
    }),
  );
});

/* Killed at any other moment: the simulator. Redis restarted: `test/faults/health.test.ts`. */

test('a text that hangs a process ends it; another process answers others meanwhile, and the text once none hangs', async () => {
  const world = await openWorld();
  const hangs = { NODE_OPTIONS: `--import ${new URL('../support/hang.mjs', import.meta.url)}` };
  const [second, first, again] = await Promise.all([world.bot(), world.bot(hangs), world.bot(hangs)]);
  const chat = world.chat(first);
  const another = world.chat(second);
  const lastWords = ({ output }: Bot) =>
    output.filter((line) => line.includes(STUCK)).map((line) => JSON.parse(line));

  await chat.writes('hello');
  await chat.hears('welcome');

  // Decided while it is filed: Telegram gets no answer.
  const text = '/accumulate TIVI000000004 0912345678 minh@example.vn hang-for-ever';
  const update = chat.person.writes(text, { date: Math.ceil(Date.now() / 1000) });
  const unanswered = expect(world.post(update, first)).rejects.toThrow();
  await another.writes('/accumulate TIVI000000002 0912345678 minh@example.vn');
  await another.hears('accumulate.summary');
  expect(lastWords(first)).toEqual([]);
  expect(await first.ended).toEqual({ code: 70, signal: null });
  await unanswered;
  const stuck = { level: 50, alarm: STUCK, conversation: expect.stringMatching(/^[\w-]{22}$/) };
  expect(lastWords(first)).toEqual([
    expect.objectContaining({ ...stuck, stack: expect.stringContaining('normalizeForever') }),
  ]);

  // Telegram repeats it: only filed now, so that its second death counts.
  expect(await world.post(update, again)).toMatchObject({ status: 200 });
  expect(await again.ended).toEqual({ code: 70, signal: null });
  expect(await chat.hears('accumulate.summary')).toContain('TIVI000000004');
  expect(lastWords(again)).toEqual([expect.objectContaining(stuck)]);
});
