import { describe, expect, test } from 'vitest';
import { readCommand } from '../../src/cli/operations.ts';
import type { Lookup } from '../../src/conversation/effect.ts';
import { describe as describeLookup } from '../../src/operators/operation.ts';
import { startProcess } from '../support/processes.ts';
import { serve } from '../support/server.ts';

describe('the command', () => {
  test.each([
    ['list', '/operations', undefined],
    ['show abc --reveal --as lan', '/operations/abc?reveal=true&by=lan', undefined],
    ['settle abc not-applied --as lan', '/operations/abc/settle', { result: 'not-applied', by: 'lan' }],
    ['remove 7-ab --as lan', '/operations/letters/7-ab/remove', { by: 'lan' }],
    ['find --phone +84867123456', '/operations/find', { phone: '+84867123456' }],
  ])('asks the bot to %s', (words, path, body) => {
    const asked = readCommand(words.split(' '));
    expect([asked.path, asked.body, asked.json]).toEqual([path, body, false]);
  });

  test.each(['', 'show', 'settle a', 'list --reveal', 'find', 'list --jsno'])('refuses "%s"', (words) => {
    expect(() => readCommand(words.split(' ').filter(Boolean))).toThrow();
  });
});

test('an answer is shown as names and tables; a product code is masked as a person is, a gift code is not', async () => {
  const identifier = '0867 *** 456';
  const operations = [{ reference: 'REF', kind: null }];
  await using bot = await serve((_, response) => {
    response.end(JSON.stringify({ code: 'LOA01', identifier, operations, knownRecords: ['64db'] }));
  });
  const env = { BOT_URL: bot.url, OPERATOR_TOKEN: 'any' };
  const { output, ended } = await startProcess('src/cli/operations.ts', env, ['list']);
  expect((await ended).code).toBe(0);
  const shown = output.join('\n');
  expect(shown).toMatch(
    /^code +LOA01\nidentifier +0867 \*{3} 456\noperations \(1\)\n[\s\S]*REF[\s\S]*knownRecords \(1\)\n {2}64db/,
  );

  const lookup: Lookup = {
    kind: 'accumulate',
    by: { kind: 'email', value: 'minh@example.vn' },
    code: 'TIVInpmx8b98pfg',
    ...{ fromMs: 0, deadlineMs: 8000, baseline: ['64db'], locks: ['code:tivinpmx8b98pfg'] },
  };
  const masked = { code: 'TIVI***pfg', identifier: { value: 'mi***@example.vn' }, knownRecords: ['64db'] };
  expect(describeLookup(lookup, false)).toMatchObject(masked);
  const full = { code: 'TIVInpmx8b98pfg', identifier: { value: 'minh@example.vn' } };
  expect(describeLookup(lookup, true)).toMatchObject(full);
});
