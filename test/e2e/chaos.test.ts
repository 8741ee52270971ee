import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Bot } from '../support/processes.ts';
import { accumulation, type Chat, type Key } from './chat.ts';
import { type Post, startWorld, type World } from './world.ts';

/*
 * What must hold whatever crashes, seen from outside, on real processes: the simulator kills at each call of the store, of
 * a platform and of AntCRM, but in one process and on one thread.
 */

const LONG = process.env.FAULTS === 'long';
const CONVERSATIONS = LONG ? 400 : 30;
const KILLS = LONG ? 15 : 3;
const AT_ONCE = 20;
/** A process lives until customers were told so many more messages: a busy machine gets its time. */
const LIFE = 12;

const phoneOf = (index: number): string => `0867${100_000 + index}`;
/** Words that say which message an answer is to; each is an e-mail in its message, and in the answer. */
const wordsOf = (index: number): string[] => [1, 2, 3].map((n) => `q${1000 + index}a${n}`);

const ENDS = {
  'accumulate.done': 'done',
  'operation.resolved.done': 'done',
  'operation.resolved.notApplied': 'not applied',
  'service.unavailable': 'not applied',
} as const satisfies Partial<Record<Key, string>>;
const END_KEYS = [
  'accumulate.done',
  'operation.resolved.done',
  'operation.resolved.notApplied',
  'service.unavailable',
] as const;

type Talk = { readonly chat: number; readonly index: number; readonly end: (typeof ENDS)[keyof typeof ENDS] };

test('conversations go on while two processes are killed in turn: each message answered once and in order, each call made once', {
  timeout: 10 * 60_000,
}, async () => {
  const main = 'test/support/bot-main.ts';
  const world = await startWorld({ redis: true, bots: 2, main, env: { BOT_LEASE_MS: '2000' } });
  onTestFinished(() => world.stop());
  const living = [...world.bots];

  /** As Telegram does: again until it is taken. */
  const post: Post = async (update) => {
    for (;;) {
      const bot = living[Math.floor(Math.random() * living.length)];
      const posted = bot && (await world.post(update, bot).catch(() => null));
      if (posted && posted.status !== 503) return posted;
      await delay(50);
    }
  };

  const talks: Talk[] = [];
  let begun = 0;
  let kills = 0;
  const customers = Array.from({ length: AT_ONCE }, async () => {
    while (begun < CONVERSATIONS || kills < KILLS) {
      begun += 1;
      talks.push(await talk(world.chat('en', post), begun));
    }
  });
  while (kills < KILLS) {
    await killFirst(world, living);
    kills += 1;
  }
  await Promise.all(customers);

  for (const { chat, index, end } of talks) {
    const calls = await world.sandbox.records('point', phoneOf(index));
    const applied = calls.filter(({ status }) => status === 1).length;
    expect({ index, calls: calls.length <= 1, applied }).toEqual({
      index,
      calls: true,
      applied: end === 'done' ? 1 : 0,
    });
    expect({ index, faults: faultsOf(wordsOf(index), world, chat) }).toEqual({ index, faults: [] });
  }
});

/** Three messages without a pause; what the last of them began is confirmed twice at once. */
async function talk(chat: Chat, index: number): Promise<Talk> {
  const code = `TIVI000000${`${1000 + index}`.slice(1)}`;
  const words = wordsOf(index);
  for (const word of words) await chat.writes(accumulation(code, phoneOf(index), `${word}@example.vn`));
  await chat.hearsOneOf(['accumulate.summary'], words.at(-1));
  await Promise.all([chat.presses('confirm'), chat.presses('confirm')]);
  const { key } = await chat.hearsOneOf(END_KEYS);
  return { chat: chat.id, index, end: ENDS[key] };
}

/** Kills the older of the two in the middle of what it does, and starts another in its place. */
async function killFirst({ double, bot }: World, living: Bot[]): Promise<void> {
  const told = () => double.calls('sendMessage').length;
  const next = told() + LIFE;
  await expect.poll(told, { timeout: 60_000 }).toBeGreaterThanOrEqual(next);
  await living.shift()?.kill();
  living.push(await bot());
}

/**
 * An answer that a crash repeated is the very same, for buttons of a message that was applied again would be new; and none
 * comes after one to a later message.
 */
function faultsOf(words: readonly string[], world: World, chat: number): string[] {
  const told = world.double
    .calls('sendMessage')
    .filter(({ payload }) => payload.chat_id === chat)
    .map(({ payload }) => JSON.stringify([payload.text, payload.reply_markup]));
  const answered = told.map((text) => words.findIndex((word) => text.includes(word))).filter((at) => at >= 0);
  const answers = words.map((word) => new Set(told.filter((text) => text.includes(word))).size);
  return [
    ...answers.flatMap((count, at) => (count === 1 ? [] : [`${words[at]} was answered in ${count} ways`])),
    ...answered.flatMap((at, nth) => (at < (answered[nth - 1] ?? 0) ? [`${words[at]} came late`] : [])),
  ];
}
