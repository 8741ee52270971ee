import { beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../src/conversation/state.ts';
import { type CustomerRecord, ENDED_LOCK_MS, lock, SETTLED_MS, unlock } from '../../src/engine/customer.ts';
import { type ConversationRecord, newRecord, readRecord, writeRecord } from '../../src/engine/record.ts';
import {
  accept,
  beginSending,
  CONVERSATION,
  type Commit,
  commit,
  intend,
  MAX_INBOX,
  release,
  renew,
  take,
} from '../../src/engine/transitions.ts';
import { filing, LEASE, leased, NOW, taking } from './bot.ts';

const HOUR = 3_600_000;
const answers: Commit = {
  state: '{"n":1}',
  replies: [{ seq: NOW + 1, body: 'hello' }],
  consumed: true,
  wakeMs: null,
  settled: [],
  dropped: 0,
};

/** The record of a conversation at rest. */
const rest = (over: Partial<ConversationRecord> = {}) => ({ ...newRecord(NOW), version: VERSION, ...over });

/** The record that a transition leaves. */
function left(changed: { record: ConversationRecord | null }): ConversationRecord {
  if (changed.record === null) throw new Error('there is no record');
  return changed.record;
}

const due = (record: ConversationRecord) =>
  CONVERSATION.entries('name', record).find(({ index }) => index === 'due')?.score ?? null;

const again = (id: string) => accept(filing(id, { mark: 'again' }));

let held: ReturnType<typeof leased>;
let filed: ConversationRecord;
// Not while the file is read: StrykerJS would run all tests for each mutant.
beforeAll(() => {
  held = leased();
  filed = left(accept(filing('m1'))(null, NOW));
});

describe('Accepting', () => {
  it('files a message once, and tells a change that took effect from a second delivery', () => {
    expect(accept(filing('m1'))(filed, NOW)).toEqual({ record: filed, answer: 'queued' });
    for (const record of [filed, held.record]) {
      const unchanged = accept(filing('m1', { take: taking('other') }))(record, NOW);
      expect(unchanged).toEqual({ record, answer: 'queued' });
    }
    expect(again('m1')(filed, NOW + HOUR)).toEqual({ record: filed, answer: 'duplicate' });
  });

  it('remembers 64 ids for 48 hours, answered or not, also of hours that are still to come', () => {
    let record: ConversationRecord | null = null;
    for (let n = 0; n <= 64; n++)
      record = accept(filing(`m${n}`))(rest({ ...(record ?? rest()), inbox: [] }), NOW).record;
    const kindOf = (id: string, nowMs: number) => again(id)(record, nowMs).answer;
    expect(['m0', 'm1', 'm64'].map((id) => kindOf(id, NOW))).toEqual(['queued', 'duplicate', 'duplicate']);
    for (const hours of [-47, 48]) expect(kindOf('m64', NOW + hours * HOUR)).toBe('duplicate');
    expect(kindOf('m64', NOW + 50 * HOUR)).toBe('queued');
    expect(record?.ids).toHaveLength(64 * 10);
    expect(left(accept(filing('late'))(record, NOW + 50 * HOUR)).ids).toHaveLength(10);
  });

  it('drops a message if the inbox is full, and forgets its id: the platform may send it again', () => {
    let record: ConversationRecord | null = null;
    for (let n = 0; n < MAX_INBOX; n++) record = accept(filing(`m${n}`))(record, NOW).record;
    const full = accept(filing('more'))(record, NOW);
    expect(full.answer).toBe('full');
    expect(left(full)).toMatchObject({ dropped: 1, inSeq: MAX_INBOX });
    const room = { ...left(full), inbox: left(full).inbox.slice(1) };
    expect(again('more')(room, NOW).answer).toBe('queued');
    const large = accept(filing('large', { body: 'x'.repeat(64 * 1024) }))(null, NOW);
    expect(large.answer).toBe('queued');
    expect(accept(filing('small'))(large.record, NOW).answer).toBe('full');
    expect(accept(filing('decided', { uncapped: true }))(large.record, NOW).answer).toBe('queued');
  });

  it('leaves what a newer process wrote to newer processes, and keeps fields that it does not know', () => {
    const newer = rest({ version: VERSION + 1, ...{ invented: { later: true } } });
    const kept = accept(filing('m1', { take: taking() }))(readRecord(writeRecord(newer)), NOW);
    expect(kept.answer).toBe('queued');
    expect(kept.record).toMatchObject({ version: VERSION + 1, invented: { later: true } });
    expect(take(taking())(kept.record, NOW).answer).toBe('newer');
    expect(readRecord(writeRecord(left(kept)))).toEqual(left(kept));
  });

  it('is left alone by processes from before the first release, which look whether `schema` is more than 5', () => {
    const plain = writeRecord(rest()).toString();
    expect(JSON.parse(plain.slice(6))).toMatchObject({ version: VERSION, schema: 6 });
  });
});

const inbox = [{ seq: 1, id: 'm1', mark: 'm', atMs: NOW - 9, body: {} }];
const retry = { atMs: NOW + 1, earliestMs: NOW, reason: '', tries: 0, sinceMs: 0, madeAtMs: 0 };
const reply = { seq: 1, body: 'hello' };
const ranOut = { owner: 'other', untilMs: NOW, step: 3 };
const others = { ...ranOut, untilMs: NOW + 1 };
const fresh = { owner: 'owner', untilMs: NOW + LEASE, step: 0 };

it.each<[string, Partial<ConversationRecord>, lease: ConversationRecord['lease'], attempts?: number]>([
  ['nothing is to be done', {}, null],
  ['a message waits', { inbox }, fresh],
  ['a reply waits', { outbox: [reply] }, fresh],
  ['they are put off', { inbox, outbox: [reply], retry }, null],
  ['they are not put off any more', { inbox, retry: { ...retry, atMs: NOW } }, fresh],
  ['a wake-up is due', { wakeMs: NOW, retry, outbox: [reply] }, fresh],
  ['a wake-up is still to come', { wakeMs: NOW + 1 }, null],
  ['another has the lease', { inbox, lease: others }, others],
  ['its lease ran out', { inbox, lease: ranOut }, { ...fresh, takeover: true }, 1],
  ['its lease ran out, and nothing is to be done', { lease: ranOut }, null],
])('a conversation is claimed if it has work and no holder: %s', (_, over, lease, attempts = 0) => {
  const { record, answer } = take(taking())(rest(over), NOW);
  expect(answer).toBe(lease?.owner === 'owner' ? 'leased' : 'none');
  const runOuts = over.lease === ranOut ? 1 : 0;
  expect(record).toEqual({ ...rest(over), lease, attempts, runOuts });
});

it('an operation that has ended locks its customer again for three minutes at most', () => {
  const ended = unlock({ operation: 'op' })(lock('op')(null, NOW).record, NOW).record;
  const again = lock('op', { forMs: HOUR })(ended, NOW + 1).record;
  expect(again?.holder?.untilMs).toBe(NOW + 1 + ENDED_LOCK_MS);
  // A lease that gives the lock back does not end its operation.
  const by = { owner: 'lease', runOuts: 0 };
  const taken = lock('op', { by })(null, NOW).record;
  const given = unlock({ operation: 'op', by })(taken, NOW).record;
  expect(lock('op', { forMs: HOUR })(given, NOW).record?.holder?.untilMs).toBe(NOW + HOUR);
});

it('a lease that runs out while replies wait counts against a reply only if it said that it sends it', () => {
  const sending = { inbox, outbox: [reply, { seq: 2, body: 'bye' }], lease: ranOut };
  const once = left(take(taking())(rest(sending), NOW));
  expect(once).toMatchObject({ attempts: 0, sending: null });
  const said = beginSending({ record: once }, 1)(once, NOW);
  expect([said.answer, left(said).sending]).toEqual([1, { seq: 1, leases: 1 }]);
  // The same change again changes nothing; a lease before it is refused.
  expect(beginSending({ record: once }, 1)(left(said), NOW)).toEqual({ record: left(said), answer: 1 });
  const again = left(take(taking('next'))(left(said), NOW + LEASE));
  expect(beginSending({ record: once }, 1)(again, NOW)).toEqual({ record: again, answer: null });
  const twice = left(beginSending({ record: again }, 1)(again, NOW + LEASE));
  expect(twice).toMatchObject({ attempts: 0, sending: { seq: 1, leases: 2 } });
  const sent = left(release({ record: twice }, { done: new Set([1]), leaseMs: LEASE })(twice, NOW + LEASE));
  expect(sent.sending).toBeNull();
  // While replies are put off, only a wake-up is at work.
  const putOff = rest({ ...sending, retry, wakeMs: NOW });
  expect(left(take(taking())(putOff, NOW))).toMatchObject({ attempts: 1, sending: null });
});

it('a message brings a retry forward to its earliest time, and waits for it', () => {
  const waits = rest({ outbox: [reply], retry: { ...retry, atMs: NOW + HOUR, earliestMs: NOW + 5 } });
  const brought = accept(filing('m1', { take: taking() }))(waits, NOW);
  expect(brought.answer).toBe('queued');
  expect(due(left(brought))).toBe(NOW + 5);
});

const commits = () => commit(held.basis, answers);
const intends = () => intend(held.basis, { operation: 'op', body: 'lookup' });
const releases = () => release(held.basis, { done: new Set(), leaseMs: LEASE });

const all = () => [commits(), intends(), releases()];

it.each<[string, Partial<ConversationRecord> | null, changes?: typeof all]>([
  ['there is no record', null],
  ['nobody has the lease', { lease: null }],
  ['another has the lease', { lease: { ...fresh, owner: 'other' } }],
  ['a change of the holder was lost in a failover', { lease: { ...fresh, step: -1 } }],
  ['the holder went on meanwhile', { lease: { ...fresh, step: 2 } }],
  ['it never had the lease', {}, () => [commit({ record: { lease: null }, head: null }, answers)]],
  ['its message is gone', { inbox: [] }, () => [commits(), intends()]],
  ['another message is there', { inbox }, () => [commits(), intends()]],
])('a commit without the lease, or for another message, changes nothing: %s', (_, over, changes = all) => {
  const found = over && { ...held.record, ...over };
  for (const change of changes()) {
    const { record, answer } = change(found, NOW);
    expect(record).toBe(found);
    expect(answer).toBe(false);
  }
});

const holding = { owner: 'owner', untilMs: NOW + 5, step: 1 };
const next = { owner: 'owner', untilMs: NOW + LEASE, step: 2 };
const outbox = [1, 2, 3].map((seq) => ({ seq, body: '', ...(seq < 3 && { asks: true as const }) }));
const wait = { afterMs: 100, reason: 'why', leastMs: 50, madeAtMs: NOW - 7 };
const waiting = { atMs: NOW + 100, earliestMs: NOW + 50, reason: 'why', tries: 0, sinceMs: 0 };
const kept = { ...retry, madeAtMs: NOW - 8 };
const uncertain = { ...kept, atMs: NOW, tries: 3, sinceMs: NOW - 9 };
const holds = { wait: { ...wait, isGivenBack: true } };
const brief = { wait: { afterMs: 9, reason: '' } };

function releaseOf(over: Partial<ConversationRecord>, giving: object = {}) {
  const record = rest({ lease: holding, ...over });
  return release({ record }, { done: new Set(), leaseMs: LEASE, ...giving })(record, NOW);
}

it.each<[string, Partial<ConversationRecord>, giving: object, left: object]>([
  ['nothing is left', { retry }, {}, { lease: null, retry: null }],
  ['a message waits', { inbox, retry }, {}, { lease: next, retry: null, attempts: 0 }],
  ['a wake-up is due', { wakeMs: NOW }, {}, { lease: next }],
  ['a wake-up is to come', { wakeMs: NOW + 1 }, {}, { lease: null }],
  ['a newer process wrote', { inbox, version: VERSION + 1 }, {}, { lease: null }],
  ['one waits before another', { outbox }, { done: new Set([2]) }, { outbox: [outbox[0], outbox[2]] }],
  [
    'two were sent',
    { inbox, outbox, inSeq: 4 },
    { done: new Set([1, 2]) },
    { outbox: outbox.slice(2), knew: 4 },
  ],
  ['replies have to wait', { outbox }, { wait }, { knew: 0, retry: { ...waiting, madeAtMs: NOW - 7 } }],
  ['messages have to wait', { inbox }, { wait }, { lease: null, retry: { ...waiting, madeAtMs: 0 } }],
  ['wake-ups have to wait', { wakeMs: NOW }, holds, { wakeMs: NOW + 100 }],
  ['no wake-up has to', { wakeMs: 0 }, holds, { wakeMs: 0 }],
  ['replies wait already', { outbox, retry: kept, wakeMs: NOW }, {}, { lease: null, retry: kept }],
  ['they keep their time', { outbox, retry: kept }, holds, { retry: kept }],
  ['their time came meanwhile', { outbox, retry: uncertain, wakeMs: NOW }, {}, { retry: uncertain }],
  ['they wait anew', { outbox, retry: kept }, brief, { retry: { atMs: NOW + 9, madeAtMs: NOW - 8 } }],
])('a lease is released, or goes on: %s', (_, over, giving, expected) => {
  const released = releaseOf(over, giving);
  expect(released.record).toMatchObject(expected);
  expect(released.answer).toBe(released.record?.lease !== null);
});

it('a record is listed by what it waits for, and by what it asks to be listed by', () => {
  const call = { by: '', atMs: NOW + 3, body: '' };
  const listed = [
    { index: 'tickets', part: 'a', score: 7 },
    { index: 'unclear', score: 8 },
    { index: 'broken', score: 9 },
  ];
  const dead = [{ id: '', reason: '', body: '', atMs: NOW + 4 }];
  const journal = { op: call, told: { ...call, outcome: {} } };
  const record = rest({ outbox, retry: kept, dead, journal, listed });
  const entry = (index: string, score: number, part = '') => ({ index, member: `name${part}`, score });
  expect(CONVERSATION.entries('name', record)).toEqual([
    ...[entry('due', kept.atMs), entry('undelivered', kept.madeAtMs), entry('dead', NOW + 4)],
    ...[entry('intents', NOW + 3, ':op'), entry('tickets', 7, ':a'), entry('unclear', 8)],
  ]);
});

it('only the attempt that wrote the intent may make the call', () => {
  const { record, basis } = held;
  const { head } = basis;
  const first = intend(basis, { operation: 'op', body: 'lookup' })(record, NOW);
  expect(first.answer).toBe(true);
  const stale = intend(basis, { operation: 'not written', body: '' })(first.record, NOW);
  expect(stale).toEqual({ record: first.record, answer: false });
  const repeated = intend({ record: left(first), head }, { operation: 'op', body: 'other' });
  expect(repeated(first.record, NOW)).toEqual({ record: first.record, answer: false });
  const outcomes = { op: { kind: 'applied' }, 'unheard of': {} };
  const next = { operation: 'op.2', body: '', outcomes };
  const second = intend({ record: left(first), head }, next)(first.record, NOW);
  const { journal } = left(second);
  expect(Object.keys(journal)).toEqual(['op', 'op.2']);
  expect(journal.op?.outcome).toEqual({ kind: 'applied' });
  const intents = CONVERSATION.entries('name', left(second)).filter(({ index }) => index === 'intents');
  expect(intents).toEqual([{ index: 'intents', member: 'name:op.2', score: NOW }]);
  const settling = commit({ record: left(second), head }, { ...answers, settled: ['op', 'unheard of'] });
  expect(Object.keys(left(settling(second.record, NOW)).journal)).toEqual(['op.2']);
});

it.each([
  ['accept', () => filed, () => accept(filing('m2', { take: taking() }))],
  ['take', () => filed, () => take(taking())],
  ['intend', () => held.record, intends],
  ['commit', () => held.record, commits],
] as const)('%s takes effect once if the answer of its swap was lost', (_, record, change) => {
  const first = change()(record(), NOW);
  expect(change()(first.record, NOW)).toEqual(first);
});

it('a lease is renewed by its holder alone', () => {
  const record = { ...held.record, lease: { ...held.record.lease, untilMs: NOW + 1 + LEASE } };
  expect(renew(taking())(held.record, NOW + 1)).toEqual({ record, answer: true });
  expect(take(taking())(null, NOW)).toEqual({ record: null, answer: 'none' });
  for (const record of [null, filed, held.record])
    expect(renew(taking('other'))(record, NOW)).toEqual({ record, answer: false });
});

it('dead letters are kept, the newest twenty', () => {
  const dead = [{ id: 'one', reason: 'threw', body: 'poison' }];
  const kept = left(commit(held.basis, { ...answers, dead })(held.record, NOW));
  expect(kept.dead).toEqual([{ id: 'one', reason: 'threw', body: 'poison', atMs: NOW }]);
  const more = Array.from({ length: 20 }, (_, at) => ({ id: `${at}`, reason: 'threw', body: '' }));
  const full = commit(held.basis, { ...answers, dead: more })({ ...held.record, dead: kept.dead }, NOW);
  expect(left(full).dead.map(({ id }) => id)).toEqual(more.map(({ id }) => id));
});

const locked = (settled: string[] = [], awaited: string[] = []) => ({ locked: true, settled, awaited });

it('an attempt whose lease was lost does not give back the lock that the next attempt took', () => {
  const [lease1, lease2] = [0, 1].map((runOuts) => ({ owner: `lease ${runOuts + 1}`, runOuts }));
  const first = lock('op1', { by: lease1 })(null, NOW).record;
  const next = lock('op1', { by: lease2 })(first, NOW).record;
  expect(lock('op1', { by: lease1 })(next, NOW)).toEqual({ record: next, answer: { locked: false } });
  const holderAfter = (by?: typeof lease1) => unlock({ operation: 'op1', by })(next, NOW).record?.holder;
  expect(holderAfter(lease1)).toMatchObject({ operation: 'op1', by: 'lease 2' });
  expect(holderAfter(lease2)).toBeNull();
  // Of the outbox: a commit left it, under whichever lease.
  expect(holderAfter()).toBeNull();
});

it('what an operation leaves is remembered beside the lock of another one, which lasts', () => {
  const left = unlock({ operation: 'op1', record: 'record 1' })(null, NOW).record;
  const { record } = lock('op2')(left, NOW);
  const late = unlock({ operation: 'op1', record: 'record 2' })(record, NOW + 1).record;
  expect(late?.holder).toEqual(record?.holder);
  expect(Object.keys(late?.settled ?? {})).toEqual(['record 1', 'record 2']);
});

it('the next holder of a lock gets what earlier holders left within a day, but not what it left itself', () => {
  let record: CustomerRecord | null = null;
  for (const left of [
    { operation: 'op1', record: 'record 1' },
    { operation: 'op2', awaited: '{"one":"🎁"}' },
    { operation: 'op2', awaited: '{"one":"🎁"}' },
  ])
    record = unlock(left)(record, NOW).record;
  expect(lock('op3')(record, NOW).answer).toEqual(locked(['record 1'], ['{"one":"🎁"}']));
  expect(lock('op1')(record, NOW).answer).toEqual(locked([], ['{"one":"🎁"}']));
  expect(lock('op2')(record, NOW).answer).toEqual(locked(['record 1']));
  expect(lock('op3')(record, NOW + SETTLED_MS).answer).toEqual(locked());
});
