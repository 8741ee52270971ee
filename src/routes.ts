import type { FastifyPluginAsync } from 'fastify';
import { type CardRouteOptions, cardRoutes } from './card/routes.ts';
import type { ChannelRegistry } from './channels/registry.ts';
import type { Config } from './config.ts';
import { consolePage } from './console/console.ts';
import type { Gift } from './conversation/context.ts';
import { LOCALES, type PhotoReader } from './conversation/message.ts';
import type { Gifts } from './counter/gifts.ts';
import { giftRoutes } from './counter/routes.ts';
import type { Operators } from './engine/operators.ts';
import { health } from './http/health.ts';
import type { Http } from './http/server.ts';
import type { Words } from './i18n.ts';
import type { Declare, Metrics } from './observability/metrics.ts';
import { showBacklog } from './operators/backlog.ts';
import { operatorRoutes } from './operators/routes.ts';
import type { ShownCode } from './proof/open.ts';
import { systemRuntime } from './runtime.ts';
import type { RecordStore } from './store/port.ts';

type RouteParts = {
  readonly config: Config;
  readonly http: Http;
  readonly channels: ChannelRegistry<Config>;
  readonly words: Words;
  readonly gifts: readonly Gift[];
  readonly metrics: Metrics;
  readonly store: RecordStore;
  readonly operators: Operators;
  readonly backend: Pick<CardRouteOptions, 'read'> & {
    readonly sandbox: FastifyPluginAsync | undefined;
    faults(): readonly string[];
  };
  readonly tickets: CardRouteOptions['tickets'];
  readonly encryption: CardRouteOptions['encryption'];
  readonly overload: { faults(): readonly string[] };
  /** One-time codes that were sent, while the sandbox is the backend. */
  readonly codes: (() => readonly ShownCode[]) | undefined;
  readonly counter: Pick<Gifts, 'find' | 'handOver'>;
  readonly photoReader: PhotoReader;
};

/** Mounts the routes for staff, operators, Prometheus and orchestrators; channels mount theirs. */
export function mountRoutes({ config, http, channels, words, gifts, metrics, ...parts }: RouteParts): void {
  const { store, backend, operators, overload, codes } = parts;
  const { server, admin, guard } = http;
  const { traits } = channels;
  const languages = LOCALES.map((tag) => ({ tag, name: words.line({ key: `choice.language:${tag}` }, tag) }));
  const images = gifts.flatMap(({ image }) => image ?? []);
  const { showsDevelopers } = config;
  const page = { roles: traits, languages, images, sessions: http.sessions, showsDevelopers };
  admin.register(consolePage(guard, page));
  admin.get('/metrics', { onRequest: http.guardMetrics }, async (_request, reply) => {
    const backlog = (declare: Declare) => showBacklog(store, declare);
    const text = await metrics.text({ health: store.health, showBacklog: backlog });
    return reply.type(metrics.contentType).send(text);
  });
  if (config.operatorToken !== undefined) {
    const routes = operatorRoutes({
      guard: http.guardOperators(config.operatorToken),
      operators,
      channels: traits,
      checksMs: config.settings.operationChecksMs,
      log: metrics.observe.log,
    });
    admin.register(routes);
  }
  if (config.settings.handover) {
    const { tickets, encryption } = parts;
    const shared = { guard, log: metrics.observe.log, runtime: systemRuntime };
    admin.register(cardRoutes({ ...shared, tickets, encryption, read: backend.read }));
  }
  if (config.settings.counter) {
    const { counter, photoReader } = parts;
    const shared = { guard, photoReader, log: metrics.observe.log, runtime: systemRuntime };
    admin.register(giftRoutes({ ...shared, gifts: counter }));
  }
  if (codes) admin.get('/console/codes', { onRequest: guard.api }, async () => ({ codes: codes() }));
  const { sandbox } = backend;
  if (sandbox) {
    const guarded: FastifyPluginAsync = async (scope) =>
      void scope.addHook('onRequest', guard.api).register(sandbox);
    admin.register(guarded, { prefix: '/sandbox' });
  }
  const others = () =>
    new Map([
      ['antcrm', backend.faults()],
      ['turns', overload.faults()],
      ...(http.peopleFaults ? [['people', http.peopleFaults()] as const] : []),
      ...channels.faults(),
    ]);
  server.register(health({ store: store.health, others }));
}
