import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { startProcess } from '../support/processes.ts';

test.each(['chat', 'operations', 'telegram', 'teams:package'] as const)(
  'npm run %s -- --help says how it is used, whatever the configuration',
  async (name) => {
    const program = manifest.scripts[name].split(' ').at(-1) ?? '';
    const run = await startProcess(program, { PORT: 'wrong' }, ['--help']);
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(run.lines.join('\n')).toContain(`npm run ${name} -- `);
  },
);
