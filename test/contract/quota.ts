import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Quota } from '../../src/store/quota.ts';

/** Two processes on one store. */
type Quotas = { readonly one: Quota; readonly other: Quota };
export type OpenQuotas = (name: string, perSecond: number) => Promise<Quotas>;

const PER_SECOND = 30;

/** Each promise of `src/store/quota.ts`, run for each implementation. */
export function quotaContract(implementation: string, open: OpenQuotas): void {
  describe(`the ${implementation} quota`, () => {
    const opened = () => open(randomBytes(16).toString('base64url'), PER_SECOND);

    /** What is asked of two processes within so long: a machine that was too busy for that begins anew. */
    async function within<Result>(ms: number, ask: (quotas: Quotas) => Promise<Result>): Promise<Result> {
      for (;;) {
        const quotas = await opened();
        const beforeMs = performance.now();
        const result = await ask(quotas);
        if (performance.now() - beforeMs < ms) return result;
      }
    }

    test('gives each message of a second to one process, and no more than there are', async () => {
      const { granted, other } = await within(900, async ({ one, other }) => ({
        granted: [await one.take(20), await other.take(20), await one.take(20)],
        other,
      }));
      // What passes between two of them is skipped.
      const numbers = granted.flatMap(({ first, count }) =>
        Array.from({ length: count }, (_, index) => first + index),
      );
      expect(new Set(numbers).size).toBe(numbers.length);
      expect(numbers[0]).toBe(1);
      expect(numbers.at(-1)).toBe(PER_SECOND);
      expect(granted[2]?.count).toBe(0);
      expect(granted[2]?.leftMs).toBeGreaterThan(0);
      expect(granted[2]?.leftMs).toBeLessThanOrEqual(1000);
      await expect.poll(() => other.take(1)).toMatchObject({ count: 1 });
    });

    test('gives nobody what should have left before', async () => {
      const later = await within(900, async ({ one, other }) => {
        await one.take(1);
        await delay(600);
        return other.take(5);
      });
      expect(later.first).toBeGreaterThanOrEqual(PER_SECOND / 2);
      expect(later.first).toBeGreaterThanOrEqual(Math.floor(PER_SECOND * (1 - later.leftMs / 1000)));
    });

    test('pauses for the shorter wait where two messages are refused within a second, whoever sent them', async () => {
      const [first, second, granted] = await within(900, async ({ one, other }) => [
        await one.refused(60_000),
        await other.refused(3000),
        await one.take(1),
      ]);
      expect([first, second]).toEqual([0, 3000]);
      expect(granted).toMatchObject({ count: 0 });
      expect(granted.leftMs).toBeGreaterThan(2000);
      expect(granted.leftMs).toBeLessThanOrEqual(3000);
    });

    test('lets those come back one after the other who are put off', async () => {
      const [first, second, third] = await within(400, async ({ one, other }) => [
        await one.takePlaces(30),
        await other.takePlaces(60),
        await one.takePlaces(1),
      ]);
      expect(first).toBe(0);
      expect(second).toBeGreaterThan(500);
      expect(second).toBeLessThanOrEqual(1000);
      expect(third).toBeGreaterThan(second + 1500);
      expect(third).toBeLessThanOrEqual(3000);
    });
  });
}
