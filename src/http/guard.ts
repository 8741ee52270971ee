import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { notFound, problem } from './problem.ts';

/* Who may ask, and how often. */

/** `peer` is the socket's own address, never a header's claim. */
export type Caller = { readonly peer: string | undefined; readonly headers: IncomingHttpHeaders };

/**
 * Answers 429 where an address asks too often; undefined: go on. May serve as an `onRequest` hook.
 *
 * @example
 * const limit: Limit = limitStrangers(await createLimits(app));
 * app.get('/chat', { onRequest: limit }, async () => 'Hello');
 */
export type Limit = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>;

/**
 * Makes separate counters of how often a minute an address may do something. The address is `request.ip`: the
 * peer's, or what the proxies of `TRUST_PROXY` say.
 */
export type Limits = FastifyInstance['createRateLimit'];

/**
 * Requests a minute and address; programs on this machine get `local`, so that tests are not slowed down.
 * `failures`: wrong tokens; a wrong one beyond them gets 429. A right one always passes.
 */
export type Rates = { readonly perMinute: number; readonly local: number; readonly failures: number };

const RATES: Rates = { perMinute: 300, local: 60_000, failures: 30 };
const MINUTE_MS = 60_000;

/** To be called once for an app. */
export async function createLimits(app: FastifyInstance): Promise<Limits> {
  await app.register(rateLimit, { global: false });
  return app.createRateLimit;
}

/** A limit for what anybody may ask for without showing a secret. */
export function limitStrangers(limits: Limits, { perMinute, local } = RATES): Limit {
  return limitTo(limits, (request) => (isLocal(callerOf(request)) ? local : perMinute));
}

function limitTo(limits: Limits, max: (request: FastifyRequest) => number): Limit {
  const count = limits({ timeWindow: MINUTE_MS, max });
  return async (request, reply) => {
    const made = await count(request);
    if (made.isAllowed || !made.isExceeded) return undefined;
    return problem(
      reply.header('retry-after', made.ttlInSeconds),
      429,
      'Too many requests from this address.',
    );
  };
}

export function callerOf(request: FastifyRequest): Caller {
  return { peer: request.raw.socket.remoteAddress, headers: request.raw.headers };
}

/**
 * A program or page on this machine: loopback peer, loopback `Host` (no rebound DNS name), no sign of a
 * proxy, and not sent by some other site's page in a browser here.
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

/** `[::1]:3000` → `::1`, `LocalHost:80` → `localhost`; what is no host at all → ''. */
function hostname(host: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d+)?$/i.exec(host);
  return (match?.[1] ?? match?.[2] ?? '').toLowerCase();
}

/** Which callers may use what is for staff: webhook, console, API pages, sandbox. */
export type AccessSettings = {
  /** `STAFF_TOKEN`. Unset: open to this machine while the sandbox is the backend, else absent. */
  readonly token?: string | undefined;
  /** The sandbox is the backend: no real points can be spent. */
  readonly sandbox: boolean;
  /** `PUBLIC_URL`: with it, a caller that looks local may be a proxy on this machine. */
  readonly publicUrl?: string | undefined;
  /** Whether a browser has signed in, which counts as the token. */
  readonly isSignedIn?: ((caller: Caller) => boolean) | undefined;
};

/** `browser` also takes HTTP Basic (the token as password): a page load carries no bearer token. */
export type Scheme = 'bearer' | 'browser';

export function access(
  caller: Caller,
  settings: AccessSettings,
  scheme: Scheme,
): 'granted' | 'refused' | 'absent' {
  const { token, isSignedIn } = settings;
  if (token) return shows(caller, token, scheme) || isSignedIn?.(caller) ? 'granted' : 'refused';
  return settings.sandbox && !settings.publicUrl && isLocal(caller) ? 'granted' : 'absent';
}

function shows(caller: Caller, token: string, scheme: Scheme): boolean {
  const given = credential(caller.headers.authorization ?? '', scheme);
  return given !== null && isSecret(given, token);
}

export type Guard = ReturnType<typeof createGuard>;

/** Whose token is wanted. */
type Realm = 'staff' | 'operator';

/**
 * `onRequest` hooks that let who shows the token pass and end every other request. One serves all routes of a
 * realm, so that wrong tokens are counted together, by address.
 */
export function createGuard(
  limits: Limits,
  { realm = 'staff', ...settings }: AccessSettings & { readonly realm?: Realm },
  rates = RATES,
) {
  const often = limitStrangers(limits, rates);
  const tooMany = limitTo(limits, () => rates.failures);

  function only(scheme: Scheme): onRequestAsyncHookHandler {
    return async (request, reply) => {
      switch (access(callerOf(request), settings, scheme)) {
        // Never limited: behind one proxy, the holder of the token shares an address with those who guess it.
        case 'granted':
          return;
        case 'refused':
          return (await tooMany(request, reply)) ?? unauthorized(reply, realm, scheme);
        case 'absent':
          return notFound(request, reply);
      }
    };
  }

  const page: onRequestAsyncHookHandler = async (request, reply) =>
    access(callerOf(request), settings, 'bearer') === 'absent'
      ? notFound(request, reply)
      : often(request, reply);

  return {
    /** For the webhook, operators and the sandbox. */
    api: only('bearer'),
    /** For pages with something to hide: a browser asks for the token by itself. */
    docs: only('browser'),
    /** For the way in: absent where staff access is off. */
    page,
    /** Counts a wrong token, and answers where there were too many. */
    tooMany,
    isStaff: (request: FastifyRequest) => access(callerOf(request), settings, 'bearer') === 'granted',
  };
}

function credential(authorization: string, scheme: Scheme): string | null {
  const [, name = '', value = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
  if (name.toLowerCase() === 'bearer') return value;
  if (name.toLowerCase() !== 'basic' || scheme !== 'browser') return null;
  return /^[^:]*:(.*)$/s.exec(Buffer.from(value, 'base64').toString())?.[1] ?? null;
}

/** Whether a secret is the wanted one, in constant time: digests are of equal length whatever was given. */
export function isSecret(given: string, wanted: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', wanted, 'buffer'));
}

function unauthorized(reply: FastifyReply, realm: Realm, scheme: Scheme): FastifyReply {
  const challenge =
    scheme === 'bearer' ? `Bearer realm="${realm}"` : `Basic realm="${realm}", charset="UTF-8"`;
  const detail = `The ${realm} token is missing or wrong.`;
  return problem(reply.header('www-authenticate', challenge), 401, detail);
}
