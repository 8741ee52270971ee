import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import { ALARMS, type Alarm, type Fields, type Log } from './log.ts';

/** How often the event loop's lag is sampled. prom-client's 10 ms would be half of an idle bot's work. */
const LAG_MS = 100;
/** The store is read at most once in this time, however often metrics are scraped. */
const READ_EVERY_MS = 1000;

/** What each metric tells is written there once. */
const HELP = 'docs/operators.md, Metrics';

/** In seconds: from a Redis on the same network to an answer that an outage delayed. */
const BUCKETS = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
  // The service level of answers is counted at 2 s.
  ...[2, 5, 10, 30, 60, 300, 1800],
];

const PHOTOS = {
  read: 'read',
  noCode: 'none',
  unreadable: 'failed',
  unavailable: 'failed',
  elsewhere: 'failed',
} as const;
const BREAKER = { closed: 0, 'half-open': 1, open: 2 } as const;

/** A turn at its end, for the log and the metrics. Durations in ms. */
export type EndedTurn = {
  /** A keyed hash. */
  readonly conversation: string;
  readonly channel: string;
  /** What the turn answered: the kind of a message, or `wake`. */
  readonly input: string;
  /** From accepting the message to the start of the turn; undefined for a wake-up. */
  readonly waitMs: number | undefined;
  readonly result: 'done' | 'stale' | 'failed' | 'dead' | 'given-back';
  readonly identifyMs: number;
  readonly stepsMs: number;
  readonly commitMs: number;
  readonly deliverMs: number;
};

/** How a call to AntCRM ended. */
export type CallResult = 'ok' | 'applied' | 'refused' | 'unavailable' | 'unknown' | 'unreadable';

/** `health` rejects if no message can be stored; `showBacklog` if the store does not answer. */
type Watched = { health(): Promise<unknown>; showBacklog(declare: Declare): Promise<void> };

export type Metrics = ReturnType<typeof createMetrics>;

/** What the parts report: alarms, and what is counted. `app.ts` hands it to them. */
export type Observe = Metrics['observe'];

/**
 * All metrics of docs/operators.md, together with Node's. Labels are words of the code, names of channels and
 * ids of answers, which are checked at the start: nothing personal, and few values.
 *
 * @example
 * const { observe, text } = createMetrics({ log });
 * observe.update('telegram', 'accepted');
 * reply.send(await text());
 */
export function createMetrics({ log }: { readonly log: Log }) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_MS });
  const declare = declareIn(registry);
  const showVersion = declare.set<[version: string]>('bot_build_info', 'version');
  showVersion(1, packageJson.version);
  let readMs = Number.NEGATIVE_INFINITY;
  let waiting: Promise<Registry> | undefined;

  return {
    observe: { log, ...observeTurns(declare, log), ...observeParts(declare) },
    /** The answer of `GET /metrics`; with what waits in `store`, unless it does not answer. */
    async text(store?: Watched): Promise<string> {
      if (store !== undefined && performance.now() - readMs >= READ_EVERY_MS) {
        readMs = performance.now();
        waiting = readWaiting(store);
      }
      return Registry.merge([registry, (await waiting) ?? new Registry()]).metrics();
    },
    contentType: registry.contentType,
  };
}

/** Values of the first label that begin at zero, so that Prometheus sees their first increase. */
const ZEROS: Readonly<Record<string, readonly string[]>> = {
  bot_alarms_total: ALARMS,
  bot_claims_total: ['won', 'taken', 'left'],
  bot_leases_total: ['fresh', 'due', 'takeover'],
  bot_questions_total: ['none'],
};

export type Declare = ReturnType<typeof declareIn>;

/** Declares metrics. `count`, `time` and `set` return what does that for labels in their order. */
function declareIn(registry: Registry) {
  const about = { help: HELP, registers: [registry] };
  function counter(name: string, ...labelNames: string[]): Counter {
    const counter = new Counter({ name, labelNames, ...about });
    for (const label of ZEROS[name] ?? []) counter.labels(label).inc(0);
    return counter;
  }
  const histogram = (name: string, ...labelNames: string[]): Histogram =>
    new Histogram({ name, labelNames, buckets: BUCKETS, ...about });
  return {
    counter,
    histogram,
    count<Labels extends string[] = []>(...names: [string, ...string[]]) {
      const counted = counter(...names);
      return (...labels: Labels): void => counted.labels(...labels).inc();
    },
    time<Labels extends string[]>(...names: [string, ...string[]]) {
      const timed = histogram(...names);
      return (seconds: number, ...labels: Labels): void => timed.labels(...labels).observe(seconds);
    },
    set<Labels extends string[] = []>(name: string, ...labelNames: string[]) {
      const gauge = new Gauge({ name, labelNames, ...about });
      return (value: number, ...labels: Labels): void => gauge.labels(...labels).set(value);
    },
  };
}

function observeTurns({ counter, histogram, count, set }: Declare, log: Log) {
  const alarms = counter('bot_alarms_total', 'alarm');
  const turns = counter('bot_turns_total', 'channel', 'result');
  const durations = histogram('bot_turn_duration_seconds', 'channel', 'result');
  const waits = histogram('bot_message_wait_seconds', 'channel');
  return {
    alarm(name: Alarm, fields: Fields): void {
      alarms.inc({ alarm: name });
      log.error({ ...fields, alarm: name }, `Alarm: ${name}`);
    },
    /** A turn that was given back is not counted: it is counted when a later attempt ends. */
    turn(ended: EndedTurn): void {
      const { conversation, channel, input, waitMs, result } = ended;
      const { identifyMs, stepsMs, commitMs, deliverMs } = ended;
      const ms = identifyMs + stepsMs + commitMs + deliverMs;
      const about = { conversation, channel, input, waitMs, result };
      log.debug({ ...about, identifyMs, stepsMs, commitMs, deliverMs, ms }, 'a turn ended');
      if (result === 'given-back') return;
      turns.inc({ channel, result });
      durations.observe({ channel, result }, (ms - deliverMs) / 1000);
      if (waitMs !== undefined) waits.observe({ channel }, waitMs / 1000);
    },
    busy: set('bot_turns_busy'),
    /** How long the messages of a channel that wait for their turn have waited on average, seconds. */
    turnWait: set<[channel: string]>('bot_turn_wait_seconds', 'channel'),
    /** A lease was taken: with a fresh message, for work that was due, or because the one before ran out. */
    lease: count<['fresh' | 'due' | 'takeover']>('bot_leases_total', 'reason'),
    /** `left`: the conversation is of a newer version. */
    claim: count<['won' | 'taken' | 'left']>('bot_claims_total', 'result'),
    /** The id of the answer; `none` without one. */
    question: count<[answer: string]>('bot_questions_total', 'answer'),
    misunderstood: count('bot_misunderstood_total'),
  };
}

/** What became of a message that reached `accept`. */
type MessageResult = 'accepted' | 'duplicate' | 'full' | 'refused' | 'unavailable' | 'overloaded';
type Call = 'accumulate' | 'redeem' | 'history' | 'contact';

function observeParts({ counter, histogram, count, time, set }: Declare) {
  const deliveries = counter('bot_deliveries_total', 'channel', 'result');
  const answers = histogram('bot_answer_duration_seconds', 'channel');
  const photos = counter('bot_photos_total', 'channel', 'result');
  const readings = histogram('bot_photo_duration_seconds', 'channel');
  const calls = counter('antcrm_calls_total', 'call', 'outcome');
  const callTimes = histogram('antcrm_call_duration_seconds', 'call');
  const setOutOfOrder = set<[channel: string]>('bot_channel_out_of_order', 'channel');
  const setFailing = set<[channel: string]>('bot_delivery_failing', 'channel');
  const setBreaker = set('antcrm_breaker_state');
  return {
    update: count<[channel: string, MessageResult]>('bot_updates_total', 'channel', 'result'),
    /** `kind`: of the `Delivery`. `answeredMs`: since the message was accepted, only with the last reply. */
    delivery(channel: string, kind: string, answeredMs?: number): void {
      deliveries.inc({ channel, result: kind });
      if (answeredMs !== undefined) answers.observe({ channel }, answeredMs / 1000);
    },
    /** A message may leave now. How long it has waited, over all its tries. */
    paced: time<[channel: string]>('bot_pace_wait_seconds', 'channel'),
    /** `reading`: its kind. `seconds`: since the picture was fetched. */
    photo(channel: string, reading: keyof typeof PHOTOS, seconds: number): void {
      photos.inc({ channel, result: PHOTOS[reading] });
      readings.observe({ channel }, seconds);
    },
    /** A one-time code was asked for or tried (`ProofOutcome`). */
    code: count<[result: string]>('bot_codes_total', 'result'),
    /** Whether a channel and its platform work together. */
    channel: (channel: string, inOrder: boolean): void => setOutOfOrder(inOrder ? 0 : 1, channel),
    /** Whether most of a channel's last sends failed. */
    failing: (channel: string, isFailing: boolean): void => setFailing(isFailing ? 1 : 0, channel),
    /** A call to AntCRM ended. */
    call(call: Call, outcome: CallResult, seconds: number): void {
      calls.inc({ call, outcome });
      callTimes.observe({ call }, seconds);
    },
    /** How far AntCRM's clock is ahead of the store's, seconds. */
    skew: set('antcrm_clock_skew_seconds'),
    /** How late AntCRM's history showed a success of ours at most, seconds. */
    historyLag: set('antcrm_history_lag_seconds'),
    breaker: (state: keyof typeof BREAKER): void => setBreaker(BREAKER[state]),
    /** How full a node of Redis is, 0 to 1. */
    memory: set<[node: string]>('bot_redis_memory_ratio', 'node'),
    /** Something stored was opened by `STATE_KEY_PREVIOUS`. */
    previousKey: count('bot_previous_key_opens_total'),
    /** A script ran on Redis, or failed. */
    command: time<[script: string]>('bot_redis_command_duration_seconds', 'script'),
  };
}

/** What waits in the store. Declared at each read, because old values would mislead. */
async function readWaiting(store: Watched): Promise<Registry> {
  const registry = new Registry();
  const declare = declareIn(registry);
  const [health] = await Promise.allSettled([store.health(), store.showBacklog(declare)]);
  declare.set('bot_ready')(health.status === 'fulfilled' ? 1 : 0);
  return registry;
}
