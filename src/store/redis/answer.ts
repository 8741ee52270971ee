import type { Kept } from '../inspection.ts';
import type { Next, Work } from '../mailbox.ts';

/** Reads the answers of the scripts (each script's head comment says what it answers). Throws on any other shape. */

export function listOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer;
  throw new Error('redis: unexpected answer, wanted a list');
}

export function numberOf(answer: unknown): number {
  if (typeof answer === 'number') return answer;
  throw new Error('redis: unexpected answer, wanted a number');
}

export function bytesOf(answer: unknown): Buffer {
  if (Buffer.isBuffer(answer)) return answer;
  throw new Error('redis: unexpected answer, wanted bytes');
}

export function wordOf(answer: unknown): string {
  return bytesOf(answer).toString();
}

const NUMBERS_OF_NEXT = 6;
const NUMBERS_OF_WORK = 7 + NUMBERS_OF_NEXT;

export function nextOf(answer: unknown): Next {
  const [numbers, head] = listOf(answer);
  return next(splitNumbers(numbers, NUMBERS_OF_NEXT), bytesOf(head));
}

export function workOf(conversation: string, nonce: string, answer: unknown): Work {
  const [numbers, stored, head, bodies] = listOf(answer);
  const [fence = 0, version = 0, firstSeq = 0, lost = 0, takeover = 0, times = 0, sinceMs = 0, ...others] =
    splitNumbers(numbers, NUMBERS_OF_WORK);
  return {
    conversation,
    fence,
    nonce,
    version,
    tried: { times, sinceMs },
    lost: lost === 1,
    takeover: takeover === 1,
    state: stateOf(stored),
    outbox: listOf(bodies).map((body, index) => ({ seq: firstSeq + index, body: bytesOf(body) })),
    ...next(others, bytesOf(head)),
  };
}

export function keptOf(answer: unknown): Kept {
  const [numbers, state, messages, outbox] = listOf(answer);
  const [nowMs = 0, leaseEnd = 0] = splitNumbers(numbers, 2);
  return {
    state: stateOf(state),
    messages: listOf(messages).map(bytesOf),
    outbox: listOf(outbox).map(bytesOf),
    leasedUntilMs: leaseEnd > nowMs ? leaseEnd : null,
    nowMs,
  };
}

/** Where there is no state, the scripts answer no bytes. */
function stateOf(answer: unknown): Buffer | null {
  const state = bytesOf(answer);
  return state.length > 0 ? state : null;
}

function next(
  [nowMs = 0, seq = 0, attempts = 0, wake = 0, dropped = 0, current = 0]: readonly number[],
  body: Buffer,
): Next {
  return {
    head: seq > 0 ? { seq, body, attempts, current: current === 1 } : null,
    wake: wake === 1 ? { attempts } : null,
    dropped,
    nowMs,
  };
}

/** Exactly this many numbers, as one string with blanks between them. */
function splitNumbers(answer: unknown, many: number): number[] {
  const numbers = numbersOf(answer);
  if (numbers.length === many) return numbers;
  throw new Error(`redis: unexpected answer, wanted ${many} numbers`);
}

/** Numbers, as one string with blanks between them. */
export function numbersOf(answer: unknown): number[] {
  const numbers = wordOf(answer).split(' ').map(Number);
  if (!numbers.some(Number.isNaN)) return numbers;
  throw new Error('redis: unexpected answer, wanted numbers');
}
