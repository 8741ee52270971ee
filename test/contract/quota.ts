import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Quota } from '../../src/store/quota.ts';

/** Two processes on one store. */
type Quotas = { readonly one: Quota; readonly other: Quota };
export type OpenQuotas = (name: string, perSecond: number) => Promise<Quotas>;

/** A message every 5.6 ms, every 5 ms where it is scarce; 19 at once, and a little. */
const PER_SECOND = 200;
const BURST = 19;
const WITHIN_MS = 1500;

/** Each promise of `src/store/quota.ts`, run for each implementation. */
export function quotaContract(implementation: string, open: OpenQuotas): void {
  describe(`the ${implementation} quota`, () => {
    const take = (quota: Quota, wanted: number, sent = 0, withinMs = WITHIN_MS) =>
      quota.take({ wanted, sent, withinMs });

    /** What is asked of two processes within so long: a machine that was too busy for that begins anew. */
    async function within<Result>(ms: number, ask: (quotas: Quotas) => Promise<Result>): Promise<Result> {
      for (;;) {
        const quotas = await open(randomBytes(16).toString('base64url'), PER_SECOND);
        const beforeMs = performance.now();
        const result = await ask(quotas);
        if (performance.now() - beforeMs < ms) return result;
      }
    }

    test('lets a burst leave at once, and what comes on top of it one after the other, over all processes', async () => {
      const [first, second] = await within(20, async ({ one, other }) => [
        await take(one, BURST),
        await take(other, 3),
      ]);
      expect(first).toMatchObject({ granted: BURST });
      expect(first.aheadMs + BURST * first.stepMs).toBeLessThanOrEqual(0.01);
      expect(second.granted).toBe(3);
      expect(second.stepMs).toBeCloseTo(5.556);
      expect(second.aheadMs + second.stepMs).toBeGreaterThan(-14);
    });

    test('counts what has left already', async () => {
      const { aheadMs } = await within(20, async ({ one, other }) => {
        await take(one, 0, 15);
        return take(other, 0);
      });
      // Of 20 that have room, five are left, and what had time to leak meanwhile.
      expect(aheadMs).toBeLessThanOrEqual(-5 * 5.5);
      expect(aheadMs).toBeGreaterThan(-5 * 5.6 - 20);
    });

    test('gives no time that is later than wanted', async () => {
      const { granted } = await within(20, async ({ one, other }) => {
        await take(one, BURST);
        return take(other, 100, 0, 60);
      });
      expect(granted).toBeGreaterThanOrEqual(10);
      expect(granted).toBeLessThanOrEqual(14);
    });

    test('has room again once time has passed', async () => {
      const { one, other } = await open(randomBytes(16).toString('base64url'), PER_SECOND);
      await take(one, BURST);
      await expect.poll(async () => (await take(other, 0)).aheadMs).toBeLessThanOrEqual(-111);
    });

    test('goes at the full pace where there was no room for a second', async () => {
      const { one, other } = await open(randomBytes(16).toString('base64url'), PER_SECOND);
      // So many that none has room for long after that second, on a busy machine, too.
      await take(one, BURST + 2000, 0, 15_000);
      await delay(1010);
      expect((await take(other, 1)).stepMs).toBeCloseTo(5);
    });

    test('lets those come back one after the other who are put off', async () => {
      const waits = await within(400, async ({ one, other }) => {
        const places = [];
        for (let n = 0; n < 100; n++) places.push(await one.line(), await other.line());
        return places;
      });
      expect(waits[0]).toBe(0);
      expect(waits.at(-1)).toBeGreaterThan(500);
      expect(waits.at(-1)).toBeLessThanOrEqual(1000);
    });
  });
}
