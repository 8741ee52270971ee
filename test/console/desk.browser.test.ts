import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createClient } from '../../src/channels/staff/client.ts';
import { type Running, startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';

/* Staff work together in Chromium, two pages side by side, each person with a token of their own. */

const STAFF_TOKEN = 'the-token-of-all-staff-0123';
const TOKENS = { Lan: 'lan-0123456789-abcdef', Minh: 'minh-0123456789-abcdef' };
const path = join(mkdtempSync(join(tmpdir(), 'people-')), 'people.txt');
const writePeople = (...names: (keyof typeof TOKENS)[]) =>
  writeFileSync(path, names.map((name) => `${name}: ${TOKENS[name]}\n`).join(''));

let browser: Browser;
let bot: Running;

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  writePeople('Lan', 'Minh');
  bot = await startBot({ STAFF_TOKEN, STAFF_PEOPLE: path }, { peopleMs: 50 });
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await bot.stop();
});

/** A customer who asks for a person and says something. */
async function ask(conversation: string, name: string, text: string) {
  const send = (content: object) =>
    createClient(bot.url, STAFF_TOKEN).send({ conversation, name, locale: 'vi', ...content });
  await send({ choice: 'person' });
  await send({ text });
}

const rows = (page: Page) => page.locator('#tickets a');
const answer = (page: Page) => page.locator('#reply');
const texts = (page: Page) => page.locator('#messages > :not(.before) .bubble');

async function signIn(person: keyof typeof TOKENS, viewport = { width: 1360, height: 800 }): Promise<Page> {
  const { page } = await openPage(browser, bot.url, { viewport });
  await page.goto(`${bot.url}/console#inbox`);
  await page.locator('[name=token]').fill(TOKENS[person]);
  await page.keyboard.press('Enter');
  await rows(page).first().click();
  await answer(page).waitFor();
  // Who works here is read beside the tickets.
  await expect.poll(() => page.locator('#by').inputValue()).toBe(person);
  return page;
}

it('two people write notes that the customer never sees, assign to each other, and answer under their own names', async () => {
  await ask('qa-1', 'Garnacho', 'máy giặt hỏng rồi');
  const lan = await signIn('Lan');
  const minh = await signIn('Minh');
  expect(await lan.locator('#by').getAttribute('readonly')).toBe('');
  expect(await lan.locator('nav a:visible').evaluateAll((links) => links.map(({ hash }) => hash))).toEqual(
    expect.not.arrayContaining(['#chat', '#inside', '#play', '#unclear']),
  );
  await lan.getByRole('button', { name: 'Ghi chú nội bộ' }).click();
  await answer(lan).fill('Khách gọi hôm qua rồi');
  await answer(lan).press('Enter');
  await minh.getByText('Ghi chú nội bộ, khách không thấy').waitFor();
  expect(await texts(minh).allTextContents()).toEqual(['máy giặt hỏng rồi', 'Khách gọi hôm qua rồi']);
  expect(await rows(minh).textContent()).toContain('máy giặt hỏng rồi');
  await lan.locator('#assign').selectOption('Minh');
  await expect.poll(() => rows(minh).textContent()).toContain('của bạn');
  await expect.poll(() => rows(lan).textContent()).toContain('giao cho Minh');
  await answer(minh).fill('Chào bạn');
  await answer(minh).press('Enter');
  await expect.poll(() => rows(lan).textContent()).toContain('Minh: Chào bạn');
  const sent: string[] = [];
  for await (const { key, text } of createClient(bot.url, STAFF_TOKEN).events(
    'qa-1',
    0,
    AbortSignal.timeout(9000),
  )) {
    sent.push(text);
    if (key === 'person.says') break;
  }
  expect(sent.at(-1)).toBe('Minh: Chào bạn');
  expect(sent.join()).not.toContain('hôm qua');
});

it('on 390 px the field for the answer is wider than half, whatever stands beside it', async () => {
  await ask('qa-1', 'Garnacho', 'alo');
  const page = await signIn('Lan', { width: 390, height: 800 });
  expect((await answer(page).boundingBox())?.width).toBeGreaterThan(195);
});

it('a search shows what fits, and the list again once it is empty', async () => {
  await ask('qa-1', 'Garnacho', 'máy giặt hỏng rồi');
  await ask('qa-2', 'Minh', 'gọi cho mình số 0867 123 456');
  const page = await signIn('Lan');
  await expect.poll(() => rows(page).count()).toBe(2);
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  await page.locator('#search').fill('may giat');
  await expect.poll(() => rows(page).allTextContents()).toEqual([expect.stringMatching(/^Garnacho/)]);
  await page.locator('#search').fill('xyz');
  await page.getByText('Không có khách nào ở đây.').waitFor();
  await page.locator('#search').fill('');
  await expect.poll(() => rows(page).count()).toBe(2);
  expect(addresses.join()).not.toMatch(/giat|xyz/);
});

it('a person who is taken off the list is at the page to sign in, in a moment', async () => {
  await ask('qa-1', 'Garnacho', 'alo');
  const page = await signIn('Lan');
  await page.goto(`${bot.url}/console`);
  await expect.poll(() => page.evaluate('location.hash')).toBe('#inbox');
  await rows(page).first().click();
  writePeople('Minh');
  // The stream ends with its next beat; the page asks before.
  await answer(page)
    .fill('Chào bạn', { timeout: 2000 })
    .catch(() => {});
  await page.locator('[name=token]').waitFor();
});
