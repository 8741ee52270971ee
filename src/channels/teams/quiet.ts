import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from '../../observability/log.ts';
import { TEAMS } from './address.ts';

/* The SDK writes a stack to the console for every bad token, so anybody could fill the disk. */

/** The logger of the current call of the SDK. */
const logs = new AsyncLocalStorage<Pick<Log, 'debug'>>();

const { error: write } = console;
console.error = (...lines: unknown[]) => {
  const log = logs.getStore();
  if (!log) return write(...lines);
  // Without the text, which may quote the token.
  const [what] = lines;
  const kind = { channel: TEAMS.name, error: what instanceof Error ? what.name : typeof what };
  log.debug(kind, 'the Bot Framework SDK complained');
};

/** Runs a call of the SDK, whose `console.error` goes to our log, at debug. */
export function runQuietly<Result>(log: Pick<Log, 'debug'>, call: () => Result): Result {
  return logs.run(log, call);
}
