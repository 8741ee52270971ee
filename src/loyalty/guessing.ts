import type { World } from '../engine/world.ts';
import { atMostEvery } from '../observability/log.ts';
import type { Observe } from '../observability/metrics.ts';
import type { AntCrm } from './port.ts';

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
