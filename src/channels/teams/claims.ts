import { parseJson } from '../platforms.ts';

/*
 * The SDK's own checks are not enough (research: teams.md, section 2). It accepts any audience from another
 * issuer, and a token that never expires. An unknown algorithm makes it throw, which gives 500, not 401.
 * So we check the claims before the SDK verifies the signature, and before the body is read.
 */

/** The claims of a token for us. `expiresMs`: epoch. `serviceUrl`: the connector that it covers. */
export type BotClaims = { readonly expiresMs: number; readonly serviceUrl: string };

const ALGORITHMS: readonly unknown[] = ['RS256', 'RS384', 'RS512'];

/** The unverified claims of an `Authorization` header; undefined if the token is not for us. */
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
