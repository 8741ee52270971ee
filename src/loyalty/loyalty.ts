import type { Effect, EffectContext, Outcome, Perform } from '../conversation/effect.ts';
import type { World } from '../engine/world.ts';
import { atMostEvery, type Fields } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { accumulate } from './accumulate.ts';
import { type AntCrmClient, type AntCrmOptions, createAntCrm } from './antcrm.ts';
import { isSmall, measureSkew } from './clock.ts';
import { readBalance, readExactBalance, readHistory } from './history.ts';
import { readsFor, type Tools } from './intent.ts';
import { lockAll } from './locks.ts';
import type { AntCrm } from './port.ts';
import { check } from './reconcile.ts';
import { redeem } from './redeem.ts';

export type LoyaltyOptions = AntCrmOptions & {
  readonly observe: Pick<Observe, 'skew'>;
  /** Puts something of the caller's between the rules and AntCRM. */
  readonly around?: ((antcrm: AntCrmClient) => AntCrmClient) | undefined;
};

/**
 * All that the bot asks of AntCRM, and the policy of it. Everything from outside comes in by `transport` and `world`. After
 * a throw the same operation may be performed again, under a new lease: it is never called twice.
 */
export type Loyalty = Pick<AntCrmClient, 'isUp' | 'faults' | 'close'> & { readonly perform: Perform };

export function createLoyalty({ around = (antcrm) => antcrm, ...options }: LoyaltyOptions): Loyalty {
  const client = around(createAntCrm(options));
  const { world, observe } = options;
  const antcrm = { ...client, accumulate: limitGuessing(client.accumulate, observe, world) };
  const { isUp, faults, close } = client;
  return { perform: createPerform({ ...options, antcrm }), isUp, faults, close };
}

const ALARM_EVERY_MS = 60_000;

type Rules = Omit<Tools, 'log'> & { readonly observe: Pick<Observe, 'log' | 'alarm' | 'skew'> };

/** The rules alone, whatever the port is made of. */
export function createPerform({ observe, ...parts }: Rules): Perform {
  const { antcrm, contacts } = parts;
  const tools: Tools = { ...parts, log: observe.log };
  const alarmSkew = atMostEvery(
    ALARM_EVERY_MS,
    (fields: Fields) => observe.alarm('antcrm_clock_skew', fields),
    () => parts.world.monotonicMs(),
  );

  async function ask(effect: Effect, context: EffectContext): Promise<Outcome> {
    switch (effect.kind) {
      case 'accumulate':
        return (await interrupted(effect, context, tools)) ?? accumulate(effect, context, tools);
      case 'redeem':
        return (await interrupted(effect, context, tools)) ?? redeem(effect, context, tools);
      case 'check':
        return check(effect, context, tools);
      case 'history':
        return readHistory(readsFor(context, antcrm), effect, () => measureSkew(tools, context));
      case 'balance':
        return effect.exact
          ? readExactBalance(effect.by, context, tools)
          : readBalance(readsFor(context, antcrm), contacts, effect.by);
    }
  }

  /** What the answers say about AntCRM's clock. That it does not answer at all is another fault, with an alarm of its own. */
  function watchClock(context: EffectContext): void {
    const skew = measureSkew(tools, context);
    if (skew !== undefined) observe.skew(skew.ms / 1000);
    const isWrong = skew === undefined ? antcrm.clock().kind === 'untold' : !isSmall(skew);
    if (isWrong) alarmSkew({ seconds: skew && Math.round(skew.ms / 1000) });
  }

  return (effect, context) => ask(effect, context).finally(() => watchClock(context));
}

/**
 * What became of an earlier attempt, cut off by a crash: it may have called, whatever would keep this one from getting as
 * far. The locks that count are that one's, and so is its baseline.
 */
async function interrupted(
  { operation }: { readonly operation: string },
  context: EffectContext,
  { log }: Pick<Tools, 'log'>,
): Promise<Outcome | null> {
  const known = context.known(operation);
  if (known?.kind !== 'unknown') return known;
  log.warn({ operation }, 'a call was interrupted: it is looked up');
  await lockAll(known.lookup.locks, operation, context);
  return known;
}

/** How many codes a process may have refused at once. */
const BURST = 60;
/** How many of them are forgiven each second; every code that was good forgives another. */
const PER_SECOND = 1;

/**
 * The same call, held back while codes are refused faster than people mistype: guessing with many accounts gets no
 * further than one guess a second in each process. Customers are told that the programme is out of reach, an
 * operator is alarmed. People who mistype also have good codes, so that a busy day is no attack.
 *
 * Each process counts for itself: a count of all would cost every code a command to the store (docs/operators.md).
 */
export function limitGuessing(
  accumulate: AntCrm['accumulate'],
  { alarm }: Pick<Observe, 'alarm'>,
  world: Pick<World, 'monotonicMs'>,
): AntCrm['accumulate'] {
  const tellOperators = atMostEvery(
    ALARM_EVERY_MS,
    () => alarm('code_guessing', {}),
    () => world.monotonicMs(),
  );
  let left = BURST;
  let sinceMs = world.monotonicMs();

  return async (request) => {
    const nowMs = world.monotonicMs();
    left = Math.min(BURST, left + ((nowMs - sinceMs) / 1000) * PER_SECOND);
    sinceMs = nowMs;
    if (left < 1) {
      tellOperators();
      return { kind: 'unavailable' };
    }
    // Taken before the answer: guesses that are sent at once must not all pass.
    left -= 1;
    const outcome = await accumulate(request);
    const forgiven = outcome.kind === 'applied' ? 2 : outcome.kind === 'refused' ? 0 : 1;
    left = Math.min(BURST, left + forgiven);
    return outcome;
  };
}
