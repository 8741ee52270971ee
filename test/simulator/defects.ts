/** A defect that somebody might make, as a change of one place in the sources. */
export type Defect = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

/** What the simulator must find: each breaks a promise, and none shows in a run without faults. */
export const DEFECTS: readonly Defect[] = [
  {
    name: 'a message that comes twice is answered twice',
    file: 'engine/transitions.ts',
    from: 'if (remembers(record.seen, id, nowMs))',
    to: 'if (false)',
  },
  {
    name: 'no intent is written before a call',
    file: 'loyalty/intent.ts',
    from: 'const intended = await context.intend(operation, intent);',
    to: "const intended = { kind: 'go' } as Awaited<ReturnType<typeof context.intend>>; void intent;",
  },
  {
    name: 'attempts are not counted',
    file: 'engine/transitions.ts',
    from: 'attempts: record.attempts + (ranOut ? 1 : 0),',
    to: 'attempts: record.attempts,',
  },
  {
    name: 'a wake-up is forgotten',
    file: 'engine/transitions.ts',
    from: 'wakeMs: change.wakeMs ?? 0,',
    to: 'wakeMs: 0,',
  },
  {
    name: 'a lease that runs out is not due',
    file: 'engine/transitions.ts',
    from: 'if (lease !== null) return lease.untilMs;',
    to: 'if (lease !== null) return null;',
  },
  {
    name: 'an index does not change with its record',
    file: 'engine/cell.ts',
    from: 'indexes: indexChanges(kind, name, before, record),',
    to: 'indexes: Math.floor(world.monotonicMs()) % 7 > 0 ? indexChanges(kind, name, before, record) : [],',
  },
  {
    name: 'what was not sent is dropped with what was',
    file: 'engine/transitions.ts',
    from: 'const outbox = record.outbox.filter(({ seq }) => seq > sentSeq);',
    to: 'const outbox = record.outbox.filter(({ seq }) => sentSeq > 0 && seq > sentSeq + 1);',
  },
  {
    name: 'a reply that waits is passed over',
    file: 'engine/outbox.ts',
    from: "if (fate.kind === 'waits') {",
    to: "if (fate.kind === 'waits' && fate.wait.leastMs === undefined) {",
  },
  {
    name: 'an unknown outcome counts as not applied',
    file: 'loyalty/accumulate.ts',
    from: "return { kind: 'unknown', operation, lookup };",
    to: "return { kind: 'unavailable', operation };",
  },
  {
    name: 'what an operation left itself counts as another one’s',
    file: 'engine/customer.ts',
    from: 'left[text]?.by !== operation',
    to: 'left[text] !== undefined',
  },
  {
    name: 'a change is made on top of what somebody else wrote',
    file: 'engine/cell.ts',
    from: 'expected: base.bytes && versionOf(base.bytes),',
    to: 'expected: (await read(name).then(({ bytes: there }) => there && versionOf(there))),',
  },
  {
    name: 'a crashed turn’s outbox is not delivered first',
    file: 'engine/transitions.ts',
    from: 'outbox: notBeforeMs <= nowMs ? outbox : [],',
    to: 'outbox: [],',
  },
  {
    name: 'only the last message is remembered',
    file: 'engine/record.ts',
    from: 'const REMEMBERED = 64;',
    to: 'const REMEMBERED = 1;',
  },
  {
    name: 'a message of a phone number is logged',
    file: 'engine/engine.ts',
    from: 'observe.update(channel, filed);',
    to: "observe.update(channel, filed); observe.log.info({ text: JSON.stringify(incoming) }, 'filed');",
  },
  {
    name: 'an intent outlives its outcome',
    file: 'engine/transitions.ts',
    from: 'for (const operation of change.settled) delete journal[operation];',
    to: '',
  },
  {
    name: 'a reply’s number is given twice',
    file: 'engine/transitions.ts',
    from: 'outSeq: record.outSeq + change.replies.length,',
    to: 'outSeq: record.outSeq,',
  },
  {
    name: 'what was put off is not due',
    file: 'engine/transitions.ts',
    from: 'const waitsMs = inbox.length > 0 || outbox.length > 0 ? notBeforeMs',
    to: 'const waitsMs = inbox.length > 0 ? notBeforeMs',
  },
];
