import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify';
import { z } from 'zod';
import '../fault-words.ts';
import type { Log } from '../observability/log.ts';
import { StoreUnavailable } from '../store/port.ts';

/** A fault of a request. `where`: the field (dotted path, `body` for the whole). */
const faultSchema = z.object({ where: z.string(), what: z.string() });
type RequestFault = z.infer<typeof faultSchema>;

/** RFC 9457. `type` is `about:blank`: the status says what kind of problem it is. */
export const problemSchema = z.looseObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  faults: z
    .array(faultSchema)
    .optional()
    .describe('Only with 400: everything that is wrong at once, at most 20.'),
});

/** More are counted only: a body may have thousands. */
const FAULTS_SHOWN = 20;

/** A problem as an answer of the API page. */
export const problemOf = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: problemSchema } },
});

/** How long a caller should wait before another try, in seconds. */
const RETRY_AFTER_S = 2;

/** Answers with a problem document. 429 and 503 are temporary, so they have a `Retry-After`. */
export function problem(reply: FastifyReply, status: number, about?: string | object): FastifyReply {
  const isTransient = status === 429 || status === 503;
  if (isTransient && !reply.hasHeader('retry-after')) reply.header('retry-after', RETRY_AFTER_S);
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(documentOf(status, typeof about === 'string' ? { detail: about } : about));
}

const PROBLEM_TYPE = 'application/problem+json';
const documentOf = (status: number, members = {}) => {
  return { type: 'about:blank', title: STATUS_CODES[status], status, ...members };
};

/** Statuses for errors of Node's HTTP parser; 400 for all others. */
const BROKEN: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 };

/** For `clientErrorHandler`: a request that Node cannot read reaches no route. */
export function refuseBroken({ code }: { readonly code: string }, socket: Socket): void {
  const status = BROKEN[code] ?? 400;
  const body = JSON.stringify(documentOf(status));
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status]}`;
  if (code !== 'ECONNRESET' && socket.writable)
    socket.write(`${line}\r\nConnection: close\r\nContent-Type: ${PROBLEM_TYPE}\r\n\r\n${body}`);
  socket.destroy();
}

/** For `setNotFoundHandler`, and for routes that must look absent. */
export function notFound(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return problem(reply, 404);
}

/**
 * For `setErrorHandler`: tells callers their own faults; our faults are logged and not told. Errors of
 * Fastify and its plugins keep their status; an unreachable store is 503.
 */
export function problemHandler(log: Pick<Log, 'error'>) {
  return (error: FastifyError, _request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    if (error instanceof StoreUnavailable) return problem(reply, 503, 'The store cannot be reached.');
    if (error.validation) {
      const faults = faultsOf(error.validation, error.validationContext ?? 'body');
      const detail = `Faults of the request: ${faults.length}.`;
      return problem(reply, 400, { detail, faults: faults.slice(0, FAULTS_SHOWN) });
    }
    const status = error.statusCode ?? 500;
    if (status === 503) return problem(reply, 503, 'The server is stopping or overloaded.');
    if (status >= 400 && status < 500) return problem(reply, status, error.message);
    log.error({ err: error }, 'a request failed');
    return problem(reply, 500);
  };
}

/** A problem as lines for people: what is wrong, then each fault. */
export function explain({ title, detail, faults = [] }: z.infer<typeof problemSchema>): string[] {
  return [detail ?? title, ...faults.map(({ where, what }) => `  ${where}: ${what}`)];
}

function faultsOf(errors: readonly FastifySchemaValidationError[], context: string): RequestFault[] {
  return errors.flatMap(({ keyword, instancePath, message, params }) => {
    const path = instancePath.split('/').filter(Boolean);
    const keys: unknown = params.keys;
    if (keyword === 'unrecognized_keys' && Array.isArray(keys)) {
      return keys.map((key) => ({ where: [...path, String(key)].join('.'), what: 'Unknown field' }));
    }
    return [{ where: path.join('.') || context, what: message ?? 'Invalid' }];
  });
}
