import { collectDefaultMetrics, Registry } from 'prom-client';
import packageJson from '../package.json' with { type: 'json' };
import { createMeters, type Meters } from './meters.ts';
import { ALARMS, type Log, type Observe } from './observe.ts';
import type { Waiting } from './store/backlog.ts';

export type Metrics = {
  readonly observe: Observe;
  /** The answer of `GET /metrics`, Prometheus's text format; `contentType` goes with it. `store`: what it says now. */
  text(store?: StoreSays): Promise<string>;
  readonly contentType: string;
};

/** Whether a message could be stored now; null: what waits is not known, the store does not answer. */
export type StoreSays = { readonly ready: boolean; readonly waiting: Waiting | null };

/** Operations without an outcome by age: the first that it is under. What is older than the last check is with staff. */
const AGES = [
  ['under_1m', 60_000],
  ['under_30m', 30 * 60_000],
  ['under_1d', 24 * 60 * 60_000],
  ['over_1d', Number.POSITIVE_INFINITY],
] as const;

/** How often the event loop's lag is sampled: at prom-client's 10 ms, that is half of what an idle bot does. */
const LAG_MS = 100;

const CLAIMS = ['won', 'taken', 'left'] as const;
const LEASES = ['fresh', 'due', 'takeover'] as const;

const PHOTOS = {
  read: 'read',
  noCode: 'none',
  unreadable: 'failed',
  unavailable: 'failed',
  elsewhere: 'failed',
} as const;

const BREAKER = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Counts what the parts report, in a registry of its own, and writes alarms to the log. */
export function createMetrics({ log }: { readonly log: Log }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_MS });
  const meters = createMeters(registry);
  for (const alarm of ALARMS) meters.alarms.inc({ alarm }, 0);
  meters.questions.inc({ answer: 'none' }, 0);
  for (const result of CLAIMS) meters.claims.inc({ result }, 0);
  for (const reason of LEASES) meters.leases.inc({ reason }, 0);
  meters.build.set({ version: packageJson.version }, 1);

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
    waited: (channel, seconds) => meters.wait.observe({ channel: word(channel) }, seconds),
    answered: (channel, seconds) => meters.answers.observe({ channel: word(channel) }, seconds),
    call(call, outcome, seconds) {
      meters.calls.inc({ call, outcome: word(outcome) });
      meters.callSeconds.observe({ call }, seconds);
    },
    delivery: (channel, result) => meters.deliveries.inc({ channel: word(channel), result }),
    paced: (channel, seconds) => meters.paceWait.observe({ channel: word(channel) }, seconds),
    photo(channel, reading, seconds) {
      meters.photos.inc({ channel: word(channel), result: PHOTOS[reading] });
      meters.photoSeconds.observe({ channel: word(channel) }, seconds);
    },
    skew: (seconds) => meters.skew.set(seconds),
    breaker: (state) => meters.breaker.set(BREAKER[state]),
    channel: (channel, inOrder) => meters.channels.set({ channel: word(channel) }, inOrder ? 0 : 1),
    failing: (channel, failing) => meters.failing.set({ channel: word(channel) }, failing ? 1 : 0),
    busy: (turns) => meters.busy.set(turns),
    question: (answer) => meters.questions.inc({ answer: idOf(answer) }),
    claim: (result) => meters.claims.inc({ result }),
    lease: (reason) => meters.leases.inc({ reason }),
    command: (script, seconds) => meters.commands.observe({ script: word(script) }, seconds),
  };
  return {
    observe,
    text(store) {
      if (store !== undefined) show(store, meters);
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** What is not known is not shown: no number is better than an old one. */
function show({ ready, waiting }: StoreSays, meters: Meters): void {
  const { due, dueSeconds, undeliveredSeconds, letters, operations } = meters;
  meters.ready.set(ready ? 1 : 0);
  for (const gauge of [due, dueSeconds, undeliveredSeconds, letters]) gauge.remove();
  operations.reset();
  if (waiting === null) return;
  due.set(waiting.due.count);
  dueSeconds.set(waiting.due.oldestMs / 1000);
  undeliveredSeconds.set(waiting.undeliveredMs / 1000);
  letters.set(waiting.letters);
  for (const [age] of AGES) operations.set({ age }, 0);
  for (const ms of waiting.operationsMs) operations.inc({ age: ageOf(ms) });
}

const ageOf = (ms: number): string => AGES.find(([, under]) => ms < under)?.[0] ?? 'over_1d';

/**
 * A label that has no type of its own: a channel's name, an outcome. Only a short word becomes one, so that nothing
 * personal, and nothing with many values, ever gets into the metrics.
 */
function word(value: string): string {
  return /^[a-z][a-zA-Z-]{0,23}$/.test(value) ? value : 'other';
}

/** The id of an answer: at most as many as the operator has written, in a form that the start has checked. */
function idOf(answer: string): string {
  return /^[a-z][a-z\d.-]{0,39}$/.test(answer) ? answer : 'other';
}
