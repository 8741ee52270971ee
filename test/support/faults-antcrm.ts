import { setTimeout as delay } from 'node:timers/promises';
import Fastify, { type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { createRandom } from './faults-random.ts';
import { createHolds, type Holds } from './held.ts';

/** A request that earns or spends, as it came in, whatever became of it. */
export type Post = {
  readonly kind: 'accumulate' | 'redeem';
  readonly code: string;
  readonly phone: string | undefined;
  readonly email: string | undefined;
};

/** A call of a bot on its way: `asked` before AntCRM carries it out, `answered` before its answer leaves. */
export type Passing = {
  readonly route: Route;
  readonly who: string | undefined;
  readonly at: 'asked' | 'answered';
};

/**
 * What befalls a call. `lose-request`: not applied, and the connection cut; `lose-answer`: applied, and cut; `slow`:
 * applied at once, answered after `ms`; `answer`: not applied, and answered so; `hang`: not applied, never answered.
 */
export type Trouble =
  | { readonly kind: 'lose-request' | 'lose-answer' | 'hang' }
  | { readonly kind: 'slow'; readonly ms: number }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

/** Of all answers so many get lost, and of those to a call that earns or spends a third before it was applied. */
const LOST = 0.1;

/** Loses answers, the same again for the same seed. */
export function losingAnswers(seed: number): AntCrmServer['trouble'] {
  const luck = createRandom(seed, 'antcrm');
  return (_, post) =>
    luck.chance(LOST) ? { kind: post !== null && luck.chance(1 / 3) ? 'lose-request' : 'lose-answer' } : null;
}

/** Which of AntCRM's routes is called. */
export type Route = 'accumulate' | 'redeem' | 'history-point' | 'contacts';

export type AntCrmServer = {
  readonly url: string;
  /** What bots sent, in order: AntCRM's own records do not have what never got so far. */
  readonly posts: readonly Post[];
  /** What befalls the next call that earns or spends for a phone. */
  readonly troubles: Map<string, Trouble>;
  /** Decides what befalls any other call of a bot; nothing does unless this says so. */
  trouble: (route: Route, post: Post | null) => Trouble | null;
  /** Where calls of bots can be held. */
  readonly calls: Holds<Passing>;
  /** How far its clock is ahead of ours. */
  readonly clock: { aheadMs: number };
  /** Somebody with points to spend: as many as a refrigerator gives. `who` is a phone or an e-mail. */
  fund(who: string, code: string): Promise<void>;
  /** How many successes AntCRM has of this phone or e-mail: of this code, or of redemptions. */
  successes(kind: Post['kind'], who: string, code?: string): Promise<number>;
  close(): Promise<void>;
};

const OURS = { 'x-test': 'not-a-bot', apikey: 'test' };
const addresses = z.array(z.object({ value: z.string() })).default([]);
const accumulateSchema = z.object({
  code: z.string(),
  data: z.object({ phones: addresses, emails: addresses }),
});
const whoSchema = z.object({ phone: z.string().optional(), email: z.string().optional() });
const redeemSchema = z.object({ code: z.string(), data: whoSchema });
const recordsSchema = z.array(z.object({ status: z.number(), code: z.string().optional() }));
const routeSchema = z.enum(['accumulate', 'redeem', 'history-point', 'contacts']);

/** AntCRM's sandbox behind a door of the test's own, in the test's process and so apart from the bots'. */
export async function startAntCrm(): Promise<AntCrmServer> {
  const posts: Post[] = [];
  const troubles = new WeakMap<FastifyRequest, Trouble>();
  const calls = createHolds<Passing>();
  const clock = { aheadMs: 0 };
  const passing = new WeakMap<FastifyRequest, Omit<Passing, 'at'>>();
  const app = Fastify({ forceCloseConnections: true });

  app.addHook('preHandler', async (request, reply) => {
    const route = routeOf(request);
    if (route === undefined) return;
    const post = readPost(route, request.body);
    if (post) posts.push(post);
    const call = { route, who: whoOf(post ?? whoSchema.parse(request.query)) };
    passing.set(request, call);
    await calls.pass({ ...call, at: 'asked' });
    const trouble = planned(post) ?? server.trouble(route, post);
    if (trouble === null) return;
    troubles.set(request, trouble);
    if (trouble.kind === 'answer') {
      return reply
        .code(trouble.status)
        .headers({ 'content-type': 'application/json', ...trouble.headers })
        .send(trouble.body);
    }
    if (trouble.kind !== 'lose-request' && trouble.kind !== 'hang') return;
    reply.hijack();
    if (trouble.kind === 'lose-request') request.raw.socket.destroy();
    return reply;
  });
  app.addHook('onSend', async (request, reply) => {
    reply.header('date', new Date(Date.now() + clock.aheadMs).toUTCString());
    const call = passing.get(request);
    if (call) await calls.pass({ ...call, at: 'answered' });
    const trouble = troubles.get(request);
    if (trouble?.kind === 'lose-answer') request.raw.socket.destroy();
    if (trouble?.kind === 'slow') await delay(trouble.ms);
  });
  await app.register(createSandbox({ now: () => Date.now() + clock.aheadMs }));
  const url = await app.listen({ port: 0, host: '127.0.0.1' });

  function planned(post: Post | null): Trouble | undefined {
    if (post?.phone === undefined) return undefined;
    const trouble = server.troubles.get(post.phone);
    server.troubles.delete(post.phone);
    return trouble;
  }

  async function successesOn(page: number, query: string): Promise<z.infer<typeof recordsSchema>> {
    const { body } = await app.inject({ url: `/history-point?${query}&page=${page}`, headers: OURS });
    const records = recordsSchema.parse(JSON.parse(body));
    const more = records.length < 20 ? [] : await successesOn(page + 1, query);
    return [...records.filter(({ status }) => status === 1), ...more];
  }

  const server: AntCrmServer = {
    url,
    posts,
    troubles: new Map(),
    trouble: () => null,
    calls,
    clock,
    async fund(who, code) {
      const [phones, emails] = isEmail(who) ? [[], [{ value: who }]] : [[{ value: who }], []];
      const payload = { code, data: { phones, emails } };
      const { body } = await app.inject({ method: 'POST', url: '/accumulate', headers: OURS, payload });
      if (JSON.parse(body).success !== 1) throw new Error(`${who} was not funded: ${body}`);
    },
    async successes(kind, who, code) {
      const type = kind === 'accumulate' ? '&type=point' : '';
      const by = isEmail(who) ? 'email' : 'phone';
      const all = await successesOn(1, `${by}=${encodeURIComponent(who)}${type}`);
      return all.filter((record) => code === undefined || record.code === code).length;
    },
    close: () => app.close(),
  };
  return server;
}

const isEmail = (who: string): boolean => who.includes('@');

/** What AntCRM knows the customer of a call by; the phone where a call names both. */
const whoOf = ({ phone, email }: z.infer<typeof whoSchema>): string | undefined => phone ?? email;

/** Undefined for what is no call of a bot. */
function routeOf({ routeOptions, headers }: FastifyRequest): Route | undefined {
  return headers['x-test'] === undefined ? routeSchema.safeParse(routeOptions.url?.slice(1)).data : undefined;
}

function readPost(route: Route, body: unknown): Post | null {
  if (route === 'accumulate') {
    const { code, data } = accumulateSchema.parse(body);
    return { kind: route, code, phone: data.phones[0]?.value, email: data.emails[0]?.value };
  }
  if (route !== 'redeem') return null;
  const { code, data } = redeemSchema.parse(body);
  return { kind: route, code, phone: data.phone, email: data.email };
}
