import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves early, and never rejects, when `signal` is aborted. Keeps no process alive. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => {});
}
