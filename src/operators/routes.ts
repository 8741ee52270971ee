import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Lookup } from '../conversation/effect.ts';
import { parsePhone } from '../conversation/values/contact.ts';
import type { Operators } from '../engine/operators.ts';
import { problem } from '../http/problem.ts';
import type { Fields, Log } from '../observability/log.ts';
import * as operation from './operation.ts';

/** What the routes need. */
export type OperatorRouteOptions = {
  /** Lets only operators pass. */
  readonly guard: onRequestAsyncHookHandler;
  readonly operators: Omit<Operators, 'file'>;
  /** The channels on which a customer can be found. */
  readonly channels: readonly operation.KnownChannel[];
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
  /** Records who unmasked, settled, replayed and removed what. */
  readonly log: Pick<Log, 'warn'>;
};

/** Answers for each reason why nothing was filed. */
const REFUSALS = {
  unknown: [404, 'It was settled, or never was. Several codes have one each: REF.1, REF.2.'],
  unreadable: [422, 'It is no message, or another key or a newer version of the bot wrote it.'],
  lost: [422, 'Nothing can be read of it. Look in AntCRM by its time, then take it off the list: close.'],
  kept: [409, 'It can be settled: by the newest bot if another version of the bot began it.'],
  decided: [409, 'An earlier decision counts. It stays listed until a bot has taken that up.'],
} as const;

/** The operator's name, for the record. */
const by = z.string().trim().min(1).max(100).optional();
const params = z.object({ reference: z.string().trim().toUpperCase().min(1).max(40) });
const showRoute = {
  params,
  querystring: z.object({ reveal: z.enum(['true', 'false']).optional(), by }),
};
const settleRoute = { params, body: z.strictObject({ result: z.enum(['done', 'not-applied']), by }) };
const closeRoute = { params, body: z.strictObject({ by }).nullish() };
const readRoute = {
  params: z.object({ id: z.string().min(1).max(100) }),
  querystring: z.object({ by }),
};
const letterRoute = {
  params: z.object({ id: z.string().min(1).max(100), action: z.enum(['replay', 'remove']) }),
  body: z.strictObject({ by }).nullish(),
};

/** Exactly one of: the customer's id under the name of its channel, or their phone. */
function whomSchemaOf(channels: readonly operation.KnownChannel[]) {
  const names = [...channels.map(({ name }) => name), 'phone'];
  const value = z.string().min(1).max(300).optional();
  return z
    .strictObject(Object.fromEntries(names.map((name) => [name, value])))
    .transform((body, context): operation.Whom => {
      const [[channel, id = ''] = ['', ''], ...others] = Object.entries(body);
      const phone = channel === 'phone' ? parsePhone(id) : undefined;
      const isGood = others.length === 0 && id !== '' && phone?.ok !== false;
      if (isGood) return { channel, id: phone?.value ?? id };
      const message = `Exactly one of ${names.join(', ')}; a phone as people write it`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}

/** `/operations`. A customer is looked for by POST: addresses get into the logs of proxies. */
export function operatorRoutes(options: OperatorRouteOptions): FastifyPluginAsync {
  const { guard, operators, channels, checksMs, log } = options;

  return async (scope) => {
    scope.setValidatorCompiler(validatorCompiler);
    scope.addHook('onRequest', guard);
    scope.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store'));
    await scope.register(decisionRoutes(options));
    await scope.register(letterRoutes(options));
    const routes = scope.withTypeProvider<ZodTypeProvider>();

    routes.get('/operations', async () => toList(await readWork(operators), checksMs));

    const findRoute = { body: whomSchemaOf(channels) };
    routes.post('/operations/find', { schema: findRoute }, async ({ body }) => {
      const works = await readWork(operators);
      const names = await operation.findConversations(body, works, options);
      const conversation = body.channel === 'phone' ? undefined : operators.nameOf(body.channel, body.id);
      const theirs = works.filter(
        (work) => names.has(work.conversation) || work.conversation === conversation,
      );
      return { conversation, ...toList(theirs, checksMs) };
    });

    routes.get('/operations/:reference', { schema: showRoute }, async (request, reply) => {
      const { reference } = request.params;
      const reveal = request.query.reveal === 'true';
      const open = (await operators.operations()).find((operation) => operation.reference === reference);
      const lookup = open?.intent?.body.lookup;
      if (!lookup) return refuse(reply, open === undefined ? 'unknown' : open.isLost ? 'lost' : 'unreadable');
      if (reveal) {
        const about = { operation: reference, conversation: open.conversation };
        record(log, request, { does: 'was shown an identifier in full', by: request.query.by, ...about });
      }
      return {
        ...operation.toOperationView(open, checksMs),
        ...operation.describe(lookup, reveal),
        /** What the customer knows. Null: the turn that made the call has not ended. */
        status: open.status ?? null,
        next: tellNext(lookup.kind, reference),
      };
    });
  };
}

const readWork = async (operators: Pick<Operators, 'operations' | 'letters'>): Promise<operation.Work[]> => [
  ...(await operators.operations()),
  ...(await operators.letters()),
];

const toList = (works: readonly operation.Work[], checksMs: readonly number[]) => ({
  operations: works.flatMap((work) => ('reference' in work ? operation.toOperationView(work, checksMs) : [])),
  deadLetters: works.flatMap((work) => ('reference' in work ? [] : operation.toLetterView(work))),
});

/** Decisions about operations. */
function decisionRoutes({ operators, log }: OperatorRouteOptions): FastifyPluginAsync {
  return async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    routes.post('/operations/:reference/settle', { schema: settleRoute }, async (request, reply) => {
      const { reference } = request.params;
      const { result, by } = request.body;
      const filed = await operators.settle(reference, result);
      // What is unknown may be a phone in the wrong place.
      const known = filed === 'unknown' ? undefined : reference;
      const about = { operation: known, result, filed };
      record(log, request, { does: 'settles an operation', by, ...about });
      if (filed !== 'filed') return refuse(reply, filed);
      return { status: filed, reference, result, customer: 'is told by itself' };
    });

    routes.post('/operations/:reference/close', { schema: closeRoute }, async (request, reply) => {
      const { reference } = request.params;
      const result = await operators.close(reference);
      const known = result === 'unknown' ? undefined : reference;
      record(log, request, { does: 'closes an operation', by: request.body?.by, operation: known, result });
      return result === 'closed'
        ? { status: result, reference, customer: 'is not told' }
        : refuse(reply, result);
    });
  };
}

function letterRoutes({ operators, log }: OperatorRouteOptions): FastifyPluginAsync {
  return async (scope) => {
    const routes = scope.withTypeProvider<ZodTypeProvider>();
    routes.get('/operations/letters/:id', { schema: readRoute }, async (request, reply) => {
      const { id } = request.params;
      const letter = (await operators.letters()).find((deadLetter) => deadLetter.id === id);
      const content = letter && operation.toLetterContent(letter);
      const filed = content ? 'shown' : letter ? 'unreadable' : 'unknown';
      const about = { letter: letter?.id, conversation: letter?.conversation, filed };
      record(log, request, { does: 'reads a dead letter', by: request.query.by, ...about });
      if (letter === undefined || content === undefined)
        return refuse(reply, letter ? 'unreadable' : 'unknown');
      return { ...operation.toLetterView(letter), ...content };
    });

    routes.post('/operations/letters/:id/:action', { schema: letterRoute }, async (request, reply) => {
      const { id: letter, action } = request.params;
      const isRemoval = action === 'remove';
      const removed = isRemoval && (await operators.remove(letter)) ? 'removed' : 'unknown';
      const filed = isRemoval ? removed : await operators.replay(letter);
      const does = isRemoval ? 'removes a dead letter' : 'replays a dead letter';
      const about = { letter: filed === 'unknown' ? undefined : letter, filed };
      record(log, request, { does, by: request.body?.by, ...about });
      return filed === 'filed' || filed === 'removed' ? { status: filed } : refuse(reply, filed);
    });
  };
}

/** A log line says who did what. */
function record(
  log: Pick<Log, 'warn'>,
  { ip: from }: FastifyRequest,
  { does, ...fields }: Fields & { readonly does: string },
): void {
  log.warn({ ...fields, from }, `an operator ${does}`);
}

function refuse(reply: FastifyReply, why: keyof typeof REFUSALS): FastifyReply {
  const [status, detail] = REFUSALS[why];
  return problem(reply, status, detail);
}

/** What the operator does next. */
const tellNext = (kind: Lookup['kind'], reference: string): readonly string[] => [
  `Look in AntCRM for a succeeded ${kind === 'redeem' ? 'redemption' : 'accumulation'} of this code,`,
  "by this customer, created since recordsFrom by AntCRM's clock, none of knownRecords.",
  `There is one:   npm run operations -- settle ${reference} done`,
  `There is none:  npm run operations -- settle ${reference} not-applied`,
];
