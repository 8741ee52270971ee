import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { duration, linesOfShown, readCommand, table } from '../../src/cli/operations.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import { describe as details, summarize } from '../../src/operators/operation.ts';

describe('the command', () => {
  test.each([
    ['list', '/operations', undefined],
    ['show abc --reveal --as lan', '/operations/abc?reveal=true&by=lan', undefined],
    ['settle abc not-applied --as lan', '/operations/abc/settle', { result: 'not-applied', by: 'lan' }],
    ['replay 7-ab --as lan', '/operations/letters/7-ab/replay', { by: 'lan' }],
    ['remove 7-ab --as lan', '/operations/letters/7-ab/remove', { by: 'lan' }],
    ['find --telegram 4711', '/operations/find', { telegram: '4711' }],
    ['find --phone +84867123456', '/operations/find', { phone: '+84867123456' }],
  ])('asks the bot to %s', (words, path, body) => {
    const asked = readCommand(words.split(' '));
    expect([asked?.path, asked?.body, asked?.json]).toEqual([path, body, false]);
  });

  test('says who gives it: the system’s user, unless told', () => {
    expect(readCommand(['settle', 'abc', 'done'])?.body).toEqual({ result: 'done', by: userInfo().username });
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
    'find --fax 4711',
    'find --telegram 1 --phone 0867123456',
    'list --telegram 1',
    'list --jsno',
  ])('refuses "%s"', (words) => {
    expect(readCommand(words.split(' ').filter(Boolean))).toBeUndefined();
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
  locks: ['code:tivinpmx8b98pfg'],
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
  const lines = linesOfShown({
    ...summarize(operation, [MINUTE_MS], 0),
    ...details(LOOKUP, false),
    story: [],
  });
  expect(lines).toContain('  64db290a7796fe24bfe876b4');
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
