import type { Writable } from 'node:stream';

/**
 * What log lines say: allow-listed scalars, never text, phone, e-mail, code, token, URL or a whole update. Conversations and
 * customers appear as their keyed hashes only.
 */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** The subset of pino that the parts use. */
export type Log = {
  debug(fields: Fields, message: string): void;
  info(fields: Fields, message: string): void;
  warn(fields: Fields, message: string): void;
  /** `err`, where present, is what was caught: only its name and stack are written. */
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
};

/** An alarm is a log line with `alarm: "<name>"` and a counter of the same name: somebody must look (docs/operators.md). */
export const ALARMS = [
  /** AntCRM refuses our key (401/403). At most once a minute. */
  'antcrm_key_refused',
  /** AntCRM's clock is over two minutes off, or its answers do not carry it. At most once a minute. */
  'antcrm_clock_skew',
  /** An operation's outcome could not be found out; only staff can. */
  'operation_escalated',
  /** Nobody has answered a customer who asked for a person. */
  'person_waits',
  /** A message was moved to the dead letters. */
  'dead_letter',
  /** The store lost what it kept of a conversation, though not all of it: a key was evicted or deleted. */
  'record_lost',
  /** Something stored cannot be opened with the keys at hand. */
  'seal_broken',
  /** Codes are refused faster than people mistype: somebody is guessing. At most once a minute. */
  'code_guessing',
  /** Staff spend or earn through a real AntCRM. */
  'staff_operation',
  /** The store did not confirm. At most once a minute. */
  'store_unavailable',
  /** A reply was perhaps delivered, or never, and is no longer tried. */
  'delivery_given_up',
  /** A platform refuses a reply that it will refuse again: a bug. At most once a minute and channel. */
  'delivery_rejected',
  /** Most of a channel's last sends failed. At most once a minute. */
  'delivery_failing',
  /** A channel and its platform do not work together; `faults` says why and what to do. At most once a minute. */
  'channel_out_of_order',
] as const;
export type Alarm = (typeof ALARMS)[number];

/** The alarm of a process that ends with it: nobody could read a counter. */
export const STUCK = 'event_loop_stuck';

/** Calls `act` unless it was called within the last `ms`: what lasts is reported from time to time, not at every turn. */
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

/** pino's own fields that say nothing on a developer's screen: there is one process, and it is this one. */
const IGNORE = 'pid,hostname';

/**
 * Where the log goes. On a terminal: lines for people, by pino-pretty, which is a development dependency. Undefined
 * (anywhere else, and without that package): pino writes JSON to standard output itself, an object a line.
 */
export async function logOutput(out: Writable & { readonly isTTY?: boolean }): Promise<Writable | undefined> {
  if (!out.isTTY) return undefined;
  const pretty = await import('pino-pretty').catch(ifMissing);
  // At once, so that the log and what is printed beside it keep their order.
  return pretty?.default({ destination: out, sync: true, ignore: IGNORE, translateTime: 'SYS:HH:MM:ss' });
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
  throw error;
}
