import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Bot } from '../support/processes.ts';
import { accumulation, choosesGift, entersCode, flowTests, OWN_PHONE, PHONE } from './flows.ts';
import { staffEvents, writesAsStaff } from './staff.ts';
import { type Post, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ bots: 2, redis: true });
});
afterAll(() => world.stop());
beforeEach(() => world.sandbox.reset());

/** One update to the one bot, the next to the other. */
function alternately(): Post {
  let turn = 0;
  return async (update) => world.post(update, both()[turn++ % 2] ?? both()[0]);
}

function both(): [Bot, Bot] {
  const [one, other] = world.bots;
  if (one === undefined || other === undefined) throw new Error('there are no two bots');
  return [one, other];
}

flowTests(
  () => world,
  (language) => world.chat(language, alternately()),
);

test('an update that reaches both processes at once is answered once', async () => {
  const chat = world.chat('en', async (update) => {
    const [posted] = await Promise.all(both().map((bot) => world.post(update, bot)));
    return posted ?? { status: 0, retryAfter: null, body: '' };
  });
  for (let round = 0; round < 10; round++) {
    await chat.writes(accumulation(`TIVI00000010${round}`));
    expect(await chat.hears('accumulate.summary')).toContain(`TIVI00000010${round}`);
  }
  expect(chat.unread).toEqual([]);
});

test('fast messages that reach the processes by turns are answered in order', async () => {
  const chat = world.chat('en', alternately());
  const emails = Array.from({ length: 20 }, (_, index) => `m${10 + index}@example.vn`);
  for (const email of emails) await chat.writes(accumulation('TIVI000000110', '0912345678', email));
  for (const email of emails) expect(await chat.hears('accumulate.summary')).toContain(email);
});

test('a confirm button pressed on both processes at once spends once', async () => {
  const chat = world.chat('vi', alternately());
  const before = await world.sandbox.records('gift', PHONE);
  await choosesGift(chat);
  const presses = [chat.button('confirm'), chat.button('confirm')];
  await Promise.all(presses.flatMap((press) => [chat.send(press), chat.send(press)]));
  await chat.hears('redeem.done', 'receipt.redeem');
  await chat.hears('privacy.consent');
  await Promise.any(presses.map((press) => chat.seesRemark(press, 'choice.expired')));
  expect(await world.sandbox.records('gift', PHONE)).toHaveLength(before.length + 1);
  expect(chat.unread).toEqual([]);
});

test('a lost answer is looked up by whichever process sees that it is time', async () => {
  const chat = world.chat('en', alternately());
  await entersCode(chat, 'TIVI000000200');
  await world.sandbox.fault({ call: 'accumulate', fault: 'lose-answer' });
  await chat.presses('confirm');
  await chat.hears('operation.checking_accumulate');
  await chat.hears('operation.resolved.done', 'receipt.accumulate');
  expect(await world.sandbox.records('point', '0912345678')).toMatchObject([{ status: 1 }]);
});

test('staff get their answers and events from whichever process they ask', async () => {
  const [one, other] = both();
  const events = await staffEvents(other, 'qa-1');
  const asked = await writesAsStaff(one, 'qa-1', { text: 'earn TIVI000000300 0912345678 minh@example.vn' });
  expect(asked).toMatchObject({ status: 'done', replies: [{ key: 'accumulate.summary' }] });
  expect(await events.next()).toMatchObject(asked.replies[0] ?? {});

  // The first process holds the conversation while it calls; the second one's message is answered by it.
  await world.sandbox.fault({ call: 'accumulate', fault: 'slow', ms: 500 });
  const confirm = asked.replies[0]?.choices?.find(({ id }) => id.startsWith('confirm:'));
  const [confirmed, helped] = await Promise.all([
    writesAsStaff(one, 'qa-1', { choice: confirm?.id }),
    world.sandbox.recorded('point', '0912345678').then(() => writesAsStaff(other, 'qa-1', { text: 'help' })),
  ]);
  expect(confirmed.replies.map(({ key }) => key)).toEqual(['accumulate.done']);
  expect(helped.replies[0]?.key).toBe('help');
  for (const reply of [...confirmed.replies, ...helped.replies]) {
    expect(await events.next()).toMatchObject({ seq: reply.seq, key: reply.key });
  }
  await events.close();
});

test('nothing personal can be read in what Redis wrote to its disk meanwhile', async () => {
  const client = new Redis(world.redis?.url ?? '');
  const [, dir = ''] = z.array(z.string()).parse(await client.config('GET', 'dir'));
  client.disconnect();
  const folder = join(dir, 'appendonlydir');
  const files = await Promise.all(
    (await readdir(folder)).map((file) => readFile(join(folder, file), 'latin1')),
  );
  const written = files.join('\n');
  expect(written.length).toBeGreaterThan(100_000);
  const personal = [
    'Garnacho',
    PHONE.slice(1),
    OWN_PHONE,
    '912345678',
    'minh@',
    'TIVI0000',
    'DAUMAY01',
    '74000000',
  ];
  expect(personal.filter((word) => written.includes(word))).toEqual([]);
});
