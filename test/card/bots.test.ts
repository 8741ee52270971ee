import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createClient } from '../../src/channels/staff/client.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { startBot } from '../support/app.ts';

/* The card of a customer, on whole bots before an AntCRM that can be stopped and made to misbehave. */

const STAFF_TOKEN = 'a-staff-token-of-some-length';
const TOKENS = { Lan: 'lan-0123456789-abcdef', Minh: 'minh-0123456789-abcdef' };

const cardSchema = z.looseObject({
  identifiers: z.array(
    z.object({ id: z.string(), kind: z.string(), value: z.string(), proved: z.boolean() }),
  ),
  earned: z.array(z.looseObject({})).optional(),
  redeemed: z.array(z.looseObject({})).optional(),
});
const listSchema = z.object({
  tickets: z.array(z.looseObject({ id: z.string(), conversation: z.string() })),
});
const ticketSchema = z.looseObject({
  messages: z.array(z.looseObject({ text: z.string(), note: z.boolean().optional() })),
});

async function startShop() {
  const antcrm = Fastify({ forceCloseConnections: true });
  await antcrm.register(createSandbox());
  const reads: string[] = [];
  antcrm.addHook('onRequest', async ({ url }) => void reads.push(url));
  const ANTCRM_BASE_URL = await antcrm.listen({ host: '127.0.0.1', port: 0 });
  const people = join(mkdtempSync(join(tmpdir(), 'people-')), 'people.txt');
  writeFileSync(
    people,
    Object.entries(TOKENS)
      .map(([name, token]) => `${name}: ${token}\n`)
      .join(''),
  );
  const lines: string[] = [];
  const bot = await startBot(
    { ANTCRM_BASE_URL, ANTCRM_API_KEY: 'the-antcrm-key', STAFF_TOKEN, STAFF_PEOPLE: people },
    { log: { write: (line) => void lines.push(line) } },
  );
  onTestFinished(async () => {
    await bot.stop();
    await antcrm.close();
  });
  const { send } = createClient(bot.adminUrl, STAFF_TOKEN);

  async function ask(path: string, { body, token = STAFF_TOKEN }: { body?: object; token?: string } = {}) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const sent = body && { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${bot.adminUrl}/staff/tickets${path}`, { headers, ...sent });
    return { status: response.status, body: z.unknown().parse(await response.json()) };
  }
  /** A customer on Telegram, as staff imitate one, who asks for a person; the id of the ticket. */
  async function open(conversation: string, contents: readonly object[]): Promise<string> {
    for (const content of contents) {
      const answer = await send({ conversation, as: 'telegram', locale: 'vi', ...content });
      if (answer.status === 'refused') throw new Error(answer.problem.title);
    }
    const { tickets } = listSchema.parse((await ask('?state=open')).body);
    return tickets.find((ticket) => ticket.conversation === conversation)?.id ?? 'none';
  }
  async function look(id: string, token = STAFF_TOKEN) {
    const { status, body } = await ask(`/${id}/customer`, { token });
    return { status, card: cardSchema.parse(body) };
  }
  const notesOf = async (id: string) =>
    ticketSchema.parse((await ask(`/${id}`)).body).messages.filter(({ note }) => note);
  const audits = () => lines.filter((line) => line.includes('open the card'));
  async function describe() {
    const headers = { authorization: `Bearer ${STAFF_TOKEN}` };
    return z.unknown().parse(await (await fetch(`${bot.adminUrl}/docs/json`, { headers })).json());
  }
  return { describe, antcrm, antcrmUrl: ANTCRM_BASE_URL, reads, send, ask, open, look, notesOf, audits };
}

const PROVED = [{ text: 'xem điểm' }, { contact: { phone: '0867123456' } }, { choice: 'person' }];
const TYPED = [{ choice: 'person' }, { text: 'điểm của số 0867 123 456 là bao nhiêu' }];
const reason = 'khách gọi tới, xác nhận đơn hàng';

it('a proved customer has points, tier and ten rows of either history, and no reason is asked for', async () => {
  const { open, look, notesOf, audits } = await startShop();
  const id = await open('c', PROVED);
  const { status, card } = await look(id, TOKENS.Lan);
  expect([status, card]).toEqual([
    200,
    expect.objectContaining({
      identifiers: [{ id: expect.any(String), kind: 'phone', value: '0867 123 456', proved: true }],
      of: card.identifiers[0]?.id,
      needsReason: false,
      antcrm: 'ok',
      points: expect.any(Number),
      tickets: [],
    }),
  ]);
  expect([card.earned?.length, card.redeemed?.length]).toEqual([10, 10]);
  const row = { at: expect.any(String), score: expect.any(Number), failed: expect.any(Boolean) };
  expect(card.earned?.[0]).toMatchObject(row);
  expect(await notesOf(id)).toEqual([]);
  expect(audits()).toEqual([expect.stringMatching(/"by":"Lan"/)]);
  expect(audits()[0]).toMatch(new RegExp(`"ticket":"${id}".*"customer":"[\\w-]+","proved":true`));
});

it('a typed number is masked and read only for a reason, which colleagues and the log see before', async () => {
  const { open, look, ask, notesOf, audits, reads } = await startShop();
  const id = await open('c', TYPED);
  reads.length = 0;
  const { card } = await look(id);
  expect(card).toMatchObject({
    identifiers: [{ kind: 'phone', value: '0867 *** 456', proved: false }],
    needsReason: true,
    antcrm: 'unread',
  });
  expect(JSON.stringify(card)).not.toMatch(/123 ?456/);
  const [typed] = card.identifiers;
  // Neither no reason, nor an empty one, nor the proved one's route reads it.
  for (const body of [{}, { reason: '' }, { reason: '    \u0007   ' }, { reason: 'abc' }])
    expect((await ask(`/${id}/customer`, { body })).status).toBe(400);
  expect((await ask(`/${id}/customer?of=${typed?.id}`)).status).toBe(409);
  expect([reads, await notesOf(id)]).toEqual([[], []]);

  const shown = await ask(`/${id}/customer`, { body: { reason }, token: TOKENS.Minh });
  expect(shown).toMatchObject({
    status: 200,
    body: { of: typed?.id, antcrm: 'ok', points: expect.any(Number), needsReason: false },
  });
  expect(cardSchema.parse(shown.body).identifiers).toMatchObject([{ value: '0867 123 456', proved: false }]);
  expect(await notesOf(id)).toMatchObject([{ by: 'Minh', text: `🔓 0867 *** 456: ${reason}` }]);
  expect(audits().at(-1)).toMatch(/"by":"Minh".*"proved":false/);
  expect(audits().join()).not.toMatch(/khách gọi|123456/);
  // It is masked again for the next reader.
  expect((await look(id)).card.identifiers).toMatchObject([{ value: '0867 *** 456' }]);
});

it('the card reads the identifier that staff saw, whatever the customer writes meanwhile', async () => {
  const { open, look, ask, send, reads } = await startShop();
  const id = await open('c', [...PROVED, { text: 'còn số vợ mình 0912 345 678' }]);
  const { card } = await look(id);
  const [proved, wife] = card.identifiers;
  expect(card.identifiers).toMatchObject([{ proved: true }, { value: '0912 *** 678', proved: false }]);
  await send({ conversation: 'c', as: 'telegram', locale: 'vi', text: 'à 0987654321 nữa, a@b.vn' });
  await expect.poll(async () => (await look(id)).card.identifiers.length).toBe(4);
  reads.length = 0;
  const body = { reason, of: wife?.id };
  expect(await ask(`/${id}/customer`, { body })).toMatchObject({ body: { of: wife?.id, points: null } });
  expect(reads.join()).not.toMatch(/987654321|a%40b|867123456/);
  // A proved one needs none, and an unknown one is none.
  expect((await ask(`/${id}/customer`, { body: { ...body, of: proved?.id } })).status).toBe(409);
  expect((await ask(`/${id}/customer`, { body: { ...body, of: 'another' } })).status).toBe(404);
  expect((await ask(`/${id}/customer?of=another`)).status).toBe(404);
  expect((await ask('/NONE/customer')).status).toBe(404);
  expect((await ask('/NONE/customer', { body: { reason } })).status).toBe(404);
});

it('codes and guesses are no phones, and a customer who named nothing has a card without points', async () => {
  const { open, look, ask } = await startShop();
  const id = await open('c', [{ choice: 'person' }, { text: 'mã TIVI000000017 ngày 12/10/2026 912345678' }]);
  const { card } = await look(id);
  expect(card).toMatchObject({ identifiers: [], needsReason: false, antcrm: 'unread' });
  expect((await ask(`/${id}/customer`, { body: { reason } })).status).toBe(404);
});

it('each person of staff reveals few numbers in a while, and does not use up what others may', async () => {
  const { open, ask } = await startShop();
  const id = await open('c', TYPED);
  const reveal = async (token: string) =>
    (await ask(`/${id}/customer`, { body: { reason, by: 'Hoa' }, token })).status;
  const statuses: number[] = [];
  for (let tries = 0; tries < 11; tries++) statuses.push(await reveal(TOKENS.Lan));
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429]);
  expect(await reveal(TOKENS.Minh)).toBe(200);
});

it('earlier tickets are listed with who answered, and a closed ticket keeps what is typed masked', async () => {
  const { open, look, ask, reads } = await startShop();
  const first = await open('c', TYPED);
  await ask(`/${first}/messages`, { body: { by: 'Hoa', text: 'Chào bạn' } });
  await ask(`/${first}/notes`, { body: { by: 'Nga', text: 'khách quen' } });
  await ask(`/${first}/close`, { body: { by: 'Hoa' } });
  reads.length = 0;
  await expect.poll(async () => (await ask(`/${first}/customer`, { body: { reason } })).status).toBe(409);
  expect(reads).toEqual([]);
  const id = await open('c', [{ choice: 'person' }]);
  expect(id).not.toBe(first);
  expect((await look(id)).card).toMatchObject({
    tickets: [{ id: first, reason: 'asked', state: 'closed', answeredBy: ['Hoa'] }],
  });
});

it('a card says that AntCRM failed or was slow, and shows what it did answer', async () => {
  const { open, look, ask, antcrm, antcrmUrl } = await startShop();
  const id = await open('c', PROVED);
  const fail = (call: string, fault: string, more = {}) =>
    fetch(`${antcrmUrl}/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ call, fault, ...more }),
    });
  await fail('history', 'slow', { ms: 7000, times: 2 });
  const slow = await look(id);
  expect(slow.card).toMatchObject({ antcrm: 'slow', points: expect.any(Number) });
  expect(slow.card).not.toHaveProperty('earned');
  await antcrm.close();
  expect((await look(id)).card).toMatchObject({ antcrm: 'unreachable', needsReason: false });
  expect((await ask(`/${id}`)).status).toBe(200);
});

it('the API page describes the card and the reason', async () => {
  const { describe } = await startShop();
  const document = await describe();
  const path = ['paths', '/staff/tickets/{id}/customer'];
  expect(document).toHaveProperty([...path, 'get', 'operationId'], 'showCustomer');
  expect(document).toHaveProperty([...path, 'post', 'operationId'], 'revealCustomer');
});
