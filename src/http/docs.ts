import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import packageJson from '../../package.json' with { type: 'json' };
import type { Guard } from './guard.ts';

/** The page loads only from this server, and calls only its routes. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const TITLE = 'AntCRM chatbot: staff webhook';
const DESCRIPTION =
  'Talk to the bot as a customer would, on any channel. Errors are RFC 9457 problem documents.';

/** The tag of the routes on the page. */
export const API_TAG = 'staff webhook';
/** The name of their bearer-token scheme. */
export const API_SECURITY = 'staffToken';

/** Mounts `/docs` and `/docs/json`, of tagged routes. Await it first: only later routes are described. */
export async function describeApi(app: FastifyInstance, guard: Pick<Guard, 'api'>): Promise<void> {
  const scheme = { type: 'http', scheme: 'bearer', description: 'STAFF_TOKEN, where it is set.' } as const;
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: TITLE, version: packageJson.version, description: DESCRIPTION },
      tags: [{ name: API_TAG }],
      components: { securitySchemes: { [API_SECURITY]: scheme } },
    },
    transform: (route) =>
      route.schema?.tags ? jsonSchemaTransform(route) : { schema: { hide: true }, url: route.url },
  });
  await app.register(async (scope) => {
    scope.addHook('onRequest', guard.api);
    // Set last, because the page's files come with headers of their own.
    scope.addHook('onSend', async (_request, reply) => void reply.headers(HEADERS));
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: POLICY,
      theme: { title: TITLE },
      uiConfig: { layout: 'BaseLayout', displayRequestDuration: true, tryItOutEnabled: true },
    });
  });
}
