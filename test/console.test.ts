import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { consolePage } from '../src/console.ts';
import { type KitOptions, startKit } from './channels/staff/kit.ts';

const start = (access: KitOptions['access'] = { sandbox: true }) =>
  startKit({
    access,
    mount: async (app, guard) => {
      await app.register(consolePage(guard));
    },
  });

const folder = new URL('../src/console/', import.meta.url);
const words = z.record(z.string(), z.string());
const { WORDS } = z
  .object({ WORDS: z.object({ vi: words, en: words }) })
  .parse(await import(new URL('words.js', folder).href));
const page = await readFile(new URL('index.html', folder), 'utf8');
const script = await readFile(new URL('console.js', folder), 'utf8');

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
    const assets = new Set([
      'console/words.js',
      ...[...html.matchAll(/(?:src|href)="(console[^"]+)"/g)].map(([, path = '']) => path),
    ]);
    let bytes = html.length;
    for (const path of assets) {
      const asset = await fetch(new URL(path, `${url}/console`));
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
      const text = await asset.text();
      expect(text).not.toMatch(/https?:\/\//);
      bytes += text.length;
    }
    expect(bytes).toBeLessThan(60_000);
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
  });

  it('serves its own files only', async () => {
    const { url } = await start();
    expect((await fetch(`${url}/console/../console.ts`)).status).toBe(404);
    expect((await fetch(`${url}/console/index.html`)).status).toBe(404);
  });
});

describe('its words', () => {
  it('are the same ones in both languages', () => {
    expect(Object.keys(WORDS.en)).toEqual(Object.keys(WORDS.vi));
  });

  it('are all used, and none is missing', () => {
    const inPage = [...page.matchAll(/data-(?:word|label|hint)="([^"]+)"/g)].map(([, name]) => name);
    const inScript = [...script.matchAll(/(?:word|status)\('([^']+)'\)/g)].map(([, name]) => name);
    expect([...new Set([...inPage, ...inScript])].sort()).toEqual(Object.keys(WORDS.vi).sort());
  });

  it('stand in the page before the script runs', () => {
    const shown = [...page.matchAll(/data-word="([^"]+)"[^>]*>([^<]*)</g)].map(([, name, text]) => [
      name,
      text,
    ]);
    expect(shown).toEqual(shown.map(([name = '']) => [name, WORDS.vi[name]]));
  });
});
