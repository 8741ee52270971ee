import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { z } from 'zod';
import { callerOf, type Guard } from '../http/guard.ts';
import type { Sessions } from '../http/session.ts';

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
  /** The channels. The page itself has the role of staff. */
  readonly roles: readonly Role[];
  /** Each language has its own name. The first one is the default. */
  readonly languages: readonly { readonly tag: string; readonly name: string }[];
  /** The URLs of pictures that replies may have. Browsers load pictures only from their origins. */
  readonly images: readonly string[];
  /** Whether the page has the chat to try, the look inside and the sandbox (`CONSOLE_DEVELOPERS`). */
  readonly showsDevelopers: boolean;
  /** Absent: no sign-in is needed. */
  readonly sessions?: Sessions | undefined;
};

/** Which files of the page are served, and as what. */
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const HTML = 'text/html; charset=utf-8';

const loginSchema = z.object({ token: z.string().max(1000) });

/**
 * The staff console at `/console`: the page to sign in, or a static page without personal data that talks to
 * the staff webhook. The browser gets native modules, without a build.
 */
export function consolePage(
  guard: Pick<Guard, 'page' | 'visitorOf' | 'limitFailures'>,
  { roles, languages, images, sessions, showsDevelopers }: ConsoleParts,
): FastifyPluginAsync {
  const headers = headersOf(images);
  const options = roles.filter(({ name }) => name !== 'staff').map(optionOf);
  const titles = roles.map(({ name, title }) => `<option value="${name}">${escaped(title)}</option>`);
  const spoken = languages.map(({ tag, name }) => `<option value="${tag}">${escaped(name)}</option>`);
  const page = read('index.html')
    .replace('<!-- channels -->', () => options.join(''))
    .replace('<!-- titles -->', () => titles.join(''))
    .replace('<!-- languages -->', () => spoken.join(''))
    // Without a sign-in there is no sign-out.
    .replace('id="account"', () => (sessions ? 'id="account"' : 'id="account" hidden'));
  const shopPage = withoutDevelopers(page);
  const login = read('login.html');
  /** A person of the shop opens the inbox and nothing else. */
  const pageFor = (visitor: ReturnType<Guard['visitorOf']>): string => {
    if (!visitor) return login;
    return showsDevelopers && visitor.person === undefined ? page : shopPage;
  };

  return async (scope) => {
    const send = (reply: FastifyReply, type: string, body: string) =>
      reply.headers(headers).type(type).send(body);

    scope.addHook('onRequest', guard.page);
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 4096 },
      async (_request: unknown, body: string) => Object.fromEntries(new URLSearchParams(body)),
    );
    scope.get('/', async (_request, reply) => reply.redirect(ADDRESS));
    scope.get(ADDRESS, async (request, reply) => send(reply, HTML, pageFor(guard.visitorOf(request))));
    for (const file of readdirSync(PAGE)) {
      const type = TYPES[extname(file)];
      const body = read(file);
      if (type) scope.get(`${ADDRESS}/${file}`, async (_request, reply) => send(reply, type, body));
    }

    scope.post(`${ADDRESS}/login`, async (request, reply) => {
      const { data } = loginSchema.safeParse(request.body);
      const cookie = sessions?.begin(data?.token ?? '', request.protocol === 'https');
      if (sessions && cookie === undefined) {
        const refused = await guard.limitFailures(request, reply);
        return refused ?? send(reply.code(401), HTML, login.replace('id="wrong" hidden', 'id="wrong"'));
      }
      if (cookie) reply.header('set-cookie', cookie);
      return reply.redirect(ADDRESS, 303);
    });
    scope.post(`${ADDRESS}/logout`, async (request, reply) => {
      const cookie = sessions?.end(callerOf(request), request.protocol === 'https');
      if (cookie !== undefined) reply.header('set-cookie', cookie);
      return reply.redirect(ADDRESS, 303);
    });
  };
}

/** What browsers may load: the page's own files, and `images` by their origins. */
function headersOf(images: readonly string[]) {
  const origins = new Set(images.map((url) => new URL(url).origin));
  return {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
      "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
      // The page fetches customers' media itself, and shows them as blobs.
      `media-src blob:; img-src ${["'self'", 'blob:', ...origins].join(' ')}`,
    'cross-origin-resource-policy': 'same-origin',
    // The page's own requests say their origin, and nobody else learns it.
    'referrer-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-cache',
  };
}

const read = (file: string) => lean(readFileSync(new URL(file, PAGE), 'utf8'));

/** A file as browsers get it: without comments on lines of their own and indentation. */
function lean(source: string): string {
  const lines = source.split('\n').map((line) => line.trim());
  return lines.filter((line) => !/^($|\/?\*|\/\/ |<!-- A )/.test(line)).join('\n');
}

/** The page without the parts of developers, which stand between two marks. */
const withoutDevelopers = (html: string): string =>
  html
    .split('<!-- developers -->')
    .filter((_, index) => index % 2 === 0)
    .join('');

function optionOf({ name, title, proof, drawsForms, sharesContacts }: Role): string {
  const does = [drawsForms && ' data-forms', sharesContacts && ' data-contacts'].filter(Boolean).join('');
  return `<option value="${name}" data-proof="${proof}"${does}>${escaped(title)}</option>`;
}

function escaped(text: string): string {
  return text.replace(/[&<"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
