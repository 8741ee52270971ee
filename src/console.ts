import { readFile } from 'node:fs/promises';
import type { FastifyPluginAsync } from 'fastify';
import type { Guard } from './channels/staff/access.ts';

/** Every file of the page: where it is served, and as what. Nothing else is. */
const FILES = [
  { url: '/console', file: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/console/console.css', file: 'console.css', type: 'text/css; charset=utf-8' },
  { url: '/console/console.js', file: 'console.js', type: 'text/javascript; charset=utf-8' },
  { url: '/console/words.js', file: 'words.js', type: 'text/javascript; charset=utf-8' },
] as const;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};

/** The staff console at `/console`: a static page without personal data, which talks to the staff webhook. */
export function consolePage(guard: Pick<Guard, 'page'>): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook('onRequest', guard.page);
    for (const { url, file, type } of FILES) {
      const content = await readFile(new URL(`console/${file}`, import.meta.url));
      scope.get(url, async (_request, reply) => reply.headers(HEADERS).type(type).send(content));
    }
  };
}
