import { setTimeout as delay } from 'node:timers/promises';
import type {} from '@fastify/swagger';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import { z } from 'zod';
import { SAMPLE_CODE } from './catalog.ts';
import { type HistoryEntry, Ledger, type Member } from './ledger.ts';

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

const CALLS = ['accumulate', 'redeem', 'history', 'contacts'] as const;
type SandboxRoute = (typeof CALLS)[number];

/**
 * A way to misbehave. `refuse-connection` (a reset) and `error-500` apply nothing. Applied are `lose-answer`
 * (the connection is cut), `late-record` (the same, and the history shows it `ms` later), `slow` (answered
 * after `ms`) and `bad-json` (the answer breaks off).
 */
const faultSchema = z.object({
  call: z.enum(CALLS),
  fault: z.enum(['lose-answer', 'refuse-connection', 'slow', 'error-500', 'bad-json', 'late-record']),
  /** How many of the next calls. */
  times: z.int().min(1).max(1_000_000).default(1),
  ms: z.int().min(0).max(600_000).default(3000),
});
export type SandboxFault = z.infer<typeof faultSchema>;

/** Neither logged (queries carry phones) nor documented: it is AntCRM's API. */
const route = { logLevel: 'silent', schema: { hide: true } } as const;

/**
 * AntCRM by docs/antcrm.md, which takes any `apikey`; and `POST /faults`, `POST /reset` and `GET /state`.
 *
 * @example
 * await app.register(createSandbox(), { prefix: '/sandbox' });
 */
export function createSandbox(): FastifyPluginAsync {
  const sandbox = new Sandbox();
  return async (app) => {
    app.setErrorHandler((error, _request, reply) => {
      const [code, message] =
        error instanceof z.ZodError ? [400, z.prettifyError(error)] : [500, String(error)];
      return reply.code(code).send({ success: 0, message });
    });
    await app.register(async (inner) => sandbox.mountApi(inner));
    sandbox.mountTools(app);
  };
}

class Sandbox {
  readonly #stopping = new AbortController();
  #faults: readonly SandboxFault[] = [];
  #ledger = new Ledger();

  mountApi(app: FastifyInstance): void {
    app.addHook('preClose', async () => this.#stopping.abort());
    app.addHook('onRequest', async (request, reply) => {
      if (!request.headers.apikey) return reply.code(401).send({ message: 'The header apikey is missing' });
    });
    app.post('/accumulate', route, (request, reply) =>
      this.#answer('accumulate', reply, (hiddenMs) => {
        const { code, data } = accumulateSchema.parse(request.body);
        const named = { phone: data.phones[0]?.value, email: data.emails[0]?.value, name: data.name };
        return toVerdict(this.#ledger.accumulate(code, named, hiddenMs));
      }),
    );
    app.post('/redeem', route, (request, reply) =>
      this.#answer('redeem', reply, (hiddenMs) => {
        const { code, data } = redeemSchema.parse(request.body);
        return toVerdict(this.#ledger.redeem(code, data, hiddenMs));
      }),
    );
    app.get('/history-point', route, (request, reply) =>
      this.#answer('history', reply, () => {
        const query = historySchema.parse(request.query);
        const { type, page, createdAtRangeFrom: fromMs, createdAtRangeTo: toMs, ...named } = query;
        return pageOf(this.#ledger.history(type ? 1 : 2, { ...named, fromMs, toMs }), page).map(toRecord);
      }),
    );
    app.get('/contacts', route, (request, reply) =>
      this.#answer('contacts', reply, () => {
        const { page, ...named } = querySchema.parse(request.query);
        const customers = [this.#ledger.find(named) ?? []].flat();
        return pageOf(customers, page).map((customer) => toContact(customer, this.#ledger));
      }),
    );
  }

  /** Tools for tests and for trying faults. */
  mountTools(app: FastifyInstance): void {
    app.post('/faults', route, async ({ body }) => {
      this.#faults = [...this.#faults, faultSchema.parse(body)];
      return { faults: this.#faults };
    });
    // A gateway of one-time codes, for `PROOF_GATEWAY_URL`: the console shows what it got.
    app.post('/texts', route, async () => ({}));
    app.post('/reset', route, async () => {
      this.#faults = [];
      this.#ledger = new Ledger();
      return { faults: [] };
    });
    app.get('/state', route, async () => ({
      codes: [SAMPLE_CODE, 'TIVI000000001 … TIVI000000999', 'TULANH000000001 … TULANH000000999'],
      customers: this.#ledger.customers.map((customer) => toContact(customer, this.#ledger)),
      faults: this.#faults,
    }));
  }

  async #answer(call: SandboxRoute, reply: FastifyReply, apply: (hiddenMs: number) => unknown) {
    const { fault, ms = 0 } = this.#takeFault(call) ?? {};
    if (fault === 'refuse-connection') return cut(reply);
    if (fault === 'error-500') return reply.code(500).send({ message: 'Internal error' });
    const json = apply(fault === 'late-record' ? ms : 0);
    if (fault === 'lose-answer' || fault === 'late-record') return cut(reply);
    if (fault === 'bad-json') return reply.type('application/json').send(JSON.stringify(json).slice(0, -1));
    if (fault === 'slow') await delay(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
    return json;
  }

  /** The first fault planned for the call. */
  #takeFault(call: SandboxRoute): SandboxFault | undefined {
    const planned = this.#faults.find((fault) => fault.call === call);
    if (planned !== undefined) planned.times -= 1;
    this.#faults = this.#faults.filter(({ times }) => times > 0);
    return planned;
  }
}

const toVerdict = (refusal: string | null) =>
  refusal === null ? { success: 1 } : { success: 0, message: refusal };

const pageOf = <T>(all: readonly T[], number: number): T[] => all.slice((number - 1) * PAGE, number * PAGE);

const toRecord = ({ visibleAt: _, product, ...entry }: HistoryEntry) => ({
  ...entry,
  product: product && { code: product.code, name: product.name, id: product.id },
  org: ORG,
});

function toContact(customer: Member, ledger: Ledger) {
  const { available: scoreAvailable, earned: scoreRank } = ledger.balance(customer);
  const rankName = scoreRank >= 5000 ? 'Vàng' : scoreRank >= 1000 ? 'Bạc' : 'Đồng';
  return { ...customer, contactType: 'customer', scoreAvailable, scoreRank, rankName, org: ORG };
}

/** Ends the connection without an answer. */
function cut(reply: FastifyReply): FastifyReply {
  reply.hijack().raw.socket?.destroy();
  return reply;
}
