import type { Words } from '../../i18n.ts';
import { atMostEvery, type Observe } from '../../observe.ts';
import type { Accept, Channel } from '../channel.ts';
import type { Limit } from '../limits.ts';
import { type Cloud, NO_CLOUD, type Registration } from './cloud.ts';
import { createConnector } from './connector.ts';
import { createDelivery } from './deliver.ts';
import { createHosts, TEAMS_HOSTS } from './hosts.ts';
import { createIdentity } from './identity.ts';
import { toIncoming } from './incoming.ts';
import { createWebhook } from './webhook.ts';

export type TeamsConfig = {
  /** Undefined: no authentication at all (`TEAMS_AUTH=off`), for a playground on this machine only. */
  readonly registration?: Registration | undefined;
  /** Exact hosts that may receive our replies and token, `host` or `host:port`. Undefined: Microsoft's. */
  readonly serviceHosts?: readonly string[] | undefined;
  /** Directories whose profile e-mails count as proved. */
  readonly trustedTenants: readonly string[];
};

export type TeamsOptions = {
  readonly config: TeamsConfig;
  readonly accept: Accept;
  /** For requests without a valid token. */
  readonly limit: Limit;
  readonly words: Words;
  readonly observe: Observe;
  /** How long a call of the connector may take, ms. */
  readonly timeoutMs?: number | undefined;
};

const ALARM_EVERY_MS = 60_000;

/** Microsoft Teams, through the Bot Framework service. Resolves once the SDK is loaded, where it is needed. */
export async function createTeams(options: TeamsOptions): Promise<Channel> {
  const { config, accept, limit, words, observe } = options;
  const { registration, serviceHosts = TEAMS_HOSTS, trustedTenants } = config;
  const cloud = registration ? await loadCloud(registration, observe.log) : NO_CLOUD;
  const hosts = createHosts(serviceHosts, registration === undefined);
  const connector = createConnector({
    cloud,
    hosts,
    timeoutMs: options.timeoutMs,
    onTokenRefused: atMostEvery(ALARM_EVERY_MS, () =>
      observe.alarm('channel_token_refused', { channel: 'teams' }),
    ),
  });
  const { deliver, working } = createDelivery(connector, words);

  return {
    name: 'teams',
    plugin: createWebhook({
      cloud,
      hosts,
      localOnly: registration === undefined,
      limit,
      async receive(activity) {
        const incoming = toIncoming(activity);
        if (incoming) await accept(incoming);
      },
      onRefused(host) {
        observe.update('teams', 'refused');
        if (host !== undefined) {
          observe.log.warn({ channel: 'teams', host }, 'a connector is not among TEAMS_SERVICE_HOSTS');
        }
      },
    }),
    deliver,
    working,
    identify: createIdentity({ connector, trustedTenants }),
    async stop() {
      await connector.close();
    },
  };
}

async function loadCloud(registration: Registration, log: Observe['log']): Promise<Cloud> {
  const { createCloud } = await import('./authentication.ts');
  return createCloud(registration, log);
}
