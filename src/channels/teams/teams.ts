import type { Limit } from '../../http/limits.ts';
import type { Words } from '../../i18n.ts';
import type { Observe } from '../../observability/metrics.ts';
import type { Accept, Channel } from '../channel.ts';
import { tokenAlarm } from '../platform-response.ts';
import { createWatch } from '../watch.ts';
import { TEAMS } from './address.ts';
import { createCloud, NO_CLOUD, type Registration } from './authentication.ts';
import { createCheck } from './check.ts';
import { createConnector, createHosts, TEAMS_HOSTS } from './connector.ts';
import { createTeamsOutlet } from './deliver.ts';
import { createIdentity } from './identity.ts';
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
  /** From one look at the service to the next, ms. */
  readonly watchMs?: number | undefined;
};

/**
 * Microsoft Teams, through the Bot Framework service. The SDK (0.3 s, 50 MB) comes with this file: it is loaded only where
 * the channel is on.
 */
export function createTeams(options: TeamsOptions): Channel {
  const { config, accept, limit, words, observe } = options;
  const { registration, serviceHosts = TEAMS_HOSTS, trustedTenants } = config;
  const cloud = registration ? createCloud(registration, observe.log) : NO_CLOUD;
  const hosts = createHosts(serviceHosts, registration === undefined);
  const connector = createConnector({
    cloud,
    hosts,
    timeoutMs: options.timeoutMs,
    onTokenRefused: tokenAlarm(TEAMS.name, observe),
  });
  const check = createCheck({ cloud, connector, registration, serviceHosts: config.serviceHosts });
  const watch = createWatch({ channel: TEAMS.name, check, observe, everyMs: options.watchMs });

  return {
    ...TEAMS,
    greeting: () => [`${TEAMS.title} is on${registration ? '' : ', without authentication'}.`],
    plugin: createWebhook({
      cloud,
      hosts,
      localOnly: registration === undefined,
      limit,
      accept,
      onRefused(host) {
        observe.update(TEAMS.name, 'refused');
        if (host !== undefined) {
          observe.log.warn({ channel: TEAMS.name, host }, 'a connector is not among TEAMS_SERVICE_HOSTS');
        }
      },
    }),
    ...createTeamsOutlet(connector, words, options.timeoutMs),
    identify: createIdentity({ connector, trustedTenants }),
    faults: watch.faults,
    start: watch.start,
    stop: watch.stop,
    close: connector.close,
  };
}
