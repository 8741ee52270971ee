import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/channels/staff/client.ts';
import { startGateway, startShop } from '../proof/shop.ts';
import { startBot } from '../support/app.ts';
import { startRedis, until } from '../support/redis.ts';

/*
 * The samples of docs/operators.md come from a real run: a bot on a Redis, what its operator types, and what
 * it says. `npm run samples` writes them; without it the test only says whether they still look like that.
 */

const DOCUMENT = new URL('../../docs/operators.md', import.meta.url);
const OPERATOR_TOKEN = 'an-operator-token-of-some-length';
/** Nothing can be found out about an operation, and staff are asked within a moment. */
const ENV = { OPERATOR_TOKEN, OPERATION_CHECKS: '20ms,40ms', ANTCRM_TIMEOUT_MS: '500' };
const IDLE_MS = 6000;
const CONVERSATIONS = 1000;
const run = promisify(execFile);

async function startWatched() {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  const lines: string[] = [];
  let isBroken = false;
  const bot = await startBot(
    { ...ENV, REDIS_URL: redis.url },
    {
      log: { write: (line) => lines.push(line) },
      around: {
        antcrm(port) {
          const contact = port.contact.bind(port);
          const broken = (...asked: Parameters<typeof contact>) => {
            if (isBroken) throw new Error('a bug');
            return contact(...asked);
          };
          return Object.assign(port, { contact: broken });
        },
      },
    },
  );
  onTestFinished(async () => {
    await bot.stop();
    admin.disconnect();
    await redis.stop();
  });
  const { send } = createClient(bot.url);
  const say = async (conversation: string, content: { text?: string; choice?: string }) => {
    const answer = await send({ conversation, locale: 'en', ...content });
    if (answer.status === 'refused') throw new Error(answer.problem.title);
    return answer.replies.flatMap(({ choices = [] }) => choices.map(({ id }) => id));
  };
  const post = (path: string, body: object) =>
    fetch(bot.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return {
    bot,
    admin,
    lines,
    say,
    post,
    breakLookUps: (broken: boolean) => {
      isBroken = broken;
    },
  };
}
type Watched = Awaited<ReturnType<typeof startWatched>>;

/** A command for operators, as it is typed and as it answers. */
async function typed({ bot }: Watched, words: string): Promise<string> {
  const env = { PATH: process.env.PATH, USER: 'lan', BOT_URL: bot.url, OPERATOR_TOKEN };
  const args = ['src/cli/operations.ts', ...words.split(' ')];
  const { stdout } = await run(process.execPath, args, { env });
  return `$ operations ${words}\n${stdout.trimEnd()}`;
}

/** The log line of an alarm, without the time of day as a number. */
const alarmIn = ({ lines }: Watched, alarm: string): string | undefined =>
  lines.find((line) => line.includes(`"alarm":"${alarm}"`))?.trim();

/** An operation whose outcome only staff can tell, and a message that a bug put aside. */
async function sampleOperations(watched: Watched): Promise<Record<string, string>> {
  const { say, post } = watched;
  await post('/sandbox/faults', { call: 'redeem', fault: 'lose-answer' });
  const choices = await say('qa-1', { text: 'redeem DAUMAY01 0867123456' });
  const confirm = choices.find((id) => id.startsWith('confirm:')) ?? '';
  await say('qa-1', { choice: confirm });
  // No look finds what was done.
  await post('/sandbox/faults', { call: 'history', fault: 'error-500', times: 99 });
  await until(async () => alarmIn(watched, 'operation_escalated') !== undefined);
  watched.breakLookUps(true);
  await say('qa-2', { text: 'my points 0867123456' });
  watched.breakLookUps(false);
  const list = await typed(watched, 'list');
  const reference = confirm.slice('confirm:'.length);
  const [letter = ''] = /[\w-]{22}\.[\w-]+/.exec(list) ?? [];
  return {
    list,
    show: await typed(watched, `show ${reference}`),
    settle: await typed(watched, `settle ${reference} done`),
    read: await typed(watched, `read ${letter}`),
    replay: await typed(watched, `replay ${letter}`),
    alarms: ['operation_escalated', 'dead_letter'].map((alarm) => alarmIn(watched, alarm)).join('\n'),
  };
}

/** A Redis that is full: what a platform gets, and what readiness says, then once there is room again. */
async function sampleFullRedis({ bot, admin, post }: Watched): Promise<string> {
  const ready = async () => (await fetch(`${bot.url}/health/ready`)).text();
  await admin.config('SET', 'maxmemory', '1');
  await until(async () => (await ready()).includes('OOM'));
  const refused = await post('/webhooks/staff', { conversation: 'qa-3', text: 'help' });
  const full = await ready();
  await admin.config('SET', 'maxmemory', '0');
  await until(async () => (await ready()).includes('"store":{"status":"ok"'));
  return [
    '$ redis CONFIG SET maxmemory 1; sleep 2; ready',
    full,
    `# a platform gets ${refused.status}, and sends its message again`,
    '$ redis CONFIG SET maxmemory 1gb; sleep 2; ready',
    await ready(),
  ].join('\n');
}

/** What the bot asks of Redis without any messages, and what conversations at rest take there. */
async function sampleCosts({ admin, say }: Watched): Promise<string> {
  const commands = async () => Number(/total_commands_processed:(\d+)/.exec(await admin.info('stats'))?.[1]);
  const before = await commands();
  await delay(IDLE_MS);
  const idle = Math.round(((await commands()) - before) / (IDLE_MS / 1000) / 10) * 10;
  const used = async () => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
  const empty = await used();
  for (let first = 0; first < CONVERSATIONS; first += 50)
    await Promise.all(Array.from({ length: 50 }, (_, n) => say(`size-${first + n}`, { text: 'help' })));
  // Events of the staff webhook, which other channels have not.
  for (const key of await admin.keys('*}f:*')) await admin.del(key);
  const each = Math.round(((await used()) - empty) / CONVERSATIONS / 100) * 100;
  return [
    `idle process: about ${idle} commands a second, those in scripts included`,
    `conversation at rest: about ${each} bytes; 200,000 of them: ${Math.round((each * 200_000) / 1e6)} MB`,
  ].join('\n');
}

/** What readiness says of a Redis that may lose what it acknowledged. */
async function sampleDegraded(): Promise<string> {
  const redis = await startRedis('--appendonly', 'no');
  const bot = await startBot({ REDIS_URL: redis.url });
  onTestFinished(async () => {
    await bot.stop();
    await redis.stop();
  });
  return `$ ready\n${await (await fetch(`${bot.url}/health/ready`)).text()}`;
}

/** What a gateway is asked to send. */
async function sampleText(): Promise<string> {
  const gateway = await startGateway();
  const shop = await startShop(gateway);
  await shop.ask('a:1', '0912345678');
  return JSON.stringify(gateway.texted[0], null, 2);
}

/** The parts of the document between their marks, by name. */
const MARKED = /(<!-- sample (\w+) -->\n```\w*\n)([\s\S]*?)(\n```\n<!-- \/sample -->)/g;

/** What differs between two runs is made equal; numbers of the costs are compared by themselves. */
const shapeOf = (sample: string): string =>
  sample
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/[\w-]{22}\.[\w.-]+/g, 'LETTER')
    .replaceAll(/(?<=["\s])[\w-]{22}(?=["\s])/g, 'NAME')
    .replaceAll(/\b[0-9A-HJKMNP-TV-Z]{10}\b/g, 'REF')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .replaceAll(/\d+/g, 'N')
    .replaceAll(/ +/g, ' ');

test('the samples of docs/operators.md are those of a real run', { timeout: 600_000 }, async () => {
  const watched = await startWatched();
  const costs = await sampleCosts(watched);
  const samples: Record<string, string> = {
    costs,
    ...(await sampleOperations(watched)),
    full: await sampleFullRedis(watched),
    degraded: await sampleDegraded(),
    text: await sampleText(),
  };
  const text = readFileSync(DOCUMENT, 'utf8');
  const names = [...text.matchAll(MARKED)].map(([, , name]) => name);
  expect(names.toSorted()).toEqual(Object.keys(samples).toSorted());
  if (process.env.SAMPLES === 'write') {
    const written = text.replaceAll(
      MARKED,
      (_, head: string, name: string, _old, end: string) => head + (samples[name] ?? '') + end,
    );
    return writeFileSync(DOCUMENT, written);
  }
  for (const [, , name = '', sample = ''] of text.matchAll(MARKED)) {
    expect([name, shapeOf(sample)]).toEqual([name, shapeOf(samples[name] ?? '')]);
  }
  const [idle = 0, each = 0] = numbersIn(/sample costs[\s\S]*?\/sample/.exec(text)?.[0] ?? '');
  const [idleNow = 0, eachNow = 0] = numbersIn(costs);
  expect(idleNow / idle).toBeCloseTo(1, 0);
  expect(eachNow / each).toBeCloseTo(1, 0);
});

const numbersIn = (text: string): number[] =>
  z.array(z.coerce.number()).parse([...text.matchAll(/about (\d+)/g)].map(([, number]) => number));
