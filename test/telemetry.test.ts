import diagnostics from 'node:diagnostics_channel';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createClient } from '../src/channels/staff/client.ts';
import { Spans } from '../src/observability/tracing.ts';
import { startBot } from './support/app.ts';
import { type Collector, type ReceivedSpan, startCollector } from './support/otlp.ts';
import { startPlatforms, WEBHOOK_SECRET } from './support/platforms.ts';
import { textActivity } from './support/teams-activities.ts';
import { createPerson } from './support/telegram-updates.ts';

afterEach(() => vi.unstubAllEnvs());

/** A bot whose spans leave at once unless told otherwise, and its collector. */
async function setUp(env: Readonly<Record<string, string>> = {}, delayMs = 20) {
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', `${delayMs}`);
  const collector = await startCollector();
  const lines: string[] = [];
  const log = { write: (line: string) => lines.push(line) };
  const bot = await startBot({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env }, { log });
  onTestFinished(async () => {
    await bot.stop();
    await collector.stop();
  });
  const send = async (content: object) => {
    const answer = await createClient(bot.url).send({ conversation: 'qa', locale: 'en', ...content });
    return answer.status === 'refused' ? [] : answer.replies;
  };
  async function earn(code: string): Promise<void> {
    const replies = await send({ text: `earn ${code} 0912345678 minh@example.vn` });
    const choices = replies.flatMap((reply) => reply.choices ?? []);
    await send({ choice: choices.find(({ id }) => id.startsWith('confirm:'))?.id });
  }
  return { bot, collector, lines, send, earn };
}

type Trace = readonly ReceivedSpan[];
const named = (spans: Trace, name: string) => spans.filter((span) => span.name === name);

/** The spans of the first trace that has a span of this name. */
const traceOf = (spans: Trace, name: string) =>
  spans.filter(({ traceId }) => traceId === named(spans, name)[0]?.traceId);

/** `name` below the name of its parent, and so on. */
function pathOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): string {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent === undefined ? span.name : `${pathOf(parent, spans)} > ${span.name}`;
}

/** Waits until such a trace is there from end to end. */
async function arrived(collector: Collector, name: string): Promise<Trace> {
  const isWhole = (spans: Trace) =>
    ['deliver', 'turn'].every((last) => named(traceOf(spans, name), last).length > 0);
  return traceOf(await collector.until(isWhole), name);
}

test('a message is one trace, from its acceptance to the delivery', async () => {
  const { collector, earn } = await setUp();
  await earn('TIVI000000001');
  const spans = await arrived(collector, 'antcrm accumulate');
  const paths = new Set(spans.map((span) => pathOf(span, spans)));
  expect([...paths].toSorted()).toEqual([
    'accept',
    'accept > turn',
    'accept > turn > deliver',
    'accept > turn > perform',
    'accept > turn > perform > antcrm accumulate',
    'accept > turn > perform > antcrm contact',
    'accept > turn > perform > antcrm history',
    'accept > turn > perform > store intend',
    'accept > turn > perform > store unlock',
    'accept > turn > store commit',
    'accept > wait',
  ]);
});

test('the spans of an earning say of what they are, by a closed list of attributes', async () => {
  const { collector, earn } = await setUp();
  await earn('TIVI000000001');
  const spans = await arrived(collector, 'antcrm accumulate');
  const operation = { 'bot.operation': expect.stringMatching(/^[0-9A-Z]{10}$/) };
  const conversation = expect.stringMatching(/^[\w-]{22}$/);
  const about = { 'bot.channel': 'staff', 'bot.conversation': conversation, 'bot.input': 'choice' };
  for (const [name, attributes] of [
    ['turn', { ...about, 'bot.attempt': 1, 'bot.result': 'done' }],
    ['antcrm accumulate', { ...operation, 'bot.outcome': 'applied' }],
    ['perform', { ...operation, 'bot.effect': 'accumulate' }],
    ['deliver', { 'bot.outcome': 'delivered', 'bot.result': 'done' }],
  ] as const)
    expect(named(spans, name)[0]).toMatchObject({ attributes });
  expect(spans[0]?.resource).toMatchObject({ 'service.name': 'antcrm-chatbot' });

  const allowed = /^(bot\.(attempt|channel|conversation|effect|input|operation|outcome|result))$/;
  for (const [name, value] of spans.flatMap(({ attributes }) => Object.entries(attributes))) {
    expect(name).toMatch(allowed);
    expect(String(value)).toMatch(/^[\w.:-]{1,64}$/);
  }
});

test('a log line of a call carries its trace, conversation and operation', async () => {
  const { bot, collector, lines, earn } = await setUp();
  await fetch(`${bot.url}/sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ call: 'accumulate', fault: 'lose-answer' }),
  });
  await earn('TIVI000000004');
  const calls = (spans: Trace) => named(spans, 'antcrm accumulate');
  const [call] = calls(await collector.until((spans) => calls(spans).length > 0));
  expect(JSON.parse(lines.find((line) => /Outcome unknown/.test(line)) ?? '')).toMatchObject({
    call: 'accumulate',
    outcome: 'unknown',
    trace_id: call?.traceId,
    conversation: call?.attributes['bot.conversation'],
    operation: call?.attributes['bot.operation'],
  });
});

test('the bot begins each trace itself, whatever headers a sender adds', async () => {
  const { bot, collector } = await setUp();
  const traceId = 'a'.repeat(32);
  await fetch(`${bot.url}/webhooks/staff`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${'b'.repeat(16)}-01` },
    body: JSON.stringify({ conversation: 'qa', text: 'hello' }),
  });
  const spans = await arrived(collector, 'turn');
  expect([spans[0]?.traceId === traceId, named(spans, 'accept')[0]?.parentSpanId]).toEqual([false, '']);
});

test('the bot passes its trace to no other server', async () => {
  const platforms = await startPlatforms();
  onTestFinished(() => platforms.close());
  const { telegram, teams } = platforms;
  const { bot, earn } = await setUp({ ...platforms.telegramEnv, TEAMS_AUTH: 'off' });
  const asked: { readonly url?: string; readonly headers: object }[] = [];
  const listen = (message: unknown): void => {
    if (isRequest(message)) asked.push(message.request);
  };
  diagnostics.subscribe('http.server.request.start', listen);
  onTestFinished(() => void diagnostics.unsubscribe('http.server.request.start', listen));
  const webhook = { url: `${bot.url}/webhooks/telegram`, secret: WEBHOOK_SECRET };
  await telegram.post(createPerson(4711).writes('help'), webhook);
  await teams.post(textActivity('help'), { url: `${bot.url}/webhooks/teams`, appId: 'any' });
  await earn('TIVI000000002');
  const paths = () => asked.map(({ url = '' }) => url.replace(/^\/bot[^/]+/, '').split('?')[0] ?? '').join();
  const outgoing = ['/sendMessage', '/accumulate', '/contacts', '/v1/traces', '/activities'];
  await expect.poll(() => outgoing.filter((path) => !paths().includes(path))).toEqual([]);
  const names = asked.flatMap(({ headers }) => Object.keys(headers));
  expect(names.filter((name) => /^(trace|baggage|b3|x-b3|uber)/.test(name))).toEqual([]);
});

/** What a server of Node says when it gets a request. */
function isRequest(message: unknown): message is { request: { url?: string; headers: object } } {
  return typeof message === 'object' && message !== null && 'request' in message;
}

test('a collector out of reach costs customers nothing, and the log one line', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '1000');
  const { lines, send } = await setUp({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
  const warnings = () => lines.filter((line) => line.includes('traces cannot be sent'));
  expect(await send({ text: 'help' })).toHaveLength(1);
  await expect.poll(() => warnings().length).toBe(1);
  expect(await send({ text: 'help' })).toHaveLength(1);
  expect(warnings()).toHaveLength(1);
});

test.each([
  ['on', 1],
  ['off', 0],
])('spans from before a stop reach the collector if sampling is %s', async (stands, count) => {
  vi.stubEnv('OTEL_TRACES_SAMPLER', `parentbased_always_${stands}`);
  const { bot, collector, send } = await setUp({}, 600_000);
  await send({ text: 'hello' });
  expect(collector.spans).toEqual([]);
  await bot.stop();
  expect(named(collector.spans, 'turn')).toHaveLength(count);
});

test('a span has only names and values from the allow-list', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const spans = new Spans();
  await spans.open(collector.url, { warn() {} });
  spans.mark({ name: 'accept', channel: 'anh Minh', sinceMs: Date.now() });
  await spans.close();
  expect(collector.spans).toMatchObject([{ attributes: { 'bot.channel': 'other' } }]);
});
