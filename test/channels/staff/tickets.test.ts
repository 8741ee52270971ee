import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createClient, type StaffClient } from '../../../src/channels/staff/client.ts';
import { type Running, startBot } from '../../support/app.ts';

const ANSWERS_FILE = join(tmpdir(), `answers-${process.pid}.json`);
const HOURS = { id: 'hours', answer: { vi: '8h–21h', en: '8 am to 9 pm' } };

let bot: Running;
let client: StaffClient;
const hooked: unknown[] = [];
const hook = Fastify({ forceCloseConnections: true });
hook.post('/hook', async ({ body }, reply) => {
  hooked.push(body);
  return reply.code(204).send();
});

beforeAll(async () => {
  writeFileSync(ANSWERS_FILE, JSON.stringify([HOURS]));
  const HANDOVER_WEBHOOK = `${await hook.listen({ host: '127.0.0.1', port: 0 })}/hook?key=1`;
  bot = await startBot(
    { HANDOVER_WEBHOOK, ANSWERS_FILE, SUPPORT_CONTACT: '1900 0000' },
    // What staff file waits for no sweep.
    { limits: { sweepMs: 600_000 } },
  );
  client = createClient(bot.url);
});
afterAll(async () => {
  await bot.stop();
  await hook.close();
  rmSync(ANSWERS_FILE);
});

const ticketSchema = z.looseObject({
  id: z.string(),
  conversation: z.string(),
  messages: z.array(z.looseObject({ text: z.string() })).optional(),
});
const listSchema = z.object({ tickets: z.array(ticketSchema) });

async function get(path: string) {
  const response = await fetch(`${bot.url}/staff/${path}`);
  return { status: response.status, body: z.unknown().parse(await response.json()) };
}

async function post(path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(`${bot.url}/staff/tickets/${path}`, request)).status;
}

const shown = async (id: string) => ticketSchema.parse((await get(`tickets/${id}`)).body);
const list = async (state = 'open') => listSchema.parse((await get(`tickets?state=${state}`)).body).tickets;

async function say(conversation: string, content: object) {
  const answer = await client.send({ conversation, locale: 'vi', ...content });
  if (answer.status === 'refused') throw new Error(answer.problem.title);
  return { ...answer, keys: answer.replies.map(({ key }) => key) };
}

/** Asks for a person; the id of the ticket. */
async function ask(conversation: string): Promise<string> {
  const { keys, state } = await say(conversation, { choice: 'person' });
  expect([keys, state?.person]).toEqual([['person.waiting'], true]);
  const ticket = (await list()).find((one) => one.conversation === conversation);
  if (!ticket) throw new Error('the ticket is not listed');
  expect(ticket.messages).toBeUndefined();
  return ticket.id;
}

/** The texts that came as events, once there are this many. */
async function textsToCustomer(conversation: string, count: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const { key, text } of client.events(conversation, 0, new AbortController().signal)) {
    if (key === 'person.says' && texts.push(text) === count) break;
  }
  return texts;
}

describe('a ticket', () => {
  test('is listed, filled by the customer and by staff, and closed', async () => {
    const unclear = 'con mèo trèo cây cau';
    await say('qa-1', { name: 'Garnacho', text: unclear });
    const id = await ask('qa-1');
    const listed = async () => (await list()).find((ticket) => ticket.id === id);
    const waitingSinceMs = expect.closeTo(Date.now(), -4);
    expect(await listed()).toMatchObject({ lastText: unclear, notUnderstood: [unclear], waitingSinceMs });
    const answer = await say('qa-1', { text: 'máy giặt hỏng rồi' });
    expect([answer.keys, answer.replies[0]?.text]).toEqual([['person.waiting'], expect.stringContaining(id)]);
    const silent = await say('qa-1', { name: 'Garnacho', text: '😀'.repeat(200) });
    expect(silent).toMatchObject({ status: 'done', replies: [], state: { person: true } });
    expect(await listed()).toMatchObject({ name: 'Garnacho', lastText: '😀'.repeat(120) });
    for (const text of ['Chào bạn', 'Bạn gửi mình số máy nhé'])
      expect(await post(`${id}/messages`, { text, by: 'lan' })).toBe(200);
    expect(await listed()).toMatchObject({ waitingSinceMs: null, claimedBy: 'lan' });
    expect((await shown(id)).messages).toMatchObject([
      { text: 'máy giặt hỏng rồi' },
      { text: '😀'.repeat(200) },
      { text: 'Chào bạn', by: 'lan' },
      { text: 'Bạn gửi mình số máy nhé', by: 'lan' },
    ]);
    expect(await textsToCustomer('qa-1', 2)).toEqual(['lan: Chào bạn', 'lan: Bạn gửi mình số máy nhé']);
    expect(await post(`${id}/close`, { by: 'lan' })).toBe(200);
    expect(await post(`${id}/messages`, { text: 'Còn đó không?', by: 'lan' })).toBe(409);
    expect(await post(`${id}/close`, { by: 'lan' })).toBe(409);
    const closed = { id, state: 'closed', closedBy: 'staff', closedByName: 'lan', reason: 'asked' };
    expect(await list('closed')).toContainEqual(expect.objectContaining(closed));
    const next = await say('qa-1', { text: 'xem điểm' });
    expect([next.keys, next.state?.person]).toEqual([['identity.ask'], undefined]);
  });

  test('is claimed, taken over and given back by who has it', async () => {
    const id = await ask('qa-11');
    const claim = (body: object) => post(`${id}/claim`, body);
    for (const [body, claimedBy] of [
      [{ by: 'lan' }, 'lan'],
      [{ by: 'mi\u202enh' }, 'minh'],
      [{ by: 'lan', release: true }, 'minh'],
      [{ by: 'minh', release: true }, undefined],
    ] as const) {
      expect([await claim(body), (await shown(id)).claimedBy]).toEqual([200, claimedBy]);
    }
    for (const by of [undefined, '\u202e', 'a'.repeat(81)]) expect(await claim({ by })).toBe(400);
    await post(`${id}/close`, { by: 'lan' });
    expect(await claim({ by: 'minh' })).toBe(409);
  });

  test('has notes that the customer never sees: they answer nothing, claim nothing, and count once', async () => {
    const id = await ask('qa-12');
    await say('qa-12', { text: 'hỏng rồi' });
    const note = { by: 'lan', text: 'Khách VIP, gọi lại sau 5 giờ', id: 'n1' };
    for (let tries = 0; tries < 2; tries++) expect(await post(`${id}/notes`, note)).toBe(200);
    const ticket = await shown(id);
    expect(ticket).toMatchObject({
      waitingSinceMs: expect.any(Number),
      messages: [{ text: 'hỏng rồi' }, { text: note.text, by: 'lan', note: true }],
    });
    expect([ticket.claimedBy, ticket.messages?.length]).toEqual([undefined, 2]);
    const listed = async () => (await list()).find((ticket) => ticket.id === id);
    expect(await listed()).toMatchObject({ last: { text: 'hỏng rồi' } });
    await post(`${id}/messages`, { by: 'minh', text: 'Chào bạn' });
    expect(await textsToCustomer('qa-12', 1)).toEqual(['minh: Chào bạn']);
    expect(await listed()).toMatchObject({ lastText: 'hỏng rồi', last: { text: 'Chào bạn', by: 'minh' } });
    await post(`${id}/close`, { by: 'minh' });
    expect(await post(`${id}/notes`, note)).toBe(200);
    expect(await post(`${id}/notes`, { ...note, id: 'n2' })).toBe(409);
    await say('qa-12', { text: '/forget' });
    expect((await shown(id)).messages).toEqual([]);
  });

  test('is assigned to a colleague, until a member of staff claims or answers it', async () => {
    const id = await ask('qa-13');
    const assign = (to: unknown) => post(`${id}/assign`, { by: 'lan', to });
    const whose = async () => {
      const { claimedBy, assignedTo } = await shown(id);
      return { claimedBy, assignedTo };
    };
    await post(`${id}/claim`, { by: 'lan' });
    expect([await assign('minh'), await whose()]).toEqual([200, { assignedTo: 'minh' }]);
    await post(`${id}/claim`, { by: 'minh' });
    expect(await whose()).toEqual({ claimedBy: 'minh' });
    await assign('hoa');
    await post(`${id}/messages`, { by: 'lan', text: 'Chào bạn' });
    expect(await whose()).toEqual({ claimedBy: 'lan' });
    expect([await assign('lan'), await whose()]).toEqual([200, { claimedBy: 'lan' }]);
    for (const to of [undefined, '', 'x'.repeat(81)]) expect(await assign(to)).toBe(400);
    await post(`${id}/close`, { by: 'lan' });
    expect(await assign('minh')).toBe(409);
  });

  test('takes an answer of 1 to 4,000 characters that can be seen, once for an id', async () => {
    const id = await ask('qa-3');
    const answer = (text: string, to = id) => post(`${to}/messages`, { text, by: 'lan', id: 'm1' });
    const texts = [' \n', '\u0001\u200b', 'a'.repeat(4001), 'a'.repeat(4000), 'again'];
    const statuses: number[] = [];
    for (const text of texts) statuses.push(await answer(text));
    expect(statuses).toEqual([400, 400, 400, 200, 200]);
    expect((await shown(id)).messages).toHaveLength(1);
    expect([await answer('a', 'NOBODY'), (await get('tickets/NOBODY')).status]).toEqual([404, 404]);
    await post(`${id}/close`, { by: 'lan' });
    expect(await answer('a repeat, whose first answer was lost')).toBe(200);
  });

  test('shows the customer’s running flow and operations', async () => {
    const answer = await say('qa-5', { text: 'tích điểm TIVI000000801 0867123456 minh@example.vn' });
    const choices = answer.replies.at(-1)?.choices ?? [];
    const confirm = choices.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
    await say('qa-5', { choice: confirm });
    await say('qa-5', { text: 'tích điểm TIVI000000802 0867123456 minh@example.vn' });
    const id = await ask('qa-5');
    expect((await get(`tickets/${id}`)).body).toMatchObject({
      channel: 'staff',
      doing: { flow: 'accumulate', asks: 'confirm', phone: '0867123456', email: 'minh@example.vn' },
      operations: [{ reference: confirm.slice('confirm:'.length), kind: 'accumulate', status: 'done' }],
    });
  });
});

test('tickets are found by name, reference, phone and text of open ones, marks and capitals aside', async () => {
  await say('qa-21', { name: 'Nguyễn Thị Hoà', text: 'tích điểm TIVI000000821 0867 000 821' });
  const hoa = await ask('qa-21');
  // Words are found however much was written before them.
  for (const text of ['alo '.repeat(200), 'shop ơi '.repeat(100), 'Máy giặt kêu to lắm'])
    await say('qa-21', { name: 'Nguyễn Thị Hoà', text });
  const other = await ask('qa-22');
  const search = async (q: string) => {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify({ q }) };
    const response = await fetch(`${bot.url}/staff/tickets/search`, request);
    const body = z.looseObject({ tickets: z.array(ticketSchema).default([]) }).parse(await response.json());
    const ids = body.tickets.map(({ id }) => id).filter((id) => id === hoa || id === other);
    return { status: response.status, ids, counts: [body.searched, body.total] };
  };
  const texts = [
    'nguyen thi hoa',
    'HOÀ Thị',
    hoa.toLowerCase(),
    '+84 867 000 821',
    '0867.000.821',
    'may giat',
  ];
  for (const q of texts) expect([q, (await search(q)).ids]).toEqual([q, [hoa]]);
  expect((await search('0867000822')).ids).toEqual([]);
  await post(`${hoa}/close`, { by: 'lan' });
  await expect.poll(async () => (await shown(hoa)).state).toBe('closed');
  expect([(await search('may giat')).ids, (await search('0867000821')).ids]).toEqual([[], [hoa]]);
  const { counts } = await search('khong co gi');
  expect(counts).toEqual([expect.any(Number), counts[0]]);
  for (const q of ['', ' x ', 'x'.repeat(101)]) expect((await search(q)).status).toBe(400);
});

test('changes of tickets come as events', async () => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const { body } = await fetch(`${bot.url}/staff/tickets/events`, { signal: stop.signal });
  let text = '';
  void (async () => {
    for await (const part of body?.pipeThrough(new TextDecoderStream()) ?? []) text += part;
  })().catch(() => {});
  const id = await ask('qa-6');
  const news: string[] = [];
  for (const [what, act] of [
    ['opened', () => {}],
    ['message', () => say('qa-6', { text: 'alo' })],
    ['claimed', () => post(`${id}/claim`, { by: 'lan' })],
    ['answered', () => post(`${id}/messages`, { by: 'lan', text: 'Chào bạn' })],
    ['closed', () => post(`${id}/close`, { by: 'lan' })],
  ] as const) {
    await act();
    const also = what === 'answered' ? (['answered', 'delivery'] as const) : [what];
    news.push(...also.map((one) => `data: ${JSON.stringify({ ticket: id, what: one })}`));
    await expect.poll(() => text.match(/^data: .*/gm)?.filter((line) => line.includes(id))).toEqual(news);
  }
});

test('the operator’s answers are listed; the hook hears of new tickets, nothing personal, once a minute; what staff wrote stays', async () => {
  expect((await get('answers')).body).toEqual({ answers: [HOURS] });
  const id = await ask('qa-8');
  expect(await post(`${id}/messages`, { text: 'Chào bạn', by: 'lan' })).toBe(200);
  const later: string[] = [];
  for (let n = 0; n < 12; n++) {
    await say('qa-8', { choice: 'person:leave' });
    later.push(await ask('qa-8'));
    for (let line = 0; line < 2; line++) await say('qa-8', { text: 'ờ'.repeat(1000) });
  }
  expect((await shown(id)).messages).toMatchObject([{ text: 'Chào bạn', by: 'lan' }]);
  expect((await get(`tickets/${later[0]}`)).status).toBe(404);
  const notice = { ticket: id, channel: 'staff', reason: 'asked', openedAt: expect.any(String) };
  await expect.poll(() => hooked).toContainEqual(notice);
  expect(later.filter((text) => JSON.stringify(hooked).includes(text))).toEqual([]);
});

test('the list of misunderstood sentences has only those of customers who agreed, without their names', async () => {
  const as = { as: 'telegram', name: 'Garnacho' };
  for (const [conversation, consent] of [
    ['meo', 'consent:accept'],
    ['cho', 'consent:decline'],
  ] as const) {
    await say(conversation, { ...as, choice: 'points' });
    await say(conversation, { ...as, contact: { phone: '0867123456' } });
    expect((await say(conversation, { ...as, choice: consent })).keys[0]).toMatch(/^privacy\./);
    await say(conversation, { ...as, text: `${conversation} trèo cây cau với Garnacho` });
  }
  expect((await get('unclear')).body).toEqual({
    unclear: [{ text: 'meo trèo cây cau với ***', channel: 'staff', at: expect.any(String) }],
  });
});

test('the routes want the token of staff; with HANDOVER=off they are absent, and customers get the contact', async () => {
  const guarded = await startBot({ STAFF_TOKEN: 'staff-6fJq2v-token' });
  const off = await startBot({ HANDOVER: 'off', SUPPORT_CONTACT: '1900 0000' });
  onTestFinished(async () => void (await Promise.all([guarded.stop(), off.stop()])));
  const statuses = (url: string) =>
    Promise.all(
      ['tickets', 'tickets/events', 'unclear'].map(
        async (path) => (await fetch(`${url}/staff/${path}`)).status,
      ),
    );
  expect(await statuses(guarded.url)).toEqual([401, 401, 401]);
  expect(await statuses(off.url)).toEqual([404, 404, 200]);
  const answer = await createClient(off.url).send({ conversation: 'qa-1', choice: 'person' });
  expect(answer).toMatchObject({ replies: [{ text: expect.stringContaining('1900 0000') }] });
});
