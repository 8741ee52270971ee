import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { VERSION } from '../../src/conversation/state.ts';
import { type ConversationRecord, readRecord, writeRecord } from '../../src/engine/record.ts';
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
import { filing, LEASE, leased, NOW, rest, taking } from './kit.ts';

const HOUR = 3_600_000;
const answers: Commit = {
  ...{ state: '{"n":1}', replies: [{ seq: NOW + 1, body: 'hello' }], consumed: true, wakeMs: null },
  ...{ settled: [], dropped: 0 },
};
const giving = { leaseMs: LEASE };

/** The record that a transition leaves. */
function left(changed: { record: ConversationRecord | null }): ConversationRecord {
  if (changed.record === null) throw new Error('there is no record');
  return changed.record;
}

const due = (record: ConversationRecord) =>
  CONVERSATION.entries('name', record).find(({ index }) => index === 'due')?.score ?? null;

describe('Accepting', () => {
  it('files a message once, and tells a change that took effect from a second delivery', () => {
    const first = accept(filing('m1'))(null, NOW);
    expect(first.answer).toBe('queued');
    const again = accept(filing('m1'))(first.record, NOW);
    expect(again).toEqual({ record: first.record, answer: 'queued' });
    const second = accept(filing('m1', { deliveryId: 'another' }))(first.record, NOW + HOUR);
    expect(second).toEqual({ record: first.record, answer: 'duplicate' });
  });

  it('remembers 64 ids for 48 hours, answered or not', () => {
    let record: ConversationRecord | null = null;
    for (let n = 0; n <= 64; n++)
      record = accept(filing(`m${n}`))(rest({ ...(record ?? rest()), inbox: [] }), NOW).record;
    const kindOf = (id: string, nowMs: number) =>
      accept(filing(id, { deliveryId: 'x' }))(record, nowMs).answer;
    expect(['m0', 'm1', 'm64'].map((id) => kindOf(id, NOW))).toEqual(['queued', 'duplicate', 'duplicate']);
    expect(kindOf('m64', NOW + 48 * HOUR)).toBe('duplicate');
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
    expect(accept(filing('more', { deliveryId: 'again' }))(room, NOW).answer).toBe('queued');
    const large = accept(filing('large', { body: 'x'.repeat(64 * 1024) }))(null, NOW);
    expect(large.answer).toBe('queued');
    expect(accept(filing('small'))(large.record, NOW).answer).toBe('full');
    const decided = accept(filing('decided', { uncapped: true }))(large.record, NOW);
    expect(decided.answer).toBe('queued');
  });

  it('leaves what a newer process wrote to newer processes, and carries along what it does not know', () => {
    const newer = rest({ schema: VERSION + 1, ...{ invented: { later: true } } });
    const filed = accept(filing('m1', { take: taking() }))(readRecord(writeRecord(newer)), NOW);
    expect(filed.answer).toBe('queued');
    expect(filed.record).toMatchObject({ schema: VERSION + 1, invented: { later: true } });
    expect(take(taking())(filed.record, NOW).answer).toBe('newer');
    expect(readRecord(writeRecord(left(filed)))).toEqual(left(filed));
  });
});

describe('What only the holder of the lease may do', () => {
  const { record, lease } = leased();
  const changes = {
    intend: intend(lease, { operation: 'op', body: {} }),
    commit: commit(lease, answers),
    release: release(lease, { sentSeq: 0, ...giving }),
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
  ] as const)('changes nothing where %s', (_, found, change) => {
    const { record: kept, answer } = change(found, NOW);
    expect(kept).toBe(found);
    expect([null, false, { kind: 'stale' }]).toContainEqual(answer);
  });
});

describe('Calls', () => {
  it('may be made by the attempt that wrote the intent, and by none other', () => {
    const { record, lease } = leased();
    const { head } = lease;
    const first = intend(lease, { operation: 'op', body: 'lookup' })(record, NOW);
    expect(first.answer).toEqual({ kind: 'go' });
    const again = intend({ record: left(first), head }, { operation: 'op', body: 'other' });
    const second = again(first.record, NOW);
    expect(second.answer).toMatchObject({ kind: 'known', call: { by: 'owner:0', body: 'lookup' } });
    const next = { operation: 'op.2', body: '', outcomes: { op: { kind: 'applied' } } };
    const third = intend({ record: left(second), head }, next)(second.record, NOW);
    const { journal } = left(third);
    expect(journal.op?.outcome).toEqual({ kind: 'applied' });
    const intents = CONVERSATION.entries('name', left(third)).filter(({ index }) => index === 'intents');
    expect(intents).toEqual([{ index: 'intents', member: 'name:op.2', score: NOW }]);
    const settling = commit({ record: left(third), head }, { ...answers, settled: ['op', 'unheard of'] });
    const settled = settling(third.record, NOW);
    expect(Object.keys(left(settled).journal)).toEqual(['op.2']);
  });
});

const held = leased();
const filed = accept(filing('m1'))(null, NOW).record;

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

describe('Dead letters', () => {
  it('are kept until they are taken, or all is forgotten', () => {
    const { record, lease } = leased();
    const dead = [{ id: 'one', reason: 'threw', body: 'poison' }];
    const kept = left(commit(lease, { ...answers, dead })(record, NOW));
    expect(kept.dead).toEqual([{ id: 'one', reason: 'threw', body: 'poison', atMs: NOW }]);
    const taken = takeLetter('one')(kept, NOW);
    expect(taken).toMatchObject({ record: { dead: [] }, answer: { id: 'one' } });
    expect(takeLetter('one')(taken.record, NOW)).toEqual({ record: taken.record, answer: null });
    const forgotten = commit({ record: kept, head: null }, { ...answers, consumed: false, forget: true });
    expect(left(forgotten(kept, NOW)).dead).toEqual([]);
  });
});

describe('What version 1 wrote', () => {
  /** As version 1 wrote it: `notBeforeMs`, `tried` and `undeliveredMs` in place of `retry`, ids in binary. */
  function writtenByVersion1(envelope: object, ids: Buffer): Buffer {
    const text = Buffer.from(JSON.stringify(envelope));
    const header = Buffer.alloc(6);
    header.writeUInt32BE(text.length, 0);
    header.writeUInt16BE(ids.length, 4);
    return Buffer.concat([header, text, ids, Buffer.from('{"n":1}')]);
  }
  const seen = (id: string, nowMs: number): Buffer => {
    const entry = hash('sha256', id, 'buffer').subarray(0, 8);
    entry.writeUInt16BE(Math.floor(nowMs / HOUR) & 0xffff, 6);
    return entry;
  };
  const old = {
    ...{
      schema: 1,
      inbox: [{ seq: 1, id: 'm1', mark: 'm', body: {} }],
      inSeq: 1,
      outbox: [{ seq: 9, body: 'a' }],
    },
    ...{ outSeq: 9, notBeforeMs: NOW + HOUR, earliestMs: NOW + 1000, undeliveredMs: NOW - 5 },
    tried: { times: 2, sinceMs: NOW - 3 },
  };

  it('is read: replies go on waiting, and messages that were filed come again as duplicates', () => {
    const ids = Buffer.concat([seen('old', NOW - 50 * HOUR), seen('m1', NOW)]);
    const record = readRecord(writtenByVersion1(old, ids));
    const times = { atMs: NOW + HOUR, earliestMs: NOW + 1000, madeAtMs: NOW - 5 };
    expect(record.retry).toEqual({ ...times, reason: 'version 1', tries: 2, sinceMs: NOW - 3 });
    expect(due(record)).toBe(NOW + HOUR);
    expect(accept(filing('m1', { deliveryId: 'again' }))(record, NOW).answer).toBe('duplicate');
    const taken = left(accept(filing('m2'))(record, NOW));
    expect(readRecord(writeRecord(taken))).toEqual(taken);
    expect(accept(filing('m1', { deliveryId: 'again' }))(taken, NOW + HOUR).answer).toBe('duplicate');
    expect(taken.ids).toHaveLength(20);
  });
});
