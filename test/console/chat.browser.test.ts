import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { asPng, drawCode } from '../support/pictures.ts';
import { button, choice, inside, log, replied, role, type, useConsole, view } from './kit.ts';

const { bot, forgive, open, restart } = useConsole();
const TOKEN = 'a-token-of-some-length';
/** The narrowest there is: WCAG 1.4.10 wants a page to fit it. */
const PHONE = { width: 320, height: 640 };

it('a newcomer on the smallest phone fills in the form and sees +100; nothing is wider than the screen', async () => {
  const page = await open({ viewport: PHONE });
  await log(page).getByRole('button', { name: 'Tích điểm' }).click();
  await log(page).getByLabel('Mã', { exact: true }).fill('TIVInpmx8b98pfg');
  await log(page).getByLabel('Điện thoại').fill('0867123456');
  await button(page, 'Gửi biểu mẫu').click();
  await choice(page, 'confirm').click();
  await log(page).getByText('+100').waitFor();
  await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('text');
  for (const locale of ['en', 'vi']) {
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.locator('#locale').selectOption(locale);
    // The page is loaded anew.
    await page.locator(`html[lang=${locale}]`).waitFor();
    for (const name of ['inside', 'play', 'chat']) {
      await page.locator(`nav [href="#${name}"]`).click();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
    }
  }
  const bottom = () => choice(page, 'redeem').evaluate((it) => it.getBoundingClientRect().bottom);
  await expect.poll(bottom).toBeLessThan(PHONE.height);
});

it('a lost answer resolves by itself while one watches', async () => {
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

it('a chat outlives what is lost: an answer, the connection, the page itself', async () => {
  const page = await open();
  await replied(page, 'welcome');
  await page.route('**/webhooks/staff', (route) => route.abort(), { times: 1 });
  await type(page, 'tích điểm');
  await button(page, 'Gửi lại').click();
  await replied(page, 'accumulate.askCode');
  expect(await choice(page, 'redeem').isDisabled(), 'a button that is over').toBe(true);

  await page.getByText('Đã kết nối').waitFor();
  bot().cut();
  await page.locator('#status').getByText('Đang kết nối lại…').waitFor();
  const conversation = await page.evaluate<string>(`sessionStorage.getItem('conversation')`);
  await createClient(bot().url).send({ conversation, text: 'TIVI000000033' });
  await replied(page, 'accumulate.askPhone');
  const mine = () => log(page).locator('.mine').allTextContents();
  await expect.poll(mine).toEqual(['Bạn: tích điểm', 'Bạn: TIVI000000033']);
  await page.reload();
  await replied(page, 'accumulate.askPhone');
  await expect.poll(mine).toEqual(['Bạn: tích điểm', 'Bạn: TIVI000000033']);
  await expect.poll(() => log(page).locator('.bot[data-key]').count()).toBe(3);
  forgive('net::ERR_');
});

it('the picture of a gift is shown where it is confirmed', async () => {
  const image = 'https://shop.example/loa.png';
  const gifts = [{ code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250, image }];
  const file = join(mkdtempSync(join(tmpdir(), 'gifts-')), 'gifts.json');
  writeFileSync(file, JSON.stringify(gifts));
  await restart({ GIFTS_FILE: file });
  const page = await open();
  const body = Buffer.from(asPng(await drawCode('TIVI000000001')));
  await page.route(image, (route) => route.fulfill({ contentType: 'image/png', body }));
  await type(page, 'đổi loa 0867123456');
  await expect.poll(() => page.evaluate('document.querySelector("#log img")?.naturalWidth > 0')).toBe(true);
  forgive('shop.example');
});

it('plays a customer of Telegram or Teams: a typed phone and another’s contact prove nothing, their own do', async () => {
  const page = await open();
  await role(page, 'Telegram');
  await view(page, 'Chat');
  await type(page, 'xem điểm');
  await replied(page, 'identity.proofNeeded');
  await button(page, 'Gửi số người khác').click();
  await replied(page, 'identity.notOwn');
  await page.locator('#own').click();
  await replied(page, 'points.balance');

  await page.locator('#fresh').click();
  await role(page, 'Teams');
  await page.getByLabel('Email trong hồ sơ').fill('');
  await type(page, 'xem điểm');
  await replied(page, 'identity.noEmail');
  await page.getByLabel('Email trong hồ sơ').fill('garnacho@gmail.com');
  await type(page, 'xem điểm');
  await replied(page, 'points.balance');
});

it('reads a photo, shows the sandbox and resets it', async () => {
  const page = await open();
  const send = (buffer: Buffer) =>
    page.locator('#image').setInputFiles({ name: 'hop.png', mimeType: 'image/png', buffer });
  await send(Buffer.from('no picture'));
  await replied(page, 'photo.unreadable');
  await send(asPng(await drawCode('TIVI000000064')));
  await replied(page, 'accumulate.askPhone');
  await view(page, 'Bên trong');
  await inside(page).locator('summary').getByText('TIVI000000064').waitFor();
  await view(page, 'Chat');
  await page.getByText('2.080 điểm').waitFor();
  await button(page, 'TIVInpmx8b98pfg').click();
  await expect.poll(() => page.locator('#text').inputValue()).toBe('TIVInpmx8b98pfg');
  await type(page, '0867123456 garnacho@gmail.com');
  await choice(page, 'confirm').click();
  await page.getByText('2.180 điểm').waitFor();
  await button(page, 'Làm lại từ đầu').click();
  await page.getByText('2.080 điểm').waitFor();
});

it('a look inside shows what was understood, the state before and after, calls, round trips and time', async () => {
  const page = await open({ path: '/console#inside' });
  await type(page, 'tich diem TIVI000000041 0912345678');
  await choice(page, 'confirm').click();
  await replied(page, 'accumulate.done');
  const turns = page.locator('#turns > details');
  // The reply may be shown as an event before the answer that brings the look inside.
  await expect.poll(() => turns.nth(0).textContent()).toMatch(/POST \/accumulate 200 applied[\d,]+ ms/);
  const confirmed = await turns.nth(0).textContent();
  expect(confirmed).toMatch(/step.atconfirming idle/);
  expect(confirmed).toMatch(/Lần truy cập4: take › intend › unlock › commit/);
  await turns.nth(1).locator('summary').first().click();
  const typed = await turns.nth(1).textContent();
  expect(typed).toMatch(/commandsstart accumulate · add \["TIVI000000041"\]/);
  expect(typed).toMatch(/\+84912345678 · proved/);
  await turns.nth(0).getByText('/accumulate').click();
  await turns.nth(0).getByText('"value": "0912345678"').waitFor();
});

it('with a staff token one signs in and out; the token is kept nowhere and in no address', async () => {
  await restart({ STAFF_TOKEN: TOKEN });
  const page = await open();
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  const signIn = async (token: string) => {
    await page.getByLabel('STAFF_TOKEN').fill(token);
    await page.keyboard.press('Enter');
  };
  await signIn('a-wrong-token-of-some-length');
  await page.getByText('Mã truy cập không đúng.').waitFor();
  await signIn(TOKEN);
  await replied(page, 'welcome');
  const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
  expect(`${kept} ${addresses}`).not.toMatch(/a-token-of-some-length|session=/);
  await button(page, 'Menu').click();
  await button(page, 'Đăng xuất').click();
  await page.getByLabel('STAFF_TOKEN').waitFor();
  expect((await page.request.get(`${bot().url}/staff/tickets`)).status()).toBe(401);
  // Chromium reports each refused request.
  forgive('401');
});

it('the page of the API is linked from the console, and trying it out works', async () => {
  const page = await open();
  await button(page, 'Menu').click();
  await page.getByRole('link', { name: 'Tài liệu API' }).click();
  const operation = page.locator('#operations-staff_webhook-sendMessage');
  await operation.click();
  const body = JSON.stringify({ conversation: 'docs', text: 'xin chào' });
  await operation.locator('textarea').first().fill(body);
  await operation.locator('button.execute').click();
  await page.locator('.live-responses-table').getByText('"status": "done"').waitFor();
});
