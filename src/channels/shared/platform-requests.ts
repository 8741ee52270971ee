import type { FastifyInstance, FastifyReply } from 'fastify';
import { StoreUnavailable } from '../../store/unavailable.ts';
import { anySeconds } from './jitter.ts';
import { parseJson } from './json.ts';
import { comeLater } from './problem.ts';

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
