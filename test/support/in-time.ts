import { setImmediate as turn } from 'node:timers/promises';

/** Turns of the event loop in which what has arrived is read. */
const TURNS = 100;

/**
 * What `work` comes to. Rejects where a timer of `ms` rings before: unlike a clock, it is as late as
 * everything else is where the machine is busy.
 */
export async function inTime<Result>(ms: number, work: () => Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(async () => {
    for (let n = 0; n < TURNS; n++) await turn();
    reject(new Error(`not within ${ms} ms`));
  }, ms);
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
