/**
 * `npm run screenshot`: takes the pictures of the documents, README's of the bench and those for shop staff,
 * of customers of the sandbox. `npm run screenshot -- FOLDER` takes them in light and in dark, to be looked
 * at. Emoji need a font that has them (Debian: fonts-noto-color-emoji).
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { createClient } from '../src/channels/staff/client.ts';
import { startBot } from '../test/support/app.ts';
import { openBrowser, openPage } from '../test/support/browser.ts';
import { asPng, drawCode } from '../test/support/pictures.ts';
import { startTelegramDouble } from '../test/support/telegram-double.ts';
import { createPerson } from '../test/support/telegram-updates.ts';

const [folder, ...others] = process.argv.slice(2);
if (others.length > 0 || folder?.startsWith('-')) {
  console.error('npm run screenshot [-- FOLDER]');
  process.exit(2);
}

const WIDE = { width: 1360, height: 820 };
const PHONE = { width: 390, height: 760 };
/** For what fills a part of a phone's screen. */
const SHORT = { width: 390, height: 420 };
const SECRET = 'webhook-secret_1';
const STAFF_TOKEN = 'the-token-of-all-staff-0123';
const LAN = 'lan-0123456789-abcdef';
const people = join(mkdtempSync(join(tmpdir(), 'people-')), 'people.txt');
writeFileSync(people, `Lan: ${LAN}\nMinh: minh-0123456789-abcdef\n`);

const telegram = await startTelegramDouble();
const bot = await startBot({
  TELEGRAM_BOT_TOKEN: telegram.token,
  TELEGRAM_API_ROOT: telegram.url,
  SUPPORT_CONTACT: '1900 0000',
  TELEGRAM_WEBHOOK_SECRET: SECRET,
  STAFF_TOKEN,
  STAFF_PEOPLE: people,
});
const browser = await openBrowser();

async function open(view: string, viewport: { width: number; height: number }, token = LAN): Promise<Page> {
  const { page } = await openPage(browser, bot.url, { viewport });
  await page.goto(`${bot.url}/console`);
  await page.locator('[name=token]').fill(token);
  await page.keyboard.press('Enter');
  await page.locator('#locale').waitFor({ state: 'attached' });
  await page.goto(`${bot.url}/console#${view}`);
  await page.locator(`#${view}`).waitFor();
  return page;
}

async function take(page: Page, name: string): Promise<void> {
  if (folder === undefined) {
    await page.screenshot({ path: new URL(`${name}.png`, import.meta.url).pathname });
    return;
  }
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
}

/** The bench: an accumulation, with a look inside. */
async function showBench(): Promise<void> {
  const page = await open('inside', { width: 1360, height: 1010 }, STAFF_TOKEN);
  const choice = (id: string) => page.locator(`[data-choice^="${id}"]`).last();
  await page.locator('#as').selectOption('telegram');
  // The first one warms up: what is shown is how long turns usually take.
  for (const code of ['TIVI000000016', 'TIVI000000017']) {
    await page.locator('#fresh').click();
    await choice('accumulate').waitFor();
    await page.locator('#text').fill(`tích điểm ${code} 0867 123 456 garnacho@gmail.com`);
    await page.keyboard.press('Enter');
    await choice('confirm').click();
    await choice('consent').waitFor();
  }
  await page.locator('#turns > details:nth-child(2) > summary').click();
  await page.locator('#text').focus();
  await take(page, 'console');
}

type Update = Parameters<typeof telegram.post>[0];
const send = (update: Update) =>
  telegram.post(update, { url: `${bot.url}/webhooks/telegram`, secret: SECRET });

/** Three customers who wait: one shared their own phone, one typed a number. */
async function fillInbox(): Promise<void> {
  const [known, typing, waiting] = ['Garnacho', 'Chị Hoa', 'Anh Tú'].map((first_name, index) =>
    createPerson(77 + index, { first_name, last_name: undefined }),
  );
  if (!known || !typing || !waiting) return;
  telegram.keep('label', asPng(await drawCode('TIVI000000018', 'QRCode', 3)));
  const photo = { photo: [{ file_id: 'label', width: 300 }], caption: 'Tem bị mờ, mình quét không được' };
  for (const update of [
    ...[known.writes('xem điểm'), known.shares('0867123456'), known.writes('gặp nhân viên')],
    known.sends(photo),
    ...[typing.writes('gặp nhân viên'), typing.writes('Chị bán hàng tích cho mình số 0912 345 678 chưa?')],
    ...[waiting.writes('gặp nhân viên'), waiting.writes('Máy giặt kêu to quá shop ơi')],
  ])
    await send(update);
}

const row = (page: Page, name: string) => page.locator('#tickets a').filter({ hasText: name });

async function answer(page: Page, text: string): Promise<void> {
  await page.locator('#reply').fill(text);
  await page.locator('#send').click();
  await page.locator('#messages').getByText(text).waitFor();
  await page.locator('#messages').getByText('Đã gửi').last().waitFor();
}

/** The inbox: one customer who is being answered, with the card, others who wait. */
async function showInbox(): Promise<void> {
  await fillInbox();
  const wide = await open('inbox', WIDE);
  await row(wide, 'Garnacho').click();
  await wide.locator('.media.picture img').waitFor();
  await answer(wide, 'Chào bạn, bạn đọc giúp mình dãy số dưới mã nhé.');
  await wide.locator('#customer summary').first().click();
  await take(wide, 'hop-thu');

  const phone = await open('inbox', PHONE);
  await row(phone, 'Garnacho').click();
  await phone.locator('.media.picture img').waitFor();
  await take(phone, 'hop-thu-dien-thoai');
  await phone.goto(`${bot.url}/console#inbox`);
  await row(phone, 'Chị Hoa').click();
  await phone.locator('#toAbout').click();
  await phone.locator('#customer').getByText('chưa xác minh').waitFor();
  await phone.setViewportSize(SHORT);
  await take(phone, 'the-khach');
}

/** The counter, with the gift of a code. */
async function showGift(): Promise<void> {
  const client = createClient(bot.url, STAFF_TOKEN);
  let replies = '';
  for (const content of [
    ...[{ text: 'đổi quà' }, { contact: { phone: '0867123456' } }, { text: 'DAUMAY01' }],
    () => ({ choice: /confirm:\w+/.exec(replies)?.[0] }),
  ]) {
    const message = typeof content === 'function' ? content() : content;
    replies = JSON.stringify(
      await client.send({ conversation: 'qua', as: 'telegram', locale: 'vi', ...message }),
    );
  }
  const [code = ''] = /[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}/.exec(replies) ?? [];
  const page = await open('gift', SHORT);
  await page.locator('#giftCode').fill(code);
  await page.keyboard.press('Enter');
  await page.locator('#giftShown h2').waitFor();
  await take(page, 'giao-qua');
}

try {
  await showBench();
  await showInbox();
  await showGift();
} finally {
  await browser.close();
  await bot.stop();
  await telegram.close();
}
