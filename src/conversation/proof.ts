import type { Locale } from './message.ts';
import type { State } from './state.ts';

/*
 * A phone that is proved by a one-time code. A step asks for a code, or tries one; `src/proof/` does it. A
 * code counts for its phone, its conversation and its purpose.
 */

/** `purpose`: the flow that needs the proof. Phones are E.164. */
export type ProofEffect =
  | {
      readonly kind: 'sendCode';
      readonly phone: string;
      readonly purpose: string;
      /** The language of the sentence around the code. */
      readonly locale: Locale;
    }
  | { readonly kind: 'tryCode'; readonly phone: string; readonly purpose: string; readonly code: string };

/**
 * How sending ended.
 * - `sent`: the gateway took it. `unknown`: perhaps sent, and not sent again by itself; its code counts.
 * - `refused`, `unavailable`: surely not sent; the gateway refuses the number, or cannot be reached.
 * - `limited`: too many codes or tries; nothing was sent. `untilMs`: when the next may be sent (epoch ms).
 */
export type CodeSent = {
  readonly kind: 'codeSent';
  readonly result: 'sent' | 'unknown' | 'refused' | 'unavailable' | 'limited';
  readonly untilMs?: number | undefined;
};

/**
 * How a try ended.
 * - `right`: `provedMs` is when this conversation first proved the phone (epoch ms).
 * - `wrong`: `left` is how many tries the code has left. `expired`: there is no code that counts.
 * - `limited`: the conversation made too many wrong tries.
 */
export type CodeTried = { readonly kind: 'codeTried' } & (
  | { readonly result: 'right'; readonly provedMs: number }
  | { readonly result: 'wrong'; readonly left: number }
  | { readonly result: 'expired' }
  | { readonly result: 'limited'; readonly untilMs: number }
);

export type ProofOutcome = CodeSent | CodeTried;

/**
 * Performs it for one message. `conversation` is a keyed hash. `message` is the same in each attempt at the
 * message, so that a repeat after a crash sends and counts nothing twice. Rejects as the store does.
 */
export type ProveByCode = (
  effect: ProofEffect,
  about: { readonly conversation: string; readonly message: string },
) => Promise<ProofOutcome>;

/** A mobile number of Vietnam: no other gets a code. */
export const canGetCode = (phone: string): boolean => /^\+84[35789]\d{8}$/.test(phone);

/** A run of digits, also with blanks, dots or dashes between them. */
const DIGITS = /\d(?:[ .\-\u00a0]?\d)*/g;
const CODE_DIGITS = 6;
const digitsOf = (run: string): string => run.replace(/\D/g, '');

/** The one-time code of a text: its only run of six digits. */
export function findCode(text: string): string | undefined {
  const runs = text.normalize('NFKC').match(DIGITS) ?? [];
  const [code, ...others] = runs.map(digitsOf).filter(({ length }) => length === CODE_DIGITS);
  return others.length === 0 ? code : undefined;
}

const HIDE_MS = 15 * 60_000;
const HIDDEN = '\u2022'.repeat(CODE_DIGITS);

/** The text as others than the bot may see it: a one-time code that was sent a while ago is hidden. */
export function hideCode(text: string, { codeSentMs }: Pick<State, 'codeSentMs'>, nowMs: number): string {
  if (codeSentMs === undefined || nowMs - codeSentMs > HIDE_MS) return text;
  return text.replace(DIGITS_OF_ANY_SCRIPT, (run) =>
    digitsOf(run.normalize('NFKC')).length === CODE_DIGITS ? HIDDEN : run,
  );
}
const DIGITS_OF_ANY_SCRIPT = /\p{Nd}(?:[ .\-\u00a0]?\p{Nd})*/gu;
