import { fileURLToPath } from 'node:url';
import statics from '@fastify/static';
import type { FastifyPluginAsync, FastifyReply, onRequestAsyncHookHandler } from 'fastify';

const PAGE = fileURLToPath(new URL('page/', import.meta.url));

const ADDRESS = '/console';

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
 * (`ETag`). `guard` ends requests of everybody else.
 */
export function consolePage(guard: onRequestAsyncHookHandler): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook('onRequest', guard);
    await scope.register(statics, {
      root: PAGE,
      prefix: `${ADDRESS}/`,
      index: false,
      // The page itself has one address, which its links are relative to.
      allowedPath: (path, _root, { routeOptions }) =>
        /\.(?:css|js)$/.test(path) || routeOptions.url === ADDRESS,
      cacheControl: false,
      setHeaders: (reply: FastifyReply) => void reply.headers({ ...HEADERS, 'cache-control': 'no-cache' }),
    });
    scope.get('/', async (_request, reply) => reply.redirect(ADDRESS));
    scope.get(ADDRESS, async (_request, reply) => reply.sendFile('index.html'));
  };
}
