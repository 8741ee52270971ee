import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { comeLater, notFound, problem } from './problem.ts';

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

/** Requests a minute and address; programs on this machine get `local`, so that tests are not slowed down. */
export type Rates = { readonly perMinute: number; readonly local: number };

const RATES: Rates = { perMinute: 300, local: 60_000 };

/** To be called once for an app. */
export async function createLimits(app: FastifyInstance): Promise<Limits> {
  await app.register(rateLimit, { global: false });
  return app.createRateLimit;
}

/** A limit for what anybody may ask for without showing a secret. */
export function limitStrangers(limits: Limits, rates: Rates = RATES): Limit {
  const count = limits({ timeWindow: MINUTE_MS, max: (request) => rateOf(request, rates) });
  return async (request, reply) => {
    const made = await count(request);
    return !made.isAllowed && made.isExceeded ? tooMany(reply, made.ttlInSeconds) : undefined;
  };
}

const MINUTE_MS = 60_000;

function rateOf(request: FastifyRequest, { perMinute, local }: Rates): number {
  return isLocal(callerOf(request)) ? local : perMinute;
}

export function callerOf(request: FastifyRequest): Caller {
  return { peer: request.raw.socket.remoteAddress, headers: request.raw.headers };
}

function tooMany(reply: FastifyReply, afterS: number): FastifyReply {
  return comeLater(reply, 429, 'Too many requests from this address.', afterS);
}

/**
 * A program or page on this machine: loopback peer, loopback `Host` (no rebound DNS name), no sign of a proxy, and not
 * sent by some other site's page in a browser here.
 */
export function isLocal({ peer, headers }: Caller): boolean {
  if (!isLoopback(peer ?? '') || !isLoopback(hostname(headers.host ?? ''))) return false;
  if (Object.keys(headers).some((name) => FORWARDING.test(name))) return false;
  if (headers['sec-fetch-site'] === 'cross-site') return false;
  return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

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

/** Which callers may use what is for staff: webhook, console, API pages, sandbox (docs/configuration.md, `STAFF_TOKEN`). */
export type AccessSettings = {
  /** `STAFF_TOKEN`. Unset: open to this machine while the sandbox is the backend, else absent. */
  readonly token?: string | undefined;
  /** The sandbox is the backend: no real points can be spent. */
  readonly sandbox: boolean;
  /** `PUBLIC_URL`: with it, a caller that looks local may be a proxy on this machine. */
  readonly publicUrl?: string | undefined;
};

/** `browser` also takes HTTP Basic (any user, the token as password): a page load cannot carry a bearer token. */
export type Scheme = 'bearer' | 'browser';

export function access(
  caller: Caller,
  settings: AccessSettings,
  scheme: Scheme,
): 'granted' | 'refused' | 'absent' {
  if (settings.token) return shows(caller, settings.token, scheme) ? 'granted' : 'refused';
  return settings.sandbox && !settings.publicUrl && isLocal(caller) ? 'granted' : 'absent';
}

function shows(caller: Caller, token: string, scheme: Scheme): boolean {
  const given = credential(caller.headers.authorization ?? '', scheme);
  return given !== null && isSecret(given, token);
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

/** `failures`: wrong tokens a minute and address; a wrong one beyond them gets 429. A right one always passes. */
export type StaffRates = Rates & { readonly failures: number };

const RATES_OF_STAFF: StaffRates = { ...RATES, failures: 30 };

/** One guard serves all staff routes of an app, so that wrong tokens are counted together. */
export function createGuard(
  limits: Limits,
  settings: AccessSettings,
  rates: StaffRates = RATES_OF_STAFF,
): Guard {
  const often = limitStrangers(limits, rates);
  const refuse = refusal(limits, 'staff', rates);

  function only(scheme: Scheme): onRequestAsyncHookHandler {
    return async (request, reply) => {
      switch (access(callerOf(request), settings, scheme)) {
        // Never limited: behind one proxy, the holder of the token shares an address with those who guess it.
        case 'granted':
          return;
        case 'refused':
          return refuse(request, reply, scheme);
        case 'absent':
          return notFound(request, reply);
      }
    };
  }

  return {
    api: only('bearer'),
    docs: only('browser'),
    page: async (request, reply) =>
      access(callerOf(request), settings, 'bearer') === 'absent'
        ? notFound(request, reply)
        : often(request, reply),
  };
}

/**
 * An `onRequest` hook that lets operators pass and ends every other request. Only a bearer token counts, even from this
 * machine: nothing that a browser sends by itself.
 */
export function createOperatorGuard(
  limits: Limits,
  token: string,
  rates: StaffRates = RATES_OF_STAFF,
): onRequestAsyncHookHandler {
  const refuse = refusal(limits, 'operator', rates);
  return async (request, reply) =>
    shows(callerOf(request), token, 'bearer') ? undefined : refuse(request, reply, 'bearer');
}

/** Answers a wrong token; wrong ones are counted by address. */
function refusal(limits: Limits, realm: Realm, { failures: max }: Pick<StaffRates, 'failures'>) {
  const failures = limits({ timeWindow: MINUTE_MS, max });
  return async (request: FastifyRequest, reply: FastifyReply, scheme: Scheme): Promise<FastifyReply> => {
    const failed = await failures(request);
    const tooOften = !failed.isAllowed && failed.isExceeded;
    return tooOften ? tooMany(reply, failed.ttlInSeconds) : unauthorized(reply, realm, scheme);
  };
}

/** Whose token is wanted. */
type Realm = 'staff' | 'operator';

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
  return problem(
    reply.header('www-authenticate', challenge),
    401,
    'Unauthorized',
    `The ${realm} token is missing or wrong.`,
  );
}
