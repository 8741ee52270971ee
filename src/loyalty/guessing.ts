import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import type { Loyalty } from './loyalty.ts';

/*
 * Counted in each process by itself: n processes let n times as much pass, because a count of all would cost every code
 * a command to the store (docs/operators.md, "Many processes").
 */

/** How many codes a process may have refused at once. */
const BURST = 60;
/** How many of them are forgiven each second; every code that was good forgives another. */
const PER_SECOND = 1;
const ALARM_EVERY_MS = 60_000;

/**
 * The same call, held back while codes are refused faster than people mistype: guessing with many accounts gets no
 * further than one guess a second in each process. Customers are told that the programme is out of reach, an
 * operator is alarmed. People who mistype also have good codes, so that a busy day is no attack.
 *
 * `now`: monotonic, ms.
 */
export function limitGuessing(
  accumulate: Loyalty['accumulate'],
  { alarm }: Pick<Observe, 'alarm'>,
  now: () => number = () => performance.now(),
): Loyalty['accumulate'] {
  const tellOperators = atMostEvery(ALARM_EVERY_MS, () => alarm('code_guessing', {}));
  let left = BURST;
  let sinceMs = now();

  function gain(guesses: number): void {
    left = Math.min(BURST, left + guesses);
  }

  return async (request) => {
    const nowMs = now();
    gain(((nowMs - sinceMs) / 1000) * PER_SECOND);
    sinceMs = nowMs;
    if (left < 1) {
      tellOperators();
      return { kind: 'unavailable' };
    }
    // Taken before the answer: guesses that are sent at once must not all pass.
    left -= 1;
    const outcome = await accumulate(request);
    if (outcome.kind !== 'refused') gain(outcome.kind === 'applied' ? 2 : 1);
    return outcome;
  };
}
