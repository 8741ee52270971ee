import type { IncomingHttpHeaders } from 'node:http';
import type {} from '@fastify/rate-limit';
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
  preValidationAsyncHookHandler,
} from 'fastify';
import type { People } from './people.ts';
import { notFound, problem } from './problem.ts';
import { isSecret } from './secret.ts';

/* Which callers may ask, and how often. */

/** `peer` is the address of the socket, never the claim of a header. */
export type Caller = { readonly peer: string | undefined; readonly headers: IncomingHttpHeaders };

/** An `onRequest` hook that answers 429 if an address asks too often. */
export type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/** Counts requests by `request.ip`, which obeys `TRUST_PROXY`. */
type Limiter = Pick<FastifyInstance, 'createRateLimit'>;

/** Limits per minute and address. `failures`: wrong tokens; the right one always passes. */
const RATES = { requests: 300, failures: 30 };
const MINUTE_MS = 60_000;

/** A limit for requests that need no secret. Programs on this machine have none. */
export function limitStrangers(limiter: Limiter): Limit {
  const limit = limitTo(limiter, RATES.requests);
  return async (request, reply) => (isLocal(callerOf(request)) ? undefined : limit(request, reply));
}

function limitTo(limiter: Limiter, max: number): Limit {
  const count = limiter.createRateLimit({ timeWindow: MINUTE_MS, max });
  return async (request, reply) => {
    // The connection of a broken request is closed by now: it has no address.
    if (request.raw.socket.destroyed) return problem(reply, 400);
    const counted = await count(request);
    if (counted.isAllowed || !counted.isExceeded) return undefined;
    return problem(
      reply.header('retry-after', counted.ttlInSeconds),
      429,
      'Too many requests from this address.',
    );
  };
}

/** The caller of a request. */
export function callerOf(request: FastifyRequest): Caller {
  return { peer: request.raw.socket.remoteAddress, headers: request.raw.headers };
}

/**
 * Whether the caller is a program or page on this machine. Its peer and its `Host` are loopback (against DNS
 * rebinding), no header shows a proxy, and it is no page of another site.
 */
export function isLocal({ peer, headers }: Caller): boolean {
  if (!LOOPBACK.test(peer ?? '') || !LOOPBACK.test(hostname(headers.host ?? ''))) return false;
  if (Object.keys(headers).some((name) => FORWARDING.test(name))) return false;
  if (headers['sec-fetch-site'] === 'cross-site') return false;
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

/**
 * Whether a page of another site sent the request (`Sec-Fetch-Site`; in old browsers `Origin`). `host`: by
 * which name the browser knows the bot. Programs send neither header.
 */
function isForeign({ headers }: Caller, host: string): boolean {
  const { 'sec-fetch-site': site, origin } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && URL.parse(origin)?.host !== host;
}

/** Headers that only proxies send. */
const FORWARDING = /^(forwarded|x-forwarded.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|via)$/;

/** 127.0.0.0/8, also as IPv6 writes it, and ::1. */
const LOOPBACK = /^(localhost|(::ffff:)?127(\.\d{1,3}){3}|::1)$/;

/** `[::1]:3000` → `::1`, `LocalHost:80` → `localhost`; not a host → ''. */
function hostname(host: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d+)?$/i.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

/** Which callers may use the routes for staff: webhook, console, API pages, sandbox. */
export type AccessSettings = {
  /** Without it the routes are absent, but with the sandbox they are open to this machine. */
  readonly token?: string | undefined;
  /** The sandbox is the backend: no real points can be spent. */
  readonly sandbox: boolean;
  /** `PUBLIC_URL`: a caller that looks local may then be a proxy on this machine. */
  readonly publicUrl?: string | undefined;
  /** The staff member whose browser has signed in: its requests need no token. */
  readonly signedIn?: ((caller: Caller) => Visitor | undefined) | undefined;
  /** Staff with tokens of their own. */
  readonly people?: Pick<People, 'nameOf' | 'has' | 'names'> | undefined;
};

/** Which member of staff asks. `person`: a name in STAFF_PEOPLE, who may use only the inbox. */
export type Visitor = { readonly person?: string | undefined };

/** `refused`: the token is missing or wrong. `absent`: the route must look like none. */
export function access(caller: Caller, settings: AccessSettings): Visitor | 'refused' | 'absent' {
  const { token, signedIn, sandbox, publicUrl, people } = settings;
  if (!token) return sandbox && !publicUrl && isLocal(caller) ? {} : 'absent';
  const [, shown = ''] = /^bearer +(\S+)$/i.exec(caller.headers.authorization ?? '') ?? [];
  if (isSecret(shown, token)) return {};
  const person = people?.nameOf(shown);
  return person === undefined ? (signedIn?.(caller) ?? 'refused') : { person };
}

export type Guard = ReturnType<typeof createGuard>;

type GuardSettings = AccessSettings & { readonly realm?: 'staff' | 'operator' };

/** `onRequest` hooks that want the token. Its routes count the wrong tokens of an address together. */
export function createGuard(limiter: Limiter, { realm = 'staff', ...settings }: GuardSettings) {
  const { people } = settings;
  const limitRequests = limitStrangers(limiter);
  const limitFailures = limitTo(limiter, RATES.failures);
  const visitorOf = (request: FastifyRequest): Visitor | undefined => {
    const visitor = access(callerOf(request), settings);
    return typeof visitor === 'string' ? undefined : visitor;
  };
  const personOf = (request: FastifyRequest): string | undefined => visitorOf(request)?.person;

  const inbox: onRequestAsyncHookHandler = async (request, reply) => {
    switch (access(callerOf(request), settings)) {
      case 'refused':
        if (await limitFailures(request, reply)) return reply;
        reply.header('www-authenticate', `Bearer realm="${realm}"`);
        return problem(reply, 401, `The ${realm} token is missing or wrong.`);
      case 'absent':
        return notFound(request, reply);
      // Not limited: behind a proxy, an attacker may share the address of the token's holder.
      default:
        return;
    }
  };

  const api: onRequestAsyncHookHandler = async (request, reply) => {
    if (personOf(request) === undefined) return inbox.call(request.server, request, reply);
    return problem(reply, 403, "A person's token opens only the inbox.");
  };

  const page: onRequestAsyncHookHandler = async (request, reply) => {
    // Another site could sign staff in as somebody else: their work would bear that name.
    if (request.method === 'POST' && isForeign(callerOf(request), request.host))
      return problem(reply, 403, 'Sign in on the page of the console.');
    switch (access(callerOf(request), settings)) {
      case 'absent':
        return notFound(request, reply);
      case 'refused':
        // A token that is shown to sign in may be right: only wrong ones are counted.
        return request.method === 'POST' ? undefined : limitRequests(request, reply);
      default:
        return undefined;
    }
  };

  return {
    /** Lets the holder of the token pass. */
    api,
    /** Lets people pass, too. */
    inbox,
    /** Behind `inbox`: a person's request is by that person, and no other caller may use a person's name. */
    speaker: createSpeaker(personOf, people),
    /** Lets everybody see the page to sign in, unless staff access is off. Staff are not limited. */
    page,
    /** Counts a wrong token, and answers if there were too many. */
    limitFailures,
    /** Undefined: the caller is not staff. */
    visitorOf,
    /** The names of STAFF_PEOPLE. */
    people: () => people?.names ?? [],
  };
}

/**
 * A hook that writes `by` in the JSON body of a person's request. It answers 403 to others who use their
 * name. No other body has a `by`: bytes stay as they are, because a copy of a picture would be of fields.
 */
function createSpeaker(
  personOf: (request: FastifyRequest) => string | undefined,
  people: AccessSettings['people'],
): preValidationAsyncHookHandler {
  return async (request, reply) => {
    const { body } = request;
    if (!isFields(body)) return;
    const person = personOf(request);
    if (person !== undefined) body.by = person;
    else if (typeof body.by === 'string' && people?.has(body.by))
      return problem(reply, 403, 'Only the person of this name may use it, after they sign in.');
  };
}

/** Whether a body is an object of JSON: no bytes and no list. */
function isFields(body: unknown): body is { by?: unknown } {
  if (typeof body !== 'object' || body === null) return false;
  const prototype: unknown = Object.getPrototypeOf(body);
  return prototype === Object.prototype || prototype === null;
}
