import type { Writable } from 'node:stream';
import type { AppOptions } from './app.ts';

/** pino's own fields that say nothing on a developer's screen: there is one process, and it is this one. */
const IGNORE = 'pid,hostname';

/**
 * Where the log goes. On a terminal: lines for people, by pino-pretty, which is a development dependency. Undefined
 * (anywhere else, and without that package): pino writes JSON to standard output itself, an object a line.
 */
export async function logOutput(out: Writable & { readonly isTTY?: boolean }): Promise<AppOptions['log']> {
  if (!out.isTTY) return undefined;
  const pretty = await import('pino-pretty').catch(ifMissing);
  // At once, so that the log and what is printed beside it keep their order.
  return pretty?.default({ destination: out, sync: true, ignore: IGNORE, translateTime: 'SYS:HH:MM:ss' });
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
  throw error;
}
