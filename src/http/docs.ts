import { createReadStream } from 'node:fs';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform } from 'fastify-type-provider-zod';
import type { Guard } from './guard.ts';

/** The page loads scripts, styles and the document only from this server, and calls only its routes. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const TITLE = 'AntCRM chatbot: staff webhook';
const DESCRIPTION =
  'Talk to the bot as a customer would, on any channel. Errors are RFC 9457 problem documents.';

/** Of `@fastify/swagger-ui`. The plugin itself would load a server of files, which takes 4 MB. */
const FILES = new URL('static/', import.meta.resolve('@fastify/swagger-ui'));

const SETTINGS =
  "url: '/docs/json', dom_id: '#swagger-ui', displayRequestDuration: true, tryItOutEnabled: true";
const PARTS = {
  'swagger-ui.css': 'text/css',
  'swagger-ui-bundle.js': 'text/javascript',
  'start.js': 'text/javascript',
};
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${TITLE}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>`;

/** `version` and `tag` of the API, and `security`: the name of its bearer-token scheme. */
export type ApiAbout = { readonly version: string; readonly tag: string; readonly security: string };

/**
 * The API page at `/docs` and its OpenAPI document at `/docs/json`, from the schemas of all routes with a
 * tag. Await it before the routes are registered: only later routes are described.
 */
export async function describeApi(
  app: FastifyInstance,
  { guard, api }: { readonly guard: Pick<Guard, 'api'>; readonly api: ApiAbout },
): Promise<void> {
  const scheme = { type: 'http', scheme: 'bearer', description: 'STAFF_TOKEN, where it is set.' } as const;
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: TITLE, version: api.version, description: DESCRIPTION },
      tags: [{ name: api.tag }],
      components: { securitySchemes: { [api.security]: scheme } },
    },
    transform: (route) =>
      route.schema?.tags ? jsonSchemaTransform(route) : { schema: { hide: true }, url: route.url },
  });
  await app.register(async (scope) => {
    scope.addHook('onRequest', guard.api);
    scope.get('/docs', async (_request, reply) =>
      reply.header('content-security-policy', POLICY).type('text/html').send(PAGE),
    );
    scope.get('/docs/json', async () => app.swagger());
    for (const [file, type] of Object.entries(PARTS))
      scope.get(`/docs/${file}`, async (_request, reply) =>
        reply
          .type(type)
          .send(
            file === 'start.js' ? `SwaggerUIBundle({ ${SETTINGS} })` : createReadStream(new URL(file, FILES)),
          ),
      );
  });
}
