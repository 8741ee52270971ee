import type { Log } from '../observe.ts';
import type { Clock } from './clock.ts';
import type { Loyalty } from './loyalty.ts';

/** What a money-like call is made with. */
export type Tools = {
  readonly loyalty: Loyalty;
  /** Whether AntCRM has `/contacts` (`ANTCRM_CONTACTS`). */
  readonly contacts: 'on' | 'off';
  /** How long one call may take (`ANTCRM_TIMEOUT_MS`). */
  readonly callTimeoutMs: number;
  readonly log: Log;
  readonly clock: Clock;
};
