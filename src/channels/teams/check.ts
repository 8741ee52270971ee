import { z } from 'zod';
import { pause } from '../watch.ts';
import { TEAMS_HOSTS, urlOf } from './address.ts';
import { type Cloud, PUBLIC_CLOUD, type Registration } from './authentication.ts';
import type { Connector } from './connector.ts';

export type TeamsCheckOptions = {
  readonly cloud: Pick<Cloud, 'token'>;
  readonly connector: Pick<Connector, 'look' | 'isRefused'>;
  /** Undefined: no authentication, so there are neither keys nor tokens. */
  readonly registration: Registration | undefined;
  readonly serviceHosts: readonly string[] | undefined;
};

/** Longest wait for our token. */
const TOKEN_MS = 5_000;

const KEYS =
  "the Bot Framework service's signing keys cannot be fetched, and without them no message is accepted: " +
  'is https to its OpenID metadata let out (ToBotFromChannelOpenIdMetadataUrl, else login.botframework.com)?';
const NO_TOKEN =
  'the login service gives no token, and without one no reply is sent: is https to it let out ' +
  '(ToChannelFromBotLoginUrl, else login.microsoftonline.com; with UserAssignedMSI: ' +
  'does this machine have the identity)?';
const WRONG_SECRET =
  'the login service refuses the bot: set MICROSOFT_APP_ID, MICROSOFT_APP_TENANT_ID and a client secret ' +
  'that has not expired (MICROSOFT_APP_PASSWORD), and restart';
const REFUSED =
  'the connector refuses our token or our bot: is the client secret that of MICROSOFT_APP_ID, ' +
  'and the Teams channel of the Azure bot on, in the cloud of its customers?';
const unreachable = (host: string) =>
  `the connector ${host} cannot be reached, and through it no reply is sent: ` +
  'is https to it let out (TEAMS_SERVICE_HOSTS)?';

/** Finds what is out of order between the bot and the Bot Framework service, for `createWatch`. */
export function createTeamsCheck({ cloud, connector, registration, serviceHosts }: TeamsCheckOptions) {
  // Connectors of governments are not reachable from everywhere; their bots name a cloud.
  const usual = registration && !registration.endpoints ? TEAMS_HOSTS.slice(0, 1) : [];
  const hosts = serviceHosts ?? usual;

  async function keysFault({ endpoints }: Registration, signal: AbortSignal): Promise<string | undefined> {
    const { ToBotFromChannelOpenIdMetadataUrl: url } = endpoints ?? PUBLIC_CLOUD;
    const metadata = metadataSchema.safeParse(await connector.look(url, signal)).data;
    const keys = metadata && keysSchema.safeParse(await connector.look(metadata.body.jwks_uri, signal)).data;
    return keys ? undefined : KEYS;
  }

  async function tokenFault(signal: AbortSignal): Promise<string | undefined> {
    try {
      // The SDK caches the token, so most checks make no request. It cannot be stopped.
      await Promise.race([cloud.token(), pause(TOKEN_MS, signal).then(() => Promise.reject())]);
      return connector.isRefused() ? REFUSED : undefined;
    } catch (error) {
      return isWrongSecret(error) ? WRONG_SECRET : NO_TOKEN;
    }
  }

  async function hostFault(host: string, signal: AbortSignal): Promise<string | undefined> {
    // Any answer shows that the host is reachable.
    return (await connector.look(urlOf(host), signal)) ? undefined : unreachable(host);
  }

  return async (signal: AbortSignal): Promise<readonly string[]> => {
    const looks = hosts.map((host) => hostFault(host, signal));
    if (registration) looks.unshift(keysFault(registration, signal), tokenFault(signal));
    return (await Promise.all(looks)).filter((fault) => fault !== undefined);
  };
}

const metadataSchema = z.object({ status: z.literal(200), body: z.object({ jwks_uri: z.url() }) });
const keysSchema = z.object({
  status: z.literal(200),
  body: z.object({ keys: z.array(z.unknown()).min(1) }),
});

/** OAuth's errors (RFC 6749) for a wrong client, as MSAL reports them. */
const WRONG_CLIENT = new Set(['invalid_client', 'unauthorized_client', 'invalid_request', 'invalid_scope']);

function isWrongSecret(error: unknown): boolean {
  return error instanceof Error && 'errorCode' in error && WRONG_CLIENT.has(String(error.errorCode));
}
