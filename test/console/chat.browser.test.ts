import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { asPng, drawCode } from '../support/pictures.ts';
import {
  button,
  choice,
  inside,
  language,
  log,
  PHONE,
  QUICK,
  replied,
  type,
  useConsole,
  view,
} from './kit.ts';

const { bot, forgive, open, restart } = useConsole();

describe('a newcomer', () => {
  it('opens the page, picks "Tích điểm", fills in the form and sees +100', async () => {
    const page = await open();
    await log(page).getByRole('button', { name: 'Tích điểm' }).click();
    await log(page).getByLabel('Mã', { exact: true }).fill('TIVInpmx8b98pfg');
    await log(page).getByLabel('Điện thoại').fill('0867123456');
    await button(page, 'Gửi biểu mẫu').click();
    await choice(page, 'confirm').click();
    await log(page).getByText('+100').waitFor();
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('text');
  });

  it('does the same on the smallest phone, where nothing is wider than the screen', async () => {
    const page = await open({ viewport: PHONE });
    await choice(page, 'accumulate').click();
    await type(page, 'TIVI000000033 0867123456 garnacho@gmail.com');
    await choice(page, 'confirm').click();
    await log(page).getByText('+100').waitFor();
    for (const locale of ['en', 'vi']) {
      await language(page, locale);
      for (const name of ['inside', 'play', 'chat']) {
        await page.locator(`nav [href="#${name}"]`).click();
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
      }
    }
    await choice(page, 'redeem').waitFor();
    const bottom = () => choice(page, 'redeem').evaluate((it) => it.getBoundingClientRect().bottom);
    await expect.poll(bottom).toBeLessThan(PHONE.height);
  });
});

describe('the chat', () => {
  it('shows a lost answer resolve by itself while one watches', async () => {
    const page = await open();
    await button(page, 'Mất câu trả lời khi đổi quà').click();
    await page.getByText('redeem: lose-answer ×1').waitFor();
    await type(page, 'đổi quà DAUMAY01 0867123456');
    await choice(page, 'confirm').click();
    await replied(page, 'operation.checking');
    await replied(page, 'operation.resolved.done');
    await view(page, 'Bên trong');
    await inside(page).getByText('Bot tự lên tiếng').waitFor();
    await inside(page).getByText('/history-point').waitFor();
  });

  it('is as it was after a reload, the customer’s side too', async () => {
    const page = await open();
    await type(page, 'tích điểm');
    await replied(page, 'accumulate.askCode');
    expect(await choice(page, 'redeem').isDisabled(), 'a button that is over').toBe(true);
    await page.reload();
    await replied(page, 'accumulate.askCode');
    await expect.poll(() => log(page).locator('.mine').allTextContents()).toEqual(['Bạn: tích điểm']);
    await expect.poll(() => log(page).locator('.bot[data-key]').count()).toBe(2);
  });

  it('sends again what got no answer, and counts it once', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await page.route('**/webhooks/staff', (route) => route.abort(), { times: 1 });
    await type(page, 'tích điểm');
    await button(page, 'Gửi lại').click();
    await replied(page, 'accumulate.askCode');
    forgive('net::ERR_');
  });

  it('reconnects by itself, and shows what was said meanwhile', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await page.getByText('Đã kết nối').waitFor();
    bot().cut();
    await page.locator('#status').getByText('Đang kết nối lại…').waitFor();
    const conversation = await conversationOf(page);
    await createClient(bot().url).send({ conversation, text: 'tích điểm' });
    await replied(page, 'accumulate.askCode');
    await log(page).locator('.mine').getByText('tích điểm').waitFor();
    forgive('net::ERR_');
  });
});

it('the picture of a gift is shown where it is confirmed; one that does not load leaves no gap', async () => {
  const [shown, missing] = ['https://shop.example/loa.png', 'https://elsewhere.example/may.png'];
  const gifts = [
    { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250, image: shown },
    { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10, image: missing },
  ];
  const file = join(mkdtempSync(join(tmpdir(), 'gifts-')), 'gifts.json');
  writeFileSync(file, JSON.stringify(gifts));
  await restart({ ...QUICK, GIFTS_FILE: file });
  const page = await open();
  const png = Buffer.from(asPng(await drawCode('TIVI000000001')));
  await page.route(shown, (route) => route.fulfill({ contentType: 'image/png', body: png }));
  await page.route(missing, (route) => route.fulfill({ status: 404 }));
  await type(page, 'đổi loa 0867123456');
  await expect.poll(() => page.evaluate('document.querySelector("#log img")?.naturalWidth > 0')).toBe(true);
  await type(page, 'đổi đầu máy');
  await log(page).getByText('Quà: Đầu máy').waitFor();
  await expect.poll(() => log(page).locator('img').count()).toBe(1);
  for (const expected of ['shop.example', 'elsewhere.example', '404']) forgive(expected);
});

const conversationOf = (page: Page) => page.evaluate<string>(`sessionStorage.getItem('conversation')`);
