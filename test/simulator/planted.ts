import type { Outcome } from '../../src/conversation/effect.ts';
import { CUSTOMER, LOCK_MS } from '../../src/engine/customer.ts';
import { LIMITS } from '../../src/engine/limits.ts';
import { readOutboxItem, withVersion } from '../../src/engine/messages.ts';
import { type ConversationRecord, ID_CHARS, type OutboxEntry, toHour } from '../../src/engine/record.ts';
import type { ConversationTransition } from '../../src/engine/transitions.ts';
import type { Exchange } from '../../src/http/transport.ts';
import { type Key, type RecordStore, StoreUnavailable, shardOf, versionOf } from '../../src/store/port.ts';
import { type Changed, changeBetween } from '../support/changes.ts';
import { BEGIN_MS } from './clock.ts';
import { TIMEOUT_MS } from './conduct.ts';
import { underFloor } from './counts.ts';
import { runHistory } from './history.ts';
import type { Defect } from './process.ts';
import { operationsIn } from './watch.ts';

/*
 * Defects that the simulator must find, one at a time. They wrap the engine's surroundings, or the changes
 * of its records. `npm run simulate -- --planted` prints the table of docs/simulator.md.
 */

export type Planted = {
  readonly name: string;
  /** The invariant that finds it; `floor`: a kind of event becomes too rare. */
  readonly finds: string;
  readonly defect: Defect;
};

const SMALL = 25;
/** What is rare needs more customers. */
const RARE = /how calls ended|contrary decision|ends the lock/;
const MOST_SEEDS = 80;
const ID = new RegExp(`.{${ID_CHARS}}`, 'g');

/** Runs histories until the invariant finds the defect. Resolves to their number and all finders. */
export async function find(planted: Planted, from: number, most = MOST_SEEDS) {
  const { name, finds, defect } = planted;
  const customers = RARE.test(name) ? 60 : SMALL;
  const found = new Set<string>();
  let seeds = 0;
  for (; seeds < most && !found.has(finds); seeds++) {
    const history = await runHistory(from + seeds, { customers, defect });
    for (const { invariant } of history.breaches) found.add(invariant);
    const rare = underFloor(history);
    if (rare.some((line) => line.includes('decided while filing'))) found.add('floor');
  }
  return { seeds, found };
}

type Change = {
  readonly kind: Changed;
  readonly before: ConversationRecord | null;
  readonly after: ConversationRecord;
  readonly nowMs: number;
};

/** Fields of a record with other values. */
type Distortion = Partial<ConversationRecord> | false | null | undefined;
type Before = (record: ConversationRecord, nowMs: number) => Distortion;
type After = (change: Change) => Distortion;

const aroundTransitions = (
  change: <Answer>(transition: ConversationTransition<Answer>) => ConversationTransition<Answer>,
): Defect => ({
  aroundRecords: (records) => ({
    isKnown: (name) => records.isKnown(name),
    update: (name, transition, options) => records.update(name, change(transition), options),
  }),
});

/** Changes what a transition makes of a conversation's record, or before that what it is given. */
const distort = (distortBefore: Before, distortAfter: After): Defect =>
  aroundTransitions((transition) => (before, nowMs) => {
    const fields = before && distortBefore(before, nowMs);
    const given = before && fields ? { ...before, ...fields } : before;
    const changed = transition(given, nowMs);
    const { record: after, answer } = changed;
    if (after === null || after === given) return { record: before, answer };
    const left = distortAfter({ kind: changeBetween(before, after), before, after, nowMs });
    return left || fields ? { record: { ...after, ...left }, answer } : changed;
  });
const unchanged = () => null;

const inDefect = (name: string, finds: string, defect: Defect): Planted => ({ name, finds, defect });
const inRecord = (name: string, finds: string, after: After) =>
  inDefect(name, finds, distort(unchanged, after));
const beforeChange = (name: string, finds: string, before: Before) =>
  inDefect(name, finds, distort(before, unchanged));
const inStore = (name: string, finds: string, change: (store: RecordStore) => Partial<RecordStore>) =>
  inDefect(name, finds, { store: (store) => ({ ...store, ...change(store) }) });
type Write = RecordStore['compareAndSwap'];
type SwapIn = (store: RecordStore, ...swap: Parameters<Write>) => ReturnType<Write>;
const inSwap = (name: string, finds: string, swapIn: SwapIn) =>
  inStore(name, finds, (store) => ({ compareAndSwap: (key, swap) => swapIn(store, key, swap) }));
const inOutcome = (name: string, finds: string, change: (outcome: Outcome) => Outcome) =>
  inDefect(name, finds, {
    perform: (perform) => async (effect, context) => {
      const outcome = await perform(effect, context);
      return outcome === 'interrupted' ? outcome : change(outcome);
    },
  });
const inStep = (name: string, finds: string, step: Required<Defect>['step']) =>
  inDefect(name, finds, { step });
const inCall = (name: string, finds: string, exchange: Required<Defect>['exchange']) =>
  inDefect(name, finds, { exchange });

/** A lost time of its own for the rules of calls: what storing an intent takes counts for no deadline. */
function setDeadlinesAfterIntents(): Defect {
  let lostMs = 0;
  return {
    callRuntime: (runtime) => ({
      ...runtime,
      monotonicMs: () => runtime.monotonicMs() - lostMs,
      nowMs: () => runtime.nowMs() - lostMs,
    }),
    perform: (perform) => (effect, context) =>
      perform(effect, {
        ...context,
        async intend(...call) {
          const sinceMs = context.nowMs();
          const intended = await context.intend(...call);
          lostMs += context.nowMs() - sinceMs;
          return intended;
        },
      }),
  };
}

type Answer = Extract<Exchange, { kind: 'answered' }>;

/** Changes what AntCRM answers to a read of that route, before the bot sees it. */
const inRead = (
  name: string,
  route: string,
  change: (answer: Answer, path: string, nowMs: number) => Answer,
) =>
  inCall(name, 'the customer reads what AntCRM did', async (exchange, call, { nowMs }) => {
    const answer = await exchange(call);
    const isRead = call.path.startsWith(route) && answer.kind === 'answered' && answer.status === 200;
    return isRead ? change(answer, call.path, nowMs()) : answer;
  });

/** The same answer with other content; content that is no JSON stays. */
function withJson(answer: Answer, change: (json: unknown) => unknown): Answer {
  try {
    const content = Buffer.from(JSON.stringify(change(JSON.parse(answer.content.toString()))));
    return { ...answer, content };
  } catch {
    return answer;
  }
}

const isRecord = (entry: unknown): boolean => {
  const { type, id, createdAt, gift, code } = Object(entry);
  return /^[12]$/.test(type) && id != null && createdAt != null && (gift?.code ?? code) != null;
};

const isDecision = ({ kind }: Change): boolean => kind === 'commit' || kind === 'fused';

const newReplies = ({ before, after }: Change): OutboxEntry[] =>
  after.outbox.filter(({ seq }) => !before?.outbox.some((one) => one.seq === seq));

const isLookedUp = ({ after }: Change): boolean =>
  operationsIn(after).some(({ status }) => status === 'checking');

/** Whether a decision changes no operation. */
const isIdle = ({ before, after }: Change): boolean =>
  JSON.stringify(operationsIn(before)) === JSON.stringify(operationsIn(after));

const isSideTask = ({ body }: OutboxEntry): boolean => readOutboxItem(body).kind !== 'reply';

function turnOf(entry: OutboxEntry | undefined): string | undefined {
  const item = entry && readOutboxItem(entry.body);
  return item?.kind === 'reply' ? item.outgoing.turn : undefined;
}

/** Records are stored unsealed in the simulator, behind their version. */
const readCustomer = (bytes: Uint8Array) =>
  CUSTOMER.read(Buffer.from(bytes.subarray(versionOf(bytes).length)));

const isUnlock = (key: Key, bytes: Uint8Array | null): boolean =>
  key.startsWith('u:') && bytes !== null && readCustomer(bytes).holder === null;

/** Whatever an operation leaves with a customer ends the customer's lock. */
function endAnyLock(): SwapIn {
  const known = new Map<Key, string>();
  return (store, key, swap) => {
    const { bytes } = swap;
    if (bytes === null || !key.startsWith('u:')) return store.compareAndSwap(key, swap);
    const { holder: _, ...left } = readCustomer(bytes);
    const isLeft = JSON.stringify(left) !== (known.get(key) ?? JSON.stringify({ settled: {}, awaited: {} }));
    known.set(key, JSON.stringify(left));
    if (!isLeft) return store.compareAndSwap(key, swap);
    const unlocked = Buffer.concat([versionOf(bytes), CUSTOMER.write({ holder: null, ...left })]);
    return store.compareAndSwap(key, { ...swap, bytes: unlocked });
  };
}

export const PLANTED: readonly Planted[] = [
  inRecord('a message goes without a reply', 'answered', (change) => {
    const isSilent = isDecision(change) && isIdle(change) && change.nowMs % 7 === 0;
    return isSilent && { outbox: change.before?.outbox ?? [] };
  }),
  inRecord('attempts are not counted', 'answered', ({ kind, before }) =>
    kind === 'take' && before ? { attempts: before.attempts } : null,
  ),
  inRecord('a message stays in the inbox after a take-over', 'answered once', ({ kind, before }) =>
    kind === 'commit' && before?.lease?.takeover && before.attempts > 0 ? { inbox: before.inbox } : null,
  ),
  beforeChange('an update that comes twice is filed twice', 'answered once', () => ({ ids: '' })),
  beforeChange('a second, contrary decision is filed', 'the first decision counts', ({ journal }) =>
    Object.keys(journal).length > 0 ? { ids: '' } : null,
  ),
  beforeChange('a new message brings forward what was put off', 'waits as asked', ({ retry }) =>
    retry ? { retry: { ...retry, earliestMs: 0 } } : null,
  ),
  beforeChange('an id of a later hour is forgotten', 'answered once', ({ ids }, nowMs) => {
    const hour = toHour(Math.floor(nowMs / 3_600_000));
    return { ids: (ids.match(ID) ?? []).filter((id) => id.slice(-hour.length) <= hour).join('') };
  }),
  inRecord('a new message comes before those that wait', 'in order', ({ kind, before, after }) => {
    const [head, ...others] = after.inbox;
    const last = others.at(-1);
    const isWaiting = kind === 'accept' && before?.lease === null && head && last;
    return isWaiting && { inbox: [last, head, ...others.slice(0, -1)] };
  }),
  inRecord('a number is given twice', 'one number, one reply', (change) => {
    const isGiven = isDecision(change) && isIdle(change) && newReplies(change).length > 0;
    return isGiven && change.nowMs % 3 === 0 && { outSeq: change.after.outSeq - 1 };
  }),
  inRecord(
    'a receipt that cannot be delivered is dropped',
    'stored replies leave',
    ({ kind, before, after }) =>
      kind === 'release' && after.dead.length > (before?.dead.length ?? 0)
        ? { dead: before?.dead ?? [] }
        : null,
  ),
  inRecord('of replies that wait the last is dropped', 'stored replies leave', ({ kind, after }) => {
    const [one, other] = after.outbox.slice(-2).map(turnOf);
    return kind === 'release' && one !== undefined && one === other && { outbox: after.outbox.slice(0, -1) };
  }),
  inRecord('a lock that is not given back keeps the replies beside it', 'sent once', (change) => {
    const { kind, before, after } = change;
    const isKept = kind === 'release' && after.outbox.some(isSideTask);
    return isKept && before && { outbox: before.outbox };
  }),
  beforeChange('a turn decided while filing drops waiting replies', 'stored replies leave', ({ lease }) =>
    lease === null ? { outbox: [], retry: null } : null,
  ),
  inRecord('no intent is kept', 'called once', ({ kind, before }) =>
    kind === 'intend' && before ? { journal: before.journal } : null,
  ),
  inRecord('an operation that is being looked up is forgotten with its intent', 'known', (change) => {
    const { state } = change.after;
    if (!isDecision(change) || !isLookedUp(change) || state === null) return null;
    const stored: { state: object } = JSON.parse(state);
    const forgetful = { ...stored, state: { ...stored.state, operations: [] } };
    // No process remembers what they were.
    return { state: JSON.stringify(forgetful), stored: undefined, journal: {} };
  }),
  inRecord('an outcome is told by another key', 'each outcome is sent', (change) => {
    const fresh = newReplies(change);
    const outbox = change.after.outbox.map((entry) => {
      const item = readOutboxItem(entry.body);
      const isOutcome = item.kind === 'reply' && item.outgoing.reply.key.endsWith('.done');
      if (!isOutcome || !fresh.includes(entry)) return entry;
      const outgoing = { ...item.outgoing, reply: { key: 'menu' } };
      return { ...entry, body: withVersion({ ...item, outgoing }) };
    });
    return { outbox };
  }),
  inRecord('a wake-up is forgotten', 'settled', (change) =>
    isDecision(change) && isLookedUp(change) ? { wakeMs: 0 } : null,
  ),
  inRecord('a lease is kept when all is done', 'nothing left', ({ kind, before, after, nowMs }) => {
    const isDone = kind === 'release' && after.lease === null && nowMs > BEGIN_MS + 8 * 60_000;
    return isDone && before?.lease ? { lease: { ...before.lease, untilMs: nowMs + 86_400_000 } } : null;
  }),
  inRecord('a release forgets how calls ended', 'ended calls are known', ({ kind, before, after }) =>
    kind === 'release' && after.lease === null && before ? { journal: before.journal } : null,
  ),
  inRecord('the next intent forgets how calls ended', 'ended calls are known', ({ kind, before, after }) =>
    kind === 'intend' && before ? { journal: { ...after.journal, ...before.journal } } : null,
  ),
  inRead('a record that cannot be read is passed over', '/history-point', (answer) =>
    withJson(answer, (json) => (Array.isArray(json) ? json.filter(isRecord) : [])),
  ),
  inRead('only the first page of the history is read', '/history-point', (answer, path) =>
    path.endsWith('page=1') ? answer : { ...answer, content: Buffer.from('[]') },
  ),
  inRead('what a cache kept counts as new', '/', (answer, _, nowMs) => ({
    ...answer,
    headers: { date: new Date(nowMs).toUTCString() },
  })),
  inDefect('a redemption’s deadline is set after its intent', 'called in time', setDeadlinesAfterIntents()),
  inSwap('what an operation leaves ends the lock of any other', 'a lock lasts to its end', endAnyLock()),
  inStep(
    'an operation that left an intent is confirmed under the same id',
    'an operation is intended once',
    (step, given) => {
      const [state, input, context] = given;
      const isEnded = input.kind === 'outcome' && input.outcome.kind === 'unavailable';
      if (!isEnded || state.step.at !== 'confirming') return step(...given);
      return step(state, input, { ...context, ids: { ...context.ids, operation: state.step.operation } });
    },
  ),
  inSwap('what a part of the store refuses is never taken', 'taken', async (store, key, swap) => {
    if (key.startsWith('c:') && shardOf(key) % 16 === 5) throw new StoreUnavailable('always');
    return store.compareAndSwap(key, swap);
  }),
  inSwap('a change is made on top of what somebody else wrote', 'answered', async (store, key, swap) => {
    const swapped = await store.compareAndSwap(key, swap);
    if (swapped.swapped || swapped.bytes === null || !key.startsWith('c:')) return swapped;
    return store.compareAndSwap(key, { ...swap, expected: versionOf(swapped.bytes) });
  }),
  inSwap('an intent may be lost by a failover', 'called once', async (store, key, swap) => ({
    ...(await store.compareAndSwap(key, { ...swap, durable: false })),
    ...(swap.durable && { durable: true }),
  })),
  inSwap(
    'an intent counts as replicated, whatever replicas say',
    'replicated before it is called',
    async (store, key, swap) => ({ ...(await store.compareAndSwap(key, swap)), durable: true }),
  ),
  inSwap('an entry of an index stays when its record changes', 'indexed', (store, key, swap) => {
    const indexes = swap.indexes.filter(({ index, score }) => index !== 'tickets' || score !== null);
    return store.compareAndSwap(key, { ...swap, indexes });
  }),
  inSwap(
    "a customer's record ends before what settled operations",
    'kept as long as it counts',
    (store, key, swap) =>
      store.compareAndSwap(key, key.startsWith('u:') ? { ...swap, ttlMs: LOCK_MS } : swap),
  ),
  inSwap(
    'locks of every third customer are not given back',
    'no lock past its reason',
    async (store, key, swap) => {
      const isKept = isUnlock(key, swap.bytes) && shardOf(key) % 3 === 0;
      if (!isKept) return store.compareAndSwap(key, swap);
      return { swapped: true, nowMs: (await store.read(key)).nowMs, durable: false };
    },
  ),
  inStore('a shard whose list failed is left alone for half an hour', 'every shard is looked at', (store) => {
    const alone = new Map<number, number>();
    return {
      async list(index, range) {
        const left = alone.get(range.shard) ?? 0;
        alone.set(range.shard, left - 1);
        if (index === 'due' && left > 0) return { nowMs: BEGIN_MS, count: 0, entries: [] };
        return store.list(index, range).catch((error: unknown) => {
          alone.set(range.shard, 300);
          throw error;
        });
      },
    };
  }),
  inStore('the store’s client throws', 'nothing throws', (store) => {
    let reads = 0;
    return {
      async read(key) {
        reads += 1;
        if (reads % 50 === 0) throw new TypeError('a bug');
        return store.read(key);
      },
    };
  }),
  inCall('a call whose answer was lost is made again', 'called once', async (exchange, call) => {
    const answer = await exchange(call);
    if (answer.kind === 'lost' && call.method === 'POST') await exchange({ ...call, mayBegin: undefined });
    return answer;
  }),
  inOutcome('an unknown outcome counts as applied', 'the customer reads what AntCRM did', (outcome) =>
    outcome.kind === 'unknown'
      ? { kind: 'applied', operation: outcome.operation, locks: outcome.lookup.locks }
      : outcome,
  ),
  inOutcome('a look-up finds nothing of what is there', 'the customer reads what AntCRM did', (outcome) =>
    outcome.kind === 'checked' && outcome.found === 'applied' ? { ...outcome, found: 'none' } : outcome,
  ),
  inCall('a redemption leaves however late it is', 'called in time', async (exchange, call, { sleep }) => {
    if (call.mayBegin !== undefined) await sleep(TIMEOUT_MS);
    return exchange({ ...call, mayBegin: undefined });
  }),
  inDefect('locks before one that is busy are kept', 'no lock past its reason', {
    perform: (perform) => (effect, context) => perform(effect, { ...context, unlock: async () => {} }),
  }),
  inStep('an operator’s decision is turned round', 'the customer reads what AntCRM did', (step, given) => {
    const [state, input, context] = given;
    if (input.kind !== 'message' || input.message.kind !== 'settle') return step(...given);
    const result = input.message.result === 'done' ? 'not-applied' : 'done';
    return step(state, { ...input, message: { ...input.message, result } }, context);
  }),
  inStep('every text counts as written after the question', 'a yes to what was shown', (step, given) => {
    const [state, input, context] = given;
    return step(state, input, { ...context, current: true });
  }),
  inStep('whoever asks to be forgotten is remembered', 'forgotten', (step, given) => {
    const decision = step(...given);
    const [{ profile }] = given;
    return decision.forget ? { ...decision, state: { ...decision.state, profile } } : decision;
  }),
  inStep('what customers write is logged', 'nothing personal', (step, given, { log }) => {
    log.info({}, JSON.stringify(given[1]));
    return step(...given);
  }),
  inDefect('nobody says that a record is broken', 'damage is alarmed', {
    observe: (observe) => ({
      ...observe,
      alarm: (name, fields) => (name === 'seal_broken' ? undefined : observe.alarm(name, fields)),
    }),
  }),
  inDefect('what staff write is filed twice', 'answers of staff arrive', {
    fileNote: (file) => async (ticket, note) => {
      if (note.text !== undefined) await file(ticket, { ...note, id: `${note.id} again` });
      return file(ticket, note);
    },
  }),
  inDefect('every second message of staff counts as sent and is not', 'staff see what arrived', {
    deliver: (deliver) => async (outgoing, seq) =>
      outgoing.reply.key === 'person.says' && seq % 2 === 0 ? { kind: 'delivered' } : deliver(outgoing, seq),
  }),
  inDefect('a note for the counter that the store does not confirm is not repeated', 'gifts are known', {
    gifts: (gifts) => ({ ...gifts, note: (note) => gifts.note(note).catch(() => {}) }),
  }),
  inDefect('a gift is handed over to whoever asks', 'handed over once', {
    gifts: (gifts) => ({
      ...gifts,
      async handOver(code, by) {
        const { result, record } = await gifts.handOver(code, by);
        return { result: result === 'before' ? 'handedOver' : result, record };
      },
    }),
  }),
  inDefect('the clock of a process is slow, so it takes its leases for longer', 'sends under its lease', {
    runtime: (runtime) => ({ ...runtime, monotonicMs: () => runtime.monotonicMs() / 3 }),
  }),
  inDefect('a process hardly waits before it tries again', 'waits for the store', {
    runtime: (runtime) => ({ ...runtime, sleep: (ms) => runtime.sleep(ms / 10) }),
  }),
  inDefect('the wait that a fault asks for is passed over', 'waits as asked', {
    deliver: (deliver) => async (outgoing, seq) => {
      const delivery = await deliver(outgoing, seq);
      return delivery.kind === 'uncertain' ? { kind: 'uncertain' } : delivery;
    },
  }),
  inDefect('a process that stops waits for nothing', 'stops in time', {
    async stop(engine, runtime) {
      await engine.stop();
      await runtime.sleep(LIMITS.stopMs);
    },
  }),
  inDefect('no turn is decided while its message is filed', 'floor', {
    aroundRecords: (records) => ({ isKnown: () => false, update: records.update.bind(records) }),
  }),
];
