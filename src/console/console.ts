import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyInstance, FastifyPluginAsync, onRequestAsyncHookHandler } from 'fastify';

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

/** A language that the bot speaks, by its tag and its own name; `flows`: what the bot calls its flows in it. */
export type Language = {
  readonly tag: string;
  readonly name: string;
  readonly flows: Readonly<Record<string, string>>;
};

export type ConsoleParts = {
  /** The channels; staff themselves stand in the page. */
  readonly roles: readonly Role[];
  /** The first one is chosen. */
  readonly languages: readonly Language[];
  /** The URLs of pictures that replies may have; no others' origin is asked. */
  readonly images: readonly string[];
};

const headersFor = (images: readonly string[]) => ({
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    `img-src ${["'self'", ...new Set(images.map((url) => new URL(url).origin))].join(' ')}; ` +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
});

/** Which files of the page are served, and as what. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The staff console at `/console`: a static page without personal data, which talks to the staff webhook. The browser
 * gets the sources (but for `lean`), native modules without a build; it keeps them and asks each time whether they changed
 * (`ETag`). `guard` ends requests of everybody else.
 */
export function consolePage(
  guard: onRequestAsyncHookHandler,
  { roles, languages, images }: ConsoleParts,
): FastifyPluginAsync {
  const headers = headersFor(images);
  const options = roles.filter(({ name }) => name !== 'staff').map(optionOf);
  const page = readFileSync(new URL('index.html', PAGE), 'utf8')
    .replace('<!-- channels -->', () => options.join(''))
    .replace('<!-- languages -->', () => languages.map(radioOf).join('\n'));

  return async (scope) => {
    scope.addHook('onRequest', guard);
    scope.get('/', async (_request, reply) => reply.redirect(ADDRESS));
    serve(scope, headers, ADDRESS, 'text/html; charset=utf-8', page);
    for (const file of readdirSync(PAGE)) {
      const type = TYPES[extname(file)];
      if (type) serve(scope, headers, `${ADDRESS}/${file}`, type, readFileSync(new URL(file, PAGE), 'utf8'));
    }
  };
}

/** Indentation and scripts' comments are for readers of the source; the browser gets every other line as it is. */
function lean(source: string, type: string): string {
  const flat = source.replace(/^ +/gm, '');
  return type === TYPES['.js'] ? flat.replace(/^(?:\/\/|\/\*|\*).*/gm, '') : flat;
}

function serve(
  scope: FastifyInstance,
  common: Readonly<Record<string, string>>,
  path: string,
  type: string,
  source: string,
): void {
  const body = lean(source, type);
  const etag = `"${hash('sha256', body, 'base64url')}"`;
  scope.get(path, async ({ headers }, reply) => {
    reply.headers({ ...common, 'cache-control': 'no-cache', etag });
    // A proxy that compresses makes the tag a weak one.
    if (headers['if-none-match']?.replace(/^W\//, '') === etag) return reply.code(304).send();
    return reply.type(type).send(body);
  });
}

function radioOf({ tag, name, flows }: Language, at: number): string {
  const checked = at === 0 ? ' checked' : '';
  const names = escaped(JSON.stringify(flows));
  return `<label><input type="radio" name="locale" value="${tag}" data-flows="${names}"${checked} /><span lang="${tag}" title="${escaped(name)}">${tag.toUpperCase()}</span></label>`;
}

function optionOf({ name, title, proof, drawsForms, sharesContacts }: Role): string {
  const does = [drawsForms && ' data-forms', sharesContacts && ' data-contacts'].filter(Boolean).join('');
  return `<label><input type="radio" name="as" value="${name}" data-proof="${proof}"${does} /><span>${escaped(title)}</span></label>`;
}

function escaped(text: string): string {
  return text.replace(/[&<"]/g, (one) => `&#${one.charCodeAt(0)};`);
}
