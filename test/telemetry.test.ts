import diagnostics from 'node:diagnostics_channel';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { startBot } from './support/app.ts';
import { type Collector, type ReceivedSpan, startCollector } from './support/otlp.ts';
import { textActivity } from './support/teams-activities.ts';
import { startTeamsDouble } from './support/teams-double.ts';
import { startTelegramDouble } from './support/telegram-double.ts';
import { createPerson } from './support/telegram-updates.ts';

const SECRET = 'webhook-secret';
const PHONE = '0912345678';

afterEach(() => vi.unstubAllEnvs());

/** A bot whose spans leave at once, a Telegram, and what all servers of this process were asked. */
async function setUp(
  options: {
    readonly endpoint?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly log?: (line: string) => void;
  } = {},
) {
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '20');
  const collector = await startCollector();
  const telegram = await startTelegramDouble();
  const bot = await startBot(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: options.endpoint ?? collector.url,
      TELEGRAM_BOT_TOKEN: telegram.token,
      TELEGRAM_API_ROOT: telegram.url,
      TELEGRAM_WEBHOOK_SECRET: SECRET,
      ...options.env,
    },
    options.log && { log: { write: options.log } },
  );
  onTestFinished(async () => {
    await bot.stop();
    await telegram.close();
    await collector.stop();
  });
  const person = createPerson(4711, { language_code: 'en' });
  const target = { url: `${bot.url}/webhooks/telegram`, secret: SECRET };
  return {
    ...{ bot, collector, telegram },
    writes: (text: string) => telegram.post(person.writes(text), target),
    /** Presses the newest button whose choice begins so, as soon as it is shown. */
    async presses(choice: string) {
      const shown = () =>
        telegram
          .shown(4711)
          .flatMap(({ message_id, buttons }) => buttons.flat().map((button) => ({ message_id, ...button })))
          .findLast(({ callback_data }) => callback_data?.startsWith(choice));
      await expect.poll(shown).toBeDefined();
      const { callback_data = '', message_id = 0 } = shown() ?? {};
      await telegram.post(person.presses(callback_data, message_id), target);
    },
  };
}

const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);

/** The spans of each trace that has a span of this name. */
const tracesOf = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan[][] =>
  named(spans, name).map(({ traceId }) => spans.filter((span) => span.traceId === traceId));

/** The same of the first. */
const traceOf = (spans: readonly ReceivedSpan[], name: string): readonly ReceivedSpan[] =>
  tracesOf(spans, name)[0] ?? [];

/** `name` below the name of its parent, and so on. */
function pathOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): string {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return parent === undefined ? span.name : `${pathOf(parent, spans)} > ${span.name}`;
}

/** One such trace is there from end to end; of another a part may have been refused. */
const arrived = (collector: Collector, name: string, delivered = 1) =>
  collector.until((spans) =>
    tracesOf(spans, name).some(
      (trace) => named(trace, 'deliver').length >= delivered && named(trace, 'turn').length > 0,
    ),
  );

describe('a message', () => {
  test('is one trace, from its acceptance to the delivery', async () => {
    const { collector, writes, presses } = await setUp();
    await writes(`earn TIVI000000001 ${PHONE} minh@example.vn`);
    await presses('confirm:');
    const spans = traceOf(await arrived(collector, 'antcrm accumulate', 2), 'antcrm accumulate');

    const paths = [...new Set(spans.map((span) => pathOf(span, spans)))];
    expect(paths.toSorted()).toEqual(
      [
        'accept',
        'accept > wait',
        'accept > turn',
        'accept > turn > perform',
        'accept > turn > perform > antcrm contact',
        'accept > turn > perform > store intend',
        'accept > turn > perform > antcrm accumulate',
        'accept > turn > perform > antcrm history',
        'accept > turn > perform > store unlock',
        'accept > turn > store commit',
        'accept > turn > deliver',
      ].toSorted(),
    );
    const [turn] = named(spans, 'turn');
    expect(turn).toMatchObject({
      attributes: {
        'bot.channel': 'telegram',
        'bot.conversation': expect.stringMatching(/^[\w-]{22}$/),
        'bot.input': 'choice',
        'bot.attempt': 1,
        'bot.result': 'done',
      },
      resource: { 'service.name': 'antcrm-chatbot', 'service.version': expect.any(String) },
      status: 0,
    });
    const operation = { 'bot.operation': expect.stringMatching(/^[0-9A-Z]{10}$/) };
    expect(named(spans, 'antcrm accumulate')[0]?.attributes).toMatchObject({
      ...operation,
      'bot.outcome': 'applied',
    });
    expect(named(spans, 'perform')[0]?.attributes).toMatchObject({
      ...operation,
      'bot.effect': 'accumulate',
    });
    expect(named(spans, 'deliver')[0]?.attributes).toMatchObject({
      'bot.outcome': 'delivered',
      'bot.result': 'done',
    });
    for (const { startMs, endMs } of spans) expect(endMs).toBeGreaterThanOrEqual(startMs);

    // They are of a closed list, and words.
    const attributes = spans.flatMap(({ attributes }) => Object.entries(attributes));
    const allowed = /^(bot\.(attempt|channel|conversation|effect|input|operation|outcome|result))$/;
    for (const [name, value] of attributes) {
      expect(name).toMatch(allowed);
      expect(String(value)).toMatch(/^[\w.:-]{1,64}$/);
    }
  });

  test('begins a trace of its own, whatever its sender says', async () => {
    const { bot, collector } = await setUp();
    const traceId = 'a'.repeat(32);
    await fetch(`${bot.url}/webhooks/staff`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', traceparent: `00-${traceId}-${'b'.repeat(16)}-01` },
      body: JSON.stringify({ conversation: 'qa', text: 'hello' }),
    });
    const spans = await arrived(collector, 'turn');
    expect(spans.map((span) => span.traceId)).not.toContain(traceId);
    expect(named(spans, 'accept')[0]?.parentSpanId).toBe('');
  });

  test('takes its trace to no other server', async () => {
    const asked: { readonly url?: string; readonly headers: object }[] = [];
    const listen = (message: unknown): void => {
      if (isRequest(message)) asked.push(message.request);
    };
    diagnostics.subscribe('http.server.request.start', listen);
    onTestFinished(() => void diagnostics.unsubscribe('http.server.request.start', listen));
    const teams = await startTeamsDouble();
    onTestFinished(() => teams.close());
    const { bot, collector, writes, presses } = await setUp({
      env: { TEAMS_AUTH: 'off', TEAMS_SERVICE_HOSTS: teams.host },
    });
    await teams.post(textActivity('help'), { url: `${bot.url}/webhooks/teams`, appId: 'any' });
    await expect.poll(() => teams.shown('a:personal').length).toBeGreaterThan(0);
    await writes(`earn TIVI000000002 ${PHONE} minh@example.vn`);
    await presses('confirm:');
    await arrived(collector, 'antcrm accumulate', 2);
    const paths = asked.map(({ url = '' }) => url.replace(/^\/bot[^/]+/, '').split('?')[0]);
    expect(paths).toEqual(expect.arrayContaining(['/sendMessage', '/accumulate', '/contacts', '/v1/traces']));
    expect(paths).toContainEqual(expect.stringMatching(/^\/connector\/v3\/conversations\/.+\/activities$/));
    const names = asked.flatMap(({ headers }) => Object.keys(headers));
    expect(names.filter((name) => /^(trace|baggage|b3|x-b3|uber)/.test(name))).toEqual([]);
  });
});

/** What a server of Node says when it gets a request. */
function isRequest(message: unknown): message is { request: { url?: string; headers: object } } {
  return typeof message === 'object' && message !== null && 'request' in message;
}

describe('log lines', () => {
  test('carry the trace, the conversation and the operation', async () => {
    const lines: string[] = [];
    const { bot, collector, writes, presses } = await setUp({ log: (line) => lines.push(line) });
    await fetch(`${bot.url}/sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ call: 'accumulate', fault: 'lose-answer' }),
    });
    await writes(`earn TIVI000000004 ${PHONE} minh@example.vn`);
    await presses('confirm:');
    const spans = traceOf(await arrived(collector, 'antcrm accumulate'), 'antcrm accumulate');
    const lost = lines
      .map((line): unknown => JSON.parse(line))
      .find((line) => /Outcome unknown/.test(JSON.stringify(line)));
    const [call] = named(spans, 'antcrm accumulate');
    expect(lost).toMatchObject({
      call: 'accumulate',
      outcome: 'unknown',
      trace_id: call?.traceId,
      conversation: call?.attributes['bot.conversation'],
      operation: call?.attributes['bot.operation'],
    });
  });
});

describe('a collector', () => {
  test('that is out of reach costs customers nothing, and the log one line', async () => {
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '1000');
    const lines: string[] = [];
    const { telegram, writes } = await setUp({
      endpoint: 'http://127.0.0.1:9',
      log: (line) => lines.push(line),
    });
    for (let n = 1; n <= 3; n++) {
      await writes('help');
      await expect.poll(() => telegram.calls('sendMessage').length).toBeGreaterThanOrEqual(n);
    }
    const told = () => lines.filter((line) => line.includes('traces cannot be sent'));
    await expect.poll(() => told().length).toBe(1);
    await writes('help');
    await expect.poll(() => telegram.calls('sendMessage').length).toBeGreaterThanOrEqual(4);
    expect(told()).toHaveLength(1);
  });
});

test('what a bot has done before it stops reaches the collector', async () => {
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '600000');
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const bot = await startBot({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  await fetch(`${bot.url}/webhooks/staff`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ conversation: 'qa', text: 'hello' }),
  });
  expect(collector.spans).toEqual([]);
  await bot.stop();
  expect(named(collector.spans, 'turn')).toHaveLength(1);
});
