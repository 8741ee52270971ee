import { describe, expect, test } from 'vitest';
import { acceptContract } from './mailbox/accept.ts';
import { backlogContract } from './mailbox/backlog.ts';
import { commitContract } from './mailbox/commit.ts';
import { type OpenMailbox, opener } from './mailbox/kit.ts';
import { leaseContract } from './mailbox/lease.ts';
import { moneyContract } from './mailbox/money.ts';
import { peekContract } from './mailbox/peek.ts';
import { releaseContract } from './mailbox/release.ts';

/** What every mailbox must do: each promise of `src/store/mailbox.ts`, run for each implementation. */
export function mailboxContract(name: string, open: OpenMailbox): void {
  describe(`the ${name} mailbox`, () => {
    const fresh = opener(open);
    acceptContract(fresh);
    leaseContract(fresh);
    commitContract(fresh);
    releaseContract(fresh);
    moneyContract(fresh);
    backlogContract(fresh);
    peekContract(fresh);

    test('a healthy store reports no faults', async () => {
      const { mailbox } = await fresh();
      expect(await mailbox.health()).toEqual([]);
    });
  });
}
