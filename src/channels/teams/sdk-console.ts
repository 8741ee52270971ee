import { AsyncLocalStorage } from 'node:async_hooks';
import type { Log } from '../../observability/log.ts';
import { TEAMS } from './traits.ts';

/** The logger of the SDK's call that is under way, if one is. */
const calling = new AsyncLocalStorage<Pick<Log, 'debug'>>();
let isRedirected = false;

/**
 * Runs calls of the SDK with their `console.error` sent to our log, at debug. The SDK writes a stack or a key there for
 * every bad token: any stranger could fill the disk. Other code's console stays as it is.
 */
export function withSdkConsole(log: Pick<Log, 'debug'>): <T>(call: () => T) => T {
  if (!isRedirected) {
    isRedirected = true;
    const { error } = console;
    console.error = (...said: unknown[]) => {
      const logger = calling.getStore();
      // What was said is not written: it may quote the token.
      if (logger)
        logger.debug({ channel: TEAMS.name, error: nameOf(said[0]) }, 'the Bot Framework SDK complained');
      else error(...said);
    };
  }
  return (call) => calling.run(log, call);
}

function nameOf(said: unknown): string {
  return said instanceof Error ? said.name : typeof said;
}
