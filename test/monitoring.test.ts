import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createClient } from '../src/channels/staff/client.ts';
import { ALARMS } from '../src/observability/log.ts';
import { startBot } from './support/app.ts';
import { asPng, drawCode } from './support/pictures.ts';
import { startRedis, until } from './support/redis.ts';
import { textActivity } from './support/teams-activities.ts';
import { startTeamsDouble } from './support/teams-double.ts';
import { startTelegramDouble } from './support/telegram-double.ts';
import { createPerson } from './support/telegram-updates.ts';

/* The rules and the dashboard of `ops/`, by what a bot tells and by Prometheus' own tool. */

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

/** What a bot tells of every channel, every call of AntCRM and a picture, in the text that Prometheus reads. */
async function scrape(): Promise<string> {
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
  return (await fetch(`${bot.url}/metrics`)).text();
}

test('rules and dashboard ask for nothing that the bot does not tell', { timeout: 120_000 }, async () => {
  const told = (await scrape()).split('\n');
  const unknown = [...rules.map(({ expr }) => expr), ...queries].flatMap((expression) => {
    const metrics = [...expression.matchAll(/(?<!")\b((?:bot|antcrm|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)];
    return metrics.flatMap(([, name = '', matchers = '']) => {
      const labels = [...matchers.matchAll(/(\w+)(?:=~?|!=)/g)].map(([, label = '']) => label);
      const lines = told.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      const isTold = lines.some((line) => labels.every((label) => line.includes(`${label}="`)));
      return isTold ? [] : [[name, ...labels].join(' ')];
    });
  });
  expect(unknown).toEqual([]);
  expect(queries.length).toBeGreaterThan(20);
});

test('a rule is there for every alarm, and leads to what that means and what to do', () => {
  const headings = [...read('docs/operators.md').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  const anchors = headings.map((heading) =>
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
