import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Bot } from '../support/processes.ts';
import { startWorld } from './world.ts';

const SECONDS = 15;
const PARTS = 3;
/** What a busy machine takes by itself. */
const NOISE_MS = 500;

type World = Awaited<ReturnType<typeof startWorld>>;

/** What bystanders wait for an answer, ms: four a second write, each once. */
async function listen(world: World, bot: Bot, seconds = SECONDS): Promise<number[]> {
  const waits: Promise<number>[] = [];
  for (let n = 0; n < 4 * seconds; n++) {
    const bystander = world.chat(bot);
    const sinceMs = performance.now();
    await bystander.writes('/help');
    const answered = world.telegram.called('sendMessage', ({ chat_id }) => chat_id === bystander.person.id);
    waits.push(answered.then(() => performance.now() - sinceMs));
    await sleep(250);
  }
  return Promise.all(waits);
}

const p95 = (waits: readonly number[]) =>
  waits.toSorted((one, other) => one - other)[Math.floor(0.95 * waits.length)] ?? 0;

test('eight accounts whose chats Telegram refuses for minutes do not make anybody else wait', async () => {
  const world = await startWorld();
  onTestFinished(() => world.stop());
  const bot = await world.bot({ TELEGRAM_MESSAGES_PER_SECOND: '30', TELEGRAM_CHAT_BURST: '3' });
  await listen(world, bot, 2);
  const quiet = p95(await listen(world, bot));

  const attackers = Array.from({ length: 8 }, () => world.chat(bot).person);
  for (const { id } of attackers) world.telegram.throttle(id, 300);
  const ended = new AbortController();
  const attacks = attackers.map(async (person) => {
    for (; !ended.signal.aborted; await sleep(250)) await world.post(person.writes('/help'), bot);
  });
  // A busy machine is slow for a while; what the attack does to others, it does all the time.
  const parts: number[] = [];
  for (let part = 0; part < PARTS; part++) parts.push(p95(await listen(world, bot, SECONDS / PARTS)));
  const attacked = Math.min(...parts);
  ended.abort();
  await Promise.all(attacks);
  const sent = world.telegram.calls('sendMessage').map(({ payload }) => payload.chat_id);
  expect(attackers.filter(({ id }) => sent.includes(id))).toEqual(attackers);
  expect(attacked).toBeLessThanOrEqual(2 * Math.max(quiet, NOISE_MS));
});
