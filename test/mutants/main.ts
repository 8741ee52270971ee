import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { fits } from './fits.ts';
import { MUTANTS, type Mutant } from './list.ts';

/*
 * `npm run mutants [-- TEXT]`: plants each mutant whose kind, name, room or tests hold the text, and prints what noticed it
 * first (`--all`: all that did). Non-zero where one survived, or does not fit the sources any more.
 */

const PARALLEL = 2;
const MOST_MESSAGES = '30000';

const root = new URL('../../', import.meta.url).pathname;

async function run(mutant: Mutant, args: readonly string[]): Promise<string> {
  const env = { ...process.env, MUTANT: mutant.name };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = once(child, 'close');
  let printed = '';
  for await (const chunk of child.stdout) printed += String(chunk);
  await closed;
  return printed;
}

const totalSchema = z.object({ histories: z.number(), broken: z.number() });

/** How many histories it took until the mutant showed. */
async function simulate(mutant: Mutant): Promise<string | null> {
  const simulator = ['--import', `${root}test/mutants/plant.ts`, `${root}test/simulator/main.ts`];
  const printed = await run(mutant, [...simulator, '--messages', MOST_MESSAGES, '--first']);
  const total = totalSchema.parse(JSON.parse(printed.trim().split('\n').at(-1) ?? ''));
  return total.broken === 0 ? null : `the simulator, ${total.histories} histories`;
}

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string(), fullName: z.string() })),
    }),
  ),
});

/** The tests that failed. A file that cannot be loaded is no test. */
async function test(mutant: Mutant, files: readonly string[]): Promise<string | null> {
  const report = join(reports, `${MUTANTS.indexOf(mutant)}.json`);
  const bail = process.argv.includes('--all') ? [] : ['--bail=1'];
  const how = ['run', '--reporter=json', `--outputFile=${report}`, ...bail];
  await run(mutant, [`${root}node_modules/vitest/vitest.mjs`, ...how, ...files]);
  const { testResults } = reportSchema.parse(JSON.parse(readFileSync(report, 'utf8')));
  const failed = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => `${name.slice(root.length)}: ${fullName}`),
  );
  return failed.length === 0 ? null : failed.join('\n    ');
}

async function tell(mutant: Mutant): Promise<void> {
  const { kind, name, by } = mutant;
  const noticed = !fits(mutant) ? null : by === 'simulator' ? await simulate(mutant) : await test(mutant, by);
  const says = noticed ?? (fits(mutant) ? 'SURVIVES' : 'DOES NOT FIT');
  console.log(`| ${kind} | ${name} | ${says} |`);
  if (noticed === null) process.exitCode = 1;
}

const [wanted = ''] = process.argv.slice(2).filter((one) => !one.startsWith('--'));
const left = MUTANTS.filter((one) => JSON.stringify(one).includes(wanted));
const work = async (): Promise<void> => {
  for (let next = left.shift(); next !== undefined; next = left.shift()) await tell(next);
};
const reports = mkdtempSync(join(tmpdir(), 'mutants-'));
await Promise.all(Array.from({ length: PARALLEL }, work));
rmSync(reports, { recursive: true });
