import { describe, expect, test } from 'vitest';
import type { Lookup } from '../../src/conversation/effect.ts';
import { readCommand } from '../../src/operators/command.ts';
import { describe as details, guide, summarize } from '../../src/operators/operation.ts';
import { duration, table } from '../../src/operators/table.ts';

/** The channels that a customer can be looked for on. */
const CHANNELS = ['telegram', 'teams'];

describe('the command', () => {
  test.each([
    ['list', { kind: 'list' }],
    ['show abc --reveal', { kind: 'show', reference: 'ABC', reveal: true }],
    ['settle abc not-applied', { kind: 'settle', reference: 'ABC', result: 'not-applied' }],
    ['show 5vh0m11jxx.2', { kind: 'show', reference: '5VH0M11JXX.2', reveal: false }],
    ['replay 7-ab', { kind: 'replay', id: '7-ab' }],
    ['remove 7-ab', { kind: 'remove', id: '7-ab' }],
    ['find --telegram 4711', { kind: 'find', sought: { channel: 'telegram', id: '4711' } }],
    ['find --phone +84867123456', { kind: 'find', sought: { phone: '+84867123456' } }],
    ['find --phone 0867.123.456', { kind: 'find', sought: { phone: '+84867123456' } }],
  ])('understands %s', (words, command) => {
    expect(readCommand(words.split(' '), CHANNELS)).toEqual({ command, json: false });
  });

  test.each([
    '',
    'list all',
    'show',
    'show a b',
    'settle a',
    'settle a maybe',
    'settle a done now',
    'replay',
    'remove',
    'remove 7-ab now',
    'list --reveal',
    'find',
    'find 4711',
    'find --phone abc',
    'find --fax 4711',
    'find --telegram 1 --phone 0867123456',
    'list --telegram 1',
    'list --jsno',
  ])('refuses "%s"', (words) => {
    expect(readCommand(words.split(' ').filter(Boolean), CHANNELS)).toBeUndefined();
  });
});

const MINUTE_MS = 60_000;
const LOOKUP: Lookup = {
  kind: 'accumulate',
  by: { kind: 'email', value: 'minh@example.vn' },
  code: 'TIVInpmx8b98pfg',
  fromMs: 0,
  deadlineMs: 8000,
  baseline: ['64db290a7796fe24bfe876b4'],
};

test('a product code is masked as a person is, a gift code is not; what must be told apart is listed', () => {
  expect(details(LOOKUP, false)).toMatchObject({
    code: 'TIVI***pfg',
    identifier: { kind: 'email', value: 'mi***@example.vn' },
    customerId: null,
  });
  expect(details(LOOKUP, true)).toMatchObject({
    code: 'TIVInpmx8b98pfg',
    identifier: { value: 'minh@example.vn' },
  });
  const operation = { reference: 'REF', conversation: 'c', atMs: 0, intent: null };
  const lines = guide({ ...summarize(operation, [MINUTE_MS], 0), ...details(LOOKUP, false), story: [] });
  expect(lines).toContain('  64db290a7796fe24bfe876b4');
});

test('an operation waits for staff once the bot no longer looks', () => {
  const body = { lookup: LOOKUP };
  const origin = {
    ...{ channel: 'telegram', conversation: '1', address: 1 },
    sender: { channel: 'telegram', proof: 'contact' as const },
  };
  const operation = { reference: 'REF', conversation: 'c', atMs: 0, intent: { origin, body } };
  const waitsFor = (nowMs: number) => summarize(operation, [5000, MINUTE_MS], nowMs).waitsFor;
  expect([waitsFor(8000 + MINUTE_MS - 1), waitsFor(8000 + MINUTE_MS)]).toEqual(['bot', 'staff']);
});

test('tables line up and ages are short', () => {
  expect(table(['a', 'long'], [['wide', null]])).toEqual(['  a     long', '  wide  ?', '']);
  expect([0, 119_999, 120_000, 7_200_000, 3 * 86_400_000].map(duration)).toEqual([
    '0 s',
    '119 s',
    '2 min',
    '2 h',
    '3 d',
  ]);
});
