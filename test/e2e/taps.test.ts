import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Chat } from './chat.ts';
import { OWN_PHONE } from './flows.ts';
import { startWorld, type World } from './world.ts';

/*
 * What a customer of Telegram has to do until the result is there, counted at the webhook. Telegram's own taps are left
 * out: *Start*, and its question before a number is shared.
 */

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

/** A chat whose messages and taps are counted. */
function counted(chat: Chat) {
  let count = { messages: 0, taps: 0 };
  const tap = () => {
    count.taps += 1;
  };
  return {
    /** A scanned QR code, and Telegram's *Start*. */
    scans: (code: string) => chat.writes(`/start ${code}`),
    async writes(text: string) {
      count.messages += 1;
      await chat.writes(text);
    },
    async presses(choice: string) {
      tap();
      await chat.presses(choice);
    },
    async shares() {
      tap();
      await chat.shares(OWN_PHONE);
    },
    hears: chat.hears,
    /** What it took since the last time. */
    took() {
      const took = count;
      count = { messages: 0, taps: 0 };
      return took;
    },
  };
}

test('earning takes three taps the first time, then one, and what else is asked for takes one or two', async () => {
  const chat = counted(world.chat('vi'));

  // The first time: share the number, skip the e-mail, confirm. The question whether to remember comes after the result.
  await chat.scans('TIVI000000601');
  await chat.hears('accumulate.askPhone');
  await chat.shares();
  await chat.hears('accumulate.askEmail');
  await chat.presses('skip');
  await chat.hears('accumulate.summary');
  await chat.presses('confirm');
  await chat.hears('accumulate.done', 'receipt.accumulate');
  expect(chat.took()).toEqual({ messages: 0, taps: 3 });
  await chat.hears('privacy.consent');
  await chat.presses('consent:accept');
  await chat.hears('privacy.remembered');
  chat.took();

  await chat.scans('TIVI000000602');
  await chat.hears('accumulate.summary');
  await chat.presses('confirm');
  await chat.hears('accumulate.done', 'receipt.accumulate');
  expect(chat.took()).toEqual({ messages: 0, taps: 1 });

  await chat.writes('TIVI000000603');
  await chat.hears('accumulate.summary');
  await chat.presses('confirm');
  await chat.hears('accumulate.done', 'receipt.accumulate');
  expect(chat.took()).toEqual({ messages: 1, taps: 1 });

  // Several scans are one confirmation.
  for (const code of ['TIVI000000604', 'TIVI000000605', 'TIVI000000606']) {
    await chat.scans(code);
    await chat.hears('accumulate.summary');
  }
  await chat.presses('confirm');
  await chat.hears('accumulate.done_several', 'receipt.sum');
  expect(chat.took()).toEqual({ messages: 0, taps: 1 });

  await chat.presses('history');
  await chat.hears('history.page_point');
  expect(chat.took()).toEqual({ messages: 0, taps: 1 });

  // Wherever the menu is, gifts stand beside it: before anything is asked for, after a result, after the balance.
  await chat.writes('/start');
  await chat.hears('welcome');
  chat.took();
  await chat.presses('redeem:1:DAUMAY01');
  await chat.hears('redeem.summary', 'summary.price');
  await chat.presses('confirm');
  await chat.hears('redeem.done', 'receipt.redeem');
  expect(chat.took()).toEqual({ messages: 0, taps: 2 });

  await chat.presses('redeem:1:DAUMAY01');
  await chat.hears('redeem.summary');
  await chat.presses('confirm');
  await chat.hears('redeem.done', 'receipt.redeem');
  expect(chat.took()).toEqual({ messages: 0, taps: 2 });

  await chat.presses('points');
  await chat.hears('points.balance');
  chat.took();
  await chat.presses('redeem:1:LOA01');
  await chat.hears('redeem.summary');
  await chat.presses('confirm');
  await chat.hears('redeem.done', 'receipt.redeem');
  expect(chat.took()).toEqual({ messages: 0, taps: 2 });

  await chat.writes('đổi đầu máy');
  await chat.hears('redeem.summary');
  await chat.presses('confirm');
  await chat.hears('redeem.done', 'receipt.redeem');
  expect(chat.took()).toEqual({ messages: 1, taps: 1 });
});
