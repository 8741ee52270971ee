import { LEASE_MS, SWEEP_MS } from '../store/mailbox.ts';

/** What bounds the engine; tests and fault tests set shorter ones. */
export type Limits = {
  /** Turns at work at once. */
  readonly concurrency: number;
  /** As the store's. */
  readonly leaseMs: number;
  readonly renewMs: number;
  readonly sweepMs: number;
  /** A head or wake-up whose leases expired this often without a commit is poison. */
  readonly attempts: number;
  /** A call longer than this is shown to the customer as work. */
  readonly workingMs: number;
  /** A reply waits this long at most within its turn, if the platform asks for it. */
  readonly patienceMs: number;
  /** Deliveries and look-ups of one channel at once, and after how long one of them counts as hanging. */
  readonly perChannel: number;
  readonly stuckMs: number;
  /** Turns of one channel that fetch and read photos at once. */
  readonly photosPerChannel: number;
  /** How long `stop` waits for turns at work. */
  readonly stopMs: number;
  /** In [0, 1), for jitter. */
  random(): number;
};

export const LIMITS: Limits = {
  concurrency: 64,
  leaseMs: LEASE_MS,
  renewMs: 5000,
  sweepMs: SWEEP_MS,
  attempts: 5,
  workingMs: 1000,
  patienceMs: 2000,
  perChannel: 21,
  stuckMs: 500,
  photosPerChannel: 8,
  stopMs: 8_000,
  random: Math.random,
};
