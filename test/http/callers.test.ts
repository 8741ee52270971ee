import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { type Platforms, startPlatforms } from '../support/platforms.ts';
import { type BuiltRoute, collectRoutes } from '../support/routes.ts';

/*
 * Each route of a bot that has all of them, asked by each kind of caller. The routes are fastify's own list,
 * so a route that nobody placed here fails.
 */

const STAFF = 'the-token-of-all-staff-0123';
const OPERATOR = 'the-operator-token-0123456789';
const LAN = 'lan-0123456789-abcdef';

/** Whom a route lets pass. `platform` checks its own secret; `everybody`: it says nothing of anybody. */
type Room = 'everybody' | 'platform' | 'inbox' | 'staff' | 'operators';

const ROOMS: readonly (readonly [Room, RegExp])[] = [
  ['everybody', /^(\/|\/console|\/console\/(login|logout|[\w.-]+\.(css|js|svg)))$/],
  ['everybody', /^\/health\/(live|ready)$/],
  ['platform', /^\/webhooks\/(telegram|teams)$/],
  ['staff', /^\/(webhooks\/staff(\/:conversation\/events)?|staff\/unclear|metrics|console\/codes)$/],
  ['staff', /^\/(docs|sandbox)(\/.*)?$/],
  ['inbox', /^\/staff\/(?!unclear$)/],
  ['operators', /^\/operations(\/|$)/],
];

type Caller = {
  readonly who: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly passes: readonly Room[];
  /** Refused with this. */
  readonly status: (room: Room) => number;
};

let platforms: Platforms;
let bot: Running;
let routes: readonly BuiltRoute[];
let callers: readonly Caller[];

beforeAll(async () => {
  platforms = await startPlatforms();
  const people = join(mkdtempSync(join(tmpdir(), 'callers-')), 'people.txt');
  writeFileSync(people, `Lan: ${LAN}\n`);
  const env = {
    ...platforms.telegramEnv,
    TEAMS_AUTH: 'off',
    SUPPORT_CONTACT: '1900 0000',
    STAFF_TOKEN: STAFF,
    STAFF_PEOPLE: people,
    OPERATOR_TOKEN: OPERATOR,
    // Each request says another address: the limits of wrong tokens are tested elsewhere.
    TRUST_PROXY: '127.0.0.1',
  };
  ({ built: bot, routes } = await collectRoutes(() => startBot(env)));
  callers = await createCallers();
});
afterAll(async () => {
  bot.cut();
  await bot.stop();
  await platforms.close();
});

async function signIn(token: string): Promise<string> {
  const sent = { method: 'POST', body: new URLSearchParams({ token }), redirect: 'manual' as const };
  const response = await fetch(`${bot.url}/console/login`, sent);
  return response.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
}

async function createCallers(): Promise<readonly Caller[]> {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const [staffCookie, personCookie] = [await signIn(STAFF), await signIn(LAN)];
  const unknown = { passes: [], status: () => 401 };
  const staff = { passes: ['staff', 'inbox'], status: () => 401 } as const;
  // A person is told that the route is not theirs; the operators' routes know no people.
  const person = {
    passes: ['inbox'],
    status: (room: Room) => (room === 'operators' ? 401 : 403),
  } as const;
  const otherSite = { 'sec-fetch-site': 'cross-site' };
  return [
    { who: 'nobody', headers: {}, ...unknown },
    { who: 'a wrong token', headers: bearer('some-token-0123456789-abc'), ...unknown },
    { who: "Telegram's bot token", headers: bearer(platforms.telegram.token), ...unknown },
    { who: 'staff', headers: bearer(STAFF), ...staff },
    { who: 'a session of staff', headers: { cookie: staffCookie }, ...staff },
    { who: 'a person', headers: bearer(LAN), ...person },
    { who: 'a session of a person', headers: { cookie: personCookie }, ...person },
    { who: 'a page of another site', headers: { cookie: staffCookie, ...otherSite }, ...unknown },
    { who: 'a session that nobody signed', headers: { cookie: `${staffCookie}0` }, ...unknown },
    { who: 'the operator', headers: bearer(OPERATOR), passes: ['operators'], status: () => 401 },
  ];
}

const roomsOf = ({ url }: BuiltRoute) => ROOMS.flatMap(([room, urls]) => (urls.test(url) ? room : []));
let asked = 0;

/** The status alone, for parameters that name nothing. */
async function ask({ method, url }: BuiltRoute, headers: Caller['headers']): Promise<number> {
  asked += 1;
  const from = { 'x-forwarded-for': `10.0.${asked >> 8}.${asked & 255}` };
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const sent = {
    method,
    redirect: 'manual' as const,
    // The sandbox asks for a key of AntCRM behind its guard.
    headers: {
      ...headers,
      ...from,
      apikey: 'sandbox',
      ...(hasBody && { 'content-type': 'application/json' }),
    },
    ...(hasBody && { body: '{}' }),
  };
  const response = await fetch(bot.url + url.replace(/:\w+|\*/g, 'NONE'), sent);
  await response.body?.cancel();
  return response.status;
}

test('each route is in one room', () => {
  expect(routes.filter((route) => roomsOf(route).length !== 1)).toEqual([]);
  for (const room of ['everybody', 'platform', 'inbox', 'staff', 'operators'] as const)
    expect([room, routes.some((route) => roomsOf(route).includes(room))]).toEqual([room, true]);
});

test('each route lets pass whom it is for, and refuses every other kind of caller', async () => {
  const wrong: unknown[] = [];
  for (const route of routes) {
    const [room = 'operators'] = roomsOf(route);
    for (const { who, headers, passes, status } of callers) {
      if (room === 'everybody' || room === 'platform') continue;
      const got = await ask(route, headers);
      const isPassed = got !== 401 && got !== 403;
      if (passes.includes(room) ? !isPassed : got !== status(room))
        wrong.push(`${route.method} ${route.url} answers ${got} to ${who}`);
    }
  }
  expect(wrong).toEqual([]);
});
