import type { Operators } from '../../src/engine/operators.ts';
import type { Tickets } from '../../src/operators/tickets.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import type { World } from './faults.ts';

/** What a process offers to staff. */
export type Desk = { readonly tickets: Pick<Tickets, 'file'>; readonly operators: Deciding };
type Deciding = Pick<Operators, 'operations' | 'letters' | 'settle' | 'file' | 'replay' | 'remove'>;

/** An answer of staff, the id of its message, and when the bot took it. `by`: who wrote, to which ticket. */
export type StaffAnswer = {
  readonly text: string;
  readonly by: string;
  readonly id: string;
  readonly sentMs: number;
  readonly takenMs: number;
};

/** When staff try again without a confirmation, and how long they wait for it. */
const AGAIN_MS = 4_000;
const PATIENCE_MS = 20_000;
/** How often an operator looks, and how old an operation must be: a younger call may be under way. */
const LOOK_MS = 45_000;
const OLD_MS = 90_000;

type StaffWorld = World & {
  desk(): Desk | undefined;
  /** Whether AntCRM has carried an operation out: operators look there. */
  isApplied(operation: string): boolean;
  /** Two operators decide on it, one of them against what AntCRM has. */
  onContested(operation: string): void;
  onDecided(operation: string, result: 'done' | 'not-applied'): void;
  /** Operators stop then, so that no replayed letter kills any more. */
  readonly homeMs: number;
  /** Something else than the store was thrown. */
  onFault(error: unknown): void;
};

/** Staff who answer tickets and close some, and an operator who settles operations and replays letters. */
export class Staff {
  readonly #world: StaffWorld;
  readonly #served = new Set<string>();

  constructor(world: StaffWorld) {
    this.#world = world;
  }

  /** Tries at one process after the other, until one confirms. */
  #insist<Result>(work: (desk: Desk) => Promise<Result>, then: (result: Result) => void): void {
    const { clock, desk, onFault } = this.#world;
    let isOver = false;
    const once = (next: () => void) => () => {
      if (!isOver) next();
      isOver = true;
    };
    const again = once(() => this.#insist(work, then));
    const at = desk();
    if (at === undefined) return void clock.plan(AGAIN_MS, again);
    clock.plan(PATIENCE_MS, again);
    work(at).then(
      (result) => once(() => then(result))(),
      (error: unknown) => {
        if (!(error instanceof StoreUnavailable)) onFault(error);
        clock.plan(AGAIN_MS, again);
      },
    );
  }

  /** One person answers a ticket, or two who know nothing of each other. */
  serve(ticket: string, onTaken: (written: StaffAnswer) => void): void {
    const { chance, count } = this.#world;
    if (this.#served.has(ticket)) return;
    this.#served.add(ticket);
    count('tickets');
    this.#answer('staff 1', ticket, onTaken);
    if (!chance.happens(0.4)) return;
    count('tickets with two of staff');
    this.#answer('staff 2', ticket, onTaken);
  }

  /** One answer after the other, then perhaps the end. */
  #answer(by: string, ticket: string, onTaken: (written: StaffAnswer) => void): void {
    const { chance, clock, count, trace } = this.#world;
    const answers = Array.from(
      { length: chance.between(0, 3) },
      (_, at) => `answer ${ticket} ${at} of ${by}`,
    );
    const closes = chance.happens(0.4);
    const next = (): void => {
      const text = answers.shift();
      if (text !== undefined || closes) clock.plan(chance.between(500, 20_000), () => write(text));
    };
    const write = (text: string | undefined): void => {
      const sentMs = clock.atMs;
      const note = { by, id: text ?? 'end', ...(text !== undefined && { text }) };
      this.#insist(
        ({ tickets }) => tickets.file(ticket, note),
        (filed) => {
          trace(`${filed} ${ticket} ${text}`);
          if (text === undefined || filed !== 'filed') return;
          count('answers of staff');
          const id = `person:${ticket}:${text}`;
          onTaken({ text, by: `${by} of ${ticket}`, id, sentMs, takenMs: clock.atMs });
          next();
        },
      );
    };
    if (chance.happens(0.3)) this.#insist(({ tickets }) => tickets.file(ticket, { by, claim: true }), next);
    else next();
  }

  async #settleOld(operators: Deciding): Promise<void> {
    const { chance, clock, count, desk, isApplied, onContested } = this.#world;
    const open = await operators.operations();
    for (const { reference, atMs, intent } of open) {
      if (intent === null || clock.nowMs() - atMs < OLD_MS || !chance.happens(0.2)) continue;
      const right = isApplied(reference) ? 'done' : 'not-applied';
      const wrong = right === 'done' ? 'not-applied' : 'done';
      const other = chance.happens(0.2) ? desk()?.operators : undefined;
      if (other !== undefined) {
        count('contrary decisions');
        onContested(reference);
      }
      await Promise.all([
        this.#decide(operators, reference, right),
        ...(other ? [this.#decide(other, reference, wrong)] : []),
      ]);
    }
  }

  async #decide(operators: Deciding, reference: string, result: 'done' | 'not-applied') {
    const { count, onDecided, trace } = this.#world;
    const filed = await operators.settle(reference, result, ({ intent }) => locksIn(intent?.body));
    trace(`${filed} settle ${reference} ${result}`);
    if (filed !== 'filed') return;
    count('settlements');
    onDecided(reference, result);
  }

  async #replayAll(operators: Deciding): Promise<void> {
    const { chance, count, trace } = this.#world;
    for (const { id } of await operators.letters()) {
      if (!chance.happens(0.3)) continue;
      const done = chance.happens(0.7) ? await operators.replay(id) : await operators.remove(id);
      trace(`${done} letter ${id}`);
      if (done === 'filed') count('letters replayed');
    }
  }

  look(): void {
    const { clock, desk, homeMs, onFault } = this.#world;
    clock.after(LOOK_MS, () => this.look());
    const at = desk();
    if (at === undefined || clock.atMs > homeMs) return;
    this.#settleOld(at.operators)
      .then(() => this.#replayAll(at.operators))
      .catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) onFault(error);
      });
  }
}

/** The locks of an intent. */
function locksIn(body: unknown): readonly string[] {
  const { lookup }: { lookup?: { locks: string[] } } = Object(body);
  return lookup?.locks ?? [];
}
