import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type {} from '@fastify/swagger';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { GIFTS, PRODUCTS, SAMPLE_CODE, sandboxGifts } from './catalog.ts';
import { createFaults, type Fault, faultSchema, type SandboxCall } from './faults.ts';
import { createLedger, type Refusal, type Sources } from './ledger.ts';
import {
  accumulateSchema,
  contactJson,
  contactsSchema,
  historySchema,
  pageOf,
  recordJson,
  redeemSchema,
} from './wire.ts';

/** Neither logged (the queries carry phones) nor documented: this is AntCRM's API, not ours. */
const route = { logLevel: 'silent', schema: { hide: true } } as const;

/**
 * An AntCRM by docs/antcrm.md as a Fastify plugin, to be mounted under any prefix; mounted twice, it is the same one
 * twice. Beside AntCRM's own routes, which want any `apikey`: `POST /faults`, `POST /reset` and `GET /state`.
 */
export function createSandbox(sources: Partial<Sources> = {}): FastifyPluginAsync {
  const { now = Date.now, newId = () => randomBytes(12).toString('hex') } = sources;
  const faults = createFaults();
  let ledger = createLedger({ now, newId });

  function apiRoutes(app: FastifyInstance): void {
    const stopping = new AbortController();
    app.addHook('preClose', async () => stopping.abort());
    app.addHook('onRequest', async (request, reply) => {
      if (!request.headers.apikey) return reply.code(401).send({ message: 'The header apikey is missing' });
    });

    const answering =
      (call: SandboxCall, handle: (request: FastifyRequest, hiddenMs: number) => unknown) =>
      async (request: FastifyRequest, reply: FastifyReply) => {
        const fault = faults.take(call);
        if (fault?.fault === 'refuse-connection') return cut(request, reply);
        if (fault?.fault === 'error-500') return reply.code(500).send({ message: 'Internal error' });
        const answer = handle(request, fault?.fault === 'late-record' ? fault.ms : 0);
        return fault ? misbehave(fault, answer, request, reply, stopping.signal) : answer;
      };

    app.post(
      '/accumulate',
      route,
      answering('accumulate', (request, hiddenMs) => {
        const { code, data } = accumulateSchema.parse(request.body);
        const phones = data.phones.map(({ value }) => value);
        const emails = data.emails.map(({ value }) => value);
        return verdict(ledger.accumulate(code, { phones, emails, name: data.name }, hiddenMs));
      }),
    );
    app.post(
      '/redeem',
      route,
      answering('redeem', (request, hiddenMs) => {
        const { code, data } = redeemSchema.parse(request.body);
        return verdict(
          ledger.redeem(code, { phones: listOf(data.phone), emails: listOf(data.email) }, hiddenMs),
        );
      }),
    );
    app.get(
      '/history-point',
      route,
      answering('history', (request) => {
        const { type, createdAtRangeFrom, createdAtRangeTo, page, ...by } = historySchema.parse(
          request.query,
        );
        const period = { fromMs: createdAtRangeFrom, toMs: createdAtRangeTo };
        return pageOf(ledger.history({ type: type ? 1 : 2, ...period, ...by }), page).map(recordJson);
      }),
    );
    app.get(
      '/contacts',
      route,
      answering('contacts', (request) => {
        const { phone, email, page, limit } = contactsSchema.parse(request.query);
        const found = ledger.customers.find({ phones: listOf(phone), emails: listOf(email) });
        const asked = phone === undefined && email === undefined ? ledger.customers.all() : listOf(found);
        return pageOf(asked, page, limit).map((one) => contactJson(one, ledger.balance(one)));
      }),
    );
  }

  function helperRoutes(app: FastifyInstance): void {
    app.post('/faults', route, async (request, reply) => {
      const fault = faultSchema.safeParse(request.body);
      if (!fault.success) return reply.code(400).send({ success: 0, message: wrongIn(fault.error) });
      faults.plan(fault.data);
      return { faults: faults.list() };
    });
    app.post('/reset', route, async () => {
      faults.clear();
      ledger = createLedger({ now, newId });
      return { faults: [] };
    });
    /** What there is to try. */
    app.get('/state', route, async () => ({
      codes: [SAMPLE_CODE, 'TIVI000000001 … TIVI000000999', 'TULANH000000001 … TULANH000000999'],
      products: PRODUCTS,
      // `name` as AntCRM writes it, `names` as the bot does.
      gifts: GIFTS.map((gift, at) => ({ ...gift, names: sandboxGifts[at]?.name })),
      customers: ledger.customers.all().map((one) => contactJson(one, ledger.balance(one))),
      faults: faults.list(),
    }));
  }

  return async (app) => {
    app.setErrorHandler((error, _request, reply) => reply.code(statusOf(error)).send(complaint(error)));
    await app.register(async (inner) => apiRoutes(inner));
    helperRoutes(app);
  };
}

const listOf = <T>(value: T | undefined | ''): T[] => (value === undefined || value === '' ? [] : [value]);

const verdict = (refusal: Refusal) => (refusal === null ? { success: 1 } : { success: 0, message: refusal });

/** One line for people: `fault: wants slow or error-500`. */
function wrongIn({ issues }: z.ZodError): string {
  const faults = issues.map((issue) => {
    const wants = issue.code === 'invalid_value' ? `wants ${issue.values.join(' or ')}` : issue.message;
    return `${issue.path.join('.') || 'body'}: ${wants}`;
  });
  return faults.join('; ');
}

function statusOf(error: unknown): number {
  if (error instanceof z.ZodError) return 400;
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;
}

const complaint = (error: unknown) => ({
  success: 0,
  message: error instanceof z.ZodError ? z.prettifyError(error) : String(error),
});

async function misbehave(
  { fault, ms }: Fault,
  answer: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  stopping: AbortSignal,
) {
  switch (fault) {
    case 'lose-answer':
    case 'late-record':
      return cut(request, reply);
    case 'bad-json':
      return reply.type('application/json').send(JSON.stringify(answer).slice(0, -1));
    case 'slow':
      await delay(ms, undefined, { signal: stopping }).catch(() => undefined);
      return answer;
    case 'error-500':
    case 'refuse-connection':
      return answer;
  }
}

/** Ends the connection without an answer. */
function cut(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}
