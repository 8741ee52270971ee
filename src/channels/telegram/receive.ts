import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { z } from 'zod';
import type { Limit } from '../../http/limits.ts';
import { problem } from '../../http/problem.ts';
import type { Log } from '../../observability/log.ts';
import { takePlatformRequests } from '../platform-request.ts';
import { pause } from '../watch.ts';
import { ALLOWED_UPDATES } from './address.ts';
import { type Answer, type Client, type Patience, persist, waitAfter } from './client.ts';
import { ROUTE } from './registration.ts';
import { parseUpdate, type Update } from './update.ts';

/** Resolves once the update is stored or needs no answer; rejects where it could not be stored. */
export type Receive = (update: Update) => Promise<unknown>;

/** An update has a few kilobytes; the largest texts and entities come nowhere near. */
const BODY_LIMIT = 256 * 1024;

export type WebhookOptions = {
  readonly secret: string;
  readonly receive: Receive;
  /** For requests without the secret; Telegram's own are never limited. */
  readonly limit: Limit;
  /** A request was turned away: a wrong secret, or no update. */
  readonly onRefused: () => void;
};

/** The route that Telegram calls (docs/how-it-works.md, "A message"). The answer's body is never a method call: replies leave from the outbox. */
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

/** How long Telegram may hold an empty answer back, s. */
const POLL_S = 50;
/** On top of that for the answer to arrive, ms. */
const SLACK_MS = 10_000;
/** Stopping waits this long for Telegram to note what was taken, ms. */
const CONFIRM_MS = 2_000;
/** Of one answer; Telegram's maximum. */
const MAX_UPDATES = 100;

const updatesSchema = z.array(z.unknown());

/**
 * Fetches updates one after the other, until `patience.signal` is aborted; in place of the webhook, which is removed.
 * `onAnswer` is told of every answer. An update that could not be stored and all after it are fetched again.
 */
export async function poll(
  client: Pick<Client, 'call'>,
  receive: Receive,
  patience: Patience,
  log: Log,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const { signal, pauseMs } = patience;
  await persist(() => client.call('deleteWebhook', {}, { signal }), patience);
  const wanted = { timeout: POLL_S, limit: MAX_UPDATES, allowed_updates: ALLOWED_UPDATES };
  const limits = { signal, timeoutMs: POLL_S * 1000 + SLACK_MS };
  let offset = 0;
  for (let failures = 0; !signal.aborted; ) {
    const answer = await client.call('getUpdates', { ...wanted, offset }, limits);
    if (signal.aborted) break;
    onAnswer(answer);
    try {
      if (!answer.ok) throw new Error(answer.why);
      for (const update of updatesSchema.parse(answer.result).map(parseUpdate)) {
        if (!update) continue;
        await receive(update);
        offset = update.update_id + 1;
      }
      failures = 0;
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown';
      log.warn({ why }, 'polling Telegram failed, trying again');
      await pause(waitAfter(answer, failures++, pauseMs), signal);
    }
  }
  // Otherwise Telegram would send the last ones again, and after a restart the embedded store does not know them any more.
  if (offset === 0) return;
  await client.call('getUpdates', { timeout: 0, limit: 1, offset }, { timeoutMs: CONFIRM_MS });
}
