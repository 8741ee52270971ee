import type { FastifyPluginAsync } from 'fastify';
import { callerOf, isLocal } from '../../http/guard.ts';
import { comeLater } from '../../http/problem.ts';
import type { Channel, ChannelEntry, ChannelParts } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import { createWatch } from '../watch.ts';
import { TEAMS } from './address.ts';
import { CHANNEL, createCloud, NO_CLOUD, type Registration } from './authentication.ts';
import { createCheck } from './check.ts';
import { createConnector, createHosts, TEAMS_HOSTS } from './connector.ts';
import { fromMessage, parseActivity } from './incoming.ts';
import { createTeamsPlatform } from './platform.ts';

export type TeamsConfig = {
  /** Undefined: no authentication at all (`TEAMS_AUTH=off`), for a playground on this machine only. */
  readonly registration?: Registration | undefined;
  /** Exact hosts that may receive our replies and token, `host` or `host:port`. Undefined: Microsoft's. */
  readonly serviceHosts?: readonly string[] | undefined;
  /** Directories whose profile e-mails count as proved. */
  readonly trustedTenants: readonly string[];
};

export type TeamsOptions = Pick<ChannelParts, 'accept' | 'limit' | 'words' | 'observe'> & {
  readonly config: TeamsConfig;
  /** How long a call of the connector may take, ms. */
  readonly timeoutMs?: number | undefined;
  /** From one look at the service to the next, ms. */
  readonly watchMs?: number | undefined;
};

export const teams: ChannelEntry<{ readonly teams: TeamsConfig | undefined }> = {
  traits: TEAMS,
  async open({ teams: config }, { accept, limit, words, observe }) {
    if (!config) return { off: 'MICROSOFT_APP_ID is unset' };
    return createTeams({ config, accept, limit, words, observe });
  },
};

const WRONG_TOKEN = 'The token is missing or wrong.';

/** Microsoft Teams, through the Bot Framework service, whose SDK is loaded where it is needed first: it takes 17 MB. */
export async function createTeams(options: TeamsOptions): Promise<Channel> {
  const { config, accept, words, observe, timeoutMs } = options;
  const { registration, serviceHosts, trustedTenants } = config;
  const cloud = registration ? await createCloud(registration, observe.log) : NO_CLOUD;
  const hosts = createHosts(serviceHosts ?? TEAMS_HOSTS, registration === undefined);
  const connector = createConnector({ cloud, hosts, timeoutMs });
  const check = createCheck({ cloud, connector, registration, serviceHosts });
  const watch = createWatch({ channel: TEAMS.name, check, observe, everyMs: options.watchMs });
  const refuse = createRefusal(TEAMS.name, options);

  /** The route that the Bot Framework service calls (docs/how-it-works.md, "A message"). Bodies never say what an error was. */
  const plugin: FastifyPluginAsync = async (app) => {
    takePlatformRequests(app);
    app.decorateRequest('vouchedUrl', undefined);
    // Before the body is read, let alone parsed.
    app.addHook('onRequest', async (request, reply) => {
      if (!registration && !isLocal(callerOf(request))) {
        return refuse(request, reply, 403, 'Without authentication only this machine is heard.');
      }
      const verdict = await cloud.verify(request.headers.authorization ?? '');
      if (verdict.kind === 'unavailable') return comeLater(reply, 503, 'The token cannot be verified now.');
      if (verdict.kind !== 'valid') return refuse(request, reply, 401, WRONG_TOKEN);
      request.setDecorator('vouchedUrl', verdict.serviceUrl);
    });
    app.post('/webhooks/teams', { bodyLimit: BODY_LIMIT }, async (request, reply) => {
      const activity = parseActivity(request.body);
      if (!activity) return refuse(request, reply, 400, 'The body is no JSON object with a type.');
      const { channelId, serviceUrl } = activity;
      // Other channels' clients could claim to be anybody; ours is Teams.
      const isVouchedFor = channelId === CHANNEL && serviceUrl === request.getDecorator('vouchedUrl');
      if (registration && !isVouchedFor) {
        return refuse(request, reply, 401, WRONG_TOKEN);
      }
      if (!hosts.trusted(activity.serviceUrl)) {
        const host = URL.parse(activity.serviceUrl)?.host ?? '';
        observe.log.warn({ channel: TEAMS.name, host }, 'a connector is not among TEAMS_SERVICE_HOSTS');
        return refuse(request, reply, 403, 'This connector is not trusted.');
      }
      // Messages, by far the most, go straight there; every other kind of activity takes the SDK's way.
      const { incoming, body } =
        activity.type === 'message'
          ? { incoming: fromMessage(activity), body: undefined }
          : await (await import('./handler.ts')).readOther(activity);
      if (incoming) await accept(incoming, activity.timestamp.getTime());
      return reply.code(200).send(body);
    });
  };

  return {
    ...TEAMS,
    greeting: () => [`${TEAMS.title} is on${registration ? '' : ', without authentication'}.`],
    plugin,
    ...createTeamsPlatform(connector, words, trustedTenants, timeoutMs),
    faults: watch.faults,
    start: watch.start,
    stop: watch.stop,
    close: connector.close,
  };
}
