import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Confirmed, type Conversation, faultsOf, type Told } from '../support/checker.ts';
import type { Bot } from '../support/processes.ts';
import type { Chat } from './chat.ts';
import { accumulation } from './flows.ts';
import type { Key } from './wording.ts';
import { type Post, startWorld, type World } from './world.ts';

/** So many conversations whatever the machine; in the short form more, as long as they begin within this time. */
const LONG = process.env.FAULTS === 'long';
const AT_LEAST = LONG ? 500 : 40;
const AT_MOST = LONG ? 500 : 300;
const BEGIN_MS = 5000;
const AT_ONCE = 64;

/** Each process lives until customers have been told so many more messages, at random: a busy machine gets its time. */
const LIFE = { from: 10, to: LONG ? 250 : 120 };

/** Words that say which conversation's message they are of; each is an e-mail in its message, and in the answer. */
const serialsOf = (index: number): string[] => [1, 2, 3, 4].map((n) => `q${1000 + index}a${n}`);
/** A code that nobody else has. */
const codeOf = (index: number): string => `TIVI000000${`${1000 + index}`.slice(1)}`;
const phoneOf = (index: number): string => `0867${100_000 + index}`;

test(`${AT_LEAST} conversations and more go on while both processes are killed again and again`, {
  timeout: 10 * 60_000,
}, async () => {
  const main = 'test/support/bot-main.ts';
  const world = await startWorld({
    redis: true,
    bots: 0,
    main,
    env: { BOT_LEASE_MS: '2000' },
    patienceMs: 120_000,
  });
  const fleet = await startFleet(world);
  onTestFinished(async () => {
    await fleet.end();
    await world.stop();
  });

  /** As Telegram does: again until it is taken. */
  const post: Post = async (update) => {
    for (;;) {
      const posted = await world.post(update, await fleet.anyone()).catch(() => null);
      if (posted && posted.status !== 503) return posted;
      await delay(50);
    }
  };
  const talks: Talk[] = [];
  const untilMs = performance.now() + BEGIN_MS;
  let last = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (last < AT_LEAST || (last < AT_MOST && performance.now() < untilMs)) {
        last += 1;
        talks.push(await talk(world.chat('en', post), last));
      }
    }),
  );
  const kills = await fleet.end();

  const conversations = await gather(world, talks);
  console.log(`${conversations.length} conversations, ${kills} kills`);
  expect(conversations.flatMap(faultsOf)).toEqual([]);
  expect(conversations.length).toBeGreaterThanOrEqual(AT_LEAST);
  expect(kills).toBeGreaterThan(2);
  const heard = conversations.flatMap(({ operations }) => operations.map((one) => one.heard));
  expect(heard.filter((one) => one === 'done').length).toBeGreaterThan(talks.length);
});

type Fleet = { anyone(): Promise<Bot>; end(): Promise<number> };

/** Two processes, each of which is killed and started anew, whatever the other one does. */
async function startFleet(world: World): Promise<Fleet> {
  const over = new AbortController();
  const ended = once(over.signal, 'abort');
  const living = new Set<Bot>();
  let kills = 0;

  async function live(): Promise<void> {
    let bot = await world.bot();
    living.add(bot);
    while (!over.signal.aborted) {
      await Promise.race([world.told(LIFE.from + Math.random() * (LIFE.to - LIFE.from)), ended]);
      if (over.signal.aborted) break;
      living.delete(bot);
      await bot.kill();
      kills += 1;
      bot = await world.bot();
      living.add(bot);
    }
  }
  const lives = [live(), live()];
  return {
    async anyone() {
      for (;;) {
        const bots = [...living];
        const bot = bots[Math.floor(Math.random() * bots.length)];
        if (bot) return bot;
        await delay(20);
      }
    },
    async end() {
      over.abort();
      await Promise.all(lives);
      await Promise.all([...living].map((bot) => bot.stop()));
      return kills;
    },
  };
}

type Confirmation = { kind: 'point' | 'gift'; phone: string; heard: Confirmed['heard'] };
type Talk = Pick<Conversation, 'chat' | 'serials'> & { readonly confirmations: readonly Confirmation[] };

/** Four messages without a pause; what the last of them began is confirmed; then a gift is redeemed. */
async function talk(chat: Chat, index: number): Promise<Talk> {
  const [serials, phone] = [serialsOf(index), phoneOf(index)];
  for (const word of serials) await chat.writes(accumulation(codeOf(index), phone, `${word}@example.vn`));
  await chat.hearsOneOf(['accumulate.summary'], serials.at(-1));
  const earned: Confirmation = { kind: 'point', phone, heard: await confirms(chat) };
  if (earned.heard !== 'done') return { chat: chat.id, serials, confirmations: [earned] };

  await chat.writes('/redeem DAUMAY01');
  await chat.hearsOneOf(['identity.proofNeeded']);
  await chat.shares(`84${phone.slice(1)}`);
  await chat.hearsOneOf(['redeem.summary']);
  const spent: Confirmation = { kind: 'gift', phone, heard: await confirms(chat) };
  return { chat: chat.id, serials, confirmations: [earned, spent] };
}

const HEARD = {
  'accumulate.done': 'done',
  'redeem.done': 'done',
  'operation.resolved.done': 'done',
  'operation.resolved.notApplied': 'not applied',
  'service.unavailable': 'not applied',
} as const satisfies Partial<Record<Key, Confirmed['heard']>>;
const RESULTS = ['accumulate.done', 'redeem.done', 'service.unavailable'] as const;
const RESOLUTIONS = ['operation.resolved.done', 'operation.resolved.notApplied'] as const;

/** Presses the button twice at once, perhaps on different processes. */
async function confirms(chat: Chat): Promise<Confirmed['heard']> {
  const presses = [chat.button('confirm'), chat.button('confirm')];
  await Promise.all(presses.map(chat.send));
  try {
    const { key } = await chat.hearsOneOf([...RESULTS, ...RESOLUTIONS]);
    return HEARD[key];
  } catch {
    return 'nothing';
  }
}

/** What Telegram and AntCRM know of each conversation. */
async function gather(world: World, talks: readonly Talk[]): Promise<Conversation[]> {
  const told = new Map<unknown, Told[]>();
  for (const { payload } of world.double.calls('sendMessage')) {
    const message = { text: String(payload.text), buttons: JSON.stringify(payload.reply_markup) };
    told.set(payload.chat_id, [...(told.get(payload.chat_id) ?? []), message]);
  }
  return Promise.all(
    talks.map(async ({ confirmations, ...talk }) => ({
      ...talk,
      told: told.get(talk.chat) ?? [],
      operations: await Promise.all(
        confirmations.map(async ({ kind, phone, heard }) => ({
          name: `${kind} of ${phone}`,
          heard,
          calls: await world.sandbox.records(kind, phone),
        })),
      ),
    })),
  );
}
