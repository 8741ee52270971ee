import { expect, onTestFinished, test } from 'vitest';
import { Overload, Overloaded } from '../../src/operators/overload.ts';
import { createWorld, incoming } from '../engine/bot.ts';
import { startBot } from '../support/app.ts';
import { observeInto } from '../support/observe.ts';
import { startPlatforms, WEBHOOK_SECRET } from '../support/platforms.ts';
import { textActivity } from '../support/teams-activities.ts';
import { createPerson } from '../support/telegram-updates.ts';

/** A store whose messages no process takes up, and an observer that reads its backlog. */
function setUp(maxBacklog = 20_000) {
  const world = createWorld();
  const alarms: unknown[] = [];
  const waits: [number, string][] = [];
  const observe = {
    ...observeInto([]),
    alarm: (name: string, fields: object) => void alarms.push({ name, ...fields }),
    turnWait: (seconds: number, channel: string) => void waits.push([Math.round(seconds), channel]),
  };
  const overload = new Overload({
    store: world.store,
    operators: world.operators,
    runtime: world.outside,
    observe,
    maxBacklog,
    channels: ['test', 'other'],
    isSaturated: () => false,
  });
  const engine = world.engine({}, { concurrency: 0 });
  const write = async (channel: string, conversations: number, each = 1): Promise<void> => {
    for (let n = 0; n < conversations * each; n++) {
      await engine.accept(incoming('hello', { channel, conversation: `c${n % conversations}` }));
    }
  };
  return { world, overload, alarms, waits, write };
}

test('messages that wait for their turn for more than a minute on average raise an alarm, by their channel', async () => {
  const { world, overload, alarms, waits, write } = setUp();
  await write('test', 4, 3);
  world.advance(50_000);
  await write('other', 1);
  world.advance(20_000);
  await overload.refresh();
  expect(waits).toEqual([
    [70, 'test'],
    [20, 'other'],
  ]);
  expect(alarms).toEqual([{ name: 'turns_late', channel: 'test', messages: 12, seconds: 70 }]);
  expect(overload.faults()).toEqual([expect.stringMatching(/^test: 12 messages wait for their turn, 70 s/)]);

  // Once they are answered, the metric falls.
  const busy = world.engine();
  await expect.poll(() => world.sent.length).toBe(12);
  await world.quiet();
  await busy.stop();
  await overload.refresh();
  expect([waits.at(-2), overload.faults()]).toEqual([[0, 'test'], []]);
});

test('replies that a platform does not take, and what waits behind them, do not count', async () => {
  const { world, overload, alarms, waits } = setUp();
  world.script.push(...Array.from({ length: 9 }, () => ({ kind: 'undelivered', reason: 'outage' }) as const));
  const engine = world.engine();
  for (let n = 0; n < 3; n++) await engine.accept(incoming(`hello ${n}`));
  await expect.poll(() => world.script.length).toBeLessThan(9);
  await engine.stop();
  world.advance(90_000);
  await overload.refresh();
  expect([waits.filter(([seconds]) => seconds > 0), alarms]).toEqual([[], []]);
});

test('if many conversations wait, some are opened, and the rest is estimated', async () => {
  const { overload, alarms, write, world } = setUp();
  await write('test', 900);
  world.advance(61_000);
  await overload.refresh();
  expect(alarms).toEqual([{ name: 'turns_late', channel: 'test', messages: 900, seconds: 61 }]);
});

test('above MAX_BACKLOG a channel takes no more, others do, and nothing that it took is lost', async () => {
  const { overload, write } = setUp(3);
  const taken: string[] = [];
  const accept = overload.around(async ({ channel }: { channel: string }) => void taken.push(channel));
  await write('test', 4);
  await accept({ channel: 'test' });
  await overload.refresh();
  await expect(accept({ channel: 'test' })).rejects.toThrow(Overloaded);
  await accept({ channel: 'other' });
  expect(taken).toEqual(['test', 'other']);
});

/** A bot whose turns never begin, with a longer backlog of Telegram than MAX_BACKLOG allows. */
async function startOverloaded() {
  const platforms = await startPlatforms();
  const env = { MAX_BACKLOG: '2', ...platforms.telegramEnv, ...platforms.teamsEnv };
  const bot = await startBot(env, { limits: { concurrency: 0 } });
  onTestFinished(async () => {
    await bot.stop();
    await platforms.close();
  });
  let id = 5000;
  const write = () => {
    const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': WEBHOOK_SECRET };
    const body = JSON.stringify(createPerson(++id).writes('help'));
    return fetch(`${bot.url}/webhooks/telegram`, { method: 'POST', headers, body });
  };
  for (let n = 0; n < 3; n++) expect(await write()).toMatchObject({ status: 200 });
  await expect.poll(async () => (await write()).status, { timeout: 8000, interval: 500 }).toBe(503);
  return { bot, teams: platforms.teams, write };
}

test('a webhook answers 503 with Retry-After while its backlog is too long, and other channels go on', async () => {
  const { bot, teams, write } = await startOverloaded();
  const refused = await write();
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  const accepted = await teams.post(textActivity('help'), { url: `${bot.url}/webhooks/teams`, appId: 'any' });
  expect(accepted.status).toBeLessThan(300);
});

test('readiness, metrics and an alarm say that a backlog is too long', async () => {
  const { bot } = await startOverloaded();
  const ready = await fetch(`${bot.url}/health/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([
    200,
    { status: 'degraded', dependencies: { turns: { faults: [expect.stringContaining('MAX_BACKLOG')] } } },
  ]);
  const metrics = await (await fetch(`${bot.url}/metrics`)).text();
  expect(metrics).toMatch(/^bot_turn_wait_seconds\{channel="telegram"\} \d/m);
  expect(metrics).toMatch(/^bot_updates_total\{channel="telegram",result="overloaded"\} \d/m);
  expect(metrics).toContain('bot_alarms_total{alarm="turns_late"} 1');
});
