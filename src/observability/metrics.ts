import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import packageJson from '../../package.json' with { type: 'json' };
import { ALARMS, type Alarm, type Fields, type Log } from './log.ts';

/** How often the event loop's lag is sampled: at prom-client's 10 ms, that is half of what an idle bot does. */
const LAG_MS = 100;
/** However often it is asked for, the store is looked at once in this time. */
const LOOK_MS = 1000;

/** From a step that computes only to a call that runs into its deadline. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** From a free pace to a platform that asks everybody to wait. */
const WAITS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** From an answer at once to one that an outage held up. The service level is counted at 2 s. */
const ANSWERS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800];
/** From a Redis next door to one that does not answer in time. */
const COMMANDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/** Operations without an outcome by age: the first that it is under. What is older than the last check is with staff. */
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

export type Metrics = ReturnType<typeof createMetrics>;

/** What the parts report about themselves: alarms, and what is counted. `app.ts` hands it to them. */
export type Observe = Metrics['observe'];

/** What waits in the store, over all conversations and processes. */
export type Waiting = {
  /** Conversations that somebody should work on by now, and nobody does; for how long the first has been (ms; 0: none). */
  readonly due: { readonly count: number; readonly oldestMs: number };
  /** How long ago the oldest reply was made that had to be put off (ms; 0: there is none). */
  readonly undeliveredMs: number;
  /** Conversations that have dead letters. */
  readonly letters: number;
  /** How old operations without an outcome are (ms), in no order; of very many not all. */
  readonly operationsMs: readonly number[];
  /** Where a person was asked for: for how long each customer waits for staff (ms), and how many do not. */
  readonly tickets: { readonly waitingMs: readonly number[]; readonly answered: number };
};

/** Where the rest is asked for: `health` rejects where no message could be stored. */
export type Watched = { health(): Promise<unknown>; backlog(): Promise<Waiting> };

/**
 * Every metric of ours (docs/operators.md lists them), each declared once beside what counts it, in a registry of its own.
 * Node's own come beside them.
 */
export function createMetrics({ log }: { readonly log: Log }) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_MS });
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name, help, labelNames, registers });

  /** Declares a counter with two labels. */
  function counts(name: string, help: string, one: string, other: string) {
    const all = counter(name, help, one, other);
    return new Children((first, second) => all.labels({ [one]: word(first), [other]: word(second) }));
  }
  /** Declares a histogram of what a channel, a call or a script took, in seconds. */
  function takes(name: string, help: string, label: string, buckets: number[]) {
    const histogram = new Histogram({ name, help, labelNames: [label], buckets, registers });
    return new Children((of) => histogram.labels({ [label]: word(of) }));
  }

  const alarms = counter('bot_alarms_total', 'Somebody must look: alarms, as logged', 'alarm');
  const turns = counter('bot_turns_total', 'Turns ended', 'channel', 'result');
  const turnSeconds = new Histogram({
    ...{ name: 'bot_turn_duration_seconds', help: 'Lease to commit', labelNames: ['channel', 'result'] },
    ...{ buckets: SECONDS, registers },
  });
  const turnChildren = new Children((channel, result) => {
    const labels = { channel: word(channel), result };
    return { count: turns.labels(labels), seconds: turnSeconds.labels(labels) };
  });
  const paced = takes('bot_pace_wait_seconds', 'Wait for a platform', 'channel', WAITS);
  const commands = takes('bot_redis_command_duration_seconds', 'A script of Redis', 'script', COMMANDS);
  const waited = takes('bot_message_wait_seconds', 'Accepting to turn', 'channel', ANSWERS);
  const answered = takes('bot_answer_duration_seconds', 'Accepting to last reply', 'channel', ANSWERS);
  const deliveries = counts('bot_deliveries_total', 'Replies handed to a channel', 'channel', 'result');
  const busy = gauge('bot_turns_busy', 'Turns at work now');
  const claims = counter('bot_claims_total', 'Claims of what waited, by what became of them', 'result');
  const memory = gauge('bot_redis_memory_ratio', 'How full a node of Redis is, 0 to 1', 'node');
  const previousKey = counter('bot_previous_key_opens_total', 'What STATE_KEY_PREVIOUS opened');
  const leases = counter('bot_leases_total', 'Leases of conversations, by how they were taken', 'reason');
  const updates = counts('bot_updates_total', 'Messages, by what became of them', 'channel', 'result');
  const calls = counts('antcrm_calls_total', 'Calls to AntCRM ended', 'call', 'outcome');
  const callSeconds = takes('antcrm_call_duration_seconds', 'A call to AntCRM', 'call', SECONDS);
  const skew = gauge('antcrm_clock_skew_seconds', "How far AntCRM's clock is ahead of the store's");
  const breaker = gauge('antcrm_breaker_state', 'Circuit breaker of AntCRM: 0 closed, 1 half-open, 2 open');
  const questions = counter('bot_questions_total', 'Questions, by the id of their answer', 'answer');
  const misunderstood = counter('bot_misunderstood_total', 'Messages that got a fallback');
  const photos = counts('bot_photos_total', 'Pictures: read, none, failed', 'channel', 'result');
  const photoSeconds = takes('bot_photo_duration_seconds', 'Fetching to reading', 'channel', SECONDS);
  const failing = gauge('bot_delivery_failing', '1 while most sends of a channel fail', 'channel');
  const outOfOrder = gauge('bot_channel_out_of_order', '1 while /health/ready says why', 'channel');
  const build = gauge('bot_build_info', 'Always 1; its label is the version of the bot', 'version');
  // What the store says of all processes together, as it is when Prometheus asks.
  const ready = gauge('bot_ready', '1 if a message could be stored now (/health/ready), else 0');
  const due = gauge('bot_due_conversations', 'Conversations that wait for somebody to work on them');
  const dueSeconds = gauge('bot_due_oldest_seconds', 'For how long the first of them has been due');
  const undeliveredSeconds = gauge('bot_undelivered_oldest_seconds', 'Age of the oldest reply put off');
  const letters = gauge('bot_dead_letters', 'Dead letters that nobody has replayed yet');
  const tickets = gauge('bot_open_tickets', 'Customers whom a person answers: waiting, answered', 'state');
  const waitingSeconds = gauge('bot_ticket_waiting_seconds', 'For how long the first of them has waited');
  const operations = gauge('bot_open_operations', 'Operations without an outcome, by their age', 'age');

  // From zero, so that a first rise is seen.
  for (const alarm of ALARMS) alarms.inc({ alarm }, 0);
  for (const result of ['won', 'taken', 'left']) claims.inc({ result }, 0);
  const leasesBy = {
    fresh: leases.labels('fresh'),
    due: leases.labels('due'),
    takeover: leases.labels('takeover'),
  };
  questions.inc({ answer: 'none' }, 0);
  build.set({ version: packageJson.version }, 1);

  const observe = {
    log,
    alarm(name: Alarm, fields: Fields): void {
      alarms.inc({ alarm: name });
      log.error({ ...fields, alarm: name }, `Alarm: ${name}`);
    },
    /** A message reached `accept`. */
    update(channel: string, result: 'accepted' | 'duplicate' | 'full' | 'refused' | 'unavailable'): void {
      updates.of(channel, result).inc();
    },
    /** A turn ended. One that was given back is counted when it comes again. */
    turn(ended: EndedTurn): void {
      const { conversation, channel, input, waitMs, result } = ended;
      const { identifyMs, stepsMs, commitMs, deliverMs } = ended;
      const ms = identifyMs + stepsMs + commitMs + deliverMs;
      const about = { conversation, channel, input, waitMs, result };
      log.debug({ ...about, identifyMs, stepsMs, commitMs, deliverMs, ms }, 'a turn ended');
      if (result === 'given-back') return;
      const child = turnChildren.of(channel, result);
      child.count.inc();
      child.seconds.observe((ms - deliverMs) / 1000);
      if (waitMs !== undefined) waited.of(channel).observe(waitMs / 1000);
    },
    busy: (count: number): void => busy.set(count),
    /** A call to AntCRM ended. */
    call(call: 'accumulate' | 'redeem' | 'history' | 'contact', outcome: string, seconds: number): void {
      calls.of(call, outcome).inc();
      callSeconds.of(call).observe(seconds);
    },
    /** How far AntCRM's clock is ahead of the store's. */
    skew: (seconds: number): void => skew.set(seconds),
    breaker: (state: 'closed' | 'half-open' | 'open'): void => breaker.set(BREAKER[state]),
    /**
     * A reply was handed to a channel; `kind` is that of its `Delivery`. `answeredMs`: it was the last reply to a message, and
     * came so long after the message was accepted.
     */
    delivery(channel: string, kind: string, answeredMs?: number): void {
      deliveries.of(channel, kind).inc();
      if (answeredMs !== undefined) answered.of(channel).observe(answeredMs / 1000);
    },
    /** A message may leave now; what it waited for that, however often it was put off. */
    paced: (channel: string, seconds: number): void => paced.of(channel).observe(seconds),
    /** A picture was read, or could not be: the kind of its reading. `seconds` from fetching it to its reading. */
    photo(channel: string, reading: keyof typeof PHOTOS, seconds: number): void {
      photos.of(channel, PHOTOS[reading]).inc();
      photoSeconds.of(channel).observe(seconds);
    },
    /** A channel was looked at: whether it and its platform work together. */
    channel: (channel: string, inOrder: boolean): void =>
      outOfOrder.set({ channel: word(channel) }, inOrder ? 0 : 1),
    /** Whether most of a channel's last sends failed. */
    failing: (channel: string, isFailing: boolean): void =>
      failing.set({ channel: word(channel) }, isFailing ? 1 : 0),
    /** A customer asked something; `answer`: the id of what answered it, `none` where nothing did. */
    question: (answer: string): void => questions.inc({ answer: idOf(answer) }),
    /** A message was not understood. */
    misunderstood: (): void => misunderstood.inc(),
    /**
     * A conversation's lease was taken: `fresh` with the message just filed, `due` of what waited, `takeover` because the
     * lease before it ran out.
     */
    lease: (reason: keyof typeof leasesBy): void => leasesBy[reason].inc(),
    /** A conversation that waited was claimed: the lease is ours, it was another process's by then, or it is for a newer version. */
    claim: (result: 'won' | 'taken' | 'left'): void => claims.inc({ result }),
    /** How full a node of Redis is, 0 to 1. */
    memory: (node: string, share: number): void => memory.set({ node }, share),
    /** Something stored was opened by `STATE_KEY_PREVIOUS`. */
    previousKey: (): void => previousKey.inc(),
    /** A script ran on Redis, or failed. */
    command: (script: string, seconds: number): void => commands.of(script).observe(seconds),
  };

  let lookedMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  /** What is not known is not shown: no number is better than an old one. */
  async function look(store: Watched): Promise<void> {
    const isReady = store.health().then(
      () => true,
      () => false,
    );
    const waiting = await store.backlog().catch(() => null);
    ready.set((await isReady) ? 1 : 0);
    for (const known of [due, dueSeconds, undeliveredSeconds, letters, waitingSeconds]) known.remove();
    operations.reset();
    tickets.reset();
    if (waiting === null) return;
    due.set(waiting.due.count);
    dueSeconds.set(waiting.due.oldestMs / 1000);
    undeliveredSeconds.set(waiting.undeliveredMs / 1000);
    letters.set(waiting.letters);
    tickets.set({ state: 'waiting' }, waiting.tickets.waitingMs.length);
    tickets.set({ state: 'answered' }, waiting.tickets.answered);
    waitingSeconds.set(Math.max(0, ...waiting.tickets.waitingMs) / 1000);
    for (const [age] of AGES) operations.set({ age }, 0);
    for (const ms of waiting.operationsMs) {
      operations.inc({ age: AGES.find(([, under]) => ms < under)?.[0] ?? 'over_1d' });
    }
  }

  return {
    observe,
    /**
     * The answer of `GET /metrics`, Prometheus's text format: what this process counted and, with a `store`, what that says of
     * all. Answers even while the store does not.
     */
    async text(store?: Watched): Promise<string> {
      if (store !== undefined && performance.now() - lookedMs >= LOOK_MS) {
        lookedMs = performance.now();
        looking = look(store);
      }
      await looking;
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
}

/** One turn at its end, for the log and the metrics. Durations in ms. */
export type EndedTurn = {
  /** A keyed hash. */
  readonly conversation: string;
  readonly channel: string;
  /** What the turn answered: the kind of a message, or `wake`. */
  readonly input: string;
  /** From accepting the message to the beginning of the turn; undefined for a wake-up. */
  readonly waitMs: number | undefined;
  readonly result: 'done' | 'stale' | 'failed' | 'dead' | 'given-back';
  readonly identifyMs: number;
  readonly stepsMs: number;
  readonly commitMs: number;
  readonly deliverMs: number;
};

/** What comes beyond so many children is not remembered. */
const MAX_CHILDREN = 100;

/** The children of a metric: prom-client is asked for each once, so that a count at each turn costs a look-up. */
class Children<Child> {
  readonly #children = new Map<string, Child>();
  readonly #create: (first: string, second: string) => Child;

  constructor(create: (first: string, second: string) => Child) {
    this.#create = create;
  }

  of(first: string, second = ''): Child {
    const key = `${first} ${second}`;
    const child = this.#children.get(key) ?? this.#create(first, second);
    if (this.#children.size < MAX_CHILDREN) this.#children.set(key, child);
    return child;
  }
}

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
