/**
 * The fields of a log line: scalars, never text, phone, e-mail, code, token, URL or a whole update.
 * Conversations and customers appear as keyed hashes only.
 */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The subset of pino that the parts use. */
export type Log = {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  /** `err`: an error, of which only name, code and stack are written. */
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
};

/**
 * An alarm is a log line with `alarm: "<name>"` and a counter of that name. docs/operators.md says what each
 * means, and what to do.
 */
export const ALARMS = [
  'antcrm_key_refused',
  'antcrm_clock_skew',
  'antcrm_pages',
  'operation_escalated',
  'late_record',
  'person_waits',
  'dead_letter',
  'record_lost',
  'seal_broken',
  'code_guessing',
  'codes_failing',
  'staff_operation',
  'store_unavailable',
  'store_emptied',
  'turns_late',
  'delivery_given_up',
  'delivery_rejected',
  'delivery_failing',
  'channel_out_of_order',
] as const;
/** The name of an alarm. */
export type Alarm = (typeof ALARMS)[number];

/** An alarm without a counter, because the process ends with it. */
export const STUCK = 'event_loop_stuck';

/**
 * Limits how often `act` is called: further calls within `ms` do nothing.
 *
 * @example
 * const alarmKey = atMostEvery(60_000, () => observe.alarm('antcrm_key_refused', {}));
 */
export function atMostEvery<Args extends readonly unknown[]>(
  ms: number,
  act: (...args: Args) => void,
  nowMs: () => number = () => performance.now(),
): (...args: Args) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (...args) => {
    if (nowMs() - last < ms) return;
    last = nowMs();
    act(...args);
  };
}
