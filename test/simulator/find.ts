import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DEFECTS, type Defect } from './defects.ts';

/*
 * `node test/simulator/find.ts [NAME]`: plants each defect and looks for it. Prints how many seeds it took; non-zero where
 * one was not found.
 */

const MOST_MESSAGES = '30000';

/** How many histories it took until the defect showed; null: it did not. */
async function seedsUntilFound({ name }: Defect): Promise<number | null> {
  const root = new URL('.', import.meta.url).pathname;
  const child = spawn(
    process.execPath,
    ['--import', `${root}plant.ts`, `${root}main.ts`, '--messages', MOST_MESSAGES, '--first'],
    { env: { ...process.env, DEFECT: name }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const closed = once(child, 'close');
  let printed = '';
  for await (const chunk of child.stdout) printed += String(chunk);
  await closed;
  const [, histories] = /"histories":(\d+)/.exec(printed) ?? [];
  if (histories === undefined) throw new Error(`the simulator ended without a word about "${name}"`);
  return child.exitCode === 0 ? null : Number(histories);
}

if (import.meta.main) {
  const [wanted] = process.argv.slice(2);
  for (const defect of DEFECTS.filter(({ name }) => wanted === undefined || name.includes(wanted))) {
    const seeds = await seedsUntilFound(defect);
    console.log(`| ${defect.name} | ${seeds ?? 'not found'} |`);
    if (seeds === null) process.exitCode = 1;
  }
}
