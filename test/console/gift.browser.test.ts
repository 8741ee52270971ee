import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { createQrWriter } from '../../src/photos/qr.ts';
import { startGateway, startShop } from '../proof/shop.ts';
import { startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';

/* The counter's page in Chromium. */

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

const CODE = /[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}/;

/** A bot, the code of a gift that was redeemed, and pages of staff. */
async function startCounter() {
  const bot = await startBot();
  const { send } = createClient(bot.url);
  const say = async (message: { text?: string; choice?: string }) =>
    JSON.stringify(await send({ conversation: 'qa', locale: 'vi', ...message }));
  const summary = await say({ text: 'đổi quà DAUMAY01 0867123456' });
  const receipt = await say({ choice: summary.match(/confirm:\w+/)?.[0] ?? 'none' });
  const faults: string[][] = [];

  async function open(name: string, script?: string): Promise<Page> {
    const { page, ...watched } = await openPage(browser, bot.url, { viewport: { width: 320, height: 640 } });
    faults.push(watched.faults);
    if (script) await page.addInitScript(script);
    await page.addInitScript(`localStorage.by = ${JSON.stringify(name)}`);
    await page.goto(`${bot.url}/console#gift`);
    return page;
  }
  onTestFinished(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await bot.stop();
    // Chromium itself reports what is refused.
    expect(faults.flat().filter((fault) => !/status of 4(04|09)/.test(fault))).toEqual([]);
  });
  return { open, code: receipt.match(CODE)?.[0] ?? 'none' };
}

const shown = (page: Page, text: string) => page.locator('#giftShown').getByText(text).first().waitFor();

async function look(page: Page, code: string): Promise<void> {
  await page.getByLabel('Mã nhận quà của khách').fill(code);
  await page.getByRole('button', { name: 'Xem', exact: true }).click();
}

it('staff type a code, see the gift and hand it over; a colleague reads by whom', async () => {
  const { open, code } = await startCounter();
  const lan = await open('Lan');
  const minh = await open('Minh');
  await look(lan, '0000-0000-0000');
  await shown(lan, 'Không có mã này');
  await look(lan, code.toLowerCase().replaceAll('-', ' '));
  await shown(lan, 'Đầu máy');
  await shown(lan, '0867 *** 456');
  await look(minh, code);
  await shown(minh, 'Đã đổi, chưa giao.');
  await lan.getByRole('button', { name: 'Giao quà · Lan' }).click();
  await shown(lan, 'Vừa giao xong');
  await minh.getByRole('button', { name: 'Giao quà · Minh' }).click();
  await shown(minh, 'Đã giao · Lan');
  expect(await lan.evaluate('document.documentElement.scrollWidth')).toBe(320);
  // No view's name stands over another one.
  const isApart = `[...document.querySelectorAll('nav a')].every((link) => link.scrollWidth <= link.clientWidth + 1)`;
  expect(await lan.evaluate(isApart)).toBe(true);
  await lan.getByRole('link', { name: 'Chat thử', exact: true }).click();
  await expect.poll(() => lan.locator('#gift').isVisible()).toBe(false);
  await lan.getByRole('link', { name: 'Giao quà', exact: true }).click();
  await expect.poll(() => lan.locator('#giftShown').textContent()).toBe('');
});

it('a photo of the code is read by the bot', async () => {
  const { open, code } = await startCounter();
  const page = await open('Lan');
  const buffer = (await createQrWriter()(code)) ?? Buffer.alloc(0);
  await page.locator('#giftPhoto').setInputFiles({ name: 'qr.png', mimeType: 'image/png', buffer });
  await shown(page, 'Đầu máy');
  const nothing = (await createQrWriter()('TIVI000000001')) ?? Buffer.alloc(0);
  await page.locator('#giftPhoto').setInputFiles({ name: 'x.png', mimeType: 'image/png', buffer: nothing });
  await shown(page, 'Không thấy mã');
});

/** A camera that sees what `sessionStorage.seen` says, in a browser that reads codes. */
const CAMERA = `
  const canvas = document.createElement('canvas');
  const paper = canvas.getContext('2d');
  setInterval(() => paper.fillRect(0, 0, Math.random() * 100, 100), 30);
  navigator.mediaDevices.getUserMedia = async () => canvas.captureStream();
  window.BarcodeDetector = class {
    detect = async () => (sessionStorage.seen ? [{ rawValue: sessionStorage.seen }] : []);
  };`;

it('a browser that reads codes scans one before its camera, and only such a browser offers it', async () => {
  const { open, code } = await startCounter();
  const page = await open('Lan', CAMERA);
  await page.getByRole('button', { name: 'Quét' }).click();
  await page.locator('#giftCamera').waitFor();
  await page.evaluate(`sessionStorage.seen = '${code}'`);
  await shown(page, 'Đầu máy');
  await expect.poll(() => page.locator('#giftCamera').isVisible()).toBe(false);
  const other = await open('Minh', 'delete window.BarcodeDetector');
  await other.getByRole('button', { name: 'Xem', exact: true }).waitFor();
  expect(await other.getByRole('button', { name: 'Quét' }).isVisible()).toBe(false);
});

it.each([true, false])(
  'the chat shows the texts of one-time codes if the sandbox is the backend: %s',
  async (isSandbox) => {
    const gateway = await startGateway();
    const sandbox = await startShop(gateway);
    const STAFF_TOKEN = 'a-staff-token-of-some-length';
    const real = { ANTCRM_BASE_URL: `${sandbox.url}/sandbox`, ANTCRM_API_KEY: 'key-of-antcrm', STAFF_TOKEN };
    const { url } = isSandbox ? sandbox : await startShop(gateway, real);
    const { page } = await openPage(browser, url);
    onTestFinished(() => page.context().close());
    await page.addInitScript(`sessionStorage.as = 'telegram'`);
    await page.goto(`${url}/console#chat`);
    if (!isSandbox) {
      await page.locator('[name=token]').fill(STAFF_TOKEN);
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: 'Chat thử' }).click();
    }
    const log = page.getByRole('log').first();
    await log.locator('[data-key="welcome"]').waitFor();
    const say = async (text: string) => {
      await page.locator('#text').fill(text);
      await page.keyboard.press('Enter');
    };
    await say('xem điểm');
    await log.locator('[data-choice^="code:send"]').last().click();
    await log.locator('[data-key="identity.codePhone"]').waitFor();
    await say('0867123456');
    await log.locator('[data-key="identity.codeSent"]').waitFor();
    const code = gateway.texted.at(-1)?.code ?? 'none';
    if (isSandbox) await log.getByText(code).waitFor();
    else expect(await page.locator('body').textContent()).not.toContain(code);
  },
);
