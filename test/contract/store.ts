import { describe, expect, test } from 'vitest';
import { acceptContract } from './store/accept.ts';
import { backlogContract } from './store/backlog.ts';
import { commitContract } from './store/commit.ts';
import { type OpenStore, opener } from './store/kit.ts';
import { leaseContract } from './store/lease.ts';
import { moneyContract } from './store/money.ts';
import { peekContract } from './store/peek.ts';
import { releaseContract } from './store/release.ts';

/** What every store must do: each promise of `src/store/store.ts` and of its ports, run for each implementation. */
export function storeContract(name: string, open: OpenStore): void {
  describe(`the ${name} store`, () => {
    const fresh = opener(open);
    acceptContract(fresh);
    leaseContract(fresh);
    commitContract(fresh);
    releaseContract(fresh);
    moneyContract(fresh);
    backlogContract(fresh);
    peekContract(fresh);

    test('a healthy store reports no faults', async () => {
      const { store } = await fresh();
      expect(await store.health()).toEqual([]);
    });
  });
}
