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
 * An alarm is a log line with `alarm: "<name>"` and a counter of that name (docs/operators.md says what to
 * do).
 */
export const ALARMS = [
  /** AntCRM refuses our key (401/403). At most once a minute. */
  'antcrm_key_refused',
  /** AntCRM's clock is over two minutes off, or its answers do not carry it. At most once a minute. */
  'antcrm_clock_skew',
  /** An operation's outcome could not be found out; only staff can. */
  'operation_escalated',
  /** A customer who asked for a person has waited too long. */
  'person_waits',
  /** A message was moved to the dead letters. */
  'dead_letter',
  /** The store lost a part of a conversation: a key was evicted or deleted. */
  'record_lost',
  /** Something stored cannot be opened with our keys. */
  'seal_broken',
  /** More codes are refused than people mistype: a program is guessing. At most once a minute. */
  'code_guessing',
  /** Staff spend or earn through a real AntCRM. */
  'staff_operation',
  /** The store did not confirm. At most once a minute. */
  'store_unavailable',
  /** A reply was not delivered, or its delivery is unknown, and it is not tried again. */
  'delivery_given_up',
  /** A platform refuses a reply that it will refuse again: a bug. At most once a minute and channel. */
  'delivery_rejected',
  /** Most of a channel's last sends failed. At most once a minute. */
  'delivery_failing',
  /** A channel and its platform do not work together: `faults` says why. At most once a minute. */
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
