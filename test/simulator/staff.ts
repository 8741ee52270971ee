import type { Operators } from '../../src/engine/operators.ts';
import type { Tickets } from '../../src/operators/tickets.ts';
import { StoreUnavailable } from '../../src/store/port.ts';
import type { Chance, Clock } from './clock.ts';
import type { Count } from './counts.ts';

/** What a process offers to staff. */
export type Desk = { readonly tickets: Pick<Tickets, 'file'>; readonly operators: Deciding };
type Deciding = Pick<Operators, 'operations' | 'letters' | 'settle' | 'file' | 'replay' | 'remove'>;

/** An answer of staff, the id of its message, and when the bot took it. */
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

/** Staff who answer tickets and close some, and an operator who settles operations and replays letters. */
export function createStaff(
  clock: Clock,
  chance: Chance,
  options: {
    desk(): Desk | undefined;
    /** Whether AntCRM has carried an operation out: operators look there. */
    isApplied(operation: string): boolean;
    /** Two operators decide on it, one of them against what AntCRM has. */
    onContested(operation: string): void;
    onDecided(operation: string, result: 'done' | 'not-applied'): void;
    /** Operators stop then, so that no replayed letter kills any more. */
    readonly homeMs: number;
    readonly count: Count;
    trace(what: string): void;
    /** Something else than the store was thrown. */
    onFault(error: unknown): void;
  },
) {
  const { desk, homeMs, isApplied, onContested, onDecided, count, trace, onFault } = options;
  const served = new Set<string>();

  /** Tries at one process after the other, until one confirms. */
  function insist<Result>(work: (desk: Desk) => Promise<Result>, then: (result: Result) => void): void {
    let isOver = false;
    const once = (next: () => void) => () => {
      if (!isOver) next();
      isOver = true;
    };
    const again = once(() => insist(work, then));
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
  function serve(ticket: string, onTaken: (written: StaffAnswer) => void): void {
    if (served.has(ticket)) return;
    served.add(ticket);
    count('tickets');
    answer('staff 1', ticket, onTaken);
    if (!chance.happens(0.4)) return;
    count('tickets with two of staff');
    answer('staff 2', ticket, onTaken);
  }

  /** One answer after the other, then perhaps the end. */
  function answer(by: string, ticket: string, onTaken: (written: StaffAnswer) => void): void {
    const answers = Array.from(
      { length: chance.between(0, 3) },
      (_, at) => `answer ${ticket} ${at} of ${by}`,
    );
    const closes = chance.happens(0.4);
    const next = (): void => {
      const text = answers.shift();
      if (text !== undefined || closes) clock.plan(chance.between(500, 20_000), () => write(text));
    };
    function write(text: string | undefined): void {
      const sentMs = clock.atMs;
      const note = { by, id: text ?? 'end', ...(text !== undefined && { text }) };
      insist(
        ({ tickets }) => tickets.file(ticket, note),
        (filed) => {
          trace(`${filed} ${ticket} ${text}`);
          if (text === undefined || filed !== 'filed') return;
          count('answers of staff');
          onTaken({ text, by, id: `person:${ticket}:${text}`, sentMs, takenMs: clock.atMs });
          next();
        },
      );
    }
    if (chance.happens(0.3)) insist(({ tickets }) => tickets.file(ticket, { by, claim: true }), next);
    else next();
  }

  async function settleOld(operators: Deciding): Promise<void> {
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
        decide(operators, reference, right),
        ...(other ? [decide(other, reference, wrong)] : []),
      ]);
    }
  }

  async function decide(operators: Deciding, reference: string, result: 'done' | 'not-applied') {
    const filed = await operators.settle(reference, result, ({ intent }) => locksIn(intent?.body));
    trace(`${filed} settle ${reference} ${result}`);
    if (filed !== 'filed') return;
    count('settlements');
    onDecided(reference, result);
  }

  async function replayAll(operators: Deciding): Promise<void> {
    for (const { id } of await operators.letters()) {
      if (!chance.happens(0.3)) continue;
      const done = chance.happens(0.7) ? await operators.replay(id) : await operators.remove(id);
      trace(`${done} letter ${id}`);
      if (done === 'filed') count('letters replayed');
    }
  }

  function look(): void {
    clock.after(LOOK_MS, look);
    const at = desk();
    if (at === undefined || clock.atMs > homeMs) return;
    settleOld(at.operators)
      .then(() => replayAll(at.operators))
      .catch((error: unknown) => {
        if (!(error instanceof StoreUnavailable)) onFault(error);
      });
  }

  return { serve, look };
}

/** The locks of an intent. */
function locksIn(body: unknown): readonly string[] {
  const { lookup }: { lookup?: { locks: string[] } } = Object(body);
  return lookup?.locks ?? [];
}
