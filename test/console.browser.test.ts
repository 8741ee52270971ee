import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '../src/channels/staff/client.ts';
import { scriptSchema } from '../src/script.ts';
import { type Running, startBot } from './support/app.ts';
import { openBrowser, openPage } from './support/browser.ts';
import { asPng, drawCode } from './support/pictures.ts';
import { startTelegramDouble } from './support/telegram-double.ts';

/** Chromium on a busy machine. */
vi.setConfig({ testTimeout: 40_000 });

const TOKEN = 'a-token-of-some-length';
/** Lost answers are found within a second. */
const QUICK = { ANTCRM_TIMEOUT_MS: '500', OPERATION_CHECKS: '300ms,1s,3s' };

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

let bot: Running;
beforeEach(async () => {
  bot = await startBot(QUICK);
});
let faults: string[] = [];
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await bot.stop();
  expect(faults, 'console errors, CSP violations, foreign requests').toEqual([]);
});

const WIDE = { width: 1280, height: 800 };
/** The narrowest there is: WCAG 1.4.10 wants a page to fit it. */
const PHONE = { width: 320, height: 640 };

async function open({
  path = '/console',
  ...options
}: { path?: string } & BrowserContextOptions = {}): Promise<Page> {
  const watched = await openPage(browser, bot.url, { viewport: WIDE, ...options });
  faults = watched.faults;
  watched.page.setDefaultTimeout(15_000);
  await watched.page.goto(bot.url + path);
  return watched.page;
}

const log = (page: Page): Locator => page.getByRole('log');
const inside = (page: Page): Locator => page.locator('#turns > details').first();
const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true }).last();
/** In the header: whose abilities are imitated. */
const role = (page: Page, name: string) => page.getByRole('banner').getByText(name, { exact: true }).click();
/** The bot's last reply is of that key. */
const replied = (page: Page, key: string) => log(page).locator(`.bot[data-key="${key}"]`).last().waitFor();

/** The newest button of that choice; `confirm` is the one with the one-time id. */
const choice = (page: Page, id: string): Locator =>
  log(page).locator(`[data-choice="${id}"], [data-choice^="${id}:"]`).last();

async function type(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text);
  await page.keyboard.press('Enter');
}

/** From the input, backwards, come the newest buttons. */
async function pressByKeys(page: Page, id: string): Promise<void> {
  for (let back = 0; back < 10; back++) {
    await page.keyboard.press('Shift+Tab');
    const focused = await page.evaluate<string>(`document.activeElement.dataset.choice ?? ''`);
    if (focused.split(':')[0] === id) return page.keyboard.press('Enter');
  }
  throw new Error(`no way to ${id} by Shift+Tab`);
}

describe('a newcomer', () => {
  it('opens the page, picks "Tích điểm", fills in the form and sees +100', async () => {
    const page = await open();
    await log(page).getByRole('button', { name: 'Tích điểm' }).click();
    await log(page).getByLabel('Mã', { exact: true }).fill('TIVInpmx8b98pfg');
    await log(page).getByLabel('Điện thoại').fill('0867123456');
    await button(page, 'Gửi biểu mẫu').click();
    await choice(page, 'confirm').click();
    await log(page).getByText('+100').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('text');
  });

  it('does the same in English', async () => {
    const page = await open();
    await page.getByText('EN', { exact: true }).click();
    await button(page, 'New chat').click();
    await choice(page, 'accumulate').click();
    await type(page, 'TIVI000000031 0867123456');
    await replied(page, 'accumulate.askEmail');
    await choice(page, 'skip').click();
    await choice(page, 'confirm').click();
    await log(page).getByText('+100').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.locator('body').textContent()).not.toMatch(/Trạng thái|Bên trong/);
  });

  it('does the same by the keyboard alone', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await pressByKeys(page, 'accumulate');
    await replied(page, 'accumulate.askCode');
    await page.keyboard.type('TIVI000000032 0867123456');
    await page.keyboard.press('Enter');
    await replied(page, 'accumulate.askEmail');
    await page.keyboard.type('bỏ qua');
    await page.keyboard.press('Enter');
    await replied(page, 'accumulate.summary');
    await pressByKeys(page, 'confirm');
    await log(page).getByText('+100').waitFor();
  });

  it('taps a code on a phone, and finds it in the composer', async () => {
    const page = await open({ viewport: { width: 390, height: 844 } });
    await page.getByRole('tab', { name: 'Thử' }).click();
    await button(page, 'TIVInpmx8b98pfg').click();
    await page.locator('#text').waitFor();
    expect(await page.evaluate('document.activeElement.value')).toBe('TIVInpmx8b98pfg');
    await page.keyboard.press('Enter');
    await log(page).locator('.mine').getByText('TIVInpmx8b98pfg').waitFor();
  });

  it('does the same on the smallest phone, where nothing is wider than the screen', async () => {
    const page = await open({ viewport: PHONE });
    await choice(page, 'accumulate').click();
    await type(page, 'TIVI000000033 0867123456 garnacho@gmail.com');
    await choice(page, 'confirm').click();
    await log(page).getByText('+100').waitFor();
    for (const locale of ['en', 'vi']) {
      await page.locator(`input[name="locale"][value="${locale}"]`).check({ force: true });
      for (const tab of ['#tab-inside', '#tab-play', '#tab-chat']) {
        await page.locator(tab).click();
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
      }
    }
    await choice(page, 'redeem').waitFor();
    expect(await choice(page, 'redeem').evaluate((it) => it.getBoundingClientRect().bottom)).toBeLessThan(
      PHONE.height,
    );
  });
});

describe('the picture of a gift', () => {
  const SHOWN = 'https://shop.example/loa.png';
  const MISSING = 'https://elsewhere.example/may.png';
  const gifts = [
    { code: 'LOA01', name: { vi: 'Loa', en: 'Speaker' }, score: 250, image: SHOWN },
    { code: 'DAUMAY01', name: { vi: 'Đầu máy', en: 'Player' }, score: 10, image: MISSING },
  ];
  const folder = mkdtempSync(join(tmpdir(), 'console-gifts-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is shown where it is confirmed; one that does not load leaves no gap', async () => {
    await bot.stop();
    const file = join(folder, 'gifts.json');
    writeFileSync(file, JSON.stringify(gifts));
    bot = await startBot({ ...QUICK, GIFTS_FILE: file });
    const page = await open();
    const png = asPng(await drawCode('TIVI000000001'));
    await page.route(SHOWN, (route) => route.fulfill({ contentType: 'image/png', body: Buffer.from(png) }));
    await page.route(MISSING, (route) => route.fulfill({ status: 404 }));
    await type(page, 'đổi loa 0867123456');
    await replied(page, 'redeem.summary');
    await log(page).locator('img').waitFor();
    await expect.poll(() => page.evaluate('document.querySelector("#log img").naturalWidth > 0')).toBe(true);
    await type(page, 'đổi đầu máy');
    await log(page).getByText('Quà: Đầu máy').waitFor();
    await expect.poll(() => log(page).locator('img').count()).toBe(1);
    // No other fault than the picture that is not there.
    const others = faults.filter((fault) => !fault.includes('shop.example') && !fault.includes('elsewhere'));
    expect(others.filter((fault) => !/404/.test(fault))).toEqual([]);
    faults.length = 0;
  });
});

describe('the chat', () => {
  it('shows a lost answer resolve by itself while one watches', async () => {
    const page = await open();
    await page.getByRole('tab', { name: 'Thử' }).click();
    await button(page, 'Mất câu trả lời khi đổi quà').click();
    await page.getByText('redeem: lose-answer ×1').waitFor();
    await type(page, 'đổi quà DAUMAY01 0867123456');
    await choice(page, 'confirm').click();
    await replied(page, 'operation.checking');
    await replied(page, 'operation.resolved.done');
    await page.getByRole('tab', { name: 'Bên trong' }).click();
    await inside(page).getByText('Bot tự lên tiếng').waitFor();
    await inside(page).getByText('/history-point').waitFor();
  });

  it('turns the pages of the history in place', async () => {
    const page = await open();
    await type(page, 'lịch sử tích điểm 0867123456');
    await choice(page, 'period:all').click();
    await log(page).getByText('trang 1').waitFor();
    await choice(page, 'next').click();
    await log(page).getByText('trang 2').waitFor();
    expect(await log(page).locator('.bot[data-key="history.page"]').count()).toBe(1);
  });

  it('is as it was after a reload, the customer’s side too', async () => {
    const page = await open();
    await type(page, 'tích điểm');
    await replied(page, 'accumulate.askCode');
    await page.reload();
    await replied(page, 'accumulate.askCode');
    await expect.poll(() => log(page).locator('.mine').allTextContents()).toEqual(['Bạn: tích điểm']);
    expect(await log(page).locator('.bot[data-key]').count()).toBe(2);
  });

  it('begins anew where the bot remembers nothing any more', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await page.evaluate(`sessionStorage.setItem('conversation', 'swept-away')`);
    await page.reload();
    await replied(page, 'welcome');
    expect(await page.locator('#conversation').inputValue()).toMatch(/^console-/);
  });

  it('sends again what got no answer, and counts it once', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await page.route('**/webhooks/staff', (route) => route.abort(), { times: 1 });
    await type(page, 'tích điểm');
    await button(page, 'Gửi lại').click();
    await replied(page, 'accumulate.askCode');
    // Chromium itself reports the cut connection.
    faults.splice(0, 1);
  });

  it('reconnects by itself, and shows what was said meanwhile', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await page.getByText('Đã kết nối').waitFor();
    bot.cut();
    await page.getByText('Đang kết nối lại…').waitFor();
    const conversation = await page.locator('#conversation').inputValue();
    await createClient(bot.url).send({ conversation, text: 'tích điểm' });
    await replied(page, 'accumulate.askCode');
    await log(page).locator('.mine').getByText('tích điểm').waitFor();
    // Chromium itself reports the cut connection.
    faults = faults.filter((fault) => !fault.includes('net::ERR_'));
  });

  it('wraps what is long and shows markup as it is', async () => {
    const page = await open({ viewport: PHONE });
    await type(page, `<img src=x onerror=alert(1)>${'ư'.repeat(400)}`);
    await log(page).getByText('<img src=x').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
  });
});

describe('look inside', () => {
  it('shows what was understood, the state before and after, calls, round trips and time', async () => {
    const page = await open();
    await type(page, 'tich diem TIVI000000041 0912345678');
    await choice(page, 'skip').click();
    await choice(page, 'confirm').click();
    await replied(page, 'accumulate.done');
    const turns = page.locator('#turns > details');
    const confirmed = await turns.nth(0).textContent();
    expect(confirmed).toMatch(/POST\/accumulate200 applied[\d,]+ ms/);
    expect(confirmed).toMatch(/chờ xác nhận · Tích điểmchờ khách/);
    expect(confirmed).toMatch(/3 lần truy cập khotake › intend › commit/);
    await turns.nth(2).locator('summary').first().click();
    const typed = await turns.nth(2).textContent();
    expect(typed).toMatch(/codeTIVI000000041/);
    expect(typed).toMatch(/\+84912345678 đã xác minh/);
    await turns.nth(0).getByText('/accumulate').click();
    await turns.nth(0).getByText('"value": "0912345678"').waitFor();
  });
});

describe('look inside, in the role of a channel', () => {
  it('shows what its platform sends and is asked, as Telegram', async () => {
    const page = await open();
    await role(page, 'Telegram');
    await type(page, 'menu');
    await replied(page, 'menu');
    await inside(page).getByText('Nhận', { exact: true }).click();
    await inside(page).getByText('"text": "menu"').waitFor();
    await inside(page).getByText('sendMessage').click();
    await inside(page).getByText('"inline_keyboard"').waitFor();
  });

  it('shows the card, as Teams', async () => {
    const page = await open();
    await role(page, 'Teams');
    await type(page, 'menu');
    await replied(page, 'menu');
    await inside(page).getByText('/activities').click();
    await inside(page).getByText('"type": "AdaptiveCard"').waitFor();
  });

  it('shows nothing of the kind as staff, and says which role is played in every panel', async () => {
    const page = await open({ viewport: PHONE });
    await type(page, 'menu');
    await replied(page, 'menu');
    const headerPx = await page.getByRole('banner').evaluate((it) => it.getBoundingClientRect().height);
    expect(headerPx, 'two rows').toBeLessThan(110);
    for (const tab of ['Bên trong', 'Thử', 'Trò chuyện']) {
      await page.getByRole('tab', { name: tab }).click();
      expect(await page.getByRole('radio', { name: 'Nhân viên' }).isChecked()).toBe(true);
      await page.getByText('Nhân viên', { exact: true }).waitFor();
    }
    expect(await page.getByText('Trên kênh').count()).toBe(0);
  });
});

describe('look inside, in English and on a phone', () => {
  const english = async () => {
    const page = await open({ viewport: PHONE, timezoneId: 'Asia/Ho_Chi_Minh' });
    await page.locator('input[name="locale"][value="en"]').check({ force: true });
    return page;
  };

  it('writes dates as English does', async () => {
    const page = await english();
    await type(page, 'history 1/7/2023 - 31/7/2023');
    await inside(page)
      .getByText(/Jul 1, 2023 – /)
      .waitFor({ state: 'attached' });
  });

  it('breaks no word of the tabs, the state and the calls', async () => {
    const page = await english();
    await type(page, 'earn TIVI000000042 0912345679');
    await choice(page, 'skip').click();
    await choice(page, 'confirm').click();
    await replied(page, 'accumulate.done');
    await page.getByRole('tab', { name: 'Look inside' }).click();
    await inside(page).getByRole('rowheader', { name: 'Operation' }).waitFor();
    const broken = await page.evaluate(`(() => {
      const range = document.createRange();
      const lines = (element) => (range.selectNodeContents(element), range.getClientRects().length);
      const words = document.querySelectorAll('.tabs button, #turns > :first-child :is(tbody th, .line > *)');
      return [...words].filter((word) => lines(word) > 1).map((word) => word.textContent);
    })()`);
    expect(broken).toEqual([]);
  });
});

describe('play', () => {
  const play = (page: Page) => page.getByRole('tab', { name: 'Thử' }).click();

  it('pretends to be Telegram: a typed phone and somebody else’s contact prove nothing, the own one does', async () => {
    const page = await open();
    await role(page, 'Telegram');
    await play(page);
    await type(page, 'xem điểm');
    await replied(page, 'identity.proofNeeded');
    await button(page, 'Gửi số người khác').click();
    await replied(page, 'identity.notOwn');
    await page.locator('#own').click();
    await replied(page, 'points.balance');
  });

  it('pretends to be Teams, with an e-mail in the profile and without', async () => {
    const page = await open();
    await role(page, 'Teams');
    await play(page);
    await page.getByLabel('Email trong hồ sơ').fill('');
    await type(page, 'xem điểm');
    await replied(page, 'identity.noEmail');
    await page.getByLabel('Email trong hồ sơ').fill('garnacho@gmail.com');
    await type(page, 'xem điểm');
    await replied(page, 'points.balance');
  });

  it('opens a deep link, by the link, its payload or the code', async () => {
    const page = await open();
    await play(page);
    const links = ['https://t.me/LoyaltyBot?start=TIVI000000061', '_VElWSTAwMDAwMDA2Mg', 'TIVI000000063'];
    for (const [at, link] of links.entries()) {
      await page.getByLabel('Link mở bot').fill(link);
      await button(page, 'Mở').click();
      await expect.poll(() => page.locator('#turns > details').count()).toBe(at + 2);
      await page.getByRole('tab', { name: 'Bên trong' }).click();
      await inside(page)
        .getByText(`TIVI00000006${at + 1}`)
        .first()
        .waitFor();
      await play(page);
    }
  });

  it.each(['Sticker', 'Tin thoại', 'Vị trí'])('sends what the bot cannot read: %s', async (what) => {
    const page = await open();
    await play(page);
    await button(page, what).click();
    await replied(page, 'unreadable');
    await log(page).locator('.mine').getByText(what).waitFor();
  });

  it('repeats a message with the same id, sends five at once', async () => {
    const page = await open();
    await play(page);
    await type(page, 'tích điểm');
    await replied(page, 'accumulate.askCode');
    await button(page, 'Gửi lại tin cuối, cùng mã').click();
    await log(page).getByText('Trùng mã tin').waitFor();
    await button(page, 'Gửi 5 tin kế tiếp cùng lúc').click();
    for (const text of ['huỷ', 'trợ giúp', 'xem điểm', 'huỷ']) await type(page, text);
    expect(await page.locator('#kept').textContent()).toBe('4/5');
    await type(page, 'menu');
    await expect.poll(() => log(page).locator('.mine').count()).toBe(6);
    await expect.poll(() => page.locator('#turns > details').count()).toBe(7);
  });

  it('sends a photo: its code is taken, the picture is seen inside, and no picture is said to be none', async () => {
    const page = await open();
    await play(page);
    const send = (buffer: Buffer) =>
      page.locator('#image').setInputFiles({ name: 'hop.png', mimeType: 'image/png', buffer });
    await send(asPng(await drawCode('TIVI000000064')));
    await replied(page, 'accumulate.askPhone');
    await page.getByRole('tab', { name: 'Bên trong' }).click();
    await inside(page).locator('summary').getByText('Ảnh TIVI000000064').waitFor();
    await play(page);
    await send(Buffer.from('no picture'));
    await replied(page, 'photo.unreadable');
  });

  it('shows codes and balances of the sandbox, and resets it', async () => {
    const page = await open();
    await play(page);
    await page.getByText('2.080 điểm').waitFor();
    await button(page, 'TIVInpmx8b98pfg').click();
    expect(await page.locator('#text').inputValue()).toBe('TIVInpmx8b98pfg');
    await type(page, 'TIVInpmx8b98pfg 0867123456 garnacho@gmail.com');
    await choice(page, 'confirm').click();
    await page.getByText('2.180 điểm').waitFor();
    await button(page, 'Làm lại từ đầu').click();
    await page.getByText('2.080 điểm').waitFor();
  });

  it('offers the QR code of a picked code, where a channel has such links', async () => {
    await bot.stop();
    const double = await startTelegramDouble();
    const telegram = {
      TELEGRAM_BOT_TOKEN: double.token,
      TELEGRAM_API_ROOT: double.url,
      TELEGRAM_MODE: 'polling',
    };
    bot = await startBot({ ...QUICK, ...telegram });
    try {
      const page = await open();
      await play(page);
      expect(await page.getByRole('link', { name: 'QR' }).count()).toBe(0);
      await button(page, 'TIVInpmx8b98pfg').click();
      await page.getByRole('link', { name: 'QR' }).click();
      await page.waitForURL('**/telegram/qr?code=TIVInpmx8b98pfg');
      await page.locator('svg').waitFor();
      // Chromium asks for a favicon of its own.
      faults = faults.filter((fault) => !fault.includes('404'));
    } finally {
      await double.close();
    }
  });

  it('keeps what follows the customers in reach, however many there are', async () => {
    const page = await open();
    await play(page);
    const list = page.locator('#customers');
    await list.locator('li').first().waitFor();
    await list.evaluate((it) => {
      for (let more = 0; more < 40; more++) it.append(it.children[0]?.cloneNode(true) ?? '');
    });
    expect(await list.evaluate((it) => it.getBoundingClientRect().height)).toBeLessThan(180);
  });

  it('names the gifts in the language of the page', async () => {
    const page = await open();
    await play(page);
    const gifts = page.locator('#gifts li');
    await gifts.getByText('Đầu máy').waitFor();
    await page.getByText('EN', { exact: true }).click();
    await expect
      .poll(() => gifts.locator('span').allTextContents())
      .toEqual(['Media player', 'Speaker', 'Rice cooker']);
  });

  it('makes AntCRM fail so often that one sees it, and each attempt', async () => {
    await bot.stop();
    // With the time for every attempt.
    bot = await startBot();
    const page = await open();
    await play(page);
    await button(page, 'Lỗi 500 khi xem lịch sử').click();
    await page.getByText('history: error-500 ×3').waitFor();
    await type(page, 'lịch sử tích điểm 30 ngày 0867123456');
    await replied(page, 'service.unavailable');
    await page.getByText('Chưa đặt lỗi nào.').waitFor();
    await page.getByRole('tab', { name: 'Bên trong' }).click();
    await inside(page).locator('.call').first().waitFor();
    expect(await inside(page).locator('.call .outcome').allTextContents()).toEqual(
      Array(3).fill('500 unavailable'),
    );
  });

  it('saves a conversation as a script, and replays it', async () => {
    const page = await open();
    await play(page);
    await button(page, 'Làm lại từ đầu').click();
    await type(page, 'tích điểm TIVI000000051 0867123456');
    await choice(page, 'skip').click();
    await choice(page, 'confirm').click();
    await replied(page, 'accumulate.done');
    const saving = page.waitForEvent('download');
    await button(page, 'Lưu').click();
    const file = await (await saving).path();
    const script = scriptSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    expect(script.steps.at(-1)).toEqual({
      send: { as: 'staff', choice: 'confirm', locale: 'vi', name: 'Garnacho' },
      keys: ['accumulate.done'],
    });
    await page.locator('#script').setInputFiles(file);
    await log(page).getByText('mọi câu trả lời đều khớp').waitFor();
    const other = { steps: [{ send: { text: 'huỷ' }, keys: ['menu'] }] };
    const buffer = Buffer.from(JSON.stringify(other));
    await page.locator('#script').setInputFiles({ name: 'other.json', mimeType: 'application/json', buffer });
    await log(page).getByText('+ cancel.nothing').waitFor();
  });
});

describe('with a staff token', () => {
  beforeEach(async () => {
    await bot.stop();
    bot = await startBot({ ...QUICK, STAFF_TOKEN: TOKEN });
  });

  it('asks for the token once, keeps it in this tab only, and never in an address', async () => {
    const page = await open();
    const addresses: string[] = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.getByLabel('STAFF_TOKEN').fill(TOKEN);
    await page.keyboard.press('Enter');
    await replied(page, 'welcome');
    expect(addresses.length).toBeGreaterThan(1);
    expect(addresses.join()).not.toContain(TOKEN);
    const kept = await page.evaluate(`[localStorage.length, sessionStorage.getItem('token')]`);
    expect(kept).toEqual([0, TOKEN]);
    // Chromium reports each refused request.
    faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes('401')));
  });
});

describe('what goes wrong is said in a sentence', () => {
  it('a wrong token', async () => {
    await bot.stop();
    bot = await startBot({ ...QUICK, STAFF_TOKEN: TOKEN });
    const page = await open();
    await page.getByLabel('STAFF_TOKEN').fill('a-wrong-token-of-some-length');
    await page.keyboard.press('Enter');
    await page.getByText('Mã truy cập không đúng.').waitFor();
    await page.getByLabel('STAFF_TOKEN').fill(TOKEN);
    await page.keyboard.press('Enter');
    await replied(page, 'welcome');
    // Chromium reports each refused request.
    faults = faults.filter((fault) => !fault.includes('401'));
  });

  it('a sandbox that does not answer', async () => {
    const page = await open();
    await page.getByRole('tab', { name: 'Thử' }).click();
    await page.route('**/sandbox/reset', (route) => route.abort());
    await button(page, 'Làm lại từ đầu').click();
    await log(page).getByText('Không gửi được.').waitFor();
    faults = faults.filter((fault) => !fault.includes('net::ERR_'));
  });

  it('a message that the webhook refuses', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await page.evaluate(`document.querySelector('#phone').value = ''`);
    await page.getByRole('tab', { name: 'Thử' }).click();
    await button(page, 'Gửi số của khách').click();
    await log(page).getByText('contact.phone: Wants at least one character').waitFor();
    faults = faults.filter((fault) => !fault.includes('400'));
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
    await page.getByRole('link', { name: 'Tài liệu API' }).click();
    await tryItOut(page);
  });

  it('works with a token, too', async () => {
    await bot.stop();
    bot = await startBot({ ...QUICK, STAFF_TOKEN: TOKEN });
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
  await expect.poll(() => wanted.filter((what) => !faults.some((fault) => fault.includes(what)))).toEqual([]);
  faults.length = 0;
});
