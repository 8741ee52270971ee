import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { type Running, startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';

/* The customer's card and the notice of what is new, in Chromium. */

/** The sizes at which pages are looked at; `SCREENSHOTS=<folder>` keeps pictures of them. */
const WIDE = { width: 1360, height: 900 };
const PHONE = { width: 390, height: 780 };
const REASON = 'khách gọi tới hỏi';

let browser: Browser;
let bot: Running;
let faults: string[][] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  faults = [];
  bot = await startBot();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await bot.stop();
  // Chromium itself reports what is refused.
  expect(faults.flat().filter((fault) => !/status of 400/.test(fault))).toEqual([]);
});

/** What a customer on Telegram does, as staff imitate one. */
async function say(conversation: string, ...contents: readonly object[]) {
  for (const content of contents)
    await createClient(bot.url).send({ conversation, as: 'telegram', locale: 'vi', ...content });
}

const PROVED = [{ text: 'xem điểm' }, { contact: { phone: '0867123456' } }, { choice: 'person' }];
const TYPED = [{ choice: 'person' }, { text: 'số mình 0867 123 456, mail an@gmail.com nhé' }];

async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const { page, ...watched } = await openPage(browser, bot.url, { viewport: WIDE, ...options });
  faults.push(watched.faults);
  await page.addInitScript(`localStorage.by = 'Lan'`);
  await page.goto(`${bot.url}/console#inbox`);
  await page.locator('#tickets a').first().waitFor();
  return page;
}

const rows = (page: Page) => page.locator('#tickets a');
const card = (page: Page) => page.locator('#customer');

async function keepLook(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
  }
}

it('staff see whose points these are, and read them again', async () => {
  await say('qa-1', ...PROVED, { text: 'điểm mình thiếu' });
  const page = await open();
  await rows(page).first().click();
  await card(page).getByText('đã xác minh').waitFor();
  expect(await card(page).textContent()).toMatch(/0867 123 456.*Điểm[\d.]+/);
  expect(await card(page).textContent()).not.toContain('null');
  await card(page).getByText('Tích điểm (10)').click();
  await card(page).getByText('Đổi quà (10)').click();
  expect(await card(page).locator('dd').count()).toBeGreaterThanOrEqual(21);
  await keepLook(page, 'card-proved');
  await fetch(`${bot.url}/sandbox/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ call: 'history', fault: 'error-500', times: 20 }),
  });
  await page.getByRole('button', { name: 'Đọc lại' }).click();
  await card(page).getByText('AntCRM đang lỗi, chưa đọc được hết.').waitFor();
  expect(await card(page).textContent()).toMatch(/Điểm[\d.]+/);
  await keepLook(page, 'card-down');
});

it('a typed number is masked until staff give a reason, which colleagues see as a note', async () => {
  await say('qa-1', ...TYPED);
  const page = await open();
  const colleague = await open();
  await rows(colleague).first().click();
  const reads: string[] = [];
  page.on('request', (request) => reads.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await rows(page).first().click();
  await card(page).getByText('0867 *** 456').waitFor();
  expect(await card(page).textContent()).not.toMatch(/Điểm\d/);
  await keepLook(page, 'card-masked');
  const reasons = ['vì', REASON];
  page.on('dialog', (dialog) => void dialog.accept(reasons.shift()));
  const look = card(page).locator('p').filter({ hasText: '0867 *** 456' }).getByRole('button');
  await look.click();
  await page.getByText('Lý do cần ít nhất 5 ký tự.').waitFor();
  await look.click();
  await card(page).getByText('0867 123 456').waitFor();
  expect(await card(page).textContent()).toMatch(/chưa xác minh.*Điểm[\d.]+/);
  for (const one of [page, colleague])
    await one.locator('#messages').getByText(`🔓 0867 *** 456: ${REASON}`).waitFor();
  await colleague.getByRole('button', { name: 'Đọc lại' }).click();
  await card(colleague).getByText('0867 *** 456').waitFor();
  expect(await card(colleague).textContent()).not.toMatch(/Điểm\d/);
  await keepLook(page, 'card-revealed');
  // News of the ticket read no card again: each look is audited.
  expect(reads.filter((read) => read.endsWith('/customer'))).toEqual([
    expect.stringMatching(/^GET/),
    expect.stringMatching(/^POST/),
    expect.stringMatching(/^POST/),
  ]);
});

it('on a phone the card is read when it is looked at, and not before', async () => {
  await say('qa-1', ...TYPED);
  const page = await open({ viewport: PHONE });
  const reads: string[] = [];
  page.on('request', (request) => request.url().endsWith('/customer') && reads.push(request.url()));
  await rows(page).first().click();
  await page.locator('#messages').getByText('số mình').waitFor();
  await keepLook(page, 'card-phone-talk');
  expect(reads).toEqual([]);
  await page.locator('#toAbout').click();
  await card(page).getByText('0867 *** 456').waitFor();
  expect(reads.length).toBe(1);
  await keepLook(page, 'card-phone');
});

it('earlier tickets are a click away, with who answered', async () => {
  await say('qa-1', ...TYPED);
  const page = await open();
  await rows(page).first().click();
  await page.locator('#reply').fill('Chào bạn');
  await page.locator('#reply').press('Enter');
  await page.getByText('Đã gửi').waitFor();
  page.on('dialog', (dialog) => void dialog.accept());
  await page.locator('#end').click();
  await page.locator('#talk.over').waitFor();
  await say('qa-1', { choice: 'person' });
  await rows(page).filter({ hasText: 'Vừa nhắn' }).click();
  const earlier = card(page).getByRole('link', { name: 'Lan' });
  await earlier.waitFor();
  await keepLook(page, 'card-earlier');
  await earlier.click();
  await page.locator('#talk.over').waitFor();
});

it('a phone or e-mail of the customer is copied by one click', async () => {
  await say('qa-1', ...TYPED);
  const page = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await rows(page).first().click();
  const chat = page.locator('#messages');
  for (const [shown, copied] of [
    ['📋 0867 123 456', '0867123456'],
    ['📋 an@gmail.com', 'an@gmail.com'],
  ] as const) {
    await chat.getByRole('button', { name: shown }).click();
    await chat.getByText('Đã chép').first().waitFor();
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()')).toBe(copied);
  }
});

/** Keeps what the page shows and plays and its news, and whether it follows them, and takes the focus away. */
const WATCH = `
  window.shown = []; window.tones = 0; window.news = [];
  addEventListener('news', ({ detail: { ticket, what } }) => window.news.push(what + ' ' + ticket));
  const Shown = window.Notification;
  window.Notification = class extends Shown {
    constructor(title, options) { super(title, options); window.shown.push({ title, ...options, at: this }); }
  };
  const Stream = window.EventSource;
  window.EventSource = class extends Stream {
    constructor(path) { super(path); this.addEventListener('open', () => { window.isFollowing = true; }); }
  };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function () { window.tones++; return start.call(this); };
  document.hasFocus = () => window.isFocused ?? false;
`;
const shown = (page: Page) => page.evaluate('shown.map(({ title, body }) => [title, body])');
const news = (page: Page) => page.evaluate<string[]>('news');

it('a new customer and a new message ring and notify if staff want it, without any text of the customer', async () => {
  await say('qa-1', { choice: 'person' });
  const page = await open({ permissions: ['notifications'] });
  await page.addInitScript(WATCH);
  await page.reload();
  const notice = page.getByRole('button', { name: 'Báo khi có tin mới' });
  const first = (await rows(page).first().getAttribute('href'))?.split('/')[1];
  await page.waitForFunction('window.isFollowing');
  await say('qa-1', { text: 'alo, số mình 0867123456' });
  await expect.poll(() => news(page)).toContain(`message ${first}`);
  // Nobody asked for it yet.
  expect([await shown(page), await page.evaluate('tones')]).toEqual([[], 0]);
  await notice.click();
  expect(await notice.getAttribute('aria-pressed')).toBe('true');
  await page.reload();
  await rows(page).first().waitFor();
  expect(await notice.getAttribute('aria-pressed')).toBe('true');

  await page.waitForFunction('window.isFollowing');
  await say('qa-1', { name: 'Garnacho', text: 'còn đó không' });
  await expect.poll(() => shown(page)).toEqual([['Tin nhắn mới', first]]);
  expect(await page.evaluate('tones')).toBe(1);
  await say('qa-2', { name: 'Garnacho', choice: 'person' });
  await expect.poll(() => shown(page)).toContainEqual(['Khách mới', expect.not.stringMatching(first ?? '-')]);
  await page.evaluate('shown[0].at.onclick()');
  await expect.poll(() => page.evaluate('location.hash')).toBe(`#inbox/${first}`);

  // Who looks at the page sees it, and a colleague's customer is the colleague's.
  await page.evaluate('window.isFocused = true; news.length = 0');
  const before = await page.evaluate('shown.length');
  await say('qa-1', { text: 'alo 2' });
  // The page may show the text before the news of it come.
  await expect.poll(() => news(page)).toContain(`message ${first}`);
  await page.evaluate('window.isFocused = false; news.length = 0');
  await fetch(`${bot.url}/staff/tickets/${first}/claim`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ by: 'Minh' }),
  });
  await page.getByText('của Minh').first().waitFor();
  await say('qa-1', { text: 'alo 3' });
  await expect.poll(() => news(page)).toContain(`message ${first}`);
  expect(await page.evaluate('shown.length')).toBe(before);
  await notice.click();
  await page.evaluate('news.length = 0');
  await say('qa-2', { text: 'alo 4' });
  await expect.poll(() => news(page)).toContainEqual(expect.stringMatching(/^message /));
  expect(await page.evaluate('shown.length')).toBe(before);
});

it('if the browser allows no notification, the page says that there is only a sound', async () => {
  await say('qa-1', { choice: 'person' });
  const page = await open();
  await page.evaluate(`Notification.requestPermission = async () => 'denied'`);
  await page.getByRole('button', { name: 'Báo khi có tin mới' }).click();
  await page.getByText('Trình duyệt chặn thông báo').waitFor();
});
