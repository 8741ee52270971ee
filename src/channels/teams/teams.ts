import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { callerOf, isLocal } from '../../http/guard.ts';
import { problem } from '../../http/problem.ts';
import type { Channel, ChannelParts } from '../channel.ts';
import { BODY_LIMIT, createRefusal, takePlatformRequests } from '../platforms.ts';
import { Watch } from '../watch.ts';
import { TEAMS, TEAMS_HOSTS, TrustedHosts } from './address.ts';
import { CHANNEL, type Cloud, NO_CLOUD, type Registration, SdkCloud } from './authentication.ts';
import { Connector } from './connector.ts';
import { handleActivity } from './handler.ts';
import { parseActivity } from './incoming.ts';
import { TeamsPlatform } from './platform.ts';

/** The part of the configuration that Teams reads. */
export type TeamsConfig = {
  /** Undefined: no authentication (`TEAMS_AUTH=off`), for a playground on this machine only. */
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

const WRONG_TOKEN = 'The token is missing or wrong.';

/** Microsoft Teams, through the Bot Framework service. */
export class TeamsChannel extends TeamsPlatform implements Channel {
  readonly #options: TeamsOptions;
  readonly #cloud: Cloud;
  readonly #hosts: TrustedHosts;
  readonly #watch: Watch;
  readonly #refuse: ReturnType<typeof createRefusal>;

  /** Throws where the registration is not complete. */
  constructor(options: TeamsOptions) {
    const { config, observe, words, timeoutMs, watchMs: everyMs } = options;
    const { registration, serviceHosts, trustedTenants } = config;
    const cloud = registration ? new SdkCloud(registration, observe.log) : NO_CLOUD;
    const hosts = new TrustedHosts(serviceHosts ?? TEAMS_HOSTS, registration === undefined);
    const connector = new Connector({ cloud, hosts, timeoutMs });
    super({ connector, words, trustedTenants, timeoutMs });
    this.#options = options;
    this.#cloud = cloud;
    this.#hosts = hosts;
    this.#refuse = createRefusal(TEAMS.name, options);
    const check = () => this.#look();
    this.#watch = new Watch({ channel: TEAMS.name, check, observe, everyMs });
  }

  greeting(): readonly string[] {
    return [`${TEAMS.title} is on${this.#options.config.registration ? '' : ', without authentication'}.`];
  }

  /** The route that the Bot Framework service calls. Its answers never describe an error. */
  readonly plugin: FastifyPluginAsync = async (app: FastifyInstance) => {
    takePlatformRequests(app);
    app.decorateRequest('vouchedUrl', undefined);
    // Runs before the body is read.
    app.addHook('onRequest', (request, reply) => this.#verify(request, reply));
    const options = { bodyLimit: BODY_LIMIT };
    app.post('/webhooks/teams', options, (request, reply) => this.#receive(request, reply));
  };

  faults(): readonly string[] {
    return this.#watch.faults();
  }

  start(): Promise<void> {
    return this.#watch.start();
  }

  async stop(): Promise<void> {
    this.#watch.stop();
  }

  close(): Promise<void> {
    return this.connector.close();
  }

  /** Answers a request without a valid token; undefined: go on. */
  async #verify(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    if (!this.#options.config.registration && !isLocal(callerOf(request))) {
      return this.#refuse(reply, 403, 'Without authentication only this machine is heard.');
    }
    const verdict = await this.#cloud.verify(request.headers.authorization ?? '');
    if (verdict.kind === 'unavailable') return problem(reply, 503, 'The token cannot be verified now.');
    if (verdict.kind !== 'valid') return this.#refuse(reply, 401, WRONG_TOKEN);
    request.setDecorator('vouchedUrl', verdict.serviceUrl);
    return undefined;
  }

  async #receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { config, accept, observe } = this.#options;
    const activity = parseActivity(request.body);
    if (!activity) return this.#refuse(reply, 400, 'The body is no JSON object with a type.');
    const { channelId, serviceUrl } = activity;
    // Clients of other channels could claim to be anybody.
    const isVouchedFor = channelId === CHANNEL && serviceUrl === request.getDecorator('vouchedUrl');
    if (config.registration && !isVouchedFor) return this.#refuse(reply, 401, WRONG_TOKEN);
    if (!this.#hosts.trusted(serviceUrl)) {
      const host = URL.parse(serviceUrl)?.host ?? '';
      observe.log.warn({ channel: TEAMS.name, host }, 'a connector is not among TEAMS_SERVICE_HOSTS');
      return this.#refuse(reply, 403, 'This connector is not trusted.');
    }
    const { incoming, body } = await handleActivity(activity);
    if (incoming) await accept(incoming, activity.timestamp.getTime());
    return reply.code(200).send(body);
  }
  /** What is out of order between the bot and the Bot Framework service, as the last requests showed. */
  async #look(): Promise<readonly string[]> {
    const faults = this.#cloud.hasKeys() ? [] : [NO_KEYS];
    try {
      // The SDK caches the token, so most looks make no request.
      await this.#cloud.token();
      if (this.connector.isRefused) faults.push(REFUSED);
    } catch (error) {
      const code = error instanceof Error && 'errorCode' in error ? ` (${error.errorCode})` : '';
      faults.push(`the login service gives no token${code}, ${NO_TOKEN}`);
    }
    return faults;
  }
}

const NO_KEYS =
  "the Bot Framework service's signing keys cannot be fetched, and without them no message is accepted: " +
  'is https to its OpenID metadata let out (ToBotFromChannelOpenIdMetadataUrl, else login.botframework.com)?';
const NO_TOKEN =
  'and without one no reply is sent: has the client secret expired (MICROSOFT_APP_PASSWORD), are ' +
  'MICROSOFT_APP_ID and MICROSOFT_APP_TENANT_ID right (with UserAssignedMSI: does this machine have the ' +
  'identity), is https let out (ToChannelFromBotLoginUrl, else login.microsoftonline.com)?';
const REFUSED =
  'the connector refuses our token or our bot: is the client secret that of MICROSOFT_APP_ID, ' +
  'and the Teams channel of the Azure bot on, in the cloud of its customers?';
