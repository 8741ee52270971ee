/**
 * `npm run screenshot`: has a conversation in the console and takes README's picture of it, `docs/console.png`. Emoji
 * need a font that has them (Debian: fonts-noto-color-emoji).
 */
import { mkdir } from 'node:fs/promises';
import { startBot } from './support/app.ts';
import { openBrowser, openPage } from './support/browser.ts';

const PICTURE = new URL('../docs/console.png', import.meta.url).pathname;
const VIEWPORT = { width: 1360, height: 1010 };

const bot = await startBot();
const browser = await openBrowser();
try {
  const { page } = await openPage(browser, bot.url, { viewport: VIEWPORT });
  const choice = (id: string) => page.locator(`[data-choice^="${id}"]`).last();
  await page.goto(`${bot.url}/console`);
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
  await mkdir(new URL('../docs/', import.meta.url), { recursive: true });
  await page.screenshot({ path: PICTURE });
  console.log(PICTURE);
} finally {
  await browser.close();
  await bot.stop();
}
