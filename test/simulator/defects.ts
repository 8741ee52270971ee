/** A defect that somebody might make, as a change of one place in the sources. `seeds`: how many it took to find it. */
export type Defect = {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
};

/** What the simulator must find: each breaks a promise, and none shows in a run without faults. */
export const DEFECTS: readonly Defect[] = [
  {
    name: 'the owner of a lease is not checked',
    file: 'engine/transitions.ts',
    from: "if (record?.lease?.owner !== owner) return { kind: 'stale' };",
    to: "if (record?.lease == null) return { kind: 'stale' };",
  },
  {
    name: 'the step of a lease is not checked',
    file: 'engine/transitions.ts',
    from: "if (record.lease.step !== step - 1) return { kind: 'stale' };",
    to: '',
  },
  {
    name: 'the mark of the message is not checked',
    file: 'engine/transitions.ts',
    from: "if (mark !== null && record.inbox[0]?.mark !== mark) return { kind: 'stale' };",
    to: '',
  },
  {
    name: 'a message that comes twice is answered twice',
    file: 'engine/transitions.ts',
    from: 'if (remembers(record.seen, id, nowMs))',
    to: 'if (false)',
  },
  {
    name: 'an intent of an earlier attempt permits the call',
    file: 'engine/transitions.ts',
    from: "call.by === by ? { kind: 'go' } : { kind: 'known', call };",
    to: "({ kind: 'go', ...(call.by === by && {}) });",
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
    name: 'a baseline is not looked at',
    file: 'loyalty/attribution.ts',
    from: 'const old = new Set([...lookup.baseline, ...settled]);',
    to: 'const old = new Set(settled);',
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
    to: "observe.update(channel, filed); observe.log.info({ body }, 'filed');",
  },
];
