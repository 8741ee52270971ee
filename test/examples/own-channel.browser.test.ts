import { expect, it, onTestFinished } from 'vitest';
import { webChat } from '../../examples/own-channel/web-chat.ts';
import { startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';

it('the page of examples/own-channel spends points on a gift, in the language of the browser', async () => {
  const member = { id: 'garnacho', name: 'Garnacho', email: 'garnacho@gmail.com' };
  const bot = await startBot({}, { channels: [webChat(() => member)] });
  const browser = await openBrowser();
  onTestFinished(async () => {
    await browser.close();
    await bot.stop();
  });
  const { page, faults } = await openPage(browser, bot.url, { locale: 'en-GB' });
  page.setDefaultTimeout(60_000);
  await page.goto(`${bot.url}/chat`);
  const type = async (text: string) => {
    await page.locator('#text').fill(text);
    await page.locator('#send').click();
  };
  await type('redeem DAUMAY01');
  const summary = await page.getByText(/^\d{4}: Confirm and redeem$/m).textContent();
  await type(/^(\d{4}): Confirm/m.exec(summary ?? '')?.[1] ?? '');
  await page.getByText(/^Gift redeemed/).waitFor();
  expect(faults).toEqual([]);
});
