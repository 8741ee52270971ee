import { readFile } from 'node:fs/promises';
import type { FastifyPluginAsync } from 'fastify';
import type { Guard } from './channels/staff/access.ts';

/**
 * Every file of the page: where it is served, as what, and what it is made of. Nothing else is served. Scripts stand in
 * the order of their imports.
 */
const FILES = [
  { url: '/console', type: 'text/html; charset=utf-8', parts: ['index.html'] },
  {
    url: '/console/console.css',
    type: 'text/css; charset=utf-8',
    parts: ['base.css', 'frame.css', 'chat.css', 'panels.css'],
  },
  {
    url: '/console/console.js',
    type: 'text/javascript; charset=utf-8',
    parts: [
      'words.js',
      'page.js',
      'webhook.js',
      'conversation.js',
      'transcript.js',
      'inside.js',
      'script.js',
      'play.js',
      'console.js',
    ],
  },
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

/**
 * The staff console at `/console`: a static page without personal data, which talks to the staff webhook. Its sources
 * are small modules; the browser gets one page, one style sheet and one script, joined when the process starts.
 */
export function consolePage(guard: Pick<Guard, 'page'>): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook('onRequest', guard.page);
    scope.get('/', async (_request, reply) => reply.redirect('/console'));
    for (const { url, type, parts } of FILES) {
      const content = joined(await Promise.all(parts.map(read)));
      scope.get(url, async (_request, reply) => reply.headers(HEADERS).type(type).send(content));
    }
  };
}

function read(file: string): Promise<string> {
  return readFile(new URL(`console/${file}`, import.meta.url), 'utf8');
}

/**
 * Joined modules share one scope: what they import from each other is there already. Comments are for whoever reads the
 * sources and are not sent.
 */
function joined(sources: readonly string[]): string {
  return sources
    .map((source) => source.replace(/^import [^;]*;\n|^ *\/\*[\s\S]*?\*\/\n|^export (?=\w)/gm, ''))
    .join('\n');
}
