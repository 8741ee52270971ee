import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { createClient, type StaffClient } from '../../src/channels/staff/client.ts';
import { type Running, startBot } from '../support/app.ts';
import { serve, type TestServer } from '../support/server.ts';

/*
 * Answers of AntCRM that mean something else than they look like: what the customer is told, and what is called.
 */

const STAFF_TOKEN = 'staff-token-of-antcrm-faults';
const ERROR = { success: 0, message: 'Internal error', data: [] };
const CONTACT = { customerId: 475, phones: [{ value: '0867123456' }], scoreAvailable: 500 };

let antcrm: TestServer;
let bot: Running;
let client: StaffClient;
/** What reads are answered with, and the bodies of what was written; a redemption's answer is lost. */
let history: unknown;
let contacts: unknown;
const written: string[] = [];

beforeAll(async () => {
  antcrm = await serve(async (request, response) => {
    const isHistory = request.url?.startsWith('/history-point');
    const answer = (json: unknown) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(json));
    if (request.method === 'GET') return void answer(isHistory ? history : contacts);
    let body = '';
    for await (const chunk of request) body += String(chunk);
    written.push(body);
    if (request.url !== '/redeem') return void answer({ success: 1 });
    history = ERROR;
    request.socket.destroy();
  });
  bot = await startBot({
    STAFF_TOKEN,
    ANTCRM_BASE_URL: antcrm.url,
    ANTCRM_API_KEY: 'key',
    ANTCRM_TIMEOUT_MS: '1000',
    OPERATION_CHECKS: '100ms,300ms',
    GIFTS_FILE: fileURLToPath(new URL('../e2e/gifts.json', import.meta.url)),
  });
  client = createClient(bot.url, STAFF_TOKEN);
});
afterAll(async () => {
  await bot.stop();
  await antcrm[Symbol.asyncDispose]();
});
beforeEach(() => {
  [history, contacts] = [[], [CONTACT]];
  written.length = 0;
});

async function say(conversation: string, content: object) {
  const answer = await client.send({ conversation, locale: 'vi', ...content });
  if (answer.status === 'refused') throw new Error(answer.problem.title);
  return answer.replies;
}

async function confirm(conversation: string, text: string) {
  const choices = (await say(conversation, { text })).at(-1)?.choices ?? [];
  return say(conversation, { choice: choices.find(({ id }) => id.startsWith('confirm:'))?.id ?? 'none' });
}

test('a redemption whose answer was lost is not called undone because AntCRM says that it failed to look', async () => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const [first] = await confirm('qa-1', 'đổi quà DAUMAY01 0867123456');
  expect(first?.key).toBe('operation.checking');
  const ends: string[] = [];
  for await (const { key } of client.events('qa-1', 0, stop.signal)) {
    if (/^operation\.(resolved|escalated)/.test(key)) ends.push(key);
    if (ends.length > 0) break;
  }
  expect(ends).toEqual(['operation.escalated']);
  expect(written).toHaveLength(1);
});

test('a phone and an e-mail are not sent together because AntCRM says that it failed to look', async () => {
  contacts = ERROR;
  expect((await confirm('qa-2', 'tích điểm TIVI000000017 0867123456 minh@example.vn'))[0]?.key).toBe(
    'accumulate.done',
  );
  expect(written.join()).toContain('0867123456');
  expect(written.join()).not.toContain('minh@example.vn');
});

test('a history with a time that no calendar has is shown, and the chat goes on', async () => {
  history = [{ type: 2, status: 1, score: 250, gift: { name: 'Loa' }, createdAt: -1e17, id: 'r1' }];
  const [page] = await say('qa-3', { text: 'lịch sử đổi quà 0867123456 tất cả' });
  expect(page).toMatchObject({ key: 'history.page', text: expect.stringContaining('Loa') });
  expect((await say('qa-3', { text: 'trợ giúp' }))[0]?.key).toBe('help');
});
