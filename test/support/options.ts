import { type ParseArgsConfig, parseArgs } from 'node:util';

/** The options of a program. A wrong one ends it with a line that says why, and exit code 2. */
export function readOptions<const Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return process.exit(2);
  }
}
