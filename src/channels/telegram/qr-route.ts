import type { FastifyPluginAsync, onRequestAsyncHookHandler } from 'fastify';
import { z } from 'zod';
import { problem } from '../shared/problem.ts';
import { linkWithCode } from './link.ts';
import { drawSvg } from './qr.ts';
import { TELEGRAM } from './traits.ts';

const querySchema = z.object({ code: z.string().min(1).max(200) });

/** `GET /telegram/qr?code=…`, for the staff console: the QR code of a code's deep link, as SVG. */
export function qrRoute(guard: onRequestAsyncHookHandler, username: () => string): FastifyPluginAsync {
  return async (scope) => {
    scope.addHook('onRequest', guard);
    scope.get(`/${TELEGRAM.qrPath}`, async ({ query }, reply) => {
      const { data } = querySchema.safeParse(query);
      if (!data) return problem(reply, 400, 'Bad Request', 'A code is wanted: ?code=…');
      if (username() === '')
        return problem(reply, 503, 'Service Unavailable', 'Telegram has not told the bot its name.');
      const link = linkWithCode(username(), data.code);
      if (link === undefined) return problem(reply, 400, 'Bad Request', 'The code is too long for a link.');
      return reply
        .type('image/svg+xml')
        .header('cache-control', 'no-store')
        .send(await drawSvg(link));
    });
  };
}
