import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';

/** Lost answers are found within a second. */
const QUICK = { ANTCRM_TIMEOUT_MS: '2000', OPERATION_CHECKS: '300ms,1s,3s' };
const WIDE = { width: 1280, height: 800 };

/**
 * The console in Chromium, before a bot of its own for each test, which fails where the page complained. To be called once
 * in a test file.
 */
export function useConsole() {
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

  return {
    /** A new session of the page. */
    async open({
      path = '/console',
      ...options
    }: { path?: string } & BrowserContextOptions = {}): Promise<Page> {
      const watched = await openPage(browser, bot.url, { viewport: WIDE, ...options });
      faults = watched.faults;
      watched.page.setDefaultTimeout(60_000);
      await watched.page.goto(bot.url + path);
      return watched.page;
    },
    bot: () => bot,
    /** The bot with these settings in place of the one that is there. To be called before `open`. */
    async restart(env: Readonly<Record<string, string>>): Promise<void> {
      await bot.stop();
      bot = await startBot({ ...QUICK, ...env });
    },
    /** Forgets what has this in it: Chromium itself reports cut connections and refused requests. */
    forgive(part: string): void {
      faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes(part)));
    },
  };
}

export const log = (page: Page): Locator => page.getByRole('log');
export const inside = (page: Page): Locator => page.locator('#turns > details').first();
export const button = (page: Page, name: string): Locator =>
  page.getByRole('button', { name, exact: true }).last();
/** In the header: whose abilities are imitated. */
export const role = (page: Page, name: string) => page.locator('#as').selectOption({ label: name });
/** Shows another view. */
export const view = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).click();
/** The bot's last reply is of that key. */
export const replied = (page: Page, key: string) =>
  log(page).locator(`.bot[data-key="${key}"]`).last().waitFor();

/** The newest button of that choice; `confirm` is the one with the one-time id. */
export const choice = (page: Page, id: string): Locator =>
  log(page).locator(`[data-choice="${id}"], [data-choice^="${id}:"]`).last();

export async function type(page: Page, text: string): Promise<void> {
  await page.locator('#text').fill(text);
  await page.keyboard.press('Enter');
}
