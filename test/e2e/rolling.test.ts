import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERSION } from '../../src/conversation/upgrades.ts';
import type { Bot } from '../support/processes.ts';
import { accumulation, entersCode } from './flows.ts';
import { STAFF_TOKEN, startWorld, type World } from './world.ts';

/*
 * An update in the middle: one process is a version whose states have a newer schema, the other is not yet replaced.
 */

let world: World;
beforeAll(async () => {
  world = await startWorld({ redis: true, bots: 0, main: 'test/support/bot-main.ts' });
});
afterAll(() => world.stop());

const startNewer = () => world.bot({ BOT_SCHEMA: `${VERSION + 1}` });

/** A customer, and the process that gets their next update. */
function customer(bot: Bot) {
  const at = { bot };
  return { at, chat: world.chat('en', (update) => world.post(update, at.bot)) };
}

/** How many turns a process has carried out. */
async function turnsOf({ url }: Bot): Promise<number> {
  const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
  const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
  const counts = [...metrics.matchAll(/^bot_turns_total\{.*\} (\d+)$/gm)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

test('during a rolling update the older process leaves alone what the newer one wrote, and nothing is lost', async () => {
  const [older, newer] = await Promise.all([world.bot(), startNewer()]);
  const { at, chat } = customer(older);
  const other = customer(older).chat;

  // What the older one wrote, the newer one reads: the customer does not notice the change.
  await entersCode(chat, 'TIVI000000101');
  at.bot = newer;
  await chat.presses('confirm');
  await chat.hears('accumulate.done', 'receipt.accumulate');
  await chat.hears('privacy.consent');
  await chat.presses('consent:accept');
  await chat.hears('privacy.remembered');

  // What reaches the older one now, it stores; the newer one answers, in order.
  at.bot = older;
  const before = await turnsOf(older);
  const codes = ['TIVI000000102', 'TIVI000000103', 'TIVI000000104'];
  for (const code of codes) await chat.writes(accumulation(code));
  for (const code of codes) expect(await chat.hears('accumulate.summary')).toContain(code);

  // With the newer one gone it waits, while the older one goes on with everybody else.
  await newer.stop();
  await chat.writes('/privacy');
  await entersCode(other, 'TIVI000000105', '0867123456');
  expect(chat.unread).toEqual([]);
  await startNewer();
  await chat.hears('privacy.text', 'summary.phone', 'summary.email');
  await expect.poll(() => turnsOf(older)).toBe(before + 1);
});
