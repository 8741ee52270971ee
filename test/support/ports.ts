import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that systems hand out by themselves: no `listen(0)` and no connection of anybody's takes
 * one.
 */
const FIRST = 10_000;
const LAST = 32_000;
/** Processes that run at once begin at different places. */
let next = FIRST + ((process.pid * 100) % (LAST - FIRST));

/** A free port of 127.0.0.1, for a program that gets its port as a setting, or for none. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++;
    if (next === LAST) next = FIRST;
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await once(probe, 'listening')
      .then(Boolean)
      .catch(() => false);
    if (!isFree) continue;
    await probe[Symbol.asyncDispose]();
    return port;
  }
}
