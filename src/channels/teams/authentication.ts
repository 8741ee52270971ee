import {
  Channels,
  ConfigurationBotFrameworkAuthentication,
  ConfigurationServiceClientCredentialFactory,
} from 'botbuilder';
import { AppCredentials, AuthenticationConstants, EmulatorValidation } from 'botframework-connector';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Log } from '../../observability/log.ts';
import { waitAtMost } from '../../resilience/deadline.ts';
import { systemRuntime as runtime } from '../../runtime.ts';
import { parseJson } from '../platforms.ts';
import { runQuietly } from './quiet.ts';

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

/** Longest call of the SDK, which has no time limit. */
const PATIENCE_MS = 5_000;

const { issuer: EMULATOR_ISSUERS } = EmulatorValidation.ToBotFromEmulatorTokenValidationParameters;

/** Tokens between the Bot Framework service and us, by the SDK. */
export class Cloud {
  /** False if the service's keys could not be fetched for the last token. */
  hasKeys = true;
  readonly #log: Pick<Log, 'debug'>;
  readonly #authentication: ConfigurationBotFrameworkAuthentication;
  readonly #readClaims: ReturnType<typeof createClaimsReader>;
  readonly #credentials: Promise<unknown>;
  readonly #verified = new LRUCache<string, BotClaims>({ max: MAX_VERIFIED });

  /** Throws where the registration is not complete. */
  constructor(registration: Registration, log: Pick<Log, 'debug'>) {
    const { appId, type, password = '', tenant = '', endpoints } = registration;
    const settings = {
      MicrosoftAppId: appId,
      MicrosoftAppType: type,
      MicrosoftAppPassword: password,
      MicrosoftAppTenantId: tenant,
      ...endpoints,
    };
    const factory = new ConfigurationServiceClientCredentialFactory(settings);
    const cloud = { ...AuthenticationConstants, ...endpoints };
    this.#log = log;
    this.#authentication = new ConfigurationBotFrameworkAuthentication(settings, factory);
    this.#readClaims = createClaimsReader(cloud.ToBotFromChannelTokenIssuer, appId);
    const { ToChannelFromBotOAuthScope: scope, ToChannelFromBotLoginUrl: login } = cloud;
    this.#credentials = factory.createCredentials(appId, scope, login, true);
    // `token` rejects with the failure.
    this.#credentials.catch(() => {});
  }

  /** Verifies an `Authorization` header. `unavailable`: the service's keys are. Never rejects. */
  async verify(authorization = ''): Promise<BotClaims | 'refused' | 'unavailable'> {
    const verified = this.#verified.get(authorization);
    if (verified && verified.exp > Date.now() / 1000) return verified;
    const claims = this.#readClaims(authorization);
    if (!claims) return 'refused';
    const issuers = EMULATOR_ISSUERS?.length ?? 0;
    try {
      // Of the SDK's ways, the one that needs no body.
      await this.#run(() =>
        this.#authentication.authenticateStreamingRequest(authorization, Channels.Msteams),
      );
      this.hasKeys = true;
    } catch (error) {
      this.hasKeys = !isOutage(error);
      return this.hasKeys ? 'refused' : 'unavailable';
    } finally {
      // The SDK keeps each directory that a token names, even a forged one.
      if (Array.isArray(EMULATOR_ISSUERS)) EMULATOR_ISSUERS.splice(issuers);
    }
    const exp = Math.min(claims.exp, Date.now() / 1000 + VERIFIED_S);
    this.#verified.set(authorization, { ...claims, exp });
    return claims;
  }

  /** Our token for the connector. `renewed`: no cached one. May reject. */
  async token(renewed = false): Promise<string> {
    const credentials = await this.#credentials;
    if (!(credentials instanceof AppCredentials)) throw new Error('no credentials');
    return this.#run(() => credentials.getToken(renewed));
  }

  async #run<Result>(call: () => Promise<Result>): Promise<Result> {
    const result = await waitAtMost(PATIENCE_MS, runQuietly(this.#log, call), { runtime });
    if (result === undefined) throw new DOMException('The SDK took too long', 'TimeoutError');
    return result;
  }
}

/** Whether the SDK could not fetch the service's keys. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isFailure = 'statusCode' in error && error.statusCode === 500;
  return isFailure || /^(Fetch|Timeout)Error$/.test(error.name);
}

/*
 * The SDK accepts any audience from another issuer, and a token that never expires. So we check the claims
 * before it verifies the signature, and before the body is read.
 */

/** Reads the claims of an `Authorization` header; undefined if the token is not for us. */
function createClaimsReader(issuer: string, audience: string) {
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
type BotClaims = NonNullable<ReturnType<ReturnType<typeof createClaimsReader>>>;
