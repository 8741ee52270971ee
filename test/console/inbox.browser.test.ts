import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { button, replied, type, useConsole, view } from './kit.ts';

const { bot, forgive, open } = useConsole();
const NARROW = { width: 390, height: 800 };

/** A customer who asks for a person, from elsewhere. */
async function ask(conversation: string, text = 'gặp nhân viên') {
  const send = (content: object) => createClient(bot().url).send({ conversation, locale: 'vi', ...content });
  await send({ text });
  return send;
}

const cards = (page: Page) => page.locator('#tickets > details');
const badge = (page: Page) => page.locator('#toInbox').getAttribute('data-count');

describe('the inbox', () => {
  it('shows who waits, since when and why, what was being done, and takes an answer to the customer', async () => {
    const page = await open();
    await replied(page, 'welcome');
    await type(page, 'tích điểm TIVI000000301');
    await replied(page, 'accumulate.askPhone');
    await type(page, 'gặp nhân viên');
    await replied(page, 'person.waiting');
    await type(page, 'máy hỏng rồi');
    await expect.poll(() => badge(page)).toBe('1');
    expect(await page.title()).toMatch(/^\(1\) /);
    await view(page, 'Hộp thư 1');
    await cards(page).locator('summary').click();
    const card = cards(page).first();
    await card.getByText('máy hỏng rồi').waitFor();
    expect(await card.textContent()).toMatch(
      /Đang chờ .*Muốn gặp nhân viên[\s\S]*accumulate · TIVI000000301/,
    );
    await page.getByLabel('Tên của bạn').fill('Lan');
    await card.getByLabel('Câu trả lời').fill('Chào bạn');
    await page.keyboard.press('Enter');
    await replied(page, 'person.says');
    expect(await page.locator('#log [data-key="person.says"]').textContent()).toBe('Bot: Chào bạn');
    await card.getByText('Lan ·').waitFor();
    await expect.poll(() => badge(page)).toBeNull();
    await button(page, 'Kết thúc').click();
    await replied(page, 'accumulate.askPhone');
    await page.getByText('Không có ai đang chờ nhân viên.').waitFor();
  });

  it('shows two of staff what the other one answers, and keeps what is being typed', async () => {
    const [one, other] = [await open({ path: '/console#inbox' }), await open({ path: '/console#inbox' })];
    await ask('qa-1');
    for (const page of [one, other]) await cards(page).locator('summary').click();
    await other.getByLabel('Câu trả lời').fill('Mình xem nhé');
    await one.getByLabel('Câu trả lời').fill('Chào bạn');
    await one.keyboard.press('Enter');
    await cards(other).getByText('Chào bạn').waitFor();
    expect(await other.getByLabel('Câu trả lời').inputValue()).toBe('Mình xem nhé');
  });

  it('sends an answer again that may not have arrived, once, and another one as another one', async () => {
    const page = await open({ path: '/console#inbox' });
    await ask('qa-4');
    await cards(page).locator('summary').click();
    const answer = page.getByLabel('Câu trả lời');
    const lost = async (text: string) => {
      const sent = page.waitForEvent('requestfailed');
      await page.route('**/messages', (route) => route.fetch().then(() => route.abort()), { times: 1 });
      await answer.fill(text);
      await page.keyboard.press('Enter');
      await sent;
    };
    await lost('Chào bạn');
    await page.keyboard.press('Enter');
    await expect.poll(() => answer.inputValue()).toBe('');
    await lost('Bạn còn đó không?');
    await answer.fill('Bạn còn đó chứ?');
    await page.keyboard.press('Enter');
    const written = cards(page).locator('.written p');
    await expect.poll(() => written.count()).toBe(3);
    expect((await written.allTextContents()).map((text) => text.slice(-8))).toEqual([
      'Chào bạn',
      'ó không?',
      ' đó chứ?',
    ]);
    forgive('ERR_FAILED');
  });

  it('reads once more, not once for each, what is new while it reads', async () => {
    const page = await open({ path: '/console#inbox' });
    const send = await ask('qa-5');
    await cards(page).locator('summary').waitFor();
    let reads = 0;
    await page.route('**/tickets?state=open', async (route) => {
      reads += 1;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.continue();
    });
    for (let at = 0; at < 3; at++) {
      await Promise.all([send({ text: 'alo' }), ask(`qa-6-${at}`), ask(`qa-7-${at}`)]);
      await page.waitForTimeout(550);
    }
    await expect.poll(() => cards(page).count(), { timeout: 10_000 }).toBe(7);
    expect(reads).toBeLessThanOrEqual(5);
  });

  it('is used by keyboard, at 390 px, without scrolling sideways', async () => {
    const page = await open({ path: '/console#inbox', viewport: NARROW });
    const send = await ask('qa-2');
    await send({ text: 'a'.repeat(300) });
    await cards(page).locator('summary').focus();
    await page.keyboard.press('Enter');
    await cards(page).getByText('aaaa').waitFor();
    await page.keyboard.press('Tab');
    for (let tabs = 0; tabs < 4 && !(await focused(page, 'INPUT')); tabs++) await page.keyboard.press('Tab');
    await page.keyboard.type('Chào bạn');
    await page.keyboard.press('Enter');
    await cards(page).getByText('Chào bạn').waitFor();
    const width = await page.evaluate<number>('document.documentElement.scrollWidth');
    expect(width).toBeLessThanOrEqual(NARROW.width);
  });

  it('lists what was not understood, as the line that teaches it', async () => {
    const send = await ask('qa-3', 'xin chào');
    const as = { as: 'telegram' };
    await send({ ...as, choice: 'points' });
    await send({ ...as, contact: { phone: '0867123456' } });
    await send({ ...as, choice: 'consent:accept' });
    await send({ ...as, text: 'con mèo trèo cây cau' });
    const page = await open({ path: '/console#inbox' });
    await expect
      .poll(() => page.locator('#unclear p').allTextContents())
      .toEqual([expect.stringMatching(/^- con mèo trèo cây cau/)]);
  });
});

const focused = (page: Page, tag: string) =>
  page.evaluate<boolean>(`document.activeElement.tagName === '${tag}'`);
