import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyPluginAsync, onRequestAsyncHookHandler } from 'fastify';

const PAGE = new URL('page/', import.meta.url);
const ADDRESS = '/console';

/** The part of a channel that the page must know to play its customer. */
export type Role = {
  readonly name: string;
  readonly title: string;
  readonly proof: string;
  readonly drawsForms: boolean;
  readonly sharesContacts: boolean;
};

export type ConsoleParts = {
  /** The channels; staff themselves stand in the page. */
  readonly roles: readonly Role[];
  /** Each by its own name; the first one is chosen. */
  readonly languages: readonly { readonly tag: string; readonly name: string }[];
  /** The URLs of pictures that replies may have; no others' origin is asked. */
  readonly images: readonly string[];
};

/** Which files of the page are served, and as what. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The staff console at `/console`: a static page without personal data, which talks to the staff webhook. The browser
 * gets the sources, native modules without a build. `guard` ends requests of everybody else.
 */
export function consolePage(guard: onRequestAsyncHookHandler, parts: ConsoleParts): FastifyPluginAsync {
  const origins = new Set(parts.images.map((url) => new URL(url).origin));
  const headers = {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
      `img-src ${["'self'", ...origins].join(' ')}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  };
  const read = (file: string) => readFileSync(new URL(file, PAGE), 'utf8');
  const options = parts.roles.filter(({ name }) => name !== 'staff').map(optionOf);
  const languages = parts.languages.map(
    ({ tag, name }) => `<option value="${tag}">${escaped(name)}</option>`,
  );
  const page = read('index.html')
    .replace('<!-- channels -->', () => options.join(''))
    .replace('<!-- languages -->', () => languages.join(''));

  return async (scope) => {
    const serve = (path: string, type: string, body: string) =>
      scope.get(path, async (_request, reply) => reply.headers(headers).type(type).send(body));

    scope.addHook('onRequest', guard);
    scope.get('/', async (_request, reply) => reply.redirect(ADDRESS));
    serve(ADDRESS, 'text/html; charset=utf-8', page);
    for (const file of readdirSync(PAGE)) {
      const type = TYPES[extname(file)];
      if (type) serve(`${ADDRESS}/${file}`, type, read(file));
    }
  };
}

function optionOf({ name, title, proof, drawsForms, sharesContacts }: Role): string {
  const does = [drawsForms && ' data-forms', sharesContacts && ' data-contacts'].filter(Boolean).join('');
  return `<option value="${name}" data-proof="${proof}"${does}>${escaped(title)}</option>`;
}

function escaped(text: string): string {
  return text.replace(/[&<"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
