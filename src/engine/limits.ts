/** What bounds the engine. Tests and the simulator set shorter times. */
export const LIMITS = {
  /** Turns at work at once. */
  concurrency: 64,
  leaseMs: 15_000,
  renewMs: 5000,
  /** Each process looks for what is due: a lease runs out where its process died, a wake-up comes by time. */
  sweepMs: 500,
  /** A message or wake-up that was begun this often without success becomes a dead letter. */
  attempts: 5,
  /** A call that takes longer is shown to the customer as work. */
  workingMs: 1000,
  /** Deliveries and look-ups of one channel at once, and how long another one waits for a place. */
  perChannel: 21,
  placeMs: 500,
  /** Turns of one channel that fetch a photo at once; as many wait for that. */
  photosPerChannel: 8,
  /** How long `stop` waits for turns at work. */
  stopMs: 8000,
};

export type EngineLimits = typeof LIMITS;

/** Makes one part for each channel, when it is first asked for. */
export function perChannel<Part>(create: (channel: string) => Part): (channel: string) => Part {
  const parts = new Map<string, Part>();
  return (channel) => {
    const part = parts.get(channel) ?? create(channel);
    parts.set(channel, part);
    return part;
  };
}
