import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/conversation/state.ts';
import { type ConversationRecord, newRecord, readRecord, writeRecord } from '../../src/engine/record.ts';
import {
  accept,
  CONVERSATION,
  type Commit,
  commit,
  intend,
  MAX_INBOX,
  release,
  renew,
  take,
  takeLetter,
} from '../../src/engine/transitions.ts';
import { filing, LEASE, leased, NOW, taking } from './kit.ts';

const HOUR = 3_600_000;
const answers: Commit = {
  ...{ state: '{"n":1}', replies: [{ seq: NOW + 1, body: 'hello' }], consumed: true, wakeMs: null },
  ...{ settled: [], dropped: 0 },
};

/** The record of a conversation at rest. */
const rest = (over: Partial<ConversationRecord> = {}) => ({ ...newRecord(NOW), schema: VERSION, ...over });

/** The record that a transition leaves. */
function left(changed: { record: ConversationRecord | null }): ConversationRecord {
  if (changed.record === null) throw new Error('there is no record');
  return changed.record;
}

const due = (record: ConversationRecord) =>
  CONVERSATION.entries('name', record).find(({ index }) => index === 'due')?.score ?? null;

describe('Releasing', () => {
  const { record: taken, lease } = leased();
  const { record: decided } = commit(lease, { ...answers, wakeMs: NOW + HOUR })(taken, NOW);
  const releaseOf = (over: Partial<ConversationRecord> = {}, giving = {}) =>
    release(lease, { sentSeq: decided?.outSeq ?? 0, leaseMs: LEASE, ...giving })(
      { ...left({ record: decided }), lease: lease.record.lease, ...over },
      NOW,
    );

  it('marks a record that its wake-up swaps within a day', () => {
    expect(releaseOf()).toMatchObject({ answer: false, mark: 'owner', record: { outbox: [], lease: null } });
    expect(releaseOf({ wakeMs: NOW + 24 * HOUR }).mark).toBe('owner');
  });

  it.each([
    ['no wake-up comes', { wakeMs: 0 }, {}],
    ['its wake-up comes later', { wakeMs: NOW + 25 * HOUR }, {}],
    ['its wake-up is due', { wakeMs: NOW }, {}],
    ['a message waits', { inbox: taken.inbox }, {}],
    ['a reply waits', {}, { sentSeq: 0, wait: { afterMs: 1, reason: 'pace' } }],
    ['a message was put off', {}, { wait: { afterMs: 1, reason: 'store' } }],
    ['a call has ended', {}, { outcomes: { op: 'done' } }],
  ])('seals it anew if %s', (_, over, giving) => {
    expect(releaseOf(over, giving).mark).toBeUndefined();
  });
});

const again = (id: string) => accept(filing(id, { deliveryId: 'again' }));

const held = leased();
const filed = accept(filing('m1'))(null, NOW).record;
const { inbox } = left({ record: filed });

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

  it('drops what finds the inbox full, and remembers nothing of it: the platform may bring it again', () => {
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

  it('leaves what a newer process wrote to newer processes, and carries along what it does not know', () => {
    const newer = rest({ schema: VERSION + 1, ...{ invented: { later: true } } });
    const kept = accept(filing('m1', { take: taking() }))(readRecord(writeRecord(newer)), NOW);
    expect(kept.answer).toBe('queued');
    expect(kept.record).toMatchObject({ schema: VERSION + 1, invented: { later: true } });
    expect(take(taking())(kept.record, NOW).answer).toBe('newer');
    expect(readRecord(writeRecord(left(kept)))).toEqual(left(kept));
  });
});

const retry = { atMs: NOW + 1, earliestMs: NOW, reason: '', tries: 0, sinceMs: 0, madeAtMs: 0 };
const reply = { seq: 1, body: 'hello' };
const ranOut = { owner: 'other', untilMs: NOW, step: 3 };
const fresh = { owner: 'owner', untilMs: NOW + LEASE, step: 0 };

it.each<[string, Partial<ConversationRecord>, lease: ConversationRecord['lease'], attempts?: number]>([
  ['nothing is to be done', {}, null],
  ['a message waits', { inbox }, fresh],
  ['a reply waits', { outbox: [reply] }, fresh],
  ['they are put off', { inbox, outbox: [reply], retry }, null],
  ['they are not put off any more', { inbox, retry: { ...retry, atMs: NOW } }, fresh],
  ['a wake-up is due', { wakeMs: NOW, retry, outbox: [reply] }, fresh],
  ['a wake-up is still to come', { wakeMs: NOW + 1 }, null],
  [
    'another has the lease',
    { inbox, lease: { ...ranOut, untilMs: NOW + 1 } },
    { ...ranOut, untilMs: NOW + 1 },
  ],
  ['its lease ran out', { inbox, lease: ranOut }, { ...fresh, takeover: true }, 1],
  ['its lease ran out, and nothing is to be done', { lease: ranOut }, null],
])('a conversation is taken if there is work and nobody has it: %s', (_, over, lease, attempts = 0) => {
  const { record, answer } = take(taking())(rest(over), NOW);
  expect(answer).toBe(lease?.owner === 'owner' ? 'leased' : 'none');
  expect(record).toEqual({ ...rest(over), lease, attempts });
});

it('a message brings a retry forward to its earliest time, and waits for it', () => {
  const waits = rest({ outbox: [reply], retry: { ...retry, atMs: NOW + HOUR, earliestMs: NOW + 5 } });
  const brought = accept(filing('m1', { take: taking() }))(waits, NOW);
  expect(brought.answer).toBe('queued');
  expect(due(left(brought))).toBe(NOW + 5);
});

describe('What only the holder of the lease may do', () => {
  const { record, lease } = held;
  const none = { record: { lease: null }, head: null };
  const changes = {
    intend: intend(lease, { operation: 'op', body: {} }),
    commit: commit(lease, answers),
    release: release(lease, { sentSeq: 0, leaseMs: LEASE }),
  };
  const others: Record<string, ConversationRecord | null> = {
    'there is no record': null,
    'nobody has the lease': { ...record, lease: null },
    'another has the lease': { ...record, lease: { owner: 'other', untilMs: NOW + LEASE, step: 0 } },
    'a change of it was lost in a failover': { ...record, lease: { owner: 'owner', untilMs: NOW, step: -1 } },
    'it went on meanwhile': { ...record, lease: { owner: 'owner', untilMs: NOW, step: 2 } },
  };
  const otherMessage = {
    ...record,
    inbox: record.inbox.map((message) => ({ ...message, mark: 'filed after a failover' })),
  };

  it.each([
    ...Object.entries(others).flatMap(([name, found]) =>
      Object.values(changes).map((change) => [name, found, change] as const),
    ),
    ['the message is another one under the same number', otherMessage, changes.intend],
    ['the message is another one under the same number', otherMessage, changes.commit],
    ['its message is gone', { ...record, inbox: [] }, changes.commit],
    ['it never had the lease', record, commit(none, answers)],
  ] as const)('changes nothing where %s', (_, found, change) => {
    const { record: kept, answer } = change(found, NOW);
    expect(kept).toBe(found);
    expect([null, false, { kind: 'stale' }]).toContainEqual(answer);
  });
});

it('a call may be made by the attempt that wrote the intent, and by none other', () => {
  const { record, lease } = held;
  const { head } = lease;
  const first = intend(lease, { operation: 'op', body: 'lookup' })(record, NOW);
  expect(first.answer).toEqual({ kind: 'go' });
  const stale = intend(lease, { operation: 'not written', body: '' })(first.record, NOW);
  expect(stale).toEqual({ record: first.record, answer: { kind: 'stale' } });
  const repeated = intend({ record: left(first), head }, { operation: 'op', body: 'other' });
  const second = repeated(first.record, NOW);
  expect(second.answer).toMatchObject({ kind: 'known', call: { by: 'owner:0', body: 'lookup' } });
  const outcomes = { op: { kind: 'applied' }, 'unheard of': {} };
  const next = { operation: 'op.2', body: '', outcomes };
  const third = intend({ record: left(second), head }, next)(second.record, NOW);
  const { journal } = left(third);
  expect(Object.keys(journal)).toEqual(['op', 'op.2']);
  expect(journal.op?.outcome).toEqual({ kind: 'applied' });
  const intents = CONVERSATION.entries('name', left(third)).filter(({ index }) => index === 'intents');
  expect(intents).toEqual([{ index: 'intents', member: 'name:op.2', score: NOW }]);
  const settling = commit({ record: left(third), head }, { ...answers, settled: ['op', 'unheard of'] });
  expect(Object.keys(left(settling(third.record, NOW)).journal)).toEqual(['op.2']);
});

it.each([
  ['accept', filed, accept(filing('m2', { take: taking() }))],
  ['take', filed, take(taking())],
  ['intend', held.record, intend(held.lease, { operation: 'op', body: 'lookup' })],
  ['commit', held.record, commit(held.lease, answers)],
] as const)('%s takes effect once where the answer of its swap was lost', (_, record, change) => {
  const first = change(record, NOW);
  expect(change(first.record, NOW)).toEqual(first);
});

it('a lease is renewed by its holder alone', () => {
  expect(renew(taking())(held.record, NOW + 1)).toMatchObject({ answer: true });
  for (const record of [null, filed, held.record])
    expect(renew(taking('other'))(record, NOW)).toEqual({ record, answer: false });
});

it('dead letters are kept until they are taken, or all is forgotten', () => {
  const dead = [{ id: 'one', reason: 'threw', body: 'poison' }];
  const kept = left(commit(held.lease, { ...answers, dead })(held.record, NOW));
  expect(kept.dead).toEqual([{ id: 'one', reason: 'threw', body: 'poison', atMs: NOW }]);
  const taken = takeLetter('one')(kept, NOW);
  expect(taken).toMatchObject({ record: { dead: [] }, answer: { id: 'one' } });
  expect(takeLetter('one')(taken.record, NOW)).toEqual({ record: taken.record, answer: null });
  const forgotten = commit({ record: kept, head: null }, { ...answers, consumed: false, forget: true });
  expect(left(forgotten(kept, NOW)).dead).toEqual([]);
});
