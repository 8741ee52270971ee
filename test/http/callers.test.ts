import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { type Running, startBot } from '../support/app.ts';
import { asJpeg, asPng, drawCode } from '../support/pictures.ts';
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

/** A body that a route takes, and what of its answer is the same for all who may ask. */
type RealBody = {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly answer?: unknown;
  /** It is taken, and then refused with this. */
  readonly refusedWith?: number;
};

const json = (fields: object): RealBody => ({ type: 'application/json', body: JSON.stringify(fields) });

/** A bot's ticket and gift, for the parameters of paths, and a picture of the gift's code. */
async function createThings() {
  const { send } = createClient(bot.url, STAFF);
  const say = async (message: { text?: string; choice?: string }) =>
    JSON.stringify(await send({ conversation: 'qa', locale: 'vi', ...message }));
  const summary = await say({ text: 'đổi quà DAUMAY01 0867123456' });
  const receipt = await say({ choice: summary.match(/confirm:\w+/)?.[0] ?? 'none' });
  const code = receipt.match(/[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/)?.[0] ?? 'none';
  await say({ choice: 'person' });
  const listed = await fetch(`${bot.url}/staff/tickets`, { headers: { authorization: `Bearer ${STAFF}` } });
  const ticket = (await listed.text()).match(/"id":"([^"]+)"/)?.[1] ?? 'none';
  const drawn = await drawCode(code);
  const answer = { codes: [code] };
  const pictures = [
    { type: 'image/png', body: Uint8Array.from(asPng(drawn)), answer },
    { type: 'image/jpeg', body: Uint8Array.from(asJpeg(drawn, 90)), answer },
  ];
  return { code, ticket, pictures };
}

/** Real bodies of each route that takes one. Whoever has no name of their own is Minh. */
function createBodies(pictures: readonly RealBody[]): ReadonlyMap<string, readonly RealBody[]> {
  const by = 'Minh';
  const file = Buffer.from(pictures[0]?.body ?? '').toString('base64');
  const settled = [json({ by, result: 'done' })];
  const bought = { emails: [], phones: [{ value: '0867123456' }] };
  // The chat app of this ticket is the console, which takes only text.
  const sent = { ...json({ file, by }), refusedWith: 415 };
  return new Map([
    [
      '/webhooks/staff',
      [json({ conversation: 'c', text: 'chào' }), json({ conversation: 'c', photo: file })],
    ],
    ['/staff/tickets/search', [json({ q: 'nobody', by })]],
    ['/staff/tickets/:id/media', [sent]],
    ['/staff/tickets/:id/messages', [json({ text: 'Chào bạn', by })]],
    ['/staff/tickets/:id/notes', [json({ text: 'Khách quen', by })]],
    ['/staff/tickets/:id/assign', [json({ to: 'Minh', by })]],
    ['/staff/tickets/:id/claim', [json({ by })]],
    ['/staff/tickets/:id/close', [json({ by })]],
    ['/staff/tickets/:id/customer', [json({ reason: 'the customer asks', by })]],
    ['/staff/gifts/:code/hand-over', [json({ by })]],
    ['/staff/gifts/read', pictures],
    ['/operations/:reference/settle', settled],
    ['/operations/:reference/close', [json({ by })]],
    ['/operations/letters/:id/:action', [json({ by })]],
    ['/operations/find', [json({ phone: '0867123456' })]],
    ['/sandbox/accumulate', [json({ code: 'TIVI000000009', data: bought })]],
    ['/sandbox/redeem', [json({ code: 'DAUMAY01', data: { phone: '0867123456' } })]],
    ['/sandbox/faults', [json({ call: 'redeem', fault: 'slow', times: 1, ms: 1 })]],
    ['/sandbox/texts', [json({ texts: [] })]],
    ['/sandbox/reset', [json({})]],
  ]);
}

/** Refusals of the body, not of the caller. */
const BODY_REFUSED = [400, 411, 413, 415, 500];

const roomsOf = ({ url }: BuiltRoute) => ROOMS.flatMap(([room, urls]) => (urls.test(url) ? room : []));
let asked = 0;
/** An address of its own for each request. */
const nextAddress = () => {
  asked += 1;
  return { 'x-forwarded-for': `10.0.${asked >> 8}.${asked & 255}` };
};

/** The status alone, for parameters that name nothing. */
async function ask({ method, url }: BuiltRoute, headers: Caller['headers']): Promise<number> {
  const from = nextAddress();
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

const signInFrom = (headers: Readonly<Record<string, string>>) =>
  fetch(`${bot.url}/console/login`, {
    method: 'POST',
    body: new URLSearchParams({ token: STAFF }),
    headers: { ...nextAddress(), ...headers },
    redirect: 'manual',
  });

test("a page of another site signs nobody in; the console's own page and programs do", async () => {
  const own = { origin: bot.url };
  const foreign = [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { ...own, 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of foreign) {
    const { status, headers: got } = await signInFrom(headers);
    expect([headers, status, got.get('set-cookie')]).toEqual([headers, 403, null]);
  }
  for (const headers of [{}, own, { origin: 'null', 'sec-fetch-site': 'same-origin' }])
    expect([headers, (await signInFrom(headers)).status]).toEqual([headers, 303]);
});

test('the right token signs in however often others at its address asked and were wrong', async () => {
  const from = { 'x-forwarded-for': '203.0.113.77' };
  const ask = async () => (await fetch(`${bot.url}/console`, { headers: from })).status;
  const guess = () =>
    fetch(`${bot.url}/console/login`, {
      method: 'POST',
      body: new URLSearchParams({ token: 'x' }),
      headers: from,
    });
  for (let count = 0; count < 40; count++) await guess();
  while ((await ask()) !== 429);
  expect((await guess()).status).toBe(429);
  const response = await signInFrom(from);
  expect(response.status).toBe(303);
  const cookie = response.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  expect((await fetch(`${bot.url}/console`, { headers: { ...from, cookie } })).status).toBe(200);
});

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

test('each route takes each of its bodies from each caller that it lets pass, and from no other', async () => {
  const { code, ticket, pictures } = await createThings();
  const bodies = createBodies(pictures);
  const paths: Readonly<Record<string, string>> = { ':code': code, ':id': ticket, ':action': 'replay' };
  const wrong: unknown[] = [];
  for (const route of routes) {
    const [room = 'operators'] = roomsOf(route);
    if (route.method !== 'POST' || room === 'everybody' || room === 'platform') continue;
    const real = bodies.get(route.url) ?? [];
    if (real.length === 0) wrong.push(`${route.url} has no body here`);
    const path = route.url.replace(/:\w+/g, (name) => paths[name] ?? 'NONE');
    for (const { type, body, answer, refusedWith } of real)
      for (const { who, headers, passes, status } of callers) {
        const sent = { ...headers, ...nextAddress(), apikey: 'sandbox', 'content-type': type };
        const response = await fetch(bot.url + path, { method: 'POST', headers: sent, body });
        const text = await response.text();
        const isTaken =
          response.status === refusedWith || ![401, 403, ...BODY_REFUSED].includes(response.status);
        const isSame = answer === undefined || text === JSON.stringify(answer);
        if (passes.includes(room) ? !(isTaken && isSame) : response.status !== status(room))
          wrong.push(`${route.url} (${type}) answers ${response.status} to ${who}: ${text.slice(0, 120)}`);
      }
  }
  expect(wrong).toEqual([]);
}, 60_000);
