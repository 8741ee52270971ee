import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, it, onTestFinished } from 'vitest';
import { startBot } from '../support/app.ts';
import { openBrowser } from '../support/browser.ts';

/* The console and another site in Chromium. */

const TOKEN = 'the-token-of-all-staff-0123';

/** A page of another site that posts a form to the bot as soon as it is open. */
async function startOtherSite(url: string, token: string): Promise<string> {
  const form = `<form method="post" action="${url}/console/login"><input name="token" value="${token}"></form>`;
  const site = createServer((_, response) =>
    response.setHeader('content-type', 'text/html').end(`${form}<script>document.forms[0].submit()</script>`),
  ).listen(0, '127.0.0.1');
  await once(site, 'listening');
  onTestFinished(() => void site.close());
  const address = site.address();
  return `http://localhost:${typeof address === 'object' ? address?.port : 0}`;
}

it('staff sign in on the page, and another site signs nobody in', async () => {
  const bot = await startBot({ STAFF_TOKEN: TOKEN });
  const browser = await openBrowser();
  onTestFinished(async () => {
    await browser.close();
    await bot.stop();
  });
  const site = await startOtherSite(bot.url, TOKEN);
  const context = await browser.newContext();
  const page = await context.newPage();
  const refused = page.waitForResponse((response) => response.url().endsWith('/console/login'));
  await page.goto(site);
  expect((await refused).status()).toBe(403);
  expect(await context.cookies()).toEqual([]);

  await page.goto(`${bot.url}/console`);
  await page.locator('input[name=token]').fill(TOKEN);
  await page.locator('button[type=submit], form button').first().click();
  await page.waitForURL(`${bot.url}/console`);
  await page.locator('#account').waitFor({ state: 'attached' });
  expect(await context.cookies()).toHaveLength(1);
});
