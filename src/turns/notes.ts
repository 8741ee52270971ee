import type { ConversationState } from '../conversation/state.ts';
import type { Fields, Log } from '../observe.ts';

/** What a turn goes through, in this order. */
type Phase = 'identify' | 'steps' | 'commit' | 'deliver';

/** To a tenth of a millisecond: the quick phases take about one tenth. */
const rounded = (ms: number): number => Math.round(ms * 10) / 10;

/** What the log says of one turn, in a line: what it was about, how it ended and where its time went. */
export class TurnNotes {
  readonly #startMs = performance.now();
  readonly #about: Fields;
  readonly #phases: Record<Phase, number> = { identify: 0, steps: 0, commit: 0, deliver: 0 };
  #sinceMs = this.#startMs;
  #result = 'given-back';

  /** `about`: what else the line says. */
  constructor(about: Fields) {
    this.#about = about;
  }

  ended(result: 'done' | 'stale' | 'failed' | 'dead'): void {
    this.#result = result;
  }

  /** The time since the phase before was this one's. */
  passed(phase: Phase): void {
    const nowMs = performance.now();
    this.#phases[phase] += nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
  }

  tell(log: Pick<Log, 'debug'>): void {
    const { identify, steps, commit, deliver } = this.#phases;
    const fields = {
      result: this.#result,
      identifyMs: rounded(identify),
      stepsMs: rounded(steps),
      commitMs: rounded(commit),
      deliverMs: rounded(deliver),
      ms: rounded(performance.now() - this.#startMs),
    };
    log.debug(Object.assign(fields, this.#about), 'a turn ended');
  }
}

const UNDECIDED: readonly string[] = ['checking', 'watching', 'escalated'];

/** Logs how each operation stands now whose outcome was unknown before the turn, where that changed. */
export function tellResolved(
  before: Pick<ConversationState, 'operations'>,
  after: Pick<ConversationState, 'operations'>,
  conversation: string,
  log: Pick<Log, 'info'>,
): void {
  for (const { id, status } of before.operations) {
    if (!UNDECIDED.includes(status)) continue;
    const now = after.operations.find((operation) => operation.id === id);
    if (now === undefined || now.status === status) continue;
    log.info(
      { conversation, operation: id, was: status, outcome: now.status },
      now.status === 'escalated' ? 'an unknown outcome is with staff' : 'an unknown outcome was resolved',
    );
  }
}
