import { MUTANTS } from './list.ts';

/** The source with the mutant that the environment names (`MUTANT`); undefined where it is of another place, or none is named. */
export function planted(path: string, source: string): string | undefined {
  const mutant = MUTANTS.find(({ name }) => name === process.env.MUTANT);
  if (mutant === undefined || !path.includes(`/src/${mutant.room}/`)) return undefined;
  return source.includes(mutant.from) ? source.replaceAll(mutant.from, () => mutant.to) : undefined;
}
