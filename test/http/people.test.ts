import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Streams } from '../../src/channels/events.ts';
import { createClient } from '../../src/channels/staff/client.ts';
import { readPeople } from '../../src/http/people.ts';
import { startBot } from '../support/app.ts';

const STAFF_TOKEN = 'the-token-of-all-staff-0123';
const LAN = 'lan-0123456789-abcdef';
const MINH = 'minh-0123456789-abcdef';

const folder = mkdtempSync(join(tmpdir(), 'people-'));
const path = join(folder, 'people.txt');
const write = (...lines: string[]) => writeFileSync(path, lines.join('\n'));

/** A bot with these people, whose file is read often. */
async function start(...lines: string[]) {
  write(...lines);
  const logged: string[] = [];
  const log = { write: (line: string) => logged.push(line) };
  const env = { STAFF_TOKEN, STAFF_PEOPLE: path };
  const bot = await startBot(env, { peopleMs: 20, log });
  onTestFinished(() => bot.stop());

  async function request(token: string, at: string, body?: object) {
    const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
    const sent = { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) };
    const response = await fetch(bot.url + at, sent);
    const content: unknown = response.headers.get('content-type')?.includes('json')
      ? await response.json()
      : await response.text();
    return { status: response.status, content };
  }

  /** Opens a ticket; its id. */
  async function ask(): Promise<string> {
    await createClient(bot.url, STAFF_TOKEN).send({ conversation: 'qa', choice: 'person', locale: 'vi' });
    const { content } = await request(STAFF_TOKEN, '/staff/tickets');
    return z.object({ tickets: z.array(z.object({ id: z.string() })) }).parse(content).tickets[0]?.id ?? '';
  }

  async function signIn(token: string): Promise<string> {
    const sent = { method: 'POST', body: new URLSearchParams({ token }), redirect: 'manual' as const };
    const response = await fetch(`${bot.url}/console/login`, sent);
    return response.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  }

  return { url: bot.url, request, ask, signIn, logged };
}

const statusOf = async (url: string, cookie: string) => (await fetch(url, { headers: { cookie } })).status;

test('a person with a token speaks, claims and closes under their name, whatever `by` says', async () => {
  const { request, ask } = await start('# the shop', '', `Lan: ${LAN}`, `Minh: ${MINH}`);
  const id = await ask();
  expect((await request(LAN, '/staff/tickets/search', { q: id })).content).toMatchObject({
    tickets: [{ id }],
  });
  const answer = { text: 'Chào bạn', by: 'Giám đốc' };
  expect((await request(LAN, `/staff/tickets/${id}/messages`, answer)).status).toBe(200);
  expect((await request(MINH, `/staff/tickets/${id}/claim`, {})).status).toBe(200);
  const shown = await request(MINH, `/staff/tickets/${id}`);
  expect(shown.content).toMatchObject({ claimedBy: 'Minh', messages: [{ text: 'Chào bạn', by: 'Lan' }] });
  await request(MINH, `/staff/tickets/${id}/close`, { by: 'Lan' });
  expect((await request(LAN, `/staff/tickets/${id}`)).content).toMatchObject({ closedByName: 'Minh' });
  expect((await request(LAN, '/staff/me')).content).toEqual({ name: 'Lan', people: ['Lan', 'Minh'] });
  expect((await request(STAFF_TOKEN, '/staff/me')).content).toEqual({ people: ['Lan', 'Minh'] });
});

test('a token of a person opens the inbox and nothing else; a session does no more', async () => {
  const { url, request, signIn } = await start(`Lan: ${LAN}`);
  for (const at of ['/staff/tickets', '/staff/answers', '/staff/me'])
    expect([at, (await request(LAN, at)).status]).toEqual([at, 200]);
  const cookie = await signIn(LAN);
  expect([await statusOf(`${url}/staff/tickets`, cookie), cookie]).toEqual([
    200,
    expect.not.stringContaining(LAN),
  ]);
  expect((await request(LAN, '/webhooks/staff', { conversation: 'qa', text: 'xem điểm' })).status).toBe(403);
  for (const at of [
    '/webhooks/staff/qa/events',
    '/staff/unclear',
    '/docs',
    '/docs/json',
    '/metrics',
    '/sandbox/state',
  ])
    expect([at, (await request(LAN, at)).status, await statusOf(url + at, cookie)]).toEqual([at, 403, 403]);
  expect((await request('somebody-else-0123456789', '/staff/tickets')).status).toBe(401);
});

test.each(['Lan', ' lan ', 'LAN', 'L\u200ban', 'Lan\ufe0f', 'La\u3164n', 'Lan\u2800', 'Ｌａｎ'])(
  'STAFF_TOKEN cannot use the name of a person: %j',
  async (by) => {
    const { request, ask } = await start(`Lan: ${LAN}`);
    const id = await ask();
    for (const what of ['messages', 'claim', 'close'])
      expect((await request(STAFF_TOKEN, `/staff/tickets/${id}/${what}`, { text: 'x', by })).status).toBe(
        403,
      );
    const named = { text: 'x', by: 'Lân' };
    expect((await request(STAFF_TOKEN, `/staff/tickets/${id}/messages`, named)).status).toBe(200);
  },
);

test('the name of staff has no character that nobody sees, and at least one that is seen', async () => {
  const { request, ask } = await start(`Minh: ${MINH}`);
  const id = await ask();
  const claim = (by: string) => request(STAFF_TOKEN, `/staff/tickets/${id}/claim`, { by });
  for (const by of [' ', '\u200b', '\u3164', '\u2800\ufe0f'])
    expect([by, (await claim(by)).status]).toEqual([by, 400]);
  expect((await claim('L\u3164a\u2800n\ufe0f \u200b')).status).toBe(200);
  expect((await request(MINH, `/staff/tickets/${id}`)).content).toMatchObject({ claimedBy: 'Lan' });
});

test('a line that is taken out ends what its person opened; a session of another person, or of another token, is none', async () => {
  const { url, request, signIn } = await start(`Lan: ${LAN}`, `Minh: ${MINH}`);
  const lan = await signIn(LAN);
  const minh = await signIn(MINH);
  const [, , name] = minh.split('.');
  const forged = `${lan.split('.').slice(0, 2).join('.')}.${name}`;
  for (const [cookie, status] of [
    [lan, 200],
    [forged, 401],
    [lan.split('.').slice(0, 2).join('.'), 401],
  ] as const)
    expect(await statusOf(`${url}/staff/tickets`, cookie)).toBe(status);
  write(`Minh: ${MINH}`, `Lan: ${LAN}-another`);
  await expect.poll(() => statusOf(`${url}/staff/tickets`, lan)).toBe(401);
  expect((await request(LAN, '/staff/tickets')).status).toBe(401);
  expect((await request(`${LAN}-another`, '/staff/tickets')).status).toBe(200);
  expect(await statusOf(`${url}/staff/tickets`, minh)).toBe(200);
});

test('if the file cannot be read any more or has faults, the people before stay, and operators hear of it', async () => {
  const { url, request, logged } = await start(`Lan: ${LAN}`);
  const people = async () => {
    const { dependencies } = z
      .object({ dependencies: z.object({ people: z.unknown() }) })
      .parse(await (await fetch(`${url}/health/ready`)).json());
    return dependencies.people;
  };
  expect(await people()).toEqual({ status: 'ok' });
  rmSync(path);
  const gone = { status: 'degraded', faults: [expect.stringMatching(/people\.txt cannot be read: ENOENT/)] };
  await expect.poll(people).toEqual(gone);
  write(`Minh: ${MINH}`, 'Lan: short');
  const faults = [
    `${path}, line 2: its token wants at least 16 visible ASCII characters (openssl rand -hex 32)`,
  ];
  await expect.poll(people).toEqual({ status: 'degraded', faults });
  expect([
    (await request(LAN, '/staff/tickets')).status,
    (await request(MINH, '/staff/tickets')).status,
  ]).toEqual([200, 401]);
  write(`Minh: ${MINH}`);
  await expect.poll(people).toEqual({ status: 'ok' });
  expect((await request(MINH, '/staff/tickets')).status).toBe(200);
  const warned = logged.filter((line) => line.includes('STAFF_PEOPLE has faults'));
  expect([warned.length, logged.join('')]).toEqual([2, expect.not.stringMatching(/Minh|minh-0123|short/)]);
});

test('each fault of the file is one line that names its place, and neither name nor token', () => {
  write(
    'Lan lan-0123456789-abcdef',
    `Lan: ${LAN}`,
    `lan : ${MINH}`,
    `Hoa: ${LAN}`,
    `Mai: ${STAFF_TOKEN}`,
    'An: aaaaaaaaaaaaaaaaaaaa',
    'Bình:',
    `${'x'.repeat(81)}: ${MINH}-2`,
    `L\u200bi: ${MINH}-3`,
  );
  const { faults, people } = readPeople({ path, reserved: new Map([[STAFF_TOKEN, 'STAFF_TOKEN']]) });
  expect(people).toEqual([{ name: 'Lan', token: LAN }]);
  const wants = 'wants at least 16 visible ASCII characters (openssl rand -hex 32)';
  expect(faults.map((fault) => fault.replace(`${path}, line `, ''))).toEqual([
    '1: wants a name, a colon and a token',
    '3: its name is that of line 2, wants another',
    '4: its token is the token of line 2, wants another',
    '5: its token is STAFF_TOKEN, wants another',
    `6: its token has few different characters, ${wants}`,
    '7: wants a name, a colon and a token',
    '8: its name wants at most 80 characters',
    '9: its name has an invisible character',
  ]);
});

test('an event stream ends soon after its reader may no longer read', async () => {
  const app = Fastify();
  const streams = new Streams({ streams: 2, heartbeatMs: 10, lag: 1e6 });
  let isStaff = true;
  app.get('/events', async (_request, reply) =>
    streams.answer(
      reply,
      async () => () => {},
      () => isStaff,
    ),
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    streams.close();
    await app.close();
  });
  const response = await fetch(`${url}/events`);
  isStaff = false;
  expect(await response.text()).toMatch(/^retry: 2000\n\n(: still here\n\n)*$/);
});
