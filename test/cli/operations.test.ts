import { describe, expect, test } from 'vitest';
import { formatAnswer, readCommand } from '../../src/cli/operations.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import { describe as describeLookup } from '../../src/operators/operation.ts';

describe('the command', () => {
  test.each([
    ['list', '/operations', undefined],
    ['show abc --reveal --as lan', '/operations/abc?reveal=true&by=lan', undefined],
    ['settle abc not-applied --as lan', '/operations/abc/settle', { result: 'not-applied', by: 'lan' }],
    ['remove 7-ab --as lan', '/operations/letters/7-ab/remove', { by: 'lan' }],
    ['find --phone +84867123456', '/operations/find', { phone: '+84867123456' }],
  ])('asks the bot to %s', (words, path, body) => {
    const asked = readCommand(words.split(' '));
    expect([asked?.path, asked?.body, asked?.json]).toEqual([path, body, false]);
  });

  test.each(['', 'show', 'settle a maybe', 'list --reveal', 'find', 'list --jsno'])(
    'refuses "%s"',
    (words) => {
      expect(readCommand(words.split(' ').filter(Boolean))).toBeUndefined();
    },
  );
});

const LOOKUP: Lookup = {
  kind: 'accumulate',
  by: { kind: 'email', value: 'minh@example.vn' },
  code: 'TIVInpmx8b98pfg',
  fromMs: 0,
  deadlineMs: 8000,
  baseline: ['64db290a7796fe24bfe876b4'],
  locks: ['code:tivinpmx8b98pfg'],
};

test('a product code is masked as a person is, a gift code is not; what must be told apart is listed', () => {
  expect(describeLookup(LOOKUP, false)).toMatchObject({
    code: 'TIVI***pfg',
    identifier: { kind: 'email', value: 'mi***@example.vn' },
    customerId: null,
    knownRecords: ['64db290a7796fe24bfe876b4'],
  });
  expect(describeLookup(LOOKUP, true)).toMatchObject({
    code: 'TIVInpmx8b98pfg',
    identifier: { value: 'minh@example.vn' },
  });
});

test('an answer is shown as names and tables', () => {
  const identifier = { kind: 'phone', value: '0867 *** 456' };
  const operations = [
    { reference: 'REF', kind: null },
    { reference: 'LONGER', kind: 'redeem' },
  ];
  expect(formatAnswer({ code: 'LOA01', identifier, operations, knownRecords: ['64db'] })).toEqual([
    'code          LOA01',
    'identifier    phone 0867 *** 456',
    'operations (2)',
    '  reference  kind',
    '  REF        ?',
    '  LONGER     redeem',
    '',
    'knownRecords (1)',
    '  64db',
    '',
  ]);
});
