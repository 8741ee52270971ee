import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** A program that runs next to the tests: its pid is the program's own, and its standard input is empty. */
export type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * However this process ends, by SIGKILL too, its end closes the pipe that is standard input here. A shell
 * waits for that and then kills the program, which may be stopped (SIGSTOP) or hang.
 */
const END_WITH_PARENT =
  'exec 3<&0 </dev/null; (read -r _ <&3; kill -9 $$) >/dev/null 2>&1 & exec 3<&-; exec "$@"';

/**
 * What one Node has read of the sources, the next one need not read anew: it starts in two thirds of the
 * time.
 */
const NODE_COMPILE_CACHE = new URL('../../node_modules/.cache/compiled', import.meta.url).pathname;

const running = new Set<ChildProcess>();

/** Runs a program that ends with this process at the latest, and with its test file (`leftovers.ts`). */
export function startChild(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Child {
  const child = spawn('sh', ['-c', END_WITH_PARENT, 'sh', command, ...args], {
    ...options,
    env: { ...(options.env ?? process.env), NODE_COMPILE_CACHE },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Ends it at once, and resolves when it has ended. */
export async function killChild(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Ends whatever still runs: what a test did not come to stop. */
export const killChildren = async (): Promise<void> => void (await Promise.all([...running].map(killChild)));
