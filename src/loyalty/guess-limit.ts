import type { World } from '../engine/world.ts';
import { atMostEvery } from '../observability/log.ts';
import type { CallOutcome } from './port.ts';

/** How many codes a process may have refused at once. */
const BURST = 60;
/** How many of them are forgiven each second. */
const PER_SECOND = 1;
const ALARM_EVERY_MS = 60_000;

/**
 * Holds accumulations back while codes are refused faster than people mistype: guessing with many accounts gets no further
 * than one guess a second in each process. People who mistype also have good codes, and each good code forgives another,
 * so that a busy day is no attack. Each process counts by itself: a common count would cost each code a command to the
 * store (docs/operators.md).
 */
export class GuessLimit {
  readonly #world: Pick<World, 'monotonicMs'>;
  readonly #alarm: () => void;
  #left = BURST;
  #sinceMs: number;

  /** `alarm` is called at most once a minute. */
  constructor(world: Pick<World, 'monotonicMs'>, alarm: () => void) {
    this.#world = world;
    this.#sinceMs = world.monotonicMs();
    this.#alarm = atMostEvery(ALARM_EVERY_MS, alarm, () => world.monotonicMs());
  }

  /** Before a code is sent. False: it must not be. Guesses that are sent at once do not all pass. */
  take(): boolean {
    const nowMs = this.#world.monotonicMs();
    this.#left = Math.min(BURST, this.#left + ((nowMs - this.#sinceMs) / 1000) * PER_SECOND);
    this.#sinceMs = nowMs;
    if (this.#left < 1) {
      this.#alarm();
      return false;
    }
    this.#left -= 1;
    return true;
  }

  /** After it was sent. */
  note(outcome: CallOutcome['kind']): void {
    const forgiven = outcome === 'applied' ? 2 : outcome === 'refused' ? 0 : 1;
    this.#left = Math.min(BURST, this.#left + forgiven);
  }
}
