import { existsSync } from 'node:fs';
import { readAnswers } from './config/answers.ts';
import { arrange, type Config } from './config/arrange.ts';
import { conflicts } from './config/conflicts.ts';
import { readGifts } from './config/gifts.ts';
import type { ListRead } from './config/list-file.ts';
import { misspelt } from './config/misspelt.ts';
import { documentation, type VariableName, variables } from './config/variables.ts';
import { warnings } from './config/warnings.ts';
import { type Environment, writtenIn } from './config/written.ts';

export type { Config, Environment };

/** What a process that cannot start for its configuration exits with (sysexits.h: EX_CONFIG). */
export const EXIT_CONFIG = 78;

export type ConfigRead =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[]; readonly warnings: readonly string[] };

/** The process's environment, `.env` of the working directory filling in what is unset. */
export function environment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

/**
 * Reads the configuration, all of it or of `only` these variables: a tool wants no more than it uses. Never throws: every
 * fault there is comes back at once, one line each, naming the variable, what it got (secrets masked) and what it wants.
 * Warnings are one line each, too; beside faults they are about misspelt names only, which may be what is behind a
 * variable that got nothing.
 */
export function readConfig(env: Environment, only?: readonly VariableName[]): ConfigRead {
  const names: readonly string[] = only ?? documentation.map(({ name }) => name);
  const written = writtenIn(env, names);
  const read = variables.safeParse(written);
  // A value that is wrong in several ways is one fault.
  const misread = new Set(read.error?.issues.map(({ path }) => String(path[0])));
  const wrong = [...misread].map((name) => wrongValue(name, written));
  const gifts = written.GIFTS_FILE === undefined ? undefined : readGifts(written.GIFTS_FILE);
  const answers = written.ANSWERS_FILE === undefined ? undefined : readAnswers(written.ANSWERS_FILE);
  const unreadable = [...faultsIn('GIFTS_FILE', gifts), ...faultsIn('ANSWERS_FILE', answers)];
  const faults = [...wrong, ...unreadable, ...conflicts(written).filter(isAbout(names))];
  const unknown = misspelt(env);
  if (!read.success || faults.length > 0) return { ok: false, faults, warnings: unknown };
  const config = arrange(read.data, {
    gifts: gifts?.ok ? gifts.items : undefined,
    answers: answers?.ok ? answers.items : [],
  });
  return { ok: true, config, warnings: [...unknown, ...warnings(written, config)] };
}

function faultsIn(name: VariableName, file: ListRead<unknown> | undefined): string[] {
  return file?.ok === false ? file.faults.map((fault) => `${name}: ${fault}`) : [];
}

/** Whether a fault is about one of these variables: it begins with its name. */
const isAbout =
  (names: readonly string[]) =>
  (fault: string): boolean =>
    names.some((name) => fault.startsWith(`${name}:`));

function wrongValue(name: string, written: Readonly<Record<string, string | undefined>>): string {
  const about = documentation.find((one) => one.name === name);
  const value = written[name] ?? '';
  const shown = about?.secret ? `a secret of ${value.length} characters` : JSON.stringify(masked(value));
  return `${name}: got ${shown}, wants ${about?.wants}`;
}

/** A URL's user and password are secrets wherever they turn up. */
function masked(value: string): string {
  const shown = value.replace(/\/\/[^/@]*@/, '//***@');
  return shown.length > 100 ? `${shown.slice(0, 99)}…` : shown;
}
