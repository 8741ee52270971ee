import type { Encryption } from '../store/encryption.ts';
import type { Key, RecordStore } from '../store/port.ts';
import { type Settled, settledSchema } from './api.ts';

/** For so long it is known who settled an operation; its intent is gone by then. */
const KEPT_MS = 48 * 60 * 60 * 1000;

/** What operators decided, by the operation's reference. Both reject with `StoreUnavailable`. */
export type Decisions = {
  /** Null: none, or it was longer ago. */
  find(reference: string): Promise<Settled | null>;
  /** The first decision counts: a further one changes nothing. */
  keep(decision: Settled): Promise<void>;
};

export function createDecisions(
  records: Pick<RecordStore, 'read' | 'swap'>,
  encryption: Pick<Encryption, 'seal' | 'open'>,
): Decisions {
  const keyOf = (reference: string): Key => `settled:${reference}`;
  return {
    async find(reference) {
      const key = keyOf(reference);
      const { bytes } = await records.read(key);
      return bytes && settledSchema.parse(JSON.parse(encryption.open(key, bytes).toString()));
    },
    async keep(decision) {
      const key = keyOf(decision.reference);
      const bytes = encryption.seal(key, Buffer.from(JSON.stringify(decision)));
      await records.swap(key, { expected: null, bytes, ttlMs: KEPT_MS, indexes: [] });
    },
  };
}
