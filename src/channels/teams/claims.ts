import { parseJson } from '../platforms.ts';

/*
 * Beyond the SDK, because it lets through or answers with 500 what must be 401: another issuer goes down a path that does
 * not check the audience, a token need not expire, an unknown algorithm throws (research: teams.md, section 2). Claims are
 * looked at before the SDK verifies the signature, and before the body is read.
 */

/** What a token for us says of itself. `expiresMs`: epoch. `serviceUrl`: the connector whose activities it vouches for. */
export type BotClaims = { readonly expiresMs: number; readonly serviceUrl: string };

const ALGORITHMS: readonly unknown[] = ['RS256', 'RS384', 'RS512'];

/** The claims of an `Authorization` header; undefined for a token that cannot be meant for us. Nothing is verified. */
export function readClaims(
  authorization: string,
  wanted: { readonly issuer: string; readonly audience: string },
): BotClaims | undefined {
  const [, head, body] = /^Bearer ([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(authorization) ?? [];
  const { iss, aud, exp, serviceurl: serviceUrl } = decode(body);
  if (!ALGORITHMS.includes(decode(head).alg) || iss !== wanted.issuer || aud !== wanted.audience)
    return undefined;
  if (typeof exp !== 'number' || typeof serviceUrl !== 'string') return undefined;
  return { expiresMs: exp * 1000, serviceUrl };
}

function decode(part = ''): Readonly<Record<string, unknown>> {
  const value = parseJson(Buffer.from(part, 'base64url').toString());
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
