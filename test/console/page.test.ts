import { globSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { consolePage } from '../../src/console/console.ts';
import { describeApi } from '../../src/http/docs.ts';
import type { AccessSettings } from '../../src/http/guard.ts';
import { createSessions } from '../../src/http/session.ts';
import { startKit, TRAITS } from '../channels/staff/kit.ts';

const start = (access: AccessSettings = { sandbox: true }, showsDevelopers = true) => {
  const sessions = access.token ? createSessions(access.token) : undefined;
  const languages = [{ tag: 'vi', name: 'Tiếng Việt' }];
  return startKit({
    access: { ...access, signedIn: sessions?.visitor },
    mount: async (app, guard) => {
      const parts = { roles: TRAITS, languages, images: [], sessions, showsDevelopers };
      app.register(consolePage(guard, parts));
    },
  });
};

const TOKEN = 'a-token-of-some-length';
const folder = new URL('../../src/console/page/', import.meta.url);
const read = (pattern: string) =>
  globSync(pattern, { cwd: folder }).map((file) => readFileSync(new URL(file, folder), 'utf8'));

describe('the console page', () => {
  /** The page with everything that a browser loads for it. */
  async function load(showsDevelopers: boolean) {
    const { url } = await start({ sandbox: true }, showsDevelopers);
    const response = await fetch(`${url}/console`);
    const html = await response.text();
    const paths = new Set([...html.matchAll(/(?:src|href)="(console[^"]+)"/g)].map(([, path = '']) => path));
    const assets: string[] = [];
    // A set goes on with what is added to it meanwhile: what a module imports.
    for (const path of paths) {
      const asset = await fetch(new URL(path, `${url}/console`));
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
      const text = await asset.text();
      for (const [, name] of text.matchAll(/^import [^;]*'\.\/([\w-]+\.js)';$/gm))
        paths.add(`console/${name}`);
      assets.push(text);
    }
    return { html, headers: response.headers, paths, assets };
  }

  it('needs nothing from elsewhere, and nothing inline', async () => {
    const { html, headers, paths, assets } = await load(true);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; media-src blob:; img-src 'self' blob:",
    );
    expect(html).not.toMatch(/<style|style="|\son\w+="|<script(?![^>]* src=)/);
    for (const text of assets)
      expect(text.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
    const files = globSync('*.{css,js,svg}', { cwd: folder }).map((file) => `console/${file}`);
    expect(paths).toEqual(new Set(files));
  });

  it('weighs at most 24 KB gzipped as staff load it, and the parts of developers 6 KB more', async () => {
    const [staff = 0, developers = 0] = await Promise.all(
      [false, true].map(async (showsDevelopers) => {
        const { html, assets } = await load(showsDevelopers);
        return gzipSync([html, ...assets].join('')).byteLength;
      }),
    );
    expect(staff).toBeLessThanOrEqual(24 * 1024);
    expect(developers - staff).toBeLessThanOrEqual(6 * 1024);
  });

  it('has modules of at most 300 lines', () => {
    const lengths = globSync('*.js', { cwd: folder }).map((file) => {
      const source = readFileSync(new URL(file, folder), 'utf8');
      return { file, lines: source.split('\n').length - 1 };
    });
    expect(lengths.filter(({ lines }) => lines > 300)).toEqual([]);
  });

  it('shows the chat to try, the look inside and the API only to developers', async () => {
    const [shown, hidden] = await Promise.all(
      [true, false].map(async (showsDevelopers) => {
        const { url } = await start({ sandbox: true }, showsDevelopers);
        return (await fetch(`${url}/console`)).text();
      }),
    );
    const parts = [
      'id="chat"',
      'id="inside"',
      'id="play"',
      '#chat',
      '#inside',
      '#play',
      'developers.js',
      'API docs',
    ];
    expect(parts.filter((part) => !shown?.includes(part))).toEqual([]);
    expect(parts.filter((part) => hidden?.includes(part))).toEqual([]);
    for (const part of ['id="inbox"', 'id="unclear"', 'inbox.js', '</html>']) expect(hidden).toContain(part);
  });

  it('is served as the staff routes are: open here with the sandbox, or absent; with a token it asks for it', async () => {
    for (const [access, status] of [
      [{ sandbox: true }, 200],
      [{ sandbox: false, token: 'secret' }, 200],
      [{ sandbox: false }, 404],
    ] as const) {
      const { url } = await start(access);
      // Whoever opens the bare address is led to it.
      for (const path of ['/console', '/console/page.js', '/'])
        expect([path, (await fetch(url + path)).status]).toEqual([path, status]);
    }
  });
});

/** A page that asks for the token, and its form to sign in and out. */
async function startSignedOut() {
  const { url } = await start({ sandbox: false, token: TOKEN });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  return {
    url,
    login: (body: string, headers: Record<string, string> = form) =>
      fetch(`${url}/console/login`, { method: 'POST', headers, body, redirect: 'manual' }),
    /** Resolves to the cookie that the answer sets. */
    async logout(headers: Record<string, string>) {
      const answer = await fetch(`${url}/console/logout`, { method: 'POST', redirect: 'manual', headers });
      return answer.headers.get('set-cookie');
    },
    /** The status of a staff route with a cookie. */
    statusWith: async (cookie: string, headers = {}) =>
      (await fetch(`${url}/webhooks/staff/qa/events`, { headers: { cookie, ...headers } })).status,
  };
}

/** The cookie of a session, without its flags. */
const cookieOf = (answer: Response): string => answer.headers.get('set-cookie')?.split('; ')[0] ?? '';

it('signing in takes only the token, and sets a cookie that scripts and other sites cannot use', async () => {
  const { url, login } = await startSignedOut();
  expect(await (await fetch(`${url}/console`)).text()).toContain('action="/console/login"');
  for (const body of ['token=wrong', '', `token=${TOKEN}x`]) expect((await login(body)).status).toBe(401);

  const signedIn = await login(`token=${TOKEN}`);
  expect([signedIn.status, signedIn.headers.get('location')]).toEqual([303, '/console']);
  const [cookie = '', ...flags] = signedIn.headers.get('set-cookie')?.split('; ') ?? [];
  expect(flags).toEqual(['Path=/', 'Max-Age=43200', 'HttpOnly', 'SameSite=Strict']);
  expect(await (await fetch(`${url}/console`, { headers: { cookie } })).text()).toContain('id="inbox"');

  const json = { 'content-type': 'application/json' };
  expect((await login(JSON.stringify({ token: TOKEN }), json)).status).toBe(303);
});

it('a session opens what the token opens; a forged one and one from another site open nothing', async () => {
  const { login, statusWith } = await startSignedOut();
  const cookie = cookieOf(await login(`token=${TOKEN}`));
  expect(await statusWith(`a=b; ${cookie}`)).toBe(200);
  expect(await statusWith(cookie, { 'sec-fetch-site': 'same-site' })).toBe(401);
  const [untilMs = '', signature = ''] = cookie.split('=')[1]?.split('.') ?? [];
  for (const forged of [`${Number(untilMs) + 1}.${signature}`, `1.${signature}`, untilMs, ''])
    expect([forged, await statusWith(`staff_session=${forged}`)]).toEqual([forged, 401]);
});

it('signing out ends the session, but not from another site', async () => {
  const { login, logout } = await startSignedOut();
  const cookie = cookieOf(await login(`token=${TOKEN}`));
  expect(await logout({ cookie })).toMatch(/^staff_session=; Path=\/; Max-Age=0;/);
  // Browsers send the form of another site's page without the cookie.
  expect(await logout({ 'sec-fetch-site': 'cross-site' })).toBeNull();
});

it('a session ends after twelve hours; over https its cookie is for https only', () => {
  const sessions = createSessions(TOKEN);
  const setCookie = sessions.begin(TOKEN, true) ?? '';
  expect(setCookie).toMatch(/; Secure$/);
  const isIn = () =>
    sessions.visitor({ peer: undefined, headers: { cookie: setCookie.split(';', 1)[0] } }) !== undefined;
  expect(isIn()).toBe(true);
  const inTwelveHours = Date.now() + 43_200_000;
  vi.spyOn(Date, 'now').mockReturnValue(inTwelveHours - 60_000);
  expect(isIn()).toBe(true);
  vi.spyOn(Date, 'now').mockReturnValue(inTwelveHours);
  expect(isIn()).toBe(false);
  vi.restoreAllMocks();
});

it('wrong tokens at the page to sign in are limited', async () => {
  const { login } = await startSignedOut();
  const wrong = await Promise.all(Array.from({ length: 40 }, () => login('token=wrong')));
  expect(new Set(wrong.map(({ status }) => status))).toEqual(new Set([401, 429]));
});

it('the API page has every part from here, under a strict policy, describes the staff webhook, and wants the token', async () => {
  const { url } = await startKit({
    access: { sandbox: false, token: TOKEN },
    mount: async (app, guard) => {
      await describeApi(app, guard);
      app.get('/plain', { schema: { response: { 200: { type: 'string' } } } }, async () => 'plain');
    },
  });
  const get = (path: string) =>
    fetch(new URL(path, `${url}/docs`), { headers: { authorization: `Bearer ${TOKEN}` } });
  const document: unknown = await (await get('/docs/json')).json();
  expect(document).toMatchObject({ openapi: '3.1.0', info: { version: manifest.version } });
  expect(document).toHaveProperty(['paths', '/webhooks/staff', 'post']);
  expect(document).toHaveProperty(['paths', '/webhooks/staff/{conversation}/events', 'get']);
  for (const path of ['/plain', '/docs']) expect(document).not.toHaveProperty(['paths', path]);

  const page = await get('/docs');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self';");
  expect(page.headers.get('content-security-policy')).not.toMatch(/unsafe|https:/);
  const assets = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  expect(assets.length).toBeGreaterThan(4);
  for (const path of [...assets, '/docs', '/docs/json']) {
    const { status, headers } = await get(path);
    expect([path, status]).toEqual([path, 200]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cache-control')).toBe('no-store');
  }
  for (const path of ['/docs', '/docs/json', '/docs/static/swagger-ui.css'])
    expect((await fetch(url + path)).status).toBe(401);
});

it('says each word in Vietnamese, too', () => {
  const page = read('*.html').join('');
  const script = read('*.js').join('\n');
  // A mark of its own for the text and each attribute that is read; what is no language needs none.
  const texts = [...page.matchAll(/<(\w+)([^>]*)>([^<]*\p{L}[^<]*)</gu)].filter(([, tag]) => tag !== 'title');
  expect(texts.filter(([, , attributes = '']) => !attributes.includes('data-vi='))).toEqual([]);
  const named = [...page.matchAll(/<[^>]* (?:aria-label|placeholder|title|data-name)="[^"]+"[^>]*>/g)].map(
    String,
  );
  expect(named.filter((tag) => !/data-vi-(label|hint|title|name)="[^"]/.test(tag))).toEqual([]);
  const words = [...script.matchAll(/\bword\(\s*('[^']+')(,\s*'[^']+')?/g)];
  expect(words.length).toBeGreaterThan(50);
  expect(words.flatMap(([, english, vietnamese]) => (vietnamese ? [] : [english]))).toEqual([]);
});
