import type { Effect, Outcome } from '../conversation/effect.ts';
import type { EffectContext } from '../conversation/perform.ts';
import { realWorld, type World } from '../engine/world.ts';
import { atMostEvery, type Fields } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import { accumulate } from './accumulate.ts';
import { readExactBalance } from './balance.ts';
import { readIntent, readsFor } from './journal.ts';
import { readBalance, readHistory } from './reads.ts';
import { check } from './reconcile.ts';
import { redeem } from './redeem.ts';
import { isSmall, measureSkew } from './skew.ts';
import type { Tools } from './tools.ts';

/** The policy of all that the bot asks of AntCRM. Stores nothing itself: what must be kept goes through the context. */
export type Operations = {
  /**
   * Performs an effect. How AntCRM answers is always an outcome. Throws where the turn cannot go on: `LeaseLost` (the
   * lease is lost), `TurnInterrupted` (the process stops and nothing was called), whatever the context rejects with.
   * After a throw the same operation may be performed again, under a new lease: it is never called twice.
   */
  perform(effect: Effect, context: EffectContext): Promise<Outcome>;
};

const ALARM_EVERY_MS = 60_000;

export function createOperations(options: {
  loyalty: Tools['loyalty'];
  contacts: Tools['contacts'];
  callTimeoutMs: number;
  observe: Pick<Observe, 'log' | 'alarm' | 'skew'>;
  world?: World | undefined;
}): Operations {
  const { loyalty, contacts, callTimeoutMs, observe, world = realWorld } = options;
  const tools: Tools = { loyalty, contacts, callTimeoutMs, log: observe.log, world };
  const alarmSkew = atMostEvery(ALARM_EVERY_MS, (fields: Fields) =>
    observe.alarm('antcrm_clock_skew', fields),
  );

  async function ask(effect: Effect, context: EffectContext): Promise<Outcome> {
    switch (effect.kind) {
      case 'accumulate':
        return accumulate(effect, context, tools);
      case 'redeem':
        return redeem(effect, context, tools);
      case 'check':
        return check(effect, context, tools);
      case 'recall': {
        const { operation, after } = effect;
        const intent = await context.recall(operation);
        const lookup = intent === null ? null : readIntent(intent).lookup;
        return { kind: 'recalled', operation, after, lookup };
      }
      case 'history':
        return readHistory(readsFor(context, loyalty), effect, () => measureSkew(loyalty, world, context));
      case 'balance':
        return effect.exact
          ? readExactBalance(effect.by, context, tools)
          : readBalance(readsFor(context, loyalty), contacts, effect.by);
    }
  }

  /**
   * What the answers say about AntCRM's clock. That it does not answer at all is another fault, with an alarm of its own.
   */
  function watchClock(context: EffectContext): void {
    const skew = measureSkew(loyalty, world, context);
    if (skew !== undefined) observe.skew(skew.ms / 1000);
    if (skew === undefined ? loyalty.clock().kind === 'untold' : !isSmall(skew)) {
      alarmSkew({ seconds: skew && Math.round(skew.ms / 1000) });
    }
  }

  return {
    async perform(effect, context) {
      try {
        return await ask(effect, context);
      } finally {
        watchClock(context);
      }
    },
  };
}
