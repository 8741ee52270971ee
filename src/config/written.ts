import type { VariableName } from './variables.ts';

/** Variables as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Those of ours that are set, as they are written. Blank ones count as unset. */
export type Written = Readonly<Partial<Record<VariableName, string>>>;

export function writtenIn(env: Environment, names: readonly string[]): Written {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name]?.trim();
      return value ? [[name, value]] : [];
    }),
  );
}

/** A fault for each variable that is needed and unset. */
export function missing(
  needed: readonly (readonly [name: VariableName, isNeeded: boolean, wants: string])[],
  written: Written,
): string[] {
  return needed.flatMap(([name, isNeeded, wants]) =>
    isNeeded && written[name] === undefined ? [`${name}: got nothing, wants ${wants}`] : [],
  );
}

/** The lines that apply. */
export const applying = (lines: readonly (readonly [applies: boolean, line: string])[]): string[] =>
  lines.flatMap(([applies, line]) => (applies ? [line] : []));

/** A host's name or address that is this machine's own. */
export const isLoopback = (host: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(host);
