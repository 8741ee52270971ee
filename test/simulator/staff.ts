import type { Gifts } from '../../src/counter/gifts.ts';
import type { Operators } from '../../src/engine/operators.ts';
import type { StaffNote, Tickets } from '../../src/operators/tickets.ts';
import type { Checks, StaffAnswer } from './checks.ts';
import type { World } from './world.ts';

/** What a process offers to staff. */
export type Desk = {
  readonly operators: Operators;
  readonly fileNote: Tickets['file'];
  readonly gifts: Pick<Gifts, 'handOver'>;
};

/** How often an operator looks, and how old an operation must be: a younger call may be under way. */
const LOOK_MS = 45_000;
const OLD_MS = 90_000;
const HOME_MS = 60_000;

/** Staff who answer tickets and close some, and an operator who settles operations and replays letters. */
export function createStaff(
  world: World,
  options: {
    desk(): Desk | undefined;
    /** Whether AntCRM has carried an operation out: operators look there. */
    isApplied(operation: string): boolean;
    readonly checks: Checks;
  },
) {
  const { chance, clock, count, insist, life, occurs, onError, trace } = world;
  const served = new Set<string>();

  /** One answer after the other, then perhaps the end. */
  async function answer(by: string, ticket: string, written: StaffAnswer[]): Promise<void> {
    const notes: (StaffNote & { id: string })[] = Array.from({ length: chance.between(0, 3) }, (_, at) => {
      const text = `answer ${ticket} ${at} of ${by}`;
      return { by, id: text, text };
    });
    if (chance.happens(0.4)) notes.push({ by, id: 'end' });
    if (chance.happens(0.3))
      await insist(options.desk, ({ fileNote }) => fileNote(ticket, { by, claim: true }));
    for (const note of notes) {
      await new Promise<void>((resolve) => clock.plan(chance.between(500, 20_000), resolve));
      const sentMs = clock.atMs;
      const filed = await insist(options.desk, ({ fileNote }) => fileNote(ticket, note));
      trace(`staff ${note.text === undefined ? 'close' : 'write to'} ticket ${ticket}: ${filed}`);
      if (note.text === undefined || filed !== 'filed') return;
      count('answers of staff');
      const id = `person:${ticket}:${note.id}`;
      written.push({ text: note.text, by: `${by} of ${ticket}`, id, sentMs, takenMs: clock.atMs });
    }
  }

  async function settleOld({ operators }: Desk): Promise<void> {
    for (const { reference, atMs, intent } of await operators.operations()) {
      if (intent === null || clock.nowMs() - atMs < OLD_MS || !chance.happens(world.rates.settles)) continue;
      const other = chance.happens(0.1) ? options.desk()?.operators : undefined;
      if (other) {
        count('contrary decisions');
        options.checks.contested.add(reference);
      }
      const isDone = options.isApplied(reference);
      const right = decide(operators, reference, isDone);
      await Promise.all([right, other && decide(other, reference, !isDone)]);
    }
  }

  async function decide(operators: Operators, reference: string, isDone: boolean): Promise<void> {
    const result = isDone ? 'done' : 'not-applied';
    const filed = await operators.settle(reference, result);
    trace(`an operator settles ${reference} as ${result}: ${filed}`);
    if (filed !== 'filed') return;
    count('settlements');
    options.checks.onDecided(reference, result);
  }

  async function replayAll({ operators }: Desk): Promise<void> {
    for (const { id } of await operators.letters()) {
      if (!chance.happens(0.3)) continue;
      const done = chance.happens(0.7) ? await operators.replay(id) : await operators.remove(id);
      trace(`an operator replays or removes dead letter ${id}: ${done}`);
      if (done === 'filed') count('letters replayed');
    }
  }

  return {
    /** One person answers a ticket, or two who know nothing of each other. */
    serve(ticket: string, written: StaffAnswer[]): void {
      if (served.has(ticket)) return;
      served.add(ticket);
      count('tickets');
      void answer('staff 1', ticket, written);
      if (occurs(0.4, 'tickets with two of staff')) void answer('staff 2', ticket, written);
    },
    /** Operators stop some time before the faults do, so that no replayed letter kills any more. */
    look(): void {
      clock.after(LOOK_MS, () => this.look());
      const desk = options.desk();
      if (desk === undefined || clock.atMs > life.faultsMs - HOME_MS) return;
      settleOld(desk)
        .then(() => replayAll(desk))
        .catch(onError);
    },
  };
}
