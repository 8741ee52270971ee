import type { IncomingMessage } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Effect, Lookup, Outcome } from '../../src/conversation/effect.ts';
import type { EffectContext } from '../../src/engine/perform.ts';
import { Transport } from '../../src/http/transport.ts';
import { createLoyalty } from '../../src/loyalty/loyalty.ts';
import { createAntCrmDouble } from '../simulator/antcrm.ts';
import type { Kind } from '../simulator/counts.ts';
import { createWorld } from '../simulator/world.ts';
import { inPatientTime, patientRuntime as runtime } from '../support/patient-time.ts';
import { serve } from '../support/server.ts';
import { createKit, GIFTS } from './kit.ts';

/*
 * The simulator's AntCRM over HTTP, as odd as the seed makes it: real bodies, headers and broken connections.
 */

const SEEDS = 70;
const TIMEOUT_MS = 600;
/** `Date` has whole seconds, and a look must be later than the one before. */
const LOOK_EVERY_MS = 1100;
const LOOKS = 3;

/** Beside those of its seed, each history has one of these, often. */
const ODDITIES = [
  ...[{ ignored: 1 }, { endless: 1 }, { missing: 0.7 }, { asText: 1 }, { unknownTypes: 0.5 }],
  ...[{ garbage: 0.5 }, { redirects: 0.5 }, { huge: 0.5 }, { throttles: 0.5 }, { cached: 0.7 }],
  // Lists of several records.
  { cashiers: 1 },
] as const;

/** What must have happened for these seeds to prove anything. */
const HAPPENS: readonly Kind[] = [
  ...(['calls whose answer was lost', 'calls that never arrived', 'server errors', 'error bodies'] as const),
  ...([
    'records of another clock',
    'numbers as texts',
    'fields missing',
    'lists from the newest on',
  ] as const),
  ...(['pages ignored', 'pages without end', 'entries of an unknown type'] as const),
  ...(['garbage in a 200', 'redirects', 'huge answers', 'waits that AntCRM asked for'] as const),
  ...(['answers of a cache', 'redemptions of cashiers'] as const),
];

type Verdict = {
  readonly operation: string;
  readonly found: string;
  readonly applied: number;
  readonly isCashiers: boolean;
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

/**
 * A redemption and an accumulation of one customer, looked up until their outcomes are known; and what AntCRM
 * did.
 */
async function play(seed: number): Promise<{ verdicts: readonly Verdict[]; counts: Record<string, number> }> {
  const beganMs = runtime.monotonicMs();
  const clock = {
    get atMs() {
      return runtime.monotonicMs() - beganMs;
    },
    wallMs: runtime.nowMs,
    wait: (ms: number) => runtime.sleep(Math.min(ms, 20)),
    after: runtime.timer,
  };
  // No look is late enough for records that show late, and a server cannot refuse a connection.
  const usual = { late: 0, refused: 0, answerLost: 0.4, unheard: 0.2, cashiers: 0.3 };
  const oddities = { ...usual, ...ODDITIES[seed % ODDITIES.length] };
  const { chance, count, counts, manners, occurs, rates, trace } = createWorld(seed, { oddities });
  const antcrm = createAntCrmDouble({ chance, count, manners, occurs, rates, trace, clock }, () => {});
  let atWork: string | undefined;
  await using server = await serve(async (request, response) => {
    const { method = '', url = '' } = request;
    const call = { path: url, origin: '', timeoutMs: TIMEOUT_MS, maxBytes: 1e6, body: await bodyOf(request) };
    const exchange = await antcrm.exchange({ ...call, method: method === 'POST' ? 'POST' : 'GET' }, atWork);
    if (exchange.kind === 'large') return response.end('x'.repeat(300_000));
    if (exchange.kind !== 'answered') return request.socket.destroy();
    return response.writeHead(exchange.status, exchange.headers).end(exchange.content);
  });
  const { store, observe } = createKit();
  const transport = new Transport({ connectMs: 500 });
  const loyalty = createLoyalty({
    transport,
    observe,
    gifts: GIFTS,
    runtime,
    contacts: 'on',
    timeoutMs: TIMEOUT_MS,
    baseUrl: server.url,
    apiKey: 'key',
    maxCalls: 8,
  });
  antcrm.lookAround();

  async function perform(effect: Effect & { operation: string }): Promise<Outcome> {
    atWork = effect.operation;
    const context: EffectContext = { ...store.lease(), nowMs: runtime.nowMs };
    const outcome = await loyalty.perform(effect, context);
    if (outcome === 'interrupted') throw new Error('nobody interrupts here');
    return outcome;
  }

  async function lookUp(operation: string, lookup: Lookup): Promise<string> {
    let known = lookup;
    let found = 'unreadable';
    await runtime.sleep(Math.max(0, lookup.deadlineMs - runtime.nowMs()));
    for (let look = 0; look < LOOKS; look++) {
      await runtime.sleep(LOOK_EVERY_MS);
      const checked = await perform({ kind: 'check', operation, lookup: known });
      if (checked.kind !== 'checked') throw new Error(checked.kind);
      found = checked.found;
      if (checked.dateMs !== undefined) known = { ...known, dateMs: checked.dateMs };
      if (found === 'applied' || found === 'several') break;
    }
    return found;
  }

  const phone = `+8491${String(seed).padStart(7, '0')}`;
  const effects = [
    { kind: 'redeem', operation: 'redemption', gift: 'DAUMAY01', by: { kind: 'phone', value: phone } },
    {
      kind: 'accumulate',
      operation: 'accumulation',
      code: `TIVI${seed}`,
      phone: { value: phone, proved: true },
    },
  ] as const;
  const verdicts: Verdict[] = [];
  for (const effect of effects) {
    const outcome = await perform(effect);
    const found = outcome.kind === 'unknown' ? await lookUp(effect.operation, outcome.lookup) : outcome.kind;
    const { applied = 0 } = antcrm.sent.get(effect.operation) ?? {};
    const isCashiers = antcrm.cashiersOf(phone, 'DAUMAY01').length > 0;
    verdicts.push({ operation: `${effect.operation} ${seed}`, found, applied, isCashiers });
  }
  await transport.close();
  return { verdicts, counts };
}

describe('AntCRM as it may be, over HTTP', () => {
  const verdicts: Verdict[] = [];
  const counts: Record<string, number> = {};
  beforeAll(async () => {
    const plays = () => Promise.all(Array.from({ length: SEEDS }, (_, seed) => play(seed)));
    const played = await inPatientTime(plays);
    for (const one of played) {
      verdicts.push(...one.verdicts);
      for (const [kind, times] of Object.entries(one.counts)) counts[kind] = (counts[kind] ?? 0) + times;
    }
  });

  it('"nothing happened" is never concluded if points moved, and a success never if none moved', () => {
    const of = (found: RegExp) => verdicts.filter((verdict) => found.test(verdict.found));
    expect(of(/none|refused|unavailable/).filter(({ applied }) => applied > 0)).toEqual([]);
    expect(of(/applied/).filter(({ applied, isCashiers }) => applied === 0 && !isCashiers)).toEqual([]);
  });

  it('a lost answer is mostly settled without staff, however odd AntCRM was', () => {
    expect(verdicts.filter(({ found }) => /applied|none|refused/.test(found)).length).toBeGreaterThan(
      SEEDS / 2,
    );
    for (const kind of HAPPENS) expect([kind, counts[kind]]).toEqual([kind, expect.any(Number)]);
  });
});
