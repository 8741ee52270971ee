import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { type Running, startBot } from '../support/app.ts';
import { startTelegramDouble, type TelegramDouble, type Update } from '../support/telegram-double.ts';
import { createPerson, type Person } from '../support/telegram-updates.ts';

/*
 * Who may read and spend, and what reaches AntCRM, through the public routes: Telegram's for what only Telegram can
 * say, the staff webhook (`as`) for the rest.
 */

const SECRET = 'identity-secret';
const TOKEN = 'identity-staff-token';
/** Garnacho's, known to AntCRM; and of somebody it does not know. */
const MINE = { phone: '0867123456', email: 'garnacho@gmail.com' };
const NEW = { phone: '0912345678', email: 'minh@example.vn' };

const bodySchema = z.object({ code: z.string(), data: z.record(z.string(), z.unknown()) });
type Sent = z.infer<typeof bodySchema> & { readonly call: string };

let bot: Running;
let double: TelegramDouble;
let closeAntCrm: () => Promise<unknown>;
let sent: Sent[] = [];
let read: string[] = [];
let unused = 0;
const code = (): string => `TIVI${String(++unused).padStart(9, '0')}`;

beforeAll(async () => {
  double = await startTelegramDouble();
  const antcrm = Fastify({ forceCloseConnections: true });
  antcrm.addHook('preHandler', async ({ method, url, body }) => {
    if (method === 'POST') sent.push({ call: url, ...bodySchema.parse(body) });
    else read.push(url);
  });
  await antcrm.register(createSandbox());
  const url = await antcrm.listen({ host: '127.0.0.1', port: 0 });
  closeAntCrm = () => antcrm.close();
  bot = await startBot({
    STAFF_TOKEN: TOKEN,
    ANTCRM_BASE_URL: url,
    ANTCRM_API_KEY: 'key',
    TELEGRAM_BOT_TOKEN: double.token,
    TELEGRAM_API_ROOT: double.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    OPERATION_CHECKS: '1s,2s',
  });
});
afterAll(async () => {
  await bot.stop();
  await double.close();
  await closeAntCrm();
});

const answerSchema = z.object({
  status: z.literal('done'),
  replies: z.array(
    z.object({
      key: z.string(),
      text: z.string(),
      choices: z.array(z.object({ id: z.string() })).optional(),
      asks: z.string().optional(),
    }),
  ),
});
type Replies = z.infer<typeof answerSchema>['replies'];

/** A customer as staff imitate one. */
function imitate(manner: { as?: string; profile?: { email: string } }) {
  const conversation = `c${Math.random().toString(36).slice(2)}`;
  let last: Replies = [];
  async function says(message: object): Promise<Replies> {
    const response = await fetch(`${bot.url}/webhooks/staff`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ conversation, locale: 'vi', ...manner, ...message }),
    });
    last = answerSchema.parse(await response.json()).replies;
    return last;
  }
  return {
    says,
    writes: (text: string) => says({ text }),
    confirms: () =>
      says({ choice: last.at(-1)?.choices?.find(({ id }) => id.startsWith('confirm:'))?.id ?? 'none' }),
  };
}

const keysOf = (replies: Replies): string[] => replies.map(({ key }) => key);

describe('what a redemption carries', () => {
  test('is the proved phone, and the e-mail only where AntCRM’s own record has it', async () => {
    for (const [email, carried] of [
      [MINE.email, MINE],
      [NEW.email, { phone: MINE.phone }],
    ] as const) {
      const chat = imitate({ as: 'telegram' });
      await chat.writes(`tích điểm ${code()} ${MINE.phone} ${email}`);
      await chat.confirms();
      await chat.says({ choice: 'consent:accept' });
      await chat.writes('đổi quà DAUMAY01');
      await chat.says({ contact: { phone: MINE.phone } });
      sent = [];
      expect(keysOf(await chat.confirms())).toEqual(['redeem.done']);
      expect(sent).toEqual([{ call: '/redeem', code: 'DAUMAY01', data: carried }]);
    }
  });

  test('is never a typed or foreign phone', async () => {
    sent = [];
    for (const message of [{ text: MINE.phone }, { contact: { phone: MINE.phone, own: false } }]) {
      for (const manner of [{ as: 'telegram' }, { as: 'teams' }]) {
        const chat = imitate(manner);
        await chat.writes('đổi quà DAUMAY01');
        await chat.says(message);
        await chat.confirms();
        for (const asked of ['xem điểm', 'lịch sử tích điểm 30 ngày']) await chat.writes(asked);
      }
    }
    expect(sent).toEqual([]);
  });

  test('is the e-mail of a trusted tenant’s profile', async () => {
    const chat = imitate({ as: 'teams', profile: { email: MINE.email } });
    sent = [];
    await chat.writes('đổi quà DAUMAY01');
    await chat.confirms();
    expect(sent).toEqual([{ call: '/redeem', code: 'DAUMAY01', data: { email: MINE.email } }]);
  });
});

describe('what an accumulation tells', () => {
  /** Everything a stranger hears on the way from the command to the receipt. */
  async function heard(phone: string, email: string): Promise<string[]> {
    const chat = imitate({ as: 'telegram' });
    const summary = await chat.writes(`tích điểm ${code()} ${phone} ${email}`);
    const done = await chat.confirms();
    const same = (text: string): string =>
      text
        .replace(/TIVI\d+/g, 'CODE')
        .replace(/\d{4} \d{3} \d{3}/g, 'PHONE')
        .replace(/\S+@\S+/g, 'EMAIL');
    return [...summary, ...done].map(({ key, text }) => `${key}: ${same(text)}`);
  }

  test('is the same whether AntCRM knows the phone, the e-mail, both or neither', async () => {
    let fresh = 0;
    const stranger = () => ({ phone: `098765432${fresh}`, email: `minh${fresh++}@example.vn` });
    const neither = stranger();
    const answers = [await heard(neither.phone, neither.email)];
    answers.push(await heard(MINE.phone, MINE.email));
    answers.push(await heard(MINE.phone, stranger().email));
    answers.push(await heard(stranger().phone, MINE.email));
    const two = stranger();
    await heard(two.phone, 'minh@two.example.vn');
    answers.push(await heard(MINE.phone, 'minh@two.example.vn'));
    expect(new Set(answers.map((answer) => answer.join('\n'))).size).toBe(1);
    expect(answers[0]?.join()).toContain('accumulate.done');
  });

  test('is nothing of the record it went to', async () => {
    const chat = imitate({ as: 'telegram' });
    await chat.writes(`tích điểm ${code()} ${MINE.phone}`);
    await chat.writes('bỏ qua');
    const told = (await chat.confirms()).map(({ text }) => text).join();
    expect(told).not.toMatch(/Garnacho|gmail|867/);
  });
});

describe('a contact on Telegram', () => {
  /** Shares a contact where a phone must be proved; true if that let the customer read. */
  async function reads(share: (person: Person) => Update): Promise<boolean> {
    const person = createPerson(700_000 + ++unused);
    const post = (update: Update) =>
      double.post(update, { url: `${bot.url}/webhooks/telegram`, secret: SECRET });
    const answered = double.calls('sendMessage').length;
    await post(person.writes('xem điểm'));
    await double.called('sendMessage', ({ chat_id }) => chat_id === person.id);
    read = [];
    await post(share(person));
    await double.called(
      'sendMessage',
      ({ chat_id, text }) =>
        chat_id === person.id && double.calls('sendMessage').length > answered + 1 && text !== '',
    );
    return read.length > 0;
  }

  test('of one’s own lets one read', async () => {
    expect(await reads((person) => person.shares('84867123456'))).toBe(true);
  });

  test.each<[string, (person: Person) => Update]>([
    ['of somebody else', (person) => person.shares('84867123456', { contact: { user_id: 42 } })],
    ['of nobody on Telegram', (person) => person.shares('84867123456', { contact: { user_id: undefined } })],
    [
      'that was forwarded',
      (person) =>
        person.shares('84867123456', {
          message: { forward_origin: { type: 'user', date: 1, sender_user: { id: person.id } } },
        }),
    ],
    [
      'forwarded by an old server',
      (person) => person.shares('84867123456', { message: { forward_date: 1_700_000_000 } }),
    ],
    [
      'sent through another bot',
      (person) => person.shares('84867123456', { message: { via_bot: { id: 5, is_bot: true } } }),
    ],
    ['that was typed', (person) => person.writes('0867123456')],
  ])('%s does not', async (_which, share) => {
    expect(await reads(share)).toBe(false);
  });
});
