import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** From a step that computes only to a call that runs into its deadline. */
const SECONDS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** From a free pace to a platform that asks everybody to wait. */
const WAITS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** From an answer at once to one that an outage held up. The service level is counted at 2 s. */
const ANSWERS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800];

/** From a Redis next door to one that does not answer in time. */
const COMMANDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

export type Meters = ReturnType<typeof createMeters>;

/** Every metric of ours, by what it measures; docs/operators.md lists them. Node's own come beside them. */
export function createMeters(registry: Registry) {
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
    leases: new Counter({
      name: 'bot_leases_total',
      help: 'Leases of conversations taken: with a fresh message, of what was due, or over from a process whose lease ran out',
      labelNames: ['reason'],
      registers,
    }),
    wait: new Histogram({
      name: 'bot_message_wait_seconds',
      help: 'From accepting a message to the beginning of its turn',
      labelNames: ['channel'],
      buckets: ANSWERS,
      registers,
    }),
    answers: new Histogram({
      name: 'bot_answer_duration_seconds',
      help: 'From accepting a message to the delivery of its last reply',
      labelNames: ['channel'],
      buckets: ANSWERS,
      registers,
    }),
    commands: new Histogram({
      name: 'bot_redis_command_duration_seconds',
      help: 'How long Redis takes for a script, the way there and back counted',
      labelNames: ['script'],
      buckets: COMMANDS,
      registers,
    }),
    ...storeGauges(registers),
    build: new Gauge({
      name: 'bot_build_info',
      help: 'Always 1; its label is the version of the bot',
      labelNames: ['version'],
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
    questions: new Counter({
      name: 'bot_questions_total',
      help: 'Questions of customers, by the id of what answered them',
      labelNames: ['answer'],
      registers,
    }),
    photos: new Counter({
      name: 'bot_photos_total',
      help: 'Pictures of customers, by what a look for codes came to: read, none, failed',
      labelNames: ['channel', 'result'],
      registers,
    }),
    photoSeconds: new Histogram({
      name: 'bot_photo_duration_seconds',
      help: 'From fetching a picture to what it says',
      labelNames: ['channel'],
      buckets: SECONDS,
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

/** What the store says of all processes together, as it is when Prometheus asks. */
function storeGauges(registers: Registry[]) {
  return {
    ready: new Gauge({
      name: 'bot_ready',
      help: '1 if a message could be stored now (/health/ready), else 0',
      registers,
    }),
    due: new Gauge({
      name: 'bot_due_conversations',
      help: 'Conversations of all processes that somebody should work on by now, and nobody does',
      registers,
    }),
    dueSeconds: new Gauge({
      name: 'bot_due_oldest_seconds',
      help: 'For how long the first of them has been due',
      registers,
    }),
    undeliveredSeconds: new Gauge({
      name: 'bot_undelivered_oldest_seconds',
      help: 'Age of the oldest reply, of all processes, that had to be put off',
      registers,
    }),
    letters: new Gauge({
      name: 'bot_dead_letters',
      help: 'Dead letters that nobody has replayed yet',
      registers,
    }),
    operations: new Gauge({
      name: 'bot_open_operations',
      help: 'Operations of all processes without an outcome, by their age',
      labelNames: ['age'],
      registers,
    }),
  };
}
