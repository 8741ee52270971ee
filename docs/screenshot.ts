/**
 * `npm run screenshot`: takes the pictures of the documents, README's of the bench and those of the inbox for shop staff.
 * Emoji need a font that has them (Debian: fonts-noto-color-emoji).
 */
import { createClient } from '../src/channels/staff/client.ts';
import { startBot } from '../test/support/app.ts';
import { openBrowser, openPage } from '../test/support/browser.ts';

if (process.argv.length > 2) {
  console.error('npm run screenshot has no options');
  process.exit(2);
}

const picture = (name: string): string => new URL(`${name}.png`, import.meta.url).pathname;

const bot = await startBot();
const browser = await openBrowser();
const open = async (path: string, viewport: { width: number; height: number }) => {
  const { page } = await openPage(browser, bot.url, { viewport });
  await page.goto(`${bot.url}/console${path}`);
  return page;
};

/** The bench: an accumulation, with a look inside. */
async function showBench(): Promise<void> {
  const page = await open('#inside', { width: 1360, height: 1010 });
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
  await page.screenshot({ path: picture('console') });
}

/** The inbox: one customer who is being answered, others who wait. */
async function showInbox(): Promise<void> {
  const client = createClient(bot.url);
  const say = (conversation: string, name: string, text: string) =>
    client.send({ conversation, name, locale: 'vi', text });
  await say('khach-1', 'Garnacho', 'tích điểm TIVI000000018 0867123456');
  for (const [conversation, name, text] of [
    ['khach-1', 'Garnacho', 'Mã này cào ra bị mờ, mình đọc không chắc'],
    ['khach-2', 'Chị Lan', 'Loa mình đổi hôm qua nhận ở đâu vậy?'],
    ['khach-3', 'Anh Minh', 'Máy giặt kêu to quá shop ơi'],
  ] as const) {
    await say(conversation, name, 'gặp nhân viên');
    await say(conversation, name, text);
  }
  for (const [name, viewport] of [
    ['hop-thu', { width: 1360, height: 700 }],
    ['hop-thu-dien-thoai', { width: 390, height: 700 }],
  ] as const) {
    const page = await open('#inbox', viewport);
    await page.locator('#by').fill('Lan');
    await page.locator('#tickets a').filter({ hasText: 'Garnacho' }).click();
    const text =
      name === 'hop-thu' ? 'Chào bạn, bạn chụp mã gửi mình xem nhé.' : 'Bạn đọc giúp mình 4 số cuối với ạ.';
    await page.locator('#reply').fill(text);
    if (name === 'hop-thu') await page.locator('#reply').press('Enter');
    await page.locator('#said .mine').waitFor();
    await page.screenshot({ path: picture(name) });
  }
}

try {
  await showBench();
  await showInbox();
} finally {
  await browser.close();
  await bot.stop();
}
