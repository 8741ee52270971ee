import type { FastifyPluginAsync, FastifyReply, onRequestAsyncHookHandler } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Filed, Operators } from '../engine/operators.ts';
import { comeLater, problem } from '../http/problem.ts';
import type { Log } from '../observability/log.ts';
import { routesOf } from './api.ts';
import type { Decisions } from './decisions.ts';
import { describe, find, type KnownChannel, listOf, lookupOf, storyOf, summarize } from './operation.ts';

export type RouteOptions = {
  /** Lets operators pass, and nobody else. */
  readonly guard: onRequestAsyncHookHandler;
  readonly operators: Operators;
  readonly decisions: Decisions;
  /** Those that a customer can be looked for on. */
  readonly channels: readonly KnownChannel[];
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
  /** Keeps who unmasked, settled, replayed and removed what. */
  readonly log: Pick<Log, 'warn'>;
  nowMs(): number;
};

const REFUSALS = {
  unknown: [404, 'Not Found', 'There is none of that name: it was settled, or never was.'],
  unreadable: [
    422,
    'Unprocessable Content',
    'It cannot be opened (is the key that sealed it STATE_KEY or STATE_KEY_PREVIOUS? did a newer version of the bot write it?), or is no message.',
  ],
  decided: [
    409,
    'Conflict',
    'A decision on it was filed before, and counts. It stays in the list until a running bot has taken that up.',
  ],
} as const;
const FULL = 'Too many messages wait in that conversation. Nothing was filed: try again in a minute.';

/**
 * Operations without an outcome, and dead letters (docs/operators.md). Phones and ids are looked for by POST, since
 * addresses end up in logs of proxies.
 */
export function operatorRoutes(options: RouteOptions): FastifyPluginAsync {
  const { guard, operators, decisions, channels, checksMs, log, nowMs } = options;
  const schemas = routesOf(channels.map(({ name }) => name));

  function refuse(reply: FastifyReply, why: Exclude<Filed, 'filed'>, detail?: string): FastifyReply {
    if (why === 'full') return comeLater(reply, 503, FULL);
    const [status, title, usual] = REFUSALS[why];
    return problem(reply, status, title, detail ?? usual);
  }

  /** Codes that were confirmed at once have an operation each, `<reference of the confirmation>.<n>`. */
  async function unknown(reply: FastifyReply, reference: string): Promise<FastifyReply> {
    const parts = (await operators.operations())
      .map((one) => one.reference)
      .filter((one) => one.startsWith(`${reference}.`));
    const detail = `Several codes were confirmed at once. Say which: ${parts.join(', ')}`;
    return refuse(reply, 'unknown', parts.length > 0 ? detail : undefined);
  }

  return async (scope) => {
    scope.setValidatorCompiler(validatorCompiler);
    scope.setSerializerCompiler(serializerCompiler);
    scope.addHook('onRequest', guard);
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store');
    });
    const routes = scope.withTypeProvider<ZodTypeProvider>();

    routes.get('/operations', { schema: schemas.list }, async (_request, reply) => {
      const found = { operations: await operators.operations(), letters: await operators.letters() };
      return reply.send(listOf(found, checksMs, nowMs()));
    });

    routes.post('/operations/find', { schema: schemas.find }, async ({ body }, reply) => {
      const { conversation, ...found } = await find(body, operators, channels);
      return reply.send({
        ...(conversation !== null && { conversation }),
        ...listOf(found, checksMs, nowMs()),
      });
    });

    routes.get('/operations/:reference', { schema: schemas.show }, async (request, reply) => {
      const { reference } = request.params;
      const { reveal, by } = request.query;
      const operation = (await operators.operations()).find((one) => one.reference === reference);
      const decision = await decisions.find(reference);
      if (operation === undefined) return decision ? reply.send(decision) : unknown(reply, reference);
      const lookup = lookupOf(operation);
      if (lookup === null) return refuse(reply, 'unreadable');
      const { conversation: name } = operation;
      if (reveal === 'true') {
        const seen = { operation: reference, conversation: name, by, from: request.ip };
        log.warn(seen, 'an operator was shown an identifier in full');
      }
      const conversation = await operators.conversation(name);
      const letters = await operators.letters();
      return reply.send({
        ...summarize(operation, checksMs, nowMs()),
        ...describe(lookup, reveal === 'true'),
        story: storyOf({ operation, lookup, conversation, letters, decision, checksMs }),
      });
    });

    routes.post('/operations/:reference/settle', { schema: schemas.settle }, async (request, reply) => {
      const { reference } = request.params;
      const { result, by } = request.body;
      const operation = (await operators.operations()).find((one) => one.reference === reference);
      const filed = await operators.settle(reference, result, (one) => lookupOf(one)?.locks ?? []);
      const decided = { operation: reference, result, filed, by, from: request.ip };
      log.warn(decided, 'an operator settles an operation');
      if (filed === 'filed' && operation) {
        const settled = { at: new Date(nowMs()).toISOString(), result, by: by ?? null };
        const { kind, conversation } = summarize(operation, checksMs, nowMs());
        await decisions.keep({ reference, kind, conversation, settled });
      }
      if (filed === 'filed') return reply.send({ status: filed });
      return filed === 'unknown' ? unknown(reply, reference) : refuse(reply, filed);
    });

    routes.post('/operations/letters/:id/replay', { schema: schemas.replay }, async (request, reply) => {
      const { id } = request.params;
      const filed = await operators.replay(id);
      const replayed = { letter: id, filed, by: request.body?.by, from: request.ip };
      log.warn(replayed, 'an operator replays a dead letter');
      return filed === 'filed' ? reply.send({ status: filed }) : refuse(reply, filed);
    });

    routes.post('/operations/letters/:id/remove', { schema: schemas.remove }, async (request, reply) => {
      const { id } = request.params;
      const removed = await operators.remove(id);
      const gone = { letter: id, removed, by: request.body?.by, from: request.ip };
      log.warn(gone, 'an operator removes a dead letter');
      return removed ? reply.send({ status: 'removed' }) : refuse(reply, 'unknown');
    });
  };
}
