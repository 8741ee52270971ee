import type { FastifyPluginAsync, FastifyReply, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Lookup } from '../conversation/effect.ts';
import { openTicket, takenTicket } from '../conversation/state.ts';
import { parsePhone } from '../conversation/values/contact.ts';
import type { Filed, OpenOperation, Operators } from '../engine/operators.ts';
import { comeLater, problem } from '../http/problem.ts';
import type { Fields, Log } from '../observability/log.ts';
import type { Encryption } from '../store/encryption.ts';
import type { Key, RecordStore } from '../store/port.ts';
import {
  describe,
  find,
  type KnownChannel,
  listOf,
  lookupOf,
  type Settled,
  type Sought,
  settledSchema,
  storyOf,
  summarize,
} from './operation.ts';

export type RouteOptions = {
  /** Lets operators pass, and nobody else. */
  readonly guard: onRequestAsyncHookHandler;
  readonly operators: Omit<Operators, 'file'>;
  readonly decisions: Decisions;
  /** Those that a customer can be looked for on. */
  readonly channels: readonly KnownChannel[];
  /** `OPERATION_CHECKS`. */
  readonly checksMs: readonly number[];
  /** Keeps who unmasked, settled, replayed and removed what. */
  readonly log: Pick<Log, 'warn'>;
  nowMs(): number;
};

/** Why something was not done. */
const REFUSALS = {
  unknown: [404, 'There is none of that name: it was settled, or never was.'],
  unreadable: [
    422,
    'It cannot be opened (is the key that sealed it STATE_KEY or STATE_KEY_PREVIOUS? did a newer version of the bot write it?), or is no message.',
  ],
  decided: [
    409,
    'A decision on it was filed before, and counts. It stays in the list until a running bot has taken that up.',
  ],
} as const;
const FULL = 'Too many messages wait in that conversation. Nothing was filed: try again in a minute.';

/** Who does it, for the record. */
const by = z.string().trim().min(1).max(100).optional();
const reference = z.object({ reference: z.string().trim().toUpperCase().min(1).max(40) });
const letter = {
  params: z.object({ id: z.string().min(1).max(100) }),
  body: z.strictObject({ by }).nullish(),
};
const shown = {
  params: reference,
  querystring: z.object({ reveal: z.enum(['true', 'false']).optional(), by }),
};
const decided = {
  params: reference,
  body: z.strictObject({ result: z.enum(['done', 'not-applied']), by }),
};

/** Exactly one of the channels' names, with the id that the customer writes under there, or their phone. */
function soughtBy(channels: readonly string[]) {
  const names = [...channels, 'phone'];
  return z.partialRecord(z.enum(names), z.string().min(1).max(300)).transform((body, context): Sought => {
    const [[name, value = ''] = ['', ''], ...others] = Object.entries(body);
    const phone = name === 'phone' ? parsePhone(value) : undefined;
    if (others.length === 0 && phone?.ok) return { phone: phone.value };
    if (others.length === 0 && value !== '' && !phone) return { channel: name, id: value };
    const message = `Exactly one of ${names.join(', ')}; a phone as people write it`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

/**
 * Operations without an outcome, and dead letters (docs/operators.md). Phones and ids are looked for by POST, since
 * addresses end up in logs of proxies.
 */
export function operatorRoutes(options: RouteOptions): FastifyPluginAsync {
  const { guard, operators, decisions, channels, checksMs, log, nowMs } = options;
  const sought = soughtBy(channels.map(({ name }) => name));

  function refuse(reply: FastifyReply, why: Exclude<Filed, 'filed'>, detail?: string | null): FastifyReply {
    if (why === 'full') return comeLater(reply, 503, FULL);
    const [status, usual] = REFUSALS[why];
    return problem(reply, status, detail ?? usual);
  }

  /** Who did what is a line of the log. */
  function note({ ip: from }: FastifyRequest, by: string | undefined, does: string, what: Fields): void {
    log.warn({ ...what, by, from }, `an operator ${does}`);
  }

  /** Codes that were confirmed at once have an operation each, `<reference of the confirmation>.<n>`. */
  async function unknown(reply: FastifyReply, reference: string): Promise<FastifyReply> {
    const parts = (await operators.operations())
      .map((one) => one.reference)
      .filter((one) => one.startsWith(`${reference}.`));
    const detail = `Several codes were confirmed at once. Say which: ${parts.join(', ')}`;
    const decision = await decisions.find(reference);
    return refuse(reply, 'unknown', parts.length > 0 ? detail : decision && settledBy(decision));
  }

  /** What a decision does, for whoever made it. */
  async function told({ reference, conversation }: OpenOperation, result: string) {
    const { state } = (await operators.conversation(conversation)) ?? {};
    const ticket = state ? openTicket(state) : undefined;
    const isLeft = state?.operations.some(({ id, status }) => status === 'escalated' && id !== reference);
    const why =
      state && takenTicket(state) ? 'somebody wrote in it' : isLeft && 'another operation is with staff';
    return {
      reference,
      result,
      customer: 'is told by itself',
      ...(ticket && { ticket: `${ticket.id} ${why ? `stays open: ${why}` : 'closes: nobody wrote in it'}` }),
    };
  }

  return async (scope) => {
    scope.setValidatorCompiler(validatorCompiler);
    scope.addHook('onRequest', guard);
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store');
    });
    const routes = scope.withTypeProvider<ZodTypeProvider>();

    routes.get('/operations', async (_request, reply) => {
      const found = { operations: await operators.operations(), letters: await operators.letters() };
      return reply.send(listOf(found, checksMs, nowMs()));
    });

    routes.post('/operations/find', { schema: { body: sought } }, async ({ body }, reply) => {
      const { conversation, ...found } = await find(body, operators, channels);
      return reply.send({
        ...(conversation !== null && { conversation }),
        ...listOf(found, checksMs, nowMs()),
      });
    });

    routes.get('/operations/:reference', { schema: shown }, async (request, reply) => {
      const { reference } = request.params;
      const { reveal, by } = request.query;
      const operation = (await operators.operations()).find((one) => one.reference === reference);
      const decision = await decisions.find(reference);
      if (operation === undefined) return decision ? reply.send(decision) : unknown(reply, reference);
      const lookup = lookupOf(operation);
      if (lookup === null) return refuse(reply, 'unreadable');
      const { conversation: name } = operation;
      if (reveal === 'true')
        note(request, by, 'was shown an identifier in full', { operation: reference, conversation: name });
      const conversation = await operators.conversation(name);
      const letters = await operators.letters();
      return reply.send({
        ...summarize(operation, checksMs, nowMs()),
        ...describe(lookup, reveal === 'true'),
        story: storyOf({ operation, lookup, conversation, letters, decision, checksMs }),
        next: nextOf(lookup.kind, reference),
      });
    });

    routes.post('/operations/:reference/settle', { schema: decided }, async (request, reply) => {
      const { reference } = request.params;
      const { result, by } = request.body;
      const operation = (await operators.operations()).find((one) => one.reference === reference);
      const does = operation && (await told(operation, result));
      const filed = await operators.settle(reference, result, (one) => lookupOf(one)?.locks ?? []);
      note(request, by, 'settles an operation', { operation: reference, result, filed });
      if (filed === 'filed' && operation) {
        const settled = { at: new Date(nowMs()).toISOString(), result, by: by ?? null };
        const { kind, conversation } = summarize(operation, checksMs, nowMs());
        await decisions.keep({ reference, kind, conversation, settled });
      }
      if (filed === 'filed') return reply.send({ status: filed, ...does });
      if (filed === 'unknown') return unknown(reply, reference);
      const decision = filed === 'decided' ? await decisions.find(reference) : null;
      return refuse(reply, filed, decision && `${settledBy(decision)} ${REFUSALS.decided[1]}`);
    });

    routes.post('/operations/letters/:id/replay', { schema: letter }, async (request, reply) => {
      const { id } = request.params;
      const filed = await operators.replay(id);
      note(request, request.body?.by, 'replays a dead letter', { letter: id, filed });
      return filed === 'filed' ? reply.send({ status: filed }) : refuse(reply, filed);
    });

    routes.post('/operations/letters/:id/remove', { schema: letter }, async (request, reply) => {
      const { id } = request.params;
      const removed = await operators.remove(id);
      note(request, request.body?.by, 'removes a dead letter', { letter: id, removed });
      return removed ? reply.send({ status: 'removed' }) : refuse(reply, 'unknown');
    });
  };
}

/** What an operator does with what is shown. */
const nextOf = (kind: Lookup['kind'], reference: string): readonly string[] => [
  `Look in AntCRM for a succeeded ${kind === 'redeem' ? 'redemption' : 'accumulation'} of this code by this customer,`,
  "created since recordsFrom by AntCRM's clock, none of knownRecords.",
  `There is one:   npm run operations -- settle ${reference} done`,
  `There is none:  npm run operations -- settle ${reference} not-applied`,
];

const settledBy = ({ settled: { result, by, at } }: Settled): string =>
  `It was settled as ${result}${by === null ? '' : ` by ${by}`} at ${at}.`;

/** For so long it is known who settled an operation; its intent is gone by then. */
const KEPT_MS = 48 * 60 * 60 * 1000;

type Decisions = ReturnType<typeof createDecisions>;

/** What operators decided, by the operation's reference. Both reject with `StoreUnavailable`. */
export function createDecisions(
  records: Pick<RecordStore, 'read' | 'compareAndSwap'>,
  encryption: Pick<Encryption, 'seal' | 'open'>,
) {
  const keyOf = (reference: string): Key => `settled:${reference}`;
  return {
    /** Null: none, or it was longer ago. */
    async find(reference: string): Promise<Settled | null> {
      const key = keyOf(reference);
      const { bytes } = await records.read(key);
      return bytes && settledSchema.parse(JSON.parse(encryption.open(key, bytes).toString()));
    },
    /** The first decision counts: a further one changes nothing. */
    async keep(decision: Settled): Promise<void> {
      const key = keyOf(decision.reference);
      const bytes = encryption.seal(key, Buffer.from(JSON.stringify(decision)));
      await records.compareAndSwap(key, { expected: null, bytes, ttlMs: KEPT_MS, indexes: [] });
    },
  };
}
