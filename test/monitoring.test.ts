import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createClient } from '../src/channels/staff/client.ts';
import { ALARMS, type Fields } from '../src/observability/log.ts';
import { createMetrics, type Declare } from '../src/observability/metrics.ts';
import { showBacklog } from '../src/operators/backlog.ts';
import { SHARDS, StoreUnavailable } from '../src/store/port.ts';
import { startBot } from './support/app.ts';
import { asPng, drawCode } from './support/pictures.ts';
import { startRedis, until } from './support/redis.ts';
import { textActivity } from './support/teams-activities.ts';
import { startTeamsDouble } from './support/teams-double.ts';
import { startTelegramDouble } from './support/telegram-double.ts';
import { createPerson } from './support/telegram-updates.ts';

/*
 * What a bot tells, and the rules and the dashboard of `ops/` that ask for it, by Prometheus' own tool too.
 */

const root = new URL('../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');

const ruleSchema = z.object({
  alert: z.string().optional(),
  expr: z.string(),
  labels: z.object({ severity: z.enum(['page', 'ticket', 'note']) }).optional(),
  annotations: z.object({ runbook_url: z.string() }).optional(),
});
const rulesSchema = z.object({ groups: z.array(z.object({ rules: z.array(ruleSchema) })) });
const { groups } = rulesSchema.parse(parse(read('ops/prometheus/rules.yml')));
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

const panelSchema = z.object({ targets: z.array(z.object({ expr: z.string() })).default([]) });
const boardSchema = z.object({ panels: z.array(panelSchema) });
const { panels } = boardSchema.parse(JSON.parse(read('ops/grafana/dashboard.json')));
const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

/** Runs promtool (`npm run setup` brings it) beside the rules; rejects with what it has to say. */
const promtool = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)('promtool', args, { cwd: new URL('ops/prometheus/', root) })).stdout;

test('promtool finds no fault, and sees each rule ring when it should and be silent when it should not', async () => {
  expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yml')).toContain('SUCCESS');
  expect(await promtool('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
  await promtool('test', 'rules', 'rules.test.yml');
  const tested = read('ops/prometheus/rules.test.yml');
  expect(alerts.filter(({ alert }) => !tested.includes(`alertname="${alert}"`))).toEqual([]);

  // The dashboard's questions, too: Grafana fills the interval in. JSON is YAML.
  const asked = queries.map((expr, at) => {
    return { record: `panel:n${at}`, expr: expr.replaceAll('$__rate_interval', '1m') };
  });
  const file = join(mkdtempSync(join(tmpdir(), 'panels-')), 'panels.yml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules: asked }] }));
  expect(await promtool('check', 'rules', file)).toContain('SUCCESS');
});

test('rules and dashboard use only metrics and labels that the bot exports', async () => {
  // Every channel, every call of AntCRM and a picture.
  const [redis, telegram, teams] = await Promise.all([
    startRedis(),
    startTelegramDouble(),
    startTeamsDouble(),
  ]);
  const secret = 'secret-of-telegram';
  const bot = await startBot({
    REDIS_URL: redis.url,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: secret,
    TEAMS_AUTH: 'off',
    TEAMS_SERVICE_HOSTS: teams.host,
  });
  onTestFinished(async () => {
    await bot.stop();
    await Promise.all([redis.stop(), telegram.close(), teams.close()]);
  });
  const person = createPerson(5001, { language_code: 'en' });
  await telegram.post(person.writes('help'), { url: `${bot.url}/webhooks/telegram`, secret });
  await telegram.called('sendMessage', ({ chat_id }) => chat_id === person.id);
  await teams.post(textActivity('help'), { url: `${bot.url}/webhooks/teams`, appId: 'any' });
  await until(async () => teams.shown('a:personal').length > 0);

  const client = createClient(bot.url);
  const say = async (content: object) => {
    const answered = await client.send({ conversation: 'qa', locale: 'en', ...content });
    if (answered.status === 'refused') throw new Error(answered.problem.title);
    const choices = answered.replies.flatMap((reply) => reply.choices ?? []);
    return choices.find(({ id }) => id.startsWith('confirm:'))?.id;
  };
  await say({ photo: asPng(await drawCode('TIVI000001000')).toString('base64') });
  await say({ choice: 'cancel' });
  await say({ choice: await say({ text: 'earn TIVI000000101 0867123456 garnacho@gmail.com' }) });
  await say({ choice: await say({ text: 'redeem DAUMAY01 0867123456' }) });
  await say({ text: 'history of 0867123456' });
  await say({ text: 'is there a fee?' });
  await say({ choice: 'person' });
  const exposition = await (await fetch(`${bot.url}/metrics`)).text();
  const unknown = [...rules.map(({ expr }) => expr), ...queries].flatMap((expression) => {
    const metrics = [...expression.matchAll(/(?<!")\b((?:bot|antcrm|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)];
    return metrics.flatMap(([, name = '', matchers = '']) => {
      const labels = [...matchers.matchAll(/(\w+)(?:=~?|!=)/g)].map(([, label = '']) => label);
      const isTold = samplesOf(exposition, name).some((line) =>
        labels.every((label) => line.includes(`${label}="`)),
      );
      return isTold ? [] : [[name, ...labels].join(' ')];
    });
  });
  expect(unknown).toEqual([]);
  expect(queries.length).toBeGreaterThan(20);
});

/** The address of a section of docs/operators.md if the documents are published, else nothing. */
const RUNBOOK =
  /^\{\{ with \$externalLabels\.docs_url \}\}\{\{ \. \}\}\/operators\.md#([\w-]+)\{\{ end \}\}$/;

test('every alarm has a rule, which links to its meaning and what to do', () => {
  const headings = [...read('docs/operators.md').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  const anchors = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const { alert, annotations, labels } of alerts) {
    const [, anchor = ''] = RUNBOOK.exec(annotations?.runbook_url ?? '') ?? [];
    expect([alert, anchors.includes(anchor)]).toEqual([alert, true]);
    expect([alert, labels]).toEqual([alert, expect.anything()]);
  }
  for (const alarm of ALARMS) {
    const found = alerts.filter(({ expr }) => expr.includes(`bot:alarms:raised5m{alarm="${alarm}"}`));
    const leads = found.map(({ annotations }) => RUNBOOK.exec(annotations?.runbook_url ?? '')?.[1]);
    expect(leads).toEqual([alarm]);
  }
});

function setUp() {
  const silent = () => {};
  const error = vi.fn((_fields: Fields, _message: string) => {});
  return { metrics: createMetrics({ log: { debug: silent, info: silent, warn: silent, error } }), error };
}

/** The samples of these metrics: name, labels, then the value. */
const samplesOf = (text: string, ...names: string[]): string[] =>
  text.split('\n').filter((line) => names.some((name) => new RegExp(`^${name}[{ ]`).test(line)));

/** A store whose indexes have some entries in one shard, and how often it was asked for them. */
function createBacklog() {
  const minute = 60_000;
  const ticket = (stands: string, minutes: number) => [`name:T:${stands}`, minutes * minute] as const;
  const agesMs = new Map<string, readonly (readonly [member: string, ms: number])[]>([
    ['due', [31_500, 0, 0].map((ms) => ['name', ms])],
    ['undelivered', [['name', 5 * minute]]],
    ['dead', [5, 5].map((ms) => ['name', ms])],
    ['intents', [0, minute - 1, minute, 40 * minute, 48 * 60 * minute].map((ms) => ['name:REF', ms])],
    // The record of the last one is lost.
    [
      'tickets',
      [ticket('waiting', 0), ticket('waiting', 16), ticket('answered', 32), ticket('waiting', 2880)],
    ],
  ]);
  const list = vi.fn(async (index: string, { shard }: { readonly shard: number }) => {
    const members = shard === 7 ? (agesMs.get(index) ?? []) : [];
    const entries = members.map(([member, ms]) => ({ member, score: -ms }));
    return { nowMs: 0, count: entries.length, entries };
  });
  return { list, health: async () => [], showBacklog: (declare: Declare) => showBacklog({ list }, declare) };
}

test('the metrics of the backlog are read at most once a second, and are absent while the store does not answer', async () => {
  const { metrics } = setUp();
  const store = createBacklog();
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  await Promise.all(Array.from({ length: 20 }, () => metrics.text(store)));
  expect(store.list, 'however many ask').toHaveBeenCalledTimes(5 * SHARDS);
  const names = [
    'bot_ready',
    'bot_due_\\w+',
    'bot_dead_letters',
    'bot_undelivered_\\w+',
    'bot_\\w*ticket\\w+',
  ];
  const samples = async () => samplesOf(await metrics.text(), ...names, 'bot_open_operations');
  expect(await samples()).toEqual([
    'bot_due_conversations 3',
    'bot_due_oldest_seconds 31.5',
    'bot_undelivered_oldest_seconds 300',
    'bot_dead_letters 2',
    'bot_open_operations{age="under_1m"} 2',
    'bot_open_operations{age="under_30m"} 1',
    'bot_open_operations{age="under_1d"} 1',
    'bot_open_operations{age="over_1d"} 1',
    'bot_open_tickets{state="waiting"} 2',
    'bot_open_tickets{state="answered"} 1',
    'bot_ticket_waiting_seconds 960',
    'bot_ready 1',
  ]);

  vi.advanceTimersByTime(1000);
  const down = () => Promise.reject(new StoreUnavailable('redis: no answer'));
  await metrics.text({ health: down, showBacklog: down });
  expect(await samples()).toEqual(['bot_ready 0']);
});

test('a turn that is given back is not counted: it is when it ends', async () => {
  const { metrics } = setUp();
  const times = { waitMs: 5, identifyMs: 1, stepsMs: 1, commitMs: 1, deliverMs: 1 };
  const turn = { conversation: 'c0ffee', channel: 'staff', input: 'text', ...times };
  for (const result of ['given-back', 'done'] as const) metrics.observe.turn({ ...turn, result });
  const samples = samplesOf(await metrics.text(), 'bot_turns_total', 'bot_message_wait_seconds_count');
  const done = 'bot_turns_total{channel="staff",result="done"} 1';
  expect(samples).toEqual([done, 'bot_message_wait_seconds_count{channel="staff"} 1']);
});

test('an alarm is a log line and a counter of the same name, counted from zero so that its first rise is seen', async () => {
  const { metrics, error } = setUp();
  const counted = ALARMS.map((alarm) => `bot_alarms_total{alarm="${alarm}"} 0`);
  expect(samplesOf(await metrics.text(), 'bot_alarms_total')).toEqual(counted);
  metrics.observe.alarm('dead_letter', { conversation: 'c0ffee', alarm: 'else' });
  const fields = { conversation: 'c0ffee', alarm: 'dead_letter' };
  expect(error.mock.calls).toEqual([[fields, 'Alarm: dead_letter']]);
  expect(await metrics.text()).toContain('bot_alarms_total{alarm="dead_letter"} 1');
});
