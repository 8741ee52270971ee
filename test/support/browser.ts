import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where `npm run setup` finds or puts Chromium. */
const PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** A Chromium that makes no requests except those of a page. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = PATHS.find((path) => existsSync(path));
  if (executablePath === undefined) throw new Error('Chromium is missing: npm run setup');
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    // Otherwise Chromium ends when the process that draws has ended six times, as it may on a busy machine.
    '--in-process-gpu',
    '--disable-background-networking',
  ];
  return chromium.launch({ executablePath, args });
}

/**
 * `faults`: whatever the page complained about (console errors, CSP violations, exceptions) or asked of
 * elsewhere.
 */
type Watched = { readonly page: Page; readonly faults: string[] };

export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ locale: 'vi', ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !/^(data|blob):/.test(url)) faults.push(`asked elsewhere: ${url}`);
  });
  return { page, faults };
}
