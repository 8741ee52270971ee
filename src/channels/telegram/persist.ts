import { backoffMs, pause } from '../watch.ts';
import type { Answer, Failure } from './client.ts';

export type Patience = {
  /** Ends the waiting: the last answer is returned as it is. */
  readonly signal: AbortSignal;
  /** The first pause, ms; each further one is twice as long, up to a minute. */
  readonly pauseMs: number;
};

/** A refused token passes too: the operator has been alarmed and may put it right at BotFather. */
const PASSING: ReadonlySet<string> = new Set<Failure['kind']>([
  'throttled',
  'undelivered',
  'uncertain',
  'unauthorized',
]);

/**
 * Repeats a call until Telegram has carried it out or refused it for good. For calls that may be carried out twice.
 */
export async function persist(
  attempt: (signal: AbortSignal) => Promise<Answer>,
  { signal, pauseMs }: Patience,
): Promise<Answer> {
  for (let failures = 0; ; failures++) {
    const answer = await attempt(signal);
    if (answer.ok || !PASSING.has(answer.kind) || signal.aborted) return answer;
    await pause(Math.max(waitOf(answer), backoffMs(failures, pauseMs)), signal);
  }
}

/** How long Telegram wants us to wait, ms; 0 where it does not say. */
export function waitOf(answer: Answer): number {
  return answer.ok || !('afterMs' in answer) ? 0 : (answer.afterMs ?? 0);
}
