import type { Identifier, Movement, Outcome } from '../conversation/effect.ts';
import { type EffectContext, LeaseLost, TurnInterrupted } from '../conversation/perform.ts';
import { pause, type Tools } from './tools.ts';

/** Reading the balance may hold up a list of gifts this long, and the result of an operation half as long. */
const LIST_MS = 2000;
const RESULT_MS = 1000;

type Parts = Pick<Tools, 'loyalty' | 'contacts' | 'world'>;

/**
 * The customer's points by AntCRM's record of them: null = it knows no such customer; undefined = they cannot be had, or
 * not within `withinMs`. Asks once, and never throws.
 */
export async function readPoints(
  by: Identifier,
  context: EffectContext,
  { loyalty, contacts, world }: Parts,
  withinMs = RESULT_MS,
): Promise<number | null | undefined> {
  if (contacts === 'off' || context.signal.aborted || context.stopping()) return undefined;
  const done = new AbortController();
  const over = AbortSignal.any([context.signal, done.signal]);
  try {
    const read = loyalty.contact(by);
    const contact = await Promise.race([read, pause(world, withinMs, over)]);
    return contact?.ok ? (contact.value === null ? null : contact.value.points) : undefined;
  } finally {
    done.abort();
  }
}

/** Both readings, where there are both. */
export function movement(before: number | undefined, after: number | null | undefined): Movement | undefined {
  return before === undefined || after === undefined || after === null ? undefined : { before, after };
}

/** The same as an outcome: `unavailable` where the points cannot be had. */
export async function readExactBalance(
  by: Identifier,
  context: EffectContext,
  parts: Parts,
): Promise<Outcome> {
  if (context.signal.aborted) throw new LeaseLost();
  if (context.stopping()) throw new TurnInterrupted();
  const points = await readPoints(by, context, parts, LIST_MS);
  return points === undefined ? { kind: 'unavailable' } : { kind: 'balance', points };
}
