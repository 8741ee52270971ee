import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { type Running, startBot } from '../support/app.ts';
import { openBrowser, openPage } from '../support/browser.ts';

/** The console in Chromium, before a bot of its own for each test. */
type Console = {
  /** A new session of the page. */
  open(options?: { readonly path?: string } & BrowserContextOptions): Promise<Page>;
  bot(): Running;
  /** The bot with these settings in place of the one that is there. To be called before `open`. */
  restart(env: Readonly<Record<string, string>>): Promise<void>;
  /** What the page complained about so far; a test that leaves any fails. */
  faults(): readonly string[];
  /** Forgets what has this in it: Chromium itself reports cut connections and refused requests. */
  forgive(part: string): void;
};

export const TOKEN = 'a-token-of-some-length';
/** Lost answers are found within a second. */
export const QUICK = { ANTCRM_TIMEOUT_MS: '2000', OPERATION_CHECKS: '300ms,1s,3s' };

const WIDE = { width: 1280, height: 800 };
/** The narrowest there is: WCAG 1.4.10 wants a page to fit it. */
export const PHONE = { width: 320, height: 640 };

/** To be called once in a test file. */
export function useConsole(): Console {
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
    async open({ path = '/console', ...options } = {}) {
      const watched = await openPage(browser, bot.url, { viewport: WIDE, ...options });
      faults = watched.faults;
      watched.page.setDefaultTimeout(60_000);
      await watched.page.goto(bot.url + path);
      return watched.page;
    },
    bot: () => bot,
    async restart(env) {
      await bot.stop();
      bot = await startBot(env);
    },
    faults: () => faults,
    forgive(part) {
      faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes(part)));
    },
  };
}

export const log = (page: Page): Locator => page.getByRole('log');
export const inside = (page: Page): Locator => page.locator('#turns > details').first();
export const button = (page: Page, name: string): Locator =>
  page.getByRole('button', { name, exact: true }).last();
/** In the header: whose abilities are imitated, and the language. */
export const role = (page: Page, name: string) => page.locator('#as').selectOption({ label: name });
export async function language(page: Page, tag: string): Promise<void> {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.locator('#locale').selectOption(tag);
  // The page is loaded anew.
  await page.locator(`html[lang=${tag}]`).waitFor();
}
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
