import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startProcess } from '../support/processes.ts';

type Running = { readonly pid: number; readonly parent: number; readonly program: string };

/** Every process of this machine that has not ended. */
async function processes(): Promise<Running[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,stat=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent, stat = 'Z', ...words] = line.trim().split(/\s+/);
    return stat.startsWith('Z')
      ? []
      : [{ pid: Number(pid), parent: Number(parent), program: words.join(' ') }];
  });
}

async function descendants(...ancestors: number[]): Promise<Running[]> {
  const all = await processes();
  const below = (pids: readonly number[]): Running[] => {
    const children = all.filter(({ parent }) => pids.includes(parent));
    return children.length === 0 ? [] : [...children, ...below(children.map(({ pid }) => pid))];
  };
  return below(ancestors);
}

const alive = async (pids: readonly number[]): Promise<Running[]> =>
  (await processes()).filter(({ pid }) => pids.includes(pid));

test('whatever a test process started ends with it, be it killed, and be the helper stopped', async () => {
  const parent = await startProcess('test/support/children-main.ts');
  await parent.line(/^all run$/);
  const started = await descendants(parent.pid);
  const programs = started.map(({ program }) => program).join(' ');
  for (const program of ['redis-server', 'src/main.ts', 'chrom', 'prometheus'])
    expect(programs).toContain(program);
  await parent.kill();
  await expect.poll(() => alive(started.map(({ pid }) => pid))).toEqual([]);
});

test('a hook that fails leaves nothing running, and the test run ends', async () => {
  const run = await startProcess('node_modules/vitest/vitest.mjs', {}, [
    ...['run', '--root', process.cwd(), '--config', 'test/support/children.config.ts'],
  ]);
  const [, pid] = await run.line(/the hook fails beside (\d+)/);
  expect((await run.ended).code).toBe(1);
  await expect.poll(() => alive([Number(pid)])).toEqual([]);
});
