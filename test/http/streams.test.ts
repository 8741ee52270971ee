import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { startBot } from '../support/app.ts';
import { collectRoutes } from '../support/routes.ts';

/*
 * What staff still receive over a connection that stays open. The streams are fastify's own list: one that
 * nobody can make an event for fails.
 */

const STAFF = 'the-token-of-all-staff-0123';
const LAN = 'lan-0123456789-abcdef';

type Bot = Awaited<ReturnType<typeof start>>;

/** How each stream gets an event. */
const EVENTS: Readonly<Record<string, (bot: Bot) => Promise<unknown>>> = {
  '/staff/tickets/events': ({ send }) => send({ conversation: `qa-${Math.random()}`, choice: 'person' }),
  '/webhooks/staff/:conversation/events': ({ send }) => send({ conversation: 'NONE', text: 'xem điểm' }),
};

async function start() {
  const path = join(mkdtempSync(join(tmpdir(), 'streams-')), 'people.txt');
  writeFileSync(path, `Lan: ${LAN}\n`);
  const env = { STAFF_TOKEN: STAFF, STAFF_PEOPLE: path };
  const { built: bot, routes } = await collectRoutes(() => startBot(env, { peopleMs: 20 }));
  onTestFinished(async () => {
    bot.cut();
    await bot.stop();
  });
  const { send } = createClient(bot.url, STAFF);
  const post = (at: string, headers: Record<string, string>, body = new URLSearchParams()) =>
    fetch(`${bot.url}/console/${at}`, { method: 'POST', redirect: 'manual', headers, body });
  const statusOf = async (headers: Record<string, string>) =>
    (await fetch(`${bot.url}/staff/tickets`, { headers })).status;

  return {
    streams: routes.filter(({ isStream }) => isStream).map(({ url }) => url),
    send,
    statusOf,
    async signIn(token: string): Promise<Record<string, string>> {
      const response = await post('login', {}, new URLSearchParams({ token }));
      return { cookie: response.headers.get('set-cookie')?.split(';', 1)[0] ?? '' };
    },
    signOut: (headers: Record<string, string>) => post('logout', headers),
    /** The person's line is taken out. */
    remove: () => writeFileSync(path, '# nobody\n'),
    /** Opens a stream; `next` is what it gets next, undefined once it has ended. */
    async open(url: string, headers: Record<string, string>) {
      const response = await fetch(bot.url + url.replace(':conversation', 'NONE'), { headers });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      const next = async () => (await reader?.read())?.value;
      return { status: response.status, next };
    },
  };
}

test('each stream passes events on to its reader', async () => {
  const bot = await start();
  expect(Object.keys(EVENTS).toSorted()).toEqual(bot.streams.toSorted());
  for (const url of bot.streams) {
    const { next } = await bot.open(url, { authorization: `Bearer ${STAFF}` });
    expect(await next()).toMatch(/^retry/);
    await EVENTS[url]?.(bot);
    expect(await next()).toMatch(/^id: /);
  }
});

type Leaving = 'taken out, with a token' | 'taken out, with a session' | 'signed out' | 'staff signed out';

async function leave(bot: Bot, leaving: Leaving) {
  const bearer = { authorization: `Bearer ${LAN}` };
  const isToken = leaving === 'taken out, with a token';
  const headers = isToken ? bearer : await bot.signIn(leaving === 'staff signed out' ? STAFF : LAN);
  const isOut = leaving.startsWith('taken out');
  return { headers, leave: () => (isOut ? Promise.resolve(bot.remove()) : bot.signOut(headers)) };
}

test.each<Leaving>([
  'taken out, with a token',
  'taken out, with a session',
  'signed out',
  'staff signed out',
])('who was %s gets no event more over any stream, and each ends', async (leaving) => {
  const bot = await start();
  const { headers, leave: goes } = await leave(bot, leaving);
  const opened = await Promise.all(
    bot.streams.map(async (url) => ({ url, ...(await bot.open(url, headers)) })),
  );
  const open = opened.filter(({ status }) => status === 200);
  expect(open.length).toBeGreaterThan(0);
  for (const { next } of open) expect(await next()).toMatch(/^retry/);
  await goes();
  await expect.poll(() => bot.statusOf(headers)).toBe(401);
  for (const { url, next } of open) {
    await EVENTS[url]?.(bot);
    expect([url, await next()]).toEqual([url, undefined]);
  }
});

test('a session that signed out ends alone: others of the same person go on', async () => {
  const bot = await start();
  const [one, other] = [await bot.signIn(LAN), await bot.signIn(LAN)];
  await bot.signOut(one);
  expect([await bot.statusOf(one), await bot.statusOf(other)]).toEqual([401, 200]);
});
