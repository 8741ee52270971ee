import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from '../../observability/log.ts';
import { TEAMS } from './address.ts';

/* Beyond the SDK, because anybody could otherwise fill the disk: it writes a stack or a key to the console for every bad token. */

/** The logger of the SDK's call that is under way, if one is. */
const logs = new AsyncLocalStorage<Pick<Log, 'debug'>>();
let isRedirected = false;

/**
 * Runs a call of the SDK with its `console.error` sent to our log, at debug. Other code's console stays as it is.
 *
 * @example
 * const token = await runQuietly(log, () => credentials.getToken());
 */
export function runQuietly<Result>(log: Pick<Log, 'debug'>, call: () => Result): Result {
  if (!isRedirected) redirectErrors();
  return logs.run(log, call);
}

function redirectErrors(): void {
  isRedirected = true;
  const { error: write } = console;
  console.error = (...lines: unknown[]) => {
    const log = logs.getStore();
    if (!log) return write(...lines);
    // Without its text, which may quote the token.
    const [what] = lines;
    const kind = { channel: TEAMS.name, error: what instanceof Error ? what.name : typeof what };
    log.debug(kind, 'the Bot Framework SDK complained');
  };
}
