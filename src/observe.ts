/**
 * What the parts report about themselves. Every folder but `conversation/` may import this file, which imports nothing;
 * `metrics.ts` turns it into counters, and `app.ts` hands it to the parts. Fields are allow-listed scalars: never text,
 * phone, e-mail, code, token, URL or a whole update (docs/design.md, "Logs"). Conversations and customers appear as their
 * keyed hashes only.
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
  /** A platform refuses our token. At most once a minute. */
  'channel_token_refused',
  /** A reply was perhaps delivered, or never, and is no longer tried. */
  'delivery_given_up',
  /** A platform refuses a reply that it will refuse again: a bug. */
  'delivery_rejected',
  /** Most of a channel's last sends failed. At most once a minute. */
  'delivery_failing',
  /** A channel and its platform do not work together; `faults` says why and what to do. At most once a minute. */
  'channel_out_of_order',
] as const;
export type Alarm = (typeof ALARMS)[number];

/** Calls `act` unless it was called within the last `ms`: what lasts is reported from time to time, not at every turn. */
export function atMostEvery<Args extends readonly unknown[]>(
  ms: number,
  act: (...args: Args) => void,
): (...args: Args) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (...args) => {
    if (performance.now() - last < ms) return;
    last = performance.now();
    act(...args);
  };
}

export type Observe = {
  readonly log: Log;
  alarm(name: Alarm, fields: Fields): void;
  /** A message reached `accept`. */
  update(channel: string, result: 'accepted' | 'duplicate' | 'full' | 'refused' | 'unavailable'): void;
  /** A turn ended. `seconds` from lease to commit. */
  turn(channel: string, result: 'done' | 'stale' | 'failed' | 'dead', seconds: number): void;
  /** A message's turn ended; `seconds` from when the message was accepted to when the turn began. */
  waited(channel: string, seconds: number): void;
  /** The last reply to a message was delivered; `seconds` since the message was accepted. */
  answered(channel: string, seconds: number): void;
  /** A call to AntCRM ended. */
  call(call: 'accumulate' | 'redeem' | 'history' | 'contact', outcome: string, seconds: number): void;
  /** A reply was handed to a channel; `result` is the kind of its `Delivery`. */
  delivery(
    channel: string,
    result:
      | 'delivered'
      | 'throttled'
      | 'undelivered'
      | 'uncertain'
      | 'unauthorized'
      | 'unreachable'
      | 'rejected',
  ): void;
  /** A message may leave now; `seconds` it waited for that, however often it was put off. */
  paced(channel: string, seconds: number): void;
  /** A picture was read, or could not be: the kind of its reading. `seconds` from fetching it to its reading. */
  photo(
    channel: string,
    reading: 'read' | 'noCode' | 'unreadable' | 'unavailable' | 'elsewhere',
    seconds: number,
  ): void;
  /** How far AntCRM's clock is ahead of the store's. */
  skew(seconds: number): void;
  /** AntCRM's circuit breaker. */
  breaker(state: 'closed' | 'half-open' | 'open'): void;
  /** A channel was looked at: whether it and its platform work together. */
  channel(channel: string, inOrder: boolean): void;
  /** Whether most of a channel's last sends failed. */
  failing(channel: string, failing: boolean): void;
  /** Turns at work now. */
  busy(turns: number): void;
  /**
   * A conversation's lease was taken: `fresh` with the message just filed, `due` of what waited, `takeover` because the
   * lease before it ran out.
   */
  lease(reason: 'fresh' | 'due' | 'takeover'): void;
  /** A script ran on Redis, or failed. */
  command(script: string, seconds: number): void;
  /** A customer asked something; `answer`: the id of what answered it, `none` where nothing did. */
  question(answer: string): void;
  /** A claim script ended: the lease is ours, it was another process's by then, or it is for a newer version. */
  claim(result: 'won' | 'taken' | 'left'): void;
};
