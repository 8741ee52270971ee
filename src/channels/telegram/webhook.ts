import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { StoreUnavailable } from '../../turns/mailbox.ts';
import type { Limit } from '../shared/limits.ts';
import { comeLater, problem } from '../shared/problem.ts';
import { ROUTE } from './registration.ts';
import { parseUpdate, type Update } from './update.ts';

/** An update has a few kilobytes; the largest texts and entities come nowhere near. */
const BODY_LIMIT = 256 * 1024;

/** Telegram waits as long as told, 1 to this many seconds, at random so that the updates do not come back as one wave. */
const MAX_RETRY_AFTER_S = 5;

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
    // Whatever the content type says: what is no JSON is refused by the handler.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, body, done) =>
      done(null, parseJson(body)),
    );

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
        try {
          await receive(update);
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
          const afterS = 1 + Math.floor(Math.random() * MAX_RETRY_AFTER_S);
          return comeLater(reply, 503, 'The update cannot be stored now.', afterS);
        }
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
