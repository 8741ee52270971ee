import { ConfigurationServiceClientCredentialFactory } from 'botbuilder';
import { AppCredentials, AuthenticationConstants } from 'botframework-connector';
import { decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { waitAtMost } from '../../resilience/deadline.ts';
import { systemRuntime as runtime } from '../../runtime.ts';
import { parseJson } from '../platforms.ts';
import { ALGORITHM, SigningKeys, type SigningKeysOptions } from './keys.ts';

/** The Azure Bot registration, and its cloud. */
export type Registration = {
  readonly appId: string;
  readonly type: 'SingleTenant' | 'UserAssignedMSI' | 'MultiTenant';
  /** Absent with `UserAssignedMSI` only. */
  readonly password?: string | undefined;
  /** Absent with `MultiTenant` only. */
  readonly tenant?: string | undefined;
  /** The SDK's six settings, by its names. Undefined: Microsoft's public cloud. */
  readonly endpoints?: Readonly<Record<string, string>> | undefined;
};

/** Verifying takes half a turn (SECURITY.md, "What does not protect"). */
const VERIFIED_S = 5 * 60;
const MAX_VERIFIED = 100;
/** How far the service's clock and ours may differ. */
const CLOCK_SKEW_S = 5 * 60;
/** The channel for which a key must be endorsed. */
const ENDORSED_FOR = 'msteams';

/** Longest call of the SDK, which has no time limit. */
const PATIENCE_MS = 5_000;

/** Tokens between the Bot Framework service and us. */
export class Cloud {
  readonly keys: SigningKeys;
  readonly #claimsSchema: ReturnType<typeof createClaimsSchema>;
  readonly #credentials: Promise<unknown>;
  readonly #verified = new LRUCache<string, BotClaims>({ max: MAX_VERIFIED });

  /** Throws where the registration is not complete. */
  constructor(registration: Registration, parts: Omit<SigningKeysOptions, 'metadataUrl'>) {
    const { appId, type, password = '', tenant = '', endpoints } = registration;
    const factory = new ConfigurationServiceClientCredentialFactory({
      MicrosoftAppId: appId,
      MicrosoftAppType: type,
      MicrosoftAppPassword: password,
      MicrosoftAppTenantId: tenant,
    });
    const cloud = { ...AuthenticationConstants, ...endpoints };
    this.keys = new SigningKeys({ ...parts, metadataUrl: cloud.ToBotFromChannelOpenIdMetadataUrl });
    this.#claimsSchema = createClaimsSchema(cloud.ToBotFromChannelTokenIssuer, appId);
    const { ToChannelFromBotOAuthScope: scope, ToChannelFromBotLoginUrl: login } = cloud;
    this.#credentials = factory.createCredentials(appId, scope, login, true);
    // `token` rejects with the failure.
    this.#credentials.catch(() => {});
  }

  /**
   * Verifies an `Authorization` header. `unavailable`: its signing key is not known now, and perhaps
   * published. Never rejects.
   */
  async verify(authorization = ''): Promise<BotClaims | 'refused' | 'unavailable'> {
    const verified = this.#verified.get(authorization);
    if (verified && verified.exp > Date.now() / 1000) return verified;
    // Checked before the signature, so that a token for others causes no read of the keys.
    const token = readToken(authorization);
    const claims = this.#claimsSchema.safeParse(token?.claims).data;
    if (!token || !claims) return 'refused';
    const found = await this.keys.find(token.kid);
    if (found === 'unavailable') return found;
    if (found === 'unknown' || !isEndorsed(found.endorsements)) return 'refused';
    const limits = { algorithms: [ALGORITHM], clockTolerance: CLOCK_SKEW_S, requiredClaims: ['exp'] };
    try {
      await jwtVerify(token.text, found.key, limits);
    } catch (error) {
      if (error instanceof errors.JOSEError) return 'refused';
      throw error;
    }
    const exp = Math.min(claims.exp, Date.now() / 1000 + VERIFIED_S);
    this.#verified.set(authorization, { ...claims, exp });
    return claims;
  }

  /** Our token for the connector. `renewed`: no cached one. May reject. */
  async token(renewed = false): Promise<string> {
    const credentials = await this.#credentials;
    if (!(credentials instanceof AppCredentials)) throw new Error('no credentials');
    const token = await waitAtMost(PATIENCE_MS, credentials.getToken(renewed), { runtime });
    if (token === undefined) throw new DOMException('The SDK took too long', 'TimeoutError');
    return token;
  }
}

const isEndorsed = (endorsements: readonly string[]): boolean =>
  endorsements.length === 0 || endorsements.includes(ENDORSED_FOR);

/** The token of an `Authorization` header, unverified; undefined if it is none that the service signs. */
function readToken(authorization: string) {
  const [, text, payload = ''] = /^Bearer ([\w-]+\.([\w-]+)\.[\w-]+)$/.exec(authorization) ?? [];
  if (text === undefined) return undefined;
  try {
    const { alg, kid } = decodeProtectedHeader(text);
    if (alg !== ALGORITHM || !kid) return undefined;
    return { text, kid, claims: parseJson(Buffer.from(payload, 'base64url').toString()) };
  } catch {
    return undefined;
  }
}

function createClaimsSchema(issuer: string, audience: string) {
  return z.object({
    iss: z.literal(issuer),
    aud: z.literal(audience),
    /** Epoch s. */
    exp: z.number(),
    /** The only connector that the token covers. */
    serviceurl: z.string(),
  });
}
type BotClaims = z.infer<ReturnType<typeof createClaimsSchema>>;
