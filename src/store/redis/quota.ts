import { z } from 'zod';
import { bucketOf, createMemoryQuota, type OpenQuota, type Quota } from '../quota.ts';
import { StoreUnavailable } from '../unavailable.ts';
import { type Argument, confirmed } from './connection.ts';

/** A reply waits this long for the answer. */
const WITHIN_MS = 200;
/** After that, its process counts for itself for so long. */
const ALONE_MS = 1000;

/** `nameOf`: what a bot's count is called. It throws where nothing may be asked of the store. */
export type QuotaClient = {
  run(script: 'pace', keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  nameOf(name: string): string;
};

const takenSchema = z.tuple([z.number(), z.number(), z.number()]);

export function createRedisQuotas({ run, nameOf }: QuotaClient): OpenQuota {
  return (name, perSecond) => {
    const { relaxedMs, tightMs, burstMs } = bucketOf(perSecond);
    const bucket = [relaxedMs, tightMs, burstMs].map((ms) => ms.toFixed(3));
    const own = createMemoryQuota(perSecond);
    let aloneUntilMs = 0;

    async function ask(what: string, args: readonly Argument[]): Promise<unknown> {
      if (performance.now() < aloneUntilMs) return undefined;
      try {
        return await confirmed(run('pace', [nameOf(name)], [what, ...bucket, ...args]), WITHIN_MS);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        aloneUntilMs = performance.now() + ALONE_MS;
        return undefined;
      }
    }

    return {
      async take(asked) {
        const answer = await ask('take', [asked.sent, asked.wanted, asked.withinMs]);
        if (answer === undefined) return own.take(asked);
        const [granted, aheadUs, stepUs] = takenSchema.parse(answer);
        return { granted, aheadMs: aheadUs / 1000, stepMs: stepUs / 1000 };
      },
      async line() {
        const answer = await ask('line', []);
        return answer === undefined ? own.line() : z.number().parse(answer);
      },
      async refused(afterMs) {
        const answer = await ask('refuse', [afterMs]);
        return answer === undefined ? own.refused(afterMs) : z.number().parse(answer);
      },
    } satisfies Quota;
  };
}
