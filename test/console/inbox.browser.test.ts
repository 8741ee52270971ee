import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { replied, type, useConsole } from './kit.ts';

const { bot, forgive, open } = useConsole();
const NARROW = { width: 390, height: 800 };

/** A customer who asks for a person, from elsewhere. */
async function ask(conversation: string, text = 'gặp nhân viên', name?: string) {
  const send = (content: object) =>
    createClient(bot().url).send({ conversation, locale: 'vi', ...(name && { name }), ...content });
  await send({ text });
  return send;
}

const rows = (page: Page) => page.locator('#tickets a');
const answer = (page: Page) => page.getByRole('textbox', { name: 'Câu trả lời' });
const said = (page: Page) => page.locator('#said > :not(.before) .bubble');
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

it('the list tells who waits, for how long, why, and who has them; staff land in it where somebody waits', async () => {
  const idle = await open();
  await replied(idle, 'welcome');
  const send = await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  await send({ text: 'máy giặt hỏng rồi' });
  const complain = await ask('qa-2', 'bực quá', 'Minh');
  await complain({ choice: 'person' });
  const page = await open();
  await expect.poll(() => rows(page).count()).toBe(2);
  expect(await rows(page).nth(0).textContent()).toBe(
    'GarnachoChờ 0 phútmáy giặt hỏng rồiMuốn gặp nhân viên · staff',
  );
  expect(await rows(page).nth(1).textContent()).toMatch(/^MinhChờ .*bực quáPhàn nàn/);
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

it('two of staff claim by typing, see who has whom, take over knowingly, and lose nothing that they typed', async () => {
  const send = await ask('qa-1', 'gặp nhân viên', 'Garnacho');
  const [lan, minh] = [await sit('Lan'), await sit('Minh')];
  await answer(lan).pressSequentially('Chào');
  await note(minh).getByText('Lan đang trả lời khách này.').waitFor();
  await expect.poll(() => rows(minh).textContent()).toContain('của Lan');
  await answer(minh).pressSequentially('Mình xem nhé');
  await minh.keyboard.press('Enter');
  await expect.poll(() => minh.evaluate('document.activeElement.id')).toBe('send');
  expect(await said(minh).count()).toBe(0);
  await minh.keyboard.press('Enter');
  await said(minh).getByText('Mình xem nhé').waitFor();
  await note(lan).getByText('Minh đang trả lời khách này.').waitFor();
  await said(lan).getByText('Mình xem nhé').waitFor();
  expect(await lan.locator('#said .mine small').textContent()).toMatch(/^Minh · \d+:\d+/);
  await press(lan, 'Nhận thay');
  await note(minh).getByText('Lan đang trả lời khách này.').waitFor();
  await press(lan, 'Trả lại');
  await expect.poll(() => note(minh).isVisible()).toBe(false);

  // The browser asks; without an answer it is "no".
  await press(minh, 'Kết thúc');
  await send({ text: 'alo' });
  await said(minh).getByText('alo').waitFor();
  minh.on('dialog', (dialog) => dialog.accept());
  await press(minh, 'Kết thúc');
  await note(lan).getByText('Minh đã kết thúc. Câu bạn đang gõ vẫn còn đây.').waitFor();
  await lan.reload();
  await expect.poll(() => answer(lan).inputValue()).toBe('Chào');
  expect(await answer(lan).evaluate((it) => it.matches(':read-only'))).toBe(true);
  expect(await lan.getByRole('button', { name: 'Gửi', exact: false }).last().isDisabled()).toBe(true);
  await press(lan, 'Bỏ');
  expect(await answer(lan).inputValue()).toBe('');
});

it('an answer is kept over a reload and beside others; one that may be lost is sent again and counts once', async () => {
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
  await expect.poll(() => said(page).allTextContents()).toEqual(all);
  forgive('ERR_FAILED');
});

it('what was being done, asked and not understood stands beside the conversation, in words', async () => {
  const page = await open();
  await replied(page, 'welcome');
  await type(page, 'tích điểm TIVI000000301 0867123456');
  await type(page, 'con mèo trèo cây cau');
  await type(page, 'gặp nhân viên');
  await replied(page, 'person.waiting');
  await type(page, 'đảo \u202e ngược');
  await page.locator('#toInbox').click();
  await rows(page).click();
  const facts = () => page.locator('#facts').textContent();
  await expect.poll(facts).toMatch(/Tích điểm.*xác nhận.*TIVI000000301.*0867123456.*con mèo trèo cây cau/);
  // Whose ticket it is for, each control says; no text turns the page round.
  for (const name of ['Kết thúc', 'Nhận', 'Gửi', 'Câu trả lời'])
    await page
      .locator('#talk')
      .getByLabel(new RegExp(`^${name}: Garnacho \\([0-9A-Z]{10}\\)$`))
      .waitFor();
  await said(page).getByText('đảo ngược').waitFor();
  expect(await page.content()).not.toContain('\u202e');
});

it('on 390 px the list, the conversation and the context come one after the other, by keyboard', async () => {
  const page = await open({ path: '/console#inbox', viewport: NARROW });
  const send = await ask('qa-2', 'gặp nhân viên', 'Garnacho');
  await send({ text: 'a'.repeat(300) });
  await rows(page).focus();
  await page.keyboard.press('Enter');
  await said(page).getByText('aaaa').waitFor();
  expect([await rows(page).isVisible(), await width(page)]).toEqual([false, NARROW.width]);
  const header = await page.getByRole('banner').boundingBox();
  expect(header?.height, 'one row').toBeLessThan(60);
  for (let tabs = 0; tabs < 12 && !(await answer(page).evaluate((it) => it.matches(':focus'))); tabs++)
    await page.keyboard.press('Tab');
  await page.keyboard.type('Chào bạn');
  await page.keyboard.press('Enter');
  await said(page).getByText('Chào bạn').waitFor();
  await page.getByRole('link', { name: 'Về khách này' }).click();
  await page.locator('#facts').getByText('qa-2').waitFor();
  await page.getByRole('link', { name: 'Về cuộc trò chuyện' }).click();
  await page.getByRole('link', { name: 'Về danh sách' }).click();
  await expect.poll(() => rows(page).isVisible()).toBe(true);
  expect(await width(page)).toBe(NARROW.width);
});

it('what was not understood is counted by its question, as the line or the answer that teaches it', async () => {
  const as = { as: 'telegram' };
  const send = await ask('qa-3', 'xin chào');
  await send({ ...as, choice: 'points' });
  await send({ ...as, contact: { phone: '0867123456' } });
  await send({ ...as, choice: 'consent:accept' });
  for (const text of ['con mèo trèo cây cau', 'Con mèo trèo cây cau']) await send({ ...as, text });
  await send({ ...as, choice: 'accumulate' });
  await send({ ...as, text: 'mai có mưa không bạn' });
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
