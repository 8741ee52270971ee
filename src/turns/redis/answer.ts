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

export function nextOf(answer: unknown): Next {
  const [nowMs, seq, head, attempts, wake, dropped] = listOf(answer);
  const headSeq = numberOf(seq);
  return {
    head: headSeq > 0 ? { seq: headSeq, body: bytesOf(head), attempts: numberOf(attempts) } : null,
    wake: numberOf(wake) === 1 ? { attempts: numberOf(attempts) } : null,
    dropped: numberOf(dropped),
    nowMs: numberOf(nowMs),
  };
}

export function workOf(conversation: string, answer: unknown): Work {
  const [fence, version, state, next, firstSeq, outbox] = listOf(answer);
  const bytes = bytesOf(state);
  const first = numberOf(firstSeq);
  return {
    conversation,
    fence: numberOf(fence),
    version: numberOf(version),
    state: bytes.length > 0 ? bytes : null,
    outbox: listOf(outbox).map((body, index) => ({ seq: first + index, body: bytesOf(body) })),
    ...nextOf(next),
  };
}
