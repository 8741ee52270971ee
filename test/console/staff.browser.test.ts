import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { button, QUICK, replied, TOKEN, useConsole } from './kit.ts';

const { bot, forgive, open, restart } = useConsole();

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
});
