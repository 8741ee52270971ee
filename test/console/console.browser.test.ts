import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { type Running, startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';
import { asPng, drawCode } from '../support/pictures.ts';

/* The console in Chromium, before a bot of its own for each test, which fails where the page complained. */

/** Lost answers are found within a second. */
const QUICK = { ANTCRM_TIMEOUT_MS: '2000', OPERATION_CHECKS: '300ms,1s,3s' };
const WIDE = { width: 1280, height: 800 };

let browser: Browser;
let bot: Running;
let faults: string[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  bot = await startBot(QUICK);
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await bot.stop();
  expect(faults, 'console errors, CSP violations, foreign requests').toEqual([]);
});

/** A new session of the page. */
async function open({ path = '/console', ...options }: { path?: string } & BrowserContextOptions = {}) {
  const { page, ...watched } = await openPage(browser, bot.url, { viewport: WIDE, ...options });
  faults = watched.faults;
  page.setDefaultTimeout(60_000);
  await page.goto(bot.url + path);
  return page;
}

/** The bot with these settings in place of the one that is there. To be called before `open`. */
async function restart(env: Readonly<Record<string, string>>): Promise<void> {
  await bot.stop();
  bot = await startBot({ ...QUICK, ...env });
}

/** Forgets what has this in it: Chromium itself reports cut connections and refused requests. */
function forgive(part: string): void {
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes(part)));
}

const log = (page: Page): Locator => page.getByRole('log');
const inside = (page: Page): Locator => page.locator('#turns > details').first();
const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true }).last();
/** In the header: whose abilities are imitated. */
const role = (page: Page, name: string) => page.locator('#as').selectOption({ label: name });
/** Shows another view. */
const view = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).click();
/** The bot's last reply is of that key. */
const replied = (page: Page, key: string) => log(page).locator(`.bot[data-key="${key}"]`).last().waitFor();

/** The newest button of that choice; `confirm` is the one with the one-time id. */
const choice = (page: Page, id: string): Locator =>
  log(page).locator(`[data-choice="${id}"], [data-choice^="${id}:"]`).last();

async function type(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text);
  await page.keyboard.press('Enter');
}

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
    // The page is loaded again.
    await page.locator(`html[lang=${locale}]`).waitFor();
    for (const name of ['inside', 'play', 'chat']) {
      await page.locator(`nav [href="#${name}"]`).click();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
    }
  }
  const bottom = () => choice(page, 'redeem').evaluate((it) => it.getBoundingClientRect().bottom);
  await expect.poll(bottom).toBeLessThan(PHONE.height);
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
  // It stands there for two seconds only.
  const reconnecting = page.locator('#status').getByText('Đang kết nối lại…').waitFor();
  bot.cut();
  await reconnecting;
  const conversation = await page.evaluate<string>(`sessionStorage.getItem('conversation')`);
  await createClient(bot.url).send({ conversation, text: 'TIVI000000033' });
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
  await view(page, 'Chat thử');
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
  await replied(page, 'welcome');
  const send = (buffer: Buffer) =>
    page.locator('#image').setInputFiles({ name: 'hop.png', mimeType: 'image/png', buffer });
  await send(Buffer.from('no picture'));
  await replied(page, 'photo.unreadable');
  await send(asPng(await drawCode('TIVI000000064')));
  await replied(page, 'accumulate.askPhone');
  await view(page, 'Chi tiết xử lý');
  await inside(page).locator('summary').getByText('TIVI000000064').waitFor();
  await view(page, 'Chat thử');
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

  // A lost answer resolves by itself while one watches.
  await view(page, 'Chat thử');
  await button(page, 'Mất câu trả lời khi đổi quà').click();
  await page.getByText('redeem: lose-answer ×1').waitFor();
  await type(page, 'đổi quà DAUMAY01 0867123456');
  // The earning's button is still there, disabled.
  await log(page).locator('[data-choice^="confirm:"]:enabled').click();
  await replied(page, 'operation.resolved.done');
  await view(page, 'Chi tiết xử lý');
  await inside(page).getByText('Bot tự lên tiếng').waitFor();
  await inside(page).getByText('/history-point').first().waitFor();
});

it('staff sign in with the token and out again; the page keeps the token nowhere, not even in an address', async () => {
  await restart({ STAFF_TOKEN: TOKEN });
  const page = await open();
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  const signIn = async (token: string) => {
    await page.getByLabel('Mã truy cập').fill(token);
    await page.keyboard.press('Enter');
  };
  await signIn('a-wrong-token-of-some-length');
  await page.getByText('Mã truy cập không đúng.').waitFor();
  await signIn(TOKEN);
  await view(page, 'Chat thử');
  await replied(page, 'welcome');
  const kept = await page.evaluate('JSON.stringify([localStorage, sessionStorage, document.cookie])');
  expect(`${kept} ${addresses}`).not.toMatch(/a-token-of-some-length|session=/);
  await button(page, 'Menu').click();
  await button(page, 'Đăng xuất').click();
  await page.getByLabel('Mã truy cập').waitFor();
  expect((await page.request.get(`${bot.url}/staff/tickets`)).status()).toBe(401);
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

const NARROW = { width: 390, height: 800 };

/** A customer who asks for a person, from elsewhere. */
async function ask(conversation: string, text = 'gặp nhân viên', name?: string) {
  const send = (content: object) =>
    createClient(bot.url).send({ conversation, locale: 'vi', ...(name && { name }), ...content });
  await send({ text });
  return send;
}

const rows = (page: Page) => page.locator('#tickets a');
const answer = (page: Page) => page.getByRole('textbox', { name: 'Câu trả lời' });
const bubbles = (page: Page) => page.locator('#messages > :not(.before) .bubble');
const note = (page: Page) => page.locator('#note');
const press = (page: Page, name: string) =>
  page
    .locator('#talk')
    .getByRole('button', { name: new RegExp(`^${name}(:|$)`) })
    .click();
const width = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth');

/** Somebody of staff at the inbox, with the first customer before them. */
async function sit(name: string): Promise<Page> {
  const page = await open({ path: '/console#inbox' });
  await page.getByLabel('Tên của bạn').fill(name);
  await rows(page).first().click();
  await answer(page).waitFor();
  return page;
}

it('the list shows who waits, for how long, why, and who has them; staff land in it if a customer waits', async () => {
  const idle = await open();
  await replied(idle, 'welcome');
  const send = await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  await send({ text: 'máy giặt hỏng rồi' });
  const complain = await ask('qa-2', 'bực quá', 'Minh');
  await complain({ choice: 'person' });
  const page = await open();
  await expect.poll(() => rows(page).count()).toBe(2);
  expect(await rows(page).nth(0).textContent()).toBe(
    'GarnachoVừa nhắnmáy giặt hỏng rồiMuốn gặp nhân viên · Chat thử',
  );
  expect(await rows(page).nth(1).textContent()).toMatch(/^MinhVừa nhắn.*bực quáPhàn nàn/);
  const badge = await page.locator('#toInbox').getAttribute('data-count');
  expect([badge, await page.title()]).toEqual(['2', '(2) AntCRM']);
  await page.clock.setFixedTime(Date.now() + 16 * 60_000);
  await rows(page).nth(0).click();
  await expect.poll(() => rows(page).nth(0).locator('.bad').textContent()).toBe('Chờ 16 phút');
  await page.getByLabel('Tên của bạn').fill('Lan');
  await answer(page).fill('Chào bạn');
  await page.keyboard.press('Enter');
  await expect.poll(() => rows(page).nth(1).textContent()).toMatch(/^GarnachoĐã trả lời.*của bạn/);
  await page.getByRole('button', { name: 'Chưa nhận' }).click();
  await expect.poll(() => rows(page).allTextContents()).toMatchObject([/^Minh/, /^Garnacho/]);
  await complain({ text: '/cancel' });
  await expect.poll(() => rows(page).count()).toBe(1);
  await page.getByRole('button', { name: 'Đã đóng' }).click();
  await rows(page).filter({ hasText: 'Minh' }).click();
  await note(page).getByText('Khách đã quay lại với bot.').waitFor();
});

it('a row opens its ticket, also if the customer writes while it is pressed', async () => {
  const send = await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  await ask('qa-2', 'gặp nhân viên', 'Minh');
  const page = await open({ path: '/console#inbox' });
  const row = rows(page).filter({ hasText: 'Garnacho' });
  await row.hover();
  await page.mouse.down();
  await send({ text: 'alo' });
  await row.getByText('alo').waitFor();
  await page.mouse.up();
  await bubbles(page).getByText('alo').waitFor();
});

it('two of staff claim by typing, see who has whom, take over knowingly, and lose nothing that they typed', async () => {
  const send = await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  const lan = await sit('Lan');
  const minh = await sit('Minh');
  await answer(lan).pressSequentially('Chào');
  await note(minh).getByText('Lan đang trả lời khách này.').waitFor();
  await expect.poll(() => rows(minh).textContent()).toContain('của Lan');
  await answer(minh).pressSequentially('Mình xem nhé');
  await minh.keyboard.press('Enter');
  await expect.poll(() => minh.evaluate('document.activeElement.id')).toBe('send');
  expect(await bubbles(minh).count()).toBe(0);
  await minh.keyboard.press('Enter');
  await bubbles(minh).getByText('Mình xem nhé').waitFor();
  await note(lan).getByText('Minh đang trả lời khách này.').waitFor();
  await bubbles(lan).getByText('Mình xem nhé').waitFor();
  expect(await lan.locator('#messages .mine small').first().textContent()).toMatch(/^Minh · \d+:\d+/);
  await press(lan, 'Nhận thay');
  await note(minh).getByText('Lan đang trả lời khách này.').waitFor();
  await press(lan, 'Bỏ nhận');
  await expect.poll(() => note(minh).isVisible()).toBe(false);

  // The browser asks; without an answer it is "no".
  await press(minh, 'Chuyển lại cho bot');
  await send({ text: 'alo' });
  await bubbles(minh).getByText('alo').waitFor();
  minh.on('dialog', (dialog) => dialog.accept());
  await press(minh, 'Chuyển lại cho bot');
  await note(lan).getByText('Minh đã chuyển lại cho bot. Câu bạn đang gõ vẫn còn đây.').waitFor();
  await lan.reload();
  await expect.poll(() => answer(lan).inputValue()).toBe('Chào');
  expect(await answer(lan).evaluate((it) => it.matches(':read-only'))).toBe(true);
  expect(await lan.getByRole('button', { name: 'Gửi', exact: false }).last().isDisabled()).toBe(true);
  await press(lan, 'Bỏ');
  expect(await answer(lan).inputValue()).toBe('');
});

it('a draft of an answer outlives a reload and other drafts; an answer that may be lost is sent again and counts once', async () => {
  await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  await ask('qa-2', 'gặp nhân viên', 'Minh');
  const page = await sit('Lan');
  await answer(page).pressSequentially('Chào bạn');
  await page.keyboard.press('Shift+Enter');
  await page.keyboard.type('Mình xem nhé');
  await rows(page).nth(1).click();
  await expect.poll(() => answer(page).inputValue()).toBe('');
  await rows(page).nth(0).click();
  await page.reload();
  await expect.poll(() => answer(page).inputValue()).toBe('Chào bạn\nMình xem nhé');
  const lose = async () => {
    const sent = page.waitForEvent('requestfailed');
    await page.route('**/messages', (route) => route.fetch().then(() => route.abort()), { times: 1 });
    await answer(page).press('Enter');
    await sent;
  };
  await lose();
  await answer(page).press('Enter');
  await expect.poll(() => answer(page).inputValue()).toBe('');
  await answer(page).fill('Bạn còn đó không?');
  await lose();
  await answer(page).fill('Bạn còn đó chứ?');
  await answer(page).press('Enter');
  const all = ['Chào bạn\nMình xem nhé', 'Bạn còn đó không?', 'Bạn còn đó chứ?'];
  await expect.poll(() => bubbles(page).allTextContents()).toEqual(all);
  forgive('ERR_FAILED');
});

it('the customer’s flow, questions and misunderstood texts stand next to the conversation, in words', async () => {
  const page = await open();
  await replied(page, 'welcome');
  // Texts that are sent together may arrive in any order.
  const replies = log(page).locator('.bot[data-key]');
  for (const text of ['tích điểm TIVI000000301 0867123456', 'con mèo trèo cây cau']) {
    const before = await replies.count();
    await type(page, text);
    await expect.poll(() => replies.count()).toBeGreaterThan(before);
  }
  await type(page, 'gặp nhân viên');
  await replied(page, 'person.waiting');
  await type(page, 'đảo \u202e ngược');
  await page.locator('#toInbox').click();
  await rows(page).click();
  const facts = () => page.locator('#facts').textContent();
  await expect.poll(facts).toMatch(/Tích điểm.*xác nhận.*TIVI000000301.*0867123456.*con mèo trèo cây cau/);
  // Whose ticket it is for, each control says; no text turns the page round.
  for (const name of ['Chuyển lại cho bot', 'Nhận', 'Gửi', 'Câu trả lời'])
    await page
      .locator('#talk')
      .getByLabel(new RegExp(`^${name}: Garnacho \\([0-9A-Z]{10}\\)$`))
      .waitFor();
  await bubbles(page).getByText('đảo ngược').waitFor();
  expect(await page.content()).not.toContain('\u202e');
});

it('on 390 px the list, the conversation and the context come one after the other, by keyboard', async () => {
  const page = await open({ path: '/console#inbox', viewport: NARROW });
  const send = await ask('qa-2', 'gặp nhân viên', 'Garnacho');
  await send({ text: 'a'.repeat(300) });
  const header = await page.getByRole('banner').boundingBox();
  expect(header?.height, 'one row').toBeLessThan(60);
  await rows(page).focus();
  await page.keyboard.press('Enter');
  await bubbles(page).getByText('aaaa').waitFor();
  expect([await rows(page).isVisible(), await width(page)]).toEqual([false, NARROW.width]);
  expect(await page.getByRole('banner').isVisible(), 'the conversation has the whole screen').toBe(false);
  for (let tabs = 0; tabs < 12 && !(await answer(page).evaluate((it) => it.matches(':focus'))); tabs++)
    await page.keyboard.press('Tab');
  await page.keyboard.type('Chào bạn');
  await page.keyboard.press('Enter');
  await bubbles(page).getByText('Chào bạn').waitFor();
  await page.getByRole('link', { name: 'Về khách này' }).click();
  await page.locator('#facts').getByText('Mã tra cứu').waitFor();
  await page.getByRole('link', { name: 'Về cuộc trò chuyện' }).click();
  await page.getByRole('link', { name: 'Về danh sách' }).click();
  await expect.poll(() => rows(page).isVisible()).toBe(true);
  expect(await width(page)).toBe(NARROW.width);
});

/** A phone's screen without what its keyboard takes. */
const ABOVE_KEYBOARD = { width: NARROW.width, height: 400 };

it('on a phone the conversation keeps half of what the keyboard leaves, and fingers find what they press', async () => {
  const send = await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  for (let n = 0; n < 12; n++) await send({ text: `tin nhắn số ${n}` });
  const page = await open({ path: '/console#inbox', viewport: NARROW, hasTouch: true, isMobile: true });
  const small = () =>
    page.locator(':is(a, button, select, input, textarea, summary):visible').evaluateAll((targets) =>
      targets.flatMap((target) => {
        const { width, height } = target.getBoundingClientRect();
        return width < 44 || height < 44 ? `${target.outerHTML.slice(0, 90)}: ${width} × ${height}` : [];
      }),
    );
  await rows(page).waitFor();
  expect(await small()).toEqual([]);
  await rows(page).tap();
  await bubbles(page).last().waitFor();
  expect(await small()).toEqual([]);
  expect(await answer(page).getAttribute('placeholder')).not.toMatch(/Enter|Shift/);
  await page.setViewportSize(ABOVE_KEYBOARD);
  for (const text of ['Chào bạn', 'Chào bạn,\nbạn chụp\nmã giúp\nmình nhé,\ncả dòng\ncuối']) {
    await answer(page).fill(text);
    const height = async () => (await page.locator('#messages').boundingBox())?.height;
    await expect.poll(height).toBeGreaterThanOrEqual(ABOVE_KEYBOARD.height / 2);
  }
  // What was written last stays in sight, and a phone's Enter begins a line.
  await expect
    .poll(() =>
      bubbles(page)
        .last()
        .evaluate((it) => it.getBoundingClientRect().bottom),
    )
    .toBeLessThan(400);
  await answer(page).press('Enter');
  expect(await page.locator('#messages .mine').count()).toBe(0);
  await press(page, 'Gửi');
  await page.locator('#messages .mine').waitFor();
  await page.getByRole('link', { name: 'Về khách này' }).tap();
  await page.locator('#facts').waitFor();
  expect(await small()).toEqual([]);
  expect(await width(page)).toBe(NARROW.width);
});

it('a closed ticket is grey, and nothing can be typed into it or pressed', async () => {
  await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  const page = await sit('Lan');
  page.on('dialog', (dialog) => dialog.accept());
  const colour = () =>
    page.evaluate<string>('getComputedStyle(document.getElementById("send")).backgroundColor');
  const bright = await colour();
  await press(page, 'Chuyển lại cho bot');
  await note(page).getByText('Lan đã chuyển lại cho bot.').waitFor();
  expect(await answer(page).isDisabled()).toBe(true);
  expect(await page.locator('#send').isDisabled()).toBe(true);
  expect(await colour()).not.toBe(bright);
  const ground = await page.evaluate('getComputedStyle(document.body).backgroundColor');
  const field = await page.evaluate('getComputedStyle(document.getElementById("reply")).backgroundColor');
  expect(field).toBe(ground);
  for (const name of ['Nhận', 'Bỏ nhận', 'Chuyển lại cho bot'])
    expect(await page.locator('#talk').getByRole('button', { name }).filter({ visible: true }).count()).toBe(
      0,
    );
});

it('staff of a shop sign in to their inbox; what belongs together has one name, and no id of a platform', async () => {
  await restart({ STAFF_TOKEN: TOKEN, CONSOLE_DEVELOPERS: 'off' });
  const page = await open();
  await page.getByLabel('Mã truy cập').fill(TOKEN);
  await page.keyboard.press('Enter');
  await page.getByText('Không có khách nào ở đây.').waitFor();
  expect(await page.locator('nav a:visible').allTextContents()).toEqual([
    'Hộp thư',
    'Giao quà',
    'Bot chưa hiểu',
  ]);
  const say = (text: string) =>
    page.request.post(`${bot.url}/webhooks/staff`, {
      data: { conversation: 'qa-77', locale: 'vi', text, as: 'telegram' },
    });
  await say('shop làm ăn kiểu gì vậy');
  const replies: unknown = await (await say('gặp nhân viên')).json();
  await say('alo');
  await rows(page).click();
  await bubbles(page).getByText('alo').waitFor();
  const reference = (await page.evaluate<string>('location.hash')).split('/')[1];
  expect(JSON.stringify(replies)).toContain(`Mã tra cứu: ${reference}`);
  expect(await page.locator('#facts').textContent()).toContain(`Mã tra cứu${reference}`);
  expect(await page.locator('body').textContent()).not.toContain('qa-77');
  // The day stands above everything, also above what led to the ticket.
  expect(await page.locator('#messages > *').first().getAttribute('class')).toBe('notice soft');
});

it('misunderstood sentences are counted by question, as lines or answers to paste', async () => {
  const as = { as: 'telegram' };
  const send = await ask('qa-3', 'xin chào');
  await send({ ...as, choice: 'points' });
  await send({ ...as, contact: { phone: '0867123456' } });
  await send({ ...as, choice: 'consent:accept' });
  for (const text of ['con mèo trèo cây cau', 'Con mèo trèo cây cau']) await send({ ...as, text });
  await send({ ...as, choice: 'accumulate' });
  await send({ ...as, text: 'shop có wifi không bạn' });
  const page = await open({ path: '/console#unclear' });
  const sections = page.locator('#questions section');
  await expect
    .poll(() => sections.locator('h2').allTextContents())
    .toEqual(['Khi bot không hỏi gì · 2', 'Tích điểm · mã sản phẩm · 1']);
  await sections.locator('summary').first().click();
  expect(await sections.first().locator('summary').textContent()).toMatch(/mèo trèo cây cau2×$/);
  const [line, entry] = await sections.first().locator('pre').allTextContents();
  expect(line).toMatch(/^- con mèo trèo cây cau$/i);
  expect(JSON.parse(entry ?? '')).toMatchObject({ asks: { vi: [expect.stringMatching(/mèo/)] } });
});
