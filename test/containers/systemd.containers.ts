import { expect, test } from 'vitest';
import { execute } from './docker.ts';

/* The unit for systemd, by systemd's own tools. A booted systemd would need another machine. */

const UNIT = 'ops/antcrm-chatbot.service';

test('the unit has no fault that systemd knows', async () => {
  // The folder of the unit is there on the machine that runs it only.
  const { output } = await execute('systemd-analyze', ['verify', '--man=no', UNIT]);
  expect(
    output
      .split('\n')
      .filter((line) => /antcrm-chatbot/.test(line) && !/not executable|No such file/.test(line)),
  ).toEqual([]);
});

test('the unit is exposed by at most 3.0 of 10', async () => {
  const { code, output } = await execute('systemd-analyze', [
    'security',
    '--offline=true',
    '--threshold=30',
    UNIT,
  ]);
  expect(code, output).toBe(0);
});
