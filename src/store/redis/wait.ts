import type { Cluster, Redis } from 'ioredis';
import { StoreUnavailable } from '../unavailable.ts';
import { confirmed, reason } from './confirmed.ts';
import type { ScriptArgument } from './overrides/script-call.ts';
import { SCRIPTS } from './scripts.ts';

/** How long replicas may take to acknowledge. */
const WAIT_MS = 1000;

/**
 * Runs a script that always writes, and waits until this many replicas have it. On a connection of the caller's own,
 * because `WAIT` stalls the connection it waits on, and as source, because a script that Redis does not know would be
 * sent again behind the `WAIT`. `WAIT` counts the replicas that have all that this connection wrote.
 */
export async function runAndWait(
  connection: Redis | Cluster,
  replicas: number,
  script: keyof typeof SCRIPTS,
  keys: readonly string[],
  args: readonly ScriptArgument[],
): Promise<{ readonly answer: unknown; readonly acknowledged: number }> {
  const pipeline = connection.pipeline();
  pipeline.callBuffer('EVAL', SCRIPTS[script].lua, keys.length, ...keys, ...args);
  pipeline.wait(replicas, WAIT_MS);
  const results = await confirmed(pipeline.exec(), 2 * WAIT_MS);
  const [[failed, answer] = [], [, acknowledged] = []] = results ?? [];
  if (failed || answer === undefined) throw new StoreUnavailable(`redis: ${reason(failed)}`);
  return { answer, acknowledged: Number(acknowledged ?? 0) };
}
