import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { ALARMS, type Log, type Observe } from './observe.ts';

export type Metrics = {
  readonly observe: Observe;
  /** The answer of `GET /metrics`, Prometheus's text format; `contentType` goes with it. */
  text(): Promise<string>;
  readonly contentType: string;
};

/** From a step that computes only to a call that runs into its deadline. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** From a free pace to a platform that asks everybody to wait. */
const WAITS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** How often the event loop's lag is sampled: at prom-client's 10 ms, that is half of what an idle bot does. */
const LAG_MS = 100;

const CLAIMS = ['won', 'taken', 'left'] as const;

const BREAKER = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Counts what the parts report, in a registry of its own, and writes alarms to the log. */
export function createMetrics({ log }: { readonly log: Log }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_MS });
  const meters = createMeters(registry);
  for (const alarm of ALARMS) meters.alarms.inc({ alarm }, 0);
  for (const result of CLAIMS) meters.claims.inc({ result }, 0);

  const observe: Observe = {
    log,
    alarm(name, fields) {
      meters.alarms.inc({ alarm: name });
      log.error({ ...fields, alarm: name }, `Alarm: ${name}`);
    },
    update: (channel, result) => meters.updates.inc({ channel: word(channel), result }),
    turn(channel, result, seconds) {
      const labels = { channel: word(channel), result };
      meters.turns.inc(labels);
      meters.turnSeconds.observe(labels, seconds);
    },
    call(call, outcome, seconds) {
      meters.calls.inc({ call, outcome: word(outcome) });
      meters.callSeconds.observe({ call }, seconds);
    },
    delivery: (channel, result) => meters.deliveries.inc({ channel: word(channel), result }),
    paced: (channel, seconds) => meters.paceWait.observe({ channel: word(channel) }, seconds),
    skew: (seconds) => meters.skew.set(seconds),
    breaker: (state) => meters.breaker.set(BREAKER[state]),
    channel: (channel, inOrder) => meters.channels.set({ channel: word(channel) }, inOrder ? 0 : 1),
    failing: (channel, failing) => meters.failing.set({ channel: word(channel) }, failing ? 1 : 0),
    busy: (turns) => meters.busy.set(turns),
    claim: (result) => meters.claims.inc({ result }),
  };
  return { observe, text: () => registry.metrics(), contentType: registry.contentType };
}

/**
 * A label that has no type of its own: a channel's name, an outcome. Only a short word becomes one, so that nothing
 * personal and no number of many values ever gets into the metrics, whoever passes what.
 */
function word(value: string): string {
  return /^[a-z][a-z-]{0,23}$/.test(value) ? value : 'other';
}

function createMeters(registry: Registry) {
  const registers = [registry];
  return {
    updates: new Counter({
      name: 'bot_updates_total',
      help: 'Messages that reached the mailbox, by what became of them',
      labelNames: ['channel', 'result'],
      registers,
    }),
    turns: new Counter({
      name: 'bot_turns_total',
      help: 'Turns ended',
      labelNames: ['channel', 'result'],
      registers,
    }),
    turnSeconds: new Histogram({
      name: 'bot_turn_duration_seconds',
      help: 'From lease to commit',
      labelNames: ['channel', 'result'],
      buckets: SECONDS,
      registers,
    }),
    busy: new Gauge({ name: 'bot_turns_busy', help: 'Turns at work now', registers }),
    claims: new Counter({
      name: 'bot_claims_total',
      help: 'Claim scripts run on Redis for conversations that waited, by what became of them',
      labelNames: ['result'],
      registers,
    }),
    calls: new Counter({
      name: 'antcrm_calls_total',
      help: 'Calls to AntCRM ended',
      labelNames: ['call', 'outcome'],
      registers,
    }),
    callSeconds: new Histogram({
      name: 'antcrm_call_duration_seconds',
      help: 'From sending a call to AntCRM to its answer',
      labelNames: ['call'],
      buckets: SECONDS,
      registers,
    }),
    skew: new Gauge({
      name: 'antcrm_clock_skew_seconds',
      help: "How far AntCRM's clock is ahead of the store's",
      registers,
    }),
    breaker: new Gauge({
      name: 'antcrm_breaker_state',
      help: 'Circuit breaker of AntCRM: 0 closed, 1 half-open, 2 open',
      registers,
    }),
    deliveries: new Counter({
      name: 'bot_deliveries_total',
      help: 'Replies handed to a channel, by what became of them',
      labelNames: ['channel', 'result'],
      registers,
    }),
    paceWait: new Histogram({
      name: 'bot_pace_wait_seconds',
      help: 'How long a message waited until its platform takes one more',
      labelNames: ['channel'],
      buckets: WAITS,
      registers,
    }),
    failing: new Gauge({
      name: 'bot_delivery_failing',
      help: '1 while most of the last sends of a channel failed, else 0',
      labelNames: ['channel'],
      registers,
    }),
    channels: new Gauge({
      name: 'bot_channel_out_of_order',
      help: '1 while a channel and its platform do not work together (/health/ready says why), else 0',
      labelNames: ['channel'],
      registers,
    }),
    alarms: new Counter({
      name: 'bot_alarms_total',
      help: 'Somebody must look: the log has a line with the same alarm',
      labelNames: ['alarm'],
      registers,
    }),
  };
}
