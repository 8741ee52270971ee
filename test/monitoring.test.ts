import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createClient } from '../src/channels/staff/client.ts';
import { ALARMS } from '../src/observability/log.ts';
import { type Running, startBot } from './support/app.ts';
import { asPng, drawCode } from './support/pictures.ts';
import { startRedis, until } from './support/redis.ts';
import { textActivity } from './support/teams-activities.ts';
import { startTeamsDouble, type TeamsDouble } from './support/teams-double.ts';
import { startTelegramDouble, type TelegramDouble } from './support/telegram-double.ts';
import { createPerson } from './support/telegram-updates.ts';

/*
 * The rules and the dashboard of `ops/`, held against what a bot tells and what Prometheus' own tool makes of them.
 */

const root = new URL('../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');

const rulesSchema = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().optional(),
          expr: z.string(),
          labels: z.object({ severity: z.enum(['page', 'ticket', 'note']) }).optional(),
          annotations: z.object({ runbook_url: z.string() }).optional(),
        }),
      ),
    }),
  ),
});
const { groups } = rulesSchema.parse(parse(read('ops/prometheus/rules.yml')));
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

/** Runs promtool (`npm run setup` brings it) beside the rules; rejects with what it has to say. */
const promtool = async (...args: readonly string[]): Promise<string> =>
  (await promisify(execFile)('promtool', args, { cwd: new URL('ops/prometheus/', root) })).stdout;

describe('promtool', () => {
  test('finds no fault in the rules, nor in the configuration of Prometheus', async () => {
    expect(await promtool('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yml')).toContain('SUCCESS');
    expect(await promtool('check', 'config', 'prometheus.yml')).toContain('SUCCESS');
  });

  test('sees each rule ring when it should, and be silent when it should not', async () => {
    await promtool('test', 'rules', 'rules.test.yml');
    const tested = read('ops/prometheus/rules.test.yml');
    expect(alerts.filter(({ alert }) => !tested.includes(`alertname="${alert}"`))).toEqual([]);
  });
});

const panelSchema = z.object({
  id: z.int(),
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string().min(1),
  gridPos: z.object({ x: z.int().min(0), y: z.int().min(0), w: z.int().max(24), h: z.int() }),
  datasource: z.object({ type: z.literal('prometheus'), uid: z.string() }).optional(),
  targets: z.array(z.object({ expr: z.string().min(1) })).default([]),
});
const { panels } = z
  .object({ panels: z.array(panelSchema) })
  .parse(JSON.parse(read('ops/grafana/dashboard.json')));

const SECRET = 'secret-of-telegram';

/** What was opened, to be closed last first, also where something else could not be opened. */
const closers: (() => Promise<unknown>)[] = [];
let telegram: TelegramDouble;
let teams: TeamsDouble;
let bot: Running;
/** What the bot tells, in the text that Prometheus reads. */
let told: string;

/** Every channel, every call of AntCRM, a picture. */
async function makeTraffic(): Promise<void> {
  const person = createPerson(5001, { language_code: 'en' });
  const webhook = { url: `${bot.url}/webhooks/telegram`, secret: SECRET };
  await telegram.post(person.writes('help'), webhook);
  await telegram.called('sendMessage', ({ chat_id }) => chat_id === person.id);
  await teams.post(textActivity('help'), { url: `${bot.url}/webhooks/teams`, appId: 'any' });
  await until(async () => teams.shown('a:personal').length > 0);

  const client = createClient(bot.adminUrl);
  const say = async (content: object) => {
    const answered = await client.send({ conversation: 'qa', locale: 'en', ...content });
    if (answered.status === 'refused') throw new Error(answered.problem.title);
    const choices = answered.replies.flatMap((reply) => reply.choices ?? []);
    return choices.find(({ id }) => id.startsWith('confirm:'))?.id;
  };
  const photo = asPng(await drawCode('TIVI000001000')).toString('base64');
  await say({ photo });
  await say({ choice: 'cancel' });
  await say({ choice: await say({ text: 'earn TIVI000000101 0867123456 garnacho@gmail.com' }) });
  await say({ choice: await say({ text: 'redeem DAUMAY01 0867123456' }) });
  await say({ text: 'history of 0867123456' });
  await say({ text: 'is there a fee?' });
  await say({ choice: 'person' });
}

beforeAll(async () => {
  const redis = await startRedis();
  closers.push(redis.stop);
  [telegram, teams] = await Promise.all([startTelegramDouble(), startTeamsDouble()]);
  closers.push(telegram.close, teams.close);
  bot = await startBot({
    ADMIN_PORT: '0',
    REDIS_URL: redis.url,
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    TEAMS_AUTH: 'off',
    TEAMS_SERVICE_HOSTS: teams.host,
  });
  closers.push(bot.stop);
  await makeTraffic();
  told = await (await fetch(`${bot.adminUrl}/metrics`)).text();
}, 120_000);

afterAll(async () => {
  for (const close of closers.toReversed()) await close();
});

/** The bot's metrics that an expression names, each with the labels by which it picks. */
function metricsIn(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/(?<!")\b((?:bot|antcrm|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)(?:=~?|!=)/g)].map(([, label = '']) => label),
    }),
  );
}

/** Those of them that the bot does not tell, or not with these labels. */
function unknownIn(expression: string): string[] {
  return metricsIn(expression).flatMap(({ name, labels }) => {
    const lines = told
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    const isTold = lines.some((line) => labels.every((label) => line.includes(`${label}="`)));
    return isTold ? [] : [[name, ...labels].join(' ')];
  });
}

const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

test('rules and dashboard ask for nothing that the bot does not tell', () => {
  expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
  expect(queries.filter((expr) => metricsIn(expr).length === 0)).toEqual([]);
  expect(queries.flatMap(unknownIn)).toEqual([]);
});

test('a rule is there for every alarm, and leads to what that means and what to do', () => {
  const anchors = [...read('docs/operators.md').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
  for (const { alert, annotations, labels } of alerts) {
    const [page, anchor] = annotations?.runbook_url.split('#') ?? [];
    expect([alert, page, anchors.includes(anchor ?? '')]).toEqual([alert, 'docs/operators.md', true]);
    expect([alert, labels]).toEqual([alert, expect.anything()]);
  }
  for (const alarm of ALARMS) {
    const found = alerts.filter(({ expr }) => expr.includes(`bot:alarms:raised5m{alarm="${alarm}"}`));
    expect(found).toMatchObject([{ annotations: { runbook_url: `docs/operators.md#${alarm}` } }]);
  }
});

test('the dashboard asks in words that Prometheus understands', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'panels-'));
  // Grafana fills the interval in. JSON is YAML.
  const asked = queries.map((expr, at) => ({
    record: `panel:n${at}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  const file = join(folder, 'panels.yml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules: asked }] }));
  expect(await promtool('check', 'rules', file)).toContain('SUCCESS');
});
