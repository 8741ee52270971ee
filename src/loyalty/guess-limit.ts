import type { World } from '../engine/world.ts';
import { atMostEvery } from '../observability/log.ts';
import type { CallOutcome } from './port.ts';

/** How many codes a process may have refused at once, and how many of them are forgiven each second. */
const BURST = 60;
const PER_SECOND = 1;
const ALARM_EVERY_MS = 60_000;

/**
 * Holds accumulations back while codes are refused faster than people mistype: guesses of many accounts get
 * through once a second in each process. A good code forgives a refused one, so that a busy day is no attack.
 */
export class GuessLimit {
  readonly #world: Pick<World, 'monotonicMs'>;
  readonly #alarm: () => void;
  #left = BURST;
  #sinceMs: number;

  /** Calls `alarm` at most once a minute. */
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
    const mayGo = this.#left >= 1;
    if (mayGo) this.#left -= 1;
    else this.#alarm();
    return mayGo;
  }

  /** After it was sent. */
  note(outcome: CallOutcome['kind']): void {
    const forgiven = outcome === 'applied' ? 2 : outcome === 'refused' ? 0 : 1;
    this.#left = Math.min(BURST, this.#left + forgiven);
  }
}
