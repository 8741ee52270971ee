import { CUSTOMER } from '../../src/engine/customer.ts';
import { readOutboxItem, withVersion } from '../../src/engine/messages.ts';
import type { ConversationRecord, OutboxEntry } from '../../src/engine/record.ts';
import { type Key, type RecordStore, StoreUnavailable, type Swap, shardOf } from '../../src/store/port.ts';
import { type Changed, changeBetween } from '../support/changes.ts';
import type { Invariant } from './checks.ts';
import { BEGIN_MS } from './clock.ts';
import { underFloor } from './counts.ts';
import { type Defect, runHistory } from './history.ts';
import { operationsIn } from './watch.ts';

/*
 * Defects that the simulator must find, switched on one at a time. They wrap what surrounds the engine, or the changes of its
 * records; none quotes a line of it. `npm run simulate -- --planted` prints the table of docs/simulator.md.
 */

export type Planted = {
  readonly name: string;
  /** The invariant that finds it: each one has a defect that nothing else finds. `floor`: a kind of event stays away. */
  readonly finds: Invariant | 'floor';
  /** `npm test` looks for it, too. */
  readonly isQuick?: true;
  /** More than a small history has, where it is rare. */
  readonly customers?: number;
  /** A new one for each history. */
  plant(): Defect;
};

/** Small histories find most of them. */
const CUSTOMERS = 25;
const MOST_SEEDS = 40;

/** Runs histories from the seed on until the invariant finds the defect: how many it took, and what else found it. */
export async function find(
  { finds, customers = CUSTOMERS, plant }: Planted,
  from: number,
  most = MOST_SEEDS,
) {
  const found = new Set<Invariant | 'floor'>();
  let seeds = 0;
  while (seeds < most && !found.has(finds)) {
    const { breaches, counts, messages } = await runHistory(from + seeds, {
      customers,
      defect: plant(),
    });
    for (const { invariant } of breaches) found.add(invariant);
    if (underFloor(counts, messages).some((line) => line.includes('decided while filing')))
      found.add('floor');
    seeds += 1;
  }
  return { seeds, found };
}

type Change = {
  readonly kind: Changed;
  readonly before: ConversationRecord | null;
  readonly after: ConversationRecord;
  readonly nowMs: number;
};

/** Each change of a conversation's record is another one. `prepare`: what it is made on. */
function onChange(
  distort: (change: Change) => ConversationRecord,
  prepare: (before: ConversationRecord) => ConversationRecord = (before) => before,
): Defect {
  return {
    aroundRecords: (records) => ({
      isKnown: (name) => records.isKnown(name),
      update: (name, transition, options) =>
        records.update(
          name,
          (before, nowMs) => {
            const prepared = before && prepare(before);
            const { record: after, answer } = transition(prepared, nowMs);
            if (after === null || after === prepared) return { record: before, answer };
            return { record: distort({ kind: changeBetween(before, after), before, after, nowMs }), answer };
          },
          options,
        ),
    }),
  };
}

const isDecision = ({ kind }: Change): boolean => kind === 'commit' || kind === 'fused';
/** Once in so many, by the time. */
const isOften = ({ nowMs }: Change, times: number): boolean => nowMs % times === 0;

const newReplies = ({ before, after }: Change): OutboxEntry[] =>
  after.outbox.filter(({ seq }) => !before?.outbox.some((one) => one.seq === seq));

/** Whether a decision changes nothing of any operation. */
const isIdle = ({ before, after }: Change): boolean =>
  JSON.stringify(operationsIn(before)) === JSON.stringify(operationsIn(after));

function turnOf(entry: OutboxEntry | undefined): string | undefined {
  const item = entry && readOutboxItem(entry.body);
  return item?.kind === 'reply' ? item.outgoing.turn : undefined;
}

/** A reply of the outbox that says something else. */
function saying(entry: OutboxEntry, key: string): OutboxEntry {
  const item = readOutboxItem(entry.body);
  if (item.kind !== 'reply') return entry;
  return { ...entry, body: withVersion({ ...item, outgoing: { ...item.outgoing, reply: { key } } }) };
}

/** Another state, of which no process remembers how it was. */
function withState(record: ConversationRecord, operations: readonly unknown[]): ConversationRecord {
  const stored: { state: object } = JSON.parse(record.state ?? '{}');
  const state = JSON.stringify({ ...stored, state: { ...stored.state, operations } });
  return { ...record, state, stored: undefined };
}

/** In the simulator records are stored as they are, behind their version. */
const isUnlock = (key: Key, { bytes }: Swap): boolean =>
  key.startsWith('u:') && bytes !== null && CUSTOMER.read(Buffer.from(bytes.subarray(13))).holder === null;

const onStore = (store: (store: RecordStore) => Partial<RecordStore>): Defect => ({
  store: (around) => ({ ...around, ...store(around) }),
});

export const PLANTED: readonly Planted[] = [
  {
    name: 'what a part of the store refuses is never taken',
    finds: 'taken',
    plant: () =>
      onStore((store) => ({
        async compareAndSwap(key, swap) {
          if (key.startsWith('c:') && shardOf(key) % 16 === 5) throw new StoreUnavailable('always');
          return store.compareAndSwap(key, swap);
        },
      })),
  },
  {
    name: 'a message goes without a reply',
    finds: 'answered',
    plant: () =>
      onChange((change) =>
        isDecision(change) && isIdle(change) && isOften(change, 7)
          ? { ...change.after, outbox: change.before?.outbox ?? [] }
          : change.after,
      ),
  },
  {
    name: 'a message stays in the inbox after a take-over',
    finds: 'answered once',
    plant: () =>
      onChange(({ kind, before, after }) =>
        kind === 'commit' && before?.lease?.takeover && before.attempts > 0
          ? { ...after, inbox: before.inbox }
          : after,
      ),
  },
  {
    name: 'an update that comes twice is filed twice',
    finds: 'answered once',
    plant: () =>
      onChange(
        ({ after }) => after,
        (before) => ({ ...before, ids: '' }),
      ),
  },
  {
    name: 'a new message comes before those that wait',
    finds: 'in order',
    plant: () =>
      onChange(({ kind, before, after }) => {
        const [head, ...others] = after.inbox;
        const last = others.at(-1);
        const isWaiting = kind === 'accept' && before?.lease === null && head && last;
        return isWaiting ? { ...after, inbox: [last, head, ...others.slice(0, -1)] } : after;
      }),
  },
  {
    name: 'a number is given twice',
    isQuick: true,
    finds: 'one number, one reply',
    plant: () =>
      onChange((change) => {
        const isGiven = isDecision(change) && isIdle(change) && newReplies(change).length > 0;
        return isGiven && isOften(change, 3)
          ? { ...change.after, outSeq: change.after.outSeq - 1 }
          : change.after;
      }),
  },
  {
    name: 'of replies that wait the last is dropped',
    finds: 'stored replies leave',
    plant: () =>
      onChange(({ kind, after }) => {
        const [one, other] = after.outbox.slice(-2).map(turnOf);
        const isDropped = kind === 'release' && one !== undefined && one === other;
        return isDropped ? { ...after, outbox: after.outbox.slice(0, -1) } : after;
      }),
  },
  {
    name: 'a turn is decided while filing although replies wait, and drops them',
    isQuick: true,
    finds: 'stored replies leave',
    plant: () =>
      onChange(
        ({ after }) => after,
        (before) => (before.lease === null ? { ...before, outbox: [], retry: null } : before),
      ),
  },
  {
    name: 'a call whose answer was lost is made again',
    finds: 'called once',
    plant: () => ({
      exchange: (exchange) => async (call) => {
        const answer = await exchange(call);
        if (answer.kind === 'lost' && call.method === 'POST')
          await exchange({ ...call, mayBegin: undefined });
        return answer;
      },
    }),
  },
  {
    name: 'no intent is kept',
    finds: 'called once',
    plant: () =>
      onChange(({ kind, before, after }) =>
        kind === 'intend' && before ? { ...after, journal: before.journal } : after,
      ),
  },
  {
    name: 'an intent may be lost by a failover',
    finds: 'called once',
    plant: () =>
      onStore((store) => ({
        compareAndSwap: async (key, swap) => ({
          ...(await store.compareAndSwap(key, { ...swap, durable: false })),
          ...(swap.durable && { durable: true }),
        }),
      })),
  },
  {
    name: 'an unknown outcome counts as applied',
    isQuick: true,
    finds: 'told as the ledger says',
    plant: () => ({
      perform: (perform) => async (effect, context) => {
        const outcome = await perform(effect, context);
        if (outcome.kind !== 'unknown') return outcome;
        return { kind: 'applied', operation: outcome.operation, locks: outcome.lookup.locks };
      },
    }),
  },
  {
    name: 'a look-up that finds nothing finds what is there',
    finds: 'told as the ledger says',
    plant: () => ({
      perform: (perform) => async (effect, context) => {
        const outcome = await perform(effect, context);
        return outcome.kind === 'checked' && outcome.found === 'applied'
          ? { ...outcome, found: 'none' }
          : outcome;
      },
    }),
  },
  {
    name: 'an operator’s decision is turned round',
    finds: 'told as the ledger says',
    plant: () => ({
      step: (step) => (state, input, context) => {
        if (input.kind !== 'message' || input.message.kind !== 'settle') return step(state, input, context);
        const result = input.message.result === 'done' ? 'not-applied' : 'done';
        return step(state, { ...input, message: { ...input.message, result } }, context);
      },
    }),
  },
  {
    name: 'an operation that is being looked up is forgotten with its intent',
    isQuick: true,
    finds: 'known',
    plant: () =>
      onChange((change) => {
        const { before, after } = change;
        const left = operationsIn(after).filter(({ id, status }) => {
          const isNew = !operationsIn(before).some((one) => one.id === id);
          return !(isNew && status === 'checking');
        });
        if (!isDecision(change) || left.length === operationsIn(after).length) return after;
        const journal = Object.fromEntries(
          Object.entries(after.journal).filter(([name]) => left.some(({ id }) => id === name)),
        );
        return { ...withState(after, left), journal };
      }),
  },
  {
    name: 'an outcome is told by another key',
    finds: 'told of each outcome',
    plant: () =>
      onChange((change) => {
        const fresh = newReplies(change);
        const outbox = change.after.outbox.map((entry) => {
          const item = readOutboxItem(entry.body);
          const isOutcome = item.kind === 'reply' && /\.done$/.test(item.outgoing.reply.key);
          return isOutcome && fresh.includes(entry) ? saying(entry, 'menu') : entry;
        });
        return { ...change.after, outbox };
      }),
  },
  {
    name: 'a wake-up is forgotten',
    isQuick: true,
    finds: 'settled',
    plant: () =>
      onChange((change) =>
        isDecision(change) && operationsIn(change.after).some(({ status }) => status === 'checking')
          ? { ...change.after, wakeMs: 0 }
          : change.after,
      ),
  },
  {
    name: 'a lease is kept when all is done',
    finds: 'nothing left',
    plant: () =>
      onChange(({ kind, before, after, nowMs }) =>
        kind === 'release' && before?.lease && after.lease === null && nowMs > BEGIN_MS + 20 * 60_000
          ? { ...after, lease: { ...before.lease, untilMs: nowMs + 86_400_000 } }
          : after,
      ),
  },
  {
    name: 'attempts are not counted',
    finds: 'answered',
    plant: () =>
      onChange(({ kind, before, after }) =>
        kind === 'take' && before ? { ...after, attempts: before.attempts } : after,
      ),
  },
  {
    name: 'an entry of an index stays when its record changes',
    finds: 'indexed',
    plant: () =>
      onStore((store) => ({
        compareAndSwap: (key, swap) =>
          store.compareAndSwap(key, {
            ...swap,
            indexes: swap.indexes.filter(({ index, score }) => index !== 'tickets' || score !== null),
          }),
      })),
  },
  {
    name: 'a change is made on top of what somebody else wrote',
    finds: 'answered',
    plant: () =>
      onStore((store) => ({
        async compareAndSwap(key, swap) {
          const swapped = await store.compareAndSwap(key, swap);
          if (swapped.swapped || swapped.bytes === null || !key.startsWith('c:')) return swapped;
          return store.compareAndSwap(key, { ...swap, expected: swapped.bytes.subarray(0, 13) });
        },
      })),
  },
  {
    name: 'a lock that could not be given back is dropped',
    customers: 60,
    finds: 'no lock past its reason',
    plant: () =>
      onStore((store) => ({
        async compareAndSwap(key, swap) {
          try {
            return await store.compareAndSwap(key, swap);
          } catch (error) {
            if (!isUnlock(key, swap)) throw error;
            return {
              ...(await store.list('due', { shard: 0, upTo: 'now', limit: 0 })),
              swapped: true,
              durable: false,
            };
          }
        },
      })),
  },
  {
    name: 'every third time a lock is not given back',
    finds: 'no lock past its reason',
    plant: () =>
      onStore((store) => {
        let times = 0;
        return {
          async compareAndSwap(key, swap) {
            if (!isUnlock(key, swap)) return store.compareAndSwap(key, swap);
            times += 1;
            if (times % 3 > 0) return store.compareAndSwap(key, swap);
            const { nowMs } = await store.read(key);
            return { swapped: true, nowMs, durable: false };
          },
        };
      }),
  },
  {
    name: 'what staff write is filed twice',
    finds: 'staff are heard',
    plant: () => ({
      file: (file) => async (ticket, note) => {
        if (note.text !== undefined) await file(ticket, { ...note, id: `${note.id} again` });
        return file(ticket, note);
      },
    }),
  },
  {
    name: 'every text counts as written after the question',
    isQuick: true,
    finds: 'a yes to what was shown',
    plant: () => ({
      step: (step) => (state, input, context) => step(state, input, { ...context, current: true }),
    }),
  },
  {
    name: 'whoever asks to be forgotten is remembered',
    finds: 'forgotten',
    plant: () => ({
      step: (step) => (state, input, context) => {
        const decision = step(state, input, context);
        return decision.forget
          ? { ...decision, state: { ...decision.state, profile: state.profile } }
          : decision;
      },
    }),
  },
  {
    name: 'what customers write is logged',
    finds: 'nothing personal',
    plant() {
      let log: (text: string) => void = () => {};
      return {
        observe(observe) {
          log = (text) => observe.log.info({}, text);
          return observe;
        },
        step: (step) => (state, input, context) => {
          if (input.kind === 'message') log(JSON.stringify(input.message));
          return step(state, input, context);
        },
      };
    },
  },
  {
    name: 'a shard whose list failed is left alone for half an hour',
    finds: 'every shard is looked at',
    plant: () =>
      onStore((store) => {
        const alone = new Map<number, number>();
        return {
          async list(index, range) {
            const left = alone.get(range.shard) ?? 0;
            alone.set(range.shard, left - 1);
            if (index === 'due' && left > 0) return { nowMs: BEGIN_MS, count: 0, entries: [] };
            try {
              return await store.list(index, range);
            } catch (error) {
              alone.set(range.shard, 300);
              throw error;
            }
          },
        };
      }),
  },
  {
    name: 'nobody says that a record is broken',
    finds: 'damage is alarmed',
    plant: () => ({
      observe: (observe) => ({
        ...observe,
        alarm: (name, fields) => (name === 'seal_broken' ? undefined : observe.alarm(name, fields)),
      }),
    }),
  },
  {
    name: 'the store’s client throws',
    finds: 'nothing throws',
    plant: () =>
      onStore((store) => {
        let reads = 0;
        return {
          async read(key) {
            reads += 1;
            if (reads % 50 === 0) throw new TypeError('a bug');
            return store.read(key);
          },
        };
      }),
  },
  {
    name: 'no turn is decided while its message is filed',
    finds: 'floor',
    plant: () => ({
      aroundRecords: (records) => ({
        isKnown: () => false,
        update: (name, transition, options) => records.update(name, transition, options),
      }),
    }),
  },
];
