import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { z } from 'zod';

const run = promisify(execFile);

/** What a command printed, and its exit code: a failure is a value. */
export type Ended = { readonly code: number; readonly output: string };
type Environment = Readonly<Record<string, string>>;
type StartOptions = { readonly args?: readonly string[]; readonly command?: readonly string[] };

/** The image that compose.yaml names, built by run.sh. */
export const [, IMAGE = ''] = /image: *(antcrm-chatbot:\S+)/.exec(readFileSync('compose.yaml', 'utf8')) ?? [];

/**
 * As compose.yaml locks its services in. The network is the namespace's, so that the doubles of the tests are
 * reached.
 */
const LOCKED = ['--network', 'host', '--read-only', '--cap-drop=ALL', '--security-opt=no-new-privileges'];

const failureSchema = z.object({
  code: z.number().catch(-1),
  stdout: z.string().catch(''),
  stderr: z.string().catch(''),
});

export async function execute(file: string, args: readonly string[], options: object = {}): Promise<Ended> {
  try {
    const { stdout, stderr } = await run(file, args, { maxBuffer: 100 * 1024 * 1024, ...options });
    return { code: 0, output: `${stdout}${stderr}` };
  } catch (error) {
    const { code, stdout, stderr } = failureSchema.parse(error);
    return { code, output: `${stdout}${stderr}${error}` };
  }
}

/** Runs `docker`, and rejects with what it printed. */
export async function docker(...args: readonly string[]): Promise<string> {
  const { code, output } = await execute('docker', args);
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${output}`);
  return output.trim();
}

const flagsOf = (env: Environment) =>
  Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);

/** A command in a new container, which is removed afterwards. */
export const runOnce = (command: readonly string[], env: Environment = {}): Promise<Ended> =>
  execute('docker', ['run', '--rm', ...LOCKED, ...flagsOf(env), IMAGE, ...command]);

/** Starts a container in the background. `await using` removes it. */
export async function startContainer(name: string, env: Environment, options: StartOptions = {}) {
  const { args = [], command = [] } = options;
  await docker(
    'run',
    '-d',
    '--name',
    name,
    '--memory',
    '1g',
    ...LOCKED,
    ...args,
    ...flagsOf(env),
    IMAGE,
    ...command,
  );
  return {
    name,
    inspect: (format: string) => docker('inspect', '-f', format, name),
    logs: () => docker('logs', name),
    [Symbol.asyncDispose]: async () => void (await execute('docker', ['rm', '-f', name])),
  };
}

/** Whether an address answers 2xx. */
export const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
