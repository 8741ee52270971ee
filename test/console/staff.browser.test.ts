import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { button, log, QUICK, replied, TOKEN, useConsole } from './kit.ts';

const { bot, faults, forgive, open, restart } = useConsole();

describe('with a staff token', () => {
  beforeEach(async () => {
    await restart({ ...QUICK, STAFF_TOKEN: TOKEN });
  });

  it('signs in on a page of its own and out again; the token is kept nowhere and in no address', async () => {
    const page = await open();
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.getByLabel('STAFF_TOKEN').fill('a-wrong-token-of-some-length');
    await page.keyboard.press('Enter');
    await page.getByText('Mã truy cập không đúng.').waitFor();
    await page.getByLabel('STAFF_TOKEN').fill(TOKEN);
    await page.keyboard.press('Enter');
    await replied(page, 'welcome');
    expect(addresses.join()).not.toContain(TOKEN);
    const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
    expect(kept).not.toContain(TOKEN);
    expect(kept).not.toContain('session=');
    await button(page, 'Menu').click();
    await button(page, 'Đăng xuất').click();
    await page.getByLabel('STAFF_TOKEN').waitFor();
    expect((await page.request.get(`${bot().url}/staff/tickets`)).status()).toBe(401);
    // Chromium reports each refused request.
    forgive('401');
  });
});

describe('what goes wrong is said in a sentence', () => {
  it('a sandbox that does not answer', async () => {
    const page = await open();
    await page.route('**/sandbox/reset', (route) => route.abort());
    await button(page, 'Làm lại từ đầu').click();
    await log(page).getByText('Không gửi được.').waitFor();
    forgive('net::ERR_');
  });
});

describe('/docs', () => {
  const operation = '#operations-staff_webhook-sendMessage';

  async function tryItOut(page: Page): Promise<void> {
    await page.locator(operation).click();
    const body = JSON.stringify({ conversation: 'docs', text: 'xin chào' });
    await page.locator(`${operation} textarea`).first().fill(body);
    await page.locator(`${operation} button.execute`).click();
    await page.locator('.live-responses-table').getByText('"status": "done"').waitFor();
  }

  it('is linked from the console, and trying it out works', async () => {
    const page = await open();
    await button(page, 'Menu').click();
    await page.getByRole('link', { name: 'Tài liệu API' }).click();
    await tryItOut(page);
  });

  it('works with a token, too', async () => {
    await restart({ ...QUICK, STAFF_TOKEN: TOKEN });
    const page = await open({ path: '/docs', httpCredentials: { username: 'staff', password: TOKEN } });
    await page.locator('button.authorize').first().click();
    await page.locator('.modal-ux input').first().fill(TOKEN);
    await page.locator('.modal-ux button.authorize').first().click();
    await page.locator('.modal-ux .btn-done').first().click();
    await tryItOut(page);
  });
});

it('what is watched for would be seen: inline styles, foreign requests, errors', async () => {
  const page = await open();
  await page.evaluate(
    `document.head.append(Object.assign(document.createElement('style'), { textContent: 'p {}' }))`,
  );
  await page.evaluate(`fetch('https://elsewhere.example/').catch(() => {})`);
  await page.evaluate(`setTimeout(() => undefined.x)`);
  const wanted = ['style-src', 'connect-src', 'TypeError'];
  await expect
    .poll(() => wanted.filter((what) => !faults().some((fault) => fault.includes(what))))
    .toEqual([]);
  forgive('');
});
