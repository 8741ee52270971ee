import type { ConversationState } from '../conversation/state.ts';
import type { Fields, Log } from '../observe.ts';

/** What a turn waits for, in this order. */
type Phase = 'identify' | 'perform' | 'commit' | 'deliver';

/** Tenths of a millisecond: the quick phases take about one. */
const rounded = (ms: number): number => Math.round(ms * 10) / 10;

/** What the log says of one turn, in a line: what it was about, how it ended and where its time went. */
export class TurnNotes {
  readonly #startMs = performance.now();
  readonly #phases: Partial<Record<Phase, number>> = {};
  readonly #about: Fields;
  #result = 'given-back';

  /** `about`: what else the line says. */
  constructor(about: Fields) {
    this.#about = about;
  }

  ended(result: 'done' | 'stale' | 'failed' | 'dead'): void {
    this.#result = result;
  }

  /** Does `work`, and counts the time as the phase's. */
  async time<Result>(phase: Phase, work: () => Promise<Result>): Promise<Result> {
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      this.#phases[phase] = (this.#phases[phase] ?? 0) + performance.now() - startMs;
    }
  }

  tell(log: Pick<Log, 'debug'>): void {
    const { identify, perform, commit, deliver } = this.#phases;
    log.debug(
      {
        ...this.#about,
        result: this.#result,
        ...(identify !== undefined && { identifyMs: rounded(identify) }),
        ...(perform !== undefined && { performMs: rounded(perform) }),
        ...(commit !== undefined && { commitMs: rounded(commit) }),
        ...(deliver !== undefined && { deliverMs: rounded(deliver) }),
        ms: rounded(performance.now() - this.#startMs),
      },
      'a turn ended',
    );
  }
}

const UNDECIDED: readonly string[] = ['checking', 'watching', 'escalated'];

/** Tells of each operation whose outcome was unknown before the turn how it stands now, where that changed. */
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
      'an unknown outcome was resolved',
    );
  }
}
