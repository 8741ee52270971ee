import { AsyncLocalStorage } from 'node:async_hooks';
import type { Activity } from 'botbuilder';
import type { Log } from '../../observability/log.ts';
import { BoundedMap, parseJson } from '../platforms.ts';
import { TEAMS } from './address.ts';

/** The Azure Bot registration, and how its cloud is reached. */
export type Registration = {
  readonly appId: string;
  readonly type: 'SingleTenant' | 'UserAssignedMSI' | 'MultiTenant';
  /** Absent with `UserAssignedMSI` only. */
  readonly password?: string | undefined;
  /** Absent with `MultiTenant` only. */
  readonly tenant?: string | undefined;
  /** Undefined: Microsoft's public cloud. */
  readonly endpoints?: Endpoints | undefined;
};

/** Microsoft's public cloud, as in the SDK's `AuthenticationConstants`, which botbuilder does not export. */
export const PUBLIC_CLOUD = {
  ToBotFromChannelOpenIdMetadataUrl: 'https://login.botframework.com/v1/.well-known/openidconfiguration',
  ToBotFromChannelTokenIssuer: 'https://api.botframework.com',
  ToChannelFromBotLoginUrl: 'https://login.microsoftonline.com/botframework.com',
  ToChannelFromBotOAuthScope: 'https://api.botframework.com',
} as const;

/** The Bot Framework SDK's own settings, by its own names: all or none, or it forgets the defaults of the others. */
export type Endpoints = Readonly<
  Record<keyof typeof PUBLIC_CLOUD | 'ToBotFromEmulatorOpenIdMetadataUrl' | 'OAuthUrl', string>
>;

/** The trust between the Bot Framework service and us, in both directions. */
export type Cloud = {
  /**
   * Whether a request comes from the service and is meant for us. `unavailable`: its keys cannot be fetched now, which
   * says nothing about the request. Never throws.
   */
  verify(activity: Activity, authorization: string): Promise<'valid' | 'refused' | 'unavailable'>;
  /** Our token for its connector, null where none is wanted. `renewed`: not the one at hand. Rejects if there is none to be had. */
  token(renewed?: boolean): Promise<string | null>;
};

/** No authentication at all, for a playground on this machine (`TEAMS_AUTH=off`). */
export const NO_CLOUD: Cloud = { verify: async () => 'valid', token: async () => null };

/** Directories that unverified tokens may name. The service's own tokens name none, as far as its documents say. */
const MAX_TENANTS = 100;

/**
 * The service uses a token for thousands of requests: for so long, one that was verified is not verified again, which takes
 * as much of the processor as half a turn (SECURITY.md, "What does not protect"). So many are remembered.
 */
const VERIFIED_MS = 5 * 60_000;
const MAX_VERIFIED = 100;

/** The SDK itself would wait forever. */
const PATIENCE_MS = 5_000;

/** Tokens by the Bot Framework SDK, in both directions. It takes 17 MB, so that only a bot with a registration loads it. */
export async function createCloud(registration: Registration, log: Pick<Log, 'debug'>): Promise<Cloud> {
  const { ConfigurationBotFrameworkAuthentication, ConfigurationServiceClientCredentialFactory } =
    await import('botbuilder');
  const { appId, password, type, tenant, endpoints } = registration;
  const settings = {
    MicrosoftAppId: appId,
    MicrosoftAppType: type,
    ...(password !== undefined && { MicrosoftAppPassword: password }),
    ...(tenant !== undefined && { MicrosoftAppTenantId: tenant }),
    ...endpoints,
  };
  const factory = new ConfigurationServiceClientCredentialFactory(settings);
  const authentication = new ConfigurationBotFrameworkAuthentication(settings, factory);
  const {
    ToBotFromChannelTokenIssuer: issuer,
    ToChannelFromBotOAuthScope: scope,
    ToChannelFromBotLoginUrl: login,
  } = endpoints ?? PUBLIC_CLOUD;
  const credentials = factory.createCredentials(appId, scope, login, true).then(withToken);
  // A failure shows where a token is asked for; unhandled here, it would end the process.
  credentials.catch(() => {});
  const quietly = withSdkConsole(log);
  /** Until when each token counts as verified, epoch ms; by its service, for it is good for no other. */
  const verified = new BoundedMap<string, number>(MAX_VERIFIED);
  /** Directories of tokens that turned out to be the service's, and of those that did not, or not yet. */
  const known = new Set<unknown>();
  const claimed = new Set<unknown>();
  let asking: Promise<string> | undefined;

  /** The SDK remembers, for good, every directory that any token names: junk must not make it remember more. */
  function isBearable(tenant: unknown): boolean {
    if (tenant === undefined || known.has(tenant)) return true;
    if (claimed.size < MAX_TENANTS) claimed.add(tenant);
    return claimed.has(tenant);
  }

  /**
   * What the SDK lets through or answers with 500: another issuer goes down a path that checks neither audience nor service
   * URL, a token need not expire, an unknown algorithm throws (research: teams.md, section 2). Nothing here is verified
   * yet; the signature is the SDK's part.
   */
  function areOurs({ alg, iss, aud, exp, tid }: Claims): boolean {
    const isRsa = alg === 'RS256' || alg === 'RS384' || alg === 'RS512';
    return isRsa && iss === issuer && aud === appId && typeof exp === 'number' && isBearable(tid);
  }

  return {
    async verify(activity, authorization) {
      // Other channels' clients could claim to be anybody; ours is Teams.
      if (!activity.serviceUrl || activity.channelId !== 'msteams') return 'refused';
      const token = `${activity.serviceUrl} ${authorization}`;
      if ((verified.get(token) ?? 0) > Date.now()) return 'valid';
      const claims = claimsOf(authorization);
      if (!areOurs(claims)) return 'refused';
      const { tid, exp } = claims;
      try {
        await inTime(quietly(() => authentication.authenticateRequest(activity, authorization)));
      } catch (error) {
        return isOutage(error) ? 'unavailable' : 'refused';
      }
      // The service signed it: its directory is no junk, however much of that is about.
      if (tid !== undefined) known.add(tid);
      claimed.delete(tid);
      verified.set(token, Math.min(Number(exp) * 1000, Date.now() + VERIFIED_MS));
      return 'valid';
    },

    /** One request at a time; callers that ask meanwhile wait for it. */
    token(renewed = false) {
      asking ??= credentials
        .then((ours) => inTime(quietly(() => ours.getToken(renewed))))
        .finally(() => {
          asking = undefined;
        });
      return asking;
    },
  };
}

/** What a token says of itself, and by what algorithm it is signed; nothing of what is no token. */
type Claims = Readonly<Record<string, unknown>>;

function claimsOf(authorization: string): Claims {
  const [, head, claims] = /^Bearer ([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(authorization) ?? [];
  return { ...decode(claims), alg: decode(head).alg };
}

function decode(part = ''): Claims {
  const value = parseJson(Buffer.from(part, 'base64url').toString());
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What is thrown because the service's keys could not be fetched; everything else is because of the token. */
const OUTAGES = new Set(['FetchError', 'TimeoutError']);

function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return OUTAGES.has(error.name) || ('statusCode' in error && error.statusCode === 500);
}

/** All of the SDK's credentials have it; the type that it gives them does not say so. */
function withToken(credentials: object): { getToken(renewed: boolean): Promise<string> } {
  if (!('getToken' in credentials) || typeof credentials.getToken !== 'function') {
    throw new Error('The credentials of the Bot Framework SDK have no getToken');
  }
  const getToken: (renewed: boolean) => unknown = credentials.getToken.bind(credentials);
  return { getToken: async (renewed) => String(await getToken(renewed)) };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const giveUp = () => late.reject(new DOMException('The Bot Framework SDK took too long', 'TimeoutError'));
  const timer = setTimeout(giveUp, PATIENCE_MS);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}

/** The logger of the SDK's call that is under way, if one is. */
const calling = new AsyncLocalStorage<Pick<Log, 'debug'>>();
let isRedirected = false;

/**
 * Runs calls of the SDK with their `console.error` sent to our log, at debug. The SDK writes a stack or a key there for
 * every bad token: any stranger could fill the disk. Other code's console stays as it is.
 */
function withSdkConsole(log: Pick<Log, 'debug'>): <T>(call: () => T) => T {
  if (!isRedirected) {
    isRedirected = true;
    const { error } = console;
    console.error = (...lines: unknown[]) => {
      const logger = calling.getStore();
      if (!logger) return error(...lines);
      // Without what it says, which may quote the token.
      const [what] = lines;
      const kind = { channel: TEAMS.name, error: what instanceof Error ? what.name : typeof what };
      logger.debug(kind, 'the Bot Framework SDK complained');
    };
  }
  return (call) => calling.run(log, call);
}
