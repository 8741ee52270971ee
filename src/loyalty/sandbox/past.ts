import { GIFTS, PRODUCTS } from './catalog.ts';
import type { Customer } from './customers.ts';
import type { Entry } from './entry.ts';

const EARNED = 45;
const REDEEMED = 25;
const HOUR_MS = 60 * 60 * 1000;

/**
 * The customer's past: 45 accumulations, 25 redemptions, every ninth of which failed; oldest first. It
 * ends the day before `nowMs` and goes back some ten weeks, so that every period has something to show, and leaves a
 * balance for a few of the affordable gifts. Its codes are not among those that can be tried.
 */
export function pastOf(person: Customer, nowMs: number, newId: () => string): Entry[] {
  const entry = (at: number) => ({ createdAt: at, visibleAt: at, id: newId(), person });

  const earned = Array.from({ length: EARNED }, (_, n): Entry => {
    const product = PRODUCTS[n % PRODUCTS.length];
    const at = nowMs - (EARNED - n) * 36 * HOUR_MS + 12 * HOUR_MS;
    const prefix = product?.code.replace(/\d+$/, '') ?? '';
    const serialNumber = String(100_000_001 + n);
    const code = prefix + serialNumber;
    // A failed attempt tells no product: the code was mistyped.
    if (n % 9 === 8) return { ...entry(at), type: 1, score: 0, status: 0, code };
    return { ...entry(at), type: 1, score: product?.score ?? 0, status: 1, product, code, serialNumber };
  });

  const redeemed = Array.from({ length: REDEEMED }, (_, n): Entry => {
    const failed = n % 9 === 8;
    const gift = GIFTS.find(
      ({ code }) => code === (failed ? 'NOICOM01' : n % 2 === 0 ? 'DAUMAY01' : 'LOA01'),
    );
    const at = nowMs - (REDEEMED - n) * 62 * HOUR_MS + 20 * HOUR_MS;
    return { ...entry(at), type: 2, score: gift?.score ?? 0, status: failed ? 0 : 1, gift };
  });

  return [...earned, ...redeemed].sort((a, b) => a.createdAt - b.createdAt);
}
