import { z } from 'zod';
import { parseJson } from '../platforms.ts';

/*
 * The SDK accepts any audience from another issuer, and a token that never expires. So we check the claims
 * before it verifies the signature, and before the body is read.
 */

/** Reads the claims of an `Authorization` header; undefined if the token is not for us. */
export function createClaimsReader(issuer: string, audience: string) {
  const claimsSchema = z.object({
    iss: z.literal(issuer),
    aud: z.literal(audience),
    /** Epoch s. */
    exp: z.number(),
    /** The only connector that the token covers. */
    serviceurl: z.string(),
  });
  return (authorization: string) => {
    const [, payload = ''] = /^Bearer [\w-]+\.([\w-]+)\.[\w-]+$/.exec(authorization) ?? [];
    const claims = parseJson(Buffer.from(payload, 'base64url').toString());
    return claimsSchema.safeParse(claims).data;
  };
}
/** The claims of a token for us. */
export type BotClaims = NonNullable<ReturnType<ReturnType<typeof createClaimsReader>>>;
