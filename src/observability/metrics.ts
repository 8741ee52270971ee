import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import { ALARMS, type Alarm, type Fields, type Log } from './log.ts';

/** How often the event loop's lag is sampled. prom-client's 10 ms would be half of an idle bot's work. */
const LAG_MS = 100;
/** The store is read at most once in this time, however often metrics are scraped. */
const READ_EVERY_MS = 1000;

/** Buckets in seconds: from a step without a call to a call that reaches its deadline. */
const STEPS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From no wait to a platform that asks everybody to wait. */
const WAITS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** From an immediate answer to one that an outage delayed. The service level is counted at 2 s. */
const ANSWERS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800];
/** From a Redis on the same network to one that does not answer in time. */
const COMMANDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/*
 * All metrics of docs/operators.md, each with its help and its labels. Labels are words of the code, names of
 * channels and ids of answers, which are checked at the start: nothing personal, and few values.
 */
const COUNTERS = {
  bot_alarms_total: ['Somebody must look: alarms, as logged', 'alarm'],
  bot_updates_total: ['Messages, by what became of them', 'channel', 'result'],
  bot_turns_total: ['Turns ended', 'channel', 'result'],
  bot_claims_total: ['Claims of what waited, by what became of them', 'result'],
  bot_leases_total: ['Leases of conversations, by how they were taken', 'reason'],
  bot_deliveries_total: ['Replies handed to a channel', 'channel', 'result'],
  bot_photos_total: ['Pictures: read, none, failed', 'channel', 'result'],
  bot_questions_total: ['Questions, by the id of their answer', 'answer'],
  bot_misunderstood_total: ['Messages that got a fallback'],
  bot_previous_key_opens_total: ['What STATE_KEY_PREVIOUS opened'],
  antcrm_calls_total: ['Calls to AntCRM ended', 'call', 'outcome'],
} as const;
const HISTOGRAMS = {
  bot_turn_duration_seconds: [STEPS, 'Lease to commit', 'channel', 'result'],
  bot_message_wait_seconds: [ANSWERS, 'Accepting to turn', 'channel'],
  bot_answer_duration_seconds: [ANSWERS, 'Accepting to last reply', 'channel'],
  bot_pace_wait_seconds: [WAITS, 'Wait for a platform', 'channel'],
  bot_photo_duration_seconds: [STEPS, 'Fetching to reading', 'channel'],
  bot_redis_command_duration_seconds: [COMMANDS, 'A script of Redis', 'script'],
  antcrm_call_duration_seconds: [STEPS, 'A call to AntCRM', 'call'],
} as const;
const GAUGES = {
  bot_build_info: ['Always 1; its label is the version of the bot', 'version'],
  bot_turns_busy: ['Turns at work now'],
  bot_delivery_failing: ['1 while most sends of a channel fail', 'channel'],
  bot_channel_out_of_order: ['1 while /health/ready says why', 'channel'],
  bot_redis_memory_ratio: ['How full a node of Redis is, 0 to 1', 'node'],
  antcrm_clock_skew_seconds: ["How far AntCRM's clock is ahead of the store's"],
  antcrm_breaker_state: ['Circuit breaker of AntCRM: 0 closed, 1 half-open, 2 open'],
  bot_ready: ['1 if a message could be stored now (/health/ready), else 0'],
  bot_due_conversations: ['Conversations that wait for somebody to work on them'],
  bot_due_oldest_seconds: ['For how long the first of them has been due'],
  bot_undelivered_oldest_seconds: ['Age of the oldest reply put off'],
  bot_dead_letters: ['Dead letters that nobody has replayed yet'],
  bot_open_tickets: ['Customers whom a person answers: waiting, answered', 'state'],
  bot_ticket_waiting_seconds: ['For how long the first of them has waited'],
  bot_open_operations: ['Operations without an outcome, by their age', 'age'],
} as const;

/** Age groups of operations without an outcome. After the last check, staff must settle an operation. */
const AGES = [
  ['under_1m', 60_000],
  ['under_30m', 30 * 60_000],
  ['under_1d', 24 * 60 * 60_000],
  ['over_1d', Number.POSITIVE_INFINITY],
] as const;
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

/** What waits in the store for all processes (`readBacklog`). */
export type Backlog = {
  readonly due: { readonly count: number; readonly oldestMs: number };
  readonly undeliveredMs: number;
  readonly letters: number;
  readonly operationsMs: readonly number[];
  readonly tickets: { readonly waitingMs: readonly number[]; readonly answered: number };
};

/** `health` rejects if no message can be stored. */
type Watched = { health(): Promise<unknown>; backlog(): Promise<Backlog> };

export type Metrics = ReturnType<typeof createMetrics>;

/** What the parts report: alarms, and what is counted. `app.ts` hands it to them. */
export type Observe = Metrics['observe'];

/**
 * All metrics in a registry of their own, together with Node's.
 *
 * @example
 * const { observe, text } = createMetrics({ log });
 * observe.update('telegram', 'accepted');
 * reply.send(await text());
 */
export function createMetrics({ log }: { readonly log: Log }) {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_MS });
  const declared = declareAll(registry);
  let readMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  return {
    observe: { log, ...observeTurns(declared, log), ...observeParts(declared) },
    /**
     * The answer of `GET /metrics` in Prometheus's text format: what this process counted and, with a
     * `store`, what waits there for all processes. Answers even while the store does not.
     */
    async text(store?: Watched): Promise<string> {
      if (store !== undefined && performance.now() - readMs >= READ_EVERY_MS) {
        readMs = performance.now();
        reading = showBacklog(declared, store);
      }
      await reading;
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

type DeclaredMetrics = ReturnType<typeof declareAll>;

function declareAll(registry: Registry) {
  const registers = [registry];
  const counters = mapValues(
    COUNTERS,
    ([help, ...labelNames], name): Counter => new Counter({ name, help, labelNames, registers }),
  );
  const histograms = mapValues(
    HISTOGRAMS,
    ([buckets, help, ...labelNames], name): Histogram =>
      new Histogram({ name, help, labelNames, buckets, registers }),
  );
  const gauges = mapValues(
    GAUGES,
    ([help, ...labelNames], name): Gauge => new Gauge({ name, help, labelNames, registers }),
  );
  // From zero, so that Prometheus sees the first increase.
  for (const alarm of ALARMS) counters.bot_alarms_total.inc({ alarm }, 0);
  for (const result of ['won', 'taken', 'left']) counters.bot_claims_total.inc({ result }, 0);
  for (const reason of ['fresh', 'due', 'takeover']) counters.bot_leases_total.inc({ reason }, 0);
  counters.bot_questions_total.inc({ answer: 'none' }, 0);
  gauges.bot_build_info.set({ version: packageJson.version }, 1);
  return { counters, histograms, gauges };
}

function mapValues<Key extends string, Value, Mapped>(
  table: Readonly<Record<Key, Value>>,
  map: (value: Value, key: string) => Mapped,
) {
  const entries = Object.entries<Value>(table).map(([key, value]) => [key, map(value, key)] as const);
  return Object.fromEntries(entries) as Record<Key, Mapped>;
}

function observeTurns({ counters, histograms, gauges }: DeclaredMetrics, log: Log) {
  return {
    alarm(name: Alarm, fields: Fields): void {
      counters.bot_alarms_total.inc({ alarm: name });
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
      counters.bot_turns_total.inc({ channel, result });
      histograms.bot_turn_duration_seconds.observe({ channel, result }, (ms - deliverMs) / 1000);
      if (waitMs !== undefined) histograms.bot_message_wait_seconds.observe({ channel }, waitMs / 1000);
    },
    busy: (count: number): void => gauges.bot_turns_busy.set(count),
    /** A lease was taken: with a fresh message, for work that was due, or because the one before ran out. */
    lease: (reason: 'fresh' | 'due' | 'takeover'): void => counters.bot_leases_total.inc({ reason }),
    /** `left`: the conversation is of a newer version. */
    claim: (result: 'won' | 'taken' | 'left'): void => counters.bot_claims_total.inc({ result }),
    /** `answer`: the id of the answer, `none` without one. */
    question: (answer: string): void => counters.bot_questions_total.inc({ answer }),
    misunderstood: (): void => counters.bot_misunderstood_total.inc(),
  };
}

function observeParts({ counters, histograms, gauges }: DeclaredMetrics) {
  return {
    /** A message reached `accept`. */
    update: (channel: string, result: 'accepted' | 'duplicate' | 'full' | 'refused' | 'unavailable'): void =>
      counters.bot_updates_total.inc({ channel, result }),
    /** `kind`: of the `Delivery`. `answeredMs`: since the message was accepted, only with the last reply. */
    delivery(channel: string, kind: string, answeredMs?: number): void {
      counters.bot_deliveries_total.inc({ channel, result: kind });
      if (answeredMs !== undefined)
        histograms.bot_answer_duration_seconds.observe({ channel }, answeredMs / 1000);
    },
    /** A message may leave now. `seconds`: how long it has waited, over all its tries. */
    paced: (channel: string, seconds: number): void =>
      histograms.bot_pace_wait_seconds.observe({ channel }, seconds),
    /** `reading`: its kind. `seconds`: since the picture was fetched. */
    photo(channel: string, reading: keyof typeof PHOTOS, seconds: number): void {
      counters.bot_photos_total.inc({ channel, result: PHOTOS[reading] });
      histograms.bot_photo_duration_seconds.observe({ channel }, seconds);
    },
    /** Whether a channel and its platform work together. */
    channel: (channel: string, inOrder: boolean): void =>
      gauges.bot_channel_out_of_order.set({ channel }, inOrder ? 0 : 1),
    /** Whether most of a channel's last sends failed. */
    failing: (channel: string, isFailing: boolean): void =>
      gauges.bot_delivery_failing.set({ channel }, isFailing ? 1 : 0),
    /** A call to AntCRM ended. */
    call(call: 'accumulate' | 'redeem' | 'history' | 'contact', outcome: CallResult, seconds: number): void {
      counters.antcrm_calls_total.inc({ call, outcome });
      histograms.antcrm_call_duration_seconds.observe({ call }, seconds);
    },
    /** How far AntCRM's clock is ahead of the store's. */
    skew: (seconds: number): void => gauges.antcrm_clock_skew_seconds.set(seconds),
    breaker: (state: keyof typeof BREAKER): void => gauges.antcrm_breaker_state.set(BREAKER[state]),
    /** How full a node of Redis is, 0 to 1. */
    memory: (node: string, share: number): void => gauges.bot_redis_memory_ratio.set({ node }, share),
    /** Something stored was opened by `STATE_KEY_PREVIOUS`. */
    previousKey: (): void => counters.bot_previous_key_opens_total.inc(),
    /** A script ran on Redis, or failed. */
    command: (script: string, seconds: number): void =>
      histograms.bot_redis_command_duration_seconds.observe({ script }, seconds),
  };
}

/** If the store does not answer, these gauges are absent: old values would mislead. */
async function showBacklog({ gauges }: DeclaredMetrics, store: Watched): Promise<void> {
  const [health, read] = await Promise.allSettled([store.health(), store.backlog()]);
  gauges.bot_ready.set(health.status === 'fulfilled' ? 1 : 0);
  for (const gauge of [gauges.bot_open_tickets, gauges.bot_open_operations]) gauge.reset();
  const { value: backlog } = read.status === 'fulfilled' ? read : { value: null };
  const values = [
    [gauges.bot_due_conversations, backlog?.due.count],
    [gauges.bot_due_oldest_seconds, backlog && backlog.due.oldestMs / 1000],
    [gauges.bot_undelivered_oldest_seconds, backlog && backlog.undeliveredMs / 1000],
    [gauges.bot_dead_letters, backlog?.letters],
    [gauges.bot_ticket_waiting_seconds, backlog && Math.max(0, ...backlog.tickets.waitingMs) / 1000],
  ] as const;
  for (const [gauge, value] of values) {
    if (typeof value === 'number') gauge.set(value);
    else gauge.remove();
  }
  if (backlog === null) return;
  gauges.bot_open_tickets.set({ state: 'waiting' }, backlog.tickets.waitingMs.length);
  gauges.bot_open_tickets.set({ state: 'answered' }, backlog.tickets.answered);
  for (const [age] of AGES) gauges.bot_open_operations.set({ age }, 0);
  for (const ms of backlog.operationsMs) {
    gauges.bot_open_operations.inc({ age: AGES.find(([, under]) => ms < under)?.[0] ?? 'over_1d' });
  }
}
