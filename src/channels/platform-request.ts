import { STATUS_CODES } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Limit } from '../http/guard.ts';
import { comeLater, problem } from '../http/problem.ts';
import { StoreUnavailable } from '../store/port.ts';

/** A platform that has to send again waits 1 to this many seconds. */
const MAX_RETRY_AFTER_S = 5;

/** Of a platform's requests: usually a few kilobytes, in the longest messages of Teams about 100. */
export const BODY_LIMIT = 256 * 1024;

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

/**
 * Answers 503 with a `Retry-After` of some seconds at random, so that what was refused does not come back all at once.
 */
export function sendAgain(reply: FastifyReply, detail: string): FastifyReply {
  return comeLater(reply, 503, detail, 1 + Math.floor(Math.random() * MAX_RETRY_AFTER_S));
}

/** Turns strangers away, who have shown no secret; `limit` says how often they may ask. Each is told to `onRefused`. */
export function createRefusal(limit: Limit, onRefused: () => void) {
  return async (request: FastifyRequest, reply: FastifyReply, status: 400 | 401 | 403, detail: string) => {
    onRefused();
    return (await limit(request, reply)) ?? problem(reply, status, STATUS_CODES[status] ?? '', detail);
  };
}

/** Undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
