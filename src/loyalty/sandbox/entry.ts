import type { Product, SandboxGift } from './catalog.ts';
import type { Person } from './customers.ts';

/** A record of the history. `person` is shared with the customers: what is joined later shows in old records too. */
export type Entry = {
  readonly type: 1 | 2;
  readonly score: number;
  readonly status: 0 | 1;
  readonly product?: Product | undefined;
  readonly gift?: SandboxGift | { readonly code: string } | undefined;
  readonly person: Person;
  readonly code?: string | undefined;
  readonly serialNumber?: string | undefined;
  /** Epoch ms. */
  readonly createdAt: number;
  readonly id: string;
  /** The history shows it from then on, epoch ms. */
  readonly visibleAt: number;
};
