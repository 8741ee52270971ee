import type { Observe } from '../../observe.ts';
import type { Work } from '../mailbox.ts';
import { type Due, GRACE_MS } from './due.ts';
import { mostOf } from './most.ts';

/** At most this many conversations are claimed at once. */
const MAX_STEP = 8;

/** `taken`: another process was faster, or it was answered meanwhile. `left`: it is for processes of a newer version. */
type Taken = Work | 'taken' | 'left';

export type ClaimOptions = {
  readonly due: Due;
  /** Takes the lease of one conversation. */
  take(conversation: string): Promise<Taken>;
  /** Releases a lease that nobody waits for any more. */
  giveBack(work: Work): Promise<unknown>;
  readonly onClaim: Observe['claim'];
};

/**
 * `Mailbox.claim`. Other processes claim too, so the steps begin small and grow while most of it is won: where most was
 * taken, others are at the rest already. A node that hangs holds up no other: what it grants too late is given back.
 */
export function createClaim({ due, take, giveBack, onClaim }: ClaimOptions) {
  async function claimOne(conversation: string): Promise<Taken> {
    const taken = await take(conversation);
    onClaim(typeof taken === 'object' ? 'won' : taken);
    if (taken === 'left') due.leave(conversation);
    return taken;
  }

  /** Where that fails too, the lease runs out by itself. */
  function giveBackLate(asked: Promise<Taken> | undefined): void {
    asked?.then((late) => (typeof late === 'object' ? giveBack(late) : undefined)).catch(() => {});
  }

  return async (room: number): Promise<Work[]> => {
    if (room <= 0) return [];
    const names = await due.look(room);
    const works: Work[] = [];
    let failure: PromiseRejectedResult | undefined;
    for (let step = 1; works.length < room && names.length > 0; step = Math.min(2 * step, MAX_STEP)) {
      const some = names.splice(0, Math.min(step, room - works.length)).filter(due.isReachable);
      const asked = some.map(claimOne);
      const answers = await mostOf(asked, GRACE_MS);
      let taken = 0;
      for (const [index, answer] of answers.entries()) {
        if (answer?.status === 'fulfilled') {
          if (typeof answer.value === 'object') works.push(answer.value);
          else if (answer.value === 'taken') taken += 1;
          continue;
        }
        due.unreachable(some[index] ?? '');
        if (answer === null) giveBackLate(asked[index]);
        else failure ??= answer;
      }
      if (2 * taken >= some.length) break;
    }
    // What was taken must not be lost with what failed.
    if (works.length === 0 && failure !== undefined) throw failure.reason;
    return works;
  };
}
