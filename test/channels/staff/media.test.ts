import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Running, startBot } from '../../support/app.ts';
import { type Platforms, startPlatforms, WEBHOOK_SECRET } from '../../support/platforms.ts';
import { textActivity } from '../../support/teams-activities.ts';
import { createPerson } from '../../support/telegram-updates.ts';

/* What customers send, as staff see it: with the whole bot and doubles of both platforms. */

const MB = 1024 * 1024;

let platforms: Platforms;
let telegram: Platforms['telegram'];
let teams: Platforms['teams'];
let bot: Running;
const lines: string[] = [];
beforeAll(async () => {
  platforms = await startPlatforms();
  ({ telegram, teams } = platforms);
  const env = { ...platforms.telegramEnv, TEAMS_AUTH: 'off', SUPPORT_CONTACT: '1900 0000' };
  bot = await startBot(env, { log: { write: (line) => lines.push(line) } });
});
afterAll(async () => {
  await bot.stop();
  await platforms.close();
});

const ticketSchema = z.object({
  id: z.string(),
  name: z.string().optional(),
  conversation: z.string(),
  messages: z.array(z.looseObject({ text: z.string(), media: z.unknown().optional() })).default([]),
});
const readJson = async (path: string): Promise<unknown> => (await fetch(`${bot.url}/staff/${path}`)).json();
const list = async () =>
  z.object({ tickets: z.array(ticketSchema) }).parse(await readJson('tickets?state=open')).tickets;
const media = (id: string, n: number | string) => fetch(`${bot.url}/staff/tickets/${id}/media/${n}`);
const show = async (id: string) => ticketSchema.parse(await readJson(`tickets/${id}`)).messages;

let lastChat = 9_000;

/** A customer on Telegram who asked for a person; `send` resolves once staff see so many messages. */
async function ask() {
  const person = createPerson(++lastChat);
  const post = (content: object) =>
    telegram.post(person.sends(content), { url: `${bot.url}/webhooks/telegram`, secret: WEBHOOK_SECRET });
  await post({ text: 'gặp nhân viên' });
  const find = async () => (await list()).find(({ conversation }) => conversation === String(person.id));
  await expect.poll(find).toBeDefined();
  const id = (await find())?.id ?? '';
  let count = 0;
  async function send(content: object) {
    await post(content);
    count += 1;
    await expect.poll(async () => (await show(id)).length).toBe(count);
    return (await show(id)).at(-1);
  }
  return { id, chat: person.id, send, post };
}

const startOf = (...bytes: (number | string)[]) =>
  Buffer.concat(
    bytes.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from([part]))),
  );
const PNG = startOf(0x89, 'PNG\r\n\x1a\n', 'the rest of it');

describe('what a customer of Telegram sent', () => {
  test('is in the ticket with its kind, name and size, without its place at the platform', async () => {
    const { id, send } = await ask();
    telegram.keep('p1', PNG);
    const photo = [{ file_id: 'p1', file_size: PNG.length, width: 90 }];
    expect(await send({ photo, caption: 'nhãn mờ quá' })).toMatchObject({
      text: '📷 nhãn mờ quá',
      media: [{ n: 1, kind: 'picture', bytes: PNG.length }],
    });
    expect(await send({ location: { latitude: 10.5, longitude: 106.5 } })).toMatchObject({
      media: [{ n: 2, kind: 'place', name: '10.50000, 106.50000' }],
    });
    const document = { file_id: 'd1', file_name: 'hoá đơn.pdf' };
    const last = await send({ document });
    expect(last).toMatchObject({ media: [{ n: 3, kind: 'file', name: 'hoá đơn.pdf' }] });
    const text = JSON.stringify([await show(id), await readJson('tickets')]);
    expect(text).not.toMatch(/p1|d1|double-token/);
    const shown = await media(id, 1);
    expect(shown.status).toBe(200);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(PNG);
    expect((await media(id, 2)).status).toBe(410);
  });

  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  test.each<[what: string, bytes: Buffer, type: string]>([
    ['JPEG', startOf(0xff, 0xd8, 0xff, 'x'.repeat(90_000)), 'image/jpeg'],
    ['PNG', PNG, 'image/png'],
    ['WebP', startOf('RIFF', 1, 2, 3, 4, 'WEBPVP8 '), 'image/webp'],
    ['GIF', startOf('GIF89a', '........'), 'image/gif'],
    ['OGG', startOf('OggS', '........'), 'audio/ogg'],
    ['MP4', startOf(0, 0, 0, 32, 'ftypisom', '....'), 'video/mp4'],
    ['SVG', startOf(svg), 'download'],
    ['HTML', startOf('<!doctype html><script>alert(1)</script>'), 'download'],
    ['HEIC', startOf(0, 0, 0, 32, 'ftypheic', '....'), 'download'],
    ['a page behind a picture’s first byte', startOf(0xff, '<html>'), 'download'],
    ['an empty file', Buffer.alloc(0), 'download'],
  ])('a file that is %s is shown as its bytes say, never as a page', async (_what, bytes, type) => {
    const { id, send } = await ask();
    const file_id = `f-${id}`;
    telegram.keep(file_id, bytes);
    await send({ document: { file_id, mime_type: 'text/html', file_name: "it's (1).html" } });
    const response = await media(id, 1);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    const isDownload = type === 'download';
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': isDownload ? 'application/octet-stream' : type,
      'content-disposition': `${isDownload ? 'attachment' : 'inline'}; filename*=UTF-8''it%27s%20%281%29.html`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
  });

  test.each<[what: string, act: (file: string) => void, status: number]>([
    ['the platform has it no more', () => {}, 410],
    [
      'it is gone behind its path',
      (file) => {
        telegram.keep(file, PNG);
        telegram.script('file', { code: 404, description: 'Not Found' });
      },
      410,
    ],
    [
      'the platform redirects',
      (file) => {
        telegram.keep(file, PNG);
        telegram.script('file', { code: 302, description: '', headers: { location: '/file/x' } });
      },
      503,
    ],
    [
      'the connection is cut',
      (file) => {
        telegram.keep(file, PNG);
        telegram.script('file', 'reset');
      },
      503,
    ],
    ['it has 21 MB', (file) => telegram.keep(file, Buffer.alloc(21 * MB)), 413],
    [
      'Telegram says that it is too big',
      () => telegram.script('getFile', { code: 400, description: 'Bad Request: file is too big' }),
      413,
    ],
    ['it lies on the disk of a Bot API server', (file) => telegram.keep(file, PNG, '/var/lib/p.png'), 410],
  ])('is refused with a reason if %s', async (_what, act, status) => {
    const { id, send } = await ask();
    act(`f-${id}`);
    await send({ voice: { file_id: `f-${id}` } });
    const before = telegram.calls('file').length;
    const response = await media(id, 1);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      status,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(telegram.calls('file').length - before).toBeLessThanOrEqual(1);
    expect(await response.text()).not.toMatch(/double-token|127\.0\.0\.1|f-/);
  });

  test('is not asked for if Telegram said that it has more than 20 MB', async () => {
    const { id, send } = await ask();
    await send({ video: { file_id: 'v', file_size: 20 * MB + 1 } });
    const before = telegram.calls('getFile').length;
    expect((await media(id, 1)).status).toBe(413);
    expect(telegram.calls('getFile')).toHaveLength(before);
  });

  test('is gone once the customer is forgotten, and other numbers are 404', async () => {
    const { id, send, post } = await ask();
    telegram.keep('kept', PNG);
    await send({ photo: [{ file_id: 'kept' }] });
    for (const n of ['0', 'x', '-1']) expect((await media(id, n)).status).toBe(400);
    expect([(await media(id, 2)).status, (await media('NOPE', 1)).status]).toEqual([404, 404]);
    await post({ text: '/forget' });
    await expect.poll(async () => (await media(id, 1)).status).toBe(404);
  });
});

test('pictures of Teams are fetched only from the connector; a file of SharePoint is shown as name and size', async () => {
  const target = { url: `${bot.url}/webhooks/teams`, appId: '', authorization: null };
  const post = (text: string, attachments: object[]) =>
    teams.post(textActivity(text, { id: `t-${text}`, attachments }), target);
  await post('gặp nhân viên', []);
  const find = async () => (await list()).find(({ conversation }) => conversation.startsWith('a:'));
  await expect.poll(find).toBeDefined();
  const id = (await find())?.id ?? '';
  await post('ảnh đây', [
    { contentType: 'image/png', contentUrl: teams.keep('p1', PNG) },
    { contentType: 'image/png', contentUrl: 'https://evil.example/p.png' },
    {
      contentType: 'application/vnd.microsoft.teams.file.download.info',
      name: 'hoá đơn.pdf',
      contentUrl: 'https://shop.sharepoint.com/1',
    },
  ]);
  await expect
    .poll(async () => (await show(id)).at(-1)?.media)
    .toEqual([
      { n: 1, kind: 'picture' },
      { n: 2, kind: 'picture' },
      { n: 3, kind: 'file', name: 'hoá đơn.pdf', elsewhere: true },
    ]);
  const first = await media(id, 1);
  expect(Buffer.from(await first.arrayBuffer())).toEqual(PNG);
  expect([(await media(id, 2)).status, (await media(id, 3)).status]).toEqual([410, 410]);
  teams.script({ status: 302 });
  expect((await media(id, 1)).status).toBe(503);
});

describe('a file of staff', () => {
  const post = async (id: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify({ by: 'lan', ...body }) };
    return (await fetch(`${bot.url}/staff/tickets/${id}/media`, request)).status;
  };
  const file = PNG.toString('base64');
  const sentTo = (method: string, chat: number) =>
    telegram.calls(method).filter(({ payload }) => Number(payload.chat_id) === chat);
  const lastOf = async (id: string) => (await show(id)).at(-1);
  const delivered = { delivery: 'delivered' };

  test('reaches the customer of Telegram once with its text, is shown in the ticket, and its state', async () => {
    const { id, chat } = await ask();
    expect(await readJson(`tickets/${id}`)).toMatchObject({ takes: ['picture', 'file'] });
    const body = { file, text: 'Nhãn như thế này ạ', id: 'f1' };
    expect(await post(id, body)).toBe(200);
    await expect
      .poll(() => lastOf(id))
      .toMatchObject({
        by: 'lan',
        text: 'Nhãn như thế này ạ',
        ...delivered,
        media: [{ n: 1, kind: 'picture', name: 'image.png', bytes: PNG.length }],
      });
    expect(await post(id, body)).toBe(200);
    expect(await post(id, { file })).toBe(200);
    await expect.poll(async () => (await show(id)).length).toBe(2);
    await expect.poll(() => lastOf(id)).toMatchObject({ ...delivered, media: [{ n: 2 }] });
    const sent = sentTo('sendPhoto', chat).map(({ payload }) => payload);
    expect(sent.map(({ caption }) => caption)).toEqual(['lan: Nhãn như thế này ạ', 'lan gửi bạn:']);
    expect(sent.map(({ photo }) => Buffer.from(z.instanceof(Uint8Array).parse(photo)))).toEqual([PNG, PNG]);
    expect(Buffer.from(await (await media(id, 1)).arrayBuffer())).toEqual(PNG);
  });

  test('goes as a file if it is no JPEG or PNG, or if Telegram does not take it as a picture', async () => {
    const { id, chat } = await ask();
    const pdf = Buffer.from('%PDF-1.7 bảo hành').toString('base64');
    expect(await post(id, { file: pdf, name: 'bảo hành.pdf' })).toBe(200);
    await expect.poll(() => lastOf(id)).toMatchObject(delivered);
    telegram.script('sendPhoto', { code: 400, description: 'Bad Request: PHOTO_INVALID_DIMENSIONS' });
    expect(await post(id, { file })).toBe(200);
    await expect.poll(async () => (await show(id)).length).toBe(2);
    await expect.poll(() => lastOf(id)).toMatchObject(delivered);
    expect(sentTo('sendDocument', chat)).toHaveLength(2);
  });

  test('waits as a text does, and shows why it failed', async () => {
    const { id, chat } = await ask();
    const busy = { code: 429, description: 'Too Many Requests', parameters: { retry_after: 1 } };
    telegram.script('sendPhoto', busy);
    expect(await post(id, { file })).toBe(200);
    expect(await lastOf(id)).toMatchObject({ delivery: 'waiting' });
    await expect.poll(() => lastOf(id), { timeout: 10_000 }).toMatchObject(delivered);
    expect(sentTo('sendPhoto', chat)).toHaveLength(2);
    telegram.script('sendPhoto', { code: 403, description: 'Forbidden: bot was blocked by the user' });
    expect(await post(id, { file })).toBe(200);
    await expect.poll(() => lastOf(id)).toMatchObject({ delivery: 'failed', why: 'blocked' });
  });

  test('is refused if it is too large or no base64, or if the chat app takes only text', async () => {
    const { id } = await ask();
    expect(await post(id, { file: Buffer.alloc(7 * MB).toString('base64') })).toBe(413);
    expect(await post(id, { file: '<svg>' })).toBe(400);
    expect(await post('NOPE', { file })).toBe(404);
    const teamsTicket = (await list()).find(({ conversation }) => conversation.startsWith('a:'))?.id ?? '';
    expect(await post(teamsTicket, { file })).toBe(415);
    expect(await readJson(`tickets/${teamsTicket}`)).toMatchObject({ takes: [] });
    expect(await show(id)).toEqual([]);
  });
});

test('the log never has the address of a file', () => {
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.filter((line) => /double-token|photos\/|views\/original|evil\.example/.test(line))).toEqual(
    [],
  );
});
