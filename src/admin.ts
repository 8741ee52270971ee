import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import type { Channel } from './channels/channel.ts';
import { STAFF_SECURITY, STAFF_TAG } from './channels/staff/schemas.ts';
import { consolePage, type Role } from './console/console.ts';
import { LOCALES } from './conversation/message.ts';
import { describeApi } from './http/docs.ts';
import { createOperatorGuard, type Guard, type Limits, limitStrangers } from './http/guard.ts';
import type { Words } from './i18n.ts';
import { OPERATOR_SECURITY, OPERATOR_TAG } from './operators/api.ts';
import { operatorRoutes, type RouteOptions } from './operators/routes.ts';

export type AdminOptions = {
  readonly version: string;
  readonly guard: Guard;
  readonly limits: Limits;
  /** The server has a port of its own, which only operators reach: metrics need no token there. */
  readonly apart: boolean;
  readonly metrics: { text(): Promise<string>; readonly contentType: string };
  readonly channels: readonly Pick<Channel, 'staffPlugin'>[];
  readonly roles: readonly Role[];
  readonly words: Words;
  /** The URLs of pictures that replies may have. */
  readonly images: readonly string[];
  /** `OPERATOR_TOKEN` and what its bearers work on; absent: these routes are, too. */
  readonly operators?: OperatorAccess | undefined;
  /** AntCRM's own routes, where the embedded sandbox is the backend. */
  readonly sandbox?: FastifyPluginAsync | undefined;
};

type OperatorAccess = Omit<RouteOptions, 'guard'> & { readonly token: string };

const API = [
  { tag: STAFF_TAG, security: STAFF_SECURITY, token: 'STAFF_TOKEN, where it is set.' },
  { tag: OPERATOR_TAG, security: OPERATOR_SECURITY, token: 'OPERATOR_TOKEN.' },
];

/** Mounts what is for staff, operators and Prometheus: API page, channels' staff routes, console, metrics, sandbox. */
export async function mountAdmin(admin: FastifyInstance, options: AdminOptions): Promise<void> {
  const { guard, limits, metrics, operators, sandbox } = options;
  await describeApi(admin, { ...options, parts: API });
  for (const { staffPlugin } of options.channels) if (staffPlugin) admin.register(staffPlugin);
  const { roles, images, words } = options;
  const languages = LOCALES.map((tag) => ({ tag, name: words.line({ key: `choice.language:${tag}` }, tag) }));
  admin.register(consolePage(guard.page, { roles, languages, images }));
  const onRequest = options.apart ? limitStrangers(limits) : guard.api;
  admin.get('/metrics', { onRequest }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  if (operators) {
    const { token, ...tools } = operators;
    admin.register(operatorRoutes({ ...tools, guard: createOperatorGuard(limits, token) }));
  }
  if (sandbox) {
    const guarded: FastifyPluginAsync = async (scope) => {
      scope.addHook('onRequest', guard.api);
      scope.register(sandbox);
    };
    admin.register(guarded, { prefix: '/sandbox' });
  }
}
