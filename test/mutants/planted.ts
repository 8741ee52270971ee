import { MUTANTS } from './list.ts';

/** The source with the mutant that the environment names (`MUTANT`); undefined where it is of another file, or none is named. */
export function planted(path: string, source: string): string | undefined {
  const mutant = MUTANTS.find(({ name }) => name === process.env.MUTANT);
  if (mutant === undefined || !path.endsWith(`/src/${mutant.file}`)) return undefined;
  if (!source.includes(mutant.from)) throw new Error(`the mutant does not fit ${mutant.file} any more`);
  return source.replace(mutant.from, () => mutant.to);
}
