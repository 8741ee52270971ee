import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import statics from '@fastify/static';
import type { FastifyPluginAsync, FastifyReply, onRequestAsyncHookHandler } from 'fastify';

const PAGE = fileURLToPath(new URL('page/', import.meta.url));

const ADDRESS = '/console';

/** The part of a channel that the page must know to play its customer. */
export type Role = {
  readonly name: string;
  readonly title: string;
  readonly proof: string;
  readonly drawsForms: boolean;
  readonly sharesContacts: boolean;
  readonly qrPath?: string;
};

/** A language that the bot speaks, by its tag and its own name. */
export type Language = { readonly tag: string; readonly name: string };

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/**
 * The staff console at `/console`: a static page without personal data, which talks to the staff webhook. The browser
 * gets the sources as they are, native modules without a build; it keeps them and asks each time whether they changed
 * (`ETag`). `guard` ends requests of everybody else. `roles`: the channels; staff themselves stand in the page. The first
 * of the `languages` is chosen.
 */
export function consolePage(
  guard: onRequestAsyncHookHandler,
  roles: readonly Role[],
  languages: readonly Language[],
): FastifyPluginAsync {
  const options = roles.filter(({ name }) => name !== 'staff').map(optionOf);
  const links = roles.map(({ qrPath }) => qrPath && `<a class="qr" href="${qrPath}">QR</a>`).filter(Boolean);
  const page = readFileSync(new URL('page/index.html', import.meta.url), 'utf8')
    .replace('<!-- channels -->', () => options.join(''))
    .replace('<!-- qr -->', () => links.join(''))
    .replace('<!-- languages -->', () => languages.map(radioOf).join('\n'))
    // Indentation is for readers of the source.
    .replace(/\n +/g, '\n');
  const etag = `"${hash('sha256', page, 'base64url')}"`;

  return async (scope) => {
    scope.addHook('onRequest', guard);
    await scope.register(statics, {
      root: PAGE,
      prefix: `${ADDRESS}/`,
      index: false,
      // The page itself has one address, which its links are relative to.
      allowedPath: (path) => /\.(?:css|js)$/.test(path),
      cacheControl: false,
      setHeaders: (reply: FastifyReply) => void reply.headers({ ...HEADERS, 'cache-control': 'no-cache' }),
    });
    scope.get('/', async (_request, reply) => reply.redirect(ADDRESS));
    scope.get(ADDRESS, async ({ headers }, reply) => {
      reply.headers({ ...HEADERS, 'cache-control': 'no-cache', etag });
      // A proxy that compresses makes the tag a weak one.
      if (headers['if-none-match']?.replace(/^W\//, '') === etag) return reply.code(304).send();
      return reply.type('text/html; charset=utf-8').send(page);
    });
  };
}

function radioOf({ tag, name }: Language, at: number): string {
  const checked = at === 0 ? ' checked' : '';
  return `<label><input type="radio" name="locale" value="${tag}"${checked} /><span lang="${tag}" title="${escaped(name)}">${tag.toUpperCase()}</span></label>`;
}

function optionOf({ name, title, proof, drawsForms, sharesContacts }: Role): string {
  const does = [drawsForms && ' data-forms', sharesContacts && ' data-contacts'].filter(Boolean).join('');
  return `<label><input type="radio" name="as" value="${name}" data-proof="${proof}"${does} /><span>${escaped(title)}</span></label>`;
}

function escaped(text: string): string {
  return text.replace(/[&<"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
