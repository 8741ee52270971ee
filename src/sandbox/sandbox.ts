import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type {} from '@fastify/swagger';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SAMPLE_CODE } from './catalog.ts';
import { createLedger, type Entry, type Ledger, type LedgerSources, type Person } from './ledger.ts';

const ORG = '62c10674cbe832bc9245a5b8';
const PAGE = 20;

const text = z.string().min(1);
const addresses = z.array(z.object({ type: z.string().optional(), value: text })).default([]);
const accumulateSchema = z.object({
  code: text,
  data: z.object({ emails: addresses, name: z.string().optional(), phones: addresses }),
});
/** Flat strings, unlike an accumulation. */
const redeemSchema = z.object({
  code: text,
  data: z.object({ email: z.string().optional(), phone: z.string().optional() }),
});
const querySchema = z.object({
  phone: text.optional(),
  email: text.optional(),
  page: z.coerce.number().int().min(1).default(1),
});
const time = z.coerce.number().optional();
const type = z.literal('point').optional();
const historySchema = querySchema.extend({ type, createdAtRangeFrom: time, createdAtRangeTo: time });
const limit = z.coerce.number().int().min(1).max(100).default(PAGE);
const contactsSchema = querySchema.extend({ contactType: z.literal('customer'), limit });

const CALLS = ['accumulate', 'redeem', 'history', 'contacts'] as const;
type SandboxCall = (typeof CALLS)[number];
type SandboxAnswer = (request: FastifyRequest, hiddenMs: number) => unknown;

/**
 * A way to misbehave. Nothing is applied by `refuse-connection` (to the caller a reset, since a server that
 * listens cannot refuse) and `error-500`. Applied are `lose-answer` (the connection is cut), `late-record`
 * (the same, and the history shows it `ms` later), `slow` (answered after `ms`) and `bad-json` (the answer
 * breaks off).
 */
const faultSchema = z.object({
  call: z.enum(CALLS),
  fault: z.enum(['lose-answer', 'refuse-connection', 'slow', 'error-500', 'bad-json', 'late-record']),
  /** How many of the next calls. */
  times: z.int().min(1).max(1_000_000).default(1),
  ms: z.int().min(0).max(600_000).default(3000),
});
export type Fault = z.infer<typeof faultSchema>;

/** Neither logged (the queries carry phones) nor documented: this is AntCRM's API, not ours. */
const route = { logLevel: 'silent', schema: { hide: true } } as const;

/**
 * An AntCRM by docs/antcrm.md as a Fastify plugin, to be mounted under any prefix; mounted twice, it is the
 * same one twice. Beside AntCRM's own routes, which want any `apikey`: `POST /faults`, `POST /reset` and `GET
 * /state`.
 */
export function createSandbox(sources: Partial<LedgerSources> = {}): FastifyPluginAsync {
  const { now = Date.now, newId = () => randomBytes(12).toString('hex') } = sources;
  let faults: readonly Fault[] = [];
  let ledger = createLedger({ now, newId });

  /** The fault that the call at hand meets: the first one planned for it. */
  function take(call: SandboxCall): Fault | undefined {
    const met = faults.find((fault) => fault.call === call);
    if (met !== undefined) met.times -= 1;
    faults = faults.filter(({ times }) => times > 0);
    return met;
  }

  function apiRoutes(app: FastifyInstance): void {
    const stopping = new AbortController();
    app.addHook('preClose', async () => stopping.abort());
    app.addHook('onRequest', async (request, reply) => {
      if (!request.headers.apikey) return reply.code(401).send({ message: 'The header apikey is missing' });
    });

    const answer =
      (call: SandboxCall, from: SandboxAnswer) => async (request: FastifyRequest, reply: FastifyReply) => {
        const { fault, ms = 0 } = take(call) ?? {};
        if (fault === 'refuse-connection') return cut(request, reply);
        if (fault === 'error-500') return reply.code(500).send({ message: 'Internal error' });
        const json = from(request, fault === 'late-record' ? ms : 0);
        if (fault === 'lose-answer' || fault === 'late-record') return cut(request, reply);
        if (fault === 'bad-json')
          return reply.type('application/json').send(JSON.stringify(json).slice(0, -1));
        if (fault === 'slow') await delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined);
        return json;
      };

    const accumulate = answer('accumulate', ({ body }, hiddenMs) => {
      const { code, data } = accumulateSchema.parse(body);
      const named = { phone: data.phones[0]?.value, email: data.emails[0]?.value, name: data.name };
      return verdict(ledger.accumulate(code, named, hiddenMs));
    });
    const redeem = answer('redeem', ({ body }, hiddenMs) => {
      const { code, data } = redeemSchema.parse(body);
      return verdict(ledger.redeem(code, data, hiddenMs));
    });
    const history = answer('history', ({ query }) => {
      const { type, createdAtRangeFrom, createdAtRangeTo, page, ...by } = historySchema.parse(query);
      const found = ledger.history(type ? 1 : 2, by, createdAtRangeFrom, createdAtRangeTo);
      return pageOf(found, page).map(recordJson);
    });
    const contacts = answer('contacts', ({ query }) => {
      const { page, limit, ...by } = contactsSchema.parse(query);
      const isAny = by.phone === undefined && by.email === undefined;
      const found = isAny ? ledger.customers() : [ledger.find(by) ?? []].flat();
      return pageOf(found, page, limit).map((one) => contactJson(one, ledger));
    });
    app.post('/accumulate', route, accumulate);
    app.post('/redeem', route, redeem);
    app.get('/history-point', route, history);
    app.get('/contacts', route, contacts);
  }

  function helperRoutes(app: FastifyInstance): void {
    app.post('/faults', route, async ({ body }) => {
      faults = [...faults, faultSchema.parse(body)];
      return { faults };
    });
    app.post('/reset', route, async () => {
      faults = [];
      ledger = createLedger({ now, newId });
      return { faults };
    });
    /** What there is to try. */
    app.get('/state', route, async () => ({
      codes: [SAMPLE_CODE, 'TIVI000000001 … TIVI000000999', 'TULANH000000001 … TULANH000000999'],
      customers: ledger.customers().map((one) => contactJson(one, ledger)),
      faults,
    }));
  }

  return async (app) => {
    app.setErrorHandler((error, _request, reply) => {
      const isWrong = error instanceof z.ZodError;
      const message = isWrong ? z.prettifyError(error) : String(error);
      return reply.code(isWrong ? 400 : 500).send({ success: 0, message });
    });
    await app.register(async (inner) => apiRoutes(inner));
    helperRoutes(app);
  };
}

const verdict = (refusal: string | null) =>
  refusal === null ? { success: 1 } : { success: 0, message: refusal };

const pageOf = <T>(all: readonly T[], number: number, size = PAGE): T[] =>
  all.slice((number - 1) * size, number * size);

const recordJson = ({ visibleAt: _, product, ...entry }: Entry) => ({
  ...entry,
  product: product && { code: product.code, name: product.name, id: product.id },
  org: ORG,
});

function contactJson(customer: Person, { balance }: Ledger) {
  const { available: scoreAvailable, earned: scoreRank } = balance(customer);
  const rankName = scoreRank >= 5000 ? 'Vàng' : scoreRank >= 1000 ? 'Bạc' : 'Đồng';
  return { ...customer, contactType: 'customer', scoreAvailable, scoreRank, rankName, org: ORG };
}

/** Ends the connection without an answer. */
function cut(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}
