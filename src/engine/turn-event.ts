import type { EndedTurn } from '../observability/metrics.ts';
import type { Runtime } from '../runtime.ts';
import type { Turn } from './turn.ts';

type Phase = 'identifyMs' | 'stepsMs' | 'commitMs' | 'deliverMs';

/** What is known of one turn, filled as it goes. Durations in ms. */
export class TurnEvent implements EndedTurn {
  readonly conversation: string;
  readonly channel: string;
  /** What the turn answers: the kind of a message, or `wake`. */
  readonly input: string;
  readonly attempt: number;
  /**
   * From accepting the message to the beginning of the turn; undefined for a wake-up. By the clocks of two machines, so it is
   * only for people.
   */
  readonly waitMs: number | undefined;
  result: EndedTurn['result'] = 'given-back';
  identifyMs = 0;
  stepsMs = 0;
  commitMs = 0;
  deliverMs = 0;
  #sinceMs: number;

  constructor({ lease, asker, before }: Turn, runtime: Pick<Runtime, 'nowMs' | 'monotonicMs'>) {
    const incoming = asker?.incoming;
    this.conversation = lease.conversation;
    this.channel = (asker ?? before).origin?.channel ?? 'unknown';
    this.input = lease.head === null ? 'wake' : (incoming?.message.kind ?? 'unreadable');
    this.attempt = lease.attempt;
    this.waitMs =
      incoming?.acceptedMs === undefined ? undefined : Math.max(0, runtime.nowMs() - incoming.acceptedMs);
    this.#sinceMs = runtime.monotonicMs();
  }

  /** The time since the phase before belongs to this phase. */
  passed(phase: Phase, nowMs: number): void {
    this[phase] += nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
  }
}
