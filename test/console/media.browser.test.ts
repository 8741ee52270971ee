import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { asPng, drawCode } from '../support/pictures.ts';
import { startTelegramDouble } from '../support/telegram-double.ts';
import { createPerson } from '../support/telegram-updates.ts';

/* Pictures of customers, and what became of staff's messages, in Chromium: two of staff side by side. */

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const SECRET = 'webhook-secret_1';
/** The sizes at which pages are looked at; `SCREENSHOTS=<folder>` keeps pictures of them. */
const WIDE = { width: 1360, height: 800 };
const PHONE = { width: 390, height: 780 };

/** A customer on Telegram who asked for a person, after these, and the inboxes of two of staff. */
async function startInbox(...before: readonly object[]) {
  const telegram = await startTelegramDouble();
  const bot = await startBot({
    TELEGRAM_BOT_TOKEN: telegram.token,
    TELEGRAM_API_ROOT: telegram.url,
    TELEGRAM_WEBHOOK_SECRET: SECRET,
    SUPPORT_CONTACT: '1900 0000',
  });
  const faults: string[][] = [];
  const customer = createPerson(77);
  const send = (content: object) =>
    telegram.post(customer.sends(content), { url: `${bot.url}/webhooks/telegram`, secret: SECRET });
  onTestFinished(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await bot.stop();
    await telegram.close();
    // Chromium itself reports what is refused.
    expect(faults.flat().filter((fault) => !/status of 4(10|13)/.test(fault))).toEqual([]);
  });
  for (const content of [...before, { text: 'gặp nhân viên' }]) await send(content);
  // The bot has said all that it says by itself.
  await expect.poll(() => telegram.shown(77).length).toBeGreaterThan(before.length);

  async function open(name: string, viewport = WIDE): Promise<Page> {
    const { page, ...watched } = await openPage(browser, bot.url, { viewport });
    faults.push(watched.faults);
    await page.addInitScript(`localStorage.by = ${JSON.stringify(name)}`);
    await page.goto(`${bot.url}/console#inbox`);
    await page.locator('#tickets a').click();
    await page.locator('#talk').waitFor();
    return page;
  }
  return { telegram, send, open };
}

async function answer(page: Page, text: string): Promise<void> {
  await page.locator('#reply').fill(text);
  await page.locator('#reply').press('Enter');
}

async function keepLook(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (!folder) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
  }
}

it('staff see a picture and enlarge it, save a file, and read what cannot be shown', async () => {
  const { telegram, send, open } = await startInbox();
  const lan = await open('Lan');
  const minh = await open('Minh', PHONE);
  telegram.keep('p1', asPng(await drawCode('TIVI000000017')));
  await send({ photo: [{ file_id: 'p1', width: 600 }], caption: 'nhãn mờ quá' });
  for (const page of [lan, minh]) {
    const image = page.locator('.media.picture img');
    await image.waitFor();
    await expect
      .poll(() => image.evaluate((it) => 'naturalWidth' in it && it.naturalWidth))
      .toBeGreaterThan(50);
    await page.getByText('nhãn mờ quá', { exact: true }).last().waitFor();
  }
  await lan.getByTitle('Phóng to').click();
  await lan.locator('dialog.large img').waitFor();
  await lan.keyboard.press('Escape');
  await expect.poll(() => lan.locator('dialog').count()).toBe(0);

  telegram.keep(
    'svg',
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
  );
  await send({
    document: { file_id: 'svg', file_name: 'nhãn.svg', mime_type: 'image/svg+xml', file_size: 70 },
  });
  const saved = lan.waitForEvent('download');
  await lan.getByRole('link', { name: /nhãn\.svg/ }).click();
  expect((await saved).suggestedFilename()).toBe('nhãn.svg');

  telegram.keep('v1', Buffer.from('OggS and no sound at all'));
  await send({ voice: { file_id: 'v1', file_size: 12_345 } });
  await lan.getByRole('button', { name: /Nghe tin nhắn thoại · 13/ }).click();
  await lan.locator('.media audio').waitFor();
  await send({ video: { file_id: 'gone', file_size: 5 } });
  await lan.getByRole('button', { name: /Xem video/ }).click();
  await lan.getByText('Ứng dụng chat không còn giữ tệp này').waitFor();
  await send({ location: { latitude: 10.77254, longitude: 106.698 } });
  await lan.getByText('📍 10.77254, 106.69800').waitFor();
  expect(await lan.locator('.media.picture img').count(), 'it is not fetched again').toBe(1);
  expect(telegram.calls('file').filter(({ payload }) => String(payload.path).includes('p1'))).toHaveLength(2);
  expect(await minh.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
  await keepLook(lan, 'media-1360');
  await keepLook(minh, 'media-390');
});

it('a picture that was sent before a person was asked for stands first in the conversation', async () => {
  const photo = { photo: [{ file_id: 'p1', width: 600 }], caption: 'tem mờ quá' };
  const { telegram, send, open } = await startInbox(photo);
  telegram.keep('p1', asPng(await drawCode('Xin chào')));
  await send({ text: 'giúp mình với' });
  const lan = await open('Lan');
  await lan.locator('.media.picture img').waitFor();
  await lan.getByText('giúp mình với').last().waitFor();
  const bubbles = await lan.locator('#messages .bubble').allTextContents();
  expect(bubbles).toEqual(['tem mờ quá', expect.stringMatching(/nhân viên/), 'giúp mình với']);
  await keepLook(lan, 'before-1360');
});

it('staff send a picture: it is shown before, goes with its text, and what is too large is refused at once', async () => {
  const { telegram, open } = await startInbox();
  const lan = await open('Lan');
  const minh = await open('Minh', PHONE);
  const png = asPng(await drawCode('TIVI000000017'));
  await lan.locator('#file').setInputFiles({ name: 'nhãn.png', mimeType: 'image/png', buffer: png });
  await lan
    .locator('#attached')
    .getByText(/nhãn\.png · \d+ kB/)
    .waitFor();
  await lan.locator('#reply').fill('Nhãn như thế này ạ');
  await keepLook(lan, 'attach-1360');
  await lan.locator('#send').click();
  await expect.poll(() => lan.locator('#attached').isVisible()).toBe(false);
  expect(await lan.locator('#reply').inputValue()).toBe('');
  for (const page of [lan, minh]) await page.locator('#messages .mine .media.picture img').waitFor();
  await minh.locator('#messages .mine').getByText('Đã gửi').waitFor();
  expect(telegram.calls('sendPhoto').map(({ payload }) => payload.caption)).toEqual([
    'Lan: Nhãn như thế này ạ',
  ]);
  const large = { name: 'a.png', mimeType: 'image/png', buffer: Buffer.alloc(6 * 1024 * 1024) };
  await lan.locator('#file').setInputFiles(large);
  await lan.getByText('Chỉ gửi được tệp tối đa 5 MB.').waitFor();
  await keepLook(minh, 'sent-390');
});

it('both see live that a message was not sent and why, in the conversation and in the row', async () => {
  const { telegram, open } = await startInbox();
  const lan = await open('Lan');
  const minh = await open('Minh');
  telegram.script('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
  await answer(lan, 'Chào bạn');
  for (const page of [lan, minh]) {
    await page.locator('#messages').getByText('Chưa gửi được: khách đã chặn bot').waitFor();
    await page.locator('#tickets').getByText('1 tin chưa gửi được').waitFor();
  }
  await answer(lan, 'Bạn còn đó không?');
  await minh.locator('#messages .mine').last().getByText('Đã gửi').waitFor();
  await keepLook(minh, 'delivery-1360');
});
