import type { FetchedPhoto } from '../../turns/outlet.ts';
import type { CallFailure } from './answers.ts';

/** Answers that may differ a moment later. */
const TRANSIENT: ReadonlySet<CallFailure['kind']> = new Set(['throttled', 'undelivered', 'uncertain']);

/** What it means for a picture that a platform's call did not succeed. */
export function unfetched({ kind }: CallFailure): FetchedPhoto {
  return { kind: TRANSIENT.has(kind) ? 'unavailable' : 'refused' };
}
