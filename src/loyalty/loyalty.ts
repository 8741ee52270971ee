import type { Effect, EffectContext, Outcome, Perform } from '../conversation/effect.ts';
import { atMostEvery, type Fields } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { accumulate } from './accumulate.ts';
import { type AntCrmClient, type AntCrmOptions, createAntCrm } from './antcrm.ts';
import { isSmall, measureSkew } from './clock.ts';
import { limitGuessing } from './guessing.ts';
import { readBalance, readExactBalance, readHistory } from './history.ts';
import { readsFor, type Tools } from './intent.ts';
import { lockAll } from './locks.ts';
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
