import type { Context } from '../context.ts';
import type { Reply } from '../reply.ts';
import type { ConversationState, Operation } from '../state.ts';

/*
 * Whoever guesses codes is slowed down, more with every wrong one; a few typing errors cost nobody anything. Counted per
 * conversation, never per phone: a stranger could lock its owner out (SECURITY.md, "Guessing codes").
 */

/** Refused codes in a row that cost nothing. */
const FREE = 4;
/** How long the ones after them make the customer wait, minutes. */
const WAITS_MIN = [1, 5, 30] as const;
const LONGEST_MIN = 60;
const MINUTE_MS = 60_000;
/** Nobody is held to what they mistyped a day ago. */
const FORGET_MS = 24 * 60 * MINUTE_MS;

/** Counts a refused code; after a good one, whatever was refused before it was a typing error. */
export function countOutcome(
  state: ConversationState,
  status: Operation['status'],
  { nowMs }: Context,
): ConversationState {
  if (status !== 'done' && status !== 'refused') return state;
  const { guesses: _, ...rest } = state;
  if (status === 'done') return rest;
  return { ...rest, guesses: { refused: refusedSoFar(state, nowMs) + 1, atMs: nowMs } };
}

/** What is said instead of trying another code; undefined where one may be tried. */
export function tooManyAttempts(state: ConversationState, { nowMs }: Context): Reply | undefined {
  const leftMs = (state.guesses?.atMs ?? 0) + waitMs(refusedSoFar(state, nowMs)) - nowMs;
  return leftMs > 0
    ? { key: 'abuse.tooManyAttempts', params: { minutes: Math.ceil(leftMs / MINUTE_MS) } }
    : undefined;
}

function waitMs(refused: number): number {
  if (refused <= FREE) return 0;
  return (WAITS_MIN[refused - FREE - 1] ?? LONGEST_MIN) * MINUTE_MS;
}

function refusedSoFar({ guesses }: ConversationState, nowMs: number): number {
  return guesses && nowMs - guesses.atMs < FORGET_MS ? guesses.refused : 0;
}
