import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { comeLater, problem } from '../http/problem.ts';
import { type Answer, answer, type Refusal, type Tools } from './answers.ts';
import { asWritten, type Command, namesOf } from './command.ts';
import { findRouteOf, listRoute, removeRoute, replayRoute, settleRoute, showRoute } from './openapi.ts';

export type RouteOptions = Omit<Tools, 'who'> & {
  /** Lets operators pass, and nobody else. */
  readonly guard: onRequestAsyncHookHandler;
};

/**
 * What `npm run operations` does, over HTTP: also for a bot whose store is in its own memory. Phones and ids are looked for
 * by POST, since addresses end up in logs of proxies.
 */
export function operatorRoutes({ guard, ...tools }: RouteOptions): FastifyPluginAsync {
  const carryOut = async (command: Command, request: FastifyRequest, reply: FastifyReply) => {
    reply.header('cache-control', 'no-store');
    return respond(await answer(command, { ...tools, who: { from: request.ip } }), reply);
  };
  const names = namesOf(tools.channels.map(({ name }) => name));

  return async (scope) => {
    scope.setValidatorCompiler(validatorCompiler);
    scope.setSerializerCompiler(serializerCompiler);
    scope.addHook('onRequest', guard);
    const routes = scope.withTypeProvider<ZodTypeProvider>();

    routes.get('/operations', { schema: listRoute }, (request, reply) =>
      carryOut({ kind: 'list' }, request, reply),
    );

    routes.post('/operations/find', { schema: findRouteOf(names) }, (request, reply) =>
      carryOut({ kind: 'find', sought: request.body }, request, reply),
    );

    routes.get('/operations/:reference', { schema: showRoute }, (request, reply) => {
      const reference = asWritten(request.params.reference);
      return carryOut({ kind: 'show', reference, reveal: request.query.reveal === 'true' }, request, reply);
    });

    routes.post('/operations/:reference/settle', { schema: settleRoute }, (request, reply) => {
      const reference = asWritten(request.params.reference);
      return carryOut({ kind: 'settle', reference, result: request.body.result }, request, reply);
    });

    routes.post('/operations/letters/:id/replay', { schema: replayRoute }, (request, reply) =>
      carryOut({ kind: 'replay', id: request.params.id }, request, reply),
    );

    routes.post('/operations/letters/:id/remove', { schema: removeRoute }, (request, reply) =>
      carryOut({ kind: 'remove', id: request.params.id }, request, reply),
    );
  };
}

const STATUSES = {
  unknown: [404, 'Not Found'],
  unreadable: [422, 'Unprocessable Content'],
  decided: [409, 'Conflict'],
} as const satisfies Record<Exclude<Refusal, 'full'>, readonly [status: number, title: string]>;

function respond(answered: Answer, reply: FastifyReply): FastifyReply {
  if (answered.ok) return reply.send(answered.json);
  const { refusal, detail } = answered;
  if (refusal === 'full') return comeLater(reply, 503, detail);
  const [status, title] = STATUSES[refusal];
  return problem(reply, status, title, detail);
}
