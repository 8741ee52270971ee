import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { consolePage } from '../../src/console/console.ts';
import { type KitOptions, startKit, TRAITS } from '../channels/staff/kit.ts';

const start = (access: KitOptions['access'] = { sandbox: true }) =>
  startKit({
    access,
    mount: async (app, guard) => {
      const languages = [
        { tag: 'vi', name: 'Tiếng Việt' },
        { tag: 'en', name: 'English' },
      ];
      await app.register(consolePage(guard.page, { roles: TRAITS, languages, images: [] }));
    },
  });

const folder = new URL('../../src/console/page/', import.meta.url);
const { VI } = z
  .object({ VI: z.record(z.string(), z.string().min(1)) })
  .parse(await import(new URL('words.js', folder).href));
const read = (pattern: string) =>
  globSync(pattern, { cwd: folder }).map((file) => readFileSync(new URL(file, folder), 'utf8'));
const page = read('index.html').join('');
const script = read('*.js')
  .filter((source) => !source.includes('export const VI'))
  .join('\n');

describe('the console page', () => {
  it('needs nothing from elsewhere, nothing inline, and weighs under 45 KB', async () => {
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
    expect(bytes).toBeLessThan(45_000);
  });

  it.each([
    ['open to this machine with the sandbox', { sandbox: true }, 200],
    ['served where a token is set: it asks for it', { sandbox: false, token: 'secret' }, 200],
    ['absent where staff access is off', { sandbox: false }, 404],
    ['absent to the public without a token', { sandbox: true, publicUrl: 'https://bot.example' }, 404],
  ])('is %s', async (_name, access, status) => {
    const { url } = await start(access);
    expect((await fetch(`${url}/console`)).status).toBe(status);
    expect((await fetch(`${url}/console/page.js`)).status).toBe(status);
    // Whoever opens the bare address wants to see something.
    expect((await fetch(url)).status).toBe(status);
    const bare = await fetch(url, { redirect: 'manual' });
    expect([bare.status, bare.headers.get('location')]).toEqual(
      status === 200 ? [302, '/console'] : [404, null],
    );
  });

  it('serves its own files only', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/console/..%2fconsole.ts`)).status).toBe(404);
    expect((await fetch(`${url}/console/.%2e/console.ts`)).status).toBe(404);
    expect((await fetch(`${url}/console/index.html`)).status).toBe(404);
  });
});

describe('its words', () => {
  /** What the page says in English: marked elements and attributes. */
  const inPage = [
    ...[...page.matchAll(/data-word>([^<]+)</g)].map(([, text]) => text),
    ...[...page.matchAll(/(?:aria-label|placeholder|title)="([^"]+)" data-/g)].map(([, text]) => text),
  ];
  const inScript = [
    ...script.matchAll(/(?:word|say|partOf|bubbleOf\('\w+', )\(?'([^']+)'/g),
    ...script.matchAll(/(?:token|contact|profile): '([^']+)'/g),
    ...script.matchAll(/(?:code|phone|email): \['([^']+)'/g),
    ...script.matchAll(/'([^']+)': \{ call:/g),
    ...script.matchAll(/\? '([^']+)' : '[^']+…'/g),
    ...script.matchAll(/change\('\w+', [^']+, '([^']+)'/g),
  ].map(([, text]) => text);
  const said = new Set([...inPage, ...inScript]);

  it('are there in Vietnamese, too', () => {
    expect([...said].filter((text) => !Object.hasOwn(VI, String(text)))).toEqual([]);
  });

  it('are all used', () => {
    const source = page + script;
    expect(Object.keys(VI).filter((text) => !source.includes(`'${text}'`) && !inPage.includes(text))).toEqual(
      [],
    );
  });
});
