import type { Activity } from 'botbuilder';
import type { FastifyPluginAsync } from 'fastify';
import { callerOf, isLocal, type Limit } from '../../http/limits.ts';
import { problem } from '../../http/problem.ts';
import { sendAgain, takePlatformRequests } from '../platform-request.ts';
import { parseActivity } from './activity.ts';
import type { Cloud } from './cloud.ts';
import type { Hosts } from './hosts.ts';

const ROUTE = '/webhooks/teams';

/** An activity has a few kilobytes; the longest messages of Teams have about 100. */
const BODY_LIMIT = 256 * 1024;

export type WebhookOptions = {
  readonly cloud: Pick<Cloud, 'verify'>;
  readonly hosts: Hosts;
  /** Resolves once the activity is stored or needs none, with an invoke's answer; rejects with `StoreUnavailable`. */
  readonly process: (activity: Activity) => Promise<{ readonly body?: unknown } | undefined>;
  /** Without authentication: only programs and pages of this machine are heard. */
  readonly localOnly: boolean;
  /** For requests without a valid token; the service's own are never limited. */
  readonly limit: Limit;
  /** A request was turned away; `host`: its connector is not one of those we trust. */
  readonly onRefused: (host?: string) => void;
};

/** The route that the Bot Framework service calls (docs/design.md, "A turn"). Bodies never say what an error was. */
export function createWebhook({
  cloud,
  hosts,
  process,
  localOnly,
  limit,
  onRefused,
}: WebhookOptions): FastifyPluginAsync {
  return async (app) => {
    takePlatformRequests(app);

    if (localOnly) {
      app.addHook('onRequest', async (request, reply) => {
        if (isLocal(callerOf(request))) return;
        onRefused();
        const limited = await limit(request, reply);
        return (
          limited ?? problem(reply, 403, 'Forbidden', 'Without authentication only this machine is heard.')
        );
      });
    }

    app.post(ROUTE, { bodyLimit: BODY_LIMIT }, async (request, reply) => {
      const { body, headers } = request;
      const activity = parseActivity(body);
      if (!activity) {
        onRefused();
        return problem(reply, 400, 'Bad Request', 'The body is no JSON object with a type.');
      }
      const verdict = await cloud.verify(activity, headers.authorization ?? '');
      if (verdict === 'unavailable') return sendAgain(reply, 'The token cannot be verified now.');
      if (verdict === 'refused') {
        onRefused();
        const limited = await limit(request, reply);
        return limited ?? problem(reply, 401, 'Unauthorized', 'The token is missing or wrong.');
      }
      if (!hosts.trusts(activity.serviceUrl)) {
        onRefused(URL.parse(activity.serviceUrl)?.host ?? '');
        return problem(reply, 403, 'Forbidden', 'This connector is not trusted.');
      }
      const answer = await process(activity);
      return reply.code(200).send(answer?.body);
    });
  };
}
