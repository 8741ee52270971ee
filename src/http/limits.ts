import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { comeLater } from './problem.ts';

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

export const RATES: Rates = { perMinute: 300, local: 60_000 };

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

export const MINUTE_MS = 60_000;

function rateOf(request: FastifyRequest, { perMinute, local }: Rates): number {
  return isLocal(callerOf(request)) ? local : perMinute;
}

export function callerOf(request: FastifyRequest): Caller {
  return { peer: request.raw.socket.remoteAddress, headers: request.raw.headers };
}

export function tooMany(reply: FastifyReply, afterS: number): FastifyReply {
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
