import { globSync, readFileSync } from 'node:fs';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { consolePage } from '../../src/console/console.ts';
import { type KitOptions, startKit, TRAITS } from '../channels/staff/kit.ts';

const start = (access: KitOptions['access'] = { sandbox: true }) =>
  startKit({
    access,
    mount: async (app, guard) => {
      const languages = [
        { tag: 'vi', name: 'Tiếng Việt', flows: {} },
        { tag: 'en', name: 'English', flows: {} },
      ];
      await app.register(consolePage(guard.page, { roles: TRAITS, languages, images: [] }));
    },
  });

const folder = new URL('../../src/console/page/', import.meta.url);
const words = z.record(z.string(), z.string());
const { WORDS } = z
  .object({ WORDS: z.object({ vi: words, en: words }) })
  .parse(await import(new URL('words.js', folder).href));
const read = (pattern: string) =>
  globSync(pattern, { cwd: folder }).map((file) => readFileSync(new URL(file, folder), 'utf8'));
const page = read('index.html').join('');
const script = read('*.js')
  .filter((source) => !source.includes('export const WORDS'))
  .join('\n');

describe('the console page', () => {
  it('needs nothing from elsewhere, nothing inline, and weighs under 60 KB', async () => {
    const { url } = await start();
    const response = await fetch(`${url}/console`);
    const html = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(html).not.toMatch(/<style|style="|\son\w+="|<script(?![^>]* src=)/);
    const paths = new Set([...html.matchAll(/(?:src|href)="(console[^"]+)"/g)].map(([, path = '']) => path));
    let bytes = Buffer.byteLength(html);
    // A set goes on with what is added to it meanwhile: what a module imports.
    for (const path of paths) {
      const asset = await fetch(new URL(path, `${url}/console`));
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
      const text = await asset.text();
      expect(text.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:\/\//);
      for (const [, name] of text.matchAll(/^import [^;]*'\.\/([\w-]+\.js)';$/gm))
        paths.add(`console/${name}`);
      bytes += Buffer.byteLength(text);
    }
    expect([...paths].toSorted()).toEqual(
      globSync('*.{css,js,svg}', { cwd: folder })
        .map((file) => `console/${file}`)
        .toSorted(),
    );
    expect(bytes).toBeLessThan(60_000);
  });

  it('is kept by the browser, which asks whether it changed', async () => {
    const { url } = await start();
    for (const path of ['/console', '/console/console.js', '/console/style.css', '/console/mark.svg']) {
      const first = await fetch(`${url}${path}`);
      expect(first.headers.get('cache-control')).toBe('no-cache');
      // `fetch` would add that nothing may be taken from a cache.
      const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
      const again = await request(`${url}${path}`, { headers });
      expect([again.statusCode, await again.body.text()]).toEqual([304, '']);
    }
  });

  it.each([
    ['open to this machine with the sandbox', { sandbox: true }, 200],
    ['served where a token is set: it asks for it', { sandbox: false, token: 'secret' }, 200],
    ['absent where staff access is off', { sandbox: false }, 404],
    ['absent to the public without a token', { sandbox: true, publicUrl: 'https://bot.example' }, 404],
  ])('is %s', async (_name, access, status) => {
    const { url } = await start(access);
    expect((await fetch(`${url}/console`)).status).toBe(status);
    expect((await fetch(`${url}/console/console.js`)).status).toBe(status);
    // Whoever opens the bare address wants to see something.
    expect((await fetch(url)).status).toBe(status);
    const bare = await fetch(url, { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual(
      status === 200 ? [302, '/console'] : [404, null],
    );
  });

  it('loses nothing with its indentation and its comments', async () => {
    const texts = [...script.matchAll(/`[^`]*`/g)].map(([text]) => text);
    expect(texts.filter((text) => text.includes('\n'))).toEqual([]);
    const { url } = await start();
    for (const file of globSync('*.js', { cwd: folder })) {
      const sent = (await (await fetch(`${url}/console/${file}`)).text()).split('\n');
      const written = readFileSync(new URL(file, folder), 'utf8').split('\n');
      const changed = written.flatMap((line, at) =>
        line.trim() === sent[at] ? [] : [[line.trim(), sent[at]]],
      );
      expect(changed.filter(([line = '', left]) => left !== '' || !/^(\/\/|\/?\*)/.test(line))).toEqual([]);
    }
  });

  it('serves its own files only', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/console/..%2fconsole.ts`)).status).toBe(404);
    expect((await fetch(`${url}/console/.%2e/console.ts`)).status).toBe(404);
    expect((await fetch(`${url}/console/index.html`)).status).toBe(404);
  });
});

/** Names put together from what the webhook says. */
const PREFIXES = /^(?:faults|reset|state|step|type|status|kind|who)\./;

describe('its words', () => {
  it('are there in both languages', () => {
    expect(Object.entries(WORDS.en).filter(([name, word]) => !word || !WORDS.vi[name])).toEqual([]);
  });

  it('are all used', () => {
    const unused = Object.keys(WORDS.vi).filter(
      (name) => !page.includes(`="${name}"`) && !script.includes(`'${name}'`) && !PREFIXES.test(name),
    );
    expect(unused).toEqual([]);
  });

  it('are there for all that asks for them', () => {
    const inPage = [...page.matchAll(/data-(?:word|label|hint)="([^"]+)"/g)].map(([, name]) => name);
    const inScript = [
      ...script.matchAll(/(?:word|part)\('([^']+)'[,)]/g),
      ...script.matchAll(/worded\('\w+', '[^']*', '([^']+)'/g),
    ].map(([, name]) => name);
    const missing = [...inPage, ...inScript].filter((name) => !Object.hasOwn(WORDS.vi, String(name)));
    expect(missing).toEqual([]);
  });

  it('stand in the page before the script runs', () => {
    const shown = [...page.matchAll(/data-word="([^"]+)"[^>]*>([^<]*)</g)].map(([, name, text]) => [
      name,
      text,
    ]);
    expect(shown).toEqual(shown.map(([name = '']) => [name, WORDS.vi[name]]));
  });
});
