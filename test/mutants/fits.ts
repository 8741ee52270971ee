import { globSync, readFileSync } from 'node:fs';
import type { Mutant } from './list.ts';

const src = new URL('../../src/', import.meta.url);

/** Whether what a mutant changes is there. */
export function fits({ room, from }: Mutant): boolean {
  const files = globSync(`${room}/**/*.ts`, { cwd: src });
  return files.some((file) => readFileSync(new URL(file, src), 'utf8').includes(from));
}
