import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { realWorld, type World } from '../engine/world.ts';
import { StoreUnavailable } from './port.ts';

/**
 * How fast all processes of a bot together send, so that a platform that takes `perSecond` messages refuses few. In no
 * second more leave than that: the first ones at once (a tenth of a second's messages), what comes faster than nine tenths
 * of them evenly spaced; where that lasts for a second, at the platform's full pace. Each method is atomic, ends soon and
 * never rejects: where the store cannot be reached, a process counts for itself.
 *
 * @example
 * const { granted, aheadMs, stepMs } = await quota.take({ sent: 0, wanted: 1, withinMs: 1500 });
 * if (granted === 0) return putOff(await quota.line());
 * await sleep(aheadMs + stepMs);
 * await send();
 */
export interface Quota {
  /** Counts `sent` messages that have left, and takes up to `wanted` more, those that may leave within `withinMs`. */
  take(asked: Asked): Promise<Granted>;
  /** A place in the line of those who are put off: until it may come back, ms. The next one follows at the full pace. */
  line(): Promise<number>;
}

export type Asked = { readonly sent: number; readonly wanted: number; readonly withinMs: number };

/** Number n of the `granted` leaves in `aheadMs` + n × `stepMs`; at once, where that is past. */
export type Granted = { readonly granted: number; readonly aheadMs: number; readonly stepMs: number };

/** `name`: the keyed hash of whose messages are counted, the same in all processes. `perSecond`: a whole number. */
export type OpenQuota = (name: string, perSecond: number) => Quota;

/**
 * A bucket that a message fills for `relaxedMs` and that holds `burstMs`: in a second, what it holds and what leaks from it
 * are `perSecond` messages. Where no message found room for `SCARCE_MS`, there was no burst within the last second, and
 * each takes only `tightMs`.
 */
function bucketOf(perSecond: number) {
  const relaxedMs = 1000 / (RELAXED * perSecond);
  const burstMs = Math.max(1000 / RELAXED - 1000, relaxedMs);
  return { relaxedMs, tightMs: 1000 / perSecond, burstMs };
}

/** The share of the pace that leaves without a wait, however long it lasts. */
const RELAXED = 0.9;
const SCARCE_MS = 1000;

/** For one process. `store/redis/quota.lua` is the same for all of them. */
export function createMemoryQuota(perSecond: number, world: Pick<World, 'monotonicMs'> = realWorld): Quota {
  const { relaxedMs, tightMs, burstMs } = bucketOf(perSecond);
  /** When the bucket is empty, since when none found room, when the next place in the line is. */
  let fullMs = 0;
  let scarceMs: number | undefined;
  let lineMs = 0;

  return {
    async take({ sent, wanted, withinMs }) {
      const nowMs = world.monotonicMs();
      fullMs = Math.max(nowMs, fullMs) + sent * relaxedMs;
      const aheadMs = fullMs - nowMs - burstMs;
      if (aheadMs + relaxedMs <= 0) scarceMs = undefined;
      const isTight = scarceMs !== undefined && nowMs - scarceMs >= SCARCE_MS;
      const stepMs = isTight ? tightMs : relaxedMs;
      const fitting = Math.floor((withinMs - aheadMs) / stepMs);
      const granted = Math.max(0, Math.min(wanted, fitting));
      fullMs += granted * stepMs;
      const afterMs = fullMs - nowMs - burstMs;
      scarceMs = afterMs > 0 ? (scarceMs ?? nowMs) : undefined;
      return { granted, aheadMs, stepMs };
    },
    async line() {
      const nowMs = world.monotonicMs();
      const placeMs = Math.max(nowMs, lineMs);
      lineMs = placeMs + tightMs;
      return placeMs - nowMs;
    },
  };
}

export const openMemoryQuota: OpenQuota = (_name, perSecond) => createMemoryQuota(perSecond);

/** A process waits this long for the store's answer. After that, it counts for itself for so long. */
const WITHIN_MS = 200;
const ALONE_MS = 1000;

const takenSchema = z.tuple([z.number(), z.number(), z.number()]);

/** For all processes: `run` runs `store/redis/quota.lua` on the count of that name, or rejects with `StoreUnavailable`. */
export function createSharedQuotas(
  run: (name: string, args: readonly (string | number)[]) => Promise<unknown>,
): OpenQuota {
  return (name, perSecond) => {
    const { relaxedMs, tightMs, burstMs } = bucketOf(perSecond);
    const bucket = [relaxedMs, tightMs, burstMs].map((ms) => ms.toFixed(3));
    const own = createMemoryQuota(perSecond);
    let aloneUntilMs = 0;

    /** Undefined: there is no answer. */
    async function ask(what: string, ...args: readonly number[]): Promise<unknown> {
      if (performance.now() < aloneUntilMs) return undefined;
      const answer = await Promise.race([
        run(name, [what, ...bucket, ...args]).catch(unavailable),
        delay(WITHIN_MS, undefined, { ref: false }),
      ]);
      if (answer === undefined) aloneUntilMs = performance.now() + ALONE_MS;
      return answer;
    }

    return {
      async take(asked) {
        const answer = await ask('take', asked.sent, asked.wanted, asked.withinMs);
        if (answer === undefined) return own.take(asked);
        const [granted, aheadUs, stepUs] = takenSchema.parse(answer);
        return { granted, aheadMs: aheadUs / 1000, stepMs: stepUs / 1000 };
      },
      async line() {
        const answer = await ask('line');
        return answer === undefined ? own.line() : z.number().parse(answer);
      },
    };
  };
}

function unavailable(error: unknown): undefined {
  if (!(error instanceof StoreUnavailable)) throw error;
}
