import { Redis } from 'ioredis';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import type { AppOptions } from '../../src/app.ts';
import { createClient } from '../../src/channels/staff/client.ts';
import { Operators } from '../../src/engine/operators.ts';
import { startBot } from '../support/app.ts';
import { scanLater } from '../support/logs.ts';
import { startRedis } from '../support/redis.ts';

/* `/operations` over HTTP, of a bot whose store is in its own memory. */

const OPERATOR = 'an-operator-token-of-some-length';
const STAFF = 'a-staff-token-of-some-length';
const PHONE = '0867123456';
const TOKENS = { OPERATOR_TOKEN: OPERATOR, STAFF_TOKEN: STAFF };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function start(env: Record<string, string> = TOKENS, options: AppOptions = {}) {
  const lines: string[] = [];
  scanLater(lines, env);
  const bot = await startBot(
    { OPERATION_CHECKS: '1h,2h', ...env },
    { log: { write: (line) => lines.push(line) }, ...options },
  );
  onTestFinished(async () => {
    bot.cut();
    await bot.stop();
  });

  async function ask(method: string, path: string, body?: object, headers: object = bearer(OPERATOR)) {
    const response = await fetch(bot.adminUrl + path, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as unknown };
  }
  const logged = () => lines.map((line) => z.looseObject({ msg: z.string() }).parse(JSON.parse(line)));
  return { ...bot, ask, logged, client: createClient(bot.adminUrl, env.STAFF_TOKEN) };
}
type Started = Awaited<ReturnType<typeof start>>;

/** Says things in a conversation; the last reply's choices. */
async function says({ client }: Started, conversation: string, content: { text?: string; choice?: string }) {
  const answered = await client.send({ conversation, locale: 'en', ...content });
  if (answered.status === 'refused') throw new Error(answered.problem.title);
  return answered.replies.at(-1);
}

/** A customer confirms a redemption whose answer is lost; the reference. */
async function loseAnswer(bot: Started, conversation: string): Promise<string> {
  const fault = { call: 'redeem', fault: 'lose-answer' };
  await bot.ask('POST', '/sandbox/faults', fault, bearer(STAFF));
  const summary = await says(bot, conversation, { text: `redeem DAUMAY01 ${PHONE}` });
  const choice = summary?.choices?.find(({ id }) => id.startsWith('confirm:'))?.id ?? '';
  // Busy while the operation before is being given back.
  const press = async () => (await says(bot, conversation, { choice }))?.key;
  await expect.poll(press, { timeout: 5000 }).toBe('operation.checking');
  return choice.slice('confirm:'.length);
}

test('every route wants the operators’ token, and no other; without one there is none', async () => {
  const basic = { authorization: `Basic ${Buffer.from(`operator:${OPERATOR}`).toString('base64')}` };
  const [{ ask }, without] = [await start(), await start({ STAFF_TOKEN: STAFF })];
  for (const [method, path] of [
    ['GET', '/operations'],
    ['POST', '/operations/5VH0M11JXX/settle'],
    ['POST', '/operations/5VH0M11JXX/close'],
    ['POST', '/operations/letters/1-ab/remove'],
    ['GET', '/operations/letters/1-ab'],
    ['POST', '/operations/find'],
  ] as const) {
    for (const headers of [{}, bearer(STAFF), bearer(`${OPERATOR}x`), basic]) {
      const refused = await ask(method, path, undefined, headers);
      expect(refused).toMatchObject({ status: 401, body: { title: 'Unauthorized', status: 401 } });
      expect(refused.headers.get('www-authenticate')).toBe('Bearer realm="operator"');
      expect(await without.ask(method, path, undefined, headers)).toMatchObject({ status: 404 });
    }
    expect((await ask(method, path)).status).not.toBe(401);
  }
});

test('an operation without an outcome is listed, and found only by an identifier of its customer', async () => {
  const bot = await start();
  const reference = await loseAnswer(bot, 'qa-1');
  const open = {
    operations: [{ reference, kind: 'redeem', waitsFor: 'bot', channel: 'staff' }],
    deadLetters: [],
  };
  expect(await bot.ask('GET', '/operations')).toMatchObject({ status: 200, body: open });
  for (const identifier of [{ staff: 'qa-1' }, { phone: '+84 867 123 456' }]) {
    expect(await bot.ask('POST', '/operations/find', identifier)).toMatchObject({ status: 200, body: open });
  }
  for (const identifier of [{ staff: 'qa-2' }, { telegram: 'qa-1' }, { phone: '0912345678' }]) {
    expect(await bot.ask('POST', '/operations/find', identifier)).toMatchObject({ body: { operations: [] } });
  }
});

test('an operation that no check can decide waits for staff at once', async () => {
  const bot = await start({ ...TOKENS, ANTCRM_TIMEOUT_MS: '1000', OPERATION_CHECKS: '1s,1h,2h' });
  const reference = await loseAnswer(bot, 'qa-1');
  // A cashier redeems the same gift for the same customer.
  const redemption = { code: 'DAUMAY01', data: { phone: PHONE } };
  await bot.ask('POST', '/sandbox/redeem', redemption, { ...bearer(STAFF), apikey: 'any' });
  const status = async () => (await bot.ask('GET', `/operations/${reference}`)).body;
  await expect.poll(status, { timeout: 8000 }).toMatchObject({ status: 'escalated', waitsFor: 'staff' });
  const listed = (await bot.ask('GET', '/operations')).body;
  expect(listed).toMatchObject({ operations: [{ reference, waitsFor: 'staff' }] });
});

test('an operation is shown with a masked identifier and the next commands; who reveals it is logged', async () => {
  const bot = await start();
  const reference = await loseAnswer(bot, 'qa-1');
  const shown = await bot.ask('GET', `/operations/${reference.toLowerCase()}`);
  expect(shown).toMatchObject({
    status: 200,
    body: {
      reference,
      identifier: { kind: 'phone', value: '0867 *** 456' },
      next: expect.arrayContaining([expect.stringMatching(`settle ${reference} done$`)]),
      status: 'checking',
    },
  });
  expect(shown.headers.get('cache-control')).toBe('no-store');
  expect(shown.text).not.toContain('867123456');

  expect((await bot.ask('GET', `/operations/${reference}?reveal=true&by=lan`)).text).toContain(PHONE);
  const revealed = { msg: 'an operator was shown an identifier in full', by: 'lan', from: '127.0.0.1' };
  expect(bot.logged()).toContainEqual(expect.objectContaining({ operation: reference, ...revealed }));
});

test('an operator settles an operation once, the customer gets the result, and the log has each try', async () => {
  const bot = await start();
  const lists = vi.spyOn(Operators.prototype, 'operations');
  const reference = await loseAnswer(bot, 'qa-1');
  await bot.ask('GET', '/operations');
  const closing = await bot.ask('POST', `/operations/${reference}/close`, { by: 'lan' });
  expect(closing, 'its record can be read').toMatchObject({ status: 409 });

  const settle = (body: object) => bot.ask('POST', `/operations/${reference}/settle`, body);
  expect(await settle({ result: 'done', by: 'lan' })).toMatchObject({
    status: 200,
    body: { status: 'filed', reference, result: 'done', customer: 'is told by itself' },
  });
  for await (const event of bot.client.events('qa-1', 0, new AbortController().signal))
    if (event.key === 'operation.resolved.done') break;
  // Another process may still have the operation on its list.
  lists.mockReturnValueOnce(lists.mock.results[0]?.value);
  expect(await settle({ result: 'not-applied' })).toMatchObject({ status: 409 });
  expect(await settle({ result: 'done' })).toMatchObject({ status: 404 });

  const turn = { msg: 'a turn ended', channel: 'staff', input: 'choice', result: 'done' };
  expect(bot.logged()).toContainEqual(expect.objectContaining({ ...turn, ms: expect.any(Number) }));
  const resolved = { msg: 'an unknown outcome was resolved', was: 'checking', outcome: 'done' };
  expect(bot.logged()).toContainEqual(expect.objectContaining({ ...resolved, operation: reference }));
  const done = { result: 'done', filed: 'filed', by: 'lan', msg: 'an operator settles an operation' };
  expect(bot.logged().filter(({ msg }) => msg.startsWith('an operator'))).toMatchObject([
    { operation: reference, msg: 'an operator closes an operation', result: 'kept', by: 'lan' },
    { level: 40, operation: reference, ...done },
    { operation: reference, filed: 'decided' },
    { filed: 'unknown' },
  ]);
});

test('a phone in the place of a reference is 404, and is not logged', async () => {
  const bot = await start();
  await bot.ask('POST', '/operations/0912345678/settle', { result: 'done' });
  await bot.ask('POST', '/operations/letters/0912345678/remove', {});
  expect(await bot.ask('POST', '/operations/0912345678/close', {})).toMatchObject({ status: 404 });
  expect(JSON.stringify(bot.logged())).not.toContain('0912345678');
});

test('an operation whose record was broken in Redis is listed as lost, and closed: the metric falls, and that is on record', async () => {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  const bot = await start({ ...TOKENS, REDIS_URL: redis.url });
  onTestFinished(async () => {
    admin.disconnect();
    await redis.stop();
  });
  const reference = await loseAnswer(bot, 'qa-1');
  const [key = ''] = await admin.keys('*}c:*');
  await admin.setrange(key, 40, 'somebody wrote here');
  const list = async () => (await bot.ask('GET', '/operations')).body;
  expect(await list()).toMatchObject({
    operations: [{ reference, kind: null, waitsFor: 'staff', lost: true }],
  });
  expect(await bot.ask('GET', `/operations/${reference}`)).toMatchObject({ status: 422 });
  const settle = await bot.ask('POST', `/operations/${reference}/settle`, { result: 'done' });
  expect(settle).toMatchObject({ status: 422, body: { detail: expect.stringContaining('close') } });
  const closed = await bot.ask('POST', `/operations/${reference}/close`, { by: 'lan' });
  expect(closed).toMatchObject({ status: 200, body: { status: 'closed', customer: 'is not told' } });
  expect(await list()).toMatchObject({ operations: [] });
  const closing = {
    msg: 'an operator closes an operation',
    operation: reference,
    result: 'closed',
    by: 'lan',
  };
  expect(bot.logged()).toContainEqual(expect.objectContaining(closing));
  const metrics = await fetch(`${bot.adminUrl}/metrics`, { headers: bearer(STAFF) });
  expect(await metrics.text()).toMatch(/^bot_open_operations\{age="under_1m"\} 0$/m);
});

test('an escalated operation leaves the bot to its customer, and its ticket ends where nobody wrote', async () => {
  const bot = await start({ ...TOKENS, OPERATION_CHECKS: '20ms,40ms', ANTCRM_TIMEOUT_MS: '500' });
  const asStaff = (path: string, body: object) => bot.ask('POST', path, body, bearer(STAFF));
  const ticketOf = async (conversation: string) => {
    const { body } = await bot.ask('GET', '/staff/tickets', undefined, bearer(STAFF));
    const schema = z.looseObject({ id: z.string(), conversation: z.string() });
    const { tickets } = z.object({ tickets: z.array(schema) }).parse(body);
    return tickets.find((ticket) => ticket.conversation === conversation);
  };
  for (const [conversation, answer, state] of [
    ['qa-1', undefined, 'closed'],
    ['qa-2', { text: 'Hi', by: 'lan' }, 'open'],
  ] as const) {
    const reference = await loseAnswer(bot, conversation);
    // No look finds what was done: the history cannot be read.
    await asStaff('/sandbox/faults', { call: 'history', fault: 'error-500', times: 99 });
    await expect.poll(() => ticketOf(conversation), { timeout: 5000 }).toMatchObject({ reason: 'escalated' });
    const escalated = { msg: 'an unknown outcome is with staff', operation: reference, outcome: 'escalated' };
    const alarm = { alarm: 'operation_escalated', operation: reference };
    for (const line of [escalated, alarm]) expect(bot.logged()).toContainEqual(expect.objectContaining(line));
    await asStaff('/sandbox/reset', {});
    expect(await says(bot, conversation, { text: 'help' })).toMatchObject({ key: 'help' });
    if (answer) await asStaff(`/staff/tickets/${(await ticketOf(conversation))?.id}/messages`, answer);
    await bot.ask('POST', `/operations/${reference}/settle`, { result: 'done', by: 'lan' });
    await expect.poll(() => ticketOf(conversation)).toMatchObject({ state });
  }
});

/** A bot whose reads of AntCRM throw until `mend`: what asks for points becomes a dead letter. */
async function startBroken() {
  let isBroken = true;
  const bot = await start(TOKENS, {
    around: {
      antcrm(port) {
        const contact = port.contact.bind(port);
        return Object.assign(port, {
          contact(...query: Parameters<typeof contact>) {
            if (isBroken) throw new Error('a bug');
            return contact(...query);
          },
        });
      },
    },
  });
  const listSchema = z.object({ deadLetters: z.array(z.looseObject({ id: z.string() })) });
  return {
    ...bot,
    letters: async () => listSchema.parse((await bot.ask('GET', '/operations')).body).deadLetters,
    act: (id: string | undefined, action: 'replay' | 'remove') =>
      bot.ask('POST', `/operations/letters/${id}/${action}`, { by: 'lan' }),
    mend() {
      isBroken = false;
    },
  };
}

test('a dead letter is listed, found by its sender, and read; who reads it is logged', async () => {
  const bot = await startBroken();
  const find = async (identifier: object) => (await bot.ask('POST', '/operations/find', identifier)).body;
  await says(bot, 'qa-9', { text: `my points ${PHONE}` });
  const deadLetters = await bot.letters();
  expect(deadLetters).toMatchObject([{ reason: 'threw', holds: 'text', channel: 'staff' }]);
  expect(await find({ staff: 'qa-9' })).toMatchObject({ deadLetters });
  expect(await find({ phone: '0912345678' })).toMatchObject({ deadLetters: [] });

  const read = await bot.ask('GET', `/operations/letters/${deadLetters[0]?.id}?by=lan`);
  expect(read).toMatchObject({ status: 200, body: { reason: 'threw', text: `my points ${PHONE}` } });
  const reading = { msg: 'an operator reads a dead letter', letter: deadLetters[0]?.id, by: 'lan' };
  expect(bot.logged()).toContainEqual(expect.objectContaining(reading));
  expect(await bot.ask('GET', '/operations/letters/nobody')).toMatchObject({ status: 404 });
});

test('a dead letter is removed, the others stay, and that is logged', async () => {
  const bot = await startBroken();
  await says(bot, 'qa-9', { text: `my points ${PHONE}` });
  await says(bot, 'qa-10', { text: `my points ${PHONE}` });
  const [first, second] = await bot.letters();
  expect(await bot.act(second?.id, 'remove')).toMatchObject({ status: 200, body: { status: 'removed' } });
  expect(await bot.letters()).toEqual([first]);
  const removal = { msg: 'an operator removes a dead letter', letter: second?.id, by: 'lan' };
  await expect.poll(bot.logged).toContainEqual(expect.objectContaining(removal));
});

test('a dead letter is replayed once', async () => {
  const bot = await startBroken();
  await says(bot, 'qa-9', { text: `my points ${PHONE}` });
  bot.mend();
  const [letter] = await bot.letters();
  expect(await bot.act(letter?.id, 'replay')).toMatchObject({ status: 200, body: { status: 'filed' } });
  expect(await bot.act(letter?.id, 'replay')).toMatchObject({ status: 404 });
});

test('a search by two identifiers at once is refused with what is wanted', async () => {
  const { ask } = await start();
  const find = (whom: object) => ask('POST', '/operations/find', whom);
  const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [at, '1']));
  const refused = await find({ staff: 'a', phone: PHONE });
  expect(refused).toMatchObject({ status: 400, body: { title: 'Bad Request', faults: [{ where: 'body' }] } });
  const wrong = await ask('POST', '/operations/5VH0M11JXX/settle', { result: 'yes', by: 5 });
  expect(wrong.body).toMatchObject({
    faults: [
      { where: 'result', what: 'Wants "done" or "not-applied"' },
      { where: 'by', what: 'Wants a text' },
    ],
  });
  const { text } = await find(fields(2000));
  expect(text).toMatch(/Faults of the request: 200\d/);
  expect(text.match(/Unknown field/g)).toHaveLength(20);
  expect(await find(fields(20_000))).toMatchObject({ status: 413 });
});
