import { expect, it } from 'vitest';
import { startProcess } from '../support/processes.ts';

const PROGRAMS = [
  ...['src/main.ts', 'src/cli/keys.ts', 'src/cli/chat.ts', 'src/cli/operations.ts', 'src/cli/answers.ts'],
  ...['src/channels/telegram/cli.ts', 'src/channels/teams/cli.ts', 'test/simulator/main.ts'],
];

it('every program ends with code 2 after an option that it does not know, and without a stack', async () => {
  const programs = await Promise.all(PROGRAMS.map((path) => startProcess(path, {}, ['--bogus'])));
  for (const [index, { ended, lines }] of programs.entries()) {
    expect([PROGRAMS[index], (await ended).code]).toEqual([PROGRAMS[index], 2]);
    expect(lines.join('\n')).toMatch(/^(?!.*\n +at )./s);
  }
});
