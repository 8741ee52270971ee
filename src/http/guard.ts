import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type {} from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { notFound, problem } from './problem.ts';

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
  /** A browser that has signed in needs no token. */
  readonly isSignedIn?: ((caller: Caller) => boolean) | undefined;
};

/** `refused`: the token is missing or wrong. `absent`: the route must look like none. */
export function access(caller: Caller, settings: AccessSettings): 'granted' | 'refused' | 'absent' {
  const { token, isSignedIn, sandbox, publicUrl } = settings;
  if (!token) return sandbox && !publicUrl && isLocal(caller) ? 'granted' : 'absent';
  const [, shown = ''] = /^bearer +(\S+)$/i.exec(caller.headers.authorization ?? '') ?? [];
  return isSecret(shown, token) || isSignedIn?.(caller) ? 'granted' : 'refused';
}

export type Guard = ReturnType<typeof createGuard>;

/** `onRequest` hooks that want the token. Its routes count the wrong tokens of an address together. */
export function createGuard(
  limiter: Limiter,
  { realm = 'staff', ...settings }: AccessSettings & { readonly realm?: 'staff' | 'operator' },
) {
  const limitRequests = limitStrangers(limiter);
  const limitFailures = limitTo(limiter, RATES.failures);

  const api: onRequestAsyncHookHandler = async (request, reply) => {
    switch (access(callerOf(request), settings)) {
      // Not limited: behind a proxy, who guesses the token shares its holder's address.
      case 'granted':
        return;
      case 'refused':
        if (await limitFailures(request, reply)) return reply;
        reply.header('www-authenticate', `Bearer realm="${realm}"`);
        return problem(reply, 401, `The ${realm} token is missing or wrong.`);
      case 'absent':
        return notFound(request, reply);
    }
  };

  const page: onRequestAsyncHookHandler = async (request, reply) =>
    access(callerOf(request), settings) === 'absent'
      ? notFound(request, reply)
      : limitRequests(request, reply);

  return {
    api,
    /** For the page to sign in: absent if staff access is off. */
    page,
    /** Counts a wrong token, and answers if there were too many. */
    limitFailures,
    isStaff: (request: FastifyRequest) => access(callerOf(request), settings) === 'granted',
  };
}

/** Compares in a time that depends on the lengths only. */
export function isSecret(given: string, secret: string): boolean {
  const [shown, expected] = [Buffer.from(given), Buffer.from(secret)];
  return shown.length === expected.length && timingSafeEqual(shown, expected);
}
