import { z } from 'zod';

export const CALLS = ['accumulate', 'redeem', 'history', 'contacts'] as const;
export type SandboxCall = (typeof CALLS)[number];

/**
 * A way to misbehave:
 * - `lose-answer`: applied, then the connection is cut.
 * - `late-record`: the same, and the history shows it `ms` later.
 * - `refuse-connection`: cut before anything is applied. A server that listens cannot refuse a connection, so to the
 *   caller this looks like a reset: it cannot know that nothing was applied.
 * - `slow`: applied at once, answered after `ms`.
 * - `error-500`: not applied, answered with 500.
 * - `bad-json`: applied, answered with JSON that breaks off.
 */
export const faultSchema = z.object({
  call: z.enum(CALLS),
  fault: z.enum(['lose-answer', 'refuse-connection', 'slow', 'error-500', 'bad-json', 'late-record']),
  /** How many of the next calls. */
  times: z.int().min(1).max(1_000_000).default(1),
  ms: z
    .int()
    .min(0)
    .max(10 * 60 * 1000)
    .default(3000),
});
export type Fault = z.infer<typeof faultSchema>;

/** The faults yet to come, first planned, first met. */
export function createFaults() {
  let planned: readonly Fault[] = [];
  return {
    plan: (fault: Fault): void => {
      planned = [...planned, fault];
    },
    /** The fault that the call at hand meets; it counts as met. */
    take(call: SandboxCall): Fault | undefined {
      const met = planned.find((fault) => fault.call === call);
      planned = planned.flatMap((fault) => (fault === met ? lessOne(fault) : [fault]));
      return met;
    },
    clear: (): void => {
      planned = [];
    },
    list: (): readonly Fault[] => planned,
  };
}

const lessOne = (fault: Fault): Fault[] => (fault.times > 1 ? [{ ...fault, times: fault.times - 1 }] : []);
