import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import type { Limit } from '../../http/limits.ts';
import { problem } from '../../http/problem.ts';
import { takePlatformRequests } from '../platform-request.ts';
import { ROUTE } from './registration.ts';
import { parseUpdate, type Update } from './update.ts';

/** An update has a few kilobytes; the largest texts and entities come nowhere near. */
const BODY_LIMIT = 256 * 1024;

export type WebhookOptions = {
  readonly secret: string;
  /** Resolves once the update is stored or needs no answer; rejects with `StoreUnavailable`. */
  readonly receive: (update: Update) => Promise<unknown>;
  /** For requests without the secret; Telegram's own are never limited. */
  readonly limit: Limit;
  /** A request was turned away: a wrong secret, or no update. */
  readonly onRefused: () => void;
};

/** The route that Telegram calls (docs/design.md, "A turn"). The answer's body is never a method call: replies leave from the outbox. */
export function createWebhook({ secret, receive, limit, onRefused }: WebhookOptions): FastifyPluginAsync {
  const isSecret = createComparison(secret);

  return async (app) => {
    takePlatformRequests(app);
    app.post(ROUTE, {
      bodyLimit: BODY_LIMIT,
      // Before the body is read, let alone parsed.
      async onRequest(request, reply) {
        if (isSecret(request.headers['x-telegram-bot-api-secret-token'])) return;
        onRefused();
        const limited = await limit(request, reply);
        return limited ?? problem(reply, 401, 'Unauthorized', 'The secret token is missing or wrong.');
      },
      async handler({ body }, reply) {
        const update = parseUpdate(body);
        if (!update) {
          onRefused();
          return problem(reply, 400, 'Bad Request', 'The body is no JSON object with an integer update_id.');
        }
        await receive(update);
        return reply.code(200).send();
      },
    });
  };
}

/** Compares in constant time; the hashes make the lengths equal. */
function createComparison(secret: string): (given: unknown) => boolean {
  const digest = (text: string) => hash('sha256', text, 'buffer');
  const wanted = digest(secret);
  return (given) => typeof given === 'string' && timingSafeEqual(digest(given), wanted);
}
