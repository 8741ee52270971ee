import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { comeLater, notFound, problem } from '../problem.ts';

/** Which callers may use what is for staff: webhook, console, API pages, sandbox (contract.md, `STAFF_TOKEN`). */
export type AccessSettings = {
  /** `STAFF_TOKEN`. Unset: open to this machine while the sandbox is the backend, else absent. */
  readonly token?: string | undefined;
  /** The sandbox is the backend: no real points can be spent. */
  readonly sandbox: boolean;
  /** `PUBLIC_URL`: with it, a caller that looks local may be a proxy on this machine. */
  readonly publicUrl?: string | undefined;
};

/** `peer` is the socket's own address, never a header's claim. */
export type Caller = { readonly peer: string | undefined; readonly headers: IncomingHttpHeaders };

/** `browser` also takes HTTP Basic (any user, the token as password): a page load cannot carry a bearer token. */
export type Scheme = 'bearer' | 'browser';

export function access(
  caller: Caller,
  settings: AccessSettings,
  scheme: Scheme,
): 'granted' | 'refused' | 'absent' {
  if (settings.token) {
    const given = credential(caller.headers.authorization ?? '', scheme);
    return given !== null && equal(given, settings.token) ? 'granted' : 'refused';
  }
  return settings.sandbox && !settings.publicUrl && isLocal(caller) ? 'granted' : 'absent';
}

/**
 * A program or page on this machine: loopback peer, loopback `Host` (no rebound DNS name), no sign of a proxy, and not
 * sent by some other site's page in a browser here.
 */
function isLocal({ peer, headers }: Caller): boolean {
  if (!isLoopback(peer ?? '') || !isLoopback(hostname(headers.host ?? ''))) return false;
  if (Object.keys(headers).some((name) => FORWARDING.test(name))) return false;
  if (headers['sec-fetch-site'] === 'cross-site') return false;
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

/** `onRequest` hooks that let staff pass and end every other request. */
export type Guard = {
  /** For the webhook and the sandbox: a bearer token. */
  readonly api: onRequestAsyncHookHandler;
  /** For pages with something to hide: a browser asks for the token by itself. */
  readonly docs: onRequestAsyncHookHandler;
  /** For pages without anything to hide, which send the token later: absent where staff access is off. */
  readonly page: onRequestAsyncHookHandler;
};

export type Limits = {
  /** Requests a minute and address. Programs on this machine get `local`, so that tests are not slowed down. */
  readonly perMinute: number;
  readonly local: number;
  /** Wrong tokens a minute and address; after them not even the right one is looked at. */
  readonly failures: number;
};

const LIMITS: Limits = { perMinute: 300, local: 60_000, failures: 30 };

/** One guard serves all staff routes of an app, so that wrong tokens are counted together. */
export async function createGuard(
  app: FastifyInstance,
  settings: AccessSettings,
  limits: Limits = LIMITS,
): Promise<Guard> {
  await app.register(rateLimit, { global: false });
  const requests = app.createRateLimit({
    timeWindow: MINUTE_MS,
    max: (request) => (isLocal(callerOf(request)) ? limits.local : limits.perMinute),
  });
  const failures = app.createRateLimit({ timeWindow: MINUTE_MS, max: limits.failures });

  function only(scheme: Scheme): onRequestAsyncHookHandler {
    return async (request, reply) => {
      const failed = await failures(request, { increment: false });
      if (!failed.isAllowed && failed.remaining === 0) return tooMany(reply, failed.ttlInSeconds);
      switch (access(callerOf(request), settings, scheme)) {
        case 'granted': {
          const made = await requests(request);
          return !made.isAllowed && made.isExceeded ? tooMany(reply, made.ttlInSeconds) : undefined;
        }
        case 'refused':
          await failures(request);
          return unauthorized(reply, scheme);
        case 'absent':
          return notFound(request, reply);
      }
    };
  }

  return {
    api: only('bearer'),
    docs: only('browser'),
    page: async (request, reply) =>
      access(callerOf(request), settings, 'bearer') === 'absent' ? notFound(request, reply) : undefined,
  };
}

const MINUTE_MS = 60_000;
/** Headers that only proxies send. */
const FORWARDING = /^(forwarded|x-forwarded.*|x-real-ip|x-client-ip|true-client-ip|cf-connecting-ip|via)$/;

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8);
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const version = isIP(host);
  return version !== 0 && LOOPBACK.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/** `[::1]:3000` → `::1`, `LocalHost:80` → `localhost`; what is no host at all → ''. */
function hostname(host: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d+)?$/i.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

function callerOf(request: FastifyRequest): Caller {
  return { peer: request.raw.socket.remoteAddress, headers: request.raw.headers };
}

function credential(authorization: string, scheme: Scheme): string | null {
  const [, name = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  if (name.toLowerCase() === 'bearer') return value;
  if (name.toLowerCase() !== 'basic' || scheme !== 'browser') return null;
  return /^[^:]*:(.*)$/s.exec(Buffer.from(value, 'base64').toString())?.[1] ?? null;
}

/** Constant time: digests are of equal length whatever was given. */
function equal(given: string, wanted: string): boolean {
  return timingSafeEqual(digest(given), digest(wanted));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function unauthorized(reply: FastifyReply, scheme: Scheme): FastifyReply {
  const challenge = scheme === 'bearer' ? 'Bearer realm="staff"' : 'Basic realm="staff", charset="UTF-8"';
  return problem(
    reply.header('www-authenticate', challenge),
    401,
    'Unauthorized',
    'The staff token is missing or wrong.',
  );
}

function tooMany(reply: FastifyReply, afterS: number): FastifyReply {
  return comeLater(reply, 429, 'Too many requests from this address.', afterS);
}
