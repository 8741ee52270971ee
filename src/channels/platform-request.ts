import type { FastifyInstance, FastifyReply } from 'fastify';
import { comeLater } from '../http/problem.ts';
import { StoreUnavailable } from '../store/unavailable.ts';

/** A platform that has to send again waits 1 to this many seconds. */
const MAX_RETRY_AFTER_S = 5;

/**
 * Readies a scope for the requests of a platform. A body is read as JSON whatever its content type says; what is no JSON
 * is `undefined`, for the route to refuse. A handler that throws `StoreUnavailable`, as `accept` does, answers `sendAgain`.
 */
export function takePlatformRequests(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('*', { parseAs: 'string' }, (_request, body, done) =>
    done(null, parseJson(body)),
  );
  app.setErrorHandler((error, _request, reply) => {
    // Every other error is answered as it is elsewhere.
    if (!(error instanceof StoreUnavailable)) throw error;
    return sendAgain(reply, 'The message cannot be stored now.');
  });
}

/** Answers 503 with a `Retry-After` at random, so that what was refused does not come back all at once. */
export function sendAgain(reply: FastifyReply, detail: string): FastifyReply {
  return comeLater(reply, 503, detail, anySeconds(MAX_RETRY_AFTER_S));
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A whole number of seconds, 1 to `maxS`, at random: for a `Retry-After` that many callers get at once. */
function anySeconds(maxS: number): number {
  return 1 + Math.floor(Math.random() * maxS);
}
